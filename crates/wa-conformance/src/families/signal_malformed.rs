//! `signal-malformed`: byte strings that each parser must refuse (chapter 04 §24).

use anyhow::{Result, bail, ensure};
use wa_signal::{
    ErrorClass, PreKeySignalMessage, SenderKeyDistribution, SenderKeyMessage, SignalError, SignalMessage,
};

use crate::{Reader, VectorFile};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", refuse)
}

fn refuse(case: &Reader<'_>) -> Result<()> {
    for name in ["why", "note", "id", "name", "title"] {
        case.prose(name)?;
    }
    let bytes = case.hex("input")?;
    let parsed: Result<(), SignalError> = match case.str("kind")? {
        "msg" => SignalMessage::parse(&bytes).map(drop),
        "pkmsg" => PreKeySignalMessage::parse(&bytes).map(drop),
        "skdm" => SenderKeyDistribution::parse(&bytes).map(drop),
        "skmsg" => SenderKeyMessage::parse(&bytes).map(drop),
        other => bail!("unknown kind {other}"),
    };
    let Err(error) = parsed else { bail!("was accepted") };
    let class = error.class();
    ensure!(
        matches!(class, ErrorClass::Malformed | ErrorClass::UnsupportedVersion),
        "refused as {class} instead of malformed or unsupported-version"
    );
    Ok(())
}
