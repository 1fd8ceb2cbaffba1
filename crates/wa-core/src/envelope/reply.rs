//! What a device answers to a received message: a receipt when it was handled, a bare ack, or an ack with the reason
//! why it never will be (chapter 05 §7.4, §10.1).

use wa_binary::Node;

use super::{EncType, MessageStanza, Unavailable};

/// Whether the account is shown as available: it decides whether the sender sees a second tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Presence "available" was sent, or receipts shall look so.
    Active,
    /// Otherwise.
    Inactive,
}

/// Why a message cannot be handled; final, the server stops delivering it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Nack {
    /// Addressed with names that are out of date.
    StaleAddressing = 421,
    /// The stanza names no message.
    Parse = 487,
    /// Nothing in it that is known.
    UnknownStanza = 488,
    /// An unknown class of stanza.
    UnknownClass = 489,
    /// An unknown type.
    UnknownType = 490,
    /// The plaintext is no message.
    InvalidProtobuf = 491,
    /// From the cloud of a business, for which this device has no use.
    HostedCompanion = 493,
    /// The secret that it is encrypted with is not known.
    MissingMessageSecret = 495,
    /// Its counter was used before.
    OldCounter = 496,
    /// Deleted by its author.
    Deleted = 499,
    /// Failed for another reason.
    Unhandled = 500,
    /// A revoke by somebody who may not.
    AdminRevoke = 550,
    /// The group is addressed by LID.
    LidGroup = 551,
    /// The store failed for good.
    Database = 552,
}

impl MessageStanza {
    /// The answer once the message is stored, or was stored before.
    pub fn answer(&self, activity: Activity) -> Node {
        if self.is_acked_only() {
            return message_ack(self, None);
        }
        let readable = !self.enc_types.is_empty() || self.unavailable.is_some();
        if !readable || (self.unavailable.is_none() && !self.is_decryptable()) {
            return message_ack(self, Some(Nack::UnknownStanza));
        }
        self.receipt(activity)
    }

    /// Whether it gets an ack where others get a receipt.
    fn is_acked_only(&self) -> bool {
        self.chat.is_newsletter()
            || self.stanza_type.as_deref() == Some("medianotify")
            || self.unavailable.is_some()
            || (self.enc_types.contains(&Some(EncType::MsMsg)) && !self.chat.is_bot())
    }

    /// The receipt that says that the message arrived.
    fn receipt(&self, activity: Activity) -> Node {
        let broad = self.is_group() || self.is_broadcast();
        let kind = match activity {
            _ if self.is_peer() && self.from_me => Some("peer_msg"),
            _ if self.from_me => Some("sender"),
            Activity::Inactive if !self.is_status() => Some("inactive"),
            _ => None,
        };
        let recipient = match &self.recipient {
            Some(recipient) if self.from_me && !broad && !self.is_peer() => Some(recipient.user_jid()),
            _ => None,
        };
        Node::new("receipt")
            .attr("id", &self.id)
            .attr("to", &self.from)
            .maybe_attr("type", kind)
            .maybe_attr("participant", self.participant.as_ref().filter(|_| broad))
            .maybe_attr("recipient", recipient)
            .maybe_attr("context", self.is_status().then_some("status"))
    }

    /// Whether the phone shall be asked for what this device was not given.
    pub fn asks_phone(&self) -> bool {
        self.unavailable == Some(Unavailable::Other)
    }
}

/// The ack of a message, with a reason when it is refused.
pub fn message_ack(message: &MessageStanza, nack: Option<Nack>) -> Node {
    Node::new("ack")
        .attr("class", "message")
        .attr("id", &message.id)
        .attr("to", &message.from)
        .maybe_attr("participant", message.participant.as_ref())
        .maybe_attr("recipient", message.recipient.as_ref())
        .maybe_attr("type", message.stanza_type.as_ref())
        .maybe_attr("error", nack.map(|nack| (nack as u16).to_string()))
}

#[cfg(test)]
mod tests {
    use wa_binary::Jid;

    use super::*;
    use crate::envelope::Own;

    fn read(stanza: &Node) -> MessageStanza {
        let own = Own { pn: Jid::pn(15_550_100_001), lid: Some(Jid::lid(100_000_000_000_001)) };
        MessageStanza::parse(stanza.view(), &own).unwrap()
    }

    fn message(from: &str, enc: Option<&str>) -> Node {
        let enc = enc.map(|kind| Node::new("enc").attr("type", kind).bytes(vec![0]));
        Node::new("message").attr("from", from).attr("id", "1").attr("type", "text").maybe_child(enc)
    }

    #[test]
    fn nothing_known_inside_is_refused_for_good() {
        for enc in [None, Some("new"), Some("skmsg")] {
            let answer = read(&message("200000000000002@lid", enc)).answer(Activity::Active);
            assert!(answer.is("ack") && answer.attr_is("error", "488"), "{answer}");
        }
        let answer = read(&message("200000000000002@lid", Some("msg"))).answer(Activity::Active);
        assert_eq!(answer.to_string(), r#"<receipt id="1" to="200000000000002@lid"/>"#);
    }

    #[test]
    fn what_this_device_was_not_given_is_acked_and_perhaps_asked_for() {
        let unavailable = |node: Node| read(&message("200000000000002@lid", None).child(node));
        let plain = unavailable(Node::new("unavailable"));
        assert!(plain.asks_phone() && plain.answer(Activity::Active).is("ack"));
        let once = unavailable(Node::new("unavailable").attr("type", "view_once"));
        assert!(!once.asks_phone() && once.answer(Activity::Active).is("ack"));
        let both = read(&message("200000000000002@lid", Some("msg")).child(Node::new("unavailable")));
        assert!(both.unavailable.is_none() && both.answer(Activity::Active).is("receipt"));
    }

    #[test]
    fn a_listed_part_counts_only_for_the_own_device() {
        let to = |jid: &str| {
            let enc = Node::new("enc").attr("type", "msg").bytes(vec![0]);
            Node::new("participants").child(Node::new("to").attr("jid", jid).child(enc))
        };
        let base = message("100000000000001:3@lid", None);
        assert_eq!(read(&base.clone().child(to("100000000000001@lid"))).enc_types.len(), 1);
        assert_eq!(read(&base.child(to("100000000000001:9@lid"))).enc_types.len(), 0);
    }
}
