//! A companion for the phone's tests: links by QR code or typed code, reads and writes, checks what it is sent. It stands
//! on the same lower crates as the client, so what it accepts proves the phone's logic, not the wire.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_binary::{Hosting, Jid, Node};
use wa_core::adv::{AdvError, accept_link};
use wa_core::app_state::{KeyRing, SyncKey};
use wa_core::envelope::padding;
use wa_core::login::{PlatformId, QrCode};
use wa_core::prekeys::{Bundle, SignedKey, Upload};
use wa_crypto::Secret;
use wa_crypto::curve::KeyPair;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{PeerDataOperationRequestResponseMessage, ProtocolMessage};
use wa_proto::history::HistorySync;
use wa_signal::{
    IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeySignalMessage, Sender, SenderKeyDistribution,
    SenderKeyMessage, SenderKeyRecord, SessionRecord, SignalError, SignalMessage, SignedPreKey,
};

use super::Wire;
use crate::phone::Network;

pub(super) struct Companion {
    rng: ChaCha12Rng,
    pub(super) local: LocalIdentity,
    pub(super) noise: KeyPair,
    pub(super) adv_secret: Secret<32>,
    signed: SignedPreKey,
    one_time: BTreeMap<u32, PreKey>,
    pub(super) pn: Jid,
    pub(super) lid: Option<Jid>,
    identity: Option<Bytes>,
    sessions: BTreeMap<Jid, SessionRecord>,
    sender_keys: BTreeMap<(Jid, Jid), SenderKeyRecord>,
    /// (chat, sender, text) of each text read.
    pub(super) texts: Vec<(Jid, Jid, String)>,
    pub(super) ring: KeyRing,
    pub(super) history: Vec<HistorySync>,
    pub(super) failures: Vec<SignalError>,
    pub(super) responses: Vec<PeerDataOperationRequestResponseMessage>,
    /// Skips the check of the HMAC: the sabotage of the linking tests.
    pub(super) trusts_anybody: bool,
    next_id: u32,
}

impl Companion {
    pub(super) fn new(seed: u8) -> Self {
        let mut rng = ChaCha12Rng::from_seed([seed; 32]);
        let local = LocalIdentity::new(IdentityKeyPair::generate(&mut rng), u32::from(seed) + 100);
        let signed = SignedPreKey::generate(1, local.pair(), &mut rng);
        let one_time = (1..=20).map(|id| (id, PreKey::generate(id, &mut rng))).collect();
        Self {
            noise: KeyPair::generate(&mut rng),
            adv_secret: Secret::random(&mut rng),
            local,
            signed,
            one_time,
            pn: Jid::SERVER,
            lid: None,
            identity: None,
            sessions: BTreeMap::new(),
            sender_keys: BTreeMap::new(),
            texts: Vec::new(),
            ring: KeyRing::default(),
            history: Vec::new(),
            failures: Vec::new(),
            responses: Vec::new(),
            trusts_anybody: false,
            next_id: 0,
            rng,
        }
    }

    pub(super) fn qr(&self, reference: &str) -> String {
        QrCode {
            reference: reference.to_owned(),
            noise_key: *self.noise.public(),
            identity_key: *self.local.identity_key().public_key(),
            adv_secret: self.adv_secret.clone(),
            platform: PlatformId::Chrome,
        }
        .url()
    }

    /// Takes the container of `pair-success`; gives key index and content of `pair-device-sign`.
    pub(super) fn pair_success(&mut self, container: &[u8]) -> Result<(u32, Bytes), AdvError> {
        let identity = self.local.pair().key_pair();
        let secret = match self.trusts_anybody {
            true => secret_that_fits(container),
            false => self.adv_secret.clone(),
        };
        let accepted = accept_link(container, &secret, identity.public())?;
        let key_index = accepted.details().key_index;
        let signed = accepted.sign(identity, &mut self.rng);
        self.identity = Some(signed.encode());
        Ok((key_index, signed.encode_without_account_key()))
    }

    pub(super) fn upload(&self) -> Upload {
        Upload {
            registration_id: self.local.registration_id(),
            identity: *self.local.identity_key().public_key(),
            signed: SignedKey {
                id: self.signed.id,
                public: *self.signed.pair.public(),
                signature: self.signed.signature,
            },
            one_time: self.one_time.iter().map(|(id, key)| (*id, *key.pair.public())).collect(),
        }
    }

    fn own(&self) -> &Jid {
        self.lid.as_ref().unwrap_or(&self.pn)
    }

    /// Own addresses are known in both families, others by what the stanza says.
    fn address(&self, device: &Jid, stanza: &Node) -> Jid {
        if device.same_user(&self.pn)
            && let Some(lid) = &self.lid
        {
            return lid.with_device(device.device(), Hosting::Own);
        }
        let lid = ["sender_lid", "participant_lid"]
            .into_iter()
            .find_map(|key| stanza.optional(key).jid().ok().flatten());
        match lid {
            Some(lid) if device.is_pn() => lid.with_device(device.device(), Hosting::Own),
            _ => device.clone(),
        }
    }

    pub(super) fn receive(&mut self, stanza: &Node) -> Vec<Node> {
        if !stanza.is("message") {
            return Vec::new();
        }
        let from = stanza.required("from").jid().unwrap();
        let participant = stanza.optional("participant").jid().unwrap();
        let sender = participant.clone().unwrap_or_else(|| from.clone());
        let address = self.address(&sender, stanza);
        let mut encs: Vec<_> = stanza.each("enc").collect();
        encs.sort_by_key(|enc| enc.attr_is("type", "skmsg"));
        for enc in encs {
            let bytes = enc.required_bytes().unwrap().into_owned();
            let kind = enc.required("type").string().unwrap();
            match self.open(&kind, &from, &address, &bytes) {
                Ok(padded) => {
                    let text = padding::unpad(&padded).unwrap();
                    let message = Message::decode(text).unwrap();
                    self.take(&from, &address, &sender, message);
                }
                Err(SignalError::Duplicate { .. }) => {}
                Err(error) => {
                    self.failures.push(error);
                    return vec![self.retry(stanza, participant)];
                }
            }
        }
        let id = stanza.required("id").string().unwrap();
        let receipt = Node::new("receipt").attr("id", id).attr("to", from);
        let peer = stanza.attr_is("category", "peer");
        let mut answers = vec![
            receipt
                .clone()
                .maybe_attr("participant", participant)
                .maybe_attr("type", peer.then_some("peer_msg")),
        ];
        if peer && !self.history.is_empty() {
            answers.push(receipt.attr("type", "hist_sync"));
        }
        answers
    }

    fn open(&mut self, kind: &str, group: &Jid, address: &Jid, bytes: &[u8]) -> Result<Vec<u8>, SignalError> {
        match kind {
            "skmsg" => {
                let message = SenderKeyMessage::parse(bytes)?;
                let key = (group.clone(), address.clone());
                self.sender_keys.entry(key).or_default().decrypt(&message)
            }
            "pkmsg" => {
                let message = PreKeySignalMessage::parse(bytes)?;
                let record = self.sessions.entry(address.clone()).or_default();
                let keys = OwnPreKeys {
                    signed: Some(&self.signed),
                    one_time: message.pre_key_id().and_then(|id| self.one_time.get(&id)),
                };
                let received =
                    record.decrypt_pre_key(&self.local, &message, keys, Sender::Other, &mut self.rng)?;
                if let Some(id) = received.consumed_pre_key {
                    self.one_time.remove(&id);
                }
                Ok(received.plaintext)
            }
            _ => {
                let message = SignalMessage::parse(bytes)?;
                let record = self.sessions.get_mut(address).ok_or(SignalError::NoSession)?;
                Ok(record.decrypt(&self.local, &message, Sender::Other, &mut self.rng)?.plaintext)
            }
        }
    }

    fn take(&mut self, from: &Jid, address: &Jid, sender: &Jid, message: Message) {
        if let Some(distribution) = &message.sender_key_distribution_message {
            let bytes = distribution.axolotl_sender_key_distribution_message();
            let distribution = SenderKeyDistribution::parse(bytes).unwrap();
            let key = (from.clone(), address.clone());
            self.sender_keys.entry(key).or_default().process(&distribution);
        }
        if let Some(protocol) = &message.protocol_message {
            self.take_protocol(protocol);
        }
        let (chat, inner) = match message.device_sent_message {
            Some(sent) => (sent.destination_jid().parse().unwrap(), *sent.message.unwrap()),
            None => (from.user_jid(), message),
        };
        let extended = inner.extended_text_message.as_ref().map(|it| it.text().to_owned());
        if let Some(text) = inner.conversation.or(extended) {
            self.texts.push((chat, sender.clone(), text));
        }
    }

    fn take_protocol(&mut self, protocol: &ProtocolMessage) {
        match protocol.r#type() {
            Type::AppStateSyncKeyShare => {
                for key in &protocol.app_state_sync_key_share.as_ref().unwrap().keys {
                    let Some(data) = &key.key_data else { continue };
                    self.ring.insert(SyncKey {
                        id: key.key_id.as_ref().unwrap().key_id.clone().unwrap(),
                        data: Secret::try_from(&data.key_data.as_ref().unwrap()[..]).unwrap(),
                        timestamp_ms: data.timestamp(),
                    });
                }
            }
            Type::HistorySyncNotification => {
                let notification = protocol.history_sync_notification.as_ref().unwrap();
                let stream = notification.initial_hist_bootstrap_inline_payload.as_ref().unwrap();
                let mut content = Vec::new();
                let mut reader = flate2::read::ZlibDecoder::new(&stream[..]);
                std::io::Read::read_to_end(&mut reader, &mut content).unwrap();
                self.history.push(HistorySync::decode(content.as_slice()).unwrap());
            }
            Type::PeerDataOperationRequestResponseMessage => {
                let response = protocol.peer_data_operation_request_response_message.clone();
                self.responses.extend(response.map(|response| *response));
            }
            _ => {}
        }
    }

    fn retry(&self, stanza: &Node, participant: Option<Jid>) -> Node {
        let id = stanza.required("id").string().unwrap();
        let retry = Node::new("retry").attr("v", "1").attr("count", "1").attr("id", &id).attr("t", "0");
        Node::new("receipt")
            .attr("id", id)
            .attr("to", stanza.required("from").jid().unwrap())
            .attr("type", "retry")
            .maybe_attr("participant", participant)
            .child(retry)
            .child(Node::new("registration").bytes(self.local.registration_id().to_be_bytes().to_vec()))
    }

    /// Sends one padded message to one device, starting a session if need be.
    fn seal(&mut self, device: &Jid, message: &Message, wire: &mut Wire) -> Node {
        let address = match device.is_pn() {
            true => {
                wire.alternate(&device.user_jid()).map(|lid| lid.with_device(device.device(), Hosting::Own))
            }
            false => None,
        };
        let record = self.sessions.entry(address.unwrap_or_else(|| device.clone())).or_default();
        if !record.has_current() {
            let bundle: Bundle = wire.bundle(device).unwrap();
            record.initiate(&self.local, &bundle.to_signal(), 0, &mut self.rng).unwrap();
        }
        let mut text = message.encode_to_vec();
        padding::pad(&mut text, &mut self.rng);
        let sealed = record.encrypt(&self.local, &text).unwrap();
        Node::new("enc").attr("v", "2").attr("type", sealed.kind.as_str()).bytes(sealed.bytes)
    }

    /// A text to a person, to all of their devices and all of the own.
    pub(super) fn text(&mut self, to: &Jid, text: &str, wire: &mut Wire) -> Node {
        let message = Message { conversation: Some(text.to_owned()), ..Default::default() };
        let copy = crate::phone::send::device_sent(to, &message);
        let own = self.own().clone();
        let mut entries = Vec::new();
        for device in wire.devices(to) {
            entries.push(Node::new("to").attr("jid", &device).child(self.seal(&device, &message, wire)));
        }
        for device in wire.devices(&own.user_jid()).into_iter().filter(|device| *device != own) {
            entries.push(Node::new("to").attr("jid", &device).child(self.seal(&device, &copy, wire)));
        }
        self.next_id += 1;
        Node::new("message")
            .attr("id", format!("3EB0{:018}", self.next_id))
            .attr("to", to)
            .attr("type", "text")
            .child(Node::new("participants").children(entries))
            .maybe_child(self.identity.clone().map(|blob| Node::new("device-identity").bytes(blob)))
    }

    /// A protocol message to the phone.
    pub(super) fn peer(&mut self, protocol: ProtocolMessage, wire: &mut Wire) -> Node {
        let message = Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
        let phone = self.pn.user_jid();
        let enc = self.seal(&phone, &message, wire);
        self.next_id += 1;
        Node::new("message")
            .attr("id", format!("3EB0{:018}", self.next_id))
            .attr("to", phone)
            .attr("type", "text")
            .attr("category", "peer")
            .child(enc)
            .maybe_child(self.identity.clone().map(|blob| Node::new("device-identity").bytes(blob)))
    }

    /// Drops all sessions, as a client that lost its store.
    pub(super) fn lose_sessions(&mut self) {
        self.sessions.clear();
        self.sender_keys.clear();
    }
}

/// What a companion without the HMAC check would amount to: whatever was sent is made to fit.
fn secret_that_fits(container: &[u8]) -> Secret<32> {
    super::linking::FORGED_SECRETS
        .into_iter()
        .map(|byte| Secret::new([byte; 32]))
        .find(|secret| {
            use wa_proto::adv::AdvSignedDeviceIdentityHmac as Container;
            let container = Container::decode(container).unwrap();
            let hmac = wa_crypto::mac::hmac_sha256(secret.expose(), &[container.details()]);
            hmac[..] == *container.hmac()
        })
        .unwrap_or_else(|| Secret::new([0; 32]))
}
