//! Status posts: to whom they go, how they look, how they are taken back.

use prost::Message as _;
use wa_client::Jid;
use wa_client::app_state::Setting;
use wa_client::events::Kind;
use wa_client::messages::builder::Message;
use wa_client::messages::content::{Content, Font, MediaKind, Parsed};
use wa_client::messages::sending::{SendError, SendReport};
use wa_client::status::{Audience, StatusList};
use wa_sim::faults::Direction;
use wa_sim::phone::{Action, AppAction, File, Manner, Received};
use wa_sim::seed::SeedAccount;
use wa_sim::trace::Filter;

use crate::samples::{film, picture, voice};
use crate::stage::{ADA, BOT, Stage, next};

const BEA: u64 = 15_550_102;
const CY: u64 = 15_550_103;

async fn stage(seed: u64) -> Stage {
    Stage::with(seed, |config| {
        for (name, number) in [("Bea", BEA), ("Cy", CY)] {
            let account = SeedAccount { name: name.into(), number: Some(number), ..SeedAccount::default() };
            config.world.as_mut().expect("a world").accounts.push(account);
        }
    })
    .await
}

/// What a phone has got of statuses, once there are so many.
async fn posts(stage: &Stage, who: u64, count: usize) -> Vec<Parsed> {
    let all = stage.inbox_of(who, count, |received| received.chat.is_status()).await;
    let parse =
        |post: &Received| Parsed::read(&wa_proto::e2e_message::Message::decode(&post.message[..]).unwrap());
    all.iter().map(parse).collect()
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

/// Ada and Bea are in the address book of our phone, Cy is not, and neither is a name without an account.
async fn with_address_book(stage: &Stage, events: &mut wa_client::events::EventStream) {
    const NOBODY: u64 = 15_550_199;
    for (name, number) in [("Ada Lovelace", ADA), ("Bea", BEA), ("Nobody", NOBODY)] {
        let contact = AppAction::Contact { user: Jid::pn(number), name: Some(name.into()) };
        stage.sim.change_app_state(BOT, &contact).expect("the phone's user may");
        next(events, name, |event| match &event.kind {
            Kind::Setting(it) => match &it.setting {
                Setting::Contact { full, .. } if full.as_deref() == Some(name) => Some(()),
                _ => None,
            },
            _ => None,
        })
        .await;
    }
}

/// Who has a post: phones that got it, by number.
async fn who_has(stage: &Stage, text: &str, expected: &[u64]) {
    let said = |received: &Received| {
        let message = wa_proto::e2e_message::Message::decode(&received.message[..]).unwrap();
        received.chat.is_status() && Parsed::read(&message).content.text() == Some(text)
    };
    for who in expected {
        stage.inbox_of(*who, 1, said).await;
    }
    // Everybody's copy leaves in the same step of the server: who has none now gets none.
    let has: Vec<u64> = [BOT, ADA, BEA, CY]
        .into_iter()
        .filter(|who| stage.sim.inbox(*who).iter().filter(|received| said(received)).count() == 1)
        .collect();
    assert_eq!(has, expected, "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_address_book_its_exceptions_and_the_accounts_own_setting_decide_who_gets_a_post() {
    let stage = stage(134).await;
    let (client, mut events) = stage.linked().await;
    let (_other, mut own_events) = stage.another("second", BOT).await;
    with_address_book(&stage, &mut events).await;
    let post = |text: &'static str, audience| {
        let client = &client;
        async move {
            let report = client.status().post(text, audience).await.unwrap().await;
            assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
        }
    };
    post("to everybody I know", Audience::Contacts).await;
    who_has(&stage, "to everybody I know", &[BOT, ADA, BEA]).await;
    post("not to Bea", Audience::Except(vec![Jid::pn(BEA)])).await;
    who_has(&stage, "not to Bea", &[BOT, ADA]).await;
    // By LID as well as by number.
    let lid = |who| {
        stage.sim.world(|world, _| world.account(world.find_pn(who).unwrap()).jid(wa_binary::Family::Lid))
    };
    post("not to Ada", Audience::Except(vec![lid(ADA)])).await;
    who_has(&stage, "not to Ada", &[BOT, BEA]).await;
    // As the account is set: nothing is set, so the address book.
    post("as it is set", Audience::AsSet).await;
    who_has(&stage, "as it is set", &[BOT, ADA, BEA]).await;
    // Whoever is taken out of the address book gets no more.
    let gone = AppAction::Contact { user: Jid::pn(ADA), name: None };
    stage.sim.change_app_state(BOT, &gone).unwrap();
    next(&mut events, "that Ada is gone", |event| match &event.kind {
        Kind::Setting(it) => matches!(it.setting, Setting::ContactRemoved(_)).then_some(()),
        _ => None,
    })
    .await;
    post("without Ada", Audience::Contacts).await;
    who_has(&stage, "without Ada", &[BOT, BEA]).await;
    // Our other device has all five, as ours.
    for text in ["to everybody I know", "not to Bea", "not to Ada", "as it is set", "without Ada"] {
        let own = next(&mut own_events, text, |event| match &event.kind {
            Kind::Message(message) if message.text() == Some(text) => Some((**message).clone()),
            _ => None,
        })
        .await;
        assert!(own.from_me && own.chat.jid.is_status(), "{own:?}");
    }
    let settings: Vec<String> = stage
        .sim
        .trace(&Filter { direction: Some(Direction::In), tag: Some("message".into()), ..Filter::default() })
        .iter()
        .filter(|passed| passed.node.attr_is("to", "status@broadcast"))
        .filter_map(|passed| {
            let meta = passed.node.optional_child("meta")?;
            meta.required("status_setting").string().ok().map(String::from)
        })
        .collect();
    assert_eq!(settings, ["contacts", "denylist", "denylist", "contacts", "contacts"]);
    stage.assert_clean();
}
