//! The port as strangers meet it: TLS of both versions and plain bytes, WebSockets with whatever they offer, headers of
//! other dictionaries, and an admin API that no fault strikes by accident (chapters 01 §2, §3, 10 §1, §16).

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use wa_binary::{Jid, Node};
use wa_noise::{Header, Opening};
use wa_sim::faults::{Action, CloseHow, Fault, FreezeMode, Match, Phase};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};

use crate::client::{Client, Refusal, sim};
use crate::rest::http;
use crate::scene;

async fn listening(transports: Transports) -> SimHandle {
    let options = ListenOptions { transports, ..ListenOptions::default() };
    Sim::listen(SimConfig::default(), options).await.expect("a port")
}

async fn socket(sim: &SimHandle) -> TcpStream {
    TcpStream::connect(sim.address().expect("a port")).await.expect("a connection")
}

/// What is answered to a request, to the end of the stream.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await?;
    Ok(String::from_utf8_lossy(&seen).into_owned())
}

const PROBE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

async fn tls(
    sim: &SimHandle,
    name: &'static str,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(sim.certificate_pem().as_bytes()) {
        roots.add(certificate.expect("a certificate")).expect("a root");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(name).expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, socket(sim).await).await
}

#[tokio::test]
async fn one_port_takes_tls_of_both_versions_under_every_name_and_plain_bytes() {
    let sim = listening(Transports::Both).await;
    assert!(answer(socket(&sim).await, PROBE).await.expect("an answer").starts_with("HTTP/1.1 200"));
    for (version, number) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        for name in ["localhost", "127.0.0.1", "::1"] {
            let stream = tls(&sim, name, version).await.expect("a handshake");
            assert_eq!(stream.get_ref().1.protocol_version(), Some(number));
            let seen = answer(stream, PROBE).await.expect("an answer");
            assert!(seen.starts_with("HTTP/1.1 200"), "{name}: {seen}");
        }
    }
    assert!(
        tls(&sim, "example.org", &rustls::version::TLS13).await.is_err(),
        "the certificate is for loopback"
    );
    for (transports, takes_tls) in [(Transports::TlsOnly, true), (Transports::PlainOnly, false)] {
        let sim = listening(transports).await;
        assert_eq!(tls(&sim, "localhost", &rustls::version::TLS13).await.is_ok(), takes_tls);
        let plain = answer(socket(&sim).await, PROBE).await.unwrap_or_default();
        assert_eq!(plain.starts_with("HTTP/1.1 200"), !takes_tls);
        let (scheme, info) = (if takes_tls { "wss://" } else { "ws://" }, sim.info());
        assert!(info["ws"].as_str().is_some_and(|url| url.starts_with(scheme)), "{info}");
    }
}

#[tokio::test]
async fn a_websocket_may_come_from_anywhere_and_gets_no_extension() {
    let sim = listening(Transports::Both).await;
    let request = "GET /ws/chat?ED=CAIIEggF HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Origin: https://example.org\r\nSec-WebSocket-Protocol: chat\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let mut stream = socket(&sim).await;
    stream.write_all(request.as_bytes()).await.expect("a write");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    let head = String::from_utf8(head).expect("text").to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(!head.contains("sec-websocket-extensions") && !head.contains("sec-websocket-protocol"), "{head}");
    // A ping is answered as it is, before anything else was said.
    let url = format!("ws://{}/ws/chat", sim.address().expect("a port"));
    let (mut socket, _) = tokio_tungstenite::client_async(url, socket(&sim).await).await.expect("an upgrade");
    socket.send(Message::Ping(b"are you there"[..].into())).await.expect("a write");
    match socket.next().await {
        Some(Ok(Message::Pong(echo))) => assert_eq!(&echo[..], b"are you there"),
        other => panic!("{other:?}"),
    }
}

/// A WebSocket as a byte stream; what is written goes out in messages of at most so many bytes.
async fn websocket(sim: &SimHandle, piece: usize) -> DuplexStream {
    let url = format!("ws://{}/ws/chat", sim.address().expect("a port"));
    scene::websocket(&url, socket(sim).await, piece).await
}

#[tokio::test]
async fn messages_of_the_websocket_and_frames_need_not_agree() {
    let sim = listening(Transports::PlainOnly).await;
    for piece in [1, 3, 1 << 16] {
        let mut client = Client::new(None, 1);
        let payload = client.registration();
        let stream = websocket(&sim, piece).await;
        client.open_on(stream, sim.noise_root(), payload, Opening::Xx).await.expect("a connection");
        client.until(|node| node.optional_child("pair-device").is_some()).await;
        // Written in one go: with large pieces both frames are in one message.
        for id in ["one", "two"] {
            let ping = Node::new("iq").attr("id", id).attr("to", Jid::SERVER).attr("type", "get");
            client.send(ping.attr("xmlns", "w:p")).await;
        }
        client.until(|node| node.attr_is("id", "one")).await;
        client.until(|node| node.attr_is("id", "two")).await;
    }
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

#[tokio::test]
async fn a_websocket_is_pinged_when_the_settings_say_so_and_never_else() {
    for beat in [None, Some(20)] {
        let config = SimConfig { websocket_ping_ms: beat, ..SimConfig::default() };
        let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
        let sim = Sim::listen(config, options).await.expect("a port");
        let url = format!("ws://{}/ws/chat", sim.address().expect("a port"));
        let (socket, _) = tokio_tungstenite::client_async(url, socket(&sim).await).await.expect("an upgrade");
        let (mut sink, mut source) = socket.split();
        let (near, far) = tokio::io::duplex(1 << 20);
        let (mut read, mut write) = tokio::io::split(far);
        tokio::spawn(async move {
            let mut chunk = vec![0; 4096];
            while let Ok(count @ 1..) = read.read(&mut chunk).await {
                sink.send(Message::Binary(chunk[..count].to_vec().into())).await.expect("a write");
            }
        });
        let (seen, mut pings) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = source.next().await {
                if message.is_ping() {
                    // Nobody may listen any more.
                    let _ = seen.send(());
                } else if write.write_all(&message.into_data()).await.is_err() {
                    break;
                }
            }
        });
        let mut client = Client::new(None, 1);
        let payload = client.registration();
        client.open_on(near, sim.noise_root(), payload, Opening::Xx).await.expect("a connection");
        client.until_tag("iq").await;
        let ping = tokio::time::timeout(
            Duration::from_millis(if beat.is_some() { 5_000 } else { 200 }),
            pings.recv(),
        );
        assert_eq!(ping.await.is_ok(), beat.is_some());
    }
}

#[tokio::test]
async fn a_second_port_takes_the_same_bytes_without_websocket_and_is_named() {
    let loopback = "127.0.0.1:0".parse().ok();
    let options = ListenOptions { raw: loopback, ..ListenOptions::default() };
    let sim = Sim::listen(SimConfig::default(), options).await.expect("ports");
    let named = sim.info()["raw"].as_str().map(str::to_owned).expect("an address");
    assert_eq!(sim.raw_address().map(|address| address.to_string()).as_deref(), Some(&*named));
    assert_eq!(http(&sim, "GET", "/admin/info", "").await.1["raw"], named);
    let mut socket = TcpStream::connect(&named).await.expect("a connection");
    let (near, mut far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move { tokio::io::copy_bidirectional(&mut far, &mut socket).await });
    let mut client = Client::new(None, 1);
    let payload = client.registration();
    client.open_on(near, sim.noise_root(), payload, Opening::Xx).await.expect("a connection");
    client.until(|node| node.optional_child("pair-device").is_some()).await;
    // Refused like the other one when others could reach it.
    let options = ListenOptions { raw: "0.0.0.0:0".parse().ok(), ..ListenOptions::default() };
    assert!(matches!(Sim::listen(SimConfig::default(), options).await, Err(wa_sim::SimError::Remote(_))));
}

#[tokio::test(start_paused = true)]
async fn headers_of_other_dictionaries_and_with_routing_bytes_are_taken_and_others_are_not() {
    let sim = sim(950);
    let mut client = Client::new(None, 1);
    for (version, routing) in
        [(3, Some(Vec::new())), (3, Some(vec![7; 5000])), (2, None), (9, Some(vec![1, 2, 3]))]
    {
        client.header = Header::parse([b'W', b'A', 6, version]).expect("a header");
        client.routing = routing;
        client.register(&sim).await;
    }
    for wrong in [&b"WB\x06\x03"[..], b"WA\x05\x03", b"ED\x00\x02", b"ED\x00\x01\x00\x00\x02xxWB\x06\x03"] {
        let mut stream = sim.connect();
        stream.write_all(wrong).await.expect("a write");
        let begin = tokio::time::Instant::now();
        let mut seen = Vec::new();
        stream.read_to_end(&mut seen).await.expect("an end");
        assert!(seen.is_empty() && begin.elapsed() < Duration::from_secs(1), "at once, not by patience");
    }
}

#[tokio::test]
async fn one_root_seed_makes_one_root_whatever_the_seed() {
    let root = |seed, root_seed| {
        let config = SimConfig { seed: wa_sim::Seed(seed), root_seed, ..SimConfig::default() };
        Sim::start(config).noise_root()
    };
    assert_eq!(root(1, Some([9; 32])), root(2, Some([9; 32])));
    assert_ne!(root(1, Some([9; 32])), root(1, Some([8; 32])));
    assert_ne!(root(1, None), root(2, None));
    // Whoever pins another root connects to nothing.
    let sim = sim(951);
    let mut client = Client::new(None, 1);
    let payload = client.registration();
    let refused = client.open_on(sim.connect(), [1; 32], payload, Opening::Xx).await;
    assert!(matches!(refused, Err(Refusal::Handshake(_))));
}

#[tokio::test]
async fn faults_at_connections_spare_the_admin_api() {
    let sim = listening(Transports::Both).await;
    let tls_info = "GET /admin/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let actions =
        [Action::Freeze { mode: FreezeMode::Both }, Action::Close { how: CloseHow::Rst, after: false }];
    for action in &actions {
        sim.fault(Fault::new(Match::default(), action.clone()));
        assert_eq!(http(&sim, "GET", "/admin/info", "").await.0, 200, "{action:?}");
        let stream = tls(&sim, "localhost", &rustls::version::TLS13).await.expect("a handshake");
        assert!(answer(stream, tls_info).await.expect("an answer").starts_with("HTTP/1.1 200"));
        assert!(!chat_opens(&sim).await, "the chat is struck: {action:?}");
        sim.heal();
        assert!(chat_opens(&sim).await);
        // By name a fault strikes at sockets, but not at a plain one that asks for the admin API.
        sim.fault(Fault::new(Match::phase(Phase::Tcp), action.clone()));
        assert_eq!(http(&sim, "GET", "/admin/info", "").await.0, 200, "{action:?}");
        assert!(!chat_opens(&sim).await);
        let probe = tokio::time::timeout(Duration::from_millis(300), answer(socket(&sim).await, PROBE)).await;
        assert!(probe.is_err() || probe.is_ok_and(|seen| seen.is_err()), "and so are other paths");
        sim.heal();
    }
    // A request that comes in pieces is known all the same.
    sim.fault(Fault::new(Match::phase(Phase::Tcp), actions[0].clone()));
    let mut stream = socket(&sim).await;
    stream.set_nodelay(true).expect("an option");
    for piece in [&tls_info[..3], &tls_info[3..9], &tls_info[9..]] {
        stream.write_all(piece.as_bytes()).await.expect("a write");
        stream.flush().await.expect("a write");
        tokio::task::yield_now().await;
    }
    assert!(answer(stream, "").await.expect("an answer").starts_with("HTTP/1.1 200"));
}

/// Whether the upgrade is answered with a WebSocket.
async fn chat_opens(sim: &SimHandle) -> bool {
    let url = format!("ws://{}/ws/chat", sim.address().expect("a port"));
    let stream = socket(sim).await;
    let upgrade = tokio_tungstenite::client_async(url, stream);
    let Ok(Ok((mut socket, _))) = tokio::time::timeout(Duration::from_millis(300), upgrade).await else {
        return false;
    };
    // One that is broken off at its upgrade shows so with what comes next.
    if socket.send(Message::Ping(b"x"[..].into())).await.is_err() {
        return false;
    }
    matches!(socket.next().await, Some(Ok(Message::Pong(_))))
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_given_up() {
    let sim = sim(952);
    let mut stream = sim.http();
    let begin = tokio::time::Instant::now();
    stream.write_all(b"GET /admin/info HTTP/1.1\r\nHost: loc").await.expect("a write");
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await.expect("an end");
    let waited = begin.elapsed();
    assert!((Duration::from_secs(19)..Duration::from_secs(22)).contains(&waited), "{waited:?}");
    // One that is whole gets its answer, and the same connection takes another.
    let mut stream = sim.http();
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("a write");
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk).await.expect("an answer");
        assert!(chunk[..read].starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_body_of_the_admin_api_has_a_limit() {
    let sim = listening(Transports::PlainOnly).await;
    let largest = " ".repeat(16 << 20);
    assert_eq!(http(&sim, "POST", "/admin/reset", &largest).await.0, 200);
    let too_large = " ".repeat((16 << 20) + 1);
    assert_eq!(http(&sim, "POST", "/admin/reset", &too_large).await.0, 413);
}

#[tokio::test(start_paused = true)]
async fn stanzas_past_the_limits_end_the_stream_and_those_at_them_do_not() {
    let nested = |depth: usize| {
        let innermost = Node::new("x");
        let inner = (3..=depth).fold(innermost, |node, _| Node::new("x").child(node));
        stats("deep").child(inner)
    };
    let wide = |count: usize| {
        let node = (0..count).fold(Node::new("x"), |node, place| node.attr(&*format!("a{place}"), "1"));
        stats("wide").child(node)
    };
    fn stats(id: &str) -> Node {
        Node::new("iq").attr("id", id).attr("to", Jid::SERVER).attr("type", "set").attr("xmlns", "w:stats")
    }
    let sim = sim(953);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    for (id, taken) in [("deep", nested(64)), ("wide", wide(1024))] {
        ada.send(taken).await;
        ada.until(|node| node.is("iq") && node.attr_is("id", id)).await;
    }
    for refused in [nested(65), wide(1025)] {
        ada.send(refused).await;
        let error = ada.until_tag("stream:error").await;
        assert!(error.optional_child("xml-not-well-formed").is_some(), "{error}");
        assert!(ada.ended().await);
        ada.login(&sim).await;
    }
    assert!(sim.violations().iter().all(|violation| violation.rule == wa_sim::watch::Rule::BadXml));
}
