//! Sync keys: those that came, asking own devices for those that are missing, and giving ours to who asks (chapter 07 §2).

use std::sync::Arc;
use std::time::Duration;

use wa_binary::Jid;
use wa_core::app_state::{KeyRing, SyncKey};
use wa_core::history::requests::key_request;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{
    AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId,
    AppStateSyncKeyShare, ProtocolMessage,
};
use wa_store::{AppStateKey, Bytes, Changes, StoreError, UnixTime, tables};

use crate::connection::link::Link;
use crate::peer::{self, Push};
use crate::shared::Shared;
use crate::vault::{After, Step};

/// A key is asked for once in this time.
const ASKED: Duration = Duration::from_secs(86_400);
/// Keys that one request of another device is answered with.
const MOST_SHARED: usize = 256;
/// The highest epoch that must not be written with any more (`sentinel`).
pub(super) const EXPIRED: &str = "app-state/expired-epoch";

/// Everything that is stored of keys.
pub(super) async fn ring(shared: &Shared) -> Result<KeyRing, StoreError> {
    let rows = shared.store.whole(tables::AppStateKeys).await?;
    let mut ring: KeyRing = rows
        .into_iter()
        .map(|(id, row)| SyncKey {
            id,
            data: row.key,
            timestamp_ms: i64::try_from(row.timestamp.as_millis()).unwrap_or(i64::MAX),
        })
        .collect();
    let expired = shared.store.one(tables::NumberState, &EXPIRED.into()).await?;
    if let Some(Ok(epoch)) = expired.as_deref().map(<[u8; 4]>::try_from) {
        ring.expire(u32::from_be_bytes(epoch));
    }
    Ok(ring)
}

fn asked_row(id: &[u8]) -> compact_str::CompactString {
    format!("app-state/asked/{}", hex(id)).into()
}

fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to memory cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Keeps the keys of a share, and wakes whoever waits for one. A key that is known is replaced only by a newer one.
pub(crate) async fn keep(step: &mut Step<'_>, share: &AppStateSyncKeyShare) -> Result<(), StoreError> {
    let mut any = false;
    for (arrival, key) in (0_u64..).zip(&share.keys) {
        let id = key.key_id.as_deref().and_then(|id| id.key_id.clone());
        let data = key.key_data.as_deref();
        let secret = data.and_then(|data| data.key_data.as_deref());
        let (Some(id), Some(Ok(secret))) = (id, secret.map(wa_crypto::Secret::<32>::try_from)) else {
            // A key id alone says that the other device does not have it either.
            continue;
        };
        let millis = data.and_then(|data| data.timestamp).unwrap_or(0);
        let timestamp = UnixTime::from_millis(u64::try_from(millis).unwrap_or(0));
        any = true;
        step.changes.delete(tables::NumberState, &asked_row(&id));
        let known = step.shared.store.one(tables::AppStateKeys, &id).await?;
        if known.is_some_and(|known| timestamp <= known.timestamp) {
            continue;
        }
        let fingerprint = data.and_then(|data| data.fingerprint.as_deref());
        let row = AppStateKey {
            key: secret,
            timestamp,
            fingerprint: fingerprint.map_or_else(Bytes::new, |it| prost::Message::encode_to_vec(it).into()),
            arrival,
        };
        step.changes.put(tables::AppStateKeys, &id, &row);
    }
    if any {
        step.outputs.after.push(After::SyncSettings);
    }
    Ok(())
}

/// Asks every other own device for keys, each key at most once a day.
pub(super) async fn ask(shared: &Arc<Shared>, link: &Link, missing: Vec<Bytes>) -> Result<(), StoreError> {
    let mut wanted = Vec::new();
    for id in missing {
        if shared.store.one(tables::NumberState, &asked_row(&id)).await?.is_none() {
            wanted.push(id);
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let message = key_request(wanted.iter().cloned());
    let mut any = false;
    for device in peer::others(shared, link).await {
        match peer::send(shared, link, &device, &message, Push::High).await {
            Ok(_) => any = true,
            Err(error) => tracing::debug!(%error, "an own device was not asked for keys"),
        }
    }
    if any {
        let mut changes = Changes::new();
        for id in &wanted {
            let until = shared.now().after(ASKED);
            changes.put_until(tables::NumberState, &asked_row(id), &Bytes::new(), until);
        }
        // Without a lease there is nobody to wait for keys.
        let _ = shared.vault.lock().await.commit(shared, changes).await;
    }
    Ok(())
}

/// Answers another own device that asks for keys: those that are known whole, others by their id alone.
pub(crate) fn share_later(shared: &Arc<Shared>, link: &Link, to: Jid, ids: Vec<Bytes>) {
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        let keys = match share(&shared, ids).await {
            Ok(keys) => keys,
            Err(error) => return tracing::warn!(%error, "keys cannot be read"),
        };
        let protocol = ProtocolMessage {
            r#type: Some(Type::AppStateSyncKeyShare as i32),
            app_state_sync_key_share: Some(Box::new(AppStateSyncKeyShare { keys })),
            ..ProtocolMessage::default()
        };
        let message = Message { protocol_message: Some(Box::new(protocol)), ..Message::default() };
        // Who asked and hears nothing asks another device, or again.
        if let Err(error) = peer::send(&shared, &link, &to, &message, Push::High).await {
            tracing::debug!(%error, "a request for keys was not answered");
        }
    });
}

async fn share(shared: &Shared, ids: Vec<Bytes>) -> Result<Vec<AppStateSyncKey>, StoreError> {
    let mut seen = Vec::new();
    let mut keys = Vec::new();
    for id in ids.into_iter().take(MOST_SHARED) {
        if seen.contains(&id) {
            continue;
        }
        let row = shared.store.one(tables::AppStateKeys, &id).await?;
        keys.push(AppStateSyncKey {
            key_id: Some(Box::new(AppStateSyncKeyId { key_id: Some(id.clone()) })),
            key_data: row.map(|row| {
                let fingerprint: Option<AppStateSyncKeyFingerprint> =
                    prost::Message::decode(row.fingerprint).ok();
                Box::new(AppStateSyncKeyData {
                    key_data: Some(Bytes::copy_from_slice(row.key.expose())),
                    fingerprint: fingerprint.map(Box::new),
                    timestamp: Some(i64::try_from(row.timestamp.as_millis()).unwrap_or(i64::MAX)),
                })
            }),
        });
        seen.push(id);
    }
    Ok(keys)
}
