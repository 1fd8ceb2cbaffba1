//! `appstate-actions`: one record of every known action in its collection (chapter 07 §10).

use anyhow::Result;

use super::appstate_fields::chain;
use crate::VectorFile;

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("collections", chain)
}
