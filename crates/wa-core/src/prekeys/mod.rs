//! Pre-keys on the wire and their upkeep: bundles, uploads, the digest, ids that wrap.
//!
//! Chapter 02 §6 and chapter 04 §11 of the protocol. `bundle` is what others fetch, `upload` what the owner
//! publishes, `upkeep` when and which ids. The keys themselves are `wa-signal`'s.

mod bundle;
mod upkeep;
mod upload;

use thiserror::Error;
use wa_binary::{FieldError, Node, NodeRef};
use wa_crypto::curve::PublicKey;
use wa_crypto::digest::sha1;

pub use bundle::{Bundle, FetchReason, Fetched, fetch_request, parse_fetch};
pub use upkeep::{
    DirectKey, FIRST_UPLOAD, MAX_ID, ROTATION_AGAIN_SECONDS, ROTATION_SECONDS, UploadPlan, Watermarks,
    next_id, retry_delay,
};
pub use upload::{DigestReply, Upload};

/// Value of `<type>`: Curve25519.
pub const KEY_TYPE: u8 = 5;

/// Why pre-keys in a stanza are unusable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PreKeyError {
    /// A part is missing or has a wrong length.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Another key type than 5.
    #[error("key type {0}")]
    KeyType(u64),
    /// Id 0, which is never given.
    #[error("key id 0")]
    KeyId,
    /// The signed pre-key is not signed by the identity.
    #[error("the signed pre-key is not the identity's")]
    Signature,
}

/// A signed pre-key as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedKey {
    /// 1..=[`MAX_ID`].
    pub id: u32,
    /// Raw.
    pub public: PublicKey,
    /// The identity's signature over the 33-byte form.
    pub signature: [u8; 64],
}

impl SignedKey {
    /// `<skey>`.
    pub fn to_node(&self) -> Node {
        Node::new("skey")
            .children(key_children(self.id, &self.public))
            .child(Node::new("signature").bytes(self.signature.to_vec()))
    }

    /// Reads `<skey>`; the signature is not checked.
    ///
    /// # Errors
    /// [`PreKeyError`].
    pub fn parse(node: NodeRef<'_>) -> Result<Self, PreKeyError> {
        let (id, public) = parse_key(node)?;
        Ok(Self { id, public, signature: node.required_child("signature")?.required_array()? })
    }

    /// Whether the identity signed it.
    pub fn is_signed_by(&self, identity: &PublicKey) -> bool {
        wa_crypto::xeddsa::verify(identity, &[&self.public.serialized()], &self.signature).is_ok()
    }
}

/// The digest that server and device compare (chapter 02 §6.3): SHA-1 over raw keys, the one-time keys in the order of
/// the list.
pub fn digest<'k>(
    identity: &PublicKey,
    signed: &SignedKey,
    one_time: impl IntoIterator<Item = &'k PublicKey>,
) -> [u8; 20] {
    let mut parts: Vec<&[u8]> = vec![identity.as_bytes(), signed.public.as_bytes(), &signed.signature];
    parts.extend(one_time.into_iter().map(|key| &key.as_bytes()[..]));
    sha1(&parts)
}

/// A one-time key as `<key>`.
pub fn key_node(id: u32, public: &PublicKey) -> Node {
    Node::new("key").children(key_children(id, public))
}

fn key_children(id: u32, public: &PublicKey) -> [Node; 2] {
    [Node::new("id").bytes(id_bytes(id)), Node::new("value").bytes(public.as_bytes().to_vec())]
}

/// `<id>` and `<value>` of a key node.
fn parse_key(node: NodeRef<'_>) -> Result<(u32, PublicKey), PreKeyError> {
    let id = parse_id(node.required_child("id")?)?;
    Ok((id, PublicKey::from_bytes(node.required_child("value")?.required_array()?)))
}

fn parse_id(node: NodeRef<'_>) -> Result<u32, PreKeyError> {
    match u32::try_from(node.required_be(3)?) {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(PreKeyError::KeyId),
    }
}

/// Three bytes, big endian.
fn id_bytes(id: u32) -> Vec<u8> {
    id.to_be_bytes()[1..].to_vec()
}

fn parse_registration(node: NodeRef<'_>) -> Result<u32, PreKeyError> {
    let registration = node.required_child("registration")?;
    Ok(u32::try_from(registration.required_be(4)?).unwrap_or_default())
}

fn registration_node(id: u32) -> Node {
    Node::new("registration").bytes(id.to_be_bytes().to_vec())
}

fn type_node() -> Node {
    Node::new("type").bytes(vec![KEY_TYPE])
}

/// `<type>` may be absent; when it is there it must be 5.
fn check_type(node: NodeRef<'_>) -> Result<(), PreKeyError> {
    match node.optional_child("type") {
        None => Ok(()),
        Some(kind) => match kind.required_be(1)? {
            5 => Ok(()),
            other => Err(PreKeyError::KeyType(other)),
        },
    }
}

fn identity_node(identity: &PublicKey) -> Node {
    Node::new("identity").bytes(identity.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
