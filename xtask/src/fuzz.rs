//! `cargo xtask fuzz [target…] [--seconds N]`: runs the targets of `fuzz/` with libFuzzer on the stable toolchain and
//! prints what each has reached.
//!
//! The coverage instrumentation is asked for with plain compiler flags, so neither a nightly compiler nor cargo-fuzz is
//! needed. Corpora are seeded from the vector files: a line `//! Seeds: <file> <field> <field>…` in a target names a
//! vector file and the fields whose values (hexadecimal, base64 in `…_b64`, else text) become inputs, a line
//! `//! Seed folder: <path>` a folder of files in hexadecimal. Corpora and findings stay out of the repository.

use std::{
    collections::BTreeSet,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use serde_json::Value;

use crate::shell::{Steps, apt_install, is_installed, target_folder};

/// Seconds that each target gets in a smoke run.
const SMOKE_SECONDS: u64 = 4;

/// What cargo-fuzz would ask for, less the address sanitizer: the parsers hold no unsafe code.
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Runs the named targets or all, ten minutes each unless told otherwise.
pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<()> {
    let mut named = BTreeSet::new();
    let mut seconds = 600;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seconds" => seconds = rest.next().context("--seconds without a number")?.parse()?,
            name if !name.starts_with('-') => {
                named.insert(name.to_owned());
            }
            _ => bail!("usage: cargo xtask fuzz [target…] [--seconds N]"),
        }
    }
    let all = targets(&steps.root)?;
    if let Some(unknown) = named.difference(&all).next() {
        bail!("no target {unknown}; there are {all:?}");
    }
    fuzz(steps, if named.is_empty() { &all } else { &named }, seconds)
}

/// Runs every target for a short time.
pub(crate) fn smoke(steps: &mut Steps) -> Result<()> {
    let targets = targets(&steps.root)?;
    fuzz(steps, &targets, SMOKE_SECONDS)
}

fn fuzz(steps: &mut Steps, targets: &BTreeSet<String>, seconds: u64) -> Result<()> {
    apt_install(steps, || is_installed("c++", &["--version"]), &["g++"])?;
    let binaries = build(steps)?;
    let mut reached = Vec::new();
    for target in targets {
        let corpus = seed(&steps.root, target)?;
        let findings = steps.root.join("fuzz/artifacts").join(target);
        fs::create_dir_all(&findings)?;
        // A fixed seed, printed with the command; the corpus is what varies between machines.
        let mut command = steps.command(&binaries.join(target).to_string_lossy(), &[]);
        command
            .arg(corpus)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", findings.display()))
            .args(["-seed=1", "-timeout=10", "-rss_limit_mb=1024", "-max_len=65536", "-len_control=20"])
            .arg("-print_final_stats=1");
        let mut last = String::new();
        steps.run_with(&format!("fuzz {target}"), &mut command, |command| watch(command, &mut last))?;
        reached.push(format!("{target}: {last}"));
    }
    println!("\nexecutions, coverage (cov: edges, ft: features), corpus (inputs/bytes):");
    for line in reached {
        println!("{line}");
    }
    Ok(())
}

/// Runs libFuzzer, passes on what it says but for its notes on each new input, and keeps its last count.
fn watch(command: &mut Command, last: &mut String) -> std::io::Result<std::process::ExitStatus> {
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    if let Some(output) = child.stderr.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            let is_note = line.starts_with('#') || line.trim_start().starts_with("NEW_FUNC");
            if line.starts_with('#') && line.contains("cov:") {
                *last = line.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            if !is_note || line.contains("DONE") {
                eprintln!("{line}");
            }
        }
    }
    child.wait()
}

/// Builds all targets and gives the folder with their binaries.
fn build(steps: &mut Steps) -> Result<PathBuf> {
    let host = host()?;
    let target_folder = target_folder(&steps.root).join("fuzz");
    // With --target the flags do not reach build scripts and macros, which run outside of libFuzzer.
    let mut command =
        steps.cargo(&["build", "--locked", "--release", "--bins", "--manifest-path", "fuzz/Cargo.toml"]);
    command.args(["--target", &host]).env("RUSTFLAGS", RUSTFLAGS).env("CARGO_TARGET_DIR", &target_folder);
    steps.run("fuzz targets", &mut command)?;
    Ok(target_folder.join(host).join("release"))
}

fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let line =
        text.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    Ok(line.to_owned())
}

/// The targets in the folder; each must have its entry in the manifest.
fn targets(root: &Path) -> Result<BTreeSet<String>> {
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml"))?;
    let mut targets = BTreeSet::new();
    for entry in fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(
            manifest.contains(&format!("fuzz_targets/{name}.rs\"")),
            "fuzz/Cargo.toml has no [[bin]] for {name}"
        );
        targets.insert(name);
    }
    Ok(targets)
}

/// Writes the seeds of a target into its corpus and gives the folder.
fn seed(root: &Path, target: &str) -> Result<PathBuf> {
    let corpus = root.join("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let source = fs::read_to_string(root.join(format!("fuzz/fuzz_targets/{target}.rs")))?;
    let mut inputs = Vec::new();
    for line in source.lines().filter_map(|line| line.strip_prefix("//! Seeds: ")) {
        let mut words = line.split_whitespace();
        let file = words.next().context("a seeds line without a file")?;
        let fields: Vec<&str> = words.collect();
        let path = root.join("crates/wa-conformance/vectors").join(file);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let before = inputs.len();
        let mut parser = serde_json::Deserializer::from_str(&text);
        // A stanza at the limit of its own depth is nested deeper in JSON than the parser allows unasked.
        parser.disable_recursion_limit();
        let value: Value = parser.into_iter().next().with_context(|| format!("{file} is empty"))??;
        collect(&value, &fields, &mut inputs)?;
        ensure!(inputs.len() > before, "{target}: {file} has none of the fields {fields:?}");
    }
    for folder in source.lines().filter_map(|line| line.strip_prefix("//! Seed folder: ")) {
        for entry in fs::read_dir(root.join(folder)).with_context(|| folder.to_owned())? {
            let path = entry?.path();
            let text = fs::read_to_string(&path)?;
            inputs.push(hex::decode(text.trim()).with_context(|| path.display().to_string())?);
        }
    }
    ensure!(!inputs.is_empty(), "{target} names nothing to seed its corpus from");
    for input in &inputs {
        let mut hasher = DefaultHasher::new();
        input.hash(&mut hasher);
        fs::write(corpus.join(format!("seed-{:016x}", hasher.finish())), input)?;
    }
    println!("{target}: {} seeds", inputs.len());
    Ok(corpus)
}

/// The values of `fields` anywhere below `value`.
fn collect(value: &Value, fields: &[&str], inputs: &mut Vec<Vec<u8>>) -> Result<()> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| collect(item, fields, inputs)),
        Value::Object(entries) => entries.iter().try_for_each(|(name, field)| match field {
            Value::String(text) if fields.contains(&name.as_str()) => {
                inputs.push(if name.ends_with("_b64") {
                    base64::engine::general_purpose::STANDARD.decode(text)?
                } else {
                    hex::decode(text).unwrap_or_else(|_| text.clone().into_bytes())
                });
                Ok(())
            }
            Value::Array(items) if fields.contains(&name.as_str()) => items.iter().try_for_each(|item| {
                // A list of texts is one input each; anything else is walked.
                match item {
                    Value::String(text) => {
                        inputs.push(hex::decode(text).unwrap_or_else(|_| text.clone().into_bytes()));
                        Ok(())
                    }
                    other => collect(other, fields, inputs),
                }
            }),
            other => collect(other, fields, inputs),
        }),
        _ => Ok(()),
    }
}
