//! From a node to a frame, in the one canonical form, straight into a kept buffer (chapter 03 §5).

use crate::decode::MAX_DEPTH;
use crate::error::EncodeError;
use crate::jid::{Jid, Server, User};
use crate::node::{Content, Node};
use crate::packed::{Alphabet, alphabet_of, pack};
use crate::token::{DIGIT_TOKENS_END, LONGEST_TOKEN, Token};
use crate::value::AttrValue;
use crate::wire::{
    AD_JID, BINARY_8, BINARY_20, BINARY_32, FB_JID, HEX_8, INTEROP_JID, INTEROP_SERVER, JID_PAIR, LIST_8,
    LIST_16, LIST_EMPTY, NIBBLE_8,
};
use crate::word::Word;

/// Longest plaintext of a frame: the 24-bit length less the tag of the cipher.
pub const MAX_FRAME: usize = 16_777_215 - 16;

/// Which side writes: the two differ in one JID form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Side {
    /// A client: interop JIDs without their server.
    #[default]
    Client,
    /// A server: interop JIDs with it.
    Server,
}

impl Node {
    /// The frame of this node as a client writes it: flag byte 0 and the canonical encoding.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut frame = Vec::with_capacity(128);
        self.encode_into(Side::Client, &mut frame)?;
        Ok(frame)
    }

    /// Appends the frame of this node to `out`. What a failed attempt appended is taken back.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn encode_into(&self, side: Side, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        out.push(0);
        let mut writer = Writer { side, out, error: None };
        writer.node(self, 1);
        let error = writer.error.or(match out.len() - start {
            0..=MAX_FRAME => None,
            len => Some(EncodeError::TooLarge { len }),
        });
        match error {
            None => Ok(()),
            Some(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }
}

/// Writes on after an error, which comes out at the end: what it wrote is taken back.
struct Writer<'a> {
    side: Side,
    out: &'a mut Vec<u8>,
    error: Option<EncodeError>,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node, depth: usize) {
        if depth > MAX_DEPTH {
            return self.fail(EncodeError::TooDeep);
        }
        if node.tag().is_empty() {
            return self.fail(EncodeError::EmptyTag);
        }
        let attrs = node.attr_values();
        let has_content = !matches!(node.content(), Content::None);
        self.list(1 + 2 * attrs.len() + usize::from(has_content));
        self.word(node.tag_word());
        for (key, value) in attrs {
            self.word(key);
            match value {
                AttrValue::Text(text) => self.word(text),
                AttrValue::Jid(jid) => self.jid(jid),
            }
        }
        match node.content() {
            Content::None => {}
            Content::Bytes(bytes) => self.binary(bytes),
            Content::Nodes(nodes) => {
                self.list(nodes.len());
                for child in nodes {
                    if self.error.is_none() {
                        self.node(child, depth + 1);
                    }
                }
            }
        }
    }

    #[cold]
    fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    #[inline]
    fn list(&mut self, len: usize) {
        match len {
            0..=255 => self.out.extend_from_slice(&[LIST_8, len as u8]),
            256..=65_535 => self.out.extend_from_slice(&[LIST_16, (len >> 8) as u8, len as u8]),
            _ => self.fail(EncodeError::ListTooLong { len }),
        }
    }

    #[inline]
    fn word(&mut self, word: &Word) {
        match word.token() {
            Ok(token) => self.token(token),
            Err(text) => self.plain(text),
        }
    }

    #[inline]
    fn token(&mut self, token: Token) {
        match token.wire() {
            (byte, None) => self.out.push(byte),
            (dictionary, Some(index)) => self.out.extend_from_slice(&[dictionary, index]),
        }
    }

    /// A text that may be a token.
    fn text(&mut self, text: &str) {
        match if text.len() <= LONGEST_TOKEN { Token::of(text) } else { None } {
            Some(token) => self.token(token),
            None => self.plain(text),
        }
    }

    /// A text that is no token.
    fn plain(&mut self, text: &str) {
        match alphabet_of(text.as_bytes()) {
            Some(alphabet) => {
                self.out.push(if alphabet == Alphabet::Nibble { NIBBLE_8 } else { HEX_8 });
                pack(text.as_bytes(), alphabet, self.out);
            }
            None => self.binary(text.as_bytes()),
        }
    }

    #[inline]
    fn binary(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        match len {
            0..=0xff => self.out.extend_from_slice(&[BINARY_8, len as u8]),
            0x100..=0xf_ffff => {
                self.out.extend_from_slice(&[BINARY_20, (len >> 16) as u8, (len >> 8) as u8, len as u8]);
            }
            // More than a frame holds is refused before it is copied.
            0x10_0000..=MAX_FRAME => {
                self.out.push(BINARY_32);
                self.out.extend_from_slice(&(len as u32).to_be_bytes());
            }
            _ => return self.fail(EncodeError::TooLarge { len }),
        }
        self.out.extend_from_slice(bytes);
    }

    fn jid(&mut self, jid: &Jid) {
        let device = jid.device();
        match jid.server() {
            Server::Msgr | Server::Interop if jid.is_service() => self.pair(jid),
            Server::Msgr => {
                self.out.push(FB_JID);
                self.user(jid);
                self.out.extend_from_slice(&device.to_be_bytes());
                self.text(Server::Msgr.name());
            }
            Server::Interop => {
                self.out.push(INTEROP_JID);
                self.user(jid);
                self.out.extend_from_slice(&device.to_be_bytes());
                self.out.extend_from_slice(&jid.integrator().to_be_bytes());
                if self.side == Side::Server {
                    self.out.extend_from_slice(INTEROP_SERVER);
                }
            }
            _ if device == 0 => self.pair(jid),
            server => {
                let (Some(domain), Ok(device)) = (server.domain(), u8::try_from(device)) else {
                    return self.fail(EncodeError::DeviceOutOfRange { device });
                };
                if jid.is_service() {
                    return self.fail(EncodeError::IncompleteJid);
                }
                self.out.extend_from_slice(&[AD_JID, domain, device]);
                self.user(jid);
            }
        }
    }

    #[inline]
    fn pair(&mut self, jid: &Jid) {
        self.out.push(JID_PAIR);
        if jid.is_service() {
            self.out.push(LIST_EMPTY);
        } else {
            self.user(jid);
        }
        match jid.server() {
            Server::Pn => self.out.push(3),
            Server::Lid => self.out.push(118),
            Server::Group => self.out.push(28),
            Server::Other => match jid.server_name() {
                "" => self.fail(EncodeError::IncompleteJid),
                name => self.text(name),
            },
            server => self.text(server.name()),
        }
    }

    #[inline]
    fn user(&mut self, jid: &Jid) {
        match jid.user_part() {
            User::Number(number) if *number >= DIGIT_TOKENS_END => self.number(*number),
            User::Text(text) if jid.server() == Server::Other => {
                self.text(text.split_once('@').map_or("", |(user, _)| user));
            }
            User::Text(text) => self.text(text),
            // May be a token.
            User::Number(_) => self.text(&jid.user()),
        }
    }

    /// A number as packed digits.
    #[inline]
    fn number(&mut self, number: u64) {
        const SIXTEEN_DIGITS: u64 = 10_000_000_000_000_000;
        if number >= SIXTEEN_DIGITS {
            return self.long_number(number);
        }
        let coded = u64::from(eight_digits(number / 100_000_000)) << 32
            | u64::from(eight_digits(number % 100_000_000));
        let digits = 16 - coded.leading_zeros() / 4;
        // Digits first, then the padding.
        let aligned = (coded << (64 - 4 * digits)) | (u64::MAX >> 4 >> (4 * (digits - 1)));
        let bytes = digits.div_ceil(2);
        self.out.extend_from_slice(&[NIBBLE_8, ((digits % 2) << 7 | bytes) as u8]);
        let end = self.out.len() + bytes as usize;
        self.out.extend_from_slice(&aligned.to_be_bytes());
        self.out.truncate(end);
    }

    #[cold]
    fn long_number(&mut self, number: u64) {
        let text = compact_str::format_compact!("{number}");
        self.out.push(NIBBLE_8);
        pack(text.as_bytes(), Alphabet::Nibble, self.out);
    }
}

/// The eight decimal digits of `number`, which has no more, four bits each, all places at once.
#[inline]
fn eight_digits(x: u64) -> u32 {
    // Each step splits every group of digits into its upper and lower half, in twice as many places.
    let x = ((x / 10_000) << 32) | (x % 10_000);
    let hundreds = ((x * 5_243) >> 19) & 0x7f_0000_007f;
    let x = hundreds << 16 | (x - hundreds * 100);
    let tens = ((x * 103) >> 10) & 0x000f_000f_000f_000f;
    let x = tens << 4 | (x - tens * 10);
    // One byte of two digits in each 16-bit place: squeeze.
    let x = (x | x >> 8) & 0x0000_ffff_0000_ffff;
    (x | x >> 16) as u32
}
