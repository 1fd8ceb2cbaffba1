//! Profile pictures: our own, somebody's, none, hidden.

use wa_client::Jid;
use wa_client::media::{PictureError, PictureSize, ProfilePicture};

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
