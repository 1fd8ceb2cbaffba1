//! The wire format itself, field by field and without copies: for what is too large or too hot to decode into types
//! (chapter 08 §3.1). Borrowed slices in, borrowed slices out; groups are skipped.

/// Deepest nesting of groups that is skipped, as deep as prost skips them.
const GROUP_DEPTH: usize = 100;

/// Largest field number of the format.
const MAX_NUMBER: u64 = (1 << 29) - 1;

/// Why bytes are not protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end inside a field.
    #[error("the bytes end inside a field")]
    Truncated,
    /// A number longer than ten bytes, or over 64 bits.
    #[error("a number over 64 bits")]
    Varint,
    /// Field number 0 or one over 29 bits.
    #[error("no field has the number {0}")]
    Number(u64),
    /// Wire type 6 or 7.
    #[error("unknown wire type {0}")]
    WireType(u8),
    /// A group that ends without beginning, ends with another number or nests too deep.
    #[error("a malformed group")]
    Group,
}

/// The content of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Integers, booleans and enums.
    Varint(u64),
    /// `fixed64`, `sfixed64`, `double`.
    Fixed64(u64),
    /// Text, bytes, messages and packed numbers.
    Bytes(&'a [u8]),
    /// `fixed32`, `sfixed32`, `float`.
    Fixed32(u32),
    /// A group, skipped. This schema has none.
    Group,
}

impl<'a> Value<'a> {
    /// The bytes, if it is of that kind.
    pub const fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The number, if it is a varint.
    pub const fn varint(self) -> Option<u64> {
        match self {
            Self::Varint(number) => Some(number),
            _ => None,
        }
    }
}

/// Walks the fields of one message.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of an encoded message.
    pub const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// What has not been walked yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next field's number and content; `None` at the end.
    ///
    /// # Errors
    /// [`WireError`]; the walk cannot go on then.
    #[inline]
    pub fn next_field(&mut self) -> Result<Option<(u32, Value<'a>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        Ok(Some((number, self.value(number, wire_type, GROUP_DEPTH)?)))
    }

    /// The content behind a number and wire type; groups in it nest at most `depth` deep.
    #[inline(always)]
    pub(crate) fn value(&mut self, number: u32, wire_type: u8, depth: usize) -> Result<Value<'a>, WireError> {
        Ok(match wire_type {
            2 => Value::Bytes(self.slice()?),
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            3 => {
                self.skip_group(number, depth)?;
                Value::Group
            }
            4 => return Err(WireError::Group),
            other => return Err(WireError::WireType(other)),
        })
    }

    /// A length and as many bytes.
    #[inline]
    pub(crate) fn slice(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.varint()?).map_err(|_| WireError::Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The number and wire type in front of a field.
    #[inline]
    pub fn tag(&mut self) -> Result<(u32, u8), WireError> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > MAX_NUMBER {
            return Err(WireError::Number(number));
        }
        Ok((number as u32, (tag & 7) as u8))
    }

    /// A number of one to ten bytes.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            [first, second, rest @ ..] if *second < 0x80 => {
                self.rest = rest;
                Ok(u64::from(first & 0x7f) | u64::from(*second) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0;
        for (index, byte) in self.rest.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds the one bit that is left.
            if index == 9 && *byte > 1 {
                return Err(WireError::Varint);
            }
            number |= bits << (7 * index);
            if *byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(number);
            }
        }
        Err(if self.rest.len() < 10 { WireError::Truncated } else { WireError::Varint })
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    /// Skips to behind the end of the group that has just begun.
    fn skip_group(&mut self, number: u32, depth: usize) -> Result<(), WireError> {
        let mut open = vec![number];
        while let Some(innermost) = open.last() {
            if self.rest.is_empty() {
                return Err(WireError::Truncated);
            }
            let (number, wire_type) = self.tag()?;
            match wire_type {
                4 if number == *innermost => drop(open.pop()),
                4 => return Err(WireError::Group),
                _ if open.len() >= depth => return Err(WireError::Group),
                3 => open.push(number),
                _ => drop(self.value(number, wire_type, 0)?),
            }
        }
        Ok(())
    }
}
