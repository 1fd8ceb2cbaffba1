//! What every contender written in Rust does alike, so that only the client differs: it takes commands as lines of JSON
//! on stdin and answers on stdout. Each program brings its client as a [`Contender`] and is compiled with this file.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt as _;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// How long a contender may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A message of 100 bytes.
pub const TEXT: &str =
    "a message of one hundred bytes, which is about what people write to each other, all in a single line";

/// A client, and how the bench uses it.
pub trait Contender: Send + Sync + 'static {
    /// A connected account.
    type Account: Send + 'static;
    /// What sends for an account.
    type Client: Clone + Send + 'static;
    /// An address.
    type Jid: FromStr + Clone + Send + Sync + 'static;
    /// What is known of a message that was sent, before the server has it.
    type Sent: Send + 'static;

    /// Connects an account and returns once it is online; one that is not linked shows its code with [`show`]. Its
    /// messages go to `seen`.
    fn connect(&self, number: u64, seen: &Arc<Seen>) -> impl Future<Output = Self::Account> + Send;

    /// Ends a connection in order.
    fn close(account: Self::Account) -> impl Future<Output = ()> + Send;

    /// What sends for the account.
    fn client(account: &Self::Account) -> Self::Client;

    /// Sends [`TEXT`].
    fn send(client: &Self::Client, to: &Self::Jid) -> impl Future<Output = Self::Sent> + Send;

    /// Returns when the server has taken all of these.
    fn taken(&self, sent: Vec<Self::Sent>) -> impl Future<Output = ()> + Send;
}

/// The messages that the application has seen, over all accounts.
#[derive(Default)]
pub struct Seen {
    ids: Mutex<HashSet<String>>,
    wanted: AtomicU64,
    reached: Notify,
    echoes: AtomicBool,
}

impl Seen {
    /// Whether messages are to be answered with [`TEXT`].
    pub fn echoes(&self) -> bool {
        self.echoes.load(Ordering::Relaxed)
    }

    /// Messages of an account have come. Two accounts may get the same id from two people.
    pub fn came<'a>(&self, account: u64, ids: impl Iterator<Item = &'a str>) {
        let mut seen = self.ids.lock().unwrap();
        seen.extend(ids.map(|id| format!("{account} {id}")));
        if seen.len() as u64 >= self.wanted.load(Ordering::Relaxed) {
            self.reached.notify_one();
        }
    }

    fn expect(&self, count: u64, echoes: bool) {
        self.ids.lock().unwrap().clear();
        self.wanted.store(count, Ordering::SeqCst);
        self.echoes.store(echoes, Ordering::SeqCst);
    }

    /// How many different messages came, once they are as many as are wanted.
    async fn arrived(&self) -> usize {
        loop {
            let reached = self.reached.notified();
            let count = self.ids.lock().unwrap().len();
            if count as u64 >= self.wanted.load(Ordering::SeqCst) {
                return count;
            }
            reached.await;
        }
    }
}

/// Says a line on stdout.
pub fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Shows the code that links an account.
pub fn show(account: u64, qr: &str) {
    say(&json!({ "account": account, "qr": qr }));
}

/// Does what is asked until it is told to end.
pub fn contend<C: Contender>(contender: impl Future<Output = C>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let contender = Arc::new(contender.await);
        let mut driven = Driven { contender, seen: Arc::default(), accounts: BTreeMap::new() };
        let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            let command: Value = serde_json::from_str(&line).unwrap();
            if command["cmd"] == "end" {
                break;
            }
            let done = driven.command(&command).await;
            say(&json!({ "done": done }));
        }
    });
}

struct Driven<C: Contender> {
    contender: Arc<C>,
    seen: Arc<Seen>,
    accounts: BTreeMap<u64, C::Account>,
}

impl<C: Contender> Driven<C> {
    async fn command(&mut self, command: &Value) -> Value {
        let number = |key: &str| command[key].as_u64().unwrap_or_default();
        match command["cmd"].as_str().unwrap() {
            "usage" => json!({ "cpu_us": cpu_us() }),
            // Connects accounts `first..first + count`, some at a time.
            "open" => self.open(number("first"), number("count"), number("at_once")).await,
            "close" => {
                let mut tasks: JoinSet<()> =
                    std::mem::take(&mut self.accounts).into_values().map(C::close).collect();
                while tasks.join_next().await.is_some() {}
                json!({})
            }
            // From now on this many different messages are waited for.
            "expect" => {
                self.seen.expect(number("count"), command["echo"] == true);
                json!({})
            }
            "arrived" => {
                let arrived = tokio::time::timeout(PATIENCE, self.seen.arrived()).await;
                json!(arrived.expect("messages are missing"))
            }
            "send" => {
                let accounts = command["accounts"].as_array().unwrap().iter();
                let clients = accounts.map(|account| C::client(&self.accounts[&account.as_u64().unwrap()]));
                let to = command["to"].as_array().unwrap().iter();
                let to: Vec<C::Jid> =
                    to.map(|jid| jid.as_str().unwrap().parse().ok().expect("a JID")).collect();
                self.send(clients.collect(), &to, number("count")).await
            }
            other => panic!("no command {other}"),
        }
    }

    async fn open(&mut self, first: u64, count: u64, at_once: u64) -> Value {
        let limit = Arc::new(Semaphore::new(usize::try_from(at_once.max(1)).unwrap()));
        let mut tasks = JoinSet::new();
        for number in first..first + count {
            let turn = limit.clone().acquire_owned().await.unwrap();
            let (contender, seen) = (self.contender.clone(), self.seen.clone());
            tasks.spawn(async move {
                let _turn = turn;
                let began = Instant::now();
                let account = tokio::time::timeout(PATIENCE, contender.connect(number, &seen))
                    .await
                    .expect("an account did not get online");
                (number, account, micros(began))
            });
        }
        let mut walls = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (number, account, wall) = done.unwrap();
            self.accounts.insert(number, account);
            walls.push(wall);
        }
        json!({ "wall_us": walls })
    }

    /// Every client sends `count` messages to each of `to`: a chat's in their order, chats beside each other.
    async fn send(&self, clients: Vec<C::Client>, to: &[C::Jid], count: u64) -> Value {
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for (client, to) in clients.iter().flat_map(|client| to.iter().map(move |to| (client, to))) {
            let (client, to) = (client.clone(), to.clone());
            tasks.spawn(async move {
                let mut sent = Vec::new();
                for _ in 0..count {
                    sent.push(C::send(&client, &to).await);
                }
                sent
            });
        }
        let mut sent = Vec::new();
        while let Some(done) = tasks.join_next().await {
            sent.extend(done.unwrap());
        }
        let accepted = sent.len();
        tokio::time::timeout(PATIENCE, self.contender.taken(sent)).await.expect("acks are missing");
        json!({ "accepted": accepted, "wall_us": micros(began) })
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap()
}

/// Processor time of this process so far, user and system together, in microseconds.
fn cpu_us() -> u64 {
    // SAFETY: the structure is plain numbers, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &raw mut usage), 0);
        usage
    };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    micros(usage.ru_utime) + micros(usage.ru_stime)
}
