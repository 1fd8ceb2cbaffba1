//! The end-to-end message: any bytes decode or fail, and what decodes comes back from its own encoding.
//! Seeds: messages.json message
//! Seeds: signal-reporting-tokens.json message
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use wa_proto::e2e_message::Message;

fuzz_target!(|data: &[u8]| {
    let Ok(message) = Message::decode(Bytes::copy_from_slice(data)) else { return };
    let encoded = message.encode_to_vec();
    let again = Message::decode(Bytes::from(encoded.clone())).expect("our own encoding decodes");
    // Compared as bytes: a NaN is not equal to itself.
    assert_eq!(again.encode_to_vec(), encoded);
});
