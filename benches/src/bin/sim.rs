//! What the simulator bears: stanzas replayed and routed by one core, memory of idle connections, and how fast phones
//! encrypt (chapter 10 §13). One thread does everything, clients included, so the numbers are lower bounds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
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

struct Counting;

static HELD: AtomicU64 = AtomicU64::new(0);

// SAFETY: passes everything on to the system's allocator and only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut met = true;
    met &= report("replayed, pre-encrypted, 1 core", runtime.block_on(replay()), REPLAYED_PER_SECOND);
    report("routed (in, ack, delivery), 1 core", runtime.block_on(routed()), 0.0);
    report("routed with the watch and the trace, 1 core", runtime.block_on(routed_watched()), 0.0);
    report("texts between two phones, encrypted live, 1 core", phones(1), 0.0);
    report("the same, each for 4 devices, 1 core", phones(3), 0.0);
    let bytes = runtime.block_on(idle(Transports::Both));
    println!(
        "idle connections without TLS: {IDLE_CONNECTIONS}, {bytes:.0} bytes of heap each, goal below {BYTES_PER_CONNECTION:.0}"
    );
    met &= bytes < BYTES_PER_CONNECTION;
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(what: &str, per_second: f64, goal: f64) -> bool {
    println!(
        "{what}: {per_second:.0} per second{}",
        if goal > 0.0 { format!(", goal {goal:.0}") } else { String::new() }
    );
    per_second >= goal
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
    ws: bool,
) -> FrameSealer {
    let mut rng = StdRng::seed_from_u64(7);
    let login = Login {
        agent: UserAgent::default(),
        username: who.pn.user_number().unwrap(),
        device: who.pn.device().into(),
        login_counter: 0,
        passive: false,
        lid_migrated: true,
        push_name: None,
    };
    let root = RootCa { public_key: PublicKey::from_bytes(sim.noise_root()), serial: 0 };
    let payload = ClientPayload::Login(Box::new(login)).encode();
    let parameters =
        ClientParameters { noise_key: who.noise.clone(), root, header: Header::CURRENT, payload };
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
    login(&sim, &bea, &mut stream, false).await;
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

async fn routed() -> f64 {
    route(load()).await
}

async fn routed_watched() -> f64 {
    route(SimConfig::default()).await
}

/// Frames sealed beforehand come in; acks and deliveries go out; the receiver's receipts come in as well.
async fn route(config: SimConfig) -> f64 {
    const MESSAGES: u32 = 60_000;
    let sim = Sim::start(config);
    let (ada, bea) = (companion(&sim, "Ada", 1), companion(&sim, "Bea", 2));
    let (mut from, mut to) = (sim.connect(), sim.connect());
    let mut sealer = login(&sim, &ada, &mut from, false).await;
    let mut answers = login(&sim, &bea, &mut to, false).await;
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

/// Connections that are logged in and silent; what the heap holds for each, the client's socket included.
async fn idle(transports: Transports) -> f64 {
    let options = ListenOptions { transports, ..ListenOptions::default() };
    let sim = Sim::listen(load(), options).await.unwrap();
    let address = sim.address().unwrap();
    let companions: Vec<Companion> = (0..IDLE_CONNECTIONS)
        .map(|number| companion(&sim, &format!("Account {number}"), number as u64))
        .collect();
    let before = HELD.load(Ordering::Relaxed);
    let mut streams = Vec::new();
    for who in &companions {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = "GET /ws/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            seen.push(stream.read_u8().await.unwrap());
        }
        login(&sim, who, &mut stream, true).await;
        streams.push(stream);
    }
    while sim.world(|world, _| world.connections().filter(|conn| conn.sent > 1).count()) < IDLE_CONNECTIONS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let held = HELD.load(Ordering::Relaxed).saturating_sub(before);
    held as f64 / IDLE_CONNECTIONS as f64
}
