//! A real process with a store is killed with SIGKILL, at every named point of a group commit and anywhere else, while it
//! commits, leases, prunes and vacuums. It has told every answered commit through a pipe; the file is held to that by the
//! next process (chapter 04 §21). Sabotaged stores are caught by the same rounds. `WA_SOAK=1` kills thousands of times.
#![cfg(unix)]
#![allow(clippy::print_stdout)] // seeds and counts

mod proof;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use proof::ledger::{Ledger, Promise, Seen, Violation};
use proof::{Note, progress, rounds, seed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Runtime;
use wa_store::sabotage::{Points, Sabotage};
use wa_store::sqlite::Point;
use wa_store::{Durability, SqliteOptions, Store, SystemClock};

const POINTS: [Point; 4] = [Point::Begin, Point::Written, Point::Committed, Point::Answered];
/// Kills that one file lives through.
const KILLS_OF_A_FILE: u64 = 25;
/// How long a line of a healthy process may take, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// When the process is killed.
#[derive(Debug, Clone, Copy)]
enum Kill {
    /// When the writing thread reaches this point for the n-th time. It stands still there, so that is where it dies.
    At(Point, u64),
    /// The same, after one more line: whoever was answered at that point has time to say so.
    AfterTheAnswer(u64),
    /// After so many lines, and then after so many microseconds.
    Anywhere { lines: u64, micros: u64 },
}

impl Kill {
    /// All kinds in turn, each at some moment.
    fn nth(kill: u64, rng: &mut StdRng) -> Self {
        match (kill % 6) as usize {
            place @ 0..4 => Self::At(POINTS[place], rng.random_range(1..60)),
            4 => Self::AfterTheAnswer(rng.random_range(1..60)),
            _ => Self::Anywhere { lines: rng.random_range(0..400), micros: rng.random_range(0..5_000) },
        }
    }

    fn name(self) -> String {
        match self {
            Self::At(point, _) => format!("{point:?}"),
            Self::AfterTheAnswer(_) => "Answered and heard".to_owned(),
            Self::Anywhere { .. } => "anywhere".to_owned(),
        }
    }

    fn point(self) -> Option<(Point, u64)> {
        match self {
            Self::At(point, nth) => Some((point, nth)),
            Self::AfterTheAnswer(nth) => Some((Point::Answered, nth)),
            Self::Anywhere { .. } => None,
        }
    }
}

/// One process and its end.
#[derive(Debug, Clone, Copy)]
struct Round {
    kill: Kill,
    durability: Durability,
    sabotage: Sabotage,
}

#[test]
fn every_answered_commit_survives_a_kill_whole_and_once() {
    let (seed, kills) = (seed(), rounds(4_000, 30));
    println!("WA_STORE_SEED={seed}, {kills} kills");
    let mut rng = StdRng::seed_from_u64(seed);
    let runtime = Runtime::new().unwrap();
    let (mut where_killed, mut seen, mut answered) = (BTreeMap::new(), Seen::default(), 0);
    let mut life = Life::new();
    for kill in 0..kills {
        progress(kill, kills);
        if kill % KILLS_OF_A_FILE == 0 {
            answered += life.ledger.answered;
            life = Life::new();
        }
        let durability = if rng.random_bool(0.5) { Durability::Power } else { Durability::Process };
        let round = Round { kill: Kill::nth(kill, &mut rng), durability, sabotage: Sabotage::None };
        match life.round(&runtime, round) {
            Ok(found) => seen.add(found),
            Err(violation) => panic!("WA_STORE_SEED={seed}, kill {kill}, {round:?}: {violation:?}"),
        }
        *where_killed.entry(round.kill.name()).or_insert(0_u64) += 1;
    }
    answered += life.ledger.answered;
    for (name, kills) in &where_killed {
        println!("{kills:6} kills: {name}");
    }
    println!(
        "{answered} commits were answered and are all there; of those in flight {} were there whole and {} not at all; \
         {} repeated, applied once each",
        seen.there, seen.absent, seen.repeated
    );
    assert_eq!(where_killed.len(), POINTS.len() + 2, "every point was met");
    assert!(seen.there > 0 && seen.absent > 0 && seen.repeated > 0, "{seen:?}");
}

#[test]
fn a_store_that_answers_before_the_commit_is_caught() {
    // Only at the points that such a store passes first with an answer and then without a commit.
    let kill = |turn| Kill::AfterTheAnswer(21 + 2 * turn);
    let caught = caught(Sabotage::AckBeforeCommit, kill);
    assert!(matches!(caught, Some(Violation::Lost { .. })), "{caught:?}");
}

#[test]
fn a_store_that_does_not_look_at_the_fence_is_caught() {
    let caught = caught(Sabotage::NoFenceCheck, |_| Kill::Anywhere { lines: 60, micros: 0 });
    assert!(matches!(caught, Some(Violation::StaleCommit)), "{caught:?}");
}

/// The first violation of at most ten rounds. A group that holds no commit of a lane shows nothing, so one may not do.
fn caught(sabotage: Sabotage, kill: impl Fn(u64) -> Kill) -> Option<Violation> {
    let runtime = Runtime::new().unwrap();
    let mut life = Life::new();
    // The file is made by an honest store: making one reads back what it has just been told is there.
    let honest = Kill::Anywhere { lines: 60, micros: 0 };
    let honest = Round { kill: honest, durability: Durability::Power, sabotage: Sabotage::None };
    life.round(&runtime, honest).unwrap();
    (0..10).find_map(|turn| {
        let round = Round { kill: kill(turn), durability: Durability::Power, sabotage };
        life.round(&runtime, round).err()
    })
}

/// A file over several kills.
struct Life {
    _folder: tempfile::TempDir,
    path: PathBuf,
    ledger: Ledger,
}

impl Life {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("store.db"), _folder: folder, ledger: Ledger::default() }
    }

    fn round(&mut self, runtime: &Runtime, round: Round) -> Result<Seen, Violation> {
        let mut victim = Victim::start(&self.path, round);
        let ended = self.listen(&victim, round.kill);
        victim.process.kill().unwrap();
        victim.process.wait().unwrap();
        // What was in the pipe was said before the end.
        while let Ok(note) = victim.notes.recv() {
            self.ledger.hear(&note);
        }
        ended?;
        let mut options = SqliteOptions::new(&self.path);
        if round.sabotage == Sabotage::NoFenceCheck {
            options = options.sabotage(round.sabotage);
        }
        runtime.block_on(self.ledger.check(options, Arc::new(SystemClock), Promise::EveryCommit))
    }

    /// Until the moment of the kill.
    fn listen(&mut self, victim: &Victim, kill: Kill) -> Result<(), Violation> {
        let mut lines = 0;
        loop {
            if matches!(kill, Kill::Anywhere { lines: wanted, .. } if lines == wanted) {
                break;
            }
            let note = victim.notes.recv_timeout(PATIENCE);
            let note = note.map_err(|error| Violation::Died(format!("no line: {error}")))?;
            self.ledger.hear(&note);
            lines += 1;
            match note {
                Note::Failed(error) => return Err(Violation::Died(error)),
                Note::At(_) => break,
                _ => {}
            }
        }
        match kill {
            Kill::At(..) => {}
            Kill::AfterTheAnswer(_) => {
                // A group of nothing but the renewal of the lease is answered to nobody who speaks.
                if let Ok(note) = victim.notes.recv_timeout(Duration::from_secs(2)) {
                    self.ledger.hear(&note);
                }
            }
            Kill::Anywhere { micros, .. } => {
                let until = Instant::now() + Duration::from_micros(micros);
                while Instant::now() < until {
                    std::hint::spin_loop();
                }
            }
        }
        Ok(())
    }
}

/// A process that works with the store until it is killed.
struct Victim {
    process: Child,
    notes: Receiver<Note>,
}

impl Victim {
    fn start(path: &Path, round: Round) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["victim", "--exact", "--nocapture", "--test-threads=1"]).env("WA_VICTIM_FILE", path);
        command.env("WA_VICTIM_DURABILITY", format!("{:?}", round.durability));
        command.env("WA_VICTIM_SABOTAGE", format!("{:?}", round.sabotage));
        if let Some((point, nth)) = round.kill.point() {
            command.env("WA_VICTIM_POINT", format!("{point:?}")).env("WA_VICTIM_NTH", nth.to_string());
        }
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (tell, notes) = mpsc::channel();
        std::thread::spawn(move || {
            // Each line is one write, shorter than a pipe takes at once: none is cut.
            for line in output.split(b'\n').map_while(Result::ok) {
                if let Ok(note) = String::from_utf8_lossy(&line).parse()
                    && tell.send(note).is_err()
                {
                    return;
                }
            }
        });
        Self { process, notes }
    }
}

/// The other side: this test, started again as the process to be killed. In an ordinary run it is nothing.
#[test]
fn victim() {
    let Some(path) = std::env::var_os("WA_VICTIM_FILE") else { return };
    let said = |name: &str| std::env::var(name).unwrap_or_default();
    let durability =
        if said("WA_VICTIM_DURABILITY") == "Process" { Durability::Process } else { Durability::Power };
    let sabotage = match said("WA_VICTIM_SABOTAGE").as_str() {
        "AckBeforeCommit" => Sabotage::AckBeforeCommit,
        "NoFenceCheck" => Sabotage::NoFenceCheck,
        _ => Sabotage::None,
    };
    let (wanted, nth) = (said("WA_VICTIM_POINT"), said("WA_VICTIM_NTH").parse::<u64>().unwrap_or(0));
    // The test runner's own line has no end yet.
    say("");
    let met = AtomicU64::new(0);
    let points = Points::new(move |point| {
        if format!("{point:?}") == wanted && met.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            say(&Note::At(wanted.clone()).to_string());
            loop {
                std::thread::park();
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let failures = runtime.block_on(async {
        let options = SqliteOptions::new(path).durability(durability).sabotage(sabotage).points(points);
        let store = Store::builder(Arc::new(options.open().await?)).open().await?;
        Ok::<_, wa_store::StoreError>(proof::work(store, Arc::new(|note| say(&note.to_string()))).await)
    });
    say(&Note::Failed(format!("{failures:?}")).to_string());
}

/// One line in one write. Nobody there to hear it: the parent is gone, and so are we.
fn say(line: &str) {
    let line = format!("{line}\n");
    let mut out = std::io::stdout().lock();
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
