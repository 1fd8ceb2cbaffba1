//! Two real processes and one account: the second waits for a living first and takes over from a dead one; one that was
//! paused in the middle and wakes up late can write nothing. A store that does not look at the fence is caught.
#![cfg(unix)]
#![allow(clippy::print_stdout)] // the other process tells by its output

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use wa_store::sabotage::{Points, Sabotage};
use wa_store::sqlite::Point;
use wa_store::tables::KeyValues;
use wa_store::{AccountStore, Changes, SqliteOptions, Store, StoreError};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

async fn write(account: &AccountStore, value: &str) -> Result<(), StoreError> {
    let mut changes = Changes::new();
    changes.put(KeyValues, &("app".into(), Bytes::from_static(b"x")), &value.to_owned().into());
    account.commit(changes).await?.release();
    Ok(())
}

async fn read(account: &AccountStore) -> Bytes {
    account.one(KeyValues, &("app".into(), Bytes::from_static(b"x"))).await.unwrap().unwrap()
}

async fn store(options: SqliteOptions, holder: &str) -> Store {
    Store::builder(Arc::new(options.open().await.unwrap())).holder(holder).open().await.unwrap()
}

/// The other process: opens the account as `other`, writes, then stands still where it is told to.
struct Other {
    process: Child,
    told: BufReader<ChildStdout>,
    tell: ChildStdin,
}

impl Other {
    fn start(path: &Path, pause: Point, sabotage: Sabotage) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["other", "--exact", "--nocapture", "--test-threads=1"]).env("WA_OTHER_FILE", path);
        command.env("WA_OTHER_PAUSE", format!("{pause:?}")).env("WA_OTHER_SABOTAGE", format!("{sabotage:?}"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(process.stdout.take().unwrap());
        let tell = process.stdin.take().unwrap();
        Self { process, told, tell }
    }

    /// The next line that begins so, without its beginning.
    fn hear(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.told.read_line(&mut line).unwrap(), 0, "the other process ended before {wanted}");
            if let Some(rest) = line.trim_end().strip_prefix(wanted) {
                return rest.trim().to_owned();
            }
        }
    }

    fn go_on(&mut self) {
        self.tell.write_all(b"\n").unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_second_process_waits_for_a_living_first_and_takes_over_from_a_killed_one_at_once() {
    let (_folder, path) = folder();
    let mut other = Other::start(&path, Point::Begin, Sabotage::None);
    let epoch: u64 = other.hear("opened").parse().unwrap();
    other.hear("paused");
    let here = store(SqliteOptions::new(&path), "here").await;
    let refused = here.account("main").open().await;
    assert!(
        matches!(&refused, Err(StoreError::Held { holder, .. }) if holder.as_str() == "other"),
        "{refused:?}"
    );
    drop(other);
    // Its heartbeat would be valid for half a minute: the system's lock proves that it is gone.
    let account = here.account("main").open().await.unwrap();
    assert_eq!(account.epoch(), epoch + 1);
    assert_eq!(read(&account).await, "first");
    write(&account, "here").await.unwrap();
    here.close().await.unwrap();
}

/// What became of a commit of a process that was paused in it while another one took its account over.
async fn late_commit(sabotage: Sabotage) -> (String, Bytes) {
    let (_folder, path) = folder();
    let mut other = Other::start(&path, Point::Begin, sabotage);
    other.hear("paused");
    // Only its own name takes an account from a living process.
    let here = store(SqliteOptions::new(&path), "other").await;
    let account = here.account("main").open().await.unwrap();
    write(&account, "here").await.unwrap();
    other.go_on();
    let told = other.hear("second");
    let found = read(&account).await;
    here.close().await.unwrap();
    (told, found)
}

#[tokio::test]
async fn a_process_that_wakes_up_late_finds_its_lease_lost_and_writes_nothing() {
    assert_eq!(late_commit(Sabotage::None).await, ("LeaseLost".to_owned(), "here".into()));
}

#[tokio::test]
async fn the_test_above_sees_a_store_that_does_not_look_at_the_fence() {
    assert_eq!(late_commit(Sabotage::NoFenceCheck).await, ("done".to_owned(), "second".into()));
}

#[tokio::test]
async fn a_process_that_stands_still_in_a_transaction_is_told_as_a_lock_and_nothing_of_it_is_seen() {
    let (_folder, path) = folder();
    let mut other = Other::start(&path, Point::Written, Sabotage::None);
    other.hear("paused");
    let options = SqliteOptions::new(&path).patience(Duration::ZERO);
    let backend = Arc::new(options.open().await.unwrap());
    let seen = || Store::builder(backend.clone()).holder("here").open();
    let here = seen().await.unwrap();
    let refused = here.account("main").open().await;
    assert!(matches!(refused, Err(StoreError::Locked(_))), "{refused:?}");
    let key =
        wa_store::key::Key::to_bytes(&(compact_str::CompactString::from("app"), Bytes::from_static(b"x")));
    let key = wa_store::backend::RowKey { table: wa_store::Table::KeyValues, key };
    let row = here.backend().get_many(&"main".into(), vec![key.clone()]).await.unwrap().remove(0).unwrap();
    assert!(row.value.ends_with(b"first"), "the commit under way is not seen");
    other.go_on();
    assert_eq!(other.hear("second"), "done");
    let row = here.backend().get_many(&"main".into(), vec![key]).await.unwrap().remove(0).unwrap();
    assert!(row.value.ends_with(b"second"));
    here.close().await.unwrap();
}

/// The other process. In an ordinary run it is nothing.
#[test]
fn other() {
    let Some(path) = std::env::var_os("WA_OTHER_FILE") else { return };
    let said = |name: &str| std::env::var(name).unwrap_or_default();
    let sabotage = match said("WA_OTHER_SABOTAGE").as_str() {
        "NoFenceCheck" => Sabotage::NoFenceCheck,
        _ => Sabotage::None,
    };
    let wanted = said("WA_OTHER_PAUSE");
    let armed = Arc::new(AtomicBool::new(false));
    let hook = Arc::clone(&armed);
    let points = Points::new(move |point| {
        if format!("{point:?}") == wanted && hook.swap(false, Ordering::SeqCst) {
            say("paused");
            wait();
        }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = store(SqliteOptions::new(path).sabotage(sabotage).points(points), "other").await;
        let account = store.account("main").open().await.unwrap();
        // The test runner's own line has no end yet.
        say(&format!("\nopened {}", account.epoch()));
        write(&account, "first").await.unwrap();
        // Runs after the last point of the commit before.
        store.vacuum().await.unwrap();
        armed.store(true, Ordering::SeqCst);
        match write(&account, "second").await {
            Ok(()) => say("second done"),
            Err(StoreError::LeaseLost { .. }) => say("second LeaseLost"),
            Err(error) => say(&format!("second {error:?}")),
        }
        // Until it is killed.
        wait();
    });
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

/// For the other side to say something, or to end.
fn wait() {
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
}
