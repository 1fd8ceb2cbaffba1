//! Writes what the tests of `wa_core::import` read: the state of a stranger in the middle of a conversation, and what is
//! still on its way to it. `driver --record crates/wa-core/tests/import`.

use std::path::Path;

use anyhow::{Result, ensure};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use wa_signal::{OwnSenderKey, SenderKeyDistribution, SenderKeyMessage, SenderKeyRecord};

use crate::process::{Kind, Stranger, bytes};
use crate::sides::{Answer, Ours, Sealed, Theirs};

const SEED: u64 = 4223;

/// One file for the stranger.
pub fn run(kind: Kind, folder: &Path) -> Result<()> {
    let mut pair = Pair::start(kind)?;

    // A chain with a message that was overtaken, a chain that a newer one closed, then a new session.
    pair.ours.initiate(&pair.theirs.bundle(true)?)?;
    pair.deliver_new("first")?;
    pair.answer()?;
    let overtaken = pair.send("overtaken")?;
    pair.deliver_new("overtakes")?;
    let late = pair.send("late")?;
    pair.answer()?;
    pair.deliver_new("on the next chain")?;
    let waiting = pair.send("waiting")?;
    pair.ours.initiate(&pair.theirs.bundle(true)?)?;
    pair.deliver_new("on a new session")?;
    let unread = pair.send("unread")?;
    let pending = [overtaken, late, waiting, unread];

    // A group in which both have spoken.
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let mut own = OwnSenderKey::generate(&mut rng);
    let distribution = hex::encode(own.distribution().encode());
    pair.theirs.stranger.must("distribute", json!({ "distribution": distribution }))?;
    let mut group = Vec::new();
    for text in ["group overtaken", "group overtakes", "group waiting"] {
        group.push(json!({ "bytes": hex::encode(own.encrypt(text.as_bytes(), &mut rng)?), "text": text }));
    }
    pair.theirs.stranger.must("group_decrypt", json!({ "bytes": group[1]["bytes"] }))?;
    let mut received = SenderKeyRecord::new();
    let theirs = pair.theirs.stranger.must("sender_key", json!({ "rotate": false }))?;
    received.process(&SenderKeyDistribution::parse(&bytes(&theirs, "distribution")?)?);
    for text in ["one", "two"] {
        let request = json!({ "plaintexts": [hex::encode(text)] });
        let sealed = bytes(&pair.theirs.stranger.must("group_encrypt", request)?, "bytes")?;
        ensure!(received.decrypt(&SenderKeyMessage::parse(&sealed)?)? == text.as_bytes(), "the group");
    }

    let mut peer = pair.ours.state();
    peer["received_sender_key"] = hex::encode(received.encode()).into();
    let file = json!({
        "about": "State of another library in the middle of a conversation, written by `driver --record` of \
                  interop/signal. `opened` was decrypted there, `pending` was not; `peer` is the other side in our \
                  own encoding.",
        "made_with": pair.name,
        "store": pair.theirs.stranger.must("records", json!({}))?,
        "opened": pair.opened,
        "pending": pending,
        "group_opened": [group[1]],
        "group_pending": [group[0], group[2]],
        "peer": peer,
    });
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.json", kind.name()));
    std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&file)?))?;
    println!("{}", path.display());

    // One that has started a session and heard nothing.
    let mut pair = Pair::start(kind)?;
    let bundle = pair.ours.bundle(true);
    pair.theirs.initiate(&bundle)?;
    let sent = pair.theirs.encrypt(&[b"unanswered".to_vec()])?;
    pair.take(&sent, b"unanswered")?;
    let file = json!({
        "about": "State of another library that has started a session and was not answered.",
        "made_with": pair.name,
        "store": pair.theirs.stranger.must("records", json!({}))?,
        "peer": pair.ours.state(),
    });
    let path = folder.join(format!("{}-unanswered.json", kind.name()));
    std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&file)?))?;
    println!("{}", path.display());
    Ok(())
}

struct Pair {
    ours: Ours,
    theirs: Theirs,
    name: Value,
    opened: Vec<Value>,
}

impl Pair {
    fn start(kind: Kind) -> Result<Self> {
        let mut stranger = Stranger::start(kind, None)?;
        let hello = stranger.hello(SEED)?;
        let name = hello["name"].clone();
        let ours = Ours::new(ChaCha20Rng::seed_from_u64(SEED));
        Ok(Self { ours, theirs: Theirs::new(stranger, hello), name, opened: Vec::new() })
    }

    fn send(&mut self, text: &str) -> Result<Value> {
        let sealed = self.ours.encrypt(&[text.as_bytes().to_vec()])?;
        Ok(json!({ "pre_key": sealed.pre_key, "bytes": hex::encode(sealed.bytes), "text": text }))
    }

    fn deliver_new(&mut self, text: &str) -> Result<()> {
        let sent = self.send(text)?;
        let sealed = Sealed { pre_key: sent["pre_key"] == true, bytes: bytes(&sent, "bytes")? };
        let answer = self.theirs.decrypt(&sealed)?;
        ensure!(matches!(&answer, Answer::Opened(opened) if opened == text.as_bytes()), "{answer:?}");
        self.opened.push(sent);
        Ok(())
    }

    fn answer(&mut self) -> Result<()> {
        let sealed = self.theirs.encrypt(&[b"answer".to_vec()])?;
        self.take(&sealed, b"answer")
    }

    fn take(&mut self, sealed: &Sealed, text: &[u8]) -> Result<()> {
        let answer = self.ours.decrypt(sealed)?;
        ensure!(matches!(&answer, Answer::Opened(opened) if opened == text), "{answer:?}");
        Ok(())
    }
}
