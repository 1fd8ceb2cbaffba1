//! Stored records: golden files load for ever, damage is an error, sizes and limits hold.

mod support;

use support::{Device, below, established};
use wa_signal::import::{
    ImportedChain, ImportedKey, ImportedSenderKey, ImportedSession, ImportedUnacknowledged,
};
use wa_signal::limits::{MAX_JUMP, MAX_JUMP_OWN_DEVICE, MAX_SKIPPED_KEYS};
use wa_signal::ratchet::{ChainKey, RootKey};
use wa_signal::{
    Ciphertext, Corruption, OwnSenderKey, PreKeySignalMessage, Sender, SenderKeyMessage, SenderKeyRecord,
    SessionRecord, SignalError, SignalMessage,
};

/// The records that the golden files hold: one in every state that the format can express.
fn golden_records() -> Vec<(&'static str, Vec<u8>)> {
    let (mut rng, mut alice, mut to_bob, mut bob, mut to_alice) = established(1);
    let mut records = vec![
        ("session-empty", SessionRecord::new().encode()),
        ("session-answered", to_bob.encode()),
        ("session-responder", to_alice.encode()),
    ];
    let bundle = bob.bundle(true, &mut rng);
    to_bob.initiate(&alice.local, &bundle, 1_700_000_000, &mut rng).expect("initiate");
    records.push(("session-initiated-archived", to_bob.encode()));
    let late = (0..5).map(|_| to_bob.encrypt(&alice.local, b"text").expect("encrypt")).collect::<Vec<_>>();
    records.push(("session-unacknowledged", to_bob.encode()));
    for message in [&late[4], &late[1]] {
        bob.decrypt(&mut to_alice, true, &message.bytes, Sender::Other, &mut rng).expect("decrypt");
    }
    records.push(("session-skipped", to_alice.encode()));
    for round in 0..7 {
        let answer = to_alice.encrypt(&bob.local, b"answer").expect("encrypt");
        alice.decrypt(&mut to_bob, false, &answer.bytes, Sender::Other, &mut rng).expect("decrypt");
        let extra = if round % 2 == 0 { 1 } else { 2 };
        let texts = (0..extra).map(|_| to_bob.encrypt(&alice.local, b"text").expect("encrypt"));
        let last = texts.last().expect("one");
        bob.decrypt(&mut to_alice, false, &last.bytes, Sender::Other, &mut rng).expect("decrypt");
    }
    records.push(("session-five-chains", to_alice.encode()));
    records.push(("session-imported", imported().encode()));

    let mut sender = OwnSenderKey::generate(&mut rng);
    let mut received = SenderKeyRecord::new();
    records.push(("sender-key-empty", received.encode()));
    received.process(&sender.distribution());
    let texts = (0..4).map(|_| sender.encrypt(b"group", &mut rng).expect("encrypt")).collect::<Vec<_>>();
    received.decrypt(&SenderKeyMessage::parse(&texts[3]).expect("parse")).expect("decrypt");
    received.process(&OwnSenderKey::generate(&mut rng).distribution());
    records.push(("sender-key-two-states", received.encode()));
    records.push(("sender-key-own", sender.encode()));
    records.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect()
}

fn imported() -> SessionRecord {
    let mut rng = support::rng(2);
    let (alice, bob) = (Device::new(&mut rng), Device::new(&mut rng));
    let session = |byte: u8| ImportedSession {
        remote_identity: bob.local.identity_key(),
        remote_registration_id: 77,
        base_key: *bob.signed.pair.public(),
        root_key: RootKey::new([byte; 32]),
        previous_counter: 3,
        ratchet: alice.signed.pair.clone(),
        sending_key: ChainKey::new([byte + 1; 32]),
        sending_index: 300,
        receiving: vec![
            ImportedChain {
                ratchet_key: *bob.local.pair().key_pair().public(),
                chain_key: None,
                next_index: 10,
                skipped: vec![
                    (8, ImportedKey::Expanded([byte + 2; 80].into())),
                    (3, ImportedKey::Seed([byte + 3; 32].into())),
                    (5, ImportedKey::Expanded([byte + 4; 80].into())),
                ],
            },
            ImportedChain {
                ratchet_key: *bob.signed.pair.public(),
                chain_key: Some(ChainKey::new([byte + 5; 32])),
                next_index: 0,
                skipped: vec![],
            },
        ],
        unacknowledged: Some(ImportedUnacknowledged {
            signed_pre_key_id: 9,
            pre_key_id: None,
            created: 1_700_000_000,
        }),
    };
    let archived = ImportedSession { base_key: *alice.signed.pair.public(), ..session(100) };
    SessionRecord::import(&alice.local, Some(session(1)), [archived]).expect("import")
}

/// Decodes as what the name says and encodes again.
fn reencode(name: &str, bytes: &[u8]) -> Result<Vec<u8>, SignalError> {
    Ok(match name {
        "sender-key-own" => OwnSenderKey::decode(bytes)?.encode(),
        name if name.starts_with("sender-key") => SenderKeyRecord::decode(bytes)?.encode(),
        _ => SessionRecord::decode(bytes)?.encode(),
    }
    .to_vec())
}

/// Set `WA_BLESS_GOLDEN=1` to write files that do not exist yet. An existing file is never rewritten: a new format
/// version adds files and still reads these.
#[test]
fn golden_records_load_for_ever() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (name, bytes) in golden_records() {
        let path = folder.join(format!("{name}.v1.hex"));
        if std::env::var_os("WA_BLESS_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, hex::encode(&bytes) + "\n").expect("write");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let golden = hex::decode(golden.trim()).expect("hex");
        assert_eq!(
            reencode(name, &golden).as_ref(),
            Ok(&golden),
            "{name}: the format has changed: raise its version, keep reading this one"
        );
    }
}

#[test]
fn a_damaged_record_is_an_error_and_never_a_panic() {
    let mut rng = support::rng(3);
    for (name, bytes) in golden_records() {
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let result = reencode(name, &bad);
            assert!(matches!(result, Err(SignalError::CorruptRecord(_))), "{name}, bit {bit}: {result:?}");
        }
        for len in 0..bytes.len() {
            assert!(reencode(name, &bytes[..len]).is_err(), "{name} cut to {len}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(reencode(name, &longer).is_err(), "{name} with a byte more");
        // With a right checksum over wrong fields: still an error or a record that writes itself the same way.
        for _ in 0..2_000 {
            let mut bad = bytes.clone();
            if bad.len() <= 6 {
                continue;
            }
            let at = 6 + below(&mut rng, bad.len() - 6);
            bad[at] = below(&mut rng, 256) as u8;
            reseal(&mut bad);
            if let Ok(again) = reencode(name, &bad) {
                assert_eq!(again, bad, "{name}: byte {at} has two encodings");
            }
        }
    }
}

fn reseal(record: &mut [u8]) {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&record[..2]);
    sum.update(&record[6..]);
    record[2..6].copy_from_slice(&sum.finalize().to_le_bytes());
}

#[test]
fn kinds_and_versions_are_told_apart() {
    let session = established(4).2.encode();
    assert_eq!(SenderKeyRecord::decode(&session).err(), Some(SignalError::CorruptRecord(Corruption::Kind)));
    assert_eq!(OwnSenderKey::decode(&session).err(), Some(SignalError::CorruptRecord(Corruption::Kind)));
    let mut newer = session.to_vec();
    newer[1] = 2;
    assert_eq!(SessionRecord::decode(&newer).err(), Some(SignalError::CorruptRecord(Corruption::Version(2))));
}

#[test]
fn a_record_of_another_local_identity_is_refused() {
    let (mut rng, _, mut to_bob, _, _) = established(5);
    let other = Device::new(&mut rng);
    assert_eq!(to_bob.encrypt(&other.local, b"text").err(), Some(SignalError::ForeignRecord));
}

/// Alice sends one message after `jump` that are lost; Bob opens it.
fn jump(jump: u32, sender: Sender) -> (Result<Vec<u8>, SignalError>, SessionRecord, Vec<Ciphertext>) {
    let (mut rng, alice, mut to_bob, mut bob, mut to_alice) = established(6);
    let lost = (0..jump).map(|_| to_bob.encrypt(&alice.local, b"lost").expect("encrypt")).collect();
    let last = to_bob.encrypt(&alice.local, b"last").expect("encrypt");
    let result = bob.decrypt(&mut to_alice, false, &last.bytes, sender, &mut rng);
    (result.map(|received| received.plaintext), to_alice, lost)
}

#[test]
fn a_jump_is_accepted_up_to_the_limit_of_its_sender_only() {
    assert_eq!(jump(MAX_JUMP, Sender::Other).0.as_deref(), Ok(&b"last"[..]));
    let refused = Err(SignalError::TooFarInFuture { jump: MAX_JUMP + 1, limit: MAX_JUMP });
    assert_eq!(jump(MAX_JUMP + 1, Sender::Other).0, refused);
    assert_eq!(jump(MAX_JUMP_OWN_DEVICE, Sender::OwnDevice).0.as_deref(), Ok(&b"last"[..]));
    let limit = MAX_JUMP_OWN_DEVICE;
    let refused = Err(SignalError::TooFarInFuture { jump: limit + 1, limit });
    assert_eq!(jump(limit + 1, Sender::OwnDevice).0, refused);
}

#[test]
fn beyond_two_thousand_skipped_keys_the_lowest_are_dropped() {
    let count = MAX_SKIPPED_KEYS as u32 + 3;
    let (result, mut to_alice, lost) = jump(count, Sender::OwnDevice);
    result.expect("accepted");
    let (mut rng, _, _, mut bob, _) = established(6);
    for (place, message) in lost.iter().enumerate() {
        let result = bob.decrypt(&mut to_alice, false, &message.bytes, Sender::Other, &mut rng);
        match place {
            0..3 => {
                assert_eq!(result.err(), Some(SignalError::Duplicate { counter: place as u32 }));
            }
            _ => assert_eq!(result.expect("kept").plaintext, b"lost"),
        }
    }
}

#[test]
fn the_highest_counters_are_refused_without_overflow() {
    let (mut rng, _, _, bob, mut to_alice) = established(6);
    for counter in [u32::MAX, u32::MAX - 1, 25_001] {
        let mut bytes = vec![0x33, 0x0A, 33, 5];
        bytes.extend_from_slice(&[9; 32]);
        bytes.extend_from_slice(&[
            0x10,
            counter as u8 | 0x80,
            (counter >> 7) as u8 | 0x80,
            (counter >> 14) as u8 | 0x80,
        ]);
        bytes.extend_from_slice(&[(counter >> 21) as u8 | 0x80, (counter >> 28) as u8, 0x22, 16]);
        bytes.extend_from_slice(&[0; 16 + 8]);
        let message = SignalMessage::parse(&bytes).expect("parse");
        assert_eq!(message.counter(), counter);
        let result = to_alice.decrypt(&bob.local, &message, Sender::OwnDevice, &mut rng);
        assert!(matches!(result, Err(SignalError::TooFarInFuture { .. })), "{result:?}");
    }
}

#[test]
fn imported_sessions_go_on() {
    // Bob's record is taken apart as another store would keep it, by replaying what it must hold.
    let record = imported();
    assert_eq!((record.archived_len(), record.remote_registration_id()), (1, Some(77)));
    assert_eq!(record.unacknowledged_since(), Some(1_700_000_000));
    let reloaded = SessionRecord::decode(&record.encode()).expect("decode");
    assert_eq!(reloaded.encode(), record.encode());
}

#[test]
fn an_imported_sender_key_reads_what_was_skipped_and_what_comes() {
    let mut rng = support::rng(11);
    let mut sender = OwnSenderKey::generate(&mut rng);
    let start = ChainKey::new(*sender.distribution().chain_key.expose());
    let (seed, _) = start.step();
    let first = sender.encrypt(b"first", &mut rng).expect("encrypt");
    let state = sender.distribution();
    let second = sender.encrypt(b"second", &mut rng).expect("encrypt");
    let key = ImportedSenderKey { state, skipped: vec![(0, seed)] };
    let mut record = SenderKeyRecord::import([key.clone()]).expect("import");
    for (bytes, text) in [(&second, &b"second"[..]), (&first, b"first")] {
        assert_eq!(record.decrypt(&SenderKeyMessage::parse(bytes).expect("parse")).as_deref(), Ok(text));
    }
    let twice = ImportedSenderKey { skipped: [key.skipped.clone(), key.skipped].concat(), state: key.state };
    assert!(matches!(SenderKeyRecord::import([twice]), Err(SignalError::CorruptRecord(_))));
}

#[test]
fn a_forged_identity_around_a_known_session_is_not_reported() {
    let mut rng = support::rng(12);
    let (alice, mut bob, mallory) = (Device::new(&mut rng), Device::new(&mut rng), Device::new(&mut rng));
    let (mut to_bob, mut to_alice) = (SessionRecord::new(), SessionRecord::new());
    let bundle = bob.bundle(false, &mut rng);
    to_bob.initiate(&alice.local, &bundle, 0, &mut rng).expect("initiate");
    let [first, second] =
        [b"first", b"other"].map(|text| to_bob.encrypt(&alice.local, text).expect("encrypt"));
    bob.decrypt(&mut to_alice, true, &first.bytes, Sender::Other, &mut rng).expect("decrypt");
    let mut forged = second.bytes;
    let key = alice.local.identity_key().serialized();
    let at = forged.windows(33).position(|window| window == key).expect("there");
    forged[at..at + 33].copy_from_slice(&mallory.local.identity_key().serialized());
    let claimed = PreKeySignalMessage::parse(&forged).expect("parse");
    assert_eq!(claimed.identity_key(), &mallory.local.identity_key());
    let received = bob.decrypt(&mut to_alice, true, &forged, Sender::Other, &mut rng).expect("decrypt");
    assert_eq!(received.identity_key, alice.local.identity_key());
}

#[test]
fn nothing_secret_is_printed() {
    let (_, alice, to_bob, _, _) = established(13);
    let private = format!("{:?}", alice.local.pair().key_pair().private().expose());
    let printed = format!("{:?} {to_bob:?} {:?}", alice.local, RootKey::new([0xAB; 32]));
    assert!(!printed.contains(private.trim_matches(['[', ']'])) && !printed.contains("171"), "{printed}");
}

#[test]
fn a_fan_out_gives_what_single_calls_give() {
    for count in [0, 1, 3, 4, 33, 70] {
        let mut rng = support::rng(14);
        let alice = Device::new(&mut rng);
        let other = Device::new(&mut rng);
        let mut records = (0..count)
            .map(|place| match place % 5 {
                // No session, an unacknowledged one, one that owes a step, one of another identity.
                0 => SessionRecord::new(),
                1 => {
                    let mut record = SessionRecord::new();
                    let bundle = Device::new(&mut rng).bundle(place % 2 == 0, &mut rng);
                    record.initiate(&alice.local, &bundle, 0, &mut rng).expect("initiate");
                    record
                }
                2 => established(20 + place).2,
                _ => {
                    let mut bob = Device::new(&mut rng);
                    let (mut record, mut answering) = (SessionRecord::new(), SessionRecord::new());
                    let bundle = bob.bundle(true, &mut rng);
                    record.initiate(&alice.local, &bundle, 0, &mut rng).expect("initiate");
                    let first = record.encrypt(&alice.local, b"first").expect("encrypt");
                    bob.decrypt(&mut answering, true, &first.bytes, Sender::Other, &mut rng)
                        .expect("decrypt");
                    let answer = answering.encrypt(&bob.local, b"answer").expect("encrypt");
                    let answer = SignalMessage::parse(&answer.bytes).expect("parse");
                    record.decrypt(&alice.local, &answer, Sender::Other, &mut rng).expect("decrypt");
                    record
                }
            })
            .collect::<Vec<_>>();
        let texts = (0..count as usize).map(|place| vec![place as u8; place * 37 % 300]).collect::<Vec<_>>();
        for local in [&alice.local, &other.local] {
            let mut singly = records.clone();
            let expected = singly
                .iter_mut()
                .zip(&texts)
                .map(|(record, text)| record.encrypt(local, text))
                .collect::<Vec<_>>();
            let messages = records.iter_mut().zip(&texts).map(|(record, text)| (record, &text[..]));
            assert_eq!(SessionRecord::encrypt_each(local, messages), expected);
            for (record, single) in records.iter().zip(&singly) {
                assert_eq!(record.encode(), single.encode());
            }
        }
    }
}
