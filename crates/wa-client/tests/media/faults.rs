//! The host fails in every way; what comes out is the file or a typed error, and never anything else.

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;
use wa_client::Client;
use wa_client::events::EventStream;
use wa_client::media::{MediaError, Monitor, TransferError};
use wa_client::messages::content::{Media, MediaKind};
use wa_client::sabotage::Sabotage;
use wa_sim::faults::{Action, Fault, Match, MediaFault, Phase};
use wa_sim::trace::Filter;

use crate::samples::noise;
use crate::stage::Stage;

const LENGTH: usize = 400_000;

struct Scene {
    stage: Stage,
    client: Client,
    _events: EventStream,
    folder: TempDir,
    file: Vec<u8>,
    media: Media,
}

async fn scene(seed: u64, sabotage: Sabotage) -> Scene {
    let stage = Stage::new(seed).await;
    let (client, mut events) = stage.builder().sabotage(sabotage).connect().await.unwrap();
    stage.link(&client, &mut events).await;
    let file = noise(LENGTH, seed);
    let media = client.media().upload(MediaKind::Document, file.clone()).await.unwrap();
    Scene { stage, client, _events: events, folder: TempDir::new().unwrap(), file, media }
}

fn on(method: &str) -> Match {
    Match { tag: Some(method.into()), ..Match::phase(Phase::Media) }
}

impl Scene {
    fn once(&self, method: &str, fault: MediaFault) {
        self.stage.sim.fault(Fault::once(on(method), Action::Media { fault }));
    }

    fn always(&self, method: &str, fault: MediaFault) {
        self.stage.sim.fault(Fault::new(on(method), Action::Media { fault }));
    }

    /// Downloads in every way; each must give the file, or the same sort of error and nothing of the file.
    async fn down(&self) -> Result<(), TransferError> {
        let path = self.folder.path().join("target");
        let result = self.client.media().download(&self.media).to_path(&path).await;
        match &result {
            Ok(_) => assert!(std::fs::read(&path).unwrap() == self.file, "another file"),
            Err(_) => assert!(!path.exists(), "something was handed out"),
        }
        let _ = std::fs::remove_file(&path);
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), 0, "something is left behind");
        result.map(drop)
    }
}

fn faults() -> Vec<(&'static str, MediaFault)> {
    let status = |status| MediaFault::Status { status, retry_after: None };
    vec![
        ("cut", MediaFault::Cut { after: 100_000 }),
        ("cut at once", MediaFault::Cut { after: 0 }),
        ("truncated", MediaFault::Truncated),
        ("flipped", MediaFault::FlippedBit),
        ("extra", MediaFault::ExtraBytes),
        ("slow", MediaFault::Slow { bytes_per_second: 20_000 }),
        ("302", status(302)),
        ("401", status(401)),
        ("403", status(403)),
        ("404", status(404)),
        ("410", status(410)),
        ("429", MediaFault::Status { status: 429, retry_after: Some(7) }),
        ("500", status(500)),
        ("503", status(503)),
        ("507", status(507)),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_got_over() {
    let scene = scene(111, Sabotage::None).await;
    for (name, fault) in faults() {
        let begin = Instant::now();
        scene.once("GET", fault);
        scene.down().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        if name == "429" {
            assert!(begin.elapsed() >= Duration::from_secs(7), "it was not waited");
        }
        assert!(scene.stage.sim.world(|world, _| world.faults().entries()[0].struck > 0), "{name}");
        scene.stage.sim.heal();
        let mut written = Vec::new();
        scene.once("GET", fault);
        let result = scene.client.media().download(&scene.media).to_writer(&mut written).await;
        // In one pass what has been written cannot be taken back.
        let is_corrupt = matches!(name, "truncated" | "flipped" | "extra");
        assert_eq!(result.is_err(), is_corrupt, "{name}: {result:?}");
        assert!(is_corrupt || written == scene.file, "{name}");
        scene.stage.sim.heal();
        scene.once("GET", fault);
        let bytes = scene.client.media().download(&scene.media).to_bytes(1 << 20).await;
        assert!(bytes.unwrap() == scene.file, "{name}");
        scene.stage.sim.heal();
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_stays_is_named() {
    use TransferError as T;
    let scene = scene(112, Sabotage::None).await;
    for (name, fault) in faults() {
        scene.always("GET", fault);
        let error = match (name, scene.down().await) {
            ("slow", Ok(())) => continue,
            // It goes on where it broke, a piece further each time.
            ("cut", Ok(())) => continue,
            (_, result) => result.expect_err(name),
        };
        let fits = match name {
            "cut" | "cut at once" => matches!(error, T::Network(_)),
            "truncated" | "flipped" => matches!(error, T::File(_)),
            "extra" => matches!(error, T::File(_)),
            "401" | "403" => matches!(error, T::Rejected(_)),
            "404" | "410" => matches!(error, T::Expired),
            status => matches!(error, T::Status(code) if code.to_string() == status),
        };
        assert!(fits, "{name}: {error:?}");
        scene.stage.sim.heal();
    }
    scene.stage.sim.heal();
    scene.down().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_upload_gets_over_what_passes_and_names_what_stays() {
    let scene = scene(113, Sabotage::None).await;
    let big = noise(6 << 20, 1);
    for (name, fault) in faults() {
        let sealed = scene.client.media().seal(MediaKind::Document, big.clone()).await.unwrap();
        scene.once("POST", fault);
        let monitor = Monitor::new();
        let media = scene.client.media().upload_sealed(&sealed, &monitor).await;
        let media = media.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(Some(monitor.progress().done), monitor.progress().total, "{name}");
        scene.stage.sim.heal();
        let down = scene.client.media().download(&media).to_bytes(8 << 20).await.unwrap();
        assert!(down == big, "{name}");
    }
    for status in [413, 415, 500, 401] {
        scene.always("POST", MediaFault::Status { status, retry_after: None });
        let error = scene.client.media().upload(MediaKind::Document, noise(100, 2)).await.unwrap_err();
        let expected = match status {
            401 => TransferError::Rejected(401),
            other => TransferError::Status(other),
        };
        assert_eq!(error.to_string(), expected.to_string());
        scene.stage.sim.heal();
    }
    scene.always("POST", MediaFault::Cut { after: 10 });
    let error = scene.client.media().upload(MediaKind::Document, noise(1000, 3)).await.unwrap_err();
    assert!(matches!(error, TransferError::Network(_)) && error.can_try_again(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_large_upload_goes_on_where_it_broke() {
    let scene = scene(114, Sabotage::None).await;
    let big = noise(6 << 20, 2);
    let sealed = scene.client.media().seal(MediaKind::Document, big.clone()).await.unwrap();
    // The first request asks how much is there; the second is cut.
    let skip = MediaFault::Status { status: 500, retry_after: None };
    scene.once("POST", skip);
    scene.once("POST", MediaFault::Cut { after: 5 << 20 });
    let media = scene.client.media().upload_sealed(&sealed, &Monitor::new()).await.unwrap();
    let down = scene.client.media().download(&media).to_bytes(8 << 20).await.unwrap();
    assert!(down == big);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_renewed_is_asked_for_once_and_kept() {
    let scene = scene(115, Sabotage::None).await;
    let filter = Filter { xmlns: Some("w:m".into()), ..Filter::default() };
    // Question and answer; answers say no namespace.
    let asked = || scene.stage.sim.trace(&filter).len();
    let before = asked();
    scene.client.media().upload(MediaKind::Image, noise(10, 1)).await.unwrap();
    assert_eq!(asked(), before, "the answer is kept");
    scene.stage.sim.world(|world, _| world.renew_media_auth());
    let all = (0..5).map(|number| scene.client.media().upload(MediaKind::Image, noise(10, 10 + number)));
    for media in futures_util::future::join_all(all).await {
        media.unwrap();
    }
    assert_eq!(asked(), before + 1, "five uploads ask once");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    scene.client.media().upload(MediaKind::Image, noise(10, 3)).await.unwrap();
    assert_eq!(asked(), before + 2, "an answer expires");
}

#[tokio::test(start_paused = true)]
async fn a_silent_host_is_given_up_and_a_transfer_can_be_cancelled() {
    let scene = scene(116, Sabotage::None).await;
    scene.always("GET", MediaFault::Slow { bytes_per_second: 1 });
    let monitor = Monitor::new();
    let download = scene.client.media().download(&scene.media).monitor(&monitor);
    let path = scene.folder.path().join("target");
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        monitor.cancel();
    };
    let (result, ()) = tokio::join!(download.to_path(&path), cancel);
    assert!(matches!(result, Err(TransferError::Cancelled)), "{result:?}");
    assert_eq!(std::fs::read_dir(scene.folder.path()).unwrap().count(), 0);
    // A piece takes longer than the patience: nothing moves.
    let result = scene.down().await;
    assert!(matches!(result, Err(TransferError::Stalled(_))), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_takes_no_more_ends_the_download() {
    let scene = scene(118, Sabotage::None).await;
    let (mut writer, reader) = tokio::io::duplex(1024);
    drop(reader);
    let result = scene.client.media().download(&scene.media).to_writer(&mut writer).await;
    assert!(matches!(result, Err(TransferError::Destination(_))), "{result:?}");
    let nowhere = scene.folder.path().join("no such folder").join("target");
    let result = scene.client.media().download(&scene.media).to_path(nowhere).await;
    assert!(matches!(result, Err(TransferError::Destination(_))), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reference_that_cannot_be_right_asks_nobody() {
    use TransferError as T;
    let scene = scene(119, Sabotage::None).await;
    scene.always("GET", MediaFault::Status { status: 500, retry_after: None });
    let mut media = scene.media.clone();
    media.direct_path = Some("//evil.example/x".into());
    let elsewhere = scene.client.media().download(&media).to_bytes(1 << 20).await;
    assert!(matches!(elsewhere, Err(T::File(MediaError::DirectPath))), "{elsewhere:?}");
    (media.direct_path, media.url) = (None, Some("https://evil.example/x".into()));
    let elsewhere = scene.client.media().download(&media).to_bytes(1 << 20).await;
    assert!(matches!(elsewhere, Err(T::NoFile)), "{elsewhere:?}");
    (media.key, media.sha256) = (None, None);
    let unchecked = scene.client.media().download(&media).to_bytes(1 << 20).await;
    assert!(matches!(unchecked, Err(T::NoHash)), "{unchecked:?}");
    // Another hash of the plaintext under a good MAC: the sender has lied, no host can help.
    scene.stage.sim.heal();
    let mut lied = scene.media.clone();
    lied.sha256 = Some([1; 32]);
    let error = scene.client.media().download(&lied).to_bytes(1 << 20).await.unwrap_err();
    assert!(matches!(error, T::File(MediaError::PlaintextHash)) && !error.can_try_again(), "{error:?}");
    let path = scene.folder.path().join("target");
    assert!(scene.client.media().download(&lied).to_path(&path).await.is_err() && !path.exists());
}

#[tokio::test(start_paused = true)]
async fn sabotage_a_client_that_does_not_check_hands_out_what_is_not_the_file() {
    let scene = scene(117, Sabotage::UncheckedMedia).await;
    scene.always("GET", MediaFault::FlippedBit);
    let seen = std::panic::AssertUnwindSafe(scene.down());
    let seen = futures_util::FutureExt::catch_unwind(seen).await;
    assert!(seen.is_err(), "the test would not notice");
}
