//! Streaming against decoding the whole, damage of every kind, and memory that follows the largest chat.

use std::io::{Read, Write};

use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
use prost::Message as _;
use wa_proto::{
    common::MessageKey,
    e2e_message::{Message, MessageContextInfo, message::ExtendedTextMessage},
    history::{Conversation, HistorySync, HistorySyncMsg, Pushname},
    web_message::WebMessageInfo,
};

use super::{HistoryError, HistoryLimits, HistoryReader, Part};

fn message(chat: u32, number: u32) -> HistorySyncMsg {
    let content = if number.is_multiple_of(2) {
        Message { conversation: Some(format!("text {number}")), ..Message::default() }
    } else {
        let text = ExtendedTextMessage { text: Some(format!("more {number}")), ..Default::default() };
        let context = MessageContextInfo { message_secret: Some(vec![7; 32].into()), ..Default::default() };
        Message {
            extended_text_message: Some(Box::new(text)),
            message_context_info: Some(Box::new(context)),
            ..Message::default()
        }
    };
    HistorySyncMsg {
        message: Some(Box::new(WebMessageInfo {
            key: Some(Box::new(MessageKey {
                remote_jid: Some(format!("1555010{chat:04}@s.whatsapp.net")),
                from_me: Some(number.is_multiple_of(3)),
                id: Some(format!("3EB0{chat:04X}{number:04X}")),
                participant: None,
            })),
            message: Some(Box::new(content)),
            message_timestamp: Some(1_760_000_000 + u64::from(number)),
            participant: (number == 1).then(|| "author@lid".to_owned()),
            ..WebMessageInfo::default()
        })),
        msg_order_id: Some(u64::from(number)),
    }
}

fn history(chats: u32, messages: u32) -> HistorySync {
    HistorySync {
        sync_type: Some(3),
        conversations: (0..chats)
            .map(|chat| Conversation {
                id: Some(format!("1555010{chat:04}@s.whatsapp.net")),
                name: Some(format!("Chat {chat}")),
                messages: (0..messages).map(|number| message(chat, number)).collect(),
                ..Conversation::default()
            })
            .collect(),
        status_v3_messages: vec![*message(0, 5).message.unwrap()],
        pushnames: vec![Pushname { id: Some("1".into()), pushname: Some("Ada".into()) }],
        progress: Some(50),
        ..HistorySync::default()
    }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Reads a blob to its end, putting it together again from its parts.
fn collect<R: Read>(mut reader: HistoryReader<R>) -> Result<HistorySync, HistoryError> {
    let mut whole = HistorySync::default();
    while let Some(part) = reader.next_part()? {
        match part {
            Part::Chat(chat) => {
                let mut conversation = chat.header()?.unwrap();
                assert_eq!(chat.id()?, conversation.id.as_deref());
                for message in chat.messages() {
                    let message = message?;
                    conversation.messages.push(HistorySyncMsg {
                        message: message.decode().map(Box::new),
                        msg_order_id: Some(message.order),
                    });
                }
                whole.conversations.push(conversation);
            }
            Part::Status(message) => whole.status_v3_messages.push(message.decode().unwrap()),
            Part::Other(_, bytes) => whole.merge(bytes).unwrap(),
        }
    }
    Ok(whole)
}

fn read(blob: &[u8]) -> Result<HistorySync, HistoryError> {
    collect(HistoryReader::new(blob, HistoryLimits::default())?)
}

#[test]
fn the_parts_are_the_whole_in_both_framings() {
    let history = history(5, 4);
    let bytes = history.encode_to_vec();
    assert_eq!(read(&deflated(&bytes)).unwrap(), history);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&bytes).unwrap();
    assert_eq!(read(&encoder.finish().unwrap()).unwrap(), history);
    assert_eq!(collect(HistoryReader::inflated(&bytes[..], HistoryLimits::default())).unwrap(), history);
}

#[test]
fn the_facts_of_a_message_are_those_of_its_decoded_form() {
    let bytes = history(1, 4).encode_to_vec();
    let mut reader = HistoryReader::inflated(&bytes[..], HistoryLimits::default());
    let mut seen = 0;
    while let Some(part) = reader.next_part().unwrap() {
        let Part::Chat(chat) = part else { continue };
        for message in chat.messages() {
            let message = message.unwrap();
            let decoded = message.decode().unwrap();
            let key = decoded.key.as_ref().unwrap();
            assert_eq!((message.id, message.remote), (key.id.as_deref(), key.remote_jid.as_deref()));
            assert_eq!((message.from_me, message.timestamp), (key.from_me(), decoded.message_timestamp));
            assert_eq!(message.participant, decoded.participant.as_deref());
            let content = decoded.message.unwrap();
            assert_eq!(message.content.unwrap(), content.encode_to_vec());
            let extended = content.extended_text_message.and_then(|it| it.text);
            assert_eq!(message.text(), content.conversation.or(extended).as_deref());
            assert_eq!(message.secret, content.message_context_info.as_ref().map(|it| it.message_secret()));
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn reads_of_one_byte_change_nothing() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }
    let history = history(2, 3);
    let bytes = history.encode_to_vec();
    assert_eq!(collect(HistoryReader::inflated(Slow(&bytes), HistoryLimits::default())).unwrap(), history);
}

#[test]
fn a_blob_cut_anywhere_is_an_error() {
    let bytes = history(2, 2).encode_to_vec();
    let blob = deflated(&bytes);
    for end in 1..blob.len() {
        assert!(matches!(read(&blob[..end]), Err(HistoryError::Inflate(_))), "cut at {end}");
    }
    assert!(matches!(read(&[]), Err(HistoryError::MissingReference)));
    let mut wrong = blob.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert!(matches!(read(&wrong), Err(HistoryError::Inflate(_))));
    // Inside the inflated bytes a cut is malformed unless it falls between fields.
    let mut clean = 0;
    for end in 0..bytes.len() {
        match collect(HistoryReader::inflated(&bytes[..end], HistoryLimits::default())) {
            Ok(_) => clean += 1,
            Err(error) => assert!(matches!(error, HistoryError::Malformed(_)), "{error}"),
        }
    }
    assert_eq!(clean, 6, "before each of the six top-level fields");
}

#[test]
fn limits_hold_on_every_level() {
    let bytes = history(1, 50).encode_to_vec();
    let with =
        |limits: HistoryLimits| collect(HistoryReader::inflated(&bytes[..], limits)).unwrap_err().to_string();
    let default = HistoryLimits::default();
    assert_eq!(with(HistoryLimits { blob: 1000, ..default }), "blob of more than 1000 bytes");
    assert_eq!(with(HistoryLimits { field: 1000, ..default }), "field of more than 1000 bytes");
    assert_eq!(with(HistoryLimits { record: 30, ..default }), "record of more than 30 bytes");
    // A group has no length in front.
    let group = [&[0x53][..], &[0x08, 0x01].repeat(100_000)].concat();
    let limits = HistoryLimits { field: 70_000, ..default };
    let mut reader = HistoryReader::inflated(&group[..], limits);
    assert!(matches!(reader.next_part(), Err(HistoryError::TooLarge { what: "field", .. })));
}

#[test]
fn memory_follows_the_largest_chat_not_the_blob_or_an_announced_length() {
    let bytes = history(2000, 10).encode_to_vec();
    assert!(bytes.len() > 1_500_000, "{}", bytes.len());
    let mut reader = HistoryReader::inflated(&bytes[..], HistoryLimits::default());
    while reader.next_part().unwrap().is_some() {}
    assert_eq!(reader.inflated_len(), bytes.len() as u64);
    assert!(reader.window_len() < 200_000, "{}", reader.window_len());
    // 30 MB announced, nothing there.
    let announced = [0x12, 0x80, 0x87, 0xa7, 0x0e];
    let mut reader = HistoryReader::inflated(&announced[..], HistoryLimits::default());
    assert!(matches!(reader.next_part(), Err(HistoryError::Malformed(_))));
    assert!(reader.window_len() < 200_000, "{}", reader.window_len());
}

#[test]
fn a_chat_with_an_unreadable_name_keeps_its_messages() {
    // name (13) that is not UTF-8, in front of the messages; the id behind them.
    let mut chat = vec![0x6a, 1, 0xff];
    chat.extend(Conversation { messages: vec![message(1, 2)], ..Conversation::default() }.encode_to_vec());
    chat.extend(Conversation { id: Some("late@lid".into()), ..Conversation::default() }.encode_to_vec());
    let mut blob = vec![0x12];
    prost::encoding::encode_varint(chat.len() as u64, &mut blob);
    blob.extend(chat);
    let mut reader = HistoryReader::inflated(&blob[..], HistoryLimits::default());
    let Some(Part::Chat(chat)) = reader.next_part().unwrap() else { panic!("no chat") };
    assert_eq!(chat.id().unwrap(), Some("late@lid"));
    assert!(chat.header().unwrap().is_none());
    assert_eq!(
        chat.messages().map(|it| it.unwrap().text().unwrap().to_owned()).collect::<Vec<_>>(),
        ["text 2"]
    );
}
