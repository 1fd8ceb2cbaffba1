//! The schema table, `docs/data/schema.tsv`, as Rust values. One row is one fact: a message, a field, an enum, an
//! enum value or a oneof. Chapter 03 §10 of the protocol reference describes the columns.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail, ensure};

/// Areas that are left out of `wa-proto`, and why.
pub(crate) const EXCLUDED_AREAS: [(&str, &str); 4] = [
    ("promotion", "in-app promotions of the official client"),
    ("local_storage", "the web client's own database, never on the wire"),
    ("consumer_app", "the message family of another application"),
    ("backup_crypto", "encrypted backups, which a linked device does not read"),
];

/// The label of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    Optional,
    Required,
    Repeated,
    Map,
}

/// A field of a message.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) number: i32,
    /// A scalar, the full name of a message or enum, or `map<k,v>`.
    pub(crate) kind: String,
    pub(crate) label: Label,
    pub(crate) packed: bool,
    pub(crate) oneof: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) absent_from_newest: bool,
}

/// A message or an enum with what it holds; nested ones are found by their dotted name.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    pub(crate) area: String,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Message { fields: Vec<Field>, oneofs: Vec<(String, Vec<String>)> },
    Enum { values: Vec<(String, i32)> },
}

/// The whole table by full name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schema {
    pub(crate) declarations: BTreeMap<String, Declaration>,
}

impl Schema {
    /// Reads the table.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text)
    }

    /// Parses the table's text; a row that does not fit is an error with its line number.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut schema = Self::default();
        let mut lines = text.lines().enumerate();
        let (_, head) = lines.next().context("empty table")?;
        ensure!(
            head == "kind\tfull_name\tfield_or_value_name\tnumber\ttype\tlabel\tpacked\toneof\tdefault\tsources\tarea\tnote",
            "unknown columns: {head}"
        );
        for (index, line) in lines {
            schema.row(line).with_context(|| format!("line {}: {line}", index + 1))?;
        }
        Ok(schema)
    }

    fn row(&mut self, line: &str) -> Result<()> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [kind, full_name, name, number, type_name, label, packed, oneof, default, _, area, note] =
            columns[..]
        else {
            bail!("{} columns", columns.len());
        };
        let some = |text: &str| (text != "-").then(|| text.to_owned());
        if name == "-" {
            let body = match kind {
                "message" => Body::Message { fields: Vec::new(), oneofs: Vec::new() },
                "enum" => Body::Enum { values: Vec::new() },
                other => bail!("unknown kind {other}"),
            };
            let old =
                self.declarations.insert(full_name.to_owned(), Declaration { area: area.to_owned(), body });
            ensure!(old.is_none(), "declared twice");
            return Ok(());
        }
        let declaration = self.declarations.get_mut(full_name).context("used before its declaration")?;
        ensure!(declaration.area == area, "area differs from the declaration's");
        match (&mut declaration.body, kind) {
            (Body::Message { fields, .. }, "message") => fields.push(Field {
                name: name.to_owned(),
                number: number.parse()?,
                kind: type_name.to_owned(),
                label: match label {
                    "optional" => Label::Optional,
                    "required" => Label::Required,
                    "repeated" => Label::Repeated,
                    "map" => Label::Map,
                    other => bail!("unknown label {other}"),
                },
                packed: packed == "y",
                oneof: some(oneof),
                default: some(default),
                absent_from_newest: note.contains("absent from newest schema"),
            }),
            (Body::Message { oneofs, .. }, "oneof") => {
                oneofs.push((name.to_owned(), type_name.split(',').map(str::to_owned).collect()));
            }
            (Body::Enum { values }, "enum") => values.push((name.to_owned(), number.parse()?)),
            _ => bail!("kind {kind} does not fit the declaration"),
        }
        Ok(())
    }

    /// The areas that `wa-proto` holds, in order.
    pub(crate) fn included_areas(&self) -> Vec<String> {
        let mut areas: Vec<String> = self.declarations.values().map(|one| one.area.clone()).collect();
        areas.sort();
        areas.dedup();
        areas.retain(|area| !is_excluded(area));
        areas
    }
}

/// Whether an area is left out of `wa-proto`.
pub(crate) fn is_excluded(area: &str) -> bool {
    EXCLUDED_AREAS.iter().any(|(name, _)| *name == area)
}
