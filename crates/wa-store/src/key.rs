//! Row keys: typed parts, encoded so that bytes compare like the parts and every prefix of parts is a prefix of bytes.
//! Texts stay readable (they are addresses, and the documentation says that addresses are not encrypted).

use bytes::Bytes;
use compact_str::CompactString;

use crate::address::{Address, Chat, User};

/// Longest text or byte part that stands in a key as it is; a longer one (only a hostile peer makes one) keeps its
/// first 200 bytes and continues with its SHA-256.
const MAX_PART: usize = 256;
const KEPT_OF_LONG: usize = 200;

/// Collects the parts of a key.
#[derive(Debug, Default)]
pub struct KeyWriter(Vec<u8>);

impl KeyWriter {
    /// A text or bytes of any length. 0x00 is written as 0x00 0xFF and the part ends with 0x00 0x01.
    pub fn part(&mut self, part: &[u8]) {
        if part.len() > MAX_PART {
            let digest = wa_crypto::digest::sha256(&[part]);
            self.escaped(&part[..KEPT_OF_LONG]);
            self.escaped(b"#");
            self.escaped(&digest);
        } else {
            self.escaped(part);
        }
        self.0.extend_from_slice(&[0, 1]);
    }

    fn escaped(&mut self, bytes: &[u8]) {
        for (place, piece) in bytes.split(|byte| *byte == 0).enumerate() {
            if place > 0 {
                self.0.extend_from_slice(&[0, 0xFF]);
            }
            self.0.extend_from_slice(piece);
        }
    }

    /// A number of fixed width, big endian.
    pub fn fixed<const N: usize>(&mut self, bytes: [u8; N]) {
        self.0.extend_from_slice(&bytes);
    }

    /// The finished key.
    pub fn finish(self) -> Bytes {
        // Without the room that is left: keys are kept.
        Bytes::copy_from_slice(&self.0)
    }
}

/// Takes a key apart again.
#[derive(Debug)]
pub struct KeyReader<'k>(&'k [u8]);

impl<'k> KeyReader<'k> {
    /// Over a whole key.
    pub const fn new(key: &'k [u8]) -> Self {
        Self(key)
    }

    /// The next text or bytes; `None` if there is none or it is not well formed.
    pub fn part(&mut self) -> Option<Vec<u8>> {
        let mut part = Vec::new();
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            if byte != 0 {
                part.push(byte);
                continue;
            }
            let (&mark, rest) = self.0.split_first()?;
            self.0 = rest;
            match mark {
                0xFF => part.push(0),
                1 => return Some(part),
                _ => return None,
            }
        }
    }

    /// The next part as text.
    pub fn text(&mut self) -> Option<CompactString> {
        CompactString::from_utf8(self.part()?).ok()
    }

    /// The next number of fixed width.
    pub fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A type that can stand in a key.
pub trait Key: Sized {
    /// Appends the parts.
    fn write(&self, key: &mut KeyWriter);
    /// Reads the parts back.
    fn read(key: &mut KeyReader<'_>) -> Option<Self>;

    /// The whole key.
    fn to_bytes(&self) -> Bytes {
        // Room for almost every key.
        let mut writer = KeyWriter(Vec::with_capacity(96));
        self.write(&mut writer);
        writer.finish()
    }

    /// The whole key back; nothing may be left over.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = KeyReader::new(bytes);
        let key = Self::read(&mut reader)?;
        reader.is_empty().then_some(key)
    }
}

impl Key for () {
    fn write(&self, _: &mut KeyWriter) {}
    fn read(_: &mut KeyReader<'_>) -> Option<Self> {
        Some(())
    }
}

impl Key for u32 {
    fn write(&self, key: &mut KeyWriter) {
        key.fixed(self.to_be_bytes());
    }
    fn read(key: &mut KeyReader<'_>) -> Option<Self> {
        key.fixed().map(Self::from_be_bytes)
    }
}

impl Key for u64 {
    fn write(&self, key: &mut KeyWriter) {
        key.fixed(self.to_be_bytes());
    }
    fn read(key: &mut KeyReader<'_>) -> Option<Self> {
        key.fixed().map(Self::from_be_bytes)
    }
}

impl Key for CompactString {
    fn write(&self, key: &mut KeyWriter) {
        key.part(self.as_bytes());
    }
    fn read(key: &mut KeyReader<'_>) -> Option<Self> {
        key.text()
    }
}

impl Key for Bytes {
    fn write(&self, key: &mut KeyWriter) {
        key.part(self);
    }
    fn read(key: &mut KeyReader<'_>) -> Option<Self> {
        key.part().map(Self::from)
    }
}

impl Key for User {
    fn write(&self, key: &mut KeyWriter) {
        key.part(self.as_str().as_bytes());
    }
    fn read(key: &mut KeyReader<'_>) -> Option<Self> {
        key.text().map(Self::from)
    }
}

impl Key for Chat {
    fn write(&self, key: &mut KeyWriter) {
        key.part(self.as_str().as_bytes());
    }
    fn read(key: &mut KeyReader<'_>) -> Option<Self> {
        key.text().map(Self::from)
    }
}

impl Key for Address {
    fn write(&self, key: &mut KeyWriter) {
        self.user.write(key);
        key.fixed(self.device.to_be_bytes());
    }
    fn read(key: &mut KeyReader<'_>) -> Option<Self> {
        Some(Self { user: User::read(key)?, device: u16::from_be_bytes(key.fixed()?) })
    }
}

macro_rules! tuple_key {
    ($($part:ident: $index:tt),+) => {
        impl<$($part: Key),+> Key for ($($part,)+) {
            fn write(&self, key: &mut KeyWriter) {
                $(self.$index.write(key);)+
            }
            fn read(key: &mut KeyReader<'_>) -> Option<Self> {
                Some(($($part::read(key)?,)+))
            }
        }
    };
}
tuple_key!(A: 0, B: 1);
tuple_key!(A: 0, B: 1, C: 2);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_come_back_and_order_like_their_parts(
            a in ("[\\x00-\\x03a-c]{0,4}", any::<u32>()), b in ("[\\x00-\\x03a-c]{0,4}", any::<u32>()),
        ) {
            let a = (CompactString::from(a.0), a.1);
            let b = (CompactString::from(b.0), b.1);
            prop_assert_eq!(<(CompactString, u32)>::from_bytes(&a.to_bytes()), Some(a.clone()));
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
            let prefix = (a.0.clone(),).0.to_bytes();
            prop_assert_eq!(b.to_bytes().starts_with(&prefix), a.0 == b.0);
        }

        #[test]
        fn any_bytes_as_a_key_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = <(Chat, Address, CompactString)>::from_bytes(&bytes);
        }
    }

    #[test]
    fn a_hostile_id_makes_no_long_key_and_no_collision() {
        let long = CompactString::from("x".repeat(100_000));
        let other = CompactString::from("x".repeat(100_001));
        assert!(long.to_bytes().len() < 600);
        assert_ne!(long.to_bytes(), other.to_bytes());
    }
}
