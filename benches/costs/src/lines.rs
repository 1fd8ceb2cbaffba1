//! The other processes of the bench: they take commands and answer as lines of JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Another process of the bench.
pub struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(program: impl AsRef<Path>, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let program = program.as_ref();
        let mut child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from }
    }

    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        let read = self.from.read_line(&mut line).unwrap();
        assert!(read > 0, "a process of the bench has ended: {:?}", self.child.wait());
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    pub fn tell(&mut self, command: &Value) {
        writeln!(self.to, "{command}").unwrap();
        self.to.flush().unwrap();
    }

    /// A command and its answer.
    pub fn ask(&mut self, command: &Value) -> Value {
        self.ask_with(command, |other| panic!("unexpected: {other}"))
    }

    /// The same; lines in between are for `hear`.
    pub fn ask_with(&mut self, command: &Value, mut hear: impl FnMut(&Value)) -> Value {
        self.tell(command);
        loop {
            let line = self.line();
            if line.get("done").is_some() {
                return line["done"].clone();
            }
            assert!(line.get("failed").is_none(), "{command}: {line}");
            hear(&line);
        }
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// Lets it end by itself.
    pub fn end(mut self) {
        let _ = writeln!(self.to, "{}", json!({ "cmd": "end" }));
        let _ = self.to.flush();
        drop(self.to);
        let _ = self.child.wait();
    }
}
