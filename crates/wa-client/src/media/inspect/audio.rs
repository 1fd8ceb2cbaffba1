//! How long a sound is, and what a voice note looks like: Ogg (RFC 3533, RFC 7845), MP3 and WAV by their headers, without
//! decoding. Lengths that a file announces are never believed.

use std::io::{self, Read, Seek, SeekFrom};

use wa_media::WAVEFORM_LEN;

/// Pages of an Ogg file that are looked at: an hour of speech has fewer.
const MOST_PAGES: u32 = 100_000;
/// Packets that a waveform is estimated from.
const MOST_PACKETS: usize = 1 << 20;
/// Opus always counts in 48 kHz.
const OPUS_RATE: u64 = 48_000;

/// What was found in an Ogg file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ogg {
    /// Channels of an Opus stream; `None` for another codec.
    pub(super) opus_channels: Option<u8>,
    pub(super) seconds: Option<u32>,
    /// Bars from 0 to 100, estimated from how many bytes the encoder spent: a louder sound takes more.
    pub(super) waveform: Option<Vec<u8>>,
}

/// Reads the pages of an Ogg file; `None` for what is none.
///
/// # Errors
/// Those of the file.
pub(super) fn ogg<F: Read + Seek>(file: &mut F) -> io::Result<Option<Ogg>> {
    file.rewind()?;
    let (mut found, mut rate, mut pre_skip, mut last) = (None, 0_u64, 0_u64, 0_u64);
    let mut packets: Vec<u16> = Vec::new();
    for page in 0..MOST_PAGES {
        let mut header = [0; 27];
        match read_full(file, &mut header)? {
            27 if header.starts_with(b"OggS") => {}
            _ => break,
        }
        let mut table = [0; 255];
        let table = &mut table[..usize::from(header[26])];
        if read_full(file, table)? != table.len() {
            break;
        }
        let length: u32 = table.iter().map(|&lace| u32::from(lace)).sum();
        let granule = header[6..14].first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
        if page == 0 {
            let mut head = vec![0; usize::try_from(length).unwrap_or(0)];
            if read_full(file, &mut head)? != head.len() {
                break;
            }
            let number =
                |at: usize| head.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
            let mut opus_channels = None;
            if head.starts_with(b"OpusHead") {
                opus_channels = head.get(9).copied();
                pre_skip = head.get(10..12).map_or(0, |two| u64::from(u16::from_le_bytes([two[0], two[1]])));
                rate = OPUS_RATE;
            } else if head.starts_with(b"\x01vorbis") {
                rate = u64::from(number(12).unwrap_or(0));
            }
            found = Some(Ogg { opus_channels, seconds: None, waveform: None });
            continue;
        }
        // Minus one: no packet ends on the page.
        if granule != u64::MAX && granule > 0 {
            last = last.max(granule);
        }
        if page > 1 && packets.len() < MOST_PACKETS {
            sizes(table, &mut packets);
        }
        file.seek(SeekFrom::Current(i64::from(length)))?;
    }
    if let Some(found) = &mut found {
        let samples = last.saturating_sub(pre_skip);
        found.seconds =
            (rate > 0 && samples > 0).then(|| u32::try_from(samples.div_ceil(rate)).unwrap_or(u32::MAX));
        found.waveform = found.opus_channels.and_then(|_| bars(&packets));
    }
    Ok(found)
}

/// Lengths of the packets of a page, by its lacing values: 255 goes on.
fn sizes(table: &[u8], packets: &mut Vec<u16>) {
    let mut size = 0_u16;
    for &lace in table {
        size = size.saturating_add(u16::from(lace));
        if lace < 255 {
            packets.push(size);
            size = 0;
        }
    }
}

/// 64 bars of what the packets weigh, the heaviest 100; nothing for fewer packets than bars.
fn bars(packets: &[u16]) -> Option<Vec<u8>> {
    let samples: Vec<f32> = packets.iter().map(|&size| f32::from(size)).collect();
    let least = samples.iter().copied().fold(f32::INFINITY, f32::min);
    // Silence still takes a few bytes.
    let above: Vec<f32> = samples.iter().map(|size| size - least).collect();
    wa_media::waveform(&above).map(|bars| bars.to_vec()).filter(|bars| bars.len() == WAVEFORM_LEN)
}

/// How long an MP3 is: by the count of its Xing header, or by its length at the bit rate of its first frame.
///
/// # Errors
/// Those of the file.
pub(super) fn mp3<F: Read + Seek>(file: &mut F) -> io::Result<Option<u32>> {
    let end = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut start = 0;
    let mut tag = [0; 10];
    if read_full(file, &mut tag)? == 10 && tag.starts_with(b"ID3") {
        let size = tag[6..].iter().fold(0_u64, |size, &byte| size << 7 | u64::from(byte & 0x7F));
        start = 10 + size;
    }
    if start >= end {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(start))?;
    let mut head = [0; 4096];
    let read = read_full(file, &mut head)?;
    Ok(mp3_frame(&head[..read]).and_then(|frame| frame.seconds(end - start)))
}

struct Frame {
    bits_per_second: u64,
    rate: u64,
    samples: u64,
    /// Frames in all, where a Xing header says so.
    frames: Option<u64>,
}

fn mp3_frame(head: &[u8]) -> Option<Frame> {
    const RATES: [u64; 3] = [44_100, 48_000, 32_000];
    const FIRST: [u64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const SECOND: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let at = head.windows(2).position(|two| two[0] == 0xFF && two[1] & 0xE6 == 0xE2)?;
    let &[_, version, rates, mode] = head.get(at..)?.first_chunk::<4>()?;
    let is_first = version >> 3 & 3 == 3;
    let divided = match version >> 3 & 3 {
        3 => 1,
        2 => 2,
        0 => 4,
        _ => return None,
    };
    let table = if is_first { FIRST } else { SECOND };
    let bits_per_second = *table.get(usize::from(rates >> 4))? * 1000;
    let rate = *RATES.get(usize::from(rates >> 2 & 3))? / divided;
    let is_mono = mode >> 6 == 3;
    let side = match (is_first, is_mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    let xing = head.get(at + 4 + side..)?;
    let frames = (xing.starts_with(b"Xing") || xing.starts_with(b"Info"))
        .then(|| xing.get(7).filter(|flags| *flags & 1 == 1).and(xing.get(8..)?.first_chunk::<4>()))
        .flatten()
        .map(|bytes| u64::from(u32::from_be_bytes(*bytes)));
    Some(Frame { bits_per_second, rate, samples: if is_first { 1152 } else { 576 }, frames })
}

impl Frame {
    fn seconds(&self, length: u64) -> Option<u32> {
        let seconds = match self.frames {
            Some(frames) => frames.checked_mul(self.samples)?.div_ceil(self.rate),
            None if self.bits_per_second > 0 => length.checked_mul(8)?.div_ceil(self.bits_per_second),
            None => return None,
        };
        u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
    }
}

/// How long a WAV is, by the bytes per second of its format.
///
/// # Errors
/// Those of the file.
pub(super) fn wav<F: Read + Seek>(file: &mut F) -> io::Result<Option<u32>> {
    let end = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut head = [0; 44];
    let read = read_full(file, &mut head)?;
    let rate = head[..read].get(28..32).and_then(<[u8]>::first_chunk).map(|four| u32::from_le_bytes(*four));
    let is_wav = head.starts_with(b"RIFF") && head[8..16] == *b"WAVEfmt ";
    let seconds = rate.filter(|rate| is_wav && *rate > 0).map(|rate| end.div_ceil(u64::from(rate)));
    Ok(seconds.and_then(|seconds| u32::try_from(seconds).ok()))
}

/// Reads as much as there is.
fn read_full(file: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut at = 0;
    while at < into.len() {
        match file.read(&mut into[at..]) {
            Ok(0) => break,
            Ok(read) => at += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use super::*;

    fn page(granule: u64, packets: &[&[u8]]) -> Vec<u8> {
        let mut page = b"OggS\0\0".to_vec();
        page.extend(granule.to_le_bytes());
        page.extend([0; 12]);
        let mut table = Vec::new();
        for packet in packets {
            table.extend(std::iter::repeat_n(255, packet.len() / 255));
            table.push(u8::try_from(packet.len() % 255).unwrap());
        }
        page.push(u8::try_from(table.len()).unwrap());
        page.extend(table);
        page.extend(packets.concat());
        page
    }

    /// A voice note of so many packets of 20 ms, louder towards its end.
    pub(crate) fn voice(packets: usize, channels: u8) -> Vec<u8> {
        let mut head = b"OpusHead\x01".to_vec();
        head.extend([channels, 0x38, 0x01, 0x80, 0x3E, 0, 0, 0, 0, 0]);
        let mut file = [page(0, &[&head]), page(0, &[b"OpusTags"])].concat();
        for number in 0..packets {
            let granule = 312 + 960 * (number as u64 + 1);
            file.extend(page(granule, &[&vec![7; 20 + number]]));
        }
        file
    }

    #[test]
    fn a_voice_note_has_a_length_and_a_waveform() {
        let read = |bytes: Vec<u8>| ogg(&mut Cursor::new(bytes)).unwrap();
        let found = read(voice(200, 1)).unwrap();
        assert_eq!((found.opus_channels, found.seconds), (Some(1), Some(4)));
        let bars = found.waveform.unwrap();
        assert_eq!((bars.len(), bars[63]), (64, 100));
        assert!(bars.is_sorted());
        assert_eq!(read(voice(10, 2)).unwrap().waveform, None);
        assert_eq!(read(b"no sound".to_vec()), None);
        let whole = voice(3, 1);
        for place in 0..whole.len() {
            let _ = read(whole[..place].to_vec());
            let mut bent = whole.clone();
            bent[place] ^= 0xFF;
            let _ = read(bent);
        }
    }

    #[test]
    fn mp3_and_wav_have_a_length() {
        let mut steady = vec![0xFF, 0xFB, 0x90, 0x00];
        steady.resize(160_000, 0);
        assert_eq!(mp3(&mut Cursor::new(&steady)).unwrap(), Some(10));
        let mut counted = steady.clone();
        counted[36..40].copy_from_slice(b"Xing");
        counted[43] = 1;
        counted[44..48].copy_from_slice(&1000_u32.to_be_bytes());
        assert_eq!(mp3(&mut Cursor::new(&counted)).unwrap(), Some(27));
        assert_eq!(mp3(&mut Cursor::new([0; 100])).unwrap(), None);
        assert_eq!(mp3(&mut Cursor::new(b"ID3\x04\0\0\x7F\x7F\x7F\x7F")).unwrap(), None);
        let mut sound =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0data".to_vec();
        sound.resize(96_000, 0);
        assert_eq!(wav(&mut Cursor::new(&sound)).unwrap(), Some(3));
        assert_eq!(wav(&mut Cursor::new(b"RIFF")).unwrap(), None);
    }
}
