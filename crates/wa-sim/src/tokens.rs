//! Privacy tokens, and what a restricted account lets in (chapters 09a §12, 10 §8).

use bytes::Bytes;
use rand_core::Rng as _;
use wa_binary::{Family, Node};
use wa_core::tokens::privacy::{Buckets, cs_token};

use crate::iq::{Answer, Request};
use crate::stanza::{Read, el, notification};
use crate::world::{AccountId, Token, World};

/// Proofs that a message carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proofs {
    pub(crate) tctoken: Option<Bytes>,
    pub(crate) cstoken: Option<Bytes>,
}

impl Proofs {
    pub(crate) fn of(message: &Node) -> Self {
        let proof = |tag| message.kid(tag).and_then(Read::body).cloned();
        Self { tctoken: proof("tctoken"), cstoken: proof("cstoken") }
    }
}

impl World {
    /// Issues tokens to the accounts named, and tells all their devices.
    pub(crate) fn issue_tokens(&mut self, request: &Request<'_>, tokens: &Node) -> Answer {
        let own = request.from.account;
        let mut issued = Vec::new();
        for token in tokens.kids_of("token") {
            let Some(target) = token.jid_of("jid").and_then(|jid| self.find(&jid)) else { continue };
            if !token.attr_is("type", "trusted_contact") {
                continue;
            }
            let t = token.number_of("t").unwrap_or_else(|| self.now_s());
            let mut bytes = vec![0; 16];
            self.streams.tokens.fill_bytes(&mut bytes);
            let token = Token { bytes: bytes.into(), t };
            self.account_mut(own).issued.insert(target, token.clone());
            issued.push((target, token));
        }
        Answer::empty().after(move |world| {
            for (target, token) in issued {
                world.pass_token_on(own, target, &token);
            }
        })
    }

    fn pass_token_on(&mut self, issuer: AccountId, target: AccountId, token: &Token) {
        let account = self.account(issuer);
        let from = account.jid(Family::Pn);
        let lid = account.lid.map(|_| account.jid(Family::Lid));
        let child = el("token").attr("type", "trusted_contact").attr("t", token.t).bytes(token.bytes.clone());
        let tokens = el("tokens").child(child);
        self.notify(target, None, |world, id| {
            notification("privacy_token", &from, id, world.now_s())
                .maybe_attr("sender_lid", lid.clone())
                .child(tokens.clone())
        });
    }

    /// Whether `token` is one that `receiver` issued to `sender` and that has not expired.
    pub(crate) fn token_is_valid(
        &self,
        receiver: AccountId,
        sender: AccountId,
        token: Option<Bytes>,
    ) -> bool {
        let Some(token) = token else { return false };
        let fits = |issued: &&Token| wa_crypto::ct_eq(&issued.bytes, &token);
        self.account(receiver)
            .issued
            .get(&sender)
            .filter(fits)
            .is_some_and(|issued| !Buckets::new(604_800, 4).is_expired(Some(issued.t), self.now_s()))
    }

    /// Whether a token opens what a restricted account keeps from strangers besides messages: its presence and picture.
    pub(crate) fn token_opens(&self, receiver: AccountId, sender: AccountId, token: Option<Bytes>) -> bool {
        let switches = &self.account(receiver).switches;
        receiver == sender
            || !switches.restricted
            || switches.tc_enabled && self.token_is_valid(receiver, sender, token)
    }

    /// Whether a restricted receiver lets the sender in.
    pub(crate) fn lets_in(&self, receiver: AccountId, sender: AccountId, proofs: &Proofs) -> bool {
        let account = self.account(receiver);
        if !account.switches.restricted || receiver == sender {
            return true;
        }
        if account.switches.tc_enabled && self.token_is_valid(receiver, sender, proofs.tctoken.clone()) {
            return true;
        }
        let expected = cs_token(&self.account(sender).nct_salt, &account.jid(Family::Lid));
        account.switches.cs_enabled
            && proofs.cstoken.as_ref().is_some_and(|token| wa_crypto::ct_eq(token, &expected))
    }
}
