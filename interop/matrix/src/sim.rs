//! The simulator as a process, and its admin API.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub struct Sim {
    child: Child,
    pub address: String,
    pub root_hex: String,
    /// Kept open: the simulator ends with it.
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Sim {
    pub fn start(binary: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .args(["--listen", "127.0.0.1:0", "--plain", "--seed", "7", "--first-device", "3"])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let mut stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let info: Value =
            serde_json::from_str(&line).with_context(|| format!("not the first line: {line}"))?;
        let url = info["ws"].as_str().context("no ws address")?;
        let address = url.trim_start_matches("ws://").split('/').next().unwrap_or_default().to_owned();
        let root_hex = info["noise_root"]["public_key_hex"].as_str().context("no root")?.to_owned();
        Ok(Self { child, address, root_hex, _stdout: stdout })
    }

    pub fn post(&self, path: &str, body: &str) -> Result<Value> {
        let url = format!("http://{}/admin/{path}", self.address);
        let mut response = ureq::post(&url)
            .config()
            .http_status_as_error(false)
            .build()
            .send(body)
            .with_context(|| format!("POST {path}"))?;
        let status = response.status();
        let value: Value = response.body_mut().read_json().unwrap_or(Value::Null);
        if !status.is_success() {
            bail!("POST {path}: {status} {value}");
        }
        Ok(value)
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        let url = format!("http://{}/admin/{path}", self.address);
        Ok(ureq::get(&url).call().with_context(|| format!("GET {path}"))?.body_mut().read_json()?)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
