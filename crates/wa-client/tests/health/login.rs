//! What the server says at a login, in one table (chapter 01 §6.2, §6.3): status, cause, whether the link is kept,
//! whether the client tries again by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use wa_client::config::{ClientVersion, VersionSource};
use wa_client::egress::Egress;
use wa_client::health::{Cause, DeadlineKind, Evidence, Healing, LoggedOutBy, Status};
use wa_sim::faults::{Action, Direction, FailureReason, Fault, Match, Phase, StreamFault, StreamForm};

use crate::stage::{BOT, PATIENCE, Stage, healthy, healthy_within};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Kept,
    Gone,
}

fn failure(reason: u32, code: Option<u32>, expire: Option<u32>) -> Action {
    Action::Failure(FailureReason { reason, code, expire, logout_message: None })
}

#[tokio::test(start_paused = true)]
async fn every_failure_of_a_login_has_its_state() {
    let banned = |cause| (cause, Link::Kept);
    let cases: Vec<(Action, &str, (Cause, Link))> = vec![
        (failure(400, None, None), "login refused", (Cause::LoginRefused, Link::Kept)),
        (failure(401, None, None), "logged out from the phone", (Cause::UnlinkedByPhone, Link::Gone)),
        (failure(402, Some(101), Some(60)), "temporarily banned", banned(Cause::BannedManyStrangers)),
        (failure(402, Some(102), Some(60)), "temporarily banned", banned(Cause::BannedManyBlocks)),
        (failure(402, Some(103), Some(60)), "temporarily banned", banned(Cause::BannedManyGroups)),
        (failure(402, Some(104), Some(60)), "temporarily banned", banned(Cause::BannedSameMessage)),
        (failure(402, Some(106), Some(60)), "temporarily banned", banned(Cause::BannedBroadcasts)),
        (failure(402, Some(199), Some(60)), "temporarily banned", banned(Cause::BannedForATime)),
        (failure(402, None, Some(60)), "login refused", (Cause::LoginRefused, Link::Kept)),
        (failure(403, None, None), "banned or locked", (Cause::Locked, Link::Gone)),
        (failure(405, None, None), "client outdated", (Cause::ClientOutdated, Link::Kept)),
        (failure(406, None, None), "banned or locked", (Cause::Banned, Link::Gone)),
        (failure(409, None, None), "login refused", (Cause::BadUserAgent, Link::Kept)),
        (failure(418, None, None), "login refused", (Cause::LoginRefused, Link::Kept)),
    ];
    let stage = Stage::with(100, |config| config.companion_limit = 50).await;
    let (client, mut events) = stage.linked().await;
    for (action, status, (cause, link)) in cases {
        stage.sim.fault(Fault::new(Match::phase(Phase::Login), action.clone()));
        client.reconnect_now();
        let health = healthy(&client, status, |health| health.cause == cause).await;
        assert_eq!(health.status.to_string(), status, "{action:?}");
        assert!(matches!(health.evidence, Some(Evidence::Stanza(_))), "{action:?}");
        assert_eq!(client.me().is_some(), link == Link::Kept, "{action:?}");
        if let Status::TemporarilyBanned { until } = health.status {
            assert_eq!(until.since(health.since).as_secs(), 60);
            assert_eq!(health.deadline, Some(until));
            assert!(
                health.calendar.iter().any(|entry| entry.kind == DeadlineKind::BanEnds && entry.at == until)
            );
        }
        // None of them tries again behind a person's back.
        let before = stage.sim.stats().connections;
        tokio::time::sleep(Duration::from_secs(7200)).await;
        assert_eq!(stage.sim.stats().connections, before, "{action:?}");
        stage.sim.heal();
        client.reconnect_now();
        match link {
            Link::Kept => client.wait_online(PATIENCE).await.expect("the link was kept"),
            Link::Gone => stage.link(&client, &mut events).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_of_the_server_is_waited_out() {
    let stage = Stage::new(120).await;
    let (client, _events) = stage.linked().await;
    for (round, reason) in [(1, 500), (2, 503)] {
        stage.sim.fault(Fault {
            count: Some(3),
            ..Fault::new(Match::phase(Phase::Login), failure(reason, None, None))
        });
        client.reconnect_now();
        let health = healthy(&client, "the pause", |health| health.cause == Cause::ServerTrouble).await;
        let Status::Reconnecting { next_at, .. } = health.status else { panic!("{health}") };
        assert_eq!((health.next_attempt, health.healing), (Some(next_at), Healing::ByItself));
        client.wait_online(PATIENCE).await.expect("healed");
        let failed =
            client.health().attempts.iter().filter(|one| one.failure == Some(Cause::ServerTrouble)).count();
        assert_eq!(failed, 3 * round);
    }
}

fn stream(code: Option<u32>, form: StreamForm) -> Action {
    Action::StreamError(StreamFault { code, form })
}

#[tokio::test(start_paused = true)]
async fn every_stream_error_has_its_state() {
    let stops = [
        (stream(None, StreamForm::Replaced), Status::Replaced, Cause::Replaced, Link::Kept),
        (stream(Some(409), StreamForm::Bare), Status::Replaced, Cause::Replaced, Link::Kept),
        (
            stream(Some(401), StreamForm::DeviceRemoved),
            Status::LoggedOut(LoggedOutBy::DeviceRemoved),
            Cause::DeviceRemoved,
            Link::Gone,
        ),
        (
            stream(Some(401), StreamForm::Bare),
            Status::LoggedOut(LoggedOutBy::Phone),
            Cause::UnlinkedByPhone,
            Link::Gone,
        ),
        (
            stream(Some(516), StreamForm::Bare),
            Status::LoggedOut(LoggedOutBy::DeviceRemoved),
            Cause::ForcedLogout,
            Link::Gone,
        ),
    ];
    let stage = Stage::with(130, |config| config.companion_limit = 50).await;
    let (client, mut events) = stage.linked().await;
    for (action, status, cause, link) in stops {
        strike(&stage, &client, action.clone()).await;
        let health = healthy(&client, "the end", |health| health.cause == cause).await;
        assert_eq!(health.status, status, "{action:?}");
        assert_eq!(client.me().is_some(), link == Link::Kept, "{action:?}");
        let before = stage.sim.stats().connections;
        tokio::time::sleep(Duration::from_secs(7200)).await;
        assert_eq!(stage.sim.stats().connections, before, "a conflict never loops");
        client.reconnect_now();
        match link {
            Link::Kept => client.wait_online(PATIENCE).await.expect("the link was kept"),
            Link::Gone => stage.link(&client, &mut events).await,
        }
    }
    let heals = [
        (stream(Some(429), StreamForm::Bare), Cause::RateLimited),
        (stream(Some(503), StreamForm::Bare), Cause::ServerTrouble),
        (stream(None, StreamForm::Ack), Cause::StreamError),
        (stream(None, StreamForm::XmlNotWellFormed), Cause::StreamError),
        (stream(None, StreamForm::Unknown), Cause::StreamError),
        (stream(Some(515), StreamForm::Bare), Cause::RestartRequired),
    ];
    for (action, cause) in heals {
        let before = client.health().attempts;
        strike(&stage, &client, action.clone()).await;
        healthy_within(&client, "another attempt", Duration::from_secs(300), |health| {
            health.attempts != before && health.is_online()
        })
        .await;
        assert_eq!(client.health().attempts.last().and_then(|one| one.failure), Some(cause), "{action:?}");
    }
}

/// Lets a fault answer the next question of the client.
async fn strike(stage: &Stage, client: &wa_client::Client, action: Action) {
    let ping = Match { xmlns: Some("w:p".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::once(ping, action));
    // Whether an answer still comes does not matter.
    let _ = client.probe().await;
}

#[derive(Debug)]
struct Source {
    asked: Arc<AtomicU32>,
    /// What it says from the second question on.
    later: ClientVersion,
}

#[async_trait]
impl VersionSource for Source {
    async fn current(&self, _: &Egress) -> Result<ClientVersion, String> {
        match self.asked.fetch_add(1, Ordering::Relaxed) {
            0 => Err("not reachable".to_owned()),
            _ => Ok(self.later),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outdated_client_looks_its_version_up_until_there_is_a_newer_one_and_heals() {
    let stage = Stage::new(170).await;
    let asked = Arc::new(AtomicU32::new(0));
    let later = ClientVersion::new(2, 3000, 2_000_000_000);
    let source = Source { asked: Arc::clone(&asked), later };
    let (client, mut events) = stage.builder().version_source(source).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    stage
        .sim
        .fault(Fault { count: Some(2), ..Fault::new(Match::phase(Phase::Login), failure(405, None, None)) });
    client.reconnect_now();
    let health = healthy(&client, "the refusal", |health| health.status == Status::ClientOutdated).await;
    assert_eq!((health.cause, health.healing), (Cause::ClientOutdated, Healing::ByItself));
    assert_eq!(health.next_attempt.map(|at| at.since(health.since).as_secs()), Some(3600));
    healthy_within(&client, "healed", Duration::from_secs(3700), wa_client::health::Health::is_online).await;
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert!(client.me().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_looked_up_is_known_after_a_restart() {
    let stage = Stage::with(174, |config| config.version_floor = 1_999_999_999).await;
    let source =
        Source { asked: Arc::new(AtomicU32::new(1)), later: ClientVersion::new(2, 3000, 2_000_000_000) };
    let (client, mut events) = stage.builder().version_source(source).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    client.shutdown(PATIENCE).await;
    // Nobody is asked this time, and the built-in version would be refused.
    let (client, _events) = stage.start().await;
    client.wait_online(PATIENCE).await.expect("not refused");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_makes_room_for_a_newer_one_says_so() {
    let stage = Stage::new(171).await;
    let (client, _events) = stage.linked().await;
    let me = client.me().and_then(|me| me.pn).expect("linked");
    let device = wa_binary::Node::new("device").attr("jid", me.with_device(9, wa_binary::Hosting::Own));
    let notification = wa_binary::Node::new("notification")
        .attr("from", me)
        .attr("type", "devices")
        .attr("id", "new-device")
        .child(wa_binary::Node::new("add").child(device.attr("key-index", "9")));
    assert!(stage.sim.send(BOT, 1, notification));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.sim.world(|world, now_ms| {
        let key = wa_sim::world::DeviceKey { account: world.find_pn(BOT).expect("Bot"), device: 1 };
        world.unlink_from_phone(now_ms, key);
    });
    let health = healthy(&client, "the end", |health| health.cause == Cause::EvictedByNewDevice).await;
    assert_eq!(health.status, Status::LoggedOut(LoggedOutBy::NewDevice));
    assert_eq!(client.me(), None);
}

#[tokio::test(start_paused = true)]
async fn an_account_without_place_for_a_device_says_so() {
    let stage = Stage::new(172).await;
    let (client, _events) = stage.start().await;
    let md = Match { child: Some("link_code_companion_reg".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::once(md, Action::IqError { code: 419, text: "resource-limit".into() }));
    let asked = client.linking().code("+15550100", wa_client::linking::CodeOptions::default()).await;
    assert_eq!(asked, Err(wa_client::linking::CodeError::DeviceLimit));
    let health = healthy(&client, "the limit", |health| health.status == Status::DeviceLimit).await;
    assert_eq!(health.cause, Cause::DeviceLimit);
}

#[tokio::test(start_paused = true)]
async fn logging_out_works_with_the_server_and_without_it() {
    let stage = Stage::new(173).await;
    let (client, mut events) = stage.linked().await;
    client.logout().await.expect("told");
    let health =
        healthy(&client, "the end", |health| health.status == Status::LoggedOut(LoggedOutBy::User)).await;
    assert_eq!(health.cause, Cause::LoggedOutByUser);
    client.reconnect_now();
    stage.link(&client, &mut events).await;
    stage.unreachable();
    healthy(&client, "the outage", |health| matches!(health.status, Status::Reconnecting { .. })).await;
    assert!(client.logout().await.is_err());
    assert!(client.me().is_some(), "a server that was not told keeps the link");
    client.logout_force().await;
    healthy(&client, "the end", |health| health.status == Status::LoggedOut(LoggedOutBy::User)).await;
    assert_eq!(client.me(), None);
}
