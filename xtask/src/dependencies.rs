//! Holds the dependency table of the workspace to its rules: every entry says what it is for, some member uses it, and
//! members take versions from nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use crate::workspace_root;

/// The entries of `[workspace.dependencies]` with their comments.
fn table(manifest: &str) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    for line in lines.take_while(|line| !line.starts_with('[')) {
        if let Some((name, rest)) = line.split_once(" = ") {
            let comment = rest.rsplit_once(" # ").map_or("", |(_, comment)| comment);
            let old = entries.insert(name.trim().to_owned(), comment.trim().to_owned());
            assert!(old.is_none(), "{name} stands twice");
        }
    }
    entries
}

/// Every manifest below the root that belongs to this workspace.
fn members() -> Vec<PathBuf> {
    let root = workspace_root();
    let mut manifests = vec![root.join("xtask/Cargo.toml")];
    for folder in ["crates", "bindings", "examples"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
        manifests
            .extend(entries.map(|entry| entry.unwrap().path().join("Cargo.toml")).filter(|it| it.is_file()));
    }
    manifests
}

/// The names in the dependency sections of a manifest, and those with a version of their own.
fn dependencies(manifest: &str) -> (BTreeSet<String>, Vec<String>) {
    let value: toml::Table = manifest.parse().unwrap();
    let mut tables: Vec<&toml::Table> = Vec::new();
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    tables.extend(sections.iter().filter_map(|section| value.get(*section)?.as_table()));
    for target in value.get("target").and_then(|it| it.as_table()).into_iter().flat_map(toml::Table::values) {
        tables.extend(sections.iter().filter_map(|section| target.get(*section)?.as_table()));
    }
    let (mut used, mut own) = (BTreeSet::new(), Vec::new());
    for (name, entry) in tables.into_iter().flatten() {
        let entry = entry.as_table();
        let from_workspace =
            entry.is_some_and(|it| it.get("workspace").and_then(toml::Value::as_bool) == Some(true));
        // A crate that tests itself with its test-only features names itself by path.
        let itself = entry.is_some_and(|it| it.get("path").and_then(toml::Value::as_str) == Some("."));
        if from_workspace {
            used.insert(name.clone());
        } else if !itself {
            own.push(name.clone());
        }
    }
    (used, own)
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let manifest = fs::read_to_string(workspace_root().join("Cargo.toml")).unwrap();
    let table = table(&manifest);
    let parsed: toml::Table = manifest.parse().unwrap();
    let names: BTreeSet<&String> = parsed["workspace"]["dependencies"].as_table().unwrap().keys().collect();
    assert_eq!(table.keys().collect::<BTreeSet<_>>(), names, "an entry is not on one line");
    let silent: Vec<&String> =
        table.iter().filter(|(_, comment)| comment.len() < 3).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "no purpose: {silent:?}");
}

#[test]
fn every_dependency_is_used_and_comes_from_the_table() {
    let manifest = fs::read_to_string(workspace_root().join("Cargo.toml")).unwrap();
    let parsed: toml::Table = manifest.parse().unwrap();
    let entries = parsed["workspace"]["dependencies"].as_table().unwrap();
    // The top crates of the workspace are used by applications only.
    let ours = |name: &str| entries[name].get("path").is_some();
    let mut unused: BTreeSet<String> = table(&manifest).into_keys().filter(|name| !ours(name)).collect();
    for path in members() {
        let (used, own) = dependencies(&fs::read_to_string(&path).unwrap());
        assert!(own.is_empty(), "{}: versions of its own for {own:?}", path.display());
        unused.retain(|name| !used.contains(name));
    }
    assert!(unused.is_empty(), "used by no crate: {unused:?}");
}

#[test]
fn a_silent_entry_a_foreign_version_and_a_use_are_seen() {
    let entries = table("[workspace.dependencies]\na = \"1\" # why\nb = \"2\"\n[x]\nc = \"3\"\n");
    assert_eq!(entries, BTreeMap::from([("a".into(), "why".into()), ("b".into(), String::new())]));
    let (used, own) = dependencies(
        "[dependencies]\na.workspace = true\nb = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\nc = { workspace = true }",
    );
    assert_eq!(used, BTreeSet::from(["a".into(), "c".into()]));
    assert_eq!(own, ["b"]);
}
