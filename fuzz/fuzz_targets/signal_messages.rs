//! The four wire messages of the Signal protocol: any bytes parse or fail, and a distribution comes back from its own
//! encoding.
//! Seeds: signal-sessions.json ciphertext
//! Seeds: signal-sender-keys.json ciphertext distribution
//! Seeds: signal-malformed.json input
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_signal::{PreKeySignalMessage, SenderKeyDistribution, SenderKeyMessage, SignalMessage};

fuzz_target!(|data: &[u8]| {
    let _ = SignalMessage::parse(data);
    let _ = SenderKeyMessage::parse(data);
    if let Ok(message) = PreKeySignalMessage::parse(data) {
        assert!(message.message().ciphertext().len() < data.len());
    }
    if let Ok(distribution) = SenderKeyDistribution::parse(data) {
        let encoded = distribution.encode();
        assert_eq!(SenderKeyDistribution::parse(&encoded).as_ref(), Ok(&distribution));
    }
});
