//! What the three Noise families share: both ends driven through a case, its transport frames, and its trace replayed
//! step by step (chapter 01 §4).

use anyhow::{Context, Result, bail, ensure};
use wa_crypto::Secret;
use wa_noise::{
    ClientHandshake, ClientParameters, FrameDecoder, FrameOpener, FrameSealer, Header, HelloReply, IkPolicy,
    KeyPair, Opening, Pattern, PrivateKey, PublicKey, RootCa, ServerHandshake, ServerIdentity,
    SymmetricState, frame, nonce, verify_chain,
};

use crate::{Reader, same, same_bytes};

/// Runs one case of a family whose handshake ends in `pattern`.
pub(super) fn run(case: &Reader<'_>, pattern: Pattern) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    same_bytes("pattern", pattern.protocol_name(), case.hex("pattern")?)?;
    let keys = Keys::read(case)?;
    handshake(case, &keys, pattern)?;
    let (to_server, to_client, hash) = trace(case, &keys, pattern)?;
    same_bytes("transcript hash", hash, case.hex("final_handshake_hash")?)?;
    same_bytes("client write key", to_server.expose(), case.hex("client_write_key")?)?;
    same_bytes("client read key", to_client.expose(), case.hex("client_read_key")?)?;
    let transport = case.field("transport")?;
    frames(&transport.nonempty_list("client_to_server")?, &to_server)?;
    frames(&transport.nonempty_list("server_to_client")?, &to_client)
}

/// A key pair of a case; its public half must belong to its private one.
pub(super) fn key_pair(pair: &Reader<'_>) -> Result<KeyPair> {
    pair_of(pair, "private", "public")
}

/// The same from two fields of one object.
pub(super) fn pair_of(object: &Reader<'_>, private: &str, public: &str) -> Result<KeyPair> {
    let pair = KeyPair::from(PrivateKey::from_bytes(object.hex_array(private)?));
    same_bytes(public, pair.public().as_bytes(), object.hex(public)?)?;
    Ok(pair)
}

struct Keys {
    client: KeyPair,
    client_ephemeral: KeyPair,
    server: KeyPair,
    server_ephemeral: KeyPair,
}

impl Keys {
    fn read(case: &Reader<'_>) -> Result<Self> {
        Ok(Self {
            client: key_pair(&case.field("client_static")?)?,
            client_ephemeral: key_pair(&case.field("client_ephemeral")?)?,
            server: key_pair(&case.field("server_static")?)?,
            server_ephemeral: key_pair(&case.field("server_ephemeral")?)?,
        })
    }
}

/// Our two ends against the case's bytes and against each other.
fn handshake(case: &Reader<'_>, keys: &Keys, pattern: Pattern) -> Result<()> {
    let header = Header::parse(case.hex_array("prologue")?)?;
    let payload = case.hex("client_payload")?;
    let chain = case.hex("cert_chain")?;
    let now = case.u64("cert_valid_at")?;
    let root = RootCa {
        public_key: PublicKey::from_bytes(case.hex_array("root_public_key")?),
        serial: case.u32("root_serial")?,
    };
    verify_chain(&chain, keys.server.public(), &root, now)?;
    let opening = match pattern {
        Pattern::Xx => Opening::Xx,
        Pattern::Ik => Opening::Ik(*keys.server.public()),
        Pattern::XxFallback => Opening::Ik(*stale_key(case)?.public()),
    };

    let parameters =
        ClientParameters { noise_key: keys.client.clone(), root, header, payload: payload.clone() };
    let (mut client, hello) =
        ClientHandshake::start_with(parameters, opening, keys.client_ephemeral.clone())?;
    same_bytes("ClientHello", &hello, case.hex("client_hello")?)?;
    let routing = case.opt_hex("routing_info")?;
    let mut wire = Vec::new();
    frame::write_opening(&mut wire, header, routing.as_deref(), &hello)?;
    same_bytes("first bytes on the wire", &wire, case.hex("client_hello_wire")?)?;

    let mut decoder = FrameDecoder::new();
    decoder.push(&wire);
    let intro = decoder.next_intro()?.context("the intro is incomplete")?;
    same("routing", &intro.routing_info, &routing)?;
    let hello = decoder.next_frame()?.context("the ClientHello is incomplete")?;
    let identity = ServerIdentity { noise_key: keys.server.clone(), chain: chain.into() };
    let mut server = ServerHandshake::new(identity, intro.header, IkPolicy::Accept);
    let (reply, early) = match server.read_client_hello_with(hello, keys.server_ephemeral.clone())? {
        HelloReply::AwaitFinish { server_hello } => (server_hello, None),
        HelloReply::Established { server_hello, established } => (server_hello, Some(*established)),
    };
    same_bytes("ServerHello", &reply, case.hex("server_hello")?)?;
    same_bytes("ServerHello on the wire", framed(&reply)?, case.hex("server_hello_wire")?)?;

    let mut client = client.read_server_hello(&reply, now)?;
    same("pattern of the client", client.pattern, pattern)?;
    let mut server = match (early, &client.client_finish) {
        (Some(established), None) => established,
        (None, Some(finish)) => {
            same_bytes("ClientFinish", finish, case.hex("client_finish")?)?;
            same_bytes("ClientFinish on the wire", framed(finish)?, case.hex("client_finish_wire")?)?;
            server.read_client_finish(finish)?
        }
        _ => bail!("the two ends finished different patterns"),
    };
    same("pattern of the server", server.pattern, pattern)?;
    same_bytes("login payload", &server.payload, &payload)?;
    same_bytes("client's key", server.client_key.as_bytes(), keys.client.public().as_bytes())?;
    same_bytes("hash of the server", server.handshake_hash, client.handshake_hash)?;
    same_bytes("hash of the client", client.handshake_hash, case.hex("final_handshake_hash")?)?;

    let transport = case.field("transport")?;
    cross(&transport.list("client_to_server")?, &mut client.transport.sealer, &mut server.transport.opener)?;
    cross(&transport.list("server_to_client")?, &mut server.transport.sealer, &mut client.transport.opener)
}

fn stale_key(case: &Reader<'_>) -> Result<KeyPair> {
    same_bytes("pattern of the first try", Pattern::Ik.protocol_name(), case.hex("ik_pattern")?)?;
    pair_of(case, "stale_server_static_private", "stale_server_static_public")
}

fn framed(message: &[u8]) -> Result<Vec<u8>> {
    let mut wire = Vec::new();
    frame::write(&mut wire, message)?;
    Ok(wire)
}

/// Sends the frames of one direction from end to end.
fn cross(expected: &[Reader<'_>], sealer: &mut FrameSealer, opener: &mut FrameOpener) -> Result<()> {
    for item in expected {
        let plaintext = item.hex("plaintext")?;
        same("counter", u64::from(sealer.frames()), item.u64("counter")?)?;
        let mut wire = Vec::new();
        sealer.seal(&mut wire, &plaintext)?;
        same_bytes("frame", &wire, item.hex("wire_frame")?)?;
        let mut decoder = FrameDecoder::new();
        decoder.push(&wire);
        let sealed = decoder.next_frame()?.context("the frame is incomplete")?;
        same_bytes("opened frame", opener.open(sealed)?, &plaintext)?;
    }
    Ok(())
}

/// The frames of one direction under the case's own key.
fn frames(expected: &[Reader<'_>], key: &Secret<32>) -> Result<()> {
    let (mut sealer, mut opener) = (FrameSealer::new(key), FrameOpener::new(key));
    for item in expected {
        let counter = item.u32("counter")?;
        same_bytes("nonce", nonce(counter), item.hex("nonce")?)?;
        let mut wire = Vec::new();
        sealer.seal(&mut wire, &item.hex("plaintext")?)?;
        same_bytes("ciphertext", &wire[frame::HEADER_LEN..], item.hex("ciphertext")?)?;
        opener.open(&mut wire[frame::HEADER_LEN..])?;
    }
    Ok(())
}

/// Replays the trace on the symmetric state, comparing it after every step; gives the transport keys and the hash.
fn trace(case: &Reader<'_>, keys: &Keys, pattern: Pattern) -> Result<(Secret<32>, Secret<32>, [u8; 32])> {
    let steps = case.nonempty_list("trace")?;
    let (first, rest) = steps.split_first().context("empty trace")?;
    let mut state = SymmetricState::new(pattern);
    ensure!(first.str("step")?.starts_with("init"), "the trace does not start with init");
    compare(&state, first)?;
    for step in rest {
        let name = step.str("step")?;
        apply(&mut state, case, keys, name).with_context(|| format!("step {name}"))?;
        compare(&state, step).with_context(|| format!("step {name}"))?;
    }
    let (to_server, to_client) = state.split();
    Ok((to_server, to_client, *state.hash()))
}

fn apply(state: &mut SymmetricState, case: &Reader<'_>, keys: &Keys, step: &str) -> Result<()> {
    // A remark in parentheses may follow.
    let step = step.split(" (").next().unwrap_or(step);
    let (verb, what) = step.split_once(' ').context("a step is a verb and a thing")?;
    let value = match what {
        "prologue" => case.hex("prologue")?,
        "client ephemeral" => keys.client_ephemeral.public().as_bytes().to_vec(),
        "server ephemeral" => keys.server_ephemeral.public().as_bytes().to_vec(),
        "client static" => keys.client.public().as_bytes().to_vec(),
        "server static" | "known server static" => keys.server.public().as_bytes().to_vec(),
        "cert chain" => case.hex("cert_chain")?,
        "client payload" => case.hex("client_payload")?,
        "ee" => return Ok(state.mix_agreement(&keys.client_ephemeral, keys.server_ephemeral.public())?),
        "es" => return Ok(state.mix_agreement(&keys.client_ephemeral, keys.server.public())?),
        "se" => return Ok(state.mix_agreement(&keys.client, keys.server_ephemeral.public())?),
        "ss" => return Ok(state.mix_agreement(&keys.client, keys.server.public())?),
        other => bail!("unknown thing {other}"),
    };
    match verb {
        "mixHash" => state.mix_hash(&value),
        "encrypt" => {
            state.encrypt(&value)?;
        }
        other => bail!("unknown verb {other}"),
    }
    Ok(())
}

fn compare(state: &SymmetricState, step: &Reader<'_>) -> Result<()> {
    let (ck, k, n) = state.reveal();
    same_bytes("h", state.hash(), step.hex("h")?)?;
    same_bytes("ck", ck, step.hex("ck")?)?;
    same_bytes("k", k, step.hex("k")?)?;
    same("n", u64::from(n), step.u64("n")?)
}
