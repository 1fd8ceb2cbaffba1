//! Sticker packs and larger thumbnails: up, into a message, down on another device, compared.

use wa_client::Jid;
use wa_client::events::{EventStream, Kind};
use wa_client::media::{FileRef, NewStickerPack, PackError, TransferError};
use wa_client::messages::builder::{Message, Part, Unsendable};
use wa_client::messages::content::{Content, Media, MediaKind};
use wa_client::messages::sending::SendReport;
use wa_client::messages::types::ReceivedMessage;
use wa_media::sticker_pack::{PackLimits, read};
use wa_sim::trace::Filter;

use crate::samples::{film, noise, picture};
use crate::stage::{ADA, Stage, next};

const NONE: [&str; 0] = [];

fn sticker(edge: u32) -> Vec<u8> {
    picture(edge, edge, image::ImageFormat::WebP)
}

async fn message(events: &mut EventStream) -> ReceivedMessage {
    next(events, "the message", |event| match &event.kind {
        Kind::Message(message) => Some((**message).clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_pack_is_uploaded_sent_and_opened_on_another_device() {
    let stage = Stage::new(151).await;
    let (client, _events) = stage.linked().await;
    let (theirs, mut their_events) = stage.another("ada", ADA).await;
    let stickers = [sticker(512), sticker(500)];
    let pack = NewStickerPack::new("Moods")
        .publisher("Bot")
        .description("how it goes")
        .sticker(stickers[0].clone(), ["😀", "🙂"])
        .sticker(stickers[1].clone(), NONE)
        .cover(picture(600, 300, image::ImageFormat::Jpeg));
    let pack = client.media().upload_sticker_pack(pack).await.expect("it goes up");
    let sent = Message::sticker_pack(pack.clone()).caption("for you");
    let report = client.messages().send(&Jid::pn(ADA), sent).await.unwrap().await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");

    let got = message(&mut their_events).await;
    let Content::StickerPack(came) = &got.content else { panic!("{got:?}") };
    assert_eq!((came.name.as_str(), came.publisher.as_deref()), ("Moods", Some("Bot")));
    assert_eq!(
        (came.description.as_deref(), came.caption.as_deref()),
        (Some("how it goes"), Some("for you"))
    );
    assert_eq!((&came.id, &came.stickers, &came.tray_icon), (&pack.id, &pack.stickers, &pack.tray_icon));
    assert_eq!(came.stickers[0].emojis, ["😀", "🙂"]);
    let zip = theirs.media().download(&got).to_bytes(8 << 20).await.expect("the zip comes down");
    let files = read(&zip, PackLimits::default()).expect("it is a pack");
    for (entry, sticker) in came.stickers.iter().zip(&stickers) {
        let file = files.iter().find(|file| file.name == entry.file).expect("it is in the zip");
        assert!(&file.content == sticker);
    }
    assert_eq!(files.len(), 3);
    assert!(files.iter().any(|file| Some(&file.name) == came.tray_icon.as_ref()));
    let cover = theirs.media().download(FileRef::thumbnail(&got)).to_bytes(1 << 20).await.expect("the cover");
    let cover = image::load_from_memory(&cover).unwrap();
    assert_eq!((cover.width(), cover.height()), (252, 252));
    // It can be sent on as it came.
    let on = theirs.messages().send(&got, Message::forward(&got)).await.unwrap().await;
    assert!(matches!(on, SendReport::Accepted(_)), "{on:?}");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_pack_that_no_client_could_show_is_refused_before_anything_leaves() {
    let stage = Stage::new(152).await;
    let (client, _events) = stage.linked().await;
    let up = |pack| client.media().upload_sticker_pack(pack);
    let none = up(NewStickerPack::new("x")).await;
    let count = |is| Unsendable::Count { part: Part::Stickers, is, least: 1, most: 60 };
    assert!(matches!(&none, Err(PackError::Unsendable(why)) if *why == count(0)), "{none:?}");
    let many = (0..61).fold(NewStickerPack::new("x"), |pack, _| pack.sticker(sticker(9), NONE));
    let many = up(many).await;
    assert!(matches!(&many, Err(PackError::Unsendable(why)) if *why == count(61)), "{many:?}");
    let nameless = up(NewStickerPack::new(" ").sticker(sticker(9), NONE)).await;
    let empty = Unsendable::Empty(Part::PackName);
    assert!(matches!(&nameless, Err(PackError::Unsendable(why)) if *why == empty), "{nameless:?}");
    let png = picture(512, 512, image::ImageFormat::Png);
    let png = up(NewStickerPack::new("x").sticker(sticker(9), NONE).sticker(png, NONE)).await;
    assert!(matches!(png, Err(PackError::Sticker { place: 1, .. })), "{png:?}");
    let asked = Filter { xmlns: Some("w:m".into()), ..Filter::default() };
    assert!(stage.sim.trace(&asked).is_empty(), "the hosts were not even asked for");
}

#[tokio::test(start_paused = true)]
async fn a_larger_thumbnail_goes_under_the_key_of_its_file() {
    let stage = Stage::new(153).await;
    let (client, _events) = stage.linked().await;
    let (theirs, mut their_events) = stage.another("ada", ADA).await;
    let room = client.media();
    let large = picture(600, 400, image::ImageFormat::Jpeg);
    type Say = fn(Media) -> Message;
    let cases: [(MediaKind, Vec<u8>, Say); 3] = [
        (MediaKind::Image, picture(900, 600, image::ImageFormat::Jpeg), |media| Message::image(media)),
        (MediaKind::Video, film(90, 60, 3, 5_000), |media| Message::video(media)),
        (MediaKind::Document, noise(5_000, 3), |media| Message::document(media)),
    ];
    for (kind, file, message_of) in cases {
        let media = room.upload(kind, file.clone()).await.unwrap();
        let thumbnail = room.upload_thumbnail(&media, large.clone()).await.unwrap();
        let sent = message_of(media).large_thumbnail(thumbnail);
        client.messages().send(&Jid::pn(ADA), sent).await.unwrap().await;
        let got = message(&mut their_events).await;
        assert!(theirs.media().download(&got).to_bytes(1 << 20).await.unwrap() == file, "{kind:?}");
        let small = theirs.media().download(FileRef::thumbnail(&got)).to_bytes(1 << 20).await.unwrap();
        assert!(small == large, "{kind:?}");
    }
    let sound = room.upload(MediaKind::Audio, noise(100, 1)).await.unwrap();
    let refused = room.upload_thumbnail(&sound, large).await;
    assert!(matches!(refused, Err(TransferError::NoFile)), "{refused:?}");
    stage.assert_clean();
}
