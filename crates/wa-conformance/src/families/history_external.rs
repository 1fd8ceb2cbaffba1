//! `history-external`: notifications of encrypted files, the files, and what must be found in them (chapter 08 §1, §3,
//! §6.3).

use anyhow::{Context, Result};
use bytes::Bytes;
use prost::Message as _;
use wa_core::envelope::Own;
use wa_core::history::{HistoryDeletion, HistoryError, HistoryLimits, HistorySource};
use wa_proto::e2e_message::message::HistorySyncNotification;

use super::facts_fields::Record;
use super::history_fields as history;
use crate::proto_json::{self, Style};
use crate::{VectorFile, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    let own = history::own(&file.top())?;
    file.section("cases", |case| {
        case.prose("name")?;
        case.prose("note")?;
        let limits = history::limits(case)?;
        let bytes = Bytes::from(case.base64("notification_b64")?);
        if let Some(fields) = case.opt("notification")? {
            let message = "e2e_message.Message.HistorySyncNotification";
            same("notification", &proto_json::decode(message, &bytes, Style::Standard)?, fields.raw())?;
        }
        let notification = HistorySyncNotification::decode(bytes)?;
        if let Some(query) = case.opt("delete_query")? {
            let deletion = HistoryDeletion::of(&notification).context("no file to delete")?;
            Record::new()
                .with("token", deletion.token)
                .with("d_md", deletion.path)
                .with("e_handle", deletion.handle)
                .check(&query)?;
        }
        let encrypted = case.base64("encrypted_file_b64")?;
        history::check(read(&notification, &encrypted, limits, &own), &case.field("expect")?)
    })
}

fn read(
    notification: &HistorySyncNotification,
    encrypted: &[u8],
    limits: HistoryLimits,
    own: &Own,
) -> Result<Record, HistoryError> {
    match HistorySource::of(notification)? {
        HistorySource::Inline(blob) => history::facts(&blob, limits, own),
        HistorySource::File(file) => history::facts(&file.open(encrypted)?, limits, own),
    }
}
