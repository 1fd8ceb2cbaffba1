//! `whatsapp-rust` as a contender of the costs bench: the same commands as ours. Each account has a SQLite store of its
//! own with the crate's defaults, as its documentation has it; events come through its inline handler, which is the
//! cheapest way that it documents, and echoes leave from tasks, as its own callbacks would.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt as _;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;

const PATIENCE: Duration = Duration::from_secs(300);
const TEXT: &str =
    "a message of one hundred bytes, which is about what people write to each other, all in a single line";

fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

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

/// What came, over all accounts.
#[derive(Default)]
struct Seen {
    ids: Mutex<HashSet<String>>,
    wanted: AtomicU64,
    reached: Notify,
    echoes: AtomicBool,
    acks: Mutex<HashSet<String>>,
    acked: Notify,
}

struct Account {
    number: u64,
    seen: Arc<Seen>,
    online: Arc<Notify>,
    client: Mutex<Option<Arc<Client>>>,
}

impl EventHandler for Account {
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            Event::PairingQrCode(qr) => say(&json!({ "account": self.number, "qr": qr.code })),
            Event::Connected(_) => self.online.notify_one(),
            Event::Messages(batch) => {
                for message in batch {
                    if message.message.text_content().is_none() {
                        continue;
                    }
                    if self.seen.echoes.load(Ordering::Relaxed) {
                        let client = self.client.lock().unwrap().clone().unwrap();
                        let context = MessageContext::from_inbound(message, client);
                        tokio::spawn(async move { context.reply(TEXT).await.unwrap() });
                    }
                    let mut ids = self.seen.ids.lock().unwrap();
                    ids.insert(format!("{} {}", self.number, message.info.id));
                    if ids.len() as u64 >= self.seen.wanted.load(Ordering::Relaxed) {
                        self.seen.reached.notify_one();
                    }
                }
            }
            Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => {
                assert!(ack.error.is_none(), "{ack:?}");
                self.seen.acks.lock().unwrap().insert(ack.id.clone());
                self.seen.acked.notify_one();
            }
            _ => {}
        }
    }
}

struct Contender {
    url: String,
    certificate: Vec<u8>,
    file: String,
    seen: Arc<Seen>,
    bots: Mutex<Vec<(u64, BotHandle)>>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, _root, certificate, file] = &arguments[..] else { panic!("four arguments") };
    let certificate = std::fs::read_to_string(certificate).unwrap();
    let contender = Arc::new(Contender {
        url: url.clone(),
        certificate: certificate.into_bytes(),
        file: file.clone(),
        seen: Arc::default(),
        bots: Mutex::default(),
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
            "open" => self.open(number("first"), number("count"), number("at_once")).await,
            "close" => {
                let bots = std::mem::take(&mut *self.bots.lock().unwrap());
                let mut tasks = JoinSet::new();
                for (_, bot) in bots {
                    tasks.spawn(async move {
                        drop(tokio::time::timeout(Duration::from_secs(10), bot.shutdown()).await)
                    });
                }
                while tasks.join_next().await.is_some() {}
                json!({})
            }
            "expect" => {
                self.seen.ids.lock().unwrap().clear();
                self.seen.wanted.store(number("count"), Ordering::SeqCst);
                self.seen.echoes.store(command["echo"] == true, Ordering::SeqCst);
                json!({})
            }
            "arrived" => {
                let all = async {
                    loop {
                        let reached = self.seen.reached.notified();
                        if self.seen.ids.lock().unwrap().len() as u64
                            >= self.seen.wanted.load(Ordering::SeqCst)
                        {
                            return;
                        }
                        reached.await;
                    }
                };
                tokio::time::timeout(PATIENCE, all).await.expect("messages are missing");
                json!(self.seen.ids.lock().unwrap().len())
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
                let (bot, online) = contender.connect(number).await;
                tokio::time::timeout(PATIENCE, online.notified())
                    .await
                    .expect("an account did not get online");
                (number, bot, began.elapsed().as_micros() as u64)
            });
        }
        let mut walls = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (number, bot, wall) = done.unwrap();
            self.bots.lock().unwrap().push((number, bot));
            walls.push(wall);
        }
        json!({ "wall_us": walls })
    }

    async fn connect(&self, number: u64) -> (BotHandle, Arc<Notify>) {
        let store = SqliteStore::new(&format!("{}-{number}", self.file)).await.unwrap();
        let online = Arc::new(Notify::new());
        let account = Arc::new(Account {
            number,
            seen: self.seen.clone(),
            online: online.clone(),
            client: Mutex::default(),
        });
        struct Shared(Arc<Account>);
        impl EventHandler for Shared {
            fn handle_event(&self, event: Arc<Event>) {
                self.0.handle_event(event);
            }
        }
        let bot = Bot::builder()
            .with_backend(store)
            // Else it asks the real web site for the newest one.
            .with_version((2, 3000, 1_045_649_367))
            .with_transport_factory(
                TokioWebSocketTransportFactory::new()
                    .with_url(self.url.clone())
                    .with_connector(self.connector()),
            )
            .with_event_handler(Shared(account.clone()))
            .build()
            .await
            .unwrap();
        *account.client.lock().unwrap() = Some(bot.client());
        (bot.spawn(), online)
    }

    /// One TLS configuration for all.
    fn connector(&self) -> whatsapp_rust::transport::Connector {
        static TLS: std::sync::OnceLock<tokio_rustls::TlsConnector> = std::sync::OnceLock::new();
        let tls = TLS.get_or_init(|| {
            use rustls::pki_types::pem::PemObject as _;
            let mut roots = rustls::RootCertStore::empty();
            roots.add(rustls::pki_types::CertificateDer::from_pem_slice(&self.certificate).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            Arc::new(config).into()
        });
        whatsapp_rust::transport::Connector::Rustls(tls.clone())
    }

    async fn send(&self, command: &Value) -> Value {
        let to: Vec<Jid> = command["to"]
            .as_array()
            .unwrap()
            .iter()
            .map(|jid| jid.as_str().unwrap().parse().unwrap())
            .collect();
        let count = command["count"].as_u64().unwrap();
        let accounts: Vec<u64> =
            command["accounts"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
        let clients: Vec<Arc<Client>> = {
            let bots = self.bots.lock().unwrap();
            let client = |wanted| bots.iter().find(|(number, _)| *number == wanted).unwrap().1.client();
            accounts.into_iter().map(client).collect()
        };
        self.seen.acks.lock().unwrap().clear();
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for client in clients {
            // A chat's messages leave in their order; chats beside each other.
            for jid in to.clone() {
                let client = client.clone();
                tasks.spawn(async move {
                    let mut ids = Vec::new();
                    for _ in 0..count {
                        ids.push(client.send_text(&jid, TEXT).await.unwrap().message_id);
                    }
                    ids
                });
            }
        }
        let mut ids = Vec::new();
        while let Some(done) = tasks.join_next().await {
            ids.extend(done.unwrap());
        }
        let all = async {
            loop {
                let acked = self.seen.acked.notified();
                let missing = {
                    let acks = self.seen.acks.lock().unwrap();
                    acks.len() < ids.len() || ids.iter().any(|id| !acks.contains(id))
                };
                if !missing {
                    return;
                }
                acked.await;
            }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("acks are missing");
        json!({ "accepted": ids.len(), "wall_us": began.elapsed().as_micros() as u64 })
    }
}
