//! What a fault does (chapter 10 §11), as data. The world and the shell carry it out.

use serde::{Deserialize, Serialize};

use super::matching::{Direction, Phase, Point};

/// One fault's deed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Closes the connection.
    Close {
        /// In which way.
        #[serde(default)]
        how: CloseHow,
        /// After the stanza was handled instead of before.
        #[serde(default)]
        after: bool,
    },
    /// Keeps the socket and stops using it.
    Freeze {
        /// Which half.
        #[serde(default)]
        mode: FreezeMode,
    },
    /// Lets the stanza wait.
    Delay {
        /// Milliseconds of simulated time.
        ms: u64,
        /// Up to this much more, drawn from the seed.
        #[serde(default)]
        jitter_ms: u64,
    },
    /// Writes no more than this to the connection from now on.
    Throttle {
        /// Bytes per second of real time.
        bytes_per_second: u32,
    },
    /// Handles or writes the stanza twice.
    Duplicate,
    /// Lets the stanza pass after `by` others that go the same way.
    Reorder {
        /// How many pass it.
        by: u32,
    },
    /// Keeps the stanza until the faults are released.
    Hold,
    /// Loses the stanza.
    Lose,
    /// Damages what is written.
    Damage {
        /// Where.
        damage: Damage,
    },
    /// Handles the stanza but never answers it (ack and result are lost).
    LoseAck,
    /// Answers twice.
    AnswerTwice,
    /// Answers a message with an ack of this error instead of delivering it.
    AckError {
        /// Code, chapter 05 §5.7.
        code: u32,
    },
    /// Answers a group message with another participant hash.
    WrongPhash,
    /// Answers an iq with this error.
    IqError {
        /// Code.
        code: u32,
        /// Text.
        #[serde(default)]
        text: String,
    },
    /// Answers an iq with 429.
    RateOverlimit {
        /// Seconds to wait, if said.
        #[serde(default)]
        backoff: Option<u32>,
    },
    /// Writes a `<stream:error>` and closes.
    StreamError(StreamFault),
    /// Writes a `<failure>` instead of `<success>` and closes.
    Failure(FailureReason),
    /// A second `<success>`.
    SecondSuccess,
    /// Writes `<xmlstreamend/>`.
    StreamEnd,
    /// Delivers `<unavailable/>` instead of the ciphertext.
    Unavailable,
    /// Answers the WebSocket upgrade with this status.
    HttpStatus {
        /// Status; 3xx gets a `Location`.
        status: u16,
    },
    /// Answers the WebSocket upgrade with bytes that are no HTTP.
    HttpGarbage,
    /// Spoils the Noise handshake.
    Handshake {
        /// How.
        fault: HandshakeFault,
    },
    /// A whole protocol of a usync query fails: its error stands in `<result>`, and no user gets an answer for it.
    UsyncError {
        /// Name of the protocol, as in the query.
        protocol: String,
        /// Code.
        code: u32,
        /// Seconds to wait, if said.
        #[serde(default)]
        backoff: Option<u32>,
    },
    /// The fetched bundles carry no one-time key.
    NoOneTimeKeys,
    /// The phone refuses another companion (419).
    ResourceLimit,
    /// Spoils an answer of the media host.
    Media {
        /// How.
        fault: MediaFault,
    },
}

/// Ways in which the media host fails (chapter 06 §9). `tag` of the match is the method, `id` the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaFault {
    /// Answers with this status instead.
    Status {
        /// Status; 3xx gets a `Location`.
        status: u16,
        /// Seconds of `Retry-After`.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The connection breaks within the body, the request's of an upload, the answer's of a download.
    Cut {
        /// After so many bytes.
        after: u64,
    },
    /// Half of the file, with a length that agrees.
    Truncated,
    /// One bit in the middle is another.
    FlippedBit,
    /// A hundred bytes too many.
    ExtraBytes,
    /// Drips.
    Slow {
        /// Bytes per second of real time.
        bytes_per_second: u32,
    },
}

/// Ways to close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseHow {
    /// FIN without WebSocket close.
    #[default]
    Fin,
    /// RST.
    Rst,
    /// WebSocket close frame with this code.
    Code(u16),
}

/// Ways to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FreezeMode {
    /// Neither reads nor writes.
    #[default]
    Both,
    /// Reads, never writes.
    NeverWrite,
    /// Writes, never reads.
    NeverRead,
}

/// Damage to one outgoing frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// Flips a bit of the ciphertext.
    Ciphertext,
    /// Announces a length one too long.
    LengthHeader,
    /// Announces the greatest length and writes nothing of it.
    Oversize,
    /// Writes a frame of length zero in front.
    ZeroLength,
    /// Cuts the plaintext in half before it is sealed.
    TruncatePlaintext,
    /// Flips a bit of the plaintext before it is sealed.
    Plaintext,
    /// Writes the frame in three pieces, the first ending inside the length header.
    Split,
    /// Writes the frame together with the next one.
    Merge,
    /// Writes the sealed frame twice: the second one does not open.
    FrameTwice,
    /// Writes the frame after the next one: neither opens.
    FrameLate,
    /// Compresses the plaintext (no damage: every client must understand it).
    Compress,
    /// Raises the version of every `<enc>` payload to one that nobody speaks.
    EncVersion,
    /// Flips a bit of every `<enc>` payload.
    EncMac,
}

/// Forms of `<stream:error>` (chapter 01 §6.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamFault {
    /// `code`, if any.
    #[serde(default)]
    pub code: Option<u32>,
    /// The child, if any.
    #[serde(default)]
    pub form: StreamForm,
}

/// Child of a `<stream:error>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamForm {
    /// None.
    #[default]
    Bare,
    /// `<conflict type="replaced"/>`
    Replaced,
    /// `<conflict type="device_removed"/>`
    DeviceRemoved,
    /// `<ack/>`
    Ack,
    /// `<xml-not-well-formed/>`
    XmlNotWellFormed,
    /// A child that nobody knows.
    Unknown,
}

/// `<failure>` (chapter 01 §6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReason {
    /// `reason`.
    pub reason: u32,
    /// `code`.
    #[serde(default)]
    pub code: Option<u32>,
    /// `expire` in seconds.
    #[serde(default)]
    pub expire: Option<u32>,
    /// `logout_message_header`.
    #[serde(default)]
    pub logout_message: Option<String>,
}

/// Ways to spoil the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeFault {
    /// ServerHello without ephemeral.
    MissingEphemeral,
    /// ServerHello without payload.
    MissingPayload,
    /// Bytes that are no protobuf.
    Undecodable,
    /// Ephemeral of 31 bytes.
    ShortEphemeral,
    /// A tag that does not fit.
    BadTag,
    /// An all-zero ephemeral.
    LowOrder,
    /// Answers an IK hello with fallback.
    RefuseIk,
    /// A new static key from this connection on.
    RotateStatic,
    /// A chain that is wrong.
    Chain(Chain),
}

/// What is wrong with a certificate chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    /// The intermediate's signature.
    IntermediateSignature,
    /// The leaf's signature.
    LeafSignature,
    /// The intermediate names another root.
    RootSerial,
    /// The leaf names another intermediate.
    LeafSerial,
    /// The leaf certifies another key.
    LeafKey,
    /// Both have ended.
    Expired,
    /// Both have not begun.
    NotYetValid,
}

impl Action {
    /// Its name, as the admin API has it, for the log.
    pub(crate) fn name(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["do"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether the action means anything at this point. Keeps a fault without a pattern from spending its count where
    /// nothing can happen.
    #[must_use]
    pub fn applies_at(&self, point: &Point<'_>) -> bool {
        if point.phase == Phase::Media {
            return matches!(self, Self::Media { .. });
        }
        let stanza = point.direction.is_some();
        let incoming = point.direction == Some(Direction::In);
        let outgoing = point.direction == Some(Direction::Out);
        match self {
            Self::Close { .. } | Self::Freeze { .. } => true,
            Self::Delay { .. } | Self::Duplicate | Self::Reorder { .. } | Self::Hold | Self::Lose => stanza,
            Self::Throttle { .. } | Self::Damage { .. } => outgoing,
            Self::Unavailable => outgoing && point.tag == Some("message"),
            Self::LoseAck | Self::AnswerTwice => incoming,
            Self::AckError { .. } | Self::WrongPhash => incoming && point.tag == Some("message"),
            Self::IqError { .. } | Self::RateOverlimit { .. } => incoming && point.tag == Some("iq"),
            Self::UsyncError { .. } => incoming && point.tag == Some("iq") && point.xmlns == Some("usync"),
            Self::NoOneTimeKeys => incoming && point.tag == Some("iq") && point.xmlns == Some("encrypt"),
            Self::StreamError(_) | Self::StreamEnd | Self::SecondSuccess => stanza,
            Self::Failure(_) => point.phase == Phase::Login && !stanza,
            Self::HttpStatus { .. } | Self::HttpGarbage => point.phase == Phase::Upgrade,
            Self::Handshake { .. } => point.phase == Phase::Hello,
            Self::Media { .. } => false,
            Self::ResourceLimit => point.phase == Phase::Login && !stanza,
        }
    }
}
