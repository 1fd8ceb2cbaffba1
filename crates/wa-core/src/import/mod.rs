//! Moving an account here without linking again (chapter 04 §22.3): the Signal state of two other libraries' stores as
//! records of `wa-signal`. Reading their databases and files is the caller's; what comes in are single values.

pub mod baileys;
mod json;
mod protobuf;
pub mod whatsmeow;

use thiserror::Error;
use wa_binary::{DeviceJid, Jid, Server};
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_crypto::{Secret, xeddsa};
use wa_signal::{
    IdentityKey, IdentityKeyPair, LocalIdentity, OwnSenderKey, PreKey, SenderKeyRecord, SignalError,
    SignedPreKey,
};

/// Why a stored value cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are no protobuf message.
    #[error("not a stored protobuf record")]
    Protobuf,
    /// The text is not the JSON that the library writes.
    #[error("not the stored JSON (line {line}, column {column})")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Something is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Something has another length or an impossible value.
    #[error("{0} cannot be read")]
    Field(&'static str),
    /// A private and a public key that do not belong together.
    #[error("the two halves of {0} do not belong together")]
    KeyPair(&'static str),
    /// The session is of another protocol version than 3.
    #[error("a session of version {0}")]
    Version(u32),
    /// The record was made under another identity than the account's.
    #[error("a record of another account")]
    ForeignRecord,
    /// The name of a device in the store is none.
    #[error("not an address of the store")]
    Address,
    /// The parts contradict each other.
    #[error(transparent)]
    Signal(#[from] SignalError),
}

/// What a stored sender-key record holds: keys to read with, and the own key when it was made here.
#[derive(Clone, Debug)]
pub struct ImportedSenderKeys {
    /// To send with; only in records of the own device.
    pub own: Option<OwnSenderKey>,
    /// To read with.
    pub received: SenderKeyRecord,
}

/// A peer's identity as stores keep it: 33 bytes, or the 32 of the key alone.
///
/// # Errors
/// [`ImportError::Field`].
pub fn identity(bytes: &[u8]) -> Result<IdentityKey, ImportError> {
    Ok(public_key(bytes, "identity")?.into())
}

/// The account's own identity from its private key.
///
/// # Errors
/// [`ImportError::Field`].
pub fn local_identity(private: &[u8], registration_id: u32) -> Result<LocalIdentity, ImportError> {
    let pair = KeyPair::from(private_key(private, "identity")?);
    Ok(LocalIdentity::new(IdentityKeyPair::from(pair), registration_id))
}

/// An own one-time pre-key.
///
/// # Errors
/// [`ImportError::Field`].
pub fn pre_key(id: u32, private: &[u8]) -> Result<PreKey, ImportError> {
    Ok(PreKey { id: key_id(id)?, pair: KeyPair::from(private_key(private, "pre-key")?) })
}

/// An own signed pre-key. Its signature must be the account's.
///
/// # Errors
/// [`ImportError::Field`] also for a signature of somebody else.
pub fn signed_pre_key(
    local: &LocalIdentity,
    id: u32,
    private: &[u8],
    signature: &[u8],
) -> Result<SignedPreKey, ImportError> {
    let pair = KeyPair::from(private_key(private, "signed pre-key")?);
    let signature: [u8; 64] = signature.try_into().map_err(|_| ImportError::Field("signature"))?;
    let identity = local.identity_key();
    xeddsa::verify(identity.public_key(), &[&pair.public().serialized()], &signature)
        .map_err(|_| ImportError::Field("signature"))?;
    Ok(SignedPreKey { id: key_id(id)?, pair, signature })
}

fn key_id(id: u32) -> Result<u32, ImportError> {
    if (1..=0xFF_FFFF).contains(&id) { Ok(id) } else { Err(ImportError::Field("pre-key id")) }
}

/// `user[_domain]` and a device number behind `separator`.
fn device(text: &str, separator: &str) -> Result<DeviceJid, ImportError> {
    let (name, device) = text.rsplit_once(separator).ok_or(ImportError::Address)?;
    let (user, domain) = match name.rsplit_once('_') {
        Some((user, domain)) => (user, domain),
        None => (name, "0"),
    };
    let server = match domain {
        "0" => Server::Pn,
        "1" => Server::Lid,
        "128" => Server::Hosted,
        "129" => Server::HostedLid,
        _ => return Err(ImportError::Address),
    };
    let device = device.parse().map_err(|_| ImportError::Address)?;
    if user.is_empty() {
        return Err(ImportError::Address);
    }
    let jid = Jid::new(user, server.name(), device).map_err(|_| ImportError::Address)?;
    jid.try_into().map_err(|_| ImportError::Address)
}

fn public_key(bytes: &[u8], what: &'static str) -> Result<PublicKey, ImportError> {
    let key = if bytes.len() == 32 { PublicKey::from_raw(bytes) } else { PublicKey::from_serialized(bytes) };
    key.map_err(|_| ImportError::Field(what))
}

fn private_key(bytes: &[u8], what: &'static str) -> Result<PrivateKey, ImportError> {
    Ok(PrivateKey::from_bytes(*secret::<32>(bytes, what)?.expose()))
}

fn secret<const N: usize>(bytes: &[u8], what: &'static str) -> Result<Secret<N>, ImportError> {
    Secret::try_from(bytes).map_err(|_| ImportError::Field(what))
}

/// A pair of which both halves were stored.
fn key_pair(private: &[u8], public: &[u8], what: &'static str) -> Result<KeyPair, ImportError> {
    let pair = KeyPair::from(private_key(private, what)?);
    if *pair.public() == public_key(public, what)? { Ok(pair) } else { Err(ImportError::KeyPair(what)) }
}

#[cfg(test)]
mod tests;
