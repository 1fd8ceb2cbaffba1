//! The rows: what the contenders are made to do, and what it cost them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::lines::Process;

/// Counts of accounts for memory.
const PEER_COUNTS: &[u64] = &[1, 50, 200];
const OUR_COUNTS: &[u64] = &[1, 50, 200, 1_000, 5_000];
/// Accounts that work at the same time, or are idle beside one that works, if a contender bears as many.
const CROWD: u64 = 200;
/// Members of the large group, beside the contender.
const MEMBERS: u64 = 1_023;

/// Who is measured.
struct Contender {
    name: &'static str,
    store: Kept,
    counts: &'static [u64],
    crowd: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Kept {
    Memory,
    Process,
    Power,
    WhatsappRust,
    Baileys,
}

const CONTENDERS: &[Contender] = &[
    Contender { name: "ours", store: Kept::Process, counts: OUR_COUNTS, crowd: CROWD },
    Contender { name: "ours-power", store: Kept::Power, counts: PEER_COUNTS, crowd: CROWD },
    Contender { name: "ours-memory", store: Kept::Memory, counts: PEER_COUNTS, crowd: CROWD },
    Contender { name: "whatsapp-rust", store: Kept::WhatsappRust, counts: PEER_COUNTS, crowd: CROWD },
    // 200 that receive do not fit into the heap that node takes by itself.
    Contender { name: "baileys", store: Kept::Baileys, counts: PEER_COUNTS, crowd: 50 },
];

/// Arguments: names of contenders (all without one), `rows=memory,echo` for some rows, `most=200` for fewer accounts.
/// Some rows write nothing into `results/`.
pub fn run(arguments: &[String]) {
    let value = |key: &str| arguments.iter().find_map(|it| it.strip_prefix(key));
    let rows: Option<Vec<&str>> = value("rows=").map(|rows| rows.split(',').collect());
    let most = value("most=").map_or(u64::MAX, |most| most.parse().unwrap());
    let named: Vec<&String> = arguments.iter().filter(|it| !it.contains('=')).collect();
    for contender in CONTENDERS {
        if !named.is_empty() && !named.iter().any(|name| *name == contender.name) {
            continue;
        }
        if contender.store == Kept::WhatsappRust && !whatsapp_rust().exists() {
            println!("{} is not built", contender.name);
            continue;
        }
        let mut bench = Bench::start(contender, most);
        let wants = |row: &str| rows.as_ref().is_none_or(|rows| rows.contains(&row));
        bench.seed();
        if wants("memory") {
            bench.memory();
        }
        if wants("idle") {
            bench.idle();
        }
        if wants("connect") {
            bench.connect();
        }
        if wants("receive") {
            bench.receive();
        }
        if wants("echo") {
            bench.echo();
        }
        if wants("send") {
            bench.send();
        }
        if wants("group") {
            bench.group();
        }
        let report = bench.end();
        if rows.is_none() && most == u64::MAX {
            let path = format!("{}/../results/costs-{}.txt", env!("CARGO_MANIFEST_DIR"), contender.name);
            std::fs::write(path, report).unwrap();
        }
    }
}

struct Bench {
    contender: &'static Contender,
    counts: Vec<u64>,
    crowd: u64,
    server: Process,
    server_arguments: [String; 3],
    folder: tempfile::TempDir,
    /// The process that keeps its accounts in memory, and so cannot be started again.
    kept: Option<Process>,
    report: String,
}

impl Bench {
    fn start(contender: &'static Contender, most: u64) -> Self {
        let own = std::env::current_exe().unwrap();
        let mut server = Process::start(own, &["serve"], &[]);
        let info = server.line();
        let folder = tempfile::tempdir_in(
            std::env::var_os("COSTS_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from),
        )
        .unwrap();
        let certificate = folder.path().join("certificate.pem");
        std::fs::write(&certificate, info["tls_cert_pem"].as_str().unwrap()).unwrap();
        let server_arguments = [
            info["ws"].as_str().unwrap().to_owned(),
            info["noise_root"]["public_key_hex"].as_str().unwrap().to_owned(),
            certificate.to_str().unwrap().to_owned(),
        ];
        let counts: Vec<u64> = contender.counts.iter().copied().filter(|count| *count <= most).collect();
        let crowd = contender.crowd.min(*counts.last().unwrap());
        let report = crate::machine::description(&format!("costs {}", contender.name));
        print!("{report}");
        Self { contender, counts, crowd, server, server_arguments, folder, kept: None, report }
    }

    fn say(&mut self, text: &str) {
        println!("{text}");
        self.report.push_str(text);
        self.report.push('\n');
    }

    fn contend(&self) -> Process {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = self.folder.path().join("store.db");
        let [url, key, certificate] = &self.server_arguments;
        let mut arguments = vec![url.as_str(), key, certificate, file.to_str().unwrap()];
        match self.contender.store {
            Kept::Memory | Kept::Process | Kept::Power => {
                arguments.insert(0, "contend");
                arguments.push(match self.contender.store {
                    Kept::Memory => "memory",
                    Kept::Power => "power",
                    _ => "process",
                });
                Process::start(std::env::current_exe().unwrap(), &arguments, &[])
            }
            Kept::WhatsappRust => Process::start(whatsapp_rust(), &arguments, &[]),
            Kept::Baileys => {
                let script = root.join("../node/costs.mjs");
                arguments.insert(0, script.to_str().unwrap());
                Process::start("node", &arguments, &[("NODE_EXTRA_CA_CERTS", certificate.as_str())])
            }
        }
    }

    /// A contender with `count` accounts online.
    fn online(&mut self, count: u64) -> Process {
        let mut process = self.kept.take().unwrap_or_else(|| self.contend());
        self.open(&mut process, 0, count, 16);
        process
    }

    fn finished(&mut self, mut process: Process) {
        if self.contender.store == Kept::Memory {
            self.kept = Some(process);
            return;
        }
        process.ask(&json!({ "cmd": "close" }));
        process.end();
    }

    /// Connects accounts; what wants to be linked is scanned. Gives the wall times of each.
    fn open(&mut self, process: &mut Process, first: u64, count: u64, at_once: u64) -> Vec<u64> {
        if self.contender.store == Kept::Memory && self.report.contains("linked") {
            return vec![0];
        }
        let command = json!({ "cmd": "open", "first": first, "count": count, "at_once": at_once });
        let server = &mut self.server;
        let opened = process.ask_with(&command, |line| {
            let account = format!("a{}", line["account"]);
            server.ask(&json!({ "cmd": "scan", "account": account, "qr": line["qr"] }));
        });
        let walls = opened["wall_us"].as_array().unwrap().iter().map(|wall| wall.as_u64().unwrap()).collect();
        self.settle(first, count);
        walls
    }

    fn settle(&mut self, first: u64, count: u64) {
        let accounts: Vec<String> = (first..first + count).map(|at| format!("a{at}")).collect();
        self.server.ask(&json!({ "cmd": "settled", "accounts": accounts }));
    }

    /// Links all accounts, and lets the stores lie.
    fn seed(&mut self) {
        let count = *self.counts.last().unwrap();
        self.server.ask(&json!({ "cmd": "people", "prefix": "a", "count": count }));
        self.server.ask(&json!({ "cmd": "people", "prefix": "p", "count": CROWD }));
        let mut process = self.contend();
        let before = cpu(&mut process);
        self.open(&mut process, 0, count, 32);
        let used = cpu(&mut process) - before;
        self.say(&format!("linked {count} accounts, {:.1} ms of CPU each", used as f64 / count as f64 / 1e3));
        self.finished(process);
    }

    fn memory(&mut self) {
        if self.contender.store == Kept::Memory {
            return;
        }
        let mut measured: Vec<(u64, u64)> = Vec::new();
        for count in self.counts.clone() {
            let process = self.online(count);
            std::thread::sleep(Duration::from_secs(3));
            let resident = process.resident();
            measured.push((count, resident));
            self.say(&format!(
                "memory: {count} idle accounts, {:.1} MiB resident",
                resident as f64 / 1_048_576.0
            ));
            self.finished(process);
        }
        for pair in measured.windows(2) {
            let [(few, small), (many, large)] = pair else { continue };
            let slope = (*large as f64 - *small as f64) / (many - few) as f64 / 1024.0;
            self.say(&format!("memory: {slope:.1} KiB for each account from {few} to {many}"));
        }
    }

    fn idle(&mut self) {
        const SECONDS: u64 = 40;
        let count = (*self.counts.last().unwrap()).min(1_000);
        let mut process = self.online(count);
        std::thread::sleep(Duration::from_secs(5));
        let before = cpu(&mut process);
        std::thread::sleep(Duration::from_secs(SECONDS));
        let used = cpu(&mut process) - before;
        let each = used as f64 / (count * SECONDS) as f64;
        self.say(&format!(
            "idle: {count} accounts for {SECONDS} s, {each:.2} us of CPU for each account and second"
        ));
        self.finished(process);
    }

    fn connect(&mut self) {
        if self.contender.store == Kept::Memory {
            return;
        }
        const CONNECTS: u64 = 100;
        let count = CONNECTS.min(self.crowd - 1);
        let mut process = self.online(1);
        std::thread::sleep(Duration::from_secs(1));
        let before = cpu(&mut process);
        let mut walls = Vec::new();
        for at in 0..count {
            walls.extend(self.open(&mut process, 1 + at, 1, 1));
        }
        // What a login starts and online does not wait for counts as well.
        std::thread::sleep(Duration::from_secs(2));
        let used = cpu(&mut process) - before;
        walls.sort_unstable();
        self.say(&format!(
            "connect: {:.2} ms of CPU each, {:.1} ms until online (median of {count}, one after the other)",
            used as f64 / count as f64 / 1e3,
            walls[walls.len() / 2] as f64 / 1e3
        ));
        self.finished(process);
    }

    fn receive(&mut self) {
        let mut process = self.online(1);
        self.received(&mut process, 1, 1, 20_000, "one account");
        let crowd = self.crowd;
        self.open(&mut process, 1, crowd - 1, 16);
        self.received(&mut process, 1, 1, 20_000, &format!("one account, {} idle beside it", crowd - 1));
        self.received(&mut process, crowd, 1, 20_000, &format!("{crowd} accounts at once"));
        self.finished(process);
    }

    /// `accounts` accounts get messages of `writers` people each, `total` in all.
    fn received(&mut self, process: &mut Process, accounts: u64, writers: u64, total: u64, what: &str) {
        self.warm(process, accounts, writers);
        self.server.ask(&json!({ "cmd": "hold" }));
        let each = total / accounts / writers;
        for account in 0..accounts {
            self.write(account, writers, each);
        }
        let total = each * accounts * writers;
        process.ask(&json!({ "cmd": "expect", "count": total, "echo": false }));
        let before = cpu(process);
        process.tell(&json!({ "cmd": "arrived" }));
        let names: Vec<String> = (0..accounts).map(|at| format!("a{at}")).collect();
        let released = self.server.ask(&json!({ "cmd": "release", "accounts": names }));
        let arrived = process.line();
        assert_eq!(arrived["done"], total, "messages differ");
        let used = cpu(process) - before;
        let wall = released["wall_us"].as_u64().unwrap();
        self.say(&format!(
            "receive: {what}: {total} messages, {:.2} us of CPU each, {:.0} per second",
            used as f64 / total as f64,
            total as f64 / wall as f64 * 1e6
        ));
    }

    /// The people who write to an account: its own, so that no two accounts share one.
    fn writers(&self, account: u64, writers: u64) -> Vec<String> {
        (0..writers).map(|at| format!("p{}", (account + at) % CROWD)).collect()
    }

    fn write(&mut self, account: u64, writers: u64, each: u64) {
        let from = self.writers(account, writers);
        self.server
            .ask(&json!({ "cmd": "write", "from": from, "to": [format!("a{account}")], "count": each }));
    }

    /// Everybody has a session with everybody, answered once in both directions.
    fn warm(&mut self, process: &mut Process, accounts: u64, writers: u64) {
        let people: Vec<String> = (0..CROWD).map(|at| format!("p{at}")).collect();
        for _ in 0..2 {
            let before = self.server.ask(&json!({ "cmd": "inboxes", "accounts": people })).as_u64().unwrap();
            let total = accounts * writers;
            process.ask(&json!({ "cmd": "expect", "count": total, "echo": true }));
            for account in 0..accounts {
                self.write(account, writers, 1);
            }
            process.ask(&json!({ "cmd": "arrived" }));
            self.server.ask(&json!({ "cmd": "heard", "accounts": people, "count": before + total }));
        }
        self.settle(0, accounts);
        process.ask(&json!({ "cmd": "expect", "count": 0, "echo": false }));
    }

    fn echo(&mut self) {
        let mut process = self.online(1);
        self.echoed(&mut process, 1, 50, 2_000, "one account, 50 people");
        self.echoed(&mut process, 1, 1, 500, "one account, one person");
        let crowd = self.crowd;
        self.open(&mut process, 1, crowd - 1, 16);
        self.echoed(&mut process, crowd, 1, 4_000, &format!("{crowd} accounts at once"));
        self.finished(process);
    }

    fn echoed(&mut self, process: &mut Process, accounts: u64, writers: u64, total: u64, what: &str) {
        self.warm(process, accounts, writers);
        let people: Vec<String> = (0..CROWD).map(|at| format!("p{at}")).collect();
        let heard = self.server.ask(&json!({ "cmd": "inboxes", "accounts": people })).as_u64().unwrap();
        self.server.ask(&json!({ "cmd": "hold" }));
        let each = total / accounts / writers;
        for account in 0..accounts {
            self.write(account, writers, each);
        }
        let total = each * accounts * writers;
        process.ask(&json!({ "cmd": "expect", "count": total, "echo": true }));
        let before = cpu(process);
        process.tell(&json!({ "cmd": "arrived" }));
        let names: Vec<String> = (0..accounts).map(|at| format!("a{at}")).collect();
        let began = std::time::Instant::now();
        self.server.ask(&json!({ "cmd": "release", "accounts": names }));
        assert_eq!(process.line()["done"], total, "messages differ");
        self.server.ask(&json!({ "cmd": "heard", "accounts": people, "count": heard + total }));
        self.settle(0, accounts);
        let wall = began.elapsed();
        let used = cpu(process) - before;
        self.say(&format!(
            "echo: {what}: {total} echoes, {:.1} us of CPU each, {:.0} per second",
            used as f64 / total as f64,
            total as f64 / wall.as_secs_f64()
        ));
    }

    fn send(&mut self) {
        let mut process = self.online(1);
        self.sent(&mut process, 1, 20, 4_000, "one account to 20 people");
        let crowd = self.crowd;
        self.open(&mut process, 1, crowd - 1, 16);
        self.sent(
            &mut process,
            1,
            20,
            4_000,
            &format!("one account to 20 people, {} idle beside it", crowd - 1),
        );
        self.sent(&mut process, crowd, 1, 4_000, &format!("{crowd} accounts at once"));
        self.finished(process);
    }

    fn sent(&mut self, process: &mut Process, accounts: u64, readers: u64, total: u64, what: &str) {
        self.warm(process, accounts, readers);
        let people: Vec<String> = (0..CROWD).map(|at| format!("p{at}")).collect();
        let heard = self.server.ask(&json!({ "cmd": "inboxes", "accounts": people })).as_u64().unwrap();
        let all = self.server.ask(&json!({ "cmd": "people", "prefix": "p", "count": CROWD }));
        let to: Vec<Value> = all.as_array().unwrap()[..usize::try_from(readers).unwrap()].to_vec();
        let each = total / accounts / readers;
        let total = each * accounts * readers;
        let numbers: Vec<u64> = (0..accounts).collect();
        let before = cpu(process);
        let done = process.ask(&json!({ "cmd": "send", "accounts": numbers, "to": to, "count": each }));
        assert_eq!(done["accepted"], total);
        self.server.ask(&json!({ "cmd": "heard", "accounts": people, "count": heard + total }));
        self.settle(0, accounts);
        let used = cpu(process) - before;
        let wall = done["wall_us"].as_u64().unwrap();
        self.say(&format!(
            "send: {what}: {total} messages, {:.1} us of CPU each with receipts, {:.0} per second",
            used as f64 / total as f64,
            total as f64 / wall as f64 * 1e6
        ));
    }

    fn group(&mut self) {
        let mut process = self.online(1);
        self.server.ask(&json!({ "cmd": "people", "prefix": "g", "count": MEMBERS }));
        let group =
            self.server.ask(&json!({ "cmd": "group", "prefix": "g", "count": MEMBERS, "member": "a0" }));
        let people: Vec<String> = (0..MEMBERS).map(|at| format!("g{at}")).collect();
        for what in ["cold", "warm", "warm again"] {
            let heard = self.server.ask(&json!({ "cmd": "inboxes", "accounts": people })).as_u64().unwrap();
            let before = cpu(&mut process);
            let began = std::time::Instant::now();
            let done = process.ask(&json!({ "cmd": "send", "accounts": [0], "to": [group], "count": 1 }));
            let wall = done["wall_us"].as_u64().unwrap();
            self.server.ask(&json!({ "cmd": "heard", "accounts": people, "count": heard + MEMBERS }));
            self.settle(0, 1);
            let used = cpu(&mut process) - before;
            let keyed = self.server.ask(&json!({ "cmd": "keyed", "accounts": people }));
            assert_eq!(keyed, MEMBERS, "companions that can read it");
            self.say(&format!(
                "group: {what}: {} devices, {:.1} ms until the server's ack, {:.1} ms with all receipts, {:.1} ms of CPU, {:.2} us a device",
                2 * MEMBERS + 1,
                wall as f64 / 1e3,
                began.elapsed().as_secs_f64() * 1e3,
                used as f64 / 1e3,
                used as f64 / (2 * MEMBERS + 1) as f64
            ));
        }
        self.finished(process);
    }

    fn end(self) -> String {
        if let Some(process) = self.kept {
            process.end();
        }
        self.server.end();
        self.report
    }
}

/// The peer's program: beside this one.
fn whatsapp_rust() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name("costs-whatsapp-rust")
}

fn cpu(process: &mut Process) -> u64 {
    process.ask(&json!({ "cmd": "usage" }))["cpu_us"].as_u64().unwrap()
}
