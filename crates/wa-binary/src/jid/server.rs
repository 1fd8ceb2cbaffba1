//! The server part of a JID (chapter 03 §8.1).

use std::fmt;

/// Who answers under an address. One byte; the name of an unknown server is kept by its [`Jid`](crate::Jid).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
#[repr(u8)]
pub enum Server {
    /// `s.whatsapp.net`: users by phone number (PN).
    Pn,
    /// `lid`: users by hidden id.
    Lid,
    /// `g.us`: groups, communities and their announcement groups.
    Group,
    /// `broadcast`: status and broadcast lists.
    Broadcast,
    /// `newsletter`: channels.
    Newsletter,
    /// `hosted`: the business-hosted device of a phone user.
    Hosted,
    /// `hosted.lid`: the same by LID.
    HostedLid,
    /// `c.us`: phone users in legacy spelling; local data only.
    Legacy,
    /// `bot`: AI bots.
    Bot,
    /// `call`: calls and call links.
    Call,
    /// `msgr`: Messenger users.
    Msgr,
    /// `interop`: users of other networks.
    Interop,
    /// A server that this library does not know.
    Other,
}

impl Server {
    /// Every known server.
    pub const KNOWN: [Self; 12] = [
        Self::Pn,
        Self::Lid,
        Self::Group,
        Self::Broadcast,
        Self::Newsletter,
        Self::Hosted,
        Self::HostedLid,
        Self::Legacy,
        Self::Bot,
        Self::Call,
        Self::Msgr,
        Self::Interop,
    ];

    /// The server with this name; `None` for unknown ones. Exact and case-sensitive.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "s.whatsapp.net" => Self::Pn,
            "lid" => Self::Lid,
            "g.us" => Self::Group,
            "broadcast" => Self::Broadcast,
            "newsletter" => Self::Newsletter,
            "hosted" => Self::Hosted,
            "hosted.lid" => Self::HostedLid,
            "c.us" => Self::Legacy,
            "bot" => Self::Bot,
            "call" => Self::Call,
            "msgr" => Self::Msgr,
            "interop" => Self::Interop,
            _ => return None,
        })
    }

    /// The name; empty for [`Server::Other`], whose name only its JID knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pn => "s.whatsapp.net",
            Self::Lid => "lid",
            Self::Group => "g.us",
            Self::Broadcast => "broadcast",
            Self::Newsletter => "newsletter",
            Self::Hosted => "hosted",
            Self::HostedLid => "hosted.lid",
            Self::Legacy => "c.us",
            Self::Bot => "bot",
            Self::Call => "call",
            Self::Msgr => "msgr",
            Self::Interop => "interop",
            Self::Other => "",
        }
    }

    /// Which name space its users belong to, if any.
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::Pn | Self::Legacy | Self::Hosted => Some(Family::Pn),
            Self::Lid | Self::HostedLid => Some(Family::Lid),
            _ => None,
        }
    }

    /// Whether its users have devices that a stanza can name.
    pub const fn has_devices(self) -> bool {
        matches!(self, Self::Pn | Self::Lid | Self::Hosted | Self::HostedLid | Self::Msgr | Self::Interop)
    }

    /// The domain byte of a device JID on the wire (chapter 03 §4.5).
    pub(crate) const fn domain(self) -> Option<u8> {
        match self {
            Self::Pn => Some(0),
            Self::Lid => Some(1),
            Self::Hosted => Some(128),
            Self::HostedLid => Some(129),
            _ => None,
        }
    }

    /// The server of a domain byte; every even number from 128 on is read as hosted.
    #[inline]
    pub(crate) const fn from_domain(domain: u8) -> Option<Self> {
        match domain {
            0 => Some(Self::Pn),
            1 => Some(Self::Lid),
            129 => Some(Self::HostedLid),
            128.. if domain.is_multiple_of(2) => Some(Self::Hosted),
            _ => None,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The two name spaces of people. Every user has a name in both; only a mapping store knows which belong together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Family {
    /// Phone numbers: `s.whatsapp.net`, `c.us`, `hosted`.
    Pn,
    /// Hidden ids: `lid`, `hosted.lid`.
    Lid,
}
