//! The frame of every stored record: kind, format version, checksum, then the kind's own fields. Integers are
//! canonical little-endian base-128, byte strings have fixed lengths, so that one record has one encoding.

use zeroize::Zeroizing;

use crate::Corruption;

/// Bytes in front of the fields: kind, version, CRC-32.
const HEADER_LEN: usize = 6;

/// First byte of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Session = b'S',
    SenderKey = b'R',
    OwnSenderKey = b'O',
}

const FORMAT_VERSION: u8 = 1;

/// Builds a record.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// `capacity` should be an upper bound: a buffer that grows leaves secrets behind.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn record(kind: Kind, capacity: usize) -> Self {
        let mut writer = Self::with_capacity(HEADER_LEN + capacity);
        writer.bytes(&[kind as u8, FORMAT_VERSION, 0, 0, 0, 0]);
        writer
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        self.byte((value & 0x7F) as u8);
    }

    /// The bytes without a frame.
    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// The bytes with the checksum put in; for writers made by [`Self::record`].
    pub(crate) fn seal(mut self) -> Zeroizing<Vec<u8>> {
        let sum = checksum(&self.0);
        if let Some(place) = self.0.get_mut(2..HEADER_LEN) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
        self.0
    }
}

/// Reads a record.
#[derive(Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads fields without a frame.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Checks kind, version and checksum.
    pub(crate) fn record(bytes: &'a [u8], kind: Kind) -> Result<Self, Corruption> {
        let Some((header, fields)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(Corruption::Length);
        };
        let [found, version, sum @ ..] = header;
        if *found != kind as u8 {
            return Err(Corruption::Kind);
        }
        if *version != FORMAT_VERSION {
            return Err(Corruption::Version(*version));
        }
        if u32::from_le_bytes(*sum) != checksum(bytes)
            && !crate::sabotage::on(crate::sabotage::Rule::Checksum)
        {
            return Err(Corruption::Checksum);
        }
        Ok(Self(fields))
    }

    pub(crate) fn slice(&mut self, len: usize) -> Result<&'a [u8], Corruption> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Corruption::Length)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Corruption> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Corruption::Length)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Corruption> {
        self.array::<1>().map(|[byte]| *byte)
    }

    /// A canonical number: no needless trailing groups, at most 64 bits.
    pub(crate) fn number(&mut self) -> Result<u64, Corruption> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let group = u64::from(byte & 0x7F);
            if shift == 63 && group > 1 {
                break;
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                if group == 0 && shift != 0 {
                    break;
                }
                return Ok(value);
            }
        }
        Err(Corruption::Value("number"))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Corruption> {
        u32::try_from(self.number()?).map_err(|_| Corruption::Value("number"))
    }

    /// A length or count of at most `max`.
    pub(crate) fn count(&mut self, max: usize, what: &'static str) -> Result<usize, Corruption> {
        match usize::try_from(self.number()?) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(Corruption::Value(what)),
        }
    }

    pub(crate) fn finish(self) -> Result<(), Corruption> {
        if self.0.is_empty() { Ok(()) } else { Err(Corruption::Length) }
    }
}

/// Over kind, version and fields: everything but the checksum itself.
fn checksum(record: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(record.get(..2).unwrap_or_default());
    sum.update(record.get(HEADER_LEN..).unwrap_or_default());
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_and_have_one_encoding() {
        for value in [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, u64::from(u32::MAX), u64::MAX] {
            let mut writer = Writer::with_capacity(10);
            writer.number(value);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.number(), Ok(value));
            assert_eq!(reader.finish(), Ok(()));
        }
        for bad in [
            &[0x80u8, 0x00][..],
            &[0x80],
            &[0xFF; 11],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
        ] {
            assert!(Reader::new(bad).number().is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_seen() {
        let mut writer = Writer::record(Kind::Session, 40);
        writer.bytes(&[7; 40]);
        let good = writer.seal();
        assert!(Reader::record(&good, Kind::Session).is_ok());
        assert_eq!(Reader::record(&good, Kind::SenderKey).err(), Some(Corruption::Kind));
        for bit in 0..good.len() * 8 {
            let mut bad = good.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Reader::record(&bad, Kind::Session).is_err(), "bit {bit}");
        }
        for len in 0..good.len() {
            assert!(Reader::record(&good[..len], Kind::Session).is_err());
        }
    }
}
