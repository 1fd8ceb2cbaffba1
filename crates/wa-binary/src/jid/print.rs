//! Text forms of a JID: the canonical one, the participant-hash form, the redacted form, serde (chapter 03 §8.2).

use std::fmt;

use compact_str::{CompactString, ToCompactString as _};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::{Jid, Server, User};

/// Room for 20 digits, a device of 5, the marks and the longest name of a server.
const LONGEST_OF_NUMBER: usize = 64;

/// Writes `bytes` so that they end before `at`; gives where they begin.
fn prepend<const N: usize>(room: &mut [u8; LONGEST_OF_NUMBER], at: usize, bytes: [u8; N]) -> usize {
    let start = at.saturating_sub(N);
    // Of a length that is known here: a call for two digits would cost more than they do.
    if let Some(place) = room.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        *place = bytes;
    }
    start
}

/// The same with the digits of a number, two at a time.
fn prepend_number(room: &mut [u8; LONGEST_OF_NUMBER], mut at: usize, mut number: u64) -> usize {
    loop {
        if number < 10 {
            return prepend(room, at, [b'0' + number as u8]);
        }
        let two = (number % 100) as u8;
        at = prepend(room, at, [b'0' + two / 10, b'0' + two % 10]);
        number /= 100;
        if number == 0 {
            return at;
        }
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_service() {
            return f.write_str(self.server_name());
        }
        if self.integrator() > 0 {
            write!(f, "{}-", self.integrator())?;
        }
        match self.user_part() {
            User::Number(number) => write!(f, "{number}")?,
            User::Text(text) if self.server() == Server::Other => {
                f.write_str(text.split_once('@').map_or("", |(user, _)| user))?;
            }
            User::Text(text) => f.write_str(text)?,
        }
        if self.device() > 0 {
            write!(f, ":{}", self.device())?;
        }
        f.write_str("@")?;
        f.write_str(self.server_name())
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jid({self})")
    }
}

impl Jid {
    /// The canonical text. No heap for up to 24 bytes; the texts of people are put together without a formatter.
    pub fn to_text(&self) -> CompactString {
        let User::Number(number) = self.user_part() else { return self.to_compact_string() };
        if self.integrator() > 0 {
            return self.to_compact_string();
        }
        let (mut room, server) = ([0; LONGEST_OF_NUMBER], self.server().name().as_bytes());
        let mut at = LONGEST_OF_NUMBER.saturating_sub(server.len());
        if let Some(place) = room.get_mut(at..) {
            place.copy_from_slice(server);
        }
        at = prepend(&mut room, at, *b"@");
        if self.device() > 0 {
            at = prepend_number(&mut room, at, u64::from(self.device()));
            at = prepend(&mut room, at, *b":");
        }
        at = prepend_number(&mut room, at, *number);
        let text = room.get(at..).and_then(|text| std::str::from_utf8(text).ok());
        text.map_or_else(|| self.to_compact_string(), CompactString::from)
    }

    /// The form that participant hashes are computed over: always with `.0:` and the device.
    pub const fn phash_form(&self) -> PhashForm<'_> {
        PhashForm(self)
    }

    /// For logs: phone numbers are hidden but for their last two digits, LIDs and ids of newer groups are not.
    pub const fn redacted(&self) -> Redacted<'_> {
        Redacted(self)
    }
}

/// Prints `user.0:device@server`. See [`Jid::phash_form`].
#[derive(Clone, Copy)]
pub struct PhashForm<'a>(&'a Jid);

impl fmt::Display for PhashForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jid = self.0;
        if jid.is_service() {
            return f.write_str(jid.server_name());
        }
        write!(f, "{}.0:{}@{}", jid.user(), jid.device(), jid.server_name())
    }
}

/// Prints a JID without its phone number. See [`Jid::redacted`].
#[derive(Clone, Copy)]
pub struct Redacted<'a>(&'a Jid);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jid = self.0;
        let user = jid.user();
        let open = match jid.server() {
            Server::Pn | Server::Legacy | Server::Hosted | Server::Msgr | Server::Interop => "",
            Server::Group => match user.split_once('-') {
                Some((_, time)) => time,
                None => return write!(f, "{jid}"),
            },
            Server::Other => "",
            _ => return write!(f, "{jid}"),
        };
        if jid.is_service() {
            return write!(f, "{jid}");
        }
        if open.is_empty() {
            let tail = user.char_indices().rev().nth(1).map_or("", |(i, _)| user.get(i..).unwrap_or(""));
            let tail = if user.len() > 4 { tail } else { "" };
            write!(f, "…{tail}")?;
        } else {
            write!(f, "…-{open}")?;
        }
        if jid.device() > 0 {
            write!(f, ":{}", jid.device())?;
        }
        write!(f, "@{}", jid.server_name())
    }
}

impl Serialize for Jid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_service() && self.server() == Server::Other {
            // The name of an unknown server alone would not be read back.
            return serializer.collect_str(&format_args!("@{self}"));
        }
        // Some formats would print it twice, the first time for its length.
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for Jid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Jid;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a JID")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Jid, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}
