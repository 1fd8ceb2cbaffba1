//! Asking the phone for a file that the hosts have forgotten (chapter 06 §7): a `server-error` receipt, and the
//! `mediaretry` notification that answers it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use wa_binary::Node;
use wa_media::{MediaError, MediaKey, RetryResult, open_retry_notification, seal_retry_request};

use super::stanza::{Place, RetryNotice, retry_request};
use super::{TransferError, late};
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::credentials::Own as _;
use crate::shared::Shared;

/// Files that are asked for at the same time.
const MOST: usize = 32;

/// Who waits for the phone's answer, by message. The first to ask does ask; the others wait along.
#[derive(Debug, Default)]
pub(crate) struct Retries(Mutex<HashMap<String, Vec<oneshot::Sender<RetryNotice>>>>);

/// Takes an entry away with whoever stops waiting last.
struct Waiting<'r> {
    retries: &'r Retries,
    id: &'r str,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.retries.0.lock();
        if let Some(all) = waiting.get_mut(self.id) {
            all.retain(|one| !one.is_closed());
            if all.is_empty() {
                waiting.remove(self.id);
            }
        }
    }
}

/// Asks the phone; gives the new direct path.
pub(super) async fn ask(
    shared: &Arc<Shared>,
    place: &Place,
    key: &MediaKey,
) -> Result<String, TransferError> {
    let link = shared.link()?;
    let device = shared.device();
    let own = device.lid().or_else(|| device.pn()).ok_or(TransferError::NoFile)?;
    let (give, take) = oneshot::channel();
    let is_first = {
        let mut waiting = shared.media.retries.0.lock();
        if waiting.len() >= MOST && !waiting.contains_key(&place.id) {
            return Err(TransferError::RetryBusy);
        }
        let all = waiting.entry(place.id.clone()).or_default();
        all.push(give);
        all.len() == 1
    };
    // Declared in this order, the receiver goes before the entry is looked at.
    let _waiting = Waiting { retries: &shared.media.retries, id: &place.id };
    let take = take;
    if is_first {
        // The answer may come when nobody waits any more, also after a restart.
        late::expect(shared, place, key).await?;
        let sealed =
            seal_retry_request(key, &place.id, &mut shared.rng()).map_err(TransferError::RetrySeal)?;
        link.send(&retry_request(place, &own, &sealed))?;
    }
    let patience = shared.config.timeouts.media_retry;
    let notice = match tokio::time::timeout(patience, take).await {
        Ok(Ok(notice)) => notice,
        Ok(Err(_)) => return Err(TransferError::RetryBusy),
        Err(_) => return Err(TransferError::RetryTimeout(patience)),
    };
    let answered = open(key, &place.id, &notice).map_err(TransferError::RetrySeal)?;
    if is_first {
        late::answered(shared, &place.id).await?;
    }
    answered.map_err(TransferError::Retry)
}

/// `<notification type="mediaretry">`: gives it to whoever waits; what nobody waits for is told as an event.
pub(crate) async fn notification(shared: &Arc<Shared>, link: &Link, stanza: &Node) -> Result<(), Ended> {
    let Some((id, notice)) = RetryNotice::parse(stanza.view()) else {
        tracing::warn!("an answer about a file cannot be read");
        return Ok(());
    };
    let waiting = shared.media.retries.0.lock().remove(&id).unwrap_or_default();
    let taken = waiting.into_iter().filter(|one| !one.is_closed()).map(|one| one.send(notice.clone()));
    if taken.filter(Result::is_ok).count() > 0 {
        return Ok(());
    }
    late::tell(shared, link, &id, &notice).await
}

/// What the phone says about a file; an error when the answer was not sealed by somebody who has the file's key.
pub(super) fn open(key: &MediaKey, id: &str, notice: &RetryNotice) -> Result<Answered, MediaError> {
    let (iv, ciphertext) = match notice {
        RetryNotice::Sealed { iv, ciphertext } => (iv, ciphertext),
        RetryNotice::Error(code) => return Ok(Err(RetryResult::from_code(*code))),
    };
    let outcome = open_retry_notification(key, id, iv, ciphertext)?;
    Ok(match (outcome.result, outcome.direct_path) {
        (RetryResult::Success, Some(path)) => Ok(path),
        (RetryResult::Success, None) => Err(RetryResult::GeneralError),
        (result, _) => Err(result),
    })
}

/// The new direct path, or why there is none.
pub(super) type Answered = Result<String, RetryResult>;
