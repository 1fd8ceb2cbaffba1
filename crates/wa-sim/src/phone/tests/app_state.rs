//! Sync keys, the phone's collections, companions' patches, history and what companions ask of the phone.

use std::collections::BTreeMap;

use prost::Message as _;
use wa_core::app_state::{
    Applied, Collection, Head, KeyRing, Mutation, Operation, PatchPolicy, SnapshotPolicy, apply_patch,
    apply_snapshot, build_patch, recovery,
};
use wa_media::{Expected, MediaKey, MediaKind};
use wa_proto::app_state::ExternalBlobReference;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{AppStateSyncKeyId, AppStateSyncKeyRequest, ProtocolMessage};
use wa_proto::sync_action::SyncActionValue;
use wa_proto::sync_action::sync_action_value::PushNameSetting;

use super::model::Companion;
use super::*;
use crate::phone::{AppAction, AppStatePush, HistoryPlan, PhoneError};

/// A reader of one collection, with the keys that a companion was sent.
struct Replica {
    collection: Collection,
    ring: KeyRing,
    head: Head,
    rows: BTreeMap<[u8; 32], [u8; 32]>,
}

impl Replica {
    fn new(collection: Collection, ring: &KeyRing) -> Self {
        Self { collection, ring: ring.clone(), head: Head::default(), rows: BTreeMap::new() }
    }

    fn commit(&mut self, applied: &Applied) {
        self.head = applied.head.clone();
        for change in &applied.records {
            match &change.live {
                Some((value_mac, _)) => self.rows.insert(change.index_mac, *value_mac),
                None => self.rows.remove(&change.index_mac),
            };
        }
    }

    fn read(&mut self, push: &AppStatePush) -> Vec<Mutation> {
        let policy = PatchPolicy::Strict;
        let applied =
            apply_patch(self.collection, &self.head, &self.rows, &push.patch, None, None, &self.ring, policy)
                .unwrap()
                .unwrap();
        self.commit(&applied);
        applied.mutations.into_iter().map(|read| read.mutation).collect()
    }
}

fn linked() -> (Wire, Vec<AppStatePush>) {
    let mut wire = Wire::new();
    let now = wire.now;
    let pushes = wire.phone(ALICE).initial_app_state(now);
    wire.link(ALICE, Companion::new(31), 7);
    (wire, pushes)
}

#[test]
fn a_companion_reads_name_and_locale_with_the_shared_key() {
    let (mut wire, pushes) = linked();
    let mut replica = Replica::new(Collection::CriticalBlock, &wire.companion(ALICE, 7).ring);
    assert_eq!(pushes[0].collection, "critical_block");
    let mutations = replica.read(&pushes[0]);
    let indexes: Vec<String> = mutations.iter().map(|it| it.index_parts().unwrap().join("/")).collect();
    assert_eq!(indexes, ["setting_locale", "setting_pushName"]);
    assert_eq!(mutations[1].action().unwrap().push_name_setting.unwrap().name(), "Person 1");
    // A change of the name goes on top.
    let now = wire.now;
    let push = wire.phone(ALICE).set_name("New Name", now).unwrap();
    assert_eq!(push.base_version, 1);
    assert_eq!(replica.read(&push)[0].action().unwrap().push_name_setting.unwrap().name(), "New Name");
    assert_eq!(replica.rows.len(), 2);
    assert_eq!(wire.phone(ALICE).name(), "New Name");
    let salt = Replica::new(Collection::RegularHigh, &replica.ring).read(&pushes[1]);
    let salt = salt[0].action().unwrap().nct_salt_sync_action.unwrap();
    assert_eq!(salt.salt(), wire.phone(ALICE).nct_salt());
}

#[test]
fn a_snapshot_holds_what_the_patches_left() {
    let (mut wire, _) = linked();
    let now = wire.now;
    wire.phone(ALICE).set_name("Other", now).unwrap();
    let (version, reference) =
        wire.with(ALICE, |phone, wire, _| phone.app_state_snapshot("critical_block", wire)).unwrap().unwrap();
    assert_eq!(version, 2);
    let reference = ExternalBlobReference::decode(reference).unwrap();
    let file = wire.blobs[reference.direct_path()].clone();
    let expected = Expected {
        file_sha256: Some(reference.file_sha256().try_into().unwrap()),
        file_enc_sha256: Some(reference.file_enc_sha256().try_into().unwrap()),
        limit: None,
    };
    let keys = MediaKey::from_slice(reference.media_key()).unwrap().derive(MediaKind::AppState);
    let content = wa_media::open(&keys, &expected, &file).unwrap();
    let ring = wire.companion(ALICE, 7).ring.clone();
    let strict = SnapshotPolicy::Strict;
    let applied = apply_snapshot(Collection::CriticalBlock, 0, &content, &ring, strict).unwrap().unwrap();
    assert_eq!((applied.head.version, applied.records.len()), (2, 2));
    let none = wire.with(ALICE, |phone, wire, _| phone.app_state_snapshot("regular", wire)).unwrap();
    assert!(none.is_none());
    let unknown = wire.with(ALICE, |phone, wire, _| phone.app_state_snapshot("other", wire));
    assert!(matches!(unknown, Err(PhoneError::UnknownCollection(_))));
}

#[test]
fn the_phone_checks_every_mac_of_a_companion_s_patch() {
    let (mut wire, pushes) = linked();
    let ring = wire.companion(ALICE, 7).ring.clone();
    let mut replica = Replica::new(Collection::CriticalBlock, &ring);
    replica.read(&pushes[0]);
    let (key, expanded) = ring.active().unwrap();
    let setting = PushNameSetting { name: Some("From the computer".to_owned()) };
    let value = SyncActionValue { push_name_setting: Some(Box::new(setting)), ..Default::default() };
    let mutations = [Mutation::new(Operation::Set, &["setting_pushName"], &value, 1)];
    let rng = &mut rand_chacha::ChaCha12Rng::from_seed([1; 32]);
    let keys = (&key.id, expanded);
    let built =
        build_patch(Collection::CriticalBlock, &replica.head, &replica.rows, keys, &mutations, rng).unwrap();
    let mut bent = built.bytes.to_vec();
    let place = bent.len() / 2;
    bent[place] ^= 1;
    assert!(wire.phone(ALICE).app_state_accepted("critical_block", 2, &bent).is_err());
    let changes = wire.phone(ALICE).app_state_accepted("critical_block", 2, &built.bytes).unwrap();
    assert_eq!(changes[0].index, ["setting_pushName"]);
    assert_eq!(wire.phone(ALICE).name(), "From the computer");
    // The phone goes on from there.
    replica.commit(&built.applied);
    let now = wire.now;
    let push = wire.phone(ALICE).set_name("Mine again", now).unwrap();
    assert_eq!(push.base_version, 2);
    replica.read(&push);
    assert_eq!(wire.phone(ALICE).app_state("critical_block").unwrap().len(), 2);
}

#[test]
fn every_setting_reaches_its_collection() {
    let (mut wire, pushes) = linked();
    let ring = wire.companion(ALICE, 7).ring.clone();
    let mut replicas: BTreeMap<&str, Replica> =
        Collection::ALL.into_iter().map(|it| (it.name(), Replica::new(it, &ring))).collect();
    for push in &pushes {
        replicas.get_mut(push.collection).unwrap().read(push);
    }
    let (bob, alice) = (wire.user(BOB), wire.user(ALICE));
    wire.say(BOB, &alice, "hello");
    let pn = wire.accounts[BOB].pn.clone();
    let last = wire.inbox(ALICE).last().unwrap();
    let target = crate::phone::MessageRef {
        chat: last.chat.clone(),
        sender: bob.clone(),
        id: last.id.clone(),
        from_me: false,
    };
    let actions = [
        AppAction::Mute { chat: bob.clone(), until_ms: Some(-1) },
        AppAction::Mute { chat: bob.clone(), until_ms: None },
        AppAction::Archive { chat: bob.clone(), archived: true },
        AppAction::Pin { chat: bob.clone(), pinned: true },
        AppAction::MarkRead { chat: bob, read: true },
        AppAction::Star { target, starred: true },
        AppAction::Contact { user: pn.clone(), name: Some("Bob Builder".to_owned()) },
        AppAction::Contact { user: pn, name: None },
        AppAction::Locale("de_DE".to_owned()),
    ];
    for action in actions {
        let now = wire.now;
        let push = wire.phone(ALICE).change_app_state(&action, now).unwrap();
        let mutations = replicas.get_mut(push.collection).unwrap().read(&push);
        assert!(!mutations.is_empty(), "{action:?}");
    }
    assert!(replicas["critical_unblock_low"].rows.is_empty(), "the contact was removed again");
    assert_eq!(wire.phone(ALICE).app_state("regular_low").unwrap().len(), 3);
}

#[test]
fn a_key_request_is_answered_and_a_stranger_s_is_not() {
    let (mut wire, _) = linked();
    let known = wire.companion(ALICE, 7).ring.active().unwrap().0.id.clone();
    wire.companion(ALICE, 7).ring = KeyRing::default();
    let asked = [known, Bytes::from_static(&[1, 2, 3])];
    let ids = asked.into_iter().map(|id| AppStateSyncKeyId { key_id: Some(id) }).collect();
    let protocol = ProtocolMessage {
        r#type: Some(Type::AppStateSyncKeyRequest as i32),
        app_state_sync_key_request: Some(Box::new(AppStateSyncKeyRequest { key_ids: ids })),
        ..Default::default()
    };
    let mut companion = wire.accounts[ALICE].companions.remove(&7).unwrap();
    let stanza = companion.peer(protocol.clone(), &mut wire);
    wire.accounts[ALICE].companions.insert(7, companion);
    wire.route(Address { account: ALICE, device: 7 }, &stanza);
    wire.run();
    assert!(wire.companion(ALICE, 7).ring.active().is_some());
    let shared = |event: &PhoneEvent| matches!(event, PhoneEvent::KeysShared { unknown: 1, .. });
    assert!(wire.accounts[ALICE].events.iter().any(shared));

    // The same from Bob's companion, as a message to Alice.
    wire.link(BOB, Companion::new(32), 3);
    let before = wire.log.len();
    let message =
        wa_proto::e2e_message::Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
    let alice = wire.user(ALICE);
    let raw = Action::Raw {
        chat: alice,
        message: message.encode_to_vec().into(),
        stanza_type: "text".to_owned(),
        media_type: None,
    };
    wire.act(BOB, raw);
    let violation = |event: &PhoneEvent| matches!(event, PhoneEvent::Violation { .. });
    assert!(wire.accounts[ALICE].events.iter().any(violation));
    assert!(!wire.log[before..].iter().any(|line| line.contains("category=\"peer\"")));
}

#[test]
fn a_rotated_key_reaches_the_companions_first() {
    let (mut wire, pushes) = linked();
    let turn = wire.with(ALICE, |phone, wire, now| phone.rotate_app_state_key(wire, now)).unwrap();
    wire.take_turn(ALICE, turn);
    wire.run();
    let ring = wire.companion(ALICE, 7).ring.clone();
    assert_eq!(ring.iter().count(), 2);
    let mut replica = Replica::new(Collection::CriticalBlock, &ring);
    replica.read(&pushes[0]);
    let now = wire.now;
    let push = wire.phone(ALICE).set_name("New Key", now).unwrap();
    replica.read(&push);
    assert_eq!(wire.phone(ALICE).app_state("critical_block").unwrap().len(), 2, "no record is left twice");
}

#[test]
fn the_bootstrap_tells_chats_names_mappings_and_salt() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(BOB, &alice, "long ago");
    wire.say(ALICE, &bob, "indeed");
    wire.link(ALICE, Companion::new(31), 7);
    let salt = *wire.phone(ALICE).nct_salt();
    let history = &wire.companion(ALICE, 7).history;
    let bootstrap = &history[0];
    assert_eq!(bootstrap.sync_type(), wa_proto::history::history_sync::HistorySyncType::InitialBootstrap);
    assert_eq!(bootstrap.nct_salt(), salt);
    let [chat] = &bootstrap.conversations[..] else { panic!("{bootstrap:?}") };
    assert_eq!((chat.id(), chat.unread_count()), (bob.to_string().as_str(), 1));
    let ids: Vec<bool> =
        chat.messages.iter().map(|it| it.message.as_ref().unwrap().key.as_ref().unwrap().from_me()).collect();
    assert_eq!(ids, [true, false], "newest first");
    assert_eq!(bootstrap.phone_number_to_lid_mappings.len(), 2);
    assert!(history[1].pushnames.iter().any(|name| name.pushname() == "Person 2"));
    let recent = history.last().unwrap();
    assert_eq!(recent.progress(), 100);
}

#[test]
fn large_history_travels_as_files_and_in_chunks() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    for number in 0..25 {
        wire.say(BOB, &alice, &format!("message {number}"));
    }
    let plan = HistoryPlan {
        inline_up_to: 0,
        bootstrap_messages: 5,
        recent_chunk: Some(8),
        push_names: false,
        ..HistoryPlan::default()
    };
    wire.phone(ALICE).set_history(plan);
    let mut companion = Companion::new(31);
    let (now, text) = (wire.now, companion.qr("2@ref"));
    let request = wire.phone(ALICE).scan_qr(&text, now).unwrap();
    wire.finish_link(ALICE, &mut companion, 7, &request);
    let turn = wire.with(ALICE, |phone, wire, now| phone.welcome(7, wire, now)).unwrap();
    // Keys, bootstrap, and 20 older messages in chunks of 8.
    assert_eq!(turn.stanzas.len(), 1 + 1 + 3);
    assert_eq!(wire.blobs.len(), 4);
    assert_eq!(wire.phone(ALICE).unconfirmed_history(), 4);
    let id = turn.stanzas[1].required("id").string().unwrap();
    let companion_jid = wire.jid(Address { account: ALICE, device: 7 }, &bob);
    let failed =
        Node::new("receipt").attr("id", &id).attr("from", companion_jid).attr("type", "server-error");
    let again = wire.with(ALICE, |phone, wire, now| phone.receive(&failed, wire, now));
    assert!(again.stanzas.iter().any(|stanza| stanza.is("message")), "no new announcement");
    assert_eq!(wire.phone(ALICE).unconfirmed_history(), 4);
}

#[test]
fn a_recovery_blob_restores_a_collection() {
    let (mut wire, _) = linked();
    use wa_proto::e2e_message::message::PeerDataOperationRequestMessage;
    use wa_proto::e2e_message::message::PeerDataOperationRequestType;
    use wa_proto::e2e_message::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequest;
    let asked = SyncDCollectionFatalRecoveryRequest {
        collection_name: Some("critical_block".to_owned()),
        timestamp: Some(0),
    };
    let request = PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(
            PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery as i32,
        ),
        syncd_collection_fatal_recovery_request: Some(Box::new(asked)),
        ..Default::default()
    };
    let protocol = ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage as i32),
        peer_data_operation_request_message: Some(Box::new(request)),
        ..Default::default()
    };
    let mut companion = wire.accounts[ALICE].companions.remove(&7).unwrap();
    let stanza = companion.peer(protocol, &mut wire);
    wire.accounts[ALICE].companions.insert(7, companion);
    wire.route(Address { account: ALICE, device: 7 }, &stanza);
    wire.run();
    let response = wire.companion(ALICE, 7).responses.pop().unwrap();
    let result =
        response.peer_data_operation_result[0].syncd_snapshot_fatal_recovery_response.clone().unwrap();
    let ring = wire.companion(ALICE, 7).ring.clone();
    let recovered =
        recovery::read(result.collection_snapshot(), result.is_compressed(), 0, &ring).unwrap().unwrap();
    assert!(recovered.hash_fits);
    assert_eq!((recovered.applied.head.version, recovered.applied.records.len()), (1, 2));
}

use rand_chacha::rand_core::SeedableRng;
