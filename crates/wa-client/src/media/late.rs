//! What the phone says about a file when nobody waits for it any more (chapter 06 §7): the download has ended, or the
//! process has. It is opened with the file's key and checked as always, and told as a durable event.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_core::content::Media;
use wa_media::{MediaKey, RetryResult};
use wa_store::{Bytes, Changes, tables};

use super::stanza::{Place, RetryNotice};
use super::{TransferError, retry};
use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::events::StoredEvent;
use crate::identity::{ChatRef, Peer};
use crate::shared::Shared;
use crate::vault::{Step, publish, together};

/// How long an answer is waited for: the phone's queue on the server lasts no longer.
const AWAITED: Duration = Duration::from_secs(30 * 86_400);

/// The phone has answered about a file after the download that had asked for it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LateFile {
    /// Id of the message.
    pub id: String,
    /// Where it is.
    pub chat: ChatRef,
    /// Whether this account said it.
    pub from_me: bool,
    /// Who said it.
    pub author: Option<Peer>,
    /// What the phone said.
    pub outcome: LateOutcome,
}

/// What a phone says about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LateOutcome {
    /// It has brought the file back.
    Back {
        /// The new path; key and hashes stay.
        direct_path: String,
    },
    /// It does not bring it back.
    Gone(#[serde(with = "code")] RetryResult),
}

impl LateFile {
    /// The message's file as it can be downloaded now; none when the phone did not bring it back.
    pub fn media(&self, before: &Media) -> Option<Media> {
        let LateOutcome::Back { direct_path } = &self.outcome else { return None };
        let mut media = before.clone();
        (media.direct_path, media.url, media.static_url) = (Some(direct_path.clone()), None, None);
        Some(media)
    }
}

/// What is stored while an answer may come.
#[derive(Serialize, Deserialize)]
struct Asked {
    key: [u8; 32],
    chat: Jid,
    from_me: bool,
    author: Option<Jid>,
}

fn row(id: &str) -> compact_str::CompactString {
    compact_str::format_compact!("media-retry/{id}")
}

/// The phone is about to be asked. A file that belongs to no chat is no application's.
pub(super) async fn expect(shared: &Arc<Shared>, place: &Place, key: &MediaKey) -> Result<(), TransferError> {
    let Some(chat) = place.chat.clone() else { return Ok(()) };
    let (from_me, author) = (place.from_me, place.author.clone());
    let asked = Asked { key: *key.expose(), chat, from_me, author };
    // Writing to memory cannot fail.
    let bytes = Bytes::from(postcard::to_allocvec(&asked).unwrap_or_default());
    let mut changes = Changes::new();
    changes.put_until(tables::NumberState, &row(&place.id), &bytes, shared.now().after(AWAITED));
    commit(shared, changes).await
}

/// The answer has come in time.
pub(super) async fn answered(shared: &Arc<Shared>, id: &str) -> Result<(), TransferError> {
    let mut changes = Changes::new();
    changes.delete(tables::NumberState, &row(id));
    commit(shared, changes).await
}

async fn commit(shared: &Arc<Shared>, changes: Changes) -> Result<(), TransferError> {
    // Without the account's lease there is no connection to ask on.
    together::commit(shared, changes).await.map_err(|_| TransferError::Hosts(RequestError::Disconnected))
}

/// An answer that nobody waits for: an event, when it was asked for and is sealed under the file's key.
pub(super) async fn tell(
    shared: &Arc<Shared>,
    link: &Link,
    id: &str,
    notice: &RetryNotice,
) -> Result<(), Ended> {
    let stored = shared.store.one(tables::NumberState, &row(id)).await?;
    let Some(asked) = stored.and_then(|bytes| postcard::from_bytes::<Asked>(&bytes).ok()) else {
        tracing::debug!("the phone answers about a file that it was not asked for");
        return Ok(());
    };
    let Ok(key) = MediaKey::from_slice(&asked.key) else { return Ok(()) };
    let outcome = match retry::open(&key, id, notice) {
        Ok(Ok(direct_path)) => LateOutcome::Back { direct_path },
        Ok(Err(result)) => LateOutcome::Gone(result),
        Err(error) => {
            // Not from the phone, or damaged: the right one may follow.
            tracing::warn!(%error, "a late answer about a file was not opened");
            return Ok(());
        }
    };
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    let chat = step.chat(&asked.chat).await?;
    let author = match &asked.author {
        Some(author) => Some(step.whole_peer(&Peer::from(author)).await?),
        None => None,
    };
    let late = LateFile { id: id.to_owned(), chat, from_me: asked.from_me, author, outcome };
    step.event(StoredEvent::LateFile(Box::new(late)));
    step.changes.delete(tables::NumberState, &row(id));
    let committed = vault.commit_step(shared, step).await?;
    publish(shared, link, committed);
    Ok(())
}

/// The result by its number.
mod code {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use wa_media::RetryResult;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
    pub(super) fn serialize<S: Serializer>(result: &RetryResult, to: S) -> Result<S::Ok, S::Error> {
        result.code().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RetryResult, D::Error> {
        Ok(RetryResult::from_code(i32::deserialize(from)?))
    }
}
