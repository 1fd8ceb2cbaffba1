//! As much of WebP as a sticker message needs: whether it moves, and where its first frame ends (chapter 06 §3).

/// Whether the file is a WebP with the animation flag set. The first 21 bytes are enough.
pub fn is_animated(file: &[u8]) -> bool {
    const ANIMATION: u8 = 0x02;
    is_webp(file)
        && file.get(12..16) == Some(b"VP8X")
        && file.get(20).is_some_and(|flags| flags & ANIMATION != 0)
}

/// Whether the file starts like a WebP.
pub fn is_webp(file: &[u8]) -> bool {
    file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP")
}

/// Where the first frame of an animation ends, in bytes from the start of the file: just behind the first `ANMF`
/// chunk. `file` may be a prefix that reaches into that chunk. `None` when there is none.
pub fn first_frame_length(file: &[u8]) -> Option<u64> {
    if !is_webp(file) {
        return None;
    }
    let mut at: u64 = 12;
    loop {
        let header = file.get(usize::try_from(at).ok()?..)?.first_chunk::<8>()?;
        let [name @ .., a, b, c, d] = header;
        let size = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
        // Chunks are padded to even sizes.
        at += 8 + size + size % 2;
        if name == b"ANMF" {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunks: &[(&[u8; 4], usize)]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
        for (name, size) in chunks {
            file.extend_from_slice(*name);
            file.extend_from_slice(&(*size as u32).to_le_bytes());
            file.extend(std::iter::repeat_n(2, size + size % 2));
        }
        file
    }

    #[test]
    fn the_first_frame_ends_behind_its_padded_chunk() {
        let animated = file(&[(b"VP8X", 10), (b"ANIM", 6), (b"ANMF", 33), (b"ANMF", 5)]);
        assert!(is_animated(&animated));
        let end = 12 + 18 + 14 + 8 + 34;
        assert_eq!(first_frame_length(&animated), Some(end));
        // The chunk's header is enough.
        assert_eq!(first_frame_length(&animated[..12 + 18 + 14 + 8]), Some(end));
    }

    #[test]
    fn what_does_not_move_has_no_first_frame() {
        let still = file(&[(b"VP8 ", 100)]);
        assert!(is_webp(&still) && !is_animated(&still));
        assert_eq!(first_frame_length(&still), None);
        for len in 0..still.len() {
            assert_eq!(first_frame_length(&still[..len]), None);
        }
        assert_eq!(first_frame_length(&[b"RIFF\0\0\0\0WEBPANIM", &[0xFF; 4][..]].concat()), None);
    }
}
