//! Two ends with seeded keys and a chain that holds, for the tests of this crate.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_noise::*;

pub const NOW: u64 = 1_800_000_000;
pub const PAYLOAD: &[u8] = b"login payload, opaque here";

/// Everything that two ends agree on beforehand.
pub struct World {
    pub rng: ChaCha20Rng,
    pub client_key: KeyPair,
    pub server: ServerIdentity,
    pub root: RootCa,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let [client_key, noise_key, root, middle] = std::array::from_fn(|_| KeyPair::generate(&mut rng));
        let details = |serial, issuer_serial, key: &KeyPair| CertificateDetails {
            serial,
            issuer_serial,
            key: *key.public(),
            not_before: NOW - 86_400,
            not_after: NOW + 86_400,
        };
        let chain = build_chain(
            root.private(),
            middle.private(),
            &details(1, 0, &middle),
            &details(2, 1, &noise_key),
            &mut rng,
        );
        Self {
            rng,
            client_key,
            server: ServerIdentity { noise_key, chain: chain.into() },
            root: RootCa { public_key: *root.public(), serial: 0 },
        }
    }

    pub fn parameters(&self) -> ClientParameters {
        ClientParameters {
            noise_key: self.client_key.clone(),
            root: self.root,
            header: Header::CURRENT,
            payload: PAYLOAD.to_vec(),
        }
    }

    pub fn responder(&self, ik: IkPolicy) -> ServerHandshake {
        ServerHandshake::new(self.server.clone(), Header::CURRENT, ik)
    }

    pub fn ik(&self) -> Opening {
        Opening::Ik(*self.server.noise_key.public())
    }
}

/// The three messages of a handshake; the last only where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    ClientHello,
    ServerHello,
    ClientFinish,
}

/// Runs a handshake in which `tamper` sees every message before the receiver does.
pub fn run(
    world: &mut World,
    opening: Opening,
    policy: IkPolicy,
    tamper: &mut dyn FnMut(Step, &mut Vec<u8>),
) -> Result<(ClientEstablished, ServerEstablished), NoiseError> {
    let (mut client, mut hello) = ClientHandshake::start(world.parameters(), opening, &mut world.rng)?;
    let mut server = world.responder(policy);
    tamper(Step::ClientHello, &mut hello);
    let (mut reply, early) = match server.read_client_hello(&hello, &mut world.rng)? {
        HelloReply::AwaitFinish { server_hello } => (server_hello, None),
        HelloReply::Established { server_hello, established } => (server_hello, Some(*established)),
    };
    tamper(Step::ServerHello, &mut reply);
    let client_end = client.read_server_hello(&reply, NOW)?;
    let server_end = match (early, &client_end.client_finish) {
        (Some(established), None) => established,
        (None, Some(finish)) => {
            let mut finish = finish.clone();
            tamper(Step::ClientFinish, &mut finish);
            server.read_client_finish(&finish)?
        }
        // The ends disagree on the pattern: the server waits for a finish that never comes, or the reverse.
        (Some(_), Some(_)) | (None, None) => return Err(NoiseError::Ended),
    };
    Ok((client_end, server_end))
}
