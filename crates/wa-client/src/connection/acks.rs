//! The answer that every stanza of the server is owed (chapter 01 §9).

use wa_binary::{Jid, Node};

/// Codes of a refusal (`error` of an ack). A refusal ends redelivery: never for what a resend can fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Nack {
    Parsing = 487,
    UnrecognizedStanza = 488,
    InvalidProtobuf = 491,
}

/// The ack of a stanza; `None` when it names no id or sender and so cannot be acked. `own_pn` is this device's
/// address, named in acks of messages only.
pub(crate) fn ack(stanza: &Node, own_pn: Option<&Jid>, error: Option<Nack>) -> Option<Node> {
    let text = |key| stanza.optional(key).value().ok().flatten();
    let (id, from) = (stanza.optional("id").string().ok()??, stanza.optional("from").jid().ok()??);
    let is_message = matches!(stanza.tag(), "message" | "status");
    let is_receipt = stanza.is("receipt");
    let mut ack = Node::new("ack").attr("class", stanza.tag()).attr("id", id).attr("to", from.clone());
    for key in ["participant", "recipient"] {
        let Some(jid) = stanza.optional(key).jid().ok().flatten() else { continue };
        if !(key == "participant" && is_receipt && jid == from) {
            ack.set_attr(key, jid);
        }
    }
    let is_identity_change = stanza.attr_is("type", "encrypt") && stanza.optional_child("identity").is_some();
    if text("type").is_some()
        && !is_identity_change
        && let Ok(Some(kind)) = stanza.optional("type").string()
    {
        ack.set_attr("type", kind);
    }
    if let Some(own) = own_pn.filter(|_| is_message) {
        ack.set_attr("from", own.clone());
    }
    if let Some(error) = error {
        ack.set_attr("error", (error as u16).to_string());
    }
    Some(ack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_copies_what_the_server_needs_to_route_it() {
        let group: Jid = "1203630@g.us".parse().unwrap();
        let person: Jid = "15550100:3@s.whatsapp.net".parse().unwrap();
        let stanza = Node::new("receipt")
            .attr("id", "A")
            .attr("from", group)
            .attr("participant", person.clone())
            .attr("type", "retry");
        let expected = r#"<ack class="receipt" id="A" to="1203630@g.us" participant="15550100:3@s.whatsapp.net" type="retry"/>"#;
        assert_eq!(ack(&stanza, Some(&person), None).unwrap().to_string(), expected);
        let alone =
            Node::new("receipt").attr("id", "A").attr("from", person.clone()).attr("participant", person);
        assert_eq!(
            ack(&alone, None, None).unwrap().to_string(),
            r#"<ack class="receipt" id="A" to="15550100:3@s.whatsapp.net"/>"#
        );
        assert!(ack(&Node::new("message").attr("id", "A"), None, None).is_none());
    }

    #[test]
    fn a_refused_message_names_the_device_and_the_code() {
        let own: Jid = "15550199:2@s.whatsapp.net".parse().unwrap();
        let stanza = Node::new("message").attr("id", "B").attr("from", own.user_jid());
        let nack = ack(&stanza, Some(&own), Some(Nack::InvalidProtobuf)).unwrap();
        assert!(nack.attr_is("error", "491") && nack.attr_is("class", "message"));
        assert_eq!(nack.required("from").jid().unwrap(), own);
    }

    #[test]
    fn an_identity_change_is_acked_without_its_type() {
        let from: Jid = "15550100@s.whatsapp.net".parse().unwrap();
        let stanza = Node::new("notification").attr("id", "C").attr("from", from).attr("type", "encrypt");
        assert!(ack(&stanza, None, None).unwrap().has_attr("type"));
        assert!(!ack(&stanza.child(Node::new("identity")), None, None).unwrap().has_attr("type"));
    }
}
