//! `privacy`: settings, deny lists, and trusted-contact tokens (chapters 09a §11, §12, 10 §8).

use wa_binary::{Family, Node};

use super::{Answer, Request, unknown};
use crate::stanza::{Read, el};
use crate::world::{AccountId, World};

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    match request.child {
        Some(tokens) if request.set && tokens.is("tokens") => world.issue_tokens(request, tokens),
        Some(privacy) if privacy.is("privacy") => {
            if request.set {
                return set(world, request, privacy);
            }
            match privacy.kid("list") {
                Some(list) => deny_list(world, request.from.account, list),
                None => settings(world, request.from.account),
            }
        }
        None if !request.set => settings(world, request.from.account),
        _ => unknown(world, request),
    }
}

fn settings(world: &World, own: AccountId) -> Answer {
    let categories = world
        .account(own)
        .privacy
        .iter()
        .map(|(name, value)| el("category").attr("name", name).attr("value", value));
    Answer::one(el("privacy").children(categories))
}

/// Values that a category takes; `None` for one that is passed through.
fn allowed(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "last" | "profile" | "status" | "linked_profiles" | "pix" => {
            &["all", "contacts", "contact_blacklist", "none"]
        }
        "groupadd" => &["all", "contacts", "contact_blacklist", "none"],
        "online" => &["all", "match_last_seen"],
        "readreceipts" => &["all", "none"],
        "calladd" => &["all", "known", "contacts"],
        "messages" => &["all", "contacts"],
        "defense" => &["off", "on_standard"],
        "stickers" => &["contacts", "contact_allowlist", "none"],
        _ => return None,
    })
}

fn set(world: &mut World, request: &Request<'_>, privacy: &Node) -> Answer {
    let own = request.from.account;
    let mut changed = Vec::new();
    for category in privacy.kids_of("category") {
        let (Some(name), Some(value)) = (category.text_of("name"), category.text_of("value")) else {
            return Answer::error(400);
        };
        if allowed(&name).is_some_and(|values| !values.contains(&value.as_str())) {
            return Answer::error(400);
        }
        let mut result = el("category").attr("name", &name).attr("value", &value);
        if value == "contact_blacklist" {
            if world.account(own).lid.is_some() && !privacy.attr_is("addressing_mode", "lid") {
                return Answer::error(400);
            }
            let present = dhash(world, own, &name);
            let given = category.text_of("dhash").unwrap_or_else(|| "none".to_owned());
            if given != present {
                return Answer::error(409);
            }
            for user in category.kids_of("user") {
                let Some(target) = user.jid_of("jid").and_then(|jid| world.find(&jid)) else { continue };
                let list = world.account_mut(own).deny.entry(name.clone()).or_default();
                if user.attr_is("action", "remove") {
                    list.remove(&target);
                } else {
                    list.insert(target);
                }
            }
            result.set_attr("dhash", dhash(world, own, &name));
        }
        world.account_mut(own).privacy.insert(name, value);
        changed.push(result);
    }
    if changed.is_empty() {
        return Answer::error(400);
    }
    let sync = el("privacy").children(changed.clone());
    let from = request.from;
    Answer::one(el("privacy").children(changed))
        .after(move |world| world.account_sync(from.account, Some(from), &sync))
}

fn dhash(world: &World, own: AccountId, name: &str) -> String {
    match world.account(own).deny.get(name) {
        Some(list) if !list.is_empty() => {
            hex::encode(&wa_crypto::digest::sha256(&[format!("{name}:{list:?}").as_bytes()])[..8])
        }
        _ => "none".to_owned(),
    }
}

fn deny_list(world: &World, own: AccountId, list: &Node) -> Answer {
    let Some(name) = list.text_of("name") else { return Answer::error(400) };
    let users: Vec<Node> = world
        .account(own)
        .deny
        .get(&name)
        .into_iter()
        .flatten()
        .map(|user| {
            let user = world.account(*user);
            el("user")
                .attr("jid", user.jid(user.best_family()))
                .maybe_attr("pn_jid", user.lid.map(|_| user.jid(Family::Pn)))
        })
        .collect();
    let list = el("list")
        .attr("name", &name)
        .attr("value", "contact_blacklist")
        .attr("dhash", dhash(world, own, &name))
        .children(users);
    Answer::one(el("privacy").child(list))
}
