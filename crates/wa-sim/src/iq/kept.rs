//! What a client deposits with the service, which keeps it and does nothing with it: push registration, notices that
//! were accepted, reports of spam (chapters 09c §4.4, 09d §5, §13, 10 §8). `GET /admin/accounts/{who}` shows it all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wa_binary::Node;

use super::{Answer, Request, unknown};
use crate::stanza::{Read, el};
use crate::world::{AccountId, World};

/// Entries of a kind that one account may have; what comes after them is not kept.
const MANY: usize = 1000;
/// Attributes of a push registration, and bytes of one.
const LARGE: usize = 4096;
/// How long an answer about notices is good for (s).
const REFRESH_S: u32 = 86_400;

/// What one account has deposited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Attributes of the last `<config>`.
    pub push: Option<BTreeMap<String, String>>,
    /// Notices by id: accepted, or still to be.
    pub notices: BTreeMap<String, bool>,
    /// Reports, oldest first.
    pub reports: Vec<Report>,
}

/// A report of spam.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What the client was told.
    pub id: String,
    /// Where in the client it was made.
    pub flow: String,
    /// The group that it is about.
    pub chat: Option<String>,
    /// The messages: id and sender.
    pub messages: Vec<(String, String)>,
    /// When (s).
    pub t: u64,
}

/// `urn:xmpp:whatsapp:push`
pub(super) fn push(world: &mut World, request: &Request<'_>) -> Answer {
    let own = request.from.account;
    if !request.set {
        let config = world.account(own).kept.push.as_ref().map(|attrs| {
            attrs.iter().fold(el("config"), |node, (name, value)| node.attr(name.clone(), value.as_str()))
        });
        return Answer::one(el("settings").maybe_child(config));
    }
    let Some(config) = request.child.filter(|child| child.is("config")) else {
        return unknown(world, request);
    };
    let attrs: BTreeMap<String, String> = config
        .attr_values()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .filter(|(_, value)| value.len() <= LARGE)
        .take(MANY)
        .collect();
    world.account_mut(own).kept.push = Some(attrs);
    Answer::empty()
}

/// `tos`
pub(super) fn tos(world: &mut World, request: &Request<'_>) -> Answer {
    let own = request.from.account;
    // `<request>` with notices, or, as it was, the notice alone.
    let named: Vec<String> = match request.child {
        Some(request) if request.is("request") => {
            request.kids_of("notice").filter_map(|notice| notice.text_of("id")).collect()
        }
        Some(notice) if notice.is("notice") => notice.text_of("id").into_iter().collect(),
        _ => return unknown(world, request),
    };
    let kept = &mut world.account_mut(own).kept.notices;
    if request.set {
        for id in named {
            if kept.len() < MANY || kept.contains_key(&id) {
                kept.insert(id, true);
            }
        }
        return Answer::empty();
    }
    let asked = if named.is_empty() { kept.keys().cloned().collect() } else { named };
    let shown = asked.iter().map(|id| {
        let accepted = kept.get(id).copied().unwrap_or_default();
        el("notice").attr("id", id.as_str()).attr("state", if accepted { "true" } else { "false" })
    });
    let shown: Vec<Node> = shown.collect();
    Answer::one(el("tos").attr("refresh", REFRESH_S).children(shown))
}

/// `spam`
pub(super) fn spam(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(list) = request.child.filter(|child| request.set && child.is("spam_list")) else {
        return unknown(world, request);
    };
    let messages = list.kids_of("message").take(MANY).map(|message| {
        let sender = message.text_of("participant").or_else(|| message.text_of("from"));
        (message.text_of("id").unwrap_or_default(), sender.unwrap_or_default())
    });
    let report = Report {
        id: world.fresh_id(),
        flow: list.text_of("spam_flow").unwrap_or_else(|| "MessageMenu".to_owned()),
        chat: list.text_of("jid"),
        messages: messages.collect(),
        t: world.now_s(),
    };
    tracing::info!("{} reports spam ({})", world.who(request.from), report.flow);
    let id = report.id.clone();
    let reports = &mut world.account_mut(request.from.account).kept.reports;
    if reports.len() < MANY {
        reports.push(report);
    }
    Answer::one(el("report_id").text(id))
}

impl World {
    /// A notice waits for being accepted; the account's companions are told.
    pub fn set_notice(&mut self, now_ms: u64, id: AccountId, notice: &str) {
        self.now_ms = now_ms;
        self.account_mut(id).kept.notices.insert(notice.to_owned(), false);
        self.account_sync(id, None, &el("tos").child(el("notice").attr("id", notice)));
    }
}
