//! One contender's numbers.

use std::fmt;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use crate::counting;

/// How long one run is, in nanoseconds: short, so that some runs fall between the interruptions of a busy machine.
const RUN: f64 = 2e6;

/// Times of all runs, allocations and instructions of one call.
pub(crate) struct Measured {
    calls: u64,
    runs: Vec<f64>,
    allocations: (f64, f64),
    instructions: Option<u64>,
}

impl Measured {
    /// Warms up and finds out how many calls make a run.
    pub(crate) fn prepare(work: &mut impl FnMut() -> u64) -> Self {
        let mut calls = 1;
        loop {
            let took = time(work, calls);
            if took > RUN / 4.0 {
                let calls = ((calls as f64 * RUN / took) as u64).max(1);
                return Self { calls, runs: Vec::new(), allocations: (0.0, 0.0), instructions: None };
            }
            calls *= 2;
        }
    }

    pub(crate) fn run(&mut self, work: &mut impl FnMut() -> u64) {
        self.runs.push(time(work, self.calls) / self.calls as f64);
    }

    /// Allocations and instructions of one call. Instructions need valgrind; without it they are left out.
    pub(crate) fn count(&mut self, work: &mut impl FnMut() -> u64, row: usize, contender: usize) {
        const CALLS: u64 = 10;
        let (count, bytes) = counting::count(|| {
            for _ in 0..CALLS {
                black_box(work());
            }
        });
        self.allocations = (count as f64 / CALLS as f64, bytes as f64 / CALLS as f64);
        let times = (2_000_000.0 / self.minimum()).clamp(2.0, 1_000.0) as u64;
        let few = instructions(row, contender, times);
        let more = instructions(row, contender, 2 * times);
        self.instructions = few.zip(more).map(|(few, more)| more.saturating_sub(few) / times);
    }

    /// Nanoseconds of a call in the fastest run.
    pub(crate) fn minimum(&self) -> f64 {
        self.runs.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

fn time(work: &mut impl FnMut() -> u64, calls: u64) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(work());
    }
    start.elapsed().as_nanos() as f64
}

/// Instructions of this program when it runs one contender `times` times.
fn instructions(row: usize, contender: usize, times: u64) -> Option<u64> {
    let own = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(["--only", &row.to_string(), &contender.to_string(), &times.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse().ok())
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instructions = self.instructions.map_or_else(|| "?".to_owned(), |it| it.to_string());
        write!(
            f,
            "{:>11.1} ns  {instructions:>9} instructions  {:>7.1} allocations  {:>9.0} bytes allocated  runs:",
            self.minimum(),
            self.allocations.0,
            self.allocations.1
        )?;
        self.runs.iter().try_for_each(|run| write!(f, " {run:.1}"))
    }
}
