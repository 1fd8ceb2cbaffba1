//! A Postgres server of the system's own binaries, started as a non-root user in a temporary folder that goes with it.
//! For the tests of the Postgres backend, and (included by path) for `cargo xtask test`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How a server of the tests is found. Some stop, kill or configure it, and need its programs.
pub(crate) const HINT: &str = "no Postgres server: install one (Debian: apt-get install postgresql), or run \
                               `cargo xtask test postgres`, which does; DATABASE_URL names one for the tests that \
                               leave it as it is";

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// On a free port of this machine.
    #[allow(dead_code, reason = "not every user of this file needs a port")]
    Port,
    /// By a socket in its folder: it can be restarted without losing its port to somebody else.
    #[allow(dead_code, reason = "not every user of this file restarts its server")]
    Socket,
}

/// A running server. It ends when this is dropped, and also when the process that started it is killed.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    options: String,
    url: String,
    watch: Child,
}

impl Server {
    /// Makes a database cluster and starts it. `settings` are lines for its configuration file.
    #[allow(dead_code, reason = "not every user of this file takes a server as it comes")]
    pub(crate) fn start(reach: Reach, settings: &str) -> Result<Self, String> {
        Self::prepared(reach, settings, |_| Ok(()))
    }

    /// The same, with files put into the data folder by `prepare` before the start.
    pub(crate) fn prepared(
        reach: Reach,
        settings: &str,
        prepare: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<Self, String> {
        let programs = programs().ok_or(HINT)?;
        let folder = tempfile::Builder::new().prefix("wa-pg").tempdir().map_err(text)?.keep();
        let data = folder.join("data");
        hand_over(&folder)?;
        run(user(&programs.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data))?;
        let written = fs::read_to_string(data.join("postgresql.conf")).map_err(text)?;
        fs::write(data.join("postgresql.conf"), format!("{written}\n{settings}\n")).map_err(text)?;
        prepare(&data)?;
        hand_over(&folder)?;
        let watch = watch(&programs, &folder)?;
        let mut server = Self { folder, programs, options: String::new(), url: String::new(), watch };
        let mut tries = 3;
        loop {
            server.listen(reach)?;
            match server.restart() {
                Ok(()) => return Ok(server),
                // Somebody else may have taken the port in between.
                Err(error) => {
                    tries -= 1;
                    if tries == 0 {
                        let log = fs::read_to_string(server.folder.join("log")).unwrap_or_default();
                        return Err(format!("{error}\n{log}"));
                    }
                }
            }
        }
    }

    /// `postgres://` of the database `postgres`, as superuser.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Starts it (again) and waits until it answers.
    pub(crate) fn restart(&self) -> Result<(), String> {
        run(self
            .control()
            .args(["-w", "-t", "60", "-o", &self.options, "-l"])
            .arg(self.folder.join("log"))
            .arg("start"))
    }

    /// Stops it as `mode` says (smart, fast, immediate).
    #[allow(dead_code, reason = "not every user of this file stops its server")]
    pub(crate) fn stop(&self, mode: &str) -> Result<(), String> {
        run(self.control().args(["-w", "-m", mode, "stop"]))
    }

    /// The process id of the server's first process.
    #[allow(dead_code, reason = "not every user of this file kills its server")]
    pub(crate) fn process(&self) -> Result<String, String> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).map_err(text)?;
        Ok(file.lines().next().unwrap_or_default().to_owned())
    }

    fn listen(&mut self, reach: Reach) -> Result<(), String> {
        let folder = self.folder.display();
        (self.options, self.url) = match reach {
            Reach::Port => {
                let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
                let port = free.map_err(text)?.port();
                (
                    format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"),
                    format!("postgres://postgres@127.0.0.1:{port}/postgres"),
                )
            }
            Reach::Socket => (
                format!("-c listen_addresses='' -c unix_socket_directories={folder}"),
                format!("postgres://postgres@{}/postgres", self.folder.to_string_lossy().replace('/', "%2F")),
            ),
        };
        Ok(())
    }

    fn control(&self) -> Command {
        let mut control = user(&self.programs.join("pg_ctl"));
        control.arg("-D").arg(self.folder.join("data")).current_dir(&self.folder);
        control
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is what the watching shell waits for.
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether this system has a server to start.
#[allow(dead_code, reason = "not every user of this file can do without")]
pub(crate) fn is_installed() -> bool {
    programs().is_some()
}

/// The folder of the server's programs: the newest of the system's packages, or what is on the path.
fn programs() -> Option<PathBuf> {
    let version = |folder: &PathBuf| {
        let name = folder.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        name.parse::<u32>().unwrap_or(0)
    };
    let entries = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path().join("bin")).collect();
    folders.sort_by_key(version);
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders
        .into_iter()
        .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|it| folder.join(it).exists()))
}

/// User and group that the server runs as when we are root, which it refuses: those of its package, or nobody's.
fn server_user() -> Option<&'static (String, String)> {
    static USER: std::sync::OnceLock<Option<(String, String)>> = std::sync::OnceLock::new();
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok().filter(|it| it.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let found = USER.get_or_init(|| {
        id(&["-u"]).filter(|own| own == "0")?;
        ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
    });
    found.as_ref()
}

/// A command as the user that the server runs as.
fn user(program: &Path) -> Command {
    let Some((user, group)) = server_user() else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}")]).arg("--clear-groups").arg(program);
    command
}

fn hand_over(folder: &Path) -> Result<(), String> {
    match server_user() {
        Some((user, _)) => run(Command::new("chown").args(["-R", user]).arg(folder)),
        None => Ok(()),
    }
}

/// A shell that waits for the end of its input, which this process keeps open: when the process is gone, however it
/// went, the server ends and the folder with it.
fn watch(programs: &Path, folder: &Path) -> Result<Child, String> {
    let script = format!(
        "echo up; cat >/dev/null; '{0}/pg_ctl' -D '{1}/data' -m immediate stop >/dev/null 2>&1; cd /; rm -rf '{1}'",
        programs.display(),
        folder.display(),
    );
    let mut watch = user(Path::new("sh"))
        .args(["-c", &script])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let mut said = String::new();
    if let Some(output) = watch.stdout.take() {
        BufReader::new(output.take(16)).read_line(&mut said).map_err(text)?;
    }
    if said.trim() == "up" {
        Ok(watch)
    } else {
        Err("the shell that watches the server did not start".into())
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    // Not by a pipe: the server would inherit it, and keep it open.
    let mut said = tempfile::tempfile().map_err(text)?;
    let (out, err) = (said.try_clone().map_err(text)?, said.try_clone().map_err(text)?);
    let status = command.stdin(Stdio::null()).stdout(out).stderr(err).status();
    let status = status.map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let mut words = String::new();
    let _ = std::io::Seek::rewind(&mut said).and_then(|()| said.read_to_string(&mut words));
    Err(format!("{command:?} ended with {status}: {words}"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
