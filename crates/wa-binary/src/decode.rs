//! From a frame to a tape: one flat list of positions in a reused arena, no tree (chapter 03 §1, §3, §6).
//!
//! The tape holds for every node its tag, a summary, the end of its subtree, the position of each attribute, and its
//! content. Values stay in the frame and are read from there when somebody asks.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::DecodeError;
use crate::inflate::inflate;
use crate::token::SINGLE_END;
use crate::view::{Children, ContentRef, NodeRef, content_at};
use crate::wire::{self, LIST_8, LIST_16, LIST_EMPTY, Name};

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
    open: Vec<OpenList>,
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
        self.tape.fill(data, &mut self.open)?;
        Ok(NodeRef::of_tape(&self.tape, data, 0))
    }

    /// After a large frame its memory is kept for a while, not for ever.
    fn give_back(&mut self) {
        let capacity = self.tape.words.capacity().max(self.inflated.capacity());
        let used = self.tape.words.len().max(self.inflated.len());
        if capacity <= KEPT || used > capacity / 4 {
            self.small_frames = 0;
            return;
        }
        self.small_frames += 1;
        if self.small_frames >= SHRINK_AFTER {
            self.tape.words.shrink_to(KEPT);
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

/// A decoded frame that owns its bytes: to be sent to another task, kept, shared. Cloning shares.
#[derive(Clone)]
pub struct Stanza(Arc<(Tape, Bytes)>);

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
        tape.fill(&data, &mut Vec::new())?;
        Ok(Self(Arc::new((tape, data))))
    }

    /// The node.
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef::of_tape(&self.0.0, &self.0.1, 0)
    }
}

impl std::fmt::Debug for Stanza {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.root(), f)
    }
}

/// A list of children whose end is not reached yet.
struct OpenList {
    left: u32,
    node: u32,
}

/// What a decoded frame looks like: for each node three entries (tag, summary, end of the subtree), then one for each
/// attribute, then the position or number of the content.
#[derive(Default)]
pub(crate) struct Tape {
    words: Vec<u32>,
    /// Tags and keys that are packed in the frame, unpacked here: so good as never.
    names: String,
    name_places: Vec<NamePlace>,
}

struct NamePlace {
    start: u32,
    end: u32,
    /// Where the value of this key is.
    value: u32,
}

/// Marks a tag or key whose text is in `names`.
const UNPACKED: u32 = 1 << 31;
/// No entry.
const GONE: u32 = u32::MAX;
/// Entries before the attributes of a node.
const HEADER: usize = 3;

const NO_CONTENT: u32 = 0;
const VALUE: u32 = 1;
const CHILDREN: u32 = 2;

impl Tape {
    /// Decodes `data`, whose first byte is a flag byte and skipped.
    fn fill(&mut self, data: &[u8], open: &mut Vec<OpenList>) -> Result<(), DecodeError> {
        self.words.clear();
        self.names.clear();
        self.name_places.clear();
        open.clear();
        let mut at = 1;
        let mut nodes = 0;
        loop {
            nodes += 1;
            if nodes > MAX_NODES {
                return Err(DecodeError::TooLarge { position: at });
            }
            if open.len() >= MAX_DEPTH {
                return Err(DecodeError::TooDeep { position: at });
            }
            let node = self.words.len();
            let children;
            (at, children) = self.node(data, at)?;
            if children > 0 {
                open.push(OpenList { left: children, node: node as u32 });
                continue;
            }
            self.close(node);
            loop {
                let Some(list) = open.last_mut() else { return finish(data, at) };
                list.left -= 1;
                if list.left > 0 {
                    break;
                }
                let node = list.node as usize;
                self.close(node);
                open.pop();
            }
        }
    }

    #[inline]
    fn close(&mut self, node: usize) {
        let end = self.words.len() as u32;
        if let Some(word) = self.words.get_mut(node + 2) {
            *word = end;
        }
    }

    /// Reads a node up to its children; gives the position after it and their number.
    #[inline]
    fn node(&mut self, data: &[u8], at: usize) -> Result<(usize, u32), DecodeError> {
        let (size, mut pos) = match wire::byte(data, at)? {
            LIST_8 => (usize::from(wire::byte(data, at + 1)?), at + 2),
            LIST_16 => (usize::from(wire::u16_at(data, at + 1)?), at + 3),
            byte => return Err(DecodeError::InvalidListToken { byte, position: at }),
        };
        if size == 0 {
            return Err(DecodeError::InvalidNode { position: at });
        }
        let node = self.words.len();
        let attrs = (size - 1) / 2;
        self.words.extend_from_slice(&[pos as u32, (attrs as u32) << 2, 0]);
        pos = match wire::byte(data, pos)? {
            1..SINGLE_END => pos + 1,
            _ => self.long_tag(data, pos, node)?,
        };
        let mut seen = 0u64;
        let mut suspect = false;
        for _ in 0..attrs {
            let key = wire::byte(data, pos)?;
            let value = if (1..SINGLE_END).contains(&key) {
                self.words.push(pos as u32);
                pos + 1
            } else {
                self.long_key(data, pos)?
            };
            // One bit for each key by its last byte: no bit twice, no key twice.
            let bit = 1u64 << (data.get(value - 1).copied().unwrap_or(0) & 63);
            suspect |= seen & bit != 0;
            seen |= bit;
            pos = wire::value_end(data, value)?;
        }
        if suspect {
            self.drop_repeats(data, node, attrs);
        }
        if size % 2 != 0 {
            return Ok((pos, 0));
        }
        match wire::byte(data, pos)? {
            LIST_EMPTY => Ok((pos + 1, 0)),
            tag @ (LIST_8 | LIST_16) => {
                let (count, after) = match tag {
                    LIST_8 => (u32::from(wire::byte(data, pos + 1)?), pos + 2),
                    _ => (u32::from(wire::u16_at(data, pos + 1)?), pos + 3),
                };
                if count > 0 {
                    self.content_word(node, CHILDREN, count);
                }
                Ok((after, count))
            }
            _ => {
                let after = wire::value_end(data, pos)?;
                self.content_word(node, VALUE, pos as u32);
                Ok((after, 0))
            }
        }
    }

    #[inline]
    fn content_word(&mut self, node: usize, kind: u32, word: u32) {
        if let Some(summary) = self.words.get_mut(node + 1) {
            *summary |= kind;
        }
        self.words.push(word);
    }

    /// The tag at `at`, which is no single-byte token: gives its end.
    #[inline(never)]
    fn long_tag(&mut self, data: &[u8], at: usize, node: usize) -> Result<usize, DecodeError> {
        let (word, end) = match wire::name_at(data, at)? {
            Name::InPlace(end) => (at as u32, end),
            Name::Packed(end) => (self.unpack(data, at, end), end),
            Name::NoString => return Err(DecodeError::InvalidNode { position: at }),
        };
        if wire::name_is_empty(data, at, end) {
            return Err(DecodeError::InvalidNode { position: at });
        }
        if let Some(place) = self.words.get_mut(node) {
            *place = word;
        }
        Ok(end)
    }

    /// The key at `at`, which is no single-byte token: gives its end.
    #[inline(never)]
    fn long_key(&mut self, data: &[u8], at: usize) -> Result<usize, DecodeError> {
        let (word, end) = match wire::name_at(data, at)? {
            Name::InPlace(end) => (at as u32, end),
            Name::Packed(end) => (self.unpack(data, at, end), end),
            Name::NoString => return Err(DecodeError::NonStringKey { position: at }),
        };
        self.words.push(word);
        Ok(end)
    }

    #[cold]
    fn unpack(&mut self, data: &[u8], at: usize, end: usize) -> u32 {
        let start = self.names.len() as u32;
        wire::text_at(data, at).0.with_str(|text| self.names.push_str(text));
        let word = UNPACKED | self.name_places.len() as u32;
        self.name_places.push(NamePlace { start, end: self.names.len() as u32, value: end as u32 });
        word
    }

    /// Of a repeated key only the last value counts; it takes the place of the first.
    #[cold]
    fn drop_repeats(&mut self, data: &[u8], node: usize, attrs: usize) {
        let first = node + HEADER;
        let words = self.words.get(first..).unwrap_or(&[]);
        let key = |at: usize| words.get(at).map_or("", |word| self.key(data, *word).0);
        if attrs <= 16 && !(1..attrs).any(|at| (0..at).any(|before| key(before) == key(at))) {
            return;
        }
        let mut order: Vec<u32> = (0..attrs as u32).collect();
        order.sort_by(|a, b| key(*a as usize).cmp(key(*b as usize)));
        // By equal keys: the first place takes the last value, the others fall out.
        let mut kept: Vec<u32> = words.to_vec();
        for same in order.chunk_by(|a, b| key(*a as usize) == key(*b as usize)) {
            let [place, .., last] = same else { continue };
            let value = words.get(*last as usize).copied().unwrap_or(GONE);
            for at in same {
                if let Some(word) = kept.get_mut(*at as usize) {
                    *word = if at == place { value } else { GONE };
                }
            }
        }
        kept.retain(|word| *word != GONE);
        if kept.len() < attrs {
            self.words.truncate(first);
            if let Some(summary) = self.words.get_mut(node + 1) {
                *summary = (kept.len() as u32) << 2;
            }
            self.words.append(&mut kept);
        }
    }

    #[inline]
    fn word(&self, at: usize) -> u32 {
        self.words.get(at).copied().unwrap_or(0)
    }

    #[inline]
    fn name<'a>(&'a self, data: &'a [u8], word: u32) -> (&'a str, usize) {
        if word & UNPACKED == 0 { wire::name_text(data, word as usize) } else { self.unpacked(data, word) }
    }

    #[cold]
    fn unpacked<'a>(&'a self, data: &'a [u8], word: u32) -> (&'a str, usize) {
        match self.name_places.get((word & !UNPACKED) as usize) {
            Some(place) => {
                let text = self.names.get(place.start as usize..place.end as usize);
                (text.unwrap_or(""), place.value as usize)
            }
            None => ("", data.len()),
        }
    }

    /// Tag of the node at `node`.
    #[inline]
    pub(crate) fn tag<'a>(&'a self, data: &'a [u8], node: usize) -> &'a str {
        self.name(data, self.word(node)).0
    }

    /// Key of the attribute entry `word`, and the position of its value.
    #[inline]
    pub(crate) fn key<'a>(&'a self, data: &'a [u8], word: u32) -> (&'a str, usize) {
        self.name(data, word)
    }

    /// Entries of the attributes of `node`.
    #[inline]
    pub(crate) fn attrs(&self, node: usize) -> &[u32] {
        let count = (self.word(node + 1) >> 2) as usize;
        self.words.get(node + HEADER..node + HEADER + count).unwrap_or(&[])
    }

    /// Content of `node`.
    #[inline]
    pub(crate) fn content<'a>(&'a self, data: &'a [u8], node: usize) -> ContentRef<'a> {
        let summary = self.word(node + 1);
        let place = node + HEADER + (summary >> 2) as usize;
        match summary & 3 {
            NO_CONTENT => ContentRef::None,
            VALUE => content_at(data, self.word(place) as usize),
            _ => ContentRef::Nodes(Children::of_tape(self, data, place + 1, self.word(place) as usize)),
        }
    }

    /// Entry after the subtree of `node`.
    #[inline]
    pub(crate) fn end(&self, node: usize) -> usize {
        self.word(node + 2) as usize
    }

    /// Calls `visit` with the nodes from the root down to `node`.
    pub(crate) fn ancestors(&self, node: usize, mut visit: impl FnMut(usize)) {
        let mut at = 0;
        loop {
            visit(at);
            let summary = self.word(at + 1);
            if at == node || summary & 3 != CHILDREN {
                return;
            }
            let mut child = at + HEADER + (summary >> 2) as usize + 1;
            while self.end(child) <= node && self.end(child) > child {
                child = self.end(child);
            }
            at = child;
        }
    }
}

fn finish(data: &[u8], at: usize) -> Result<(), DecodeError> {
    match data.len().saturating_sub(at) {
        0 => Ok(()),
        count => Err(DecodeError::TrailingData { count, position: at }),
    }
}
