//! The four wire messages (chapter 04 §5, §9.1): tiny protobufs behind a version byte, read strictly and written
//! byte-reproducibly. A parsed message borrows from the bytes it came from.

use wa_crypto::Secret;
use wa_crypto::curve::PublicKey;

use crate::limits::{MESSAGE_VERSION, VERSION_BYTE};
use crate::{IdentityKey, Malformed, SignalError};

/// Bytes of the MAC behind a [`SignalMessage`].
pub(crate) const MAC_LEN: usize = 8;
/// Bytes of the signature behind a [`SenderKeyMessage`].
pub(crate) const SIGNATURE_LEN: usize = 64;

/// A message on an established session (`type="msg"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalMessage<'a> {
    pub(crate) ratchet_key: PublicKey,
    pub(crate) counter: u32,
    pub(crate) previous_counter: Option<u32>,
    pub(crate) ciphertext: &'a [u8],
    /// Version byte and protobuf: what the MAC covers.
    pub(crate) body: &'a [u8],
    pub(crate) mac: &'a [u8; MAC_LEN],
}

impl<'a> SignalMessage<'a> {
    /// Parses completely; authenticity is checked when a session opens it.
    ///
    /// # Errors
    /// [`SignalError::Malformed`], [`SignalError::UnsupportedVersion`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SignalError> {
        check_version(bytes)?;
        let (body, mac) = bytes.split_last_chunk::<MAC_LEN>().ok_or(Malformed::TooShort(bytes.len()))?;
        let fields = body.get(1..).ok_or(Malformed::TooShort(bytes.len()))?;
        let (mut ratchet_key, mut counter, mut previous_counter, mut ciphertext) = (None, None, None, None);
        for field in Fields(fields) {
            match field? {
                (1, value) => ratchet_key = Some(value.public_key("ratchetKey")?),
                (2, value) => counter = Some(value.u32("counter")?),
                (3, value) => previous_counter = Some(value.u32("previousCounter")?),
                (4, value) => ciphertext = Some(value.bytes("ciphertext")?),
                _ => {}
            }
        }
        Ok(Self {
            ratchet_key: ratchet_key.ok_or(Malformed::Missing("ratchetKey"))?,
            counter: counter.ok_or(Malformed::Missing("counter"))?,
            previous_counter,
            ciphertext: ciphertext.ok_or(Malformed::Missing("ciphertext"))?,
            body,
            mac,
        })
    }

    /// The sender's ratchet key.
    pub const fn ratchet_key(&self) -> &PublicKey {
        &self.ratchet_key
    }

    /// Place of the message in its chain.
    pub const fn counter(&self) -> u32 {
        self.counter
    }

    /// Counter of the last message of the sender's chain before this one.
    pub const fn previous_counter(&self) -> Option<u32> {
        self.previous_counter
    }

    /// The encrypted text.
    pub const fn ciphertext(&self) -> &'a [u8] {
        self.ciphertext
    }
}

/// A message that also starts a session (`type="pkmsg"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreKeySignalMessage<'a> {
    pub(crate) pre_key_id: Option<u32>,
    pub(crate) base_key: PublicKey,
    pub(crate) identity_key: IdentityKey,
    pub(crate) message: SignalMessage<'a>,
    pub(crate) registration_id: u32,
    pub(crate) signed_pre_key_id: u32,
    post_quantum: bool,
}

impl<'a> PreKeySignalMessage<'a> {
    /// Parses both layers completely. Post-quantum fields of a version-3 message are recognised and ignored
    /// (chapter 04 §8).
    ///
    /// # Errors
    /// [`SignalError::Malformed`], [`SignalError::UnsupportedVersion`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SignalError> {
        check_version(bytes)?;
        let fields = bytes.get(1..).ok_or(Malformed::TooShort(bytes.len()))?;
        let (mut pre_key_id, mut base_key, mut identity_key, mut message) = (None, None, None, None);
        let (mut registration_id, mut signed_pre_key_id, mut post_quantum) = (0, None, false);
        for field in Fields(fields) {
            match field? {
                (1, value) => pre_key_id = Some(value.u32("preKeyId")?),
                (2, value) => base_key = Some(value.public_key("baseKey")?),
                (3, value) => identity_key = Some(value.public_key("identityKey")?.into()),
                (4, value) => message = Some(value.bytes("message")?),
                (5, value) => registration_id = value.u32("registrationId")?,
                (6, value) => signed_pre_key_id = Some(value.u32("signedPreKeyId")?),
                (7 | 8, _) => post_quantum = true,
                _ => {}
            }
        }
        Ok(Self {
            pre_key_id,
            base_key: base_key.ok_or(Malformed::Missing("baseKey"))?,
            identity_key: identity_key.ok_or(Malformed::Missing("identityKey"))?,
            message: SignalMessage::parse(message.ok_or(Malformed::Missing("message"))?)?,
            registration_id,
            signed_pre_key_id: signed_pre_key_id.ok_or(Malformed::Missing("signedPreKeyId"))?,
            post_quantum,
        })
    }

    /// Id of our one-time pre-key that the sender used, if any.
    pub const fn pre_key_id(&self) -> Option<u32> {
        self.pre_key_id
    }

    /// Id of our signed pre-key that the sender used.
    pub const fn signed_pre_key_id(&self) -> u32 {
        self.signed_pre_key_id
    }

    /// The sender's base key.
    pub const fn base_key(&self) -> &PublicKey {
        &self.base_key
    }

    /// The identity that the sender claims. It is proven only when the message decrypts on a new session.
    pub const fn identity_key(&self) -> &IdentityKey {
        &self.identity_key
    }

    /// The sender's registration id; 0 when absent.
    pub const fn registration_id(&self) -> u32 {
        self.registration_id
    }

    /// The message inside.
    pub const fn message(&self) -> &SignalMessage<'a> {
        &self.message
    }

    /// Whether fields of the post-quantum handshake were present: a sign that peers move on.
    pub const fn has_post_quantum_fields(&self) -> bool {
        self.post_quantum
    }
}

/// A group message (`type="skmsg"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderKeyMessage<'a> {
    pub(crate) key_id: u32,
    pub(crate) iteration: u32,
    pub(crate) ciphertext: &'a [u8],
    /// Version byte and protobuf: what the signature covers.
    pub(crate) body: &'a [u8],
    pub(crate) signature: &'a [u8; SIGNATURE_LEN],
}

impl<'a> SenderKeyMessage<'a> {
    /// Parses completely; the signature is checked when a state opens it.
    ///
    /// # Errors
    /// [`SignalError::Malformed`], [`SignalError::UnsupportedVersion`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SignalError> {
        check_version(bytes)?;
        let (body, signature) =
            bytes.split_last_chunk::<SIGNATURE_LEN>().ok_or(Malformed::TooShort(bytes.len()))?;
        let fields = body.get(1..).ok_or(Malformed::TooShort(bytes.len()))?;
        let (mut key_id, mut iteration, mut ciphertext) = (None, None, None);
        for field in Fields(fields) {
            match field? {
                (1, value) => key_id = Some(value.u32("id")?),
                (2, value) => iteration = Some(value.u32("iteration")?),
                (3, value) => ciphertext = Some(value.bytes("ciphertext")?),
                _ => {}
            }
        }
        Ok(Self {
            key_id: key_id.ok_or(Malformed::Missing("id"))?,
            iteration: iteration.ok_or(Malformed::Missing("iteration"))?,
            ciphertext: ciphertext.ok_or(Malformed::Missing("ciphertext"))?,
            body,
            signature,
        })
    }

    /// Id of the sender key.
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// Place of the message in the sender's chain.
    pub const fn iteration(&self) -> u32 {
        self.iteration
    }

    /// The encrypted text.
    pub const fn ciphertext(&self) -> &'a [u8] {
        self.ciphertext
    }
}

/// What a sender gives to every device of a group so that it can read what follows (SKDM).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderKeyDistribution {
    /// Id of the sender key.
    pub key_id: u32,
    /// Iteration of the chain key: the first message that can be read.
    pub iteration: u32,
    /// Chain key at that iteration.
    pub chain_key: Secret<32>,
    /// Key that the sender's messages are signed with.
    pub signing_key: PublicKey,
}

impl SenderKeyDistribution {
    /// Parses; all four fields are required.
    ///
    /// # Errors
    /// [`SignalError::Malformed`], [`SignalError::UnsupportedVersion`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SignalError> {
        check_version(bytes)?;
        let fields = bytes.get(1..).ok_or(Malformed::TooShort(bytes.len()))?;
        let (mut key_id, mut iteration, mut chain_key, mut signing_key) = (None, None, None, None);
        for field in Fields(fields) {
            match field? {
                (1, value) => key_id = Some(value.u32("id")?),
                (2, value) => iteration = Some(value.u32("iteration")?),
                (3, value) => {
                    let bytes = value.bytes("chainKey")?;
                    chain_key = Some(Secret::try_from(bytes).map_err(|_| Malformed::Field("chainKey"))?);
                }
                (4, value) => signing_key = Some(value.public_key("signingKey")?),
                _ => {}
            }
        }
        Ok(Self {
            key_id: key_id.ok_or(Malformed::Missing("id"))?,
            iteration: iteration.ok_or(Malformed::Missing("iteration"))?,
            chain_key: chain_key.ok_or(Malformed::Missing("chainKey"))?,
            signing_key: signing_key.ok_or(Malformed::Missing("signingKey"))?,
        })
    }

    /// The bytes for `axolotlSenderKeyDistributionMessage`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + 2 * MAX_NUMBER_FIELD + 34 + 35);
        out.push(VERSION_BYTE);
        put_number(&mut out, 1, self.key_id);
        put_number(&mut out, 2, self.iteration);
        put_bytes(&mut out, 3, self.chain_key.expose());
        put_bytes(&mut out, 4, &self.signing_key.serialized());
        out
    }
}

fn check_version(bytes: &[u8]) -> Result<(), SignalError> {
    let version = *bytes.first().ok_or(Malformed::TooShort(0))?;
    // A higher supported version in the low nibble is fine: official clients send 0x34 on sessions of version 3.
    if version >> 4 != MESSAGE_VERSION || version & 0x0F < MESSAGE_VERSION {
        return Err(SignalError::UnsupportedVersion(version));
    }
    Ok(())
}

/// Upper bound of a number field: tag and five groups.
pub(crate) const MAX_NUMBER_FIELD: usize = 6;

/// Appends a number field (numbers below 16).
pub(crate) fn put_number(out: &mut Vec<u8>, field: u8, value: u32) {
    out.push(field << 3);
    put_varint(out, value);
}

/// Appends tag and length of a bytes field; the caller appends the bytes.
pub(crate) fn put_bytes_header(out: &mut Vec<u8>, field: u8, len: usize) {
    out.push(field << 3 | 2);
    put_varint(out, u32::try_from(len).unwrap_or(u32::MAX));
}

/// Appends a bytes field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    put_bytes_header(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7F) as u8);
}

/// The fields of a protobuf, in wire order. Ends after the first error.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed::Protobuf);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let tag = u32::try_from(self.varint()?).ok()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            // Groups are not part of this wire; 6 and 7 do not exist.
            _ => return None,
        };
        match tag >> 3 {
            0 => None,
            number => Some((number, value)),
        }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let group = u64::from(byte & 0x7F);
            if shift == 63 && group > 1 {
                return None;
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }
}

impl<'a> Value<'a> {
    fn u32(&self, name: &'static str) -> Result<u32, Malformed> {
        match self {
            Self::Varint(value) => u32::try_from(*value).map_err(|_| Malformed::Field(name)),
            _ => Err(Malformed::Field(name)),
        }
    }

    fn bytes(&self, name: &'static str) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed::Field(name)),
        }
    }

    fn public_key(&self, name: &'static str) -> Result<PublicKey, Malformed> {
        PublicKey::from_serialized(self.bytes(name)?).map_err(|_| Malformed::Field(name))
    }
}
