//! The tape: what a decoded frame looks like, one flat list in a reused arena, no tree (chapter 03 §3, §6).
//!
//! For each node it holds three entries (position of the tag, a summary, the end of the subtree), then the position of
//! each attribute, then the position of the content or the number of children, who follow. Values stay in the frame and
//! are read from there when somebody asks.

use crate::decode::{MAX_DEPTH, MAX_NODES};
use crate::error::DecodeError;
use crate::token::{SINGLE_END, Token};
use crate::view::{Children, ContentRef, content_at};
use crate::wire::{self, LIST_8, LIST_16, LIST_EMPTY, Name};

/// Entries before the attributes of a node.
const HEADER: usize = 3;

/// The low bits of a summary; the number of attributes stands above them.
const NO_CONTENT: u32 = 0;
const VALUE: u32 = 1;
const CHILDREN: u32 = 2;

/// Marks a tag or key whose text is in [`Names`].
const UNPACKED: u32 = 1 << 31;
/// No entry.
const GONE: u32 = u32::MAX;

#[derive(Default)]
pub(crate) struct Tape {
    /// Longer than what is used, so that a node takes its entries at once.
    words: Vec<u32>,
    used: usize,
    names: Names,
    open: Vec<OpenList>,
}

/// A list of children whose end is not reached yet.
struct OpenList {
    left: u32,
    node: u32,
}

/// Tags and keys that are packed in the frame, unpacked here: so good as never.
#[derive(Default, Clone)]
struct Names {
    text: String,
    places: Vec<NamePlace>,
}

#[derive(Clone)]
struct NamePlace {
    start: u32,
    end: u32,
    /// Where the value of this key is.
    value: u32,
}

impl Tape {
    /// Decodes `data`, whose first byte is a flag byte and skipped.
    pub(crate) fn fill(&mut self, data: &[u8]) -> Result<(), DecodeError> {
        self.used = 0;
        self.names.text.clear();
        self.names.places.clear();
        self.open.clear();
        let mut rest = data.get(1..).unwrap_or(&[]);
        let mut nodes = 0;
        loop {
            nodes += 1;
            if nodes > MAX_NODES {
                return Err(DecodeError::TooLarge { position: data.len() - rest.len() });
            }
            let node = self.used;
            let children;
            (rest, children) = self.node(data, rest)?;
            if children > 0 {
                self.open.push(OpenList { left: children, node: node as u32 });
                if self.open.len() >= MAX_DEPTH {
                    return Err(DecodeError::TooDeep { position: data.len() - rest.len() });
                }
                continue;
            }
            loop {
                let Some(list) = self.open.last_mut() else { return finish(data, rest) };
                list.left -= 1;
                if list.left > 0 {
                    break;
                }
                let end = self.used as u32;
                if let Some(word) = self.words.get_mut(list.node as usize + 2) {
                    *word = end;
                }
                self.open.pop();
            }
        }
    }

    /// Reads a node up to its children; gives what is left and their number.
    #[inline]
    fn node<'d>(&mut self, data: &'d [u8], rest: &'d [u8]) -> Result<(&'d [u8], u32), DecodeError> {
        let position = |rest: &[u8]| data.len() - rest.len();
        let (size, mut rest) = match rest {
            [LIST_8, size, after @ ..] => (usize::from(*size), after),
            [LIST_16, high, low, after @ ..] => (usize::from(*high) << 8 | usize::from(*low), after),
            [] | [LIST_8 | LIST_16, ..] => return Err(DecodeError::UnexpectedEnd { position: data.len() }),
            [byte, ..] => {
                return Err(DecodeError::InvalidListToken { byte: *byte, position: position(rest) });
            }
        };
        if size == 0 {
            return Err(DecodeError::InvalidNode { position: position(rest) });
        }
        let attrs = (size - 1) / 2;
        let node = self.used;
        let place = node + HEADER + attrs;
        if place >= self.words.len() || 2 * attrs >= rest.len() {
            self.make_room(data, rest, attrs)?;
        }

        let tag;
        (tag, rest) = match rest {
            [1..SINGLE_END, after @ ..] => (position(rest) as u32, after),
            _ => self.names.tag(data, position(rest))?,
        };
        let mut suspect = false;
        if attrs > 0 {
            let slots = self.words.get_mut(node + HEADER..place).unwrap_or(&mut []);
            (rest, suspect) = read_attrs(data, rest, slots, &mut self.names)?;
        }
        let mut children = 0;
        let mut kind = NO_CONTENT;
        if size % 2 == 0 {
            let word;
            (kind, word, rest) = match rest {
                [LIST_EMPTY, after @ ..] | [LIST_8, 0, after @ ..] | [LIST_16, 0, 0, after @ ..] => {
                    (NO_CONTENT, 0, after)
                }
                [LIST_8, count, after @ ..] => (CHILDREN, u32::from(*count), after),
                [LIST_16, high, low, after @ ..] => {
                    (CHILDREN, u32::from(*high) << 8 | u32::from(*low), after)
                }
                [] | [LIST_8 | LIST_16, ..] => {
                    return Err(DecodeError::UnexpectedEnd { position: data.len() });
                }
                _ => (VALUE, position(rest) as u32, wire::after_value(data, rest)?),
            };
            if kind == CHILDREN {
                children = word;
            }
            if let Some(content) = self.words.get_mut(place) {
                *content = word;
            }
        }
        self.used = place + usize::from(kind != NO_CONTENT);
        if let Some(header) = self.words.get_mut(node..).and_then(<[u32]>::first_chunk_mut) {
            *header = [tag, (attrs as u32) << 2 | kind, self.used as u32];
        }
        if suspect {
            self.drop_repeats(data, node, attrs);
        }
        Ok((rest, children))
    }

    /// Room for the next node, unless it has more attributes than can follow: those have two bytes at least.
    #[cold]
    fn make_room(&mut self, data: &[u8], rest: &[u8], attrs: usize) -> Result<(), DecodeError> {
        if 2 * attrs >= rest.len() {
            // It breaks off somewhere: find out where and how, without room for what cannot be.
            let at = data.len() - rest.len();
            let after = match rest {
                [1..SINGLE_END, after @ ..] => after,
                _ => self.names.tag(data, at)?.1,
            };
            read_attrs(data, after, &mut vec![0; attrs.min(rest.len())], &mut self.names)?;
            return Err(DecodeError::UnexpectedEnd { position: data.len() });
        }
        let wanted = self.used + HEADER + attrs + 1;
        self.words.resize(wanted.max(2 * self.words.len()).max(64), 0);
        Ok(())
    }

    /// Of a repeated key only the last value counts; it takes the place of the first.
    #[cold]
    fn drop_repeats(&mut self, data: &[u8], node: usize, attrs: usize) {
        let first = node + HEADER;
        let words = self.words.get(first..first + attrs).unwrap_or(&[]);
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
        // What follows the attributes moves up.
        kept.extend_from_slice(self.words.get(first + attrs..self.used).unwrap_or(&[]));
        let dropped = self.used - first - kept.len();
        self.used -= dropped;
        if let Some(room) = self.words.get_mut(first..self.used) {
            room.copy_from_slice(&kept);
        }
        if let Some([_, summary, end]) = self.words.get_mut(node..first) {
            *summary -= (dropped as u32) << 2;
            *end = self.used as u32;
        }
    }

    /// Entries in use.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Entries that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.words.capacity()
    }

    /// Gives room back, down to `kept` entries.
    pub(crate) fn shrink_to(&mut self, kept: usize) {
        self.words.truncate(kept);
        self.words.shrink_to(kept);
    }

    /// A copy without room that is not in use.
    pub(crate) fn compact(&self) -> Self {
        let words = self.words.get(..self.used).unwrap_or(&[]).to_vec();
        Self { words, used: self.used, names: self.names.clone(), open: Vec::new() }
    }

    /// Gives back all room that is not in use.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.words.truncate(self.used);
        self.words.shrink_to_fit();
        self.open = Vec::new();
    }

    #[inline]
    fn word(&self, at: usize) -> u32 {
        self.words.get(at).copied().unwrap_or(0)
    }

    /// Tag of the node at `node`.
    #[inline]
    pub(crate) fn tag<'a>(&'a self, data: &'a [u8], node: usize) -> &'a str {
        self.key(data, self.word(node)).0
    }

    /// Key of the attribute entry `word`, and the position of its value.
    #[inline]
    pub(crate) fn key<'a>(&'a self, data: &'a [u8], word: u32) -> (&'a str, usize) {
        if word & UNPACKED == 0 {
            wire::name_text(data, word as usize)
        } else {
            self.names.unpacked(data, word)
        }
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
        if summary & 3 == NO_CONTENT { ContentRef::None } else { self.some_content(data, node, summary) }
    }

    #[inline(never)]
    fn some_content<'a>(&'a self, data: &'a [u8], node: usize, summary: u32) -> ContentRef<'a> {
        let place = node + HEADER + (summary >> 2) as usize;
        match summary & 3 {
            VALUE => content_at(data, self.word(place) as usize),
            _ => ContentRef::Nodes(Children::of_tape(self, data, place + 1, self.word(place) as usize)),
        }
    }

    /// Entry after the subtree of `node`.
    #[inline]
    pub(crate) fn end(&self, node: usize) -> usize {
        self.word(node + 2) as usize
    }

    /// Entry after `node` alone: where its first child is, if it has one.
    #[inline]
    pub(crate) fn own_end(&self, node: usize) -> usize {
        let summary = self.word(node + 1);
        node + HEADER + (summary >> 2) as usize + usize::from(summary & 3 != NO_CONTENT)
    }

    /// Calls `visit` with the nodes from the root down to `node`.
    pub(crate) fn ancestors(&self, node: usize, mut visit: impl FnMut(usize)) {
        let mut at = 0;
        loop {
            visit(at);
            if at == node || self.word(at + 1) & 3 != CHILDREN {
                return;
            }
            let mut child = self.own_end(at);
            while self.end(child) <= node && self.end(child) > child {
                child = self.end(child);
            }
            at = child;
        }
    }
}

/// Reads as many attributes as there are slots; gives what is left, and whether a key may come twice.
#[inline(never)]
fn read_attrs<'d>(
    data: &'d [u8],
    mut rest: &'d [u8],
    slots: &mut [u32],
    names: &mut Names,
) -> Result<(&'d [u8], bool), DecodeError> {
    let mut seen = 0u64;
    let mut suspect = 0u64;
    for slot in slots {
        let at = data.len() - rest.len();
        let telling;
        (*slot, telling, rest) = match rest {
            [key @ 1..SINGLE_END, after @ ..] => (at as u32, *key, after),
            [236..=239, key, after @ ..] => (at as u32, *key, after),
            _ => names.key(data, at)?,
        };
        // One bit for each key, by the last byte of a token or text: no bit twice, no key twice.
        let bit = 1u64 << (telling & 63);
        suspect |= seen & bit;
        seen |= bit;
        rest = match rest {
            [1..SINGLE_END, after @ ..] => after,
            [236..=239, _, after @ ..] => after,
            _ => wire::after_value(data, rest)?,
        };
    }
    Ok((rest, suspect != 0))
}

impl Names {
    /// The tag at `at`, which is no single-byte token: its entry, and what follows.
    #[inline(never)]
    fn tag<'d>(&mut self, data: &'d [u8], at: usize) -> Result<(u32, &'d [u8]), DecodeError> {
        let (word, end) = match wire::name_at(data, at)? {
            Name::InPlace(end) => (at as u32, end),
            Name::Packed(end) => (self.unpack(data, at, end), end),
            Name::NoString => return Err(DecodeError::InvalidNode { position: at }),
        };
        if wire::name_is_empty(data, at, end) {
            return Err(DecodeError::InvalidNode { position: at });
        }
        Ok((word, data.get(end..).unwrap_or(&[])))
    }

    /// The key at `at`, which is no token: its entry, the byte that tells it from others, and what follows.
    #[inline(never)]
    fn key<'d>(&mut self, data: &'d [u8], at: usize) -> Result<(u32, u8, &'d [u8]), DecodeError> {
        let (word, end) = match wire::name_at(data, at)? {
            Name::InPlace(end) => (at as u32, end),
            Name::Packed(end) => (self.unpack(data, at, end), end),
            Name::NoString => return Err(DecodeError::NonStringKey { position: at }),
        };
        let text =
            if word & UNPACKED == 0 { wire::name_text(data, at).0 } else { self.unpacked(data, word).0 };
        // A token may come spelled out beside its short form: the byte is that of the form which a writer chooses.
        let telling = match Token::of(text).map(Token::wire) {
            Some((byte, index)) => index.unwrap_or(byte),
            None => text.as_bytes().last().copied().unwrap_or(0),
        };
        Ok((word, telling, data.get(end..).unwrap_or(&[])))
    }

    #[cold]
    fn unpack(&mut self, data: &[u8], at: usize, end: usize) -> u32 {
        let start = self.text.len() as u32;
        wire::text_at(data, at).0.with_str(|text| self.text.push_str(text));
        let word = UNPACKED | self.places.len() as u32;
        self.places.push(NamePlace { start, end: self.text.len() as u32, value: end as u32 });
        word
    }

    #[cold]
    fn unpacked<'a>(&'a self, data: &'a [u8], word: u32) -> (&'a str, usize) {
        match self.places.get((word & !UNPACKED) as usize) {
            Some(place) => {
                let text = self.text.get(place.start as usize..place.end as usize);
                (text.unwrap_or(""), place.value as usize)
            }
            None => ("", data.len()),
        }
    }
}

fn finish(data: &[u8], rest: &[u8]) -> Result<(), DecodeError> {
    match rest.len() {
        0 => Ok(()),
        count => Err(DecodeError::TrailingData { count, position: data.len() - count }),
    }
}
