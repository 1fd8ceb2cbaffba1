//! The simulator that outlives the client, and the client's lives: started, fed, killed, started again.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use wa_binary::Node;
use wa_client::Jid;
use wa_client::sabotage::{Point, Sabotage};
use wa_sim::phone::{Action, AppAction, Misbehaviour};
use wa_sim::seed::{SeedAccount, SeedFile, SeedGroup};
use wa_sim::trace::Filter;
use wa_sim::{ListenOptions, Seed, Sim, SimConfig, SimHandle, Transports};

use crate::ledger::{Ledger, PEER, chat};
use crate::victim::{MARK, Orders};

const BOT: u64 = 15_550_100;
/// How long a life may take before something hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a life with a broken promise may wait for what will never come.
const GIVEN_UP: Duration = Duration::from_secs(3);

/// A named point of the client or of its store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(String);

impl At {
    pub(crate) fn client(point: Point) -> Self {
        Self(point.name().to_owned())
    }

    pub(crate) fn store(name: &str) -> Self {
        Self(format!("store:{name}"))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a life ends.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// At the n-th passing of a point; when all is answered before that, then.
    Kill(At, u64),
    /// After this long, wherever it stands.
    Random(Duration),
    /// When everything is answered.
    Quiet,
}

pub(crate) struct Arena {
    sim: SimHandle,
    folder: tempfile::TempDir,
    sabotage: Sabotage,
    seed: u64,
    rng: StdRng,
    group: Jid,
    ledger: Ledger,
    kills: BTreeMap<String, u32>,
    lives: u32,
    /// Calls of [`rest`](Self::rest) since the last rest.
    deaths: u32,
    next: u64,
    linked: bool,
    /// Number of the last stanza that was waited for.
    seen: u64,
}

/// A process that lives.
struct Life {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Drop for Life {
    fn drop(&mut self) {
        // SIGKILL; it may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Arena {
    pub(crate) async fn start(sabotage: Sabotage) -> Self {
        let account = |name: &str, number| SeedAccount {
            name: name.into(),
            number: Some(number),
            ..SeedAccount::default()
        };
        let world = SeedFile {
            accounts: vec![account("Bot", BOT), account("Ada", PEER)],
            groups: vec![SeedGroup {
                subject: "Numbers".into(),
                creator: "Ada".into(),
                members: vec!["Bot".into()],
                ..SeedGroup::default()
            }],
            ..SeedFile::default()
        };
        let seed = std::env::var("WA_KILL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        println!("WA_KILL_SEED={seed}");
        let config = SimConfig { seed: Seed(seed), world: Some(world), ..SimConfig::default() };
        let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
        let sim = Sim::listen(config, options).await.expect("the simulator listens");
        let group = sim.world(|world, _| world.groups().next().expect("the group").jid());
        Self {
            sim,
            folder: tempfile::tempdir().expect("a folder"),
            sabotage,
            seed,
            rng: StdRng::seed_from_u64(seed),
            group,
            ledger: Ledger::default(),
            kills: BTreeMap::new(),
            lives: 0,
            deaths: 0,
            next: 0,
            linked: false,
            seen: 0,
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn draw(&mut self, least: u64, most: u64) -> u64 {
        self.rng.random_range(least..=most)
    }

    pub(crate) fn kills(&self, at: &At) -> u32 {
        self.kills.get(&at.0).copied().unwrap_or(0)
    }

    pub(crate) fn summary(&self) -> String {
        let kills: u32 = self.kills.values().sum();
        format!(
            "seed {}: {} messages, {kills} kills in {} lives, {} marked redeliveries; {:?}",
            self.seed,
            self.ledger.messages(),
            self.lives,
            self.ledger.redeliveries(),
            self.kills
        )
    }

    /// Lives until the account is linked and online.
    pub(crate) async fn link(&mut self) {
        self.live(Plan::Quiet, 0).await;
        self.linked = true;
    }

    /// After a few deaths a life in which everything is answered: what was delivered five times and never acknowledged
    /// would become a dead letter, as it should.
    pub(crate) async fn rest(&mut self) {
        self.deaths += 1;
        if self.deaths >= 3 {
            self.deaths = 0;
            self.live(Plan::Quiet, 0).await;
        }
    }

    /// One life with so many messages: the first waits on the server, the others come one after the other.
    pub(crate) async fn live(&mut self, plan: Plan, messages: u32) {
        self.lives += 1;
        let mut left = messages;
        self.spoil();
        self.send(&mut left);
        let mut life = self.spawn(&plan);
        let deadline = Instant::now() + PATIENCE;
        let ends = match plan {
            Plan::Random(after) => Instant::now() + after,
            // What a saboteur has lost never comes: such lives end by the clock.
            _ if self.linked && self.sabotage != Sabotage::None => Instant::now() + GIVEN_UP,
            _ => deadline,
        };
        let mut online = false;
        loop {
            let news = Filter { since: self.seen, ..Filter::default() };
            let happened = self.sim.expect(&news, PATIENCE);
            let line = tokio::select! {
                biased;
                line = life.lines.recv() => Some(line.unwrap_or_else(|| panic!("{plan:?}: the process died by itself"))),
                happened = happened => {
                    self.seen = happened.map_or(self.seen, |passed| passed.seq);
                    None
                }
                () = tokio::time::sleep_until(ends) => {
                    assert!(ends < deadline, "{plan:?} hangs; unanswered: {:?}", self.ledger.unanswered(&self.sim));
                    break self.killed("by the clock");
                }
            };
            match line.as_deref().and_then(|line| line.split_once(' ')) {
                Some(("at", point)) => break self.killed(point),
                Some(("qr", code)) => {
                    assert!(!self.linked, "the link was lost");
                    // A code of a connection that is gone already is no code any more: the next one comes.
                    let _ = self.sim.scan_qr(code, Some(BOT));
                }
                Some(("health", status)) => {
                    let was_online = std::mem::replace(&mut online, status == "online");
                    if online && !was_online {
                        self.greet();
                        self.send(&mut left);
                    }
                }
                Some(("event", delivery)) => {
                    self.ledger.delivered(delivery);
                    self.send(&mut left);
                }
                _ => {}
            }
            let may_end = self.linked || matches!(plan, Plan::Quiet);
            if may_end
                && online
                && left == 0
                && self.ledger.unanswered(&self.sim).is_empty()
                && self.at_rest()
            {
                break self.killed("when all was answered");
            }
        }
        drop(life.child.kill());
        // What it said before it died counts.
        while let Ok(Some(line)) = timeout_at(deadline, life.lines.recv()).await {
            if let Some(("event", delivery)) = line.split_once(' ') {
                self.ledger.delivered(delivery);
            }
        }
        self.ledger.note_retries(&self.sim);
    }

    /// A last life without an end of its own, then everything that was broken.
    pub(crate) async fn finish(&mut self) -> Vec<String> {
        self.live(Plan::Quiet, 2).await;
        self.ledger.broken(&self.sim)
    }

    fn spawn(&self, plan: &Plan) -> Life {
        let address = self.sim.address().expect("it listens");
        let orders = Orders {
            url: format!("ws://{address}/ws/chat"),
            root: self.sim.noise_root(),
            store: self.folder.path().join("bot.db"),
            sabotage: self.sabotage,
            halt: match plan {
                Plan::Kill(at, nth) => Some((at.0.clone(), *nth)),
                _ => None,
            },
        };
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "victim_process", "--nocapture", "--test-threads=1"])
            .envs([orders.environment()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        let (give, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(line) = line.strip_prefix(MARK)
                    && give.send(line.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Life { child, lines }
    }

    fn killed(&mut self, at: &str) {
        *self.kills.entry(at.to_owned()).or_default() += 1;
    }

    fn send(&mut self, left: &mut u32) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        self.next += 1;
        let text = format!("number {}", self.next);
        let chat = chat(self.next, BOT, &self.group);
        self.sim.act(PEER, Action::Text { chat, text: text.clone(), quote: None }).expect("Ada writes");
        self.ledger.sent(text);
    }

    /// Now and then a message is damaged on its way, and the peer asks for an answer again that it has.
    fn spoil(&mut self) {
        if !self.linked {
            return;
        }
        if self.lives.is_multiple_of(2) {
            self.sim.misbehave(PEER, Misbehaviour::BentCiphertext).expect("Ada is there");
        } else if self.lives.is_multiple_of(3) {
            self.sim.misbehave(PEER, Misbehaviour::RetryStorm(1)).expect("Ada is there");
        }
    }

    /// Something that is no message: a notification.
    fn greet(&mut self) {
        if !self.linked {
            return;
        }
        let id = format!("greeting-{}", self.lives);
        let node = Node::new("notification")
            .attr("id", id)
            .attr("from", Jid::pn(BOT))
            .attr("type", "account_sync")
            .attr("t", "1")
            .child(Node::new("devices"));
        self.sim.send(BOT, self.companion().expect("the bot is linked"), node);
        let until_ms = self.lives.is_multiple_of(2).then_some(-1);
        let mute = AppAction::Mute { chat: Jid::pn(PEER), until_ms };
        self.sim.change_app_state(BOT, &mute).expect("the phone's user may");
    }

    /// Number of the bot's device.
    fn companion(&self) -> Option<u16> {
        self.sim.world(|world, _| {
            let account = world.find_pn(BOT).expect("the bot");
            world.account(account).devices.keys().copied().filter(|number| *number != 0).max()
        })
    }

    /// Nothing waits on the server for the bot: what it was sent is answered.
    fn at_rest(&self) -> bool {
        self.sim.world(|world, _| {
            let account = world.find_pn(BOT).expect("the bot");
            world
                .account(account)
                .devices
                .values()
                .all(|device| device.number == 0 || device.queue.is_empty())
        })
    }
}
