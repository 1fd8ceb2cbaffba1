//! A stranger: a process with somebody else's client, told what to do and asked what it saw, a line of JSON each.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// The patience of one that was just started.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whose client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The npm package `baileys`.
    Baileys,
    /// The Go module `go.mau.fi/whatsmeow`.
    Whatsmeow,
    /// `wa-client`.
    Ours,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Baileys, Self::Whatsmeow, Self::Ours];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Baileys => "baileys",
            Self::Whatsmeow => "whatsmeow",
            Self::Ours => "ours",
        }
    }

    /// As the documents write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Baileys => "Baileys",
            Self::Whatsmeow => "whatsmeow",
            Self::Ours => "ours",
        }
    }
}

/// Where the simulator is and what the strangers need to know of it.
#[derive(Debug, Clone)]
pub struct Place {
    pub address: String,
    pub root_hex: String,
    /// PEM file with the certificate of the port.
    pub certificate: PathBuf,
    pub programs: Programs,
}

/// Where the clients are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The folder of the suites; Baileys' driver is a script in it.
    pub interop: PathBuf,
    pub whatsmeow: PathBuf,
    pub ours: PathBuf,
}

pub struct Stranger {
    pub kind: Kind,
    pub name: String,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<Value>,
    seen: Vec<Value>,
    taken: Vec<bool>,
    commands: u64,
    /// How long anything may take before it counts as lost.
    pub patience: Duration,
    /// Own address, known once it is open.
    pub pn: String,
    pub lid: String,
}

impl Stranger {
    /// Starts the process; its credentials are in `folder`.
    pub fn start(kind: Kind, name: &str, folder: &Path, place: &Place) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut command = match kind {
            Kind::Baileys => {
                let mut command = Command::new("node");
                command.env("NODE_EXTRA_CA_CERTS", &place.certificate);
                command.arg(place.programs.interop.join("baileys/driver.mjs"));
                command.arg(format!("ws://{}/ws/chat", place.address)).arg(folder).arg(name);
                command
            }
            Kind::Whatsmeow => {
                let mut command = Command::new(&place.programs.whatsmeow);
                command.arg(&place.address).arg(&place.root_hex).arg(folder.join("whatsmeow.db")).arg(name);
                command
            }
            Kind::Ours => {
                let mut command = Command::new(&place.programs.ours);
                command.arg(&place.address).arg(&place.root_hex).arg(folder.join("ours.db"));
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("the stranger {} cannot be started", kind.name()))?;
        let stdin = child.stdin.take().context("no stdin")?;
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let (give, lines) = channel();
        let shown = format!("{} {name}", kind.name());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                println!("    {shown}: {line}");
                let Ok(value) = serde_json::from_str(&line) else { continue };
                if give.send(value).is_err() {
                    return;
                }
            }
        });
        let (seen, taken) = (Vec::new(), Vec::new());
        let (pn, lid) = (String::new(), String::new());
        let (name, patience) = (name.to_owned(), PATIENCE);
        Ok(Self { kind, name, child, stdin, lines, seen, taken, commands: 0, patience, pn, lid })
    }

    /// Gives a command and waits until it is done.
    pub fn run(&mut self, cmd: &str, mut with: Value) -> Result<Value> {
        self.commands += 1;
        let n = self.commands;
        with["cmd"] = json!(cmd);
        with["n"] = json!(n);
        writeln!(self.stdin, "{with}")?;
        let done = self.wait(&format!("the end of {cmd}"), |line| {
            (line["event"] == "done" || line["event"] == "failed") && line["n"] == n
        })?;
        if done["event"] == "failed" {
            bail!("{} {} failed at {cmd}: {}", self.kind.name(), self.name, done["error"]);
        }
        Ok(done)
    }

    /// Waits for a line that was not taken yet, and takes it.
    pub fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + self.patience;
        loop {
            let found = self.seen.iter().zip(&self.taken).position(|(line, taken)| !taken && fits(line));
            if let Some(index) = found {
                self.taken[index] = true;
                return Ok(self.seen[index].clone());
            }
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line);
                    self.taken.push(false);
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{} {} never saw {what}", self.kind.name(), self.name)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} {} ended before it saw {what}", self.kind.name(), self.name)
                }
            }
        }
    }

    /// Waits until it is connected and in step, and learns its own addresses.
    pub fn wait_open(&mut self) -> Result<()> {
        let open = self.wait("the connection", |line| line["event"] == "open")?;
        self.pn = bare(open["jid"].as_str().unwrap_or_default());
        self.lid = bare(open["lid"].as_str().unwrap_or_default());
        Ok(())
    }

    /// The number alone.
    pub fn number(&self) -> &str {
        self.pn.split('@').next().unwrap_or_default()
    }

    /// Waits for a message with this text and checks its id and chat.
    pub fn expect_text(&mut self, text: &str, id: &str) -> Result<Value> {
        let line = self
            .wait(&format!("the text {text:?}"), |line| line["event"] == "message" && line["text"] == text)?;
        if line["id"] != id {
            bail!("{} {} saw {text:?} under id {} instead of {id}", self.kind.name(), self.name, line["id"]);
        }
        Ok(line)
    }

    /// How many messages with this text were seen so far.
    pub fn count_text(&self, text: &str) -> usize {
        self.seen.iter().filter(|line| line["event"] == "message" && line["text"] == text).count()
    }

    /// Messages that could not be decrypted.
    pub fn undecryptable(&self) -> usize {
        self.seen.iter().filter(|line| line["event"] == "undecryptable").count()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address without its device.
pub fn bare(jid: &str) -> String {
    match jid.split_once('@') {
        Some((user, server)) => format!("{}@{server}", user.split(':').next().unwrap_or_default()),
        None => jid.to_owned(),
    }
}
