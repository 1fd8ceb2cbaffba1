//! As much of MP4 (ISO 14496-12) as a message says about a video or an M4A: how long it is and how large. Boxes are walked
//! by their headers; nothing of a length that the file announces is held.

use std::io::{self, Read, Seek, SeekFrom};

use wa_core::content::Dimensions;

/// Boxes that are looked at in one file; more make no film.
const MOST_BOXES: u32 = 4096;
/// Bytes of the longest header that is read of `mvhd` and `tkhd`.
const HEADER: usize = 112;

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Film {
    pub(super) seconds: Option<u32>,
    pub(super) dimensions: Option<Dimensions>,
}

struct Walk<'f, F> {
    file: &'f mut F,
    left: u32,
    film: Film,
}

/// Reads the boxes of a file. What is no MP4 has nothing in it.
///
/// # Errors
/// Those of the file.
pub(super) fn read<F: Read + Seek>(file: &mut F) -> io::Result<Film> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut walk = Walk { file, left: MOST_BOXES, film: Film::default() };
    walk.boxes(0, end, 0)?;
    Ok(walk.film)
}

impl<F: Read + Seek> Walk<'_, F> {
    /// Looks at the boxes between two places.
    fn boxes(&mut self, mut at: u64, end: u64, depth: u32) -> io::Result<()> {
        while end.saturating_sub(at) >= 8 && self.left > 0 {
            self.left -= 1;
            let mut header = [0; 16];
            self.read_at(at, &mut header[..8])?;
            let [a, b, c, d, name @ .., _, _, _, _, _, _, _, _] = header;
            let (size, skip) = match u32::from_be_bytes([a, b, c, d]) {
                // To the end of the file.
                0 => (end - at, 8),
                1 if end - at >= 16 => {
                    self.read_at(at + 8, &mut header[8..])?;
                    let [_, _, _, _, _, _, _, _, long @ ..] = header;
                    (u64::from_be_bytes(long), 16)
                }
                size => (u64::from(size), 8),
            };
            if size < skip || size > end - at {
                return Ok(());
            }
            let (body, next) = (at + skip, at + size);
            match &name {
                b"moov" | b"trak" if depth < 3 => self.boxes(body, next, depth + 1)?,
                b"mvhd" => self.movie_header(body, next)?,
                b"tkhd" => self.track_header(body, next)?,
                _ => {}
            }
            at = next;
        }
        Ok(())
    }

    fn read_at(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(into)
    }

    fn header(&mut self, at: u64, end: u64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(HEADER);
        let mut bytes = vec![0; length];
        self.read_at(at, &mut bytes)?;
        Ok(bytes)
    }

    fn movie_header(&mut self, at: u64, end: u64) -> io::Result<()> {
        let bytes = self.header(at, end)?;
        let number = |at: usize, long: bool| -> Option<u64> {
            match long {
                true => Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?)),
                false => Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?).into()),
            }
        };
        // Version 1 has times of 64 bits.
        let is_long = bytes.first() == Some(&1);
        let (scale, duration) = if is_long { (20, 24) } else { (12, 16) };
        let known = number(scale, false).zip(number(duration, is_long));
        if let Some((scale, duration)) = known.filter(|(scale, _)| *scale > 0) {
            let is_unknown = duration == u64::from(u32::MAX) || duration == u64::MAX;
            self.film.seconds =
                u32::try_from(duration.div_ceil(scale)).ok().filter(|seconds| !is_unknown && *seconds > 0);
        }
        Ok(())
    }

    fn track_header(&mut self, at: u64, end: u64) -> io::Result<()> {
        let bytes = self.header(at, end)?;
        let matrix = if bytes.first() == Some(&1) { 52 } else { 40 };
        let number = |at: usize| Some(i32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let Some((width, height)) = number(matrix + 36).zip(number(matrix + 40)) else { return Ok(()) };
        // Fixed point, 16.16; an audio track has none.
        let (width, height) = (width.cast_unsigned() >> 16, height.cast_unsigned() >> 16);
        if width == 0 || height == 0 || self.film.dimensions.is_some() {
            return Ok(());
        }
        // A quarter turn: the first element is zero, the second is not.
        let is_turned = number(matrix) == Some(0) && number(matrix + 4).is_some_and(|b| b != 0);
        let (width, height) = if is_turned { (height, width) } else { (width, height) };
        self.film.dimensions = Some(Dimensions::new(width, height));
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], name, body].concat()
    }

    /// A film without pictures, whose headers say this.
    pub(crate) fn film(width: u16, height: u16, seconds: u32, turned: bool) -> Vec<u8> {
        let mut mvhd = vec![0; 100];
        mvhd[12..16].copy_from_slice(&1000_u32.to_be_bytes());
        mvhd[16..20].copy_from_slice(&(seconds * 1000).to_be_bytes());
        let mut tkhd = vec![0; 84];
        let (a, b) = if turned { (0, 0x1_0000_u32) } else { (0x1_0000_u32, 0) };
        tkhd[40..44].copy_from_slice(&a.to_be_bytes());
        tkhd[44..48].copy_from_slice(&b.to_be_bytes());
        tkhd[76..80].copy_from_slice(&(u32::from(width) << 16).to_be_bytes());
        tkhd[80..84].copy_from_slice(&(u32::from(height) << 16).to_be_bytes());
        let trak = boxed(b"trak", &boxed(b"tkhd", &tkhd));
        let moov = boxed(b"moov", &[boxed(b"mvhd", &mvhd), trak].concat());
        [boxed(b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41"), boxed(b"mdat", &[7; 5000]), moov].concat()
    }

    #[test]
    fn length_and_size_are_read_and_a_turned_film_is_upright() {
        let read = |bytes: Vec<u8>| read(&mut Cursor::new(bytes)).unwrap();
        let found = Film { seconds: Some(12), dimensions: Some(Dimensions::new(640, 360)) };
        assert_eq!(read(film(640, 360, 12, false)), found);
        assert_eq!(read(film(640, 360, 12, true)).dimensions, Some(Dimensions::new(360, 640)));
        assert_eq!(read(Vec::new()), Film::default());
        assert_eq!(read(vec![0xFF; 4000]), Film::default());
    }

    #[test]
    fn broken_boxes_end_the_walk() {
        let whole = film(640, 360, 12, false);
        for cut in 0..whole.len() {
            // No panic, no loop; what is cut off is missing.
            let _ = read(&mut Cursor::new(&whole[..cut]));
        }
        for place in 0..whole.len() {
            let mut bent = whole.clone();
            bent[place] ^= 0xFF;
            let _ = read(&mut Cursor::new(bent));
        }
        // A box in itself, over and over.
        let endless = boxed(b"moov", &boxed(b"moov", &boxed(b"moov", &boxed(b"moov", &[0; 64]))));
        assert_eq!(read(&mut Cursor::new(endless)).unwrap(), Film::default());
    }
}
