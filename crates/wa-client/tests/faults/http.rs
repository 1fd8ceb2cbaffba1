//! Faults below the stream: what stands before the WebSocket. Over real sockets, since there is none in memory.

use std::time::Duration;

use serde_json::json;
use wa_client::egress::{Egress, TlsRoots};
use wa_client::events::{EventStream, Kind};
use wa_client::health::{Cause, Stage};
use wa_client::{Client, RootCa};
use wa_sim::faults::{Action, CloseHow, Fault, FreezeMode, Match, Phase};
use wa_sim::seed::{SeedAccount, SeedFile};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};
use wa_store::MemoryStore;

const BOT: u64 = 15_550_100;
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the client tries again by itself.
enum Then {
    Again,
    Waits,
}

fn rows() -> Vec<(Phase, Action, Cause, Then)> {
    let status = |status| (Phase::Upgrade, Action::HttpStatus { status });
    let row = |(phase, action), cause, then| (phase, action, cause, then);
    let close = Action::Close { how: CloseHow::Fin, after: false };
    let mut rows = vec![
        // Both are a broken stream behind an upgrade that was accepted.
        row((Phase::Upgrade, Action::HttpGarbage), Cause::ConnectionLost, Then::Again),
        row((Phase::Upgrade, close.clone()), Cause::ConnectionLost, Then::Again),
        row((Phase::Tcp, close), Cause::NetworkUnreachable, Then::Again),
    ];
    for code in [408, 500, 501, 502, 503, 504] {
        rows.push(row(status(code), Cause::ServerTrouble, Then::Again));
    }
    for code in [302, 400, 403, 429] {
        rows.push(row(status(code), Cause::UpgradeRefused, Then::Waits));
    }
    rows
}

/// The faults of this table, for the count.
pub(crate) fn shown() -> Vec<String> {
    rows().into_iter().map(|(_, action, _, _)| json!(action).to_string()).collect()
}

async fn linked(sim: &SimHandle) -> (Client, EventStream) {
    let store = MemoryStore::open().await.expect("a store");
    let address = sim.address().expect("it listens");
    let (client, mut events) = Client::builder(store.account("main"))
        .url(format!("ws://{address}/ws/chat").parse().expect("a URL"))
        .root(RootCa::new(sim.noise_root(), 0))
        .connect()
        .await
        .expect("the client starts");
    while let Some(event) = events.next().await {
        if let Kind::LinkingQr(qr) = event.kind {
            sim.scan_qr(&qr.url(), Some(BOT)).expect("the phone scans");
            break;
        }
    }
    client.wait_online(PATIENCE).await.expect("the account comes online");
    (client, events)
}

#[tokio::test]
async fn an_upgrade_that_fails_is_named_and_heals() {
    let account = SeedAccount { name: "Bot".into(), number: Some(BOT), ..SeedAccount::default() };
    let world = SeedFile { accounts: vec![account], ..SeedFile::default() };
    let config = SimConfig { world: Some(world), ..SimConfig::default() };
    let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    let sim = Sim::listen(config, options).await.expect("the simulator listens");
    let (client, _events) = linked(&sim).await;
    for (phase, action, cause, then) in rows() {
        let name = json!(action).to_string();
        sim.fault(Fault::new(Match::phase(phase), action));
        let mut changes = client.health_changes();
        client.reconnect_now();
        let named = tokio::time::timeout(PATIENCE, async {
            let mut health = changes.now();
            while health.cause != cause {
                health = changes.next().await.expect("the client goes on");
            }
            health
        });
        let health = named.await.unwrap_or_else(|_| panic!("{name} {phase:?}: {}", client.health()));
        assert_eq!(health.next_attempt.is_some(), matches!(then, Then::Again), "{name}: {health}");
        sim.heal();
        // Ends the wait, and the stop: the back-off itself is tested in virtual time.
        client.reconnect_now();
        client.wait_online(PATIENCE).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// The TLS handshake, cut in two ways and left hanging, and a certificate that nobody vouches for.
#[tokio::test]
async fn a_tls_handshake_that_fails_is_named_and_heals() {
    let config = SimConfig::default();
    let options = ListenOptions { transports: Transports::TlsOnly, ..ListenOptions::default() };
    let sim = Sim::listen(config, options).await.expect("the simulator listens");
    let store = MemoryStore::open().await.expect("a store");
    let builder = |account: &str, egress| {
        let mut timeouts = wa_client::config::Timeouts::default();
        timeouts.connect = Duration::from_secs(2);
        Client::builder(store.account(account))
            .url(format!("wss://{}/ws/chat", sim.address().expect("it listens")).parse().expect("a URL"))
            .root(RootCa::new(sim.noise_root(), 0))
            .timeouts(timeouts)
            .egress(egress)
    };
    let named = async |client: &Client, cause: Cause| {
        let mut changes = client.health_changes();
        tokio::time::timeout(PATIENCE, async {
            let mut health = changes.now();
            while health.cause != cause {
                health = changes.next().await.expect("the client goes on");
            }
            health
        })
        .await
        .unwrap_or_else(|_| panic!("never {cause}: {}", client.health()))
    };
    let trusting = Egress::default().with_roots(TlsRoots::pem(sim.certificate_pem()).expect("a certificate"));
    let (client, _events) = builder("main", trusting).connect().await.expect("started");
    named(&client, Cause::NotLinked).await;
    let close = |how| Action::Close { how, after: false };
    for action in [close(CloseHow::Fin), close(CloseHow::Rst), Action::Freeze { mode: FreezeMode::Both }] {
        let cause = if matches!(action, Action::Freeze { .. }) {
            Cause::NetworkUnreachable
        } else {
            Cause::TlsFailed
        };
        sim.fault(Fault::new(Match::phase(Phase::Tls), action));
        client.reconnect_now();
        let health = named(&client, cause).await;
        assert!(health.next_attempt.is_some(), "{health}");
        sim.heal();
        client.reconnect_now();
        named(&client, Cause::NotLinked).await;
    }
    // The roots of the web do not know the simulator's certificate.
    let (stranger, _more) = builder("other", Egress::default()).connect().await.expect("started");
    let health = named(&stranger, Cause::TlsFailed).await;
    assert_eq!(health.attempts.last().map(|one| one.stage), Some(Stage::Tls));
}
