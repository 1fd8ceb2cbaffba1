//! Receipts in and out (chapter 05 §10).

use wa_binary::{Node, NodeRef, Stanza};
use wa_core::envelope::{Own, Receipt as Incoming, ReceiptStatus, receipt_ack};
use wa_store::{MappingSource, StoreError, UnixTime};

use super::types::{Receipt, ReceiptKind, ReceivedMessage};
use crate::client::Client;
use crate::connection::link::RequestError;
use crate::events::StoredEvent;
use crate::identity::Peer;
use crate::vault::Step;

/// Ids in one read receipt.
const MOST_IDS: usize = 256;

/// What an application hears of a status; `None` for what is the library's own matter.
fn kind(status: &ReceiptStatus) -> Option<ReceiptKind> {
    match status {
        ReceiptStatus::Delivered | ReceiptStatus::Inactive => Some(ReceiptKind::Delivered),
        ReceiptStatus::Read => Some(ReceiptKind::Read),
        ReceiptStatus::Played => Some(ReceiptKind::Played),
        ReceiptStatus::ReadSelf => Some(ReceiptKind::ReadElsewhere),
        ReceiptStatus::PlayedSelf => Some(ReceiptKind::PlayedElsewhere),
        _ => None,
    }
}

/// The events of a receipt: one, or one for each person that it speaks of.
async fn note(step: &mut Step<'_>, receipt: &Incoming) -> Result<(), StoreError> {
    if receipt.from_me && receipt.sender.device() == 0 {
        crate::absence::phone_seen(step.shared);
    }
    if !receipt.is_surfaced() {
        return Ok(());
    }
    let now = step.shared.now();
    let at = |seconds: Option<u64>| seconds.map_or(now, UnixTime::from_secs);
    let mut said = Vec::new();
    if let Some(kind) = kind(&receipt.status).filter(|_| !receipt.ids.is_empty()) {
        said.push((Peer::from(&receipt.sender), kind, receipt.ids.clone(), at(receipt.timestamp)));
    }
    for user in &receipt.users {
        let Some(kind) = kind(&user.status) else { continue };
        if let Some(alt) = &user.sender_alt {
            step.learn(&user.sender, alt, MappingSource::Live).await?;
        }
        let by = Peer::of(&user.sender, user.sender_alt.as_ref());
        said.push((by, kind, vec![user.id.clone()], at(user.timestamp)));
    }
    if said.is_empty() {
        return Ok(());
    }
    let chat = step.chat(&receipt.chat).await?;
    for (by, kind, ids, at) in said {
        let by = step.whole_peer(&by).await?;
        super::status::receipt(step, &by, kind, &ids, at).await?;
        step.event(StoredEvent::Receipt(Receipt { chat: chat.clone(), by, kind, ids, at }));
    }
    Ok(())
}

/// Whether a stanza is a receipt that only says how far messages have come: one that asks for a message again is
/// answered apart.
pub(crate) fn is_plain(stanza: NodeRef<'_>) -> bool {
    stanza.is("receipt") && !stanza.attr_is("type", "retry")
}

/// Reads a batch's receipts, and at once what is known of the messages that they speak of.
pub(crate) async fn prepare(
    step: &mut Step<'_>,
    own: &Own,
    stanzas: &[Stanza],
) -> Result<Vec<Option<Incoming>>, StoreError> {
    let (mut receipts, mut said) = (Vec::new(), Vec::new());
    for stanza in stanzas.iter().map(Stanza::root).filter(|stanza| stanza.is("receipt")) {
        let receipt = Incoming::parse(stanza, own);
        if let Err(error) = &receipt {
            tracing::warn!(%error, "a receipt cannot be read");
        }
        let receipt = receipt.ok();
        if let Some(receipt) = &receipt
            && kind(&receipt.status).is_some()
            && receipt.is_surfaced()
        {
            let by = step.whole_peer(&Peer::from(&receipt.sender)).await?;
            said.extend(receipt.ids.iter().map(|id| (id.clone(), by.clone())));
        }
        receipts.push(receipt);
    }
    super::status::prepare(step, &said).await?;
    Ok(receipts)
}

/// Takes a receipt as part of a step: notes what it says, if it could be read; its ack leaves after the commit.
pub(crate) async fn take(
    step: &mut Step<'_>,
    receipt: Option<Incoming>,
    stanza: NodeRef<'_>,
) -> Result<(), StoreError> {
    if let Some(receipt) = receipt {
        note(step, &receipt).await?;
    }
    step.outputs.stanzas.extend(receipt_ack(stanza));
    kill_point!(step.shared, ReceiptRead);
    Ok(())
}

impl Client {
    /// Tells the authors that their messages were read. All must be of one chat.
    ///
    /// # Errors
    /// [`RequestError::Disconnected`].
    pub fn mark_read(&self, messages: &[&ReceivedMessage]) -> Result<(), RequestError> {
        self.mark("read", messages)
    }

    /// Tells the authors that their voice notes were heard, or what may be looked at once was looked at. All must be
    /// of one chat.
    ///
    /// # Errors
    /// [`RequestError::Disconnected`].
    pub fn mark_played(&self, messages: &[&ReceivedMessage]) -> Result<(), RequestError> {
        self.mark("played", messages)
    }

    fn mark(&self, kind: &str, messages: &[&ReceivedMessage]) -> Result<(), RequestError> {
        let link = self.shared.link()?;
        let now = self.shared.server_now().as_secs().to_string();
        for some in by_author(messages).iter().flat_map(|group| group.chunks(MOST_IDS)) {
            let Some((first, rest)) = some.split_first() else { continue };
            let author = first.sender.jid().filter(|_| !first.chat.jid.is_pn() && !first.chat.jid.is_lid());
            let mut receipt = Node::new("receipt")
                .attr("id", first.id.as_str())
                .attr("to", first.chat.jid.clone())
                .attr("type", kind)
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
