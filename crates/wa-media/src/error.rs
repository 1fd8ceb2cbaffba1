//! The one error of the crate: what a caller must be able to tell apart (chapter 06 §10).

/// Why a file, a part of one or a media retry is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// A media key is not 32 bytes long.
    #[error("media key of {0} bytes")]
    KeyLength(usize),
    /// A sealed file is shorter than one block and the MAC.
    #[error("sealed file of {0} bytes is too short")]
    TooShort(u64),
    /// A sealed file is not whole blocks and a MAC.
    #[error("sealed file of {0} bytes is not whole blocks and a MAC")]
    BlockLength(u64),
    /// More bytes arrived than the caller allows.
    #[error("more than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: u64,
    },
    /// The hash of the sealed file is another: the host delivered other bytes.
    #[error("sealed file has another hash")]
    SealedHash,
    /// The MAC does not fit.
    #[error("MAC of the sealed file does not fit")]
    Mac,
    /// The MAC fits, the padding does not: the sender sealed wrongly.
    #[error("bad padding under a good MAC")]
    Padding,
    /// Everything fits but the hash of the plaintext: the sender announced another file. Trying again is no use.
    #[error("plaintext has another hash")]
    PlaintextHash,
    /// A sidecar has no entry for a part, or another number of entries than the file has parts.
    #[error("sidecar does not cover part {0}")]
    SidecarMissing(u64),
    /// A part does not fit its sidecar entry.
    #[error("part {0} does not fit the sidecar")]
    Sidecar(u64),
    /// A range or part lies outside the file, or other bytes were fetched than it names.
    #[error("range outside the file or fetched wrongly")]
    Range,
    /// A direct path does not start with a slash: the sender wrote something else.
    #[error("direct path without a leading slash")]
    DirectPath,
    /// The initialisation vector of a media retry is not 12 bytes long.
    #[error("media retry with an initialisation vector of {0} bytes")]
    RetryIv(usize),
    /// A media retry does not open under this media key and message id.
    #[error("media retry does not open")]
    RetrySeal,
    /// A media retry opens and holds no message of its type.
    #[error("undecodable media retry")]
    RetryProtobuf(#[source] prost::DecodeError),
    /// A media retry names another message than it was sent for.
    #[error("media retry names another message")]
    RetryMessageId,
    /// A sticker pack breaks a rule.
    #[error("sticker pack: {0}")]
    StickerPack(#[from] crate::sticker_pack::StickerPackFault),
    /// A primitive refused its input: a programming error.
    #[error("primitive failed")]
    Crypto(#[source] wa_crypto::CryptoError),
}

impl MediaError {
    /// Whether the same file from another host can be good (chapter 06 §5): other bytes arrived than were uploaded.
    pub const fn another_host_can_help(&self) -> bool {
        matches!(
            self,
            Self::TooShort(_) | Self::BlockLength(_) | Self::TooLong { .. } | Self::SealedHash | Self::Mac
        )
    }
}
