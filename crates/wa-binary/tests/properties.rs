//! Properties of the codec and of JIDs (chapter 03 §11).

mod common;

use common::{broken_frame, cases, jid, node, text};
use proptest::prelude::*;
use wa_binary::{Decoder, Jid, Node, Side, Stanza, compress, decode};

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn what_is_encoded_decodes_to_itself(node in node()) {
        for side in [Side::Client, Side::Server] {
            let mut frame = Vec::new();
            node.encode_into(side, &mut frame).unwrap();
            prop_assert_eq!(&decode(&frame).unwrap(), &node);
            prop_assert_eq!(&decode(&compress(&frame)).unwrap(), &node);
        }
    }

    #[test]
    fn borrowed_kept_and_owned_decoding_agree(first in broken_frame(), second in node()) {
        let second = second.encode().unwrap();
        let (mut decoder, mut keeping) = (Decoder::new(), Decoder::new());
        let mut all_kept = Vec::new();
        for frame in [&first, &second, &compress(&second), &second] {
            let owned = decode(frame);
            let kept = Stanza::decode(frame.clone().into());
            let kept_of_many = keeping.keep(frame);
            match decoder.decode(frame) {
                Ok(borrowed) => {
                    let owned = owned.unwrap();
                    prop_assert_eq!(borrowed, owned.view());
                    let kept = kept.unwrap();
                    prop_assert_eq!(kept.root(), borrowed);
                    let kept_of_many = kept_of_many.unwrap();
                    prop_assert_eq!(kept_of_many.root(), borrowed);
                    all_kept.push((kept_of_many, kept));
                    prop_assert_eq!(borrowed.to_string(), owned.to_string());
                    prop_assert_eq!(borrowed.redacted().to_string(), owned.redacted().to_string());
                }
                Err(error) => {
                    prop_assert_eq!(owned.unwrap_err(), error);
                    prop_assert_eq!(kept.unwrap_err(), error);
                    prop_assert_eq!(kept_of_many.unwrap_err(), error);
                    prop_assert!(error.position() <= frame.len() || frame[0] & 2 != 0);
                }
            }
        }
        // Later ones have changed nothing of those before.
        for (of_many, alone) in &all_kept {
            prop_assert_eq!(of_many.root(), alone.root());
        }
    }

    #[test]
    fn any_bytes_decode_or_fail_cleanly(bytes in prop::collection::vec(any::<u8>(), 0..400), flags in 0u8..4) {
        let mut frame = bytes;
        if let Some(flag) = frame.first_mut() {
            *flag = flags;
        }
        if let Some(list) = frame.get_mut(1) && flags == 0 {
            *list = 0xf8;
        }
        drop(decode(&frame));
    }

    #[test]
    fn what_decodes_from_broken_frames_can_be_read_and_written(frame in broken_frame()) {
        if let Ok(node) = decode(&frame)
            && let Ok(again) = node.encode()
        {
            // Typed JIDs stay JIDs; everything else is equal too.
            prop_assert_eq!(decode(&again).unwrap(), node);
        }
    }

    #[test]
    fn no_beginning_of_a_frame_is_a_frame(node in node()) {
        let frame = node.encode().unwrap();
        let mut decoder = Decoder::new();
        for end in 0..frame.len() {
            prop_assert!(decoder.decode(&frame[..end]).is_err(), "the first {} bytes decode", end);
        }
    }

    #[test]
    fn a_jid_is_read_from_its_text(jid in jid()) {
        let text = jid.to_string();
        prop_assert_eq!(jid.to_text(), &text);
        if !(jid.is_service() && text == "future.net") {
            prop_assert_eq!(text.parse::<Jid>().unwrap(), jid.clone());
        }
        prop_assert_eq!(&Node::new("iq").attr("to", text.as_str()).required("to").jid().ok(), &text.parse().ok());
        let json = serde_json::to_string(&jid).unwrap();
        prop_assert_eq!(serde_json::from_str::<Jid>(&json).unwrap(), jid);
    }

    #[test]
    fn any_text_is_a_jid_or_refused(text in text()) {
        if let Ok(jid) = text.parse::<Jid>() {
            prop_assert!(jid.same_user(&jid.user_jid()));
            let again = jid.to_string().parse::<Jid>();
            prop_assert!(again.is_err() || again == Ok(jid));
        }
    }

    #[test]
    fn jids_are_ordered_as_they_are_equal(a in jid(), b in jid()) {
        prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
        prop_assert_eq!(a.account() == b.account(), a.same_user(&b));
    }

    #[test]
    fn values_read_as_what_they_were_written(number in any::<u64>(), signed in any::<i64>(), flag in any::<bool>()) {
        let node = Node::new("iq").attr("a", number).attr("b", signed).attr("c", flag);
        let frame = node.encode().unwrap();
        let mut decoder = Decoder::new();
        for node in [decoder.decode(&frame).unwrap(), node.view()] {
            prop_assert_eq!(node.required("a").u64().unwrap(), number);
            prop_assert_eq!(node.required("b").i64().unwrap(), signed);
            prop_assert_eq!(node.required("c").bool().unwrap(), flag);
            prop_assert_eq!(node.optional("d").u64().unwrap(), None);
        }
    }
}

#[test]
fn levels_beyond_the_limit_are_neither_written_nor_read() {
    let nested =
        |levels: usize| (1..levels).fold(Node::new("item"), |inner, _| Node::new("item").child(inner));
    let deepest = nested(wa_binary::MAX_DEPTH);
    let frame = deepest.encode().unwrap();
    assert_eq!(decode(&frame).unwrap(), deepest);
    assert_eq!(nested(wa_binary::MAX_DEPTH + 1).encode(), Err(wa_binary::EncodeError::TooDeep));
    // One level more around the same bytes.
    let mut deeper = vec![0, 0xf8, 2, frame[3], 0xf8, 1];
    deeper.extend_from_slice(&frame[1..]);
    assert_eq!(decode(&deeper).unwrap_err().class(), "TooDeep");
}

#[test]
fn more_nodes_than_the_limit_are_refused() {
    let mut frame = vec![0, 0xf8, 2, 0x71, 0xf8, 5];
    for children in [65_535usize, 65_535, 65_535, 65_534, 0] {
        if children > 0 {
            frame.extend_from_slice(&[0xf8, 2, 0x71, 0xf9, (children >> 8) as u8, children as u8]);
            frame.extend([0xf8, 1, 0x0e].repeat(children));
        }
    }
    frame.extend_from_slice(&[0xf8, 1, 0x0e]);
    // The root, five children, 262 139 grandchildren: one over.
    assert_eq!(decode(&frame).unwrap_err().class(), "TooLarge");
}

#[test]
fn a_repeated_key_is_seen_in_whatever_form_it_comes() {
    // A single-byte token, a dictionary token, a packable text and a plain one; short, packed and spelled out.
    let forms: [&[&[u8]]; 4] = [
        &[&[0x04], b"\xfc\x04type", b"\xfd\x00\x00\x04type", b"\xfe\x00\x00\x00\x04type"],
        &[&[0xee, 0x25], b"\xfc\x01c"],
        &[&[0xff, 0x83, 0x65, 0x53, 0x5f], &[0xfb, 0x83, 0x65, 0x53, 0x5f], b"\xfc\x0565535"],
        &[b"\xfc\x01!", b"\xfd\x00\x00\x01!"],
    ];
    for forms in forms {
        for first in forms {
            for second in forms {
                let frame = [&[0, 0xf8, 7, 0x19], *first, &[0x29, 0x08, 0x55], *second, &[0x5a]].concat();
                let mut decoder = Decoder::new();
                let node = decoder.decode(&frame).unwrap();
                let attrs: Vec<_> = node.each_attr().map(|(_, value)| value.to_string()).collect();
                assert_eq!(attrs, ["set", "1"], "{frame:02x?}");
                assert_eq!(node, decode(&frame).unwrap());
            }
        }
    }
}

#[test]
fn errors_name_the_path() {
    let user = Node::new("user").attr("jid", "not a jid").attr("t", "soon");
    let iq =
        Node::new("iq").child(Node::new("usync").child(Node::new("list").child(Node::new("x")).child(user)));
    let frame = iq.encode().unwrap();
    let mut decoder = Decoder::new();
    for node in [decoder.decode(&frame).unwrap(), iq.view()] {
        let list = node.required_child("usync").unwrap().required_child("list").unwrap();
        let user = list.each("user").next().unwrap();
        assert_eq!(user.required("jid").jid().unwrap_err().to_string(), "iq/usync/list/user@jid: not a JID");
        assert_eq!(user.required("id").string().unwrap_err().to_string(), "iq/usync/list/user@id: missing");
        assert_eq!(
            user.optional("t").unix_time().unwrap_err().to_string(),
            "iq/usync/list/user@t: not a number in range"
        );
        assert_eq!(list.required_child("item").unwrap_err().to_string(), "iq/usync/list/item: missing");
        assert_eq!(user.required_bytes().unwrap_err().to_string(), "iq/usync/list/user: missing");
    }
}

#[test]
fn logs_show_neither_numbers_nor_texts() {
    let node = Node::new("message")
        .attr("from", Jid::pn(15_550_100_123))
        .attr("sender_pn", "15550100123@s.whatsapp.net")
        .attr("id", "3EB0A1")
        .attr("type", "text")
        .attr("notify", "Ada Lovelace")
        .child(Node::new("body").text("secret words"));
    let log = node.redacted().to_string();
    assert_eq!(
        log,
        "<message from=\"…23@s.whatsapp.net\" sender_pn=\"…23@s.whatsapp.net\" id=\"3EB0A1\" type=\"text\" \
         notify=\"[12 characters]\"><body>[12 bytes]</body></message>"
    );
    // The test sees what it is there for: the full form shows all of it.
    let full = node.to_string();
    for private in ["15550100123", "Ada Lovelace", "secret words"] {
        assert!(full.contains(private) && !log.contains(private));
    }
}
