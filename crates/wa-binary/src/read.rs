//! Typed reading of attributes, with errors that name the path (chapter 03 §3).
//!
//! A JID getter accepts a value that came as plain text, a string getter a JID; a wrong form is an error for that
//! attribute alone.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use compact_str::CompactString;

use crate::error::{FieldError, Problem};
use crate::jid::{DeviceJid, GroupJid, Jid, UserJid};
use crate::value::Value;
use crate::view::NodeRef;

/// An attribute that must be there. Every method gives an error that names the path when it is missing or of
/// another form.
#[derive(Clone, Copy)]
pub struct Required<'a, 'k> {
    node: NodeRef<'a>,
    key: &'k str,
}

/// An attribute that may be there. Every method gives none when it is missing, and an error when it is of another
/// form.
#[derive(Clone, Copy)]
pub struct Optional<'a, 'k>(Required<'a, 'k>);

type Field<T> = Result<T, FieldError>;

macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident -> $kind:ty = $read:expr;)*) => {
        impl<'a> Required<'a, '_> {
            $($(#[$doc])*
            pub fn $name(self) -> Field<$kind> {
                self.read($read)
            })*
        }

        impl<'a> Optional<'a, '_> {
            $($(#[$doc])*
            pub fn $name(self) -> Field<Option<$kind>> {
                self.0.read_optional($read)
            })*
        }
    };
}

readers! {
    /// The value as it stands.
    value -> Value<'a> = Ok;
    /// The text, also of a JID; borrowed where the frame holds it as such.
    str -> Cow<'a, str> = |value| Ok(value.to_str());
    /// The text, also of a JID; owned, no heap for up to 24 bytes.
    string -> CompactString = |value| Ok(value.to_compact());
    /// A JID, also from plain text.
    jid -> Jid = |value| read_jid(&value);
    /// A device's JID.
    device_jid -> DeviceJid = |value| read_jid(&value)?.try_into().map_err(Problem::NotAJid);
    /// A user's JID.
    user_jid -> UserJid = |value| read_jid(&value)?.try_into().map_err(Problem::NotAJid);
    /// A group's JID.
    group_jid -> GroupJid = |value| read_jid(&value)?.try_into().map_err(Problem::NotAJid);
    /// A decimal number.
    u64 -> u64 = |value| read_u64(&value);
    /// A decimal number that fits.
    u32 -> u32 = |value| read_u64(&value)?.try_into().map_err(|_| Problem::NotANumber);
    /// A decimal number that fits.
    u16 -> u16 = |value| read_u64(&value)?.try_into().map_err(|_| Problem::NotANumber);
    /// A decimal number that fits.
    u8 -> u8 = |value| read_u64(&value)?.try_into().map_err(|_| Problem::NotANumber);
    /// A decimal number that may be negative.
    i64 -> i64 = |value| read_parsed(&value).map_err(|()| Problem::NotANumber);
    /// `true` or `false`; `1` and `0` are read as well.
    bool -> bool = |value| read_bool(&value);
    /// Seconds since 1970.
    unix_time -> SystemTime = |value| {
        UNIX_EPOCH.checked_add(Duration::from_secs(read_u64(&value)?)).ok_or(Problem::NotANumber)
    };
}

impl<'a, 'k> Required<'a, 'k> {
    #[inline]
    pub(crate) fn new(node: NodeRef<'a>, key: &'k str) -> Self {
        Self { node, key }
    }

    /// Something that is parsed from the text; `wanted` says in the error what it should have been.
    pub fn parse<T: FromStr>(self, wanted: &'static str) -> Field<T> {
        self.read(|value| read_parsed(&value).map_err(|()| Problem::Unexpected { wanted }))
    }

    /// One of several known words: `choose("a role", |word| Role::of(word))`.
    pub fn choose<T>(self, wanted: &'static str, choose: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        self.read(|value| choose(&value.to_compact()).ok_or(Problem::Unexpected { wanted }))
    }

    fn read<T>(self, read: impl FnOnce(Value<'a>) -> Result<T, Problem>) -> Field<T> {
        let value = self.node.value(self.key).ok_or(Problem::Missing);
        value.and_then(read).map_err(|problem| self.node.attr_error(self.key, problem))
    }

    fn read_optional<T>(self, read: impl FnOnce(Value<'a>) -> Result<T, Problem>) -> Field<Option<T>> {
        let Some(value) = self.node.value(self.key) else { return Ok(None) };
        read(value).map(Some).map_err(|problem| self.node.attr_error(self.key, problem))
    }
}

impl<'a, 'k> Optional<'a, 'k> {
    #[inline]
    pub(crate) fn new(node: NodeRef<'a>, key: &'k str) -> Self {
        Self(Required::new(node, key))
    }

    /// Something that is parsed from the text; `wanted` says in the error what it should have been.
    pub fn parse<T: FromStr>(self, wanted: &'static str) -> Field<Option<T>> {
        self.0.read_optional(|value| read_parsed(&value).map_err(|()| Problem::Unexpected { wanted }))
    }

    /// One of several known words.
    pub fn choose<T>(self, wanted: &'static str, choose: impl FnOnce(&str) -> Option<T>) -> Field<Option<T>> {
        self.0.read_optional(|value| choose(&value.to_compact()).ok_or(Problem::Unexpected { wanted }))
    }

    /// Whether it is there and reads `text`.
    pub fn is(self, text: &str) -> bool {
        self.0.node.attr_is(self.0.key, text)
    }
}

fn read_jid(value: &Value<'_>) -> Result<Jid, Problem> {
    value.to_jid().map_err(Problem::NotAJid)
}

fn read_u64(value: &Value<'_>) -> Result<u64, Problem> {
    value.to_u64().ok_or(Problem::NotANumber)
}

fn read_bool(value: &Value<'_>) -> Result<bool, Problem> {
    match &*value.to_compact() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Problem::NotABool),
    }
}

fn read_parsed<T: FromStr>(value: &Value<'_>) -> Result<T, ()> {
    value.to_compact().parse().map_err(|_| ())
}
