//! Bundles and uploads there and back, ids around the wrap, and the digest against each change.

use wa_binary::Jid;
use wa_crypto::curve::KeyPair;
use wa_crypto::xeddsa;

use super::*;
use crate::testing::rng;

fn upload(keys: u32) -> Upload {
    let rng = &mut rng(31);
    let (identity, signed) = (KeyPair::generate(rng), KeyPair::generate(rng));
    let signature = xeddsa::sign(identity.private(), &[&signed.public().serialized()], rng);
    Upload {
        registration_id: 0x0102_0304,
        identity: *identity.public(),
        signed: SignedKey { id: 1, public: *signed.public(), signature },
        one_time: (1..=keys).map(|id| (id, *KeyPair::generate(rng).public())).collect(),
    }
}

fn bundle() -> Bundle {
    let upload = upload(1);
    Bundle {
        registration_id: upload.registration_id,
        identity: upload.identity,
        signed: upload.signed,
        one_time: upload.one_time.first().copied(),
        device_identity: Some(bytes::Bytes::from_static(b"blob")),
    }
}

#[test]
fn an_upload_is_read_back_and_a_foreign_signature_is_refused() {
    let it = upload(3);
    assert_eq!(Upload::parse(it.request("1").view()), Ok(it.clone()));
    let mut forged = it;
    forged.signed.signature[5] ^= 1;
    assert_eq!(Upload::parse(forged.request("1").view()), Err(PreKeyError::Signature));
}

#[test]
fn a_bundle_is_read_from_the_answer_and_from_a_retry_receipt() {
    let it = bundle();
    let device: Jid = "15550100001:7@s.whatsapp.net".parse().unwrap();
    let gone: Jid = "15550100001:8@s.whatsapp.net".parse().unwrap();
    let answer = Node::new("iq").child(
        Node::new("list")
            .child(Node::new("user").attr("jid", device.clone()).children(it.to_children()))
            .child(Node::new("user").attr("jid", gone.clone()).child(Node::new("error").attr("code", "406"))),
    );
    let fetched = parse_fetch(answer.view()).unwrap();
    assert_eq!(fetched[0], (device, Fetched::Bundle(Box::new(it.clone()))));
    assert_eq!(fetched[1], (gone, Fetched::Refused(406)));

    let receipt = Node::new("receipt")
        .child(registration_node(it.registration_id))
        .child(Node::new("keys").children(it.key_children()));
    assert_eq!(Bundle::parse(receipt.view()), Ok(it.clone()));
    assert!(it.to_signal().verify().is_ok());
}

#[test]
fn a_bundle_with_a_wrong_length_or_id_0_is_malformed() {
    for (tag, bytes) in [("registration", vec![0; 3]), ("identity", vec![5; 33]), ("type", vec![6])] {
        let children = bundle().to_children().into_iter().map(|child| match child.is(tag) {
            true => Node::new(tag).bytes(bytes.clone()),
            false => child,
        });
        assert!(Bundle::parse(Node::new("user").children(children).view()).is_err(), "{tag}");
    }
    let mut zero = bundle();
    zero.signed.id = 0;
    assert_eq!(Bundle::parse(Node::new("user").children(zero.to_children()).view()), Err(PreKeyError::KeyId));
    assert!(parse_fetch(Node::new("iq").view()).is_err());
}

#[test]
fn the_digest_notices_every_difference() {
    let own = upload(2);
    let find = |id: u32| own.one_time.iter().find(|(known, _)| *known == id).map(|(_, key)| *key);
    let parse =
        |upload: &Upload| DigestReply::parse(Node::new("iq").child(upload.digest_node()).view()).unwrap();
    assert!(parse(&own).fits(&own, find));
    assert!(!parse(&own).fits(&own, |_| None));
    let mut other = own.clone();
    other.one_time.swap(0, 1);
    let mut swapped = parse(&own);
    swapped.one_time.swap(0, 1);
    assert!(!swapped.fits(&own, find));
    other = own.clone();
    other.registration_id ^= 1;
    assert!(!parse(&other).fits(&own, find));
    let mut short = parse(&own);
    short.hash.clear();
    assert!(!short.fits(&own, find));
}

#[test]
fn ids_grow_wrap_and_are_never_offered_twice() {
    assert_eq!((next_id(1), next_id(MAX_ID)), (2, 1));
    let start = Watermarks::default();
    let UploadPlan { again, fresh, after } = start.plan(3, |_| false);
    assert_eq!((again.len(), fresh), (0, vec![1, 2, 3]));
    assert_eq!((after.next(), after.first_not_uploaded(), after.pending()), (4, 4, 0));

    let near = Watermarks::new(2, MAX_ID - 1);
    assert_eq!(near.pending(), 3);
    let UploadPlan { again, fresh, after } = near.plan(5, |id| id == 3);
    assert_eq!(again, [MAX_ID - 1, MAX_ID, 1]);
    assert_eq!(fresh, [2, 4]);
    assert_eq!((after.next(), after.pending()), (5, 0));
    assert_eq!(Watermarks::new(5, 2).plan(2, |_| false).again, [2, 3]);
}

#[test]
fn a_key_given_to_one_peer_is_not_uploaded_afterwards() {
    assert_eq!(Watermarks::new(5, 5).take_direct(|id| id == 5), (DirectKey::Fresh(6), Watermarks::new(7, 7)));
    let (direct, after) = Watermarks::new(5, 3).take_direct(|_| false);
    assert_eq!(direct, DirectKey::Made(3));
    assert_eq!(after.plan(2, |_| false).again, [4]);
}

#[test]
fn a_full_ring_ends_the_plan() {
    assert!(Watermarks::default().plan(1, |_| true).fresh.is_empty());
}

#[test]
fn repetitions_wait_in_fibonacci_steps_up_to_their_limit() {
    let seconds: Vec<u64> = (1..=6).map(|attempt| retry_delay(attempt).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 3, 5, 8, 13]);
    assert_eq!((retry_delay(14).as_secs(), retry_delay(u32::MAX).as_secs()), (610, 610));
}
