//! `usync`: the user directory (chapters 09a §1, 10 §4).

use wa_binary::{Family, Jid, Node};

use super::{Answer, Request};
use crate::stanza::{Read, el, error};
use crate::watch::Rule;
use crate::world::{AccountId, DeviceListing, World};

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(usync) = request.child.filter(|child| child.is("usync")) else {
        return super::unknown(world, request);
    };
    let (Some(query), Some(list)) = (usync.kid("query"), usync.kid("list")) else {
        world.report_origin(request.origin, Rule::Malformed, "usync without query or list".to_owned());
        return Answer::error(400);
    };
    let protocols: Vec<&str> = query.kids().iter().map(Node::tag).collect();
    let by_lid = query.kid("contact").is_some_and(|contact| contact.attr_is("addressing_mode", "lid"));
    let mut users = Vec::new();
    for user in list.kids_of("user") {
        if let Some(answer) = answer_user(world, request.from.account, &protocols, by_lid, user) {
            users.push(answer);
        }
    }
    let result = el("result").children(protocols.iter().map(|protocol| el(protocol)));
    let answer = el("usync")
        .maybe_attr("sid", usync.text_of("sid"))
        .attr("index", "0")
        .attr("last", "true")
        .maybe_attr("mode", usync.text_of("mode"))
        .maybe_attr("context", usync.text_of("context"))
        .child(result)
        .child(el("list").children(users));
    Answer::one(answer)
}

/// How a user was named in a question.
struct Named {
    account: Option<AccountId>,
    jid: Option<Jid>,
    /// The text of `<contact>`, to be echoed.
    phone: Option<String>,
}

fn named(world: &World, user: &Node) -> Named {
    let jid = user.jid_of("jid").or_else(|| user.jid_of("pn_jid"));
    let phone = user.kid("contact").and_then(Read::words).map(str::to_owned);
    let account = match (&jid, &phone) {
        (Some(jid), _) => world.find(jid),
        (None, Some(phone)) => {
            let digits: String =
                phone.split('@').next().unwrap_or("").chars().filter(char::is_ascii_digit).collect();
            digits.parse().ok().and_then(|number| world.find_pn(number))
        }
        (None, None) => None,
    };
    Named { account, jid, phone }
}

fn answer_user(
    world: &World,
    viewer: AccountId,
    protocols: &[&str],
    by_lid: bool,
    user: &Node,
) -> Option<Node> {
    let named = named(world, user);
    let Some(account) = named.account else {
        // Not registered: no address, the question echoed.
        let phone = named.phone.or_else(|| named.jid.as_ref().map(|jid| format!("+{}", jid.user())));
        let contact = el("contact").attr("type", "out").text(phone.unwrap_or_default());
        let node = el("user").maybe_attr("jid", named.jid.filter(|jid| !jid.is_service()));
        return Some(if protocols.contains(&"contact") { node.child(contact) } else { node });
    };
    let account = world.account(account);
    if account.switches.device_list == DeviceListing::Omitted && protocols.contains(&"devices") {
        return None;
    }
    let family = match &named.jid {
        Some(jid) => jid.family().unwrap_or(Family::Pn),
        None if by_lid => account.best_family(),
        None => Family::Pn,
    };
    let mut node = el("user").attr("jid", account.jid(family));
    if family == Family::Lid
        && account.lid.is_some()
        && let Some(pn) = account.alternate(family)
    {
        node.set_attr("pn_jid", pn);
    }
    for protocol in protocols {
        if let Some((failing, code, backoff)) = &account.switches.usync_error
            && failing == protocol
        {
            let error = error(*code, crate::stanza::error_text(*code)).maybe_attr("backoff", *backoff);
            node.push(el(protocol).child(error));
            continue;
        }
        let child = match *protocol {
            "contact" => {
                let echo = named.phone.clone().unwrap_or_else(|| format!("+{}", account.pn));
                Some(el("contact").attr("type", "in").text(echo))
            }
            "lid" => account.lid.map(|lid| el("lid").attr("val", Jid::lid(lid))),
            "devices" => {
                let asked = user.kid("devices").and_then(|devices| devices.text_of("device_hash"));
                let hash = world.device_hash(account.id, family);
                if asked.as_deref() == Some(&hash) && protocols.len() == 1 {
                    // Unchanged: the user is left out.
                    return None;
                }
                Some(devices(world, account.id, &hash))
            }
            "status" => Some(if account.shows("status", viewer) {
                let status = el("status").attr("t", account.about.1);
                if account.about.0.is_empty() { status } else { status.text(account.about.0.clone()) }
            } else {
                el("status").attr("code", 401_u32)
            }),
            "picture" => match &account.picture {
                Some((id, _)) if account.shows("profile", viewer) => Some(el("picture").attr("id", *id)),
                Some(_) => Some(el("picture").child(error(401, "not-authorized"))),
                None => None,
            },
            "business" => account.switches.biz.then(|| el("business")),
            "disappearing_mode" => {
                let (duration, t) = account.disappearing;
                Some(el("disappearing_mode").attr("duration", duration).attr("t", t))
            }
            "feature" => Some(el("feature").child(el("multi_agent").attr("value", "true"))),
            _ => None,
        };
        if let Some(child) = child {
            node.push(child);
        }
    }
    Some(node)
}

fn devices(world: &World, account: AccountId, hash: &str) -> Node {
    let listing = world.account(account).switches.device_list;
    let listed = world.account(account).devices.values().filter(|_| listing != DeviceListing::Empty);
    let list = listed.map(|device| {
        let node = el("device").attr("id", device.number);
        if device.number == 0 {
            return node;
        }
        let node = node.attr("key-index", device.key_index);
        if device.number == 99 { node.attr("is_hosted", "true") } else { node }
    });
    el("devices").child(el("device-list").attr("hash", hash).children(list)).maybe_child(match listing {
        DeviceListing::NoKeyIndex => None,
        DeviceListing::StaleKeyIndex => Some(world.stale_key_index_list(account)),
        _ => Some(world.key_index_list(account)),
    })
}

/// `fbid:devices`: nobody here is a Messenger user.
pub(super) fn fbid_devices(_: &mut World, request: &Request<'_>) -> Answer {
    let users = request.child.map(Read::kids).unwrap_or_default();
    let users = users
        .iter()
        .filter_map(|user| user.jid_of("jid"))
        .map(|jid| el("user").attr("jid", jid).child(error(404, "item-not-found")));
    Answer::one(el("users").children(users))
}
