//! The media host: uploads under the token of `media_conn`, downloads with ranges, expiry, faults (chapter 06 §9).
//!
//! Files are opaque bytes under a direct path that has a query, as the live service's have. The host never sees a key.

mod file;
mod http;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use crate::faults::{Action, MediaFault, Phase, Point};
use crate::watch::Rule;
use crate::world::World;

pub(crate) use file::Spool;
pub use file::StoredFile;
pub(crate) use http::answer;

/// Uploads that broke off and may be resumed; past that the first go.
const MOST_PARTIAL: usize = 64;

/// Kinds that the host takes, the last-but-one part of an upload's path.
const KINDS: &[&str] = &[
    "ads-image",
    "ads-video",
    "audio",
    "biz-cover-photo",
    "document",
    "gif",
    "group-history",
    "image",
    "md-app-state",
    "md-msg-hist",
    "music-artwork",
    "photo",
    "ptt",
    "ptv",
    "sticker",
    "sticker-pack",
    "thumbnail-document",
    "thumbnail-image",
    "thumbnail-link",
    "thumbnail-sticker-pack",
    "thumbnail-video",
    "video",
];

/// The media host.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct MediaHost {
    files: BTreeMap<String, Placed>,
    /// How often the upload token was renewed.
    generation: u32,
    /// What broke off, by token.
    #[serde(skip)]
    partial: BTreeMap<String, Spool>,
    /// `ttl` and `auth_ttl` of `media_conn`, seconds.
    pub(crate) ttl_s: (u32, u32),
}

/// A file in its place.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Placed {
    file: StoredFile,
    /// Answers 410 from then on (ms).
    until_ms: u64,
}

impl Default for MediaHost {
    fn default() -> Self {
        Self { files: BTreeMap::new(), generation: 0, partial: BTreeMap::new(), ttl_s: (3_600, 21_600) }
    }
}

impl MediaHost {
    /// All its files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.files.values().map(|placed| &placed.file)
    }

    /// The same, to be put in their places.
    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = &mut StoredFile> {
        self.files.values_mut().map(|placed| &mut placed.file)
    }
}

/// One upload.
pub(crate) struct Upload {
    /// Path without query.
    pub(crate) path: String,
    /// Query.
    pub(crate) query: String,
}

/// What an upload is answered with before its body is looked at.
#[derive(Debug)]
pub(crate) enum Begun {
    /// The body goes here.
    Take(Spool),
    /// Answer to `resume=1`: all of it is here, under this direct path.
    Complete(String),
    /// Answer to `resume=1`: so many bytes are here.
    Resume(u64),
    /// Refused with this status.
    Refused(u16),
}

impl Upload {
    /// Prefix, kind and token of the path.
    pub(crate) fn parts(&self) -> Option<(&str, &str)> {
        let mut parts = self.path.trim_matches('/').splitn(3, '/');
        let (prefix, kind, token) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = kind.strip_prefix("newsletter-").unwrap_or(kind);
        (matches!(prefix, "mms" | "newsletter" | "product" | "pps") && KINDS.contains(&kind))
            .then_some((kind, token.trim_end_matches('=')))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        crate::admin::parameter(&self.query, name)
    }
}

impl World {
    /// What uploads must carry as `auth`.
    pub(crate) fn media_auth(&self) -> String {
        format!("simulator-{}", self.media.generation)
    }

    /// The upload token of every client is no longer valid: the next upload is answered with 401.
    pub fn renew_media_auth(&mut self) {
        self.media.generation += 1;
    }

    /// What `media_conn` says of how long its answer holds: the whole, and the token (seconds).
    pub fn set_media_ttl(&mut self, ttl_s: u32, auth_ttl_s: u32) {
        self.media.ttl_s = (ttl_s, auth_ttl_s);
    }

    /// A file is answered with 410 from now on. `false` when there is no such file.
    pub fn expire_file(&mut self, direct_path: &str) -> bool {
        let path = direct_path.split('?').next().unwrap_or_default();
        let now_ms = self.now_ms;
        self.media.files.get_mut(path).map(|placed| placed.until_ms = now_ms).is_some()
    }

    /// Faults that strike a request to the host.
    fn media_faults(&mut self, method: &str, path: &str, host: &str) -> Vec<MediaFault> {
        let point = Point {
            phase: Phase::Media,
            tag: Some(method),
            id: Some(path),
            host: Some(host),
            ..Point::default()
        };
        let struck = self.faults.strike(&point).into_iter();
        struck
            .filter_map(|action| if let Action::Media { fault } = action { Some(fault) } else { None })
            .collect()
    }

    /// A request that no client of the live service makes (chapter 10 §15).
    pub(crate) fn media_violation(&mut self, rule: Rule, detail: String) {
        self.watch.report(self.now_ms, None, None, rule, detail);
    }

    /// The beginning of an upload (chapter 06 §4).
    pub(crate) fn begin_upload(&mut self, upload: &Upload) -> Begun {
        let Some((kind, token)) = upload.parts() else { return Begun::Refused(404) };
        if upload.parameter("auth").as_deref() != Some(&self.media_auth()) {
            return Begun::Refused(401);
        }
        let begun = self.media.partial.get(token).map_or(0, Spool::length);
        if upload.parameter("resume").as_deref() == Some("1") {
            return self.uploaded(kind, token).map_or(Begun::Resume(begun), Begun::Complete);
        }
        let offset = match upload.parameter("file_offset").map(|offset| offset.parse::<u64>()) {
            None => 0,
            Some(Ok(offset)) if offset <= begun => offset,
            Some(_) => return Begun::Refused(400),
        };
        let mut spool = self.media.partial.remove(token).unwrap_or_default();
        match spool.truncate(offset) {
            Ok(()) => Begun::Take(spool),
            Err(error) => {
                tracing::error!(%error, "a temporary file");
                Begun::Refused(507)
            }
        }
    }

    /// An upload whose connection was cut within the body.
    pub(crate) fn upload_broke_off(&mut self, upload: &Upload, spool: Spool) {
        let Some((_, token)) = upload.parts() else { return };
        self.media.partial.insert(token.to_owned(), spool);
        if self.media.partial.len() > MOST_PARTIAL {
            self.media.partial.pop_first();
        }
    }

    /// The end of an upload: its direct path, or 400 when the body is not what the token says.
    pub(crate) fn end_upload(
        &mut self,
        upload: &Upload,
        file: StoredFile,
        hash: &[u8; 32],
    ) -> Result<String, u16> {
        let (kind, token) = upload.parts().ok_or(404_u16)?;
        if URL_SAFE_NO_PAD.encode(hash) != token {
            let detail = format!("{} bytes as {kind} under another hash", file.length());
            self.media_violation(Rule::UploadToken, detail);
            return Err(400);
        }
        Ok(self.keep_file(kind, file, hash))
    }

    /// The path of a file that was uploaded already.
    fn uploaded(&self, kind: &str, token: &str) -> Option<String> {
        let hash: [u8; 32] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let path = place(kind, &hash);
        let placed = self.media.files.get(&path).filter(|placed| placed.until_ms > self.now_ms)?;
        Some(direct_path(&path, placed.until_ms))
    }

    /// A download by path and query: the file, or the status that a client would see.
    ///
    /// # Errors
    /// 403, 404 or 410.
    pub fn download(&self, path: &str, query: &str) -> Result<StoredFile, u16> {
        let placed = self.media.files.get(path).ok_or(404_u16)?;
        let given = crate::admin::parameter(query, "oh");
        if given.is_some_and(|given| given != signature(path)) {
            return Err(403);
        }
        if placed.until_ms > self.now_ms { Ok(placed.file.clone()) } else { Err(410) }
    }

    /// Removes a file, as clients do with history that they have stored.
    fn remove_file(&mut self, token: &str) -> bool {
        let hash: Option<[u8; 32]> = URL_SAFE_NO_PAD.decode(token).ok().and_then(|hash| hash.try_into().ok());
        hash.is_some_and(|hash| self.media.files.remove(&place("md-msg-hist", &hash)).is_some())
    }

    /// Puts a file in its place and gives its direct path. What lay there before is the same file; it is new again.
    pub(crate) fn keep_file(&mut self, kind: &str, file: StoredFile, hash: &[u8; 32]) -> String {
        self.put_file(place(kind, hash), file)
    }

    /// The same in a place that no file had before.
    pub(crate) fn keep_file_again(&mut self, kind: &str, file: StoredFile, hash: &[u8; 32]) -> String {
        let usual = place(kind, hash);
        let free = |path: &String| !self.media.files.contains_key(path);
        let fresh = (1_u32..).map(|time| format!("{usual}-{time}")).find(free);
        self.put_file(fresh.unwrap_or(usual), file)
    }

    fn put_file(&mut self, path: String, file: StoredFile) -> String {
        let until_ms = self.now_ms.saturating_add(self.config.media_age_ms);
        let direct = direct_path(&path, until_ms);
        self.media.files.insert(path, Placed { file, until_ms });
        direct
    }

    /// A file of the media host, by its path without query, also one that has expired.
    #[must_use]
    pub fn blob(&self, path: &str) -> Option<Bytes> {
        self.media.files.get(path)?.file.whole().ok()
    }
}

/// Where the media host keeps a file.
fn place(kind: &str, hash: &[u8; 32]) -> String {
    format!("/v/{kind}/{}", hex::encode(&hash[..16]))
}

/// What stands for the live service's signature of a path.
fn signature(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.get(..8).unwrap_or(name)
}

/// The direct path of a file: with a query, so that clients who append with `?` are caught.
fn direct_path(path: &str, until_ms: u64) -> String {
    format!("{path}?ccb=11-4&oh={}&oe={:x}&_nc_sid=5e03e0&mms3=true", signature(path), until_ms / 1000)
}
