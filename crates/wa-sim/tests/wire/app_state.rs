//! App state as a companion is served it: patches in pages, snapshots on the media host, and every way in which it goes wrong
//! (chapter 07 §12, chapter 10 §9). What is served is checked as a client checks it.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use wa_binary::{Jid, Node};
use wa_core::app_state::{
    AppStateError, Applied, Collection, Head, KeyRing, PatchPolicy, SnapshotPolicy, SyncKey, apply_patch,
    apply_snapshot,
};
use wa_crypto::Secret;
use wa_proto::app_state::ExternalBlobReference;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{AppStateSyncKeyId, AppStateSyncKeyRequest, ProtocolMessage};
use wa_sim::SimHandle;
use wa_sim::phone::{AppAction, AppStateFault};

use crate::client::{Client, sim_with};

/// A companion, and the keys that its phone has shared with it.
struct Reader {
    sim: SimHandle,
    ada: Client,
    ring: KeyRing,
}

/// What a message shares: ids with their keys, if they came.
fn shared(message: &Message) -> Vec<(Bytes, Option<SyncKey>)> {
    let share = message.protocol_message.as_ref().and_then(|it| it.app_state_sync_key_share.as_ref());
    let key = |key: &wa_proto::e2e_message::message::AppStateSyncKey| {
        let id = key.key_id.as_ref().and_then(|id| id.key_id.clone()).expect("an id");
        let made = key.key_data.as_ref().map(|data| SyncKey {
            id: id.clone(),
            data: Secret::try_from(data.key_data.as_deref().expect("a key")).expect("32 bytes"),
            timestamp_ms: data.timestamp(),
        });
        (id, made)
    };
    share.into_iter().flat_map(|share| &share.keys).map(key).collect()
}

impl Reader {
    async fn new(change: impl FnOnce(&mut wa_sim::SimConfig), seed: u64) -> Self {
        let sim = sim_with(change, seed);
        let mut ada = Client::link_only(&sim, "Ada", 1).await;
        ada.login(&sim).await;
        ada.upload(10).await;
        let mut ring = KeyRing::default();
        for node in ada.rest().await.iter().filter(|node| node.attr_is("category", "peer")) {
            for (_, key) in ada.read_message(node).iter().flat_map(shared) {
                ring.insert(key.expect("a key"));
            }
        }
        Self { sim, ada, ring }
    }

    fn fault(&self, fault: Option<AppStateFault>) {
        self.switch(|switches| switches.app_state_fault = fault);
    }

    fn switch(&self, change: impl FnOnce(&mut wa_sim::Switches)) {
        self.sim.world(|world, _| {
            let id = world.find_pn(self.ada.number()).expect("Ada");
            let mut switches = world.account(id).switches.clone();
            change(&mut switches);
            world.set_switches(id, switches);
        });
    }

    fn change(&self, action: &AppAction) {
        self.sim.change_app_state(self.ada.number(), action).expect("a deed");
    }

    /// `<collection>` of a read, if it is there.
    async fn read(&mut self, name: &str, since: Option<u64>) -> Option<Node> {
        let asked = Node::new("collection").attr("name", name);
        let asked = match since {
            Some(version) => asked.attr("version", version.to_string()),
            None => asked.attr("return_snapshot", "true"),
        };
        let answer = self.ada.set("w:sync:app:state", Node::new("sync").child(asked)).await;
        let sync = answer.required_child("sync").expect("sync").to_node();
        sync.optional_child("collection").map(wa_binary::NodeRef::to_node)
    }

    /// Applies what was served on top of a state.
    fn apply(
        &self,
        collection: Collection,
        served: &Node,
        head: &mut Head,
    ) -> Result<Vec<Applied>, AppStateError> {
        let mut rows: BTreeMap<[u8; 32], [u8; 32]> = BTreeMap::new();
        let mut all = Vec::new();
        let mut take = |applied: Applied, head: &mut Head| {
            for row in &applied.records {
                match &row.live {
                    Some((mac, _)) => rows.insert(row.index_mac, *mac),
                    None => rows.remove(&row.index_mac),
                };
            }
            head.clone_from(&applied.head);
            all.push(applied);
            rows.clone()
        };
        let mut seen = BTreeMap::new();
        if let Some(snapshot) = served.optional_child("snapshot") {
            let bytes = snapshot.required_bytes().expect("bytes").into_owned();
            let reference = ExternalBlobReference::decode(&bytes[..]).expect("a reference");
            let key = reference.media_key.as_deref().expect("a key");
            let keys =
                wa_media::MediaKey::from_slice(key).expect("32 bytes").derive(wa_media::MediaKind::AppState);
            let sealed = self.sim.fetch_file(reference.direct_path()).expect("a file");
            let plain =
                wa_media::open(&keys, &wa_media::Expected::default(), &sealed).expect("a file that opens");
            let applied = apply_snapshot(collection, 0, &plain, &self.ring, SnapshotPolicy::Strict)?;
            seen = take(applied.expect("a newer one"), head);
        }
        for patch in served.optional_child("patches").into_iter().flat_map(|it| {
            it.to_node()
                .each("patch")
                .map(|it| it.required_bytes().expect("bytes").into_owned())
                .collect::<Vec<_>>()
        }) {
            let applied =
                apply_patch(collection, head, &seen, &patch, None, None, &self.ring, PatchPolicy::Strict)?;
            if let Some(applied) = applied {
                seen = take(applied, head);
            }
        }
        Ok(all)
    }
}

fn pin(number: u32, pinned: bool) -> AppAction {
    AppAction::Mute { chat: Jid::lid(77_000 + u64::from(number)), until_ms: pinned.then_some(-1) }
}

#[tokio::test(start_paused = true)]
async fn patches_come_in_pages_and_a_snapshot_once_there_are_many() {
    let mut it = Reader::new(|config| (config.patch_page, config.snapshot_from) = (4, 8), 930).await;
    for number in 0..6 {
        it.change(&pin(number, true));
    }
    // The salt of the tokens is the first patch of the collection.
    let first = it.read("regular_high", None).await.expect("a collection");
    assert!(
        first.attr_is("has_more_patches", "true") && first.optional_child("snapshot").is_none(),
        "{first}"
    );
    let mut head = Head::default();
    it.apply(Collection::RegularHigh, &first, &mut head).expect("good patches");
    assert_eq!(head.version, 4);
    let second = it.read("regular_high", Some(4)).await.expect("a collection");
    assert!(second.attr_is("version", "7") && !second.has_attr("has_more_patches"), "{second}");
    for number in 0..3 {
        it.change(&pin(number, false));
    }
    let snapshot = it.read("regular_high", None).await.expect("a collection");
    assert!(snapshot.attr_is("version", "10") && snapshot.optional_child("patches").is_none(), "{snapshot}");
    let mut head = Head::default();
    let applied = it.apply(Collection::RegularHigh, &snapshot, &mut head).expect("a good snapshot");
    assert_eq!((head.version, applied[0].records.len()), (10, 7));
    // An empty collection has neither.
    let empty = it.read("regular", None).await.expect("a collection");
    assert!(
        empty.attr_is("version", "0")
            && empty.optional_child("patches").is_none()
            && empty.optional_child("snapshot").is_none(),
        "{empty}"
    );
    assert!(it.sim.violations().is_empty(), "{:?}", it.sim.violations());
}

#[tokio::test(start_paused = true)]
async fn what_is_served_of_app_state_goes_wrong_in_every_way_that_it_is_told() {
    let mut it = Reader::new(|config| config.snapshot_from = 3, 931).await;
    it.change(&pin(1, true));
    let whole = it.read("regular_high", Some(0)).await.expect("a collection");
    it.apply(Collection::RegularHigh, &whole, &mut Head::default()).expect("good patches");
    it.fault(Some(AppStateFault::PatchMac));
    let served = it.read("regular_high", Some(0)).await.expect("a collection");
    let error = it.apply(Collection::RegularHigh, &served, &mut Head::default()).expect_err("a wrong MAC");
    assert!(matches!(error, AppStateError::PatchMacMismatch), "{error:?}");
    it.fault(Some(AppStateFault::UnknownKey));
    let served = it.read("regular_high", Some(0)).await.expect("a collection");
    let error = it.apply(Collection::RegularHigh, &served, &mut Head::default()).expect_err("an unknown key");
    assert!(format!("{error:?}").contains("Key"), "{error:?}");
    it.fault(Some(AppStateFault::Reordered));
    let served = it.read("regular_high", Some(0)).await.expect("a collection");
    it.apply(Collection::RegularHigh, &served, &mut Head::default()).expect_err("the second patch first");
    it.fault(Some(AppStateFault::Error("regular_high".into(), 503)));
    let served = it.read("regular_high", Some(0)).await.expect("a collection");
    assert!(served.required_child("error").expect("an error").attr_is("code", "503"), "{served}");
    assert!(it.read("regular_low", Some(0)).await.expect("another").optional_child("error").is_none());
    it.fault(Some(AppStateFault::Omitted("regular_high".into())));
    assert!(it.read("regular_high", Some(0)).await.is_none());
    it.fault(Some(AppStateFault::SnapshotMac));
    it.change(&pin(2, true));
    let served = it.read("regular_high", None).await.expect("a collection");
    let error = it.apply(Collection::RegularHigh, &served, &mut Head::default()).expect_err("a wrong MAC");
    assert!(format!("{error:?}").contains("SnapshotMac"), "{error:?}");
    it.fault(None);
    let served = it.read("regular_high", None).await.expect("a collection");
    it.apply(Collection::RegularHigh, &served, &mut Head::default()).expect("good again");
}

#[tokio::test(start_paused = true)]
async fn a_huge_snapshot_and_the_removal_of_nothing() {
    let mut it = Reader::new(|config| config.snapshot_from = 2, 932).await;
    it.change(&AppAction::RemoveNothing);
    let served = it.read("regular", Some(0)).await.expect("a collection");
    let applied = it.apply(Collection::Regular, &served, &mut Head::default()).expect("a good patch");
    assert_eq!(
        (applied[0].missing_removes, applied[0].records.iter().filter(|row| row.live.is_some()).count()),
        (1, 0)
    );
    it.change(&AppAction::Filler { records: 3_000 });
    let served = it.read("regular", None).await.expect("a collection");
    let applied = it.apply(Collection::Regular, &served, &mut Head::default()).expect("a good snapshot");
    assert_eq!(applied[0].records.len(), 3_000);
}

/// A request of the companion for data of its phone; what comes back.
async fn peer_request(ada: &mut Client, protocol: ProtocolMessage) -> Vec<Message> {
    let message = Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
    let phone = ada.my_jid().user_jid();
    let enc = ada.enc(&phone, &message).await;
    let stanza = Node::new("message")
        .attr("id", ada.id())
        .attr("to", &phone)
        .attr("type", "text")
        .attr("category", "peer")
        .child(enc)
        .child(ada.device_identity());
    ada.send(stanza).await;
    let nodes = ada.rest().await;
    let answers = nodes.iter().filter(|node| node.attr_is("category", "peer"));
    answers.flat_map(|node| ada.read_message(node)).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_for_data_are_answered_or_ignored() {
    use wa_proto::e2e_message::message::{PeerDataOperationRequestMessage, PeerDataOperationRequestType};
    let mut it = Reader::new(|_| {}, 934).await;
    let request = PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(PeerDataOperationRequestType::UploadSticker as i32),
        ..Default::default()
    };
    let protocol = ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage as i32),
        peer_data_operation_request_message: Some(Box::new(request)),
        ..Default::default()
    };
    assert_eq!(peer_request(&mut it.ada, protocol.clone()).await.len(), 1);
    it.switch(|switches| switches.peer_data_ignored = true);
    assert!(peer_request(&mut it.ada, protocol).await.is_empty());
}

/// What a phone here cannot do is refused in the words that there are for it.
#[tokio::test(start_paused = true)]
async fn requests_that_cannot_be_met_are_answered_with_their_error() {
    use wa_proto::e2e_message::message::peer_data_operation_request_message as asked;
    use wa_proto::e2e_message::message::{
        PeerDataOperationRequestMessage, PeerDataOperationRequestType as Kind,
    };
    use wa_proto::media_retry::media_retry_notification::ResultType;
    let mut it = Reader::new(|_| {}, 935).await;
    let sticker = asked::RequestStickerReupload { file_sha256: Some("AA==".to_owned()) };
    let retry = asked::HistorySyncChunkRetryRequest { chunk_order: Some(3), ..Default::default() };
    let flow = asked::GalaxyFlowAction { flow_id: Some("F1".to_owned()), ..Default::default() };
    for kind in [
        Kind::UploadSticker,
        Kind::WaffleLinkingNonceFetch,
        Kind::FullHistorySyncOnDemand,
        Kind::CompanionMetaNonceFetch,
        Kind::HistorySyncChunkRetry,
        Kind::GalaxyFlowAction,
    ] {
        let request = PeerDataOperationRequestMessage {
            peer_data_operation_request_type: Some(kind as i32),
            request_sticker_reupload: vec![sticker.clone(), sticker.clone()],
            history_sync_chunk_retry_request: Some(Box::new(retry.clone())),
            full_history_sync_on_demand_request: Some(Box::default()),
            galaxy_flow_action: Some(Box::new(flow.clone())),
            ..Default::default()
        };
        let protocol = ProtocolMessage {
            r#type: Some(Type::PeerDataOperationRequestMessage as i32),
            peer_data_operation_request_message: Some(Box::new(request)),
            ..Default::default()
        };
        let answers = peer_request(&mut it.ada, protocol).await;
        let [answer] = &answers[..] else { panic!("{kind:?}: {answers:?}") };
        let response = answer.protocol_message.as_ref().expect("a protocol message");
        let response = response.peer_data_operation_request_response_message.as_ref().expect("a response");
        assert_eq!(response.peer_data_operation_request_type, Some(kind as i32));
        let results = &response.peer_data_operation_result;
        let first = results.first().expect("a result");
        let fits = match kind {
            Kind::UploadSticker => {
                results.len() == 2 && first.media_upload_result == Some(ResultType::NotFound as i32)
            }
            Kind::FullHistorySyncOnDemand => {
                let full = first.full_history_sync_on_demand_request_response.as_ref();
                full.and_then(|full| full.response_code) == Some(3)
            }
            Kind::HistorySyncChunkRetry => {
                let chunk = first.history_sync_chunk_retry_response.as_ref().expect("a response");
                (chunk.chunk_order, chunk.response_code, chunk.can_recover) == (Some(3), Some(1), Some(false))
            }
            Kind::WaffleLinkingNonceFetch => {
                first.waffle_nonce_fetch_request_response.as_ref().is_some_and(|it| it.nonce.is_none())
            }
            Kind::CompanionMetaNonceFetch => {
                let nonce = first.companion_meta_nonce_fetch_request_response.as_ref();
                nonce.is_some_and(|it| it.nonce.is_some())
            }
            _ => first
                .flow_responses_csv_bundle
                .as_ref()
                .is_some_and(|it| it.flow_id.as_deref() == Some("F1") && it.direct_path.is_none()),
        };
        assert!(fits, "{kind:?}: {first:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_for_keys_are_answered_late_ignored_or_orphaned() {
    let mut it = Reader::new(|_| {}, 933).await;
    let known = it.ring.iter().next().expect("a key").id.clone();
    let ask = async |it: &mut Reader| {
        let id = AppStateSyncKeyId { key_id: Some(known.clone()) };
        let protocol = ProtocolMessage {
            r#type: Some(Type::AppStateSyncKeyRequest as i32),
            app_state_sync_key_request: Some(Box::new(AppStateSyncKeyRequest { key_ids: vec![id] })),
            ..Default::default()
        };
        peer_request(&mut it.ada, protocol).await.iter().flat_map(shared).collect::<Vec<_>>()
    };
    let keys = ask(&mut it).await;
    assert!(matches!(&keys[..], [(id, Some(_))] if *id == known), "{keys:?}");
    it.fault(Some(AppStateFault::KeysOrphaned));
    let keys = ask(&mut it).await;
    assert!(matches!(&keys[..], [(id, None)] if *id == known), "{keys:?}");
    it.fault(Some(AppStateFault::KeysLate));
    assert!(ask(&mut it).await.is_empty());
    it.sim.advance(std::time::Duration::from_secs(60));
    let nodes = it.ada.rest().await;
    let late: Vec<_> = nodes.iter().filter(|node| node.attr_is("category", "peer")).collect();
    let keys: Vec<_> =
        late.into_iter().flat_map(|node| it.ada.read_message(node)).flat_map(|it| shared(&it)).collect();
    assert!(matches!(&keys[..], [(id, Some(_))] if *id == known), "{keys:?}");
    it.fault(Some(AppStateFault::KeysIgnored));
    assert!(ask(&mut it).await.is_empty());
}
