//! From paths to a report: which files to read, which family each belongs to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{VectorFile, file, json, report::Report};

/// A family of vector files.
#[derive(Clone, Copy)]
pub struct Family {
    /// What the stem of a file begins with.
    pub name: &'static str,
    /// Walks the sections of a file.
    pub check: fn(&mut VectorFile<'_>) -> Result<()>,
}

/// Every family that this crate knows, by name.
pub fn families() -> &'static [Family] {
    crate::families::FAMILIES
}

/// Runs files, and the `.json` files of folders and their sub-folders.
pub fn run(paths: &[PathBuf]) -> Report {
    run_with(families(), paths)
}

/// The same with a table of families of one's own.
pub fn run_with(families: &[Family], paths: &[PathBuf]) -> Report {
    let mut report = Report::default();
    for path in paths {
        match files(path) {
            Ok(files) => {
                for file in files {
                    run_one(families, &file, &mut report);
                }
            }
            Err(error) => {
                report.failed("(none)", "(file)", &path.display().to_string(), &format!("{error:#}"));
            }
        }
    }
    report
}

fn run_one(families: &[Family], path: &Path, report: &mut Report) {
    let label = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let Some(family) = family_of(families, &stem) else {
        report.failed("(none)", "(file)", &label, &format!("unknown family: {stem}"));
        return;
    };
    match fs::read_to_string(path).map_err(anyhow::Error::from).and_then(|text| Ok(json::parse(&text)?)) {
        Ok(value) => file::run_file(&value, family.name, family.check, &label, report),
        Err(error) => report.failed(family.name, "(file)", &label, &format!("{error:#}")),
    }
}

/// The longest family name that begins the stem; what follows the name must not be part of a word.
fn family_of<'a>(families: &'a [Family], stem: &str) -> Option<&'a Family> {
    families
        .iter()
        .filter(|family| {
            let rest = stem.strip_prefix(family.name);
            rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
        })
        .max_by_key(|family| family.name.len())
}

/// A file itself, or the vector files below a folder in order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !fs::metadata(path).context("cannot be read")?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        // A link to a folder above would have no end.
        if entry.file_type()?.is_dir() {
            found.extend(files(&path).unwrap_or_default());
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    if found.is_empty() {
        bail!("no vector files in this folder");
    }
    Ok(found)
}
