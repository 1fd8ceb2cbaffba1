//! `usync`: the user directory (chapters 09a §1, 10 §4).

use prost::Message as _;
use wa_binary::{Family, Jid, Node};
use wa_proto::business_cert::verified_name_certificate::Details;

use super::{Answer, Request};
use crate::stanza::{Read, el, error};
use crate::watch::Rule;
use crate::world::{Account, AccountId, DeviceListing, World};

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(usync) = request.child.filter(|child| child.is("usync")) else {
        return super::unknown(world, request);
    };
    let (Some(query), Some(list)) = (usync.kid("query"), usync.kid("list")) else {
        world.report_origin(request.origin, Rule::Malformed, "usync without query or list".to_owned());
        return Answer::error(400);
    };
    // A protocol that fails as a whole is answered for nobody.
    let failing = world.answering.usync_error.clone();
    let fails = |protocol: &str| failing.as_ref().filter(|(failing, ..)| failing == protocol);
    let result = el("result").children(query.kids().iter().map(|protocol| {
        let node = el(protocol.tag());
        match fails(protocol.tag()) {
            Some((_, code, backoff)) => node.child(refusal(*code, *backoff)),
            None => node,
        }
    }));
    let question = Question {
        viewer: request.from.account,
        protocols: query.kids().iter().filter(|protocol| fails(protocol.tag()).is_none()).collect(),
        by_lid: query.kid("contact").is_some_and(|contact| contact.attr_is("addressing_mode", "lid")),
    };
    let users: Vec<Node> =
        list.kids_of("user").filter_map(|user| answer_user(world, &question, user)).collect();
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

/// What is asked of every user.
struct Question<'a> {
    viewer: AccountId,
    /// The children of `<query>`.
    protocols: Vec<&'a Node>,
    /// Users found by their number are named by their LID.
    by_lid: bool,
}

impl Question<'_> {
    fn asks(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|asked| asked.is(protocol))
    }
}

/// How a user was named in a question.
enum Named {
    /// By address.
    Address(Jid),
    /// By the text of `<contact>`, to be echoed.
    Phone(String),
    /// By username, with the key if one was given.
    Username(String, Option<String>),
    Nothing,
}

fn named(user: &Node) -> Named {
    if let Some(jid) = user.jid_of("jid").or_else(|| user.jid_of("pn_jid")) {
        return Named::Address(jid);
    }
    let Some(contact) = user.kid("contact") else { return Named::Nothing };
    match (contact.text_of("username"), contact.words()) {
        (Some(name), _) => Named::Username(name, contact.text_of("pin")),
        (None, Some(phone)) => Named::Phone(phone.to_owned()),
        (None, None) => Named::Nothing,
    }
}

/// The number in a `<contact>`: `+` and digits, or the older form with `@c.us`. `None` for what no number looks like.
fn number(phone: &str) -> Option<u64> {
    let digits = phone.split('@').next().unwrap_or_default();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let plain: String = digits.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    let fits = (1..=15).contains(&plain.len()) && !plain.starts_with('0');
    if fits && plain.bytes().all(|byte| byte.is_ascii_digit()) { plain.parse().ok() } else { None }
}

fn contact(kind: &str, echo: impl Into<String>) -> Node {
    el("contact").attr("type", kind).text(echo.into())
}

fn refusal(code: u32, backoff: Option<u32>) -> Node {
    error(code, crate::stanza::error_text(code)).maybe_attr("backoff", backoff)
}

/// The answer about one user; `None` leaves the user out.
fn answer_user(world: &World, question: &Question<'_>, user: &Node) -> Option<Node> {
    match named(user) {
        Named::Address(jid) if jid == Jid::META_AI => Some(bot(question, &jid)),
        Named::Address(jid) => match world.find(&jid) {
            Some(account) => {
                let family = jid.family().unwrap_or(Family::Pn);
                answer_account(world, question, user, world.account(account), family, None)
            }
            None => {
                let out = contact("out", format!("+{}", jid.user()));
                let node = el("user").maybe_attr("jid", (!jid.is_service()).then_some(jid));
                Some(if question.asks("contact") { node.child(out) } else { node })
            }
        },
        Named::Phone(phone) => {
            let Some(digits) = number(&phone) else {
                return Some(el("user").child(contact("invalid", phone)));
            };
            // Not registered: no address, the question echoed.
            let Some(account) = world.find_pn(digits) else {
                return Some(el("user").child(contact("out", phone)));
            };
            let account = world.account(account);
            let family = if question.by_lid { account.best_family() } else { Family::Pn };
            answer_account(world, question, user, account, family, Some(&contact("in", phone)))
        }
        Named::Username(name, key) => {
            let echo = |kind| contact(kind, name.as_str()).attr("username", &name);
            let Some(account) = world.find_username(&name) else {
                return Some(el("user").child(echo("out")));
            };
            let account = world.account(account);
            let wanted = account.username.as_ref().and_then(|username| username.key.as_ref());
            if wanted.is_some() && wanted != key.as_ref() {
                // Without its key a name leads to no address.
                return Some(el("user").child(echo("in")));
            }
            answer_account(world, question, user, account, account.best_family(), Some(&echo("in")))
        }
        Named::Nothing => Some(el("user")),
    }
}

/// The answer about a registered user. `echo` answers a question by number or name.
fn answer_account(
    world: &World,
    question: &Question<'_>,
    user: &Node,
    account: &Account,
    family: Family,
    echo: Option<&Node>,
) -> Option<Node> {
    if account.switches.device_list == DeviceListing::Omitted && question.asks("devices") {
        return None;
    }
    let mut node = el("user").attr("jid", account.jid(family));
    let by_name = echo.is_some_and(|echo| echo.has_attr("username"));
    // Whoever knows only a name does not learn the number.
    if family == Family::Lid
        && account.lid.is_some()
        && !by_name
        && let Some(pn) = account.alternate(family)
    {
        node.set_attr("pn_jid", pn);
    }
    for protocol in &question.protocols {
        if let Some((failing, code, backoff)) = &account.switches.usync_error
            && protocol.is(failing)
        {
            node.push(el(protocol.tag()).child(refusal(*code, *backoff)));
            continue;
        }
        let child = match protocol.tag() {
            "contact" => Some(echo.cloned().unwrap_or_else(|| contact("in", format!("+{}", account.pn)))),
            "devices" => {
                let asked = user.kid("devices").and_then(|devices| devices.text_of("device_hash"));
                let hash = world.device_hash(account.id, family);
                if asked.as_deref() == Some(&hash) && question.protocols.len() == 1 {
                    // Unchanged: the user is left out.
                    return None;
                }
                Some(devices(world, account.id, &hash))
            }
            _ => small(world, question.viewer, account, protocol),
        };
        if let Some(child) = child {
            node.push(child);
        }
    }
    Some(node)
}

/// What a protocol says of an account; nothing where there is nothing to say.
fn small(world: &World, viewer: AccountId, account: &Account, protocol: &Node) -> Option<Node> {
    let (about, since) = &account.about;
    match protocol.tag() {
        "lid" => account.lid.map(|lid| el("lid").attr("val", Jid::lid(lid))),
        "status" => Some(if !account.shows("status", viewer) {
            el("status").attr("code", 401_u32)
        } else if about.is_empty() {
            el("status").attr("t", *since)
        } else {
            el("status").attr("t", *since).text(about.clone())
        }),
        "text_status" => Some(if !account.shows("status", viewer) {
            el("text_status").child(error(401, "not-authorized"))
        } else if about.is_empty() {
            el("text_status")
        } else {
            el("text_status").attr("text", about).attr("last_update_time", *since)
        }),
        "picture" => match &account.picture {
            Some((id, _)) if account.shows("profile", viewer) => Some(el("picture").attr("id", *id)),
            Some(_) => Some(el("picture").child(error(401, "not-authorized"))),
            None => None,
        },
        "business" => account.switches.biz.then(|| {
            let name = protocol.kid("verified_name").and_then(|_| world.verified_name(account.id));
            el("business").maybe_child(name)
        }),
        "disappearing_mode" => {
            let (duration, t) = account.disappearing;
            Some(el("disappearing_mode").attr("duration", duration).attr("t", t))
        }
        "username" => account.username.as_ref().map(|username| el("username").text(username.name.clone())),
        // Every client here can do everything.
        "feature" => Some(
            el("feature").children(protocol.kids().iter().map(|asked| el(asked.tag()).attr("value", "true"))),
        ),
        _ => None,
    }
}

/// The one bot of the directory: a profile, and no devices (chapter 09d §3).
fn bot(question: &Question<'_>, jid: &Jid) -> Node {
    let node = el("user").attr("jid", jid);
    let profile = || {
        let command = el("command").child(el("name").text("imagine")).child(el("description").text("Draws"));
        let prompt = el("prompt").child(el("emoji").text("\u{1f4a1}")).child(el("text").text("Explain this"));
        el("bot").child(
            el("profile")
                .attr("persona_id", "1")
                .child(el("name").text("Simulated bot"))
                .child(el("attributes").text("helpful"))
                .child(el("description").text("Has a profile and answers nobody"))
                .child(el("category").text("assistant"))
                .child(el("default").text("true"))
                .child(el("prompts").child(prompt))
                .child(el("commands").child(el("description").text("What it can do")).child(command))
                .child(el("is_meta_created")),
        )
    };
    let children = question.protocols.iter().filter_map(|protocol| match protocol.tag() {
        "contact" => Some(contact("in", jid.user())),
        "bot" => Some(profile()),
        _ => None,
    });
    node.children(children.collect::<Vec<_>>())
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

impl World {
    /// `<verified_name>` of a business account, with its certificate (chapter 09d §1.2).
    pub(crate) fn verified_name(&self, id: AccountId) -> Option<Node> {
        const ISSUER: &str = "smb:wa";
        let account = self.account(id);
        let serial = account.pn;
        let details = Details {
            serial: Some(serial),
            issuer: Some(ISSUER.to_owned()),
            verified_name: Some(account.name.clone()),
            localized_names: Vec::new(),
            issue_time: Some(account.created),
        };
        let mut random = self.seed().stream("verified name", account.pn);
        let certificate = self.phone(id)?.certify_name(&details.encode_to_vec(), &mut random);
        Some(
            el("verified_name")
                .attr("v", "1")
                .attr("verified_level", "unknown")
                .attr("serial", serial)
                .attr("name", account.name.as_str())
                .attr("issuer", ISSUER)
                .bytes(certificate),
        )
    }
}
