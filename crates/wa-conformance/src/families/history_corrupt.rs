//! `history-corrupt`: damaged blobs and the error that reading them to the end must give (chapter 08 §10).

use anyhow::{Result, bail};
use wa_core::history::{HistoryError, HistoryLimits, HistoryReader, Part};

use super::history_fields::{class, limits};
use crate::{VectorFile, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| {
        case.prose("name")?;
        case.prose("note")?;
        let limits = limits(case)?;
        let Err(error) = read(&case.base64("payload_b64")?, limits) else { bail!("was read to the end") };
        same("error", class(&error), case.str("expect_error")?)
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
