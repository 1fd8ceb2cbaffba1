//! Status posts: to whom they go, how they look, how they are taken back.

use std::time::Duration;

use prost::Message as _;
use wa_client::Jid;
use wa_client::events::Kind;
use wa_client::messages::builder::Message;
use wa_client::messages::content::{Content, Font, MediaKind, Parsed};
use wa_client::messages::sending::{SendError, SendReport};
use wa_client::status::{Audience, StatusList};
use wa_sim::phone::{Action, File, Manner};
use wa_sim::seed::SeedAccount;
use wa_sim::trace::Filter;

use crate::samples::{film, picture, voice};
use crate::stage::{ADA, BOT, PATIENCE, Stage, next};

const BEA: u64 = 15_550_102;

async fn stage(seed: u64) -> Stage {
    Stage::with(seed, |config| {
        let bea = SeedAccount { name: "Bea".into(), number: Some(BEA), ..SeedAccount::default() };
        config.world.as_mut().expect("a world").accounts.push(bea);
    })
    .await
}

/// What a phone has got of statuses, once there are so many.
async fn posts(stage: &Stage, who: u64, count: usize) -> Vec<Parsed> {
    let posts = || -> Vec<Parsed> {
        let all = stage.sim.inbox(who).into_iter().filter(|received| received.chat.is_status());
        all.map(|post| Parsed::read(&wa_proto::e2e_message::Message::decode(&post.message[..]).unwrap()))
            .collect()
    };
    let waits = async {
        while posts().len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("the posts arrive");
    posts()
}

#[tokio::test(start_paused = true)]
async fn posts_go_to_whom_the_caller_says_and_to_nobody_else() {
    let stage = stage(131).await;
    let (client, _events) = stage.linked().await;
    let ada = || Audience::Only(vec![Jid::pn(ADA)]);
    let text = Message::text("good morning").background(0xFF11_2233).color(0xFFFF_FFFF).font(Font::Calistoga);
    let report = client.status().post(text, ada()).await.unwrap().await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
    client.status().post("plain", ada()).await.unwrap().await;
    client
        .status()
        .post(Message::image(picture(60, 40, image::ImageFormat::Jpeg)), ada())
        .await
        .unwrap()
        .await;
    client.status().post(Message::video(film(64, 36, 3, 50)), ada()).await.unwrap().await;
    let note = Message::voice_note(voice(100)).background(0xFF44_5566);
    client.status().post(note, ada()).await.unwrap().await;
    let both = Audience::Only(vec![Jid::pn(ADA), Jid::pn(BEA)]);
    client.status().post("for both", both).await.unwrap().await;
    let got = posts(&stage, ADA, 6).await;
    let Content::Text(text) = &got[0].content else { panic!("{got:?}") };
    let style = text.style.expect("a style");
    assert_eq!((style.background, style.font), (Some(0xFF11_2233), Font::Calistoga));
    assert!(matches!(&got[1].content, Content::Text(text) if text.body == "plain" && text.style.is_some()));
    assert!(matches!(&got[2].content, Content::Image(_)) && matches!(&got[3].content, Content::Video(_)));
    assert!(matches!(&got[4].content, Content::VoiceNote(note) if note.background == Some(0xFF44_5566)));
    let bea = posts(&stage, BEA, 1).await;
    assert_eq!(bea.len(), 1);
    assert_eq!(bea[0].content.text(), Some("for both"));
    for post in &got[2..5] {
        client.media().download(post.content.media().unwrap()).to_bytes(1 << 20).await.unwrap();
    }
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_post_of_somebody_else_comes_with_its_file() {
    let stage = stage(133).await;
    let (client, mut events) = stage.linked().await;
    let file = File::made_up(MediaKind::Image, 70_000).caption("look");
    let status: Jid = "status@broadcast".parse().unwrap();
    let posted = Action::File { chat: status, file, manner: Manner::default() };
    let id = stage.sim.act(ADA, posted).unwrap().expect("an id");
    let post = next(&mut events, "the post", |event| match &event.kind {
        Kind::Message(message) if message.id == id => Some((**message).clone()),
        _ => None,
    })
    .await;
    assert!(post.chat.jid.is_status() && post.text() == Some("look"));
    let sent = stage.sim.file(ADA, &id).expect("the phone keeps it");
    assert!(client.media().download(&post).to_bytes(1 << 20).await.unwrap() == sent);
    // The phone has the post as well, and brings its file back.
    assert!(stage.sim.world(|world, _| {
        world.expire_file(post.content.media().unwrap().direct_path.as_ref().unwrap())
    }));
    assert!(client.media().download(&post).to_bytes(1 << 20).await.unwrap() == sent);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn the_accounts_own_setting_is_asked_for_and_a_post_is_taken_back() {
    let stage = stage(132).await;
    let (client, _events) = stage.linked().await;
    assert_eq!(client.status().privacy().await.unwrap().list, StatusList::Contacts);
    // Nobody is in the address book: only our own phone gets it.
    let report = client.status().post("to nobody", Audience::AsSet).await.unwrap().await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
    let sending = client.status().post("a mistake", Audience::Only(vec![Jid::pn(ADA)])).await.unwrap();
    let id = sending.id.clone();
    sending.await;
    posts(&stage, ADA, 1).await;
    let report = client.status().revoke(&id).await.unwrap().await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
    let sent = stage.sim.trace(&Filter { tag: Some("message".into()), ..Filter::default() });
    let settings: Vec<bool> = sent
        .iter()
        .filter(|passed| passed.node.attr_is("to", "status@broadcast"))
        .map(|passed| passed.node.each("meta").any(|meta| meta.has_attr("status_setting")))
        .collect();
    assert_eq!(settings, [true, true, false], "a revoke says no setting");
    // Without an audience nothing goes there.
    let status: Jid = "status@broadcast".parse().unwrap();
    assert!(matches!(client.messages().send(&status, "x").await, Err(SendError::Unsendable(_))));
    assert!(posts(&stage, BEA, 0).await.is_empty());
    assert!(stage.sim.inbox(BOT).iter().any(|post| post.chat.is_status()), "our own phone has it");
    stage.assert_clean();
}
