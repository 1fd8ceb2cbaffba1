//! A disk that fails: an error at every single operation, a write that ends in the middle, no space, no permission to
//! write. Each is a typed error that says whether to repeat; nothing is half-written; the failed commit goes through when
//! it is repeated as it is, and then it survives a power cut. `WA_SOAK=1` lets every operation fail, not every seventh.
#![cfg(unix)]
#![allow(clippy::print_stdout)] // seeds and counts

mod proof;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use proof::ledger::whole_step;
use proof::{seed, typed_changes};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tempfile::TempDir;
use wa_store::tables::KeyValues;
use wa_store::{AccountStore, Changes, Retry, SqliteOptions, Store, StoreError};
use wa_store_vfs::{Disk, Failure, Lasting, Loss, Operation, Writable};

const STEPS: u64 = 12;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

/// What a run met, by name of the error.
type Met = BTreeMap<String, u64>;

/// Does `call` until it succeeds. The first error heals the disk, so the second attempt has to succeed.
async fn until_done<T>(
    disk: &Disk,
    met: &mut Met,
    mut call: impl AsyncFnMut() -> Result<T, StoreError>,
) -> T {
    match call().await {
        Ok(done) => done,
        Err(error) => {
            note(met, &error);
            disk.heal();
            call().await.unwrap_or_else(|again| panic!("first {error:?}, then {again:?}"))
        }
    }
}

/// Only errors that say "the same call may succeed later".
fn note(met: &mut Met, error: &StoreError) {
    assert_eq!(error.retry(), Retry::Same, "{error:?}");
    let text = format!("{error:?}");
    let name = text.split(['(', ' ']).next().unwrap_or_default().to_owned();
    *met.entry(name).or_default() += 1;
}

/// Opens, commits, reads, prunes, vacuums, closes; every call that fails is repeated. Then the power fails.
async fn live_through(disk: &Disk, path: &PathBuf, met: &mut Met) {
    let open = async || {
        let backend = SqliteOptions::new(path).vfs(disk.name()).open().await?;
        Store::builder(Arc::new(backend)).holder("one").open().await
    };
    let store = until_done(disk, met, open).await;
    let account = until_done(disk, met, async || store.account("main").open().await).await;
    for step in 1..=STEPS {
        let first = account.commit(typed_changes(0, step)).await;
        if let Err(failed) = first {
            note(met, &failed.error);
            let now = until_done(disk, met, async || read(&account).await).await;
            assert!(now == step - 1 || now == step, "step {step}: {now} is there");
            disk.heal();
            account.commit(*failed.pending).await.expect("the same commit again").release();
        }
        let now = until_done(disk, met, async || read(&account).await).await;
        assert_eq!(now, step);
        match step {
            4 => drop(until_done(disk, met, async || store.prune().await).await),
            8 => until_done(disk, met, async || store.vacuum().await).await,
            _ => {}
        }
    }
    until_done(disk, met, async || account.release().await).await;
    if let Err(error) = store.close().await {
        note(met, &error);
    }
    disk.heal();
    disk.cut();
    disk.restart(Loss::Everything, &mut StdRng::seed_from_u64(seed())).unwrap();
    let store = open().await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let account = store.account("main").open().await.unwrap();
    assert_eq!(read(&account).await.unwrap(), STEPS);
    store.close().await.unwrap();
}

/// The step of the lane. A half-written one is no error to repeat.
async fn read(account: &AccountStore) -> Result<u64, StoreError> {
    match whole_step(account, 0).await {
        Ok(step) => Ok(step),
        Err(proof::ledger::Violation::Unreadable(error)) => Err(error),
        Err(torn) => panic!("{torn:?}"),
    }
}

async fn fail_everywhere(name: &str, operation: Option<Operation>, failure: Failure, lasting: Lasting) {
    // Syncs are few.
    let soak = std::env::var_os("WA_SOAK").is_some();
    let stride = if soak || operation == Some(Operation::Sync) { 1 } else { 7 };
    let disk = Disk::simulated(name);
    let (mut met, mut failed, mut nth) = (Met::new(), 0, seed() % stride);
    loop {
        disk.replace();
        disk.fail(operation, nth, failure, lasting);
        let before = met.values().sum::<u64>();
        let (_folder, path) = folder();
        let struck = disk.struck();
        live_through(&disk, &path, &mut met).await;
        if disk.struck() == struck {
            break;
        }
        failed += 1;
        // The errors of one fault are few: it strikes once or until it is healed.
        assert!(met.values().sum::<u64>() - before <= 2, "operation {nth}: {met:?}");
        nth += stride;
    }
    println!("{name}: {failed} of {nth} operations failed in turn; errors told {met:?}");
    assert!(failed > 10, "{failed}");
}

#[tokio::test]
async fn every_operation_may_fail_once() {
    fail_everywhere("once", None, Failure::Io, Lasting::Once).await;
}

#[tokio::test]
async fn every_operation_may_fail_from_some_moment_on() {
    fail_everywhere("from-then-on", None, Failure::Io, Lasting::UntilHealed).await;
}

#[tokio::test]
async fn every_sync_may_fail_and_forget() {
    fail_everywhere("syncs", Some(Operation::Sync), Failure::Io, Lasting::Once).await;
}

#[tokio::test]
async fn every_write_may_find_the_disk_full() {
    fail_everywhere("full", Some(Operation::Write), Failure::Full, Lasting::UntilHealed).await;
}

#[tokio::test]
async fn every_write_may_end_in_the_middle() {
    fail_everywhere("short", Some(Operation::Write), Failure::Short, Lasting::Once).await;
}

#[tokio::test]
async fn on_a_disk_without_space_nothing_is_lost_and_what_failed_is_repeated() {
    let disk = Disk::simulated("no-space");
    let (_folder, path) = folder();
    let backend = SqliteOptions::new(&path).vfs(disk.name()).open().await.unwrap();
    let store = Store::builder(Arc::new(backend)).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    disk.capacity(Some(disk.used() + 100_000));
    let (mut step, mut failed) = (0, None);
    while failed.is_none() {
        step += 1;
        match account.commit(typed_changes(0, step)).await {
            Ok(done) => done.release(),
            Err(error) => failed = Some(error),
        }
        assert!(step < 1_000, "100 kB are never full");
    }
    let failed = failed.unwrap();
    assert!(matches!(failed.error, StoreError::DiskFull(_)), "{failed:?}");
    assert_eq!(read(&account).await.unwrap(), step - 1, "reading goes on");
    let again = account.commit(*failed.pending).await.unwrap_err();
    assert!(matches!(again.error, StoreError::DiskFull(_)), "{again:?}");
    disk.capacity(None);
    account.commit(*again.pending).await.unwrap().release();
    assert_eq!(read(&account).await.unwrap(), step);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named_and_works_again_when_it_can() {
    let disk = Disk::simulated("read-only");
    let (_folder, path) = folder();
    let open = async || SqliteOptions::new(&path).vfs(disk.name()).open().await;
    let store = Store::builder(Arc::new(open().await.unwrap())).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    account.commit(typed_changes(0, 1)).await.unwrap().release();
    store.close().await.unwrap();
    disk.allow(Writable::AllButTheDatabase);
    let refused = open().await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly(_)), "{refused:?}");
    disk.allow(Writable::Nothing);
    let refused = open().await.unwrap_err();
    // Without a log the file cannot be opened, with one it cannot be written.
    assert!(matches!(refused, StoreError::CannotOpen { .. } | StoreError::ReadOnly(_)), "{refused:?}");
    disk.allow(Writable::Everything);
    let store = Store::builder(Arc::new(open().await.unwrap())).open().await.unwrap();
    assert_eq!(read(&store.account("main").open().await.unwrap()).await.unwrap(), 1);
    store.close().await.unwrap();
}

#[tokio::test]
async fn an_error_fails_a_whole_group_and_each_of_it_is_repeated_for_itself() {
    let disk = Disk::simulated("group");
    let (_folder, path) = folder();
    let backend = SqliteOptions::new(&path).vfs(disk.name()).open().await.unwrap();
    let store = Store::builder(Arc::new(backend)).open().await.unwrap();
    let (mut accounts, mut tasks) = (Vec::new(), Vec::new());
    for name in 0..16 {
        accounts.push(store.account(format!("account-{name}")).open().await.unwrap());
    }
    disk.fail(Some(Operation::Sync), 3, Failure::Io, Lasting::UntilHealed);
    for account in accounts {
        tasks.push(tokio::spawn(async move {
            for step in 1..=20_u64 {
                let mut changes = Changes::new();
                changes.put(KeyValues, &("app".into(), proof::number(step)), &Bytes::from_static(b"v"));
                if let Err(failed) = account.commit(changes).await {
                    return Some((account, step, failed));
                }
            }
            None
        }));
    }
    let mut failures = Vec::new();
    for task in tasks {
        failures.extend(task.await.unwrap());
    }
    assert_eq!(failures.len(), 16, "nobody gets through while the disk fails");
    disk.heal();
    for (account, step, failed) in failures {
        assert!(matches!(failed.error, StoreError::Io(_)), "{failed:?}");
        account.commit(*failed.pending).await.unwrap().release();
        assert_eq!(account.all(KeyValues, &"app".into()).await.unwrap().len() as u64, step);
    }
    store.close().await.unwrap();
}
