//! What only a file has: another program's file, a newer one, a locked or read-only one, copies, and who holds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::Connection;
use tempfile::TempDir;
use wa_store::tables::KeyValues;
use wa_store::{
    AccountStore, Changes, Durability, ManualClock, SqliteOptions, SqliteStore, Store, StoreError, StoreKey,
    UnixTime,
};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

async fn write(account: &AccountStore, key: &str, value: &str) -> Result<(), StoreError> {
    let mut changes = Changes::new();
    changes.put(KeyValues, &("app".into(), Bytes::copy_from_slice(key.as_bytes())), &value.to_owned().into());
    account.commit(changes).await?.release();
    Ok(())
}

async fn read(account: &AccountStore, key: &str) -> Option<Bytes> {
    account.one(KeyValues, &("app".into(), Bytes::copy_from_slice(key.as_bytes()))).await.unwrap()
}

async fn held_by(path: &Path, holder: &str) -> Store {
    let backend = SqliteOptions::new(path).open().await.unwrap();
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
    Store::builder(Arc::new(backend)).clock(clock).holder(holder).open().await.unwrap()
}

#[tokio::test]
async fn a_store_is_there_again_after_closing() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.durability(), Durability::Power);
    let account = store.account("main").open().await.unwrap();
    write(&account, "x", "1").await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(write(&account, "x", "2").await, Err(StoreError::Closed)));
    let left: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["store.db"], "nothing is left beside the file");
    let store = SqliteStore::open(&path).await.unwrap();
    let account = store.account("main").open().await.unwrap();
    assert_eq!(read(&account, "x").await.unwrap(), "1");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    store.account("main").open().await.unwrap();
    for entry in fs::read_dir(path.parent().unwrap()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().contains("holder") {
            continue;
        }
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{entry:?}");
    }
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_untouched() {
    let (_folder, path) = folder();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    let before = fs::read(&path).unwrap();
    let opened = SqliteStore::open(&path).await;
    assert!(matches!(opened, Err(StoreError::ForeignFile(_))), "{opened:?}");
    fs::write(&path, "no database at all, but long enough to look like one".repeat(100)).unwrap();
    let opened = SqliteStore::open(&path).await;
    assert!(matches!(opened, Err(StoreError::ForeignFile(_))), "{opened:?}");
    fs::write(&path, &before).unwrap();
    let _ = SqliteStore::open(&path).await;
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_folder, path) = folder();
    SqliteStore::open(&path).await.unwrap().close().await.unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let opened = SqliteStore::open(&path).await;
    assert!(matches!(opened, Err(StoreError::NewerSchema { found: 999, known: 1 })), "{opened:?}");
}

#[tokio::test]
async fn a_missing_folder_and_a_folder_as_file_are_named() {
    let (folder, _) = folder();
    for path in [folder.path().join("none/store.db"), folder.path().to_owned()] {
        let opened = SqliteStore::open(&path).await;
        let Err(error) = opened else { panic!("{path:?} opened") };
        assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
        assert!(!error.remedy().is_empty());
    }
}

#[tokio::test]
async fn a_locked_file_is_named_and_works_again_when_it_is_free() {
    let (_folder, path) = folder();
    let options = SqliteOptions::new(&path).patience(Duration::ZERO);
    let store = Store::builder(Arc::new(options.open().await.unwrap())).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    let intruder = Connection::open(&path).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut changes = Changes::new();
    changes.put(KeyValues, &("app".into(), "x".into()), &Bytes::from_static(b"1"));
    let failed = account.commit(changes).await.unwrap_err();
    assert!(matches!(failed.error, StoreError::Locked(_)), "{failed:?}");
    assert_eq!(failed.error.retry(), wa_store::Retry::Same);
    intruder.execute_batch("COMMIT").unwrap();
    account.commit(*failed.pending).await.unwrap().release();
    assert_eq!(read(&account, "x").await.unwrap(), "1");
}

#[tokio::test]
async fn a_full_disk_is_named_and_the_same_commit_goes_through_later() {
    let (_folder, path) = folder();
    // The file may not grow past 200 pages: SQLite says "full", as it does on a disk without space.
    let big = "y".repeat(3 * 1024 * 1024);
    let backend = SqliteOptions::new(&path).max_pages(200).open().await.unwrap();
    let small = Store::builder(Arc::new(backend)).open().await.unwrap();
    let other = small.account("other").open().await.unwrap();
    let mut changes = Changes::new();
    changes.put(KeyValues, &("app".into(), "big".into()), &big.into());
    let failed = other.commit(changes).await.unwrap_err();
    assert!(matches!(failed.error, StoreError::DiskFull(_)), "{failed:?}");
    write(&other, "small", "fits").await.unwrap();
    assert_eq!(read(&other, "big").await, None, "nothing half-written");
    small.close().await.unwrap();
}

#[tokio::test]
async fn another_store_waits_for_a_living_holder_and_takes_over_from_a_dead_one() {
    let (_folder, path) = folder();
    let first = held_by(&path, "first").await;
    let account = first.account("main").open().await.unwrap();
    let second = held_by(&path, "second").await;
    let refused = second.account("main").open().await;
    assert!(
        matches!(&refused, Err(StoreError::Held { holder, .. }) if holder.as_str() == "first"),
        "{refused:?}"
    );
    // The heartbeat of the first stands in the file and will not expire: only the lock of the file can tell. Closing the
    // backend without a word is what the death of a process looks like.
    first.backend().close().await.unwrap();
    let taken = second.account("main").open().await.unwrap();
    assert_eq!(taken.epoch(), account.epoch() + 1);
    write(&taken, "x", "second").await.unwrap();
    let holders: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM holders", [], |row| row.get(0))
        .unwrap();
    assert_eq!(holders, 1, "the dead holder's heartbeat is cleared away");
}

#[tokio::test]
async fn the_same_holder_name_takes_over_from_a_living_one() {
    let (_folder, path) = folder();
    let first = held_by(&path, "bot").await;
    let old = first.account("main").open().await.unwrap();
    let second = held_by(&path, "bot").await;
    let new = second.account("main").open().await.unwrap();
    write(&new, "x", "new").await.unwrap();
    let late = write(&old, "x", "old").await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    assert_eq!(read(&new, "x").await.unwrap(), "new");
}

#[tokio::test]
async fn a_backup_beside_traffic_is_whole_and_opens_only_by_restore() {
    let (folder, path) = folder();
    let key = StoreKey::new([1; 32]);
    let store = SqliteStore::builder(&path).await.unwrap().encryption(key.clone()).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    for n in 0..100 {
        write(&account, &format!("before-{n}"), &"v".repeat(5_000)).await.unwrap();
    }
    let copy = folder.path().join("copy.db");
    let traffic = async {
        for n in 0..200 {
            write(&account, &format!("beside-{n}"), "v").await.unwrap();
        }
    };
    let (backup, ()) = tokio::join!(store.backup(&copy), traffic);
    backup.unwrap();
    assert!(
        matches!(store.backup(&copy).await, Err(StoreError::CannotOpen { .. })),
        "never over another file"
    );
    let restored = SqliteStore::builder(&copy).await.unwrap().encryption(key).open().await.unwrap();
    assert!(restored.check().await.unwrap().is_empty());
    assert!(matches!(restored.account("main").open().await, Err(StoreError::NeedsRestore(_))));
    let opened = restored.account("main").restore().await.unwrap().account;
    for n in 0..100 {
        assert!(read(&opened, &format!("before-{n}")).await.is_some());
    }
    let beside = opened.all(KeyValues, &"app".into()).await.unwrap().len() - 100;
    for n in 0..200 {
        assert_eq!(
            read(&opened, &format!("beside-{n}")).await.is_some(),
            n < beside,
            "one moment, not a mixture"
        );
    }
    write(&account, "x", "the original goes on").await.unwrap();
}

#[tokio::test]
async fn a_vacuum_gives_space_back() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let account = store.account("main").open().await.unwrap();
    for n in 0..40 {
        write(&account, &n.to_string(), &"v".repeat(100_000)).await.unwrap();
    }
    store.vacuum().await.unwrap();
    let full = fs::metadata(&path).unwrap().len();
    let mut changes = Changes::new();
    changes.clear(KeyValues, &"app".into());
    account.commit(changes).await.unwrap().release();
    store.vacuum().await.unwrap();
    let empty = fs::metadata(&path).unwrap().len();
    assert!(full > 4_000_000 && empty < 100_000, "{full} bytes before, {empty} after");
}

#[tokio::test]
async fn a_check_finds_a_damaged_file() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let account = store.account("main").open().await.unwrap();
    for n in 0..200 {
        write(&account, &n.to_string(), &"v".repeat(1_000)).await.unwrap();
    }
    assert!(store.check().await.unwrap().is_empty());
    store.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 4096].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    let found = store.check().await;
    assert!(!matches!(&found, Ok(findings) if findings.is_empty()), "{found:?}");
}

#[tokio::test]
async fn a_damaged_account_row_stops_nobody_else() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let (good, bad) =
        (store.account("good").open().await.unwrap(), store.account("bad").open().await.unwrap());
    Connection::open(&path)
        .unwrap()
        .execute("UPDATE accounts SET window = x'00' WHERE name = 'bad'", [])
        .unwrap();
    // In one group or in several: the good ones go through.
    let results = tokio::join!(write(&good, "1", "v"), write(&bad, "1", "v"), write(&good, "2", "v"));
    assert!(results.0.is_ok() && results.2.is_ok(), "{results:?}");
    assert!(matches!(results.1, Err(StoreError::CorruptFile(_))), "{results:?}");
    assert!(read(&good, "1").await.is_some() && read(&good, "2").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn in_the_blocking_pool_a_paused_clock_stands_still_during_a_commit() {
    let (_folder, path) = folder();
    let options = SqliteOptions::new(&path).threads(wa_store::sqlite::Threads::BlockingPool);
    let store = Store::builder(Arc::new(options.open().await.unwrap())).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    let start = tokio::time::Instant::now();
    for n in 0..20 {
        write(&account, &n.to_string(), "v").await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}
