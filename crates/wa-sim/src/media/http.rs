//! The media host's HTTP: methods, ranges, and what faults do to answers (chapter 06 §9).

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderValue, LOCATION, ORIGIN, RANGE,
    RETRY_AFTER,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::{Begun, Spool, StoredFile, Upload};
use crate::faults::MediaFault;
use crate::net::{Hub, Reply, json as json_reply, text};
use crate::watch::Rule;

/// Largest upload.
const MOST: u64 = 2 << 30;
/// Pieces of an answer, and of one that is slow or cut.
const PIECE: usize = 64 << 10;
const SMALL_PIECE: usize = 4 << 10;

/// Answers one request to the media host.
pub(crate) async fn answer(hub: &Arc<Hub>, request: Request<Incoming>) -> Reply {
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    // Pictures of people are fetched by anybody.
    if !request.headers().contains_key(ORIGIN) && !path.starts_with("/v/pps/") {
        hub.with(|world, _| world.media_violation(Rule::MediaWithoutOrigin, format!("{method} {path}")));
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let host = host.to_owned();
    let mut damage = Vec::new();
    let mut cut = None;
    for fault in hub.with(|world, _| world.media_faults(method.as_str(), &path, &host)) {
        match fault {
            MediaFault::Status { status, retry_after } => return refused(status, retry_after),
            MediaFault::Cut { after } if method == Method::POST => cut = Some(after),
            other => damage.push(other),
        }
    }
    match method {
        Method::GET => download(hub, &request, &path, &damage),
        Method::POST => upload(hub, request, path, &host, cut).await,
        Method::DELETE => {
            let token = path.rsplit('/').next().unwrap_or_default().trim_end_matches('=');
            match hub.with(|world, _| world.remove_file(token)) {
                true => text(StatusCode::OK, "removed"),
                false => refused(404, None),
            }
        }
        _ => refused(405, None),
    }
}

fn refused(status: u16, retry_after: Option<u32>) -> Reply {
    let mut reply =
        text(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), "refused");
    if let Some(seconds) = retry_after {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if reply.status().is_redirection() {
        reply.headers_mut().insert(LOCATION, HeaderValue::from_static("https://localhost:9/"));
    }
    reply
}

async fn upload(
    hub: &Arc<Hub>,
    request: Request<Incoming>,
    path: String,
    host: &str,
    cut: Option<u64>,
) -> Reply {
    let (parts, mut incoming) = request.into_parts();
    let upload = Upload { path, query: parts.uri.query().unwrap_or_default().to_owned() };
    let mut spool = match hub.with(|world, _| world.begin_upload(&upload)) {
        Begun::Take(spool) => spool,
        Begun::Complete(direct_path) => return stored(host, &direct_path, true),
        Begun::Resume(offset) => return json_reply(200, &json!({ "resume": offset.to_string() })),
        Begun::Refused(status) => {
            // A client that still writes would not read the answer.
            while let Some(Ok(_)) = incoming.frame().await {}
            return refused(status, None);
        }
    };
    let limit = cut.map_or(MOST, |after| spool.length().saturating_add(after).min(MOST));
    let end = take_body(&mut incoming, &mut spool, limit).await;
    let broke_off = |spool| hub.with(|world, _| world.upload_broke_off(&upload, spool));
    match end {
        Ok(End::Whole) if cut.is_none() => {}
        Ok(End::TooLong) if cut.is_none() => return refused(413, None),
        Ok(End::Broken) if cut.is_none() => {
            broke_off(spool);
            return refused(400, None);
        }
        Ok(_) => {
            broke_off(spool);
            return broken(Vec::new(), 1);
        }
        Err(error) => {
            tracing::error!(%error, "a temporary file");
            return refused(507, None);
        }
    }
    let file = spool.finish();
    let hashed = file.clone();
    let Ok(Ok(hash)) = tokio::task::spawn_blocking(move || hashed.sha256()).await else {
        return refused(500, None);
    };
    match hub.with(|world, _| world.end_upload(&upload, file, &hash)) {
        Ok(direct_path) => stored(host, &direct_path, false),
        Err(status) => refused(status, None),
    }
}

/// How a body ended.
enum End {
    Whole,
    Broken,
    TooLong,
}

async fn take_body(body: &mut Incoming, spool: &mut Spool, limit: u64) -> io::Result<End> {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Ok(End::Broken) };
        let Some(data) = frame.data_ref() else { continue };
        let room = usize::try_from(limit - spool.length()).unwrap_or(usize::MAX);
        spool.write(&data[..data.len().min(room)])?;
        if data.len() > room {
            return Ok(End::TooLong);
        }
    }
    Ok(End::Whole)
}

fn stored(host: &str, direct_path: &str, resumed: bool) -> Reply {
    let mut answer = json!({
        "url": format!("https://{host}{direct_path}"),
        "direct_path": direct_path,
        "handle": direct_path.split('?').next().and_then(|path| path.rsplit('/').next()),
    });
    if resumed {
        answer["resume"] = "complete".into();
    }
    json_reply(200, &answer)
}

fn download(hub: &Arc<Hub>, request: &Request<Incoming>, path: &str, damage: &[MediaFault]) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let file = match hub.look(|world| world.download(path, query)) {
        Ok(file) => file,
        Err(status) => return refused(status, None),
    };
    let length = file.length();
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
    let (status, part, shown) = match range.map(|range| wanted(range, length)) {
        None => (StatusCode::OK, 0..length, None),
        Some(Some((from, to))) => {
            let shown = format!("bytes {from}-{}/{length}", to - 1);
            (StatusCode::PARTIAL_CONTENT, from..to, Some(shown))
        }
        Some(None) => return refused(416, None),
    };
    let mut reply = damaged(file, part, damage);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(shown) = shown.and_then(|shown| HeaderValue::from_str(&shown).ok()) {
        headers.insert(CONTENT_RANGE, shown);
    }
    reply
}

/// `bytes=a-b`, `bytes=a-` or `bytes=-n` as a half-open range; `None` when nothing of it is there.
fn wanted(range: &str, length: u64) -> Option<(u64, u64)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    if from.is_empty() {
        let last: u64 = to.parse().ok().filter(|last| *last > 0)?;
        return (length > 0).then(|| (length.saturating_sub(last), length));
    }
    let from: u64 = from.parse().ok().filter(|from| *from < length)?;
    let to: u64 = if to.is_empty() { length } else { to.parse::<u64>().ok()?.saturating_add(1).min(length) };
    (from < to).then_some((from, to))
}

/// A part of a file with what faults do to it, read piece by piece.
fn damaged(file: StoredFile, part: Range<u64>, damage: &[MediaFault]) -> Reply {
    let whole = part.end - part.start;
    let (mut length, mut flipped, mut extra, mut cut, mut rate) = (whole, None, 0, None, None);
    for fault in damage {
        match fault {
            MediaFault::Truncated => length = whole / 2,
            MediaFault::FlippedBit => flipped = Some(whole / 2),
            MediaFault::ExtraBytes => extra = 100,
            MediaFault::Cut { after } => cut = Some(*after),
            MediaFault::Slow { bytes_per_second } => rate = Some((*bytes_per_second).max(1)),
            MediaFault::Status { .. } => {}
        }
    }
    let announced = (length + extra).max(u64::from(cut.is_some()));
    let end = cut.map_or(length + extra, |cut| cut.min(length + extra));
    let most = if rate.is_some() || cut.is_some() { SMALL_PIECE } else { PIECE };
    let pieces = stream::unfold(0, move |at| {
        let file = file.clone();
        async move {
            if at >= end {
                // What was written goes out before the connection ends, since the server flushes while it waits.
                tokio::task::yield_now().await;
                let next = (cut.is_some() && at < announced).then(|| Err(io::Error::other("a fault")));
                return next.map(|end| (end, announced));
            }
            let most = usize::try_from(end - at).unwrap_or(most).min(most);
            let mut piece = vec![0; most];
            if at < length {
                let inside = usize::try_from(length - at).unwrap_or(most).min(most);
                match file.read(part.start + at, inside) {
                    Ok(read) => piece[..read.len()].copy_from_slice(&read),
                    Err(error) => return Some((Err(error), announced)),
                }
            }
            if let Some(place) = flipped
                && let Some(byte) =
                    usize::try_from(place.wrapping_sub(at)).ok().and_then(|at| piece.get_mut(at))
            {
                *byte ^= 1;
            }
            if let Some(rate) = rate {
                tokio::time::sleep(Duration::from_secs_f64(piece.len() as f64 / f64::from(rate))).await;
            }
            let next = at + piece.len() as u64;
            Some((Ok(Frame::data(Bytes::from(piece))), next))
        }
    });
    with_length(Response::new(StreamBody::new(pieces).boxed_unsync()), announced)
}

/// An answer that announces more than it holds, and whose connection then breaks.
fn broken(bytes: Vec<u8>, announced: u64) -> Reply {
    let head = stream::once(async { Ok(Frame::data(Bytes::from(bytes))) });
    // What was written goes out before the connection ends, since the server flushes while it waits.
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::other("a fault"))
    });
    with_length(Response::new(StreamBody::new(head.chain(end)).boxed_unsync()), announced)
}

fn with_length(mut reply: Reply, length: u64) -> Reply {
    reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    reply
}
