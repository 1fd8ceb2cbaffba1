//! Profile pictures: our own, somebody's, none, hidden.

use wa_binary::Node;
use wa_client::media::{PictureError, PictureSize, ProfilePicture};
use wa_client::{Jid, RequestError};

use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::seed::SeedGroup;

use crate::samples::picture;
use crate::stage::{ADA, BOT, Stage};

#[tokio::test(start_paused = true)]
async fn a_picture_is_set_seen_known_and_taken_away() {
    let stage = Stage::new(101).await;
    let (client, _events) = stage.linked().await;
    let room = client.media();
    let own = Jid::pn(BOT);
    let none = room.profile_picture(&Jid::pn(ADA), PictureSize::Full, None).await.unwrap();
    assert_eq!(none, ProfilePicture::NotSet);
    let id = room.set_profile_picture(None, picture(300, 100, image::ImageFormat::Png)).await.unwrap();
    let seen = room.profile_picture(&own, PictureSize::Full, None).await.unwrap();
    let ProfilePicture::Set { id: seen_id, jpeg } = seen else { panic!("{seen:?}") };
    assert_eq!(seen_id, id);
    let square = image::load_from_memory(&jpeg).unwrap();
    assert_eq!((square.width(), square.height()), (640, 640));
    let known = room.profile_picture(&own, PictureSize::Preview, Some(&id)).await.unwrap();
    assert_eq!(known, ProfilePicture::Unchanged);
    room.remove_profile_picture(None).await.unwrap();
    let none = room.profile_picture(&own, PictureSize::Full, None).await.unwrap();
    assert_eq!(none, ProfilePicture::NotSet);
    let text = room.set_profile_picture(None, &b"text"[..]).await;
    assert!(matches!(text, Err(PictureError::NotAnImage)));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_group_has_a_picture_that_its_admin_sets_and_a_stranger_does_not() {
    let stage = Stage::with(102, |config| {
        let group = SeedGroup {
            subject: "Theirs".into(),
            creator: "Ada".into(),
            members: vec!["Bot".into()],
            ..SeedGroup::default()
        };
        config.world.as_mut().expect("a world").groups.push(group);
    })
    .await;
    let (client, _events) = stage.linked().await;
    let room = client.media();
    let jpeg = || picture(300, 300, image::ImageFormat::Jpeg);
    let theirs = client.groups().joined().await.expect("the groups")[0].jid.clone();
    stage.sim.world(|world, now| {
        let ada = world.find_pn(ADA).expect("Ada");
        world.phone_asks(now, ada, "w:g2", &theirs, Some(Node::new("locked"))).expect("she may");
    });
    let ours = client.groups().create("Ours", &[Jid::pn(ADA)]).await.expect("it is made").group.jid;
    // An absent picture is no error, of a group as of a person.
    for group in [&theirs, &ours] {
        let none = room.profile_picture(group, PictureSize::Full, None).await.unwrap();
        assert_eq!(none, ProfilePicture::NotSet);
    }
    let id = room.set_profile_picture(Some(&ours), jpeg()).await.expect("we are its admin");
    let seen = room.profile_picture(&ours, PictureSize::Full, None).await.unwrap();
    let ProfilePicture::Set { id: seen_id, jpeg: seen } = seen else { panic!("{seen:?}") };
    assert_eq!(seen_id, id);
    assert_eq!(image::load_from_memory(&seen).unwrap().width(), 640);
    let known = room.profile_picture(&ours, PictureSize::Full, Some(&id)).await.unwrap();
    assert_eq!(known, ProfilePicture::Unchanged);
    room.remove_profile_picture(Some(&ours)).await.unwrap();
    let none = room.profile_picture(&ours, PictureSize::Full, None).await.unwrap();
    assert_eq!(none, ProfilePicture::NotSet);
    // Only admins may, where the group is locked.
    for refused in [
        room.set_profile_picture(Some(&theirs), jpeg()).await.map(drop),
        room.remove_profile_picture(Some(&theirs)).await,
    ] {
        let is_refused = |code| matches!(&refused, Err(PictureError::Request(RequestError::Refused { code: said, .. })) if *said == code);
        assert!(is_refused(401), "{refused:?}");
    }
    // Our own is another one.
    let own = room.profile_picture(&Jid::pn(BOT), PictureSize::Full, None).await.unwrap();
    assert_eq!(own, ProfilePicture::NotSet);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_is_hidden_from_us_is_told_from_one_that_is_not_there() {
    let stage = Stage::new(103).await;
    let (client, _events) = stage.linked().await;
    let (room, ada) = (client.media(), Jid::pn(ADA));
    stage.sim.world(|world, now| {
        let ada = world.find_pn(ADA).expect("Ada");
        world
            .set_picture(now, ada, None, Some(picture(64, 64, image::ImageFormat::Jpeg).into()))
            .expect("she may");
    });
    let seen = room.profile_picture(&ada, PictureSize::Preview, None).await.unwrap();
    assert!(matches!(seen, ProfilePicture::Set { .. }), "{seen:?}");
    stage.sim.world(|world, now| {
        let (ada, bot) = (world.find_pn(ADA).expect("Ada"), world.find_pn(BOT).expect("Bot"));
        world.block(now, ada, bot, true).expect("she may");
    });
    let hidden = room.profile_picture(&ada, PictureSize::Preview, None).await.unwrap();
    assert_eq!(hidden, ProfilePicture::Hidden);
    let nobody = room.profile_picture(&Jid::pn(15_550_199), PictureSize::Full, None).await.unwrap();
    assert_eq!(nobody, ProfilePicture::NotSet);
    // What the server does not say is no picture.
    stage.sim.fault(Fault::new(
        Match { xmlns: Some("w:profile:picture".into()), ..Match::stanza(Direction::In, "iq") },
        Action::IqError { code: 500, text: String::new() },
    ));
    let refused = room.profile_picture(&ada, PictureSize::Full, None).await;
    let code = |error: &PictureError| {
        matches!(error, PictureError::Request(RequestError::Refused { code: 500, .. }))
    };
    assert!(refused.as_ref().is_err_and(code), "{refused:?}");
    stage.assert_clean();
}
