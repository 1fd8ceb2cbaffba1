//! Messages that could not be opened, on both sides (chapter 04 §14): we ask again, and we answer who asks us.

use std::sync::Arc;

use compact_str::CompactString;
use prost::Message as _;
use wa_binary::{Jid, Node, NodeRef};
use wa_core::envelope::{MessageStanza, classify, device_sent, receipt_ack};
use wa_core::prekeys::{Bundle, DirectKey, FetchReason, Watermarks};
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_proto::e2e_message as proto;
use wa_signal::ErrorClass;
use wa_store::{Bytes, PreKey, PreKeyState, StoreError, tables};

use super::seal::{self, SealError, encrypt_for};
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::credentials::{self, Own};
use crate::identity::chat_row;
use crate::shared::Shared;
use crate::vault::{Step, publish};

/// From this count on nobody answers a retry receipt.
const LAST_COUNT: u32 = 5;
/// How long a counter is remembered.
const REMEMBERED: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);
/// In place of a counter: the message has come.
const ARRIVED: u8 = u8::MAX;
/// How often one requester is answered for one message.
const MOST_ANSWERS: u32 = 10;

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// For the first time.
    First,
    /// Once more.
    Again,
    /// Not any more: it was asked for too often.
    GivenUp,
}

/// Asks the sender for a message again.
pub(crate) async fn ask(
    step: &mut Step<'_>,
    incoming: &MessageStanza,
    class: ErrorClass,
) -> Result<Asked, StoreError> {
    let counter = counter(step, incoming).await?;
    let before = step.retries(&counter).await?.map_or(incoming.retry_count, u32::from);
    let count = before.saturating_add(1);
    if count >= LAST_COUNT {
        return Ok(Asked::GivenUp);
    }
    step.set_retries(counter, u8::try_from(count).unwrap_or(ARRIVED), REMEMBERED);

    let mut retry = Node::new("retry")
        .attr("v", "1")
        .attr("count", count.to_string())
        .attr("id", incoming.id.as_str())
        .attr("t", incoming.timestamp.unwrap_or(0).to_string());
    if class.retry_code() != 0 {
        retry.set_attr("error", class.retry_code().to_string());
    }
    let mut receipt = Node::new("receipt")
        .attr("to", incoming.from().clone())
        .attr("id", incoming.id.as_str())
        .attr("type", "retry")
        .maybe_attr("participant", incoming.participant().cloned());
    if incoming.is_peer() {
        receipt.set_attr("category", "peer");
    } else if incoming.from_me && incoming.is_direct() {
        receipt.set_attr("recipient", incoming.chat.clone());
    }
    receipt.push(retry);
    let registration = step.device.registration_id.to_be_bytes();
    receipt.push(Node::new("registration").bytes(registration.to_vec()));
    // From the second time on with a bundle of ours, so that the sender can begin a new session.
    if count >= 2
        && let Some(bundle) = fresh_bundle(step).await?
    {
        receipt.push(Node::new("keys").children(bundle.key_children()));
    }
    if !sabotaged!(step.shared, SwallowedRetry) {
        step.outputs.stanzas.push(receipt);
    }
    Ok(if count == 1 { Asked::First } else { Asked::Again })
}

/// Whether a message that could be read was read before: what was asked for and the original, which the server gives to
/// the next connection, may both come.
pub(crate) async fn arrives(step: &mut Step<'_>, incoming: &MessageStanza) -> Result<bool, StoreError> {
    // What comes live and was not asked for is new: no need to look.
    if !incoming.offline && incoming.retry_count == 0 {
        return Ok(false);
    }
    let has_arrived = has_arrived(step, incoming).await?;
    if !has_arrived {
        step.not_missing(incoming);
    }
    Ok(has_arrived)
}

/// Notes that a message without a secret was read; one with a secret is known by that.
pub(crate) async fn note_arrival(step: &mut Step<'_>, incoming: &MessageStanza) -> Result<(), StoreError> {
    let group = (!incoming.is_direct()).then_some(&incoming.chat);
    came(step, &incoming.sender, group, &incoming.id).await
}

/// Whether a message that cannot be opened was read before. The ratchet knows so only for its last chains: when our
/// receipt was lost, the server may bring the message after many more.
pub(crate) async fn has_arrived(step: &mut Step<'_>, incoming: &MessageStanza) -> Result<bool, StoreError> {
    let group = (!incoming.is_direct()).then_some(&incoming.chat);
    has_come(step, &incoming.sender, group, &incoming.id).await
}

/// Whether a message of this id has come, from its sender or the phone. `group` is none in a chat of two.
pub(crate) async fn has_come(
    step: &mut Step<'_>,
    sender: &Jid,
    group: Option<&Jid>,
    id: &str,
) -> Result<bool, StoreError> {
    let counter = counter_of(step, sender, group, id).await?;
    Ok(step.retries(&counter).await? == Some(ARRIVED) || step.came_with_secret(sender, group, id).await?)
}

/// Notes that a message came by way of the phone.
pub(crate) async fn came(
    step: &mut Step<'_>,
    sender: &Jid,
    group: Option<&Jid>,
    id: &str,
) -> Result<(), StoreError> {
    let counter = counter_of(step, sender, group, id).await?;
    step.set_retries(counter, ARRIVED, REMEMBERED);
    Ok(())
}

/// Where the counter of a message is kept: the same in both families.
async fn counter(step: &mut Step<'_>, incoming: &MessageStanza) -> Result<CompactString, StoreError> {
    let group = (!incoming.is_direct()).then_some(&incoming.chat);
    counter_of(step, &incoming.sender, group, &incoming.id).await
}

async fn counter_of(
    step: &mut Step<'_>,
    sender: &Jid,
    group: Option<&Jid>,
    id: &str,
) -> Result<CompactString, StoreError> {
    let at = step.address_of(sender).await?;
    let group = group.map(ToString::to_string).unwrap_or_default();
    Ok(format!("retry/{group}/{}:{}/{id}", at.user.as_str(), at.device).into())
}

/// A bundle of our own with a one-time key that nobody else gets.
async fn fresh_bundle(step: &mut Step<'_>) -> Result<Option<Bundle>, StoreError> {
    let shared = step.shared;
    let Some(signed) = shared.current_signed().await else { return Ok(None) };
    let mut device = (*step.device).clone();
    let stored = shared.store.whole(tables::PreKeys).await?;
    let in_use = |id: u32| stored.iter().any(|(stored, _)| *stored == id);
    let marks = Watermarks::new(device.next_prekey_id, device.first_unuploaded_prekey_id);
    let (key, after) = marks.take_direct(in_use);
    let (id, row) = match key {
        DirectKey::Made(id) => match stored.into_iter().find(|(stored, _)| *stored == id) {
            Some((_, row)) => (id, PreKey { state: PreKeyState::Offered, ..row }),
            None => return Ok(None),
        },
        DirectKey::Fresh(id) => {
            let pair = KeyPair::generate(&mut shared.rng());
            (id, PreKey { key: credentials::to_row(&pair), state: PreKeyState::Offered })
        }
    };
    step.changes.put(tables::PreKeys, &id, &row);
    device.next_prekey_id = after.next();
    device.first_unuploaded_prekey_id = after.first_not_uploaded();
    step.changes.put(tables::Devices, &(), &device);
    let public = PublicKey::from_bytes(row.key.public);
    let bundle = credentials::own_bundle(&device, &signed, (id, public));
    step.device = Arc::new(device.clone());
    step.outputs.device = Some(device);
    Ok(Some(bundle))
}

/// A retry receipt of somebody.
struct Asking {
    id: String,
    count: u32,
    requester: Jid,
    chat: Jid,
    participant: Option<Jid>,
    recipient: Option<Jid>,
    registration_id: u32,
    bundle: Option<Bundle>,
}

impl Asking {
    fn parse(stanza: &Node, own: &impl Own) -> Option<Self> {
        let from = stanza.required("from").jid().ok()?;
        let participant = stanza.optional("participant").jid().ok()?;
        let recipient = stanza.optional("recipient").jid().ok()?;
        let retry = stanza.optional_child("retry")?;
        let registration = stanza.optional_child("registration")?.optional_bytes()?.into_owned();
        if registration.len() > 4 {
            return None;
        }
        let registration_id = registration.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        let requester = participant.clone().unwrap_or_else(|| from.clone());
        let chat = if from.is_group() || from.is_broadcast_list() || from.is_status() {
            from.clone()
        } else if own.is_me(&requester) {
            recipient.as_ref()?.account()
        } else {
            from.account()
        };
        Some(Self {
            id: retry.required("id").string().ok()?.into(),
            count: retry.optional("count").u32().ok().flatten().unwrap_or(1),
            requester,
            chat,
            participant,
            recipient,
            registration_id,
            bundle: stanza.optional_child("keys").and_then(|keys| bundle(keys, registration_id)),
        })
    }
}

/// The bundle of a retry receipt: the registration id stands beside it.
fn bundle(keys: NodeRef<'_>, registration_id: u32) -> Option<Bundle> {
    let mut node = keys.to_node();
    if node.optional_child("registration").is_none() {
        node.push(Node::new("registration").bytes(registration_id.to_be_bytes().to_vec()));
    }
    let bundle = Bundle::parse(node.view()).ok()?;
    (bundle.one_time.is_some() && bundle.check_device_identity(None).is_ok()).then_some(bundle)
}

/// Answers whoever could not open a message of ours: repairs the session and encrypts anew, for that device alone.
pub(crate) async fn answer(shared: &Arc<Shared>, link: &Link, stanza: Node) -> Result<(), Ended> {
    let Some(asking) = Asking::parse(&stanza, &*shared.device()) else {
        return acknowledge(link, &stanza);
    };
    if asking.bundle.is_some() || !needs_bundle(shared, &asking).await? {
        return answered(resend(shared, link, &asking, asking.bundle.as_ref()).await, link, &stanza);
    }
    // A connection reads nothing while it works on a batch: whoever asks the server a question must not be waited for.
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        let answer = match fetch_bundle(&shared, &link, &asking).await {
            Ok(bundle) => resend(&shared, &link, &asking, bundle.as_ref()).await,
            Err(error) => Err(error),
        };
        if let Err(ended) = answered(answer, &link, &stanza) {
            link.end(ended);
        }
    });
    Ok(())
}

async fn fetch_bundle(
    shared: &Arc<Shared>,
    link: &Link,
    asking: &Asking,
) -> Result<Option<Bundle>, SealError> {
    let from = std::slice::from_ref(&asking.requester);
    Ok(seal::fetch(shared, link, from, FetchReason::NoSession).await?.remove(&asking.requester))
}

fn acknowledge(link: &Link, stanza: &Node) -> Result<(), Ended> {
    if let Some(ack) = receipt_ack(stanza.view()) {
        // Without a connection the receipt comes again.
        let _ = link.send(&ack);
    }
    Ok(())
}

/// What follows from an answer, or from none.
fn answered(answer: Result<(), SealError>, link: &Link, stanza: &Node) -> Result<(), Ended> {
    match answer {
        Ok(()) => {}
        Err(SealError::Ended) => return Err(Ended::LeaseLost),
        // Unacknowledged: the receipt comes again.
        Err(SealError::Store(error)) => return Err(error.into()),
        Err(SealError::Request(error)) if error.is_temporary() => return Ok(()),
        Err(error) => tracing::warn!(%error, "a message was not sent again"),
    }
    acknowledge(link, stanza)
}

async fn resend(
    shared: &Arc<Shared>,
    link: &Link,
    asking: &Asking,
    bundle: Option<&Bundle>,
) -> Result<(), SealError> {
    if asking.count >= LAST_COUNT {
        return Ok(());
    }
    let Some(plaintext) = find(shared, &asking.chat, &asking.id).await? else { return Ok(()) };
    let own_device = shared.device().is_me(&asking.requester);
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    let counter = format!("answered/{}/{}", asking.requester, asking.id).into();
    let answered = shared.store.one(tables::NumberState, &counter).await?;
    let answered = answered.as_deref().and_then(|bytes| bytes.first().copied()).map_or(0, u32::from) + 1;
    if answered > MOST_ANSWERS {
        return Ok(());
    }
    let value = Bytes::copy_from_slice(&[u8::try_from(answered).unwrap_or(u8::MAX)]);
    step.changes.put_until(tables::NumberState, &counter, &value, shared.now().after(REMEMBERED));
    let at = step.address_of(&asking.requester).await?;
    if let Some(bundle) = bundle {
        let now = shared.now().as_secs();
        let local = step.local.clone();
        let mut rng = shared.rng();
        let session = step.session(&at).await?;
        if session.record.initiate(&local, &bundle.to_signal(), now, &mut rng).is_ok() {
            session.sending = wa_store::Sending::Allowed;
        }
        step.save_identity(&at, &bundle.identity.into()).await?;
    }
    let mut message = proto::Message::decode(plaintext).map_err(|_| SealError::Unwritable)?;
    let class = classify(&message).map_err(|_| SealError::Unwritable)?;
    let is_list = asking.chat.is_broadcast_list();
    let is_shared = asking.chat.is_group() || asking.chat.is_status() || is_list;
    if is_shared && !is_list {
        step.changes.delete(tables::DistributionMarks, &(chat_row(&asking.chat), at.clone()));
    }
    if own_device && (!is_shared || is_list) {
        message = device_sent(message, asking.chat.to_string(), None);
    }
    let enc = encrypt_for(&mut step, &asking.requester, bundle, &message.encode_to_vec()).await?;
    let Some(enc) = enc else { return Ok(()) };
    let is_pre_key = enc.attr_is("type", "pkmsg");
    let to = if is_shared { asking.chat.clone() } else { asking.requester.clone() };
    let mut node = seal::head(to, &asking.id, &class)
        .maybe_attr("participant", asking.participant.clone())
        .maybe_attr("recipient", asking.recipient.clone())
        .maybe_attr("device_fanout", (!is_shared).then_some("false"))
        .child(seal::classed(enc, &class).attr("count", asking.count.to_string()));
    if let Some(meta) = class.meta.node() {
        node.push(meta);
    }
    if is_pre_key {
        let identity =
            step.device.registration.as_ref().map(|registration| registration.device_identity.clone());
        node.push(Node::new("device-identity").bytes(identity.ok_or(SealError::Unwritable)?));
    }
    step.outputs.stanzas.push(node);
    kill_point!(shared, ResendSealed);
    let committed = vault.commit_step(shared, step).await.map_err(|_| SealError::Ended)?;
    kill_point!(shared, ResendStored);
    publish(shared, link, committed);
    Ok(())
}

/// Whether the session with the requester has to be built anew from a fetched bundle.
async fn needs_bundle(shared: &Arc<Shared>, asking: &Asking) -> Result<bool, StoreError> {
    let mut step = Step::new(shared);
    let at = step.address_of(&asking.requester).await?;
    let session = step.session(&at).await?;
    let theirs = session.record.remote_registration_id().unwrap_or(0);
    let registered_anew = theirs != 0 && asking.registration_id != 0 && theirs != asking.registration_id;
    Ok(!session.record.has_current() || registered_anew || asking.count >= 2)
}

/// The plaintext of a message of ours, under either name of its chat.
async fn find(shared: &Arc<Shared>, chat: &Jid, id: &str) -> Result<Option<Bytes>, StoreError> {
    let mut names = vec![chat_row(chat)];
    let user = crate::identity::user_row(chat);
    let other =
        if chat.is_lid() { shared.store.pn_of(&user).await? } else { shared.store.lid_of(&user).await? };
    names.extend(other.map(|other| wa_store::Chat::from(other.as_str())));
    for name in &names {
        if let Some(sent) = shared.store.one(tables::Sent, &(name.clone(), id.into())).await? {
            return Ok(Some(sent.plaintext));
        }
    }
    // Not acknowledged yet: still in the outbox.
    let rows = shared.store.whole(tables::Outbox).await?;
    Ok(rows
        .into_iter()
        .find(|(_, row)| row.id == id && names.contains(&row.chat))
        .map(|(_, row)| row.plaintext))
}
