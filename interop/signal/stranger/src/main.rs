//! `wacore-libsignal` driven over lines of JSON on stdin and stdout. It keeps its whole state as serialized records, so
//! that every step reads back what the step before has written. Everything random follows from the seed.

mod store;

use std::io::{BufRead, Write};

use anyhow::{Context, Result, bail};
use futures::executor::block_on;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wacore_libsignal::protocol::{
    CiphertextMessage, GenericSignedPreKey, IdentityKey, IdentityKeyPair, KeyPair, PreKeyBundle,
    PreKeyRecord, PreKeySignalMessage, PreKeyStore, ProtocolAddress, PublicKey, SenderKeyDistributionMessage,
    SenderKeyName, SignalMessage, SignedPreKeyRecord, SignedPreKeyStore, Timestamp, UsePQRatchet,
    create_sender_key_distribution_message, group_decrypt, group_encrypt, message_decrypt, message_encrypt,
    process_prekey_bundle, process_sender_key_distribution_message,
};

use store::{Identities, PreKeys, SenderKeys, Sessions, SignedPreKeys};

fn main() -> Result<()> {
    let mut stranger = Stranger::new(&[0; 32])?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let answer = stranger.step(&request).unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

struct Stranger {
    rng: ChaCha20Rng,
    next_id: u32,
    peer: ProtocolAddress,
    identities: Identities,
    pre_keys: PreKeys,
    signed_pre_keys: SignedPreKeys,
    signed: SignedPreKeyRecord,
    sessions: Sessions,
    sender_keys: SenderKeys,
    opened: Sha256,
    count: u64,
}

impl Stranger {
    fn new(seed: &[u8]) -> Result<Self> {
        let mut rng = ChaCha20Rng::from_seed(Sha256::digest(seed).into());
        let identity = IdentityKeyPair::generate(&mut rng);
        let pair = KeyPair::generate(&mut rng);
        Ok(Self {
            next_id: 1,
            peer: ProtocolAddress::new("15550100001", 0.into()),
            identities: Identities::new(identity, rng.next_u32() & 0x3fff),
            pre_keys: PreKeys::default(),
            signed_pre_keys: SignedPreKeys::default(),
            signed: SignedPreKeyRecord::new(0.into(), Timestamp::from_epoch_millis(0), &pair, &[0; 64]),
            sessions: Sessions::default(),
            sender_keys: SenderKeys::default(),
            opened: Sha256::new(),
            count: 0,
            rng,
        })
    }

    /// Forgets everything but how to count: a new installation on the same number.
    fn install(&mut self) -> Result<Value> {
        let identity = IdentityKeyPair::generate(&mut self.rng);
        let pair = KeyPair::generate(&mut self.rng);
        let signature =
            identity.private_key().calculate_signature(&pair.public_key.serialize(), &mut self.rng)?;
        let id = self.fresh_id();
        let registration_id = 1 + (self.rng.next_u32() & 0x1fff);
        let answer = json!({
            "identity": hex::encode(identity.identity_key().serialize()),
            "registration_id": registration_id,
        });
        self.signed = SignedPreKeyRecord::new(id.into(), Timestamp::from_epoch_millis(0), &pair, &signature);
        self.identities = Identities::new(identity, registration_id);
        self.pre_keys = PreKeys::default();
        self.signed_pre_keys = SignedPreKeys::default();
        block_on(self.signed_pre_keys.save_signed_pre_key(id.into(), &self.signed))?;
        self.sessions = Sessions::default();
        self.sender_keys = SenderKeys::default();
        Ok(answer)
    }

    fn fresh_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn step(&mut self, request: &Value) -> Result<Value> {
        match text(request, "step")? {
            "hello" => {
                *self = Self::new(&bytes(request, "seed")?)?;
                let mut answer = self.install()?;
                answer["name"] = "wacore-libsignal 0.7.0".into();
                Ok(answer)
            }
            "reinstall" => self.install(),
            "bundle" => self.bundle(request["one_time"].as_bool().context("one_time")?),
            "initiate" => self.initiate(request),
            "encrypt" => self.encrypt(request),
            "decrypt" => self.decrypt(request),
            "sender_key" => self.sender_key(request["rotate"].as_bool().context("rotate")?),
            "group_encrypt" => self.group_encrypt(request),
            "distribute" => self.distribute(request),
            "group_decrypt" => self.group_decrypt(request),
            "records" => self.records(),
            "summary" => {
                Ok(json!({ "opened": self.count, "digest": hex::encode(self.opened.clone().finalize()) }))
            }
            step => bail!("unknown step {step}"),
        }
    }

    fn bundle(&mut self, one_time: bool) -> Result<Value> {
        let mut bundle = json!({
            "signed_id": u32::from(self.signed.id()?),
            "signed": hex::encode(self.signed.public_key()?.serialize()),
            "signature": hex::encode(self.signed.signature()?),
        });
        if one_time {
            let (id, pair) = (self.fresh_id(), KeyPair::generate(&mut self.rng));
            block_on(self.pre_keys.save_pre_key(id.into(), &PreKeyRecord::new(id.into(), &pair)))?;
            bundle["one_time_id"] = id.into();
            bundle["one_time"] = hex::encode(pair.public_key.serialize()).into();
        }
        Ok(bundle)
    }

    fn initiate(&mut self, request: &Value) -> Result<Value> {
        let one_time = match request["one_time_id"].as_u64() {
            Some(id) => {
                Some((u32::try_from(id)?.into(), PublicKey::deserialize(&bytes(request, "one_time")?)?))
            }
            None => None,
        };
        let bundle = PreKeyBundle::new(
            number(request, "registration_id")?,
            0.into(),
            one_time,
            number(request, "signed_id")?.into(),
            PublicKey::deserialize(&bytes(request, "signed")?)?,
            bytes(request, "signature")?,
            IdentityKey::decode(&bytes(request, "identity")?)?,
        )?;
        block_on(process_prekey_bundle(
            &self.peer,
            &mut self.sessions,
            &mut self.identities,
            &bundle,
            &mut self.rng,
            UsePQRatchet::No,
        ))?;
        Ok(json!({}))
    }

    fn encrypt(&mut self, request: &Value) -> Result<Value> {
        let mut last = None;
        for plaintext in plaintexts(request)? {
            let sealed =
                block_on(message_encrypt(&plaintext, &self.peer, &mut self.sessions, &mut self.identities))?;
            last = Some(sealed);
        }
        let sealed = last.context("nothing to encrypt")?;
        let kind = match sealed {
            CiphertextMessage::PreKeySignalMessage(_) => "pkmsg",
            _ => "msg",
        };
        Ok(json!({ "kind": kind, "bytes": hex::encode(sealed.serialize()) }))
    }

    fn decrypt(&mut self, request: &Value) -> Result<Value> {
        let sealed = bytes(request, "bytes")?;
        let message = match text(request, "kind")? {
            "pkmsg" => CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(&*sealed)?),
            _ => CiphertextMessage::SignalMessage(SignalMessage::try_from(&*sealed)?),
        };
        let decrypted = block_on(message_decrypt(
            &message,
            &self.peer,
            &mut self.sessions,
            &mut self.identities,
            &mut self.pre_keys,
            &self.signed_pre_keys,
            &mut self.rng,
            UsePQRatchet::No,
        ))?;
        if let Some(id) = decrypted.consumed_prekey_id {
            block_on(self.pre_keys.remove_pre_key(id))?;
        }
        Ok(self.note(&decrypted.plaintext))
    }

    fn note(&mut self, plaintext: &[u8]) -> Value {
        self.count += 1;
        self.opened.update(plaintext);
        json!({ "plaintext": hex::encode(plaintext) })
    }

    fn sender_key(&mut self, rotate: bool) -> Result<Value> {
        let name = own_sender_key();
        if rotate {
            self.sender_keys.remove(&name);
        }
        let distribution =
            block_on(create_sender_key_distribution_message(&name, &mut self.sender_keys, &mut self.rng))?;
        Ok(json!({ "distribution": hex::encode(distribution.serialized()) }))
    }

    fn group_encrypt(&mut self, request: &Value) -> Result<Value> {
        let mut last = None;
        for plaintext in plaintexts(request)? {
            let sealed =
                block_on(group_encrypt(&mut self.sender_keys, &own_sender_key(), &plaintext, &mut self.rng))?;
            last = Some(sealed);
        }
        Ok(json!({ "bytes": hex::encode(last.context("nothing to encrypt")?.serialized()) }))
    }

    fn distribute(&mut self, request: &Value) -> Result<Value> {
        let distribution = SenderKeyDistributionMessage::try_from(&*bytes(request, "distribution")?)?;
        block_on(process_sender_key_distribution_message(
            &peer_sender_key(),
            &distribution,
            &mut self.sender_keys,
        ))?;
        Ok(json!({}))
    }

    fn group_decrypt(&mut self, request: &Value) -> Result<Value> {
        let sealed = bytes(request, "bytes")?;
        let plaintext = block_on(group_decrypt(&sealed, &mut self.sender_keys, &peer_sender_key()))?;
        Ok(self.note(&plaintext))
    }

    /// Its whole state, to be carried to another library.
    fn records(&self) -> Result<Value> {
        let private = self.identities.own().private_key().serialize();
        let stored = |name| self.sender_keys.stored(&name).map(hex::encode);
        Ok(json!({
            "identity_private": hex::encode(private),
            "registration_id": self.identities.registration_id(),
            "signed_id": u32::from(self.signed.id()?),
            "signed_private": hex::encode(self.signed.private_key()?.serialize()),
            "signature": hex::encode(self.signed.signature()?),
            "session": self.sessions.stored(&self.peer).map(hex::encode),
            "sender_key": stored(peer_sender_key()),
            "own_sender_key": stored(own_sender_key()),
        }))
    }
}

fn own_sender_key() -> SenderKeyName {
    SenderKeyName::from_parts("120363000000000000@g.us", "15550100002:0")
}

fn peer_sender_key() -> SenderKeyName {
    SenderKeyName::from_parts("120363000000000000@g.us", "15550100001:0")
}

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str> {
    request[name].as_str().with_context(|| format!("field {name}"))
}

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>> {
    Ok(hex::decode(text(request, name)?)?)
}

fn number(request: &Value, name: &str) -> Result<u32> {
    Ok(u32::try_from(request[name].as_u64().with_context(|| format!("field {name}"))?)?)
}

fn plaintexts(request: &Value) -> Result<Vec<Vec<u8>>> {
    let list = request["plaintexts"].as_array().context("plaintexts")?;
    list.iter().map(|text| Ok(hex::decode(text.as_str().context("a plaintext")?)?)).collect()
}
