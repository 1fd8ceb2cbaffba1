//! The answer that every stanza of the server is owed (chapter 01 §9). Messages and receipts answer for themselves, in
//! `wa_core::envelope`; the others get a plain ack.

use wa_binary::Node;
use wa_core::envelope::Nack;

/// The ack of a notification, a call or a stanza of an unknown tag; `None` when it names no id or sender and so cannot
/// be acked.
pub(crate) fn ack(stanza: &Node, error: Option<Nack>) -> Option<Node> {
    let (id, from) = (stanza.optional("id").string().ok()??, stanza.optional("from").jid().ok()??);
    let mut ack = Node::new("ack").attr("class", stanza.tag()).attr("id", id).attr("to", from);
    for key in ["participant", "recipient"] {
        if let Ok(Some(jid)) = stanza.optional(key).jid() {
            ack.set_attr(key, jid);
        }
    }
    let is_identity_change = stanza.attr_is("type", "encrypt") && stanza.optional_child("identity").is_some();
    if !is_identity_change && let Ok(Some(kind)) = stanza.optional("type").string() {
        ack.set_attr("type", kind);
    }
    Some(ack.maybe_attr("error", error.map(|error| (error as u16).to_string())))
}

#[cfg(test)]
mod tests {
    use wa_binary::Jid;

    use super::*;

    #[test]
    fn an_ack_copies_what_the_server_needs_to_route_it() {
        let group: Jid = "1203630@g.us".parse().unwrap();
        let person: Jid = "15550100:3@s.whatsapp.net".parse().unwrap();
        let stanza = Node::new("notification")
            .attr("id", "A")
            .attr("from", group)
            .attr("participant", person)
            .attr("type", "w:gp2");
        let expected = r#"<ack class="notification" id="A" to="1203630@g.us" participant="15550100:3@s.whatsapp.net" type="w:gp2"/>"#;
        assert_eq!(ack(&stanza, None).unwrap().to_string(), expected);
        assert!(ack(&stanza, Some(Nack::UnknownStanza)).unwrap().attr_is("error", "488"));
        assert!(ack(&Node::new("call").attr("id", "A"), None).is_none());
    }

    #[test]
    fn an_identity_change_is_acked_without_its_type() {
        let from: Jid = "15550100@s.whatsapp.net".parse().unwrap();
        let stanza = Node::new("notification").attr("id", "C").attr("from", from).attr("type", "encrypt");
        assert!(ack(&stanza, None).unwrap().has_attr("type"));
        assert!(!ack(&stanza.child(Node::new("identity")), None).unwrap().has_attr("type"));
    }
}
