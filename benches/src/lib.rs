//! The harness of all benches: contenders on the same input, which must give the same result; minimum of several
//! interleaved runs; allocations by a counting allocator; instructions by callgrind; raw numbers kept in `results/`.
//!
//! A bench is one file in `src/bin/`: it fills a [`Bench`] with rows and calls [`Bench::run`]. See
//! `docs/benchmarks.md` for how to repeat one.

mod counting;
mod machine;
mod measure;

use std::hint::black_box;
use std::process::ExitCode;

use measure::Measured;

/// The head of a result file: what the bench ran on. For benches that measure in their own way.
pub fn machine(name: &str) -> String {
    machine::description(name)
}

/// Runs of each contender; the minimum counts.
const RUNS: usize = 40;

/// One bench: rows of contenders.
pub struct Bench {
    name: &'static str,
    rows: Vec<Row>,
}

/// What is measured for one input.
pub struct Row {
    name: String,
    goal: f64,
    contenders: Vec<Contender>,
}

struct Contender {
    name: &'static str,
    work: Box<dyn FnMut() -> u64>,
}

impl Bench {
    /// An empty bench; `name` is that of its file.
    pub fn new(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// Adds a row. `goal` is how many times faster than every peer the first contender is to be.
    pub fn row(&mut self, name: impl Into<String>, goal: f64) -> &mut Row {
        self.rows.push(Row { name: name.into(), goal, contenders: Vec::new() });
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    /// Measures everything, prints it and writes `results/<name>.txt`. Arguments: a part of a row's name measures only
    /// those rows and writes nothing.
    pub fn run(mut self) -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if let [only, row, contender, times] = &arguments[..]
            && only == "--only"
        {
            self.repeat(row.parse().unwrap(), contender.parse().unwrap(), times.parse().unwrap());
            return ExitCode::SUCCESS;
        }
        let part = arguments.first().cloned().unwrap_or_default();
        let mut report = machine::description(self.name);
        println!("{report}");
        let mut kept = true;
        for (number, row) in self.rows.iter_mut().enumerate() {
            if row.name.contains(&part) {
                let text = row.measure(number);
                kept &= !text.contains("SLOWER");
                println!("{text}");
                report.push_str(&text);
                report.push('\n');
            }
        }
        if part.is_empty() {
            let path = format!("{}/results/{}.txt", env!("CARGO_MANIFEST_DIR"), self.name);
            std::fs::write(&path, report).unwrap();
        }
        if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// For callgrind: only the work of one contender, some times.
    fn repeat(&mut self, row: usize, contender: usize, times: u64) {
        let work = &mut self.rows[row].contenders[contender].work;
        for _ in 0..times {
            black_box(work());
        }
    }
}

impl Row {
    /// Adds a contender; ours comes first. `work` does the thing once and gives a digest of the result, which must be
    /// equal for all.
    pub fn contender(&mut self, name: &'static str, work: impl FnMut() -> u64 + 'static) -> &mut Self {
        self.contenders.push(Contender { name, work: Box::new(work) });
        self
    }

    fn measure(&mut self, number: usize) -> String {
        let results: Vec<u64> = self.contenders.iter_mut().map(|it| (it.work)()).collect();
        assert!(results.iter().all(|it| *it == results[0]), "{}: results differ: {results:x?}", self.name);

        let mut measured: Vec<Measured> =
            self.contenders.iter_mut().map(|it| Measured::prepare(&mut it.work)).collect();
        for _ in 0..RUNS {
            for (contender, measured) in self.contenders.iter_mut().zip(&mut measured) {
                measured.run(&mut contender.work);
            }
        }
        for (at, (contender, measured)) in self.contenders.iter_mut().zip(&mut measured).enumerate() {
            measured.count(&mut contender.work, number, at);
        }

        let mut text = format!("{}\n", self.name);
        for (contender, measured) in self.contenders.iter().zip(&measured) {
            text.push_str(&format!("  {:<24} {measured}\n", contender.name));
        }
        let ours = measured[0].minimum();
        for (contender, other) in self.contenders.iter().zip(&measured).skip(1) {
            let ratio = other.minimum() / ours;
            let verdict = match ratio {
                _ if ratio >= self.goal => "goal kept",
                _ if ratio >= 1.0 => "goal missed",
                _ => "SLOWER",
            };
            text.push_str(&format!(
                "  {ratio:.2}x faster than {} (goal {}x: {verdict})\n",
                contender.name, self.goal
            ));
        }
        text
    }
}
