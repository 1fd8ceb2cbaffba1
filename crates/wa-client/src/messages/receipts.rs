//! Receipts in and out (chapter 05 §10).

use std::sync::Arc;

use compact_str::CompactString;
use wa_binary::{FieldError, Jid, Node};
use wa_store::UnixTime;

use super::types::{Receipt, ReceiptKind, ReceivedMessage};
use crate::client::Client;
use crate::connection::acks::ack;
use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::credentials::Own;
use crate::events::StoredEvent;
use crate::identity::Peer;
use crate::shared::Shared;
use crate::vault::incoming::Incoming;
use crate::vault::{Step, publish};

/// Ids in one read receipt.
const MOST_IDS: usize = 256;

/// The receipt that answers a stored message; `None` where a plain ack does.
pub(crate) fn delivery(incoming: &Incoming, active: bool) -> Option<Node> {
    let receipt = Node::new("receipt").attr("id", incoming.id.as_str());
    let inactive = (!active).then_some("inactive");
    if incoming.is_peer {
        return Some(receipt.attr("to", incoming.from.clone()).attr("type", "peer_msg"));
    }
    if incoming.from.is_status() {
        return Some(
            receipt
                .attr("to", Jid::STATUS)
                .maybe_attr("participant", incoming.participant.clone())
                .attr("context", "status"),
        );
    }
    if incoming.from_me {
        let receipt = receipt.attr("type", "sender");
        return Some(if incoming.is_direct() {
            receipt.attr("to", incoming.from.clone()).attr("recipient", incoming.chat.clone())
        } else {
            receipt.attr("to", incoming.chat.clone()).maybe_attr("participant", incoming.participant.clone())
        });
    }
    if incoming.from.is_newsletter() {
        return None;
    }
    Some(
        receipt
            .attr("to", incoming.from.clone())
            .maybe_attr("participant", incoming.participant.clone())
            .maybe_attr("type", inactive),
    )
}

/// A receipt of the server, read.
struct Parsed {
    kind: Option<ReceiptKind>,
    chat: Jid,
    by: Jid,
    ids: Vec<CompactString>,
    at: Option<u64>,
}

fn parse(stanza: &Node, own: &impl Own) -> Result<Parsed, FieldError> {
    let from = stanza.required("from").jid()?;
    let participant = stanza.optional("participant").jid()?;
    let by = participant.unwrap_or_else(|| from.clone());
    let mine = own.is_me(&by);
    let kind = match stanza.optional("type").string()?.as_deref() {
        None | Some("delivery" | "inactive") if !mine => Some(ReceiptKind::Delivered),
        Some("read") if mine => Some(ReceiptKind::ReadElsewhere),
        Some("played") if mine => Some(ReceiptKind::PlayedElsewhere),
        Some("read-self") => Some(ReceiptKind::ReadElsewhere),
        Some("played-self") => Some(ReceiptKind::PlayedElsewhere),
        Some("read") => Some(ReceiptKind::Read),
        Some("played") => Some(ReceiptKind::Played),
        _ => None,
    };
    // A delivery receipt can also say that the message was not delivered.
    let kind = kind.filter(|_| stanza.optional_child("error").is_none());
    let chat = match stanza.optional("recipient").jid()? {
        Some(recipient) if mine && !from.is_group() => recipient.account(),
        _ => from.account(),
    };
    let mut ids = vec![stanza.required("id").string()?];
    if let Some(list) = stanza.optional_child("list") {
        ids.extend(list.each("item").filter_map(|item| item.required("id").string().ok()));
    }
    Ok(Parsed { kind, chat, by, ids, at: stanza.optional("t").u64().ok().flatten() })
}

/// Takes a receipt: stores what it says, then acknowledges. Whoever asks for a message again is answered.
pub(crate) async fn receive(shared: &Arc<Shared>, link: &Link, stanza: Node) -> Result<(), Ended> {
    if stanza.attr_is("type", "retry") {
        return super::retry::answer(shared, link, stanza).await;
    }
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    match parse(&stanza, &*shared.device()) {
        Ok(Parsed { kind: Some(kind), chat, by, ids, at }) => {
            let chat = step.chat(&chat).await?;
            let at = at.map_or_else(|| shared.now(), UnixTime::from_secs);
            step.event(&StoredEvent::Receipt(Receipt { chat, by: Peer::from(&by), kind, ids, at }));
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "a receipt cannot be read"),
    }
    step.outputs.stanzas.extend(ack(&stanza, None, None));
    kill_point!(shared, ReceiptRead);
    let committed = vault.commit(shared, step.finish()).await?;
    publish(shared, link, committed);
    Ok(())
}

impl Client {
    /// Tells the authors that their messages were read. All must be of one chat.
    ///
    /// # Errors
    /// [`RequestError::Disconnected`].
    pub fn mark_read(&self, messages: &[&ReceivedMessage]) -> Result<(), RequestError> {
        let link = self.shared.link()?;
        let now = self.shared.server_now().as_secs().to_string();
        for some in by_author(messages).iter().flat_map(|group| group.chunks(MOST_IDS)) {
            let Some((first, rest)) = some.split_first() else { continue };
            let author = first.sender.jid().filter(|_| !first.chat.jid.is_pn() && !first.chat.jid.is_lid());
            let mut receipt = Node::new("receipt")
                .attr("id", first.id.as_str())
                .attr("to", first.chat.jid.clone())
                .attr("type", "read")
                .attr("t", now.as_str())
                .maybe_attr("participant", author.cloned());
            if !rest.is_empty() {
                let items = rest.iter().map(|message| Node::new("item").attr("id", message.id.as_str()));
                receipt.push(Node::new("list").children(items));
            }
            link.send(&receipt)?;
        }
        Ok(())
    }
}

fn by_author<'m>(messages: &[&'m ReceivedMessage]) -> Vec<Vec<&'m ReceivedMessage>> {
    let mut groups: Vec<Vec<&ReceivedMessage>> = Vec::new();
    for message in messages.iter().filter(|message| !message.from_me) {
        let group = groups.iter_mut().find(|group| {
            group.first().is_some_and(|first| first.chat == message.chat && first.sender == message.sender)
        });
        match group {
            Some(group) => group.push(message),
            None => groups.push(vec![message]),
        }
    }
    groups
}
