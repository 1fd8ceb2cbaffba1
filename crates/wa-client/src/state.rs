//! Small state of the linked number, by name (the store's `NumberState`): routing bytes, the server's certificates.

use wa_noise::{KnownCertificate, KnownServer, PublicKey};
use wa_store::tables::{Devices, HistoryJobs, Inbox, NumberState, Settings};
use wa_store::{AccountStore, Bytes, Changes, Glance};

use crate::config::ClientVersion;
use crate::identity::Peer;
use crate::shared::Shared;

const ROUTING: &str = "edge-routing";
const SERVER: &str = "known-server";
/// Among the settings: they outlive the link.
const VERSION: &str = "wa/client-version";
const LAST_LINKED: &str = "wa/last-linked";

/// What a start asks for, to be read in one turn with the lease.
pub(crate) fn glance() -> Glance {
    use crate::{absence, history, prekeys, properties};
    let small = [SERVER, ROUTING, absence::ROW, prekeys::FITTED, properties::DUE, history::ALL_LEARNT];
    let small = small.into_iter().fold(Glance::default(), |all, name| all.row(NumberState, &name.into()));
    let rows = crate::app_state::glance(small).row(Devices, &()).row(Settings, &VERSION.into());
    crate::startup::left_to_do(rows).table(Inbox).table(HistoryJobs)
}

/// Bytes that the server wants back in front of the next handshake (chapter 01 §3).
pub(crate) async fn routing_info(store: &AccountStore) -> Option<Bytes> {
    store.one(NumberState, &ROUTING.into()).await.ok().flatten()
}

/// Stores new routing bytes.
pub(crate) fn put_routing_info(changes: &mut Changes, bytes: &[u8]) {
    changes.put(NumberState, &ROUTING.into(), &Bytes::copy_from_slice(bytes));
}

/// Forgets them: the server did not take them.
pub(crate) async fn forget_routing_info(shared: &Shared) {
    let mut changes = Changes::new();
    changes.delete(NumberState, &ROUTING.into());
    // A hint; whoever needs the lease next says that it is gone.
    let _ = shared.vault.lock().await.commit(shared, changes).await;
}

/// Who was linked last.
pub(crate) async fn last_linked(store: &AccountStore) -> Option<Peer> {
    let bytes = store.one(Settings, &LAST_LINKED.into()).await.ok().flatten()?;
    postcard::from_bytes(&bytes).ok()
}

/// Remembers who is linked, beyond the link itself.
pub(crate) fn put_last_linked(changes: &mut Changes, me: &Peer) {
    // Writing to memory cannot fail.
    let bytes = Bytes::from(postcard::to_allocvec(me).unwrap_or_default());
    changes.put(Settings, &LAST_LINKED.into(), &bytes);
}

/// The verified server of an earlier connection. What cannot be read is as good as nothing.
pub(crate) async fn known_server(store: &AccountStore) -> Option<KnownServer> {
    let bytes = store.one(NumberState, &SERVER.into()).await.ok().flatten()?;
    let (leaf, intermediate) = (bytes.get(..48)?, bytes.get(48..96)?);
    Some(KnownServer { leaf: certificate(leaf)?, intermediate: certificate(intermediate)? })
}

/// Stores or forgets the verified server: a cache, so a failure is only logged.
pub(crate) async fn store_known_server(shared: &Shared, known: Option<&KnownServer>) {
    let mut changes = Changes::new();
    match known {
        Some(known) => {
            let mut bytes = Vec::with_capacity(96);
            for certificate in [&known.leaf, &known.intermediate] {
                bytes.extend_from_slice(certificate.key.as_bytes());
                bytes.extend_from_slice(&certificate.not_before.to_be_bytes());
                bytes.extend_from_slice(&certificate.not_after.to_be_bytes());
            }
            changes.put(NumberState, &SERVER.into(), &Bytes::from(bytes));
        }
        None => {
            changes.delete(NumberState, &SERVER.into());
        }
    }
    if let Err(error) = shared.store.commit(changes).await {
        tracing::warn!(%error, "the server's certificates were not stored");
    }
}

fn certificate(bytes: &[u8]) -> Option<KnownCertificate> {
    Some(KnownCertificate {
        key: PublicKey::from_raw(bytes.get(..32)?).ok()?,
        not_before: u64::from_be_bytes(bytes.get(32..40)?.try_into().ok()?),
        not_after: u64::from_be_bytes(bytes.get(40..48)?.try_into().ok()?),
    })
}

/// The client version that an earlier look-up brought.
pub(crate) async fn known_version(store: &AccountStore) -> Option<ClientVersion> {
    let bytes = store.one(Settings, &VERSION.into()).await.ok().flatten()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok()
}

/// Stores what a look-up brought: a cache, so a failure is only logged.
pub(crate) async fn store_version(shared: &Shared, version: ClientVersion) {
    let mut changes = Changes::new();
    changes.put(Settings, &VERSION.into(), &Bytes::from(version.to_string()));
    if let Err(error) = shared.store.commit(changes).await {
        tracing::warn!(%error, "the client version was not stored");
    }
}
