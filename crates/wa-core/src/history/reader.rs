//! The top level of a blob: inflating, a window over the stream, one field after the other.

use std::io::{self, BufRead, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use wa_proto::wire::{Fields, WireError};

use super::{Chat, HistoryError, StoredMessage};

/// How much is read from the stream at once, and where a window starts.
const STEP: usize = 64 * 1024;

/// A tag and a length: ten bytes each at most.
const HEAD: usize = 20;

/// `HistorySync.conversations`.
const CONVERSATIONS: u32 = 2;
/// `HistorySync.statusV3Messages`.
const STATUS_MESSAGES: u32 = 3;

/// What a blob may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Bytes of the inflated blob: 64 MiB by default.
    pub blob: u64,
    /// Bytes of a top-level field, so of a chat with its messages: 32 MiB by default.
    pub field: usize,
    /// Bytes of a message: 16 MiB by default.
    pub record: usize,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self { blob: 64 << 20, field: 32 << 20, record: 16 << 20 }
    }
}

/// A part of a blob, borrowed from the reader's window.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// A chat with its messages.
    Chat(Chat<'a>),
    /// A status post.
    Status(StoredMessage<'a>),
    /// Any other field: its number and its bytes with the tag in front. `HistorySync::decode` of them gives a history
    /// with nothing but this field; a field that does not decode spoils no other.
    Other(u32, &'a [u8]),
}

/// Reads a blob part by part.
pub struct HistoryReader<R> {
    window: Window<R>,
    limits: HistoryLimits,
}

/// A blob being inflated.
pub enum Inflater<R> {
    /// RFC 1950, what phones send.
    Zlib(ZlibDecoder<R>),
    /// RFC 1952, which one peer accepts too.
    Gzip(MultiGzDecoder<R>),
}

impl<R: BufRead> Read for Inflater<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Zlib(decoder) => decoder.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
        }
    }
}

impl<R: BufRead> HistoryReader<Inflater<R>> {
    /// Reads a compressed blob, as it stands in a notification or in the decrypted file.
    ///
    /// # Errors
    /// [`HistoryError::MissingReference`] for no bytes at all, [`HistoryError::Inflate`] when they cannot be read.
    pub fn new(mut blob: R, limits: HistoryLimits) -> Result<Self, HistoryError> {
        let inflater = match blob.fill_buf().map_err(HistoryError::Inflate)? {
            [] => return Err(HistoryError::MissingReference),
            [0x1f, 0x8b, ..] => Inflater::Gzip(MultiGzDecoder::new(blob)),
            _ => Inflater::Zlib(ZlibDecoder::new(blob)),
        };
        Ok(Self::inflated(inflater, limits))
    }
}

impl<R: Read> HistoryReader<R> {
    /// Reads a blob that is not compressed.
    pub const fn inflated(stream: R, limits: HistoryLimits) -> Self {
        Self { window: Window::new(stream, limits.blob), limits }
    }

    /// Bytes inflated so far; at the end, the size of the blob.
    pub const fn inflated_len(&self) -> u64 {
        self.window.taken
    }

    #[cfg(test)]
    pub(super) const fn window_len(&self) -> usize {
        self.window.buffer.capacity()
    }

    /// The next part. `None` at the end of the stream, which for a compressed blob has proved its checksum.
    ///
    /// # Errors
    /// [`HistoryError`]; the reader gives nothing more then.
    pub fn next_part(&mut self) -> Result<Option<Part<'_>>, HistoryError> {
        let Some(length) = self.field_length()? else { return Ok(None) };
        let record = self.limits.record;
        let field = self.window.take(length);
        let Some((number, value)) = Fields::new(field).next_field()? else { return Ok(None) };
        Ok(Some(match (number, value.bytes()) {
            (CONVERSATIONS, Some(bytes)) => Part::Chat(Chat::new(bytes, record)),
            (STATUS_MESSAGES, Some(bytes)) => Part::Status(StoredMessage::new(bytes, record)?),
            _ => Part::Other(number, field),
        }))
    }

    /// Makes the window hold the whole next field and gives its length with the tag; `None` at the end.
    fn field_length(&mut self) -> Result<Option<usize>, HistoryError> {
        if self.window.want(HEAD)? == 0 {
            return Ok(None);
        }
        let limit = self.limits.field;
        let too_large = HistoryError::TooLarge { what: "field", limit: limit as u64 };
        let head = self.window.held();
        let mut fields = Fields::new(head);
        let (_, wire_type) = fields.tag()?;
        if wire_type == 2 {
            let length = fields.varint()?;
            if length > limit as u64 {
                return Err(too_large);
            }
            let whole = head.len() - fields.rest().len() + length as usize;
            // The walk over what is too short says what is wrong.
            return Ok(Some(whole.min(self.window.want(whole)?)));
        }
        // Numbers fit the head. A group has no length in front: the window grows until it ends.
        let mut wanted = HEAD;
        loop {
            let had = self.window.want(wanted)?;
            let mut fields = Fields::new(self.window.held());
            match fields.next_field() {
                Ok(_) => return Ok(Some(had - fields.rest().len())),
                Err(WireError::Truncated) if had >= wanted && wanted < limit => {
                    wanted = had.max(wanted) + STEP;
                }
                Err(WireError::Truncated) if had >= wanted => return Err(too_large),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A part of the stream in memory: it grows with what was read, never by an announced length.
struct Window<R> {
    stream: R,
    buffer: Vec<u8>,
    /// `buffer[start..end]` was read and not taken.
    start: usize,
    end: usize,
    /// Bytes taken from the stream.
    taken: u64,
    limit: u64,
    ended: bool,
}

impl<R: Read> Window<R> {
    const fn new(stream: R, limit: u64) -> Self {
        Self { stream, buffer: Vec::new(), start: 0, end: 0, taken: 0, limit, ended: false }
    }

    fn held(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads until `count` bytes are held or the stream ends, and says how many are.
    fn want(&mut self, count: usize) -> Result<usize, HistoryError> {
        while self.end - self.start < count && !self.ended {
            if self.start > 0 && self.buffer.len() - self.end < STEP {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.buffer.len() - self.end < STEP {
                // Twice what is held at most, so that a long field is not copied again and again.
                let grown = self.end + STEP.max(self.end.min(count.saturating_sub(self.end)));
                self.buffer.resize(grown, 0);
            }
            let read = match self.stream.read(&mut self.buffer[self.end..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.ended = true;
                    return Err(HistoryError::Inflate(error));
                }
            };
            self.ended = read == 0;
            self.end += read;
            self.taken += read as u64;
            if self.taken > self.limit {
                self.ended = true;
                self.start = self.end;
                return Err(HistoryError::TooLarge { what: "blob", limit: self.limit });
            }
        }
        Ok(self.end - self.start)
    }

    /// Takes `count` held bytes.
    fn take(&mut self, count: usize) -> &[u8] {
        let start = self.start;
        self.start = (start + count).min(self.end);
        &self.buffer[start..self.start]
    }
}
