//! Values as they are read: texts in whatever form the frame holds them, and JIDs (chapter 03 §3, §4).

use std::borrow::Cow;
use std::fmt;

use compact_str::{CompactString, ToCompactString};

use crate::error::JidError;
use crate::jid::{Jid, canonical_number, decimal};
use crate::packed::Packed;
use crate::wire::RawJid;
use crate::word::Word;

/// A text of a frame or node, borrowed from it. Packed ones are unpacked only where they are read.
#[derive(Clone, Copy)]
pub struct Text<'a>(Repr<'a>);

#[derive(Clone, Copy)]
enum Repr<'a> {
    Str(&'a str),
    Packed(Packed<'a>),
    /// Not checked yet: what is not UTF-8 is replaced on reading.
    Lossy(&'a [u8]),
    /// The bytes from a JID on whose parts cannot stand in a JID's text.
    OddJid(&'a [u8]),
}

impl<'a> Text<'a> {
    #[inline]
    pub(crate) const fn new(text: &'a str) -> Self {
        Self(Repr::Str(text))
    }

    #[inline]
    pub(crate) const fn packed(packed: Packed<'a>) -> Self {
        Self(Repr::Packed(packed))
    }

    #[inline]
    pub(crate) const fn lossy(bytes: &'a [u8]) -> Self {
        Self(Repr::Lossy(bytes))
    }

    #[inline]
    pub(crate) const fn odd_jid(bytes: &'a [u8]) -> Self {
        Self(Repr::OddJid(bytes))
    }

    /// The text; borrowed where the frame holds it as such.
    pub fn to_str(self) -> Cow<'a, str> {
        match self.0 {
            Repr::Str(text) => Cow::Borrowed(text),
            Repr::Packed(packed) => Cow::Owned(packed.with_str(str::to_owned)),
            Repr::Lossy(bytes) => String::from_utf8_lossy(bytes),
            Repr::OddJid(_) => Cow::Owned(self.to_string()),
        }
    }

    /// The text, owned; no heap for up to 24 bytes.
    pub fn to_compact(self) -> CompactString {
        match self.0 {
            Repr::Str(text) => CompactString::from(text),
            Repr::Packed(packed) => packed.with_str(|text| CompactString::from(text)),
            Repr::Lossy(bytes) => CompactString::from_utf8_lossy(bytes),
            Repr::OddJid(_) => self.to_compact_string(),
        }
    }

    /// Calls `with` with the text. Allocates only for what is not UTF-8.
    #[inline]
    pub fn with_str<R>(self, with: impl FnOnce(&str) -> R) -> R {
        match self.0 {
            Repr::Str(text) => with(text),
            Repr::Packed(packed) => packed.with_str(with),
            _ => self.with_long_str(with),
        }
    }

    #[inline(never)] // rather than in the midst of every loop over attributes
    fn with_long_str<R>(self, with: impl FnOnce(&str) -> R) -> R {
        match self.0 {
            Repr::Str(text) => with(text),
            Repr::Packed(packed) => packed.with_str(with),
            Repr::Lossy(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => with(text),
                Err(_) => with(&String::from_utf8_lossy(bytes)),
            },
            Repr::OddJid(_) => with(&self.to_string()),
        }
    }

    /// Whether it is `text`.
    #[inline]
    pub fn is(self, text: &str) -> bool {
        match self.0 {
            Repr::Str(own) => own == text,
            Repr::Packed(packed) => packed.len() == text.len() && packed.with_str(|own| own == text),
            Repr::Lossy(bytes) if bytes == text.as_bytes() => true,
            _ => self.with_str(|own| own == text),
        }
    }

    /// Whether it has no characters.
    #[inline]
    pub fn is_empty(self) -> bool {
        match self.0 {
            Repr::Str(text) => text.is_empty(),
            Repr::Packed(packed) => packed.len() == 0,
            Repr::Lossy(bytes) => bytes.is_empty(),
            Repr::OddJid(_) => false,
        }
    }

    /// The number that it writes in decimal: no sign.
    #[inline]
    pub fn to_u64(self) -> Option<u64> {
        match self.0 {
            Repr::Packed(packed) => {
                packed.canonical_number().or_else(|| packed.with_str(|text| decimal(text.as_bytes())))
            }
            Repr::Str(text) => decimal(text.as_bytes()),
            Repr::Lossy(bytes) => decimal(bytes),
            Repr::OddJid(_) => None,
        }
    }

    /// The number that it writes, when it is written without leading zeros.
    #[inline]
    pub(crate) fn number(self) -> Option<u64> {
        match self.0 {
            Repr::Packed(packed) => packed.canonical_number(),
            Repr::Str(text) => canonical_number(text.as_bytes()),
            Repr::Lossy(bytes) => canonical_number(bytes),
            Repr::OddJid(_) => None,
        }
    }

    /// The text when all of it is UTF-8.
    pub(crate) fn strict_compact(self) -> Option<CompactString> {
        match self.0 {
            Repr::Lossy(bytes) => std::str::from_utf8(bytes).ok().map(CompactString::from),
            _ => Some(self.to_compact()),
        }
    }

    /// The bytes of the text, as content is read.
    pub(crate) fn to_bytes(self) -> Cow<'a, [u8]> {
        match self.0 {
            Repr::Lossy(bytes) => Cow::Borrowed(bytes),
            _ => match self.to_str() {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::OddJid(bytes) => RawJid::at(bytes, 0).plain(f),
            _ => self.with_str(|text| f.write_str(text)),
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_str(|text| write!(f, "{text:?}"))
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.with_str(|text| other.is(text))
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.is(other)
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.is(other)
    }
}

/// The value of an attribute as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(Text<'a>),
    /// An address that was written as one.
    Jid(Jid),
}

impl<'a> Value<'a> {
    /// The text, also of a JID; borrowed where the frame holds it as such.
    pub fn to_str(&self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.to_str(),
            Self::Jid(jid) => Cow::Owned(jid.to_string()),
        }
    }

    /// The text, also of a JID.
    pub fn to_compact(&self) -> CompactString {
        match self {
            Self::Text(text) => text.to_compact(),
            Self::Jid(jid) => jid.to_text(),
        }
    }

    /// The address, also one that came as plain text.
    ///
    /// # Errors
    /// When the text is none.
    pub fn to_jid(&self) -> Result<Jid, JidError> {
        match self {
            Self::Jid(jid) => Ok(jid.clone()),
            Self::Text(text) => text.with_str(str::parse),
        }
    }

    /// The number that it writes in decimal.
    pub fn to_u64(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.to_u64(),
            Self::Jid(_) => None,
        }
    }

    /// Whether it reads `text`.
    pub fn is(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => own.is(text),
            Self::Jid(jid) => jid.to_text() == text,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Jid(jid) => jid.fmt(f),
        }
    }
}

/// The value of an attribute of an owned [`Node`](crate::Node). Whether it is written as a JID is decided by its type
/// alone: a text is never searched for an `@` (chapter 03 §5).
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum AttrValue {
    /// A string.
    Text(Word),
    /// An address.
    Jid(Jid),
}

impl AttrValue {
    pub(crate) fn as_value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(Text::new(text)),
            Self::Jid(jid) => Value::Jid(jid.clone()),
        }
    }
}

impl fmt::Display for AttrValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Jid(jid) => jid.fmt(f),
        }
    }
}

impl fmt::Debug for AttrValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Jid(jid) => jid.fmt(f),
        }
    }
}

impl From<Value<'_>> for AttrValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.to_compact().into()),
            Value::Jid(jid) => Self::Jid(jid),
        }
    }
}

macro_rules! from_text {
    ($($kind:ty),*) => {$(
        impl From<$kind> for AttrValue {
            fn from(text: $kind) -> Self {
                Self::Text(text.into())
            }
        }
    )*};
}
from_text!(&str, String, CompactString, Cow<'_, str>, Box<str>, Word, &String, &CompactString);

macro_rules! from_shown {
    ($($kind:ty),*) => {$(
        impl From<$kind> for AttrValue {
            fn from(value: $kind) -> Self {
                Self::Text(value.to_compact_string().into())
            }
        }
    )*};
}
from_shown!(bool, u8, u16, u32, u64, usize, i32, i64);

impl From<Jid> for AttrValue {
    fn from(jid: Jid) -> Self {
        Self::Jid(jid)
    }
}

impl From<&Jid> for AttrValue {
    fn from(jid: &Jid) -> Self {
        Self::Jid(jid.clone())
    }
}

macro_rules! from_view {
    ($($kind:ty),*) => {$(
        impl From<$kind> for AttrValue {
            fn from(view: $kind) -> Self {
                Self::Jid(view.into_jid())
            }
        }
        impl From<&$kind> for AttrValue {
            fn from(view: &$kind) -> Self {
                Self::Jid(view.as_jid().clone())
            }
        }
    )*};
}
from_view!(crate::DeviceJid, crate::UserJid, crate::GroupJid);
