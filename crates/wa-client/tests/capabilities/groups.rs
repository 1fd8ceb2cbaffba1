//! Groups from the server: the list, one of them, a new one (chapter 09b §2, §3).

use std::time::Duration;

use wa_client::Jid;
use wa_client::RequestError;
use wa_client::events::Kind;
use wa_client::groups::{CreateError, Role};
use wa_client::messages::sending::SendReport;
use wa_sim::phone::Action as Deed;
use wa_sim::seed::{SeedAccount, SeedFile, SeedGroup};

use crate::stage::{ADA, BOT, Stage, next};

const BEA: u64 = 15_550_102;

async fn stage(seed: u64) -> Stage {
    Stage::with(seed, |config| {
        let account = |name: &str, number| SeedAccount {
            name: name.into(),
            number: Some(number),
            ..SeedAccount::default()
        };
        let group = |subject: &str, members: &[&str]| SeedGroup {
            subject: subject.into(),
            creator: "Ada".into(),
            members: members.iter().map(|name| (*name).into()).collect(),
            ..SeedGroup::default()
        };
        config.world = Some(SeedFile {
            accounts: vec![account("Bot", BOT), account("Ada", ADA), account("Bea", BEA)],
            groups: vec![group("Friends", &["Bot"]), group("Others", &["Bea"])],
            ..SeedFile::default()
        });
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn joined_groups_are_listed_and_one_is_shown_in_full() {
    let stage = stage(1_600).await;
    let (client, _events) = stage.linked().await;
    let joined = client.groups().joined().await.expect("listed");
    assert_eq!(joined.iter().map(|group| group.subject.as_str()).collect::<Vec<_>>(), ["Friends"]);
    let friends = client.groups().details(&joined[0].jid).await.expect("shown");
    assert_eq!(friends.participants.len(), 2);
    let ada = friends.participants.iter().find(|one| one.peer.is(&Jid::pn(ADA))).expect("Ada");
    let bot = friends.participants.iter().find(|one| one.peer.is(&Jid::pn(BOT))).expect("Bot");
    assert!(ada.role != Role::Member && bot.role == Role::Member, "{friends:?}");
    let others = stage.sim.world(|world, _| {
        world.groups().find(|group| group.jid() != joined[0].jid).expect("the other group").jid()
    });
    let refused = client.groups().details(&others).await;
    assert!(matches!(refused, Err(RequestError::Refused { code: 403, .. })), "{refused:?}");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_made_here_is_talked_in() {
    let stage = stage(1_601).await;
    let (client, mut events) = stage.linked().await;
    let groups = client.groups();
    assert!(matches!(groups.create("", &[]).await, Err(CreateError::Subject(0))));
    assert!(matches!(groups.create("x", &[Jid::GROUPS]).await, Err(CreateError::Member(_))));
    let made = groups.create("Plans", &[Jid::pn(ADA), Jid::pn(15_550_199)]).await.expect("made");
    assert_eq!((made.group.subject.as_str(), made.group.participants.len()), ("Plans", 2));
    assert_eq!(made.not_added.iter().map(|(_, code)| *code).collect::<Vec<_>>(), [404]);
    let sending = client.messages().send(&made.group.jid, "first").await.expect("taken");
    assert!(matches!(sending.await, SendReport::Accepted(_)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage
        .sim
        .act(ADA, Deed::Text { chat: made.group.jid.clone(), text: "second".into(), quote: None })
        .expect("Ada writes");
    next(&mut events, "second", |event| match &event.kind {
        Kind::Message(message) if message.text() == Some("second") => {
            assert_eq!(message.chat.jid, made.group.jid);
            Some(())
        }
        _ => None,
    })
    .await;
    assert!(client.groups().joined().await.expect("listed").iter().any(|group| group.jid == made.group.jid));
    stage.assert_clean();
}
