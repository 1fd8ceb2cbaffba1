//! Devices with pre-keys, seeded generators and run sizes that the tests share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::print_stdout, reason = "seeds and counts")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wa_signal::{
    IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeyBundle, PreKeySignalMessage, Received, Sender,
    SessionRecord, SignalError, SignalMessage, SignedPreKey,
};

/// A generator from a seed.
pub fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

/// A number below `end`.
pub fn below(rng: &mut ChaCha12Rng, end: usize) -> usize {
    (rng.next_u64() % end as u64) as usize
}

/// Seeds and steps of a model run: few by default, many when `WA_SOAK` is set, or as `WA_SOAK_FIRST_SEED`,
/// `WA_SOAK_SEEDS` and `WA_SOAK_STEPS` say.
pub fn run_size(seeds: u64, steps: u64) -> (std::ops::Range<u64>, usize) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (seeds, steps) = if std::env::var_os("WA_SOAK").is_some() { (100, 10_000) } else { (seeds, steps) };
    let first = number("WA_SOAK_FIRST_SEED").unwrap_or(0);
    let seeds = number("WA_SOAK_SEEDS").unwrap_or(seeds);
    let steps = number("WA_SOAK_STEPS").unwrap_or(steps);
    println!("seeds {first}..{}, {steps} steps each", first + seeds);
    (first..first + seeds, steps as usize)
}

/// Runs every seed, as many at a time as the machine has cores, and adds up what each accepted and refused. The first
/// broken rule fails the test.
pub fn run_seeds(
    seeds: std::ops::Range<u64>,
    run: impl Fn(u64) -> Result<(usize, usize), String> + Sync,
) -> (usize, usize) {
    let next = AtomicU64::new(seeds.start);
    let worker = || {
        let (mut accepted, mut refused) = (0, 0);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok((accepted, refused));
            }
            let counts = run(seed)?;
            accepted += counts.0;
            refused += counts.1;
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let outcomes: Vec<Result<(usize, usize), String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker panicked")).collect()
    });
    outcomes.into_iter().fold((0, 0), |(accepted, refused), outcome| {
        let counts = outcome.unwrap_or_else(|what| panic!("{what}"));
        (accepted + counts.0, refused + counts.1)
    })
}

/// A device with its keys.
pub struct Device {
    pub local: LocalIdentity,
    pub signed: SignedPreKey,
    pub one_time: BTreeMap<u32, PreKey>,
    next_pre_key: u32,
}

impl Device {
    pub fn new(rng: &mut ChaCha12Rng) -> Self {
        let identity = IdentityKeyPair::generate(rng);
        let signed = SignedPreKey::generate(1 + below(rng, 0xFF_FFFF) as u32, &identity, rng);
        let registration_id = below(rng, 16_380) as u32 + 1;
        let local = LocalIdentity::new(identity, registration_id);
        Self { local, signed, one_time: BTreeMap::new(), next_pre_key: 1 }
    }

    /// A bundle as the server hands it out, with a fresh one-time pre-key or none.
    pub fn bundle(&mut self, with_one_time: bool, rng: &mut ChaCha12Rng) -> PreKeyBundle {
        let one_time_pre_key = with_one_time.then(|| {
            let key = PreKey::generate(self.next_pre_key, rng);
            self.next_pre_key += 1;
            let public = (key.id, *key.pair.public());
            self.one_time.insert(key.id, key);
            public
        });
        PreKeyBundle {
            registration_id: self.local.registration_id(),
            identity_key: self.local.identity_key(),
            signed_pre_key_id: self.signed.id,
            signed_pre_key: *self.signed.pair.public(),
            signature: self.signed.signature,
            one_time_pre_key,
        }
    }

    /// Decrypts either kind; a consumed one-time pre-key is deleted.
    pub fn decrypt(
        &mut self,
        record: &mut SessionRecord,
        pre_key: bool,
        bytes: &[u8],
        sender: Sender,
        rng: &mut ChaCha12Rng,
    ) -> Result<Received, SignalError> {
        if !pre_key {
            return record.decrypt(&self.local, &SignalMessage::parse(bytes)?, sender, rng);
        }
        let message = PreKeySignalMessage::parse(bytes)?;
        let keys = OwnPreKeys {
            signed: Some(&self.signed).filter(|key| key.id == message.signed_pre_key_id()),
            one_time: message.pre_key_id().and_then(|id| self.one_time.get(&id)),
        };
        let received = record.decrypt_pre_key(&self.local, &message, keys, sender, rng)?;
        if let Some(id) = received.consumed_pre_key {
            self.one_time.remove(&id);
        }
        Ok(received)
    }
}

/// Two devices whose sessions are established in both directions.
pub fn established(seed: u64) -> (ChaCha12Rng, Device, SessionRecord, Device, SessionRecord) {
    let mut rng = rng(seed);
    let (mut alice, mut bob) = (Device::new(&mut rng), Device::new(&mut rng));
    let (mut to_bob, mut to_alice) = (SessionRecord::new(), SessionRecord::new());
    let bundle = bob.bundle(true, &mut rng);
    to_bob.initiate(&alice.local, &bundle, 1_700_000_000, &mut rng).expect("initiate");
    let first = to_bob.encrypt(&alice.local, b"first").expect("encrypt");
    bob.decrypt(&mut to_alice, true, &first.bytes, Sender::Other, &mut rng).expect("decrypt");
    let answer = to_alice.encrypt(&bob.local, b"answer").expect("encrypt");
    alice.decrypt(&mut to_bob, false, &answer.bytes, Sender::Other, &mut rng).expect("decrypt");
    (rng, alice, to_bob, bob, to_alice)
}
