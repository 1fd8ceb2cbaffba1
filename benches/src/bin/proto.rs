//! Protobuf beside waproto: an end-to-end message of 408 bytes decoded and visited, and a history of 9.4 MB visited one
//! chat at a time. The peer runs decoded (`owned`) and with its borrowed views (`view`).

use std::process::ExitCode;
use std::rc::Rc;

use prost::Message as _;
use wa_benches::Bench;
use wa_core::history::{HistoryLimits, HistoryReader, Part};
use wa_proto::common::MessageKey;
use wa_proto::e2e_message::{ContextInfo, Message, MessageContextInfo, message::ExtendedTextMessage};
use wa_proto::history::{Conversation, HistorySync, HistorySyncMsg};
use wa_proto::web_message::WebMessageInfo;
use waproto::buffa::Message as _;
use waproto::buffa::view::MessageView as _;
use waproto::whatsapp as peer;

const MESSAGE_LEN: usize = 408;
const HISTORY_LEN: usize = 9_400_000;

fn main() -> ExitCode {
    let mut bench = Bench::new("proto");
    let bytes = message(MESSAGE_LEN);
    let (own, owned, view) = (bytes::Bytes::from(bytes.clone()), bytes.clone(), bytes);
    bench
        .row("decode and visit an e2e message of 408 B", 2.0)
        .contender("wa-proto", move || {
            let message = Message::decode(own.clone()).unwrap();
            let text = message.extended_text_message.unwrap();
            let context = text.context_info.as_ref().unwrap();
            let quoted = context.quoted_message.as_ref().unwrap();
            sum(text.text(), context.stanza_id(), quoted.conversation())
        })
        .contender("waproto, owned", move || {
            let message = peer::Message::decode_from_slice(&owned).unwrap();
            let text = message.extended_text_message.as_option().unwrap();
            let context = text.context_info.as_option().unwrap();
            let quoted = context.quoted_message.as_option().unwrap();
            sum(
                text.text.as_deref().unwrap(),
                context.stanza_id.as_deref().unwrap(),
                quoted.conversation.as_deref().unwrap(),
            )
        })
        .contender("waproto, view", move || {
            let message = peer::MessageView::decode_view(&view).unwrap();
            let text = message.extended_text_message.as_option().unwrap();
            let context = text.context_info.as_option().unwrap();
            let quoted = context.quoted_message.as_option().unwrap();
            sum(text.text.unwrap(), context.stanza_id.unwrap(), quoted.conversation.unwrap())
        });

    let blob = Rc::new(history(HISTORY_LEN));
    let (own, owned, view) = (blob.clone(), blob.clone(), blob);
    bench
        .row("visit a history of 9.4 MB", 2.0)
        .contender("wa-core", move || {
            let mut reader = HistoryReader::inflated(&own[..], HistoryLimits::default());
            let mut total = 0;
            while let Some(part) = reader.next_part().unwrap() {
                let Part::Chat(chat) = part else { continue };
                total += chat.id().unwrap().unwrap().len() as u64;
                for message in chat.messages() {
                    let message = message.unwrap();
                    total += fact(message.id.unwrap(), message.timestamp.unwrap(), message.text().unwrap());
                }
            }
            total
        })
        .contender("waproto, owned", move || {
            let history = peer::HistorySync::decode_from_slice(&owned).unwrap();
            let mut total = 0;
            for chat in &history.conversations {
                total += chat.id.len() as u64;
                for entry in &chat.messages {
                    let info = entry.message.as_option().unwrap();
                    let key = info.key.as_option().unwrap();
                    let content = info.message.as_option().unwrap();
                    let text = content.conversation.as_deref().unwrap();
                    total += fact(key.id.as_deref().unwrap(), info.message_timestamp.unwrap(), text);
                }
            }
            total
        })
        .contender("waproto, view", move || {
            let history = peer::HistorySyncView::decode_view(&view).unwrap();
            let mut total = 0;
            for chat in history.conversations.iter() {
                total += chat.id.len() as u64;
                for entry in chat.messages.iter() {
                    let info = entry.message.as_option().unwrap();
                    let key = info.key.as_option().unwrap();
                    let content = info.message.as_option().unwrap();
                    total +=
                        fact(key.id.unwrap(), info.message_timestamp.unwrap(), content.conversation.unwrap());
                }
            }
            total
        });
    bench.run()
}

fn sum(text: &str, stanza: &str, quoted: &str) -> u64 {
    fact(stanza, quoted.len() as u64, text)
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
