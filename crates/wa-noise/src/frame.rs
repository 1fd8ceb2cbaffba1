//! The frame layer: connection header, routing block, 3-byte lengths over a byte stream (chapter 01 §2–§3).
//!
//! A frame is a 3-byte big-endian length and that many bytes. The boundaries of WebSocket messages mean nothing: one
//! may hold several frames or a part of one. [`FrameDecoder`] keeps one buffer and gives frames out of it in place.

use core::fmt;

use crate::NoiseError;

/// The longest payload of a frame: 2^24 - 1 bytes.
pub const MAX_FRAME: usize = 0xFF_FFFF;

/// Bytes of the length in front of a frame.
pub const HEADER_LEN: usize = 3;

/// First bytes of the optional routing block.
const ROUTING_MAGIC: [u8; 4] = *b"ED\0\x01";

/// An empty decoder keeps no more than this many bytes of buffer.
const KEPT_CAPACITY: usize = 4096;

/// The four bytes that open a connection and are its Noise prologue: `WA`, magic 6, version of the token dictionary.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header([u8; 4]);

impl Header {
    /// What clients send today: dictionary version 3.
    pub const CURRENT: Self = Self(*b"WA\x06\x03");

    /// Accepts `WA`, magic 6 and any dictionary version.
    ///
    /// # Errors
    /// [`NoiseError::Header`] for anything else.
    pub const fn parse(bytes: [u8; 4]) -> Result<Self, NoiseError> {
        match bytes {
            [b'W', b'A', 6, _] => Ok(Self(bytes)),
            _ => Err(NoiseError::Header(bytes)),
        }
    }

    /// The bytes as sent, which are the prologue of the handshake.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// The version of the token dictionary that the client speaks.
    pub const fn dictionary_version(&self) -> u8 {
        self.0[3]
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header(WA {} {})", self.0[2], self.0[3])
    }
}

/// What a client sends in front of its first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intro {
    /// The header, which is the prologue.
    pub header: Header,
    /// The routing bytes, if a block was there. Not part of the prologue.
    pub routing_info: Option<Vec<u8>>,
}

/// Appends a frame in plain: handshake messages, and what was sealed elsewhere.
///
/// # Errors
/// [`NoiseError::FrameTooLong`] past [`MAX_FRAME`]; `out` is then as it was.
pub fn write(out: &mut Vec<u8>, payload: &[u8]) -> Result<(), NoiseError> {
    if payload.len() > MAX_FRAME {
        return Err(NoiseError::FrameTooLong { len: payload.len(), limit: MAX_FRAME });
    }
    out.reserve(HEADER_LEN + payload.len());
    out.extend_from_slice(&length_bytes(payload.len()));
    out.extend_from_slice(payload);
    Ok(())
}

/// Appends everything that a client sends first: routing block, header, framed ClientHello. It travels in one
/// WebSocket message. Routing bytes too long for their 3-byte length are left out.
///
/// # Errors
/// [`NoiseError::FrameTooLong`] when the ClientHello is; `out` is then as it was.
pub fn write_opening(
    out: &mut Vec<u8>,
    header: Header,
    routing_info: Option<&[u8]>,
    client_hello: &[u8],
) -> Result<(), NoiseError> {
    let start = out.len();
    if let Some(routing) = routing_info.filter(|routing| routing.len() <= MAX_FRAME) {
        out.extend_from_slice(&ROUTING_MAGIC);
        out.extend_from_slice(&length_bytes(routing.len()));
        out.extend_from_slice(routing);
    }
    out.extend_from_slice(header.as_bytes());
    write(out, client_hello).inspect_err(|_| out.truncate(start))
}

/// Cuts a byte stream into frames.
///
/// Memory follows what arrived, never what a length announces; an emptied decoder gives a grown buffer back.
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Bytes of `buffer` already given out.
    head: usize,
    limit: usize,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameDecoder {
    /// Accepts every length that three bytes can say.
    pub const fn new() -> Self {
        Self::with_limit(MAX_FRAME)
    }

    /// Refuses frames and routing blocks longer than `limit` bytes, as soon as their length has arrived.
    pub const fn with_limit(limit: usize) -> Self {
        Self { buffer: Vec::new(), head: 0, limit }
    }

    /// Changes the limit: a server may keep it low until the handshake is over.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Adds what was read. Take the finished frames before reading on: the decoder holds whatever it is given.
    pub fn push(&mut self, chunk: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(chunk);
    }

    /// Adds what was read, without a copy when nothing is pending.
    pub fn push_owned(&mut self, chunk: Vec<u8>) {
        if self.buffered() == 0 {
            self.buffer = chunk;
            self.head = 0;
        } else {
            self.push(&chunk);
        }
    }

    /// The next complete frame's payload, to be opened in place; `None` until more has been pushed.
    ///
    /// # Errors
    /// [`NoiseError::FrameTooLong`] for a length over the limit, again at every later call.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, NoiseError> {
        let Some(len) = self.announced(0)? else {
            self.shrink();
            return Ok(None);
        };
        let start = self.head + HEADER_LEN;
        if self.buffer.len() - start < len {
            return Ok(None);
        }
        self.head = start + len;
        Ok(self.buffer.get_mut(start..start + len))
    }

    /// The client's intro, once it is complete; a server calls this until it has it, then [`next_frame`](Self::next_frame).
    ///
    /// # Errors
    /// [`NoiseError::Header`] when the connection starts with something else, [`NoiseError::FrameTooLong`] for a
    /// routing block over the limit.
    pub fn next_intro(&mut self) -> Result<Option<Intro>, NoiseError> {
        let Some(first) = self.peek::<4>(0) else { return Ok(None) };
        let (routing, at) = if first == ROUTING_MAGIC {
            let Some(len) = self.announced(4)? else { return Ok(None) };
            let start = self.head + 4 + HEADER_LEN;
            let Some(routing) = self.buffer.get(start..start + len) else { return Ok(None) };
            (Some(routing), 4 + HEADER_LEN + len)
        } else {
            (None, 0)
        };
        let Some(header) = self.peek::<4>(at) else { return Ok(None) };
        let intro = Intro { header: Header::parse(header)?, routing_info: routing.map(<[u8]>::to_vec) };
        self.head += at + 4;
        Ok(Some(intro))
    }

    /// Bytes that arrived and were not given out yet.
    pub const fn buffered(&self) -> usize {
        self.buffer.len() - self.head
    }

    /// Bytes of memory that the buffer holds.
    pub const fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// The length that stands `at` bytes behind the head.
    fn announced(&self, at: usize) -> Result<Option<usize>, NoiseError> {
        let Some([a, b, c]) = self.peek::<HEADER_LEN>(at) else { return Ok(None) };
        let len = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if len > self.limit {
            return Err(NoiseError::FrameTooLong { len, limit: self.limit });
        }
        Ok(Some(len))
    }

    fn peek<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.buffer.get(self.head + at..).and_then(|rest| rest.first_chunk::<N>()).copied()
    }

    /// Moves what is pending to the front once at least as much lies dead before it: every byte moves at most once
    /// per byte given out.
    fn compact(&mut self) {
        self.shrink();
        if self.head > 0 && self.head >= self.buffered() {
            self.buffer.drain(..self.head);
            self.head = 0;
        }
    }

    fn shrink(&mut self) {
        if self.buffered() == 0 {
            self.head = 0;
            if self.buffer.capacity() > KEPT_CAPACITY {
                self.buffer = Vec::new();
            } else {
                self.buffer.clear();
            }
        }
    }
}

/// The 3-byte length; `len` is at most [`MAX_FRAME`].
pub(crate) const fn length_bytes(len: usize) -> [u8; HEADER_LEN] {
    debug_assert!(len <= MAX_FRAME);
    [(len >> 16) as u8, (len >> 8) as u8, len as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(decoder: &mut FrameDecoder) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(frame) = decoder.next_frame().unwrap() {
            out.push(frame.to_vec());
        }
        out
    }

    #[test]
    fn frames_survive_every_split() {
        let expected = vec![b"abc".to_vec(), vec![], vec![7; 300], b"x".to_vec()];
        let mut wire = Vec::new();
        for frame in &expected {
            write(&mut wire, frame).unwrap();
        }
        for first in 0..=wire.len() {
            for second in [first, (first + 1).min(wire.len()), (first + 4).min(wire.len()), wire.len()] {
                let mut decoder = FrameDecoder::new();
                let mut found = Vec::new();
                for chunk in [&wire[..first], &wire[first..second], &wire[second..]] {
                    decoder.push(chunk);
                    found.extend(frames(&mut decoder));
                }
                assert_eq!(found, expected, "split at {first} and {second}");
                assert_eq!(decoder.buffered(), 0);
            }
        }
    }

    #[test]
    fn an_announced_length_allocates_nothing() {
        let mut decoder = FrameDecoder::new();
        decoder.push(&[0xFF, 0xFF, 0xFF]);
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.capacity() < 64);
    }

    #[test]
    fn an_emptied_decoder_gives_its_memory_back() {
        let mut decoder = FrameDecoder::new();
        let mut wire = Vec::new();
        write(&mut wire, &vec![1; 1 << 20]).unwrap();
        for chunk in wire.chunks(1000) {
            decoder.push(chunk);
        }
        assert!(decoder.capacity() >= 1 << 20);
        assert_eq!(frames(&mut decoder).len(), 1);
        assert!(decoder.capacity() <= KEPT_CAPACITY);
    }

    #[test]
    fn a_limit_holds_as_soon_as_the_length_is_there() {
        let mut decoder = FrameDecoder::with_limit(10);
        decoder.push(&[0, 0, 11]);
        let too_long = Err(NoiseError::FrameTooLong { len: 11, limit: 10 });
        assert_eq!(decoder.next_frame(), too_long);
        decoder.push(&[0; 11]);
        assert_eq!(decoder.next_frame(), too_long);
        let mut out = b"kept".to_vec();
        assert!(write(&mut out, &vec![0; MAX_FRAME + 1]).is_err());
        assert_eq!(out, b"kept");
    }

    #[test]
    fn an_intro_is_read_with_and_without_routing_at_every_split() {
        for routing in [None, Some(&b""[..]), Some(&b"\x08\x0d\x08\x05"[..])] {
            let header = Header::parse(*b"WA\x06\x02").unwrap();
            let mut wire = Vec::new();
            write_opening(&mut wire, header, routing, b"hello").unwrap();
            for split in 0..=wire.len() {
                let mut decoder = FrameDecoder::new();
                decoder.push(&wire[..split]);
                let early = decoder.next_intro().unwrap();
                decoder.push(&wire[split..]);
                let intro = early.or_else(|| decoder.next_intro().unwrap()).unwrap();
                assert_eq!(intro, Intro { header, routing_info: routing.map(<[u8]>::to_vec) });
                assert_eq!(frames(&mut decoder), [b"hello"]);
            }
        }
    }

    #[test]
    fn another_header_is_refused() {
        for wrong in [*b"WB\x06\x03", *b"wa\x06\x03", *b"WA\x05\x03", *b"GET ", *b"ED\0\x02"] {
            let mut decoder = FrameDecoder::new();
            decoder.push(&wrong);
            assert_eq!(decoder.next_intro(), Err(NoiseError::Header(wrong)));
        }
    }

    #[test]
    fn owned_chunks_are_taken_over() {
        let mut decoder = FrameDecoder::new();
        let mut wire = Vec::with_capacity(64);
        write(&mut wire, b"abc").unwrap();
        let place = wire.as_ptr();
        decoder.push_owned(wire);
        assert_eq!(decoder.next_frame().unwrap().unwrap().as_ptr(), place.wrapping_add(HEADER_LEN));
        decoder.push_owned(vec![0, 0]);
        decoder.push_owned(vec![1, 9]);
        assert_eq!(frames(&mut decoder), [[9]]);
    }
}
