//! The history blob, compressed and not: any bytes are read to an end or an error, in whole and part by part; what
//! decodes comes back from its own encoding.
//! Seeds: history-blobs.json payload_b64
//! Seeds: history-corrupt.json payload_b64
#![no_main]

use std::io::Read;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use wa_core::history::{HistoryError, HistoryLimits, HistoryReader, Part};
use wa_proto::history::HistorySync;

const LIMITS: HistoryLimits = HistoryLimits { blob: 4 << 20, field: 1 << 20, record: 1 << 16 };

fuzz_target!(|data: &[u8]| {
    if let Ok(reader) = HistoryReader::new(data, LIMITS) {
        let _ = walk(reader);
    }
    let walked = walk(HistoryReader::inflated(data, LIMITS));
    let Ok(history) = HistorySync::decode(Bytes::copy_from_slice(data)) else { return };
    // What decodes as a whole is also walked, up to the limits and to what only the decoder passes over.
    if let Ok(chats) = walked {
        assert_eq!(chats, history.conversations.len());
    }
    let encoded = history.encode_to_vec();
    let again = HistorySync::decode(Bytes::from(encoded.clone())).expect("our own encoding decodes");
    assert_eq!(again.encode_to_vec(), encoded);
});

fn walk<R: Read>(mut reader: HistoryReader<R>) -> Result<usize, HistoryError> {
    let mut chats = 0;
    while let Some(part) = reader.next_part()? {
        if let Part::Chat(chat) = part {
            chats += 1;
            chat.id()?;
            chat.header()?;
            for message in chat.messages() {
                message?.text();
            }
        }
    }
    Ok(chats)
}
