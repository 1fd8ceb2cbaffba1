//! The store: commits per second of a typical message (a session and an inbox row) at 1, 16 and 256 committers, cold and
//! warm reads, and 10,000 accounts in one SQLite file; beside the file system's own sync rate. Where a sync takes less
//! than a millisecond, the same again on a disk that takes one. Postgres is measured too where a server of the system's
//! packages is found, or `DATABASE_URL` names one. An argument names the folder for the files.

/// The tests' own server: a fresh cluster, as non-root, gone at the end.
#[path = "../../../crates/wa-store/tests/server/mod.rs"]
#[allow(unreachable_pub)]
mod server;

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::runtime::Runtime;
use wa_store::tables::{Inbox, Sessions};
use wa_store::{
    AccountStore, Address, Changes, Durability, InboxRow, MemoryStore, PostgresOptions, Session,
    SqliteOptions, Store, StoreBuilder, UnixTime,
};
use wa_store_vfs::Disk;

/// Goals of the project.
const GROUPED_TO_SINGLE: f64 = 20.0;
const POWER_TO_PROCESS: f64 = 0.6;

const COMMITTERS: [usize; 3] = [1, 16, 256];
const WARM_UP: Duration = Duration::from_millis(200);
const RUN: Duration = Duration::from_secs(1);
/// Interleaved rounds of all media; the best counts.
const ROUNDS: usize = 3;
/// Sessions of each account.
const PEERS: u64 = 20;
const FLEET: usize = 10_000;
const MILLISECOND: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, PartialEq)]
enum Medium {
    Memory,
    File(Durability),
    /// A file on a disk whose syncs take at least a millisecond.
    Slow(Durability),
    /// A server on this machine, as it comes: with `fsync`.
    Postgres,
}

impl Medium {
    const ALL: [Self; 6] = [
        Self::Memory,
        Self::File(Durability::Process),
        Self::File(Durability::Power),
        Self::Slow(Durability::Process),
        Self::Slow(Durability::Power),
        Self::Postgres,
    ];

    fn name(self) -> String {
        match self {
            Self::Memory => "memory".to_owned(),
            Self::File(durability) => format!("SQLite {durability:?}"),
            Self::Slow(durability) => format!("SQLite {durability:?}, syncs of 1 ms"),
            Self::Postgres => "Postgres".to_owned(),
        }
    }

    async fn open(self, folder: &Path, disk: &Disk, postgres: Option<&Postgres>) -> Option<Store> {
        let options = SqliteOptions::new(folder.join("store.db"));
        let options = match self {
            Self::Memory => return Some(MemoryStore::open().await.unwrap()),
            Self::Postgres => {
                let builder = postgres?.builder(&Postgres::new_schema()).await;
                return Some(builder.open().await.unwrap());
            }
            Self::File(durability) => options.durability(durability),
            Self::Slow(durability) => options.durability(durability).vfs(disk.name()),
        };
        Some(Store::builder(Arc::new(options.open().await.unwrap())).open().await.unwrap())
    }
}

/// The server that `DATABASE_URL` names, or one of our own.
struct Postgres {
    url: String,
    _server: Option<server::Server>,
}

impl Postgres {
    fn find() -> Result<Self, String> {
        if let Ok(url) = std::env::var("DATABASE_URL") {
            return Ok(Self { url, _server: None });
        }
        let server = server::Server::start(server::Reach::Port, "")?;
        Ok(Self { url: server.url().to_owned(), _server: Some(server) })
    }

    fn new_schema() -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        format!("bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    async fn builder(&self, schema: &str) -> StoreBuilder {
        let options = PostgresOptions::new(&self.url).unwrap().schema(schema);
        Store::builder(Arc::new(options.open().await.unwrap()))
    }
}

fn main() -> ExitCode {
    let runtime = Runtime::new().unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [part, path] = &arguments[..]
        && part == "--opened-fleet"
    {
        runtime.block_on(opened_fleet(Path::new(path)));
        return ExitCode::SUCCESS;
    }
    let place = arguments.first().map_or_else(std::env::temp_dir, Into::into);
    let mut report = Report { text: wa_benches::machine("store"), met: true };
    let folder = || tempfile::tempdir_in(&place).unwrap();
    let postgres = Postgres::find().inspect_err(|why| report.line(format!("without Postgres: {why}"))).ok();

    commits(&runtime, &folder, postgres.as_ref(), &mut report);
    reads(&runtime, folder().path(), postgres.as_ref(), &mut report);
    fleet(&runtime, folder().path(), &mut report);
    std::fs::write(format!("{}/results/store.txt", env!("CARGO_MANIFEST_DIR")), &report.text).unwrap();
    if report.met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Report {
    text: String,
    met: bool,
}

impl Report {
    fn line(&mut self, line: String) {
        println!("{line}");
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn goal(&mut self, what: &str, ratio: f64, goal: f64) {
        self.met &= ratio >= goal;
        let verdict = if ratio >= goal { "kept" } else { "missed" };
        self.line(format!("{what}: {ratio:.2} (goal {goal}: {verdict})"));
    }
}

/// Seconds of a sync after 4 KiB were appended to a file, and after they were written over others: SQLite's log does both.
fn sync_times(folder: &Path) -> [f64; 2] {
    let mut file = File::create(folder.join("sync")).unwrap();
    let block = [0x5A_u8; 4096];
    let mut group = |over: bool| {
        let begun = Instant::now();
        for _ in 0..100 {
            if over {
                file.rewind().unwrap();
            }
            file.write_all(&block).unwrap();
            file.sync_data().unwrap();
        }
        begun.elapsed().as_secs_f64() / 100.0
    };
    [group(false), group(true)]
}

fn commits(
    runtime: &Runtime,
    folder: &impl Fn() -> tempfile::TempDir,
    postgres: Option<&Postgres>,
    report: &mut Report,
) {
    let disk = Disk::slow("slow", MILLISECOND);
    let mut best = [[0.0_f64; COMMITTERS.len()]; Medium::ALL.len()];
    let mut syncs = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (sync, now) in syncs.iter_mut().zip(sync_times(folder().path())) {
            *sync = sync.min(now);
        }
        for (medium, best) in Medium::ALL.iter().zip(&mut best) {
            for (committers, best) in COMMITTERS.iter().zip(best) {
                let folder = folder();
                let rate = runtime.block_on(async {
                    let store = medium.open(folder.path(), &disk, postgres).await?;
                    let accounts = accounts(&store, *committers).await;
                    let rate = rate(accounts, *committers).await;
                    store.close().await.unwrap();
                    Some(rate)
                });
                *best = best.max(rate.unwrap_or(0.0));
            }
        }
    }
    for (how, sync) in ["appended", "written over"].into_iter().zip(syncs) {
        report.line(format!("sync of 4 KiB {how}: {:.3} ms, {:.0} per second", sync * 1e3, 1.0 / sync));
    }
    report.line(format!("\ncommits per second, best of {ROUNDS} runs of {} s", RUN.as_secs()));
    report
        .line(format!("{:<32}{:>10}{:>10}{:>10}", "committers", COMMITTERS[0], COMMITTERS[1], COMMITTERS[2]));
    for (medium, [one, some, many]) in Medium::ALL.iter().zip(best).filter(|(_, best)| best[0] > 0.0) {
        report.line(format!("{:<32}{one:>10.0}{some:>10.0}{many:>10.0}", medium.name()));
    }
    let of = |medium: Medium| best[Medium::ALL.iter().position(|it| *it == medium).unwrap()];
    let slow = of(Medium::Slow(Durability::Power));
    report.goal("256 committers to one, Power, syncs of 1 ms", slow[2] / slow[0], GROUPED_TO_SINGLE);
    let (power, process) = (of(Medium::File(Durability::Power)), of(Medium::File(Durability::Process)));
    report.goal("Power to Process at 256 committers", power[2] / process[2], POWER_TO_PROCESS);
    let slow_process = of(Medium::Slow(Durability::Process));
    report.goal("the same, syncs of 1 ms", slow[2] / slow_process[2], POWER_TO_PROCESS);
}

async fn accounts(store: &Store, many: usize) -> Vec<AccountStore> {
    // All at once, as a fleet starts.
    let opening: Vec<_> = (0..many)
        .map(|number| {
            let account = store.account(format!("account-{number}"));
            tokio::spawn(async move { account.open().await.unwrap() })
        })
        .collect();
    let mut accounts = Vec::with_capacity(many);
    for opened in opening {
        accounts.push(opened.await.unwrap());
    }
    accounts
}

/// Commits per second of so many tasks, each with its share of the accounts.
async fn rate(accounts: Vec<AccountStore>, committers: usize) -> f64 {
    let (counted, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut shares: Vec<Vec<AccountStore>> = vec![Vec::new(); committers];
    for (at, account) in accounts.into_iter().enumerate() {
        shares[at % committers].push(account);
    }
    let tasks: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let (counted, over) = (Arc::clone(&counted), Arc::clone(&over));
            tokio::spawn(async move {
                let mut step = 0;
                while !over.load(Ordering::Relaxed) {
                    let account = &share[step as usize % share.len()];
                    account.commit(message(account, step)).await.unwrap().release();
                    counted.fetch_add(1, Ordering::Relaxed);
                    step += 1;
                    // Commits to memory never wait: without this nobody else would come to run, the clock included.
                    tokio::task::consume_budget().await;
                }
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let (begun, before) = (Instant::now(), counted.load(Ordering::Relaxed));
    tokio::time::sleep(RUN).await;
    let done = counted.load(Ordering::Relaxed) - before;
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    done as f64 / took.as_secs_f64()
}

/// A received message: the advanced session and the event.
fn message(account: &AccountStore, step: u64) -> Changes {
    let mut changes = Changes::new();
    changes.put(Sessions, &peer(step % PEERS), &Session::new(bytes(step, 230)));
    let row = InboxRow { received: UnixTime::from_secs(1_800_000_000 + step), event: bytes(step + 1, 300) };
    changes.put(Inbox, &account.next_cursor(), &row);
    changes
}

fn peer(number: u64) -> Address {
    Address::new(format!("1555010{number:04}@s.whatsapp.net").as_str(), 0)
}

/// Other ones at every step: SQLite does not write what is there already.
fn bytes(step: u64, length: usize) -> Bytes {
    let mut word = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = |_| {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (word >> 56) as u8
    };
    (0..length).map(next).collect()
}

const READ: u64 = 20_000;

/// Cold: right after the store was opened, with SQLite's own cache and Postgres's connection empty; the system's and the
/// server's may hold what is read. Warm: the same again. Neither with rows that the store itself keeps; those are the third.
fn reads(runtime: &Runtime, folder: &Path, postgres: Option<&Postgres>, report: &mut Report) {
    let path = folder.join("store.db");
    report.line(format!("\nreads among {READ} sessions, microseconds: cold, warm, kept by the store"));
    let sqlite = async || wa_store::SqliteStore::builder(&path).await.unwrap();
    read_rows("SQLite", runtime.block_on(read_times(sqlite)), report);
    if let Some(postgres) = postgres {
        let schema = Postgres::new_schema();
        let times = runtime.block_on(read_times(async || postgres.builder(&schema).await));
        read_rows("Postgres", times, report);
    }
}

fn read_rows(name: &str, times: [[f64; 3]; 2], report: &mut Report) {
    for (what, times) in ["one session", "256 sessions in one call"].iter().zip(times) {
        let [cold, warm, kept] = times.map(|time| time * 1e6);
        report.line(format!("{:<32}{cold:>10.1}{warm:>10.1}{kept:>10.1}", format!("{name}, {what}")));
    }
}

/// Seconds of a read of one session and of 256 in one call: cold, warm, and kept by the store.
async fn read_times(builder: impl AsyncFn() -> StoreBuilder) -> [[f64; 3]; 2] {
    let store = builder().await.open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    let mut changes = Changes::new();
    for number in 0..READ {
        changes.put(Sessions, &peer(number), &Session::new(bytes(number, 230)));
    }
    account.commit_in_slices(changes, |_, _| ()).await.unwrap().release();
    store.close().await.unwrap();

    let mut rng = StdRng::seed_from_u64(7);
    let mut groups = |count: usize, of: usize| -> Vec<Vec<Address>> {
        (0..count).map(|_| (0..of).map(|_| peer(rng.random_range(0..READ))).collect()).collect()
    };
    let calls = [groups(2_000, 1), groups(40, 256)];
    let mut times = [[f64::INFINITY; 3]; 2];
    for _ in 0..ROUNDS {
        for (calls, times) in calls.iter().zip(&mut times) {
            for (cache, places) in [(0, [Some(0), Some(1)]), (64 << 20, [None, Some(2)])] {
                let store = builder().await.cache_bytes(cache).open().await.unwrap();
                let account = store.account("main").open().await.unwrap();
                for place in places {
                    let begun = Instant::now();
                    for call in calls {
                        assert!(account.many(Sessions, call).await.unwrap().iter().all(Option::is_some));
                    }
                    let time = begun.elapsed().as_secs_f64() / calls.len() as f64;
                    if let Some(place) = place {
                        times[place] = times[place].min(time);
                    }
                }
                store.close().await.unwrap();
            }
        }
    }
    times
}

fn fleet(runtime: &Runtime, folder: &Path, report: &mut Report) {
    runtime.block_on(async {
        let path = folder.join("store.db");
        let store = wa_store::SqliteStore::open(&path).await.unwrap();
        let begun = Instant::now();
        let opened = accounts(&store, FLEET).await;
        let made = begun.elapsed();
        for (step, chunk) in opened.chunks(256).enumerate() {
            let commits: Vec<_> = chunk
                .iter()
                .map(|account| {
                    let account = account.clone();
                    tokio::spawn(async move {
                        account.commit(message(&account, step as u64)).await.unwrap().release();
                    })
                })
                .collect();
            for commit in commits {
                commit.await.unwrap();
            }
        }
        drop(opened);
        store.close().await.unwrap();
        let size = std::fs::metadata(&path).unwrap().len();

        report.line(format!("\n{FLEET} accounts in one SQLite file of {:.1} MB, Power", size as f64 / 1e6));
        report.line(format!("making them: {:.2} s", made.as_secs_f64()));
        // In a process of its own, whose memory was not used before.
        let program = std::env::current_exe().unwrap();
        let told = Command::new(program).arg("--opened-fleet").arg(&path).output().unwrap();
        assert!(told.status.success());
        String::from_utf8_lossy(&told.stdout).lines().for_each(|line| report.line(line.to_owned()));
    });
}

async fn opened_fleet(path: &Path) {
    let before = resident();
    let begun = Instant::now();
    let store = wa_store::SqliteStore::open(path).await.unwrap();
    let file = begun.elapsed();
    let begun = Instant::now();
    let opened = accounts(&store, FLEET).await;
    let all = begun.elapsed();
    let held = resident().saturating_sub(before);
    println!("opening the file: {:.1} ms", file.as_secs_f64() * 1e3);
    println!("opening all accounts: {:.2} s", all.as_secs_f64());
    println!("memory for all of it: {:.1} MB", held as f64 / 1e6);
    let rate = rate(opened, 256).await;
    println!("commits per second, 256 committers over all accounts: {rate:.0}");
    store.close().await.unwrap();
}

/// Resident memory of the process in bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}
