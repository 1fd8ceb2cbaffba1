//! Stanzas: any frame decodes or gives an error with a class and a place, the three ways of decoding agree, everything
//! that decodes can be read, printed and written, and what was written decodes to the same.
//! Seeds: nodes.json canonical canonical_from_server baileys wacore frame
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_binary::{Decoder, EncodeError, Side, Stanza, compress, decode};

fuzz_target!(|frame: &[u8]| {
    let mut decoder = Decoder::new();
    let owned = decode(frame);
    let kept = Stanza::decode(frame.to_vec().into());
    let node = match decoder.decode(frame) {
        Err(error) => {
            assert_eq!(owned.err(), Some(error));
            assert_eq!(kept.err(), Some(error));
            assert!(!error.class().is_empty());
            return;
        }
        Ok(node) => node,
    };
    let owned = owned.unwrap();
    assert_eq!(node, owned.view());
    assert_eq!(kept.unwrap().root(), node);
    assert_eq!(node.to_string(), owned.to_string());
    drop(node.redacted().to_string());
    for part in node.descendants() {
        for (key, _) in part.each_attr() {
            let (own, other) = (part.required(key), part.optional(key));
            _ = (own.jid().is_ok(), own.u64().is_ok(), own.bool().is_ok(), other.unix_time().is_ok());
            drop(own.string().unwrap());
        }
        drop((part.optional_text().is_ok(), part.path()));
    }
    for side in [Side::Client, Side::Server] {
        let mut written = Vec::new();
        match owned.encode_into(side, &mut written) {
            Ok(()) => {
                assert_eq!(decode(&written).unwrap(), owned);
                assert_eq!(decode(&compress(&written)).unwrap(), owned);
            }
            // Only this cannot be written of what was read: a frame at the size limit grows when texts lose their tokens.
            Err(error) => assert!(matches!(error, EncodeError::TooLarge { .. }), "{error}"),
        }
    }
});
