//! The views against the owned types (chapter 03 §10): the same bytes are refused, and every accessor of every message
//! gives what decoding gives, over arbitrary messages, repeated and merged fields, unknown ones and damaged bytes.

use std::cell::Cell;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost::Message as _;
use wa_proto::e2e_message::Message;
use wa_proto::view::e2e_message::MessageView;
use wa_proto::view::{View, ViewError};
use wa_proto::wire::WireError;

#[allow(clippy::all, clippy::redundant_closure_for_method_calls, reason = "generated")]
mod own {
    include!("generated/own.rs");
}
use own::Own as _;

/// Fails unless the view of the bytes is what the owned type decodes to.
fn agree(bytes: &[u8]) -> Result<bool, String> {
    match (MessageView::parse(bytes), Message::decode(bytes)) {
        (Ok(view), Ok(decoded)) => {
            // Compared as bytes: a NaN is not equal to itself.
            if view.own().encode_to_vec() != decoded.encode_to_vec() {
                return Err(format!("{bytes:02x?}\nview:  {:?}\nowned: {decoded:?}", view.own()));
            }
            // Field by field or at once, from a slice or from shared bytes: one result.
            let whole = view.decode().map_err(|error| error.to_string())?;
            let shared = wa_proto::decode::<Message>(&Bytes::copy_from_slice(bytes)).unwrap();
            if shared.encode_to_vec() != decoded.encode_to_vec() {
                return Err("shared bytes".to_owned());
            }
            (whole.encode_to_vec() == decoded.encode_to_vec()).then_some(true).ok_or("decode".to_owned())
        }
        (Err(_), Err(_)) => {
            let shared = wa_proto::decode::<Message>(&Bytes::copy_from_slice(bytes));
            shared.is_err().then_some(false).ok_or("shared bytes".to_owned())
        }
        (view, decoded) => Err(format!(
            "{bytes:02x?}\nview:  {:?}\nowned: {:?}",
            view.map(|view| view.own()),
            decoded.map(|it| it.encode_to_vec())
        )),
    }
}

fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Messages of any numbers in each other. Small numbers, since that is where fields are; those of well-nested messages
/// come more often.
fn fields() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        4 => 1_u64..20,
        2 => 1_u64..135,
        2 => prop::sample::select(vec![6_u64, 17, 25, 31, 35, 37, 39, 40, 42, 45, 48]),
        1 => 1_u64..40_000
    ];
    let leaf = prop_oneof![
        (number.clone(), any::<u64>()).prop_map(|(number, value)| {
            let mut bytes = Vec::new();
            varint(number << 3, &mut bytes);
            varint(value >> (value % 64), &mut bytes);
            bytes
        }),
        (number.clone(), any::<u64>()).prop_map(|(number, value)| {
            let mut bytes = Vec::new();
            varint(number << 3 | 1, &mut bytes);
            bytes.extend(value.to_le_bytes());
            bytes
        }),
        (number.clone(), any::<u32>()).prop_map(|(number, value)| {
            let mut bytes = Vec::new();
            varint(number << 3 | 5, &mut bytes);
            bytes.extend(value.to_le_bytes());
            bytes
        }),
        (number.clone(), "[a-zé]{0,8}").prop_map(|(number, text)| delimited(number, text.as_bytes())),
        (number.clone(), prop::collection::vec(any::<u8>(), 0..6))
            .prop_map(|(number, content)| delimited(number, &content)),
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        let inner = prop::collection::vec(inner, 0..5).prop_map(|parts| parts.concat());
        let group = (1_u64..200, inner.clone()).prop_map(|(number, content)| {
            let mut bytes = Vec::new();
            varint(number << 3 | 3, &mut bytes);
            bytes.extend(content);
            varint(number << 3 | 4, &mut bytes);
            bytes
        });
        prop_oneof![
            6 => (number.clone(), inner.clone()).prop_map(|(number, content)| delimited(number, &content)),
            2 => inner,
            1 => group,
        ]
    })
}

fn delimited(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(number << 3 | 2, &mut bytes);
    varint(content.len() as u64, &mut bytes);
    bytes.extend(content);
    bytes
}

fn config() -> Config {
    Config { cases: 4000, failure_persistence: None, ..Config::default() }
}

#[test]
fn views_and_owned_types_agree_on_arbitrary_fields() {
    let (mut runner, read, merged) = (TestRunner::new(config()), Cell::new(0), Cell::new(0));
    runner
        .run(&(prop::collection::vec(fields(), 0..4), any::<bool>()), |(parts, twice)| {
            let bytes = vec![parts.concat(); 1 + usize::from(twice)].concat();
            if agree(&bytes).map_err(TestCaseError::fail)? {
                read.set(read.get() + 1);
                let mut numbers: Vec<u32> = MessageView::parse(&bytes).unwrap().numbers().collect();
                let all = numbers.len();
                numbers.sort_unstable();
                numbers.dedup();
                merged.set(merged.get() + usize::from(numbers.len() < all));
            }
            Ok(())
        })
        .unwrap();
    let counts = (read.get(), merged.get());
    assert!(counts.0 > 1000 && counts.1 > 50, "of 4000: (messages, with a field that repeats) = {counts:?}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn views_and_owned_types_agree_on_arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        agree(&bytes).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn every_message_of_the_vectors_reads_the_same() {
    fn texts<'v>(value: &'v serde_json::Value, found: &mut Vec<&'v str>) {
        match value {
            serde_json::Value::String(text) => found.push(text),
            serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            serde_json::Value::Object(items) => items.values().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../wa-conformance/vectors/messages.json");
    let vectors: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("the vectors")).unwrap();
    let mut found = Vec::new();
    texts(&vectors, &mut found);
    let (mut read, mut cuts) = (0, 0);
    for bytes in found.into_iter().filter_map(|text| hex::decode(text).ok()) {
        read += usize::from(agree(&bytes).unwrap());
        // Cut, and twice: nearly every singular field is merged with itself.
        agree(&[&bytes[..], &bytes[..]].concat()).unwrap();
        for end in 0..bytes.len().min(200) {
            cuts += usize::from(!agree(&bytes[..end]).unwrap());
        }
    }
    assert!(read > 50 && cuts > 500, "{read} messages, {cuts} cuts");
}

#[test]
fn parts_of_a_message_are_one_and_the_last_text_counts() {
    // deviceSentMessage (31) twice, each with a destination (1) and a part of the message (2).
    let part = |destination: &str, inner: &[u8]| {
        let sent = [delimited(1, destination.as_bytes()), delimited(2, inner)].concat();
        delimited(31, &sent)
    };
    let first = [delimited(1, b"one"), delimited(35, &delimited(3, &[7; 32]))].concat();
    let bytes = [part("a", &first), delimited(1, b"beside"), part("b", &delimited(1, b"two"))].concat();
    assert_eq!(agree(&bytes), Ok(true));
    let sent = MessageView::parse(&bytes).unwrap().device_sent_message().unwrap();
    assert_eq!(sent.destination_jid(), Some("b"));
    let inner = sent.message().unwrap();
    assert_eq!(inner.conversation(), Some("two"));
    assert_eq!(inner.message_context_info().unwrap().message_secret(), Some(&[7; 32][..]));
}

#[test]
fn what_is_refused_is_a_typed_error() {
    let error = |bytes: &[u8]| {
        assert_eq!(agree(bytes), Ok(false));
        MessageView::parse(bytes).unwrap_err()
    };
    assert_eq!(error(&[0x08, 1]), ViewError::WireType(1));
    assert_eq!(error(&delimited(1, &[0xff])), ViewError::Utf8(1));
    assert_eq!(error(&delimited(6, &delimited(1, &[0xff]))), ViewError::Utf8(1));
    assert_eq!(error(&[0x0a, 2, b'a']), ViewError::Wire(WireError::Truncated));
    assert_eq!(error(&[0xf2, 0x3f, 1]), ViewError::Wire(WireError::Truncated));
}

#[test]
fn nesting_ends_where_the_owned_types_end_it() {
    let nested = |depth: usize| {
        (0..depth).fold(Vec::new(), |inner, level| delimited(if level % 2 == 0 { 2 } else { 31 }, &inner))
    };
    // Outermost is deviceSentMessage (31), so an even depth.
    assert_eq!(agree(&nested(100)), Ok(true));
    assert_eq!(agree(&nested(102)), Ok(false));
    assert_eq!(MessageView::parse(&nested(102)).unwrap_err(), ViewError::TooDeep);
    for groups in [98, 99, 100, 101] {
        for around in [0, 2, 4] {
            let leaf = [vec![0x0b; groups], vec![0x08, 1], vec![0x0c; groups]].concat();
            let empty = [vec![0x0b; groups], vec![0x0c; groups]].concat();
            for group in [leaf, empty] {
                // Group 1 is no field of `Message`, but 1 is a text there; so behind 200.
                let group = [&[0xc3, 0x0c][..], &group, &[0xc4, 0x0c]].concat();
                let bytes = (0..around)
                    .fold(group, |inner, level| delimited(if level % 2 == 0 { 2 } else { 31 }, &inner));
                agree(&bytes).unwrap();
            }
        }
    }
}
