//! What was proven, as the table of `docs/interop.md`: the document must say what the suite has run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::kinds::PAIRS;
use crate::stranger::Kind;
use crate::table::{Chat, rows};

const BEGIN: &str = "<!-- kinds: begin -->\n";
const END: &str = "<!-- kinds: end -->\n";

/// What became of a row in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Proven,
    /// Not played, and why.
    Apart(&'static str),
    Failed,
}

/// By row and direction.
#[derive(Debug, Default)]
pub struct Outcomes(BTreeMap<(usize, &'static str, &'static str), Outcome>);

impl Outcomes {
    pub fn note(&mut self, row: usize, (from, to): (Kind, Kind), outcome: Outcome) {
        self.0.insert((row, from.name(), to.name()), outcome);
    }

    /// The table, with the reasons below it.
    fn table(&self) -> String {
        let directions: Vec<_> = PAIRS.iter().flat_map(|(one, other)| [(one, other), (other, one)]).collect();
        let reasons: BTreeSet<&str> = self.0.values().filter_map(|outcome| outcome.reason()).collect();
        let mut out = String::from("| kind |");
        for (from, to) in &directions {
            out.push_str(&format!(" {} → {} |", from.title(), to.title()));
        }
        out.push_str(&format!("\n| --- |{}\n", " --- |".repeat(directions.len())));
        for (number, row) in rows().iter().enumerate() {
            let within = match row.chat {
                Chat::Direct => "",
                Chat::Group => "in a group: ",
                Chat::Status => "as a status: ",
                Chat::List => "to a broadcast list: ",
            };
            out.push_str(&format!("| {within}{} |", row.name));
            for (from, to) in &directions {
                let cell = match self.0.get(&(number, from.name(), to.name())) {
                    Some(Outcome::Proven) => "yes".to_owned(),
                    Some(Outcome::Apart(why)) => {
                        let place =
                            reasons.iter().position(|reason| reason == why).map_or(0, |place| place + 1);
                        format!("– ({place})")
                    }
                    Some(Outcome::Failed) | None => "no".to_owned(),
                };
                out.push_str(&format!(" {cell} |"));
            }
            out.push('\n');
        }
        out.push('\n');
        for (place, reason) in reasons.iter().enumerate() {
            out.push_str(&format!("{}. {reason}.\n", place + 1));
        }
        out
    }

    /// Compares with the document, or writes it when `KINDS_WRITE` is set.
    pub fn hold_against(&self, document: &Path) -> Result<()> {
        let text = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
        let (before, rest) = text.split_once(BEGIN).context("no place for the table of kinds")?;
        let (written, after) = rest.split_once(END).context("the table of kinds has no end")?;
        let table = self.table();
        if std::env::var_os("KINDS_WRITE").is_some() {
            std::fs::write(document, format!("{before}{BEGIN}{table}{END}{after}"))?;
            return Ok(());
        }
        ensure!(
            written == table,
            "{} does not say what was run (KINDS_WRITE=1 writes it):\n{table}",
            document.display()
        );
        Ok(())
    }
}

impl Outcome {
    const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Apart(why) => Some(*why),
            Self::Proven | Self::Failed => None,
        }
    }
}
