//! The two real sides of a pairwise conversation behind one set of methods: ours in this process, the stranger's in
//! its own. Both keep nothing but encoded records between two steps.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use wa_crypto::curve::PublicKey;
use wa_signal::{
    ErrorClass, IdentityKey, IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeyBundle,
    PreKeySignalMessage, Sender, SessionRecord, SignalError, SignalMessage, SignedPreKey,
};

use crate::model::Refusal;
use crate::process::{Stranger, bytes, number, text};

/// A pairwise message as it travels.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub pre_key: bool,
    pub bytes: Vec<u8>,
}

impl Sealed {
    /// Reads the message: the pre-key part, if any, and the inner message.
    pub fn read<T>(
        &self,
        read: impl FnOnce(Option<&PreKeySignalMessage<'_>>, &SignalMessage<'_>) -> T,
    ) -> Result<T, SignalError> {
        if self.pre_key {
            let message = PreKeySignalMessage::parse(&self.bytes)?;
            Ok(read(Some(&message), message.message()))
        } else {
            Ok(read(None, &SignalMessage::parse(&self.bytes)?))
        }
    }

    /// A copy with a changed bit in the ciphertext, which every reader must find by the MAC.
    pub fn damaged(&self) -> Result<Self> {
        let at =
            self.read(|_, message| message.ciphertext().as_ptr() as usize - self.bytes.as_ptr() as usize)?;
        let mut copy = self.clone();
        *copy.bytes.get_mut(at).context("an empty ciphertext")? ^= 0x10;
        Ok(copy)
    }
}

/// A side's answer to a message: the plaintext, or how it refused.
#[derive(Debug)]
pub enum Answer {
    Opened(Vec<u8>),
    /// With the class, where the side tells one.
    Refused(Option<Refusal>, String),
}

/// Ours.
pub struct Ours {
    rng: ChaCha20Rng,
    local: LocalIdentity,
    signed: SignedPreKey,
    one_time: BTreeMap<u32, PreKey>,
    next_id: u32,
    record: Vec<u8>,
}

impl Ours {
    pub fn new(mut rng: ChaCha20Rng) -> Self {
        let (local, signed) = Self::identity(1, &mut rng);
        let record = SessionRecord::new().encode().to_vec();
        Self { rng, local, signed, one_time: BTreeMap::new(), next_id: 2, record }
    }

    fn identity(signed_id: u32, rng: &mut ChaCha20Rng) -> (LocalIdentity, SignedPreKey) {
        let pair = IdentityKeyPair::generate(rng);
        let signed = SignedPreKey::generate(signed_id, &pair, rng);
        (LocalIdentity::new(pair, 4711), signed)
    }

    /// What a test needs to go on in our place.
    pub fn state(&self) -> Value {
        json!({
            "identity_private": hex::encode(self.local.pair().key_pair().private().expose()),
            "registration_id": self.local.registration_id(),
            "session": hex::encode(&self.record),
        })
    }

    pub fn reinstall(&mut self) {
        (self.local, self.signed) = Self::identity(self.next_id, &mut self.rng);
        self.next_id += 1;
        self.one_time.clear();
        self.record = SessionRecord::new().encode().to_vec();
    }

    /// The bundle as the stranger's `initiate` takes it.
    pub fn bundle(&mut self, one_time: bool) -> Value {
        let mut bundle = json!({
            "identity": hex::encode(self.local.identity_key().serialized()),
            "registration_id": self.local.registration_id(),
            "signed_id": self.signed.id,
            "signed": hex::encode(self.signed.pair.public().serialized()),
            "signature": hex::encode(self.signed.signature),
        });
        if one_time {
            let key = PreKey::generate(self.next_id, &mut self.rng);
            self.next_id += 1;
            bundle["one_time_id"] = key.id.into();
            bundle["one_time"] = hex::encode(key.pair.public().serialized()).into();
            self.one_time.insert(key.id, key);
        }
        bundle
    }

    /// `bundle` as the stranger gives it, with its identity and registration id.
    pub fn initiate(&mut self, bundle: &Value) -> Result<()> {
        let one_time_pre_key = match bundle.get("one_time_id") {
            Some(_) => Some((
                number(bundle, "one_time_id")?,
                PublicKey::from_serialized(&bytes(bundle, "one_time")?)?,
            )),
            None => None,
        };
        let bundle = PreKeyBundle {
            registration_id: number(bundle, "registration_id")?,
            identity_key: IdentityKey::from_serialized(&bytes(bundle, "identity")?)?,
            signed_pre_key_id: number(bundle, "signed_id")?,
            signed_pre_key: PublicKey::from_serialized(&bytes(bundle, "signed")?)?,
            signature: bytes(bundle, "signature")?.try_into().ok().context("a signature of 64 bytes")?,
            one_time_pre_key,
        };
        let mut record = SessionRecord::decode(&self.record)?;
        record.initiate(&self.local, &bundle, 1_700_000_000, &mut self.rng)?;
        self.record = record.encode().to_vec();
        Ok(())
    }

    /// The last of several messages; the others are lost.
    pub fn encrypt(&mut self, plaintexts: &[Vec<u8>]) -> Result<Sealed> {
        let mut record = SessionRecord::decode(&self.record)?;
        let mut last = None;
        for plaintext in plaintexts {
            let sealed = record.encrypt(&self.local, plaintext)?;
            last = Some(Sealed { pre_key: sealed.kind.as_str() == "pkmsg", bytes: sealed.bytes });
        }
        self.record = record.encode().to_vec();
        last.context("nothing to encrypt")
    }

    pub fn decrypt(&mut self, sealed: &Sealed) -> Result<Answer> {
        let mut record = SessionRecord::decode(&self.record)?;
        let outcome = self.open(&mut record, sealed);
        // Stored whatever the outcome: a failed attempt must have left no trace.
        self.record = record.encode().to_vec();
        Ok(match outcome {
            Ok(plaintext) => Answer::Opened(plaintext),
            Err(error) => Answer::Refused(class(&error), error.to_string()),
        })
    }

    fn open(&mut self, record: &mut SessionRecord, sealed: &Sealed) -> Result<Vec<u8>, SignalError> {
        if !sealed.pre_key {
            let message = SignalMessage::parse(&sealed.bytes)?;
            return Ok(record.decrypt(&self.local, &message, Sender::Other, &mut self.rng)?.plaintext);
        }
        let message = PreKeySignalMessage::parse(&sealed.bytes)?;
        let keys = OwnPreKeys {
            signed: Some(&self.signed).filter(|key| key.id == message.signed_pre_key_id()),
            one_time: message.pre_key_id().and_then(|id| self.one_time.get(&id)),
        };
        let received = record.decrypt_pre_key(&self.local, &message, keys, Sender::Other, &mut self.rng)?;
        if let Some(id) = received.consumed_pre_key {
            self.one_time.remove(&id);
        }
        Ok(received.plaintext)
    }
}

/// The stranger's.
pub struct Theirs {
    pub stranger: Stranger,
    /// Identity and registration id, to complete its bundles.
    installation: Value,
}

impl Theirs {
    pub fn new(stranger: Stranger, hello: Value) -> Self {
        Self { stranger, installation: hello }
    }

    pub fn reinstall(&mut self) -> Result<()> {
        self.installation = self.stranger.must("reinstall", json!({}))?;
        Ok(())
    }

    pub fn bundle(&mut self, one_time: bool) -> Result<Value> {
        let mut bundle = self.stranger.must("bundle", json!({ "one_time": one_time }))?;
        for name in ["identity", "registration_id"] {
            bundle[name] = self.installation[name].clone();
        }
        Ok(bundle)
    }

    pub fn initiate(&mut self, bundle: &Value) -> Result<()> {
        self.stranger.must("initiate", bundle.clone()).map(drop)
    }

    pub fn encrypt(&mut self, plaintexts: &[Vec<u8>]) -> Result<Sealed> {
        let plaintexts: Vec<String> = plaintexts.iter().map(hex::encode).collect();
        let answer = self.stranger.must("encrypt", json!({ "plaintexts": plaintexts }))?;
        Ok(Sealed { pre_key: text(&answer, "kind")? == "pkmsg", bytes: bytes(&answer, "bytes")? })
    }

    pub fn decrypt(&mut self, sealed: &Sealed) -> Result<Answer> {
        let kind = if sealed.pre_key { "pkmsg" } else { "msg" };
        let request = json!({ "kind": kind, "bytes": hex::encode(&sealed.bytes) });
        Ok(answer(self.stranger.open("decrypt", request)?))
    }
}

/// The class of a stranger's refusal, as far as its words tell.
pub fn answer(outcome: Result<Vec<u8>, String>) -> Answer {
    match outcome {
        Ok(plaintext) => Answer::Opened(plaintext),
        Err(error) => {
            let duplicate = ["old counter", "Key used already"].iter().any(|words| error.contains(words));
            Answer::Refused(duplicate.then_some(Refusal::Duplicate), error)
        }
    }
}

/// Our classes as the model names them.
pub fn class(error: &SignalError) -> Option<Refusal> {
    Some(match error.class() {
        ErrorClass::NoSession => Refusal::NoSession,
        ErrorClass::Duplicate => Refusal::Duplicate,
        ErrorClass::TooFarInFuture => Refusal::TooFar,
        ErrorClass::BadMac => Refusal::BadMac,
        ErrorClass::UnknownPreKey => Refusal::UnknownPreKey,
        ErrorClass::NoSenderKey => Refusal::NoSenderKey,
        ErrorClass::BadSignature => Refusal::BadSignature,
        _ => return None,
    })
}
