//! Our client as a contender: accounts of one store, connected with TLS, driven by lines of JSON like the peers'.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt as _;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::task::JoinSet;
use wa_client::egress::{Egress, TlsRoots};
use wa_client::events::{EventStream, Kind};
use wa_client::messages::sending::SendReport;
use wa_client::{Client, Jid, RootCa};
use wa_store::sqlite::SqliteOptions;
use wa_store::{Durability, MemoryStore, Store};

use crate::lines::{cpu_us, say};

const PATIENCE: Duration = Duration::from_secs(300);

/// What came, over all accounts.
#[derive(Default)]
struct Seen {
    ids: parking_lot::Mutex<HashSet<String>>,
    wanted: AtomicU64,
    reached: Notify,
    echoes: AtomicBool,
}

struct Contender {
    store: Store,
    url: String,
    root: RootCa,
    egress: Egress,
    seen: Arc<Seen>,
    clients: Mutex<Vec<Option<Client>>>,
}

/// Arguments: URL, root key, file with the certificate in PEM, SQLite file, `process`, `power` or `memory`.
pub fn contend(arguments: &[String]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(arguments));
}

async fn run(arguments: &[String]) {
    let [url, root, certificate, file, kept] = arguments else { panic!("five arguments") };
    let root: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&root[at..at + 2], 16).unwrap()).collect();
    let store = match kept.as_str() {
        "memory" => MemoryStore::open().await.unwrap(),
        kept => {
            let durability = if kept == "power" { Durability::Power } else { Durability::Process };
            let backend = SqliteOptions::new(file).durability(durability).open().await.unwrap();
            Store::builder(Arc::new(backend)).open().await.unwrap()
        }
    };
    let certificate = crate::der(&std::fs::read_to_string(certificate).unwrap());
    let contender = Arc::new(Contender {
        store,
        url: url.clone(),
        root: RootCa::new(root.try_into().unwrap(), 0),
        egress: Egress::default().with_roots(TlsRoots::Only(vec![certificate])),
        seen: Arc::default(),
        clients: Mutex::default(),
    });
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let command: Value = serde_json::from_str(&line).unwrap();
        if command["cmd"] == "end" {
            break;
        }
        let done = contender.clone().command(&command).await;
        say(&json!({ "done": done }));
    }
}

impl Contender {
    async fn command(self: Arc<Self>, command: &Value) -> Value {
        let number = |key: &str| command[key].as_u64().unwrap_or_default();
        match command["cmd"].as_str().unwrap() {
            "usage" => json!({ "cpu_us": cpu_us() }),
            // Connects accounts `first..first + count`, some at a time; those that are not linked show their code.
            "open" => self.open(number("first"), number("count"), number("at_once")).await,
            "close" => {
                let clients = std::mem::take(&mut *self.clients.lock().await);
                let mut tasks = JoinSet::new();
                for client in clients.into_iter().flatten() {
                    tasks.spawn(async move { client.shutdown(Duration::from_secs(10)).await });
                }
                while tasks.join_next().await.is_some() {}
                json!({})
            }
            // From now on this many different messages are waited for.
            "expect" => {
                self.seen.ids.lock().clear();
                self.seen.wanted.store(number("count"), Ordering::SeqCst);
                self.seen.echoes.store(command["echo"] == true, Ordering::SeqCst);
                json!({})
            }
            "arrived" => {
                let all = async {
                    loop {
                        let reached = self.seen.reached.notified();
                        if self.seen.ids.lock().len() as u64 >= self.seen.wanted.load(Ordering::SeqCst) {
                            return;
                        }
                        reached.await;
                    }
                };
                tokio::time::timeout(PATIENCE, all).await.expect("messages are missing");
                json!(self.seen.ids.lock().len())
            }
            "send" => self.send(command).await,
            other => panic!("no command {other}"),
        }
    }

    async fn open(self: Arc<Self>, first: u64, count: u64, at_once: u64) -> Value {
        let limit = Arc::new(Semaphore::new(usize::try_from(at_once.max(1)).unwrap()));
        let mut tasks = JoinSet::new();
        for number in first..first + count {
            let turn = limit.clone().acquire_owned().await.unwrap();
            let contender = self.clone();
            tasks.spawn(async move {
                let _turn = turn;
                let began = Instant::now();
                let (client, events) = contender.connect(number).await;
                tokio::spawn(listen(number, events, contender.seen.clone()));
                client.wait_online(PATIENCE).await.expect("an account did not get online");
                (number, client, began.elapsed().as_micros() as u64)
            });
        }
        let mut walls = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (number, client, wall) = done.unwrap();
            let mut clients = self.clients.lock().await;
            let place = usize::try_from(number).unwrap();
            if clients.len() <= place {
                clients.resize(place + 1, None);
            }
            clients[place] = Some(client);
            walls.push(wall);
        }
        json!({ "wall_us": walls })
    }

    async fn connect(&self, number: u64) -> (Client, EventStream) {
        Client::builder(self.store.account(&format!("a{number}")))
            .url(self.url.parse().unwrap())
            .root(self.root)
            .egress(self.egress.clone())
            .connect()
            .await
            .unwrap()
    }

    /// Every account in `accounts` sends `count` messages to each of `to`; done when the server has taken all.
    async fn send(&self, command: &Value) -> Value {
        let clients = self.clients.lock().await;
        let to: Vec<Jid> = command["to"]
            .as_array()
            .unwrap()
            .iter()
            .map(|jid| jid.as_str().unwrap().parse().unwrap())
            .collect();
        let count = command["count"].as_u64().unwrap();
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for account in command["accounts"].as_array().unwrap() {
            let client = clients[usize::try_from(account.as_u64().unwrap()).unwrap()].clone().unwrap();
            // A chat's messages leave in their order; chats beside each other.
            for jid in to.clone() {
                let client = client.clone();
                tasks.spawn(async move {
                    let mut sent = Vec::new();
                    for _ in 0..count {
                        sent.push(client.messages().send(&jid, crate::server::TEXT).await.unwrap());
                    }
                    let mut accepted = 0_u64;
                    for sending in sent {
                        match sending.await {
                            SendReport::Accepted(_) => accepted += 1,
                            other => panic!("{other:?}"),
                        }
                    }
                    accepted
                });
            }
        }
        let mut accepted = 0;
        while let Some(done) = tasks.join_next().await {
            accepted += done.unwrap();
        }
        json!({ "accepted": accepted, "wall_us": began.elapsed().as_micros() as u64 })
    }
}

/// An application that answers several messages at once, as a bot with many chats does.
async fn listen(account: u64, mut events: EventStream, seen: Arc<Seen>) {
    loop {
        let several = events.next_several(64).await;
        if several.is_empty() {
            return;
        }
        let mut messages = Vec::with_capacity(several.len());
        for event in &several {
            match &event.kind {
                Kind::LinkingQr(qr) => say(&json!({ "account": account, "qr": qr.url() })),
                Kind::Message(message) => messages.push((event, message)),
                _ => {}
            }
        }
        if seen.echoes.load(Ordering::Relaxed) {
            let answers = messages.iter().map(|(event, _)| event.answer(crate::server::TEXT));
            for answer in futures_util::future::join_all(answers).await {
                answer.unwrap();
            }
        }
        let mut ids = seen.ids.lock();
        // Two accounts may get the same id from two people.
        ids.extend(messages.iter().map(|(_, message)| format!("{account} {}", message.id)));
        if ids.len() as u64 >= seen.wanted.load(Ordering::Relaxed) {
            seen.reached.notify_one();
        }
    }
}
