//! Arbitrary JIDs and nodes that the wire can carry, and frames for tests of hostile input.

#![allow(dead_code, reason = "each test file uses a part")]

use proptest::prelude::*;
use wa_binary::{AttrValue, Jid, Node, Token};

/// Number of cases from `WA_PROPTEST_CASES` or few; seed from `WA_TEST_SEED` or always the same.
pub(crate) fn cases(few: u32) -> ProptestConfig {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let cases = number("WA_PROPTEST_CASES").map_or(few, |n| n as u32);
    let seed = number("WA_TEST_SEED").unwrap_or(20_260_103);
    eprintln!("{cases} cases, seed {seed}");
    let rng_seed = proptest::test_runner::RngSeed::Fixed(seed);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

fn user() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => any::<u64>().prop_map(|n| n.to_string()),
        3 => (0u64..20_000).prop_map(|n| n.to_string()),
        2 => "[0-9]{1,30}",
        1 => "[0-9A-F]{1,40}",
        1 => "[0-9]{5,12}-[0-9]{9,10}",
        1 => "[a-z_-]{1,12}",
        1 => "[^@:.\\s\\p{Cc}-]{1,10}",
    ]
}

/// Every JID that the wire can carry.
pub(crate) fn jid() -> impl Strategy<Value = Jid> {
    let service = prop::sample::select(
        &["s.whatsapp.net", "g.us", "call", "lid", "msgr", "interop", "@future.net"][..],
    );
    prop_oneof![
        1 => service.prop_map(|name| name.parse().unwrap()),
        4 => (user(), prop::sample::select(&["s.whatsapp.net", "lid", "hosted", "hosted.lid"][..]), 0u16..=255)
            .prop_map(|(user, server, device)| Jid::new(&user, server, device).unwrap()),
        2 => (user(), prop::sample::select(
                &["g.us", "broadcast", "newsletter", "bot", "call", "c.us", "future.net", "x"][..]))
            .prop_map(|(user, server)| Jid::new(&user, server, 0).unwrap()),
        1 => (user(), any::<u16>()).prop_map(|(user, device)| Jid::new(&user, "msgr", device).unwrap()),
        1 => (1u16.., "[0-9]{1,15}", any::<u16>()).prop_map(|(integrator, user, device)| {
            Jid::new(&format!("{integrator}-{user}"), "interop", device).unwrap()
        }),
        1 => ("[0-9]{1,15}", any::<u16>()).prop_map(|(user, device)| Jid::new(&user, "interop", device).unwrap()),
    ]
}

fn token() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        (1u8..=235).prop_map(|byte| Token::single(byte).unwrap()),
        (0u8..4, any::<u8>())
            .prop_map(|(dictionary, index)| Token::in_dictionary(dictionary, index).unwrap()),
    ];
    number.prop_map(|token| token.text().to_owned())
}

/// Every kind of string: tokens, packable ones of every length, others.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => token(),
        2 => "[0-9.-]{0,130}",
        2 => "[0-9A-F]{0,130}",
        2 => "\\PC{0,20}",
        1 => any::<String>(),
        1 => "[a-z@:.]{0,300}",
    ]
}

fn value() -> impl Strategy<Value = AttrValue> {
    prop_oneof![text().prop_map(AttrValue::from), jid().prop_map(AttrValue::from)]
}

fn leaf() -> impl Strategy<Value = Node> {
    let tag = text().prop_filter("a tag", |tag| !tag.is_empty());
    let content = prop::option::of(prop::collection::vec(any::<u8>(), 0..300));
    (tag, prop::collection::vec((text(), value()), 0..6), content).prop_map(|(tag, attrs, content)| {
        let node = Node::new(tag).attrs(attrs);
        match content {
            Some(bytes) => node.bytes(bytes),
            None => node,
        }
    })
}

/// Any node.
pub(crate) fn node() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(5, 40, 8, |inner| {
        (leaf(), prop::collection::vec(inner, 1..8)).prop_map(|(node, children)| {
            let mut node = node;
            node.set_content(wa_binary::Content::Nodes(children));
            node
        })
    })
}

/// Bytes with more structure than noise: frames of nodes with some bytes changed, cut or put in.
pub(crate) fn broken_frame() -> impl Strategy<Value = Vec<u8>> {
    let changes =
        prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), 240u8..=255]), 1..6);
    (node(), changes, any::<prop::sample::Index>(), 0u8..4).prop_map(|(node, changes, at, how)| {
        let mut frame = node.encode().unwrap();
        for (place, byte) in changes {
            let place = place.index(frame.len());
            frame[place] = byte;
        }
        let at = at.index(frame.len());
        match how {
            0 => frame.truncate(at),
            1 => frame.insert(at, 0xf9),
            _ => {}
        }
        frame
    })
}
