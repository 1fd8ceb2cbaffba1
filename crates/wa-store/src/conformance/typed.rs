//! The typed store over the backend: what it promises must hold on every one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wa_crypto::Secret;

use super::{Cut, NOW, Unreliable};
use crate::backend::{Backend, Op, Row, RowKey};
use crate::key::Key;
use crate::records::{Attempt, Device, InboxRow, KeyPair, MappingSource, PrivacyToken, Session};
use crate::tables::*;
use crate::{
    AccountStore, Address, Changes, Chat, Glance, ManualClock, Retry, Scope, Store, StoreBuilder, StoreError,
    Table, User,
};

pub(super) fn builder(backend: &Arc<dyn Backend>) -> StoreBuilder {
    Store::builder(Arc::clone(backend)).clock(Arc::new(ManualClock::at(NOW))).holder("here")
}

pub(super) async fn store(backend: &Arc<dyn Backend>) -> Store {
    builder(backend).open().await.expect("a store")
}

pub(super) async fn open(backend: &Arc<dyn Backend>, name: &str) -> AccountStore {
    store(backend).await.account(name).open().await.expect("the account opens")
}

pub(super) fn pair(byte: u8) -> KeyPair {
    KeyPair { public: [byte; 32], private: Secret::new([byte ^ 0xFF; 32]) }
}

pub(super) fn device() -> Device {
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

pub(super) fn phone() -> Address {
    Address::new("15550100@s.whatsapp.net", 0)
}

pub(super) fn group() -> Chat {
    "15550100-1600000000@g.us".into()
}

pub(super) fn kv(key: &str) -> (compact_str::CompactString, Bytes) {
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

pub async fn what_is_asked_behind_a_glance_is_what_is_stored(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    let mut changes = Changes::new();
    changes.put(Devices, &(), &device());
    changes.put(Settings, &"language".into(), &"de".into());
    account.commit(changes).await.expect("a commit").release();
    // Opened anew: nothing is known.
    let account = open(&backend, "a").await;
    let glance = Glance::default()
        .row(Devices, &())
        .row(Settings, &"language".into())
        .row(NumberState, &"none".into())
        .table(Inbox)
        .table(Settings);
    assert_eq!(account.glance(&glance).await.expect("a glance"), [Table::Settings]);
    assert_eq!(account.one(Devices, &()).await.expect("a read"), Some(device()));
    assert_eq!(account.one(NumberState, &"none".into()).await.expect("a read"), None);
    let mut changes = Changes::new();
    changes.put(Settings, &"language".into(), &"fr".into());
    changes.put(NumberState, &"none".into(), &"one".into());
    account.commit(changes).await.expect("a commit").release();
    assert_eq!(account.one(Settings, &"language".into()).await.expect("a read"), Some("fr".into()));
    assert_eq!(account.one(NumberState, &"none".into()).await.expect("a read"), Some("one".into()));
    assert_eq!(account.glance(&glance).await.expect("a glance"), [Table::Settings]);
    assert_eq!(account.one(Settings, &"language".into()).await.expect("a read"), Some("fr".into()));
    // The same with the lease.
    let again = account.store().account("a");
    let (newer, occupied) = again.open_with(&glance).await.expect("an account");
    assert_eq!(occupied, [Table::Settings]);
    assert!(newer.epoch() > account.epoch() && !newer.has_written(Table::Settings));
    assert_eq!(newer.one(Devices, &()).await.expect("a read"), Some(device()));
    assert_eq!(newer.one(Settings, &"language".into()).await.expect("a read"), Some("fr".into()));
    let mut changes = Changes::new();
    changes.put(Settings, &"language".into(), &"it".into());
    newer.commit(changes).await.expect("a commit").release();
    assert!(newer.has_written(Table::Settings) && !newer.has_written(Table::Devices));
    assert_eq!(newer.one(Settings, &"language".into()).await.expect("a read"), Some("it".into()));
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
    let unreliable = Arc::new(Unreliable::new(Arc::clone(&backend)));
    let through: Arc<dyn Backend> = unreliable.clone();
    let account = open(&through, "a").await;
    for (place, cut) in [Cut::Before, Cut::After, Cut::After].into_iter().enumerate() {
        let key = kv(&place.to_string());
        let mut changes = Changes::new();
        changes.put(KeyValues, &key, &Bytes::from_static(b"first"));
        unreliable.cut_next(cut);
        let failed = account.commit(changes.holding(place)).await.expect_err("the connection is lost");
        assert_eq!(failed.error.retry(), Retry::Same);
        // Somebody else goes on meanwhile; the repetition must not undo it.
        let mut other = Changes::new();
        other.put(KeyValues, &kv("other"), &Bytes::copy_from_slice(&[place as u8]));
        if cut == Cut::After {
            other.put(KeyValues, &key, &Bytes::from_static(b"later"));
        }
        account.commit(other).await.expect("a commit").release();
        let committed = account.commit(*failed.pending).await.expect("the repetition");
        assert_eq!(committed.release(), place);
        let wanted = if cut == Cut::After { "later" } else { "first" };
        assert_eq!(account.one(KeyValues, &key).await.expect("a read"), Some(Bytes::from(wanted)), "{cut:?}");
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

pub async fn a_damaged_row_is_named_and_quarantined(backend: Arc<dyn Backend>) {
    // The damage is done behind the store's back.
    let store = builder(&backend).cache_bytes(0).open().await.expect("the store opens");
    let account = store.account("a").open().await.expect("the account opens");
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
