//! No stanza, however wrong, panics or loops: every reader is given random ones. Every number may be missing, negative,
//! huge or no number, every address malformed, every content bytes or nodes.

use rand_chacha::rand_core::Rng;
use wa_binary::{Jid, Node};

use super::*;
use crate::testing::rng;

const TAGS: &[&str] = &[
    "enc",
    "meta",
    "bot",
    "unavailable",
    "participants",
    "to",
    "user",
    "list",
    "item",
    "reporting",
    "reporting_token",
    "plaintext",
    "reactions",
    "reaction",
    "votes",
    "vote",
    "views_count",
    "error",
    "offer",
    "terminate",
    "video",
    "group_info",
    "verified_name",
    "multicast",
];
const KEYS: &[&str] = &[
    "id",
    "from",
    "participant",
    "recipient",
    "type",
    "t",
    "edit",
    "offline",
    "server_id",
    "count",
    "jid",
    "code",
    "addressing_mode",
    "sender_pn",
    "participant_lid",
    "peer_recipient_pn",
    "category",
    "v",
    "mediatype",
    "polltype",
    "decrypt-fail",
    "hosted",
    "message_id",
    "key",
    "call-id",
    "call-creator",
    "group-jid",
    "reason",
    "error",
    "phash",
    "target_chat_jid",
    "edit_target_id",
    "sts",
    "is_sender",
    "notify",
    "duration",
];
const VALUES: &[&str] = &[
    "",
    "0",
    "-1",
    "1",
    "8",
    "99999999999999999999999",
    "abc",
    "text",
    "poll",
    "peer",
    "msg",
    "pkmsg",
    "skmsg",
    "msmsg",
    "read",
    "view",
    "retry",
    "view_once",
    "true",
    "hide",
    "status@broadcast",
    "1@broadcast",
    "120363000000000000@g.us",
    "120363000000000000@newsletter",
    "15550100001@s.whatsapp.net",
    "15550100002:99@hosted",
    "100000000000001:7@lid",
    "200000000000002@lid",
    "867051314767696@bot",
    "@",
    "a@b@c",
    "1:x@lid",
    "s.whatsapp.net",
    "g.us",
];

fn pick<'a>(from: &[&'a str], rng: &mut impl Rng) -> &'a str {
    from[(rng.next_u64() % from.len() as u64) as usize]
}

fn node(tag: &str, depth: u32, rng: &mut impl Rng) -> Node {
    let mut node = Node::new(tag);
    for _ in 0..rng.next_u32() % 9 {
        let (key, value) = (pick(KEYS, rng), pick(VALUES, rng));
        match value.parse::<Jid>() {
            Ok(jid) if rng.next_u32().is_multiple_of(2) => node.set_attr(key, jid),
            _ => node.set_attr(key, value),
        }
    }
    if depth == 0 || rng.next_u32().is_multiple_of(4) {
        let length = rng.next_u32() % 40;
        return node.bytes(vec![rng.next_u32() as u8; length as usize]);
    }
    for _ in 0..rng.next_u32() % 5 {
        let child = pick(TAGS, rng);
        node.push(self::node(child, depth - 1, rng));
    }
    node
}

#[test]
fn random_stanzas_are_read_or_refused() {
    let seed = 20_261;
    eprintln!("seed {seed}");
    let mut rng = rng(seed);
    let own = Own { pn: Jid::pn(15_550_100_001), lid: Some(Jid::lid(100_000_000_000_001)) };
    let (mut read, mut refused, mut receipts, mut calls) = (0, 0, 0, 0);
    for _ in 0..20_000 {
        let mut stanza = node("message", 3, &mut rng);
        if !rng.next_u32().is_multiple_of(4) {
            stanza.set_attr("id", "3EB0AA");
            stanza.set_attr("from", pick(VALUES, &mut rng));
        }
        match MessageStanza::parse(stanza.view(), &own) {
            Ok(message) => {
                read += 1;
                for activity in [Activity::Active, Activity::Inactive] {
                    let answer = message.answer(activity);
                    assert!(answer.is("ack") || answer.is("receipt"));
                    assert!(answer.attr_is("id", &message.id) && answer.has_attr("to"));
                }
                assert_eq!(message.is_group(), message.chat.is_group());
                let _ = (message.display_chat(), message.asks_phone());
            }
            Err(error) => {
                refused += 1;
                let named = !matches!(error, StanzaError::MissingId | StanzaError::MissingFrom);
                let from_empty = stanza.attr_is("from", "");
                assert_eq!(error.nack(stanza.view()).is_some(), named && !from_empty, "{error} {stanza}");
            }
        }
        if let Ok(receipt) = Receipt::parse(stanza.view(), &own) {
            receipts += 1;
            let _ = receipt.is_surfaced();
            assert!(receipt_ack(stanza.view()).is_some());
        }
        if let Ok(call) = Call::parse(stanza.view()) {
            calls += 1;
            assert!(call.answer(&own).has_attr("to"));
            let _ = call.reject("1", &own);
        }
        let _ = ServerAck::parse(stanza.view());
    }
    assert!([read, refused, receipts, calls].iter().all(|count| *count > 500));
}
