//! Messages to devices of our own: orders and questions that no person sees (chapters 04 §12.6, 07 §2.4, 08 §7). They
//! are encrypted for one device, under `category="peer"`, and whoever asks asks again when nothing comes: nothing of
//! them waits in the outbox.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::sync::oneshot;
use wa_binary::{Jid, Node};
use wa_core::envelope::message_id;
use wa_core::history::requests::PeerAnswer;
use wa_proto::e2e_message as proto;

use crate::connection::link::{Link, encode};
use crate::messages::seal::{SealError, encrypt_for, fetch_missing};
use crate::shared::Shared;
use crate::vault::{Step, publish};

/// How urgently the other device is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    High,
    HighForce,
}

/// The own phone, under the LID where it is known.
pub(crate) fn phone(shared: &Shared) -> Option<Jid> {
    let (pn, lid) = crate::startup::own(shared)?;
    Some(lid.unwrap_or(pn).user_jid())
}

/// Every own device but this one, as far as the server tells; the phone comes first.
pub(crate) async fn others(shared: &Arc<Shared>, link: &Link) -> Vec<Jid> {
    let Some(phone) = phone(shared) else { return Vec::new() };
    let this = crate::startup::own(shared).map_or(0, |(pn, _)| pn.device());
    let mut devices = match crate::devices::of(shared, link, std::slice::from_ref(&phone)).await {
        Ok(devices) => devices,
        Err(error) => {
            tracing::debug!(%error, "own devices are not known: the phone alone is asked");
            Vec::new()
        }
    };
    devices.retain(|device| device.device() != 0 && device.device() != this);
    devices.insert(0, phone);
    devices
}

/// Questions to the phone that wait for their answer, by the id of the message that asked.
#[derive(Debug, Default)]
pub(crate) struct Questions(Mutex<HashMap<CompactString, oneshot::Sender<PeerAnswer>>>);

impl Questions {
    /// The phone has answered; says whether somebody waits for it.
    pub(crate) fn answered(&self, answer: PeerAnswer) -> bool {
        let waiting = self.0.lock().remove(answer.request_id.as_str());
        waiting.is_some_and(|waiting| waiting.send(answer).is_ok())
    }
}

/// Asks the phone and waits for its answer; none when it does not answer in time.
pub(crate) async fn ask(
    shared: &Arc<Shared>,
    link: &Link,
    message: &proto::Message,
    push: Push,
    patience: Duration,
) -> Result<Option<PeerAnswer>, SealError> {
    let phone = phone(shared).ok_or(SealError::Unreachable)?;
    let id = new_id(shared).ok_or(SealError::Unreachable)?;
    let (give, take) = oneshot::channel();
    shared.questions.0.lock().insert(id.clone(), give);
    // Whoever stops waiting, for whatever reason, takes the entry along.
    let _forget = Forget(shared, &id);
    send_as(shared, link, &phone, &id, message, push).await?;
    Ok(tokio::time::timeout(patience, take).await.ok().and_then(Result::ok))
}

struct Forget<'a>(&'a Shared, &'a CompactString);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.questions.0.lock().remove(self.1);
    }
}

fn new_id(shared: &Shared) -> Option<CompactString> {
    let own = crate::startup::own(shared)?.0.user_jid();
    Some(message_id::generate(shared.now().as_secs(), &own, &mut shared.rng()).into())
}

/// Sends a message to one own device and waits until the server has it.
pub(crate) async fn send(
    shared: &Arc<Shared>,
    link: &Link,
    to: &Jid,
    message: &proto::Message,
    push: Push,
) -> Result<(), SealError> {
    let id = new_id(shared).ok_or(SealError::Unreachable)?;
    send_as(shared, link, to, &id, message, push).await
}

async fn send_as(
    shared: &Arc<Shared>,
    link: &Link,
    to: &Jid,
    id: &CompactString,
    message: &proto::Message,
    push: Push,
) -> Result<(), SealError> {
    let bundles = fetch_missing(shared, link, std::slice::from_ref(to)).await?;
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    let enc = encrypt_for(&mut step, to, bundles.get(to), &message.encode_to_vec()).await?;
    let enc = enc.ok_or(SealError::Unreachable)?;
    let is_pre_key = enc.attr_is("type", "pkmsg");
    let push = match push {
        Push::High => "high",
        Push::HighForce => "high_force",
    };
    let mut stanza = Node::new("message")
        .attr("to", to.clone())
        .attr("id", id.as_str())
        .attr("type", "text")
        .attr("category", "peer")
        .attr("push_priority", push)
        .child(Node::new("meta").attr("appdata", "default"))
        .child(enc);
    if is_pre_key {
        let identity =
            step.device.registration.as_ref().map(|registration| registration.device_identity.clone());
        stanza.push(Node::new("device-identity").bytes(identity.ok_or(SealError::Unwritable)?));
    }
    let stanza = encode(&stanza)?;
    let committed = vault.commit_step(shared, step).await.map_err(|_| SealError::Ended)?;
    publish(shared, link, committed);
    drop(vault);
    let _ = link.deliver(id, stanza).await?;
    Ok(())
}
