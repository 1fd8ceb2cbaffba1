//! The server's handshakes: any bytes as ClientHello and ClientFinish, any payload of a good client, any change of
//! what a good client sent. Only what the client sealed arrives. The first byte chooses which.
//! Seeds: noise-xx.json client_hello client_finish
//! Seeds: noise-ik.json client_hello
//! Seeds: noise-xxfallback.json client_hello client_finish
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_noise::{
    CertificateDetails, ClientHandshake, ClientParameters, Header, HelloReply, IkPolicy, KeyPair, Opening,
    PrivateKey, RootCa, ServerHandshake, ServerIdentity, build_chain,
};

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    // Bytes of nobody go to a server that no client below seals for: the fuzzer learns those messages.
    let (root, server) = (key(1), if choice & 4 == 0 { key(6) } else { key(2) });
    let details = |serial, issuer_serial, key: &KeyPair| CertificateDetails {
        serial,
        issuer_serial,
        key: *key.public(),
        not_before: 0,
        not_after: u64::MAX,
    };
    let chain = build_chain(
        root.private(),
        root.private(),
        &details(1, 0, &root),
        &details(2, 1, &server),
        &mut Fixed,
    );
    let opening = if choice & 1 == 0 { Opening::Xx } else { Opening::Ik(*server.public()) };
    let policy = if choice & 2 == 0 { IkPolicy::Refuse } else { IkPolicy::Accept };
    let identity = ServerIdentity { noise_key: server, chain: chain.into() };
    let mut responder = ServerHandshake::new(identity, Header::CURRENT, policy);
    if choice & 4 == 0 {
        // Bytes of nobody. A ClientHello of any ephemeral is answered, but no ClientFinish follows from it.
        if let Ok(HelloReply::Established { .. }) = responder.read_client_hello_with(data, key(4)) {
            panic!("an IK hello that nobody sealed");
        }
        assert!(responder.read_client_finish(data).is_err());
        return;
    }
    let (payload, change) =
        if choice & 8 == 0 { (data, None) } else { (&[1; 9][..], data.first_chunk::<3>()) };
    let parameters = ClientParameters {
        noise_key: key(3),
        root: RootCa { public_key: *root.public(), serial: 0 },
        header: Header::CURRENT,
        payload: payload.to_vec(),
    };
    let (mut client, mut hello) = ClientHandshake::start_with(parameters, opening, key(5)).unwrap();
    if choice & 16 == 0 {
        alter(&mut hello, change);
    }
    let (reply, early) = match responder.read_client_hello_with(&hello, key(4)) {
        Ok(HelloReply::AwaitFinish { server_hello }) => (server_hello, None),
        Ok(HelloReply::Established { server_hello, established }) => (server_hello, Some(established)),
        Err(_) => return,
    };
    let client = client.read_server_hello(&reply, 1);
    if let Some(established) = early {
        assert!(client.is_ok() && established.payload == payload);
        return;
    }
    let Some(mut finish) = client.ok().and_then(|client| client.client_finish) else { return };
    let before = finish.clone();
    if choice & 16 != 0 {
        alter(&mut finish, change);
    }
    match responder.read_client_finish(&finish) {
        Ok(established) => assert!(finish == before && established.payload == payload),
        Err(_) => assert_ne!(finish, before),
    }
});

fn alter(message: &mut [u8], change: Option<&[u8; 3]>) {
    if let Some([high, low, xor]) = change {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % message.len();
        message[at] ^= xor;
    }
}

fn key(seed: u8) -> KeyPair {
    PrivateKey::from_bytes([seed; 32]).into()
}

/// Signatures need randomness; the same every time will do here.
struct Fixed;

impl wa_noise::rand_core::TryRng for Fixed {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(7)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(7)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.fill(7);
        Ok(())
    }
}

impl wa_noise::rand_core::TryCryptoRng for Fixed {}
