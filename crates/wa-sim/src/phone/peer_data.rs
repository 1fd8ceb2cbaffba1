//! Peer data operations: what companions ask of their phone, and its answers (chapter 05 §6.3, chapter 08 §7).

use std::io::Write as _;

use bytes::Bytes;
use prost::Message as _;
use wa_binary::Jid;
use wa_core::app_state::Collection;
use wa_proto::app_state::{SyncdPlainTextRecord, SyncdSnapshotRecovery, SyncdVersion};
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::peer_data_operation_request_message::{
    HistorySyncOnDemandRequest, PlaceholderMessageResendRequest, RequestUrlPreview,
};
use wa_proto::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResult;
use wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::{
    CompanionMetaNonceFetchResponse, FlowResponsesCsvBundle, FullHistorySyncOnDemandRequestResponse,
    FullHistorySyncOnDemandResponseCode, HistorySyncChunkRetryResponse, HistorySyncChunkRetryResponseCode,
    LinkPreviewResponse, PlaceholderMessageResendResponse, SyncDSnapshotFatalRecoveryResponse,
};
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{
    PeerDataOperationRequestMessage, PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType,
    ProtocolMessage,
};
use wa_proto::media_retry::media_retry_notification::ResultType;
use wa_proto::history::history_sync::HistorySyncType;
use wa_proto::history::{HistorySync, conversation};
use wa_proto::sync_action::SyncActionData;

use super::receive::Envelope;
use super::{Network, Now, Phone, Turn};

impl Phone {
    pub(super) fn answer_peer_data(
        &mut self,
        envelope: &Envelope,
        protocol: &ProtocolMessage,
        network: &mut dyn Network,
        now: Now,
    ) -> Turn {
        if self.ignores_peer_data {
            return Turn::default();
        }
        let Some(request) = &protocol.peer_data_operation_request_message else { return Turn::default() };
        let kind = request.peer_data_operation_request_type();
        let results = match kind {
            PeerDataOperationRequestType::HistorySyncOnDemand => {
                let asked = request.history_sync_on_demand_request.as_deref();
                return self.answer_on_demand(envelope, asked, network, now);
            }
            PeerDataOperationRequestType::PlaceholderMessageResend => {
                self.placeholders(&request.placeholder_message_resend_request)
            }
            PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery => {
                let named = request.syncd_collection_fatal_recovery_request.as_ref();
                let named = named.and_then(|named| Collection::from_name(named.collection_name()));
                let Some(collection) = named else { return Turn::default() };
                vec![PeerDataOperationResult {
                    syncd_snapshot_fatal_recovery_response: Some(Box::new(self.recovery(collection))),
                    ..Default::default()
                }]
            }
            _ => self.refusals(kind, request),
        };
        let response = PeerDataOperationRequestResponseMessage {
            peer_data_operation_request_type: Some(kind as i32),
            stanza_id: Some(envelope.id.clone()),
            peer_data_operation_result: results,
        };
        let protocol = ProtocolMessage {
            r#type: Some(Type::PeerDataOperationRequestResponseMessage as i32),
            peer_data_operation_request_response_message: Some(Box::new(response)),
            ..Default::default()
        };
        let message = Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
        let stanza = self.peer_stanza(envelope.sender.device(), &message, "high", network, now);
        Turn { stanzas: stanza.map(|(_, stanza)| stanza).into_iter().collect(), ..Turn::default() }
    }

    /// What this phone cannot do it answers with the error that there is for it, so that nobody waits for ever.
    fn refusals(
        &self,
        kind: PeerDataOperationRequestType,
        request: &PeerDataOperationRequestMessage,
    ) -> Vec<PeerDataOperationResult> {
        use PeerDataOperationRequestType as Asked;
        let none = PeerDataOperationResult::default;
        let one = match kind {
            // One result for each sticker: it is not here.
            Asked::UploadSticker => {
                let missing = Some(ResultType::NotFound as i32);
                let many = request.request_sticker_reupload.len().max(1);
                let result = PeerDataOperationResult { media_upload_result: missing, ..none() };
                return vec![result; many];
            }
            Asked::GenerateLinkPreview => {
                let preview = |asked: &RequestUrlPreview| {
                    let preview = LinkPreviewResponse { url: asked.url.clone(), ..Default::default() };
                    PeerDataOperationResult { link_preview_response: Some(Box::new(preview)), ..none() }
                };
                return request.request_url_preview.iter().map(preview).collect();
            }
            Asked::FullHistorySyncOnDemand => {
                let asked = request.full_history_sync_on_demand_request.as_deref();
                let response = FullHistorySyncOnDemandRequestResponse {
                    request_metadata: asked.and_then(|asked| asked.request_metadata.clone()),
                    response_code: Some(FullHistorySyncOnDemandResponseCode::GenericError as i32),
                };
                let response = Some(Box::new(response));
                PeerDataOperationResult { full_history_sync_on_demand_request_response: response, ..none() }
            }
            Asked::HistorySyncChunkRetry => {
                let asked = request.history_sync_chunk_retry_request.as_deref();
                let response = HistorySyncChunkRetryResponse {
                    sync_type: asked.and_then(|asked| asked.sync_type),
                    chunk_order: asked.and_then(|asked| asked.chunk_order),
                    request_id: asked.and_then(|asked| asked.chunk_notification_id.clone()),
                    response_code: Some(HistorySyncChunkRetryResponseCode::GenerationError as i32),
                    can_recover: Some(false),
                };
                let response = Some(Box::new(response));
                PeerDataOperationResult { history_sync_chunk_retry_response: response, ..none() }
            }
            Asked::WaffleLinkingNonceFetch => PeerDataOperationResult {
                waffle_nonce_fetch_request_response: Some(Box::default()),
                ..none()
            },
            Asked::CompanionMetaNonceFetch => {
                let nonce = CompanionMetaNonceFetchResponse { nonce: Some(self.meta_nonce.clone()) };
                let response = Some(Box::new(nonce));
                PeerDataOperationResult { companion_meta_nonce_fetch_request_response: response, ..none() }
            }
            Asked::CompanionCanonicalUserNonceFetch => PeerDataOperationResult {
                companion_canonical_user_nonce_fetch_request_response: Some(Box::default()),
                ..none()
            },
            Asked::GalaxyFlowAction => {
                let asked = request.galaxy_flow_action.as_deref();
                let bundle = FlowResponsesCsvBundle {
                    flow_id: asked.and_then(|asked| asked.flow_id.clone()),
                    galaxy_flow_download_request_id: asked
                        .and_then(|asked| asked.galaxy_flow_download_request_id.clone()),
                    ..Default::default()
                };
                PeerDataOperationResult { flow_responses_csv_bundle: Some(Box::new(bundle)), ..none() }
            }
            _ => none(),
        };
        vec![one]
    }

    fn placeholders(&self, asked: &[PlaceholderMessageResendRequest]) -> Vec<PeerDataOperationResult> {
        asked
            .iter()
            .filter_map(|request| {
                let id = request.message_key.as_ref()?.id();
                let (chat, stored) = self.chats.find_anywhere(id)?;
                let info = self.web_message(chat, stored).encode_to_vec();
                let response = PlaceholderMessageResendResponse { web_message_info_bytes: Some(info.into()) };
                Some(PeerDataOperationResult {
                    placeholder_message_resend_response: Some(Box::new(response)),
                    ..Default::default()
                })
            })
            .collect()
    }

    /// Older messages of one chat, newest first (chapter 08 §7.1).
    fn answer_on_demand(
        &mut self,
        envelope: &Envelope,
        asked: Option<&HistorySyncOnDemandRequest>,
        network: &mut dyn Network,
        now: Now,
    ) -> Turn {
        use conversation::EndOfHistoryTransferType as End;
        let Some(asked) = asked else { return Turn::default() };
        let Ok(chat) = asked.chat_jid().parse::<Jid>() else { return Turn::default() };
        let chat = self.chat_key(&chat, network);
        let most = usize::try_from(asked.on_demand_msg_count()).unwrap_or_default().clamp(1, 500);
        let all = self.chats.chat(&chat);
        let end = all.iter().position(|stored| stored.id == asked.oldest_msg_id()).unwrap_or(all.len());
        let start = end.saturating_sub(most);
        let messages: Vec<_> = all[start..end]
            .iter()
            .rev()
            .map(|stored| wa_proto::history::HistorySyncMsg {
                message: Some(Box::new(self.web_message(&chat, stored))),
                msg_order_id: None,
            })
            .collect();
        let more = match start {
            0 => End::CompleteAndNoMoreMessageRemainOnPrimary,
            _ => End::CompleteOnDemandSyncButMoreMsgRemainOnPrimary,
        };
        let conversations = match messages.is_empty() {
            true => Vec::new(),
            false => vec![wa_proto::history::Conversation {
                id: Some(chat.to_string()),
                messages,
                end_of_history_transfer: Some(true),
                end_of_history_transfer_type: Some(more as i32),
                ..Default::default()
            }],
        };
        let chunk = HistorySync {
            sync_type: Some(HistorySyncType::OnDemand as i32),
            conversations,
            chunk_order: Some(0),
            progress: Some(100),
            ..Default::default()
        };
        let device = envelope.sender.device();
        let stanza = self.history_stanza(device, chunk, Some(envelope.id.clone()), network, now);
        Turn { stanzas: stanza.into_iter().collect(), ..Turn::default() }
    }

    /// The plain snapshot of a collection, gzipped (chapter 07 §7.6).
    fn recovery(&self, collection: Collection) -> SyncDSnapshotFatalRecoveryResponse {
        let (version, hash, records) = self.plain_records(collection);
        let records = records
            .into_iter()
            .map(|(data, key_id, mac)| SyncdPlainTextRecord {
                value: Some(Box::new(data)),
                key_id: Some(key_id),
                mac: Some(Bytes::copy_from_slice(&mac)),
            })
            .collect();
        let snapshot = SyncdSnapshotRecovery {
            version: Some(Box::new(SyncdVersion { version: Some(version) })),
            collection_name: Some(collection.name().to_owned()),
            mutation_records: records,
            collection_lthash: Some(hash),
        };
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        // Writing into a Vec cannot fail.
        let _ = encoder.write_all(&snapshot.encode_to_vec());
        SyncDSnapshotFatalRecoveryResponse {
            collection_snapshot: Some(encoder.finish().unwrap_or_default().into()),
            is_compressed: Some(true),
        }
    }
}

/// One plain record: data, key id, value MAC.
pub(super) type PlainRecord = (SyncActionData, Bytes, [u8; 32]);
