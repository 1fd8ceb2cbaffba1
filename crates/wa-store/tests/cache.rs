//! Rows that the store keeps in memory are what a read of the backend would find: random histories of reads, glances, commits,
//! commits of unknown outcome, their repetitions, reads that are answered late, and openings by two processes' worth of
//! stores, against a model. What is promised is broken on purpose as well, to show that the test sees it.

#![allow(clippy::print_stdout)] // seeds

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wa_store::conformance::{Cut, Unreliable};
use wa_store::sabotage::Sabotage;
use wa_store::tables::Sessions;
use wa_store::{AccountStore, Address, Changes, Glance, MemoryBackend, Pending, Session, Store, Uncommitted};

const USERS: u16 = 3;
const DEVICES: u16 = 4;

type Place = (u16, u16);
type Rows = BTreeMap<Place, u32>;

fn address((user, device): Place) -> Address {
    Address::new(format!("155501{user:02}@s.whatsapp.net"), device)
}

fn session(number: u32) -> Session {
    Session::new(Bytes::copy_from_slice(&number.to_be_bytes()))
}

/// What one commit does.
enum Effect {
    Put(Place, u32),
    Delete(Place),
    Clear(u16),
}

impl Effect {
    fn apply(&self, rows: &mut Rows) {
        match self {
            Self::Put(place, number) => drop(rows.insert(*place, *number)),
            Self::Delete(place) => drop(rows.remove(place)),
            Self::Clear(user) => rows.retain(|(of, _), _| of != user),
        }
    }
}

struct History {
    rng: StdRng,
    backend: Arc<Unreliable>,
    /// Two processes' worth.
    stores: [Store; 2],
    account: AccountStore,
    rows: Rows,
    numbers: u32,
    /// Commits of this opening whose answer was lost: what they do, or nothing if they have arrived.
    unknown: Vec<(Pending<()>, Option<Vec<Effect>>)>,
}

impl History {
    async fn new(seed: u64, sabotage: Sabotage) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let backend = Arc::new(Unreliable::new(Arc::new(MemoryBackend::default())));
        // Room for all rows, or for a few.
        let bytes = if rng.random() { 1 << 20 } else { 1000 };
        let open = async || {
            let builder = Store::builder(backend.clone()).cache_bytes(bytes).sabotage(sabotage);
            builder.holder("here").open().await.unwrap()
        };
        let stores = [open().await, open().await];
        let account = stores[0].account("main").open().await.unwrap();
        Self { rng, backend, stores, account, rows: Rows::new(), numbers: 0, unknown: Vec::new() }
    }

    fn place(&mut self) -> Place {
        (self.rng.random_range(0..USERS), self.rng.random_range(0..DEVICES))
    }

    fn effects(&mut self) -> (Changes, Vec<Effect>) {
        let (mut changes, mut effects) = (Changes::new(), Vec::new());
        for _ in 0..self.rng.random_range(1..4) {
            let place = self.place();
            effects.push(match self.rng.random_range(0..10) {
                0 => {
                    changes.clear(Sessions, &address(place).user);
                    Effect::Clear(place.0)
                }
                1..4 => {
                    changes.delete(Sessions, &address(place));
                    Effect::Delete(place)
                }
                _ => {
                    self.numbers += 1;
                    changes.put(Sessions, &address(place), &session(self.numbers));
                    Effect::Put(place, self.numbers)
                }
            });
        }
        (changes, effects)
    }

    fn apply(&mut self, effects: &[Effect]) {
        effects.iter().for_each(|effect| effect.apply(&mut self.rows));
    }

    /// What a read of these places must find now.
    fn wanted(&self, places: &[Place]) -> Vec<Option<Session>> {
        places.iter().map(|place| self.rows.get(place).copied().map(session)).collect()
    }

    async fn step(&mut self) -> Result<(), String> {
        let places: Vec<Place> = (0..self.rng.random_range(1..5)).map(|_| self.place()).collect();
        let keys: Vec<Address> = places.iter().map(|place| address(*place)).collect();
        let glance = keys.iter().fold(Glance::default(), |glance, key| glance.row(Sessions, key));
        match self.rng.random_range(0..20) {
            0..8 => {
                if self.rng.random_ratio(1, 4) {
                    self.account.glance(&glance).await.unwrap();
                }
                let read = self.account.many(Sessions, &keys).await.unwrap();
                if read != self.wanted(&places) {
                    return Err(format!("{places:?} read as {read:?}, not {:?}", self.wanted(&places)));
                }
            }
            8..12 => {
                let (changes, effects) = self.effects();
                self.account.commit(changes).await.unwrap().release();
                self.apply(&effects);
            }
            12..15 => {
                let (changes, effects) = self.effects();
                let cut = if self.rng.random() { Cut::Before } else { Cut::After };
                self.backend.cut_next(cut);
                let Uncommitted { pending, .. } = self.account.commit(changes).await.unwrap_err();
                if cut == Cut::After {
                    self.apply(&effects);
                }
                self.unknown.push((*pending, (cut == Cut::Before).then_some(effects)));
            }
            15..17 if !self.unknown.is_empty() => {
                let (pending, effects) =
                    self.unknown.swap_remove(self.rng.random_range(0..self.unknown.len()));
                self.account.commit(pending).await.unwrap().release();
                self.apply(&effects.unwrap_or_default());
            }
            17..19 => {
                let before = self.wanted(&places);
                let (changes, effects) = self.effects();
                self.backend.hold_reads();
                let (account, glances) = (self.account.clone(), self.rng.random_ratio(1, 4));
                let read = async {
                    if glances {
                        account.glance(&glance).await?;
                    }
                    account.many(Sessions, &keys).await
                };
                let (read, ()) = tokio::join!(biased; read, async {
                    self.account.commit(changes).await.unwrap().release();
                    self.apply(&effects);
                    self.backend.heal();
                });
                let read = read.unwrap();
                if read != before && read != self.wanted(&places) {
                    return Err(format!("{places:?} read as {read:?}: neither before nor after a commit"));
                }
            }
            _ => {
                let store = &self.stores[self.rng.random_range(0..2)];
                self.account = store.account("main").open().await.unwrap();
                self.unknown.clear();
            }
        }
        Ok(())
    }
}

/// Histories of these seeds; the first wrong read ends it.
async fn histories(seeds: u64, sabotage: Sabotage) -> Result<(), String> {
    let first = std::env::var("WA_STORE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("WA_STORE_SEED={first}, {seeds} histories");
    for seed in first..first + seeds {
        let mut history = History::new(seed, sabotage).await;
        for step in 0..400 {
            history.step().await.map_err(|wrong| format!("seed {seed}, step {step}: {wrong}"))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_kept_in_memory_is_what_is_stored() {
    histories(40, Sabotage::None).await.unwrap();
}

#[tokio::test]
async fn the_test_above_sees_rows_in_memory_that_are_not_what_is_stored() {
    for sabotage in
        [Sabotage::UntoldCache, Sabotage::TrustedDoubt, Sabotage::KeptOverOpenings, Sabotage::LateReads]
    {
        let seen = histories(40, sabotage).await.expect_err("it was not seen");
        println!("{sabotage:?}: {seen}");
    }
}
