//! Runs the commands of a task, says which and how long each took, and stops at the first that fails.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// The steps of a task so far.
pub(crate) struct Steps {
    pub(crate) root: PathBuf,
    taken: Vec<(String, Duration)>,
}

impl Steps {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), taken: Vec::new() }
    }

    /// A command in the workspace's folder.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Cargo with these arguments, in the workspace's folder.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        self.command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
    }

    /// Runs a command to its end.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> Result<()> {
        self.run_with(name, command, Command::status)
    }

    /// The same for a caller that reads what the command prints.
    pub(crate) fn run_with(
        &mut self,
        name: &str,
        command: &mut Command,
        run: impl FnOnce(&mut Command) -> io::Result<ExitStatus>,
    ) -> Result<()> {
        println!("\n== {name}: {}", shown(command));
        let start = Instant::now();
        let status = run(command).with_context(|| shown(command))?;
        self.taken.push((name.to_owned(), start.elapsed()));
        ensure!(status.success(), "{name}: {} ended with {status}", shown(command));
        Ok(())
    }

    /// Prints how long each step took.
    pub(crate) fn summary(&self) {
        println!();
        for (name, time) in &self.taken {
            println!("{:6.1} s  {name}", time.as_secs_f64());
        }
    }
}

fn shown(command: &Command) -> String {
    let mut text =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// Whether a program can be run: `program --version` succeeds.
pub(crate) fn is_installed(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Installs packages of a Debian-like system when `present` says that they are missing.
pub(crate) fn apt_install(steps: &mut Steps, present: impl Fn() -> bool, packages: &[&str]) -> Result<()> {
    if present() {
        return Ok(());
    }
    println!("installing {packages:?} from the system's packages");
    let mut update = steps.command("apt-get", &["-qq", "update"]);
    steps.run("package lists", update.env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = steps.command("apt-get", &["-qq", "-y", "--no-install-recommends", "install"]);
    install.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    steps.run("packages", &mut install)?;
    ensure!(present(), "{packages:?} were installed, but what is needed is still not there");
    Ok(())
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
