//! `signal-sessions`: scripted conversations of two parties with fixed keys (chapter 04 §4–§6).

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use wa_crypto::curve::PublicKey;
use wa_signal::{
    IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeyBundle, PreKeySignalMessage, Received, Sender,
    SessionRecord, SignalError, SignalMessage, SignedPreKey,
};

use super::signal_fields::{Prepared, check_failure, check_success, key_pair};
use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("conversations", converse)
}

fn converse(conversation: &Reader<'_>) -> Result<()> {
    for name in ["id", "name", "title", "note"] {
        conversation.prose(name)?;
    }
    let mut parties = HashMap::new();
    for party in conversation.nonempty_list("parties")? {
        parties.insert(party.str("name")?, Party::new(&party)?);
    }
    let decrypt_only = conversation.opt_bool("decrypt_only")?.unwrap_or(false);
    let mut script = Script { parties, messages: HashMap::new(), decrypt_only };
    for (place, step) in conversation.nonempty_list("steps")?.iter().enumerate() {
        script.step(step).with_context(|| format!("step {place}"))?;
    }
    Ok(())
}

struct Script<'a> {
    parties: HashMap<&'a str, Party>,
    messages: HashMap<&'a str, Message<'a>>,
    /// Encrypt steps only say what arrives.
    decrypt_only: bool,
}

struct Party {
    local: LocalIdentity,
    signed: SignedPreKey,
    one_time: HashMap<u32, PreKey>,
    /// What others are told about the one-time pre-keys, used up or not.
    published: HashMap<u32, PublicKey>,
    sessions: HashMap<String, SessionRecord>,
}

#[derive(Clone)]
struct Message<'a> {
    kind: &'a str,
    bytes: Vec<u8>,
    plaintext: Vec<u8>,
}

impl<'a> Script<'a> {
    fn step(&mut self, step: &Reader<'a>) -> Result<()> {
        step.prose("note")?;
        let (op, peer) = (step.str("op")?, step.str("peer")?);
        let bundle = match op {
            "process_bundle" => {
                let one_time = step.opt("one_time_prekey_id")?.map(|id| id.as_u64()).transpose()?;
                Some(self.parties.get(peer).context("peer")?.bundle(one_time)?)
            }
            _ => None,
        };
        let party = self.parties.get_mut(step.str("party")?).context("party")?;
        // Every step starts from the stored form, so that the form is proven too.
        let before = party.sessions.get(peer).cloned().unwrap_or_default().encode();
        let mut record = SessionRecord::decode(&before)?;
        ensure!(record.encode() == before, "the stored form is not stable");
        match op {
            "process_bundle" => {
                let mut rng = Prepared::default();
                rng.add(step, "base_key_private")?;
                rng.add(step, "ratchet_private")?;
                record.initiate(&party.local, &bundle.context("bundle")?, 0, &mut rng)?;
                rng.finish()?;
            }
            "encrypt" => {
                let message = Message {
                    kind: step.str("type")?,
                    bytes: step.hex("ciphertext")?,
                    plaintext: step.hex("plaintext")?,
                };
                if !self.decrypt_only {
                    let sealed = record.encrypt(&party.local, &message.plaintext)?;
                    same("type", sealed.kind.as_str(), message.kind)?;
                    same_bytes("ciphertext", sealed.bytes, &message.bytes)?;
                }
                self.messages.insert(step.str("message")?, message);
            }
            "burn_sender_chain" => {
                for _ in 0..step.u32("count")? {
                    if !self.decrypt_only {
                        record.encrypt(&party.local, &[])?;
                    }
                }
            }
            "decrypt" => {
                let message = self.messages.get(step.opt_str("message")?.unwrap_or_default());
                party.receive(&mut record, step, message)?;
            }
            other => bail!("unknown step {other}"),
        }
        party.sessions.insert(peer.to_owned(), record);
        Ok(())
    }
}

impl Party {
    fn new(party: &Reader<'_>) -> Result<Self> {
        let identity = key_pair(party, "identity_private", "identity_public")?;
        let signed = party.field("signed_prekey")?;
        let mut one_time = HashMap::new();
        for key in party.opt("one_time_prekeys")?.map(|keys| keys.items()).transpose()?.unwrap_or_default() {
            let id = key.u32("id")?;
            one_time.insert(id, PreKey { id, pair: key_pair(&key, "private", "public")? });
        }
        Ok(Self {
            local: LocalIdentity::new(IdentityKeyPair::from(identity), party.u32("registration_id")?),
            signed: SignedPreKey {
                id: signed.u32("id")?,
                pair: key_pair(&signed, "private", "public")?,
                signature: signed.hex_array("signature")?,
            },
            published: one_time.iter().map(|(id, key)| (*id, *key.pair.public())).collect(),
            one_time,
            sessions: HashMap::new(),
        })
    }

    fn bundle(&self, one_time: Option<u64>) -> Result<PreKeyBundle> {
        let one_time_pre_key = match one_time {
            None => None,
            Some(id) => {
                let id = u32::try_from(id).context("one_time_prekey_id")?;
                Some((id, *self.published.get(&id).context("one-time pre-key of the bundle")?))
            }
        };
        Ok(PreKeyBundle {
            registration_id: self.local.registration_id(),
            identity_key: self.local.identity_key(),
            signed_pre_key_id: self.signed.id,
            signed_pre_key: *self.signed.pair.public(),
            signature: self.signed.signature,
            one_time_pre_key,
        })
    }

    fn receive(
        &mut self,
        record: &mut SessionRecord,
        step: &Reader<'_>,
        message: Option<&Message<'_>>,
    ) -> Result<()> {
        let bytes = match step.opt_hex("ciphertext")? {
            Some(bytes) => bytes,
            None => message.context("message")?.bytes.clone(),
        };
        let kind = step.opt_str("type")?.or(message.map(|message| message.kind)).context("type")?;
        let mut rng = Prepared::default();
        rng.add(step, "new_ratchet_private")?;
        let before = record.encode();
        ensure!(matches!(kind, "msg" | "pkmsg"), "unknown type {kind}");
        match self.decrypt(record, kind, &bytes, &mut rng) {
            Ok(received) => {
                check_success(step, &received.plaintext)?;
                if let Some(message) = message.filter(|message| message.bytes == bytes) {
                    same_bytes("plaintext that was encrypted", &received.plaintext, &message.plaintext)?;
                }
                if let Some(id) = received.consumed_pre_key {
                    self.one_time.remove(&id).context("consumed a pre-key that is not there")?;
                }
            }
            Err(error) => {
                check_failure(step, &error)?;
                ensure!(record.encode() == before, "the failure changed the record");
            }
        }
        rng.finish()
    }

    fn decrypt(
        &self,
        record: &mut SessionRecord,
        kind: &str,
        bytes: &[u8],
        rng: &mut Prepared,
    ) -> Result<Received, SignalError> {
        if kind != "pkmsg" {
            return record.decrypt(&self.local, &SignalMessage::parse(bytes)?, Sender::Other, rng);
        }
        let message = PreKeySignalMessage::parse(bytes)?;
        let keys = OwnPreKeys {
            signed: Some(&self.signed).filter(|key| key.id == message.signed_pre_key_id()),
            one_time: message.pre_key_id().and_then(|id| self.one_time.get(&id)),
        };
        record.decrypt_pre_key(&self.local, &message, keys, Sender::Other, rng)
    }
}
