//! One changed bit anywhere: an error, or in a length header an unfinished frame, never other plaintext. Exhaustive
//! over every bit of every handshake message and of frames. Each check is also run against a deliberately broken
//! receiver, which it must catch.

mod common;

use common::{PAYLOAD, Step, World, run};
use wa_noise::*;

/// What one changed bit led to.
#[derive(Debug, PartialEq, Eq)]
enum Harm {
    /// Both ends stand as if nothing had happened.
    Unnoticed(usize),
    /// The receiver took something for plaintext.
    OtherPlaintext(usize),
}

/// Tries every bit of `wire` on `open`, which gives the plaintexts it accepts.
fn harm(
    wire: &[u8],
    plaintext: &[u8],
    mut open: impl FnMut(&[u8]) -> Result<Vec<Vec<u8>>, NoiseError>,
) -> Option<Harm> {
    for bit in 0..wire.len() * 8 {
        let mut changed = wire.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Some(found) = open(&changed).unwrap_or_default().into_iter().next() {
            return Some(if found == plaintext { Harm::Unnoticed(bit) } else { Harm::OtherPlaintext(bit) });
        }
    }
    None
}

fn decode(wire: &[u8]) -> Result<Vec<Vec<u8>>, NoiseError> {
    let mut decoder = FrameDecoder::new();
    decoder.push(wire);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        frames.push(frame.to_vec());
    }
    Ok(frames)
}

fn key() -> wa_crypto::Secret<32> {
    wa_crypto::Secret::new([9; 32])
}

#[test]
fn no_changed_bit_of_a_frame_gives_plaintext() {
    for text in [&b""[..], b"a", &[0x5A; 100], &[1; 1024]] {
        let mut wire = Vec::new();
        FrameSealer::new(&key()).seal(&mut wire, text).unwrap();
        let found = harm(&wire, text, |changed| {
            let mut opener = FrameOpener::new(&key());
            decode(changed)?
                .into_iter()
                .map(|mut frame| opener.open(&mut frame).map(|text| text.to_vec()))
                .collect()
        });
        assert_eq!(found, None);
    }
}

#[test]
fn the_check_catches_a_receiver_that_ignores_the_tag() {
    let mut wire = Vec::new();
    FrameSealer::new(&key()).seal(&mut wire, b"plaintext").unwrap();
    let careless = |changed: &[u8]| {
        // GCM without its tag is counter mode from block 2 on.
        let mut frames = decode(changed)?;
        for frame in &mut frames {
            frame.truncate(frame.len().saturating_sub(16));
            let mut block = [0; 16];
            block[15] = 2;
            wa_crypto::ctr::apply(key().expose(), &block, frame);
        }
        Ok(frames)
    };
    assert!(matches!(harm(&wire, b"plaintext", careless), Some(Harm::OtherPlaintext(_))));
}

/// Runs a handshake per bit of the message at `step` and reports the first that both ends accepted.
fn handshake_harm(opening: fn(&World) -> Opening, policy: IkPolicy, step: Step, mend: bool) -> Option<usize> {
    let mut bits = 0;
    let mut bit = 0;
    loop {
        let mut world = World::new(bit as u64);
        let opening = opening(&world);
        let result = run(&mut world, opening, policy, &mut |at, message| {
            if at == step {
                bits = message.len() * 8;
                message[bit / 8] ^= 1 << (bit % 8);
                if mend {
                    // Sabotage: as if the bit had never mattered to the receiver.
                    message[bit / 8] ^= 1 << (bit % 8);
                }
            }
        });
        assert!(bits > 0, "the handshake has no {step:?}");
        if let Ok((client, server)) = result {
            // A spoilt IK hello may only lead to the fallback, which carries the payload anew.
            let fell_back = step == Step::ClientHello
                && client.pattern == Pattern::XxFallback
                && server.pattern == Pattern::XxFallback
                && policy == IkPolicy::Accept
                && client.handshake_hash == server.handshake_hash
                && server.payload == PAYLOAD;
            if !fell_back {
                return Some(bit);
            }
        }
        bit += 1;
        if bit == bits {
            return None;
        }
    }
}

#[test]
fn no_changed_bit_of_xx_is_accepted() {
    for step in [Step::ClientHello, Step::ServerHello, Step::ClientFinish] {
        assert_eq!(handshake_harm(|_| Opening::Xx, IkPolicy::Accept, step, false), None, "{step:?}");
    }
}

#[test]
fn no_changed_bit_of_ik_is_accepted() {
    for step in [Step::ClientHello, Step::ServerHello] {
        assert_eq!(handshake_harm(World::ik, IkPolicy::Accept, step, false), None, "{step:?}");
    }
}

#[test]
fn no_changed_bit_of_the_fallback_is_accepted() {
    for step in [Step::ServerHello, Step::ClientFinish] {
        assert_eq!(handshake_harm(World::ik, IkPolicy::Refuse, step, false), None, "{step:?}");
    }
}

#[test]
fn the_check_catches_a_bit_that_does_not_matter() {
    assert_eq!(handshake_harm(|_| Opening::Xx, IkPolicy::Accept, Step::ServerHello, true), Some(0));
}

#[test]
fn a_repeated_lost_or_reordered_frame_ends_the_opener() {
    let seal = |count: u8| {
        let mut sealer = FrameSealer::new(&key());
        (0..count)
            .map(|n| {
                let mut wire = Vec::new();
                sealer.seal(&mut wire, &[n; 20]).unwrap();
                wire.split_off(frame::HEADER_LEN)
            })
            .collect::<Vec<_>>()
    };
    for order in [&[0, 0][..], &[1], &[0, 2], &[1, 0]] {
        let mut opener = FrameOpener::new(&key());
        let frames = seal(3);
        let (last, before) = order.split_last().unwrap();
        let failed_before = before.iter().any(|&index| opener.open(&mut frames[index].clone()).is_err());
        let expected =
            if failed_before { NoiseError::Ended } else { NoiseError::Authentication(Field::Frame) };
        assert_eq!(opener.open(&mut frames[*last].clone()), Err(expected), "{order:?}");
        // Not even the right one is accepted afterwards.
        for frame in &frames {
            assert_eq!(opener.open(&mut frame.clone()), Err(NoiseError::Ended));
        }
    }
}
