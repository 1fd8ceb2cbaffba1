//! What comes between own devices and must be kept from the first day: app-state keys, history notifications, the
//! phone's other orders (chapters 07 §1.2 and 08 §1). Later versions work through what is kept without a new link.

use prost::Message as _;
use wa_core::envelope::MessageStanza;
use wa_core::history::{HistoryLimits, HistoryReader, HistorySource, Learned, Part};
use wa_proto::e2e_message::message::{HistorySyncNotification, ProtocolMessage};
use wa_store::{AppStateKey, Bytes, StoreError, UnixTime, tables};

use crate::privacy::NCT_SALT;
use crate::vault::Step;

/// Keeps what an own device sent; says whether it was something of this kind.
pub(crate) async fn keep(
    step: &mut Step<'_>,
    incoming: &MessageStanza,
    message: &ProtocolMessage,
) -> Result<bool, StoreError> {
    // Keys and history come from the phone alone.
    if incoming.sender.device() != 0 {
        return Ok(false);
    }
    if let Some(share) = message.app_state_sync_key_share.as_deref() {
        for (arrival, key) in (0_u64..).zip(&share.keys) {
            let id = key.key_id.as_deref().and_then(|id| id.key_id.clone());
            let data = key.key_data.as_deref();
            let secret = data.and_then(|data| data.key_data.as_deref());
            let (Some(id), Some(Ok(secret))) = (id, secret.map(wa_crypto::Secret::<32>::try_from)) else {
                continue;
            };
            let millis = data.and_then(|data| data.timestamp).unwrap_or(0);
            let row = AppStateKey {
                key: secret,
                timestamp: UnixTime::from_millis(u64::try_from(millis).unwrap_or(0)),
                fingerprint: data
                    .and_then(|data| data.fingerprint.as_deref())
                    .map_or_else(Bytes::new, |fingerprint| fingerprint.encode_to_vec().into()),
                arrival,
            };
            step.changes.put(tables::AppStateKeys, &id, &row);
        }
        return Ok(true);
    }
    if let Some(notification) = message.history_sync_notification.as_deref() {
        let bytes = Bytes::from(notification.encode_to_vec());
        step.changes.put(tables::HistoryJobs, &incoming.id, &bytes);
        keep_salt(step, notification).await?;
        return Ok(true);
    }
    Ok(false)
}

/// The salt for fallback tokens, from a history that stands in its notification. A salt that is known already counts
/// for more (chapter 08 §4); a history that cannot be read is kept all the same.
async fn keep_salt(step: &mut Step<'_>, notification: &HistorySyncNotification) -> Result<(), StoreError> {
    let Ok(HistorySource::Inline(blob)) = HistorySource::of(notification) else { return Ok(()) };
    if step.shared.store.one(tables::NumberState, &NCT_SALT.into()).await?.is_some() {
        return Ok(());
    }
    if let Some(salt) = salt_of(&blob) {
        step.changes.put(tables::NumberState, &NCT_SALT.into(), &salt);
    }
    Ok(())
}

fn salt_of(blob: &[u8]) -> Option<Bytes> {
    let mut learned = Learned::default();
    let mut reader = HistoryReader::new(blob, HistoryLimits::default()).ok()?;
    while let Ok(Some(part)) = reader.next_part() {
        if matches!(part, Part::Other(..)) {
            learned.add(&part).ok()?;
        }
        if learned.nct_salt.is_some() {
            break;
        }
    }
    learned.nct_salt.filter(|salt| !salt.is_empty())
}
