//! Group commit: what arrives together shares one transaction, and nobody is answered before it is durable. The second
//! half breaks that on purpose and shows that the test sees it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use bytes::Bytes;
use parking_lot::Mutex;
use rusqlite::Connection;
use wa_store::sabotage::{Points, Sabotage};
use wa_store::sqlite::Point;
use wa_store::tables::KeyValues;
use wa_store::{AccountStore, Changes, SqliteOptions, SqliteStore, Store};

async fn write(account: &AccountStore, key: &str) {
    let mut changes = Changes::new();
    changes.put(
        KeyValues,
        &("app".into(), Bytes::copy_from_slice(key.as_bytes())),
        &Bytes::from_static(b"v"),
    );
    account.commit(changes).await.unwrap().release();
}

fn rows_in_the_file(path: &Path) -> i64 {
    let file = Connection::open(path).unwrap();
    file.query_row("SELECT count(*) FROM rows WHERE account != 0", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_together_shares_one_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let groups = Arc::new(AtomicU64::new(0));
    let (gate, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(Some(wait));
    let counter = Arc::clone(&groups);
    let points = Points::new(move |point| {
        if point == Point::Begin {
            counter.fetch_add(1, Ordering::SeqCst);
            // The first group waits until everybody has queued: from then on the hook is silent.
            if counter.load(Ordering::SeqCst) == 1_001
                && let Some(wait) = wait.lock().take()
            {
                let _ = wait.recv();
            }
        }
    });
    let options = SqliteOptions::new(folder.path().join("store.db")).points(points);
    let store = Store::builder(Arc::new(options.open().await.unwrap())).open().await.unwrap();
    let mut accounts = Vec::new();
    for n in 0..64 {
        accounts.push(store.account(format!("account-{n}")).open().await.unwrap());
    }
    // Runs after the last point of the openings.
    store.vacuum().await.unwrap();
    groups.store(1_000, Ordering::SeqCst);
    let mut tasks = vec![tokio::spawn({
        let account = accounts[0].clone();
        async move { write(&account, "first").await }
    })];
    while groups.load(Ordering::SeqCst) != 1_001 {
        tokio::task::yield_now().await;
    }
    let queued = Arc::new(AtomicU64::new(0));
    for account in accounts {
        let queued = Arc::clone(&queued);
        tasks.push(tokio::spawn(async move {
            let writing = write(&account, "x");
            tokio::pin!(writing);
            // The first poll puts the commit into the queue.
            let _ = futures_poll_once(writing.as_mut()).await;
            queued.fetch_add(1, Ordering::SeqCst);
            writing.await;
        }));
    }
    while queued.load(Ordering::SeqCst) != 64 {
        tokio::task::yield_now().await;
    }
    gate.send(()).unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(groups.load(Ordering::SeqCst), 1_002, "one transaction for all 64 that waited");
}

async fn futures_poll_once<F: Future<Output = ()>>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// Lets the writing thread go on only when the test says so, and tells what a commit that was answered left in the file.
async fn rows_when_answered(sabotage: Sabotage) -> i64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (gate, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let armed = Arc::new(AtomicU64::new(0));
    let hook = Arc::clone(&armed);
    let points = Points::new(move |point| {
        if point == Point::Answered && hook.swap(0, Ordering::SeqCst) == 1 {
            let _ = wait.lock().recv();
        }
    });
    // The file is made by an honest store: making one reads back what it has just been told is there.
    SqliteStore::open(&path).await.unwrap().close().await.unwrap();
    let options = SqliteOptions::new(&path).points(points).sabotage(sabotage);
    let store = Store::builder(Arc::new(options.open().await.unwrap())).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    // Runs after the last point of the opening, so that the hook meets the next commit and not that one.
    store.vacuum().await.unwrap();
    armed.store(1, Ordering::SeqCst);
    write(&account, "x").await;
    let rows = rows_in_the_file(&path);
    gate.send(()).unwrap();
    store.close().await.unwrap();
    rows
}

#[tokio::test]
async fn an_answered_commit_is_in_the_file() {
    assert_eq!(rows_when_answered(Sabotage::None).await, 1);
}

#[tokio::test]
async fn the_test_above_sees_a_store_that_answers_too_early() {
    assert_eq!(rows_when_answered(Sabotage::AckBeforeCommit).await, 0);
}
