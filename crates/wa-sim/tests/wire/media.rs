//! The media host, seen by a plain HTTP client (chapter 06 §9).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wa_binary::{Jid, Node};
use wa_sim::faults::{Action, Fault, Match, MediaFault, Phase};
use wa_sim::watch::Rule;
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};

use crate::client::{Client, attr, sim};

async fn listening() -> SimHandle {
    let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    Sim::listen(SimConfig::default(), options).await.expect("a port")
}

/// Status, head and body of an answer, as far as it came.
async fn ask(sim: &SimHandle, method: &str, path: &str, header: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(sim.address().expect("a port")).await.expect("a connection");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a write");
    stream.write_all(body).await.expect("a write");
    let mut seen = Vec::new();
    // A connection that breaks is what some answers are about.
    let _ = stream.read_to_end(&mut seen).await;
    let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4) else {
        return (0, String::new(), Vec::new());
    };
    let head = String::from_utf8_lossy(&seen[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head, seen[end..].to_vec())
}

fn token(body: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(wa_crypto::digest::sha256(&[body]))
}

fn upload_path(body: &[u8], auth: &str) -> String {
    format!("/mms/image/{0}?auth={auth}&token={0}", token(body))
}

fn parsed(body: &[u8]) -> serde_json::Value {
    serde_json::from_slice(body).expect("JSON")
}

/// Uploads a file and gives its direct path.
async fn stored(sim: &SimHandle, body: &[u8]) -> String {
    let (status, _, answer) = ask(sim, "POST", &upload_path(body, "simulator-0"), "", body).await;
    assert_eq!(status, 200);
    parsed(&answer)["direct_path"].as_str().expect("a path").to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_hosts_and_the_token_are_told() {
    let sim = sim(600);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let auth = |answer: &Node| attr(&answer.required_child("media_conn").expect("hosts").to_node(), "auth");
    let first = ada.set("w:m", Node::new("media_conn")).await;
    sim.world(|world, _| world.renew_media_auth());
    let second = ada.set("w:m", Node::new("media_conn")).await;
    assert!(auth(&first).is_some() && auth(&first) != auth(&second));
    sim.world(|world, _| {
        world.set_media_ttl(60, 30);
        world.media_hosts.clear();
    });
    let third = ada.set("w:m", Node::new("media_conn")).await;
    let conn = third.required_child("media_conn").expect("an answer").to_node();
    assert_eq!((attr(&conn, "ttl").as_deref(), attr(&conn, "auth_ttl").as_deref()), (Some("60"), Some("30")));
    assert!(conn.optional_child("host").is_none());
}

#[tokio::test]
async fn files_are_taken_under_their_hash_and_given_back_in_whole_and_in_part() {
    let sim = listening().await;
    let file: Vec<u8> = (0..100_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    let path = stored(&sim, &file).await;
    assert!(path.starts_with('/') && path.contains('?'));
    let extended = format!("{path}&hash=x&mms-type=image&__wa-mms=");
    assert_eq!(ask(&sim, "GET", &extended, "", b"").await.2, file);
    for (range, from, to) in
        [("0-9", 0, 10), ("99990-", 99_990, 100_000), ("50-200000", 50, 100_000), ("-5", 99_995, 100_000)]
    {
        let header = format!("Range: bytes={range}\r\n");
        let (status, head, body) = ask(&sim, "GET", &path, &header, b"").await;
        assert_eq!((status, &body[..]), (206, &file[from..to]), "{range}");
        assert!(head.contains(&format!("content-range: bytes {from}-{}/100000", to - 1)), "{head}");
    }
    assert_eq!(ask(&sim, "GET", &path, "Range: bytes=100000-\r\n", b"").await.0, 416);
    // What is wrong with a request, by status.
    let other = b"another file";
    assert_eq!(ask(&sim, "POST", &upload_path(other, "stale"), "", other).await.0, 401);
    assert_eq!(ask(&sim, "POST", &upload_path(other, "simulator-0"), "", b"other bytes").await.0, 400);
    let unknown = upload_path(other, "simulator-0").replace("image", "hologram");
    assert_eq!(ask(&sim, "POST", &unknown, "", other).await.0, 404);
    let padded = upload_path(other, "simulator-0").replace('?', "=?");
    assert_eq!(ask(&sim, "POST", &padded, "", other).await.0, 200);
    assert_eq!(ask(&sim, "GET", "/v/image/unknown?oh=1", "", b"").await.0, 404);
    assert_eq!(ask(&sim, "GET", &path.replace("oh=", "oh=0"), "", b"").await.0, 403);
    let expire = serde_json::json!({ "expire": path, "renew_auth": true }).to_string();
    assert_eq!(ask(&sim, "POST", "/admin/media", "", expire.as_bytes()).await.0, 200);
    assert_eq!(ask(&sim, "GET", &path, "", b"").await.0, 410);
    assert_eq!(ask(&sim, "POST", &upload_path(&file, "simulator-0"), "", &file).await.0, 401);
    assert_eq!(ask(&sim, "POST", &upload_path(&file, "simulator-1"), "", &file).await.0, 200);
    assert_eq!(ask(&sim, "GET", &path, "", b"").await.2, file, "uploaded anew");
    assert_eq!(ask(&sim, "POST", "/admin/media", "", b"{\"expire\":\"/v/none\"}").await.0, 404);
}

#[tokio::test]
async fn an_upload_that_broke_off_is_resumed_where_it_broke() {
    let sim = listening().await;
    let file: Vec<u8> = (0..50_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    let path = upload_path(&file, "simulator-0");
    let resume = format!("{path}&resume=1");
    assert_eq!(parsed(&ask(&sim, "POST", &resume, "", b"").await.2)["resume"], "0");
    let fault = Action::Media { fault: MediaFault::Cut { after: 20_000 } };
    sim.fault(Fault::once(Match { tag: Some("POST".into()), ..Match::phase(Phase::Media) }, fault));
    assert!(ask(&sim, "POST", &path, "", &file).await.2.is_empty(), "no answer");
    assert_eq!(parsed(&ask(&sim, "POST", &resume, "", b"").await.2)["resume"], "20000");
    let rest = format!("{path}&file_offset=20000");
    assert_eq!(ask(&sim, "POST", &rest, "", &file[20_000..]).await.0, 200);
    let answer = parsed(&ask(&sim, "POST", &resume, "", b"").await.2);
    assert_eq!(answer["resume"], "complete");
    let direct = answer["direct_path"].as_str().expect("a path");
    assert_eq!(ask(&sim, "GET", direct, "", b"").await.2, file);
    assert_eq!(ask(&sim, "POST", &format!("{path}&file_offset=60000"), "", b"x").await.0, 400);
}

#[tokio::test]
async fn the_media_host_fails_in_every_way() {
    let sim = listening().await;
    let file = vec![7; 10_000];
    let path = stored(&sim, &file).await;
    let strike = |fault: MediaFault| {
        sim.fault(Fault::once(Match::phase(Phase::Media), Action::Media { fault }));
    };
    for status in [401, 403, 404, 410, 413, 415, 429, 500, 503, 507, 302] {
        strike(MediaFault::Status { status, retry_after: Some(3) });
        let (seen, head, _) = ask(&sim, "GET", &path, "", b"").await;
        assert_eq!(seen, status);
        assert!(head.contains("retry-after: 3") && head.contains("location:") == (status == 302), "{head}");
        strike(MediaFault::Status { status, retry_after: None });
        assert_eq!(ask(&sim, "POST", &upload_path(&file, "simulator-0"), "", &file).await.0, status);
    }
    strike(MediaFault::Cut { after: 4_000 });
    let (_, head, body) = ask(&sim, "GET", &path, "", b"").await;
    assert!(head.contains("content-length: 10000") && body.len() <= 4_000, "{head}{}", body.len());
    strike(MediaFault::Truncated);
    let (_, head, body) = ask(&sim, "GET", &path, "", b"").await;
    assert!(head.contains("content-length: 5000") && body == file[..5_000]);
    strike(MediaFault::FlippedBit);
    let body = ask(&sim, "GET", &path, "", b"").await.2;
    assert_eq!(body.iter().zip(&file).filter(|(one, other)| one != other).count(), 1);
    strike(MediaFault::ExtraBytes);
    assert_eq!(ask(&sim, "GET", &path, "", b"").await.2.len(), 10_100);
    strike(MediaFault::Slow { bytes_per_second: 100_000 });
    let begin = std::time::Instant::now();
    assert_eq!(ask(&sim, "GET", &path, "", b"").await.2, file);
    assert!(begin.elapsed() >= std::time::Duration::from_millis(100), "{:?}", begin.elapsed());
    // Each struck once.
    assert_eq!(ask(&sim, "GET", &path, "", b"").await.2, file);
}

#[tokio::test]
async fn large_files_lie_on_disk_and_read_the_same() {
    let sim = listening().await;
    let file: Vec<u8> = (0..(9_u32 << 20) / 4).flat_map(u32::to_le_bytes).collect();
    let path = stored(&sim, &file).await;
    assert!(ask(&sim, "GET", &path, "", b"").await.2 == file);
    let (status, head, body) = ask(&sim, "GET", &path, "Range: bytes=9000000-\r\n", b"").await;
    assert!(status == 206 && head.contains("/9437184") && body == file[9_000_000..]);
    sim.fault(Fault::once(Match::phase(Phase::Media), Action::Media { fault: MediaFault::FlippedBit }));
    let bent = ask(&sim, "GET", &path, "", b"").await.2;
    assert_eq!(bent.iter().zip(&file).position(|(one, other)| one != other), Some(file.len() / 2));
}

#[tokio::test]
async fn uploads_of_something_else_and_requests_without_origin() {
    let sim = listening().await;
    let origin = "Origin: https://web.whatsapp.com\r\n";
    let upload = upload_path(b"one", "simulator-0");
    assert_eq!(ask(&sim, "POST", &upload, origin, b"other").await.0, 400);
    let rules = || sim.violations().iter().map(|violation| violation.rule).collect::<Vec<_>>();
    assert_eq!(rules(), [Rule::UploadToken]);
    assert_eq!(ask(&sim, "POST", &upload, origin, b"one").await.0, 200);
    assert_eq!(rules().len(), 1);
    assert_eq!(ask(&sim, "POST", &upload, "", b"one").await.0, 200);
    assert_eq!(rules(), [Rule::UploadToken, Rule::MediaWithoutOrigin]);
}

#[tokio::test]
async fn a_fault_may_strike_one_host_only() {
    let sim = listening().await;
    let path = stored(&sim, b"a file").await;
    let only = Match { host: Some("localhost".into()), ..Match::phase(Phase::Media) };
    let fault = Action::Media { fault: MediaFault::Status { status: 507, retry_after: None } };
    sim.fault(Fault::new(only, fault));
    assert_eq!(ask(&sim, "GET", &path, "", b"").await.0, 507);
    let stream = TcpStream::connect(sim.address().expect("a port")).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    let mut seen = String::new();
    let (mut read, mut write) = stream.into_split();
    write.write_all(head.as_bytes()).await.expect("a write");
    read.read_to_string(&mut seen).await.expect("an answer");
    assert!(seen.starts_with("HTTP/1.1 200") && seen.ends_with("a file"), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn files_expire_in_the_time_of_the_run() {
    let sim = sim(602);
    let path = sim.put_file(wa_sim::phone::MediaKind::Image, bytes::Bytes::from_static(b"a file"));
    let day = std::time::Duration::from_secs(86_400);
    sim.advance(29 * day);
    assert!(sim.fetch_file(&path).is_ok());
    sim.advance(2 * day);
    assert_eq!(sim.fetch_file(&path), Err(410));
}

#[tokio::test(start_paused = true)]
async fn pictures_are_set_served_and_removed() {
    let sim = sim(603);
    sim.world(|world, _| world.media_hosts = vec!["127.0.0.1:8080".to_owned()]);
    let (mut ada, mut bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
    let picture = |kind: &str| Node::new("picture").attr("type", kind).attr("query", "url");
    let get = async |ada: &mut Client, asked: Node| {
        let id = ada.id();
        let iq = Node::new("iq").attr("id", &id).attr("to", Jid::SERVER).attr("type", "get");
        let iq = iq.attr("xmlns", "w:profile:picture").attr("target", bea_of(&sim)).child(asked);
        ada.send(iq).await;
        ada.until(|node| node.is("iq") && node.attr_is("id", &id)).await
    };
    let code = |answer: &Node| answer.optional_child("error").and_then(|it| it.required("code").u32().ok());
    assert_eq!(code(&get(&mut ada, picture("preview")).await), Some(404));
    let bytes = bytes::Bytes::from_static(b"\xff\xd8 a picture");
    let set = Node::new("picture").attr("type", "image").bytes(bytes.clone());
    let answer = bea.set("w:profile:picture", set).await;
    let id = attr(&answer.required_child("picture").expect("a picture").to_node(), "id").expect("an id");
    // Contacts hear of it, and the device that did it.
    for client in [&mut ada, &mut bea] {
        let note = client.until(|node| node.is("notification") && node.attr_is("type", "picture")).await;
        assert!(note.required_child("set").expect("set").attr_is("id", &id), "{note}");
    }
    for kind in ["preview", "image"] {
        let answer = get(&mut ada, picture(kind)).await;
        let found = answer.required_child("picture").expect("a picture").to_node();
        assert_eq!((attr(&found, "id"), attr(&found, "type").as_deref()), (Some(id.clone()), Some(kind)));
        let path = attr(&found, "direct_path").expect("a path");
        assert_eq!(attr(&found, "url"), Some(format!("https://127.0.0.1:8080{path}")));
        assert_eq!(sim.fetch_file(&path), Ok(bytes.clone()));
    }
    let known = get(&mut ada, picture("image").attr("id", &id)).await;
    assert!(known.attr_is("type", "result") && known.optional_child("picture").is_none(), "{known}");
    let hidden =
        Node::new("privacy").child(Node::new("category").attr("name", "profile").attr("value", "none"));
    bea.set("privacy", hidden).await;
    assert_eq!(code(&get(&mut ada, picture("image")).await), Some(401));
    let shown =
        Node::new("privacy").child(Node::new("category").attr("name", "profile").attr("value", "all"));
    bea.set("privacy", shown).await;
    bea.iq("w:profile:picture", "set", Jid::SERVER, None).await;
    assert_eq!(code(&get(&mut ada, picture("image")).await), Some(404));
    let note = ada.until(|node| node.is("notification") && node.optional_child("delete").is_some()).await;
    assert!(note.attr_is("type", "picture"));
}

fn bea_of(sim: &SimHandle) -> Jid {
    sim.world(|world, _| {
        let bea = world.account(world.account_named("Bea").expect("Bea"));
        bea.jid(wa_binary::Family::Lid)
    })
}
