//! Facts of the `messages` family by their names, and the comparison of answers. A fact that is not known by name is
//! looked up in the stanza itself.

use anyhow::{Context, Result, bail, ensure};
use prost::Message as _;
use serde_json::{Value, json};
use wa_binary::{Family, Jid, Node, NodeRef};
use wa_core::envelope::{
    AckOutcome, Call, Edit, EncType, MessageStanza, NewsletterItem, NewsletterUpdate, Own, Receipt,
    ReceiptStatus, Refused, Remedy, ServerAck, Unavailable,
};
use wa_proto::e2e_message::Message;

use crate::node_reader::read_node;
use crate::{Reader, same};

/// Words of the library and of the files for one thing.
const SAME_WORDS: &[&[&str]] = &[
    &["lottie", "lottie_sticker"],
    &["edited", "edit"],
    &["view_once", "view_once_v2", "view_once_v2ext", "view_once_v2_ext", "view_once_v2_extension"],
    &["group_status", "group_status_v2"],
    &["other", "unknown", "generic", "plain", "unavailable"],
    &["missing_from", "invalid_from", "bad_from", "malformed_from"],
    &["missing_participant", "invalid_participant", "bad_participant", "malformed_participant"],
    &["delivered", "inactive"],
    &["poll_option_image", "poll_creation_option_image"],
    &["question", "question_message"],
    &["limit_sharing", "limit_sharing_message"],
    &["status_add_yours", "add_yours"],
    &["poll_v4", "poll_creation_v4"],
    &["reactions", "reaction", "reaction_counts"],
    &["votes", "vote", "vote_counts", "poll_votes"],
    &["views", "counters", "views_count"],
];

/// Whether both words stand for the same.
pub(super) fn same_word(actual: &str, expected: &str) -> bool {
    actual == expected || SAME_WORDS.iter().any(|words| words.contains(&actual) && words.contains(&expected))
}

/// The stanzas that answer a message: one, or none.
pub(super) fn answers(what: &str, reply: Option<&Node>, expected: &[Reader<'_>]) -> Result<()> {
    ensure!(expected.len() <= 1, "{what}: {} answers to one message", expected.len());
    match (reply, expected.first()) {
        (None, None) => Ok(()),
        (Some(reply), Some(expected)) => same_or_more(what, reply, &read_node(expected)?),
        (Some(reply), None) => bail!("{what}: {reply} where none is expected"),
        (None, Some(expected)) => bail!("{what}: none, expected {}", read_node(expected)?),
    }
}

/// The expected attributes, and at most such others as an answer may carry.
pub(super) fn same_or_more(what: &str, actual: &Node, expected: &Node) -> Result<()> {
    const MAY_BE_ADDED: [&str; 4] = ["from", "participant", "recipient", "t"];
    ensure!(actual.tag() == expected.tag(), "{what}: {actual}, expected {expected}");
    for (name, value) in expected.each_attr() {
        ensure!(actual.attr_is(name, &value.to_compact()), "{what}: {actual}, expected {expected}");
    }
    for (name, _) in actual.each_attr() {
        let allowed = expected.has_attr(name) || MAY_BE_ADDED.contains(&name);
        ensure!(allowed, "{what}: {name} in {actual}, expected {expected}");
    }
    ensure!(actual.content() == expected.content(), "{what}: content of {actual}, expected {expected}");
    Ok(())
}

/// A fact of a received message.
pub(super) fn fact(
    message: &MessageStanza,
    own: &Own,
    stanza: NodeRef<'_>,
    name: &str,
    expected: &Reader<'_>,
) -> Result<()> {
    let actual = match name {
        "id" => json!(message.id),
        "chat" => json!(message.chat),
        "sender" => json!(message.sender),
        "sender_alt" => return sender_alt(message, own, expected),
        "recipient_alt" => json!(message.recipient_alt),
        "from_me" => json!(message.from_me),
        "is_group" => json!(message.is_group()),
        "is_broadcast" => json!(message.is_broadcast()),
        "is_status" => json!(message.is_status()),
        "is_newsletter" => json!(message.chat.is_newsletter()),
        "addressing_mode" => json!(message.addressing_mode.map(family)),
        "timestamp" => json!(message.timestamp),
        "push_name" => json!(message.push_name),
        "category" => json!(message.category),
        "stanza_type" => json!(message.stanza_type),
        "edit" => json!(message.edit.as_ref().map(Edit::as_str)),
        "offline" => json!(message.offline),
        "server_id" => json!(message.server_id),
        "server_timestamp_us" => json!(message.server_timestamp_us),
        "enc_types" => {
            json!(message.enc_types.iter().map(|kind| kind.as_ref().map(EncType::as_str)).collect::<Vec<_>>())
        }
        "media_type" => json!(message.media_type),
        "decrypt_fail_hide" => json!(message.decrypt_fail_hide),
        "retry_count" => json!(message.retry_count),
        "unavailable" => return word(message.unavailable.map(Unavailable::name), expected),
        "bot" => json!(message.bot.as_ref().map(|bot| json!({
            "edit": bot.edit, "edit_target_id": bot.edit_target_id, "sender_timestamp_ms": bot.sender_timestamp_ms,
        }))),
        "meta" if message.meta.is_empty() => Value::Null,
        "meta" => json!(message.meta.iter().cloned().collect::<std::collections::BTreeMap<_, _>>()),
        "reporting_token_version" => json!(message.reporting_token_version),
        "broadcast_recipients" => json!(
            message
                .broadcast_recipients
                .iter()
                .map(|recipient| json!({ "lid": recipient.lid, "pn": recipient.pn }))
                .collect::<Vec<_>>()
        ),
        "verified_name_serial" => json!(message.verified_name_serial),
        "verified_level" => json!(message.verified_level),
        "verified_name" => json!(message.verified_name),
        "multicast" => json!(message.multicast),
        "display_chat" => json!(message.display_chat()),
        "plaintext_text" => {
            let update = message.newsletter.as_ref().context("no channel's stanza")?;
            json!(post(update)?.conversation)
        }
        "newsletter" => return newsletter(message.newsletter.as_ref(), expected),
        other => looked_up(stanza, other),
    };
    alike(&actual, expected.raw())
}

/// Absent, or the own address in the other family, for own messages.
fn sender_alt(message: &MessageStanza, own: &Own, expected: &Reader<'_>) -> Result<()> {
    let expected: Option<Jid> = match expected.raw() {
        Value::Null => None,
        value => Some(value.as_str().context("text")?.parse()?),
    };
    let may_differ =
        message.from_me && [&expected, &message.sender_alt].into_iter().flatten().all(|alt| own.owns(alt));
    ensure!(
        message.sender_alt == expected || may_differ,
        "got {:?}, expected {expected:?}",
        message.sender_alt
    );
    Ok(())
}

fn post(update: &NewsletterUpdate) -> Result<Message> {
    for item in &update.items {
        if let NewsletterItem::Post(bytes) | NewsletterItem::Edit { message: bytes, .. } = item {
            return Ok(Message::decode(&**bytes)?);
        }
    }
    bail!("no post")
}

fn newsletter(update: Option<&NewsletterUpdate>, expected: &Reader<'_>) -> Result<()> {
    let update = update.context("no channel's stanza")?;
    for (name, value) in expected.entries()? {
        match name {
            "kind" => {
                let kind = value.as_str()?;
                let found = update.items.iter().any(|item| same_word(item.name(), kind));
                ensure!(found, "{:?} instead of {kind}", update.items);
            }
            _ => {
                let found =
                    update.items.iter().any(|item| alike_somehow(&item_value(item, name), value.raw()));
                ensure!(found, "{name}: {:?} instead of {}", update.items, value.raw());
            }
        }
    }
    Ok(())
}

/// The forms that a file may give an item's field.
fn item_value(item: &NewsletterItem, name: &str) -> Vec<Value> {
    match item {
        NewsletterItem::Reactions(counts) => vec![
            json!(
                counts
                    .iter()
                    .map(|(code, count)| (code.to_string(), json!(count)))
                    .collect::<serde_json::Map<_, _>>()
            ),
            json!(
                counts
                    .iter()
                    .map(|(code, count)| json!({ "code": code, "count": count }))
                    .collect::<Vec<_>>()
            ),
            json!(counts.iter().map(|(code, count)| json!([code, count])).collect::<Vec<_>>()),
            json!(counts.first().map(|(code, _)| code.to_string())),
        ],
        NewsletterItem::Votes(votes) => vec![
            json!(
                votes
                    .iter()
                    .map(|(hash, count)| (hex::encode(hash), json!(count)))
                    .collect::<serde_json::Map<_, _>>()
            ),
            json!(
                votes
                    .iter()
                    .map(|(hash, count)| json!({ "hash": hex::encode(hash), "count": count }))
                    .collect::<Vec<_>>()
            ),
            json!(votes.iter().map(|(hash, count)| json!([hex::encode(hash), count])).collect::<Vec<_>>()),
            json!(votes.iter().map(|(hash, _)| hex::encode(hash)).collect::<Vec<_>>()),
        ],
        NewsletterItem::Views(count) | NewsletterItem::Forwards(count) | NewsletterItem::Responses(count) => {
            vec![json!(count)]
        }
        NewsletterItem::Edit { edited_ms, original, message } => match name {
            "msg_edit_t" | "edited_ms" | "edit_ms" | "edit_timestamp_ms" | "edit_t_ms" => {
                vec![json!(edited_ms)]
            }
            "original_msg_t" | "original" | "original_t" | "original_timestamp" => vec![json!(original)],
            _ => vec![text_of(message)],
        },
        NewsletterItem::Post(message) => vec![text_of(message)],
        _ => Vec::new(),
    }
}

fn text_of(message: &[u8]) -> Value {
    Message::decode(message).map_or(Value::Null, |message| json!(message.conversation))
}

fn alike_somehow(forms: &[Value], expected: &Value) -> bool {
    forms.iter().any(|form| alike(form, expected).is_ok())
}

/// A fact of a receipt.
pub(super) fn receipt_fact(receipt: &Receipt, name: &str, expected: &Reader<'_>) -> Result<()> {
    let actual = match name {
        "status" => {
            let expected = expected.as_str()?;
            let status = match &receipt.status {
                ReceiptStatus::Other(kind) => format!("other:{kind}"),
                status => status.name().to_owned(),
            };
            ensure!(same_word(&status, expected), "{status} instead of {expected}");
            return Ok(());
        }
        "chat" => json!(receipt.chat),
        "sender" => json!(receipt.sender),
        "from_me" => json!(receipt.from_me),
        "surface" => json!(receipt.is_surfaced()),
        "t" | "timestamp" => json!(receipt.timestamp),
        "message_author" | "author" | "message_sender" => json!(receipt.message_author),
        "server_ids" => json!(receipt.server_ids),
        "ids_order" => return same("order", expected.as_str()?, "unspecified"),
        "ids" => {
            let mut expected: Vec<&str> =
                expected.items()?.iter().map(Reader::as_str).collect::<Result<_>>()?;
            let mut actual: Vec<&str> = receipt.ids.iter().map(|id| &**id).collect();
            expected.sort_unstable();
            actual.sort_unstable();
            return same("ids", actual, expected);
        }
        "aggregated" => {
            let expected = expected.items()?;
            same("number of users", receipt.users.len(), expected.len())?;
            for (user, expected) in receipt.users.iter().zip(expected) {
                for (name, value) in expected.entries()? {
                    let actual = match name {
                        "id" => json!(user.id),
                        "sender" => json!(user.sender),
                        "sender_alt" | "participant_pn" => json!(user.sender_alt),
                        "status" => json!(user.status.name()),
                        "t" => json!(user.timestamp),
                        other => bail!("unknown fact {other} of a user"),
                    };
                    alike(&actual, value.raw()).with_context(|| name.to_owned())?;
                }
            }
            return Ok(());
        }
        other => bail!("unknown fact {other} of a receipt"),
    };
    alike(&actual, expected.raw())
}

/// A fact of a call.
pub(super) fn call_fact(call: &Call, name: &str, expected: &Reader<'_>) -> Result<()> {
    let actual = match name {
        "action" => json!(call.action.name()),
        "is_video" => json!(call.is_video),
        "is_group" => json!(call.is_group),
        "caller_pn" => json!(call.caller_pn),
        "group_jid" => json!(call.group_jid),
        "call_id" => json!(call.call_id),
        "call_creator" => json!(call.call_creator),
        "from" => json!(call.from),
        "t" | "timestamp" => json!(call.timestamp),
        "reason" => json!(call.reason),
        "duration" => json!(call.duration),
        "offline" => json!(call.offline),
        other => {
            let stanza = call.raw.view();
            match looked_up(stanza, other) {
                Value::Null => stanza.first_child().map_or(Value::Null, |child| looked_up(child, other)),
                value => value,
            }
        }
    };
    alike(&actual, expected.raw())
}

/// An attribute of that name, with dashes for the underscores of files.
fn looked_up(node: NodeRef<'_>, name: &str) -> Value {
    let dashed = name.replace('_', "-");
    let value = node.value(name).or_else(|| node.value(&dashed));
    value.map_or(Value::Null, |value| json!(value.to_compact()))
}

/// The facts of a server's ack.
pub(super) fn server_ack(stanza: NodeRef<'_>, expected: &Reader<'_>) -> Result<()> {
    let ack = ServerAck::parse(stanza).context("no ack of a message")?;
    for (name, value) in expected.entries()? {
        let actual = match name {
            "ok" => json!(ack.outcome.is_accepted()),
            "t" | "timestamp" => json!(ack.timestamp),
            "server_id" => json!(ack.server_id),
            "phash" => json!(ack.phash),
            "addressing_mode" => json!(ack.addressing_mode.map(family)),
            "refresh_lid" => json!(ack.refresh_lid),
            "error" => match ack.outcome {
                AckOutcome::Accepted => Value::Null,
                AckOutcome::Refused(Refused::Code(code)) => json!(code),
                AckOutcome::Refused(Refused::Unparsable) => json!("unparsable"),
            },
            "action" => {
                let expected = value.as_str()?;
                ensure!(is_action(&ack, expected), "{ack:?} does not lead to {expected}");
                continue;
            }
            other => looked_up(stanza, other),
        };
        alike(&actual, value.raw()).with_context(|| format!("fact {name}"))?;
    }
    Ok(())
}

/// Whether what the ack leads to is what the file's words say.
fn is_action(ack: &ServerAck, words: &str) -> bool {
    let says = |all: &[&str]| all.iter().any(|word| words.contains(word));
    match ack.outcome {
        // What an accepted ack changes is the hash or the family of the group.
        AckOutcome::Accepted => {
            (ack.phash.is_some() && says(&["phash", "refresh", "device", "participant", "metadata"]))
                || (ack.addressing_mode.is_some() && says(&["refresh", "address", "switch", "resend"]))
                || (ack.refresh_lid && says(&["lid"]))
        }
        AckOutcome::Refused(refused) => match refused.remedy() {
            Remedy::Restricted => says(&["restricted"]) && !says(&["retry"]),
            Remedy::Retry => says(&["retry", "backoff"]),
            Remedy::RefreshGroup => says(&["refresh", "switch", "resend", "stale"]),
            Remedy::SurfaceAndRefreshDevices => words == "surface" || says(&["surface", "refresh", "device"]),
            Remedy::Surface => words.starts_with("surface") && !says(&["restricted", "retry"]),
        },
    }
}

fn word(actual: Option<&str>, expected: &Reader<'_>) -> Result<()> {
    match (actual, expected.raw()) {
        (None, Value::Null) => Ok(()),
        (Some(actual), Value::String(expected)) if same_word(actual, expected) => Ok(()),
        (actual, expected) => bail!("got {actual:?}, expected {expected}"),
    }
}

const fn family(family: Family) -> &'static str {
    match family {
        Family::Pn => "pn",
        Family::Lid => "lid",
    }
}

/// Equal, where a number may be written as text, an absent flag as `null` and an absent field left out.
fn alike(actual: &Value, expected: &Value) -> Result<()> {
    let equal = match (actual, expected) {
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            *text == number.to_string()
        }
        (Value::String(text), Value::Bool(flag)) => {
            matches!((&**text, flag), ("true" | "1", true) | ("false" | "0", false))
        }
        (Value::Bool(false), Value::Null) => true,
        (Value::Object(actual), Value::Object(expected)) => {
            let names = actual.keys().chain(expected.keys());
            for name in names {
                let part = |map: &serde_json::Map<_, _>| map.get(name).cloned().unwrap_or(Value::Null);
                alike(&part(actual), &part(expected)).with_context(|| name.clone())?;
            }
            true
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            for (actual, expected) in actual.iter().zip(expected) {
                alike(actual, expected)?;
            }
            true
        }
        (actual, expected) => actual == expected,
    };
    ensure!(equal, "got {actual}, expected {expected}");
    Ok(())
}
