//! Frames and handshakes beside wacore-noise. Run with `--features ring` for the frames' goals and `--features aws-lc`
//! for the handshakes'.
//!
//! The peer's root key is compiled in, so that no test chain verifies under it: it runs with its signature checks off
//! and its own signature function is called beside it, once for each certificate, as it would.

use std::process::ExitCode;
use std::rc::Rc;

use wa_benches::Bench;
use wa_noise::{
    CertificateDetails, ClientHandshake, ClientParameters, FrameDecoder, FrameOpener, FrameSealer, Header,
    HelloReply, IkPolicy, KeyPair, Opening, RootCa, ServerHandshake, ServerIdentity, build_chain, frame,
};
use wacore_libsignal::core::curve as peer_curve;
use wacore_noise as peer;

const NAME: &str = if cfg!(feature = "aws-lc") {
    "noise-aws-lc"
} else if cfg!(feature = "ring") {
    "noise-ring"
} else {
    "noise"
};

const NOW: u64 = 1_800_000_000;

/// Handshakes that are begun before the clock runs: the answer to each depends on its fresh key.
const BEGUN: usize = 12_000;

fn main() -> ExitCode {
    let mut bench = Bench::new(NAME);
    for (len, goal) in [(100, 3.0), (1024, 4.5), (65_536, 6.0)] {
        frames(&mut bench, len, goal);
    }
    let world = Rc::new(World::new());
    xx(&mut bench, &world);
    ik(&mut bench, &world);
    bench.run()
}

fn frames(bench: &mut Bench, len: usize, goal: f64) {
    let key = wa_crypto::Secret::new([7; 32]);
    let text: Vec<u8> = (0..len).map(|at| at as u8).collect();

    let (mut sealer, mut wire, own) = (FrameSealer::new(&key), Vec::new(), text.clone());
    let (cipher, mut counter, mut other_wire, other) =
        (peer::NoiseCipher::new(key.expose()).unwrap(), 0, Vec::new(), text.clone());
    let mut body = Vec::new();
    bench
        .row(format!("seal a frame of {len} B"), goal)
        .contender("wa-noise", move || {
            wire.clear();
            sealer.seal(&mut wire, &own).unwrap();
            wire.len() as u64
        })
        .contender("wacore-noise", move || {
            body.clear();
            body.extend_from_slice(&other);
            cipher.encrypt_in_place_with_counter(counter, &mut body).unwrap();
            peer::framing::encode_frame_into(&body, None, &mut other_wire).unwrap();
            counter += 1;
            other_wire.len() as u64
        });

    // Sealing comes along, since every frame opens once.
    let (mut sealer, mut opener, mut decoder, mut wire, own) =
        (FrameSealer::new(&key), FrameOpener::new(&key), FrameDecoder::new(), Vec::new(), text.clone());
    let cipher = peer::NoiseCipher::new(key.expose()).unwrap();
    let (mut counter, mut peer_decoder, mut other_wire, mut body) =
        (0, peer::framing::FrameDecoder::new(), Vec::new(), Vec::new());
    bench
        .row(format!("seal, decode and open a frame of {len} B"), goal)
        .contender("wa-noise", move || {
            wire.clear();
            sealer.seal(&mut wire, &own).unwrap();
            decoder.push(&wire);
            let frame = decoder.next_frame().unwrap().unwrap();
            digest(opener.open(frame).unwrap())
        })
        .contender("wacore-noise", move || {
            body.clear();
            body.extend_from_slice(&text);
            cipher.encrypt_in_place_with_counter(counter, &mut body).unwrap();
            peer::framing::encode_frame_into(&body, None, &mut other_wire).unwrap();
            peer_decoder.feed(&other_wire);
            let mut frame = peer_decoder.decode_frame().unwrap();
            cipher.decrypt_in_place_with_counter(counter, &mut frame).unwrap();
            counter += 1;
            digest(&frame)
        });
}

struct World {
    client: KeyPair,
    server: ServerIdentity,
    root: RootCa,
    /// For the peer's signature checks: issuer, details, signature of both certificates.
    signed: [(peer_curve::PublicKey, Vec<u8>, Vec<u8>); 2],
}

impl World {
    fn new() -> Self {
        let rng = &mut rand::rng();
        let [client, server, root, middle] = std::array::from_fn(|_| KeyPair::generate(rng));
        let details = |serial, issuer_serial, key: &KeyPair| CertificateDetails {
            serial,
            issuer_serial,
            key: *key.public(),
            not_before: NOW - 1,
            not_after: NOW + 1,
        };
        let chain = build_chain(
            root.private(),
            middle.private(),
            &details(1, 0, &middle),
            &details(2, 1, &server),
            rng,
        );
        let parsed: wa_proto::cert::CertChain = wa_proto::prost::Message::decode(&chain[..]).unwrap();
        let issued = |certificate: Option<Box<wa_proto::cert::cert_chain::NoiseCertificate>>,
                      issuer: &KeyPair| {
            let certificate = certificate.unwrap();
            let issuer =
                peer_curve::PublicKey::from_djb_public_key_bytes(issuer.public().as_bytes()).unwrap();
            (issuer, certificate.details.unwrap().to_vec(), certificate.signature.unwrap().to_vec())
        };
        Self {
            client,
            server: ServerIdentity { noise_key: server, chain: chain.into() },
            root: RootCa { public_key: *root.public(), serial: 0 },
            signed: [issued(parsed.intermediate, &root), issued(parsed.leaf, &middle)],
        }
    }

    fn answer(&self, hello: &[u8]) -> Vec<u8> {
        let mut server = ServerHandshake::new(self.server.clone(), Header::CURRENT, IkPolicy::Accept);
        match server.read_client_hello(hello, &mut rand::rng()).unwrap() {
            HelloReply::AwaitFinish { server_hello } | HelloReply::Established { server_hello, .. } => {
                server_hello
            }
        }
    }

    fn parameters(&self) -> ClientParameters {
        ClientParameters {
            noise_key: self.client.clone(),
            root: self.root,
            header: Header::CURRENT,
            payload: vec![9; 120],
        }
    }

    fn peer_key(&self) -> peer_curve::KeyPair {
        peer_curve::KeyPair::from_public_and_private(
            &[&[5], &self.client.public().as_bytes()[..]].concat(),
            self.client.private().expose(),
        )
        .unwrap()
    }
}

/// One handshake's worth of the client's work: begin one, and finish one that was begun before.
fn xx(bench: &mut Bench, world: &Rc<World>) {
    let (ours, theirs) = (world.clone(), world.clone());
    let mut begun = Begun::new({
        let world = world.clone();
        move || {
            let (state, hello) =
                ClientHandshake::start(world.parameters(), Opening::Xx, &mut rand::rng()).unwrap();
            (state, world.answer(&hello))
        }
    });
    let mut peer_begun = Begun::new({
        let world = world.clone();
        move || {
            let state =
                peer::XxHandshakeState::new(world.peer_key(), vec![9; 120], Header::CURRENT.as_bytes())
                    .unwrap();
            let answer = world.answer(&state.build_client_hello().unwrap());
            (state, answer)
        }
    });
    bench
        .row("XX, the client's CPU", 1.6)
        .contender("wa-noise", move || {
            let (_, hello) =
                ClientHandshake::start(ours.parameters(), Opening::Xx, &mut rand::rng()).unwrap();
            let (mut state, answer) = begun.take();
            let done = state.read_server_hello(&answer, NOW).unwrap();
            let mut wire = Vec::new();
            frame::write_opening(&mut wire, Header::CURRENT, None, &hello).unwrap();
            digest(done.server.unwrap().leaf.key.as_bytes()) + done.client_finish.unwrap().len() as u64
        })
        .contender("wacore-noise", move || {
            let state =
                peer::XxHandshakeState::new(theirs.peer_key(), vec![9; 120], Header::CURRENT.as_bytes())
                    .unwrap();
            let hello = state.build_client_hello().unwrap();
            let (mut state, answer) = peer_begun.take();
            let finish = state.read_server_hello_and_build_client_finish(&answer).unwrap();
            for (issuer, details, signature) in &theirs.signed {
                assert!(issuer.verify_signature(details, signature));
            }
            let mut wire = Vec::new();
            peer::framing::append_frame_into(&hello, Some(Header::CURRENT.as_bytes()), &mut wire).unwrap();
            digest(&state.finish().unwrap().server_cert_chain.leaf_key) + finish.len() as u64
        });
}

fn ik(bench: &mut Bench, world: &Rc<World>) {
    let server = *world.server.noise_key.public();
    let (ours, theirs) = (world.clone(), world.clone());
    let mut begun = Begun::new({
        let world = world.clone();
        move || {
            let (state, hello) =
                ClientHandshake::start(world.parameters(), Opening::Ik(server), &mut rand::rng()).unwrap();
            (state, world.answer(&hello))
        }
    });
    let peer_state = move |world: &World| {
        let key = *server.as_bytes();
        peer::IkHandshakeState::new(world.peer_key(), key, vec![9; 120], Header::CURRENT.as_bytes()).unwrap()
    };
    let mut peer_begun = Begun::new({
        let world = world.clone();
        move || {
            let mut state = peer_state(&world);
            let answer = world.answer(&state.build_client_hello().unwrap());
            (state, answer)
        }
    });
    bench
        .row("IK, the client's CPU", 1.6)
        .contender("wa-noise", move || {
            let (_, hello) =
                ClientHandshake::start(ours.parameters(), Opening::Ik(server), &mut rand::rng()).unwrap();
            let (mut state, answer) = begun.take();
            let done = state.read_server_hello(&answer, NOW).unwrap();
            hello.len() as u64 + u64::from(done.client_finish.is_some())
        })
        .contender("wacore-noise", move || {
            let hello = peer_state(&theirs).build_client_hello().unwrap();
            let (state, answer) = peer_begun.take();
            let outcome = state.read_server_hello(&answer).unwrap();
            hello.len() as u64 + u64::from(!matches!(outcome, peer::IkServerHelloOutcome::Continue(_)))
        });
}

/// A store of begun handshakes, filled at the first use.
struct Begun<T, F> {
    make: F,
    ready: Vec<T>,
}

impl<T, F: FnMut() -> T> Begun<T, F> {
    fn new(make: F) -> Self {
        Self { make, ready: Vec::new() }
    }

    fn take(&mut self) -> T {
        if self.ready.is_empty() {
            // Under callgrind only what is asked for is made.
            let count = if std::env::args().any(|it| it == "--only") { 1 } else { BEGUN };
            self.ready.extend((0..count).map(|_| (self.make)()));
        }
        self.ready.pop().unwrap()
    }
}

fn digest(bytes: &[u8]) -> u64 {
    bytes.len() as u64
        + u64::from(bytes.first().copied().unwrap_or(0)) * 3
        + u64::from(bytes.last().copied().unwrap_or(0))
}
