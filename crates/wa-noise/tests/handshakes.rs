//! Both ends against each other: the patterns, the fallback, and what ends a handshake (chapter 01 §4).

mod common;

use common::{NOW, PAYLOAD, World, run};
use wa_noise::*;

fn assert_connected(mut client: ClientEstablished, mut server: ServerEstablished, world: &World) {
    assert_eq!(client.handshake_hash, server.handshake_hash);
    assert_eq!(server.payload, PAYLOAD);
    assert_eq!(&server.client_key, world.client_key.public());
    for text in [&b"one"[..], b"", &[7; 70_000]] {
        for (sealer, opener) in [
            (&mut client.transport.sealer, &mut server.transport.opener),
            (&mut server.transport.sealer, &mut client.transport.opener),
        ] {
            let mut wire = Vec::new();
            sealer.seal(&mut wire, text).unwrap();
            let mut decoder = FrameDecoder::new();
            decoder.push(&wire);
            let frame = decoder.next_frame().unwrap().unwrap();
            assert_eq!(opener.open(frame).unwrap(), text);
        }
    }
}

#[test]
fn xx_connects_and_gives_the_server_to_cache() {
    let mut world = World::new(1);
    let (client, server) = run(&mut world, Opening::Xx, IkPolicy::Accept, &mut |_, _| {}).unwrap();
    assert_eq!((client.pattern, server.pattern), (Pattern::Xx, Pattern::Xx));
    let known = client.server.unwrap();
    assert_eq!(&known.leaf.key, world.server.noise_key.public());
    assert!(known.usable_at(NOW));
    assert!(!known.usable_at(known.leaf.not_after));
    assert!(!known.usable_at(known.leaf.not_before - 1));
    assert_connected(client, server, &world);
}

#[test]
fn ik_connects_without_a_finish() {
    let mut world = World::new(2);
    let opening = world.ik();
    let (client, server) = run(&mut world, opening, IkPolicy::Accept, &mut |_, _| {}).unwrap();
    assert_eq!((client.pattern, server.pattern), (Pattern::Ik, Pattern::Ik));
    assert!(client.client_finish.is_none() && client.server.is_none());
    assert_connected(client, server, &world);
}

#[test]
fn a_stale_key_or_a_refusing_server_falls_back() {
    let mut world = World::new(3);
    let stale = Opening::Ik(*KeyPair::generate(&mut world.rng).public());
    let fresh = world.ik();
    for (opening, policy) in [(stale, IkPolicy::Accept), (fresh, IkPolicy::Refuse)] {
        let (client, server) = run(&mut world, opening, policy, &mut |_, _| {}).unwrap();
        assert_eq!((client.pattern, server.pattern), (Pattern::XxFallback, Pattern::XxFallback));
        assert!(client.server.is_some());
        assert_connected(client, server, &world);
    }
}

#[test]
fn the_bytes_really_sent_are_the_prologue() {
    let mut world = World::new(4);
    let (mut client, hello) =
        ClientHandshake::start(world.parameters(), Opening::Xx, &mut world.rng).unwrap();
    let other = Header::parse(*b"WA\x06\x02").unwrap();
    let mut server = ServerHandshake::new(world.server.clone(), other, IkPolicy::Accept);
    let HelloReply::AwaitFinish { server_hello } = server.read_client_hello(&hello, &mut world.rng).unwrap()
    else {
        panic!("XX waits for a finish");
    };
    assert_eq!(
        client.read_server_hello(&server_hello, NOW).unwrap_err(),
        NoiseError::Authentication(Field::Static)
    );
}

#[test]
fn a_failed_handshake_stays_failed_and_says_which_pattern_it_was() {
    let mut world = World::new(5);
    let opening = world.ik();
    let (mut client, hello) = ClientHandshake::start(world.parameters(), opening, &mut world.rng).unwrap();
    let mut server = world.responder(IkPolicy::Accept);
    let HelloReply::Established { server_hello, .. } =
        server.read_client_hello(&hello, &mut world.rng).unwrap()
    else {
        panic!("IK is accepted");
    };
    let mut broken = server_hello.clone();
    *broken.last_mut().unwrap() ^= 1;
    let error = client.read_server_hello(&broken, NOW).unwrap_err();
    assert!(error.is_peer_fault());
    assert_eq!(client.pattern(), Pattern::Ik);
    assert_eq!(client.read_server_hello(&server_hello, NOW).unwrap_err(), NoiseError::Ended);
    assert_eq!(server.read_client_hello(&hello, &mut world.rng).unwrap_err(), NoiseError::Ended);
    assert_eq!(server.read_client_finish(&hello).unwrap_err(), NoiseError::Ended);
}

#[test]
fn low_order_ephemerals_are_refused_by_both_ends() {
    let mut world = World::new(6);
    // The ephemeral stands behind four bytes of protobuf in both messages.
    for step in [common::Step::ClientHello, common::Step::ServerHello] {
        let result = run(&mut world, Opening::Xx, IkPolicy::Accept, &mut |at, message| {
            if at == step {
                let start = message.windows(2).position(|pair| pair == [0x0a, 32]).unwrap() + 2;
                message[start..start + 32].fill(0);
            }
        });
        assert_eq!(result.unwrap_err(), NoiseError::LowOrderPoint);
    }
}

#[test]
fn malformed_messages_are_errors() {
    let mut world = World::new(7);
    let cases: [&[u8]; 6] = [b"", b"\xff", b"\x12\x00", b"\x1a\x00", b"\x22\x00", b"\x12\x02\x0a\x00"];
    for message in cases {
        assert!(world.responder(IkPolicy::Accept).read_client_hello(message, &mut world.rng).is_err());
        let (mut client, hello) =
            ClientHandshake::start(world.parameters(), Opening::Xx, &mut world.rng).unwrap();
        assert!(client.read_server_hello(message, NOW).is_err());
        let mut server = world.responder(IkPolicy::Accept);
        server.read_client_hello(&hello, &mut world.rng).unwrap();
        assert!(server.read_client_finish(message).is_err());
    }
}

#[test]
fn a_chain_that_the_root_did_not_sign_ends_the_handshake() {
    let mut world = World::new(8);
    world.root.public_key = *KeyPair::generate(&mut world.rng).public();
    assert_eq!(
        run(&mut world, Opening::Xx, IkPolicy::Accept, &mut |_, _| {}).unwrap_err(),
        CertificateFault::Signature(Link::Intermediate).into()
    );
}
