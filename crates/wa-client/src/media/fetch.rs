//! Getting a file from the hosts (chapter 06 §5): where it may lie, host after host, again after what can pass, on where
//! a connection broke.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::header::CONTENT_RANGE;
use wa_core::content::Media;
use wa_media::{MediaError, url};

use super::hosts::Conn;
use super::http::retry_after;
use super::sink::Sink;
use super::{Monitor, TransferError, outage};
use crate::shared::Shared;

/// Attempts at one host for what can pass.
const ATTEMPTS: u32 = 5;
/// Wait behind each of them, times its number.
const WAIT: Duration = Duration::from_secs(1);
/// The longest wait that a host can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// An attempt that brought this much counts as none.
const PROGRESS: u64 = 1 << 20;
/// Domains of the service's own delivery network: an address in a message is followed nowhere else, since its sender
/// chose it.
const OFFICIAL: [&str; 3] = ["whatsapp.net", "whatsapp.com", "fbcdn.net"];

/// What to get: a file, or a part of it.
pub(super) struct Wanted<'m> {
    pub(super) media: &'m Media,
    /// Bytes of the encrypted file; `None` for all of them.
    pub(super) range: Option<Range<u64>>,
}

/// How an attempt failed.
enum Failed {
    /// The same may work in a moment.
    Passing(TransferError, Option<Duration>),
    /// Another host may do.
    Host(TransferError),
    /// Newer hosts may do.
    Reference(TransferError),
    /// Nothing helps.
    Final(TransferError),
}

/// Gets it into the sink, checked.
pub(super) async fn fetch(
    shared: &Shared,
    wanted: &Wanted<'_>,
    sink: &mut dyn Sink,
    monitor: &Monitor,
) -> Result<(), TransferError> {
    let ended = from_hosts(shared, wanted, sink, monitor).await;
    outage::told(shared, &ended);
    ended
}

async fn from_hosts(
    shared: &Shared,
    wanted: &Wanted<'_>,
    sink: &mut dyn Sink,
    monitor: &Monitor,
) -> Result<(), TransferError> {
    let mut conn = shared.media.hosts.for_download(shared, None).await;
    // What has come stays when a connection breaks: the next attempt, at whichever host, goes on from there.
    let (mut refreshed, mut taken) = (false, 0);
    'hosts: loop {
        let mut failure = None;
        for address in addresses(wanted.media, &conn)? {
            let failed = match host(shared, &address, wanted, sink, &mut taken, monitor).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            match failed {
                Failed::Final(error) => return Err(error),
                Failed::Reference(_) if !refreshed => {
                    refreshed = true;
                    conn = shared.media.hosts.for_download(shared, Some(&conn)).await;
                    continue 'hosts;
                }
                // What a host says about the file counts for more than that another was out of reach.
                Failed::Reference(error) => failure = Some(error),
                Failed::Host(error) | Failed::Passing(error, _) => {
                    let is_wrong = matches!(error, TransferError::File(_));
                    failure = failure.or(Some(error));
                    if !is_wrong {
                        continue;
                    }
                    if !sink.restart().await? {
                        break;
                    }
                    taken = 0;
                    monitor.at(0);
                }
            }
        }
        return Err(failure.unwrap_or(TransferError::NoHosts));
    }
}

/// Where the file may lie.
fn addresses(media: &Media, conn: &Conn) -> Result<Vec<String>, TransferError> {
    if let Some(address) = media.static_url.as_ref().filter(|address| is_trusted(address, conn)) {
        return Ok(vec![address.clone()]);
    }
    let Some(path) = &media.direct_path else {
        let address = media.url.as_ref().filter(|address| is_trusted(address, conn));
        return address.map(|address| vec![address.clone()]).ok_or(TransferError::NoFile);
    };
    if path.starts_with("https://") {
        let trusted = is_trusted(path, conn).then(|| vec![path.clone()]);
        return trusted.ok_or(TransferError::File(MediaError::DirectPath));
    }
    let kind = media.kind.mms_type().ok_or(TransferError::NoFile)?;
    let on = |host: &String| url::download(host, path, media.enc_sha256.as_ref(), kind);
    Ok(conn.hosts.iter().map(on).collect::<Result<_, _>>()?)
}

/// Whether an address that somebody wrote into a message leads to a file on a host of the service.
fn is_trusted(address: &str, conn: &Conn) -> bool {
    let Ok(uri) = address.parse::<hyper::Uri>() else { return false };
    let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = authority.host();
    let is_official = OFFICIAL
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    let is_known = conn.hosts.iter().any(|known| known == authority.as_str());
    // Without a path it is a placeholder of other clients.
    (is_official || is_known) && !authority.as_str().contains('@') && uri.path().len() > 1
}

/// Everything that one host is worth.
async fn host(
    shared: &Shared,
    address: &str,
    wanted: &Wanted<'_>,
    sink: &mut dyn Sink,
    taken: &mut u64,
    monitor: &Monitor,
) -> Result<(), Failed> {
    let mut attempt = 0;
    loop {
        let before = *taken;
        let failed = match once(shared, address, wanted, sink, taken, monitor).await {
            Err(Failed::Passing(error, wait)) => (error, wait),
            other => return other,
        };
        attempt = if *taken - before >= PROGRESS { 1 } else { attempt + 1 };
        let (error, wait) = failed;
        if attempt >= ATTEMPTS {
            return Err(Failed::Host(error));
        }
        tracing::debug!(%error, attempt, "a download goes on in a moment");
        tokio::time::sleep(wait.unwrap_or(WAIT * attempt).min(LONGEST_WAIT)).await;
    }
}

async fn once(
    shared: &Shared,
    address: &str,
    wanted: &Wanted<'_>,
    sink: &mut dyn Sink,
    taken: &mut u64,
    monitor: &Monitor,
) -> Result<(), Failed> {
    let start = wanted.range.as_ref().map_or(0, |range| range.start);
    let end = wanted.range.as_ref().map(|range| range.end);
    let from = start + *taken;
    let patience = shared.config.timeouts.media;
    let asked = tokio::time::timeout(patience, shared.media.http.get(address, from, end));
    let answer = match asked.await {
        Err(_) => return Err(Failed::Passing(TransferError::Stalled(patience), None)),
        Ok(Err(error @ TransferError::Network(_))) => return Err(Failed::Passing(error, None)),
        Ok(Err(error)) => return Err(Failed::Final(error)),
        Ok(Ok(answer)) => answer,
    };
    let status = answer.status();
    // Bytes in front of what is wanted, when a host gives the whole file instead of a part.
    let mut skip = match status {
        StatusCode::OK => from,
        StatusCode::PARTIAL_CONTENT if begins_at(&answer, from) => 0,
        // Everything has come already: an earlier answer announced more than there is.
        StatusCode::RANGE_NOT_SATISFIABLE if *taken > 0 => return sink.finish().await.map_err(judged),
        _ => return Err(refused(status, retry_after(answer.headers()))),
    };
    let mut body = answer.into_body();
    loop {
        let frame = match tokio::time::timeout(patience, body.frame()).await {
            Err(_) => return Err(Failed::Passing(TransferError::Stalled(patience), None)),
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                return Err(Failed::Passing(TransferError::Network(Box::new(error)), None));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        let skipped = skip.min(data.len() as u64);
        skip -= skipped;
        // No longer than the piece itself.
        let mut piece = &data[skipped as usize..];
        if let Some(end) = end {
            let room = (end - start).saturating_sub(*taken);
            piece = &piece[..piece.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        }
        if piece.is_empty() {
            continue;
        }
        sink.take(piece).await.map_err(judged)?;
        *taken += piece.len() as u64;
        monitor.at(*taken);
    }
    sink.finish().await.map_err(judged)
}

fn begins_at(answer: &hyper::Response<hyper::body::Incoming>, from: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let begin = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    begin == Some(from)
}

fn refused(status: StatusCode, wait: Option<Duration>) -> Failed {
    match status.as_u16() {
        code @ (401 | 403) => Failed::Reference(TransferError::Rejected(code)),
        404 | 410 => Failed::Reference(TransferError::Expired),
        code @ (408 | 429 | 500..) => Failed::Passing(TransferError::Status(code), wait),
        code => Failed::Host(TransferError::Status(code)),
    }
}

/// What is wrong with the bytes may be the host's fault; a disk's is not.
fn judged(error: TransferError) -> Failed {
    match error {
        TransferError::File(error)
            if error.another_host_can_help() || matches!(error, MediaError::Sidecar(_)) =>
        {
            Failed::Host(error.into())
        }
        other => Failed::Final(other),
    }
}

impl Wanted<'_> {
    /// Bytes that will come, as far as that is known.
    pub(super) fn length(&self) -> Option<u64> {
        let whole = |size| match self.media.key {
            Some(_) => wa_media::sealed_len(size),
            None => size,
        };
        match &self.range {
            Some(range) => Some(range.end - range.start),
            None => self.media.size.map(whole),
        }
    }
}

/// The state of the room that all transfers of a client share.
pub(crate) struct Shares {
    pub(super) hosts: super::hosts::Hosts,
    pub(super) http: super::http::Http,
    pub(super) retries: Arc<super::retry::Retries>,
    pub(crate) running: super::outgoing::Running,
    pub(super) outage: outage::Outage,
}

impl Shares {
    pub(crate) fn new(settings: super::http::HttpSettings) -> Self {
        let http = super::http::Http::new(settings);
        let running = super::outgoing::Running::default();
        let (hosts, outage) = (super::hosts::Hosts::default(), outage::Outage::default());
        Self { hosts, http, retries: Arc::default(), running, outage }
    }
}

#[cfg(test)]
mod tests {
    use wa_media::MediaKind;

    use super::*;

    #[test]
    fn a_sender_cannot_lead_a_download_elsewhere() {
        let conn = Conn::for_test(&["127.0.0.1:8080"]);
        for address in [
            "https://evil.example/x",
            "https://whatsapp.net.evil.example/x",
            "https://evilwhatsapp.net/x",
            "http://mmg.whatsapp.net/x",
            "https://mmg.whatsapp.net@evil.example/x",
            "https://user@mmg.whatsapp.net/x",
            "https://127.0.0.1/x",
            "https://web.whatsapp.net",
            "file:///etc/passwd",
            "/x",
        ] {
            assert!(!is_trusted(address, &conn), "{address}");
        }
        assert!(is_trusted("https://mmg.whatsapp.net/v/x?oh=1", &conn));
        assert!(is_trusted("https://127.0.0.1:8080/v/x", &conn));
        let mut media = Media::new(MediaKind::Image);
        assert!(matches!(addresses(&media, &conn), Err(TransferError::NoFile)));
        media.direct_path = Some("//evil.example/x".into());
        assert!(matches!(addresses(&media, &conn), Err(TransferError::File(_))));
        media.direct_path = Some("/v/x?oh=1".into());
        assert_eq!(
            addresses(&media, &conn).unwrap(),
            ["https://127.0.0.1:8080/v/x?oh=1&mms-type=image&__wa-mms="]
        );
    }
}
