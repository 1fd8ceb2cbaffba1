//! The media host: uploads under the token of `media_conn`, downloads with ranges, expiry, faults (chapter 06 §9).
//!
//! Files are opaque bytes under a direct path that has a query, as the live service's have. The host never sees a key.

mod http;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use crate::faults::{Action, MediaFault, Phase, Point};
use crate::world::World;

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

/// State of the host besides its files.
#[derive(Debug, Default)]
pub(crate) struct MediaHost {
    /// How often the upload token was renewed.
    generation: u32,
    /// Paths that answer 410.
    expired: BTreeSet<String>,
    /// What broke off, by token.
    partial: BTreeMap<String, Vec<u8>>,
}

/// One upload.
pub(crate) struct Upload {
    /// Path without query.
    pub(crate) path: String,
    /// Query.
    pub(crate) query: String,
    /// Body, or what came of it.
    pub(crate) body: Bytes,
}

/// What became of an upload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Uploaded {
    /// Stored under this direct path.
    Stored(String),
    /// Answer to `resume=1`: so many bytes are here.
    Resume(usize),
    /// Refused with this status.
    Refused(u16),
}

impl Upload {
    /// Prefix, kind and token of the path.
    fn parts(&self) -> Option<(&str, &str)> {
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

    /// A file is answered with 410 from now on. `false` when there is no such file.
    pub fn expire_file(&mut self, direct_path: &str) -> bool {
        let path = direct_path.split('?').next().unwrap_or_default();
        self.blobs.contains_key(path) && self.media.expired.insert(path.to_owned())
    }

    /// Faults that strike a request to the host.
    fn media_faults(&mut self, method: &str, path: &str) -> Vec<MediaFault> {
        let point = Point { phase: Phase::Media, tag: Some(method), id: Some(path), ..Point::default() };
        let struck = self.faults.strike(&point).into_iter();
        struck
            .filter_map(|action| if let Action::Media { fault } = action { Some(fault) } else { None })
            .collect()
    }

    /// An upload (chapter 06 §4). `whole` is false when the connection was cut within the body.
    pub(crate) fn take_upload(&mut self, upload: &Upload, whole: bool) -> Uploaded {
        let Some((kind, token)) = upload.parts() else { return Uploaded::Refused(404) };
        if upload.parameter("auth").as_deref() != Some(&self.media_auth()) {
            return Uploaded::Refused(401);
        }
        let begun = self.media.partial.get(token).map_or(0, Vec::len);
        if upload.parameter("resume").as_deref() == Some("1") {
            return match self.direct_path(kind, token) {
                Some(path) => Uploaded::Stored(path),
                None => Uploaded::Resume(begun),
            };
        }
        let offset = match upload.parameter("file_offset").map(|offset| offset.parse::<usize>()) {
            None => 0,
            Some(Ok(offset)) if offset <= begun => offset,
            Some(_) => return Uploaded::Refused(400),
        };
        let mut bytes = self.media.partial.remove(token).unwrap_or_default();
        bytes.truncate(offset);
        bytes.extend_from_slice(&upload.body);
        if !whole {
            self.media.partial.insert(token.to_owned(), bytes);
            if self.media.partial.len() > MOST_PARTIAL {
                self.media.partial.pop_first();
            }
            return Uploaded::Refused(400);
        }
        let hash = wa_crypto::digest::sha256(&[&bytes]);
        if URL_SAFE_NO_PAD.encode(hash) != token {
            return Uploaded::Refused(400);
        }
        Uploaded::Stored(self.keep_blob(kind, bytes.into(), &hash))
    }

    /// The path of a file that was uploaded already.
    fn direct_path(&self, kind: &str, token: &str) -> Option<String> {
        let hash: [u8; 32] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let path = crate::world::blob_path(kind, &hash);
        (self.blobs.contains_key(&path) && !self.media.expired.contains(&path))
            .then(|| crate::world::direct_path(&path))
    }

    /// A download by path and query: the file, or the status that a client would see.
    ///
    /// # Errors
    /// 403, 404 or 410.
    pub fn download(&self, path: &str, query: &str) -> Result<Bytes, u16> {
        let file = self.blobs.get(path).ok_or(404_u16)?;
        let signature = crate::admin::parameter(query, "oh");
        let right = crate::world::direct_path(path);
        if signature.is_some_and(|signature| !right.ends_with(&format!("oh={signature}"))) {
            return Err(403);
        }
        if self.media.expired.contains(path) { Err(410) } else { Ok(file.clone()) }
    }

    /// Removes a file, as clients do with history that they have stored.
    fn remove_file(&mut self, token: &str) -> bool {
        let hash: Option<[u8; 32]> = URL_SAFE_NO_PAD.decode(token).ok().and_then(|hash| hash.try_into().ok());
        hash.is_some_and(|hash| self.blobs.remove(&crate::world::blob_path("md-msg-hist", &hash)).is_some())
    }

    /// A stored file that is new again: a later upload of the same bytes.
    pub(crate) fn file_is_new(&mut self, path: &str) {
        self.media.expired.remove(path);
    }
}
