//! Power cuts: a disk that loses any part of what was not synced, at any write, sync, truncation or removal. `Power` loses
//! no answered commit, `Process` may lose the last ones, neither leaves half a commit or a file that cannot be read
//! (chapter 04 §21). `WA_SOAK=1` cuts thousands of times.
#![cfg(unix)]
#![allow(clippy::print_stdout)] // seeds and counts

mod proof;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use proof::ledger::{Ledger, Promise, Seen, Violation};
use proof::{rounds, seed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Runtime;
use wa_store::sabotage::Sabotage;
use wa_store::{Durability, ManualClock, SqliteOptions, Store, StoreError, UnixTime};
use wa_store_vfs::{Disk, Failure, Lasting, Loss, Lost, Operation};

/// Cuts that one file lives through.
const CUTS_OF_A_FILE: u64 = 20;

/// One power cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// In the middle of which operation, and how many of its kind were done before.
    at: (Option<Operation>, u64),
    loss: Loss,
    /// A sync that fails before, and forgets what it was to make durable.
    failing_sync: Option<u64>,
    durability: Durability,
    sabotage: Sabotage,
}

impl Cut {
    fn nth(cut: u64, durability: Durability, rng: &mut StdRng) -> Self {
        let loss = Loss::ALL[(cut % 4) as usize];
        let at = match rng.random_range(0..10) {
            // Into the opening of the file.
            0..2 => (None, rng.random_range(0..40)),
            // When all is written and nothing durable.
            2..5 if durability == Durability::Power => (Some(Operation::Sync), rng.random_range(0..50)),
            _ => (None, rng.random_range(0..900)),
        };
        let failing_sync = rng.random_bool(0.2).then(|| rng.random_range(0..100));
        Self { at, loss, failing_sync, durability, sabotage: Sabotage::None }
    }
}

/// A file over several power cuts.
struct Life {
    disk: Disk,
    folder: tempfile::TempDir,
    ledger: Ledger,
    clock: Arc<ManualClock>,
}

impl Life {
    fn new(disk: &Disk) -> Self {
        disk.replace();
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
        Self { disk: disk.clone(), folder: tempfile::tempdir().unwrap(), ledger: Ledger::default(), clock }
    }

    fn options(&self) -> SqliteOptions {
        let path: PathBuf = self.folder.path().join("store.db");
        SqliteOptions::new(path).vfs(self.disk.name())
    }

    fn cut(&mut self, runtime: &Runtime, cut: Cut, rng: &mut StdRng) -> Result<(Seen, Lost), Violation> {
        let heard = Arc::new(Mutex::new(std::mem::take(&mut self.ledger)));
        self.disk.cut_at(cut.at.0, cut.at.1);
        if let Some(nth) = cut.failing_sync {
            self.disk.fail(Some(Operation::Sync), nth, Failure::Io, Lasting::Once);
        }
        let options = self.options().durability(cut.durability).sabotage(cut.sabotage);
        let (ledger, clock) = (Arc::clone(&heard), self.clock.clone());
        let failures = runtime.block_on(async move {
            let backend = match options.open().await {
                Ok(backend) => Arc::new(backend),
                Err(error) => return vec![error],
            };
            let failures = match Store::builder(backend.clone()).clock(clock).open().await {
                Ok(store) => proof::work(store, Arc::new(move |note| ledger.lock().hear(&note))).await,
                Err(error) => vec![error],
            };
            drop(wa_store::Backend::close(&*backend).await);
            failures
        });
        // An error of the disk is told as one of the disk. (A store that answers too early answers what never ran.)
        let strange = |error: &&StoreError| {
            let is_of_the_disk = matches!(error, StoreError::Io(_) | StoreError::CannotOpen { .. });
            let never_ran = matches!(error, StoreError::Closed) && cut.sabotage != Sabotage::None;
            !is_of_the_disk && !never_ran
        };
        if let Some(strange) = failures.iter().find(strange) {
            return Err(Violation::Unreadable(strange.clone()));
        }
        self.disk.cut();
        self.disk.heal();
        let lost = self.disk.restart(cut.loss, rng).unwrap();
        self.ledger = std::mem::take(&mut heard.lock());
        let promise = match cut.durability {
            Durability::Power => Promise::EveryCommit,
            _ => {
                // Nobody can prove the death of a holder whose row came back and whose lock did not: its lease expires.
                self.clock.advance(Duration::from_secs(60));
                Promise::WholeCommits
            }
        };
        let clock = self.clock.clone();
        Ok((runtime.block_on(self.ledger.check(self.options(), clock, promise))?, lost))
    }
}

fn cuts(name: &str, durability: Durability, many: u64) -> Seen {
    let seed = seed();
    println!("WA_STORE_SEED={seed}, {many} power cuts, {durability:?}");
    let mut rng = StdRng::seed_from_u64(seed);
    let runtime = Runtime::new().unwrap();
    let disk = Disk::simulated(name);
    let (mut seen, mut answered) = (Seen::default(), 0);
    let mut by_loss: BTreeMap<Loss, (u64, Lost)> = BTreeMap::new();
    let mut life = Life::new(&disk);
    for number in 0..many {
        proof::progress(number, many);
        if number % CUTS_OF_A_FILE == 0 {
            answered += life.ledger.answered;
            life = Life::new(&disk);
        }
        let cut = Cut::nth(number, durability, &mut rng);
        let (found, lost) = match life.cut(&runtime, cut, &mut rng) {
            Ok(found) => found,
            Err(violation) => panic!("WA_STORE_SEED={seed}, cut {number}, {cut:?}: {violation:?}"),
        };
        seen.add(found);
        let (cuts, sum) = by_loss.entry(cut.loss).or_default();
        *cuts += 1;
        sum.kept += lost.kept;
        sum.torn += lost.torn;
        sum.lost += lost.lost;
        sum.names += lost.names;
    }
    answered += life.ledger.answered;
    for (loss, (cuts, Lost { kept, torn, lost, names })) in &by_loss {
        println!(
            "{cuts:6} cuts, lost {loss:?}: of the unsynced changes {kept} kept, {torn} torn, {lost} lost; {names} names"
        );
    }
    println!(
        "{answered} commits were answered, {} of them lost; of those in flight {} were there whole and {} not at all; \
         {} repeated, applied once each",
        seen.lost, seen.there, seen.absent, seen.repeated
    );
    let counts = disk.counts();
    let of = |operation| counts.of(operation);
    println!(
        "the disk made {} writes, {} syncs, {} truncations, {} removals",
        of(Operation::Write),
        of(Operation::Sync),
        of(Operation::Truncate),
        of(Operation::Delete)
    );
    assert_eq!(by_loss.len(), Loss::ALL.len());
    seen
}

#[test]
fn power_loses_no_answered_commit() {
    let many = rounds(6_000, 40);
    let seen = cuts("power", Durability::Power, many);
    assert!(seen.lost == 0 && seen.absent > 0 && seen.repeated > 0, "{seen:?}");
    // That all of an unsynced commit survives is rare.
    assert!(many < 1_000 || seen.there > 0, "{seen:?}");
}

#[test]
fn process_loses_answered_commits_but_none_in_part() {
    // That it loses some is not a wish: it shows that the disk takes what was not synced.
    let seen = cuts("process", Durability::Process, rounds(3_000, 24));
    assert!(seen.lost > 0, "{seen:?}");
}

#[test]
fn a_store_that_answers_before_the_commit_is_caught_by_a_power_cut() {
    let runtime = Runtime::new().unwrap();
    let mut rng = StdRng::seed_from_u64(seed());
    let disk = Disk::simulated("sabotaged");
    let mut life = Life::new(&disk);
    let honest = Cut {
        at: (None, 300),
        loss: Loss::Everything,
        failing_sync: None,
        durability: Durability::Power,
        sabotage: Sabotage::None,
    };
    life.cut(&runtime, honest, &mut rng).unwrap();
    let caught = (0..100).find_map(|turn| {
        let cut = Cut { at: (None, 200 + turn), sabotage: Sabotage::AckBeforeCommit, ..honest };
        life.cut(&runtime, cut, &mut rng).err()
    });
    assert!(matches!(caught, Some(Violation::Lost { .. })), "{caught:?}");
}
