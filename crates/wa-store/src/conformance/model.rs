//! A random history of openings, commits, repetitions and stale commits against a model of three lines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Under, at, batch, row};
use crate::backend::{Applied, Backend, Batch, Op};
use crate::{StoreError, Table};

/// What an account must hold.
#[derive(Default)]
struct Model {
    epoch: u64,
    applied: BTreeSet<u64>,
    rows: BTreeMap<String, u64>,
    next: u64,
}

/// A batch that was sent, and what it does to the model.
#[derive(Clone)]
struct Sent {
    account: usize,
    batch: Batch,
    effect: Vec<(String, Option<u64>)>,
}

pub async fn a_random_history_agrees_with_the_model(backend: Arc<dyn Backend>) {
    let seed = std::env::var("WA_STORE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let steps = std::env::var("WA_STORE_STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(300);
    let told = format!("WA_STORE_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let under = Under::new(backend).await;
    let names = ["a", "b", "c"];
    let mut models: [Model; 3] = Default::default();
    let mut sent: Vec<Sent> = Vec::new();
    for (name, model) in names.iter().zip(&mut models) {
        model.epoch = under.open(name).await;
    }
    for step in 0..steps {
        if rng.random_ratio(1, 20) {
            let account = rng.random_range(0..3);
            models[account].epoch = under.open(names[account]).await;
            models[account].applied.clear();
            models[account].next = 0;
        }
        let mut group = Vec::new();
        for _ in 0..rng.random_range(1..5) {
            if !sent.is_empty() && rng.random_ratio(1, 3) {
                // An old one again: it may be a repetition, one that never arrived, or one of an old epoch.
                group.push(sent[sent.len() - 1 - rng.random_range(0..sent.len().min(20))].clone());
                continue;
            }
            let new = make(&mut rng, &names, &mut models);
            sent.push(new.clone());
            if rng.random_ratio(4, 5) {
                group.push(new);
            }
        }
        let results = under.group(group.iter().map(|sent| sent.batch.clone()).collect()).await;
        for (one, result) in group.into_iter().zip(results) {
            let model = &mut models[one.account];
            let fence = one.batch.fence.expect("every batch of this case has one");
            let wanted = if fence.epoch != model.epoch {
                None
            } else if model.applied.insert(fence.sequence) {
                for (key, value) in one.effect {
                    match value {
                        Some(value) => model.rows.insert(key, value),
                        None => model.rows.remove(&key),
                    };
                }
                Some(Applied::Now)
            } else {
                Some(Applied::Before)
            };
            match (wanted, result) {
                (Some(wanted), Ok(applied)) => assert_eq!(applied, wanted, "{told}, step {step}"),
                (None, Err(StoreError::LeaseLost { .. })) => {}
                (wanted, result) => panic!("{told}, step {step}: wanted {wanted:?}, got {result:?}"),
            }
        }
    }
    for (name, model) in names.iter().zip(&models) {
        let keys: Vec<Bytes> = under.keys(name, Table::KeyValues, b"", 5).await;
        assert!(keys.iter().eq(model.rows.keys().map(String::as_bytes)), "{told}: {name} has {keys:?}");
        for (key, value) in &model.rows {
            assert_eq!(under.text(name, key).await, Some(value.to_string()), "{told}: {name} {key}");
        }
    }
}

fn make(rng: &mut StdRng, names: &[&str; 3], models: &mut [Model; 3]) -> Sent {
    let account = rng.random_range(0..3);
    let model = &mut models[account];
    model.next += 1;
    let mut effect: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for _ in 0..rng.random_range(1..4) {
        let key = format!("k{}", rng.random_range(0..12));
        effect.insert(key, rng.random_ratio(2, 3).then(|| rng.random()));
    }
    let ops = effect.iter().map(|(key, value)| match value {
        Some(value) => Op::Put(at(key), row(value.to_string())),
        None => Op::Delete(at(key)),
    });
    let batch = batch(names[account], model.epoch, model.next, ops.collect());
    Sent { account, batch, effect: effect.into_iter().collect() }
}
