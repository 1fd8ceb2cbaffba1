//! A restored backup never uses a message key twice (chapter 04 §21): real sessions and sender keys, an original that goes
//! on after the backup was made, and a copy that takes over. The same run without `restore()` is caught.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;
use wa_signal::{
    CiphertextKind, IdentityKeyPair, LocalIdentity, OwnPreKeys, OwnSenderKey, PreKeyBundle,
    PreKeySignalMessage, Sender, SenderKeyMessage, SessionRecord, SignalMessage, SignedPreKey,
};
use wa_store::tables::{Devices, OwnSenderKeys, PreKeys, Sessions};
use wa_store::{
    AccountStore, Address, Changes, Chat, Device, KeyPair, PreKey, PreKeyState, Sending, Session,
    SqliteStore, StoreError,
};

/// The one we write to: publishes a bundle without one-time pre-keys.
struct Peer {
    local: LocalIdentity,
    signed: SignedPreKey,
    record: SessionRecord,
}

impl Peer {
    fn new(rng: &mut StdRng) -> Self {
        let identity = IdentityKeyPair::generate(rng);
        let signed = SignedPreKey::generate(1, &identity, rng);
        Self { local: LocalIdentity::new(identity, 77), signed, record: SessionRecord::new() }
    }

    fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: self.local.registration_id(),
            identity_key: self.local.identity_key(),
            signed_pre_key_id: self.signed.id,
            signed_pre_key: *self.signed.pair.public(),
            signature: self.signed.signature,
            one_time_pre_key: None,
        }
    }

    fn read(&mut self, kind: CiphertextKind, bytes: &[u8], rng: &mut StdRng) -> Vec<u8> {
        let received = match kind {
            CiphertextKind::PreKeyMessage => {
                let message = PreKeySignalMessage::parse(bytes).unwrap();
                let keys = OwnPreKeys { signed: Some(&self.signed), one_time: None };
                self.record.decrypt_pre_key(&self.local, &message, keys, Sender::Other, rng)
            }
            CiphertextKind::Message => {
                let message = SignalMessage::parse(bytes).unwrap();
                self.record.decrypt(&self.local, &message, Sender::Other, rng)
            }
        };
        received.unwrap().plaintext
    }

    fn write(&mut self, text: &[u8]) -> Vec<u8> {
        self.record.encrypt(&self.local, text).unwrap().bytes
    }
}

/// Every message key that was used, and what for; every one-time pre-key that was offered.
#[derive(Default)]
struct World {
    used: BTreeMap<String, Vec<u8>>,
    reused: BTreeSet<&'static str>,
    offered: BTreeSet<u32>,
}

impl World {
    fn uses(&mut self, what: &'static str, key: &str, ciphertext: &[u8]) {
        let before = self.used.insert(format!("{what} {key}"), ciphertext.to_vec());
        if before.is_some_and(|before| before != ciphertext) {
            self.reused.insert(what);
        }
    }

    fn offers(&mut self, id: u32) {
        if !self.offered.insert(id) {
            self.reused.insert("one-time pre-key");
        }
    }
}

fn peer_address() -> Address {
    Address::new("15550101@s.whatsapp.net", 0)
}

fn group() -> (Chat, Address) {
    ("120363000000000001@g.us".into(), Address::new("15550100@s.whatsapp.net", 1))
}

/// A sender by the rules: what may be used is committed before it leaves, and a discarded chain is not used.
struct Us<'w> {
    local: &'w LocalIdentity,
    account: AccountStore,
    rng: StdRng,
    name: &'static str,
    sent: u32,
}

impl Us<'_> {
    /// One message to the peer and one to the group.
    async fn send(&mut self, peer: &mut Peer, world: &mut World) {
        self.sent += 1;
        let text = format!("{} {}", self.name, self.sent);
        let stored = self.account.one(Sessions, &peer_address()).await.unwrap();
        let mut record = stored
            .as_ref()
            .map_or_else(SessionRecord::new, |session| SessionRecord::decode(&session.record).unwrap());
        if stored.is_none_or(|session| session.sending == Sending::Discarded) {
            record.initiate(self.local, &peer.bundle(), 0, &mut self.rng).unwrap();
        }
        let message = record.encrypt(self.local, text.as_bytes()).unwrap();
        let mut changes = Changes::new();
        changes.put(Sessions, &peer_address(), &Session::new(Bytes::copy_from_slice(&record.encode())));

        let key = self.account.one(OwnSenderKeys, &group()).await.unwrap();
        let mut key = key.map_or_else(
            || OwnSenderKey::generate(&mut self.rng),
            |stored| OwnSenderKey::decode(&stored).unwrap(),
        );
        let shared = key.encrypt(text.as_bytes(), &mut self.rng).unwrap();
        changes.put(OwnSenderKeys, &group(), &Bytes::copy_from_slice(&key.encode()));
        let (message, shared) =
            self.account.commit(changes.holding((message, shared))).await.unwrap().release();

        let inner = |message: &SignalMessage<'_>| {
            (format!("{:?} {}", message.ratchet_key(), message.counter()), message.ciphertext().to_vec())
        };
        let (place, ciphertext) = match message.kind {
            CiphertextKind::PreKeyMessage => {
                inner(PreKeySignalMessage::parse(&message.bytes).unwrap().message())
            }
            CiphertextKind::Message => inner(&SignalMessage::parse(&message.bytes).unwrap()),
        };
        world.uses("session", &place, &ciphertext);
        let parsed = SenderKeyMessage::parse(&shared).unwrap();
        world.uses("sender key", &format!("{} {}", parsed.key_id(), parsed.iteration()), parsed.ciphertext());
        // What is new to the peer, it can read.
        if world.reused.is_empty() {
            assert_eq!(peer.read(message.kind, &message.bytes, &mut self.rng), text.as_bytes());
        }
    }

    async fn hear(&mut self, bytes: &[u8]) {
        let session = self.account.one(Sessions, &peer_address()).await.unwrap().unwrap();
        let mut record = SessionRecord::decode(&session.record).unwrap();
        let message = SignalMessage::parse(bytes).unwrap();
        record.decrypt(self.local, &message, Sender::Other, &mut self.rng).unwrap();
        let mut changes = Changes::new();
        let record = Bytes::copy_from_slice(&record.encode());
        changes.put(Sessions, &peer_address(), &Session { record, ..session });
        self.account.commit(changes).await.unwrap().release();
    }

    /// Offers one-time pre-keys to the server.
    async fn offer(&mut self, many: u32, world: &mut World) {
        let mut device = self.account.one(Devices, &()).await.unwrap().unwrap();
        let mut changes = Changes::new();
        for _ in 0..many {
            let id = device.next_prekey_id;
            let pair = wa_signal::PreKey::generate(id, &mut self.rng).pair;
            let key = KeyPair { public: *pair.public().as_bytes(), private: [1; 32].into() };
            changes.put(PreKeys, &id, &PreKey { key, state: PreKeyState::Offered });
            world.offers(id);
            device.next_prekey_id += 1;
        }
        device.first_unuploaded_prekey_id = device.next_prekey_id;
        changes.put(Devices, &(), &device);
        self.account.commit(changes).await.unwrap().release();
    }
}

fn device() -> Device {
    let pair = KeyPair { public: [1; 32], private: [2; 32].into() };
    Device {
        noise_key: pair.clone(),
        identity_key: pair,
        registration_id: 1,
        adv_secret: [3; 32].into(),
        signed_prekey_id: 1,
        signed_prekey_since: None,
        next_prekey_id: 1,
        first_unuploaded_prekey_id: 1,
        server_has_prekeys: true,
        login_counter: 0,
        push_name: "us".into(),
        registration: None,
    }
}

/// How the account comes from one file into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Backup,
    Export,
}

/// How the copy is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    Restore,
    /// As a file that was copied by hand opens: without a question.
    ByHand,
}

/// What was used twice.
async fn used_twice(way: Way, opening: Opening) -> BTreeSet<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(7);
    let mut peer = Peer::new(&mut rng);
    let local = LocalIdentity::new(IdentityKeyPair::generate(&mut rng), 1);
    let mut world = World::default();

    let store = SqliteStore::open(folder.path().join("store.db")).await.unwrap();
    let account = store.account("main").open().await.unwrap();
    let mut changes = Changes::new();
    changes.put(Devices, &(), &device());
    account.commit(changes).await.unwrap().release();
    let mut original = Us { local: &local, account, rng, name: "original", sent: 0 };
    original.offer(5, &mut world).await;
    for _ in 0..3 {
        original.send(&mut peer, &mut world).await;
    }
    // Both have spoken: the session is an ordinary one, in the middle of a chain.
    original.hear(&peer.write(b"answer")).await;
    original.send(&mut peer, &mut world).await;

    let copy = folder.path().join("copy.db");
    match way {
        Way::Backup => store.backup(&copy).await.unwrap(),
        Way::Export => {
            let file = folder.path().join("account.export");
            // The original goes on as if the export had come from an older moment: the worst that can happen.
            let beside = folder.path().join("beside.db");
            store.backup(&beside).await.unwrap();
            by_hand(&beside);
            let beside = SqliteStore::open(&beside).await.unwrap();
            beside.account("main").export(&file, None).await.unwrap();
            let moved = beside.account("main").open().await;
            assert!(matches!(moved, Err(StoreError::Moved(_))), "{moved:?}");
            beside.close().await.unwrap();
            let target = SqliteStore::open(&copy).await.unwrap();
            target.import(&file, None, None).await.unwrap();
            target.close().await.unwrap();
        }
    }
    original.offer(5, &mut world).await;
    for _ in 0..5 {
        original.send(&mut peer, &mut world).await;
    }
    store.close().await.unwrap();

    if opening == Opening::ByHand {
        by_hand(&copy);
    }
    let store = SqliteStore::open(&copy).await.unwrap();
    let account = match opening {
        Opening::ByHand => store.account("main").open().await.unwrap(),
        Opening::Restore => {
            let closed = store.account("main").open().await;
            assert!(matches!(closed, Err(StoreError::NeedsRestore(_))), "{closed:?}");
            let restored = store.account("main").restore().await.unwrap();
            assert_eq!((restored.sessions, restored.damaged), (1, 0));
            assert!(restored.account.whole(PreKeys).await.unwrap().is_empty(), "one-time pre-keys are burnt");
            restored.account
        }
    };
    let mut copy = Us { local: &local, account, rng: StdRng::seed_from_u64(8), name: "copy", sent: 0 };
    copy.offer(5, &mut world).await;
    for _ in 0..8 {
        copy.send(&mut peer, &mut world).await;
    }
    store.close().await.unwrap();
    world.reused
}

/// Takes the mark of a copy away.
fn by_hand(path: &Path) {
    let file = Connection::open(path).unwrap();
    assert_eq!(file.execute("UPDATE accounts SET state = 0 WHERE name = 'main'", []).unwrap(), 1);
}

#[tokio::test]
async fn a_restored_backup_uses_no_key_of_the_original_again() {
    assert_eq!(used_twice(Way::Backup, Opening::Restore).await, BTreeSet::new());
}

#[tokio::test]
async fn an_imported_account_uses_no_key_of_the_original_again() {
    assert_eq!(used_twice(Way::Export, Opening::Restore).await, BTreeSet::new());
}

#[tokio::test]
async fn the_tests_above_see_a_copy_that_is_used_without_restoring_it() {
    let all = BTreeSet::from(["one-time pre-key", "sender key", "session"]);
    assert_eq!(used_twice(Way::Backup, Opening::ByHand).await, all);
    assert_eq!(used_twice(Way::Export, Opening::ByHand).await, all);
}
