//! Asking the phone for a file that the hosts have forgotten (chapter 06 §7): a `server-error` receipt, and the
//! `mediaretry` notification that answers it.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use wa_binary::Node;
use wa_media::{MediaKey, RetryResult, open_retry_notification, seal_retry_request};

use super::TransferError;
use super::stanza::{Place, RetryNotice, retry_request};
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
pub(super) async fn ask(shared: &Shared, place: &Place, key: &MediaKey) -> Result<String, TransferError> {
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
    let (iv, ciphertext) = match notice {
        RetryNotice::Sealed { iv, ciphertext } => (iv, ciphertext),
        RetryNotice::Error(code) => return Err(TransferError::Retry(RetryResult::from_code(code))),
    };
    let outcome =
        open_retry_notification(key, &place.id, &iv, &ciphertext).map_err(TransferError::RetrySeal)?;
    match (outcome.result, outcome.direct_path) {
        (RetryResult::Success, Some(path)) => Ok(path),
        (RetryResult::Success, None) => Err(TransferError::Retry(RetryResult::GeneralError)),
        (result, _) => Err(TransferError::Retry(result)),
    }
}

/// `<notification type="mediaretry">`: gives it to whoever waits. One that nobody waits for is late, and dropped.
pub(crate) fn notification(shared: &Shared, stanza: &Node) {
    let Some((id, notice)) = RetryNotice::parse(stanza.view()) else {
        tracing::warn!("an answer about a file cannot be read");
        return;
    };
    let Some(all) = shared.media.retries.0.lock().remove(&id) else {
        tracing::debug!("an answer about a file came late");
        return;
    };
    for one in all {
        // Who has gone needs nothing.
        let _ = one.send(notice.clone());
    }
}
