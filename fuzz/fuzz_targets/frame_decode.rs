//! The frame layer: any bytes in any chunks give the same frames as in one, memory follows what arrived, and nothing
//! that no peer sealed is ever opened. The first two bytes choose chunking and limit.
//! Seeds: framing.json chunks frames
//! Seeds: noise-xx.json client_hello_wire server_hello_wire wire_frame
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_crypto::Secret;
use wa_noise::{FrameDecoder, FrameOpener, Intro, MAX_FRAME, NoiseError};

fuzz_target!(|data: &[u8]| {
    let Some(([chunk, choice], stream)) = data.split_first_chunk::<2>() else { return };
    let limit = if choice & 1 == 0 { MAX_FRAME } else { 256 };
    let as_server = choice & 2 == 0;
    let whole = decode(&[stream], limit, as_server, false);
    let chunks: Vec<&[u8]> = stream.chunks(usize::from(*chunk) + 1).collect();
    for owned in [false, true] {
        assert_eq!(decode(&chunks, limit, as_server, owned), whole);
    }
    let mut opener = FrameOpener::new(&Secret::new([7; 32]));
    for mut frame in whole.1 {
        assert!(opener.open(&mut frame).is_err());
    }
});

type Decoded = (Option<Intro>, Vec<Vec<u8>>, Option<NoiseError>);

fn decode(chunks: &[&[u8]], limit: usize, as_server: bool, owned: bool) -> Decoded {
    let mut decoder = FrameDecoder::with_limit(limit);
    let (mut intro, mut frames, mut arrived) = (None, Vec::new(), 0);
    for chunk in chunks {
        arrived += chunk.len();
        if owned {
            decoder.push_owned(chunk.to_vec())
        } else {
            decoder.push(chunk)
        }
        assert!(decoder.buffered() <= arrived);
        assert!(decoder.capacity() <= 2 * arrived + 64);
        if as_server && intro.is_none() {
            match decoder.next_intro() {
                Ok(Some(found)) => intro = Some(found),
                Ok(None) => continue,
                Err(error) => return (None, frames, Some(error)),
            }
        }
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => return (intro, frames, Some(error)),
            }
        }
    }
    (intro, frames, None)
}
