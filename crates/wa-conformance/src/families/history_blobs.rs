//! `history-blobs`: blobs inside their notifications, of every type, and what must be found in them (chapter 08).

use anyhow::{Result, bail};
use bytes::Bytes;
use prost::Message as _;
use wa_core::history::HistorySource;
use wa_proto::e2e_message::message::HistorySyncNotification;

use super::history_fields as history;
use crate::{VectorFile, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    let own = history::own(&file.top())?;
    file.section("cases", |case| {
        case.prose("name")?;
        case.prose("note")?;
        let limits = history::limits(case)?;
        let notification = HistorySyncNotification::decode(Bytes::from(case.base64("notification_b64")?))?;
        let HistorySource::Inline(blob) = HistorySource::of(&notification)? else { bail!("not inline") };
        if case.has("payload_b64") {
            same_bytes("payload", &blob, case.base64("payload_b64")?)?;
        }
        history::check(history::facts(&blob, limits, &own), &case.field("expect")?)
    })
}
