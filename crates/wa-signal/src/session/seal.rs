//! Encrypting on a session (chapter 04 §5, §6.2): the message keys are taken, then the message is built around them.

use wa_crypto::curve::PublicKey;
use wa_crypto::etm;
use wa_crypto::mac::HmacKey;

use super::{SendingChain, Session};
use crate::limits::VERSION_BYTE;
use crate::ratchet::ChainKey;
use crate::sabotage::{self, Rule};
use crate::wire::{MAC_LEN, MAX_NUMBER_FIELD, put_bytes, put_bytes_header, put_number};
use crate::{LocalIdentity, MessageKeys, SignalError};

/// An encrypted message: the content of an `<enc>` node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ciphertext {
    /// Which of the two messages it is.
    pub kind: CiphertextKind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The kind of a pairwise message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CiphertextKind {
    /// `type="msg"`.
    Message,
    /// `type="pkmsg"`: the peer has not answered on this session yet.
    PreKeyMessage,
}

impl CiphertextKind {
    /// The `type` attribute of the `<enc>` node.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "msg",
            Self::PreKeyMessage => "pkmsg",
        }
    }
}

impl Session {
    pub(super) fn seal(
        &mut self,
        local: &LocalIdentity,
        plaintext: &[u8],
    ) -> Result<Ciphertext, SignalError> {
        let place = self.sending_place(plaintext.len())?;
        let chain = self.sending_chain()?;
        let (seed, key) = chain.key.step();
        chain.move_on(key);
        let keys = MessageKeys::expand(&seed);
        let mut message = place.head();
        let text = message.len();
        message.extend_from_slice(plaintext);
        let mac = etm::encrypt_and_mac(
            keys.cipher_key.expose(),
            keys.iv.expose(),
            &HmacKey::new(keys.mac_key.expose()),
            &[&local.serialized_key(), &self.remote_identity.serialized()],
            &mut message,
            text,
        );
        message.extend_from_slice(&mac[..MAC_LEN]);
        Ok(self.wrap(local, message))
    }

    /// Where the next message stands. Makes the root step that is owed; fails before anything has changed.
    pub(super) fn sending_place(&mut self, len: usize) -> Result<Place, SignalError> {
        let previous_counter = self.previous_counter;
        let chain = self.sending_chain()?;
        if chain.index == u32::MAX {
            return Err(SignalError::ChainUsedUp);
        }
        Ok(Place { ratchet_key: *chain.pair.public(), counter: chain.index, previous_counter, len })
    }

    /// The finished message as it travels: inside a pre-key message until the peer has answered.
    pub(super) fn wrap(&self, local: &LocalIdentity, message: Vec<u8>) -> Ciphertext {
        let Some(pending) = &self.pending else {
            return Ciphertext { kind: CiphertextKind::Message, bytes: message };
        };
        let mut out = Vec::with_capacity(message.len() + PRE_KEY_OVERHEAD);
        out.push(VERSION_BYTE);
        if let Some(id) = pending.pre_key_id {
            put_number(&mut out, 1, id);
        }
        put_bytes(&mut out, 2, &pending.base_key.serialized());
        put_bytes(&mut out, 3, &local.serialized_key());
        put_bytes(&mut out, 4, &message);
        put_number(&mut out, 5, local.registration_id());
        put_number(&mut out, 6, pending.signed_pre_key_id);
        Ciphertext { kind: CiphertextKind::PreKeyMessage, bytes: out }
    }
}

impl SendingChain {
    /// The message key at this place is taken: never again.
    pub(super) fn move_on(&mut self, key: ChainKey) {
        if !sabotage::on(Rule::AdvanceOnEncrypt) {
            self.key = key;
            self.index = self.index.saturating_add(1);
        }
    }
}

/// The fields of a message that do not depend on its keys.
pub(super) struct Place {
    ratchet_key: PublicKey,
    counter: u32,
    previous_counter: u32,
    /// Bytes of the plaintext.
    len: usize,
}

impl Place {
    /// Everything in front of the ciphertext, with room for the rest.
    pub(super) fn head(&self) -> Vec<u8> {
        // A whole block of padding when the text is a whole number of blocks.
        let ciphertext_len = self.len / 16 * 16 + 16;
        let mut head = Vec::with_capacity(1 + 35 + 2 * MAX_NUMBER_FIELD + 11 + ciphertext_len + MAC_LEN);
        head.push(VERSION_BYTE);
        put_bytes(&mut head, 1, &self.ratchet_key.serialized());
        put_number(&mut head, 2, self.counter);
        put_number(&mut head, 3, self.previous_counter);
        put_bytes_header(&mut head, 4, ciphertext_len);
        head
    }
}

/// Upper bound of what a pre-key message has around its inner message.
const PRE_KEY_OVERHEAD: usize = 1 + 3 * MAX_NUMBER_FIELD + 2 * 35 + 11;
