//! `history-corrupt`: damaged blobs and the error that reading them to the end must give (chapter 08 §10).

use anyhow::{Result, bail};
use wa_core::history::{HistoryError, HistoryLimits, HistoryReader, Part};

use crate::{VectorFile, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| {
        case.prose("name")?;
        case.prose("note")?;
        let mut limits = HistoryLimits::default();
        if let Some(limit) = case.opt_u64("inflate_limit")? {
            limits.blob = limit;
        }
        let class = match read(&case.base64("payload_b64")?, limits) {
            Ok(()) => bail!("was read to the end"),
            Err(HistoryError::MissingReference) => "HistoryMissingReference",
            Err(HistoryError::Inflate(_)) => "HistoryInflate",
            Err(HistoryError::TooLarge { .. }) => "HistoryTooLarge",
            Err(HistoryError::Malformed(_)) => "MalformedProtobuf",
        };
        same("error", class, case.str("expect_error")?)
    })
}

/// Reads everything that a client would look at.
fn read(blob: &[u8], limits: HistoryLimits) -> Result<(), HistoryError> {
    let mut reader = HistoryReader::new(blob, limits)?;
    while let Some(part) = reader.next_part()? {
        if let Part::Chat(chat) = part {
            chat.id()?;
            chat.header()?;
            for message in chat.messages() {
                message?;
            }
        }
    }
    Ok(())
}
