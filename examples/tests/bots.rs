//! The echo, command and poll bots against the simulator: what they answer to whom, and what outlives a new link.
#![allow(dead_code, reason = "the bots' own mains are not run")]
#![allow(clippy::duplicate_mod, reason = "each bot brings what bots have in common")]

#[path = "../commands.rs"]
mod commands;
#[path = "../echo.rs"]
mod echo;
#[path = "../poll.rs"]
mod poll;

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use wa_client::events::{EventStream, Kind};
use wa_client::{Client, Jid, RootCa};
use wa_sim::phone::{Action, Kind as Said, MessageRef, Received};
use wa_sim::seed::{SeedAccount, SeedFile, SeedGroup};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};
use wa_store::MemoryStore;

const BOT: u64 = 15_550_100;
const ADA: u64 = 15_550_101;
const BEA: u64 = 15_550_102;
const PATIENCE: Duration = Duration::from_secs(30);

async fn simulator() -> SimHandle {
    let account =
        |name: &str, number| SeedAccount { name: name.into(), number: Some(number), ..Default::default() };
    let group = SeedGroup {
        subject: "Friends".into(),
        creator: "Ada".into(),
        members: vec!["Bea".into(), "Bot".into()],
        ..SeedGroup::default()
    };
    let world = SeedFile {
        accounts: vec![account("Bot", BOT), account("Ada", ADA), account("Bea", BEA)],
        groups: vec![group],
        ..SeedFile::default()
    };
    let config = SimConfig { world: Some(world), ..SimConfig::default() };
    let listen = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    Sim::listen(config, listen).await.unwrap()
}

async fn start(sim: &SimHandle) -> (Client, EventStream) {
    let store = MemoryStore::open().await.unwrap();
    let started = Client::builder(store.account("main"))
        .url(format!("ws://{}/ws/chat", sim.address().unwrap()).parse().unwrap())
        .root(RootCa::new(sim.noise_root(), 0))
        .connect()
        .await;
    started.unwrap()
}

/// The phone scans the next code.
async fn link(sim: &SimHandle, client: &Client, events: &mut EventStream) {
    loop {
        let event = timeout(PATIENCE, events.next()).await.expect("a QR code").expect("the stream goes on");
        if let Kind::LinkingQr(qr) = event.kind
            && sim.scan_qr(&qr.url(), Some(BOT)).is_ok()
        {
            break;
        }
    }
    client.wait_online(PATIENCE).await.unwrap();
}

/// Runs a bot's handler on messages, until the client has stopped; gives the stream back.
macro_rules! serve {
    ($client:expr, $events:expr, |$of:ident, $event:ident, $message:ident| $handle:expr) => {{
        let ($of, mut events) = ($client.clone(), $events);
        let task: JoinHandle<EventStream> = tokio::spawn(async move {
            while let Some($event) = events.next().await {
                if matches!($event.kind, Kind::LoggedOut) {
                    break;
                }
                let kind = $event.kind.clone();
                if let Kind::Message($message) = &kind
                    && !$message.from_me
                {
                    let _ = &$message;
                    $handle;
                }
            }
            events
        });
        task
    }};
}

fn says(sim: &SimHandle, who: u64, chat: Jid, text: &str, quote: Option<MessageRef>) -> String {
    let said = sim.act(who, Action::Text { chat, text: text.into(), quote }).unwrap();
    said.expect("an id")
}

/// What somebody is told by the bot, from the n-th message of their inbox on.
async fn hears(sim: &SimHandle, who: u64, fits: impl Fn(&Received) -> bool) -> Received {
    let heard = sim.received(who, PATIENCE, |one| fits(one).then(|| one.clone())).await;
    heard.unwrap_or_else(|_| panic!("never heard; {:?}", sim.inbox(who)))
}

fn text(received: &Received) -> Option<&str> {
    match &received.kind {
        Said::Text { text, .. } => Some(text),
        _ => None,
    }
}

fn named(received: &Received) -> MessageRef {
    MessageRef {
        chat: received.chat.clone(),
        sender: received.sender.user_jid(),
        id: received.id.clone(),
        from_me: false,
    }
}

#[tokio::test]
async fn the_echo_bot_answers_what_it_knows() {
    let sim = simulator().await;
    let (client, mut events) = start(&sim).await;
    link(&sim, &client, &mut events).await;
    let bot = serve!(client, events, |of, event, message| echo::handle(&of, &event, false).await);
    for (said, answer) in
        [("ping", "pong"), ("!help", "ping, !help, ::bot_info"), ("::bot_info", "online (working)")]
    {
        says(&sim, ADA, Jid::pn(BOT), said, None);
        hears(&sim, ADA, |one| text(one).is_some_and(|text| text.starts_with(answer))).await;
    }
    assert!(sim.violations().is_empty(), "{:#?}", sim.violations());
    client.shutdown(PATIENCE).await;
    timeout(PATIENCE, bot).await.expect("the bot ends").unwrap();
}

#[tokio::test]
async fn warnings_and_commands_outlive_a_new_link() {
    let sim = simulator().await;
    let (client, mut events) = start(&sim).await;
    link(&sim, &client, &mut events).await;
    let group = client.groups().joined().await.unwrap()[0].jid.clone();
    let bot =
        serve!(client, events, |of, event, message| commands::handle(&of, &event, message).await.unwrap());

    says(&sim, ADA, group.clone(), "!set rules Be kind", None);
    hears(&sim, ADA, |one| text(one) == Some("!rules is a command now")).await;
    // Only an admin may.
    says(&sim, BEA, group.clone(), "!set rules Be loud", None);
    says(&sim, BEA, group.clone(), "something rude", None);
    let rude = hears(&sim, ADA, |one| text(one) == Some("something rude")).await;
    says(&sim, ADA, group.clone(), "!warn", Some(named(&rude)));
    hears(&sim, ADA, |one| text(one).is_some_and(|text| text.ends_with("has 1 of 3 warnings"))).await;

    client.logout().await.unwrap();
    let mut events = timeout(PATIENCE, bot).await.expect("the bot hears of it").unwrap();
    assert_eq!(client.me(), None);
    client.reconnect_now();
    link(&sim, &client, &mut events).await;
    let bot =
        serve!(client, events, |of, event, message| commands::handle(&of, &event, message).await.unwrap());
    says(&sim, BEA, group.clone(), "!rules", None);
    hears(&sim, BEA, |one| text(one) == Some("Be kind")).await;
    says(&sim, BEA, group.clone(), "!warnings", None);
    hears(&sim, BEA, |one| text(one).is_some_and(|text| text.ends_with(": 1"))).await;
    // The third warning deletes.
    for number in ["2", "3"] {
        says(&sim, ADA, group.clone(), "!warn", Some(named(&rude)));
        let answer = format!("has {number} of 3 warnings");
        hears(&sim, ADA, |one| text(one).is_some_and(|text| text.ends_with(&answer))).await;
    }
    client.shutdown(PATIENCE).await;
    timeout(PATIENCE, bot).await.expect("the bot ends").unwrap();
}

#[tokio::test]
async fn the_poll_bot_asks_and_says_how_it_stands() {
    let sim = simulator().await;
    let (client, mut events) = start(&sim).await;
    link(&sim, &client, &mut events).await;
    let bot = serve!(client, events, |of, event, message| poll::handle(&of, &event, message).await.unwrap());
    says(&sim, ADA, Jid::pn(BOT), "!poll Lunch? | Pizza", None);
    hears(&sim, ADA, |one| text(one).is_some_and(|text| text.starts_with("that cannot be asked"))).await;
    says(&sim, ADA, Jid::pn(BOT), "!poll Lunch? | Pizza | Soup", None);
    let poll = hears(&sim, ADA, |one| matches!(one.kind, Said::Poll { .. })).await;
    sim.act(ADA, Action::Vote { poll: named(&poll), options: vec!["Soup".into()] }).unwrap();
    says(&sim, ADA, Jid::pn(BOT), "!result", Some(named(&poll)));
    hears(&sim, ADA, |one| text(one) == Some("Pizza: 0\nSoup: 1")).await;
    assert!(sim.violations().is_empty(), "{:#?}", sim.violations());
    client.shutdown(PATIENCE).await;
    timeout(PATIENCE, bot).await.expect("the bot ends").unwrap();
}
