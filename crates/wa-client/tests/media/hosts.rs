//! Hosts that are played by hand: one that is out of reach, one that announces more than it has, one that knows no
//! ranges.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::Uri;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use wa_client::egress::Egress;
use wa_client::health::{Cause, Health, Language, Status};
use wa_client::media::{ByteStream, MediaConnector, TransferError};
use wa_client::messages::builder::Message;
use wa_client::messages::content::{Media, MediaKey, MediaKind};
use wa_client::messages::sending::SendReport;
use wa_client::{DialError, Jid};
use wa_media::Sidecar;
use wa_sim::SimHandle;
use wa_sim::faults::{Action, Fault, Match, MediaFault, Phase};

use crate::samples::noise;
use crate::stage::{ADA, Stage, healthy};

/// Reaches the fallback host alone.
struct Fallback {
    sim: Arc<SimHandle>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl MediaConnector for Fallback {
    async fn connect(&self, url: &Uri, _: &Egress) -> Result<Box<dyn ByteStream>, DialError> {
        let host = url.host().unwrap_or_default();
        self.asked.lock().push(host.to_owned());
        if host.contains("fallback") {
            return Ok(Box::new(self.sim.http()));
        }
        Err(DialError::Timeout(Duration::from_secs(20)))
    }
}

#[tokio::test(start_paused = true)]
async fn the_fallback_host_serves_when_the_first_is_out_of_reach() {
    let stage = Stage::new(141).await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let connector = Fallback { sim: Arc::clone(&stage.sim), asked: Arc::clone(&asked) };
    let (client, mut events) = stage.builder().media_connector(connector).connect().await.unwrap();
    stage.link(&client, &mut events).await;
    let file = noise(100_000, 1);
    let media = client.media().upload(MediaKind::Document, file.clone()).await.expect("it goes up");
    assert!(client.media().download(&media).to_bytes(1 << 20).await.expect("it comes down") == file);
    let asked = asked.lock();
    assert!(asked.contains(&"media.sim".to_owned()), "{asked:?}");
}

/// How a host by hand answers downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Announces more than there is, and closes.
    AnnouncesMore,
    /// Breaks off in the middle, and begins anew whatever is asked for.
    KnowsNoRanges,
    /// Breaks off in the middle, and goes on somewhere else than was asked.
    GoesOnElsewhere,
}

struct ByHand {
    sealed: Arc<Vec<u8>>,
    manner: Manner,
    broken: Arc<Mutex<bool>>,
}

#[async_trait]
impl MediaConnector for ByHand {
    async fn connect(&self, _: &Uri, _: &Egress) -> Result<Box<dyn ByteStream>, DialError> {
        let (near, far) = tokio::io::duplex(64 << 10);
        tokio::spawn(serve(far, Arc::clone(&self.sealed), self.manner, Arc::clone(&self.broken)));
        Ok(Box::new(near))
    }
}

async fn serve(
    mut stream: DuplexStream,
    sealed: Arc<Vec<u8>>,
    manner: Manner,
    broken: Arc<Mutex<bool>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let from =
        head.lines().find_map(|line| line.strip_prefix("range: bytes=")?.split('-').next()?.parse().ok());
    let from: Option<usize> = from;
    let half = sealed.len() / 2;
    let first = !std::mem::replace(&mut *broken.lock(), true);
    let (head, body) = match (manner, from) {
        (Manner::AnnouncesMore, Some(from)) if from >= sealed.len() => {
            ("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n".to_owned(), &sealed[..0])
        }
        (Manner::AnnouncesMore, _) => {
            (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", sealed.len() + 10), &sealed[..])
        }
        (Manner::GoesOnElsewhere, Some(_)) if !first => {
            let range = format!("bytes 16-{}/{}", sealed.len() - 1, sealed.len());
            let head = format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: {range}\r\nContent-Length: {}\r\n\r\n",
                sealed.len() - 16
            );
            (head, &sealed[16..])
        }
        _ => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", sealed.len());
            (head, if first { &sealed[..half] } else { &sealed[..] })
        }
    };
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}

async fn by_hand(seed: u64, manner: Manner) -> (Result<Vec<u8>, TransferError>, Vec<u8>) {
    let stage = Stage::new(seed).await;
    let key = MediaKey::from_slice(&[7; 32]).unwrap();
    let file = noise(100_000, seed);
    let (sealed, hashes) = wa_media::seal(&key.derive(MediaKind::Document), &file, Sidecar::None);
    let connector = ByHand { sealed: Arc::new(sealed), manner, broken: Arc::default() };
    let (client, _events) = stage.builder().media_connector(connector).connect().await.unwrap();
    let mut media = Media::new(MediaKind::Document);
    (media.key, media.direct_path) = (Some(key), Some("/v/x?oh=1".into()));
    (media.sha256, media.enc_sha256) = (Some(hashes.file_sha256), Some(hashes.file_enc_sha256));
    // Nobody is linked: the hosts that everybody knows are asked.
    let mut written = Vec::new();
    let result = client.media().download(&media).to_writer(&mut written).await;
    (result.map(|_| written), file)
}

#[tokio::test(start_paused = true)]
async fn a_host_that_announces_more_than_it_has_still_gives_the_file() {
    let (found, file) = by_hand(142, Manner::AnnouncesMore).await;
    assert!(found.expect("the file") == file);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_knows_no_ranges_is_skipped_over() {
    let (found, file) = by_hand(143, Manner::KnowsNoRanges).await;
    assert!(found.expect("the file") == file);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_goes_on_elsewhere_is_not_believed() {
    let (found, _) = by_hand(144, Manner::GoesOnElsewhere).await;
    assert!(matches!(found, Err(TransferError::Status(206))), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_all_down_are_told_in_the_health_with_a_remedy_until_a_file_goes() {
    let stage = Stage::new(144).await;
    let (client, _events) = stage.linked().await;
    let media = client.media().upload(MediaKind::Document, noise(1_000, 1)).await.expect("it goes up");
    let is_down = |health: &Health| health.status == Status::MediaUnreachable;
    let all = |fault| Fault::new(Match::phase(Phase::Media), Action::Media { fault });
    // What is wrong with one file says nothing of the hosts.
    stage.sim.fault(all(MediaFault::Status { status: 404, retry_after: None }));
    client.media().download(&media).to_bytes(1 << 20).await.expect_err("it is gone");
    assert!(!is_down(&client.health()), "{}", client.health());
    for fault in [MediaFault::Status { status: 503, retry_after: None }, MediaFault::Cut { after: 0 }] {
        stage.sim.heal();
        stage.sim.fault(all(fault));
        client.media().download(&media).to_bytes(1 << 20).await.expect_err("no host gives it");
        let health = client.health();
        assert!(is_down(&health) && health.cause == Cause::MediaHostsDown, "{health}");
        assert!(health.is_online() && health.evidence.is_some(), "messages go on: {health}");
        for (language, word) in
            [(Language::English, "mmg.whatsapp.net"), (Language::Russian, "mmg.whatsapp.net")]
        {
            assert!(health.remedy.text(language).contains(word), "{health}");
        }
        let sending = client.messages().send(&Jid::pn(ADA), "a text").await.unwrap();
        assert!(matches!(sending.await, SendReport::Accepted(_)));
        stage.sim.heal();
        client.media().upload(MediaKind::Document, noise(1_000, 2)).await.expect("it goes up");
        assert_eq!(client.health().cause, Cause::Working, "{}", client.health());
    }
    // A message with a file waits, and its upload ends the condition.
    stage.sim.fault(all(MediaFault::Status { status: 500, retry_after: None }));
    let sending = client.messages().send(&Jid::pn(ADA), Message::document(noise(100, 3))).await.unwrap();
    healthy(&client, "that the hosts are down", is_down).await;
    stage.sim.heal();
    assert!(matches!(sending.await, SendReport::Accepted(_)));
    healthy(&client, "that they are up", |health| health.cause == Cause::Working).await;
    // A new login knows nothing of what was.
    stage.sim.fault(all(MediaFault::Status { status: 500, retry_after: None }));
    client.media().download(&media).to_bytes(1 << 20).await.expect_err("no host gives it");
    assert!(is_down(&client.health()));
    client.reconnect_now();
    healthy(&client, "a new login", |health| health.cause == Cause::Working).await;
    stage.assert_clean();
}
