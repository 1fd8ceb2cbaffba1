//! Asking the phone for more, and its answers (chapter 08 §7): messages between own devices, to device 0, with
//! `category="peer"`.

use bytes::Bytes;
use wa_proto::common::MessageKey;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::peer_data_operation_request_message::{
    FullHistorySyncOnDemandRequest, HistorySyncChunkRetryRequest, HistorySyncOnDemandRequest,
    PlaceholderMessageResendRequest, SyncDCollectionFatalRecoveryRequest,
};
use wa_proto::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResult;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{
    AppStateSyncKeyId, AppStateSyncKeyRequest, PeerDataOperationRequestMessage, PeerDataOperationRequestType,
    ProtocolMessage,
};

use super::{HistoryError, StoredMessage};
use crate::app_state::Collection;

/// Messages that a client asks for at once, which is also the usual maximum.
pub const DEFAULT_COUNT: i32 = 50;

/// What the phone can be asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PeerRequest {
    /// Older messages of a chat.
    OlderMessages {
        /// The chat's address.
        chat: String,
        /// The oldest message that is known.
        oldest_id: String,
        /// Whether the account wrote it.
        oldest_from_me: bool,
        /// Its time in **seconds**: the field's name says otherwise.
        oldest_timestamp: i64,
        /// How many. See [`DEFAULT_COUNT`].
        count: i32,
        /// The own LID.
        account_lid: Option<String>,
        /// Whether the answer may come inside its notification.
        inline_response: Option<bool>,
    },
    /// All of the history, for businesses.
    FullHistory(Box<FullHistorySyncOnDemandRequest>),
    /// Messages that could not be decrypted.
    Placeholders(Vec<MessageKey>),
    /// A collection of app state that cannot be repaired.
    CollectionRecovery {
        /// Which.
        collection: Collection,
        /// Seconds.
        timestamp: i64,
    },
    /// A blob once more.
    ChunkRetry(Box<HistorySyncChunkRetryRequest>),
    /// Anything else.
    Other(Box<PeerDataOperationRequestMessage>),
}

impl PeerRequest {
    /// The message to send.
    pub fn message(&self) -> Message {
        let mut request = PeerDataOperationRequestMessage::default();
        let kind = match self {
            Self::OlderMessages {
                chat,
                oldest_id,
                oldest_from_me,
                oldest_timestamp,
                count,
                account_lid,
                inline_response,
            } => {
                request.history_sync_on_demand_request = Some(Box::new(HistorySyncOnDemandRequest {
                    chat_jid: Some(chat.clone()),
                    oldest_msg_id: Some(oldest_id.clone()),
                    oldest_msg_from_me: Some(*oldest_from_me),
                    on_demand_msg_count: Some(*count),
                    oldest_msg_timestamp_ms: Some(*oldest_timestamp),
                    account_lid: account_lid.clone(),
                    support_inline_response: *inline_response,
                }));
                PeerDataOperationRequestType::HistorySyncOnDemand
            }
            Self::FullHistory(full) => {
                request.full_history_sync_on_demand_request = Some(full.clone());
                PeerDataOperationRequestType::FullHistorySyncOnDemand
            }
            Self::Placeholders(keys) => {
                let placeholder = |key: &MessageKey| PlaceholderMessageResendRequest {
                    message_key: Some(Box::new(key.clone())),
                };
                request.placeholder_message_resend_request = keys.iter().map(placeholder).collect();
                PeerDataOperationRequestType::PlaceholderMessageResend
            }
            Self::CollectionRecovery { collection, timestamp } => {
                request.syncd_collection_fatal_recovery_request =
                    Some(Box::new(SyncDCollectionFatalRecoveryRequest {
                        collection_name: Some(collection.name().to_owned()),
                        timestamp: Some(*timestamp),
                    }));
                PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery
            }
            Self::ChunkRetry(retry) => {
                request.history_sync_chunk_retry_request = Some(retry.clone());
                PeerDataOperationRequestType::HistorySyncChunkRetry
            }
            Self::Other(other) => return wrapped((**other).clone()),
        };
        request.peer_data_operation_request_type = Some(kind as i32);
        wrapped(request)
    }
}

fn wrapped(request: PeerDataOperationRequestMessage) -> Message {
    protocol(ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage as i32),
        peer_data_operation_request_message: Some(Box::new(request)),
        ..ProtocolMessage::default()
    })
}

fn protocol(protocol: ProtocolMessage) -> Message {
    Message { protocol_message: Some(Box::new(protocol)), ..Message::default() }
}

/// The message that asks own devices for app-state keys.
pub fn key_request(ids: impl IntoIterator<Item = Bytes>) -> Message {
    let key_ids = ids.into_iter().map(|id| AppStateSyncKeyId { key_id: Some(id) }).collect();
    protocol(ProtocolMessage {
        r#type: Some(Type::AppStateSyncKeyRequest as i32),
        app_state_sync_key_request: Some(Box::new(AppStateSyncKeyRequest { key_ids })),
        ..ProtocolMessage::default()
    })
}

/// The phone's answer to a [`PeerRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct PeerAnswer {
    /// `PeerDataOperationRequestType`, as a number.
    pub kind: i32,
    /// Id of the message that asked.
    pub request_id: String,
    /// One result for each thing that was asked for.
    pub results: Vec<PeerDataOperationResult>,
}

impl PeerAnswer {
    /// The answer in a message. None when there is none. It counts only when it comes from the own device 0.
    pub fn of(message: &Message) -> Option<Self> {
        let protocol = message.protocol_message.as_deref()?;
        let answer = protocol.peer_data_operation_request_response_message.as_deref()?;
        (protocol.r#type == Some(Type::PeerDataOperationRequestResponseMessage as i32)).then_some(())?;
        Some(Self {
            kind: answer.peer_data_operation_request_type?,
            request_id: answer.stanza_id.clone().unwrap_or_default(),
            results: answer.peer_data_operation_result.clone(),
        })
    }

    /// The messages that were sent again, as serialized `WebMessageInfo`; [`placeholder`] reads one. The content may
    /// be missing: the phone could not decrypt it either.
    pub fn placeholders(&self) -> impl Iterator<Item = &Bytes> {
        self.results
            .iter()
            .filter_map(|result| result.placeholder_message_resend_response.as_deref())
            .filter_map(|answer| answer.web_message_info_bytes.as_ref())
    }
}

/// Reads a message that was sent again.
///
/// # Errors
/// [`HistoryError::Malformed`]; [`HistoryError::TooLarge`] over 16 MiB.
pub fn placeholder(info: &[u8]) -> Result<StoredMessage<'_>, HistoryError> {
    StoredMessage::new(info, super::HistoryLimits::default().record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_only_under_its_own_type() {
        let request = PeerRequest::Placeholders(vec![MessageKey::default()]).message();
        assert_eq!(PeerAnswer::of(&request), None);
        let mut message = Message::default();
        let protocol = message.protocol_message.get_or_insert_default();
        protocol.r#type = Some(Type::PeerDataOperationRequestResponseMessage as i32);
        let answer = protocol.peer_data_operation_request_response_message.get_or_insert_default();
        answer.peer_data_operation_request_type = Some(4);
        assert_eq!(PeerAnswer::of(&message).map(|answer| answer.kind), Some(4));
        message.protocol_message.get_or_insert_default().r#type = Some(Type::Revoke as i32);
        assert_eq!(PeerAnswer::of(&message), None);
    }
}
