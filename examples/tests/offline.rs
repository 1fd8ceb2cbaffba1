//! How an application is tested without a phone and without a network, as docs/simulator.md shows it.
// shown from here
use std::{error::Error, time::Duration};

use wa_client::{Client, Jid, RootCa, events::Kind};
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::phone;
use wa_sim::seed::{SeedAccount, SeedFile};
use wa_sim::{ListenOptions, Seed, Sim, SimConfig};
use wa_store::MemoryStore;

const BOT: u64 = 15_550_100;
const ADA: u64 = 15_550_101;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn my_bot_answers_though_the_connection_breaks_in_between() -> Result<(), Box<dyn Error>> {
    // The other side: a server, the bot's phone, and Ada with hers. Everything random comes from the seed.
    let accounts = [("Bot", BOT), ("Ada", ADA)].map(|(name, number)| SeedAccount {
        name: name.into(),
        number: Some(number),
        ..SeedAccount::default()
    });
    let world = SeedFile { accounts: accounts.into(), ..SeedFile::default() };
    let config = SimConfig { seed: Seed(7), world: Some(world), ..SimConfig::default() };
    let sim = Sim::listen(config, ListenOptions::default()).await?;
    // The server breaks off at the first message that the bot sends, before it has taken it.
    let broken = Action::Close { how: Default::default(), after: false };
    sim.fault(Fault::once(Match::stanza(Direction::In, "message"), broken));

    // The application as it is, but for the address of the server and its root of trust.
    let address = sim.address().ok_or("no address")?;
    let store = MemoryStore::open().await?;
    let (client, mut events) = Client::builder(store.account("main"))
        .url(format!("ws://{address}/ws/chat").parse()?)
        .root(RootCa::new(sim.noise_root(), 0))
        .connect()
        .await?;
    let (shows, mut shown) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match &event.kind {
                Kind::LinkingQr(qr) => drop(shows.send(qr.url())),
                Kind::Message(message) if message.text() == Some("ping") => drop(event.answer("pong").await),
                _ => {}
            }
        }
    });

    // What people do with their phones.
    let qr = tokio::time::timeout(PATIENCE, shown.recv()).await?.ok_or("no QR code")?;
    sim.scan_qr(&qr, Some(BOT))?;
    client.wait_online(PATIENCE).await?;
    sim.act(ADA, phone::Action::Text { chat: Jid::pn(BOT), text: "ping".into(), quote: None })?;
    let is_pong = |received: &phone::Received| {
        matches!(&received.kind, phone::Kind::Text { text, .. } if text == "pong").then_some(())
    };
    sim.received(ADA, PATIENCE, is_pong).await?;
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
    client.shutdown(PATIENCE).await;
    Ok(())
}
// shown until here

#[test]
fn the_documentation_shows_this_test() {
    let marks = |text: &'static str| text.split_once("// shown from here\n")?.1.split_once("// shown until");
    let (shown, _) = marks(include_str!("offline.rs")).unwrap();
    assert!(include_str!("../../docs/simulator.md").contains(shown));
}
