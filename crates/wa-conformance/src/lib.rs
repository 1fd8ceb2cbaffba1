#![forbid(unsafe_code)]
//! Runs protocol test vectors against the crates: JSON files made by independent implementations.
//!
//! A file belongs to the family whose name begins its stem (`nodes-2.json` is of family `nodes`; the longest name
//! wins). A family is one file in `families/`; it names the file's sections (lists of cases) and checks a case. The
//! framework sees to it that nothing passes unproven: a field that no check has read fails its case, an empty list,
//! an unknown list and a wrong count fail the file. See the crate's README for how to add a family.

mod families;
mod file;
mod json;
pub mod node_reader;
pub mod proto_json;
mod reader;
mod report;
mod run;

pub use file::VectorFile;
pub use reader::{Reader, same, same_bytes};
pub use report::Report;
pub use run::{Family, families, run, run_with};
