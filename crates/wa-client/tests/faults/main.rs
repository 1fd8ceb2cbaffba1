//! Every fault of the simulator against a table of what must follow (chapter 10 §11): which cause the health names, what
//! becomes of the messages that were on their way, and who has to act. From a seed (`WA_FAULT_SEED`), in virtual time.
#![allow(clippy::print_stdout)]

#[path = "../stage/mod.rs"]
mod stage;

mod http;
mod media;
mod scene;
mod stops;
mod table;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use serde_json::json;
use wa_sim::faults::Action;

use table::{Row, rows};

fn seed() -> u64 {
    std::env::var("WA_FAULT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

#[tokio::test(start_paused = true)]
async fn every_fault_ends_in_the_expected_health_and_the_conversation_goes_on() {
    let seed = seed();
    let only = std::env::var("WA_FAULT").ok();
    let (mut ran, mut failed) = (0, Vec::new());
    for (number, row) in (0_u64..).zip(rows()) {
        if only.as_ref().is_some_and(|only| !row.name.contains(only)) {
            continue;
        }
        ran += 1;
        // Each row is told by its own panic; the others still run.
        if AssertUnwindSafe(scene::play(&row, seed + number)).catch_unwind().await.is_err() {
            failed.push(row.name);
        }
    }
    println!("WA_FAULT_SEED={seed}: {ran} rows");
    assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
}

/// Names of an enum's variants, as its own deserializer lists them.
fn variants(error: &str) -> BTreeSet<String> {
    let listed = error.split_once("expected").map_or("", |(_, listed)| listed);
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn unknown<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> BTreeSet<String> {
    match serde_json::from_value::<T>(value) {
        Ok(_) => panic!("there is a variant `?`"),
        Err(error) => {
            let found = variants(&error.to_string());
            assert!(found.len() > 1, "{error}");
            found
        }
    }
}

#[test]
fn every_fault_has_a_row() {
    use wa_sim::faults::{Chain, CloseHow, Damage, FreezeMode, HandshakeFault, MediaFault, StreamForm};

    let shown: Vec<String> = rows()
        .iter()
        .flat_map(Row::actions)
        .map(|action| json!(action).to_string())
        .chain(http::shown())
        .chain(media::shown())
        .collect();
    let missing = |names: BTreeSet<String>, pattern: fn(&str) -> String| -> Vec<String> {
        names
            .iter()
            .map(|name| pattern(name))
            .filter(|wanted| !shown.iter().any(|one| one.contains(wanted)))
            .collect()
    };
    let mut absent = missing(unknown::<Action>(json!({ "do": "?" })), |name| format!(r#""do":"{name}""#));
    absent.extend(missing(unknown::<Damage>(json!("?")), |name| format!(r#""damage":"{name}""#)));
    absent.extend(missing(unknown::<FreezeMode>(json!("?")), |name| format!(r#""mode":"{name}""#)));
    absent.extend(missing(unknown::<StreamForm>(json!("?")), |name| format!(r#""form":"{name}""#)));
    absent.extend(missing(unknown::<Chain>(json!("?")), |name| format!(r#""chain":"{name}""#)));
    // Of these one variant holds more: it shows as a key instead of a text.
    absent.extend(missing(unknown::<CloseHow>(json!("?")), |name| format!(r#""{name}""#)));
    absent.extend(missing(unknown::<MediaFault>(json!("?")), |name| format!(r#""{name}""#)));
    absent.extend(missing(unknown::<HandshakeFault>(json!("?")), |name| format!(r#""{name}""#)));
    assert!(absent.is_empty(), "without a row: {absent:#?}");
    for conduct in table::misconduct() {
        assert!(rows().iter().any(|row| row.conduct == Some(conduct)), "without a row: {conduct:?}");
    }
}
