//! What only a process of its own can show, over real sockets: how much memory a large file takes, and what a disk that
//! takes no more does. `WA_SOAK` makes the file 2 GiB instead of 96 MiB.
#![allow(clippy::print_stdout)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wa_client::events::Kind;
use wa_client::media::TransferError;
use wa_client::messages::content::{Media, MediaKey, MediaKind};
use wa_client::{Client, RootCa};
use wa_media::{MediaKeys, SealedFile, Sealer, Sidecar};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};
use wa_store::MemoryStore;

/// What a transfer may take beyond what the client takes anyway.
const EXTRA: u64 = 32 << 20;
const VARIABLE: &str = "WA_MEDIA_PROCESS";
/// In front of every line that is meant for the test.
const MARK: &str = "@ ";
const PIECE: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Deed {
    Upload,
    ToPath,
    ToWriter,
    /// The whole file in memory: what the measure has to see.
    ToBytes,
}

#[derive(Debug, Serialize, Deserialize)]
struct Orders {
    url: String,
    root: [u8; 32],
    folder: PathBuf,
    size: u64,
    sha256: [u8; 32],
    enc_sha256: [u8; 32],
    deed: Deed,
}

fn keys() -> MediaKeys {
    MediaKey::from_slice(&[7; 32]).unwrap().derive(MediaKind::Document)
}

/// A file of zeros, sealed piece by piece.
fn sealed(size: u64, mut take: impl FnMut(&[u8])) -> SealedFile {
    let keys = keys();
    let mut sealer = Sealer::new(&keys, Sidecar::None);
    let (zeros, mut out, mut left) = (vec![0; PIECE], Vec::new(), size);
    while left > 0 {
        let piece = left.min(PIECE as u64);
        sealer.update(&zeros[..piece as usize], &mut out);
        take(&out);
        out.clear();
        left -= piece;
    }
    let file = sealer.finish(&mut out);
    take(&out);
    file
}

/// A media host that keeps nothing: it throws away what comes, and makes what is asked for.
async fn host(listener: TcpListener, size: u64) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let _ = serve(stream, size).await;
        });
    }
}

async fn serve(mut stream: TcpStream, size: u64) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut left: u64 = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut piece = vec![0; PIECE];
        while left > 0 {
            let room = left.min(PIECE as u64) as usize;
            left -= stream.read(&mut piece[..room]).await? as u64;
        }
        if head.starts_with("post") {
            let is_check = head.contains("&resume=1");
            let answer = match is_check {
                true => r#"{"resume":"0"}"#,
                false => r#"{"url":"https://localhost/x","direct_path":"/v/big?oh=1"}"#,
            };
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            stream.write_all(answer.as_bytes()).await?;
            continue;
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", wa_media::sealed_len(size));
        stream.write_all(head.as_bytes()).await?;
        let (give, mut take) = tokio::sync::mpsc::channel::<Vec<u8>>(2);
        let making = tokio::task::spawn_blocking(move || {
            sealed(size, |piece| {
                let _ = give.blocking_send(piece.to_vec());
            });
        });
        while let Some(piece) = take.recv().await {
            stream.write_all(&piece).await?;
        }
        drop(making);
    }
}

fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process' own status");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    line.trim_matches([':', ' ', '\t']).trim_end_matches(" kB").trim().parse::<u64>().expect("a number") << 10
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{line}").and_then(|()| out.flush()).expect("the test listens");
}

/// The process. Without orders it is an empty test.
#[test]
fn transfer_process() {
    let Ok(orders) = std::env::var(VARIABLE) else { return };
    let orders: Orders = serde_json::from_str(&orders).expect("orders");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(transfer(orders));
}

async fn transfer(orders: Orders) {
    let store = MemoryStore::open().await.expect("a store");
    let (client, mut events) = Client::builder(store.account("main"))
        .url(orders.url.parse().expect("a URL"))
        .root(RootCa::new(orders.root, 0))
        .connect()
        .await
        .expect("the client starts");
    while let Some(event) = events.next().await {
        if let Kind::LinkingQr(qr) = event.kind {
            say(&format!("qr {}", qr.url()));
            break;
        }
    }
    client.wait_online(Duration::from_secs(60)).await.expect("the account comes online");
    let mut media = Media::new(MediaKind::Document);
    media.key = MediaKey::from_slice(&[7; 32]).ok();
    media.direct_path = Some("/v/big?oh=1".to_owned());
    (media.sha256, media.enc_sha256) = (Some(orders.sha256), Some(orders.enc_sha256));
    media.size = Some(orders.size);
    let source = orders.folder.join("source");
    if orders.deed == Deed::Upload {
        std::fs::File::create(&source).and_then(|file| file.set_len(orders.size)).expect("a source");
    }
    let target = orders.folder.join("target");
    // Peak from here on.
    let before = memory("VmRSS");
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak is reset");
    let room = client.media();
    let begin = std::time::Instant::now();
    let done: Result<(), TransferError> = match orders.deed {
        Deed::Upload => room.upload(MediaKind::Document, &source).await.map(drop),
        Deed::ToPath => room.download(&media).to_path(&target).await.map(drop),
        Deed::ToWriter => room.download(&media).to_writer(&mut tokio::io::sink()).await.map(drop),
        Deed::ToBytes => room.download(&media).to_bytes(orders.size).await.map(drop),
    };
    let extra = memory("VmHWM").saturating_sub(before);
    if let Deed::ToPath = orders.deed
        && done.is_ok()
    {
        assert_eq!(std::fs::metadata(&target).expect("the file").len(), orders.size);
    }
    let left = std::fs::read_dir(&orders.folder).expect("the folder").count();
    let outcome = done.map_or_else(|error| format!("{error:?}"), |()| "done".to_owned());
    say(&format!("{extra} {left} {:.1} {outcome}", begin.elapsed().as_secs_f64()));
}

/// What a process has said in the end.
#[derive(Debug)]
struct Said {
    extra: u64,
    /// Files in its folder.
    left: usize,
    seconds: String,
    outcome: String,
}

struct Scene {
    sim: SimHandle,
    size: u64,
    file: SealedFile,
}

impl Scene {
    async fn new(size: u64) -> Self {
        let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
        let sim = Sim::listen(SimConfig::default(), options).await.expect("a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        sim.world(|world, _| world.media_hosts = vec![address]);
        tokio::spawn(host(listener, size));
        let file = tokio::task::spawn_blocking(move || sealed(size, |_| {})).await.expect("sealed");
        Self { sim, size, file }
    }

    async fn run(&self, deed: Deed, wrap: Option<&str>) -> Said {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let orders = Orders {
            url: format!("ws://{}/ws/chat", self.sim.address().expect("an address")),
            root: self.sim.noise_root(),
            folder: folder.path().to_owned(),
            size: self.size,
            sha256: self.file.file_sha256,
            enc_sha256: self.file.file_enc_sha256,
            deed,
        };
        let program = std::env::current_exe().expect("this program");
        let mut command = match wrap {
            Some(wrap) => {
                let mut command = Command::new("sh");
                command.args(["-c", &format!("{wrap}; exec \"$0\" \"$@\"")]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(["--exact", "process::transfer_process", "--nocapture", "--test-threads=1"]);
        command.env(VARIABLE, serde_json::to_string(&orders).expect("orders"));
        let child = command.stdout(Stdio::piped()).spawn().expect("the process starts");
        let mut lines = lines(child);
        let mut line = async || lines.recv().await.expect("the process goes on");
        let qr = line().await.strip_prefix("qr ").expect("a QR code").to_owned();
        self.sim.scan_qr(&qr, None).expect("the phone scans");
        let said = line().await;
        let mut fields = said.splitn(4, ' ');
        let mut field = || fields.next().expect("a field").to_owned();
        let (extra, left) = (field().parse().expect("bytes"), field().parse().expect("a count"));
        let (seconds, outcome) = (field(), field());
        let said = Said { extra, left, seconds, outcome };
        println!("{deed:?}: {} bytes, {} extra bytes at most, {} s", self.size, said.extra, said.seconds);
        said
    }
}

/// The lines of a process, which ends with whoever reads them.
fn lines(mut child: Child) -> tokio::sync::mpsc::UnboundedReceiver<String> {
    let (give, take) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let out = BufReader::new(child.stdout.take().expect("its output"));
        for line in out.lines().map_while(Result::ok) {
            // What was tested prints its own words in front.
            let Some((_, line)) = line.split_once(MARK) else { continue };
            if give.send(line.to_owned()).is_err() {
                break;
            }
        }
        let _ = child.wait();
    });
    take
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_takes_less_than_32_mib() {
    let size = if std::env::var_os("WA_SOAK").is_some() { 2 << 30 } else { 96 << 20 };
    let scene = Scene::new(size).await;
    for deed in [Deed::Upload, Deed::ToPath, Deed::ToWriter] {
        let said = scene.run(deed, None).await;
        assert_eq!(said.outcome, "done", "{deed:?}");
        assert!(said.extra < EXTRA, "{deed:?} took {} bytes", said.extra);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_measure_sees_a_file_that_is_held_in_memory() {
    let said = Scene::new(64 << 20).await.run(Deed::ToBytes, None).await;
    assert_eq!(said.outcome, "done");
    assert!(said.extra > 2 * EXTRA, "{} bytes", said.extra);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_no_more_is_named_and_nothing_is_left() {
    // The kernel refuses every byte past the limit: 10 or 20 MB, as the shell counts.
    let limited = "trap '' XFSZ; ulimit -f 20000";
    let said = Scene::new(8 << 20).await.run(Deed::ToPath, Some(limited)).await;
    assert_eq!((said.outcome.as_str(), said.left), ("done", 1), "the limit is large enough");
    let said = Scene::new(64 << 20).await.run(Deed::ToPath, Some(limited)).await;
    assert!(said.outcome.starts_with("Destination("), "{said:?}");
    assert_eq!(said.left, 0, "something is left behind");
}
