//! A companion small enough to be read in one go: the other side of every test here, built from the crates below
//! `wa-client`.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use prost::Message as _;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;
use wa_binary::{Jid, Node};
use wa_core::adv::{SignedDevice, accept_link};
use wa_core::login::{ClientPayload, Login, PlatformId, QrCode, Registration, UserAgent, browser_props};
use wa_core::prekeys::{Fetched, SignedKey, Upload, parse_fetch};
use wa_crypto::Secret;
use wa_noise::{
    ClientHandshake, ClientParameters, FrameDecoder, FrameOpener, FrameSealer, Header, KeyPair, KnownServer,
    Opening, RootCa, frame,
};
use wa_proto::companion_reg::device_props::PlatformType;
use wa_proto::e2e_message::Message;
use wa_signal::{
    IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeySignalMessage, Sender, SessionRecord,
    SignalMessage, SignedPreKey,
};
use wa_sim::{Sim, SimHandle};

/// Waits this long, in the paused time of a test, before it takes silence for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// One open connection.
pub(crate) struct Line {
    stream: DuplexStream,
    decoder: FrameDecoder,
    sealer: FrameSealer,
    opener: FrameOpener,
    /// Read, and not yet asked for.
    unread: VecDeque<Node>,
    /// The other side ended it.
    pub(crate) ended: bool,
}

/// A companion with its credentials.
pub(crate) struct Client {
    pub(crate) name: Option<String>,
    pub(crate) rng: ChaCha12Rng,
    noise: KeyPair,
    pub(crate) local: LocalIdentity,
    pub(crate) signed: SignedPreKey,
    pub(crate) one_time: BTreeMap<u32, PreKey>,
    adv_secret: [u8; 32],
    next_key: u32,
    next_iq: u32,
    pub(crate) jid: Option<Jid>,
    pub(crate) lid: Option<Jid>,
    pub(crate) account: Option<SignedDevice>,
    pub(crate) server: Option<KnownServer>,
    pub(crate) sessions: BTreeMap<Jid, SessionRecord>,
    pub(crate) line: Option<Line>,
    /// Answers what must be answered by itself.
    pub(crate) polite: bool,
    /// What it opens connections with.
    pub(crate) header: Header,
    /// Routing bytes in front of that.
    pub(crate) routing: Option<Vec<u8>>,
}

/// Why a connection did not come about.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The handshake failed on this side.
    Handshake(wa_noise::NoiseError),
    /// The other side closed.
    Closed,
    /// The other side said nothing.
    Silence,
}

pub(crate) fn wall_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

impl Client {
    pub(crate) fn new(name: Option<&str>, seed: u64) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let pair = IdentityKeyPair::generate(&mut rng);
        let signed = SignedPreKey::generate(1, &pair, &mut rng);
        let local = LocalIdentity::new(pair, u32::try_from(seed % 1000).expect("small") + 77);
        Self {
            name: name.map(str::to_owned),
            noise: KeyPair::generate(&mut rng),
            local,
            signed,
            one_time: BTreeMap::new(),
            adv_secret: [u8::try_from(seed % 251).expect("small"); 32],
            next_key: 1,
            next_iq: 0,
            jid: None,
            lid: None,
            account: None,
            server: None,
            sessions: BTreeMap::new(),
            line: None,
            polite: true,
            header: Header::CURRENT,
            routing: None,
            rng,
        }
    }

    fn upload_of(&self, one_time: Vec<(u32, wa_crypto::curve::PublicKey)>) -> Upload {
        Upload {
            registration_id: self.local.registration_id(),
            identity: *self.local.identity_key().public_key(),
            signed: SignedKey {
                id: self.signed.id,
                public: *self.signed.pair.public(),
                signature: self.signed.signature,
            },
            one_time,
        }
    }

    pub(crate) fn registration(&self) -> Vec<u8> {
        let upload = self.upload_of(Vec::new());
        let props = browser_props("Linux", PlatformType::Chrome).encode_to_vec();
        let registration = Registration {
            agent: UserAgent::default(),
            registration_id: upload.registration_id,
            identity: upload.identity,
            signed_pre_key: upload.signed,
            device_props: props.into(),
            push_name: self.name.clone(),
        };
        ClientPayload::Registration(Box::new(registration)).encode()
    }

    pub(crate) fn login_payload(&self, passive: bool) -> Vec<u8> {
        let jid = self.jid.clone().expect("linked");
        let login = Login {
            agent: UserAgent::default(),
            username: jid.user_number().expect("a number"),
            device: jid.device().into(),
            login_counter: 0,
            passive,
            lid_migrated: true,
            push_name: None,
        };
        ClientPayload::Login(Box::new(login)).encode()
    }

    /// Opens a connection with this payload.
    pub(crate) async fn open(
        &mut self,
        sim: &SimHandle,
        payload: Vec<u8>,
        opening: Opening,
    ) -> Result<(), Refusal> {
        self.open_on(sim.connect(), sim.noise_root(), payload, opening).await
    }

    /// Opens a connection over a transport of any making.
    pub(crate) async fn open_on(
        &mut self,
        mut stream: DuplexStream,
        root: [u8; 32],
        payload: Vec<u8>,
        opening: Opening,
    ) -> Result<(), Refusal> {
        let root = RootCa { public_key: wa_crypto::curve::PublicKey::from_bytes(root), serial: 0 };
        let parameters =
            ClientParameters { noise_key: self.noise.clone(), root, header: self.header, payload };
        let (mut handshake, hello) =
            ClientHandshake::start(parameters, opening, &mut self.rng).map_err(Refusal::Handshake)?;
        let mut wire = Vec::new();
        frame::write_opening(&mut wire, self.header, self.routing.as_deref(), &hello)
            .map_err(Refusal::Handshake)?;
        stream.write_all(&wire).await.map_err(|_| Refusal::Closed)?;
        let mut decoder = FrameDecoder::new();
        let reply = loop {
            if let Some(frame) = decoder.next_frame().map_err(Refusal::Handshake)? {
                break frame.to_vec();
            }
            let mut chunk = [0; 4096];
            match timeout(Duration::from_secs(30), stream.read(&mut chunk)).await {
                Err(_) => return Err(Refusal::Silence),
                Ok(Ok(0) | Err(_)) => return Err(Refusal::Closed),
                Ok(Ok(read)) => decoder.push(&chunk[..read]),
            }
        };
        let established = handshake.read_server_hello(&reply, wall_s()).map_err(Refusal::Handshake)?;
        if let Some(finish) = &established.client_finish {
            let mut wire = Vec::new();
            frame::write(&mut wire, finish).map_err(Refusal::Handshake)?;
            stream.write_all(&wire).await.map_err(|_| Refusal::Closed)?;
        }
        if let Some(server) = established.server {
            self.server = Some(server);
        }
        let (sealer, opener) = (established.transport.sealer, established.transport.opener);
        self.line = Some(Line { stream, decoder, sealer, opener, unread: VecDeque::new(), ended: false });
        Ok(())
    }

    pub(crate) fn line(&mut self) -> &mut Line {
        self.line.as_mut().expect("an open connection")
    }

    pub(crate) async fn send(&mut self, node: Node) {
        let plaintext = node.encode().expect("a stanza");
        self.send_frame(&plaintext).await;
    }

    pub(crate) async fn send_frame(&mut self, plaintext: &[u8]) {
        let line = self.line();
        let mut wire = Vec::new();
        line.sealer.seal(&mut wire, plaintext).expect("a frame");
        line.stream.write_all(&wire).await.expect("an open connection");
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.line().stream.write_all(bytes).await.expect("an open connection");
    }

    /// The next stanza, or nothing when the other side is silent or gone.
    pub(crate) async fn next(&mut self) -> Option<Node> {
        if let Some(node) = self.line().unread.pop_front() {
            return Some(node);
        }
        let node = self.read().await?;
        self.answer(&node).await;
        Some(node)
    }

    async fn read(&mut self) -> Option<Node> {
        let line = self.line.as_mut()?;
        loop {
            match line.decoder.next_frame() {
                Ok(Some(frame)) => match line.opener.open(frame) {
                    Ok(plaintext) => match wa_binary::decode(plaintext) {
                        Ok(node) => return Some(node),
                        Err(_) => return Some(Node::new("undecodable")),
                    },
                    Err(_) => {
                        line.ended = true;
                        return Some(Node::new("unopenable"));
                    }
                },
                Ok(None) if line.ended => return None,
                Ok(None) => {}
                Err(_) => return None,
            }
            let mut chunk = [0; 16 << 10];
            match timeout(PATIENCE, line.stream.read(&mut chunk)).await {
                Err(_) => return None,
                Ok(Ok(0) | Err(_)) => {
                    line.ended = true;
                    return None;
                }
                Ok(Ok(read)) => line.decoder.push(&chunk[..read]),
            }
        }
    }

    /// The plaintext of the next frame, as it was sealed.
    pub(crate) async fn next_frame(&mut self) -> Vec<u8> {
        let line = self.line();
        loop {
            if let Some(frame) = line.decoder.next_frame().expect("a frame") {
                return line.opener.open(frame).expect("a plaintext").to_vec();
            }
            let mut chunk = [0; 4096];
            let read =
                timeout(PATIENCE, line.stream.read(&mut chunk)).await.expect("in time").expect("bytes");
            assert!(read > 0, "the other side ended it");
            line.decoder.push(&chunk[..read]);
        }
    }

    /// What a well-behaved client answers.
    async fn answer(&mut self, node: &Node) {
        if !self.polite {
            return;
        }
        let attr = |key: &str| node.view().value(key).map(wa_binary::AttrValue::from);
        let copy = |mut answer: Node, keys: &[&str]| {
            for key in keys {
                if let Some(value) = attr(key) {
                    answer.set_attr(*key, value);
                }
            }
            answer
        };
        let to = |answer: Node| match attr("from") {
            Some(from) => answer.attr("to", from),
            None => answer,
        };
        match node.tag() {
            "notification" | "receipt" | "call" => {
                let ack = to(copy(
                    Node::new("ack").attr("class", node.tag()),
                    &["id", "type", "participant", "recipient"],
                ));
                self.send(ack).await;
            }
            "message" => {
                let own = node.optional("from").jid().ok().flatten().is_some_and(|from| self.is_own(&from))
                    || node
                        .optional("participant")
                        .jid()
                        .ok()
                        .flatten()
                        .is_some_and(|from| self.is_own(&from));
                let receipt = to(copy(Node::new("receipt"), &["id", "participant"]));
                let receipt = if node.attr_is("category", "peer") {
                    receipt.attr("type", "peer_msg")
                } else if own {
                    copy(receipt.attr("type", "sender"), &["recipient"])
                } else {
                    receipt
                };
                self.send(receipt).await;
            }
            "iq" if node.attr_is("type", "get") || node.optional_child("pair-device").is_some() => {
                let result = Node::new("iq").attr("to", Jid::SERVER).attr("type", "result");
                self.send(copy(result, &["id"])).await;
            }
            _ => {}
        }
    }

    pub(crate) fn is_own(&self, jid: &Jid) -> bool {
        [&self.jid, &self.lid].into_iter().flatten().any(|own| own.same_user(jid))
    }

    /// The first stanza that fits; the others stay to be asked for.
    pub(crate) async fn until(&mut self, fits: impl Fn(&Node) -> bool) -> Node {
        let mut passed = Vec::new();
        loop {
            let Some(node) = self.next().await else {
                panic!("no such stanza came; seen: {passed:#?}");
            };
            if fits(&node) {
                for other in passed.into_iter().rev() {
                    self.line().unread.push_front(other);
                }
                return node;
            }
            passed.push(node);
        }
    }

    pub(crate) async fn until_tag(&mut self, tag: &str) -> Node {
        self.until(|node| node.is(tag)).await
    }

    /// Everything that comes until there is silence.
    pub(crate) async fn rest(&mut self) -> Vec<Node> {
        let mut all = Vec::new();
        while let Some(node) = self.next().await {
            all.push(node);
        }
        all
    }

    /// Waits for the other side to end the connection.
    pub(crate) async fn ended(&mut self) -> bool {
        while self.next().await.is_some() {}
        self.line().ended
    }

    pub(crate) fn id(&mut self) -> String {
        self.next_iq += 1;
        format!("t-{}", self.next_iq)
    }

    /// Asks and gives the whole answer.
    pub(crate) async fn iq(&mut self, xmlns: &str, kind: &str, to: Jid, child: Option<Node>) -> Node {
        let id = self.id();
        let iq = Node::new("iq").attr("id", &id).attr("to", to).attr("type", kind).attr("xmlns", xmlns);
        self.send(iq.maybe_child(child)).await;
        self.until(|node| node.is("iq") && node.attr_is("id", &id)).await
    }

    pub(crate) async fn get(&mut self, xmlns: &str, child: Node) -> Node {
        self.iq(xmlns, "get", Jid::SERVER, Some(child)).await
    }

    pub(crate) async fn set(&mut self, xmlns: &str, child: Node) -> Node {
        self.iq(xmlns, "set", Jid::SERVER, Some(child)).await
    }

    // Linking

    /// Connects as a stranger, and gives the refs.
    pub(crate) async fn register(&mut self, sim: &SimHandle) -> Vec<String> {
        let payload = self.registration();
        self.open(sim, payload, Opening::Xx).await.expect("a connection");
        let iq = self.until(|node| node.optional_child("pair-device").is_some()).await;
        let refs = iq.required_child("pair-device").expect("pair-device").each("ref");
        refs.map(|node| node.required_text().expect("text").into_owned()).collect()
    }

    pub(crate) fn qr(&self, reference: &str) -> String {
        QrCode {
            reference: reference.to_owned(),
            noise_key: *self.noise.public(),
            identity_key: *self.local.identity_key().public_key(),
            adv_secret: Secret::new(self.adv_secret),
            platform: PlatformId::Chrome,
        }
        .plain()
    }

    pub(crate) fn set_adv_secret(&mut self, secret: [u8; 32]) {
        self.adv_secret = secret;
    }

    pub(crate) const fn adv_secret(&self) -> Secret<32> {
        Secret::new(self.adv_secret)
    }

    /// Forgets which key ids were used.
    pub(crate) fn restart_key_ids(&mut self) {
        self.next_key = 1;
    }

    pub(crate) const fn noise(&self) -> &KeyPair {
        &self.noise
    }

    /// Answers `pair-success` and takes the 515.
    pub(crate) async fn complete(&mut self) {
        let iq = self.until(|node| node.optional_child("pair-success").is_some()).await;
        let answer = self.sign(&iq);
        self.send(answer).await;
        let restart = self.until_tag("stream:error").await;
        assert!(restart.attr_is("code", "515"), "{restart}");
        assert!(self.ended().await);
    }

    /// The answer to `pair-success`.
    pub(crate) fn sign(&mut self, iq: &Node) -> Node {
        let success = iq.required_child("pair-success").expect("pair-success");
        let container =
            success.required_child("device-identity").expect("identity").required_bytes().expect("bytes");
        let device = success.required_child("device").expect("device");
        self.jid = Some(device.required("jid").jid().expect("an address"));
        self.lid = device.optional("lid").jid().expect("an address");
        let secret = Secret::new(self.adv_secret);
        let accepted =
            accept_link(&container, &secret, self.local.identity_key().public_key()).expect("a good link");
        let index = accepted.details().key_index;
        let signed = accepted.sign(self.local.pair().key_pair(), &mut self.rng);
        let reply =
            Node::new("device-identity").attr("key-index", index).bytes(signed.encode_without_account_key());
        self.account = Some(signed);
        let id = iq.required("id").string().expect("an id").to_string();
        Node::new("iq")
            .attr("to", Jid::SERVER)
            .attr("type", "result")
            .attr("id", id)
            .child(Node::new("pair-device-sign").child(reply))
    }

    /// Logs in as the linked device.
    pub(crate) async fn login(&mut self, sim: &SimHandle) -> Node {
        let payload = self.login_payload(false);
        self.open(sim, payload, Opening::Xx).await.expect("a connection");
        self.until(|node| node.is("success") || node.is("failure")).await
    }

    /// Logs in, and wants nothing but answers.
    pub(crate) async fn login_passively(&mut self, sim: &SimHandle) {
        let payload = self.login_payload(true);
        self.open(sim, payload, Opening::Xx).await.expect("a connection");
        self.until_tag("success").await;
    }

    /// Uploads so many fresh one-time keys.
    pub(crate) async fn upload(&mut self, count: u32) -> Node {
        let mut fresh = Vec::new();
        for _ in 0..count {
            let key = PreKey::generate(self.next_key, &mut self.rng);
            self.next_key += 1;
            fresh.push((key.id, *key.pair.public()));
            self.one_time.insert(key.id, key);
        }
        self.upload_keys(fresh).await
    }

    /// Uploads these one-time keys with the signed one.
    pub(crate) async fn upload_keys(&mut self, keys: Vec<(u32, wa_crypto::curve::PublicKey)>) -> Node {
        let id = self.id();
        let request = self.upload_of(keys).request(&id);
        self.send(request).await;
        self.until(|node| node.is("iq") && node.attr_is("id", &id)).await
    }

    /// From nothing to a logged-in companion with keys, whose phone has greeted it.
    pub(crate) async fn linked(sim: &SimHandle, name: &str, seed: u64) -> Self {
        let mut client = Self::link_only(sim, name, seed).await;
        client.login(sim).await;
        client.upload(30).await;
        client.until(|node| node.optional_child("offline").is_some()).await;
        client.rest().await;
        client
    }

    /// Linked, but not logged in.
    pub(crate) async fn link_only(sim: &SimHandle, name: &str, seed: u64) -> Self {
        let mut client = Self::new(Some(name), seed);
        let refs = client.register(sim).await;
        sim.scan_qr(&client.qr(&refs[0]), None).expect("a scan");
        client.complete().await;
        client
    }

    pub(crate) fn number(&self) -> u64 {
        self.jid.as_ref().and_then(Jid::user_number).expect("linked")
    }

    pub(crate) fn my_lid(&self) -> Jid {
        self.lid.clone().expect("a LID")
    }

    pub(crate) fn my_jid(&self) -> Jid {
        self.jid.clone().expect("linked")
    }

    // Signal

    /// An `<enc>` with a text for one device; fetches its bundle when there is no session.
    pub(crate) async fn enc(&mut self, device: &Jid, message: &Message) -> Node {
        if !self.sessions.contains_key(device) {
            let user = Node::new("key").child(Node::new("user").attr("jid", device));
            let answer = self.get("encrypt", user).await;
            let fetched = parse_fetch(answer.view()).expect("bundles");
            let Some((_, Fetched::Bundle(bundle))) = fetched.into_iter().next() else {
                panic!("no bundle: {answer}")
            };
            let mut record = SessionRecord::new();
            record.initiate(&self.local, &bundle.to_signal(), 0, &mut self.rng).expect("a session");
            self.sessions.insert(device.clone(), record);
        }
        let mut plaintext = message.encode_to_vec();
        wa_core::envelope::padding::pad(&mut plaintext, &mut self.rng);
        self.seal(device, &plaintext)
    }

    /// An `<enc>` of bytes as they are, on the session that there is.
    pub(crate) fn seal(&mut self, device: &Jid, plaintext: &[u8]) -> Node {
        let record = self.sessions.get_mut(device).expect("a session");
        let sealed = record.encrypt(&self.local, plaintext).expect("a ciphertext");
        Node::new("enc").attr("v", "2").attr("type", sealed.kind.as_str()).bytes(sealed.bytes)
    }

    pub(crate) fn device_identity(&self) -> Node {
        Node::new("device-identity").bytes(self.account.as_ref().expect("linked").encode())
    }

    /// Sends a text to devices of one user, and gives its id.
    pub(crate) async fn text(&mut self, chat: &Jid, devices: &[Jid], text: &str) -> String {
        let message = Message { conversation: Some(text.to_owned()), ..Message::default() };
        self.say(chat, devices, &message).await
    }

    /// Sends any message to devices of one user, and gives its id.
    pub(crate) async fn say(&mut self, chat: &Jid, devices: &[Jid], message: &Message) -> String {
        let class = wa_core::envelope::classify(message).expect("a class");
        let mut entries = Vec::new();
        for device in devices {
            let mut enc = self.enc(device, message).await;
            if let Some(media) = class.media_type {
                enc.set_attr("mediatype", media);
            }
            entries.push(Node::new("to").attr("jid", device).child(enc));
        }
        let id = format!("3EB0{:018X}", self.next_iq);
        self.next_iq += 1;
        let stanza = Node::new("message")
            .attr("id", &id)
            .attr("to", chat)
            .attr("type", class.stanza_type.as_str())
            .child(Node::new("participants").children(entries))
            .maybe_child(class.meta.node())
            .child(self.device_identity());
        self.send(stanza).await;
        id
    }

    /// Decrypts the pairwise ciphertexts of a message.
    pub(crate) fn read_message(&mut self, node: &Node) -> Vec<Message> {
        let sender = node.optional("participant").jid().expect("an address");
        let sender = sender.unwrap_or_else(|| node.required("from").jid().expect("an address"));
        let mut messages = Vec::new();
        for enc in node.each("enc").filter(|enc| !enc.attr_is("type", "skmsg")) {
            let bytes = enc.required_bytes().expect("bytes");
            let padded =
                self.open_enc(&sender, enc.attr_is("type", "pkmsg"), &bytes).expect("for this device");
            let plaintext = wa_core::envelope::padding::unpad(&padded).expect("padding");
            messages.push(Message::decode(plaintext).expect("a Message"));
        }
        messages
    }

    /// What a pairwise ciphertext holds, padding and all.
    pub(crate) fn open_enc(
        &mut self,
        sender: &Jid,
        first: bool,
        bytes: &[u8],
    ) -> Result<Vec<u8>, wa_signal::SignalError> {
        let record = self.sessions.entry(sender.clone()).or_default();
        let received = if first {
            let message = PreKeySignalMessage::parse(bytes)?;
            let one_time = message.pre_key_id().and_then(|id| self.one_time.get(&id));
            let keys = OwnPreKeys { signed: Some(&self.signed), one_time };
            record.decrypt_pre_key(&self.local, &message, keys, Sender::Other, &mut self.rng)?
        } else {
            let message = SignalMessage::parse(bytes)?;
            record.decrypt(&self.local, &message, Sender::Other, &mut self.rng)?
        };
        Ok(received.plaintext)
    }
}

/// A message whose ciphertext means nothing: enough where only the router is looked at.
pub(crate) fn opaque(id: &str, to: &Jid, devices: &[Jid]) -> Node {
    let entry = |device: &Jid| {
        let body = wa_crypto::digest::sha256(&[id.as_bytes(), device.to_string().as_bytes()]);
        Node::new("to")
            .attr("jid", device)
            .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(Bytes::copy_from_slice(&body)))
    };
    Node::new("message")
        .attr("id", id)
        .attr("to", to)
        .attr("type", "text")
        .child(Node::new("participants").children(devices.iter().map(entry)))
}

/// A simulator whose time is the test's.
pub(crate) fn sim(seed: u64) -> SimHandle {
    sim_with(|_| {}, seed)
}

pub(crate) fn sim_with(change: impl FnOnce(&mut wa_sim::SimConfig), seed: u64) -> SimHandle {
    let mut config = wa_sim::SimConfig {
        seed: wa_sim::Seed(seed),
        start_ms: Some(1_900_000_000_000),
        ..wa_sim::SimConfig::default()
    };
    change(&mut config);
    Sim::start(config)
}

pub(crate) fn attr(node: &Node, key: &str) -> Option<String> {
    node.view().value(key).map(|value| value.to_string())
}
