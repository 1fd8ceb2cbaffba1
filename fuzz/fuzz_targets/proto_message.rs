//! The end-to-end message: any bytes decode or fail, and what decodes comes back from its own encoding. The view of the
//! same bytes fails where decoding fails, and gives the same through every accessor.
//! Seeds: messages.json message
//! Seeds: signal-reporting-tokens.json message
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use wa_proto::e2e_message::Message;
use wa_proto::view::{View as _, e2e_message::MessageView};

#[allow(clippy::all, clippy::redundant_closure_for_method_calls, reason = "generated")]
mod own {
    include!("../../crates/wa-proto/tests/generated/own.rs");
}
use own::Own as _;

fuzz_target!(|data: &[u8]| {
    let view = MessageView::parse(data);
    let shared = wa_proto::decode::<Message>(&Bytes::copy_from_slice(data));
    let Ok(message) = Message::decode(data) else {
        assert!(view.is_err() && shared.is_err(), "refused only by the owned type");
        return;
    };
    let encoded = message.encode_to_vec();
    let again = Message::decode(Bytes::from(encoded.clone())).expect("our own encoding decodes");
    // Compared as bytes: a NaN is not equal to itself.
    assert_eq!(again.encode_to_vec(), encoded);
    let view = view.expect("refused only by the view");
    assert_eq!(shared.expect("what decodes from a slice").encode_to_vec(), encoded);
    assert_eq!(view.own().encode_to_vec(), encoded);
});
