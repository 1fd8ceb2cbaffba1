//! `status`: about text, and the audience of status updates (chapters 09a §7, §11, 10 §8).

use super::{Answer, Request, unknown};
use crate::stanza::{Read, el, notification};
use crate::world::World;

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let own = request.from.account;
    match request.child {
        Some(status) if request.set && status.is("status") => {
            let text = status.words().unwrap_or_default().to_owned();
            let now_s = world.now_s();
            world.account_mut(own).about = (text.clone(), now_s);
            let from = request.from;
            Answer::empty().after(move |world| {
                world.account_sync(own, Some(from), &el("status"));
                let author = world.visible_jid(own);
                for viewer in world.audience(own, "status").into_iter().filter(|viewer| *viewer != own) {
                    world.notify(viewer, None, |world, id| {
                        notification("status", &author, id, world.now_s())
                            .attr("notify", world.account(own).name.as_str())
                            .child(el("set").text(text.clone()))
                    });
                }
            })
        }
        Some(privacy) if !request.set && privacy.is("privacy") => {
            let list = el("list").attr("type", "contacts").attr("default", "true");
            Answer::one(el("privacy").child(list))
        }
        _ => unknown(world, request),
    }
}
