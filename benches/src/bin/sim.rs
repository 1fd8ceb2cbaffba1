//! What the simulator bears: stanzas replayed and routed by one core, memory of idle connections, and how fast phones
//! encrypt (chapter 10 §13). One thread does everything, clients included, so the numbers are lower bounds.

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, SignatureScheme};
use wa_binary::{Jid, Node};
use wa_core::login::{ClientPayload, Login, UserAgent};
use wa_core::prekeys::{SignedKey, Upload};
use wa_noise::{
    ClientHandshake, ClientParameters, FrameDecoder, FrameSealer, Header, KeyPair, Opening, PublicKey,
    RootCa, frame,
};
use wa_sim::phone::Action;
use wa_sim::world::DeviceKey;
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};

/// Goals of the project.
const REPLAYED_PER_SECOND: f64 = 100_000.0;
const IDLE_CONNECTIONS: usize = 5_000;
const BYTES_PER_CONNECTION: f64 = 65_536.0;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(CLIENTS) => {
            runtime.block_on(clients(&arguments[1..]));
            return ExitCode::SUCCESS;
        }
        Some(IDLE) => {
            println!("{}", runtime.block_on(idle(&arguments[1])));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let mut report = Report { text: wa_benches::machine("sim"), met: true };
    let replayed = runtime.block_on(replay());
    report.met &= replayed >= REPLAYED_PER_SECOND;
    report.line("per second, one core for everything, the clients' ends included".to_owned());
    report.rate("stanzas replayed, encrypted before", replayed);
    report.line(format!("goal {REPLAYED_PER_SECOND}: {}", verdict(replayed >= REPLAYED_PER_SECOND)));
    report
        .rate("messages routed: in, ack, delivery, receipt, ack, delivery", runtime.block_on(route(load())));
    report.rate("the same, watched and traced", runtime.block_on(route(SimConfig::default())));
    report.rate("texts between phones: encrypted, routed, decrypted, receipted", phones(1));
    report.rate("the same, each for 4 devices", phones(3));
    report.line(String::new());
    for scheme in ["ws", "wss"] {
        let bytes = in_a_process_of_its_own(scheme);
        let met = bytes < BYTES_PER_CONNECTION;
        report.met &= met;
        report.line(format!(
            "{IDLE_CONNECTIONS} idle connections, {scheme}: {bytes:.0} bytes of resident memory each \
             (goal below {BYTES_PER_CONNECTION}: {})",
            verdict(met)
        ));
    }
    std::fs::write(format!("{}/results/sim.txt", env!("CARGO_MANIFEST_DIR")), &report.text).unwrap();
    if report.met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const fn verdict(met: bool) -> &'static str {
    if met { "kept" } else { "missed" }
}

struct Report {
    text: String,
    met: bool,
}

impl Report {
    fn line(&mut self, line: String) {
        println!("{line}");
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn rate(&mut self, what: &str, per_second: f64) {
        self.line(format!("{what:<66}{per_second:>8.0}"));
    }
}

/// Memory that an earlier run has given back would hide what this one takes.
fn in_a_process_of_its_own(scheme: &str) -> f64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([IDLE, scheme])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn load() -> SimConfig {
    SimConfig { load: true, trace_length: 0, answer_within_ms: None, ..SimConfig::default() }
}

/// A companion that is linked without a conversation.
struct Companion {
    noise: KeyPair,
    key: DeviceKey,
    pn: Jid,
    lid: Jid,
}

fn companion(sim: &SimHandle, name: &str, seed: u64) -> Companion {
    let mut rng = StdRng::seed_from_u64(seed);
    let noise = KeyPair::generate(&mut rng);
    let identity = KeyPair::generate(&mut rng);
    let signed = SignedKey { id: 1, public: *identity.public(), signature: [0; 64] };
    let upload = Upload { registration_id: 1, identity: *identity.public(), signed, one_time: Vec::new() };
    let key = sim.world(|world, now| world.link_directly(now, name, *noise.public().as_bytes(), &upload));
    let (pn, lid) = sim.world(|world, _| {
        let account = world.account(key.account);
        (
            account.device_jid(wa_binary::Family::Pn, key.device),
            account.device_jid(wa_binary::Family::Lid, key.device),
        )
    });
    Companion { noise, key, pn, lid }
}

/// Logs in over a stream; gives the sealer, so that frames can be made beforehand.
async fn login<S: AsyncRead + AsyncWrite + Unpin>(
    sim: &SimHandle,
    who: &Companion,
    stream: &mut S,
) -> FrameSealer {
    log_in(sim.noise_root(), &who.noise, &who.pn, stream, false).await
}

async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    root: [u8; 32],
    noise: &KeyPair,
    pn: &Jid,
    stream: &mut S,
    ws: bool,
) -> FrameSealer {
    let mut rng = StdRng::seed_from_u64(7);
    let login = Login {
        agent: UserAgent::default(),
        username: pn.user_number().unwrap(),
        device: pn.device().into(),
        login_counter: 0,
        passive: false,
        lid_migrated: true,
        push_name: None,
    };
    let root = RootCa { public_key: PublicKey::from_bytes(root), serial: 0 };
    let payload = ClientPayload::Login(Box::new(login)).encode();
    let parameters = ClientParameters { noise_key: noise.clone(), root, header: Header::CURRENT, payload };
    let (mut handshake, hello) = ClientHandshake::start(parameters, Opening::Xx, &mut rng).unwrap();
    let mut wire = Vec::new();
    frame::write_opening(&mut wire, Header::CURRENT, None, &hello).unwrap();
    write(stream, &wire, ws).await;
    let mut decoder = FrameDecoder::new();
    let reply = loop {
        if let Some(frame) = decoder.next_frame().unwrap() {
            break frame.to_vec();
        }
        let bytes = read(stream, ws).await;
        decoder.push(&bytes);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let established = handshake.read_server_hello(&reply, now).unwrap();
    let mut wire = Vec::new();
    frame::write(&mut wire, established.client_finish.as_deref().unwrap()).unwrap();
    write(stream, &wire, ws).await;
    established.transport.sealer
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8], ws: bool) {
    let mut message = Vec::with_capacity(bytes.len() + 8);
    if ws {
        // A masked binary message whose mask is zero.
        message.extend([0x82, 0x80 | 126]);
        message.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        message.extend([0; 4]);
    }
    message.extend(bytes);
    stream.write_all(&message).await.unwrap();
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, ws: bool) -> Vec<u8> {
    if !ws {
        let mut chunk = vec![0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        chunk.truncate(read);
        return chunk;
    }
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.unwrap();
    let length = match head[1] {
        126 => stream.read_u16().await.unwrap().into(),
        127 => usize::try_from(stream.read_u64().await.unwrap()).unwrap(),
        short => usize::from(short),
    };
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    body
}

/// A message whose ciphertext exists already.
fn message(from: &Jid, id: u32) -> Node {
    Node::new("message")
        .attr("from", from)
        .attr("id", format!("3EB0{id:018X}"))
        .attr("type", "text")
        .attr("t", 1_900_000_000_u32)
        .attr("notify", "Ada")
        .attr("addressing_mode", "lid")
        .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(vec![7; 180]))
}

/// Prepared stanzas to one connection: encoded, sealed, written.
async fn replay() -> f64 {
    const STANZAS: u32 = 400_000;
    let sim = Sim::start(load());
    let (ada, bea) = (companion(&sim, "Ada", 1), companion(&sim, "Bea", 2));
    let mut stream = sim.connect();
    login(&sim, &bea, &mut stream).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stanzas: Vec<Arc<Node>> = (0..1000).map(|id| Arc::new(message(&ada.lid, id))).collect();
    let reader = tokio::spawn(discard(stream));
    let begin = Instant::now();
    for batch in 0..STANZAS / 1000 {
        sim.world(|world, now| {
            for stanza in &stanzas {
                assert!(world.replay(now, bea.key, stanza), "batch {batch}");
            }
        });
        tokio::task::yield_now().await;
    }
    while sim.backlog() > 0 {
        tokio::task::yield_now().await;
    }
    let took = begin.elapsed();
    reader.abort();
    f64::from(STANZAS) / took.as_secs_f64()
}

async fn discard<S: AsyncRead + Unpin>(mut stream: S) {
    let mut chunk = vec![0; 64 << 10];
    while stream.read(&mut chunk).await.is_ok_and(|read| read > 0) {}
}

/// Frames sealed beforehand come in; acks and deliveries go out; the receiver's receipts come in as well.
async fn route(config: SimConfig) -> f64 {
    const MESSAGES: u32 = 60_000;
    let sim = Sim::start(config);
    let (ada, bea) = (companion(&sim, "Ada", 1), companion(&sim, "Bea", 2));
    let (mut from, mut to) = (sim.connect(), sim.connect());
    let mut sealer = login(&sim, &ada, &mut from).await;
    let mut answers = login(&sim, &bea, &mut to).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (mut sent, mut receipts) = (Vec::new(), Vec::new());
    for id in 0..MESSAGES {
        let enc = Node::new("enc").attr("v", "2").attr("type", "msg").bytes(vec![7; 180]);
        let stanza = Node::new("message")
            .attr("id", format!("3EB0{id:018X}"))
            .attr("to", bea.lid.user_jid())
            .attr("type", "text")
            .child(Node::new("participants").child(Node::new("to").attr("jid", &bea.lid).child(enc)));
        sealer.seal(&mut sent, &stanza.encode().unwrap()).unwrap();
        let receipt = Node::new("receipt").attr("id", format!("3EB0{id:018X}")).attr("to", &ada.lid);
        answers.seal(&mut receipts, &receipt.encode().unwrap()).unwrap();
    }
    let (from_read, mut from_write) = tokio::io::split(from);
    let (to_read, mut to_write) = tokio::io::split(to);
    let readers = [tokio::spawn(discard(from_read)), tokio::spawn(discard(to_read))];
    let begin = Instant::now();
    // The receipts follow the messages closely, as those of a live client do.
    let steps = 200;
    let cut = |bytes: &[u8], step: usize| {
        bytes[bytes.len() * step / steps..bytes.len() * (step + 1) / steps].to_vec()
    };
    for step in 0..=steps {
        if step < steps {
            from_write.write_all(&cut(&sent, step)).await.unwrap();
        }
        while sim.backlog() > 0 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        if step > 0 {
            to_write.write_all(&cut(&receipts, step - 1)).await.unwrap();
        }
    }
    let all = u64::from(MESSAGES);
    while sim.stats().deliveries < 2 * all || sim.backlog() > 0 {
        tokio::task::yield_now().await;
    }
    let took = begin.elapsed();
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    f64::from(MESSAGES) / took.as_secs_f64()
}

/// Texts from one phone to another, both in the simulator: encrypted, routed, decrypted, receipted. `others` more
/// accounts are in a group with them when there are any.
fn phones(others: u32) -> f64 {
    const TEXTS: u32 = 2_000;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let sim = Sim::start(load());
        let ada = companion(&sim, "Ada", 1);
        let bea = companion(&sim, "Bea", 2);
        for device in 1..others {
            companion(&sim, "Bea", 10 + u64::from(device));
        }
        let _ = ada.key;
        let chat = bea.lid.user_jid();
        let number = ada.pn.user_number().unwrap();
        let text = |words: String| Action::Text { chat: chat.clone(), text: words, quote: None };
        sim.act(number, text("warm".to_owned())).unwrap();
        let begin = Instant::now();
        for count in 0..TEXTS {
            sim.act(number, text(format!("text {count}"))).unwrap();
        }
        f64::from(TEXTS) / begin.elapsed().as_secs_f64()
    })
}

/// First argument of the process that holds the clients' ends, and of the one whose memory is measured.
const CLIENTS: &str = "--clients";
const IDLE: &str = "--idle";

/// Connections that are logged in and silent; what the server holds for each. The clients are in another process.
async fn idle(scheme: &str) -> f64 {
    let transports = if scheme == "wss" { Transports::TlsOnly } else { Transports::PlainOnly };
    let options = ListenOptions { transports, ..ListenOptions::default() };
    let sim = Sim::listen(load(), options).await.unwrap();
    let numbers: Vec<String> = (0..IDLE_CONNECTIONS)
        .map(|number| {
            let who = companion(&sim, &format!("Account {number}"), number as u64);
            format!("{}\n", who.pn)
        })
        .collect();
    let before = resident();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([CLIENTS, &sim.address().unwrap().to_string(), &hex(&sim.noise_root())])
        .arg(scheme)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let listed = numbers.concat();
    let feeder = std::thread::spawn(move || {
        stdin.write_all(listed.as_bytes()).unwrap();
        stdin
    });
    while sim.world(|world, _| world.connections().filter(|conn| conn.sent > 1).count()) < IDLE_CONNECTIONS {
        assert!(child.try_wait().unwrap().is_none(), "the clients ended early");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let held = resident().saturating_sub(before);
    // Its stdin ends, and so does it.
    drop(feeder.join().unwrap());
    child.wait().unwrap();
    held as f64 / IDLE_CONNECTIONS as f64
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// The other process: logs in once for each address on stdin, holds the connections, and ends with its stdin.
async fn clients(arguments: &[String]) {
    let [address, root, scheme] = arguments else { panic!("address, root, ws or wss") };
    let root: Vec<u8> =
        (0..32).map(|place| u8::from_str_radix(&root[2 * place..2 * place + 2], 16).unwrap()).collect();
    let root: [u8; 32] = root.try_into().unwrap();
    let tls = TlsConnector::from(Arc::new(client_config()));
    let mut held: Vec<Box<dyn Stream>> = Vec::new();
    let mut lines = std::io::stdin().lines();
    for number in 0..IDLE_CONNECTIONS {
        let pn: Jid = lines.next().unwrap().unwrap().parse().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut stream: Box<dyn Stream> = match scheme.as_str() {
            "wss" => Box::new(tls.connect("localhost".try_into().unwrap(), stream).await.unwrap()),
            _ => Box::new(stream),
        };
        let request = "GET /ws/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            seen.push(stream.read_u8().await.unwrap());
        }
        let noise = KeyPair::generate(&mut StdRng::seed_from_u64(number as u64));
        log_in(root, &noise, &pn, &mut stream, true).await;
        held.push(stream);
    }
    while lines.next().is_some() {}
}

/// Trusts whatever certificate comes: the measured side is the other one.
fn client_config() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth()
}

#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
