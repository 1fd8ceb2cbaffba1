//! What the families of history blobs share: reading a blob to its end and the facts that must be found in it (chapter
//! 08 §4, §5), by their names.

use anyhow::Result;
use prost::Message as _;
use serde_json::{Value, json};
use wa_binary::Jid;
use wa_core::envelope::Own;
use wa_core::history::{
    Chat, HistoryError, HistoryLimits, HistoryReader, Learned, Part, StoredMessage, StoredSecret, StoredToken,
};
use wa_media::MediaError;
use wa_proto::history::{HistorySync, history_sync::HistorySyncType};

use super::facts_fields::{Fact, Record, opt, text};
use crate::Reader;
use crate::proto_json::{self, Style};

/// The account that the file's blobs are for.
pub(super) fn own(top: &Reader<'_>) -> Result<Own> {
    let own = top.field("own")?;
    Ok(Own { pn: own.str("pn")?.parse()?, lid: own.opt_str("lid")?.map(str::parse).transpose()? })
}

/// The class of an error, as the vectors name it.
pub(super) const fn class(error: &HistoryError) -> &'static str {
    match error {
        HistoryError::MissingReference | HistoryError::File(MediaError::KeyLength(_)) => {
            "HistoryMissingReference"
        }
        HistoryError::File(_) => "HistoryHashMismatch",
        HistoryError::Inflate(_) => "HistoryInflate",
        HistoryError::TooLarge { .. } => "HistoryTooLarge",
        HistoryError::Malformed(_) => "MalformedProtobuf",
    }
}

/// Reads a compressed blob and says what is in it.
pub(super) fn facts(blob: &[u8], limits: HistoryLimits, own: &Own) -> Result<Record, HistoryError> {
    let mut reader = HistoryReader::new(blob, limits)?;
    let mut learned = Learned::default();
    let (mut chats, mut messages, mut statuses) = (Vec::new(), 0, 0_usize);
    let mut counted = HistorySync::default();
    while let Some(part) = reader.next_part()? {
        learned.add(&part)?;
        match part {
            Part::Chat(chat) => {
                let (record, count) = conversation(&chat)?;
                chats.push(record);
                messages += count;
            }
            Part::Status(_) => statuses += 1,
            // What does not decode counts as nothing.
            Part::Other(_, bytes) => drop(counted.merge(bytes)),
        }
    }
    let past = &counted.past_participants;
    let own_name = learned.push_names.iter().find(|(who, _)| own.owns(who));
    Ok(Record::new()
        .with("sync_type", learned.sync_type.map(type_name))
        .with("inflated_len", reader.inflated_len())
        .with("conversations", chats.len())
        .with("messages", messages)
        .with("status_messages", statuses)
        .with("pushnames", counted.pushnames.len())
        .with("lid_mapping_entries", counted.phone_number_to_lid_mappings.len())
        .with("past_participant_groups", past.len())
        .with("past_participants", past.iter().map(|group| group.past_participants.len()).sum::<usize>())
        .with("call_logs", counted.call_log_records.len())
        .with("recent_stickers", counted.recent_stickers.len())
        .with("inline_contacts", counted.inline_contacts.len())
        .with("accounts", counted.accounts.len())
        .with("chunk_order", learned.chunk_order)
        .with("progress", learned.progress)
        .with_text("nct_salt_hex", learned.nct_salt.as_ref().map(hex::encode))
        .with("companion_meta_nonce", learned.companion_meta_nonce.as_deref())
        .with("has_global_settings", learned.settings.is_some())
        .with_list("conversation_list", chats)
        .with_fact(
            "pn_lid_pairs",
            Fact::Set(
                learned.mappings.iter().map(|it| json!([it.pn.to_string(), it.lid.to_string()])).collect(),
            ),
        )
        .with_list("tc_tokens", learned.tokens.iter().map(token))
        .with_list("message_secrets", learned.secrets.iter().map(secret))
        .with("pushname_list", pairs(&learned.push_names))
        .with("own_push_name", own_name.map(|(_, name)| name.as_str())))
}

fn pairs(names: &[(Jid, impl AsRef<str>)]) -> Value {
    names.iter().map(|(who, name)| json!([who.to_string(), name.as_ref()])).collect()
}

fn type_name(kind: i32) -> Value {
    HistorySyncType::try_from(kind).map_or_else(|_| kind.into(), |kind| kind.as_str_name().into())
}

fn token(token: &StoredToken) -> Record {
    Record::new()
        .with_text("chat", text(&token.chat))
        .with_text("user", text(&token.user))
        .with_text("token_hex", hex::encode(&token.token))
        .with("timestamp", token.timestamp)
        .with("sender_timestamp", token.sender_timestamp)
}

fn secret(secret: &StoredSecret) -> Record {
    Record::new()
        .with_text("chat", text(&secret.chat))
        .with_text("sender", opt(secret.sender.as_ref()).unwrap_or_else(|| "self".into()))
        .with("id", secret.id.as_str())
        .with_text("secret_hex", hex::encode(secret.secret))
}

/// A chat and how many messages it holds. Fields of its header go by their names in the schema.
fn conversation(chat: &Chat<'_>) -> Result<(Record, usize), HistoryError> {
    let messages = chat.messages().collect::<Result<Vec<_>, _>>()?;
    let time = |message: &&StoredMessage<'_>| message.timestamp;
    // Of several at one time the first is the newest and the last the oldest: they stand newest first.
    let newest = messages.iter().rev().max_by_key(time);
    let oldest = messages.iter().rev().min_by_key(time);
    let header = chat.header()?.unwrap_or_default();
    let participants = header.participant.len();
    let mut record = Record::new();
    if let Ok(Value::Object(fields)) =
        proto_json::decode("history.Conversation", &header.encode_to_vec(), Style::Numbers)
    {
        for (name, value) in fields {
            record = record.with(&name, value);
        }
    }
    let record = record
        .with("id", chat.id()?)
        .with("messages", messages.len())
        .with("with_content", messages.iter().filter(|message| message.content.is_some()).count())
        .with("stubs", messages.iter().filter(|message| message.stub_type.is_some()).count())
        .with("newest_id", newest.and_then(|message| message.id))
        .with("oldest_id", oldest.and_then(|message| message.id))
        .with("newest_ts", newest.and_then(|message| message.timestamp))
        .with("oldest_ts", oldest.and_then(|message| message.timestamp))
        .with("participants", participants);
    Ok((record, messages.len()))
}

/// The limits of a case.
pub(super) fn limits(case: &Reader<'_>) -> Result<HistoryLimits> {
    let mut limits = HistoryLimits::default();
    if let Some(limit) = case.opt_u64("inflate_limit")? {
        limits.blob = limit;
    }
    Ok(limits)
}

/// Holds what was read, or why nothing was, against the case.
pub(super) fn check(read: Result<Record, HistoryError>, expect: &Reader<'_>) -> Result<()> {
    let facts = match read {
        Ok(facts) => facts.with("error", Value::Null),
        Err(error) => Record::new().with("error", class(&error)),
    };
    facts.check(expect)
}
