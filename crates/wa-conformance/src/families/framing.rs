//! `framing`: a byte stream in arbitrary pieces gives these frames (chapter 01 §2).

use anyhow::Result;
use wa_noise::{FrameDecoder, frame};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", case)
}

fn case(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let chunks: Vec<Vec<u8>> = case.list("chunks")?.iter().map(Reader::as_hex).collect::<Result<_>>()?;
    let expected: Vec<Vec<u8>> = case.list("frames")?.iter().map(Reader::as_hex).collect::<Result<_>>()?;
    let left = case.u64("bytes_left_in_buffer")?;

    let stream = chunks.concat();
    let bytes: Vec<Vec<u8>> = stream.iter().map(|byte| vec![*byte]).collect();
    for pieces in [&chunks, &bytes, &vec![stream.clone()]] {
        let (mut copied, mut owned) = (FrameDecoder::new(), FrameDecoder::new());
        let (mut from_copied, mut from_owned) = (Vec::new(), Vec::new());
        for piece in pieces {
            copied.push(piece);
            drain(&mut copied, &mut from_copied)?;
            owned.push_owned(piece.clone());
            drain(&mut owned, &mut from_owned)?;
        }
        for (decoder, found) in [(copied, from_copied), (owned, from_owned)] {
            same("number of frames", found.len(), expected.len())?;
            for (found, expected) in found.iter().zip(&expected) {
                same_bytes("frame", found, expected)?;
            }
            same("bytes left", decoder.buffered() as u64, left)?;
        }
    }

    let mut written = Vec::new();
    for payload in &expected {
        frame::write(&mut written, payload)?;
    }
    same_bytes("frames written", &written, &stream[..stream.len().saturating_sub(left as usize)])
}

fn drain(decoder: &mut FrameDecoder, found: &mut Vec<Vec<u8>>) -> Result<()> {
    while let Some(frame) = decoder.next_frame()? {
        found.push(frame.to_vec());
    }
    Ok(())
}
