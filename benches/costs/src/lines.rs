//! How the processes of the bench speak: commands and answers as lines of JSON, and what a process has used so far.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Says a line on stdout.
pub fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Processor time of this process so far, user and system together, in microseconds.
pub fn cpu_us() -> u64 {
    // SAFETY: the structure is plain numbers, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &raw mut usage), 0);
        usage
    };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    micros(usage.ru_utime) + micros(usage.ru_stime)
}

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
