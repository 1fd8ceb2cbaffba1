//! Encrypting on a session: one message, or one message for many sessions at once (chapter 04 §5, §6.2).

use wa_crypto::cbc;
use wa_crypto::curve::PublicKey;

use super::state::mac;
use super::{Pending, Session, SessionRecord};
use crate::limits::VERSION_BYTE;
use crate::sabotage::{self, Rule};
use crate::wire::{MAC_LEN, MAX_NUMBER_FIELD, put_bytes, put_bytes_header, put_number, varint_len};
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
        let draft = self.draft(plaintext.len())?;
        Ok(draft.finish(self, local, plaintext))
    }

    /// Takes the next message keys: the chain has moved on when this returns.
    fn draft(&mut self, len: usize) -> Result<Draft, SignalError> {
        let previous_counter = self.previous_counter;
        let chain = self.sending_chain()?;
        let counter = chain.index;
        let next = counter.checked_add(1).ok_or(SignalError::ChainUsedUp)?;
        let (seed, key) = chain.key.step();
        if !sabotage::on(Rule::AdvanceOnEncrypt) {
            chain.key = key;
            chain.index = next;
        }
        Ok(Draft {
            keys: MessageKeys::expand(&seed),
            ratchet_key: *chain.pair.public(),
            counter,
            previous_counter,
            // A whole block of padding when the text is a whole number of blocks.
            ciphertext_len: len / 16 * 16 + 16,
        })
    }
}

/// A message whose keys are taken.
struct Draft {
    keys: MessageKeys,
    ratchet_key: PublicKey,
    counter: u32,
    previous_counter: u32,
    ciphertext_len: usize,
}

impl Draft {
    fn finish(&self, session: &Session, local: &LocalIdentity, plaintext: &[u8]) -> Ciphertext {
        let pending = session.pending.as_ref();
        let inner_len = self.inner_len();
        let mut out = Vec::with_capacity(inner_len + pending.map_or(0, |_| PRE_KEY_OVERHEAD));
        if let Some(pending) = pending {
            put_pre_key_head(&mut out, pending, local, inner_len);
        }
        let start = out.len();
        out.push(VERSION_BYTE);
        put_bytes(&mut out, 1, &self.ratchet_key.serialized());
        put_number(&mut out, 2, self.counter);
        put_number(&mut out, 3, self.previous_counter);
        put_bytes_header(&mut out, 4, self.ciphertext_len);
        let cipher_key = self.keys.cipher_key.expose();
        out.extend_from_slice(&cbc::encrypt(cipher_key, self.keys.iv.expose(), plaintext));
        let mac = mac(&self.keys, &local.identity_key(), &session.remote_identity, &out[start..]);
        out.extend_from_slice(&mac);
        if let Some(pending) = pending {
            put_number(&mut out, 5, local.registration_id());
            put_number(&mut out, 6, pending.signed_pre_key_id);
        }
        let kind = if pending.is_some() { CiphertextKind::PreKeyMessage } else { CiphertextKind::Message };
        Ciphertext { kind, bytes: out }
    }

    /// Length of the inner message, MAC included.
    fn inner_len(&self) -> usize {
        1 + 35
            + 1
            + varint_len(self.counter as usize)
            + 1
            + varint_len(self.previous_counter as usize)
            + 1
            + varint_len(self.ciphertext_len)
            + self.ciphertext_len
            + MAC_LEN
    }
}

/// Upper bound of what a pre-key message has around its inner message.
const PRE_KEY_OVERHEAD: usize = 1 + 3 * MAX_NUMBER_FIELD + 2 * 35 + 11;

fn put_pre_key_head(out: &mut Vec<u8>, pending: &Pending, local: &LocalIdentity, inner_len: usize) {
    out.push(VERSION_BYTE);
    if let Some(id) = pending.pre_key_id {
        put_number(out, 1, id);
    }
    put_bytes(out, 2, &pending.base_key.serialized());
    put_bytes(out, 3, &local.identity_key().serialized());
    put_bytes_header(out, 4, inner_len);
}

impl SessionRecord {
    /// Encrypts one text for each of many records, in order: the fan-out of a message to all devices. Records fail
    /// one by one; the others are encrypted. Store every record whose result is `Ok` before the bytes leave.
    pub fn encrypt_each<'a>(
        local: &LocalIdentity,
        messages: impl IntoIterator<Item = (&'a mut Self, &'a [u8])>,
    ) -> Vec<Result<Ciphertext, SignalError>> {
        messages.into_iter().map(|(record, plaintext)| record.encrypt(local, plaintext)).collect()
    }
}
