//! `appstate-chains`: snapshots and patches in a row, with every hash, MAC and decoded action (chapter 07 §5, §7).

use anyhow::Result;

use super::appstate_fields::chain;
use crate::VectorFile;

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("chains", chain)
}
