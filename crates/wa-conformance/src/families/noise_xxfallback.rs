//! `noise-xxfallback`: an IK that the server declines goes on as XXfallback (chapter 01 §4.4).

use anyhow::Result;
use wa_noise::Pattern;

use super::noise_fields::run;
use crate::VectorFile;

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| run(case, Pattern::XxFallback))
}
