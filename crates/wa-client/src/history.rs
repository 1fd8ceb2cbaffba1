//! What comes between own devices (chapters 07 §2.2 and 08): keys of the shared settings, history, the phone's answers to
//! what it was asked. A history notification is kept as it came; what one says of people, chats and tokens is learnt
//! at once when the history stands in it, else
//! when its file was fetched.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use compact_str::CompactString;
use prost::Message as _;
use wa_binary::{Jid, Node};
use wa_core::envelope::MessageStanza;
use wa_core::history::requests::PeerAnswer;
use wa_core::history::{HistoryFile, HistoryLimits, HistoryReader, HistorySource, Learned, Part};
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::{HistorySyncNotification, ProtocolMessage};
use wa_proto::history::Conversation;
use wa_store::{Bytes, Changes, MappingSource, PrivacyToken, StoreError, Table, UnixTime, tables};

use crate::app_state::Mute;
use crate::app_state::effects::Effects;
use crate::connection::link::Link;
use crate::identity::user_row;
use crate::privacy::NCT_SALT;
use crate::shared::Shared;
use crate::vault::{After, Step, publish};

/// Milliseconds from which on a mute never ends: the year 3000.
const FOR_EVER: u64 = 32_503_680_000_000;

/// Keeps what an own device sent; says whether it was something of this kind.
pub(crate) async fn keep(
    step: &mut Step<'_>,
    incoming: &MessageStanza,
    protocol: &ProtocolMessage,
) -> Result<bool, StoreError> {
    if let Some(request) = protocol.app_state_sync_key_request.as_deref() {
        let ids = request.key_ids.iter().filter_map(|id| id.key_id.clone()).collect();
        step.outputs.after.push(After::ShareKeys(incoming.sender.clone(), ids));
        return Ok(true);
    }
    if let Some(share) = protocol.app_state_sync_key_share.as_deref() {
        crate::app_state::keep_keys(step, share).await?;
        return Ok(true);
    }
    // History and answers come from the phone alone.
    if incoming.sender.device() != 0 {
        return Ok(false);
    }
    if let Some(notification) = protocol.history_sync_notification.as_deref() {
        let bytes = Bytes::from(notification.encode_to_vec());
        step.changes.put(tables::HistoryJobs, &incoming.id, &bytes);
        step.changes.delete(tables::NumberState, &ALL_LEARNT.into());
        match HistorySource::of(notification) {
            Ok(HistorySource::Inline(blob)) => {
                learn(step, &blob).await?;
                note_learnt(step, &incoming.id);
            }
            Ok(HistorySource::File(_)) => step.outputs.after.push(After::FetchHistory),
            // Kept as it is; the phone must not send it for ever.
            Err(_) => note_learnt(step, &incoming.id),
        }
        return Ok(true);
    }
    if protocol.peer_data_operation_request_response_message.is_none() {
        return Ok(false);
    }
    let message = Message { protocol_message: Some(Box::new(protocol.clone())), ..Message::default() };
    if let Some(answer) = PeerAnswer::of(&message) {
        step.sent_again(&answer).await?;
        step.outputs.after.push(After::Answered(answer));
        return Ok(true);
    }
    Ok(false)
}

/// Where it is noted that every piece of history that is kept was read.
pub(crate) const ALL_LEARNT: &str = "history/all-learnt";

/// Where it is noted that a piece of history was read.
fn learnt_row(id: &str) -> CompactString {
    format!("history/learnt/{id}").into()
}

/// Notes that a piece of history was read, and tells the phone once that is stored.
fn note_learnt(step: &mut Step<'_>, id: &str) {
    step.changes.put(tables::NumberState, &learnt_row(id), &Bytes::new());
    if let Some(phone) = crate::peer::phone(step.shared) {
        let receipt = Node::new("receipt").attr("id", id).attr("to", phone).attr("type", "hist_sync");
        step.outputs.stanzas.push(receipt);
    }
}

/// Whether somebody fetches files.
#[derive(Debug, Default)]
pub(crate) struct Fetching(AtomicBool);

/// History lies on the media hosts, or the connection is back: what was not read yet is fetched.
pub(crate) fn fetch_later(shared: &Arc<Shared>, link: &Link) {
    if shared.fetching_history.0.swap(true, Ordering::AcqRel) {
        return;
    }
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        let done = fetch_all(&shared, &link).await;
        shared.fetching_history.0.store(false, Ordering::Release);
        if let Err(error) = done {
            tracing::error!(%error, "kept history cannot be looked at");
        }
    });
}

/// After a login: fetches what earlier connections have not, if there may be anything.
pub(crate) async fn on_connect(shared: &Arc<Shared>, link: &Link) {
    let may_hold =
        shared.occupied.contains(&Table::HistoryJobs) || shared.store.has_written(Table::HistoryJobs);
    if may_hold && shared.small_state(ALL_LEARNT).await.is_none() {
        fetch_later(shared, link);
    }
}

/// Fetches one file after the other until each was tried; what is not to be had now is tried with the next connection.
async fn fetch_all(shared: &Arc<Shared>, link: &Link) -> Result<(), StoreError> {
    let mut tried = HashSet::new();
    loop {
        let Some((id, file)) = unread(shared, &tried).await? else { return note_all_learnt(shared).await };
        tried.insert(id.clone());
        let blob = match crate::own_files::history(shared, &file).await {
            Ok(blob) => blob,
            Err(error) => {
                tracing::warn!(%error, "a piece of history was not fetched");
                continue;
            }
        };
        let mut vault = shared.vault.lock().await;
        let mut step = Step::new(shared);
        learn(&mut step, &blob).await?;
        note_learnt(&mut step, &id);
        let Ok(committed) = vault.commit_step(shared, step).await else { return Ok(()) };
        publish(shared, link, committed);
    }
}

/// The first file that was not read, beside those that were tried.
async fn unread(
    shared: &Shared,
    tried: &HashSet<CompactString>,
) -> Result<Option<(CompactString, HistoryFile)>, StoreError> {
    let mut jobs = shared.store.whole(tables::HistoryJobs).await?;
    jobs.retain(|(id, _)| !tried.contains(id));
    let names: Vec<CompactString> = jobs.iter().map(|(id, _)| learnt_row(id)).collect();
    let learnt = shared.store.many(tables::NumberState, &names).await?;
    let unlearnt = jobs.into_iter().zip(learnt).filter(|(_, learnt)| learnt.is_none());
    for ((id, bytes), _) in unlearnt {
        let notification = HistorySyncNotification::decode(bytes);
        if let Ok(Ok(HistorySource::File(file))) = notification.map(|it| HistorySource::of(&it)) {
            return Ok(Some((id, file)));
        }
    }
    Ok(None)
}

/// Notes that there is nothing to fetch, unless something was tried in vain or has come meanwhile.
async fn note_all_learnt(shared: &Shared) -> Result<(), StoreError> {
    // Whoever keeps another piece takes the note away, in the same order.
    let mut vault = shared.vault.lock().await;
    if unread(shared, &HashSet::new()).await?.is_none() {
        let mut changes = Changes::new();
        changes.put(tables::NumberState, &ALL_LEARNT.into(), &Bytes::new());
        // A cache: whoever needs the lease next says that it is gone.
        let _ = vault.commit(shared, changes).await;
    }
    Ok(())
}

/// Keeps what a piece of history says: who is who, names, tokens, secrets, the salt, and how chats stand. A piece that
/// cannot be read on is kept as far as it was.
async fn learn(step: &mut Step<'_>, blob: &[u8]) -> Result<(), StoreError> {
    let mut learned = Learned::default();
    let mut chats = Vec::new();
    match HistoryReader::new(blob, HistoryLimits::default()) {
        Ok(mut reader) => loop {
            match reader.next_part() {
                Ok(Some(part)) => {
                    if let Err(error) = learned.add(&part) {
                        tracing::debug!(%error, "a chat of the history cannot be read");
                    }
                    if let Part::Chat(chat) = &part
                        && let Ok(Some(header)) = chat.header()
                        && let Some(id) = header.id.as_deref().and_then(|id| id.parse::<Jid>().ok())
                    {
                        chats.push((id, header));
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "a piece of history cannot be read on");
                    break;
                }
            }
        },
        Err(error) => tracing::warn!(%error, "a piece of history cannot be read"),
    }
    for pair in &learned.mappings {
        step.learn(&pair.lid, &pair.pn, MappingSource::History).await?;
    }
    for (who, name) in &learned.push_names {
        if !step.me().is(who) && who.device() == 0 && (who.is_pn() || who.is_lid()) {
            crate::contacts::learn_push_name(step, who, name).await?;
        }
    }
    for token in &learned.tokens {
        let at = user_row(&token.user);
        let mut row = step.shared.store.one(tables::PrivacyTokens, &at).await?.unwrap_or_default();
        let timestamp = UnixTime::from_secs(token.timestamp);
        if row.timestamp.is_none_or(|before| before < timestamp) {
            row = PrivacyToken { token: token.token.clone(), timestamp: Some(timestamp), ..row };
            row.issued = row.issued.max(token.sender_timestamp.map(UnixTime::from_secs));
            step.changes.put(tables::PrivacyTokens, &at, &row);
        }
    }
    step.keep_old_secrets(&learned.secrets).await?;
    // A salt that is known already counts for more (chapter 08 §4).
    if let Some(salt) = learned.nct_salt.filter(|salt| !salt.is_empty())
        && step.shared.store.one(tables::NumberState, &NCT_SALT.into()).await?.is_none()
    {
        step.changes.put(tables::NumberState, &NCT_SALT.into(), &salt);
    }
    let mut effects = Effects::of_history();
    for (id, header) in chats {
        chat(step, &mut effects, &id, &header).await?;
    }
    effects.finish(step);
    Ok(())
}

/// How a chat stands on the phone.
async fn chat(
    step: &mut Step<'_>,
    effects: &mut Effects,
    id: &Jid,
    header: &Conversation,
) -> Result<(), StoreError> {
    if !(id.is_pn() || id.is_lid() || id.is_group()) {
        return Ok(());
    }
    let chat = step.chat(id).await?;
    let now = step.shared.now();
    let state = effects.chat(step, chat.key).await?;
    state.archived = header.archived.unwrap_or(state.archived);
    state.marked_unread = header.marked_as_unread.unwrap_or(state.marked_unread);
    state.unread = header.unread_count.unwrap_or(state.unread);
    if let Some(pinned) = header.pinned {
        state.pinned = (pinned > 0).then(|| UnixTime::from_secs(u64::from(pinned)));
    }
    if let Some(end) = header.mute_end_time {
        let until = UnixTime::from_millis(end);
        state.muted = if end >= FOR_EVER {
            Mute::Always
        } else if until > now {
            Mute::Until(until)
        } else {
            Mute::Not
        };
    }
    Ok(())
}
