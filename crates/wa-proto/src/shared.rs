//! Decoding from shared bytes. `prost` reads a [`Bytes`] as it reads any buffer, and pays for it at each number and length;
//! here the walk is over a slice, and only the `bytes` fields of a message touch what they share.

use bytes::{Buf, Bytes};
use prost::{DecodeError, Message};

/// Decodes a message whose `bytes` fields become slices of `bytes`, as with [`Message::decode`] but cheaper.
///
/// # Errors
/// Those of [`Message::decode`].
pub fn decode<M: Message + Default>(bytes: &Bytes) -> Result<M, DecodeError> {
    let mut message = M::default();
    message.merge(Shared { rest: bytes, whole: bytes })?;
    Ok(message)
}

struct Shared<'a> {
    rest: &'a [u8],
    whole: &'a Bytes,
}

impl Buf for Shared<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.rest
    }

    /// Panics behind the end, as the trait asks; `prost` compares with what remains before it advances.
    #[inline]
    fn advance(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }

    #[inline]
    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        let (slice, rest) = self.rest.split_at(count);
        self.rest = rest;
        self.whole.slice_ref(slice)
    }
}
