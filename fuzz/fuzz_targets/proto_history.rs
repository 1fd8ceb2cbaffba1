//! The history blob behind its compression: any bytes decode or fail, and what decodes comes back from its own
//! encoding.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use wa_proto::history::HistorySync;

fuzz_target!(|data: &[u8]| {
    let Ok(history) = HistorySync::decode(Bytes::copy_from_slice(data)) else { return };
    let encoded = history.encode_to_vec();
    let again = HistorySync::decode(Bytes::from(encoded.clone())).expect("our own encoding decodes");
    assert_eq!(again.encode_to_vec(), encoded);
});
