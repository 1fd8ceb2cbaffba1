//! Family `signal-malformed` (chapter 04 §24): byte strings that each parser must refuse.

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use wa_signal::{
    ErrorClass, PreKeySignalMessage, SenderKeyDistribution, SenderKeyMessage, SignalError, SignalMessage,
};

use super::signal_fields::{hex_field, text};

/// Runs one case.
pub fn run(case: &Value) -> Result<()> {
    let bytes = hex_field(case, "input")?;
    let parsed: Result<(), SignalError> = match text(case, "kind")? {
        "msg" => SignalMessage::parse(&bytes).map(drop),
        "pkmsg" => PreKeySignalMessage::parse(&bytes).map(drop),
        "skdm" => SenderKeyDistribution::parse(&bytes).map(drop),
        "skmsg" => SenderKeyMessage::parse(&bytes).map(drop),
        other => bail!("unknown kind {other}"),
    };
    let Err(error) = parsed else { bail!("was accepted: {}", case["why"]) };
    ensure!(
        matches!(error.class(), ErrorClass::Malformed | ErrorClass::UnsupportedVersion),
        "refused as {} instead of malformed or unsupported-version",
        error.class()
    );
    Ok(())
}
