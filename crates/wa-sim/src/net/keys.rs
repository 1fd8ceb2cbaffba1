//! The server's Noise keys and certificates: root, intermediate, leaf (chapters 01 §4.6, 10 §1.1).

use wa_noise::{CertificateDetails, KeyPair, PrivateKey, ServerIdentity, build_chain};

use crate::clock::wall_ms;
use crate::faults::Chain;
use crate::random::Seed;

/// Keys of a run. The private root never leaves them.
#[derive(Debug)]
pub(crate) struct ServerKeys {
    seed: Seed,
    root: KeyPair,
    intermediate: KeyPair,
    leaf: KeyPair,
    rotations: u64,
    /// The chain that is served, made once: both signatures cost.
    good: bytes::Bytes,
}

const DAY_S: u64 = 86_400;

impl ServerKeys {
    /// Keys from the seed, the root from a seed of its own if one is given.
    pub(crate) fn new(seed: Seed, root_seed: Option<[u8; 32]>) -> Self {
        let root = match root_seed {
            Some(bytes) => PrivateKey::from_bytes(bytes).into(),
            None => KeyPair::generate(&mut seed.stream("noise root", 0)),
        };
        let intermediate = KeyPair::generate(&mut seed.stream("noise intermediate", 0));
        let leaf = KeyPair::generate(&mut seed.stream("noise leaf", 0));
        let mut keys = Self { seed, root, intermediate, leaf, rotations: 0, good: bytes::Bytes::new() };
        keys.good = keys.chain(None);
        keys
    }

    /// The same with a static key that was changed so often.
    pub(crate) fn rotated(seed: Seed, root_seed: Option<[u8; 32]>, rotations: u64) -> Self {
        let mut keys = Self::new(seed, root_seed);
        if let Some(before) = rotations.checked_sub(1) {
            keys.rotations = before;
            keys.rotate();
        }
        keys
    }

    /// How often the static key was changed.
    pub(crate) const fn rotations(&self) -> u64 {
        self.rotations
    }

    /// Public key of the root.
    pub(crate) fn root_public(&self) -> [u8; 32] {
        *self.root.public().as_bytes()
    }

    /// A new static key, as the live service has from time to time.
    pub(crate) fn rotate(&mut self) {
        self.rotations += 1;
        self.leaf = KeyPair::generate(&mut self.seed.stream("noise leaf", self.rotations));
        self.good = self.chain(None);
    }

    /// What a handshake needs, with a fault in the chain if one is wanted.
    pub(crate) fn identity(&self, fault: Option<Chain>) -> ServerIdentity {
        let chain = if fault.is_some() { self.chain(fault) } else { self.good.clone() };
        ServerIdentity { noise_key: self.leaf.clone(), chain }
    }

    fn chain(&self, fault: Option<Chain>) -> bytes::Bytes {
        // Foreign clients judge by their own clock: the dates follow the machine's, whatever the run's clock says.
        let now = wall_ms() / 1000;
        let (not_before, not_after) = match fault {
            Some(Chain::Expired) => (now - 30 * DAY_S, now - DAY_S),
            Some(Chain::NotYetValid) => (now + DAY_S, now + 30 * DAY_S),
            _ => (now - DAY_S, now + 3650 * DAY_S),
        };
        let other = KeyPair::generate(&mut self.seed.stream("noise stranger", 0));
        let when = |fits, wrong, right| if fault == Some(fits) { wrong } else { right };
        let intermediate = CertificateDetails {
            serial: 1,
            issuer_serial: when(Chain::RootSerial, 77, 0),
            key: *self.intermediate.public(),
            not_before,
            not_after,
        };
        let leaf = CertificateDetails {
            serial: 2,
            issuer_serial: when(Chain::LeafSerial, 77, 1),
            key: if fault == Some(Chain::LeafKey) { *other.public() } else { *self.leaf.public() },
            not_before,
            not_after,
        };
        let signer = |fits, right: &KeyPair| {
            if fault == Some(fits) { other.private().clone() } else { right.private().clone() }
        };
        let root = signer(Chain::IntermediateSignature, &self.root);
        let middle = signer(Chain::LeafSignature, &self.intermediate);
        build_chain(
            &root,
            &middle,
            &intermediate,
            &leaf,
            &mut self.seed.stream("noise chain", self.rotations),
        )
        .into()
    }
}
