//! Files that own devices leave for each other on the media hosts: history and app state (chapters 07 §6.3, 08 §3).

use wa_core::content::{Media, MediaKind};
use wa_core::history::HistoryFile;
use wa_media::MediaKey;
use wa_proto::app_state::ExternalBlobReference;

use crate::media::{TransferError, download_blob};
use crate::shared::Shared;

/// Largest file, bytes.
const LARGEST: u64 = 64 << 20;

/// The file of a snapshot or a long patch.
pub(crate) async fn app_state(
    shared: &Shared,
    reference: &ExternalBlobReference,
) -> Result<Vec<u8>, TransferError> {
    let media = media(
        MediaKind::AppState,
        reference.direct_path.as_deref(),
        reference.media_key.as_deref(),
        [reference.file_sha256.as_deref(), reference.file_enc_sha256.as_deref()],
        reference.file_size_bytes,
    );
    download_blob(shared, &media.ok_or(TransferError::NoFile)?, LARGEST).await
}

/// A piece of history, still compressed.
pub(crate) async fn history(shared: &Shared, file: &HistoryFile) -> Result<Vec<u8>, TransferError> {
    let media = media(
        MediaKind::History,
        Some(&file.direct_path),
        Some(&file.media_key),
        [Some(&file.sha256), Some(&file.enc_sha256)],
        file.length,
    );
    download_blob(shared, &media.ok_or(TransferError::NoFile)?, LARGEST).await
}

fn media(
    kind: MediaKind,
    path: Option<&str>,
    key: Option<&[u8]>,
    [sha256, enc_sha256]: [Option<&[u8]>; 2],
    size: Option<u64>,
) -> Option<Media> {
    let mut media = Media::new(kind);
    media.direct_path = Some(path.filter(|path| !path.is_empty())?.to_owned());
    media.key = Some(MediaKey::from_slice(key?).ok()?);
    // Without both hashes nothing would be known of what comes.
    media.sha256 = Some(sha256?.try_into().ok()?);
    media.enc_sha256 = Some(enc_sha256?.try_into().ok()?);
    media.size = size;
    Some(media)
}
