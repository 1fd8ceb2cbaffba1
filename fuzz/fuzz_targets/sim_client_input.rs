//! What a client can send to the simulator: login payloads, frames that are no stanzas, stanzas of any shape from a
//! connection that registers and from two that are logged in, QR texts and codes. Nothing panics, and silence is a
//! bug: every request that can be answered is. An input that is a frame is a stanza as well.
//! Seeds: nodes.json canonical canonical_from_server
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_binary::{Jid, Node};
use wa_core::prekeys::{SignedKey, Upload};
use wa_crypto::curve::PublicKey;
use wa_proto::handshake::ClientPayload;
use wa_proto::prost::Message as _;
use wa_sim::world::{ConnId, Output, Stage};
use wa_sim::{SimConfig, World};

const START_MS: u64 = 1_900_000_000_000;

fuzz_target!(|data: &[u8]| {
    let mut input = Input { rest: data };
    let mut world =
        World::new(SimConfig { phone_one_time_keys: 4, trace_length: 8, ..SimConfig::default() }, START_MS);
    let mut now = START_MS;
    let names = ["Ada", "Bea"];
    let mut conns = vec![world.connect(now, "a")];
    for (place, name) in names.iter().enumerate() {
        let noise = [place as u8 + 1; 32];
        let key = PublicKey::from_bytes([place as u8 + 9; 32]);
        let signed = SignedKey { id: 1, public: key, signature: [0; 64] };
        let one_time = vec![(1, key), (2, key)];
        let device = world.link_directly(
            now,
            name,
            noise,
            &Upload { registration_id: 1, identity: key, signed, one_time },
        );
        let conn = world.connect(now, "b");
        let payload = ClientPayload {
            username: Some(world.account(device.account).pn),
            device: Some(device.device.into()),
            ..ClientPayload::default()
        };
        world.payload(now, conn, noise, &payload.encode_to_vec());
        conns.push(conn);
    }
    let jids: Vec<Jid> = world
        .accounts()
        .iter()
        .flat_map(|account| {
            use wa_binary::Family::{Lid, Pn};
            [
                account.device_jid(Lid, 1),
                account.device_jid(Lid, 0),
                account.device_jid(Pn, 1),
                account.device_jid(Pn, 0),
            ]
        })
        .collect();
    world.take_outputs();
    if let Ok(node) = wa_binary::decode(data) {
        say(&mut world, now, conns[1], node);
    }
    while let Some(operation) = input.byte() {
        let conn = conns[usize::from(operation & 3) % conns.len()];
        match operation >> 2 & 7 {
            0 => {
                let frame = input.bytes();
                match wa_binary::decode(frame) {
                    Ok(node) => say(&mut world, now, conn, node),
                    Err(error) => world.undecodable(now, conn, &error.to_string()),
                }
            }
            1 => {
                // A payload comes once on a connection.
                let stranger = world.connect(now, "c");
                let payload = input.bytes();
                world.payload(now, stranger, [input.byte().unwrap_or(0); 32], payload);
                conns[0] = stranger;
            }
            2 => {
                let text = String::from_utf8_lossy(input.bytes()).into_owned();
                if world.scan_qr(now, &text, None).is_err() {
                    // A code is as good as a QR text to a stranger.
                    let _ = world.enter_code(now, None, &text);
                }
            }
            3 => {
                now += u64::from(input.byte().unwrap_or(0)) * 1_000;
                world.tick(now);
            }
            _ => {
                let node = input.node(&jids, 0);
                say(&mut world, now, conn, node);
            }
        }
        for output in world.take_outputs() {
            if let Output::Send { node, .. } = &output {
                let mut frame = Vec::new();
                node.encode_into(wa_binary::Side::Server, &mut frame)
                    .expect("what the server says can be encoded");
            }
            if let Output::Close { conn, .. } = output {
                world.gone(now, conn);
            }
        }
    }
});

/// Hands a stanza over and checks that it is answered if it must be.
fn say(world: &mut World, now: u64, conn: ConnId, node: Node) {
    let stage = world.connections().find(|state| state.id == conn).map(|state| match state.stage {
        Stage::Device(_) => 2,
        Stage::Registering(_) => 1,
        Stage::Opened | Stage::Ending { .. } => 0,
    });
    let id = node.view().value("id").map(|id| id.to_string()).filter(|id| !id.is_empty());
    let request = node.is("iq") && !node.attr_is("type", "result") && !node.attr_is("type", "error");
    let answered = match stage.unwrap_or(0) {
        0 => false,
        1 => request,
        _ => {
            request
                || node.is("receipt") && node.optional("to").jid().ok().flatten().is_some()
                || node.is("message")
        }
    };
    world.take_outputs();
    world.stanza(now, conn, node);
    let Some(id) = id.filter(|_| answered) else { return };
    let outputs = world.take_outputs();
    let found = outputs.iter().any(|output| match output {
        Output::Send { conn: to, node, .. } => {
            *to == conn && (node.is("iq") || node.is("ack")) && node.attr_is("id", &id)
        }
        Output::Close { conn: to, .. } => *to == conn,
        _ => false,
    });
    assert!(found, "silence");
    for output in outputs {
        if let Output::Close { conn, .. } = output {
            world.gone(now, conn);
        }
    }
}

/// Stanzas out of bytes: words of the protocol, so that few bytes reach far.
struct Input<'a> {
    rest: &'a [u8],
}

const TAGS: [&str; 64] = [
    "message",
    "receipt",
    "ack",
    "iq",
    "presence",
    "chatstate",
    "call",
    "ib",
    "participants",
    "to",
    "enc",
    "device-identity",
    "meta",
    "retry",
    "registration",
    "list",
    "item",
    "user",
    "usync",
    "query",
    "contact",
    "devices",
    "lid",
    "status",
    "key",
    "skey",
    "id",
    "value",
    "signature",
    "type",
    "identity",
    "count",
    "digest",
    "rotate",
    "sync",
    "collection",
    "patch",
    "create",
    "participant",
    "add",
    "remove",
    "promote",
    "leave",
    "group",
    "subject",
    "description",
    "body",
    "invite",
    "accept",
    "links",
    "link",
    "privacy",
    "category",
    "tokens",
    "token",
    "picture",
    "offer",
    "terminate",
    "composing",
    "offline_batch",
    "active",
    "link_code_companion_reg",
    "pair-device-sign",
    "clean",
];

const KEYS: [&str; 24] = [
    "id",
    "to",
    "from",
    "type",
    "xmlns",
    "participant",
    "recipient",
    "category",
    "jid",
    "name",
    "value",
    "version",
    "count",
    "code",
    "stage",
    "edit",
    "phash",
    "addressing_mode",
    "class",
    "subject",
    "call-id",
    "action",
    "t",
    "return_snapshot",
];

const WORDS: [&str; 48] = [
    "1",
    "2",
    "get",
    "set",
    "result",
    "error",
    "text",
    "media",
    "reaction",
    "msg",
    "pkmsg",
    "skmsg",
    "peer",
    "encrypt",
    "usync",
    "w:g2",
    "w:sync:app:state",
    "privacy",
    "blocklist",
    "abt",
    "md",
    "passive",
    "status",
    "w:profile:picture",
    "w:p",
    "w:m",
    "w:mex",
    "w:biz",
    "bot",
    "urn:xmpp:whatsapp:dirty",
    "subscribe",
    "available",
    "unavailable",
    "read",
    "retry",
    "sender",
    "inactive",
    "block",
    "unblock",
    "message",
    "receipt",
    "notification",
    "regular",
    "critical_block",
    "true",
    "lid",
    "companion_hello",
    "companion_finish",
];

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte().unwrap_or(0)).min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        bytes
    }

    fn node(&mut self, jids: &[Jid], depth: u8) -> Node {
        let tag = usize::from(self.byte().unwrap_or(0));
        let mut node = Node::new(TAGS[tag % TAGS.len()]);
        let shape = self.byte().unwrap_or(0);
        for _ in 0..shape & 7 {
            let key = KEYS[usize::from(self.byte().unwrap_or(0)) % KEYS.len()];
            let value = usize::from(self.byte().unwrap_or(0));
            match value {
                0..=127 => node.set_attr(key, WORDS[value % WORDS.len()]),
                128..=191 => node.set_attr(key, jids[value % jids.len()].clone()),
                192..=199 => {
                    node.set_attr(key, [Jid::SERVER, Jid::GROUPS, Jid::STATUS, Jid::CALL][value % 4].clone())
                }
                200..=215 => node.set_attr(
                    key,
                    Jid::numbered(120_363_000_000_000_000 + value as u64, wa_binary::Server::Group),
                ),
                _ => node.set_attr(key, String::from_utf8_lossy(self.bytes()).into_owned()),
            }
        }
        match shape >> 3 {
            children @ 1..=6 if depth < 5 => {
                for _ in 0..children {
                    let child = self.node(jids, depth + 1);
                    node.push(child);
                }
                node
            }
            7..=20 => {
                let bytes = self.bytes().to_vec();
                node.bytes(bytes)
            }
            21..=24 => node.bytes(vec![7; 32]),
            _ => node,
        }
    }
}
