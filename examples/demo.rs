//! The main job in one run, without a phone and without a network: `cargo run --example demo`.
//!
//! It starts the simulator inside, shows the QR code, lets the simulated phone scan it, lets a contact write, answers,
//! cuts the connection and lets it heal. Every line says what happens; the exit code says whether all of it did.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;
use wa_client::events::{EventStream, Kind};
use wa_client::{Client, Jid, RootCa};
use wa_sim::phone::{Action, Received};
use wa_sim::seed::{SeedAccount, SeedFile};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};
use wa_store::MemoryStore;

const BOT: u64 = 15_550_100;
const ADA: u64 = 15_550_101;
/// How long each act may take.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> Result<()> {
    let started = Instant::now();
    let account =
        |name: &str, number| SeedAccount { name: name.into(), number: Some(number), ..Default::default() };
    let world = SeedFile { accounts: vec![account("Bot", BOT), account("Ada", ADA)], ..SeedFile::default() };
    let config = SimConfig { world: Some(world), ..SimConfig::default() };
    let listen = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    let sim = Sim::listen(config, listen).await?;
    let address = sim.address().context("the simulator has no address")?;
    println!("[simulator] listens on {address}; it plays the server, the bot's phone and Ada's phone\n");

    let store = MemoryStore::open().await?;
    let root = RootCa::new(sim.noise_root(), 0);
    let (client, mut events) = Client::builder(store.account("main"))
        .url(format!("ws://{address}/ws/chat").parse()?)
        .root(root)
        .connect()
        .await?;

    let qr = take(&mut events, |kind| match kind {
        Kind::LinkingQr(qr) => Some(qr),
        _ => None,
    })
    .await?;
    println!("{qr}\n[bot] shows its QR code until {:?}", qr.until());
    sim.scan_qr(&qr.url(), Some(BOT))?;
    println!("[phone] scans it");
    client.wait_online(PATIENCE).await?;
    println!("[bot] is linked as +{} and {}", client.me().context("not linked")?, client.health().status);

    says(&sim, "ping");
    answer(&mut events).await?;
    reads(&sim, "pong").await?;

    println!("\n[simulator] cuts every connection and refuses new ones for half a second");
    sim.outage(Duration::from_millis(500));
    says(&sim, "are you there?");
    let health = take(&mut events, |kind| match kind {
        Kind::Health(health) if !health.is_online() => Some(health),
        _ => None,
    })
    .await?;
    println!("[health] {health}");
    answer(&mut events).await?;
    reads(&sim, "yes, again").await?;
    println!("[health] {}", client.health());

    client.shutdown(PATIENCE).await;
    let violations = sim.violations();
    ensure!(violations.is_empty(), "the simulator's watch noted {violations:?}");
    println!(
        "\n[simulator] noted no violation of the protocol; done in {:.1} s",
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Takes events until one fits.
async fn take<T>(events: &mut EventStream, mut fits: impl FnMut(Kind) -> Option<T>) -> Result<T> {
    timeout(PATIENCE, async {
        while let Some(event) = events.next().await {
            if let Some(found) = fits(event.kind) {
                return Ok(found);
            }
        }
        anyhow::bail!("the events ended")
    })
    .await?
}

fn says(sim: &SimHandle, text: &str) {
    println!("[Ada] writes: {text}");
    let action = Action::Text { chat: Jid::pn(BOT), text: text.into(), quote: None };
    if let Err(error) = sim.act(ADA, action) {
        println!("[Ada] cannot write: {error}");
    }
}

/// The bot itself: takes the next message and answers it.
async fn answer(events: &mut EventStream) -> Result<()> {
    timeout(PATIENCE, async {
        while let Some(event) = events.next().await {
            let Kind::Message(message) = &event.kind else { continue };
            let answer = if message.text() == Some("ping") { "pong" } else { "yes, again" };
            println!(
                "[bot] got {:?} from +{} and answers {answer:?}",
                message.text().unwrap_or_default(),
                message.sender
            );
            let report = event.answer(answer).await?.await;
            println!("[bot] report: {report:?}");
            return Ok(());
        }
        anyhow::bail!("the events ended")
    })
    .await?
}

/// Waits until Ada's phone has decrypted a text.
async fn reads(sim: &SimHandle, text: &str) -> Result<()> {
    let reads = |received: &Received| format!("{:?}", received.kind).contains(text).then_some(());
    sim.received(ADA, PATIENCE, reads).await.with_context(|| format!("Ada never got {text:?}"))?;
    println!("[Ada] reads: {text}");
    Ok(())
}
