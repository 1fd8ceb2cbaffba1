//! The simulator as a process, and its admin API.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Number of the first companion of every account.
pub const FIRST_DEVICE: &str = "3";

pub struct Sim {
    child: Child,
    pub address: String,
    pub root_hex: String,
    /// The certificate of its port, for those who insist on TLS towards the media host: a PEM file.
    pub certificate: PathBuf,
    _folder: tempfile::TempDir,
    /// Kept open: the simulator ends with it.
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Sim {
    pub fn start(binary: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .args(["--listen", "127.0.0.1:0", "--seed", "7", "--first-device", FIRST_DEVICE])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let mut stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let info: Value =
            serde_json::from_str(&line).with_context(|| format!("not the first line: {line}"))?;
        let url = info["ws"].as_str().context("no ws address")?;
        let address = url.trim_start_matches("wss://").split('/').next().unwrap_or_default().to_owned();
        let root_hex = info["noise_root"]["public_key_hex"].as_str().context("no root")?.to_owned();
        let folder = tempfile::tempdir()?;
        let certificate = folder.path().join("certificate.pem");
        std::fs::write(&certificate, info["tls_cert_pem"].as_str().context("no certificate")?)?;
        Ok(Self { child, address, root_hex, certificate, _folder: folder, _stdout: stdout })
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
