//! What the owner publishes, and the server's digest of it (chapter 02 §6.1).

use wa_binary::{Jid, Node, NodeRef};
use wa_crypto::curve::PublicKey;

use super::{
    PreKeyError, SignedKey, check_type, digest, identity_node, key_node, parse_id, parse_key,
    parse_registration, registration_node, type_node,
};

/// Public keys of one device: an upload, or what a registration gives without one-time keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Of the device.
    pub registration_id: u32,
    /// Its identity.
    pub identity: PublicKey,
    /// Its signed pre-key.
    pub signed: SignedKey,
    /// One-time keys in the order of their use.
    pub one_time: Vec<(u32, PublicKey)>,
}

/// The server's idea of what a device has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestReply {
    /// As uploaded.
    pub registration_id: u32,
    /// As uploaded.
    pub identity: PublicKey,
    /// As uploaded.
    pub signed: SignedKey,
    /// Ids of the one-time keys in the order that the hash covers.
    pub one_time: Vec<u32>,
    /// To be compared with [`digest`] over the own keys of these ids; empty when the server sent another length,
    /// which then compares unequal.
    pub hash: Vec<u8>,
}

impl Upload {
    /// The iq that uploads it.
    pub fn request(&self, id: &str) -> Node {
        Node::new("iq")
            .attr("id", id)
            .attr("to", Jid::SERVER)
            .attr("type", "set")
            .attr("xmlns", "encrypt")
            .child(registration_node(self.registration_id))
            .child(type_node())
            .child(identity_node(&self.identity))
            .child(Node::new("list").children(self.one_time.iter().map(|(id, key)| key_node(*id, key))))
            .child(self.signed.to_node())
    }

    /// Reads an upload and checks the signature of the signed pre-key.
    ///
    /// # Errors
    /// [`PreKeyError`]; [`PreKeyError::Signature`] is answered with 406.
    pub fn parse(iq: NodeRef<'_>) -> Result<Self, PreKeyError> {
        check_type(iq)?;
        let upload = Self {
            registration_id: parse_registration(iq)?,
            identity: PublicKey::from_bytes(iq.required_child("identity")?.required_array()?),
            signed: SignedKey::parse(iq.required_child("skey")?)?,
            one_time: iq.required_child("list")?.each("key").map(parse_key).collect::<Result<_, _>>()?,
        };
        match upload.signed.is_signed_by(&upload.identity) {
            true => Ok(upload),
            false => Err(PreKeyError::Signature),
        }
    }

    /// The hash of the digest by which a server answers that has these keys and no others.
    pub fn hash(&self) -> [u8; 20] {
        digest(&self.identity, &self.signed, self.one_time.iter().map(|(_, key)| key))
    }

    /// `<digest>` over these keys.
    pub fn digest_node(&self) -> Node {
        let ids = self.one_time.iter().map(|(id, _)| Node::new("id").bytes(super::id_bytes(*id)));
        let hash = self.hash();
        Node::new("digest")
            .child(registration_node(self.registration_id))
            .child(type_node())
            .child(identity_node(&self.identity))
            .child(self.signed.to_node())
            .child(Node::new("list").children(ids))
            .child(Node::new("hash").bytes(hash.to_vec()))
    }
}

impl DigestReply {
    /// Reads the `<digest>` of an answer.
    ///
    /// # Errors
    /// [`PreKeyError`].
    pub fn parse(iq: NodeRef<'_>) -> Result<Self, PreKeyError> {
        let node = iq.required_child("digest")?;
        let hash = node.required_child("hash")?.required_bytes()?.into_owned();
        Ok(Self {
            registration_id: parse_registration(node)?,
            identity: PublicKey::from_bytes(node.required_child("identity")?.required_array()?),
            signed: SignedKey::parse(node.required_child("skey")?)?,
            one_time: node.required_child("list")?.each("id").map(parse_id).collect::<Result<_, _>>()?,
            hash: if hash.len() == 20 { hash } else { Vec::new() },
        })
    }

    /// Whether the server's bundle is the device's own. `own` finds the public half of a one-time key that is still
    /// stored; a missing one is a mismatch.
    pub fn fits(&self, own: &Upload, mut one_time: impl FnMut(u32) -> Option<PublicKey>) -> bool {
        if (self.registration_id, self.identity, self.signed)
            != (own.registration_id, own.identity, own.signed)
        {
            return false;
        }
        let Some(keys) = self.one_time.iter().map(|id| one_time(*id)).collect::<Option<Vec<_>>>() else {
            return false;
        };
        digest(&self.identity, &self.signed, &keys)[..] == self.hash[..]
    }
}
