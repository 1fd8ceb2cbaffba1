//! From a frame to a node that can be read: the arena of a connection, a frame that is kept, an owned tree
//! (chapter 03 §1, §6).

use bytes::{Bytes, BytesMut};

use crate::error::DecodeError;
use crate::inflate::inflate;
use crate::tape::Tape;
use crate::view::NodeRef;

/// Most levels of a node; the root is level 1.
pub const MAX_DEPTH: usize = 128;
/// Most nodes in one frame.
pub const MAX_NODES: usize = 262_144;
/// Most bytes of an inflated frame.
pub const MAX_INFLATED: usize = 16 * 1024 * 1024;

/// The bit of the flag byte that says that a zlib stream follows.
pub(crate) const COMPRESSED: u8 = 0x02;

/// Capacity in entries or bytes that an arena keeps whatever it last held.
const KEPT: usize = 64 * 1024;
/// Bytes of memory that kept frames share, unless one takes more.
const ROOM: usize = 4 * 1024;
/// Number of small frames in a row after which an arena gives a larger capacity back.
const SHRINK_AFTER: u32 = 64;

/// The arena of a connection: decodes one frame after the other without allocating anew.
///
/// ```
/// use wa_binary::Decoder;
/// let mut decoder = Decoder::new();
/// let ping = decoder.decode(&[0x00, 0xf8, 0x01, 0x56])?;
/// assert_eq!(ping.tag(), "ping");
/// # Ok::<(), wa_binary::DecodeError>(())
/// ```
#[derive(Default)]
pub struct Decoder {
    tape: Tape,
    inflated: Vec<u8>,
    /// Room for the bytes of frames that are kept next.
    room: BytesMut,
    small_frames: u32,
}

impl Decoder {
    /// An empty arena. It grows with the first frames.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the plaintext of one transport frame: flag byte and node.
    ///
    /// # Errors
    /// See [`DecodeError`]; the frame is then to be dropped, the connection goes on.
    pub fn decode<'a>(&'a mut self, frame: &'a [u8]) -> Result<NodeRef<'a>, DecodeError> {
        self.give_back();
        let flags = *frame.first().ok_or(DecodeError::EmptyFrame)?;
        let data = if flags & COMPRESSED == 0 {
            frame
        } else {
            inflate(frame.get(1..).unwrap_or(&[]), MAX_INFLATED, &mut self.inflated)?;
            &self.inflated
        };
        self.tape.fill(data)?;
        Ok(NodeRef::of_tape(&self.tape, data, 0))
    }

    /// Decodes a frame and keeps it. Frames that are kept one after the other share pieces of memory of 4 KiB, which
    /// go with the last of them.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn keep(&mut self, frame: &[u8]) -> Result<Stanza, DecodeError> {
        self.decode(frame)?;
        let is_compressed = frame.first().is_some_and(|flags| flags & COMPRESSED != 0);
        let data = if is_compressed { &self.inflated[..] } else { frame };
        if self.room.capacity() < data.len() {
            self.room = BytesMut::with_capacity(data.len().max(ROOM));
        }
        self.room.extend_from_slice(data);
        Ok(Stanza { tape: self.tape.compact(), data: self.room.split().freeze() })
    }

    /// After a large frame its memory is kept for a while, not for ever.
    fn give_back(&mut self) {
        let capacity = self.tape.capacity().max(self.inflated.capacity());
        let used = self.tape.len().max(self.inflated.len());
        if capacity <= KEPT || used > capacity / 4 {
            self.small_frames = 0;
            return;
        }
        self.small_frames += 1;
        if self.small_frames >= SHRINK_AFTER {
            self.tape.shrink_to(KEPT);
            self.inflated.shrink_to(KEPT);
            self.small_frames = 0;
        }
    }
}

/// Decodes one frame into an owned node.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(frame: &[u8]) -> Result<crate::Node, DecodeError> {
    Decoder::new().decode(frame).map(NodeRef::to_node)
}

/// A decoded frame that owns its bytes: to be sent to another task, or kept.
pub struct Stanza {
    tape: Tape,
    data: Bytes,
}

impl Stanza {
    /// Decodes one frame and keeps it.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        let flags = *frame.first().ok_or(DecodeError::EmptyFrame)?;
        let data = if flags & COMPRESSED == 0 {
            frame
        } else {
            let mut inflated = Vec::new();
            inflate(frame.get(1..).unwrap_or(&[]), MAX_INFLATED, &mut inflated)?;
            inflated.shrink_to_fit();
            inflated.into()
        };
        let mut tape = Tape::default();
        tape.fill(&data)?;
        tape.shrink_to_fit();
        Ok(Self { tape, data })
    }

    /// The node.
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef::of_tape(&self.tape, &self.data, 0)
    }
}

impl std::fmt::Debug for Stanza {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.root(), f)
    }
}
