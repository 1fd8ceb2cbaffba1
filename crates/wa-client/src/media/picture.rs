//! Profile pictures (chapter 06 §6): whose there is, its file, and our own.

use bytes::Bytes;
use compact_str::CompactString;
use wa_binary::{Jid, Node, Stanza};
use wa_core::content::{Media, MediaKind};
use wa_core::queries::Picture;

use super::download::download_plain;
use super::spool::blocking;
use super::{MediaRoom, TransferError, inspect};
use crate::connection::link::{RequestError, iq};
use crate::credentials::Own as _;

/// Largest picture that is downloaded, in bytes.
const LARGEST: u64 = 8 << 20;
const NAMESPACE: &str = "w:profile:picture";

/// How large a picture is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PictureSize {
    /// About 96 pixels.
    Preview,
    /// As it was set.
    Full,
}

/// A profile picture, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfilePicture {
    /// There is one.
    Set {
        /// Its id, for the next question.
        id: CompactString,
        /// The JPEG.
        jpeg: Bytes,
    },
    /// Still the one with the id that was given.
    Unchanged,
    /// There is none.
    NotSet,
    /// Privacy settings hide it from us.
    Hidden,
}

/// Why a picture was not had, or not set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The server.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The file.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The answer has no picture in it.
    #[error("the answer cannot be read")]
    Malformed,
    /// Not an image that can be made a square JPEG.
    #[error("not an image, or one that is too large")]
    NotAnImage,
}

/// Edge of a picture that is set, in pixels.
const EDGE: u32 = 640;

impl MediaRoom<'_> {
    /// The picture of a person or a group. With the id of a known one nothing is downloaded unless it has changed.
    ///
    /// # Errors
    /// [`PictureError`].
    pub async fn profile_picture(
        &self,
        of: &Jid,
        size: PictureSize,
        known_id: Option<&str>,
    ) -> Result<ProfilePicture, PictureError> {
        let shared = &self.0.shared;
        let device = shared.device();
        let own: Vec<Jid> = device.pn().into_iter().chain(device.lid()).map(|jid| jid.user_jid()).collect();
        let token = crate::privacy::node(shared, of, &own).await.ok().flatten();
        let picture = Node::new("picture")
            .attr("type", if size == PictureSize::Preview { "preview" } else { "image" })
            .attr("query", "url")
            .maybe_attr("id", known_id)
            .maybe_child(token.filter(|token| token.is("tctoken")));
        let link = shared.link()?;
        let asked = link.ask(|id| iq(id, "get", NAMESPACE).attr("target", of.user_jid()).child(picture));
        let found = match asked.await {
            Ok(answer) => Picture::parse(answer.root(), known_id).map_err(|_| PictureError::Malformed)?,
            Err(RequestError::Refused { code: 304, .. }) => Picture::Unchanged,
            Err(RequestError::Refused { code: 401, .. }) => Picture::Hidden,
            Err(RequestError::Refused { code: 404, .. }) => Picture::NotSet,
            Err(error) => return Err(error.into()),
        };
        let (id, url, direct_path, hash) = match found {
            Picture::Set { id, url, direct_path, hash, .. } => (id, url, direct_path, hash),
            Picture::Unchanged => return Ok(ProfilePicture::Unchanged),
            Picture::NotSet => return Ok(ProfilePicture::NotSet),
            Picture::Hidden => return Ok(ProfilePicture::Hidden),
        };
        let mut media = Media::new(MediaKind::Image);
        media.static_url = url.map(Into::into);
        media.direct_path = direct_path.map(Into::into);
        media.sha256 = hash.and_then(|hash| hash.try_into().ok());
        let jpeg = download_plain(shared, &media, LARGEST).await?.into();
        Ok(ProfilePicture::Set { id, jpeg })
    }

    /// Sets our own picture, or that of a group of which we are an admin: from any JPEG, PNG or WebP, cut to a square
    /// of 640 pixels. Gives its id.
    ///
    /// # Errors
    /// [`PictureError`]; the server refuses with 406 what it does not take.
    pub async fn set_profile_picture(
        &self,
        group: Option<&Jid>,
        image: impl Into<Bytes>,
    ) -> Result<CompactString, PictureError> {
        let image = image.into();
        let square = blocking(move || Ok(inspect::square(&image, EDGE))).await.ok().flatten();
        let jpeg = square.ok_or(PictureError::NotAnImage)?;
        let picture = Node::new("picture").attr("type", "image").bytes(jpeg);
        let answer = self.set(group, Some(picture)).await?;
        let picture = answer.root().optional_child("picture").ok_or(PictureError::Malformed)?;
        picture.required("id").string().map_err(|_| PictureError::Malformed)
    }

    /// Takes our own picture, or that of a group, away.
    ///
    /// # Errors
    /// [`PictureError`].
    pub async fn remove_profile_picture(&self, group: Option<&Jid>) -> Result<(), PictureError> {
        self.set(group, None).await.map(drop)
    }

    async fn set(&self, group: Option<&Jid>, picture: Option<Node>) -> Result<Stanza, PictureError> {
        let link = self.0.shared.link()?;
        let target = group.map(Jid::user_jid);
        let asked = link.ask(|id| iq(id, "set", NAMESPACE).maybe_attr("target", target).maybe_child(picture));
        Ok(asked.await?)
    }
}
