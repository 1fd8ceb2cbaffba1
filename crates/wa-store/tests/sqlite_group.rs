//! Group commit: what arrives together shares one transaction, and nobody is answered before it is durable. The second
//! half breaks that on purpose and shows that the test sees it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

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

/// A gate that holds the writing thread at the beginning of the groups that the test names.
#[derive(Default)]
struct Gate {
    groups: AtomicU64,
    held: Mutex<Vec<(u64, mpsc::Receiver<()>)>>,
}

impl Gate {
    fn points(self: &Arc<Self>) -> Points {
        let gate = Arc::clone(self);
        Points::new(move |point| {
            if point == Point::Begin {
                let now = gate.groups.fetch_add(1, Ordering::SeqCst) + 1;
                let mut held = gate.held.lock();
                let found =
                    held.iter().position(|(group, _)| *group == now).map(|place| held.swap_remove(place));
                drop(held);
                found.map(|(_, wait)| wait.recv());
            }
        })
    }

    /// Holds the n-th group from now on; it goes on when the sender is used or dropped.
    fn hold(&self, nth: u64) -> mpsc::Sender<()> {
        let (go, wait) = mpsc::channel();
        self.held.lock().push((self.groups.load(Ordering::SeqCst) + nth, wait));
        go
    }

    async fn reached(&self, group: u64) {
        while self.groups.load(Ordering::SeqCst) < group {
            tokio::task::yield_now().await;
        }
    }
}

/// A store with opened accounts whose writing thread stands still in the commit of one more: what is queued now waits.
struct Occupied {
    _folder: tempfile::TempDir,
    gate: Arc<Gate>,
    store: Store,
    accounts: Vec<AccountStore>,
    /// The number of the group that stands still.
    group: u64,
    go: mpsc::Sender<()>,
    commit: tokio::task::JoinHandle<()>,
}

impl Occupied {
    async fn new(accounts: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gate = Arc::new(Gate::default());
        let options = SqliteOptions::new(folder.path().join("store.db")).points(gate.points());
        // No renewal of the lease comes in between.
        let store = Store::builder(Arc::new(options.open().await.unwrap())).lease(Duration::from_secs(3_600));
        let store = store.open().await.unwrap();
        let mut opened = Vec::new();
        for n in 0..=accounts {
            opened.push(store.account(format!("account-{n}")).open().await.unwrap());
        }
        // Runs after the last point of the openings.
        store.vacuum().await.unwrap();
        let (group, go) = (gate.groups.load(Ordering::SeqCst) + 1, gate.hold(1));
        let account = opened.pop().unwrap();
        let commit = tokio::spawn(async move { write(&account, "x").await });
        gate.reached(group).await;
        Self { _folder: folder, gate, store, accounts: opened, group, go, commit }
    }
}

/// Spawns a commit for each account; all of them are queued when this returns, for on the one thread of these tests a
/// commit is queued before anybody else comes to run.
async fn queued(accounts: Vec<AccountStore>) -> Vec<tokio::task::JoinHandle<()>> {
    let (begun, many) = (Arc::new(AtomicU64::new(0)), accounts.len() as u64);
    let commits = accounts.into_iter().map(|account| {
        let begun = Arc::clone(&begun);
        tokio::spawn(async move {
            begun.fetch_add(1, Ordering::SeqCst);
            write(&account, "x").await;
        })
    });
    let commits = commits.collect();
    while begun.load(Ordering::SeqCst) < many {
        tokio::task::yield_now().await;
    }
    commits
}

#[tokio::test]
async fn what_arrives_together_shares_one_transaction() {
    let Occupied { gate, store, accounts, group, go, commit, .. } = &mut Occupied::new(64).await;
    let commits = queued(std::mem::take(accounts)).await;
    go.send(()).unwrap();
    commit.await.unwrap();
    for commit in commits {
        commit.await.unwrap();
    }
    assert_eq!(gate.groups.load(Ordering::SeqCst), *group + 1, "one transaction for all 64 that waited");
    store.close().await.unwrap();
}

#[tokio::test]
async fn live_commits_go_before_the_slices_of_imports_that_came_first() {
    let Occupied { gate, store, accounts, group, go, commit, .. } = &mut Occupied::new(16).await;
    // The second group after the one that stands still is held as well.
    let go_on = gate.hold(2);
    let slices = Arc::new(AtomicU64::new(0));
    let mut imports = Vec::new();
    for account in accounts.split_off(8) {
        let slices = Arc::clone(&slices);
        let mut import = Changes::new();
        for row in 0..2_000_u32 {
            let key = ("import".into(), Bytes::copy_from_slice(&row.to_be_bytes()));
            import.put(KeyValues, &key, &Bytes::from_static(b"v"));
        }
        imports.push(tokio::spawn(async move {
            let heard = |_, _| {
                slices.fetch_add(1, Ordering::SeqCst);
            };
            account.commit_in_slices(import, heard).await.unwrap().release();
        }));
    }
    // Each import has queued its first slice before it comes back here.
    tokio::task::yield_now().await;
    let live = queued(std::mem::take(accounts)).await;
    go.send(()).unwrap();
    commit.await.unwrap();
    for live in live {
        live.await.unwrap();
    }
    // By then everybody of that group was answered, and here everybody who was answered comes to run.
    gate.reached(*group + 2).await;
    tokio::task::yield_now().await;
    assert_eq!(slices.load(Ordering::SeqCst), 1, "all live commits and one slice made the group");
    go_on.send(()).unwrap();
    for import in imports {
        import.await.unwrap();
    }
    store.close().await.unwrap();
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
