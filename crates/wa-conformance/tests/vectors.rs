//! Runs every vector file of the tree, and holds the table of families against the files.
#![allow(clippy::print_stdout)] // the report of the vectors, for whoever reads a failed run

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn stems(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn all_vectors_pass() {
    let report = wa_conformance::run(&[folder("vectors")]);
    println!("{report}");
    assert!(report.is_success(), "\n{report}");
}

#[test]
fn every_family_has_vectors_and_is_registered() {
    let vectors = stems(&folder("vectors"));
    let families: BTreeSet<String> = wa_conformance::families().iter().map(|it| it.name.to_owned()).collect();
    for family in &families {
        assert!(vectors.iter().any(|stem| stem.starts_with(family)), "{family} has no vector file");
    }
    let sources = stems(&folder("src/families"));
    let unregistered: Vec<&String> = sources
        .iter()
        .filter(|stem| *stem != "mod" && !stem.ends_with("_fields"))
        .filter(|stem| !families.contains(&stem.replace('_', "-")))
        .collect();
    assert!(unregistered.is_empty(), "not in the table of families: {unregistered:?}");
}
