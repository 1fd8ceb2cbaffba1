//! Files between phones and companions: sent, received, checked, and asked for again when they are gone (chapters 06,
//! 10 §10).

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;
use wa_binary::{Jid, Node};
use wa_core::content::{Content, Document, Image, Media, Parsed, Viewing};
use wa_media::{
    Expected, MediaKey, MediaKind, RetryOutcome, RetryResult, Sidecar, open_retry_notification,
    seal_retry_request,
};
use wa_proto::e2e_message::Message;
use wa_sim::SimHandle;
use wa_sim::phone::{Action, Download, File, FileSeen, Kind, Manner, MediaRetry, Received};
use wa_sim::watch::Rule;

use crate::client::{Client, sim};

const KINDS: [(MediaKind, &str); 8] = [
    (MediaKind::Image, "image"),
    (MediaKind::Video, "video"),
    (MediaKind::Gif, "gif"),
    (MediaKind::VideoNote, "ptv"),
    (MediaKind::Audio, "audio"),
    (MediaKind::VoiceNote, "ptt"),
    (MediaKind::Document, "document"),
    (MediaKind::Sticker, "sticker"),
];

fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(wa_crypto::digest::sha256(&[bytes]))
}

/// Opens what lies on the media host as a client would.
fn opened(sim: &SimHandle, media: &Media) -> Vec<u8> {
    let sealed = sim.fetch_file(media.direct_path.as_ref().expect("a path")).expect("the file");
    let expected = Expected { file_sha256: media.sha256, file_enc_sha256: media.enc_sha256, limit: None };
    wa_media::open(&media.key.as_ref().expect("a key").derive(media.kind), &expected, &sealed).expect("whole")
}

/// The message with this id, as a companion sees it.
async fn got(client: &mut Client, id: &str) -> (Node, Parsed) {
    let node = client.until(|node| node.is("message") && node.attr_is("id", id)).await;
    let message = client.read_message(&node).pop().expect("a message");
    (node, Parsed::read(&message))
}

fn sent(sim: &SimHandle, from: &Client, to: &Client, file: File, manner: Manner) -> String {
    let action = Action::File { chat: to.my_lid().user_jid(), file, manner };
    sim.act(from.number(), action).expect("a deed").expect("an id")
}

fn received(sim: &SimHandle, number: u64, id: &str) -> Received {
    sim.inbox(number).into_iter().find(|received| received.id == id).expect("it is in the inbox")
}

fn file_of(received: &Received) -> &FileSeen {
    let Kind::File(file) = &received.kind else { panic!("no file: {received:?}") };
    file
}

#[tokio::test(start_paused = true)]
async fn a_phone_sends_files_of_every_kind() {
    let sim = sim(700);
    let (mut ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
    for (number, (kind, name)) in KINDS.into_iter().enumerate() {
        let bytes: Bytes = vec![u8::try_from(number).expect("small"); 70_000 + number].into();
        let file = File::new(kind, bytes.clone()).caption("look").name("plan.pdf");
        let id = sent(&sim, &bea, &ada, file, Manner::default());
        let (node, parsed) = got(&mut ada, &id).await;
        assert!(node.attr_is("type", "media"), "{node}");
        assert!(node.required_child("enc").expect("enc").attr_is("mediatype", name), "{node}");
        let media = parsed.content.media().expect("a file");
        assert_eq!((media.kind, media.size), (kind, Some(bytes.len() as u64)));
        assert!(opened(&sim, media) == bytes);
        assert!(sim.file(bea.number(), &id).expect("the sender's") == bytes);
        let captioned = matches!(
            kind,
            MediaKind::Image | MediaKind::Video | MediaKind::Gif | MediaKind::VideoNote | MediaKind::Document
        );
        assert_eq!(parsed.content.text().is_some(), captioned, "{name}");
        let sidecar = match &parsed.content {
            Content::Video(video) => video.sidecar.as_ref(),
            Content::Audio(audio) => audio.sidecar.as_ref(),
            Content::VoiceNote(note) => note.sidecar.as_ref(),
            _ => None,
        };
        let plays = !matches!(kind, MediaKind::Image | MediaKind::Document | MediaKind::Sticker);
        assert_eq!(sidecar.map(Bytes::len), plays.then_some(20), "{name}");
        // The receiver's phone has downloaded it.
        let received = received(&sim, ada.number(), &id);
        let done = Download::Done { sha256: hex_sha256(&bytes), size: bytes.len() as u64 };
        assert_eq!((&*file_of(&received).what, &file_of(&received).download), (name, &done));
        assert!(sim.file(ada.number(), &id).expect("the receiver's") == bytes);
    }
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn made_up_files_follow_from_the_seed_and_may_be_looked_at_once() {
    let mut files = Vec::new();
    for seed in [701, 701, 702] {
        let sim = sim(seed);
        let (mut ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
        let manner = Manner { viewing: Viewing::Once, ..Manner::default() };
        let id = sent(&sim, &bea, &ada, File::made_up(MediaKind::Image, 5_000), manner);
        let (node, parsed) = got(&mut ada, &id).await;
        assert!(parsed.viewing == Viewing::Once && received(&sim, ada.number(), &id).view_once);
        assert!(node.required_child("meta").expect("meta").attr_is("view_once", "true"));
        files.push((id, opened(&sim, parsed.content.media().expect("a file"))));
    }
    assert!(files[0] == files[1] && files[0].1 != files[2].1 && files[0].1.len() == 5_000);
}

/// Seals a file for a message of a companion.
fn sealed(kind: MediaKind, bytes: &[u8]) -> (Media, Bytes) {
    let key = MediaKey::from_slice(&[9; 32]).expect("a key");
    let (sealed, about) = wa_media::seal(&key.derive(kind), bytes, Sidecar::None);
    let mut media = Media::new(kind);
    media.key = Some(key);
    media.sha256 = Some(about.file_sha256);
    media.enc_sha256 = Some(about.file_enc_sha256);
    media.size = Some(about.file_length);
    media.mime = Some("image/png".to_owned());
    (media, sealed.into())
}

#[tokio::test(start_paused = true)]
async fn a_phone_downloads_what_a_companion_sends_and_checks_it() {
    let sim = sim(703);
    let (mut ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
    let chat = bea.my_lid().user_jid();
    let said = async |ada: &mut Client, content: Content| {
        let message: Message = content.to_message().expect("a message");
        let id = ada.say(&chat, core::slice::from_ref(&chat), &message).await;
        ada.rest().await;
        received(&sim, bea.number(), &id)
    };
    let bytes = vec![5; 100_000];
    let (mut media, file) = sealed(MediaKind::Image, &bytes);
    media.direct_path = Some(sim.put_file(MediaKind::Image, file));
    let mut image = Image::new(media.clone());
    image.caption = Some("the sea".to_owned());
    let seen = said(&mut ada, Content::Image(image)).await;
    let done = Download::Done { sha256: hex_sha256(&bytes), size: 100_000 };
    let file = file_of(&seen);
    assert_eq!((&*file.what, &file.download, file.size), ("image", &done, Some(100_000)));
    assert_eq!((file.caption.as_deref(), file.mime.as_deref()), (Some("the sea"), Some("image/png")));
    assert_eq!(file.sha256.as_deref(), Some(&*hex_sha256(&bytes)));
    assert!(sim.file(bea.number(), &seen.id).expect("the file") == bytes);
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());

    // Never uploaded.
    let (mut never, _) = sealed(MediaKind::Document, b"never");
    never.direct_path = Some("/v/document/none?oh=1".to_owned());
    let seen = said(&mut ada, Content::Document(Document::new(never))).await;
    assert_eq!(file_of(&seen).download, Download::Missing);
    assert!(sim.file(bea.number(), &seen.id).is_none() && sim.violations().is_empty());

    // Not what the message says: another hash, another length, another kind's keys.
    let mut wrong = [media.clone(), media.clone(), media];
    wrong[0].sha256 = Some([1; 32]);
    wrong[1].size = Some(99_999);
    wrong[2].key = MediaKey::from_slice(&[8; 32]).ok();
    for (number, media) in wrong.into_iter().enumerate() {
        let seen = said(&mut ada, Content::Image(Image::new(media))).await;
        assert!(matches!(file_of(&seen).download, Download::Broken { .. }), "{seen:?}");
        let violations = sim.violations();
        assert_eq!(violations.len(), number + 1);
        assert!(violations.iter().all(|violation| violation.rule == Rule::SeenByPhone));
    }
}

/// Asks the own phone for a file again.
pub(crate) async fn ask_again(client: &mut Client, id: &str, chat: &Jid, key: &MediaKey) {
    let sealed = seal_retry_request(key, id, &mut ChaCha12Rng::seed_from_u64(1)).expect("a request");
    let encrypt = Node::new("encrypt")
        .child(Node::new("enc_p").bytes(sealed.ciphertext))
        .child(Node::new("enc_iv").bytes(sealed.iv.to_vec()));
    let receipt = Node::new("receipt")
        .attr("id", id)
        .attr("to", client.my_lid().user_jid())
        .attr("type", "server-error")
        .child(encrypt)
        .child(Node::new("rmr").attr("jid", chat).attr("from_me", "false"));
    client.send(receipt).await;
}

/// The same, and the notification that answers.
async fn asked(client: &mut Client, id: &str, chat: &Jid, key: &MediaKey) -> Option<Node> {
    ask_again(client, id, chat, key).await;
    let seen = client.rest().await;
    assert!(seen.iter().any(|node| node.is("ack") && node.attr_is("id", id)), "{seen:?}");
    seen.into_iter().find(|node| node.is("notification") && node.attr_is("type", "mediaretry"))
}

pub(crate) fn outcome(
    notification: &Node,
    id: &str,
    key: &MediaKey,
) -> Result<RetryOutcome, wa_media::MediaError> {
    assert!(notification.attr_is("id", id) && notification.optional_child("rmr").is_some());
    let encrypt = notification.required_child("encrypt").expect("encrypt");
    let part = |tag| encrypt.required_child(tag).expect("a part").required_bytes().expect("bytes").to_vec();
    open_retry_notification(key, id, &part("enc_iv"), &part("enc_p"))
}

fn code(notification: &Node) -> Option<u32> {
    notification.optional_child("error").and_then(|error| error.required("code").u32().ok())
}

#[tokio::test(start_paused = true)]
async fn an_expired_file_is_found_again_after_the_phone_has_uploaded_it_again() {
    let sim = sim(704);
    let (mut ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
    let chat = bea.my_lid().user_jid();
    let bytes = Bytes::from_static(b"a photo");
    let id = sent(&sim, &bea, &ada, File::new(MediaKind::Image, bytes.clone()), Manner::default());
    let (_, parsed) = got(&mut ada, &id).await;
    let mut media = parsed.content.media().expect("a file").clone();
    let (path, key) = (media.direct_path.clone().expect("a path"), media.key.clone().expect("a key"));
    assert!(sim.world(|world, _| world.expire_file(&path)));
    assert_eq!(sim.fetch_file(&path), Err(410));
    let notification = asked(&mut ada, &id, &chat, &key).await.expect("an answer");
    let found = outcome(&notification, &id, &key).expect("it opens");
    assert_eq!(found.result, RetryResult::Success);
    media.direct_path = found.direct_path;
    assert_ne!(media.direct_path.as_deref(), Some(&*path));
    assert!(opened(&sim, &media) == bytes);
    assert_eq!(sim.fetch_file(&path), Err(410), "the old path stays gone");
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn a_phone_answers_media_retries_in_every_way_that_it_is_told() {
    let sim = sim(705);
    let (mut ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
    let chat = bea.my_lid().user_jid();
    let id = sent(&sim, &bea, &ada, File::made_up(MediaKind::Video, 1_000), Manner::default());
    let (_, parsed) = got(&mut ada, &id).await;
    let key = parsed.content.media().and_then(|media| media.key.clone()).expect("a key");
    let number = ada.number();
    for how in [
        MediaRetry::Answer,
        MediaRetry::NotFound,
        MediaRetry::GeneralError,
        MediaRetry::DecryptionError,
        MediaRetry::ErrorCode(7),
        MediaRetry::Silence,
        MediaRetry::WrongId,
        MediaRetry::BadTag,
    ] {
        sim.media_retry(number, how).expect("an account");
        let answer = asked(&mut ada, &id, &chat, &key).await;
        let result = answer.as_ref().filter(|it| it.optional_child("encrypt").is_some());
        let result = result.map(|it| outcome(it, &id, &key).map(|outcome| outcome.result));
        match how {
            MediaRetry::Answer => assert!(matches!(result, Some(Ok(RetryResult::Success)))),
            MediaRetry::NotFound => assert!(matches!(result, Some(Ok(RetryResult::NotFound)))),
            MediaRetry::GeneralError => assert!(matches!(result, Some(Ok(RetryResult::GeneralError)))),
            MediaRetry::DecryptionError => assert!(matches!(result, Some(Ok(RetryResult::DecryptionError)))),
            MediaRetry::ErrorCode(wanted) => {
                let answer = answer.expect("an answer");
                assert_eq!(code(&answer), u32::try_from(wanted).ok());
            }
            MediaRetry::Silence => assert!(answer.is_none()),
            MediaRetry::WrongId | MediaRetry::BadTag => assert!(matches!(result, Some(Err(_))), "{how:?}"),
        }
    }
    sim.media_retry(number, MediaRetry::Answer).expect("an account");
    // Another key, a message that is not there, a file that was deleted.
    let other = MediaKey::from_slice(&[3; 32]).expect("a key");
    assert_eq!(code(&asked(&mut ada, &id, &chat, &other).await.expect("an answer")), Some(3));
    assert_eq!(code(&asked(&mut ada, "3EB0NOTHING", &chat, &key).await.expect("an answer")), Some(2));
    assert!(sim.world(|world, _| world.find_pn(number).is_some_and(|ada| world.forget_file(ada, &id))));
    let gone = asked(&mut ada, &id, &chat, &key).await.expect("an answer");
    assert_eq!(outcome(&gone, &id, &key).expect("it opens").result, RetryResult::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_too_large_is_kept_and_not_opened() {
    let sim = sim(706);
    let (mut ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
    // What is in it does not matter: nobody looks.
    let large = Bytes::from(vec![0; (64 << 20) + 1]);
    let (mut media, _) = sealed(MediaKind::Document, b"");
    media.direct_path = Some(sim.put_file(MediaKind::Document, large));
    let message = Content::Document(Document::new(media)).to_message().expect("a message");
    let chat = bea.my_lid().user_jid();
    let id = ada.say(&chat, core::slice::from_ref(&chat), &message).await;
    ada.rest().await;
    assert_eq!(file_of(&received(&sim, bea.number(), &id)).download, Download::TooLarge);
    assert!(sim.violations().is_empty());
}
