//! The way out: HTTP CONNECT and SOCKS5 proxies on real sockets, headers, and no way around a proxy that fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use wa_client::config::{DeviceName, PlatformType, Timeouts};
use wa_client::egress::{Egress, Proxy, TlsRoots};
use wa_client::events::{EventStream, Kind};
use wa_client::health::{Cause, Stage as Reached, Status};
use wa_client::media::TransferError;
use wa_client::messages::content::MediaKind;
use wa_client::{Client, RootCa};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};
use wa_store::MemoryStore;

use crate::stage::{healthy, next};

/// What a proxy saw.
#[derive(Debug, Default)]
struct Seen {
    /// Requests of its own protocol, readable.
    asked: Vec<String>,
    /// The first bytes that went through.
    upgrade: String,
}

async fn relay(mut client: TcpStream, target: SocketAddr, seen: &Mutex<Seen>) {
    let mut server = TcpStream::connect(target).await.expect("the simulator");
    let mut first = vec![0; 4096];
    let read = client.read(&mut first).await.expect("the upgrade");
    first.truncate(read);
    seen.lock().upgrade = String::from_utf8_lossy(&first).into_owned();
    server.write_all(&first).await.expect("forwarded");
    // Either side may end it.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// An HTTP proxy that wants a password.
async fn http_proxy(target: SocketAddr, seen: Arc<Mutex<Seen>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(client.read_u8().await.expect("a request"));
                }
                let request = String::from_utf8(request).expect("text");
                let is_known =
                    request.to_ascii_lowercase().contains("proxy-authorization: basic ym90onnly3jlda==");
                seen.lock().asked.push(request);
                if !is_known {
                    let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                    return client.write_all(refusal).await.expect("refused");
                }
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.expect("accepted");
                relay(client, target, &seen).await;
            });
        }
    });
    address
}

/// A SOCKS5 proxy (RFC 1928) that wants a password (RFC 1929).
async fn socks_proxy(target: SocketAddr, seen: Arc<Mutex<Seen>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            // A client that does not keep to the protocol is gone; the test sees what was asked.
            tokio::spawn(async move { socks(client, target, &seen).await.ok() });
        }
    });
    address
}

async fn socks(mut client: TcpStream, target: SocketAddr, seen: &Mutex<Seen>) -> std::io::Result<()> {
    assert_eq!(client.read_u8().await?, 5);
    let mut methods = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut methods).await?;
    assert!(methods.contains(&2), "a password is offered");
    client.write_all(&[5, 2]).await?;
    assert_eq!(client.read_u8().await?, 1);
    let mut login = Vec::new();
    for _ in 0..2 {
        let mut word = vec![0; usize::from(client.read_u8().await?)];
        client.read_exact(&mut word).await?;
        login.push(String::from_utf8(word).expect("text"));
    }
    client.write_all(&[1, u8::from(login != ["bot", "secret"])]).await?;
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
        3 => {
            let mut name = vec![0; usize::from(client.read_u8().await?)];
            client.read_exact(&mut name).await?;
            String::from_utf8(name).expect("text")
        }
        kind => panic!("address type {kind}"),
    };
    let port = client.read_u16().await?;
    seen.lock().asked.push(format!("{host}:{port} type {}", request[3]));
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    relay(client, target, seen).await;
    Ok(())
}

async fn simulator() -> (SimHandle, SocketAddr) {
    let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    let sim = Sim::listen(SimConfig::default(), options).await.expect("listens");
    let address = sim.address().expect("an address");
    (sim, address)
}

async fn connect(sim: &SimHandle, host: &str, proxy: Option<&str>) -> Client {
    let store = MemoryStore::open().await.expect("a store");
    let mut timeouts = Timeouts::default();
    timeouts.connect = Duration::from_secs(5);
    let proxy = proxy.map(|proxy| Proxy::parse(proxy).expect("a proxy"));
    let egress = proxy.map_or_else(Egress::default, |proxy| Egress::default().with_proxy(proxy));
    let (client, events) = Client::builder(store.account("main"))
        .url(format!("ws://{host}/ws/chat").parse().expect("a URL"))
        .root(RootCa::new(sim.noise_root(), 0))
        .egress(egress)
        .timeouts(timeouts)
        .header("x-test".parse().expect("a name"), "yes".parse().expect("a value"))
        .device(DeviceName { os: "Windows".to_owned(), platform: PlatformType::Firefox })
        .connect()
        .await
        .expect("started");
    // Dropped events would end nothing; the health is what is watched.
    drop(events);
    client
}

#[tokio::test]
async fn an_http_proxy_is_spoken_to_and_headers_and_device_arrive() {
    let (sim, address) = simulator().await;
    let seen = Arc::default();
    let proxy = http_proxy(address, Arc::clone(&seen)).await;
    let client = connect(&sim, &address.to_string(), Some(&format!("http://bot:secret@{proxy}"))).await;
    healthy(&client, "a QR code", |health| matches!(health.status, Status::WaitingForQr { .. })).await;
    let seen = seen.lock();
    assert!(seen.asked[0].starts_with(&format!("CONNECT {address} ")), "{seen:?}");
    let upgrade = seen.upgrade.to_ascii_lowercase();
    assert!(upgrade.contains("origin: https://web.whatsapp.com\r\n"), "{upgrade}");
    assert!(upgrade.contains("x-test: yes\r\n"), "{upgrade}");
    let pending = sim.world(|world, _| world.pending());
    assert_eq!(pending[0].platform, "Windows");
}

#[tokio::test]
async fn a_socks_proxy_gets_a_name_or_an_address_as_the_url_says() {
    let (sim, address) = simulator().await;
    let port = address.port();
    for (scheme, asked) in
        [("socks5h", format!("localhost:{port} type 3")), ("socks5", format!("127.0.0.1:{port} type 1"))]
    {
        let seen = Arc::default();
        let proxy = socks_proxy(address, Arc::clone(&seen)).await;
        let host = if scheme == "socks5h" { format!("localhost:{port}") } else { address.to_string() };
        let client = connect(&sim, &host, Some(&format!("{scheme}://bot:secret@{proxy}"))).await;
        healthy(&client, "a QR code", |health| matches!(health.status, Status::WaitingForQr { .. })).await;
        assert_eq!(seen.lock().asked, [asked]);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_not_gone_around() {
    let (sim, address) = simulator().await;
    let seen = Arc::default();
    let proxy = http_proxy(address, Arc::clone(&seen)).await;
    for url in [format!("http://bot:wrong@{proxy}"), "socks5h://bot:secret@127.0.0.1:1".to_owned()] {
        let client = connect(&sim, &address.to_string(), Some(&url)).await;
        let health =
            healthy(&client, "the refusal", |health| health.cause == Cause::NetworkUnreachable).await;
        assert_eq!(health.attempts.last().map(|one| one.stage), Some(Reached::Dial));
        assert!(!health.evidence.expect("evidence").to_string().contains("wrong"), "no password is shown");
    }
    assert_eq!(sim.stats().connections, 0);
}

/// Waits for the code and links.
async fn link(sim: &SimHandle, client: &Client, events: &mut EventStream) {
    let qr = next(events, "a QR code", |event| match &event.kind {
        Kind::LinkingQr(qr) => Some(qr.clone()),
        _ => None,
    })
    .await;
    sim.scan_qr(&qr.url(), None).expect("the phone scans");
    client.wait_online(Duration::from_secs(20)).await.expect("online");
}

#[tokio::test]
async fn files_go_through_the_proxy_under_the_accounts_own_tls_and_not_around_it() {
    let sim = Sim::listen(SimConfig::default(), ListenOptions::default()).await.expect("listens");
    let address = sim.address().expect("an address");
    let seen = Arc::new(Mutex::new(Seen::default()));
    let proxy = http_proxy(address, Arc::clone(&seen)).await;
    let egress = Egress::default()
        .with_proxy(Proxy::parse(&format!("http://bot:secret@{proxy}")).expect("a proxy"))
        .with_roots(TlsRoots::pem(sim.certificate_pem()).expect("a certificate"));
    let store = MemoryStore::open().await.expect("a store");
    let builder = |account: &str, egress: &Egress| {
        Client::builder(store.account(account))
            .url(format!("wss://{address}/ws/chat").parse().expect("a URL"))
            .root(RootCa::new(sim.noise_root(), 0))
            .egress(egress.clone())
    };
    let (client, mut events) = builder("main", &egress).connect().await.expect("started");
    link(&sim, &client, &mut events).await;
    let sockets = seen.lock().asked.len();
    let file = vec![7; 300_000];
    let media = client.media().upload(MediaKind::Document, file.clone()).await.expect("it goes up");
    assert!(client.media().download(&media).to_bytes(1 << 20).await.expect("it comes down") == file);
    let asked = seen.lock().asked.clone();
    assert_eq!(asked.len(), sockets + 1, "one connection serves both: {asked:?}");
    assert!(asked.iter().all(|one| one.starts_with(&format!("CONNECT {address} "))), "{asked:?}");

    // The certificate counts for files as well, and nothing goes in the clear to a host of the live service.
    let connections = seen.lock().asked.len();
    let strange = Egress::default()
        .with_proxy(Proxy::parse(&format!("http://bot:secret@{proxy}")).expect("a proxy"))
        .with_roots(TlsRoots::Only(Vec::new()));
    let (other, _events) = builder("other", &strange).connect().await.expect("started");
    sim.world(|world, _| world.media_hosts = vec![address.to_string()]);
    // Five attempts take longer; the first says enough.
    let refused = other.media().download(&media).to_bytes(1 << 20);
    let refused = tokio::time::timeout(Duration::from_secs(2), refused).await;
    assert!(!matches!(refused, Ok(Ok(_))), "{refused:?}");
    assert!(seen.lock().asked.len() > connections, "it was tried through the proxy");

    // A proxy that is gone is not gone around.
    let gone = Egress::default().with_proxy(Proxy::parse("socks5h://127.0.0.1:1").expect("a proxy"));
    let (other, _events) = builder("third", &gone).connect().await.expect("started");
    tokio::time::pause();
    let refused = other.media().download(&media).to_bytes(1 << 20).await;
    assert!(matches!(refused, Err(TransferError::Network(_))), "{refused:?}");
}
