//! Presence, open enums, packing and recursion: what the schema promises beyond its numbers (chapter 03 §10).

use bytes::Bytes;
use prost::Message as _;
use wa_proto::{
    adv::{AdvEncryptionType, AdvKeyIndexList, AdvSignedDeviceIdentityHmac},
    common::MessageKey,
    e2e_message::{Message, message::ImageMessage},
    history::HistorySync,
    web_message::{WebMessageInfo, web_message_info::Status},
};

#[test]
fn an_unknown_enum_value_survives() {
    // Field 3, accountType = 77.
    let bytes = [0x18, 77];
    let message = AdvSignedDeviceIdentityHmac::decode(&bytes[..]).unwrap();
    assert_eq!(message.account_type, Some(77));
    assert!(AdvEncryptionType::try_from(77).is_err());
    assert_eq!(message.account_type(), AdvEncryptionType::E2ee);
    assert_eq!(message.encode_to_vec(), bytes);
}

#[test]
fn a_missing_required_field_is_no_error() {
    assert_eq!(WebMessageInfo::decode(&[][..]).unwrap().key, None);
    assert_eq!(HistorySync::decode(&[][..]).unwrap().sync_type, None);
}

#[test]
fn an_absent_status_reads_as_pending() {
    let absent = WebMessageInfo::default();
    assert_eq!((absent.status, absent.status()), (None, Status::Pending));
    let error = WebMessageInfo { status: Some(0), ..Default::default() };
    assert_eq!(WebMessageInfo::decode(error.encode_to_vec().as_slice()).unwrap().status(), Status::Error);
}

#[test]
fn explicit_zero_and_absent_are_different() {
    let explicit = MessageKey { from_me: Some(false), ..Default::default() };
    assert_eq!(explicit.encode_to_vec(), [0x10, 0]);
    assert_eq!(MessageKey::decode(&[0x10, 0][..]).unwrap(), explicit);
    assert_ne!(explicit, MessageKey::default());
}

#[test]
fn only_the_fields_that_the_table_names_are_packed_and_both_forms_are_read() {
    let list = AdvKeyIndexList { valid_indexes: vec![0, 3], ..Default::default() };
    assert_eq!(list.encode_to_vec(), [0x22, 2, 0, 3]);
    assert_eq!(AdvKeyIndexList::decode(&[0x20, 0, 0x20, 3][..]).unwrap(), list);

    let image = ImageMessage { scan_lengths: vec![1, 2], ..Default::default() };
    assert_eq!(image.encode_to_vec(), [0xb0, 0x01, 1, 0xb0, 0x01, 2]);
    assert_eq!(ImageMessage::decode(&[0xb2, 0x01, 2, 1, 2][..]).unwrap(), image);
}

#[test]
fn decoded_bytes_are_slices_of_the_input() {
    let input = Bytes::from_static(&[0x0a, 3, 1, 2, 3]);
    let message = AdvSignedDeviceIdentityHmac::decode(input.clone()).unwrap();
    let details = message.details.unwrap();
    assert_eq!(details.as_ptr(), input[2..].as_ptr());
}

#[test]
fn a_message_struct_stays_small() {
    assert!(size_of::<Message>() < 1200, "{}", size_of::<Message>());
}

#[test]
fn nesting_without_end_is_an_error() {
    // deviceSentMessage (31) { message (2) { … } }, inside out.
    let mut bytes = Vec::new();
    for _ in 0..200 {
        let mut inner = vec![0x12];
        prost::encoding::encode_varint(bytes.len() as u64, &mut inner);
        inner.append(&mut bytes);
        let mut outer = vec![0xfa, 0x01];
        prost::encoding::encode_varint(inner.len() as u64, &mut outer);
        outer.append(&mut inner);
        bytes = outer;
    }
    assert!(Message::decode(bytes.as_slice()).is_err());
}
