//! Reading single values of a frame: the checked walk of the decoder and the trusting reads of a decoded tape
//! (chapter 03 §2, §4).

use crate::error::DecodeError;
use crate::jid::{Jid, Server, User};
use crate::packed::{Alphabet, Packed, not_nibbles};
use crate::token::{SINGLE_END, dictionary_text, single_text};
use crate::value::{Text, Value};

pub(crate) const LIST_EMPTY: u8 = 0;
pub(crate) const INTEROP_JID: u8 = 245;
pub(crate) const FB_JID: u8 = 246;
pub(crate) const AD_JID: u8 = 247;
pub(crate) const LIST_8: u8 = 248;
pub(crate) const LIST_16: u8 = 249;
pub(crate) const JID_PAIR: u8 = 250;
pub(crate) const HEX_8: u8 = 251;
pub(crate) const BINARY_8: u8 = 252;
pub(crate) const BINARY_20: u8 = 253;
pub(crate) const BINARY_32: u8 = 254;
pub(crate) const NIBBLE_8: u8 = 255;

/// The server name behind an interop JID from the server.
pub(crate) const INTEROP_SERVER: &[u8; 9] = b"\xfc\x07interop";

type Checked<T> = Result<T, DecodeError>;

#[cold]
fn end(position: usize) -> DecodeError {
    DecodeError::UnexpectedEnd { position }
}

#[inline]
pub(crate) fn byte(data: &[u8], at: usize) -> Checked<u8> {
    data.get(at).copied().ok_or_else(|| end(data.len()))
}

#[inline]
pub(crate) fn u16_at(data: &[u8], at: usize) -> Checked<u16> {
    match data.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
        Some(bytes) => Ok(u16::from_be_bytes(*bytes)),
        None => Err(end(data.len())),
    }
}

/// End of a binary value whose length field of `BINARY_*` starts at `at`.
#[inline]
fn binary_end(data: &[u8], tag: u8, at: usize) -> Checked<usize> {
    let (start, len) = match tag {
        BINARY_8 => (at + 1, usize::from(byte(data, at)?)),
        BINARY_20 => match data.get(at..).and_then(|rest| rest.first_chunk::<3>()) {
            Some([a, b, c]) => (at + 3, usize::from(a & 15) << 16 | usize::from(*b) << 8 | usize::from(*c)),
            None => return Err(end(data.len())),
        },
        _ => match data.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
            Some(bytes) => {
                let len = u32::from_be_bytes(*bytes);
                if len >> 31 != 0 {
                    return Err(DecodeError::TooLarge { position: at });
                }
                (at + 4, len as usize)
            }
            None => return Err(end(data.len())),
        },
    };
    if len > data.len() - start { Err(end(data.len())) } else { Ok(start + len) }
}

/// End of a packed string whose length field starts at `at`.
#[inline]
fn packed_end(data: &[u8], tag: u8, at: usize) -> Checked<usize> {
    let field = byte(data, at)?;
    let (odd, len) = (field & 0x80 != 0, usize::from(field & 0x7f));
    let start = at + 1;
    if len == 0 {
        return if odd { Err(DecodeError::InvalidPacked { position: at }) } else { Ok(start) };
    }
    if len > data.len() - start {
        return Err(end(data.len()));
    }
    if tag == NIBBLE_8 && !nibbles_are_valid(data, start, len, odd) {
        return Err(DecodeError::InvalidPacked { position: at });
    }
    Ok(start + len)
}

/// Whether `len` packed bytes from `start` hold no half byte above 11 but the padding.
fn nibbles_are_valid(data: &[u8], start: usize, len: usize, odd: bool) -> bool {
    let padding = if odd { 0xf0 } else { 0xff };
    let Some((last, rest)) = data.get(start..start + len).and_then(<[u8]>::split_last) else { return false };
    rest.iter().all(|&b| !not_nibbles(u64::from(b))) && !not_nibbles(u64::from(last & padding))
}

/// End of the string at `at`, which a JID holds as `user` or `server`: no JID, no list.
#[inline]
fn part_end(data: &[u8], at: usize) -> Checked<usize> {
    match byte(data, at)? {
        1..=235 => Ok(at + 1),
        236..=239 => byte(data, at + 1).map(|_| at + 2),
        tag @ (NIBBLE_8 | HEX_8) => packed_end(data, tag, at + 1),
        tag @ (BINARY_8 | BINARY_20 | BINARY_32) => binary_end(data, tag, at + 1),
        tag @ 240..=244 => Err(DecodeError::InvalidToken { byte: tag, position: at }),
        _ => Err(DecodeError::InvalidJid { position: at }),
    }
}

/// Whether the well-formed string from `at` to `end` is empty.
#[inline]
fn is_empty(data: &[u8], at: usize, end: usize) -> bool {
    match data.get(at) {
        Some(&(NIBBLE_8 | HEX_8)) => end - at == 2,
        Some(&BINARY_8) => end - at == 2,
        Some(&BINARY_20) => end - at == 4,
        Some(&BINARY_32) => end - at == 5,
        _ => false,
    }
}

#[inline]
fn user_end(data: &[u8], at: usize) -> Checked<usize> {
    let end = part_end(data, at)?;
    if is_empty(data, at, end) { Err(DecodeError::InvalidJid { position: at }) } else { Ok(end) }
}

/// End of the JID at `at`.
#[inline]
fn jid_end(data: &[u8], tag: u8, at: usize) -> Checked<usize> {
    match tag {
        AD_JID => {
            if Server::from_domain(byte(data, at + 1)?).is_none() {
                return Err(DecodeError::InvalidJid { position: at + 1 });
            }
            byte(data, at + 2)?;
            user_end(data, at + 3)
        }
        JID_PAIR => {
            let server = match byte(data, at + 1)? {
                LIST_EMPTY => at + 2,
                _ => part_end(data, at + 1)?,
            };
            user_end(data, server)
        }
        FB_JID => {
            let after = user_end(data, at + 1)?;
            u16_at(data, after)?;
            let end = part_end(data, after + 2)?;
            let is_msgr = text_at(data, after + 2).0.is("msgr");
            if is_msgr { Ok(end) } else { Err(DecodeError::InvalidJid { position: after + 2 }) }
        }
        _ => {
            let after = user_end(data, at + 1)?;
            u16_at(data, after)?;
            u16_at(data, after + 2)?;
            let end = after + 4;
            // Servers name the server, clients do not.
            let named = data.get(end..).is_some_and(|rest| rest.starts_with(INTEROP_SERVER));
            Ok(if named { end + INTEROP_SERVER.len() } else { end })
        }
    }
}

/// What follows the attribute value or content value that `rest`, the end of `data`, begins with; lists are none.
#[inline]
pub(crate) fn after_value<'d>(data: &[u8], rest: &'d [u8]) -> Checked<&'d [u8]> {
    match value_len(rest) {
        0 => Err(value_error(data, data.len() - rest.len())),
        len => Ok(rest.get(len..).unwrap_or(&[])),
    }
}

/// Length of the value that `rest` begins with; 0 when it is broken. The forms that make up nearly all of the traffic
/// come first.
#[inline(never)]
fn value_len(rest: &[u8]) -> usize {
    let len = match rest {
        [NIBBLE_8, field, rest @ ..] => extended(2, common_nibbles(rest, *field)),
        [HEX_8, field @ (1..=0x7f | 0x81..), rest @ ..] if usize::from(field & 0x7f) <= rest.len() => {
            2 + usize::from(field & 0x7f)
        }
        [BINARY_8, len, rest @ ..] if usize::from(*len) <= rest.len() => 2 + usize::from(*len),
        [236..=239, _, ..] => 2,
        [AD_JID, 0 | 1 | 128 | 129, _, NIBBLE_8, field, rest @ ..] => {
            extended(5, common_nibbles(rest, *field))
        }
        [JID_PAIR, LIST_EMPTY, 1..SINGLE_END, ..] => 3,
        [JID_PAIR, NIBBLE_8, field, rest @ ..] => {
            let len = common_nibbles(rest, *field);
            match rest.get(len) {
                Some(1..SINGLE_END) if len > 0 => 4 + len,
                _ => 0,
            }
        }
        _ => 0,
    };
    if len == 0 { long_value_end(rest, 0).unwrap_or(0) } else { len }
}

/// What is wrong with the value at `at`.
#[cold]
fn value_error(data: &[u8], at: usize) -> DecodeError {
    long_value_end(data, at).err().unwrap_or(DecodeError::UnexpectedEnd { position: at })
}

#[inline(always)]
fn extended(header: usize, len: usize) -> usize {
    if len == 0 { 0 } else { header + len }
}

/// Number of packed bytes at the beginning of `rest` when they are 1 to 16 and in order, else 0.
#[inline(always)]
fn common_nibbles(rest: &[u8], field: u8) -> usize {
    let len = usize::from(field & 0x7f);
    let padding = if field & 0x80 != 0 { 0x0f } else { 0 };
    if len <= 8 {
        // The bytes of the value alone; of none of them, nothing is left.
        let word = match (rest.first_chunk::<8>(), rest.get(..len)) {
            (Some(eight), _) => u64::from_be_bytes(*eight).unbounded_shr(64 - 8 * len as u32),
            (None, Some(bytes)) => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            (None, None) => return 0,
        };
        return if not_nibbles(word & !padding) { 0 } else { len };
    }
    let (Some(first), Some(last)) =
        (rest.first_chunk::<8>(), rest.get(len - 8..len).and_then(|it| it.first_chunk::<8>()))
    else {
        return 0;
    };
    let (first, last) = (u64::from_be_bytes(*first), u64::from_be_bytes(*last));
    if len > 16 || not_nibbles(first) || not_nibbles(last & !padding) { 0 } else { len }
}

/// The thorough way.
#[inline(never)]
fn long_value_end(data: &[u8], at: usize) -> Checked<usize> {
    match byte(data, at)? {
        236..=239 => byte(data, at + 1).map(|_| at + 2),
        tag @ (NIBBLE_8 | HEX_8) => packed_end(data, tag, at + 1),
        tag @ (BINARY_8 | BINARY_20 | BINARY_32) => binary_end(data, tag, at + 1),
        tag @ (AD_JID | JID_PAIR | FB_JID | INTEROP_JID) => jid_end(data, tag, at),
        0..=235 => Ok(at + 1),
        tag => Err(DecodeError::InvalidToken { byte: tag, position: at }),
    }
}

/// What a tag or key turned out to be.
pub(crate) enum Name {
    /// It can be read in place; it ends there.
    InPlace(usize),
    /// It is packed and wants unpacking; it ends there.
    Packed(usize),
    /// It is a JID, a list or nothing.
    NoString,
}

/// Checks the tag or key at `at`, which is no single-byte token.
#[inline(never)]
pub(crate) fn name_at(data: &[u8], at: usize) -> Checked<Name> {
    match byte(data, at)? {
        1..SINGLE_END => Ok(Name::InPlace(at + 1)),
        236..=239 => byte(data, at + 1).map(|_| Name::InPlace(at + 2)),
        tag @ (BINARY_8 | BINARY_20 | BINARY_32) => {
            let end = binary_end(data, tag, at + 1)?;
            let text = raw(data, tag, at, end);
            if !text.is_ascii() && std::str::from_utf8(text).is_err() {
                return Err(DecodeError::InvalidUtf8 { position: at });
            }
            Ok(Name::InPlace(end))
        }
        tag @ (NIBBLE_8 | HEX_8) => packed_end(data, tag, at + 1).map(Name::Packed),
        tag @ 240..=244 => Err(DecodeError::InvalidToken { byte: tag, position: at }),
        _ => Ok(Name::NoString),
    }
}

/// The bytes of a binary value that begins with `tag` at `at` and ends at `end`.
#[inline]
fn raw(data: &[u8], tag: u8, at: usize, end: usize) -> &[u8] {
    let header = match tag {
        BINARY_8 => 2,
        BINARY_20 => 4,
        _ => 5,
    };
    data.get(at + header..end).unwrap_or(&[])
}

/// Whether the name from `at` to `end` is empty.
#[inline]
pub(crate) fn name_is_empty(data: &[u8], at: usize, end: usize) -> bool {
    is_empty(data, at, end)
}

// From here on the bytes are known to be well-formed: what cannot be gives something empty.

/// Bytes of the binary value at `at`, and where it ends.
#[inline]
fn binary_at(data: &[u8], tag: u8, at: usize) -> (&[u8], usize) {
    let (start, len) = match (tag, data.get(at + 1..)) {
        (BINARY_8, Some([len, ..])) => (at + 2, usize::from(*len)),
        (BINARY_20, Some([a, b, c, ..])) => {
            (at + 4, usize::from(a & 15) << 16 | usize::from(*b) << 8 | usize::from(*c))
        }
        (_, Some([a, b, c, d, ..])) => (at + 5, u32::from_be_bytes([*a, *b, *c, *d]) as usize),
        _ => (data.len(), 0),
    };
    (data.get(start..start + len).unwrap_or(&[]), start + len)
}

/// The string at `at`, and where it ends.
#[inline]
pub(crate) fn text_at(data: &[u8], at: usize) -> (Text<'_>, usize) {
    match data.get(at).copied().unwrap_or(0) {
        tag @ 0..=235 => (Text::new(single_text(tag)), at + 1),
        tag @ 236..=239 => {
            let index = data.get(at + 1).copied().unwrap_or(0);
            (Text::new(dictionary_text(tag, index)), at + 2)
        }
        tag @ (NIBBLE_8 | HEX_8) => {
            let field = data.get(at + 1).copied().unwrap_or(0);
            let end = at + 2 + usize::from(field & 0x7f);
            let alphabet = if tag == NIBBLE_8 { Alphabet::Nibble } else { Alphabet::Hex };
            let rest = data.get(at + 2..).unwrap_or(&[]);
            (Text::packed(Packed::new(rest, field, alphabet)), end)
        }
        tag => {
            let (bytes, end) = binary_at(data, tag, at);
            (Text::lossy(bytes), end)
        }
    }
}

/// The tag or key at `at`, which was read in place, and where it ends.
#[inline]
pub(crate) fn name_text(data: &[u8], at: usize) -> (&str, usize) {
    match data.get(at) {
        Some(&tag @ 1..SINGLE_END) => (single_text(tag), at + 1),
        _ => long_name_text(data, at),
    }
}

#[inline(never)]
fn long_name_text(data: &[u8], at: usize) -> (&str, usize) {
    match data.get(at).copied().unwrap_or(0) {
        tag @ 0..=235 => (single_text(tag), at + 1),
        tag @ 236..=239 => (dictionary_text(tag, data.get(at + 1).copied().unwrap_or(0)), at + 2),
        tag => {
            let (bytes, end) = binary_at(data, tag, at);
            (std::str::from_utf8(bytes).unwrap_or(""), end)
        }
    }
}

/// Bytes of the content at `at` when it is binary.
#[inline]
pub(crate) fn content_bytes(data: &[u8], at: usize) -> Option<&[u8]> {
    match data.get(at).copied()? {
        tag @ (BINARY_8 | BINARY_20 | BINARY_32) => Some(binary_at(data, tag, at).0),
        _ => None,
    }
}

/// The value at `at`.
#[inline]
pub(crate) fn value_at(data: &[u8], at: usize) -> Value<'_> {
    match data.get(at) {
        Some(&tag @ 1..SINGLE_END) => Value::Text(Text::new(single_text(tag))),
        Some(&tag @ 236..=239) => {
            Value::Text(Text::new(dictionary_text(tag, data.get(at + 1).copied().unwrap_or(0))))
        }
        Some(&tag @ (NIBBLE_8 | HEX_8)) => {
            let field = data.get(at + 1).copied().unwrap_or(0);
            let alphabet = if tag == NIBBLE_8 { Alphabet::Nibble } else { Alphabet::Hex };
            Value::Text(Text::packed(Packed::new(data.get(at + 2..).unwrap_or(&[]), field, alphabet)))
        }
        _ => long_value_at(data, at),
    }
}

#[inline(never)]
fn long_value_at(data: &[u8], at: usize) -> Value<'_> {
    match data.get(at) {
        Some(&(AD_JID | JID_PAIR | FB_JID | INTEROP_JID)) => match jid_at(data, at) {
            Some(jid) => Value::Jid(jid),
            None => Value::Text(Text::odd_jid(data.get(at..).unwrap_or(&[]))),
        },
        _ => Value::Text(text_at(data, at).0),
    }
}

/// The JID at `at`; none when one of its parts cannot stand in a JID's text.
fn jid_at(data: &[u8], at: usize) -> Option<Jid> {
    // The two forms of people come first: packed digits with a device, or before a common server.
    match data.get(at..) {
        Some([AD_JID, domain, device, NIBBLE_8, field, rest @ ..]) => {
            if let Some(number) = Packed::new(rest, *field, Alphabet::Nibble).canonical_number()
                && let Some(server) = Server::from_domain(*domain)
            {
                return Some(Jid::from_parts(User::Number(number), server, u16::from(*device), 0));
            }
        }
        Some([JID_PAIR, NIBBLE_8, field, rest @ ..]) => {
            let server = rest.get(usize::from(*field & 0x7f)).copied().and_then(server_token);
            if let Some(number) = Packed::new(rest, *field, Alphabet::Nibble).canonical_number()
                && let Some(server) = server
            {
                return Some(Jid::from_parts(User::Number(number), server, 0, 0));
            }
        }
        Some([JID_PAIR, LIST_EMPTY, server, ..]) => {
            if let Some(server) = server_token(*server) {
                return Some(Jid::service(server));
            }
        }
        _ => {}
    }
    RawJid::at(data, at).jid()
}

/// The server whose single-byte token `byte` is.
#[inline]
fn server_token(byte: u8) -> Option<Server> {
    match byte {
        3 => Some(Server::Pn),
        118 => Some(Server::Lid),
        28 => Some(Server::Group),
        13 => Some(Server::Broadcast),
        100 => Some(Server::Call),
        _ => None,
    }
}

/// A JID as it stands in the frame.
pub(crate) struct RawJid<'a> {
    pub(crate) user: Text<'a>,
    /// The server, when it is a known one.
    pub(crate) server: Option<Server>,
    pub(crate) server_text: Text<'a>,
    pub(crate) device: u16,
    pub(crate) integrator: u16,
}

impl<'a> RawJid<'a> {
    pub(crate) fn at(data: &'a [u8], at: usize) -> Self {
        let known = |user, server: Server, device, integrator| Self {
            user,
            server: Some(server),
            server_text: Text::new(server.name()),
            device,
            integrator,
        };
        match data.get(at).copied().unwrap_or(0) {
            AD_JID => {
                let domain = data.get(at + 1).copied().unwrap_or(0);
                let device = data.get(at + 2).copied().unwrap_or(0);
                let server = Server::from_domain(domain).unwrap_or(Server::Pn);
                known(text_at(data, at + 3).0, server, u16::from(device), 0)
            }
            FB_JID => {
                let (user, after) = text_at(data, at + 1);
                known(user, Server::Msgr, u16_at(data, after).unwrap_or(0), 0)
            }
            INTEROP_JID => {
                let (user, after) = text_at(data, at + 1);
                let (device, integrator) = (u16_at(data, after), u16_at(data, after + 2));
                known(user, Server::Interop, device.unwrap_or(0), integrator.unwrap_or(0))
            }
            _ => {
                let (user, after) = text_at(data, at + 1);
                let server_text = text_at(data, after).0;
                let server = server_text.with_str(Server::of);
                Self { user, server, server_text, device: 0, integrator: 0 }
            }
        }
    }

    /// The address; none when one of its parts cannot stand in a JID's text.
    fn jid(&self) -> Option<Jid> {
        match self.server {
            Some(server) if self.user.is_empty() => Some(Jid::service(server)),
            Some(server) if self.user.number().is_some() => {
                let user = User::Number(self.user.number()?);
                Some(Jid::from_parts(user, server, self.device, self.integrator))
            }
            _ => self.checked(),
        }
    }

    /// The address, by the grammar of text.
    fn checked(&self) -> Option<Jid> {
        let user = self.user.strict_compact()?;
        let server = self.server_text.strict_compact()?;
        if self.integrator == 0 {
            return Jid::new(&user, &server, self.device).ok();
        }
        let user = compact_str::format_compact!("{}-{user}", self.integrator);
        Jid::new(&user, &server, self.device).ok()
    }

    /// The plain text of an address that is none: `user@server`.
    pub(crate) fn plain(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.integrator > 0 {
            write!(f, "{}-", self.integrator)?;
        }
        write!(f, "{}", self.user)?;
        if self.device > 0 {
            write!(f, ":{}", self.device)?;
        }
        write!(f, "@{}", self.server_text)
    }
}
