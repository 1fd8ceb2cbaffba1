//! The binary as a stranger meets it: one line of JSON, TLS and plain on one port, recordings that are alike byte for
//! byte, an end that is clean (chapter 10 §1, §12).

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use wa_binary::Jid;
use wa_noise::Opening;

use crate::client::Client;
use crate::scene;

/// A running binary; ended with the test.
struct Binary {
    child: Child,
    info: serde_json::Value,
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Binary {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with_log(arguments, Stdio::null())
    }

    fn start_with_log(arguments: &[&str], log: Stdio) -> Self {
        Self::start_command(Command::new(env!("CARGO_BIN_EXE_wa-sim")), arguments, log)
    }

    fn start_command(mut command: Command, arguments: &[&str], log: Stdio) -> Self {
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .env_remove("RUST_LOG")
            .spawn()
            .expect("the binary");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        Self { info: serde_json::from_str(&line).expect("JSON"), child }
    }

    fn root(&self) -> [u8; 32] {
        let root = self.info["noise_root"]["public_key_hex"].as_str().expect("a key");
        hex::decode(root).expect("hex").try_into().expect("32 bytes")
    }

    /// A WebSocket as a byte stream.
    async fn connect(&self) -> DuplexStream {
        let url = self.info["plain"]["ws"].as_str().expect("a URL");
        let address = url.trim_start_matches("ws://").trim_end_matches("/ws/chat");
        let stream = TcpStream::connect(address).await.expect("a connection");
        scene::websocket(url, stream, 16 << 10).await
    }

    async fn admin(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let url = self.info["plain"]["admin"].as_str().expect("a URL");
        let address = url.trim_start_matches("http://").trim_end_matches("/admin");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "{method} /admin{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("a write");
        let mut seen = String::new();
        stream.read_to_string(&mut seen).await.expect("an answer");
        assert!(seen.starts_with("HTTP/1.1 200"), "{path}: {seen}");
        serde_json::from_str(seen.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
    }

    /// Asks it to end, as a service manager does; what it says about that.
    fn stop(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        self.child.wait().expect("an end")
    }
}

/// A companion of Ada's that is linked and not logged in.
async fn linked(binary: &Binary) -> Client {
    let mut ada = Client::new(Some("Ada"), 1);
    let payload = ada.registration();
    ada.open_on(binary.connect().await, binary.root(), payload, Opening::Xx).await.expect("a connection");
    let iq = ada.until(|node| node.optional_child("pair-device").is_some()).await;
    let refs = iq.required_child("pair-device").expect("pair-device").required_child("ref").expect("a ref");
    let qr = ada.qr(&refs.required_text().expect("text"));
    // The admin API is another connection: what this one has said must have arrived.
    binary.admin("GET", "/wait?tag=iq&type=result&timeout_ms=10000", "").await;
    binary.admin("POST", "/mock-phone/scan-qr", &qr).await;
    let iq = ada.until(|node| node.optional_child("pair-success").is_some()).await;
    let answer = ada.sign(&iq);
    ada.send(answer).await;
    ada.until_tag("stream:error").await;
    // The end comes after a while, which passes by hand.
    binary.admin("POST", "/clock", r#"{"advance_ms":1000}"#).await;
    assert!(ada.ended().await);
    ada
}

/// One companion links, logs in, writes and is written to. Every step waits for the one before it, so that its input is
/// the same in every run.
async fn story(binary: &Binary) -> Client {
    let mut ada = linked(binary).await;
    let payload = ada.login_payload(false);
    ada.open_on(binary.connect().await, binary.root(), payload, Opening::Xx).await.expect("a connection");
    ada.until_tag("success").await;
    ada.until(|node| node.optional_child("offline").is_some()).await;
    ada.upload(10).await;
    // Keys, then three pieces of history.
    for _ in 0..4 {
        let greeting = ada.until(|node| node.attr_is("category", "peer")).await;
        ada.read_message(&greeting);
    }
    let bea = binary.admin("GET", "/accounts/Bea", "").await;
    let bea: Jid = bea["lid_jid"].as_str().and_then(|lid| lid.parse().ok()).expect("an address");
    let id = ada.text(&bea, std::slice::from_ref(&bea), "hello").await;
    ada.until(|node| node.is("ack") && node.attr_is("id", &id)).await;
    ada.until(|node| node.is("receipt") && node.attr_is("id", &id)).await;
    let chat = ada.my_lid().user_jid().to_string();
    ada.iq("blocklist", "get", Jid::SERVER, None).await;
    let body = serde_json::json!({ "chat": chat, "text": "hello back" }).to_string();
    binary.admin("POST", "/accounts/Bea/phone/text", &body).await;
    let answer = ada.until(|node| node.is("message") && !node.attr_is("category", "peer")).await;
    assert_eq!(ada.read_message(&answer)[0].conversation.as_deref(), Some("hello back"));
    // What was answered last has arrived once this is.
    ada.iq("blocklist", "get", Jid::SERVER, None).await;
    let violations = binary.admin("GET", "/violations", "").await;
    assert_eq!(violations["violations"], serde_json::json!([]));
    ada
}

fn arguments<'a>(world: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["--seed", "77", "--clock", "manual", "--start-ms", "1900000000000", "--world", world];
    fixed.into_iter().chain(more.iter().copied()).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[cfg(unix)]
#[tokio::test]
async fn two_runs_of_the_binary_leave_the_same_recording() {
    let folder = std::env::temp_dir().join(format!("wa-sim-binary-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let world = folder.join("world.toml");
    std::fs::write(&world, "[[account]]\nname = \"Bea\"\nnumber = 15550101\n").expect("a file");
    let tapes = [folder.join("one.jsonl"), folder.join("two.jsonl")];
    for tape in &tapes {
        let binary = Binary::start(&arguments(text(&world), &["--record", text(tape)]));
        story(&binary).await;
        assert!(binary.stop().success());
    }
    let [one, two] = tapes.map(|tape| std::fs::read(tape).expect("a recording"));
    assert!(one.len() > 5_000 && one == two, "{} and {} bytes", one.len(), two.len());
    // A recording holds a later run to it.
    let tape = folder.join("check.jsonl");
    std::fs::write(&tape, &one).expect("a file");
    let binary = Binary::start(&arguments(text(&world), &["--replay-check", text(&tape)]));
    story(&binary).await;
    assert!(binary.stop().success());
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_process_goes_on_where_the_old_one_was_stopped() {
    let folder = std::env::temp_dir().join(format!("wa-sim-state-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (world, state) = (folder.join("world.toml"), folder.join("run.state"));
    std::fs::write(&world, "[[account]]\nname = \"Bea\"\nnumber = 15550101\n").expect("a file");
    let binary = Binary::start(&arguments(text(&world), &["--state", text(&state)]));
    let root = binary.root();
    let mut ada = story(&binary).await;
    ada.line = None;
    let chat = ada.my_lid().user_jid().to_string();
    let write = |words: &str| serde_json::json!({ "chat": chat, "text": words }).to_string();
    // Whether the end of the connection was seen already or not: the message waits.
    binary.admin("POST", "/accounts/Bea/phone/text", &write("while you were away")).await;
    assert!(!state.exists(), "nothing is saved unasked");
    binary.admin("POST", "/state", "").await;
    let asked = std::fs::read(&state).expect("a state");
    binary.admin("POST", "/accounts/Bea/phone/text", &write("and later")).await;
    assert!(binary.stop().success());
    assert_ne!(std::fs::read(&state).expect("a state"), asked, "saved again at the end");

    // Neither the seed nor the world is named again.
    let binary = Binary::start(&["--clock", "manual", "--state", text(&state)]);
    assert_eq!(binary.root(), root);
    let payload = ada.login_payload(false);
    ada.open_on(binary.connect().await, root, payload, Opening::Xx).await.expect("a connection");
    ada.until_tag("success").await;
    for words in ["while you were away", "and later"] {
        let node = ada.until(|node| node.is("message")).await;
        assert!(crate::client::attr(&node, "offline").is_some(), "{node}");
        assert_eq!(ada.read_message(&node)[0].conversation.as_deref(), Some(words));
    }
    let bea = binary.admin("GET", "/accounts/Bea", "").await;
    let bea: Jid = bea["lid_jid"].as_str().and_then(|lid| lid.parse().ok()).expect("an address");
    let id = ada.text(&bea, std::slice::from_ref(&bea), "still linked").await;
    ada.until(|node| node.is("receipt") && node.attr_is("id", &id)).await;
    binary.admin("POST", "/accounts/Bea/phone/text", &write("welcome back")).await;
    let node = ada.until(|node| node.is("message")).await;
    assert_eq!(ada.read_message(&node)[0].conversation.as_deref(), Some("welcome back"));
    let violations = binary.admin("GET", "/violations", "").await;
    assert_eq!(violations["violations"], serde_json::json!([]));
    drop(binary);

    // What cannot be taken up ends the program with words, before it listens.
    let mut bytes = std::fs::read(&state).expect("a state");
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&state, bytes).expect("a file");
    let refused = Command::new(env!("CARGO_BIN_EXE_wa-sim"))
        .args(["--listen", "127.0.0.1:0", "--state", text(&state)])
        .output()
        .expect("the binary");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert!(words.contains("run.state: the state ends too early"), "{words}");
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[cfg(unix)]
#[tokio::test]
async fn the_log_tells_people_what_happens() {
    let folder = std::env::temp_dir().join(format!("wa-sim-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (world, log) = (folder.join("world.toml"), folder.join("log"));
    std::fs::write(&world, "[[account]]\nname = \"Bea\"\nnumber = 15550101\n").expect("a file");
    let file = std::fs::File::create(&log).expect("a file");
    let binary = Binary::start_with_log(&arguments(text(&world), &[]), file.into());
    story(&binary).await;
    assert!(binary.stop().success());
    let log = std::fs::read_to_string(&log).expect("a log");
    let mut rest = &*log;
    for line in [
        "ready on 127.0.0.1:",
        "connection 1 wants to be linked: Ada, on Linux",
        "Ada's companion 1 is linked, as 1555",
        "Ada's companion 1 is logged in (connection 2)",
        "Ada's companion 1 writes to Bea: text, for 1 device (3EB0",
        "Bea's phone writes to Ada: text, for 2 devices (AC",
    ] {
        let place = rest.find(line).unwrap_or_else(|| panic!("{line:?} is not, or too early, in {log}"));
        rest = &rest[place..];
    }
    assert!(log.lines().count() < 15, "no noise: {log}");
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[test]
fn the_help_names_every_option_once_and_says_how_to_begin() {
    let help = Command::new(env!("CARGO_BIN_EXE_wa-sim")).arg("--help").output().expect("the binary");
    let help = String::from_utf8(help.stdout).expect("text");
    for option in
        ["--listen", "--seed", "--world", "--state", "--faults", "--record", "--start-ms", "--auto-pair"]
    {
        let lines = help.lines().filter(|line| line.trim_start().starts_with(option)).count();
        assert_eq!(lines, 1, "{option}: {help}");
    }
    assert!(help.contains("mock-phone/scan-qr") && help.contains("/admin/violations"));
}

/// How long typing is kept is an option and a variable of the environment; the option is the stronger.
#[tokio::test]
async fn the_time_that_typing_is_kept_is_set_by_option_and_by_environment() {
    let rows: [(&[&str], Option<&str>, bool); 4] = [
        (&[], None, true),
        (&["--chatstate-ttl", "0"], None, false),
        (&[], Some("0"), false),
        (&["--chatstate-ttl", "5"], Some("0"), true),
    ];
    for (arguments, variable, kept) in rows {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wa-sim"));
        command.env_remove("CHATSTATE_TTL_SECS");
        if let Some(seconds) = variable {
            command.env("CHATSTATE_TTL_SECS", seconds);
        }
        let binary = Binary::start_command(command, arguments, Stdio::null());
        binary.admin("POST", "/seed", "[[account]]\nname = \"Bea\"\n").await;
        let ada = linked(&binary).await;
        let chat = ada.my_lid().user_jid().to_string();
        let body = serde_json::json!({ "chat": chat }).to_string();
        binary.admin("POST", "/accounts/Bea/phone/typing", &body).await;
        let queue = binary.admin("GET", "/accounts/Ada/devices/1/queue", "").await;
        let queue = queue["queue"].as_array().expect("a queue").clone();
        let typing = queue.iter().any(|queued| queued["class"] == "chatstate");
        assert_eq!(typing, kept, "{arguments:?} {variable:?}: {queue:?}");
    }
}
