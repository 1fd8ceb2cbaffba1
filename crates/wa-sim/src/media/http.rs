//! The media host's HTTP: methods, ranges, and what faults do to answers (chapter 06 §9).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderValue, LOCATION, RANGE,
    RETRY_AFTER,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::{Upload, Uploaded};
use crate::faults::MediaFault;
use crate::net::{Hub, Reply, json as json_reply, text};

/// Largest upload: it is held in memory.
const MOST: usize = 256 << 20;
/// Pieces of an answer that is slow or cut.
const PIECE: usize = 4 << 10;

/// Answers one request to the media host.
pub(crate) async fn answer(hub: &Arc<Hub>, request: Request<Incoming>) -> Reply {
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let mut damage = Vec::new();
    let mut cut = None;
    for fault in hub.with(|world, _| world.media_faults(method.as_str(), &path)) {
        match fault {
            MediaFault::Status { status, retry_after } => return refused(status, retry_after),
            MediaFault::Cut { after } if method == Method::POST => cut = Some(after),
            other => damage.push(other),
        }
    }
    match method {
        Method::GET => download(hub, &request, &path, &damage),
        Method::POST => upload(hub, request, path, cut).await,
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

async fn upload(hub: &Arc<Hub>, request: Request<Incoming>, path: String, cut: Option<u64>) -> Reply {
    let (parts, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    let limit = cut.map_or(MOST, |after| usize::try_from(after).unwrap_or(MOST).min(MOST));
    let mut whole = true;
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else {
            whole = false;
            break;
        };
        if let Some(data) = frame.data_ref() {
            let room = limit - body.len();
            body.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room && cut.is_none() {
                return refused(413, None);
            }
            if cut.is_some() && body.len() >= limit {
                break;
            }
        }
    }
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let upload = Upload { path, query, body: body.into() };
    let outcome = hub.with(|world, _| world.take_upload(&upload, whole && cut.is_none()));
    if cut.is_some() {
        return broken(Vec::new(), 1);
    }
    match outcome {
        Uploaded::Refused(status) => refused(status, None),
        Uploaded::Resume(offset) => json_reply(200, &json!({ "resume": offset.to_string() })),
        Uploaded::Stored(direct_path) => {
            let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            let mut answer = json!({
                "url": format!("https://{host}{direct_path}"),
                "direct_path": direct_path,
                "handle": direct_path.split('?').next().and_then(|path| path.rsplit('/').next()),
            });
            if upload.query.split('&').any(|pair| pair == "resume=1") {
                answer["resume"] = "complete".into();
            }
            json_reply(200, &answer)
        }
    }
}

fn download(hub: &Arc<Hub>, request: &Request<Incoming>, path: &str, damage: &[MediaFault]) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let file = match hub.look(|world| world.download(path, query)) {
        Ok(file) => file,
        Err(status) => return refused(status, None),
    };
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
    let (status, body, shown) = match range.map(|range| wanted(range, file.len())) {
        None => (StatusCode::OK, file, None),
        Some(Some((from, to))) => {
            let shown = format!("bytes {from}-{}/{}", to - 1, file.len());
            (StatusCode::PARTIAL_CONTENT, file.slice(from..to), Some(shown))
        }
        Some(None) => return refused(416, None),
    };
    let mut reply = damaged(&body, damage);
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
fn wanted(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    if from.is_empty() {
        let last: usize = to.parse().ok().filter(|last| *last > 0)?;
        return (length > 0).then(|| (length.saturating_sub(last), length));
    }
    let from: usize = from.parse().ok().filter(|from| *from < length)?;
    let to: usize =
        if to.is_empty() { length } else { to.parse::<usize>().ok()?.saturating_add(1).min(length) };
    (from < to).then_some((from, to))
}

/// The answer with what faults do to it.
fn damaged(body: &[u8], damage: &[MediaFault]) -> Reply {
    let mut bytes = body.to_vec();
    let (mut cut, mut rate) = (None, None);
    for fault in damage {
        match fault {
            MediaFault::Truncated => bytes.truncate(bytes.len() / 2),
            MediaFault::FlippedBit => {
                let middle = bytes.len() / 2;
                if let Some(byte) = bytes.get_mut(middle) {
                    *byte ^= 1;
                }
            }
            MediaFault::ExtraBytes => bytes.extend([0; 100]),
            MediaFault::Cut { after } => cut = Some(usize::try_from(*after).unwrap_or(usize::MAX)),
            MediaFault::Slow { bytes_per_second } => rate = Some((*bytes_per_second).max(1)),
            MediaFault::Status { .. } => {}
        }
    }
    if let Some(after) = cut {
        let length = bytes.len();
        bytes.truncate(after);
        return broken(bytes, length.max(1));
    }
    let length = bytes.len();
    let pieces: Vec<Bytes> = match rate {
        Some(_) => bytes.chunks(PIECE).map(Bytes::copy_from_slice).collect(),
        None => vec![bytes.into()],
    };
    let stream = stream::iter(pieces).then(move |piece| async move {
        if let Some(rate) = rate {
            tokio::time::sleep(Duration::from_secs_f64(piece.len() as f64 / f64::from(rate))).await;
        }
        Ok::<_, io::Error>(Frame::data(piece))
    });
    with_length(Response::new(StreamBody::new(stream).boxed_unsync()), length)
}

/// An answer that announces more than it holds, and whose connection then breaks.
fn broken(bytes: Vec<u8>, announced: usize) -> Reply {
    let head = stream::once(async { Ok(Frame::data(Bytes::from(bytes))) });
    // What was written goes out before the connection ends, since the server flushes while it waits.
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::other("a fault"))
    });
    with_length(Response::new(StreamBody::new(head.chain(end)).boxed_unsync()), announced)
}

fn with_length(mut reply: Reply, length: usize) -> Reply {
    reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    reply
}
