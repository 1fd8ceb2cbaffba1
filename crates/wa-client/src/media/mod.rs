//! Files: up to the media hosts and down from them, with everything that a person means by a file (chapter 06).
//!
//! ```no_run
//! # use wa_client::{Client, messages::{builder::Message, types::ReceivedMessage}};
//! # async fn run(client: Client, message: ReceivedMessage) -> Result<(), Box<dyn std::error::Error>> {
//! // Checked before it has its name; the phone is asked when the hosts have forgotten it.
//! client.media().download(&message).to_path("received.jpg").await?;
//! client.messages().send(&message, Message::file("report.pdf").caption("as promised")).await?;
//! # Ok(())
//! # }
//! ```

mod download;
mod error;
mod fetch;
mod hosts;
mod http;
mod inspect;
mod late;
mod outage;
pub(crate) mod outgoing;
mod picture;
mod retry;
mod sink;
mod source;
mod spool;
#[doc(hidden)]
pub mod stanza;
mod stickers;
mod types;
mod upload;

pub(crate) use download::download_blob;
#[expect(unused_imports, reason = "history stays on its host until the application has it")]
pub(crate) use download::forget_history;
pub use download::{Download, Downloaded, FileRef, LARGEST, LONGEST_RANGE};
pub use error::{TransferAdvice, TransferError};
pub(crate) use fetch::Shares;
pub(crate) use http::HttpSettings;
pub use http::{ByteStream, MediaConnector, TlsConnector};
pub use inspect::{AUTOMATIC, FileFault};
pub(crate) use inspect::{As, Found, inspect};
pub use late::{LateFile, LateOutcome};
pub(crate) use outage::forget as forget_outage;
pub use outgoing::MOST_IN_MEMORY;
pub use picture::{PictureError, PictureSize, ProfilePicture};
pub(crate) use retry::notification;
pub use source::{FileSource, SealedUpload};
pub use stickers::{NewStickerPack, PackError};
pub use types::{Monitor, Progress};
pub use wa_media::{MediaError, RetryResult, waveform};

use std::path::Path;

use tokio::io::AsyncRead;
use wa_core::content::{Media, MediaKind, Thumbnail};

use crate::client::Client;

/// Files of an account.
#[derive(Debug, Clone, Copy)]
pub struct MediaRoom<'c>(pub(super) &'c Client);

impl Client {
    /// Files.
    pub const fn media(&self) -> MediaRoom<'_> {
        MediaRoom(self)
    }
}

impl<'c> MediaRoom<'c> {
    /// Downloads the file of a message, or a file by its [`Media`].
    pub fn download(&self, file: impl Into<FileRef>) -> Download<'c> {
        Download::new(self.0, file.into())
    }

    /// The upload of a message that waits in the outbox, by the message's id, while it runs: to watch it. It ends with
    /// [`cancel`](crate::messages::sending::Messages::cancel).
    pub fn upload_of(&self, id: &str) -> Option<Monitor> {
        self.0.shared.media.running.of(id)
    }

    /// Learns what a message says about a file (key, hashes, length, sidecar) without uploading it: encrypt ahead,
    /// [upload](Self::upload_sealed) later. Constant memory.
    ///
    /// # Errors
    /// [`TransferError::Source`].
    pub async fn seal(
        self,
        kind: MediaKind,
        source: impl Into<FileSource>,
    ) -> Result<SealedUpload, TransferError> {
        source::seal(&self.0.shared, kind, source.into(), source::sidecar_of(kind)).await
    }

    /// The same for what can be read only once: it is encrypted into a temporary file in `folder`, which goes with the
    /// last clone of the result.
    ///
    /// # Errors
    /// [`TransferError::Source`], [`TransferError::Destination`].
    pub async fn seal_reader(
        self,
        kind: MediaKind,
        reader: &mut (impl AsyncRead + Send + Unpin),
        folder: impl AsRef<Path>,
    ) -> Result<SealedUpload, TransferError> {
        source::spool(&self.0.shared, kind, reader, folder.as_ref()).await
    }

    /// Uploads what was sealed. The same may be uploaded again, and lies in the same place. Dropping the future or
    /// [cancelling](Monitor::cancel) ends it; a long one goes on where it broke when it is begun again.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn upload_sealed(
        self,
        sealed: &SealedUpload,
        monitor: &Monitor,
    ) -> Result<Media, TransferError> {
        monitor.run(upload::upload(&self.0.shared, sealed, monitor)).await
    }

    /// Seals and uploads a file; the result goes into messages, as often as one likes.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn upload(
        self,
        kind: MediaKind,
        source: impl Into<FileSource>,
    ) -> Result<Media, TransferError> {
        let sealed = self.seal(kind, source).await?;
        self.upload_sealed(&sealed, &Monitor::new()).await
    }

    /// Uploads a larger thumbnail, a JPEG, of an image, a video or a document that was
    /// [uploaded](Self::upload) before, under the file's key: for
    /// [`Message::large_thumbnail`](crate::messages::builder::Message::large_thumbnail).
    ///
    /// # Errors
    /// [`TransferError`]; [`TransferError::NoFile`] for a file without a key or of another kind.
    pub async fn upload_thumbnail(
        self,
        of: &Media,
        jpeg: impl Into<FileSource>,
    ) -> Result<Thumbnail, TransferError> {
        let kind = match of.kind {
            MediaKind::Image => MediaKind::ImageThumbnail,
            MediaKind::Video => MediaKind::VideoThumbnail,
            MediaKind::Document => MediaKind::DocumentThumbnail,
            MediaKind::StickerPack => MediaKind::StickerPackCover,
            _ => return Err(TransferError::NoFile),
        };
        let key = of.key.clone().ok_or(TransferError::NoFile)?;
        let shared = &self.0.shared;
        let sealed = source::seal_under(shared, key, kind, jpeg.into(), wa_media::Sidecar::None).await?;
        let media = self.upload_sealed(&sealed, &Monitor::new()).await?;
        match (media.direct_path, media.sha256, media.enc_sha256) {
            (Some(path), Some(sha256), Some(enc_sha256)) => Ok(Thumbnail::new(path, sha256, enc_sha256)),
            _ => Err(TransferError::Answer),
        }
    }
}
