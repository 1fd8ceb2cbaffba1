//! Files between this client and the simulator's phones, in both directions, and the phone's help with a lost file.

use prost::Message as _;
use tempfile::TempDir;
use wa_client::events::{EventStream, Kind};
use wa_client::media::{FileRef, RetryResult, TransferError};
use wa_client::messages::builder::Message;
use wa_client::messages::content::{Content, Image, Media, MediaKey, MediaKind, Thumbnail, Viewing};
use wa_client::messages::types::ReceivedMessage;
use wa_client::{Client, Jid};
use wa_media::Sidecar;
use wa_sim::phone::{Action, File, Manner, MediaRetry};
use wa_sim::seed::SeedGroup;

use crate::samples::{film, noise, picture, song, voice};
use crate::stage::{ADA, BOT, PATIENCE, Stage, next};

const KINDS: [MediaKind; 8] = [
    MediaKind::Image,
    MediaKind::Video,
    MediaKind::Gif,
    MediaKind::VideoNote,
    MediaKind::Audio,
    MediaKind::VoiceNote,
    MediaKind::Document,
    MediaKind::Sticker,
];

/// Ada sends a file; gives it as it came, and its id.
pub(crate) async fn from_ada(
    stage: &Stage,
    events: &mut EventStream,
    chat: &Jid,
    file: File,
    viewing: Viewing,
) -> ReceivedMessage {
    let manner = Manner { viewing, ..Manner::default() };
    let id = stage.sim.act(ADA, Action::File { chat: chat.clone(), file, manner }).unwrap().expect("an id");
    next(events, "the file", |event| match &event.kind {
        Kind::Message(message) if message.id == id => Some((**message).clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn every_kind_comes_from_a_phone_with_its_bytes() {
    let stage = Stage::with(121, |config| {
        let group = SeedGroup {
            subject: "Friends".into(),
            creator: "Ada".into(),
            members: vec!["Bot".into()],
            ..SeedGroup::default()
        };
        config.world.as_mut().expect("a world").groups.push(group);
    })
    .await;
    let (client, mut events) = stage.linked().await;
    let group = client.groups().joined().await.expect("the groups")[0].jid.clone();
    let folder = TempDir::new().unwrap();
    for chat in [Jid::pn(BOT), group] {
        for kind in KINDS {
            let file = File::made_up(kind, 150_000).caption("look");
            let got = from_ada(&stage, &mut events, &chat, file, Viewing::Normal).await;
            let sent = stage.sim.file(ADA, &got.id).expect("the phone keeps it");
            assert_eq!(got.content.media().map(|media| media.kind), Some(kind));
            let path = folder.path().join("file");
            client.media().download(&got).to_path(&path).await.expect("it comes down");
            assert!(std::fs::read(&path).unwrap() == sent, "{kind:?}");
            if matches!(kind, MediaKind::Video | MediaKind::VoiceNote) {
                let part = client.media().download(&got).range(70_000..70_100).await.expect("a part");
                assert!(part == sent[70_000..70_100]);
            }
        }
    }
    let once = File::made_up(MediaKind::Image, 100);
    let once = from_ada(&stage, &mut events, &Jid::pn(BOT), once, Viewing::Once).await;
    assert_eq!(once.viewing, Viewing::Once);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn every_kind_goes_to_a_phone_with_its_bytes() {
    let stage = Stage::new(122).await;
    let (client, _events) = stage.linked().await;
    let sent = [
        (Message::image(picture(64, 64, image::ImageFormat::Png)), picture(64, 64, image::ImageFormat::Png)),
        (Message::video(film(64, 36, 2, 99_999)), film(64, 36, 2, 99_999)),
        (Message::gif(film(64, 36, 2, 5)), film(64, 36, 2, 5)),
        (Message::round_video(film(64, 64, 2, 5)), film(64, 64, 2, 5)),
        (Message::audio(song(3)), song(3)),
        (Message::voice_note(voice(100)), voice(100)),
        (Message::document(noise(12_345, 1)), noise(12_345, 1)),
        (Message::document(noise(10, 1)).caption("read this").file_name("a.bin"), noise(10, 1)),
        (
            Message::sticker(picture(512, 512, image::ImageFormat::WebP)),
            picture(512, 512, image::ImageFormat::WebP),
        ),
        (
            Message::image(picture(9, 9, image::ImageFormat::Jpeg)).view_once(),
            picture(9, 9, image::ImageFormat::Jpeg),
        ),
    ];
    for (message, bytes) in &sent {
        let sending = client.messages().send(&Jid::pn(ADA), message.clone()).await.unwrap();
        let id = sending.id.clone();
        sending.await;
        let file = stage.sim.until(PATIENCE, |world| world.phone(world.find_pn(ADA)?)?.file(&id));
        assert!(file.await.expect("the phone has it") == *bytes, "{message:?}");
    }
    // The phone checks hashes, MAC and padding itself, and notes what does not fit.
    stage.assert_clean();
}

/// A file of Ada that the hosts have forgotten.
pub(crate) async fn lost(stage: &Stage, events: &mut EventStream) -> ReceivedMessage {
    let file = File::made_up(MediaKind::Image, 50_000);
    let got = from_ada(stage, events, &Jid::pn(BOT), file, Viewing::Normal).await;
    let path = got.content.media().and_then(|media| media.direct_path.clone()).expect("a path");
    assert!(stage.sim.world(|world, _| world.expire_file(&path)));
    got
}

async fn bytes(client: &Client, got: &ReceivedMessage) -> Result<Vec<u8>, TransferError> {
    client.media().download(got).to_bytes(1 << 20).await
}

#[tokio::test(start_paused = true)]
async fn a_file_that_the_hosts_have_forgotten_is_brought_back_by_the_phone_in_the_same_call() {
    let stage = Stage::new(123).await;
    let (client, mut events) = stage.linked().await;
    let got = lost(&stage, &mut events).await;
    let without = client.media().download(&got).without_phone().to_bytes(1 << 20).await;
    assert!(matches!(without, Err(TransferError::Expired)), "{without:?}");
    let alone = client.media().download(got.content.media().unwrap()).to_bytes(1 << 20).await;
    assert!(matches!(alone, Err(TransferError::Expired)), "a file without its message: {alone:?}");
    // Several at once ask once.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let (one, two) = tokio::join!(client.media().download(&got).to_path(&path), bytes(&client, &got));
    let sent = stage.sim.file(ADA, &got.id).expect("the phone keeps it");
    assert!(one.expect("it comes down").direct_path.is_some());
    assert!(std::fs::read(&path).unwrap() == sent && two.unwrap() == sent);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_the_phone_answers_is_told_apart() {
    use TransferError as T;
    let stage = Stage::new(124).await;
    let (client, mut events) = stage.linked().await;
    let got = lost(&stage, &mut events).await;
    type Fits = fn(&TransferError) -> bool;
    let cases: [(MediaRetry, Fits); 7] = [
        (MediaRetry::NotFound, |error| matches!(error, T::Retry(RetryResult::NotFound))),
        (MediaRetry::GeneralError, |error| matches!(error, T::Retry(RetryResult::GeneralError))),
        (MediaRetry::DecryptionError, |error| matches!(error, T::Retry(RetryResult::DecryptionError))),
        (MediaRetry::ErrorCode(2), |error| matches!(error, T::Retry(RetryResult::NotFound))),
        (MediaRetry::Silence, |error| matches!(error, T::RetryTimeout(_))),
        (MediaRetry::WrongId, |error| matches!(error, T::RetrySeal(_))),
        (MediaRetry::BadTag, |error| matches!(error, T::RetrySeal(_))),
    ];
    for (how, fits) in cases {
        stage.sim.media_retry(BOT, how).unwrap();
        let error = bytes(&client, &got).await.expect_err("no file");
        assert!(fits(&error), "{how:?}: {error:?}");
        assert!(client.health().is_online(), "{how:?}");
    }
    stage.sim.media_retry(BOT, MediaRetry::Answer).unwrap();
    bytes(&client, &got).await.expect("it comes back");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_larger_thumbnail_is_a_file_of_its_own_under_the_same_key() {
    let stage = Stage::new(125).await;
    let (client, mut events) = stage.linked().await;
    let key = MediaKey::from_slice(&[9; 32]).unwrap();
    let (file, small) = (noise(5_000, 1), noise(900, 2));
    let put = |kind: MediaKind, bytes: &[u8]| {
        let (sealed, file) = wa_media::seal(&key.derive(kind), bytes, Sidecar::None);
        (stage.sim.put_file(kind, sealed.into()), file)
    };
    let (path, sealed) = put(MediaKind::Image, &file);
    let mut media = Media::new(MediaKind::Image);
    (media.direct_path, media.key) = (Some(path), Some(key.clone()));
    (media.sha256, media.enc_sha256) = (Some(sealed.file_sha256), Some(sealed.file_enc_sha256));
    media.size = Some(5_000);
    let mut image = Image::new(media);
    let (path, sealed) = put(MediaKind::ImageThumbnail, &small);
    image.thumbnail = Some(Thumbnail::new(path, sealed.file_sha256, sealed.file_enc_sha256));
    let message = Content::Image(image).to_message().unwrap();
    let said = Action::Raw {
        chat: Jid::pn(BOT),
        message: message.encode_to_vec().into(),
        stanza_type: "media".into(),
        media_type: Some("image".into()),
    };
    stage.sim.act(ADA, said).unwrap();
    let got = next(&mut events, "the image", |event| match &event.kind {
        Kind::Message(message) => Some((**message).clone()),
        _ => None,
    })
    .await;
    assert!(bytes(&client, &got).await.unwrap() == file);
    let thumbnail = client.media().download(FileRef::thumbnail(&got)).to_bytes(1 << 20).await;
    assert!(thumbnail.unwrap() == small);
}
