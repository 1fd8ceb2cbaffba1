//! What a bench ran on.

use std::process::Command;

/// Processor, compiler, date: the head of a result file.
pub(crate) fn description(name: &str) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |it| it.trim_start_matches([' ', '\t', ':']));
    let rustc = said("rustc", &["--version"]);
    let date = said("date", &["-u", "+%Y-%m-%d"]);
    format!("bench {name}\ncpu {cpu}\ncompiler {rustc}\ndate {date}\n\n")
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
}
