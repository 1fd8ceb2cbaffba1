//! The framework against bad input: what proves nothing must not pass.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use wa_conformance::{Family, Reader, Report, VectorFile, run, run_with, same};

/// Sums: `cases` of `{"name", "terms": [numbers], "sum"}`, with `extra.more` beside it and a shared `offset`.
const SUMS: Family = Family { name: "sums", check: sums };
const SUMS_WIDE: Family = Family { name: "sums-wide", check: |file| file.section("wide", |_| Ok(())) };

fn sums(file: &mut VectorFile<'_>) -> Result<()> {
    let offset = file.top().opt_u64("offset")?.unwrap_or(0);
    let check = |case: &Reader<'_>| {
        let name = case.str("name")?;
        assert!(name != "panic", "by request");
        let mut sum = offset;
        for term in case.list("terms")? {
            sum += term.as_u64()?;
        }
        same("sum", sum, case.u64("sum")?)
    };
    file.section("cases", check)?;
    file.section("extra.more", check)?;
    file.empty_section("reserved")
}

fn run_text(name: &str, text: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    run_with(&[SUMS, SUMS_WIDE], &[path])
}

/// The one failure of a file.
fn failure(text: &str) -> String {
    let report = run_text("sums.json", text);
    assert!(!report.is_success());
    assert_eq!(report.failures().len(), 1, "{report}");
    report.failures()[0].clone()
}

const GOOD: &str = r#"{"name": "good", "terms": [1, 2], "sum": 3}"#;

#[test]
fn a_good_file_passes_and_is_counted_by_section() {
    let text = format!(
        r#"{{"about": ["why"], "source": "by hand", "reserved": [], "counts": {{"cases": 2, "extra.more": 1}},
        "cases": [{GOOD}, {{"name": "empty", "terms": [], "sum": 0}}], "extra": {{"more": [{GOOD}]}}}}"#
    );
    let report = run_text("sums-2.json", &text);
    assert_eq!(report.totals(), (3, 0), "{report}");
    let text = report.to_string();
    assert!(text.ends_with(
        "sums cases: 2 passed, 0 failed\nsums extra.more: 1 passed, 0 failed\n3 passed, 0 failed\n"
    ));
}

#[test]
fn a_wrong_case_fails_with_its_name_and_both_values() {
    let line = failure(r#"{"cases": [{"name": "off", "terms": [1], "sum": 2}]}"#);
    assert_eq!(line, "FAIL sums.json cases[0] off: sum: got 1, expected 2");
}

#[test]
fn an_unread_field_fails_the_case() {
    let line = failure(r#"{"cases": [{"name": "more", "terms": [1], "sum": 1, "deep": {"er": [7]}}]}"#);
    assert!(line.contains("more: unread: /deep/er/0"), "{line}");
}

#[test]
fn a_missing_field_and_a_wrong_type_fail_the_case() {
    assert!(failure(r#"{"cases": [{"name": "x", "terms": [1]}]}"#).contains("no field /sum"));
    assert!(failure(r#"{"cases": [{"name": "x", "terms": 1, "sum": 1}]}"#).contains("not a list"));
    assert!(failure(r#"{"cases": ["text"]}"#).contains("not an object"));
}

#[test]
fn a_panic_fails_the_case_and_the_run_goes_on() {
    let text = format!(r#"{{"cases": [{{"name": "panic", "terms": [], "sum": 0}}, {GOOD}]}}"#);
    let report = run_text("sums.json", &text);
    assert_eq!(report.totals(), (1, 1));
    assert!(report.failures()[0].contains("panicked: by request"), "{report}");
}

#[test]
fn an_empty_or_absent_list_fails_the_file() {
    assert!(failure(r#"{"cases": []}"#).contains("empty list cases"));
    assert!(failure(r#"{"about": "nothing"}"#).contains("no cases"));
    assert!(
        failure(&format!(r#"{{"cases": [{GOOD}], "extra": {{"more": []}}}}"#))
            .contains("empty list extra.more")
    );
}

#[test]
fn an_unknown_list_or_field_fails_the_file() {
    assert!(
        failure(&format!(r#"{{"cases": [{GOOD}], "others": [{{"a": 1}}]}}"#)).contains("unread: /others/0/a")
    );
    assert!(
        failure(&format!(r#"{{"cases": [{GOOD}], "extra": {{"other": []}}}}"#))
            .contains("unread: /extra/other")
    );
    assert!(failure(&format!(r#"{{"cases": [{GOOD}], "key": "00"}}"#)).contains("unread: /key"));
    assert!(failure(&format!(r#"{{"cases": [{GOOD}], "reserved": [1]}}"#)).contains("reserved has 1 cases"));
    assert!(failure(&format!(r#"{{"cases": [{GOOD}], "about": {{"n": 1}}}}"#)).contains("expected prose"));
    assert!(failure("[1]").contains("not an object"));
}

#[test]
fn counts_must_name_every_list_and_be_right() {
    for (counts, reason) in [
        (r#"{"cases": 2}"#, "counts says 2 cases, the file has 1"),
        ("{}", "list cases is not in counts"),
        (r#"{"cases": 1, "more": 1}"#, "counts names what the file does not have"),
    ] {
        let line = failure(&format!(r#"{{"cases": [{GOOD}], "counts": {counts}}}"#));
        assert!(line.contains(reason), "{line}");
    }
}

#[test]
fn broken_json_and_repeated_fields_fail_the_file() {
    assert!(failure("{").contains("EOF"));
    assert!(
        failure(r#"{"cases": [{"name": "x", "sum": 9, "terms": [], "sum": 0}]}"#)
            .contains("sum stands twice")
    );
}

#[test]
fn the_longest_family_name_wins_and_an_unknown_one_is_refused_by_name() {
    assert_eq!(run_text("sums-wide-3.json", r#"{"wide": [{}]}"#).totals(), (0, 1));
    assert!(run_text("sums-wide-3.json", r#"{"wide": [{}]}"#).failures()[0].contains("unread: /"));
    for name in ["sumset.json", "sum.json", "other.json"] {
        let report = run_text(name, "{}");
        let stem = name.trim_end_matches(".json");
        assert_eq!(report.failures(), [format!("FAIL {name}: unknown family: {stem}")]);
    }
}

#[test]
fn missing_paths_and_folders_without_vectors_fail() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(&[folder.path().to_owned(), folder.path().join("none.json")]);
    assert_eq!(report.totals(), (0, 2), "{report}");
}

#[test]
fn the_program_exits_with_1_on_any_failure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let good = format!("{}/vectors/signal-xeddsa.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&good)?;
    let bad = folder.path().join("signal-xeddsa-bad.json");
    fs::write(&bad, text.replacen("\"valid\": true", "\"valid\": false", 1))?;
    let program =
        |paths: &[&std::path::Path]| Command::new(env!("CARGO_BIN_EXE_wa-conformance")).args(paths).output();
    let output = program(&[good.as_ref()])?;
    ensure!(output.status.code() == Some(0));
    ensure!(String::from_utf8(output.stdout)?.lines().last() == Some("59 passed, 0 failed"));
    let output = program(&[bad.as_ref()])?;
    ensure!(output.status.code() == Some(1));
    ensure!(String::from_utf8(output.stdout)?.lines().last() == Some("58 passed, 1 failed"));
    ensure!(program(&[])?.status.code() == Some(2));
    Ok(())
}
