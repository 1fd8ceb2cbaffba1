//! The server's ack of a sent message (chapter 05 §5.7): accepted or refused, and what to do about it.

use compact_str::CompactString;
use wa_binary::{Family, Jid, NodeRef};

use super::stanza::{jid, number, text};

/// An ack of class `message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAck {
    /// Id of the message.
    pub id: CompactString,
    /// The chat.
    pub from: Option<Jid>,
    /// The message's time in seconds.
    pub timestamp: Option<u64>,
    /// Number of a channel's new post.
    pub server_id: Option<u64>,
    /// Hash of the devices as the server knows them; to be compared with the own one.
    pub phash: Option<CompactString>,
    /// Family that the server would have addressed the group in.
    pub addressing_mode: Option<Family>,
    /// Whether the LID of the partner shall be asked for again.
    pub refresh_lid: bool,
    /// Accepted or not.
    pub outcome: AckOutcome,
}

/// Whether the server took the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckOutcome {
    /// It did.
    Accepted,
    /// It did not.
    Refused(Refused),
}

/// Why the server did not take a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// With this code.
    Code(u32),
    /// With a code that is no number.
    Unparsable,
}

/// What to do with a refused message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The group is addressed in the other family: refresh it, switch, send once more under the same id.
    RefreshGroup,
    /// Wait and try again, three times at most.
    Retry,
    /// The contact takes messages only from those it knows, or the account may start no new chats. Issue a token for
    /// the contact in the background; never send again by oneself.
    Restricted,
    /// Tell the application, and ask for the devices anew before the next message.
    SurfaceAndRefreshDevices,
    /// Tell the application.
    Surface,
}

impl Refused {
    /// What to do.
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Code(421) => Remedy::RefreshGroup,
            Self::Code(408 | 429 | 500 | 503) => Remedy::Retry,
            Self::Code(463) => Remedy::Restricted,
            Self::Code(400 | 479) => Remedy::SurfaceAndRefreshDevices,
            _ => Remedy::Surface,
        }
    }
}

impl ServerAck {
    /// Reads an ack; none when it names no message.
    pub fn parse(stanza: NodeRef<'_>) -> Option<Self> {
        let id = text(stanza, "id").filter(|id| !id.is_empty())?;
        let outcome = match text(stanza, "error").as_deref() {
            None | Some("0") => AckOutcome::Accepted,
            Some(code) => AckOutcome::Refused(code.parse().map_or(Refused::Unparsable, Refused::Code)),
        };
        Some(Self {
            id,
            from: jid(stanza, "from"),
            timestamp: number(stanza, "t"),
            server_id: number(stanza, "server_id"),
            phash: text(stanza, "phash"),
            addressing_mode: match text(stanza, "addressing_mode").as_deref() {
                Some("pn") => Some(Family::Pn),
                Some("lid") => Some(Family::Lid),
                _ => None,
            },
            refresh_lid: stanza.attr_is("refresh_lid", "true"),
            outcome,
        })
    }

    /// Whether the server knows other devices than the message was sent to.
    pub fn differs_from(&self, phash: &str) -> bool {
        self.phash.as_deref().is_some_and(|theirs| theirs != phash)
    }
}

impl AckOutcome {
    /// Whether the message was taken.
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted)
    }
}
