//! Random conversations between wa-signal and other people's Signal code, each in a process of its own:
//!
//!     driver --record FOLDER
//!     driver [--steps N] [--seeds N] [--first-seed N] [--only wacore|node] [--skip-proofs]
//!
//! Every message must come out as it went in, or fail as the model says, on both sides. Then the same is run with a
//! rule broken on purpose, and must be found out. Exit code 0 only when all of that held.

mod group;
mod model;
mod pairwise;
mod process;
mod record;
mod sides;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use wa_signal::sabotage::{Rule, broken};

use model::Refusal;
use process::Kind;
use tally::Tally;

struct Options {
    steps: u64,
    seeds: u64,
    first_seed: u64,
    kinds: Vec<Kind>,
    proofs: bool,
    /// Where to write records for the tests of the import, instead of running conversations.
    record: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error:#}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = options()?;
    if let Some(folder) = &options.record {
        return Kind::RECORDED.into_iter().try_for_each(|kind| record::run(kind, folder));
    }
    for kind in &options.kinds {
        println!("{}:", kind.name());
        for seed in options.first_seed..options.first_seed + options.seeds {
            let started = Instant::now();
            let tally = pairwise::run(*kind, seed, options.steps, None)?;
            println!("{tally}, {:.1} s", started.elapsed().as_secs_f32());
            // Sessions of libsignal for Node are spoilt by every late message on an older one, and stay so until the
            // next is started.
            let least = if *kind == Kind::Node { 25 } else { 70 };
            tally.is_worth_having(least, &worth(*kind))?;

            let started = Instant::now();
            let tally = group::run(*kind, seed, options.steps, None)?;
            println!("{tally}, {:.1} s", started.elapsed().as_secs_f32());
            // Baileys cannot read a group message that was overtaken by another.
            let least = if *kind == Kind::Node { 25 } else { 50 };
            tally
                .is_worth_having(least, &[Refusal::Duplicate, Refusal::BadSignature, Refusal::NoSenderKey])?;
        }
    }
    let proofs = if options.proofs { prove(&options)? } else { 0 };
    let conversations = options.kinds.len() * options.seeds as usize * 2;
    println!("{} passed, 0 failed: both sides agreed on every message", conversations + proofs);
    Ok(())
}

/// What every run must have refused. Reinstallations are rare enough for a run without their kinds.
fn worth(kind: Kind) -> Vec<Refusal> {
    let mut refusals = vec![Refusal::BadMac];
    if kind == Kind::Wacore {
        refusals.push(Refusal::Duplicate);
    }
    refusals
}

/// A broken rule of ours, a lying stranger: each must end the run with an error.
fn prove(options: &Options) -> Result<usize> {
    let mut proofs = 0;
    println!("broken on purpose:");
    type Run = fn(Kind, u64, u64, Option<u64>) -> Result<Tally>;
    let (pair, group): (Run, Run) = (pairwise::run, group::run);
    let broken_rules: [(Rule, Run); 7] = [
        (Rule::AdvanceOnEncrypt, pair),
        (Rule::UseKeyOnce, pair),
        (Rule::Mac, pair),
        (Rule::JumpLimit, pair),
        (Rule::AdvanceOnEncrypt, group),
        (Rule::UseKeyOnce, group),
        (Rule::Signature, group),
    ];
    let steps = options.steps.max(2000);
    for kind in &options.kinds {
        // What of ours is broken shows with any stranger, and soonest with the fast one.
        let rules = if *kind == Kind::Wacore { &broken_rules[..] } else { &broken_rules[1..3] };
        for (rule, run) in rules.iter().copied() {
            proofs += 1;
            found_out(&format!("{rule:?}"), || {
                // The bound on jumps shows only in a run that goes past it.
                let seeds = options.first_seed..options.first_seed + 8;
                seeds.map(|seed| broken(rule, || run(*kind, seed, steps, None))).find(Result::is_err)
            })?;
        }
        for run in [pair, group] {
            proofs += 1;
            found_out("a stranger that lies", || Some(run(*kind, options.first_seed, steps, Some(50))))?;
        }
    }
    Ok(proofs)
}

fn found_out(what: &str, run: impl FnOnce() -> Option<Result<Tally>>) -> Result<()> {
    match run() {
        Some(Err(error)) => {
            println!("    {what}: found out ({})", error.root_cause());
            Ok(())
        }
        _ => bail!("{what}: nobody noticed"),
    }
}

fn options() -> Result<Options> {
    let mut options = Options {
        steps: 2000,
        seeds: 1,
        first_seed: 1,
        kinds: Kind::ALL.to_vec(),
        proofs: true,
        record: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match &*argument {
            "--steps" => options.steps = value()?.parse()?,
            "--seeds" => options.seeds = value()?.parse()?,
            "--first-seed" => options.first_seed = value()?.parse()?,
            "--only" => {
                let name = value()?;
                options.kinds.retain(|kind| kind.name() == name);
                ensure!(!options.kinds.is_empty(), "no stranger is called {name}");
            }
            "--record" => options.record = Some(value()?.into()),
            "--skip-proofs" => options.proofs = false,
            _ => bail!("unknown argument {argument}"),
        }
    }
    Ok(options)
}
