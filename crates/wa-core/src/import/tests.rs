//! State that other libraries have written (`tests/import/`) goes on here: what was under way to them is read, what they
//! had read is a duplicate, and their correspondents read what is written next. Broken state is an error.

use serde_json::Value;
use wa_signal::{
    Ciphertext, CiphertextKind, ErrorClass, OwnPreKeys, PreKeySignalMessage, Sender, SenderKeyMessage,
    SessionRecord, SessionUse, SignalMessage,
};

use super::*;
use crate::testing::rng;

const NODE: &str = include_str!("../../tests/import/node.json");
const NODE_UNANSWERED: &str = include_str!("../../tests/import/node-unanswered.json");
const PROTOBUF: [&str; 2] =
    [include_str!("../../tests/import/wacore.json"), include_str!("../../tests/import/whatsmeow.json")];
const PROTOBUF_UNANSWERED: [&str; 2] = [
    include_str!("../../tests/import/wacore-unanswered.json"),
    include_str!("../../tests/import/whatsmeow-unanswered.json"),
];

/// What was imported.
struct Imported {
    local: LocalIdentity,
    session: SessionRecord,
    received: SenderKeyRecord,
    own: Option<OwnSenderKey>,
}

#[test]
fn a_conversation_goes_on_where_baileys_left_it() {
    let file = json(NODE);
    let store = &file["store"];
    let (local, signed) = baileys::credentials(text(store, "credentials")).unwrap();
    assert_eq!(signed.id, 1);
    let sender_keys = store["sender_keys"].as_object().unwrap();
    let key = |user: &str| {
        let (name, value) = sender_keys.iter().find(|(name, _)| name.contains(user)).unwrap();
        let (group, sender) = baileys::sender_key_name(name).unwrap();
        assert_eq!((group.to_string().as_str(), sender.device()), ("120363000000000000@g.us", 0));
        baileys::sender_key(value.as_str().unwrap().as_bytes()).unwrap()
    };
    let imported = Imported {
        session: baileys::session(text(&store["sessions"], "15550100001.0"), &local).unwrap(),
        received: key("15550100001").received,
        own: key("15550100002").own,
        local,
    };
    let known = baileys::identity(text(&store["identities"], "15550100001.0")).unwrap();
    assert_eq!(Some(&known), imported.session.remote_identity());
    goes_on(&file, imported);
}

#[test]
fn a_conversation_goes_on_where_a_protobuf_or_whatsmeow_left_it() {
    for file in PROTOBUF {
        let file = json(file);
        let store = &file["store"];
        let local = credentials(store);
        let imported = Imported {
            session: whatsmeow::session(&hex(store, "session"), &local, 1_700_000_000).unwrap(),
            received: whatsmeow::sender_key(&hex(store, "sender_key")).unwrap().received,
            own: whatsmeow::sender_key(&hex(store, "own_sender_key")).unwrap().own,
            local,
        };
        goes_on(&file, imported);
    }
}

#[test]
fn an_unanswered_session_keeps_introducing_itself() {
    let file = json(NODE_UNANSWERED);
    let (local, _) = baileys::credentials(text(&file["store"], "credentials")).unwrap();
    let session = baileys::session(text(&file["store"]["sessions"], "15550100001.0"), &local).unwrap();
    introduces_itself(&file, &local, session);
    for file in PROTOBUF_UNANSWERED {
        let file = json(file);
        let local = credentials(&file["store"]);
        let session = whatsmeow::session(&hex(&file["store"], "session"), &local, 1_700_000_000).unwrap();
        introduces_itself(&file, &local, session);
    }
}

#[test]
fn addresses_of_both_stores_name_devices() {
    for (text, device) in [
        ("15550100001:0", "15550100001@s.whatsapp.net"),
        ("100000000000001_1:5", "100000000000001:5@lid"),
        ("15550100001_128:99", "15550100001:99@hosted"),
        ("100000000000001_129:99", "100000000000001:99@hosted.lid"),
    ] {
        assert_eq!(whatsmeow::address(text).unwrap().to_string(), device);
        assert_eq!(baileys::address(&text.replace(':', ".")).unwrap().to_string(), device);
    }
    for text in ["", "1", ":1", "1_7:0", "1_1:x", "1_1:70000", "_1:1", "1:2:3 4"] {
        assert_eq!(whatsmeow::address(text), Err(ImportError::Address), "{text}");
    }
}

#[test]
fn every_cut_of_a_protobuf_record_is_an_error_or_a_smaller_record_but_never_a_panic() {
    let file = json(PROTOBUF[0]);
    let store = &file["store"];
    let local = credentials(store);
    let (session, key) = (hex(store, "session"), hex(store, "own_sender_key"));
    for length in 0..session.len() {
        let _ = whatsmeow::session(&session[..length], &local, 0);
    }
    for length in 0..key.len() {
        let _ = whatsmeow::sender_key(&key[..length]);
    }
    assert_eq!(
        whatsmeow::session(&session[..session.len() - 1], &local, 0).err(),
        Some(ImportError::Protobuf)
    );
    for at in 0..session.len() {
        let mut changed = session.clone();
        changed[at] ^= 0x55;
        let _ = whatsmeow::session(&changed, &local, 0);
    }
}

#[test]
fn a_record_of_another_account_and_an_unknown_version_are_refused() {
    use prost::Message as _;

    let file = json(PROTOBUF[0]);
    let bytes = hex(&file["store"], "session");
    let stranger = local_identity(&[7; 32], 1).unwrap();
    assert_eq!(whatsmeow::session(&bytes, &stranger, 0).err(), Some(ImportError::ForeignRecord));

    let local = credentials(&file["store"]);
    let record = wa_proto::signal::RecordStructure::decode(&*bytes).unwrap();
    let with = |change: fn(&mut wa_proto::signal::SessionStructure)| {
        let mut changed = record.clone();
        change(changed.current_session.as_mut().unwrap());
        whatsmeow::session(&changed.encode_to_vec(), &local, 0).err()
    };
    assert_eq!(with(|it| it.session_version = Some(4)), Some(ImportError::Version(4)));
    assert_eq!(with(|it| it.sender_chain = None), Some(ImportError::Missing("sending chain")));
    assert_eq!(with(|it| it.alice_base_key = None), Some(ImportError::Missing("base key")));
    assert_eq!(with(|it| it.root_key = Some(vec![0; 31].into())), Some(ImportError::Field("root key")));
    let swap = |it: &mut wa_proto::signal::SessionStructure| {
        it.sender_chain.as_mut().unwrap().sender_ratchet_key_private = Some(vec![9; 32].into());
    };
    assert_eq!(with(swap), Some(ImportError::KeyPair("ratchet key")));
    let rewind = |it: &mut wa_proto::signal::SessionStructure| {
        it.receiver_chains[0].message_keys.push(wa_proto::signal::session_structure::chain::MessageKey {
            index: Some(4_000_000_000),
            cipher_key: Some(vec![0; 32].into()),
            mac_key: Some(vec![0; 32].into()),
            iv: Some(vec![0; 16].into()),
        });
    };
    assert!(matches!(with(rewind), Some(ImportError::Signal(SignalError::CorruptRecord(_)))));
}

#[test]
fn every_missing_or_wrong_part_of_baileys_json_is_an_error() {
    let file = json(NODE);
    let (local, _) = baileys::credentials(text(&file["store"], "credentials")).unwrap();
    let session = json(std::str::from_utf8(text(&file["store"]["sessions"], "15550100001.0")).unwrap());
    let read = |value: &Value| baileys::session(value.to_string().as_bytes(), &local);
    read(&session).unwrap();
    // What may be absent: what only some sessions have, and times.
    let optional = [
        "pendingPreKey",
        "preKeyId",
        "used",
        "created",
        "version",
        "registrationId",
        "chainType",
        "baseKeyType",
        "key",
    ];
    let mut paths = Vec::new();
    leaves(&session, String::new(), &mut paths);
    assert!(paths.len() > 40);
    for path in paths {
        let name = path.rsplit('/').next().unwrap();
        if optional.contains(&name) || path.contains("/messageKeys/") || path.contains("pendingPreKey") {
            continue;
        }
        let mut broken = session.clone();
        *broken.pointer_mut(&path).unwrap() = Value::Array(vec![Value::Bool(true)]);
        assert!(read(&broken).is_err(), "{path}");
    }
    for (name, wrong) in
        [("counter", "9999999999"), ("counter", "-5"), ("rootKey", "\"AAAA\""), ("rootKey", "[1,2]")]
    {
        let mut paths = Vec::new();
        leaves(&session, String::new(), &mut paths);
        let path = paths.into_iter().find(|path| path.ends_with(name)).unwrap();
        let mut broken = session.clone();
        *broken.pointer_mut(&path).unwrap() = json(wrong);
        assert!(matches!(read(&broken), Err(ImportError::Field(_))), "{name} {wrong}");
    }
    for text in ["", "{}", "[]", "null", "{\"_sessions\":[]}", "{\"_sessions\":{\"a\":{}}}"] {
        assert!(matches!(baileys::session(text.as_bytes(), &local), Err(ImportError::Json { .. })), "{text}");
    }
    let deep = format!("{}1{}", "{\"data\":".repeat(5000), "}".repeat(5000));
    assert!(matches!(baileys::identity(deep.as_bytes()), Err(ImportError::Json { .. })));
}

#[test]
fn every_missing_or_wrong_part_of_whatsmeow_json_is_an_error() {
    let file = json(PROTOBUF[1]);
    let local = credentials(&file["store"]);
    let stored = hex(&file["store"], "session");
    let session = json(std::str::from_utf8(&stored).unwrap());
    let read = |value: &Value| whatsmeow::session(value.to_string().as_bytes(), &local, 0);
    let whole = read(&session).unwrap();
    let mut paths = Vec::new();
    leaves(&session, String::new(), &mut paths);
    let optional = ["NeedsRefresh", "PendingKeyExchange", "LocalRegistrationID"];
    for path in paths.iter().filter(|path| !optional.iter().any(|name| path.ends_with(name))) {
        let mut broken = session.clone();
        *broken.pointer_mut(path).unwrap() = json("[true]");
        assert!(read(&broken).is_err(), "{path}");
    }
    for length in 0..stored.len() {
        assert!(whatsmeow::session(&stored[..length], &local, 0).is_err() || length == 0, "{length}");
    }
    // A promoted session stands in both places, an empty one may stand anywhere.
    let mut twice = session.clone();
    let (current, mut empty) = (session["SessionState"].clone(), session["SessionState"].clone());
    empty["SessionVersion"] = 0.into();
    let previous = twice["PreviousStates"].as_array_mut().unwrap();
    previous.insert(0, current);
    previous.push(empty);
    assert_eq!(read(&twice).unwrap().encode(), whole.encode());
}

#[test]
fn bytes_are_read_in_every_form_that_baileys_has_written() {
    let key = format!("\"{}\"", "BQ".to_owned() + &"A".repeat(42));
    let numbers = (0..33).map(|place| if place == 0 { "5" } else { "0" }).collect::<Vec<_>>().join(",");
    let object = (0..33).map(|place| format!("\"{place}\":{}", if place == 0 { 5 } else { 0 }));
    let object = object.collect::<Vec<_>>().join(",");
    let expected = identity(&[&[5][..], &[0; 32]].concat()).unwrap();
    for text in [
        key.clone(),
        format!("[{numbers}]"),
        format!("{{\"type\":\"Buffer\",\"data\":{key}}}"),
        format!("{{\"type\":\"Buffer\",\"data\":[{numbers}]}}"),
        format!("{{{object}}}"),
    ] {
        assert_eq!(baileys::identity(text.as_bytes()), Ok(expected), "{text}");
    }
}

/// What was under way is read once, what was read is a duplicate, and the other side reads on.
fn goes_on(file: &Value, mut imported: Imported) {
    let local = &imported.local;
    let mut random = rng(1);
    for sent in list(file, "opened") {
        let refused = open(&mut imported.session, local, sent).unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Duplicate);
    }
    for sent in list(file, "pending") {
        let opened = open(&mut imported.session, local, sent).unwrap();
        assert_eq!(opened, text(sent, "text"));
        assert_eq!(open(&mut imported.session, local, sent).unwrap_err().class(), ErrorClass::Duplicate);
    }
    let peer = &file["peer"];
    let (their_local, mut theirs) =
        (credentials(peer), SessionRecord::decode(&hex(peer, "session")).unwrap());
    for round in 0..3 {
        let sealed = imported.session.encrypt(local, b"from the new home").unwrap();
        assert_eq!(sealed.kind, CiphertextKind::Message);
        let message = SignalMessage::parse(&sealed.bytes).unwrap();
        let received = theirs.decrypt(&their_local, &message, Sender::Other, &mut random).unwrap();
        assert_eq!(received.plaintext, b"from the new home", "round {round}");
        let sealed = theirs.encrypt(&their_local, b"and back").unwrap();
        let message = SignalMessage::parse(&sealed.bytes).unwrap();
        let received = imported.session.decrypt(local, &message, Sender::Other, &mut random).unwrap();
        assert_eq!(
            (received.plaintext.as_slice(), received.session),
            (&b"and back"[..], SessionUse::Current)
        );
    }

    for sent in list(file, "group_opened") {
        let bytes = hex(sent, "bytes");
        let refused = imported.received.decrypt(&SenderKeyMessage::parse(&bytes).unwrap()).unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Duplicate);
    }
    for sent in list(file, "group_pending") {
        let bytes = hex(sent, "bytes");
        let opened = imported.received.decrypt(&SenderKeyMessage::parse(&bytes).unwrap()).unwrap();
        assert_eq!(opened, text(sent, "text"));
    }
    let mut received = SenderKeyRecord::decode(&hex(peer, "received_sender_key")).unwrap();
    let mut own = imported.own.unwrap();
    for _ in 0..3 {
        let bytes = own.encrypt(b"to all", &mut random).unwrap();
        assert_eq!(received.decrypt(&SenderKeyMessage::parse(&bytes).unwrap()).unwrap(), b"to all");
    }
}

fn introduces_itself(file: &Value, local: &LocalIdentity, mut session: SessionRecord) {
    assert_eq!(session.unacknowledged_since(), Some(1_700_000_000));
    let Ciphertext { kind, bytes } = session.encrypt(local, b"still here").unwrap();
    assert_eq!(kind, CiphertextKind::PreKeyMessage);
    let peer = &file["peer"];
    let mut theirs = SessionRecord::decode(&hex(peer, "session")).unwrap();
    let message = PreKeySignalMessage::parse(&bytes).unwrap();
    assert!(theirs.knows(&message));
    let none = OwnPreKeys { signed: None, one_time: None };
    let received =
        theirs.decrypt_pre_key(&credentials(peer), &message, none, Sender::Other, &mut rng(2)).unwrap();
    assert_eq!(received.plaintext, b"still here");
}

fn open(session: &mut SessionRecord, local: &LocalIdentity, sent: &Value) -> Result<Vec<u8>, SignalError> {
    let bytes = hex(sent, "bytes");
    let mut random = rng(3);
    if sent["pre_key"] == true {
        let none = OwnPreKeys { signed: None, one_time: None };
        let message = PreKeySignalMessage::parse(&bytes)?;
        return Ok(session.decrypt_pre_key(local, &message, none, Sender::Other, &mut random)?.plaintext);
    }
    Ok(session.decrypt(local, &SignalMessage::parse(&bytes)?, Sender::Other, &mut random)?.plaintext)
}

fn credentials(from: &Value) -> LocalIdentity {
    let registration_id = u32::try_from(from["registration_id"].as_u64().unwrap()).unwrap();
    let local = local_identity(&hex(from, "identity_private"), registration_id).unwrap();
    if from.get("signature").is_some() {
        let id = u32::try_from(from["signed_id"].as_u64().unwrap()).unwrap();
        signed_pre_key(&local, id, &hex(from, "signed_private"), &hex(from, "signature")).unwrap();
        let wrong = signed_pre_key(&local, id, &[5; 32], &hex(from, "signature"));
        assert_eq!(wrong.err(), Some(ImportError::Field("signature")));
    }
    local
}

fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                leaves(field, format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => found.push(path),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().filter(|list| !list.is_empty()).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a [u8] {
    value[name].as_str().unwrap().as_bytes()
}

fn hex(value: &Value, name: &str) -> Vec<u8> {
    let text = value[name].as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
