//! `blocklist`: who is blocked, and what changes (chapter 09a §9).

use wa_binary::Node;

use super::{Answer, Request};
use crate::stanza::{Read, el};
use crate::world::{AccountId, World};

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let own = request.from.account;
    if !request.set {
        return Answer::one(list(world, own));
    }
    let Some(item) = request.child.filter(|child| child.is("item")) else { return Answer::error(400) };
    let Some(target) = item.jid_of("jid").and_then(|jid| world.find(&jid)) else { return Answer::error(404) };
    let by_number = item.jid_of("jid").is_some_and(|jid| jid.is_pn());
    if by_number && world.account(target).lid.is_some() && item.attr_is("action", "block") {
        // A migrated account is named by its LID.
        return Answer::error(400);
    }
    let before = dhash(world, own);
    match item.text_of("action").as_deref() {
        Some("block") => world.account_mut(own).blocked.insert(target),
        Some("unblock") => world.account_mut(own).blocked.remove(&target),
        _ => return Answer::error(400),
    };
    world.account_mut(own).block_version += 1;
    let after = dhash(world, own);
    let change = el("blocklist")
        .attr("action", "modify")
        .attr("dhash", after)
        .attr("prev_dhash", before)
        .child(item.clone());
    let from = request.from;
    Answer::one(list(world, own)).after(move |world| world.account_sync(from.account, Some(from), &change))
}

fn dhash(world: &World, own: AccountId) -> String {
    let account = world.account(own);
    let text = format!("{}:{:?}", account.block_version, account.blocked);
    hex::encode(&wa_crypto::digest::sha256(&[text.as_bytes()])[..8])
}

fn list(world: &World, own: AccountId) -> Node {
    let items = world.account(own).blocked.iter().map(|blocked| {
        let blocked = world.account(*blocked);
        el("item")
            .attr("jid", blocked.jid(blocked.best_family()))
            .maybe_attr("pn_jid", blocked.lid.map(|_| blocked.jid(wa_binary::Family::Pn)))
    });
    el("list").attr("dhash", dhash(world, own)).attr("addressing_mode", "lid").children(items)
}
