//! What can go wrong: one small enum for each direction, and [`Error`] over all of them (chapter 03 §5–§8).

use crate::jid::JidKind;

/// Any error of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no JID.
    #[error(transparent)]
    Jid(#[from] JidError),
    /// A frame is no node.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A node cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A node lacks something or holds it in the wrong form.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Why a text is no JID, or a JID not the sort that was wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JidError {
    /// More than 256 bytes.
    #[error("a JID of {len} bytes is too long")]
    TooLong {
        /// Bytes of the text.
        len: usize,
    },
    /// White space, a control character, or a colon inside a part.
    #[error("a JID holds a character that it must not")]
    BadCharacter,
    /// No server, or a bare word that is no server's name.
    #[error("a JID without a server")]
    NoServer,
    /// A server name with more than lower-case letters, digits, dots and hyphens.
    #[error("a JID with an impossible server name")]
    BadServer,
    /// More than one `@`.
    #[error("a JID with two at signs")]
    TwoAtSigns,
    /// A device, agent or integrator without a user.
    #[error("a JID without the user that a part of it needs")]
    NoUser,
    /// The device is no number up to 65535.
    #[error("a JID whose device is no number up to 65535")]
    BadDevice,
    /// The agent is no number up to 255.
    #[error("a JID whose agent is no number up to 255")]
    BadAgent,
    /// The integrator is no number up to 65535.
    #[error("a JID whose integrator is no number up to 65535")]
    BadIntegrator,
    /// It keeps the lenient grammar but not the strict one.
    #[error("not a JID that official clients would accept")]
    NotStrict,
    /// It names something else than wanted.
    #[error("{wanted} was wanted, found {}", found.name())]
    WrongKind {
        /// What the type holds.
        wanted: &'static str,
        /// What the JID names.
        found: JidKind,
    },
}

/// Why a frame is no node. Positions count bytes from the flag byte, in the inflated frame when it was compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No flag byte.
    #[error("an empty frame")]
    EmptyFrame,
    /// The zlib stream is absent, broken, cut, or has a wrong checksum.
    #[error("a compressed frame that does not inflate")]
    Decompress,
    /// More than 16 MiB inflated, more than 262 144 nodes, or a length with its top bit set.
    #[error("too large (at byte {position})")]
    TooLarge {
        /// Where.
        position: usize,
    },
    /// More than 128 levels.
    #[error("more than 128 levels (at byte {position})")]
    TooDeep {
        /// Where.
        position: usize,
    },
    /// A read past the end.
    #[error("the frame ends too early (at byte {position})")]
    UnexpectedEnd {
        /// Where.
        position: usize,
    },
    /// A node or child does not begin with a list.
    #[error("byte {byte:#04x} where a list begins (at byte {position})")]
    InvalidListToken {
        /// What stands there.
        byte: u8,
        /// Where.
        position: usize,
    },
    /// A node of size 0, or without a proper tag.
    #[error("a node without a tag (at byte {position})")]
    InvalidNode {
        /// Where.
        position: usize,
    },
    /// An attribute key that is no string.
    #[error("an attribute key that is no string (at byte {position})")]
    NonStringKey {
        /// Where.
        position: usize,
    },
    /// An undefined token, or a list where a value is expected.
    #[error("byte {byte:#04x} where a value begins (at byte {position})")]
    InvalidToken {
        /// What stands there.
        byte: u8,
        /// Where.
        position: usize,
    },
    /// A packed string with an impossible character or length.
    #[error("a broken packed string (at byte {position})")]
    InvalidPacked {
        /// Where.
        position: usize,
    },
    /// A tag or key that is not UTF-8.
    #[error("a tag or key that is not UTF-8 (at byte {position})")]
    InvalidUtf8 {
        /// Where.
        position: usize,
    },
    /// A JID with an unknown domain, without a part it needs, or nested.
    #[error("a broken JID (at byte {position})")]
    InvalidJid {
        /// Where.
        position: usize,
    },
    /// Bytes behind the node.
    #[error("{count} bytes behind the node (at byte {position})")]
    TrailingData {
        /// How many.
        count: usize,
        /// Where they begin.
        position: usize,
    },
}

impl DecodeError {
    /// Name of the class, as in chapter 03 §7: for logs and metrics.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::EmptyFrame => "EmptyFrame",
            Self::Decompress => "Decompress",
            Self::TooLarge { .. } => "TooLarge",
            Self::TooDeep { .. } => "TooDeep",
            Self::UnexpectedEnd { .. } => "UnexpectedEnd",
            Self::InvalidListToken { .. } => "InvalidListToken",
            Self::InvalidNode { .. } => "InvalidNode",
            Self::NonStringKey { .. } => "NonStringKey",
            Self::InvalidToken { .. } => "InvalidToken",
            Self::InvalidPacked { .. } => "InvalidPacked",
            Self::InvalidUtf8 { .. } => "InvalidUtf8",
            Self::InvalidJid { .. } => "InvalidJid",
            Self::TrailingData { .. } => "TrailingData",
        }
    }

    /// Where in the frame, in bytes from the flag byte; 0 when the frame as a whole is at fault.
    pub const fn position(&self) -> usize {
        match self {
            Self::EmptyFrame | Self::Decompress => 0,
            Self::TooLarge { position }
            | Self::TooDeep { position }
            | Self::UnexpectedEnd { position }
            | Self::InvalidListToken { position, .. }
            | Self::InvalidNode { position }
            | Self::NonStringKey { position }
            | Self::InvalidToken { position, .. }
            | Self::InvalidPacked { position }
            | Self::InvalidUtf8 { position }
            | Self::InvalidJid { position }
            | Self::TrailingData { position, .. } => *position,
        }
    }
}

/// Why a node cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A node without a tag.
    #[error("a node with an empty tag")]
    EmptyTag,
    /// More than 65 535 children, or 32 767 attributes.
    #[error("a list of {len} entries")]
    ListTooLong {
        /// Entries of the list.
        len: usize,
    },
    /// A string or content that the frame cannot hold.
    #[error("{len} bytes are too many for one frame")]
    TooLarge {
        /// Bytes.
        len: usize,
    },
    /// More than 128 levels.
    #[error("more than 128 levels")]
    TooDeep,
    /// A device above 255, or on a server whose users have none.
    #[error("device {device} cannot be written for this server")]
    DeviceOutOfRange {
        /// The device.
        device: u16,
    },
    /// A JID without a server's name, or without the user that its form needs.
    #[error("an incomplete JID")]
    IncompleteJid,
}

/// Something that a parser of stanzas needed and did not find, with the path to it:
/// `iq/usync/list/user@jid: not a JID`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct FieldError {
    /// Tags from the root down, then `@` and the key for an attribute.
    pub path: Box<str>,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is not there.
    #[error("missing")]
    Missing,
    /// It is no JID.
    #[error("not a JID")]
    NotAJid(#[source] JidError),
    /// It is no decimal number, or does not fit.
    #[error("not a number in range")]
    NotANumber,
    /// It is neither `true` nor `false`.
    #[error("neither true nor false")]
    NotABool,
    /// The content is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The content has another length.
    #[error("{found} bytes instead of {wanted}")]
    WrongLength {
        /// Bytes wanted.
        wanted: usize,
        /// Bytes found.
        found: usize,
    },
    /// The node has another tag.
    #[error("not a {wanted}")]
    WrongTag {
        /// The tag that was wanted.
        wanted: Box<str>,
    },
    /// It is not one of the values that the parser knows.
    #[error("not {wanted}")]
    Unexpected {
        /// What was wanted.
        wanted: &'static str,
    },
}
