//! What passed and what failed, by family and section.

use std::{collections::BTreeMap, fmt};

/// The outcome of a run. Its `Display` is the program's output: a line per failing case, a line per family and
/// section, and the sum.
#[derive(Debug, Default)]
pub struct Report {
    failures: Vec<String>,
    tallies: BTreeMap<(String, String), (u64, u64)>,
}

impl Report {
    /// How many cases passed and how many failed; a file that fails as a whole counts as one.
    pub fn totals(&self) -> (u64, u64) {
        self.tallies.values().fold((0, 0), |(passed, failed), one| (passed + one.0, failed + one.1))
    }

    /// Whether at least one case ran and none failed.
    pub fn is_success(&self) -> bool {
        let (passed, failed) = self.totals();
        passed > 0 && failed == 0
    }

    /// The lines of what failed.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    pub(crate) fn passed(&mut self, family: &str, section: &str) {
        self.tally(family, section).0 += 1;
    }

    pub(crate) fn failed(&mut self, family: &str, section: &str, place: &str, reason: &str) {
        self.tally(family, section).1 += 1;
        let line = format!("FAIL {place}: {reason}");
        self.failures.push(line.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" | "));
    }

    fn tally(&mut self, family: &str, section: &str) -> &mut (u64, u64) {
        self.tallies.entry((family.to_owned(), section.to_owned())).or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.failures {
            writeln!(formatter, "{line}")?;
        }
        for ((family, section), (passed, failed)) in &self.tallies {
            writeln!(formatter, "{family} {section}: {passed} passed, {failed} failed")?;
        }
        let (passed, failed) = self.totals();
        writeln!(formatter, "{passed} passed, {failed} failed")
    }
}
