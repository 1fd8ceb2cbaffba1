//! `status`: about text, and the audience of status updates (chapters 09a §7, §11, 10 §8).

use super::{Answer, Request, unknown};
use crate::stanza::{Read, el, notification};
use crate::world::{AccountId, DeviceKey, World};

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let own = request.from.account;
    match request.child {
        Some(status) if request.set && status.is("status") => {
            let text = status.words().unwrap_or_default().to_owned();
            let from = request.from;
            Answer::empty().after(move |world| world.change_about(own, Some(from), &text))
        }
        Some(privacy) if !request.set && privacy.is("privacy") => {
            let list = el("list").attr("type", "contacts").attr("default", "true");
            Answer::one(el("privacy").child(list))
        }
        _ => unknown(world, request),
    }
}

impl World {
    /// Sets the about text, whoever asked for it, and tells the account's other devices and its contacts.
    pub(crate) fn change_about(&mut self, own: AccountId, from: Option<DeviceKey>, text: &str) {
        self.account_mut(own).about = (text.to_owned(), self.now_s());
        self.account_sync(own, from, &el("status"));
        let author = self.visible_jid(own);
        for viewer in self.audience(own, "status").into_iter().filter(|viewer| *viewer != own) {
            self.notify(viewer, None, |world, id| {
                notification("status", &author, id, world.now_s())
                    .attr("notify", world.account(own).name.as_str())
                    .child(el("set").text(text.to_owned()))
            });
        }
    }
}
