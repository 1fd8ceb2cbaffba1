//! `noise-ik`: IK: reconnection with a cached server key (chapter 01 §4.3).

use anyhow::Result;
use wa_noise::Pattern;

use super::noise_fields::run;
use crate::VectorFile;

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| run(case, Pattern::Ik))
}
