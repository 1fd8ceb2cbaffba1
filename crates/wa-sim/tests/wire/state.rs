//! A run that is saved and taken up again, with everything that waits in it; and files that are no such run
//! (chapter 10 §11 "stop").

use std::path::{Path, PathBuf};

use bytes::Bytes;
use wa_binary::{Jid, Node};
use wa_sim::phone::content::{Content, Location, Poll};
use wa_sim::phone::{Action, File, Manner, MediaKind};
use wa_sim::seed::SeedFile;
use wa_sim::trace::Filter;
use wa_sim::{SavedState, Seed, Sim, SimConfig, SimError, SimHandle, StateError};

use crate::client::Client;

fn config(seed: u64) -> SimConfig {
    let world = "[[account]]\nname = \"Bea\"\nnumber = 15550101\nabout = \"At work\"\n\
                 [[account]]\nname = \"Cleo\"\nnumber = 15550102\nswitches = { restricted = true }\n\
                 [[group]]\nsubject = \"Circle\"\ncreator = \"Bea\"\nmembers = [\"Cleo\"]\nauto_join = true\n";
    SimConfig {
        seed: Seed(seed),
        start_ms: Some(1_900_000_000_000),
        phone_one_time_keys: 6,
        world: Some(SeedFile::parse(world).expect("a seed file")),
        ..SimConfig::default()
    }
}

const BEA: u64 = 15_550_101;

fn say(chat: &Jid, text: &str) -> Action {
    Action::Text { chat: chat.clone(), text: text.to_owned(), quote: None }
}

fn bytes(state: &SavedState) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.write(&mut bytes).expect("memory");
    bytes
}

fn lid(sim: &SimHandle, number: u64) -> Jid {
    sim.world(|world, _| {
        let account = world.find_pn(number).expect("an account");
        world.account(account).jid(wa_binary::Family::Lid)
    })
}

/// A run in which every kind of thing is there to be saved: a companion that converses with a phone, a group, files, a poll,
/// settings, a message lost on the way, violations, and messages that wait for the companion.
async fn story(sim: &SimHandle) -> Client {
    let mut ada = Client::linked(sim, "Ada", 1).await;
    let (bea, home) = (lid(sim, BEA), ada.my_lid().user_jid());
    ada.text(&bea, std::slice::from_ref(&bea), "hello").await;
    ada.rest().await;
    sim.act(BEA, say(&home, "hello back")).expect("a deed");
    for node in ada.rest().await.iter().filter(|node| node.is("message")) {
        ada.read_message(node);
    }
    let file = File::made_up(MediaKind::Image, 900).caption("A pier");
    sim.act(BEA, Action::File { chat: home.clone(), file, manner: Manner::default() }).expect("a deed");
    for content in [
        Content::Poll(Poll::new("Lunch?", ["Pizza", "Soup"])),
        Content::Location(Location::new(0.1, -2.7).name("Pier")),
    ] {
        let action =
            Action::Say { chat: home.clone(), content: Box::new(content), manner: Manner::default() };
        sim.act(BEA, action).expect("a deed");
    }
    let group: Jid = sim.world(|world, _| world.groups().next().expect("a group").jid());
    sim.act(BEA, say(&group, "to all")).expect("a deed");
    let pin = wa_sim::phone::AppAction::Pin { chat: bea.clone(), pinned: true };
    sim.change_app_state(ada.number(), &pin).expect("a setting");
    let _ = sim.put_file(MediaKind::Document, Bytes::from(vec![7; (8 << 10) + 5]));
    ada.rest().await;
    ada.send(Node::new("presence").attr("type", "available")).await;
    ada.send(Node::new("presence").attr("type", "available").attr("name", "Ada L.")).await;
    // A message that the companion never answers for, and one that comes while it is away.
    ada.polite = false;
    sim.act(BEA, say(&home, "unanswered")).expect("a deed");
    ada.rest().await;
    ada.line = None;
    tokio::task::yield_now().await;
    sim.act(BEA, say(&home, "while you were away")).expect("a deed");
    ada.polite = true;
    ada
}

/// What happens afterwards: the companion logs in as what it is, finds what waited, and converses.
async fn sequel(sim: &SimHandle, ada: &mut Client) {
    let success = ada.login(sim).await;
    assert!(success.is("success"), "{success}");
    let mut texts = Vec::new();
    for node in ada.rest().await.iter().filter(|node| node.is("message")) {
        assert!(crate::client::attr(node, "offline").is_some(), "{node}");
        texts.extend(ada.read_message(node).into_iter().filter_map(|message| message.conversation));
    }
    assert_eq!(texts, ["unanswered", "while you were away"]);
    let (bea, home) = (lid(sim, BEA), ada.my_lid().user_jid());
    let id = ada.text(&bea, std::slice::from_ref(&bea), "still here").await;
    ada.rest().await;
    let inbox = sim.inbox(BEA);
    assert!(inbox.iter().any(|received| received.id == id), "{inbox:?}");
    let id = sim.act(BEA, say(&home, "so am I")).expect("a deed").expect("an id");
    let node = ada.until(|node| node.is("message") && node.attr_is("id", &id)).await;
    assert_eq!(ada.read_message(&node)[0].conversation.as_deref(), Some("so am I"));
    ada.rest().await;
    // A second companion, of the same account by the same push name.
    let second = Client::linked(sim, "Ada", 9).await;
    assert_eq!(second.number(), ada.number());
    assert_ne!(second.my_jid().device(), ada.my_jid().device());
}

#[tokio::test(start_paused = true)]
async fn a_companion_converses_after_a_restart_without_linking_again() {
    let sim = Sim::start(config(900));
    let mut ada = story(&sim).await;
    let root = sim.noise_root();
    let held = sim.violations();
    let fetched = sim.fetch_file(&sim.put_file(MediaKind::Document, Bytes::from(vec![9; 40])));
    let state = sim.stop().expect("a state");
    let state = SavedState::read(&bytes(&state)[..]).expect("the same state");
    let sim = Sim::resume(config(900), &state).expect("a run");
    assert_eq!(sim.noise_root(), root);
    assert_eq!(format!("{:?}", sim.violations()), format!("{held:?}"));
    assert!(!held.is_empty(), "the story has one");
    let file =
        sim.inbox(ada.number()).into_iter().find(|received| sim.file(ada.number(), &received.id).is_some());
    let file = file.expect("Bea's picture");
    assert_eq!(sim.file(ada.number(), &file.id).map(|bytes| bytes.len()), Some(900));
    assert_eq!(sim.fetch_file(&sim.put_file(MediaKind::Document, Bytes::from(vec![9; 40]))), fetched);
    sequel(&sim, &mut ada).await;
    assert_eq!(sim.violations().len(), held.len(), "{:?}", sim.violations());
}

/// The same story, cut or not cut in the middle; what passed after the middle, and the state at the end.
async fn told(seed: u64, restart: bool) -> (Vec<String>, Vec<u8>, Vec<u8>) {
    let mut sim = Sim::start(config(seed));
    let mut ada = story(&sim).await;
    let middle = bytes(&sim.save().expect("a state"));
    let since = if restart {
        let state = SavedState::read(&middle[..]).expect("a state");
        sim = Sim::resume(config(seed), &state).expect("a run");
        0
    } else {
        sim.world(|world, _| world.trace().last_seq())
    };
    sequel(&sim, &mut ada).await;
    let passed = sim.trace(&Filter { since, ..Filter::default() });
    let line = |passed: &wa_sim::trace::Passed| {
        format!("{} {} {:?} {}", passed.at_ms, passed.conn.0, passed.direction, SimHandle::show(&passed.node))
    };
    let lines = passed.iter().map(line).collect();
    (lines, middle, bytes(&sim.stop().expect("a state")))
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_taken_up_goes_on_as_if_nothing_had_been() {
    let (whole, middle, end) = told(901, false).await;
    let (taken_up, same_middle, same_end) = told(901, true).await;
    assert!(middle == same_middle, "the same seed and input give the same file");
    assert!(whole.len() > 30, "{}", whole.len());
    for (one, two) in whole.iter().zip(&taken_up) {
        assert_eq!(one, two);
    }
    assert_eq!(whole.len(), taken_up.len());
    assert!(end == same_end, "and end in the same state");
    let (other, other_middle, _) = told(902, true).await;
    assert!(middle != other_middle && whole != other, "the proof that the comparison can fail");
}

/// The state of a run that has everything in it.
async fn stopped(seed: u64) -> Vec<u8> {
    let sim = Sim::start(config(seed));
    let _ = story(&sim).await;
    bytes(&sim.stop().expect("a state"))
}

#[tokio::test(start_paused = true)]
async fn what_is_saved_again_is_the_same() {
    let first = stopped(903).await;
    let state = SavedState::read(&first[..]).expect("a state");
    let sim = Sim::resume(config(903), &state).expect("a run");
    assert!(first == bytes(&sim.stop().expect("a state")));
}

/// A state in the present format as it was written when that format was made: a change of anything that is saved needs a new
/// format number in `state/mod.rs`, and a new file here (`WA_SIM_WRITE_STATE=1`).
#[tokio::test(start_paused = true)]
async fn the_format_is_the_one_that_its_number_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/state-3.wasim");
    if std::env::var_os("WA_SIM_WRITE_STATE").is_some() {
        std::fs::write(&path, stopped(904).await).expect("a file");
    }
    let written = std::fs::read(&path).expect("the file");
    let state = SavedState::open(&path).expect("a state of this format");
    assert_eq!(state.seed(), Seed(904));
    let sim = Sim::resume(config(904), &state).expect("a run");
    assert!(written == bytes(&sim.save().expect("a state")), "what is saved has another form than format 3");
    assert!(
        sim.inbox(BEA).iter().any(
            |received| matches!(&received.kind, wa_sim::phone::Kind::Text { text, .. } if text == "hello")
        )
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_state_is_refused_with_a_reason_and_a_remedy() {
    let good = stopped(905).await;
    let read = |bytes: &[u8]| SavedState::read(bytes).map(drop);
    for length in (1..good.len()).step_by(97).chain(good.len() - 40..good.len()) {
        let error = read(&good[..length]).expect_err("too short");
        assert!(matches!(error, StateError::Truncated), "{length}: {error}");
    }
    for at in (0..good.len()).step_by(41).chain(0..20) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let error = read(&bad).expect_err("changed");
        let fits = match at {
            0..13 => matches!(error, StateError::Foreign),
            13..15 => matches!(error, StateError::Version { .. }),
            // A length that grew takes the rest of the file with it.
            _ => matches!(error, StateError::Damaged(_) | StateError::Truncated),
        };
        assert!(fits, "{at}: {error}");
    }
    let mut newer = good.clone();
    newer[14] = 4;
    let words = read(&newer).expect_err("another format").to_string();
    assert!(words.contains("format 4") && words.contains("the wa-sim that wrote it"), "{words}");
    let words = read(b"accounts = []").expect_err("something else").to_string();
    assert!(words.contains("no state of wa-sim") && words.contains("name another file"), "{words}");
    let error = SavedState::open(&PathBuf::from("/nowhere/sim.state")).expect_err("no file");
    assert!(error.to_string().contains("/nowhere/sim.state"), "{error}");
    // Well formed, and of another run.
    let state = SavedState::read(&good[..]).expect("a state");
    let error = Sim::resume(config(1), &state).expect_err("another seed");
    assert!(matches!(error, SimError::State(StateError::OtherSeed { saved: 905, given: 1 })), "{error}");
    let rooted = SimConfig { root_seed: Some([1; 32]), ..config(905) };
    assert!(Sim::resume(rooted, &state).is_err());
}

/// Bytes of a state changed and its checksum made to fit: whoever opens it gets an error or a run, and never a panic.
#[tokio::test(start_paused = true)]
async fn a_state_that_somebody_made_up_breaks_nothing() {
    let good = stopped(906).await;
    let (mut refused, mut taken) = (0, 0);
    for at in (15..good.len() - 32).step_by(97) {
        for flip in [1, 0x80] {
            let mut bad = good[..good.len() - 32].to_vec();
            bad[at] ^= flip;
            let digest = wa_crypto::digest::sha256(&[&bad]);
            bad.extend(digest);
            let Ok(state) = SavedState::read(&bad[..]) else {
                refused += 1;
                continue;
            };
            let Ok(sim) = Sim::resume(SimConfig { seed: state.seed(), ..config(906) }, &state) else {
                refused += 1;
                continue;
            };
            taken += 1;
            // Whether the phone can still write depends on what was changed.
            let _ = sim.world(|world, now_ms| {
                let bea = world.account_named("Bea")?;
                world.act(now_ms, bea, say(&"status@broadcast".parse().ok()?, "hello")).ok()
            });
            sim.advance(std::time::Duration::from_secs(100));
        }
    }
    assert!(refused > 100 && taken > 100, "{refused} and {taken}");
}

#[tokio::test(start_paused = true)]
async fn a_running_simulator_goes_back_to_a_saved_state() {
    let sim = Sim::start(config(907));
    let mut ada = story(&sim).await;
    let state = sim.save().expect("a state");
    sim.act(BEA, say(&ada.my_lid().user_jid(), "forgotten")).expect("a deed");
    let other = Client::linked(&sim, "Dora", 4).await;
    sim.load(&state).expect("a state");
    assert!(sim.world(|world, _| world.find_pn(other.number())).is_none());
    sequel(&sim, &mut ada).await;
    let foreign = Sim::start(config(908)).stop().expect("a state");
    assert!(matches!(sim.load(&foreign), Err(SimError::State(StateError::OtherSeed { .. }))));
    assert!(sim.world(|world, _| world.find_pn(ada.number())).is_some(), "as it was");
}

/// Saving under way, and the sabotage: a state from before the last answer lacks it, and the end of a run must not.
#[tokio::test(start_paused = true)]
async fn what_a_client_was_answered_is_in_the_state_of_an_orderly_stop() {
    let sim = Sim::start(config(909));
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let early = sim.save().expect("a state");
    let bea = lid(&sim, BEA);
    let id = ada.text(&bea, std::slice::from_ref(&bea), "acked").await;
    ada.until(|node| node.is("ack") && node.attr_is("id", &id)).await;
    // This one is written, and the stop comes first: it is neither answered nor kept.
    let late = ada.text(&bea, std::slice::from_ref(&bea), "too late").await;
    let end = sim.stop().expect("a state");
    while let Some(node) = ada.next().await {
        assert!(!node.attr_is("id", &late), "{node}");
    }
    for (state, kept) in [(early, false), (end, true)] {
        let sim = Sim::resume(config(909), &state).expect("a run");
        let inbox = sim.inbox(BEA);
        assert_eq!(inbox.iter().any(|received| received.id == id), kept);
        assert!(!inbox.iter().any(|received| received.id == late));
    }
}
