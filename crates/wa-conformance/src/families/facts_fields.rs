//! What a parser has found, to be held against what a case expects: only the facts that the case names are compared, but
//! a fact that the parser does not give fails the case.

use std::collections::BTreeMap;
use std::fmt::Display;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Number, Value, json};
use wa_core::queries::IqError;

use crate::{Reader, same};

/// A fact.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    /// Compared as a whole: scalars, lists of them, maps whose keys are data. Absent facts are null.
    Exact(Value),
    /// Facts by name, of which the case may name some.
    Record(Record),
    /// One fact each, as many as the case has.
    List(Vec<Self>),
    /// Written as the first, or as the record.
    Either(Value, Record),
    /// Pairs in any order, which the case may list once or several times.
    Set(Vec<Value>),
}

/// Facts by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(BTreeMap<String, Fact>);

impl Record {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a scalar, or null for none.
    pub(super) fn with(self, name: &str, value: impl Into<Value>) -> Self {
        self.with_fact(name, Fact::Exact(value.into()))
    }

    /// Adds something that is written as text, such as a JID.
    pub(super) fn with_text(self, name: &str, value: impl Into<Option<String>>) -> Self {
        let value: Option<String> = value.into();
        self.with(name, value)
    }

    pub(super) fn with_fact(mut self, name: &str, fact: Fact) -> Self {
        self.0.insert(name.to_owned(), fact);
        self
    }

    /// Adds a record, or null for none.
    pub(super) fn with_record(self, name: &str, record: Option<Self>) -> Self {
        self.with_fact(name, record.map_or(Fact::Exact(Value::Null), Fact::Record))
    }

    pub(super) fn with_list(self, name: &str, records: impl IntoIterator<Item = Self>) -> Self {
        self.with_fact(name, Fact::List(records.into_iter().map(Fact::Record).collect()))
    }

    /// Adds all facts of another record.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Compares the facts that `expect` names.
    pub(super) fn check(&self, expect: &Reader<'_>) -> Result<()> {
        for (name, expected) in expect.entries()? {
            let fact = self.0.get(name).with_context(|| {
                format!("no fact {name}; there are {:?}", self.0.keys().collect::<Vec<_>>())
            })?;
            fact.check(&expected).with_context(|| format!("fact {name}"))?;
        }
        Ok(())
    }
}

impl Fact {
    fn check(&self, expected: &Reader<'_>) -> Result<()> {
        match self {
            Self::Exact(actual) => same("value", normal(actual), normal(expected.raw())),
            Self::Record(_) | Self::List(_) if expected.peek().is_null() => {
                expected.raw();
                bail!("got {self:?}, expected none")
            }
            Self::Record(record) => record.check(expected),
            Self::Either(actual, record) => match expected.peek() {
                Value::Object(_) => record.check(expected),
                _ => same("value", normal(actual), normal(expected.raw())),
            },
            Self::List(facts) => {
                let expected = expected.items()?;
                ensure!(
                    facts.len() == expected.len(),
                    "got {}: {facts:?}, expected {}",
                    facts.len(),
                    expected.len()
                );
                for (place, (fact, expected)) in facts.iter().zip(&expected).enumerate() {
                    fact.check(expected).with_context(|| format!("item {place}"))?;
                }
                Ok(())
            }
            Self::Set(actual) => {
                let sorted = |items: &mut dyn Iterator<Item = String>| {
                    let mut items: Vec<String> = items.collect();
                    items.sort();
                    items.dedup();
                    items
                };
                let actual = sorted(&mut actual.iter().map(|item| normal(item).to_string()));
                let items = expected.items()?;
                let expected = sorted(&mut items.iter().map(|item| normal(item.raw()).to_string()));
                same("items", actual, expected)
            }
        }
    }
}

/// Whole numbers are equal however they are signed.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            number.as_i64().map_or_else(|| value.clone(), |signed| Value::Number(Number::from(signed)))
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), normal(field))).collect(),
        _ => value.clone(),
    }
}

/// An error of the server: its code, or a record.
pub(super) fn iq_error(error: &IqError) -> Fact {
    let record = Record::new()
        .with("code", error.code)
        .with("text", error.text.as_str())
        .with("class", error.class.as_deref())
        .with("backoff", error.backoff)
        .with("retriable", error.is_retriable());
    Fact::Either(json!(error.code), record)
}

/// As the vectors write it.
pub(super) fn text(value: &impl Display) -> String {
    value.to_string()
}

/// The same for what may be missing.
pub(super) fn opt(value: Option<&impl Display>) -> Option<String> {
    value.map(ToString::to_string)
}

/// A list of texts.
pub(super) fn texts<T: Display>(values: impl IntoIterator<Item = T>) -> Value {
    values.into_iter().map(|value| value.to_string()).collect()
}
