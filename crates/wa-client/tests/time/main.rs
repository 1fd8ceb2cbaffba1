//! What takes hours, in virtual time: the back-off, a socket that dies quietly, a quiet day, and a day of random faults
//! with traffic (chapters 01 §11, §12 and 10 §12). QR rotation and the expiry of codes are among the tests of linking.
#![allow(clippy::print_stdout)]

#[path = "../stage/mod.rs"]
mod stage;

mod day;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;
use wa_client::health::{Cause, Status};
use wa_client::{BoxTransport, Connector, DialError, DialRequest};
use wa_sim::faults::{Action, Direction, Fault, FreezeMode, Match, StreamFault, StreamForm};

use stage::{PATIENCE, Stage, healthy_within};

/// Never connects, and notes when it was asked to.
#[derive(Clone, Default)]
struct DeadEnd(Arc<Mutex<Vec<Instant>>>);

#[async_trait]
impl Connector for DeadEnd {
    async fn connect(&self, _: &DialRequest) -> Result<BoxTransport, DialError> {
        self.0.lock().push(Instant::now());
        Err(DialError::Status(503))
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_follow_the_series_within_its_jitter_up_to_a_quarter_of_an_hour() {
    let stage = Stage::new(1).await;
    let dead_end = DeadEnd::default();
    let (client, _events) = stage.builder().connector(dead_end.clone()).connect().await.expect("started");
    let health = healthy_within(&client, "the wait", PATIENCE, |health| {
        matches!(health.status, Status::Reconnecting { .. })
    })
    .await;
    assert_eq!(health.cause, Cause::ServerTrouble);
    tokio::time::sleep(Duration::from_secs(3 * 3600)).await;
    let times = dead_end.0.lock().clone();
    let waits: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    let series = [1., 1., 2., 3., 5., 8., 13., 21., 34., 55., 89., 144., 233., 377., 610.];
    assert!(waits.len() > series.len(), "{waits:?}");
    for (wait, middle) in waits.iter().zip(series.into_iter().chain(std::iter::repeat(900.))) {
        assert!((wait / middle - 1.).abs() < 0.101, "{wait} for {middle}: {waits:?}");
    }
    assert!(waits.iter().all(|wait| *wait <= 900.01), "{waits:?}");
    // Whoever asks does not wait.
    let before = dead_end.0.lock().len();
    client.reconnect_now();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(dead_end.0.lock().len() > before);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_dies_quietly_is_noticed_in_time_and_replaced_at_once() {
    for (seed, mode) in [(2, FreezeMode::Both), (3, FreezeMode::NeverWrite), (4, FreezeMode::NeverRead)] {
        let stage = Stage::new(seed).await;
        let (client, _events) = stage.linked().await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert!(client.health().is_online());
        let before = stage.sim.stats().connections;
        stage.sim.fault(Fault::once(Match::stanza(Direction::In, "iq"), Action::Freeze { mode }));
        let begun = Instant::now();
        healthy_within(&client, "the loss", Duration::from_secs(120), |health| {
            health.attempts.iter().any(|attempt| attempt.failure == Some(Cause::KeepaliveLost))
        })
        .await;
        // Questions go out after 15 to 30 s: the one that is the last to be answered, and the one whose answer is
        // awaited in vain for 20.
        let noticed = begun.elapsed();
        assert!(noticed <= Duration::from_secs(81), "{mode:?}: {noticed:?}");
        client.wait_online(Duration::from_secs(5)).await.expect("at once");
        assert_eq!(stage.sim.stats().connections, before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_day_keeps_one_connection() {
    let stage = Stage::new(5).await;
    let (client, _events) = stage.linked().await;
    let before = stage.sim.stats().connections;
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(client.health().is_online());
    assert_eq!(stage.sim.stats().connections, before);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_one_restart_after_the_other_is_not_hammered() {
    let stage = Stage::new(6).await;
    let (client, _events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let restart = StreamFault { code: Some(515), form: StreamForm::Bare };
    stage.sim.fault(Fault::new(Match::stanza(Direction::Out, "iq"), Action::StreamError(restart)));
    let before = stage.sim.stats().connections;
    client.reconnect_now();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let made = stage.sim.stats().connections - before;
    assert!((4..10).contains(&made), "{made} connections in a minute");
    stage.sim.heal();
    client.wait_online(Duration::from_secs(120)).await.expect("online again");
    stage.assert_clean();
}
