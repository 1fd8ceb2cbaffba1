//! Family `signal-sessions` (chapter 04 §4–§6): scripted conversations of two parties with fixed keys.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_signal::{
    IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeyBundle, PreKeySignalMessage, Received, Sender,
    SessionRecord, SignalError, SignalMessage, SignedPreKey,
};

use super::signal_fields::{Prepared, array, expect_failure, hex_field, list, number, text};

/// Runs one conversation.
pub fn run(conversation: &Value) -> Result<()> {
    let mut parties = HashMap::new();
    for party in list(conversation, "parties")? {
        parties.insert(text(party, "name")?, Party::new(party)?);
    }
    let decrypt_only = conversation["decrypt_only"] == true;
    let mut messages = HashMap::new();
    for (place, step) in list(conversation, "steps")?.iter().enumerate() {
        step_of(&mut parties, &mut messages, step, decrypt_only)
            .with_context(|| format!("step {place} ({})", step["op"].as_str().unwrap_or("?")))?;
    }
    Ok(())
}

struct Party {
    local: LocalIdentity,
    signed: SignedPreKey,
    one_time: HashMap<u32, PreKey>,
    /// What others are told about the one-time pre-keys, used up or not.
    published: HashMap<u32, PublicKey>,
    sessions: HashMap<String, SessionRecord>,
}

struct Message {
    kind: String,
    bytes: Vec<u8>,
}

impl Party {
    fn new(json: &Value) -> Result<Self> {
        let identity = pair(json, "identity_private", "identity_public")?;
        let signed = &json["signed_prekey"];
        let mut one_time = HashMap::new();
        for key in json["one_time_prekeys"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let id = number(key, "id")?;
            one_time.insert(id, PreKey { id, pair: pair(key, "private", "public")? });
        }
        Ok(Self {
            local: LocalIdentity::new(IdentityKeyPair::from(identity), number(json, "registration_id")?),
            signed: SignedPreKey {
                id: number(signed, "id")?,
                pair: pair(signed, "private", "public")?,
                signature: array(signed, "signature")?,
            },
            published: one_time.iter().map(|(id, key)| (*id, *key.pair.public())).collect(),
            one_time,
            sessions: HashMap::new(),
        })
    }

    fn bundle(&self, one_time: Option<u32>) -> Result<PreKeyBundle> {
        let one_time_pre_key = match one_time {
            None => None,
            Some(id) => Some((id, *self.published.get(&id).context("one-time pre-key of the bundle")?)),
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

    fn decrypt(
        &self,
        record: &mut SessionRecord,
        kind: &str,
        bytes: &[u8],
        rng: &mut Prepared,
    ) -> Result<Received, SignalError> {
        if kind == "pkmsg" {
            let message = PreKeySignalMessage::parse(bytes)?;
            let keys = OwnPreKeys {
                signed: Some(&self.signed).filter(|key| key.id == message.signed_pre_key_id()),
                one_time: message.pre_key_id().and_then(|id| self.one_time.get(&id)),
            };
            return record.decrypt_pre_key(&self.local, &message, keys, Sender::Other, rng);
        }
        record.decrypt(&self.local, &SignalMessage::parse(bytes)?, Sender::Other, rng)
    }
}

fn step_of<'a>(
    parties: &mut HashMap<&'a str, Party>,
    messages: &mut HashMap<&'a str, Message>,
    step: &'a Value,
    decrypt_only: bool,
) -> Result<()> {
    let (op, name, peer) = (text(step, "op")?, text(step, "party")?, text(step, "peer")?);
    let bundle = match op {
        "process_bundle" => {
            let one_time = if step["one_time_prekey_id"].is_null() {
                None
            } else {
                Some(number(step, "one_time_prekey_id")?)
            };
            Some(parties.get(peer).context("peer")?.bundle(one_time)?)
        }
        _ => None,
    };
    let party = parties.get_mut(name).context("party")?;
    // Every step starts from the stored form, so that the form is proven too.
    let before = party.sessions.get(peer).cloned().unwrap_or_default().encode();
    let mut record = SessionRecord::decode(&before)?;
    ensure!(record.encode() == before, "the stored form is not stable");
    let mut rng = Prepared::default();
    match op {
        "process_bundle" => {
            rng.add(step, "base_key_private")?;
            rng.add(step, "ratchet_private")?;
            record.initiate(&party.local, &bundle.context("bundle")?, 0, &mut rng)?;
            rng.finish()?;
        }
        "encrypt" => {
            let (kind, bytes) = (text(step, "type")?.to_owned(), hex_field(step, "ciphertext")?);
            if !decrypt_only {
                let sealed = record.encrypt(&party.local, &hex_field(step, "plaintext")?)?;
                ensure!(sealed.kind.as_str() == kind, "type {}", sealed.kind.as_str());
                ensure!(sealed.bytes == bytes, "ciphertext {}", hex::encode(&sealed.bytes));
            }
            messages.insert(text(step, "message")?, Message { kind, bytes });
        }
        "burn_sender_chain" => {
            for _ in 0..number(step, "count")? {
                if !decrypt_only {
                    record.encrypt(&party.local, &[])?;
                }
            }
        }
        "decrypt" => {
            let message = step["message"].as_str().and_then(|name| messages.get(name));
            let bytes = match (step["ciphertext"].is_null(), message) {
                (false, _) => hex_field(step, "ciphertext")?,
                (true, message) => message.context("message")?.bytes.clone(),
            };
            let kind =
                step["type"].as_str().or(message.map(|message| message.kind.as_str())).context("type")?;
            rng.add(step, "new_ratchet_private")?;
            match party.decrypt(&mut record, kind, &bytes, &mut rng) {
                Ok(received) => {
                    ensure!(step["ok"] != false, "must fail as {}", step["error"]);
                    ensure!(received.plaintext == hex_field(step, "plaintext")?, "plaintext");
                    if let Some(id) = received.consumed_pre_key {
                        party.one_time.remove(&id).context("consumed a pre-key that is not there")?;
                    }
                }
                Err(error) => {
                    expect_failure(step, &error)?;
                    ensure!(record.encode() == before, "the failure changed the record");
                }
            }
            rng.finish()?;
        }
        other => bail!("unknown step {other}"),
    }
    party.sessions.insert(peer.to_owned(), record);
    Ok(())
}

fn pair(json: &Value, private: &str, public: &str) -> Result<KeyPair> {
    let pair = KeyPair::from(PrivateKey::from_bytes(array(json, private)?));
    ensure!(pair.public().serialized().as_slice() == hex_field(json, public)?, "{public}");
    Ok(pair)
}
