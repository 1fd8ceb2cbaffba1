//! Messages with files: looked at, uploaded and delivered, whatever happens in between.

use std::time::Duration;

use prost::Message as _;
use tempfile::TempDir;
use tokio::time::timeout;
use wa_client::media::{AUTOMATIC, FileFault, MOST_IN_MEMORY, TransferError};
use wa_client::messages::builder::{Message, Unsendable};
use wa_client::messages::content::{Content, Dimensions, MediaKind, Motion, Parsed, VideoKind, Viewing};
use wa_client::messages::sending::{Refusal, SendError, SendReport};
use wa_client::{Jid, RequestError};
use wa_sim::faults::{Action, Direction, Fault, Match, MediaFault, Phase};

use crate::samples::{film, noise, picture, song, voice};
use crate::stage::{ADA, PATIENCE, Stage};

fn ada() -> Jid {
    Jid::pn(ADA)
}

/// What Ada's phone has, oldest first, once there are so many.
pub(crate) async fn ada_has(stage: &Stage, count: usize) -> Vec<Parsed> {
    let parse =
        |bytes: &[u8]| Parsed::read(&wa_proto::e2e_message::Message::decode(bytes).expect("a message"));
    stage.inbox_of(ADA, count, |_| true).await.iter().map(|received| parse(&received.message)).collect()
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_looked_at_and_arrives_with_its_bytes() {
    let stage = Stage::new(91).await;
    let (client, _events) = stage.linked().await;
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let jpeg = picture(400, 200, image::ImageFormat::Jpeg);
    let png = picture(30, 40, image::ImageFormat::Png);
    let webp = picture(512, 512, image::ImageFormat::WebP);
    let (mp4, opus, mp3) = (film(640, 360, 12, 200_000), voice(250), song(10));
    let table = b"name,number\n".to_vec();
    let sent = [
        (Message::image(put("a.jpg", &jpeg)).caption("an image"), &jpeg),
        (Message::file(put("b.bin", &png)).caption("found out").view_once(), &png),
        (Message::video(put("c.mp4", &mp4)), &mp4),
        (Message::gif(mp4.clone()), &mp4),
        (Message::round_video(mp4.clone()), &mp4),
        (Message::file(put("d.mp3", &mp3)), &mp3),
        (Message::voice_note(put("e.ogg", &opus)), &opus),
        (Message::file(put("f.csv", &table)), &table),
        (Message::document(table.clone()).file_name("g.csv").caption("read this"), &table),
        (Message::sticker(webp.clone()), &webp),
    ];
    for (message, _) in &sent {
        let report = client.messages().send(&ada(), message.clone()).await.expect("it is taken").await;
        assert!(matches!(report, SendReport::Accepted(_)), "{message:?}: {report:?}");
    }
    let got = ada_has(&stage, sent.len()).await;
    for (parsed, (_, bytes)) in got.iter().zip(&sent) {
        let media = parsed.content.media().expect("a file");
        assert!(media.url.as_ref().is_some_and(|url| url.starts_with("https://")));
        let down = client.media().download(media).to_bytes(1 << 20).await.expect("it comes down");
        assert!(down == **bytes, "{:?}", parsed.content);
    }
    let [image, png, video, gif, round, song, note, table, named, sticker] = &got[..] else { panic!() };
    let Content::Image(image) = &image.content else { panic!("{image:?}") };
    assert_eq!(
        (image.dimensions, image.caption.as_deref()),
        (Some(Dimensions::new(400, 200)), Some("an image"))
    );
    assert_eq!(image.media.mime.as_deref(), Some("image/jpeg"));
    let preview = image::load_from_memory(image.preview.as_ref().expect("a preview")).unwrap();
    assert_eq!((preview.width(), preview.height()), (100, 50));
    assert!(matches!(&png.content, Content::Image(image) if image.caption.as_deref() == Some("found out")));
    assert_eq!(png.viewing, Viewing::Once);
    for (video, kind) in [(video, VideoKind::Video), (gif, VideoKind::Gif), (round, VideoKind::Round)] {
        let Content::Video(video) = &video.content else { panic!("{video:?}") };
        assert_eq!((video.kind, video.seconds), (kind, Some(12)));
        assert_eq!(video.dimensions, Some(Dimensions::new(640, 360)));
        assert!(video.sidecar.is_some());
    }
    let Content::Audio(song) = &song.content else { panic!("{song:?}") };
    assert_eq!((song.seconds, song.media.mime.as_deref()), (Some(10), Some("audio/mpeg")));
    let Content::VoiceNote(note) = &note.content else { panic!("{note:?}") };
    assert_eq!((note.seconds, note.waveform.as_ref().map(bytes::Bytes::len)), (Some(5), Some(64)));
    let Content::Document(table) = &table.content else { panic!("{table:?}") };
    assert_eq!((table.file_name.as_deref(), table.media.mime.as_deref()), (Some("f.csv"), Some("text/csv")));
    let Content::Document(named) = &named.content else { panic!("{named:?}") };
    assert_eq!((named.file_name.as_deref(), named.caption.as_deref()), (Some("g.csv"), Some("read this")));
    let Content::Sticker(sticker) = &sticker.content else { panic!("{sticker:?}") };
    assert_eq!((sticker.dimensions, &sticker.motion), (Some(Dimensions::new(512, 512)), &Motion::Still));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_is_said_counts_for_more_than_what_is_found() {
    let stage = Stage::new(92).await;
    let (client, _events) = stage.linked().await;
    let message = Message::video(film(640, 360, 12, 10))
        .dimensions(1, 2)
        .seconds(3)
        .thumbnail(&b"a preview"[..])
        .mime("video/x");
    client.messages().send(&ada(), message).await.unwrap().await;
    let message = Message::voice_note(voice(250)).waveform(vec![7; 64]).seconds(1);
    client.messages().send(&ada(), message).await.unwrap().await;
    let got = ada_has(&stage, 2).await;
    let Content::Video(video) = &got[0].content else { panic!("{got:?}") };
    assert_eq!((video.dimensions, video.seconds), (Some(Dimensions::new(1, 2)), Some(3)));
    assert_eq!(
        (video.preview.as_deref(), video.media.mime.as_deref()),
        (Some(&b"a preview"[..]), Some("video/x"))
    );
    let Content::VoiceNote(note) = &got[1].content else { panic!("{got:?}") };
    assert_eq!((note.waveform.as_deref(), note.seconds), (Some(&[7; 64][..]), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_file_is_said_before_anything_leaves() {
    let stage = Stage::new(93).await;
    let (client, _events) = stage.linked().await;
    let send = async |message| client.messages().send(&ada(), message).await.map(|_| ()).unwrap_err();
    use FileFault as F;
    assert!(matches!(send(Message::file("/no/such/file")).await, SendError::File(F::Unreadable(_))));
    assert!(matches!(send(Message::image(vec![])).await, SendError::File(F::Empty)));
    assert!(matches!(send(Message::image(b"text".to_vec())).await, SendError::File(F::NotAnImage)));
    let stereo = SendError::File(F::NotAVoiceNote);
    assert_eq!(send(Message::voice_note(song(1))).await.to_string(), stereo.to_string());
    let large = noise(usize::try_from(MOST_IN_MEMORY).unwrap() + 1, 1);
    assert!(matches!(send(Message::document(large)).await, SendError::File(F::TooMuchInMemory { .. })));
    let caption = Message::image(picture(5, 5, image::ImageFormat::Png)).caption("é".repeat(5000));
    assert!(matches!(send(caption).await, SendError::Unsendable(Unsendable::TooLong { .. })));
    let mut limits = wa_client::messages::content::Limits::default();
    limits.media = 1000;
    let image = Message::image(picture(90, 90, image::ImageFormat::Png)).limits(limits);
    assert!(matches!(send(image).await, SendError::Unsendable(Unsendable::TooLarge { most: 1000, .. })));
    assert!(stage.sim.inbox(ADA).is_empty());
    // A large video is a document, unless somebody says that it is a video.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.mp4");
    std::fs::write(&path, film(640, 360, 12, usize::try_from(AUTOMATIC).unwrap())).unwrap();
    client.messages().send(&ada(), Message::file(&path)).await.unwrap().await;
    let got = ada_has(&stage, 1).await;
    assert!(matches!(&got[0].content, Content::Document(it) if it.file_name.as_deref() == Some("long.mp4")));
}

#[tokio::test(start_paused = true)]
async fn a_file_waits_for_the_connection_and_keeps_its_turn_across_a_restart() {
    let stage = Stage::new(94).await;
    let (client, events) = stage.linked().await;
    stage.unreachable();
    let bytes = noise(50_000, 5);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.bin");
    std::fs::write(&path, &bytes).unwrap();
    client.messages().send(&ada(), Message::file(&path)).await.unwrap();
    client.messages().send(&ada(), Message::document(bytes.clone()).file_name("b.bin")).await.unwrap();
    client.messages().send(&ada(), "behind them").await.unwrap();
    client.shutdown(PATIENCE).await;
    drop((client, events));
    stage.sim.heal();
    let (client, _events) = stage.start().await;
    client.wait_online(PATIENCE).await.unwrap();
    let got = ada_has(&stage, 3).await;
    for parsed in &got[..2] {
        let media = parsed.content.media().expect("a file");
        assert!(client.media().download(media).to_bytes(1 << 20).await.unwrap() == bytes);
    }
    assert_eq!(got[2].content.text(), Some("behind them"));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_or_changed_is_named_in_the_report() {
    let stage = Stage::new(95).await;
    let (client, _events) = stage.linked().await;
    let folder = TempDir::new().unwrap();
    let send = async |name: &str, then: &dyn Fn(&std::path::Path)| {
        let path = folder.path().join(name);
        std::fs::write(&path, noise(50_000, 6)).unwrap();
        // The host is busy: the upload waits until the source has changed.
        let busy = MediaFault::Status { status: 500, retry_after: None };
        stage.sim.fault(Fault::new(
            Match { tag: Some("POST".into()), ..Match::phase(Phase::Media) },
            Action::Media { fault: busy },
        ));
        let sending = client.messages().send(&ada(), Message::file(&path)).await.unwrap();
        then(&path);
        stage.sim.heal();
        sending.await
    };
    let gone = send("gone", &|path| std::fs::remove_file(path).unwrap()).await;
    assert_eq!(gone, SendReport::Refused(Refusal::FileMissing));
    let changed = send("changed", &|path| std::fs::write(path, noise(50_000, 7)).unwrap()).await;
    assert_eq!(changed, SendReport::Refused(Refusal::FileChanged));
    let shorter = send("shorter", &|path| std::fs::write(path, noise(49_000, 6)).unwrap()).await;
    assert_eq!(shorter, SendReport::Refused(Refusal::FileChanged));
    let longer = send("longer", &|path| std::fs::write(path, noise(150_000, 6)).unwrap()).await;
    assert_eq!(longer, SendReport::Refused(Refusal::FileChanged));
    let large = MediaFault::Status { status: 413, retry_after: None };
    stage.sim.fault(Fault::once(Match::phase(Phase::Media), Action::Media { fault: large }));
    let report = client.messages().send(&ada(), Message::document(vec![1; 100])).await.unwrap().await;
    assert_eq!(report, SendReport::Refused(Refusal::FileRefused(413)));
    assert!(stage.sim.inbox(ADA).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_upload_can_be_watched_and_withdrawn() {
    let stage = Stage::new(96).await;
    let (client, _events) = stage.linked().await;
    let busy = MediaFault::Status { status: 503, retry_after: None };
    stage.sim.fault(Fault::new(Match::phase(Phase::Media), Action::Media { fault: busy }));
    let sending = client.messages().send(&ada(), Message::document(noise(9000, 8))).await.unwrap();
    let id = sending.id.clone();
    let monitor = timeout(PATIENCE, async {
        loop {
            match client.media().upload_of(&id) {
                Some(monitor) => return monitor,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    });
    assert!(monitor.await.expect("it runs").progress().total.is_some());
    assert!(client.messages().cancel(&id).await.unwrap());
    assert_eq!(sending.await, SendReport::Refused(Refusal::Cancelled));
    stage.sim.heal();
    client.messages().send(&ada(), "after it").await.unwrap().await;
    let got = ada_has(&stage, 1).await;
    assert_eq!(got[0].content.text(), Some("after it"));
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_not_told_are_asked_for_again() {
    let stage = Stage::new(98).await;
    let (client, _events) = stage.linked().await;
    let refused = Action::IqError { code: 503, text: String::new() };
    let asked = Match { xmlns: Some("w:m".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::new(asked, refused));
    let alone = client.media().upload(MediaKind::Document, noise(100, 1)).await;
    assert!(matches!(alone, Err(TransferError::Hosts(RequestError::Refused { code: 503, .. }))), "{alone:?}");
    let sending = client.messages().send(&ada(), Message::document(noise(100, 1))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(stage.sim.inbox(ADA).is_empty() && client.health().is_online());
    stage.sim.heal();
    assert!(matches!(sending.await, SendReport::Accepted(_)));
    ada_has(&stage, 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_album_is_a_head_and_its_items() {
    let stage = Stage::new(97).await;
    let (client, _events) = stage.linked().await;
    let items = vec![
        Message::image(picture(20, 20, image::ImageFormat::Png)).caption("one"),
        Message::video(film(64, 36, 1, 100)),
        Message::image(picture(20, 20, image::ImageFormat::Jpeg)),
    ];
    let sent = client.messages().send_album(&ada(), items).await.unwrap();
    let head = sent[0].id.clone();
    for one in sent {
        assert!(matches!(one.await, SendReport::Accepted(_)));
    }
    let got = ada_has(&stage, 4).await;
    assert!(matches!(&got[0].content, Content::Album(album) if (album.images, album.videos) == (2, 1)));
    assert!(got[1..].iter().all(|item| item.album.as_ref().is_some_and(|album| album.id == head)));
    let wrong = client.messages().send_album(&ada(), vec!["a".into(), "b".into()]).await;
    assert!(matches!(wrong, Err(SendError::Unsendable(Unsendable::NotInAlbum))));
    let few = vec![Message::image(picture(20, 20, image::ImageFormat::Png))];
    let few = client.messages().send_album(&ada(), few).await;
    assert!(matches!(few, Err(SendError::Unsendable(Unsendable::Count { .. }))));
    stage.assert_clean();
}
