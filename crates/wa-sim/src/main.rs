//! The binary: a simulated WhatsApp server with phones, for clients in any language (chapter 10 §1).

use std::fs::{self, File};
use std::io::{BufWriter, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine as _;
use clap::Parser;
use tracing_subscriber::EnvFilter;
use wa_sim::config::AutoPair;
use wa_sim::faults::Fault;
use wa_sim::seed::SeedFile;
use wa_sim::{ClockKind, ListenOptions, SavedState, Seed, Sim, SimConfig, StateError, TlsFiles, Transports};

/// A simulated WhatsApp server with simulated phones: link real clients to it, let them converse, break things.
///
/// It prints one line of JSON on stdout (addresses, Noise root key, TLS certificate) and then runs until it is
/// stopped. Point a client's WebSocket URL at "ws", make it trust the Noise root, take the QR text that the client
/// shows and hand it to the phone:
///
///     curl -k --data-binary "$QR_TEXT" https://127.0.0.1:8080/admin/mock-phone/scan-qr
///
/// Clients that register with the same push name become devices of one account. Let their contacts write:
///
///     curl -k -d '{"chat": "Ada", "text": "hello"}' https://127.0.0.1:8080/admin/accounts/Bea/phone/text
///
/// What clients did wrong is listed at /admin/violations. The log goes to stderr, a line for each event: who links and logs
/// in, who writes to whom, which fault strikes, what was wrong; -v adds what phones read and who confirms.
#[derive(Debug, Parser)]
#[command(name = "wa-sim", version, verbatim_doc_comment)]
struct Arguments {
    /// Address of the one port; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Allow an address that other machines can reach (there is no authentication)
    #[arg(long)]
    allow_remote: bool,

    /// Serve ws and http only, no TLS
    #[arg(long, conflicts_with_all = ["tls_only", "tls_cert"])]
    plain: bool,

    /// Serve wss and https only; otherwise the first byte decides
    #[arg(long)]
    tls_only: bool,

    /// PEM file with the certificate to serve, instead of a self-signed one
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// PEM file with its private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// A second port that takes the same bytes without WebSocket framing
    #[arg(long, value_name = "ADDRESS")]
    raw: Option<SocketAddr>,

    /// Seed of everything random, or "random": the same seed and the same client input give the same bytes; 1, or that of
    /// the state, unless given
    #[arg(long, value_name = "NUMBER|random", value_parser = parse_seed)]
    seed: Option<SeedArgument>,

    /// 32 bytes in hex that fix the Noise root key by themselves
    #[arg(long, value_name = "HEX", value_parser = parse_key)]
    root_seed: Option<[u8; 32]>,

    /// TOML file with accounts and groups that are there from the start
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,

    /// File that keeps the run: taken up from there at the start if it exists (accounts, linked devices, chats, queues,
    /// files; --world is not read again then), saved there at an orderly end (SIGTERM, Ctrl-C) and by POST /admin/state
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// JSON file with a list of faults that hold from the start
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// How time runs: "real", "x100" (a hundred times as fast) or "manual" (moved by POST /admin/clock)
    #[arg(long, default_value = "real", value_name = "CLOCK", value_parser = parse_clock)]
    clock: ClockKind,

    /// Milliseconds since 1970 at which simulated time begins, instead of now: runs that are to be alike need it
    #[arg(long, value_name = "MS")]
    start_ms: Option<u64>,

    /// Write every decrypted stanza as a line of JSON
    #[arg(long, value_name = "FILE", conflicts_with = "replay_check")]
    record: Option<PathBuf>,

    /// Compare every stanza with a recording and stop with an error at the first difference
    #[arg(long, value_name = "FILE")]
    replay_check: Option<PathBuf>,

    /// Let the phone scan by itself after so many milliseconds; needs --adv-secret
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "0", requires = "adv_secret")]
    auto_pair: Option<u64>,

    /// The ADV secret (base64) that the client was started with
    #[arg(long, value_name = "BASE64", value_parser = parse_secret)]
    adv_secret: Option<[u8; 32]>,

    /// Number of an account's first companion; a large one makes "device is 0 or 1" assumptions visible
    #[arg(long, default_value_t = 1, value_name = "N")]
    first_device: u16,

    /// Wait for batch requests when a client comes back, instead of sending everything after 300 ms
    #[arg(long)]
    strict_batches: bool,

    /// Deliver a revoke that says decrypt-fail="hide" to nobody, as the live service is reported to do
    #[arg(long)]
    drop_hidden_revokes: bool,

    /// Seconds that a typing notice is kept for a device that is away; 0 never keeps one
    #[arg(long, env = "CHATSTATE_TTL_SECS", default_value_t = 3, value_name = "SECONDS")]
    chatstate_ttl: u64,

    /// Seconds that a call rings before it ends by itself
    #[arg(long, default_value_t = 45, value_name = "SECONDS")]
    ringing: u64,

    /// Close a client that was silent for so many seconds
    #[arg(long, value_name = "SECONDS")]
    idle_kill: Option<u64>,

    /// Ping WebSockets every so many seconds; the live service never does
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    websocket_ping: Option<u64>,

    /// Stanzas that a device's queue holds while it is away; past that the oldest go
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    queue: usize,

    /// Refuse clients whose version's third part is lower (405)
    #[arg(long, default_value_t = 0, value_name = "N")]
    version_floor: u32,

    /// More in the log: what phones read, what devices confirm
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug)]
enum SeedArgument {
    Fixed(u64),
    Random,
}

fn parse_seed(text: &str) -> Result<SeedArgument, String> {
    if text == "random" {
        return Ok(SeedArgument::Random);
    }
    text.parse().map(SeedArgument::Fixed).map_err(|_| "a number, or the word random".to_owned())
}

fn parse_key(text: &str) -> Result<[u8; 32], String> {
    let bytes = hex::decode(text).map_err(|error| error.to_string())?;
    bytes.try_into().map_err(|bytes: Vec<u8>| format!("32 bytes, not {}", bytes.len()))
}

fn parse_secret(text: &str) -> Result<[u8; 32], String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| error.to_string())?;
    bytes.try_into().map_err(|bytes: Vec<u8>| format!("32 bytes, not {}", bytes.len()))
}

fn parse_clock(text: &str) -> Result<ClockKind, String> {
    match text {
        "real" => Ok(ClockKind::Real),
        "manual" => Ok(ClockKind::Manual),
        _ => match text.strip_prefix('x').and_then(|factor| factor.parse().ok()) {
            Some(factor @ 1..) => Ok(ClockKind::Scaled(factor)),
            _ => Err("real, manual, or x and a factor, such as x100".to_owned()),
        },
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let level = if arguments.verbose { "wa_sim=debug" } else { "wa_sim=info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_timer(tracing_subscriber::fmt::time::uptime())
        .with_target(false)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => failed(&words),
    }
}

fn failed(words: &str) -> ExitCode {
    // The log may be filtered; why the program ends is always said.
    let _ = writeln!(std::io::stderr(), "wa-sim: {words}");
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let saved = match &arguments.state {
        Some(path) if path.exists() => Some(SavedState::open(path).map_err(|error| named(path, &error))?),
        _ => None,
    };
    let config = config(&arguments, saved.as_ref())?;
    let options = options(&arguments, saved)?;
    let resumed = options.resume.is_some();
    let seed = config.seed;
    let sim = Sim::listen(config, options).await.map_err(|error| error.to_string())?;
    if let Some(path) = &arguments.record {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        sim.world(|world, _| world.trace().record(Box::new(BufWriter::new(file))));
    }
    if let Some(path) = &arguments.replay_check {
        let recording = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        sim.world(|world, _| world.trace().check(&recording));
    }
    // Before the line on stdout: whoever reads that may connect at once, and the log keeps its order.
    if let Some(address) = sim.address() {
        let resumed = if resumed { ", taken up where it was saved" } else { "" };
        tracing::info!("ready on {address}, seed {}{resumed}", seed.0);
    }
    let line = sim.info().to_string();
    writeln!(std::io::stdout(), "{line}").map_err(|error| error.to_string())?;
    let outcome = until_stopped(&sim).await;
    sim.world(|world, _| world.trace().flush());
    if let Some(path) = &arguments.state {
        let saved = sim.stop().map_err(|error| error.to_string())?;
        saved.save(path).map_err(|error| named(path, &error))?;
        tracing::info!("saved to {}", path.display());
    }
    outcome
}

/// An error with the file that it is about, unless it names that itself.
fn named(path: &std::path::Path, error: &StateError) -> String {
    if matches!(error, StateError::Io { .. }) {
        error.to_string()
    } else {
        format!("{}: {error}", path.display())
    }
}

async fn until_stopped(sim: &wa_sim::SimHandle) -> Result<(), String> {
    let mut look = tokio::time::interval(std::time::Duration::from_millis(200));
    #[cfg(unix)]
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| error.to_string())?;
    #[cfg(not(unix))]
    let mut terminated = NeverStopped;
    loop {
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => return stopped.map_err(|error| error.to_string()),
            _ = terminated.recv() => return Ok(()),
            _ = look.tick() => {
                if let Some(difference) = sim.world(|world, _| world.trace().difference().map(str::to_owned)) {
                    return Err(format!("the run differs from the recording: {difference}"));
                }
            }
        }
    }
}

#[cfg(not(unix))]
struct NeverStopped;

#[cfg(not(unix))]
impl NeverStopped {
    async fn recv(&mut self) -> Option<()> {
        std::future::pending().await
    }
}

fn config(arguments: &Arguments, saved: Option<&SavedState>) -> Result<SimConfig, String> {
    let seed = match (arguments.seed, saved) {
        (Some(SeedArgument::Fixed(seed)), _) => Seed(seed),
        (_, Some(saved)) => saved.seed(),
        (Some(SeedArgument::Random), None) => Seed(rand::random()),
        (None, None) => SimConfig::default().seed,
    };
    let read =
        |path: &PathBuf| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let world = match &arguments.world {
        Some(path) => {
            Some(SeedFile::parse(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => None,
    };
    let faults: Vec<Fault> = match &arguments.faults {
        Some(path) => {
            serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => Vec::new(),
    };
    let auto_pair = match (arguments.auto_pair, arguments.adv_secret) {
        (Some(after_ms), Some(adv_secret)) => Some(AutoPair { after_ms, adv_secret }),
        _ => None,
    };
    Ok(SimConfig {
        seed,
        root_seed: arguments.root_seed,
        clock: arguments.clock,
        start_ms: arguments.start_ms,
        first_device: arguments.first_device,
        strict_batches: arguments.strict_batches,
        drop_hidden_revokes: arguments.drop_hidden_revokes,
        chatstate_ttl_s: arguments.chatstate_ttl,
        ringing_ms: arguments.ringing.saturating_mul(1000),
        idle_kill_ms: arguments.idle_kill.map(|seconds| seconds * 1000),
        websocket_ping_ms: arguments.websocket_ping.map(|seconds| seconds.saturating_mul(1000)),
        queue_limit: arguments.queue,
        version_floor: arguments.version_floor,
        auto_pair,
        faults,
        world,
        ..SimConfig::default()
    })
}

fn options(arguments: &Arguments, resume: Option<SavedState>) -> Result<ListenOptions, String> {
    let transports = match (arguments.plain, arguments.tls_only) {
        (true, _) => Transports::PlainOnly,
        (_, true) => Transports::TlsOnly,
        _ => Transports::Both,
    };
    let read =
        |path: &PathBuf| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let tls = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate_pem: read(certificate)?, key_pem: read(key)? })
        }
        _ => None,
    };
    Ok(ListenOptions {
        address: arguments.listen,
        allow_remote: arguments.allow_remote,
        transports,
        tls,
        raw: arguments.raw,
        resume,
        state_file: arguments.state.clone(),
    })
}
