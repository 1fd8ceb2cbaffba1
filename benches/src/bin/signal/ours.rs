//! Our side of the benches: a device with its keys and one record.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use wa_signal::{
    Ciphertext, IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeyBundle, PreKeySignalMessage,
    Sender, SessionRecord, SignalMessage, SignedPreKey,
};

pub struct Ours {
    pub local: LocalIdentity,
    pub record: SessionRecord,
    signed: SignedPreKey,
    pre_key: PreKey,
    rng: StdRng,
}

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

impl Ours {
    pub fn new(seed: u64) -> Self {
        let mut rng = rng(seed);
        let pair = IdentityKeyPair::generate(&mut rng);
        let signed = SignedPreKey::generate(2, &pair, &mut rng);
        let pre_key = PreKey::generate(1, &mut rng);
        Self { local: LocalIdentity::new(pair, 77), record: SessionRecord::new(), signed, pre_key, rng }
    }

    pub fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: 77,
            identity_key: self.local.identity_key(),
            signed_pre_key_id: self.signed.id,
            signed_pre_key: *self.signed.pair.public(),
            signature: self.signed.signature,
            one_time_pre_key: Some((self.pre_key.id, *self.pre_key.pair.public())),
        }
    }

    pub fn initiate(&mut self, bundle: &PreKeyBundle) {
        self.record.initiate(&self.local, bundle, 0, &mut self.rng).unwrap();
    }

    pub fn encrypt(&mut self, text: &[u8]) -> Ciphertext {
        self.record.encrypt(&self.local, text).unwrap()
    }

    pub fn decrypt(&mut self, bytes: &[u8], pre_key: bool) -> Vec<u8> {
        let received = if pre_key {
            let message = PreKeySignalMessage::parse(bytes).unwrap();
            let keys = OwnPreKeys { signed: Some(&self.signed), one_time: Some(&self.pre_key) };
            self.record.decrypt_pre_key(&self.local, &message, keys, Sender::Other, &mut self.rng)
        } else {
            let message = SignalMessage::parse(bytes).unwrap();
            self.record.decrypt(&self.local, &message, Sender::Other, &mut self.rng)
        };
        received.unwrap().plaintext
    }
}

/// Two devices whose session is answered.
pub fn pair() -> (Ours, Ours) {
    let (mut alice, mut bob) = (Ours::new(1), Ours::new(2));
    alice.initiate(&bob.bundle());
    bob.decrypt(&alice.encrypt(b"one").bytes, true);
    alice.decrypt(&bob.encrypt(b"two").bytes, false);
    (alice, bob)
}
