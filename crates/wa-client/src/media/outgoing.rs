//! A message with a file on its way out (chapter 06 §4, §8).
//!
//! The message comes first. When it is taken, the file is looked at and read once for its hashes, and the row goes into
//! the outbox with everything but the file's place: the message is safe, and keeps its turn in the chat. The outbox
//! uploads the file when the row's turn comes, stores its place in the row, and only then encrypts the message. After a
//! crash a row without a place uploads again, under the same key and hashes and so to the same place; one with a place
//! does not. A file in a folder must stay there, unchanged, until the message's report; bytes in memory are stored with
//! the row.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;
use parking_lot::Mutex;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use wa_core::content::{Media, Parsed};
use wa_media::{SealedFile, Sidecar, sealed_len};
use wa_proto::e2e_message as proto;
use wa_store::{Bytes, Changes, OutboxOrder, OutboxRow, StoreError, tables};

use super::source::{Body, FileSource, SealedUpload, seal};
use super::upload::upload;
use super::{FileFault, Monitor, TransferError, inspect};
use crate::messages::builder::Message;
use crate::messages::sending::{Refusal, SendError, StoredOptions};
use crate::shared::Shared;

/// Most bytes of a file that are kept in the store until they are uploaded.
pub const MOST_IN_MEMORY: u64 = 16 << 20;

/// Where the bytes are that a row of the outbox still has to upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredSource {
    /// An absolute path.
    Path(String),
    /// A row of the store, by name.
    Row(CompactString),
}

/// What a message with a file needs in the commit that takes it.
pub(crate) struct Attached {
    pub(crate) source: StoredSource,
    bytes: Option<Bytes>,
}

impl Attached {
    pub(crate) fn store(&self, changes: &mut Changes) {
        if let (StoredSource::Row(name), Some(bytes)) = (&self.source, &self.bytes) {
            changes.put(tables::NumberState, name, bytes);
        }
    }
}

impl StoredSource {
    /// The bytes are not needed any more.
    pub(crate) fn forget(&self, changes: &mut Changes) {
        if let Self::Row(name) = self {
            changes.delete(tables::NumberState, name);
        }
    }
}

/// Looks at the file of a message and learns its hashes. A message without a new file stays as it is.
pub(crate) async fn prepare(
    shared: &Shared,
    mut message: Message,
) -> Result<(Message, Option<Attached>), SendError> {
    let Some(attachment) = message.take_attachment() else { return Ok((message, None)) };
    let found = inspect(&attachment.source, attachment.wish, attachment.name().as_deref()).await?;
    let (source, stored, bytes) = match &attachment.source {
        FileSource::Path(path) => {
            let path = std::path::absolute(path).map_err(FileFault::Unreadable)?;
            let text = path.to_str().ok_or(FileFault::Path)?.to_owned();
            (FileSource::Path(path), StoredSource::Path(text), None)
        }
        FileSource::Bytes(bytes) => {
            let is = bytes.len() as u64;
            if is > MOST_IN_MEMORY {
                return Err(FileFault::TooMuchInMemory { is, most: MOST_IN_MEMORY }.into());
            }
            let name = format!("upload/{:032x}", u128::from_be_bytes(draw(shared))).into();
            (FileSource::Bytes(bytes.clone()), StoredSource::Row(name), Some(bytes.clone()))
        }
    };
    let length = found.length;
    let mut message = message.found(&attachment, found);
    message.refuse_size(length)?;
    let kind = message.media_kind().ok_or(FileFault::Empty)?;
    let sealed = match seal(shared, kind, source, message.sidecar()).await {
        Err(TransferError::Source(error)) => return Err(FileFault::Unreadable(error).into()),
        other => other?,
    };
    let mut media = sealed.media.clone();
    // The place is filled in when the file is there; an empty one counts as none when it is read.
    media.direct_path = Some(String::new());
    message.sealed(media, sealed.sidecar());
    Ok((message, Some(Attached { source: stored, bytes })))
}

fn draw(shared: &Shared) -> [u8; 16] {
    use rand_core::Rng as _;
    let mut bytes = [0; 16];
    shared.rng().fill_bytes(&mut bytes);
    bytes
}

/// Files of the outbox that are uploaded at the same time.
const AT_ONCE: usize = 4;

/// Uploads that run or wait for their turn, by message.
#[derive(Debug)]
pub(crate) struct Running {
    monitors: Mutex<HashMap<CompactString, Monitor>>,
    turns: Semaphore,
}

impl Default for Running {
    fn default() -> Self {
        Self { monitors: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }
}

impl Running {
    /// The monitor of a message's upload, while it runs.
    pub(super) fn of(&self, id: &str) -> Option<Monitor> {
        self.monitors.lock().get(id).cloned()
    }

    /// The message is withdrawn.
    pub(crate) fn cancel(&self, id: &str) {
        if let Some(monitor) = self.of(id) {
            monitor.cancel();
        }
    }
}

struct Runs<'r>(&'r Running, &'r CompactString);

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        self.0.monitors.lock().remove(self.1);
    }
}

/// Why a row has not been brought up.
pub(crate) enum NotUp {
    /// It is gone from the outbox.
    Withdrawn,
    /// Later.
    Later,
    /// Never.
    Refused(Refusal),
    Store(StoreError),
    /// The lease is gone.
    Ended,
}

impl From<StoreError> for NotUp {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Uploads the file of a row and stores its place; gives the row as it is then.
pub(crate) async fn bring_up(
    shared: &Arc<Shared>,
    order: OutboxOrder,
    row: &OutboxRow,
    stored: &StoredSource,
) -> Result<OutboxRow, NotUp> {
    let invalid = || NotUp::Refused(Refusal::Invalid);
    let mut message = proto::Message::decode(row.plaintext.clone()).map_err(|_| invalid())?;
    let media = Parsed::read(&message).content.media().cloned().ok_or_else(invalid)?;
    let source = match stored {
        StoredSource::Path(path) => FileSource::from(path.as_str()),
        StoredSource::Row(name) => {
            let bytes = shared.store.one(tables::NumberState, name).await?;
            FileSource::Bytes(bytes.ok_or(NotUp::Refused(Refusal::FileMissing))?)
        }
    };
    let sealed = again(media, source).ok_or_else(invalid)?;
    let monitor = Monitor::new();
    let running = &shared.media.running;
    running.monitors.lock().insert(row.id.clone(), monitor.clone());
    let runs = Runs(running, &row.id);
    let all = async {
        // It is never closed.
        let _turn = running.turns.acquire().await;
        upload(shared, &sealed, &monitor).await
    };
    let placed = match monitor.run(all).await {
        Ok(placed) => placed,
        Err(error) => return Err(refused(&error)),
    };
    drop(runs);
    kill_point!(shared, FileUploaded);
    place(&mut message, &placed);
    let mut options = StoredOptions::decode(&row.options);
    options.upload = None;
    let plaintext = message.encode_to_vec().into();
    let row = OutboxRow { plaintext, options: options.encode(), ..row.clone() };
    let mut vault = shared.vault.lock().await;
    if shared.store.one(tables::Outbox, &order).await?.is_none() {
        return Err(NotUp::Withdrawn);
    }
    let mut changes = Changes::new();
    changes.put(tables::Outbox, &order, &row);
    stored.forget(&mut changes);
    let _ = vault.commit(shared, changes).await.map_err(|_| NotUp::Ended)?;
    kill_point!(shared, FilePlaced);
    Ok(row)
}

/// What was sealed when the message was taken, from what the message says about it.
fn again(media: Media, source: FileSource) -> Option<SealedUpload> {
    let file_length = media.size?;
    let file = SealedFile {
        file_sha256: media.sha256?,
        file_enc_sha256: media.enc_sha256?,
        file_length,
        sealed_length: sealed_len(file_length),
        // The message has it; the bytes of the file do not depend on it.
        sidecar: Vec::new(),
    };
    let keys = Box::new(media.key.as_ref()?.derive(media.kind));
    Some(SealedUpload { media, file, body: Body::Again { source, keys, sidecar: Sidecar::None } })
}

fn refused(error: &TransferError) -> NotUp {
    tracing::debug!(%error, "a message's file was not uploaded");
    match error {
        TransferError::Cancelled => NotUp::Withdrawn,
        TransferError::Source(error) if error.kind() != std::io::ErrorKind::Interrupted => {
            NotUp::Refused(Refusal::FileMissing)
        }
        TransferError::SourceChanged => NotUp::Refused(Refusal::FileChanged),
        TransferError::Status(status) if !error.can_try_again() => {
            NotUp::Refused(Refusal::FileRefused(*status))
        }
        TransferError::Rejected(status) => NotUp::Refused(Refusal::FileRefused(*status)),
        _ => NotUp::Later,
    }
}

/// Writes the file's place into the message, in whatever wrapper it stands.
fn place(message: &mut proto::Message, media: &Media) {
    macro_rules! put {
        ($($field:ident),+) => {
            $(if let Some(file) = &mut message.$field {
                file.direct_path.clone_from(&media.direct_path);
                file.url.clone_from(&media.url);
            })+
        };
    }
    put!(image_message, video_message, ptv_message, audio_message, document_message, sticker_message);
    for wrapper in [&mut message.document_with_caption_message, &mut message.lottie_sticker_message] {
        if let Some(inner) = wrapper.as_mut().and_then(|wrapper| wrapper.message.as_deref_mut()) {
            place(inner, media);
        }
    }
}
