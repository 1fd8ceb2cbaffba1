#![forbid(unsafe_code)]
//! WhatsApp's protobuf schema as prost types, one module per area (chapter 03 §10 of the protocol reference).
//!
//! The `.proto` files in `proto/` and the code in `src/generated/` are written by `cargo xtask proto` from the schema
//! table; this file only names the modules. What to know when using the types:
//!
//! - Every field has presence: scalars are `Option`, and `message.field()` reads a scalar with its default. What the
//!   source schema declares `required` is optional here: write it always, never fail for want of it.
//! - Enums are open. The field is an `i32`; an unknown number survives decoding and encoding, and the accessor reads
//!   it as the default. Use `try_from` on the field to tell the two apart.
//! - Singular message fields are boxed, so that a message costs what it holds.
//! - `bytes` fields are [`bytes::Bytes`]. Decoded from a `Bytes` they are slices of it and keep it alive: copy what is
//!   stored for long.
//! - Unknown *fields* do not survive. Keep the original bytes of whatever is stored or sent on.
//! - Who wants a few facts of an end-to-end message reads it in place: [`view`].
//!
//! ```
//! use prost::Message as _;
//! use wa_proto::e2e_message::Message;
//!
//! let text = Message { conversation: Some("hello".to_owned()), ..Default::default() };
//! assert_eq!(Message::decode(text.encode_to_vec().as_slice())?, text);
//! # Ok::<(), prost::DecodeError>(())
//! ```

mod shared;
pub mod view;
pub mod wire;

pub use prost;
pub use shared::decode;
pub use wire::WireError;

macro_rules! areas {
    ($($(#[doc = $doc:literal])+ $area:ident,)+) => {
        $(
            $(#[doc = $doc])+
            #[allow(
                missing_docs,
                unused_qualifications,
                clippy::all,
                clippy::pedantic,
                rustdoc::all,
                reason = "generated"
            )]
            pub mod $area {
                include!(concat!("generated/", stringify!($area), ".rs"));
            }
        )+
    };
}

areas! {
    /// Device identities and the key-index list (chapter 02).
    adv,
    /// Metadata of AI bots.
    ai_bot,
    /// Patches, snapshots and external blobs of app-state sync (chapter 07).
    app_state,
    /// Verified names of business accounts.
    business_cert,
    /// The server's certificate chain (chapter 01).
    cert,
    /// Settings of locked chats.
    chat_lock,
    /// Small messages that several areas share.
    common,
    /// What a companion says about itself when it links (chapter 02).
    companion_reg,
    /// What the account's devices can do.
    device_capabilities,
    /// The end-to-end encrypted message (chapter 05).
    e2e_message,
    /// Disappearing-message settings.
    ephemeral,
    /// The security-code QR.
    fingerprint,
    /// History shared with someone who joins a group (chapter 08).
    group_history,
    /// Handshake frames and the login payload (chapter 01).
    handshake,
    /// History sync blobs (chapter 08).
    history,
    /// LID to phone-number mappings.
    lid_migration,
    /// Where a media file lives and the keys to open it.
    media_entry,
    /// Asking the primary to upload media again (chapter 06).
    media_retry,
    /// Which fields enter a reporting token (chapter 04).
    reporting,
    /// Edge routing.
    routing,
    /// Wire messages of the ratchets and sender keys (chapter 04).
    signal,
    /// Attestations beside the Signal messages.
    signal_other,
    /// Where a status comes from.
    status_attribution,
    /// The values inside app-state mutations (chapter 07).
    sync_action,
    /// A password digest with its parameters.
    user_password,
    /// A message as history and app state store it (chapter 08).
    web_message,
}

/// The compiled schema, a `google.protobuf.FileDescriptorSet`, for reflection.
#[cfg(feature = "descriptors")]
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.binpb");
