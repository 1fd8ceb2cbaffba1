//! The client's handshakes: any bytes as ServerHello, any certificate chain under good tags, any change of a good
//! answer. None of them may connect. The first byte chooses which.
//! Seeds: noise-xx.json server_hello cert_chain
//! Seeds: noise-ik.json server_hello
//! Seeds: cert-chain.json chain
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_noise::{
    ClientHandshake, ClientParameters, Header, HelloReply, IkPolicy, KeyPair, Opening, PrivateKey, PublicKey,
    RootCa, ServerHandshake, ServerIdentity,
};

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let server = key(1);
    let opening = if choice & 1 == 0 { Opening::Xx } else { Opening::Ik(*server.public()) };
    let parameters = ClientParameters {
        noise_key: key(2),
        root: RootCa { public_key: PublicKey::from_bytes([9; 32]), serial: 0 },
        header: Header::CURRENT,
        payload: vec![3; 20],
    };
    // Bytes of nobody go to a key that no sealed answer below is for: the fuzzer learns those.
    let ephemeral = if choice & 2 == 0 { key(5) } else { key(3) };
    let (mut client, hello) = ClientHandshake::start_with(parameters, opening, ephemeral).unwrap();
    if choice & 2 == 0 {
        assert!(client.read_server_hello(data, 1_800_000_000).is_err());
        assert!(client.read_server_hello(data, 1_800_000_000).is_err());
        return;
    }
    // A server with good keys. Its chain is the input: no input is signed by this root. IK does not look at it.
    let policy = if choice & 4 == 0 { IkPolicy::Refuse } else { IkPolicy::Accept };
    let (chain, change) = if choice & 8 == 0 { (data, None) } else { (&[][..], data.first_chunk::<3>()) };
    let identity = ServerIdentity { noise_key: server, chain: chain.to_vec().into() };
    let mut responder = ServerHandshake::new(identity, Header::CURRENT, policy);
    let (mut reply, accepted) = match responder.read_client_hello_with(&hello, key(4)).unwrap() {
        HelloReply::AwaitFinish { server_hello } => (server_hello, false),
        HelloReply::Established { server_hello, .. } => (server_hello, true),
    };
    let before = reply.clone();
    if let Some([high, low, xor]) = change {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % reply.len();
        reply[at] ^= xor;
    }
    let connected = client.read_server_hello(&reply, 1_800_000_000).is_ok();
    assert_eq!(connected, accepted && reply == before);
});

fn key(seed: u8) -> KeyPair {
    PrivateKey::from_bytes([seed; 32]).into()
}
