//! Stored Signal records: any bytes behind a right checksum load or fail, and what loads writes itself the same way.
//! Seed folder: crates/wa-signal/tests/golden
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_signal::{OwnSenderKey, SenderKeyRecord, SessionRecord};

fuzz_target!(|data: &[u8]| {
    let _ = SessionRecord::decode(data);
    // A whole record stands for its fields, whatever its checksum.
    let fields = match data {
        [b'S' | b'R' | b'O', 1, _, _, _, _, fields @ ..] => fields,
        fields => fields,
    };
    for kind in *b"SRO" {
        let record = sealed(kind, fields);
        let again = match kind {
            b'S' => SessionRecord::decode(&record).map(|it| it.encode()),
            b'R' => SenderKeyRecord::decode(&record).map(|it| it.encode()),
            _ => OwnSenderKey::decode(&record).map(|it| it.encode()),
        };
        if let Ok(again) = again {
            assert_eq!(again[..], record[..]);
        }
    }
});

/// The fields with the frame that every record has, so that the checksum does not stop the search.
fn sealed(kind: u8, fields: &[u8]) -> Vec<u8> {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&[kind, 1]);
    sum.update(fields);
    [&[kind, 1][..], &sum.finalize().to_le_bytes(), fields].concat()
}
