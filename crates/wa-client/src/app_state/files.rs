//! Content that lies outside of its stanza (chapter 07 §6.3): snapshots always, long patches. A file that is not to be had
//! leaves its collection where it is.

use prost::Message as _;
use wa_core::app_state::{AppStateError, Applied, Collection, KeyRing, SnapshotPolicy, apply_snapshot};
use wa_proto::app_state::{ExternalBlobReference, SyncdPatch};
use wa_store::Bytes;

use crate::shared::Shared;

/// A snapshot that is not older than what begins at nothing.
pub(super) async fn snapshot(
    shared: &Shared,
    collection: Collection,
    reference: &Bytes,
    ring: &KeyRing,
) -> Result<Option<Applied>, AppStateError> {
    let reference = ExternalBlobReference::decode(reference.clone())
        .map_err(|_| AppStateError::ExternalBlob("no reference"))?;
    let bytes = fetch(shared, &reference).await?;
    apply_snapshot(collection, 0, &bytes, ring, SnapshotPolicy::Strict)
}

/// The mutations of a patch that carries them outside; none for one that carries them itself.
pub(super) async fn external(shared: &Shared, patch: &Bytes) -> Result<Option<Vec<u8>>, AppStateError> {
    // One that does not decode is told by whoever applies it.
    let Ok(patch) = SyncdPatch::decode(patch.clone()) else { return Ok(None) };
    match patch.external_mutations {
        Some(reference) => fetch(shared, &reference).await.map(Some),
        None => Ok(None),
    }
}

async fn fetch(shared: &Shared, reference: &ExternalBlobReference) -> Result<Vec<u8>, AppStateError> {
    crate::own_files::app_state(shared, reference).await.map_err(|error| {
        tracing::warn!(%error, "a file of the settings was not fetched");
        AppStateError::ExternalBlob("it was not fetched")
    })
}
