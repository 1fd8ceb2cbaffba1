//! The typed store's own promises: one heartbeat for thousands of accounts, little memory for each, commits side by side.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wa_store::conformance::Unreliable;
use wa_store::tables::KeyValues;
use wa_store::{Changes, ManualClock, MemoryBackend, Store, StoreError, UnixTime};

async fn until(backend: &Unreliable, wanted: u64) {
    for _ in 0..1_000 {
        if backend.heartbeats() >= wanted {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("heartbeat {wanted} does not come");
}

#[tokio::test(start_paused = true)]
async fn five_thousand_accounts_cost_one_renewal() {
    let backend = Arc::new(Unreliable::new(Arc::new(MemoryBackend::default())));
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
    let lease = Duration::from_secs(30);
    let open = |holder: &str| {
        Store::builder(backend.clone()).clock(clock.clone()).lease(lease).holder(holder).open()
    };
    let store = open("here").await.unwrap();
    let mut accounts = Vec::new();
    for n in 0..5_000 {
        accounts.push(store.account(format!("account-{n}")).open().await.unwrap());
    }
    assert_eq!(backend.heartbeats(), 1, "opening them all writes one heartbeat");
    let other = open("there").await.unwrap();
    // The renewing task begins to wait before time moves.
    tokio::task::yield_now().await;
    for renewal in 1..=10 {
        clock.advance(lease / 3);
        tokio::time::advance(lease / 3).await;
        until(&backend, 1 + renewal).await;
        assert_eq!(backend.heartbeats(), 1 + renewal);
    }
    let refused = other.account("account-4999").open().await;
    assert!(matches!(refused, Err(StoreError::Held { .. })), "100 s later the leases are alive: {refused:?}");
    drop((store, accounts));
    let beats = backend.heartbeats();
    clock.advance(lease);
    for _ in 0..10 {
        // The other store beats on; the one that was dropped does not.
        tokio::time::advance(lease / 3).await;
        tokio::task::yield_now().await;
    }
    assert!(backend.heartbeats() <= beats + 12);
    other.account("account-4999").open().await.expect("the holder that was dropped has expired");
}

#[test]
fn an_opened_account_is_small() {
    // What a fleet pays for each account on top of its connection: the handle, behind one pointer.
    assert_eq!(size_of::<wa_store::AccountStore>(), size_of::<usize>());
    const { assert!(wa_store::AccountStore::FOOTPRINT <= 128) };
}

#[tokio::test]
async fn commits_of_one_account_run_side_by_side() {
    let store = Store::builder(Arc::new(MemoryBackend::default())).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    let tasks: Vec<_> = (0..100_u32)
        .map(|n| {
            let account = account.clone();
            tokio::spawn(async move {
                let mut changes = Changes::new();
                let key = ("app".into(), Bytes::copy_from_slice(&n.to_be_bytes()));
                changes.put(KeyValues, &key, &Bytes::from_static(b"v"));
                account.commit(changes).await.unwrap().release();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(account.all(KeyValues, &"app".into()).await.unwrap().len(), 100);
}

#[tokio::test]
async fn names_that_nobody_can_read_are_refused() {
    let store = Store::builder(Arc::new(MemoryBackend::default())).open().await.unwrap();
    for name in ["", "line\nbreak", &"x".repeat(129)] {
        let opened = store.account(name).open().await;
        assert!(matches!(opened, Err(StoreError::InvalidAccountName(_))), "{name:?}: {opened:?}");
    }
    store.account("Büro 1 / main").open().await.unwrap();
}

#[tokio::test]
async fn an_oversized_commit_is_refused_and_takes_no_place() {
    let store = Store::builder(Arc::new(MemoryBackend::default())).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    let mut changes = Changes::new();
    let big = Bytes::from(vec![0; wa_store::backend::MAX_BATCH_BYTES]);
    changes.put(KeyValues, &("app".into(), Bytes::from_static(b"big")), &big);
    let failed = account.commit(changes).await.unwrap_err();
    assert!(matches!(failed.error, StoreError::TooLarge { .. }), "{failed:?}");
    assert_eq!(failed.error.retry(), wa_store::Retry::Never);
}
