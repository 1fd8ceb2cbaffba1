//! One vector file: its sections (lists of cases), its prose and its counts. A family walks the sections; what it
//! leaves untouched fails the file.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    reader::{Reader, Tracker, is_prose, shortened},
    report::Report,
};

/// Fields of a file that hold text about it.
const PROSE: [&str; 8] =
    ["about", "description", "expect_format", "format", "generator", "made_with", "node_format", "source"];

/// Fields of a case that name it in a failure line.
const NAMES: [&str; 4] = ["id", "name", "title", "why"];

/// A vector file on its way through its family.
pub struct VectorFile<'a> {
    value: &'a Value,
    tracker: &'a Tracker,
    family: &'static str,
    label: String,
    report: &'a mut Report,
    /// What `counts` of the file must hold.
    counts: BTreeMap<String, u64>,
    cases: u64,
}

impl<'a> VectorFile<'a> {
    /// The fields of the file itself, for what all cases share (a key, an alphabet). Everything but the prose, the
    /// counts and the sections must be read through here.
    pub fn top(&self) -> Reader<'a> {
        Reader::new(self.value, self.tracker)
    }

    /// Checks every case of a list. `path` is the list's field, with dots for nested ones (`padding.valid`). A file
    /// without the list is fine; an empty list is not.
    pub fn section(&mut self, path: &str, check: impl Fn(&Reader<'_>) -> Result<()>) -> Result<()> {
        let Some(items) = self.cases(path)? else { return Ok(()) };
        ensure!(!items.is_empty(), "empty list {path}");
        self.counts.insert(path.to_owned(), items.len() as u64);
        for (index, item) in items.iter().enumerate() {
            self.cases += 1;
            match run_case(item, &check) {
                Ok(()) => self.report.passed(self.family, path),
                Err(reason) => {
                    let name = NAMES.iter().find_map(|name| item.get(name).and_then(Value::as_str));
                    let place = format!("{} {path}[{index}] {}", self.label, shortened(name.unwrap_or("")));
                    self.report.failed(self.family, path, place.trim_end(), &reason);
                }
            }
        }
        Ok(())
    }

    /// A list that the family knows to hold nothing. Cases in it are an error: nothing would check them.
    pub fn empty_section(&mut self, path: &str) -> Result<()> {
        if let Some(items) = self.cases(path)? {
            ensure!(items.is_empty(), "{path} has {} cases, and nothing checks them", items.len());
        }
        Ok(())
    }

    /// Says that `counts` of the file counts a section's cases by these names instead of the section's own.
    pub fn counted_as(&mut self, path: &str, counts: &[(&str, u64)]) {
        if self.counts.remove(path).is_some() {
            self.counts.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), *count)));
        }
    }

    fn cases(&self, path: &str) -> Result<Option<&'a Vec<Value>>> {
        let mut reader = self.top();
        for name in path.split('.') {
            match reader.opt(name)? {
                Some(field) => reader = field,
                None => return Ok(None),
            }
        }
        reader.raw().as_array().with_context(|| format!("{path} is not a list")).map(Some)
    }

    /// Reads the prose and the counts, after the family has walked the sections.
    fn finish(&self) -> Result<()> {
        let top = self.top();
        for name in PROSE {
            if let Some(field) = top.opt(name)? {
                ensure!(is_prose(field.raw()), "{name}: expected prose, found other values");
            }
        }
        if let Some(field) = top.opt("counts")? {
            let mut stated = BTreeMap::new();
            for (name, count) in field.entries()? {
                stated.insert(name.to_owned(), count.as_u64()?);
            }
            for (name, count) in &self.counts {
                let stated = stated.remove(name).with_context(|| format!("list {name} is not in counts"))?;
                ensure!(stated == *count, "counts says {stated} {name}, the file has {count}");
            }
            let unknown: Vec<&String> = stated.keys().collect();
            ensure!(unknown.is_empty(), "counts names what the file does not have: {unknown:?}");
        }
        let unread = self.tracker.unread(self.value);
        ensure!(unread.is_empty(), "unread: {}", listed(&unread));
        ensure!(self.cases > 0, "no cases");
        Ok(())
    }
}

/// Runs a family over a file's parsed content and adds the outcome to the report.
pub(crate) fn run_file(
    value: &Value,
    family: &'static str,
    check: fn(&mut VectorFile<'_>) -> Result<()>,
    label: &str,
    report: &mut Report,
) {
    let tracker = Tracker::default();
    let mut file = VectorFile {
        value,
        tracker: &tracker,
        family,
        label: label.to_owned(),
        report,
        counts: BTreeMap::new(),
        cases: 0,
    };
    let outcome = check(&mut file).and_then(|()| file.finish());
    if let Err(error) = outcome {
        report.failed(family, "(file)", label, &format!("{error:#}"));
    }
}

fn run_case(item: &Value, check: &impl Fn(&Reader<'_>) -> Result<()>) -> Result<(), String> {
    let tracker = Tracker::default();
    let reader = Reader::new(item, &tracker);
    match catch_unwind(AssertUnwindSafe(|| check(&reader))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(format!("{error:#}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no text)");
            return Err(format!("panicked: {text}"));
        }
    }
    let unread = tracker.unread(item);
    if unread.is_empty() { Ok(()) } else { Err(format!("unread: {}", listed(&unread))) }
}

fn listed(paths: &[String]) -> String {
    const MOST: usize = 8;
    let shown = paths.iter().take(MOST).map(|path| if path.is_empty() { "/" } else { path.as_str() });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if paths.len() > MOST {
        text.push_str(&format!(" and {} more", paths.len() - MOST));
    }
    text
}
