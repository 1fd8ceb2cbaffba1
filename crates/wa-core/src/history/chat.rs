//! A chat of a blob and its messages, as slices: what a client keeps is found by walking, the rest is decoded when
//! somebody asks (chapter 08 §4, §5).

use bytes::Bytes;
use prost::Message as _;
use wa_proto::{
    history::Conversation,
    web_message::WebMessageInfo,
    wire::{Fields, Value},
};

use super::HistoryError;

/// `Conversation.messages`.
const MESSAGES: u32 = 2;

/// A chat: its header and its messages, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Chat<'a> {
    bytes: &'a [u8],
    record: usize,
}

impl<'a> Chat<'a> {
    pub(super) const fn new(bytes: &'a [u8], record: usize) -> Self {
        Self { bytes, record }
    }

    /// The encoded `Conversation`.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The chat's JID as text, wherever among the fields it stands. `None` when absent or not UTF-8.
    ///
    /// # Errors
    /// [`HistoryError::Malformed`].
    pub fn id(&self) -> Result<Option<&'a str>, HistoryError> {
        let mut fields = Fields::new(self.bytes);
        while let Some((number, value)) = fields.next_field()? {
            if let (1, Value::Bytes(id)) = (number, value) {
                return Ok(std::str::from_utf8(id).ok());
            }
        }
        Ok(None)
    }

    /// Everything but the messages. `None` when it does not decode, as with a name that is not UTF-8: the messages
    /// are still good.
    ///
    /// # Errors
    /// [`HistoryError::Malformed`].
    pub fn header(&self) -> Result<Option<Conversation>, HistoryError> {
        let mut header = Vec::new();
        let mut fields = Fields::new(self.bytes);
        loop {
            let before = fields.rest();
            let Some((number, _)) = fields.next_field()? else { break };
            if number != MESSAGES {
                header.extend_from_slice(&before[..before.len() - fields.rest().len()]);
            }
        }
        Ok(Conversation::decode(Bytes::from(header)).ok())
    }

    /// The messages, in the order of the blob.
    pub const fn messages(&self) -> Messages<'a> {
        Messages { fields: Fields::new(self.bytes), record: self.record }
    }
}

/// The messages of a chat.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    fields: Fields<'a>,
    record: usize,
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<StoredMessage<'a>, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.fields.next_field() {
                Ok(Some((MESSAGES, Value::Bytes(entry)))) => return Some(self.entry(entry)),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => {
                    self.fields = Fields::new(&[]);
                    return Some(Err(error.into()));
                }
            }
        }
    }
}

impl<'a> Messages<'a> {
    /// `HistorySyncMsg`: the message and its place.
    fn entry(&self, entry: &'a [u8]) -> Result<StoredMessage<'a>, HistoryError> {
        let (mut message, mut order) = (&[][..], 0);
        let mut fields = Fields::new(entry);
        while let Some((number, value)) = fields.next_field()? {
            match (number, value) {
                (1, Value::Bytes(bytes)) => message = bytes,
                (2, Value::Varint(number)) => order = number,
                _ => {}
            }
        }
        Ok(StoredMessage { order, ..StoredMessage::new(message, self.record)? })
    }
}

/// A `WebMessageInfo`: where it stands, who wrote it and when, its content as bytes. Texts that are not UTF-8 read as
/// absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoredMessage<'a> {
    /// The encoded `WebMessageInfo`.
    pub bytes: &'a [u8],
    /// `msgOrderId`; 0 when absent.
    pub order: u64,
    /// `key.id`.
    pub id: Option<&'a str>,
    /// `key.remoteJid`; the chat's when absent.
    pub remote: Option<&'a str>,
    /// `key.fromMe`.
    pub from_me: bool,
    /// `key.participant`, else `participant`: the author in a group.
    pub participant: Option<&'a str>,
    /// `messageTimestamp`, seconds.
    pub timestamp: Option<u64>,
    /// `pushName`.
    pub push_name: Option<&'a str>,
    /// `messageStubType`: a system event.
    pub stub_type: Option<i32>,
    /// `messageSecret`, else the one in the content's `messageContextInfo`; of any length.
    pub secret: Option<&'a [u8]>,
    /// `message`, encoded: the end-to-end message. Keep these bytes rather than re-encoding them.
    pub content: Option<&'a [u8]>,
}

impl<'a> StoredMessage<'a> {
    pub(super) fn new(bytes: &'a [u8], record: usize) -> Result<Self, HistoryError> {
        if bytes.len() > record {
            return Err(HistoryError::TooLarge { what: "record", limit: record as u64 });
        }
        let mut message = Self { bytes, ..Self::default() };
        let mut author = None;
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next_field()? {
            match (number, value) {
                (1, Value::Bytes(key)) => message.key(key)?,
                (2, Value::Bytes(content)) => message.content = Some(content),
                (3, Value::Varint(seconds)) => message.timestamp = Some(seconds),
                (5, Value::Bytes(text)) => author = std::str::from_utf8(text).ok(),
                (19, Value::Bytes(text)) => message.push_name = std::str::from_utf8(text).ok(),
                // Enums are 32 bits of what is sent as 64.
                (24, Value::Varint(kind)) => message.stub_type = Some(kind as i32),
                (49, Value::Bytes(secret)) => message.secret = Some(secret),
                _ => {}
            }
        }
        message.participant = message.participant.or(author);
        if message.secret.is_none() {
            message.secret = context_secret(message.content.unwrap_or_default())?;
        }
        Ok(message)
    }

    /// The whole record, decoded. `None` when something in it does not decode.
    pub fn decode(&self) -> Option<WebMessageInfo> {
        WebMessageInfo::decode(Bytes::copy_from_slice(self.bytes)).ok()
    }

    /// The text of a plain text message, extended or not.
    pub fn text(&self) -> Option<&'a str> {
        let mut fields = Fields::new(self.content?);
        while let Ok(Some((number, value))) = fields.next_field() {
            match (number, value) {
                (1, Value::Bytes(text)) => return std::str::from_utf8(text).ok(),
                (6, Value::Bytes(extended)) => {
                    let mut fields = Fields::new(extended);
                    while let Ok(Some((number, value))) = fields.next_field() {
                        if let (1, Value::Bytes(text)) = (number, value) {
                            return std::str::from_utf8(text).ok();
                        }
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn key(&mut self, key: &'a [u8]) -> Result<(), HistoryError> {
        let mut fields = Fields::new(key);
        while let Some((number, value)) = fields.next_field()? {
            match (number, value) {
                (1, Value::Bytes(text)) => self.remote = std::str::from_utf8(text).ok(),
                (2, Value::Varint(flag)) => self.from_me = flag != 0,
                (3, Value::Bytes(text)) => self.id = std::str::from_utf8(text).ok(),
                (4, Value::Bytes(text)) => self.participant = std::str::from_utf8(text).ok(),
                _ => {}
            }
        }
        Ok(())
    }
}

/// `messageContextInfo` (35) of a message, and `messageSecret` (3) in it.
fn context_secret(content: &[u8]) -> Result<Option<&[u8]>, HistoryError> {
    let mut secret = None;
    let mut fields = Fields::new(content);
    while let Some((number, value)) = fields.next_field()? {
        if let (35, Value::Bytes(context)) = (number, value) {
            let mut fields = Fields::new(context);
            while let Some((number, value)) = fields.next_field()? {
                if let (3, Value::Bytes(bytes)) = (number, value) {
                    secret = Some(bytes);
                }
            }
        }
    }
    Ok(secret)
}
