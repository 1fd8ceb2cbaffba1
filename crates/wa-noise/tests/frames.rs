//! Properties of the frame layer: chunking never matters, arbitrary bytes never panic and never allocate beyond what
//! arrived.

use proptest::prelude::*;
use wa_noise::{FrameDecoder, MAX_FRAME, NoiseError, frame};

fn drain(decoder: &mut FrameDecoder, found: &mut Vec<Vec<u8>>) -> Result<(), NoiseError> {
    while let Some(frame) = decoder.next_frame()? {
        found.push(frame.to_vec());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_frames(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..12),
        cuts in prop::collection::vec(1usize..900, 1..40),
        owned in any::<bool>(),
    ) {
        let mut wire = Vec::new();
        for payload in &frames {
            frame::write(&mut wire, payload).unwrap();
        }
        let mut decoder = FrameDecoder::new();
        let (mut found, mut rest, mut cuts) = (Vec::new(), &wire[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            if owned { decoder.push_owned(chunk.to_vec()) } else { decoder.push(chunk) }
            drain(&mut decoder, &mut found).unwrap();
            rest = tail;
        }
        prop_assert_eq!(found, frames);
        prop_assert_eq!(decoder.buffered(), 0);
    }

    #[test]
    fn arbitrary_bytes_never_allocate_beyond_what_arrived(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
        limit in prop::sample::select(vec![16, 1 << 12, MAX_FRAME]),
    ) {
        let mut decoder = FrameDecoder::with_limit(limit);
        let arrived: usize = chunks.iter().map(Vec::len).sum();
        let _ = decoder.next_intro();
        for chunk in chunks {
            decoder.push(&chunk);
            if drain(&mut decoder, &mut Vec::new()).is_err() {
                break;
            }
            prop_assert!(decoder.capacity() <= 2 * arrived + 64);
        }
    }
}
