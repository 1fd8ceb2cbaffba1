//! Privacy tokens: what lets this phone write to people who shut strangers out (chapter 04 §20, chapter 10 §8).

use std::collections::BTreeMap;

use bytes::Bytes;
use wa_binary::{Jid, Node};
use wa_core::tokens::privacy::{Buckets, cs_token, cs_token_node, takes_token, tc_token_node};

use super::{Network, Now, Phone};

/// Tokens by user, as chats are kept.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Tokens {
    /// What they gave: bytes and when.
    received: BTreeMap<Jid, (Bytes, u64)>,
    /// When this phone last gave one.
    issued: BTreeMap<Jid, u64>,
}

/// A week each, four of them.
fn buckets() -> Buckets {
    Buckets::new(604_800, 4)
}

impl Phone {
    /// Adds the token that the receiver gave, or the proof from the own salt; gives the request that issues the own token
    /// when one is due.
    pub(super) fn attach_token(&mut self, stanza: &mut Node, to: &Jid, now: Now) -> Option<Node> {
        let own = [Some(self.pn.clone()), self.lid.clone()];
        let own: Vec<Jid> = own.into_iter().flatten().collect();
        if !takes_token(to, &own) {
            return None;
        }
        let received = self.tokens.received.get(to);
        match received.filter(|(_, t)| !buckets().is_expired(Some(*t), now.seconds())) {
            Some((token, _)) => stanza.push(tc_token_node(token)),
            None if to.is_lid() => stanza.push(cs_token_node(&cs_token(&self.nct_salt, to))),
            None => {}
        }
        if !buckets().is_issue_due(self.tokens.issued.get(to).copied(), now.seconds()) {
            return None;
        }
        self.tokens.issued.insert(to.clone(), now.seconds());
        let token = Node::new("token")
            .attr("jid", to)
            .attr("t", now.seconds().to_string())
            .attr("type", "trusted_contact");
        Some(
            Node::new("iq")
                .attr("id", self.stanza_id())
                .attr("to", Jid::SERVER)
                .attr("type", "set")
                .attr("xmlns", "privacy")
                .child(Node::new("tokens").child(token)),
        )
    }

    /// `privacy_token` notifications: older ones do not replace newer ones.
    pub(super) fn take_tokens(&mut self, stanza: &Node, from: &Jid, network: &mut dyn Network) {
        let from = match stanza.optional("sender_lid").jid() {
            Ok(Some(lid)) => lid.user_jid(),
            _ => self.chat_key(from, network),
        };
        for token in stanza.optional_child("tokens").into_iter().flat_map(|tokens| tokens.each("token")) {
            let (Ok(t), Some(bytes)) = (token.required("t").u64(), token.optional_bytes()) else { continue };
            if !token.attr_is("type", "trusted_contact") || bytes.is_empty() {
                continue;
            }
            let known = self.tokens.received.get(&from).map_or(0, |(_, t)| *t);
            if t >= known {
                self.tokens.received.insert(from.clone(), (Bytes::copy_from_slice(&bytes), t));
            }
        }
    }
}
