//! A stranger in a process of its own: a line of JSON goes in, a line of JSON comes out.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Whose code the other process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Wacore,
    Node,
    /// Only recorded from: it has the defect of [`Self::Node`] and others that no model describes.
    Whatsmeow,
}

impl Kind {
    /// Those that converse.
    pub const ALL: [Self; 2] = [Self::Wacore, Self::Node];
    /// Those whose stored state is recorded.
    pub const RECORDED: [Self; 3] = [Self::Wacore, Self::Node, Self::Whatsmeow];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Wacore => "wacore",
            Self::Node => "node",
            Self::Whatsmeow => "whatsmeow",
        }
    }

    fn command(self) -> Result<Command> {
        Ok(match self {
            Self::Wacore => {
                let driver = std::env::current_exe()?;
                Command::new(driver.parent().context("the driver's folder")?.join("stranger"))
            }
            Self::Node => {
                let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../node/stranger.mjs");
                let mut command = Command::new("node");
                command.arg(script);
                command
            }
            Self::Whatsmeow => {
                let mut command = Command::new("go");
                command.args(["run", "."]);
                command.current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../go"));
                command
            }
        })
    }
}

/// A running stranger.
pub struct Stranger {
    kind: Kind,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Gives a false plaintext from this one on; a test of the driver.
    lies_after: Option<u64>,
    opened: u64,
}

impl Stranger {
    /// Starts it. That it cannot be started is an error like any other.
    pub fn start(kind: Kind, lies_after: Option<u64>) -> Result<Self> {
        let mut command = kind.command()?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("the stranger {} cannot be started", kind.name()))?;
        let input = child.stdin.take().context("stdin")?;
        let output = BufReader::new(child.stdout.take().context("stdout")?);
        Ok(Self { kind, child, input, output, lies_after, opened: 0 })
    }

    /// Asks for a step. A refusal is `Err` inside.
    pub fn ask(&mut self, step: &str, mut request: Value) -> Result<std::result::Result<Value, String>> {
        request["step"] = step.into();
        writeln!(self.input, "{request}")?;
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the stranger {} ended during {step}", self.kind.name());
        }
        let answer: Value = serde_json::from_str(&line)
            .with_context(|| format!("the stranger {} answered {line:?}", self.kind.name()))?;
        Ok(match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
            None => Ok(answer),
        })
    }

    /// A step that must succeed.
    pub fn must(&mut self, step: &str, request: Value) -> Result<Value> {
        self.ask(step, request)?.map_err(|error| anyhow::anyhow!("{step} failed: {error}"))
    }

    /// Decrypts; the plaintext or why not.
    pub fn open(&mut self, step: &str, request: Value) -> Result<std::result::Result<Vec<u8>, String>> {
        let answer = match self.ask(step, request)? {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        let mut plaintext = hex::decode(text(&answer, "plaintext")?)?;
        self.opened += 1;
        if self.lies_after.is_some_and(|after| self.opened > after) {
            plaintext.push(0);
        }
        Ok(Ok(plaintext))
    }

    /// What it says about itself when it starts.
    pub fn hello(&mut self, seed: u64) -> Result<Value> {
        self.must("hello", json!({ "seed": hex::encode(seed.to_be_bytes()) }))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // It has no state that outlives it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A field of text.
pub fn text<'a>(answer: &'a Value, name: &str) -> Result<&'a str> {
    answer[name].as_str().with_context(|| format!("field {name} of {answer}"))
}

/// A field of bytes.
pub fn bytes(answer: &Value, name: &str) -> Result<Vec<u8>> {
    Ok(hex::decode(text(answer, name)?)?)
}

/// A field that is a number.
pub fn number(answer: &Value, name: &str) -> Result<u32> {
    let number = answer[name].as_u64().with_context(|| format!("field {name} of {answer}"))?;
    Ok(u32::try_from(number)?)
}
