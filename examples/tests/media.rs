//! The media bot against the simulator: it stores what Ada sends byte for byte, and Ada gets a thumbnail.
#![allow(dead_code, reason = "the bot's own main is not run")]

#[path = "../media.rs"]
mod bot;

use std::io::Cursor;
use std::time::Duration;

use tokio::time::timeout;
use wa_client::events::Kind;
use wa_client::{Client, Jid, RootCa};
use wa_sim::phone::{Action, File, Manner, MediaKind};
use wa_sim::seed::{SeedAccount, SeedFile};
use wa_sim::{ListenOptions, Sim, SimConfig, Transports};
use wa_store::MemoryStore;

const BOT: u64 = 15_550_100;
const ADA: u64 = 15_550_101;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn files_are_stored_and_an_image_is_answered_with_its_thumbnail() {
    let account =
        |name: &str, number| SeedAccount { name: name.into(), number: Some(number), ..Default::default() };
    let world = SeedFile { accounts: vec![account("Bot", BOT), account("Ada", ADA)], ..SeedFile::default() };
    let config = SimConfig { world: Some(world), ..SimConfig::default() };
    let listen = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    let sim = Sim::listen(config, listen).await.unwrap();
    let store = MemoryStore::open().await.unwrap();
    let (client, mut events) = Client::builder(store.account("main"))
        .url(format!("ws://{}/ws/chat", sim.address().unwrap()).parse().unwrap())
        .root(RootCa::new(sim.noise_root(), 0))
        .connect()
        .await
        .unwrap();
    while let Some(event) = events.next().await {
        if let Kind::LinkingQr(qr) = event.kind {
            sim.scan_qr(&qr.url(), Some(BOT)).unwrap();
            break;
        }
    }
    client.wait_online(PATIENCE).await.unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let serving = client.clone();
    let path = folder.path().to_owned();
    let bot = tokio::spawn(async move { bot::serve(&serving, events, &path).await });

    let mut png = Vec::new();
    let image = image::RgbImage::from_pixel(640, 320, image::Rgb([200, 10, 10]));
    image.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let send = |kind, bytes: Vec<u8>| {
        let file = File::new(kind, bytes.into());
        let action = Action::File { chat: Jid::pn(BOT), file, manner: Manner::default() };
        sim.act(ADA, action).unwrap().expect("an id")
    };
    let picture = send(MediaKind::Image, png.clone());
    let document = send(MediaKind::Document, vec![7; 100_000]);

    let answers = sim.until(PATIENCE, |world| {
        let inbox = world.phone(world.find_pn(ADA)?)?.inbox();
        (inbox.len() >= 2).then(|| inbox.to_vec())
    });
    let answers = answers.await.expect("both are answered");
    let small = answers.iter().find_map(|answer| sim.file(ADA, &answer.id)).expect("a thumbnail");
    let small = image::load_from_memory(&small).unwrap();
    assert_eq!((small.width(), small.height()), (160, 80));
    let stored = |id: &str| {
        let found = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut found = found.filter(|path| path.to_string_lossy().contains(id));
        std::fs::read(found.next().expect("it is stored")).unwrap()
    };
    assert!(stored(&picture) == png && stored(&document) == vec![7; 100_000]);
    assert!(sim.violations().is_empty(), "{:#?}", sim.violations());
    client.shutdown(PATIENCE).await;
    timeout(PATIENCE, bot).await.expect("the bot ends").unwrap().unwrap();
}
