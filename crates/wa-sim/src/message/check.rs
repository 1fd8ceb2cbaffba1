//! What is checked on every message before it is routed (chapters 05 §5.8, 10 §15).

use std::collections::BTreeSet;

use wa_binary::{Jid, Node};

use super::{Sending, Verdict};
use crate::stanza::Read;
use crate::watch::Rule;
use crate::world::{DeviceKey, World};

const TYPES: [&str; 7] = ["text", "media", "medianotify", "pay", "poll", "reaction", "event"];

/// `Some` when the message goes no further.
pub(super) fn check(world: &mut World, sending: &Sending<'_>) -> Option<Verdict> {
    let node = sending.node;
    let kind = node.text_of("type").unwrap_or_default();
    let mut refuse = |rule, code, why: &str| {
        world.report_origin(sending.origin, rule, format!("message {}: {why}", sending.id));
        Some(Verdict::Refused(code))
    };
    if !TYPES.contains(&kind.as_str()) {
        return refuse(Rule::RefusedMessage, 479, &format!("type {kind:?}"));
    }
    let peer = node.attr_is("category", "peer");
    let has_token = node.kid("tctoken").is_some() || node.kid("cstoken").is_some();
    if peer && has_token {
        return refuse(Rule::TokenOnPeerMessage, 479, "token on a peer message");
    }
    let recipients: Vec<Jid> = recipients(node).filter_map(|to| to.jid_of("jid")).collect();
    if recipients.iter().collect::<BTreeSet<_>>().len() != recipients.len() {
        return refuse(Rule::DuplicateRecipient, 400, "one device twice");
    }
    if let Some(other) = mixed(&sending.to, &recipients) {
        return refuse(Rule::MixedFamilies, 400, &format!("to {} but {other}", sending.to));
    }
    let edit = node.text_of("edit");
    let revoke = matches!(edit.as_deref(), Some("7" | "8"));
    let status_setting = node.kids_of("meta").any(|meta| meta.has_attr("status_setting"));
    if sending.to.is_status() && status_setting && (kind == "reaction" || revoke) {
        return refuse(Rule::RefusedMessage, 479, "status_setting on a reaction or revoke");
    }
    if !world.config.load {
        look_at_ciphertexts(world, sending);
    }
    let encs = || encs(node);
    let media_without_kind =
        kind == "media" && encs().next().is_some() && encs().all(|enc| !enc.has_attr("mediatype"));
    // A message that is no longer kept has the same `edit="7"` and is hidden by right: the envelope does not tell it from
    // a revoke, and whatever the service is said to do, it cannot drop both.
    let hidden_revoke = world.config.drop_hidden_revokes
        && revoke
        && kind == "text"
        && encs().any(|enc| enc.attr_is("decrypt-fail", "hide"));
    if media_without_kind || hidden_revoke {
        // The live service accepts these and delivers nothing.
        let why = if media_without_kind { "media without mediatype" } else { "revoke with decrypt-fail" };
        world.report_origin(sending.origin, Rule::RefusedMessage, format!("message {}: {why}", sending.id));
        return Some(Verdict::Swallowed);
    }
    None
}

/// The entries of `<participants>`.
pub(super) fn recipients(node: &Node) -> impl Iterator<Item = &Node> {
    node.kid("participants").into_iter().flat_map(|list| list.kids_of("to"))
}

/// All `<enc>`, of the message and of its recipients.
fn encs(node: &Node) -> impl Iterator<Item = &Node> {
    recipients(node).flat_map(|to| to.kids_of("enc")).chain(node.kids_of("enc"))
}

/// The first recipient whose family is not that of the others.
fn mixed<'a>(to: &Jid, recipients: &'a [Jid]) -> Option<&'a Jid> {
    let family = to.family().or_else(|| recipients.first().and_then(Jid::family))?;
    recipients.iter().find(|jid| jid.family().is_some_and(|other| other != family))
}

fn look_at_ciphertexts(world: &mut World, sending: &Sending<'_>) {
    let node = sending.node;
    let has_pkmsg = encs(node).any(|enc| enc.attr_is("type", "pkmsg"));
    let identity = node.kid("device-identity").is_some();
    if has_pkmsg && !identity && sending.from.device != 0 {
        let detail = format!("message {}", sending.id);
        world.report_origin(sending.origin, Rule::MissingDeviceIdentity, detail);
    }
    let mut reused = Vec::new();
    for to in recipients(node) {
        let device = to.jid_of("jid").and_then(|jid| world.find_device(&jid));
        for enc in to.kids_of("enc") {
            note(world, sending.from, device, enc, &mut reused);
        }
    }
    let named = node.jid_of("participant").unwrap_or_else(|| sending.to.clone());
    let device = world.find_device(&named);
    for enc in node.kids_of("enc") {
        let device = if enc.attr_is("type", "skmsg") { None } else { device };
        note(world, sending.from, device, enc, &mut reused);
    }
    for detail in reused {
        world.report_origin(sending.origin, Rule::CounterReused, format!("message {}: {detail}", sending.id));
    }
}

fn note(world: &mut World, from: DeviceKey, to: Option<DeviceKey>, enc: &Node, reused: &mut Vec<String>) {
    let kind = enc.text_of("type").unwrap_or_default();
    if (to.is_none() && kind != "skmsg") || from.device == 0 {
        return;
    }
    if let Some(bytes) = enc.body()
        && !world.counters.note(from, to, &kind, bytes)
    {
        let to = to.map_or_else(|| "a group".to_owned(), |to| world.label(to));
        reused.push(format!("{kind} to {to}"));
    }
}
