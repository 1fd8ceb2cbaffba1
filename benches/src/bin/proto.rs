//! Protobuf beside waproto: an end-to-end message of 408 bytes read in place and decoded, and a history of 9.4 MB visited one
//! chat at a time, for which wacore has a stream. The peer runs decoded (`owned`) and with its borrowed views (`view`).

use std::io::Write as _;
use std::ops::Range;
use std::process::ExitCode;
use std::rc::Rc;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use prost::Message as _;
use wa_benches::Bench;
use wa_core::history::{HistoryLimits, HistoryReader, Part};
use wa_proto::common::MessageKey;
use wa_proto::e2e_message::{ContextInfo, Message, MessageContextInfo, message::ExtendedTextMessage};
use wa_proto::history::{Conversation, HistorySync, HistorySyncMsg};
use wa_proto::view::{View as _, e2e_message::MessageView};
use wa_proto::web_message::WebMessageInfo;
use wa_proto::wire::Fields;
use wacore::history_sync::{HistorySyncStream, MAX_DECOMPRESSED};
use waproto::buffa::Message as _;
use waproto::buffa::view::MessageView as _;
use waproto::whatsapp as peer;

const MESSAGE_LEN: usize = 408;
const HISTORY_LEN: usize = 9_400_000;

fn main() -> ExitCode {
    let mut bench = Bench::new("proto");
    let bytes = message(MESSAGE_LEN);
    let (own, view) = (bytes.clone(), bytes.clone());
    bench
        .row("read and visit an e2e message of 408 B in place", 2.0)
        .contender("wa-proto", move || {
            let message = MessageView::parse(&own).unwrap();
            let text = message.extended_text_message().unwrap();
            let context = text.context_info().unwrap();
            let quoted = context.quoted_message().unwrap();
            let secret = message.message_context_info().unwrap();
            sum(
                [text.text(), context.stanza_id(), context.participant(), quoted.conversation()],
                secret.message_secret(),
            )
        })
        .contender("waproto, view", move || {
            let message = peer::MessageView::decode_view(&view).unwrap();
            let text = message.extended_text_message.as_option().unwrap();
            let context = text.context_info.as_option().unwrap();
            let quoted = context.quoted_message.as_option().unwrap();
            let secret = message.message_context_info.as_option().unwrap();
            sum(
                [text.text, context.stanza_id, context.participant, quoted.conversation],
                secret.message_secret,
            )
        })
        .contender("waproto, owned", visit_owned_message(bytes.clone()));
    let own = bytes::Bytes::from(bytes.clone());
    bench
        .row("decode an e2e message of 408 B into owned values and visit it", 1.0)
        .contender("wa-proto", move || {
            let message: Message = wa_proto::decode(&own).unwrap();
            let text = message.extended_text_message.as_ref().unwrap();
            let context = text.context_info.as_ref().unwrap();
            let quoted = context.quoted_message.as_ref().unwrap();
            let secret = message.message_context_info.as_ref().unwrap();
            let texts = [&text.text, &context.stanza_id, &context.participant, &quoted.conversation];
            sum(texts.map(Option::as_deref), secret.message_secret.as_deref())
        })
        .contender("waproto, owned", visit_owned_message(bytes));

    let plain = history(HISTORY_LEN);
    for (form, level) in [("not compressed", Compression::none()), ("compressed", Compression::default())] {
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(&plain).unwrap();
        let blob = Rc::new(zlib.finish().unwrap());
        visit_history(&mut bench, form, &blob);
    }
    decode_history(&mut bench, &Rc::new(plain));
    bench.run()
}

fn visit_owned_message(bytes: Vec<u8>) -> impl FnMut() -> u64 {
    move || {
        let message = peer::Message::decode_from_slice(&bytes).unwrap();
        let text = message.extended_text_message.as_option().unwrap();
        let context = text.context_info.as_option().unwrap();
        let quoted = context.quoted_message.as_option().unwrap();
        let secret = message.message_context_info.as_option().unwrap();
        let texts = [&text.text, &context.stanza_id, &context.participant, &quoted.conversation];
        sum(texts.map(Option::as_deref), secret.message_secret.as_deref())
    }
}

/// Key fields of every chat and message. All contenders read the same zlib stream chat by chat and hold one chat at a
/// time: the peer through its own stream, decoding a chat as a view or into one owned value that it fills again.
fn visit_history(bench: &mut Bench, form: &str, blob: &Rc<Vec<u8>>) {
    let (own, owned, view) = (blob.clone(), blob.clone(), blob.clone());
    bench
        .row(format!("visit a history of 9.4 MB, {form}"), 2.0)
        .contender("wa-core", move || {
            let mut reader = HistoryReader::new(&own[..], HistoryLimits::default()).unwrap();
            let mut total = 0;
            while let Some(part) = reader.next_part().unwrap() {
                let Part::Chat(chat) = part else { continue };
                total += chat.id().unwrap().unwrap().len() as u64;
                for message in chat.messages() {
                    let message = message.unwrap();
                    total += fact(message.id.unwrap(), message.timestamp.unwrap(), message.text().unwrap());
                    total += rest(message.remote, message.from_me, message.secret, message.order);
                }
            }
            total
        })
        .contender("wacore, owned", move || {
            let mut stream = HistorySyncStream::new(&owned, MAX_DECOMPRESSED);
            let (mut total, mut chat) = (0, peer::Conversation::default());
            while stream.next_conversation_into(&mut chat).unwrap() {
                total += visit_owned(&chat);
            }
            total
        })
        .contender("wacore, view", move || {
            let mut stream = HistorySyncStream::new(&view, MAX_DECOMPRESSED);
            let mut total = 0;
            while let Some(bytes) = stream.next_conversation_bytes().unwrap() {
                let chat = peer::ConversationView::decode_view(bytes).unwrap();
                total += chat.id.len() as u64;
                for entry in chat.messages.iter() {
                    let info = entry.message.as_option().unwrap();
                    let key = info.key.as_option().unwrap();
                    let text = info.message.as_option().unwrap().conversation.unwrap();
                    total += fact(key.id.unwrap(), info.message_timestamp.unwrap(), text);
                    let order = entry.msg_order_id.unwrap_or(0);
                    total += rest(key.remote_jid, key.from_me.unwrap(), info.message_secret, order);
                }
            }
            total
        });
}

fn visit_owned(chat: &peer::Conversation) -> u64 {
    let mut total = chat.id.len() as u64;
    for entry in &chat.messages {
        let info = entry.message.as_option().unwrap();
        let key = info.key.as_option().unwrap();
        let text = info.message.as_option().unwrap().conversation.as_deref().unwrap();
        total += fact(key.id.as_deref().unwrap(), info.message_timestamp.unwrap(), text);
        let order = entry.msg_order_id.unwrap_or(0);
        total += rest(key.remote_jid.as_deref(), key.from_me.unwrap(), info.message_secret.as_deref(), order);
    }
    total
}

/// Every field of every message decoded into owned values, a chat at a time: what only an export needs.
fn decode_history(bench: &mut Bench, plain: &Rc<Vec<u8>>) {
    let (own, owned) = (plain.clone(), plain.clone());
    let chats = |bytes: &[u8]| -> Vec<Range<usize>> {
        let (mut fields, mut found) = (Fields::new(bytes), Vec::new());
        while let Some((number, value)) = fields.next_field().unwrap() {
            if let (2, Some(chat)) = (number, value.bytes()) {
                let end = bytes.len() - fields.rest().len();
                found.push(end - chat.len()..end);
            }
        }
        found
    };
    let places = Rc::new(chats(plain));
    let other_places = places.clone();
    bench
        .row("decode every field of a history of 9.4 MB, a chat at a time", 1.0)
        .contender("wa-proto", move || {
            let mut total = 0;
            for place in places.iter() {
                let chat = Conversation::decode(&own[place.clone()]).unwrap();
                total += chat.id().len() as u64;
                for entry in &chat.messages {
                    let info = entry.message.as_ref().unwrap();
                    let key = info.key.as_ref().unwrap();
                    let text = info.message.as_ref().unwrap().conversation();
                    total += fact(key.id(), info.message_timestamp.unwrap(), text);
                    let secret = info.message_secret.as_deref();
                    total += rest(key.remote_jid.as_deref(), key.from_me(), secret, entry.msg_order_id());
                }
            }
            total
        })
        .contender("waproto, owned", move || {
            let mut total = 0;
            for place in other_places.iter() {
                total += visit_owned(&peer::Conversation::decode_from_slice(&owned[place.clone()]).unwrap());
            }
            total
        });
}

/// The first byte and the length of everything that the message says.
fn sum(texts: [Option<&str>; 4], secret: Option<&[u8]>) -> u64 {
    let texts = texts.map(|text| text.unwrap().as_bytes());
    texts.into_iter().chain(secret).map(|it| it.len() as u64 + u64::from(it[0])).sum()
}

fn rest(remote: Option<&str>, from_me: bool, secret: Option<&[u8]>, order: u64) -> u64 {
    remote.unwrap().len() as u64 + u64::from(from_me) + u64::from(secret.unwrap()[0]) + order
}

fn fact(id: &str, timestamp: u64, text: &str) -> u64 {
    id.len() as u64 + timestamp + text.len() as u64 + u64::from(text.as_bytes()[0])
}

/// A reply with a quote and a message secret, filled up to `len` bytes with text.
fn message(len: usize) -> Vec<u8> {
    let quoted = Message { conversation: Some("what do you think of it?".into()), ..Message::default() };
    let context = ContextInfo {
        stanza_id: Some("3EB0112233445566778890".into()),
        participant: Some("100000000000001@lid".into()),
        quoted_message: Some(Box::new(quoted)),
        ..ContextInfo::default()
    };
    let secret = MessageContextInfo { message_secret: Some(vec![7; 32].into()), ..Default::default() };
    let with = |text: String| Message {
        extended_text_message: Some(Box::new(ExtendedTextMessage {
            text: Some(text),
            context_info: Some(Box::new(context.clone())),
            ..Default::default()
        })),
        message_context_info: Some(Box::new(secret.clone())),
        ..Message::default()
    };
    let found = (0..len).map(|count| with("x".repeat(count)).encode_to_vec()).find(|it| it.len() == len);
    found.expect("a text of some length fills it")
}

/// Chats of twenty messages until the size is reached.
fn history(len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut number = 0_u64;
    while bytes.len() < len {
        let jid = format!("1555010{:04}@s.whatsapp.net", number % 10_000);
        let messages = (0..20).map(|_| {
            number += 1;
            let text = "a line of text as people write it, ".repeat((number % 5 + 1) as usize);
            HistorySyncMsg {
                message: Some(Box::new(WebMessageInfo {
                    key: Some(Box::new(MessageKey {
                        remote_jid: Some(jid.clone()),
                        from_me: Some(number % 2 == 0),
                        id: Some(format!("3EB0{number:018X}")),
                        participant: None,
                    })),
                    message: Some(Box::new(Message { conversation: Some(text), ..Message::default() })),
                    message_timestamp: Some(1_760_000_000 + number),
                    status: Some(3),
                    message_secret: Some(vec![number as u8; 32].into()),
                    ..WebMessageInfo::default()
                })),
                msg_order_id: Some(number),
            }
        });
        let chat =
            Conversation { id: Some(jid.clone()), messages: messages.collect(), ..Conversation::default() };
        let part = HistorySync { conversations: vec![chat], ..HistorySync::default() };
        bytes.extend(part.encode_to_vec());
    }
    let kind = HistorySync { sync_type: Some(3), ..HistorySync::default() };
    bytes.extend(kind.encode_to_vec());
    bytes
}
