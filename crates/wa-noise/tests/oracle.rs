//! `snow` as an independent Noise: it runs our IK as it is, and our XX once the one step in which WhatsApp departs
//! from the standard (the empty payload of message 1 is not mixed in) has been put back. It knows no XXfallback.

mod common;

use common::{NOW, PAYLOAD, World};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use wa_crypto::digest::{Sha256, sha256};
use wa_crypto::{aead::Aes256Gcm, kdf};
use wa_noise::*;

const IK: &str = "Noise_IK_25519_AESGCM_SHA256";
const XX: &str = "Noise_XX_25519_AESGCM_SHA256";

/// The primitives of `wa-crypto` in the shape that snow asks for; the protocol logic stays snow's own.
struct Primitives;

impl CryptoResolver for Primitives {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(NoRandomness))
    }
    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        (*choice == DHChoice::Curve25519).then(|| Box::new(X25519::default()) as _)
    }
    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        (*choice == HashChoice::SHA256).then(|| Box::new(Sha::default()) as _)
    }
    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        (*choice == CipherChoice::AESGCM).then(|| Box::new(Gcm::default()) as _)
    }
}

/// Every ephemeral is fixed, so nothing is drawn.
struct NoRandomness;

impl Random for NoRandomness {
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), snow::Error> {
        Err(snow::Error::Rng)
    }
}

#[derive(Default)]
struct X25519 {
    private: [u8; 32],
    public: [u8; 32],
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }
    fn pub_len(&self) -> usize {
        32
    }
    fn priv_len(&self) -> usize {
        32
    }
    fn set(&mut self, private: &[u8]) {
        self.private.copy_from_slice(private);
        self.public = *PrivateKey::from_bytes(self.private).public_key().as_bytes();
    }
    fn generate(&mut self, _: &mut dyn Random) -> Result<(), snow::Error> {
        Err(snow::Error::Rng)
    }
    fn pubkey(&self) -> &[u8] {
        &self.public
    }
    fn privkey(&self) -> &[u8] {
        &self.private
    }
    fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        let public = PublicKey::from_raw(&public[..32]).map_err(|_| snow::Error::Dh)?;
        let shared = PrivateKey::from_bytes(self.private).agree(&public).map_err(|_| snow::Error::Dh)?;
        out[..32].copy_from_slice(shared.expose());
        Ok(())
    }
}

#[derive(Default)]
struct Sha(Sha256);

impl Hash for Sha {
    fn name(&self) -> &'static str {
        "SHA256"
    }
    fn block_len(&self) -> usize {
        64
    }
    fn hash_len(&self) -> usize {
        32
    }
    fn reset(&mut self) {
        self.0 = Sha256::new();
    }
    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }
    fn result(&mut self, out: &mut [u8]) {
        out[..32].copy_from_slice(&std::mem::take(&mut self.0).finalize());
    }
}

#[derive(Default)]
struct Gcm([u8; 32]);

impl Cipher for Gcm {
    fn name(&self) -> &'static str {
        "AESGCM"
    }
    fn set(&mut self, key: &[u8; 32]) {
        self.0 = *key;
    }
    fn encrypt(&self, n: u64, aad: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let mut buffer = plaintext.to_vec();
        Aes256Gcm::new(&self.0).seal(&nonce(n as u32), aad, &mut buffer, 0).unwrap();
        out[..buffer.len()].copy_from_slice(&buffer);
        buffer.len()
    }
    fn decrypt(&self, n: u64, aad: &[u8], sealed: &[u8], out: &mut [u8]) -> Result<usize, snow::Error> {
        let mut buffer = sealed.to_vec();
        let text = Aes256Gcm::new(&self.0)
            .open(&nonce(n as u32), aad, &mut buffer)
            .map_err(|_| snow::Error::Decrypt)?;
        out[..text.len()].copy_from_slice(text);
        Ok(text.len())
    }
}

/// snow's end of a handshake: responder with a static and an ephemeral key.
fn responder(pattern: &str, noise_key: &KeyPair, ephemeral: &KeyPair) -> snow::HandshakeState {
    snow::Builder::with_resolver(pattern.parse().unwrap(), Box::new(Primitives))
        .prologue(Header::CURRENT.as_bytes())
        .unwrap()
        .local_private_key(noise_key.private().expose())
        .unwrap()
        .fixed_ephemeral_key_for_testing_only(ephemeral.private().expose())
        .build_responder()
        .unwrap()
}

/// The parts of a ClientHello or ServerHello by protobuf field number, read without our own parser.
fn parts(message: &[u8]) -> Vec<(u8, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> usize {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
    let mut rest = &message[1..];
    let len = varint(&mut rest);
    assert_eq!(len, rest.len());
    let mut found = Vec::new();
    while let Some((&tag, tail)) = rest.split_first() {
        rest = tail;
        let len = varint(&mut rest);
        let (value, tail) = rest.split_at(len);
        found.push((tag >> 3, value.to_vec()));
        rest = tail;
    }
    found
}

fn concat(message: &[u8]) -> Vec<u8> {
    parts(message).into_iter().flat_map(|(_, value)| value).collect()
}

#[test]
fn snow_accepts_our_ik_client_and_we_accept_its_answer() {
    for seed in 0..8 {
        let mut world = World::new(seed);
        let ephemeral = KeyPair::generate(&mut world.rng);
        let (mut client, hello) =
            ClientHandshake::start(world.parameters(), world.ik(), &mut world.rng).unwrap();
        let mut peer = responder(IK, &world.server.noise_key, &ephemeral);
        let mut buffer = vec![0; 65_535];
        let len = peer.read_message(&concat(&hello), &mut buffer).unwrap();
        assert_eq!(&buffer[..len], PAYLOAD);
        assert_eq!(peer.get_remote_static().unwrap(), world.client_key.public().as_bytes());

        let len = peer.write_message(&world.server.chain, &mut buffer).unwrap();
        // The same keys in our own responder give the same bytes.
        let HelloReply::Established { server_hello, established: ours } =
            world.responder(IkPolicy::Accept).read_client_hello_with(&hello, ephemeral).unwrap()
        else {
            panic!("IK is accepted");
        };
        assert_eq!(concat(&server_hello), &buffer[..len]);
        let mut client = client.read_server_hello(&server_hello, NOW).unwrap();
        assert_eq!(peer.get_handshake_hash(), client.handshake_hash);
        assert_eq!(peer.get_handshake_hash(), ours.handshake_hash);

        let mut transport = peer.into_transport_mode().unwrap();
        for round in 0..3u8 {
            let text = vec![round; 100 * usize::from(round)];
            let mut wire = Vec::new();
            client.transport.sealer.seal(&mut wire, &text).unwrap();
            let len = transport.read_message(&wire[frame::HEADER_LEN..], &mut buffer).unwrap();
            assert_eq!(&buffer[..len], text);
            let len = transport.write_message(&text, &mut buffer).unwrap();
            assert_eq!(client.transport.opener.open(&mut buffer[..len]).unwrap(), text);
        }
    }
}

#[test]
fn snow_refuses_our_xx_as_the_departure_demands() {
    let mut world = World::new(20);
    let ephemeral = KeyPair::generate(&mut world.rng);
    let (mut client, hello) =
        ClientHandshake::start(world.parameters(), Opening::Xx, &mut world.rng).unwrap();
    let mut peer = responder(XX, &world.server.noise_key, &ephemeral);
    let mut buffer = vec![0; 65_535];
    peer.read_message(&concat(&hello), &mut buffer).unwrap();
    let len = peer.write_message(&world.server.chain, &mut buffer).unwrap();
    let sealed_static = &buffer[32..80];
    let reply = server_hello(&buffer[..32], sealed_static, &buffer[80..len]);
    assert_eq!(client.read_server_hello(&reply, NOW).unwrap_err(), NoiseError::Authentication(Field::Static));
}

/// Encodes a ServerHello without our own encoder.
fn server_hello(ephemeral: &[u8], sealed_static: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (tag, value) in [(0x0a, ephemeral), (0x12, sealed_static), (0x1a, payload)] {
        body.push(tag);
        push_varint(&mut body, value.len());
        body.extend_from_slice(value);
    }
    let mut message = vec![0x1a];
    push_varint(&mut message, body.len());
    message.extend(body);
    message
}

fn push_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[test]
fn apart_from_the_departure_our_xx_is_snows() {
    for seed in 30..38 {
        let mut world = World::new(seed);
        let [ours, theirs] = std::array::from_fn(|_| KeyPair::generate(&mut world.rng));
        let mut peer = responder(XX, &world.server.noise_key, &theirs);
        let mut buffer = vec![0; 65_535];

        let mut state = SymmetricState::new(Pattern::Xx);
        state.mix_hash(Header::CURRENT.as_bytes());
        state.mix_hash(ours.public().as_bytes());
        // The step that WhatsApp leaves out.
        state.mix_hash(b"");
        peer.read_message(ours.public().as_bytes(), &mut buffer).unwrap();

        let len = peer.write_message(&world.server.chain, &mut buffer).unwrap();
        state.mix_hash(&buffer[..32]);
        state.mix_agreement(&ours, theirs.public()).unwrap();
        let server_key = state.decrypt(Field::Static, &buffer[32..80]).unwrap();
        assert_eq!(server_key, world.server.noise_key.public().as_bytes());
        state.mix_agreement(&ours, world.server.noise_key.public()).unwrap();
        assert_eq!(state.decrypt(Field::Payload, &buffer[80..len]).unwrap(), world.server.chain);

        let mut finish = state.encrypt(world.client_key.public().as_bytes()).unwrap();
        state.mix_agreement(&world.client_key, theirs.public()).unwrap();
        finish.extend(state.encrypt(PAYLOAD).unwrap());
        let len = peer.read_message(&finish, &mut buffer).unwrap();
        assert_eq!(&buffer[..len], PAYLOAD);
        assert_eq!(peer.get_handshake_hash(), state.hash());

        let (to_server, _) = state.split();
        let mut transport = peer.into_transport_mode().unwrap();
        let mut wire = Vec::new();
        FrameSealer::new(&to_server).seal(&mut wire, b"first").unwrap();
        let len = transport.read_message(&wire[frame::HEADER_LEN..], &mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"first");
    }
}

#[test]
fn the_shared_primitives_are_not_what_the_oracle_proves() {
    // snow runs on our primitives, so those are held to published values here: SHA-256 of nothing, HKDF of RFC 5869.
    assert_eq!(sha256(&[])[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let salt: Vec<u8> = (0..=0x0c).collect();
    assert_eq!(kdf::hkdf::<42>(&salt, &[0x0b; 22], &info).expose()[..4], [0x3c, 0xb2, 0x5f, 0x25]);
}
