//! `wa-conformance <file or folder>...`: runs vector files and says what failed.

use std::{path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        eprintln!("usage: wa-conformance <vector file or folder>...");
        eprintln!("families:");
        for family in wa_conformance::families() {
            eprintln!("  {}", family.name);
        }
        return ExitCode::from(2);
    }
    let report = wa_conformance::run(&paths);
    #[allow(clippy::print_stdout)] // the program's output
    {
        print!("{report}");
    }
    if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
