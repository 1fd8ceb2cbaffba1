//! Retry receipts on both sides: asking again for what did not open, and sending again what another device asks for
//! (chapter 04 §14).

use std::collections::BTreeMap;

use prost::Message as _;
use wa_binary::{Jid, Node};
use wa_core::prekeys::Bundle;
use wa_proto::e2e_message::Message;
use wa_signal::SessionId;

use super::chats::Sent;
use super::send::{device_sent, distribution_message, enc_node};
use super::sessions::Unopened;
use super::{Network, Now, Phone, PhoneEvent, Turn};

/// The count that is neither asked for nor answered any more.
const LIMIT: u32 = 5;
/// Answers to one device for one message.
const MOST_ANSWERS: u32 = 10;

/// What was asked for and answered.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Retries {
    asked: BTreeMap<(/* id */ String, /* sender */ Jid), u32>,
    answered: BTreeMap<(String, Jid), u32>,
    /// The session that a second request found: still the same at the third means that it was never rebuilt.
    #[serde(with = "crate::state::foreign::values")]
    sessions: BTreeMap<(String, Jid), SessionId>,
}

impl Retries {
    /// Forgets everything once there is too much of it: a peer that asks for millions of messages is no peer to remember.
    fn bound(&mut self) {
        const MOST: usize = 50_000;
        if self.asked.len() > MOST || self.answered.len() > MOST {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn settled(&mut self, id: &str, sender: &Jid) {
        self.asked.remove(&(id.to_owned(), sender.clone()));
    }
}

impl Phone {
    /// Builds the retry receipt for a message that did not open; none when the limit is reached.
    pub(super) fn retry_receipt(
        &mut self,
        stanza: &Node,
        address: &Jid,
        why: &Unopened,
    ) -> Option<(Node, u32)> {
        let id = stanza.required("id").string().ok()?;
        self.retries.bound();
        let resent = stanza.each("enc").filter_map(|enc| enc.optional("count").u32().ok().flatten()).max();
        let asked =
            self.retries.asked.entry((id.to_string(), address.clone())).or_insert(resent.unwrap_or(0));
        *asked += 1;
        let count = *asked;
        if count >= LIMIT {
            return None;
        }
        let retry = Node::new("retry")
            .attr("v", "1")
            .attr("count", count.to_string())
            .attr("id", &id)
            .maybe_attr("t", stanza.optional("t").string().ok().flatten())
            .attr("error", error_code(why).to_string());
        let registration =
            Node::new("registration").bytes(self.local.registration_id().to_be_bytes().to_vec());
        let keys = (count >= 2).then(|| {
            let bundle = Bundle {
                registration_id: self.local.registration_id(),
                identity: *self.local.identity_key().public_key(),
                signed: self.keys.signed(),
                one_time: Some(self.keys.direct(&mut self.rng)),
                device_identity: None,
            };
            Node::new("keys").children(bundle.key_children())
        });
        let peer = stanza.attr_is("category", "peer");
        let receipt = Node::new("receipt")
            .attr("id", &id)
            .maybe_attr("to", stanza.optional("from").jid().ok().flatten())
            .attr("type", "retry")
            .maybe_attr("participant", stanza.optional("participant").jid().ok().flatten())
            .maybe_attr("recipient", stanza.optional("recipient").jid().ok().flatten().filter(|_| !peer))
            .maybe_attr("category", peer.then_some("peer"))
            .child(retry)
            .child(registration)
            .maybe_child(keys);
        Some((receipt, count))
    }

    /// Another device could not read what this phone sent.
    pub(super) fn answer_retry(&mut self, receipt: &Node, network: &mut dyn Network, now: Now) -> Turn {
        self.try_answer_retry(receipt, network, now).unwrap_or_default()
    }

    fn try_answer_retry(&mut self, receipt: &Node, network: &mut dyn Network, now: Now) -> Option<Turn> {
        let retry = receipt.optional_child("retry")?;
        let from = receipt.required("from").jid().ok()?;
        let participant = receipt.optional("participant").jid().ok().flatten();
        let requester = participant.clone().unwrap_or_else(|| from.clone());
        let id = retry.optional("id").string().ok().flatten();
        let id = id.or_else(|| receipt.required("id").string().ok())?.to_string();
        let count = retry.optional("count").u32().ok().flatten().unwrap_or(1).max(1);
        let registration = receipt.optional_child("registration")?.optional_bytes()?;
        if registration.len() > 4 || count >= LIMIT {
            return None;
        }
        let registration = registration.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        let address = self.address(&requester, network);
        let key = (id.clone(), address.clone());
        self.retries.bound();
        let answers = self.retries.answered.entry(key.clone()).or_default();
        *answers += 1;
        if *answers > MOST_ANSWERS {
            return None;
        }
        if shared(&from) {
            self.peers.unmark(&from, &address);
        }
        self.repair(receipt, &requester, &address, &key, count, registration, network, now)?;
        let sent = self.chats.sent(&id).cloned()?;
        let stanza = self.resend(&sent, &id, &requester, &from, count, network, now)?;
        let event = PhoneEvent::Resent { id, to: requester, count };
        Some(Turn { stanzas: vec![stanza], events: vec![event] })
    }

    /// Brings the session into a state in which the requester can read (chapter 04 §14.2 step 7). `None` aborts.
    #[expect(clippy::too_many_arguments, reason = "the parts of one receipt")]
    fn repair(
        &mut self,
        receipt: &Node,
        requester: &Jid,
        address: &Jid,
        key: &(String, Jid),
        count: u32,
        registration: u32,
        network: &mut dyn Network,
        now: Now,
    ) -> Option<()> {
        if receipt.optional_child("keys").is_some() {
            let bundle = Bundle::parse(receipt.view()).ok().filter(|bundle| bundle.one_time.is_some())?;
            return self.start_session(address, &bundle, now).ok();
        }
        let known = self.peers.session(address).and_then(wa_signal::SessionRecord::remote_registration_id);
        if known.is_some_and(|known| known != 0 && registration != 0 && known != registration) {
            self.peers.drop_session(address);
        }
        let session = self.peers.session(address).and_then(wa_signal::SessionRecord::session_id);
        if count == 2 {
            if let Some(session) = session {
                self.retries.sessions.insert(key.clone(), session);
            }
        } else if count > 2 && session.is_some() && self.retries.sessions.remove(key) == session {
            self.peers.drop_session(address);
        }
        if self.peers.session(address).is_none_or(|record| !record.has_current()) || count >= 2 {
            let bundle = network.bundle(requester)?;
            self.start_session(address, &bundle, now).ok()?;
        }
        Some(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one receipt")]
    fn resend(
        &mut self,
        sent: &Sent,
        id: &str,
        requester: &Jid,
        from: &Jid,
        count: u32,
        network: &mut dyn Network,
        now: Now,
    ) -> Option<Node> {
        let mut message = Message::decode(sent.message.clone()).ok()?;
        let group = shared(from);
        let own_device = self.is_own(requester);
        let recipient = (own_device && !group && !sent.peer).then(|| sent.to.clone());
        if group {
            let distribution = self.distribution(from);
            message.sender_key_distribution_message =
                distribution_message(from, distribution).sender_key_distribution_message;
        } else if let Some(chat) = &recipient {
            message = device_sent(chat, &message);
        }
        let text = self.padded(&message, None);
        let sealed = self.seal(requester, &text, network, now).ok()?;
        if group {
            let address = self.address(requester, network);
            if let Some(key) = self.peers.own_key(from) {
                key.holders.insert(address);
            }
        }
        let mut enc = enc_node(sealed.kind.as_str(), sealed.bytes, &sent.shape);
        enc.set_attr("count", count.to_string());
        let addressing = group.then(|| if requester.is_lid() { "lid" } else { "pn" });
        Some(
            Node::new("message")
                .attr("id", id)
                .attr("to", if group { from } else { requester })
                .attr("type", &sent.shape.stanza_type)
                .maybe_attr("participant", group.then(|| requester.clone()))
                .maybe_attr("recipient", recipient)
                .maybe_attr("edit", sent.shape.edit.as_deref())
                .maybe_attr("category", sent.peer.then_some("peer"))
                .maybe_attr("addressing_mode", addressing)
                .maybe_attr("device_fanout", (!group && !sent.peer).then_some("false"))
                .maybe_child(sent.shape.meta.node())
                .child(enc),
        )
    }
}

/// Whether a chat has a sender key.
pub(super) fn shared(chat: &Jid) -> bool {
    chat.is_group() || chat.is_status()
}

/// Chapter 04 §14.3.
const fn error_code(why: &Unopened) -> u8 {
    match why {
        Unopened::Adv(_) => 12,
        Unopened::Signal(error) => error.class().retry_code(),
    }
}
