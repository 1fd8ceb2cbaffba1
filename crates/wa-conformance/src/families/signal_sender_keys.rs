//! Family `signal-sender-keys` (chapter 04 §9): distribution, reordering, rotation, jumps of group messages.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_signal::ratchet::ChainKey;
use wa_signal::{OwnSenderKey, SenderKeyDistribution, SenderKeyMessage, SenderKeyRecord, SignalError};

use super::signal_fields::{Prepared, array, expect_failure, hex_field, list, number};

/// Runs one case.
pub fn run(case: &Value) -> Result<()> {
    let senders = senders(case)?;
    let mut record = SenderKeyRecord::new();
    for (place, step) in list(case, "steps")?.iter().enumerate() {
        let before = record.encode();
        record = SenderKeyRecord::decode(&before)?;
        ensure!(record.encode() == before, "the stored form is not stable");
        step_of(&mut record, &senders, step)
            .with_context(|| format!("step {place} ({})", step["op"].as_str().unwrap_or("?")))?;
    }
    Ok(())
}

fn step_of(record: &mut SenderKeyRecord, senders: &HashMap<u32, OwnSenderKey>, step: &Value) -> Result<()> {
    let before = record.encode();
    match step["op"].as_str() {
        Some("process_distribution") => {
            let bytes = hex_field(step, "distribution")?;
            let distribution = match SenderKeyDistribution::parse(&bytes) {
                Ok(distribution) => distribution,
                Err(error) => return expect_failure(step, &error),
            };
            ensure!(distribution.encode() == bytes, "rebuilt as {}", hex::encode(distribution.encode()));
            if let Some(sender) = senders.get(&distribution.key_id)
                && sender.iteration() == distribution.iteration
            {
                ensure!(sender.distribution() == distribution, "the sender's own distribution differs");
                let mut received = SenderKeyRecord::new();
                received.process(&distribution);
                own_message(sender, &mut received)?;
            }
            record.process(&distribution);
        }
        Some("decrypt") => match open(record, &hex_field(step, "ciphertext")?) {
            Ok((iteration, plaintext)) => {
                ensure!(
                    step["iteration"].is_null() || step["iteration"] == iteration,
                    "iteration {iteration}"
                );
                ensure!(step["ok"] != false, "must fail as {}", step["error"]);
                ensure!(plaintext == hex_field(step, "plaintext")?, "plaintext");
            }
            Err(error) => {
                expect_failure(step, &error)?;
                ensure!(record.encode() == before, "the failure changed the record");
            }
        },
        other => bail!("unknown step {other:?}"),
    }
    Ok(())
}

fn open(record: &mut SenderKeyRecord, bytes: &[u8]) -> Result<(u32, Vec<u8>), SignalError> {
    let message = SenderKeyMessage::parse(bytes)?;
    Ok((message.iteration(), record.decrypt(&message)?))
}

/// What the sender writes next must be readable with its distribution.
fn own_message(sender: &OwnSenderKey, record: &mut SenderKeyRecord) -> Result<()> {
    let mut rng = Prepared::default();
    let bytes = sender.clone().encrypt(b"own", &mut rng)?;
    ensure!(record.decrypt(&SenderKeyMessage::parse(&bytes)?)? == b"own", "own message");
    Ok(())
}

/// The private sides that the case gives, by key id.
fn senders(case: &Value) -> Result<HashMap<u32, OwnSenderKey>> {
    let one = [&case["sender_state"]].into_iter().filter(|state| !state.is_null());
    let many = case["sender_states"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut senders = HashMap::new();
    for state in one.chain(many) {
        let signing = KeyPair::from(PrivateKey::from_bytes(array(state, "signing_private")?));
        if !state["signing_public"].is_null() {
            let public = PublicKey::from_serialized(&hex_field(state, "signing_public")?)?;
            ensure!(*signing.public() == public, "signing_public");
        }
        let chain = ChainKey::new(array(state, "chain_key")?);
        let (key_id, iteration) = (number(state, "key_id")?, number(state, "iteration")?);
        let own = OwnSenderKey::from_parts(key_id, iteration, chain, signing);
        ensure!(OwnSenderKey::decode(&own.encode())? == own, "the stored form of the own key");
        senders.insert(key_id, own);
    }
    Ok(senders)
}
