//! Stanzas: decode and visit everything, and encode, beside wacore-binary.

use std::hint::black_box;
use std::process::ExitCode;

use wa_benches::Bench;
use wa_binary::{ContentRef, Decoder, Jid, Node, NodeRef, Side, Value};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::jid::{Jid as PeerJid, Server};
use wacore_binary::marshal::{marshal_auto, marshal_ref_to_vec, marshal_to_vec, unmarshal_ref};
use wacore_binary::node as peer;
use wacore_binary::util::unpack;

fn main() -> ExitCode {
    let mut bench = Bench::new("wire");
    let inputs = [
        ("receipt", receipt(), 2.5, 2.5),
        ("message of 1 KiB", message(), 3.0, 2.5),
        ("group message to 256 participants", group_message(256), 4.5, 3.5),
        ("usync result with 1000 users", usync_result(1000), 5.0, 3.5),
    ];
    for (name, node, decode_goal, encode_goal) in inputs {
        let frame = node.encode().unwrap();
        check_equal(&node, &frame);
        let name = format!("{name} ({} B)", frame.len());

        let (own, other) = (frame.clone(), frame.clone());
        let mut decoder = Decoder::new();
        bench
            .row(format!("decode and visit: {name}"), decode_goal)
            .contender("wa-binary", move || visit(decoder.decode(&own).unwrap()))
            .contender("wacore-binary", move || {
                visit_peer(&unmarshal_ref(&unpack(&other).unwrap()).unwrap())
            });

        let theirs = unmarshal_ref(&frame[1..]).unwrap().to_owned();
        let mut own = Vec::new();
        let mut other = Vec::new();
        bench
            .row(format!("encode: {name}"), encode_goal)
            .contender("wa-binary", move || {
                own.clear();
                node.encode_into(Side::Client, &mut own).unwrap();
                digest(&own)
            })
            .contender("wacore-binary", move || {
                other.clear();
                marshal_to_vec(&theirs, &mut other).unwrap();
                digest(&other)
            });
    }
    // Our nodes look words up in the dictionary when they are built, the peer's when they are written: both together.
    let (mut own, mut other) = (Vec::new(), Vec::new());
    bench
        .row("build and encode: receipt", 1.0)
        .contender("wa-binary", move || {
            own.clear();
            black_box(receipt()).encode_into(Side::Client, &mut own).unwrap();
            digest(&own)
        })
        .contender("wacore-binary", move || {
            other.clear();
            marshal_to_vec(&black_box(receipt_of_peer()), &mut other).unwrap();
            digest(&other)
        });
    bench
        .row("build and encode: group message to 256 participants", 1.0)
        .contender("wa-binary", || digest(&black_box(group_message(256)).encode().unwrap()))
        .contender("wacore-binary", || {
            digest(&marshal_auto(&black_box(group_message_of_peer(256))).unwrap())
        });
    bench.run()
}

fn pn(number: u64, device: u16) -> Jid {
    Jid::new(&number.to_string(), "s.whatsapp.net", device).unwrap()
}

fn lid(number: u64, device: u16) -> Jid {
    Jid::new(&number.to_string(), "lid", device).unwrap()
}

fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + seed * 17 + (at >> 3)) as u8).collect()
}

fn receipt() -> Node {
    Node::new("receipt")
        .attr("id", "3EB0A1B2C3D4E5F60718AB")
        .attr("to", pn(1_555_010_012_345, 54))
        .attr("t", 1_732_936_459u64)
}

fn receipt_of_peer() -> peer::Node {
    NodeBuilder::new("receipt")
        .attr("id", "3EB0A1B2C3D4E5F60718AB")
        .attr("to", peer_jid("1555010012345", Server::Pn, 54))
        .attr("t", 1_732_936_459u64.to_string())
        .build()
}

fn peer_jid(user: &str, server: Server, device: u16) -> PeerJid {
    PeerJid { user: user.into(), server, agent: 0, device, integrator: 0 }
}

fn message() -> Node {
    Node::new("message")
        .attr("from", lid(250_757_128_957_346, 0))
        .attr("id", "3EB0F1CE5636D7B313A7CA")
        .attr("t", 1_732_936_459u64)
        .attr("type", "text")
        .attr("notify", "Ada Lovelace")
        .attr("sender_pn", pn(15_550_100_123, 0))
        .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(bytes(926, 1)))
}

fn group_message(participants: u64) -> Node {
    let to = |number: u64| {
        let enc = Node::new("enc").attr("v", "2").attr("type", "pkmsg").bytes(bytes(128, number as usize));
        Node::new("to").attr("jid", lid(100_000_000_000_000 + number * 7_919, (number % 5) as u16)).child(enc)
    };
    Node::new("message")
        .attr("to", "120363499810979602@g.us".parse::<Jid>().unwrap())
        .attr("id", "3EB0F1CE5636D7B313A7CA")
        .attr("type", "text")
        .attr("phash", "2:k7+fnu/2")
        .attr("addressing_mode", "lid")
        .child(Node::new("participants").children((0..participants).map(to)))
        .child(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(bytes(300, 3)))
}

fn group_message_of_peer(participants: u64) -> peer::Node {
    let to = |number: u64| {
        let enc = NodeBuilder::new("enc")
            .attr("v", "2")
            .attr("type", "pkmsg")
            .bytes(bytes(128, number as usize))
            .build();
        let user = (100_000_000_000_000 + number * 7_919).to_string();
        NodeBuilder::new("to")
            .attr("jid", peer_jid(&user, Server::Lid, (number % 5) as u16))
            .children([enc])
            .build()
    };
    NodeBuilder::new("message")
        .attr("to", peer_jid("120363499810979602", Server::Group, 0))
        .attr("id", "3EB0F1CE5636D7B313A7CA")
        .attr("type", "text")
        .attr("phash", "2:k7+fnu/2")
        .attr("addressing_mode", "lid")
        .children([
            NodeBuilder::new("participants").children((0..participants).map(to)).build(),
            NodeBuilder::new("enc").attr("v", "2").attr("type", "skmsg").bytes(bytes(300, 3)).build(),
        ])
        .build()
}

fn usync_result(users: u64) -> Node {
    let user = |number: u64| {
        let devices = (0..3u64).map(|device| {
            let node = Node::new("device").attr("id", device * 11);
            if device == 0 { node } else { node.attr("key-index", device + number % 9) }
        });
        Node::new("user")
            .attr("jid", pn(1_555_010_000_000 + number * 37, 0))
            .child(Node::new("contact").attr("type", "in"))
            .child(Node::new("lid").attr("val", lid(200_000_000_000_000 + number * 104_729, 0)))
            .child(
                Node::new("devices").child(Node::new("device-list").children(devices)).child(
                    Node::new("key-index-list")
                        .attr("ts", 1_732_000_000 + number)
                        .bytes(bytes(74, number as usize)),
                ),
            )
    };
    let list = Node::new("list").children((0..users).map(user));
    let usync = Node::new("usync")
        .attr("sid", "64827.32086-551")
        .attr("index", 0u64)
        .attr("last", true)
        .attr("mode", "query")
        .attr("context", "message");
    Node::new("iq")
        .attr("from", Jid::SERVER)
        .attr("id", "64827.32086-552")
        .attr("type", "result")
        .child(usync.child(list))
}

/// Touches every tag, key, value and content in the form in which the library gives it.
fn visit(root: NodeRef<'_>) -> u64 {
    let mut sum = 0;
    for node in root.descendants() {
        sum += text(node.tag());
        for (key, value) in node.each_attr() {
            sum += text(key);
            sum += match value {
                Value::Text(value) => value.with_str(text),
                Value::Jid(jid) => {
                    let last = jid.user_number().map_or_else(|| text(&jid.user()), |number| number % 10);
                    last + u64::from(jid.device()) + jid.server_name().len() as u64
                }
            };
        }
        sum += match node.content_ref() {
            ContentRef::None | ContentRef::Nodes(_) => 0,
            ContentRef::Bytes(bytes) => digest(bytes),
            ContentRef::Value(value) => text(&value.to_compact()),
        };
    }
    sum
}

fn visit_peer(node: &peer::NodeRef<'_>) -> u64 {
    let mut sum = text(&node.tag);
    for (key, value) in node.attrs_iter() {
        sum += text(key);
        sum += match value {
            peer::ValueRef::String(value) => text(value),
            peer::ValueRef::Jid(jid) => {
                let last = jid.user.as_bytes().last().map_or(0, |digit| u64::from(digit - b'0'));
                last + u64::from(jid.device) + jid.server.as_str().len() as u64
            }
        };
    }
    sum + match &node.content {
        None => 0,
        Some(peer::NodeContentRef::Nodes(children)) => children.iter().map(visit_peer).sum(),
        Some(peer::NodeContentRef::Bytes(bytes)) => digest(bytes),
        Some(peer::NodeContentRef::String(value)) => text(value),
    }
}

/// Little, so that the libraries' work is measured and not the bench's own.
fn text(text: &str) -> u64 {
    digest(text.as_bytes())
}

fn digest(bytes: &[u8]) -> u64 {
    bytes.len() as u64 + u64::from(bytes.last().copied().unwrap_or(0))
}

/// Both read the same tree from the frame and write the same frame from the tree.
fn check_equal(node: &Node, frame: &[u8]) {
    let mut decoder = Decoder::new();
    let ours = decoder.decode(frame).unwrap();
    assert_eq!(ours, node.view());
    let theirs = unmarshal_ref(&frame[1..]).unwrap();
    let (mut own, mut other) = (String::new(), String::new());
    dump(ours, &mut own);
    dump_peer(&theirs, &mut other);
    assert_eq!(own, other);
    let mut written = Vec::new();
    marshal_to_vec(&theirs.to_owned(), &mut written).unwrap();
    assert_eq!(written, frame);
    written.clear();
    marshal_ref_to_vec(&theirs, &mut written).unwrap();
    assert_eq!(written, frame);
}

fn dump(node: NodeRef<'_>, out: &mut String) {
    out.push_str(node.tag());
    for (key, value) in node.each_attr() {
        out.push_str(&format!(" {key}={value}"));
    }
    match node.content_ref() {
        ContentRef::Nodes(children) => {
            out.push('[');
            children.for_each(|child| dump(child, out));
            out.push(']');
        }
        _ => out.push_str(&format!(" {:?};", node.optional_bytes())),
    }
}

fn dump_peer(node: &peer::NodeRef<'_>, out: &mut String) {
    out.push_str(&node.tag);
    for (key, value) in node.attrs_iter() {
        out.push_str(&format!(" {}={}", &**key, value.as_str()));
    }
    match &node.content {
        Some(peer::NodeContentRef::Nodes(children)) => {
            out.push('[');
            children.iter().for_each(|child| dump_peer(child, out));
            out.push(']');
        }
        content => {
            let bytes = match content {
                Some(peer::NodeContentRef::Bytes(bytes)) => Some(&**bytes),
                Some(peer::NodeContentRef::String(text)) => Some(text.as_bytes()),
                _ => None,
            };
            out.push_str(&format!(" {bytes:?};"));
        }
    }
}
