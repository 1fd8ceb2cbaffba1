//! Encryption at rest: what it covers, wrong keys, and how a key is replaced.

use std::sync::Arc;

use bytes::Bytes;

use super::typed::{builder, group, kv, phone, store};
use super::{Cut, NOW, Unreliable};
use crate::backend::{Backend, Scan};
use crate::records::{InboxRow, OutboxRow, OutboxState, Session};
use crate::tables::{Inbox, KeyValues, Outbox, Sessions};
use crate::{AccountId, Changes, Retry, Store, StoreError, StoreKey, Table};

pub async fn encryption_covers_every_value(backend: Arc<dyn Backend>) {
    let key = StoreKey::new([9; 32]);
    let store = builder(&backend).encryption(key).open().await.expect("a store");
    let account = store.account("a").open().await.expect("the account opens");
    let secret = b"the plaintext of an inbox row".as_slice();
    let mut changes = Changes::new();
    changes.put(Inbox, &account.next_cursor(), &InboxRow { received: NOW, event: secret.into() });
    changes.put(KeyValues, &kv("x"), &secret.into()).put(Sessions, &phone(), &Session::new(secret.into()));
    let message = OutboxRow {
        chat: group(),
        id: "3EB0".into(),
        queued: NOW,
        plaintext: secret.into(),
        options: Bytes::new(),
        state: OutboxState::Queued,
    };
    changes.put(Outbox, &account.next_order(), &message);
    account.commit(changes).await.expect("a commit").release();
    assert_eq!(account.one(KeyValues, &kv("x")).await.expect("a read"), Some(secret.into()));
    for table in [Table::Inbox, Table::Outbox, Table::KeyValues, Table::Sessions] {
        let scan = Scan { table, prefix: Bytes::new(), after: None, limit: 10 };
        let page = backend.scan(&"a".into(), scan).await.expect("a scan");
        assert_eq!(page.rows.len(), 1);
        let value = &page.rows[0].1.value;
        assert!(!value.windows(9).any(|window| window == &secret[..9]), "{table:?} is readable");
    }
}

pub async fn a_plain_store_takes_no_key(backend: Arc<dyn Backend>) {
    store(&backend).await.account("a").open().await.expect("the account opens");
    let opened = builder(&backend).encryption(StoreKey::new([9; 32])).open().await;
    assert!(matches!(opened, Err(StoreError::NotEncrypted)), "{opened:?}");
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

async fn fill(store: &Store) {
    for name in ["a", "b", "c"] {
        let account = store.account(name).open().await.expect("the account opens");
        let mut changes = Changes::new();
        changes.put(KeyValues, &kv("x"), &Bytes::from_static(b"1"));
        account.commit(changes).await.expect("a commit").release();
    }
}

async fn is_readable(store: &Store) {
    for name in ["a", "b", "c"] {
        let account = store.account(name).open().await.expect("the account opens");
        assert!(account.one(KeyValues, &kv("x")).await.expect("a read").is_some());
    }
}

pub async fn a_key_rotation_rewraps_every_account(backend: Arc<dyn Backend>) {
    let (old, new) = (StoreKey::new([1; 32]), StoreKey::new([2; 32]));
    let store = builder(&backend).encryption(old.clone()).open().await.expect("a store");
    fill(&store).await;
    let store =
        builder(&backend).encryption(new.clone()).previous_key(old.clone()).open().await.expect("both keys");
    let in_use = store.account("a").open().await.expect("the account opens during a rotation");
    assert_eq!(store.rotate_key().await.expect("a rotation"), 3);
    assert_eq!(store.rotate_key().await.expect("a repetition"), 0);
    assert!(in_use.one(KeyValues, &kv("x")).await.expect("a read").is_some());
    let opened = builder(&backend).encryption(old).open().await;
    assert!(matches!(opened, Err(StoreError::WrongKey)), "the old key is worthless: {opened:?}");
    let store = builder(&backend).encryption(new).open().await.expect("the new key alone");
    is_readable(&store).await;
}

pub async fn an_interrupted_key_rotation_is_repeated(backend: Arc<dyn Backend>) {
    let (old, new) = (StoreKey::new([1; 32]), StoreKey::new([2; 32]));
    let unreliable = Arc::new(Unreliable::new(Arc::clone(&backend)));
    let through: Arc<dyn Backend> = unreliable.clone();
    let store = builder(&backend).encryption(old.clone()).open().await.expect("a store");
    fill(&store).await;
    let both = builder(&through).encryption(new.clone()).previous_key(old.clone());
    let store = both.open().await.expect("both keys");
    // Each attempt ends one row further: after the answer of a write was lost.
    for _ in 0..3 {
        unreliable.cut_next(Cut::After);
        let failed = store.rotate_key().await.expect_err("the connection is lost");
        assert_eq!(failed.retry(), Retry::Same);
        let in_between = builder(&backend).encryption(new.clone()).previous_key(old.clone());
        let in_between = in_between.open().await.expect("half rotated, it opens with both");
        is_readable(&in_between).await;
    }
    assert_eq!(store.rotate_key().await.expect("the rest"), 0, "only the store's own mark was left");
    let store = builder(&backend).encryption(new).open().await.expect("the new key alone");
    is_readable(&store).await;
}

pub async fn a_deleted_account_takes_its_key_along(backend: Arc<dyn Backend>) {
    let store = builder(&backend).encryption(StoreKey::new([9; 32])).open().await.expect("a store");
    for name in ["a", "b"] {
        store.account(name).open().await.expect("the account opens");
    }
    let keys = async || {
        let scan = Scan { table: Table::Meta, prefix: Bytes::new(), after: None, limit: 10 };
        let page = backend.scan(&AccountId::system(), scan).await.expect("a scan");
        page.rows.into_iter().filter(|(key, _)| key.starts_with(b"account-key")).count()
    };
    assert_eq!(keys().await, 2);
    store.account("a").delete().await.expect("a deletion");
    assert_eq!(keys().await, 1, "what is left of it on the disk cannot be read");
    store.account("a").open().await.expect("a new account of the same name");
    assert_eq!(keys().await, 2);
}
