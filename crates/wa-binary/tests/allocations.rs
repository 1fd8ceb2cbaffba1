//! How much memory decoding takes: nothing on a reused arena, and a small multiple of the input whatever the input
//! announces (chapter 03 §6).

mod common;

use allocation_counter::{AllocationInfo, measure};
use common::{broken_frame, cases, node};
use proptest::prelude::*;
use wa_binary::{Decoder, Jid, MAX_INFLATED, Node, Side, decode};

/// Bytes that a fresh arena may take: three 4-byte entries for a node of three bytes, doubling of the buffer
/// while it grows, and some room that does not depend on the input.
fn allowed_on_tape(frame: &[u8]) -> u64 {
    16 * frame.len() as u64 + 16 * 1024
}

/// The same for an owned tree.
fn allowed_for_tree(frame: &[u8]) -> u64 {
    64 * frame.len() as u64 + 16 * 1024
}

fn peak(work: impl FnOnce()) -> u64 {
    measure(work).bytes_max
}

/// Frames that announce far more than they hold.
fn boasts() -> Vec<Vec<u8>> {
    let mut nested = vec![0];
    for _ in 0..120 {
        nested.extend_from_slice(&[0xf8, 2, 0x71, 0xf9, 0xff, 0xff]);
    }
    vec![
        nested,
        vec![0, 0xf8, 2, 0x19, 0xf9, 0xff, 0xff],
        vec![0, 0xf9, 0xff, 0xff, 0x19],
        vec![0, 0xf8, 2, 0x1d, 0xfe, 0x7f, 0xff, 0xff, 0xff, 0x61],
        vec![0, 0xf8, 3, 0x19, 4, 0xfd, 0x0f, 0xff, 0xff, 0x61],
        vec![0, 0xf8, 1, 0xfe, 0x7f, 0xff, 0xff, 0xff],
    ]
}

#[test]
fn announced_lengths_reserve_nothing() {
    for frame in boasts() {
        let taken = peak(|| assert!(Decoder::new().decode(&frame).is_err()));
        assert!(taken <= allowed_on_tape(&frame), "{taken} bytes for {frame:02x?}");
    }
}

#[test]
fn a_decoder_that_trusts_announcements_is_caught() {
    // The sabotage: reserve what the frame says, as a naive decoder would.
    let naive = |frame: &[u8]| {
        let mut children: Vec<Vec<[u8; 64]>> = Vec::new();
        for window in frame.windows(3) {
            if window[0] == 0xf9 {
                children.push(Vec::with_capacity(usize::from(u16::from_be_bytes([window[1], window[2]]))));
            }
        }
        drop(children);
    };
    let frame = &boasts()[0];
    assert!(peak(|| naive(frame)) > allowed_on_tape(frame));
}

#[test]
fn a_zip_bomb_stays_within_the_limit() {
    let mut frame = vec![0];
    frame.resize(32 * 1024 * 1024, 0);
    let bomb = wa_binary::compress(&frame);
    assert!(bomb.len() < 100_000);
    let taken = peak(|| assert_eq!(Decoder::new().decode(&bomb).unwrap_err().class(), "TooLarge"));
    // The output, once more while it grows, and the inflater's own window.
    assert!(taken <= 2 * MAX_INFLATED as u64 + 256 * 1024, "{taken} bytes");
}

#[test]
fn many_repeated_keys_take_neither_time_nor_room() {
    let mut frame = vec![0, 0xf9, 0xff, 0xff, 0x19];
    for at in 0..32_767u32 {
        frame.extend_from_slice(&[0xfc, 2, (at % 100) as u8, (at / 100 % 100) as u8, 0x29]);
    }
    let taken = peak(|| assert_eq!(Decoder::new().decode(&frame).unwrap().each_attr().len(), 10_000));
    assert!(taken <= allowed_on_tape(&frame), "{taken} bytes");
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn memory_is_a_small_multiple_of_the_input(frame in broken_frame()) {
        let allowed = if frame.first().is_some_and(|flags| flags & 2 != 0) {
            2 * MAX_INFLATED as u64 + 256 * 1024
        } else {
            allowed_on_tape(&frame)
        };
        let taken = peak(|| _ = Decoder::new().decode(&frame).is_ok());
        prop_assert!(taken <= allowed, "{} bytes on the tape for {}", taken, frame.len());
        if frame.first().is_some_and(|flags| flags & 2 == 0) {
            let taken = peak(|| drop(decode(&frame)));
            prop_assert!(taken <= allowed_for_tree(&frame), "{} bytes in a tree for {}", taken, frame.len());
        }
    }

    #[test]
    fn a_reused_arena_and_a_kept_buffer_allocate_nothing(node in node()) {
        let frame = node.encode().unwrap();
        // Repeated keys and unpacked names, which no honest peer sends, are let off.
        let mut decoder = Decoder::new();
        decoder.decode(&frame).unwrap();
        let AllocationInfo { count_total, .. } = measure(|| _ = decoder.decode(&frame).is_ok());
        prop_assert_eq!(count_total, 0);
        let mut again = Vec::new();
        node.encode_into(Side::Client, &mut again).unwrap();
        again.clear();
        let info = measure(|| node.encode_into(Side::Client, &mut again).unwrap());
        prop_assert_eq!(info.count_total, 0);
    }
}

#[test]
fn reading_every_common_value_allocates_nothing() {
    let message = Node::new("message")
        .attr("from", Jid::lid(250_757_128_957_346))
        .attr("participant", "15550100123:7@s.whatsapp.net".parse::<Jid>().unwrap())
        .attr("to", "120363499810979602@g.us".parse::<Jid>().unwrap())
        .attr("id", "3EB0A1B2C3D4E5F60718AB")
        .attr("t", 1_732_936_459u64)
        .attr("type", "text")
        .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(vec![7; 200]));
    let frame = message.encode().unwrap();
    let mut decoder = Decoder::new();
    decoder.decode(&frame).unwrap();
    let info = measure(|| {
        let node = decoder.decode(&frame).unwrap();
        for key in ["from", "participant", "to"] {
            drop(node.required(key).jid().unwrap());
        }
        drop(node.required("id").string().unwrap());
        assert_eq!(node.required("t").u64().unwrap(), 1_732_936_459);
        assert!(node.attr_is("type", "text"));
        let enc = node.required_child("enc").unwrap();
        assert_eq!(enc.required_bytes().unwrap().len(), 200);
    });
    assert_eq!(info.count_total, 0);
    // The counter counts.
    assert_eq!(measure(|| drop(std::hint::black_box(Box::new(1)))).count_total, 1);
}
