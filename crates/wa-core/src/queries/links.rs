//! Links that stand for something else: to a contact or a business (chapter 09a §5), to a call (chapter 09d §4).

use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

use super::{IqError, QueryError, reply};
use crate::fields::{child_text, flag, jid, text};

/// Whom a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactLink {
    /// The person or business.
    pub jid: Jid,
    /// `contact`; none for a business.
    pub kind: Option<CompactString>,
    /// Their name for themselves.
    pub push_name: Option<CompactString>,
    /// What a business wants to be written.
    pub message: Option<CompactString>,
    /// The business's verified name.
    pub verified_name: Option<CompactString>,
    /// How well it was verified.
    pub verified_level: Option<CompactString>,
    /// Whether the name is signed.
    pub is_signed: bool,
}

impl ContactLink {
    /// Reads the answer to a code.
    ///
    /// # Errors
    /// When the server refused (404: no such link), and without an address.
    pub fn parse(iq: NodeRef<'_>) -> Result<Self, QueryError> {
        let qr = reply(iq)?.required_child("qr")?;
        let business = qr.optional_child("business");
        Ok(Self {
            jid: qr.required("jid").jid()?,
            kind: text(qr, "type"),
            push_name: text(qr, "notify"),
            message: child_text(qr, "message"),
            verified_name: business.and_then(|business| text(business, "verified_name")),
            verified_level: business.and_then(|business| text(business, "verified_level")),
            is_signed: business.is_some_and(|business| flag(business, "is_signed")),
        })
    }
}

/// What a call link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallMedia {
    /// Voice.
    Audio,
    /// Voice and video.
    Video,
}

impl CallMedia {
    /// Its word in stanzas and links. `voice` is read as `audio`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    fn of(word: &str) -> Option<Self> {
        match word {
            "audio" | "voice" => Some(Self::Audio),
            "video" => Some(Self::Video),
            _ => None,
        }
    }
}

/// A call that whoever has the link may join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLink {
    /// What the link is for.
    pub media: CallMedia,
    /// Names the call.
    pub token: CompactString,
    /// Who made it, when the answer says so.
    pub creator: Option<Jid>,
}

impl CallLink {
    /// Reads the server's answer, an `<ack class="call">`, to making or asking for a link.
    ///
    /// # Errors
    /// When the server refused, and without token or kind.
    pub fn parse(ack: NodeRef<'_>) -> Result<Self, QueryError> {
        if let Some(code) = text(ack, "error") {
            let code = code.parse().unwrap_or_default();
            return Err(IqError { code, text: CompactString::default(), class: None, backoff: None }.into());
        }
        let is_link = |child: &NodeRef<'_>| matches!(child.tag(), "link_create" | "link_query");
        let link = match ack.each_child().find(is_link) {
            Some(link) => link,
            None => ack.required_child("link_create")?,
        };
        Ok(Self {
            media: link.required("media").choose("audio or video", CallMedia::of)?,
            token: link.required("token").string()?,
            creator: jid(link, "link_creator"),
        })
    }

    /// The link as it is sent.
    pub fn url(&self) -> String {
        format!("https://call.whatsapp.com/{}/{}", self.media.name(), self.token)
    }

    /// Reads a link; a query or fragment behind it says nothing.
    pub fn from_url(url: &str) -> Option<Self> {
        let path = url.strip_prefix("https://call.whatsapp.com/")?;
        let path = path.split(['?', '#']).next()?;
        let (media, token) = path.split_once('/')?;
        let token = token.trim_end_matches('/');
        let readable = !token.is_empty() && !token.contains('/');
        Some(Self { media: CallMedia::of(media)?, token: token.into(), creator: None }).filter(|_| readable)
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn a_link_is_read_as_it_is_written() {
        let link = CallLink { media: CallMedia::Audio, token: "AbC".into(), creator: None };
        assert_eq!(CallLink::from_url(&link.url()), Some(link.clone()));
        assert_eq!(CallLink::from_url("https://call.whatsapp.com/voice/AbC?x=1#y"), Some(link));
        for other in ["https://call.whatsapp.com/video/", "https://call.whatsapp.com/else/AbC", "AbC"] {
            assert_eq!(CallLink::from_url(other), None, "{other}");
        }
    }

    #[test]
    fn a_refused_link_has_the_servers_code() {
        let ack = Node::new("ack").attr("class", "call").attr("error", "403");
        assert_eq!(CallLink::parse(ack.view()).unwrap_err().code(), Some(403));
        assert!(CallLink::parse(Node::new("ack").view()).is_err());
    }
}
