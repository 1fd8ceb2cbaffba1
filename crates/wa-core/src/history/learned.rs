//! What a client keeps of a blob before anybody sees an event (chapter 08 §5): who is who, tokens, secrets, names.

use bytes::Bytes;
use compact_str::CompactString;
use prost::Message as _;
use wa_binary::Jid;
use wa_proto::history::{GlobalSettings, HistorySync};
use wa_proto::wire::{Fields, Value};

use super::{Chat, HistoryError, Part, StoredMessage};
use crate::queries::Mapping;

/// Deepest nesting of wrappers that is looked into.
const WRAPPERS: usize = 16;

/// What is kept of a blob. A bad address skips its entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// `HistorySyncType`, as a number.
    pub sync_type: Option<i32>,
    /// Place in the series of its type.
    pub chunk_order: Option<u32>,
    /// How much of the series is done, 0 to 100.
    pub progress: Option<u32>,
    /// Addresses that belong together. None of them replaces one that was learnt live.
    pub mappings: Vec<Mapping>,
    /// Privacy tokens.
    pub tokens: Vec<StoredToken>,
    /// Secrets of messages that are not forwarded.
    pub secrets: Vec<StoredSecret>,
    /// Push names as they stand: `-` and nothing are no name.
    pub push_names: Vec<(Jid, CompactString)>,
    /// For tokens to people who gave none; kept only where none is stored.
    pub nct_salt: Option<Bytes>,
    /// For deleting the files of later blobs.
    pub companion_meta_nonce: Option<String>,
    /// Settings of the account.
    pub settings: Option<Box<GlobalSettings>>,
}

/// A privacy token from the phone's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// The chat that holds it.
    pub chat: Jid,
    /// Under whom to keep it: the LID where the chat names it.
    pub user: Jid,
    /// The token.
    pub token: Bytes,
    /// When it was issued, seconds; the newer one wins.
    pub timestamp: u64,
    /// When the account issued its own, seconds.
    pub sender_timestamp: Option<u64>,
}

/// The secret of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    /// Where the message stands.
    pub chat: Jid,
    /// Who wrote it; none is the account itself, under both its addresses.
    pub sender: Option<Jid>,
    /// Its id.
    pub id: CompactString,
    /// The secret.
    pub secret: [u8; 32],
}

impl Learned {
    /// Takes in what a part holds.
    ///
    /// # Errors
    /// [`HistoryError`] of a chat that is not protobuf; what was taken in stays.
    pub fn add(&mut self, part: &Part<'_>) -> Result<(), HistoryError> {
        match part {
            Part::Chat(chat) => self.chat(chat),
            Part::Status(_) => Ok(()),
            Part::Other(_, bytes) => {
                // A field that does not decode spoils no other.
                if let Ok(field) = HistorySync::decode(*bytes) {
                    self.field(field);
                }
                Ok(())
            }
        }
    }

    fn field(&mut self, field: HistorySync) {
        self.sync_type = self.sync_type.or(field.sync_type);
        self.chunk_order = self.chunk_order.or(field.chunk_order);
        self.progress = self.progress.or(field.progress);
        let named = field.phone_number_to_lid_mappings.iter().map(|it| (&it.pn_jid, &it.lid_jid));
        let inline = field.inline_contacts.iter().map(|it| (&it.pn_jid, &it.lid_jid));
        for (pn, lid) in named.chain(inline) {
            self.pair(jid(pn.as_deref()).as_ref(), jid(lid.as_deref()).as_ref());
        }
        for name in field.pushnames {
            if let (Some(who), Some(name)) = (jid(name.id.as_deref()), name.pushname) {
                self.push_names.push((who, name.into()));
            }
        }
        self.nct_salt = self.nct_salt.take().or(field.nct_salt);
        self.companion_meta_nonce = self.companion_meta_nonce.take().or(field.companion_meta_nonce);
        self.settings = self.settings.take().or(field.global_settings);
    }

    fn pair(&mut self, one: Option<&Jid>, other: Option<&Jid>) {
        let (Some(one), Some(other)) = (one, other) else { return };
        if let Some(pair) = Mapping::of(one, other).filter(|pair| !self.mappings.contains(pair)) {
            self.mappings.push(pair);
        }
    }

    fn chat(&mut self, chat: &Chat<'_>) -> Result<(), HistoryError> {
        let Some(id) = jid(chat.id()?) else { return Ok(()) };
        let header = chat.header()?.unwrap_or_default();
        let (pn, lid) = (jid(header.pn_jid.as_deref()), jid(header.lid_jid.as_deref()));
        let lid = lid.or_else(|| jid(header.account_lid.as_deref()));
        self.pair(Some(&id), if id.is_lid() { pn.as_ref() } else { lid.as_ref() });
        let is_person = id.is_pn() || id.is_lid();
        if let (true, false, Some(token), Some(timestamp)) = (
            is_person,
            id.is_bot(),
            header.tc_token.filter(|token| !token.is_empty()),
            header.tc_token_timestamp,
        ) {
            self.tokens.push(StoredToken {
                user: lid.filter(|_| id.is_pn()).filter(Jid::is_lid).unwrap_or_else(|| id.clone()),
                chat: id.clone(),
                token,
                timestamp,
                sender_timestamp: header.tc_token_sender_timestamp,
            });
        }
        let mut unpaired = id.is_lid() && pn.is_none();
        for message in chat.messages() {
            let message = message?;
            self.secret(&id, &message)?;
            if unpaired && message.from_me {
                // Who received an own message in a chat of two is the other one, maybe by phone number.
                let receiver = first_receiver(message.bytes)?;
                unpaired = receiver.is_none();
                self.pair(Some(&id), jid(receiver).as_ref());
            }
        }
        Ok(())
    }

    fn secret(&mut self, chat: &Jid, message: &StoredMessage<'_>) -> Result<(), HistoryError> {
        let secret = message.secret.and_then(|secret| <[u8; 32]>::try_from(secret).ok());
        let (Some(secret), Some(id)) = (secret, message.id.filter(|id| !id.is_empty())) else {
            return Ok(());
        };
        if is_forwarded(message.content.unwrap_or_default(), WRAPPERS)? {
            return Ok(());
        }
        let sender = match (message.from_me, chat.is_pn() || chat.is_lid()) {
            (true, _) => None,
            (false, true) => Some(chat.clone()),
            (false, false) => match jid(message.participant) {
                Some(participant) => Some(participant.user_jid()),
                None => return Ok(()),
            },
        };
        self.secrets.push(StoredSecret { chat: chat.clone(), sender, id: id.into(), secret });
        Ok(())
    }
}

/// A person's or chat's address; the legacy server is read as today's.
fn jid(text: Option<&str>) -> Option<Jid> {
    text.filter(|text| !text.is_empty())?.parse().ok().map(
        |jid: Jid| {
            if jid.is_pn() { jid.normalized() } else { jid }
        },
    )
}

/// `userReceipt` (40) of a message, and `userJid` (1) in it.
fn first_receiver(message: &[u8]) -> Result<Option<&str>, HistoryError> {
    let receipt = bytes_of(message, 40)?;
    let user = receipt.map_or(Ok(None), |receipt| bytes_of(receipt, 1))?;
    Ok(user.and_then(|user| std::str::from_utf8(user).ok()))
}

/// The first field of that number.
fn bytes_of(message: &[u8], wanted: u32) -> Result<Option<&[u8]>, HistoryError> {
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        if let (true, Value::Bytes(bytes)) = (number == wanted, value) {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Fields of `Message` that hold nothing but another message in their field 1.
const WRAPPING: [u32; 28] = [
    37, 40, 53, 55, 58, 59, 62, 67, 74, 85, 87, 90, 91, 92, 93, 95, 96, 99, 100, 101, 103, 104, 106, 116,
    117, 118, 126, 131,
];

/// The number of `contextInfo` in the content that stands in a field of `Message`.
const fn context_of(content: u32) -> Option<u32> {
    Some(match content {
        3..=9 | 13 | 18 | 26 | 30 | 38 | 66 | 83 | 125 => 17,
        10 | 28 | 70 => 7,
        25 | 29 | 43 | 88 | 115 => 3,
        36 | 42 => 8,
        39 | 97 => 4,
        45 | 48 => 15,
        49 | 60 | 64 | 111 | 113 | 119 | 129 => 5,
        54 | 75 | 102 | 122 => 1,
        78 => 6,
        86 => 11,
        _ => return None,
    })
}

/// Whether the context of a message says that it was forwarded (`isForwarded`, 22).
fn is_forwarded(message: &[u8], depth: usize) -> Result<bool, HistoryError> {
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        let Value::Bytes(content) = value else { continue };
        if WRAPPING.contains(&number) {
            if let (Some(inner), true) = (bytes_of(content, 1)?, depth > 0)
                && is_forwarded(inner, depth - 1)?
            {
                return Ok(true);
            }
        } else if let Some(context) =
            context_of(number).map_or(Ok(None), |number| bytes_of(content, number))?
        {
            let mut fields = Fields::new(context);
            while let Some((number, value)) = fields.next_field()? {
                if let (22, Value::Varint(1..)) = (number, value) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use wa_proto::e2e_message::{ContextInfo, Message, message};
    use wa_proto::history::{Conversation, HistorySyncMsg, Pushname};
    use wa_proto::web_message::{UserReceipt, WebMessageInfo};

    use super::*;
    use crate::history::{HistoryLimits, HistoryReader};

    fn learned(history: &HistorySync) -> Learned {
        let bytes = history.encode_to_vec();
        let mut reader = HistoryReader::inflated(&bytes[..], HistoryLimits::default());
        let mut learned = Learned::default();
        while let Some(part) = reader.next_part().unwrap() {
            learned.add(&part).unwrap();
        }
        learned
    }

    fn with_chat(chat: Conversation) -> Learned {
        learned(&HistorySync { conversations: vec![chat], ..HistorySync::default() })
    }

    fn message(from_me: bool, content: Message) -> HistorySyncMsg {
        let mut info = WebMessageInfo {
            message: Some(Box::new(content)),
            message_secret: Some(vec![7; 32].into()),
            user_receipt: vec![UserReceipt {
                user_jid: Some("15550100002@s.whatsapp.net".into()),
                ..UserReceipt::default()
            }],
            ..WebMessageInfo::default()
        };
        let key = info.key.get_or_insert_default();
        (key.id, key.from_me) = (Some("A".into()), Some(from_me));
        HistorySyncMsg { message: Some(Box::new(info)), ..HistorySyncMsg::default() }
    }

    fn forwarded(forwarded: bool) -> Message {
        let context = ContextInfo { is_forwarded: Some(forwarded), ..ContextInfo::default() };
        let text = message::ExtendedTextMessage {
            context_info: Some(Box::new(context)),
            ..message::ExtendedTextMessage::default()
        };
        Message { extended_text_message: Some(Box::new(text)), ..Message::default() }
    }

    fn chat(id: &str, messages: Vec<HistorySyncMsg>) -> Conversation {
        Conversation { id: Some(id.into()), messages, ..Conversation::default() }
    }

    #[test]
    fn secrets_of_forwarded_messages_are_not_kept_however_they_are_wrapped() {
        let person = "15550100002@s.whatsapp.net";
        let kept = |content: Message| with_chat(chat(person, vec![message(false, content)])).secrets.len();
        assert_eq!(kept(forwarded(false)), 1);
        assert_eq!(kept(forwarded(true)), 0);
        let wrapped = message::FutureProofMessage { message: Some(Box::new(forwarded(true))) };
        assert_eq!(kept(Message { ephemeral_message: Some(Box::new(wrapped)), ..Message::default() }), 0);
    }

    #[test]
    fn a_secret_belongs_to_who_wrote_the_message() {
        let text = || Message { conversation: Some("hello".into()), ..Message::default() };
        let person = with_chat(chat("15550100002@c.us", vec![message(false, text()), message(true, text())]));
        let senders: Vec<_> =
            person.secrets.iter().map(|it| it.sender.as_ref().map(ToString::to_string)).collect();
        assert_eq!(senders, [Some("15550100002@s.whatsapp.net".to_owned()), None]);
        let group = with_chat(chat("120363000000000001@g.us", vec![message(false, text())]));
        assert_eq!(group.secrets, [], "nobody is named");
    }

    #[test]
    fn an_own_message_tells_whose_lid_a_chat_has() {
        let text = || Message { conversation: Some("hello".into()), ..Message::default() };
        let pairs = |messages| with_chat(chat("200000000000002@lid", messages)).mappings.len();
        assert_eq!(pairs(vec![message(true, text())]), 1);
        assert_eq!(pairs(vec![message(false, text())]), 0);
    }

    #[test]
    fn tokens_are_kept_for_people_with_a_time() {
        let token = |id: &str, token: &'static [u8], timestamp: Option<u64>| {
            let with_token = Conversation {
                tc_token: Some(Bytes::from_static(token)),
                tc_token_timestamp: timestamp,
                lid_jid: Some("200000000000002@lid".into()),
                ..chat(id, vec![])
            };
            with_chat(with_token).tokens.first().map(|token| token.user.to_string())
        };
        let person = "15550100002@s.whatsapp.net";
        assert_eq!(token(person, b"t", Some(1)).as_deref(), Some("200000000000002@lid"));
        assert_eq!(token(person, b"", Some(1)), None);
        assert_eq!(token(person, b"t", None), None);
        assert_eq!(token("120363000000000001@g.us", b"t", Some(1)), None);
    }

    #[test]
    fn a_bad_address_skips_its_entry() {
        let name = |id: &str| Pushname { id: Some(id.into()), pushname: Some("Mira".into()) };
        let history = HistorySync {
            pushnames: vec![name("@@"), name(""), name("15550100002@s.whatsapp.net")],
            ..HistorySync::default()
        };
        assert_eq!(learned(&history).push_names.len(), 1);
    }
}
