//! Stored forms: they are kept for ever, so each is written down here byte for byte, and no bytes make decoding panic.

use bytes::Bytes;
use proptest::prelude::*;
use wa_store::records::Record;
use wa_store::*;

fn stored(record: &impl Record) -> String {
    let mut out = Vec::new();
    record.to_stored(&mut out);
    out.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn comes_back<R: Record + PartialEq + std::fmt::Debug>(record: &R, golden: &str) {
    let bytes: Vec<u8> =
        (0..golden.len()).step_by(2).map(|at| u8::from_str_radix(&golden[at..at + 2], 16).unwrap()).collect();
    assert_eq!(stored(record), golden, "{record:?}");
    assert_eq!(R::from_stored(&bytes).as_ref(), Ok(record));
    for len in 0..bytes.len() {
        assert!(R::from_stored(&bytes[..len]).is_err(), "cut to {len}: {record:?}");
    }
    assert_eq!(R::from_stored(&[&bytes[..], &[0]].concat()), Err(Damage::Record), "a byte too many");
    assert_eq!(R::from_stored(&[&[99], &bytes[1..]].concat()), Err(Damage::Version(99)));
}

#[test]
fn stored_forms_do_not_change() {
    let time = UnixTime::from_secs(1_800_000_000);
    let pair = KeyPair { public: [0x11; 32], private: [0x22; 32].into() };
    let (public, private) = ("11".repeat(32), "22".repeat(32));
    comes_back(&Session::new(Bytes::from_static(b"rec")), "010372656300");
    comes_back(&Session { record: Bytes::from_static(b"rec"), sending: Sending::Discarded }, "010372656301");
    comes_back(&PreKey { key: pair.clone(), state: PreKeyState::Offered }, &format!("01{public}{private}01"));
    let signed = SignedPreKey {
        key: pair.clone(),
        signature: Bytes::from_static(b"sig"),
        created: time,
        state: SignedPreKeyState::Current,
    };
    comes_back(&signed, &format!("01{public}{private}0373696780a0f1c2b13401"));
    let mark = DistributionMark { key_id: 300, state: MarkState::Pending("3EB0".into()) };
    comes_back(&mark, "01ac02000433454230");
    let lid = LidRecord { lid: "9@lid".into(), source: MappingSource::Live, learnt: time };
    comes_back(&lid, "010539406c69640280a0f1c2b134");
    let row = InboxRow { received: time, event: Bytes::from_static(b"event") };
    comes_back(&row, "0180a0f1c2b134056576656e74");
    comes_back(
        &DeadLetter { row, attempts: 3, failure: Some(Attempt { at: time, error: "no".into() }) },
        "0180a0f1c2b134056576656e74030180a0f1c2b134026e6f",
    );
    let secret =
        MessageSecret { id: "3EB0".into(), secret: [0x44; 32].into(), source: SecretSource::History };
    comes_back(
        &SecretPage { before: 2, secrets: vec![secret] },
        &format!("0102010433454230{}01", "44".repeat(32)),
    );
    let queued = OutboxRow {
        chat: "9@lid".into(),
        id: "3EB0".into(),
        queued: time,
        plaintext: Bytes::from_static(b"p"),
        options: Bytes::new(),
        state: OutboxState::Queued,
    };
    comes_back(&queued, "010539406c6964043345423080a0f1c2b13401700000");
    let sealed = OutboxState::Sealed { stanza: Bytes::from_static(b"s"), at: time };
    comes_back(
        &OutboxRow { state: sealed, ..queued },
        "010539406c6964043345423080a0f1c2b13401700001017380a0f1c2b134",
    );
    let collection = Collection { version: 7, hash: LtHash([0xAB; 128]), state: CollectionState::Synced };
    comes_back(&collection, &format!("01078001{}01", "ab".repeat(128)));
    let device = Device {
        noise_key: pair.clone(),
        identity_key: pair,
        registration_id: 1,
        adv_secret: [0x33; 32].into(),
        signed_prekey_id: 2,
        signed_prekey_since: None,
        next_prekey_id: 3,
        first_unuploaded_prekey_id: 4,
        server_has_prekeys: true,
        login_counter: 5,
        push_name: "Bot".into(),
        registration: Some(Registration {
            pn: Address::new("15550100@s.whatsapp.net", 9),
            lid: Some("9@lid".into()),
            device_identity: Bytes::from_static(b"adv"),
            key_index: 6,
            platform: "android".into(),
            business_name: None,
            lid_migrated: true,
            linked_at: time,
        }),
    };
    let keys = format!("{public}{private}").repeat(2);
    let golden = stored(&device);
    assert!(golden.starts_with(&format!("01{keys}01{}0200030401", "33".repeat(32))), "{golden}");
    comes_back(&device, &golden);
}

macro_rules! never_panics {
    ($bytes:expr, $($record:ty),+) => {
        $(if let Ok(record) = <$record>::from_stored($bytes) {
            let _ = stored(&record);
        })+
    };
}

proptest! {
    #[test]
    fn any_bytes_as_a_record_never_panic(rest in proptest::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&[1][..], &rest].concat();
        never_panics!(
            &bytes, Device, PreKey, SignedPreKey, Session, DistributionMark, LidRecord, PnRecord, DeviceList, PrivacyToken,
            AppStateKey, Collection, RecordMac, InboxRow, DeadLetter, OutboxRow, SentRow, SendRecord, SecretPage,
            Contact, ChatRecord, ChatKey, u32
        );
    }
}

#[test]
fn an_announced_length_allocates_nothing() {
    // A device list that announces four thousand million devices in nine bytes.
    let bytes = [1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0];
    assert_eq!(DeviceList::from_stored(&bytes), Err(Damage::Record));
    assert_eq!(InboxRow::from_stored(&[1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]), Err(Damage::Record));
}
