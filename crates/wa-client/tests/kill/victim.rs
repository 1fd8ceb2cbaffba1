//! The process that is killed: a bot with an SQLite file and a real socket. It tells on stdout what it is given, and at
//! the ordered point it says so and stands still until it is dead.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wa_client::events::{Delivery, Kind};
use wa_client::health::Status;
use wa_client::messages::builder::Message;
use wa_client::sabotage::{Points, Sabotage};
use wa_client::{Client, RootCa};
use wa_store::sabotage::Points as StorePoints;
use wa_store::{Durability, SqliteOptions, Store};

/// In front of every line that is meant for the arena.
pub(crate) const MARK: &str = "@ ";

/// What the arena wants of a process.
#[derive(Clone)]
pub(crate) struct Orders {
    pub(crate) url: String,
    pub(crate) root: [u8; 32],
    pub(crate) store: PathBuf,
    pub(crate) sabotage: Sabotage,
    /// Name of a point, and at which passing of it to stand still.
    pub(crate) halt: Option<(String, u64)>,
}

const SABOTAGES: [Sabotage; 5] = [
    Sabotage::None,
    Sabotage::AckBeforeCommit,
    Sabotage::LostOutboxRow,
    Sabotage::ReusedCounter,
    Sabotage::SwallowedRetry,
];

impl Orders {
    /// As one environment variable.
    const VARIABLE: &'static str = "WA_KILL_VICTIM";

    pub(crate) fn environment(&self) -> (&'static str, String) {
        let root: String = self.root.iter().map(|byte| format!("{byte:02x}")).collect();
        let (point, nth) = self.halt.clone().unwrap_or_default();
        let store = self.store.display();
        (Self::VARIABLE, format!("{}\n{root}\n{store}\n{:?}\n{point}\n{nth}", self.url, self.sabotage))
    }

    pub(crate) fn from_environment() -> Option<Self> {
        let text = std::env::var(Self::VARIABLE).ok()?;
        let fields: Vec<&str> = text.split('\n').collect();
        let [url, root, store, sabotage, point, nth] = fields[..] else { panic!("orders: {text:?}") };
        let byte = |at: usize| u8::from_str_radix(&root[2 * at..2 * at + 2], 16).expect("hex");
        Some(Self {
            url: url.to_owned(),
            root: std::array::from_fn(byte),
            store: store.into(),
            sabotage: SABOTAGES.into_iter().find(|one| format!("{one:?}") == sabotage).expect("a sabotage"),
            halt: (!point.is_empty()).then(|| (point.to_owned(), nth.parse().expect("a number"))),
        })
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The arena may have gone: then nobody reads.
    let _ = writeln!(out, "{MARK}{line}").and_then(|()| out.flush());
}

/// Stands still at the ordered point: whoever called the hook goes no further, and on a runtime with one thread
/// neither does the client.
struct Halt {
    at: Option<(String, u64)>,
    passed: AtomicU64,
}

impl Halt {
    fn reached(&self, name: &str) {
        let Some((at, nth)) = &self.at else { return };
        if at != name || self.passed.fetch_add(1, Ordering::SeqCst) + 1 != *nth {
            return;
        }
        say(&format!("at {name}"));
        loop {
            std::thread::park();
        }
    }
}

/// Every second answer brings a file, which has to be uploaded first.
fn answer(text: &str) -> Message {
    let words = format!("answer to {text}");
    match text.ends_with(['0', '3', '4', '7', '8']) {
        true => Message::document(words.repeat(100).into_bytes()).caption(words),
        false => Message::text(words),
    }
}

pub(crate) fn live(orders: Orders) {
    // Behind what the test harness prints in front.
    println!();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(converse(orders));
}

async fn converse(orders: Orders) {
    let halt = Arc::new(Halt { at: orders.halt, passed: AtomicU64::new(0) });
    let at_store = Arc::clone(&halt);
    let points = StorePoints::new(move |point| at_store.reached(&format!("store:{point:?}")));
    // A killed process loses nothing that the system was given: no need to wait for the disk.
    let options = SqliteOptions::new(&orders.store).durability(Durability::Process).points(points);
    let backend = options.open().await.expect("the file opens");
    let store = Store::builder(Arc::new(backend)).open().await.expect("the store opens");
    let (client, mut events) = Client::builder(store.account("main"))
        .url(orders.url.parse().expect("a URL"))
        .root(RootCa::new(orders.root, 0))
        .sabotage(orders.sabotage)
        .points(Points::new(move |point| halt.reached(point.name())))
        .connect()
        .await
        .expect("the client starts");
    while let Some(event) = events.next().await {
        match &event.kind {
            Kind::LinkingQr(qr) => say(&format!("qr {}", qr.url())),
            Kind::Health(health) => {
                say(&format!("health {}", health.status));
                if matches!(health.status, Status::LoggedOut(_)) {
                    client.reconnect_now();
                }
            }
            Kind::Message(message) if !message.from_me => {
                let Some(text) = message.text() else { continue };
                let delivery = if event.delivery == Delivery::First { "first" } else { "again" };
                say(&format!("event {delivery} {text}"));
                event.answer(answer(text)).await.expect("the answer is taken");
            }
            _ => {}
        }
    }
}
