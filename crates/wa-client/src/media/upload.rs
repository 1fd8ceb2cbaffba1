//! Uploads (chapter 06 §4): host after host, resumed where a host has a part already, the token renewed when it is
//! refused, and never more than a few pieces in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::mpsc;
use wa_core::content::Media;
use wa_media::url::{UploadStep, upload as address};
use wa_media::{SealedFile, Sealer};

use super::http::Payload;
use super::sink::PIECE;
use super::source::{Body, FileSource, Reader, SealedUpload};
use super::{Monitor, TransferError, outage};
use crate::shared::Shared;

/// From here on a host is asked how much it has.
const RESUMED_FROM: u64 = 5 << 20;
/// Pieces that wait for the socket.
const AHEAD: usize = 2;
/// Rounds over all hosts for what can pass.
const ROUNDS: u32 = 3;
/// Wait before each further one, times its number.
const WAIT: Duration = Duration::from_secs(1);

/// What a host says about a file that it has.
#[derive(Debug, Default, Deserialize)]
struct Answer {
    #[serde(default)]
    resume: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    direct_path: Option<String>,
}

/// How one host failed.
enum Failed {
    Host(TransferError),
    Token(u16),
    Final(TransferError),
}

/// Uploads a sealed file; gives it with its place.
pub(super) async fn upload(
    shared: &Shared,
    sealed: &SealedUpload,
    monitor: &Monitor,
) -> Result<Media, TransferError> {
    let ended = to_hosts(shared, sealed, monitor).await;
    outage::told(shared, &ended);
    ended
}

async fn to_hosts(shared: &Shared, sealed: &SealedUpload, monitor: &Monitor) -> Result<Media, TransferError> {
    monitor.total(Some(sealed.file.sealed_length));
    let path = sealed.media.kind.upload_path().ok_or(TransferError::NoFile)?;
    let mut conn = shared.media.hosts.known(shared, None).await?;
    let (mut refreshed, mut round) = (false, 1);
    'hosts: loop {
        let mut failure = None;
        for host in &conn.hosts {
            let target = Target { shared, sealed, monitor, host, path: &path, auth: &conn.auth };
            match target.all().await {
                Ok(answer) => return placed(&sealed.media, answer),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Token(_)) if !refreshed => {
                    refreshed = true;
                    conn = shared.media.hosts.known(shared, Some(&conn)).await?;
                    continue 'hosts;
                }
                Err(Failed::Token(status)) => failure = Some(TransferError::Rejected(status)),
                Err(Failed::Host(error)) => failure = failure.or(Some(error)),
            }
        }
        let failure = failure.unwrap_or(TransferError::NoHosts);
        if round >= ROUNDS || !failure.can_try_again() {
            return Err(failure);
        }
        tracing::debug!(error = %failure, round, "an upload is tried again");
        tokio::time::sleep(WAIT * round).await;
        round += 1;
    }
}

fn placed(media: &Media, answer: Answer) -> Result<Media, TransferError> {
    let mut media = media.clone();
    media.direct_path = Some(answer.direct_path.ok_or(TransferError::Answer)?);
    media.url = answer.url;
    Ok(media)
}

struct Target<'t> {
    shared: &'t Shared,
    sealed: &'t SealedUpload,
    monitor: &'t Monitor,
    host: &'t str,
    path: &'t str,
    auth: &'t str,
}

impl Target<'_> {
    async fn all(&self) -> Result<Answer, Failed> {
        let length = self.sealed.file.sealed_length;
        let mut step = UploadStep::Whole;
        if length >= RESUMED_FROM {
            // That the check fails is no failure.
            match self.check().await {
                Some(answer)
                    if answer.resume.as_deref() == Some("complete") && answer.direct_path.is_some() =>
                {
                    self.monitor.at(length);
                    return Ok(answer);
                }
                Some(Answer { resume: Some(offset), .. }) => {
                    let offset = offset.parse().unwrap_or(0);
                    if offset > 0 && offset < length {
                        step = UploadStep::From { offset };
                    }
                }
                _ => {}
            }
        }
        self.body(step).await
    }

    fn address(&self, step: UploadStep) -> String {
        address(self.host, self.path, self.auth, &self.sealed.file.file_enc_sha256, step, None)
    }

    async fn check(&self) -> Option<Answer> {
        let address = self.address(UploadStep::ResumeCheck);
        let asked = self.shared.media.http.post(&address, 0, || Payload::Empty);
        let (status, bytes) =
            tokio::time::timeout(self.shared.config.timeouts.media, asked).await.ok()?.ok()?;
        status.is_success().then(|| serde_json::from_slice(&bytes).ok()).flatten()
    }

    async fn body(&self, step: UploadStep) -> Result<Answer, Failed> {
        let offset = if let UploadStep::From { offset } = step { offset } else { 0 };
        let length = self.sealed.file.sealed_length - offset;
        let watch = Watch::default();
        let address = self.address(step);
        let make = || {
            self.monitor.at(offset);
            pieces(self.sealed, offset, watch.clone(), self.monitor.clone())
        };
        let asked = self.shared.media.http.post(&address, length, make);
        let patience = self.shared.config.timeouts.media;
        let answer = tokio::select! {
            answer = asked => answer,
            () = watch.stalls(patience) => Err(TransferError::Stalled(patience)),
        };
        // What was wrong with the file itself broke the request: no host can help.
        if let Some(error) = watch.blamed.lock().take() {
            return Err(Failed::Final(error));
        }
        let (status, bytes) = answer.map_err(Failed::Host)?;
        judged(status, &bytes)
    }
}

fn judged(status: StatusCode, bytes: &[u8]) -> Result<Answer, Failed> {
    match status.as_u16() {
        200..300 => match serde_json::from_slice::<Answer>(bytes) {
            Ok(answer) if answer.direct_path.as_ref().is_some_and(|path| path.starts_with('/')) => Ok(answer),
            _ => Err(Failed::Host(TransferError::Answer)),
        },
        status @ (401 | 403) => Err(Failed::Token(status)),
        status @ (413 | 415) => Err(Failed::Final(TransferError::Status(status))),
        status => Err(Failed::Host(TransferError::Status(status))),
    }
}

/// What is seen of a body that another task makes.
#[derive(Clone, Default)]
struct Watch {
    moved: Arc<AtomicU64>,
    blamed: Arc<Mutex<Option<TransferError>>>,
}

impl Watch {
    /// Ends when nothing has moved for so long.
    async fn stalls(&self, patience: Duration) {
        loop {
            let before = self.moved.load(Ordering::Relaxed);
            tokio::time::sleep(patience).await;
            if self.moved.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// A body: made by a task of its own, which ends when nobody wants more.
fn pieces(sealed: &SealedUpload, offset: u64, watch: Watch, monitor: Monitor) -> Payload {
    let (give, from) = mpsc::channel(AHEAD);
    let (body, file) = (sealed.body.clone(), sealed.file.clone());
    let left = file.sealed_length - offset;
    tokio::spawn(async move {
        let mut out = Out { give, skip: offset, left, watch, monitor };
        let made = match body {
            Body::Again { source, keys, sidecar } => {
                again(&source, Sealer::new(&keys, sidecar), &file, &mut out).await
            }
            Body::Spooled(spooled) => spooled_pieces(spooled.path(), &mut out).await,
        };
        if let Err(Some(error)) = made {
            *out.watch.blamed.lock() = Some(error);
            // Breaks the request; nobody may want it any more.
            let _ = out.give.send(Err(TransferError::SourceChanged)).await;
        }
    });
    Payload::Pieces { from, left }
}

/// Where the pieces of a body go.
struct Out {
    give: mpsc::Sender<Result<Bytes, TransferError>>,
    /// Bytes that the host has already.
    skip: u64,
    left: u64,
    watch: Watch,
    monitor: Monitor,
}

impl Out {
    /// Gives a piece; `Err(None)` when nobody wants it, `Err(Some(..))` when there is more than there should be.
    async fn piece(&mut self, bytes: &[u8]) -> Result<(), Option<TransferError>> {
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        let piece = &bytes[skipped as usize..];
        if piece.is_empty() {
            // A long way up to the offset counts as moving.
            self.watch.moved.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            return Ok(());
        }
        let length = piece.len() as u64;
        self.left = self.left.checked_sub(length).ok_or(Some(TransferError::SourceChanged))?;
        self.give.send(Ok(Bytes::copy_from_slice(piece))).await.map_err(|_| None)?;
        self.watch.moved.fetch_add(length, Ordering::Relaxed);
        self.monitor.moved(length);
        Ok(())
    }
}

/// Encrypts a source again. The last piece, which makes the file whole, leaves only when the hashes are the same.
async fn again(
    source: &FileSource,
    mut sealer: Sealer,
    expected: &SealedFile,
    out: &mut Out,
) -> Result<(), Option<TransferError>> {
    let failed = |error| Some(TransferError::Source(error));
    let mut reader = Reader::open(source).await.map_err(failed)?;
    let (mut piece, mut sealed) = (Vec::new(), Vec::with_capacity(PIECE + 32));
    loop {
        reader.piece(&mut piece).await.map_err(failed)?;
        if piece.is_empty() {
            break;
        }
        sealer.update(&piece, &mut sealed);
        out.piece(&sealed).await?;
        sealed.clear();
    }
    if sealer.finish(&mut sealed).file_enc_sha256 != expected.file_enc_sha256 {
        return Err(Some(TransferError::SourceChanged));
    }
    out.piece(&sealed).await
}

async fn spooled_pieces(path: &std::path::Path, out: &mut Out) -> Result<(), Option<TransferError>> {
    let failed = |error| Some(TransferError::Source(error));
    let mut reader = Reader::open(&path.into()).await.map_err(failed)?;
    let mut piece = Vec::new();
    loop {
        reader.piece(&mut piece).await.map_err(failed)?;
        if piece.is_empty() {
            return Ok(());
        }
        out.piece(&piece).await?;
    }
}
