//! `w:profile:picture`: set, remove, get (chapters 09a §6, 10 §8).

use bytes::Bytes;
use wa_binary::{Family, Jid, Node};

use super::{Answer, Request};
use crate::stanza::{Read, el, notification};
use crate::world::{AccountId, World};

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let target = request.iq.jid_of("target");
    if let Some(group) = target.as_ref().filter(|jid| jid.is_group()) {
        return if request.set {
            world.set_group_picture(request, group)
        } else {
            let picture = world.find_group(group).and_then(|group| group.picture.clone());
            answer(world, picture, request.child)
        };
    }
    if request.set {
        return set(world, request);
    }
    let account = match &target {
        Some(jid) => world.find(jid),
        None => Some(request.from.account),
    };
    let Some(account) = account else { return Answer::error(404) };
    let own = request.from.account;
    if !world.account(account).shows("profile", own) || world.account(account).blocked.contains(&own) {
        return Answer::error(401);
    }
    let token = request.child.and_then(|child| child.kid("tctoken")).and_then(Read::body).cloned();
    if !world.token_opens(account, own, token) {
        return Answer::error(404);
    }
    let picture = world.account(account).picture.clone();
    answer(world, picture, request.child)
}

fn answer(world: &mut World, picture: Option<(u64, Bytes)>, asked: Option<&Node>) -> Answer {
    let Some((id, bytes)) = picture else { return Answer::error(404) };
    if asked.and_then(|asked| asked.number_of("id")) == Some(id) {
        return Answer::empty();
    }
    let kind = asked.and_then(|asked| asked.text_of("type")).unwrap_or_else(|| "preview".to_owned());
    let hash = wa_crypto::digest::sha256(&[&bytes]);
    let path = world.keep_file("pps", bytes.into(), &hash);
    let host = world.media_hosts.first().cloned().unwrap_or_default();
    Answer::one(
        el("picture")
            .attr("id", id)
            .attr("type", kind)
            .attr("url", format!("https://{host}{path}"))
            .attr("direct_path", path),
    )
}

fn set(world: &mut World, request: &Request<'_>) -> Answer {
    let own = request.from.account;
    let bytes = match request.child {
        None => None,
        Some(picture) => match picture.body() {
            Some(bytes) if picture.is("picture") && !bytes.is_empty() => Some(bytes.clone()),
            _ => return Answer::error(406),
        },
    };
    let id = world.account(own).picture.as_ref().map_or(world.now_s(), |(id, _)| *id) + 1;
    world.account_mut(own).picture = bytes.clone().map(|bytes| (id, bytes));
    let result = bytes.is_some().then(|| el("picture").attr("id", id)).into_iter().collect();
    Answer::result(result).after(move |world| world.announce_picture(own, bytes.is_some().then_some(id)))
}

impl World {
    /// `type="picture"` to contacts and to all devices of the account, the changing one included.
    fn announce_picture(&mut self, own: AccountId, set: Option<u64>) {
        let author = self.account(own).jid(self.account(own).best_family());
        for viewer in self.audience(own, "profile") {
            self.notify(viewer, None, |world, id| {
                let child = match set {
                    Some(picture) => {
                        el("set").attr("jid", &author).attr("id", picture).attr("author", &author)
                    }
                    None => el("delete").attr("jid", &author).attr("author", &author),
                };
                notification("picture", &author, id, world.now_s()).child(child)
            });
        }
    }

    /// Accounts that see what a category protects, the account itself included.
    pub(crate) fn audience(&self, own: AccountId, category: &str) -> Vec<AccountId> {
        let account = self.account(own);
        self.accounts
            .iter()
            .filter(|other| !other.devices.is_empty())
            .filter(|other| other.id == own || (other.knows(own) && account.shows(category, other.id)))
            .map(|other| other.id)
            .collect()
    }

    /// The server's own address in a family: none, used where a user may be hidden.
    pub(crate) fn visible_jid(&self, account: AccountId) -> Jid {
        let account = self.account(account);
        account.jid(if account.lid.is_some() { Family::Lid } else { Family::Pn })
    }
}
