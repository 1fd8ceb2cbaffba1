//! `history-requests`: what the phone is asked for, byte by byte, and what its answers say (chapter 08 §5.1, §7).

use anyhow::{Context, Result, bail};
use prost::Message as _;
use serde_json::{Value, json};
use wa_core::app_state::Collection;
use wa_core::history::requests::{PeerAnswer, PeerRequest, key_request, placeholder};
use wa_core::history::{LidMigration, MigratedUser};
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::PeerDataOperationRequestMessage;
use wa_proto::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResult;

use super::facts_fields::Record;
use crate::proto_json::{self, Style};
use crate::{Reader, VectorFile, same_bytes};

/// The schema's name of what every request but that for keys is.
const REQUEST: &str = "e2e_message.Message.PeerDataOperationRequestMessage";

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| {
        case.prose("name")?;
        case.prose("note")?;
        let bytes = case.base64("message_b64")?;
        match case.str("kind")? {
            "build" => same_bytes("message", build(&case.field("request")?)?.encode_to_vec(), bytes),
            "parse" => parse(&Message::decode(&*bytes)?)?.check(&case.field("expect")?),
            other => bail!("unknown kind {other}"),
        }
    })
}

fn build(request: &Reader<'_>) -> Result<Message> {
    if let Some(ids) = request.opt("keyIds")? {
        let ids = ids.items()?.iter().map(|id| Ok(id.as_hex()?.into())).collect::<Result<Vec<_>>>()?;
        return Ok(key_request(ids));
    }
    let request_of = |request: &Reader<'_>| -> Result<PeerDataOperationRequestMessage> {
        let bytes = proto_json::encode(REQUEST, request.raw(), Style::Standard)?;
        Ok(PeerDataOperationRequestMessage::decode(&*bytes)?)
    };
    let peer_request = match request.str("peerDataOperationRequestType")? {
        "HISTORY_SYNC_ON_DEMAND" => older_messages(&request.field("historySyncOnDemandRequest")?)?,
        "COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY" => {
            let recovery = request.field("syncdCollectionFatalRecoveryRequest")?;
            let name = recovery.str("collectionName")?;
            PeerRequest::CollectionRecovery {
                collection: Collection::from_name(name).with_context(|| format!("collection {name}"))?,
                timestamp: whole(&recovery, "timestamp")?,
            }
        }
        "PLACEHOLDER_MESSAGE_RESEND" => {
            let asked = request_of(request)?.placeholder_message_resend_request;
            PeerRequest::Placeholders(
                asked.into_iter().map(|it| it.message_key.map(|key| *key).unwrap_or_default()).collect(),
            )
        }
        "FULL_HISTORY_SYNC_ON_DEMAND" => PeerRequest::FullHistory(
            request_of(request)?.full_history_sync_on_demand_request.context("no request")?,
        ),
        "HISTORY_SYNC_CHUNK_RETRY" => PeerRequest::ChunkRetry(
            request_of(request)?.history_sync_chunk_retry_request.context("no request")?,
        ),
        _ => PeerRequest::Other(Box::new(request_of(request)?)),
    };
    Ok(peer_request.message())
}

fn older_messages(request: &Reader<'_>) -> Result<PeerRequest> {
    Ok(PeerRequest::OlderMessages {
        chat: request.str("chatJid")?.to_owned(),
        oldest_id: request.str("oldestMsgId")?.to_owned(),
        oldest_from_me: request.bool("oldestMsgFromMe")?,
        oldest_timestamp: whole(request, "oldestMsgTimestampMs")?,
        count: i32::try_from(whole(request, "onDemandMsgCount")?)?,
        account_lid: request.opt_str("accountLid")?.map(str::to_owned),
        inline_response: request.opt_bool("supportInlineResponse")?,
    })
}

/// A number, as such or as text.
fn whole(reader: &Reader<'_>, name: &str) -> Result<i64> {
    let field = reader.field(name)?;
    match field.peek() {
        Value::String(_) => Ok(field.as_str()?.parse()?),
        _ => field.as_i64(),
    }
}

fn parse(message: &Message) -> Result<Record> {
    if let Some(answer) = PeerAnswer::of(message) {
        return peer_answer(&answer);
    }
    let migration = LidMigration::of(message).context("neither an answer nor a mapping")?;
    let user = |user: &MigratedUser| {
        Record::new()
            .with("pn", user.pn.user().as_str())
            .with("assigned_lid", user.assigned.user().as_str())
            .with("latest_lid", user.latest.as_ref().map(|lid| lid.user().to_string()))
    };
    Ok(Record::new()
        .with("chat_db_migration_timestamp", migration.migrated_at)
        .with_list("mappings", migration.users.iter().map(user)))
}

/// Facts of the answer and of the first result of each kind.
fn peer_answer(answer: &PeerAnswer) -> Result<Record> {
    let record = Record::new()
        .with("type", answer.kind)
        .with("stanza_id", answer.request_id.as_str())
        .with("results", answer.results.len())
        .with("placeholders", answer.placeholders().count());
    let mut record = match answer.placeholders().next() {
        Some(info) => {
            let message = placeholder(info)?;
            record
                .with("message_id", message.id)
                .with("chat", message.remote)
                .with("from_me", message.from_me)
                .with("participant", message.participant)
                .with("timestamp", message.timestamp)
                .with("has_content", message.content.is_some())
                .with("text", message.text())
        }
        None => record,
    };
    for (name, value) in answer.results.iter().flat_map(other_results) {
        record = record.with(name, value);
    }
    Ok(record)
}

fn other_results(result: &PeerDataOperationResult) -> Vec<(&'static str, Value)> {
    let mut facts = Vec::new();
    if let Some(full) = result.full_history_sync_on_demand_request_response.as_deref() {
        let metadata = full.request_metadata.as_deref();
        facts.push(("request_id", json!(metadata.and_then(|it| it.request_id.as_deref()))));
        facts.push(("response_code", json!(full.response_code)));
    }
    if let Some(nonce) = result.companion_meta_nonce_fetch_request_response.as_deref() {
        facts.push(("nonce", json!(nonce.nonce)));
    }
    if let Some(retry) = result.history_sync_chunk_retry_response.as_deref() {
        facts.extend([
            ("sync_type", json!(retry.sync_type)),
            ("chunk_order", json!(retry.chunk_order)),
            ("request_id", json!(retry.request_id)),
            ("response_code", json!(retry.response_code)),
            ("can_recover", json!(retry.can_recover)),
        ]);
    }
    facts
}
