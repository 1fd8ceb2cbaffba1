//! A message against a session record that two conversations have left: first as it is, where a failure must change
//! nothing, then with the MAC check switched off, so that whatever it says is carried out and the record must still
//! hold its own rules. It is tried as both kinds of message and then once more, as a replay.
//! Seeds: signal-sessions.json ciphertext
#![no_main]

use std::convert::Infallible;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wa_crypto::rand_core::{TryCryptoRng, TryRng};
use wa_signal::sabotage::{Rule, broken};
use wa_signal::{
    IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKeyBundle, PreKeySignalMessage, Received, Sender,
    SessionRecord, SignalError, SignalMessage, SignedPreKey,
};

struct Scene {
    bob: LocalIdentity,
    signed: SignedPreKey,
    record: SessionRecord,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let mut rng = Counting(1);
    let [alice, bob] = [1, 2].map(|id| LocalIdentity::new(IdentityKeyPair::generate(&mut rng), id));
    let signed = SignedPreKey::generate(7, bob.pair(), &mut rng);
    let bundle = PreKeyBundle {
        registration_id: 2,
        identity_key: bob.identity_key(),
        signed_pre_key_id: signed.id,
        signed_pre_key: *signed.pair.public(),
        signature: signed.signature,
        one_time_pre_key: None,
    };
    let (mut sending, mut record) = (SessionRecord::new(), SessionRecord::new());
    for _ in 0..2 {
        sending.initiate(&alice, &bundle, 0, &mut rng).expect("initiate");
        let first = sending.encrypt(&alice, b"first").expect("encrypt").bytes;
        open(&mut record, &bob, &signed, true, &first, &mut rng).expect("decrypt");
    }
    Scene { bob, signed, record }
});

fuzz_target!(|data: &[u8]| {
    let scene = &*SCENE;
    let mut rng = Counting(2);
    let mut record = scene.record.clone();
    for pre_key in [false, true, false, true] {
        let before = record.encode();
        if open(&mut record, &scene.bob, &scene.signed, pre_key, data, &mut rng).is_err() {
            assert_eq!(record.encode(), before);
        }
        let before = record.encode();
        let forged =
            broken(Rule::Mac, || open(&mut record, &scene.bob, &scene.signed, pre_key, data, &mut rng));
        if forged.is_err() {
            assert_eq!(record.encode(), before);
        }
        let stored = record.encode();
        let reloaded = SessionRecord::decode(&stored).expect("an own record");
        assert_eq!(reloaded.encode(), stored);
        let _ = record.encrypt(&scene.bob, b"answer");
    }
});

fn open(
    record: &mut SessionRecord,
    bob: &LocalIdentity,
    signed: &SignedPreKey,
    pre_key: bool,
    bytes: &[u8],
    rng: &mut Counting,
) -> Result<Received, SignalError> {
    if !pre_key {
        return record.decrypt(bob, &SignalMessage::parse(bytes)?, Sender::Other, rng);
    }
    let keys = OwnPreKeys { signed: Some(signed), one_time: None };
    record.decrypt_pre_key(bob, &PreKeySignalMessage::parse(bytes)?, keys, Sender::Other, rng)
}

/// Different keys on every draw, the same in every run.
struct Counting(u64);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Ok(self.0 ^ (self.0 >> 31))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}
