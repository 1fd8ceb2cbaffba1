//! Upkeep of our own pre-keys (chapter 02 §6): the first 812, more when the server runs low, a new signed one in time.

use std::sync::Arc;
use std::time::Duration;

use wa_binary::{Node, NodeRef};
use wa_core::prekeys::{DigestReply, FIRST_UPLOAD, ROTATION_SECONDS, Watermarks, next_id, retry_delay};
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_store::{Changes, Device, PreKey, PreKeyState, SignedPreKey, SignedPreKeyState, UnixTime, tables};

use crate::connection::link::{Link, RequestError, iq};
use crate::connection::outcome::Ended;
use crate::credentials::{self, Own};
use crate::shared::Shared;
use crate::vault::change_device;

/// When the server's digest was found to fit, milliseconds since 1970, and its hash.
pub(crate) const FITTED: &str = "prekeys-fitted";
/// How long that is good for.
const FITS_FOR: Duration = Duration::from_secs(7 * 86_400);

/// After a login: uploads if the server has none, then rotates if it is time.
pub(crate) async fn upkeep(shared: &Arc<Shared>, link: &Link) {
    let was_there = shared.device().server_has_prekeys;
    // The order matters: rotating first could put an old signed pre-key back on the server.
    if !was_there {
        upload(shared, link).await;
    }
    if let Err(error) = rotate(shared, link).await {
        tracing::warn!(%error, "the signed pre-key was not rotated");
    }
    // Once a connection: a server that disagrees for ever is not uploaded to for ever.
    if was_there {
        check_digest(shared, link).await;
    }
}

/// Asks what the server has of us; what is not ours any more is replaced by an upload (chapter 02 §6.3).
async fn check_digest(shared: &Arc<Shared>, link: &Link) {
    let fits = match link.ask(|id| iq(id, "get", "encrypt").child(Node::new("digest"))).await {
        Ok(answer) => fits(shared, answer.root()).await,
        // The server has nothing of us.
        Err(RequestError::Refused { code: 404, .. }) => Some(false),
        Err(error) => return tracing::debug!(%error, "the digest of our pre-keys is not known"),
    };
    if fits == Some(false) {
        tracing::warn!("the server's pre-keys are not ours");
        upload(shared, link).await;
    }
}

/// The same answer as one that fitted needs no look at hundreds of keys; for as long as nothing of ours has changed, and
/// not for ever. `None` when the answer or the store cannot be read.
async fn fits(shared: &Arc<Shared>, answer: NodeRef<'_>) -> Option<bool> {
    let now = shared.now();
    let known = shared.small_state(FITTED).await;
    let hash =
        answer.optional_child("digest").and_then(|digest| digest.optional_child("hash")?.optional_bytes());
    if let Some((at, known)) = known.as_deref().and_then(|row| row.split_first_chunk())
        && hash.is_some_and(|hash| *hash == *known)
        && now.since(UnixTime::from_millis(u64::from_be_bytes(*at))) < FITS_FOR
    {
        return Some(true);
    }
    let reply = DigestReply::parse(answer)
        .inspect_err(|error| tracing::warn!(%error, "the digest of our pre-keys cannot be read"))
        .ok()?;
    let fits = own_keys_fit(shared, &reply).await?;
    if fits {
        let mut changes = Changes::new();
        note_fitted(&mut changes, now, &reply.hash);
        // A cache: whoever needs the lease next says that it is gone.
        let _ = shared.vault.lock().await.commit(shared, changes).await;
    }
    Some(fits)
}

fn note_fitted(changes: &mut Changes, now: UnixTime, hash: &[u8]) {
    let row = [&now.as_millis().to_be_bytes(), hash].concat();
    changes.put(tables::NumberState, &FITTED.into(), &row.into());
}

/// `None` when the store cannot be read.
async fn own_keys_fit(shared: &Arc<Shared>, reply: &DigestReply) -> Option<bool> {
    let stored = shared.store.many(tables::PreKeys, &reply.one_time).await.ok()?;
    let signed = shared.current_signed().await?;
    let own = credentials::upload(&shared.device(), &signed, Vec::new());
    let keys: std::collections::HashMap<u32, PublicKey> = reply
        .one_time
        .iter()
        .zip(stored)
        .filter_map(|(id, row)| Some((*id, PublicKey::from_bytes(row?.key.public))))
        .collect();
    Some(reply.fits(&own, |id| keys.get(&id).copied()))
}

/// Uploads until it succeeds or the connection ends.
async fn upload(shared: &Arc<Shared>, link: &Link) {
    let mut attempt = 0;
    loop {
        match upload_once(shared, link).await {
            Ok(()) | Err(Problem::Gone) => return,
            Err(Problem::Request(error)) if !link.is_open() => {
                tracing::debug!(%error, "the connection ended during an upload of pre-keys");
                return;
            }
            Err(Problem::Request(error)) => tracing::warn!(%error, "an upload of pre-keys failed"),
        }
        attempt += 1;
        tokio::time::sleep(retry_delay(attempt)).await;
    }
}

enum Problem {
    Request(RequestError),
    Gone,
}

async fn upload_once(shared: &Arc<Shared>, link: &Link) -> Result<(), Problem> {
    let upload = {
        let mut vault = shared.vault.lock().await;
        let mut device = (*shared.device()).clone();
        let stored = shared.store.whole(tables::PreKeys).await.map_err(|_| Problem::Gone)?;
        let in_use = |id: u32| stored.iter().any(|(stored, _)| *stored == id);
        let marks = Watermarks::new(device.next_prekey_id, device.first_unuploaded_prekey_id);
        let plan = marks.plan(FIRST_UPLOAD, in_use);
        let mut changes = Changes::new();
        let mut keys: Vec<(u32, PublicKey)> = Vec::with_capacity(FIRST_UPLOAD as usize);
        for id in plan.again {
            if let Some((_, key)) = stored.iter().find(|(stored, _)| *stored == id) {
                keys.push((id, PublicKey::from_bytes(key.key.public)));
                changes.put(tables::PreKeys, &id, &PreKey { state: PreKeyState::Offered, ..key.clone() });
            }
        }
        for id in plan.fresh {
            let pair = KeyPair::generate(&mut shared.rng());
            keys.push((id, *pair.public()));
            let row = PreKey { key: credentials::to_row(&pair), state: PreKeyState::Offered };
            changes.put(tables::PreKeys, &id, &row);
        }
        // The marks move before the upload is sent: one whose answer is lost never offers the same id twice.
        device.next_prekey_id = plan.after.next();
        device.first_unuploaded_prekey_id = plan.after.first_not_uploaded();
        changes.put(tables::Devices, &(), &device);
        changes.delete(tables::NumberState, &FITTED.into());
        let signed = shared.current_signed().await.ok_or(Problem::Gone)?;
        let upload = credentials::upload(&device, &signed, keys);
        let committed = vault.commit(shared, changes.holding(upload)).await.map_err(|_| Problem::Gone)?;
        shared.set_device(device);
        committed.release()
    };
    kill_point!(shared, PreKeysStored);
    link.ask(|id| upload.request(id)).await.map_err(Problem::Request)?;
    kill_point!(shared, PreKeysUploaded);
    let (now, hash) = (shared.now(), upload.hash());
    change_device(shared, |device, changes| {
        device.server_has_prekeys = true;
        // A server that says so has what was just uploaded, as it does after the first upload.
        note_fitted(changes, now, &hash);
    })
    .await
    .map_err(|_| Problem::Gone)
}

/// Rotates the signed pre-key every 27 days; the first run only notes the time.
async fn rotate(shared: &Arc<Shared>, link: &Link) -> Result<(), RequestError> {
    let now = shared.now();
    let device = shared.device();
    let due = device.signed_prekey_since.is_some_and(|since| now.since(since).as_secs() >= ROTATION_SECONDS);
    if device.signed_prekey_since.is_some() && !due {
        return Ok(());
    }
    let gone = |_| RequestError::Disconnected;
    if !due {
        return change_device(shared, |device, _| device.signed_prekey_since = Some(now)).await.map_err(gone);
    }
    let id = next_id(device.signed_prekey_id);
    let signed = wa_signal::SignedPreKey::generate(id, device.identity().pair(), &mut shared.rng());
    let row = |state| SignedPreKey {
        key: credentials::to_row(&signed.pair),
        signature: signed.signature.to_vec().into(),
        created: now,
        state,
    };
    let staged = row(SignedPreKeyState::Staged);
    change_device(shared, |_, changes| {
        changes.put(tables::SignedPreKeys, &id, &staged);
    })
    .await
    .map_err(gone)?;
    let rotate = Node::new("rotate").child(credentials::signed_key(&signed).to_node());
    match link.ask(|request| iq(request, "set", "encrypt").child(rotate)).await {
        Ok(_) => {}
        Err(RequestError::Refused { code: 400..=499, .. }) => {
            let drop_staged = |_: &mut Device, changes: &mut Changes| {
                changes.delete(tables::SignedPreKeys, &id);
            };
            return change_device(shared, drop_staged).await.map_err(gone);
        }
        Err(error) => return Err(error),
    }
    let old = shared.store.whole(tables::SignedPreKeys).await.unwrap_or_default();
    let current = row(SignedPreKeyState::Current);
    change_device(shared, |device, changes| {
        let mut latest: Vec<_> = old.iter().filter(|(old_id, _)| *old_id != id).collect();
        latest.sort_by_key(|(old_id, old)| std::cmp::Reverse((old.created, *old_id)));
        for (place, (old_id, old)) in latest.into_iter().enumerate() {
            // Late messages name old keys: the three latest stay.
            if place < 3 {
                let old = SignedPreKey { state: SignedPreKeyState::Old, ..old.clone() };
                changes.put(tables::SignedPreKeys, old_id, &old);
            } else {
                changes.delete(tables::SignedPreKeys, old_id);
            }
        }
        changes.put(tables::SignedPreKeys, &id, &current);
        changes.delete(tables::NumberState, &FITTED.into());
        device.signed_prekey_id = id;
        device.signed_prekey_since = Some(now);
    })
    .await
    .map_err(gone)
}

/// `<notification type="encrypt">`: the server runs low on our keys, or somebody has a new identity.
pub(crate) async fn notification(shared: &Arc<Shared>, link: &Link, stanza: &Node) -> Result<(), Ended> {
    if stanza.optional_child("count").is_some() {
        change_device(shared, |device, _| device.server_has_prekeys = false).await?;
        let (shared, link) = (Arc::clone(shared), link.clone());
        tokio::spawn(async move { upload(&shared, &link).await });
        return Ok(());
    }
    if stanza.optional_child("digest").is_some() {
        let (shared, link) = (Arc::clone(shared), link.clone());
        tokio::spawn(async move { check_digest(&shared, &link).await });
        return Ok(());
    }
    if stanza.optional_child("identity").is_some() {
        return crate::devices::identity_changed(shared, stanza).await;
    }
    Ok(())
}
