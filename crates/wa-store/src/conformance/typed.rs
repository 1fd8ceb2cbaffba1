//! The typed store over the backend: what it promises must hold on every one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wa_crypto::Secret;

use super::{NOW, flaky};
use crate::backend::{Backend, Op, Row, RowKey};
use crate::key::Key;
use crate::records::{
    Attempt, Device, DistributionMark, InboxRow, KeyPair, MappingSource, MarkState, PreKey, PreKeyState,
    PrivacyToken, Sending, Session,
};
use crate::tables::*;
use crate::{
    AccountStore, Address, Changes, Chat, ManualClock, Retry, Scope, Store, StoreBuilder, StoreError,
    StoreKey, Table, User,
};

fn builder(backend: &Arc<dyn Backend>) -> StoreBuilder {
    Store::builder(Arc::clone(backend)).clock(Arc::new(ManualClock::at(NOW))).holder("here")
}

async fn store(backend: &Arc<dyn Backend>) -> Store {
    builder(backend).open().await.expect("a store")
}

async fn open(backend: &Arc<dyn Backend>, name: &str) -> AccountStore {
    store(backend).await.account(name).open().await.expect("the account opens")
}

fn pair(byte: u8) -> KeyPair {
    KeyPair { public: [byte; 32], private: Secret::new([byte ^ 0xFF; 32]) }
}

fn device() -> Device {
    Device {
        noise_key: pair(1),
        identity_key: pair(2),
        registration_id: 12345,
        adv_secret: Secret::new([3; 32]),
        signed_prekey_id: 1,
        signed_prekey_since: None,
        next_prekey_id: 813,
        first_unuploaded_prekey_id: 813,
        server_has_prekeys: true,
        login_counter: 4,
        push_name: "Bot".into(),
        registration: None,
    }
}

fn phone() -> Address {
    Address::new("15550100@s.whatsapp.net", 0)
}

fn group() -> Chat {
    "15550100-1600000000@g.us".into()
}

fn kv(key: &str) -> (compact_str::CompactString, Bytes) {
    ("app".into(), Bytes::copy_from_slice(key.as_bytes()))
}

pub async fn typed_rows_come_back(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    let (pn, lid) = (User::from("15550100@s.whatsapp.net"), User::from("900100@lid"));
    let companion = Address::new(pn.clone(), 12);
    let session = Session::new(Bytes::from_static(b"record"));
    let token = PrivacyToken { token: Bytes::from_static(b"t"), timestamp: Some(NOW), issued: None };
    let mut changes = Changes::new();
    changes
        .put(Devices, &(), &device())
        .put(Sessions, &phone(), &session)
        .put(Sessions, &companion, &session)
        .put(Sessions, &Address::new("15550101@s.whatsapp.net", 0), &session)
        .put(PrivacyTokens, &lid, &token)
        .link_lid(&lid, &pn, MappingSource::Live, NOW);
    account.commit(changes).await.expect("a commit").release();
    assert_eq!(account.one(Devices, &()).await.expect("a read"), Some(device()));
    let wanted = [companion.clone(), Address::new(lid.clone(), 0), phone()];
    let sessions = account.many(Sessions, &wanted).await.expect("a read");
    assert_eq!(sessions, [Some(session.clone()), None, Some(session.clone())]);
    let of_user = account.all(Sessions, &pn).await.expect("a scan");
    assert_eq!(of_user, [(phone(), session.clone()), (companion, session)]);
    assert_eq!(account.whole(Sessions).await.expect("a scan").len(), 3);
    assert_eq!(account.one(PrivacyTokens, &lid).await.expect("a read"), Some(token));
    assert_eq!(account.lid_of(&pn).await.expect("a read"), Some(lid.clone()));
    assert_eq!(account.pn_of(&lid).await.expect("a read"), Some(pn));
}

pub async fn what_a_commit_holds_back_leaves_only_after_it(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    let mut changes = Changes::new();
    changes.put(KeyValues, &kv("x"), &Bytes::from_static(b"1"));
    let committed = account.commit(changes.holding("ack")).await.expect("a commit");
    assert_eq!(committed.map(str::len).release(), 3);
    let newer = open(&backend, "a").await;
    let mut changes = Changes::new();
    changes.put(KeyValues, &kv("x"), &Bytes::from_static(b"2"));
    let failed = account.commit(changes.holding("ack")).await.expect_err("the lease is lost");
    assert!(matches!(failed.error, StoreError::LeaseLost { .. }), "{failed:?}");
    assert_eq!(failed.error.retry(), Retry::Reopen);
    assert_eq!(newer.one(KeyValues, &kv("x")).await.expect("a read"), Some(Bytes::from_static(b"1")));
    let foreign = store(&backend).await.account("b").open().await.expect("another account");
    let refused = foreign.commit(*failed.pending).await.expect_err("prepared for another account");
    assert!(matches!(refused.error, StoreError::ForeignChanges(_)), "{refused:?}");
}

pub async fn a_failed_commit_is_repeated_exactly(backend: Arc<dyn Backend>) {
    let flaky = Arc::new(flaky::Flaky::new(Arc::clone(&backend)));
    let through: Arc<dyn Backend> = flaky.clone();
    let account = open(&through, "a").await;
    for (place, fault) in
        [flaky::Fault::Before, flaky::Fault::After, flaky::Fault::After].into_iter().enumerate()
    {
        let key = kv(&place.to_string());
        let mut changes = Changes::new();
        changes.put(KeyValues, &key, &Bytes::from_static(b"first"));
        flaky.fail_next(fault);
        let failed = account.commit(changes.holding(place)).await.expect_err("the connection is lost");
        assert_eq!(failed.error.retry(), Retry::Same);
        // Somebody else goes on meanwhile; the repetition must not undo it.
        let mut other = Changes::new();
        other.put(KeyValues, &kv("other"), &Bytes::copy_from_slice(&[place as u8]));
        if fault == flaky::Fault::After {
            other.put(KeyValues, &key, &Bytes::from_static(b"later"));
        }
        account.commit(other).await.expect("a commit").release();
        let committed = account.commit(*failed.pending).await.expect("the repetition");
        assert_eq!(committed.release(), place);
        let wanted = if fault == flaky::Fault::After { "later" } else { "first" };
        assert_eq!(
            account.one(KeyValues, &key).await.expect("a read"),
            Some(Bytes::from(wanted)),
            "{fault:?}"
        );
    }
}

pub async fn cursors_rise_over_openings(backend: Arc<dyn Backend>) {
    let mut last = None;
    for _ in 0..3 {
        let account = open(&backend, "a").await;
        for n in 0..5_u8 {
            let cursor = account.next_cursor();
            assert!(last < Some(cursor), "{last:?} {cursor:?}");
            last = Some(cursor);
            let mut changes = Changes::new();
            changes.put(Inbox, &cursor, &InboxRow { received: NOW, event: Bytes::copy_from_slice(&[n]) });
            account.commit(changes).await.expect("a commit").release();
        }
    }
    let account = open(&backend, "a").await;
    let page = account.inbox(None, 10).await.expect("the inbox");
    assert!(
        page.iter().map(|entry| entry.row.event[0]).eq([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]),
        "in order of arrival"
    );
    let mut changes = Changes::new();
    changes.deliver(&page[0]).acknowledge(page[1].cursor);
    changes.bury(&page[2], Some(Attempt { at: NOW, error: "no".into() }));
    account.commit(changes).await.expect("a commit").release();
    let rest = account.inbox(None, 100).await.expect("the inbox");
    assert_eq!((rest.len(), rest[0].attempts, rest[1].attempts), (13, 1, 0));
    assert_eq!(account.inbox(Some(rest[0].cursor), 1).await.expect("the inbox"), [rest[1].clone()]);
    let letters = account.whole(DeadLetters).await.expect("the dead letters");
    assert_eq!(letters[0].1.row, page[2].row);
    let mut changes = Changes::new();
    changes.replay(letters[0].0, &letters[0].1, account.next_cursor());
    account.commit(changes).await.expect("a commit").release();
    assert_eq!(
        account.inbox(None, 100).await.expect("the inbox").last().map(|entry| &entry.row),
        Some(&page[2].row)
    );
}

pub async fn expired_rows_are_not_read(backend: Arc<dyn Backend>) {
    let clock = Arc::new(ManualClock::at(NOW));
    let store = builder(&backend).clock(clock.clone()).open().await.expect("a store");
    let account = store.account("a").open().await.expect("the account opens");
    let mut changes = Changes::new();
    changes.put_until(KeyValues, &kv("x"), &Bytes::from_static(b"1"), NOW.after(Duration::from_secs(10)));
    changes.put(KeyValues, &kv("y"), &Bytes::from_static(b"2"));
    account.commit(changes).await.expect("a commit").release();
    assert!(account.one(KeyValues, &kv("x")).await.expect("a read").is_some());
    clock.advance(Duration::from_secs(10));
    assert_eq!(account.one(KeyValues, &kv("x")).await.expect("a read"), None);
    assert_eq!(account.all(KeyValues, &"app".into()).await.expect("a scan").len(), 1);
    assert_eq!(store.prune().await.expect("a pruning"), 1);
    assert_eq!(store.prune().await.expect("a pruning"), 0);
}

pub async fn forgetting_the_number_keeps_the_application(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    let mut changes = Changes::new();
    for &table in Table::ALL.iter().filter(|table| table.scope() != Scope::Store) {
        changes.put_payload(RowKey { table, key: Bytes::from_static(b"k") }, b"v".to_vec(), None);
    }
    account.commit(changes).await.expect("a commit").release();
    let mut changes = Changes::new();
    changes.forget_number().put(Devices, &(), &device());
    account.commit(changes).await.expect("a commit").release();
    for &table in Table::ALL.iter().filter(|table| table.scope() != Scope::Store) {
        let kept = backend.get_many(&"a".into(), vec![RowKey { table, key: Bytes::from_static(b"k") }]).await;
        let kept = kept.expect("a read").remove(0).is_some();
        assert_eq!(kept, table.scope() == Scope::Application, "{table:?}");
    }
    assert_eq!(
        account.one(Devices, &()).await.expect("a read"),
        Some(device()),
        "what is put afterwards stays"
    );
}

pub async fn an_import_comes_in_slices(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    let mut changes = Changes::new();
    for n in 0..2_000_u32 {
        changes.put(KeyValues, &kv(&format!("{n:05}")), &Bytes::from(vec![0; 700]));
    }
    let mut heard = Vec::new();
    let done = account.commit_in_slices(changes, |done, all| heard.push((done, all))).await;
    done.expect("an import").release();
    assert!(heard.len() > 4 && heard.is_sorted() && heard.last() == Some(&(2_000, 2_000)), "{heard:?}");
    assert_eq!(account.all(KeyValues, &"app".into()).await.expect("a scan").len(), 2_000);
}

pub async fn encryption_covers_every_value(backend: Arc<dyn Backend>) {
    let key = StoreKey::new([9; 32]);
    let store = builder(&backend).encryption(key).open().await.expect("a store");
    let account = store.account("a").open().await.expect("the account opens");
    let secret = b"the plaintext of an inbox row".as_slice();
    let mut changes = Changes::new();
    changes.put(Inbox, &account.next_cursor(), &InboxRow { received: NOW, event: secret.into() });
    changes.put(KeyValues, &kv("x"), &secret.into()).put(Sessions, &phone(), &Session::new(secret.into()));
    account.commit(changes).await.expect("a commit").release();
    assert_eq!(account.one(KeyValues, &kv("x")).await.expect("a read"), Some(secret.into()));
    for table in [Table::Inbox, Table::KeyValues, Table::Sessions] {
        let scan = crate::backend::Scan { table, prefix: Bytes::new(), after: None, limit: 10 };
        let page = backend.scan(&"a".into(), scan).await.expect("a scan");
        assert_eq!(page.rows.len(), 1);
        let value = &page.rows[0].1.value;
        assert!(!value.windows(9).any(|window| window == &secret[..9]), "{table:?} is readable");
    }
}

pub async fn a_wrong_key_is_its_own_error(backend: Arc<dyn Backend>) {
    let (right, wrong) = (StoreKey::new([9; 32]), StoreKey::new([8; 32]));
    let store = builder(&backend).encryption(right.clone()).open().await.expect("a store");
    store.account("a").open().await.expect("the account opens");
    let opened = builder(&backend).encryption(wrong).open().await;
    assert!(matches!(opened, Err(StoreError::WrongKey)), "{opened:?}");
    let opened = builder(&backend).open().await;
    assert!(matches!(opened, Err(StoreError::KeyRequired)), "{opened:?}");
    builder(&backend).encryption(right).open().await.expect("the right key");
}

pub async fn a_key_rotation_rewraps_every_account(backend: Arc<dyn Backend>) {
    let (old, new) = (StoreKey::new([1; 32]), StoreKey::new([2; 32]));
    let store = builder(&backend).encryption(old.clone()).open().await.expect("a store");
    for name in ["a", "b", "c"] {
        let account = store.account(name).open().await.expect("the account opens");
        let mut changes = Changes::new();
        changes.put(KeyValues, &kv("x"), &Bytes::from_static(b"1"));
        account.commit(changes).await.expect("a commit").release();
    }
    let store =
        builder(&backend).encryption(new.clone()).previous_key(old.clone()).open().await.expect("both keys");
    let in_use = store.account("a").open().await.expect("the account opens during a rotation");
    assert_eq!(store.rotate_key().await.expect("a rotation"), 3);
    assert_eq!(store.rotate_key().await.expect("a repetition"), 0);
    assert!(in_use.one(KeyValues, &kv("x")).await.expect("a read").is_some());
    let opened = builder(&backend).encryption(old).open().await;
    assert!(matches!(opened, Err(StoreError::WrongKey)), "the old key is worthless: {opened:?}");
    let store = builder(&backend).encryption(new).open().await.expect("the new key alone");
    for name in ["a", "b", "c"] {
        let account = store.account(name).open().await.expect("the account opens");
        assert!(account.one(KeyValues, &kv("x")).await.expect("a read").is_some());
    }
}

pub async fn a_damaged_row_is_named_and_quarantined(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    let mut changes = Changes::new();
    changes.put(Sessions, &phone(), &Session::new(Bytes::from_static(b"record")));
    changes.put(
        Sessions,
        &Address::new("15550101@s.whatsapp.net", 0),
        &Session::new(Bytes::from_static(b"other")),
    );
    account.commit(changes).await.expect("a commit").release();
    let at = RowKey { table: Table::Sessions, key: phone().to_bytes() };
    let stored =
        backend.get_many(account.id(), vec![at.clone()]).await.expect("a read").remove(0).expect("a row");
    let mut damaged = stored.value.to_vec();
    damaged[7] ^= 1;
    let damage = super::batch(
        "a",
        account.epoch(),
        100,
        vec![Op::Put(at, Row { value: damaged.into(), expires: None })],
    );
    backend.commit(vec![damage]).await.remove(0).expect("a commit");
    let read = account.one(Sessions, &phone()).await;
    let Err(StoreError::CorruptRow { table, key, .. }) = read else { panic!("{read:?}") };
    let report = account.check().await.expect("a check");
    assert_eq!((report.rows, report.damaged.len()), (2, 1), "{report:?}");
    account.quarantine(table, &key.0).await.expect("a commit").release();
    assert_eq!(account.one(Sessions, &phone()).await.expect("a read"), None);
    let kept = account.whole(Quarantine).await.expect("a scan");
    assert_eq!(kept[0].0, (u32::from(Table::Sessions.number()), key.0));
    assert!(account.check().await.expect("a check").damaged.is_empty());
}

async fn fill(account: &AccountStore) {
    let mut changes = Changes::new();
    changes
        .put(Devices, &(), &device())
        .put(Sessions, &phone(), &Session::new(Bytes::from_static(b"record")))
        .put(Identities, &phone(), &Bytes::from_static(&[5; 32]))
        .put(SenderKeys, &(group(), phone()), &Bytes::from_static(b"theirs"))
        .put(OwnSenderKeys, &(group(), phone()), &Bytes::from_static(b"ours"))
        .put(
            DistributionMarks,
            &(group(), phone()),
            &DistributionMark { key_id: 1, state: MarkState::Confirmed },
        )
        .put(PreKeys, &7, &PreKey { key: pair(7), state: PreKeyState::Offered })
        .put(KeyValues, &kv("x"), &Bytes::from_static(b"kept"));
    account.commit(changes).await.expect("a commit").release();
}

async fn is_safe(account: &AccountStore) {
    let session =
        account.one(Sessions, &phone()).await.expect("a read").expect("the session is kept for receiving");
    assert_eq!((session.sending, session.record), (Sending::Discarded, Bytes::from_static(b"record")));
    assert!(account.whole(OwnSenderKeys).await.expect("a scan").is_empty(), "own sender keys");
    assert!(account.whole(DistributionMarks).await.expect("a scan").is_empty(), "distribution marks");
    assert!(account.whole(PreKeys).await.expect("a scan").is_empty(), "one-time pre-keys");
    let burnt = account.one(Devices, &()).await.expect("a read").expect("the device is kept");
    assert!(burnt.next_prekey_id > device().next_prekey_id && !burnt.server_has_prekeys);
    assert_eq!(burnt.first_unuploaded_prekey_id, burnt.next_prekey_id);
    assert_eq!(burnt.identity_key, device().identity_key);
    assert_eq!(account.whole(SenderKeys).await.expect("a scan").len(), 1, "what others gave us is kept");
    assert_eq!(account.one(KeyValues, &kv("x")).await.expect("a read"), Some(Bytes::from_static(b"kept")));
}

pub async fn a_restore_discards_what_could_be_used_twice(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    fill(&account).await;
    let before = account.epoch();
    let restored = store(&backend).await.account("a").restore().await.expect("a restore");
    assert_eq!((restored.sessions, restored.damaged), (1, 0));
    assert!(restored.account.epoch() > before, "the epoch is raised");
    is_safe(&restored.account).await;
    is_safe(&open(&backend, "a").await).await;
}

pub async fn an_export_moves_the_account(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let file = folder.file("a.export");
    let key = StoreKey::new([4; 32]);
    let here = store(&backend).await;
    let account = here.account("a").open().await.expect("the account opens");
    fill(&account).await;
    let report = here.account("a").export(&file, Some(&key)).await.expect("an export");
    assert_eq!((report.rows, report.damaged), (8, 0));
    assert!(matches!(here.account("a").open().await, Err(StoreError::Moved(_))), "the source does not open");
    let mut changes = Changes::new();
    changes.put(KeyValues, &kv("x"), &Bytes::from_static(b"late"));
    assert!(account.commit(changes).await.is_err(), "an opening from before the export is fenced");
    assert!(matches!(here.import(&file, Some("b".into()), None).await, Err(StoreError::KeyRequired)));
    let wrong = StoreKey::new([5; 32]);
    assert!(matches!(here.import(&file, Some("b".into()), Some(&wrong)).await, Err(StoreError::WrongKey)));
    let taken = here.import(&file, None, Some(&key)).await;
    assert!(matches!(taken, Err(StoreError::AccountExists(_))), "{taken:?}");
    let imported = here.import(&file, Some("b".into()), Some(&key)).await.expect("an import");
    assert_eq!((imported.rows, imported.named.as_str()), (8, "a"));
    assert!(matches!(imported.account.open().await, Err(StoreError::NeedsRestore(_))));
    is_safe(&imported.account.restore().await.expect("a restore").account).await;
    imported.account.open().await.expect("from now on it opens");
    is_safe(&here.account("a").restore().await.expect("the source can be taken back").account).await;
}

pub async fn a_damaged_export_writes_nothing(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let here = store(&backend).await;
    fill(&here.account("a").open().await.expect("the account opens")).await;
    for key in [None, Some(StoreKey::new([4; 32]))] {
        let good = folder.file(if key.is_some() { "sealed" } else { "plain" });
        here.account("a").export(&good, key.as_ref()).await.expect("an export, again if need be");
        let bytes = std::fs::read(&good).expect("the file");
        let bad = folder.file("bad");
        let mut damages: Vec<Vec<u8>> =
            (0..bytes.len()).step_by(37).map(|len| bytes[..len].to_vec()).collect();
        for place in (0..bytes.len()).step_by(41) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x10;
            damages.push(flipped);
        }
        for damaged in damages {
            std::fs::write(&bad, &damaged).expect("the file");
            let imported = here.import(&bad, Some("b".into()), key.as_ref()).await;
            assert!(imported.is_err(), "{} bytes were imported", damaged.len());
            assert_eq!(here.accounts(None, 10).await.expect("a list").len(), 1, "nothing was written");
        }
    }
}

/// A folder in the system's temporary one, gone at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("wa-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
