//! `signal-sender-keys`: distribution, reordering, rotation and jumps of group messages (chapter 04 §9).

use anyhow::{Context, Result, bail, ensure};
use wa_crypto::Secret;
use wa_signal::{
    OwnSenderKey, SenderKeyDistribution, SenderKeyMessage, SenderKeyRecord, SignalError, ratchet::ChainKey,
};

use super::signal_fields::{Prepared, check_failure, check_success, key_pair, succeeds};
use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", chat)
}

fn chat(case: &Reader<'_>) -> Result<()> {
    for name in ["id", "name", "title", "note", "group", "sender"] {
        case.prose(name)?;
    }
    let senders = senders(case)?;
    let mut record = SenderKeyRecord::new();
    for (place, step) in case.nonempty_list("steps")?.iter().enumerate() {
        // Every step starts from the stored form, so that the form is proven too.
        let before = record.encode();
        record = SenderKeyRecord::decode(&before)?;
        ensure!(record.encode() == before, "the stored form is not stable");
        step.prose("note")?;
        let done = match step.str("op")? {
            "process_distribution" => process(&mut record, &senders, step),
            "decrypt" => decrypt(&mut record, &senders, step),
            other => bail!("unknown step {other}"),
        };
        done.with_context(|| format!("step {place}"))?;
    }
    Ok(())
}

fn process(record: &mut SenderKeyRecord, senders: &[OwnSenderKey], step: &Reader<'_>) -> Result<()> {
    let bytes = step.hex("distribution")?;
    let distribution = match SenderKeyDistribution::parse(&bytes) {
        Ok(distribution) => distribution,
        Err(error) => return check_failure(step, &error),
    };
    ensure!(succeeds(step)?, "was accepted, must fail");
    check_chain(senders, step, distribution.key_id)?;
    same_bytes("rebuilt distribution", distribution.encode(), &bytes)?;
    if let Some(sender) = senders.iter().find(|sender| sender.key_id() == distribution.key_id) {
        let place = sender.iteration().max(distribution.iteration);
        let (own, given) = (moved_to(sender.distribution(), place), moved_to(distribution.clone(), place));
        same("the sender's own distribution", own, given)?;
        if sender.iteration() == distribution.iteration {
            own_message(sender, &distribution)?;
        }
    }
    record.process(&distribution);
    Ok(())
}

fn decrypt(record: &mut SenderKeyRecord, senders: &[OwnSenderKey], step: &Reader<'_>) -> Result<()> {
    let bytes = step.hex("ciphertext")?;
    let before = record.encode();
    let message = SenderKeyMessage::parse(&bytes);
    let opened: Result<Vec<u8>, SignalError> = match &message {
        Ok(message) => record.decrypt(message),
        Err(error) => Err(error.clone()),
    };
    let iteration = step.opt_u64("iteration")?;
    match opened {
        Ok(plaintext) => {
            let message = message?;
            check_chain(senders, step, message.key_id())?;
            if let Some(iteration) = iteration {
                same("iteration", u64::from(message.iteration()), iteration)?;
            }
            check_success(step, &plaintext)
        }
        Err(error) => {
            step.opt("chain")?.map(|chain| chain.as_u64()).transpose()?;
            ensure!(record.encode() == before, "the failure changed the record");
            check_failure(step, &error)
        }
    }
}

/// `chain` of a step says which of the sender's keys it is about.
fn check_chain(senders: &[OwnSenderKey], step: &Reader<'_>, key_id: u32) -> Result<()> {
    let Some(chain) = step.opt_u64("chain")? else { return Ok(()) };
    let sender = usize::try_from(chain).ok().and_then(|chain| senders.get(chain)).context("chain")?;
    same("key id of the chain", key_id, sender.key_id())
}

/// The same key at a later place of its chain.
fn moved_to(mut distribution: SenderKeyDistribution, iteration: u32) -> SenderKeyDistribution {
    let mut chain = ChainKey::new(*distribution.chain_key.expose());
    for _ in distribution.iteration..iteration {
        chain = chain.skip();
    }
    distribution.chain_key = Secret::new(*chain.expose());
    distribution.iteration = iteration;
    distribution
}

/// What the sender writes next must be readable with its distribution.
fn own_message(sender: &OwnSenderKey, distribution: &SenderKeyDistribution) -> Result<()> {
    let mut received = SenderKeyRecord::new();
    received.process(distribution);
    let bytes = sender.clone().encrypt(b"own", &mut Prepared::default())?;
    same_bytes("own message", received.decrypt(&SenderKeyMessage::parse(&bytes)?)?, b"own")
}

/// The private sides that the case gives.
fn senders(case: &Reader<'_>) -> Result<Vec<OwnSenderKey>> {
    let mut states = Vec::new();
    states.extend(case.opt("sender_state")?);
    if let Some(many) = case.opt("sender_states")? {
        states.extend(many.items()?);
    }
    states.iter().map(sender).collect()
}

fn sender(state: &Reader<'_>) -> Result<OwnSenderKey> {
    let signing = key_pair(state, "signing_private", "signing_public")?;
    let chain = ChainKey::new(state.hex_array("chain_key")?);
    let own = OwnSenderKey::from_parts(state.u32("key_id")?, state.u32("iteration")?, chain, signing);
    ensure!(OwnSenderKey::decode(&own.encode())? == own, "the stored form of the own key");
    Ok(own)
}
