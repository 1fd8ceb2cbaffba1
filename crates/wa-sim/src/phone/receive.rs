//! What arrives for device 0: messages, receipts, notifications, and the answer that each is owed (chapter 04 §13,
//! chapter 05 §7, §10).

use bytes::Bytes;
use wa_binary::{Jid, Node};
use wa_core::envelope::padding;
use wa_signal::ErrorClass;

use super::sessions::Unopened;
use super::{Network, Now, Phone, PhoneEvent, Turn};

/// What a message stanza says around its ciphertexts.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) from: Jid,
    /// The sending device.
    pub(super) sender: Jid,
    /// Its Signal address.
    pub(super) address: Jid,
    pub(super) participant: Option<Jid>,
    pub(super) recipient: Option<Jid>,
    /// Sent by another device of this account.
    pub(super) from_me: bool,
    pub(super) peer: bool,
    pub(super) push_name: Option<String>,
    /// Seconds.
    pub(super) timestamp: u64,
}

impl Phone {
    /// Takes what arrived for device 0 and gives what the phone answers.
    pub fn receive(&mut self, stanza: &Node, network: &mut dyn Network, now: Now) -> Turn {
        match stanza.tag() {
            "message" => self.receive_message(stanza, network, now),
            "receipt" => self.receive_receipt(stanza, network, now),
            "notification" => self.receive_notification(stanza, network),
            "call" => Turn { stanzas: ack(stanza, None).into_iter().collect(), ..Turn::default() },
            "chatstate" => receive_chatstate(stanza),
            "ack" => receive_ack(stanza),
            // Results of the phone's own requests, presence and directives need no answer.
            _ => Turn::default(),
        }
    }

    fn receive_message(&mut self, stanza: &Node, network: &mut dyn Network, now: Now) -> Turn {
        let Some(envelope) = self.envelope(stanza, network, now) else {
            let stanzas = ack(stanza, Some("487")).into_iter().collect();
            return Turn { stanzas, ..Turn::default() };
        };
        let mut turn = Turn::default();
        let device_identity = super::child_bytes(stanza, "device-identity");
        let mut encs: Vec<_> = stanza.each("enc").collect();
        // A sender key that comes in a pairwise message is needed for the group message beside it.
        encs.sort_by_key(|enc| enc.attr_is("type", "skmsg"));
        if encs.is_empty() {
            let error = stanza.optional_child("unavailable").is_none().then_some("488");
            turn.stanzas.extend(ack(stanza, error));
            return turn;
        }
        let mut failure = None;
        for enc in encs {
            let kind = enc.required("type").string().unwrap_or_default();
            let bytes = enc.optional_bytes().unwrap_or_default();
            let opened = match kind.as_str() {
                "msg" => self.open_message(&envelope.address, &bytes),
                "pkmsg" => {
                    let vouched = device_identity.as_deref();
                    self.open_pre_key_message(&envelope.address, &bytes, vouched, &mut turn.events)
                }
                "skmsg" => self.open_group_message(&envelope.from, &envelope.address, &bytes),
                _ => continue,
            };
            match opened {
                Ok(padded) => {
                    let Ok(text) = padding::unpad(&padded) else {
                        let what = "wrong padding".to_owned();
                        let device = envelope.sender.clone();
                        turn.events.push(PhoneEvent::Violation { device, what });
                        turn.stanzas.extend(ack(stanza, Some("491")));
                        return turn;
                    };
                    let text = Bytes::copy_from_slice(text);
                    match self.take_content(&envelope, &text, network, now) {
                        Some(content) => turn.append(content),
                        None => {
                            turn.stanzas.extend(ack(stanza, Some("491")));
                            return turn;
                        }
                    }
                }
                Err(Unopened::Signal(error)) if error.class() == ErrorClass::Duplicate => {
                    let (id, sender) = (envelope.id.clone(), envelope.sender.clone());
                    turn.events.push(PhoneEvent::Duplicate { id, sender });
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        match failure {
            None => {
                self.retries.settled(&envelope.id, &envelope.address);
                turn.stanzas.insert(0, self.delivery_receipt(&envelope));
            }
            Some(error) => {
                let receipt = self.retry_receipt(stanza, &envelope.address, &error);
                turn.events.push(PhoneEvent::Undecryptable {
                    id: envelope.id.clone(),
                    sender: envelope.sender.clone(),
                    reason: error.to_string(),
                    retry: receipt.as_ref().map(|(_, count)| *count),
                });
                turn.stanzas.extend(receipt.map(|(receipt, _)| receipt));
                turn.stanzas.extend(ack(stanza, None));
            }
        }
        turn
    }

    fn envelope(&mut self, stanza: &Node, network: &mut dyn Network, now: Now) -> Option<Envelope> {
        let id = stanza.required("id").string().ok().filter(|id| !id.is_empty())?.to_string();
        let from = stanza.required("from").jid().ok()?;
        let jid = |key| stanza.optional(key).jid().ok().flatten();
        let participant = jid("participant");
        let sender = match from.is_group() || from.is_status() || from.is_broadcast_list() {
            true => participant.clone()?,
            false => from.clone(),
        };
        for (of, key) in [
            (&sender, "sender_pn"),
            (&sender, "sender_lid"),
            (&sender, "participant_pn"),
            (&sender, "participant_lid"),
        ] {
            if let Some(other) = jid(key) {
                self.peers.learn(of, &other);
            }
        }
        let address = self.address(&sender, network);
        Some(Envelope {
            from_me: self.is_own(&sender),
            peer: stanza.attr_is("category", "peer"),
            push_name: stanza.optional("notify").string().ok().flatten().map(Into::into),
            timestamp: stanza.optional("t").u64().ok().flatten().unwrap_or_else(|| now.seconds()),
            recipient: jid("recipient"),
            participant,
            address,
            sender,
            from,
            id,
        })
    }

    /// Chapter 05 §10.1.
    fn delivery_receipt(&self, envelope: &Envelope) -> Node {
        let receipt = Node::new("receipt").attr("id", &envelope.id).attr("to", &envelope.from);
        if envelope.peer {
            return receipt.attr("type", "peer_msg");
        }
        let receipt = receipt.maybe_attr("participant", envelope.participant.as_ref());
        match (envelope.from_me, &envelope.recipient) {
            (true, Some(recipient)) => receipt.attr("type", "sender").attr("recipient", recipient.user_jid()),
            (true, None) => receipt.attr("type", "sender"),
            (false, _) => receipt,
        }
    }

    fn receive_receipt(&mut self, stanza: &Node, network: &mut dyn Network, now: Now) -> Turn {
        let mut turn = Turn { stanzas: ack(stanza, None).into_iter().collect(), ..Turn::default() };
        let kind = stanza.optional("type").string().ok().flatten().unwrap_or_else(|| "delivery".into());
        let Ok(from) = stanza.required("from").jid() else { return turn };
        let mut ids: Vec<String> = stanza.required("id").string().ok().map(Into::into).into_iter().collect();
        let listed = stanza.optional_child("list").into_iter().flat_map(|list| list.each("item"));
        ids.extend(listed.filter_map(|item| item.required("id").string().ok().map(String::from)));
        match kind.as_str() {
            "retry" => turn.append(self.answer_retry(stanza, network, now)),
            "hist_sync" => self.history_taken(&ids),
            "server-error" if stanza.optional_child("rmr").is_some() => {
                turn.append(self.answer_media_retry(stanza, network, now));
            }
            "server-error" => turn.append(self.history_again(stanza, network, now)),
            _ => {}
        }
        let participant = stanza.optional("participant").jid().ok().flatten();
        turn.events.push(PhoneEvent::Receipt { ids, from, participant, kind: kind.into() });
        turn
    }

    fn receive_notification(&mut self, stanza: &Node, network: &mut dyn Network) -> Turn {
        let mut turn = Turn { stanzas: ack(stanza, None).into_iter().collect(), ..Turn::default() };
        let from = stanza.optional("from").jid().ok().flatten().unwrap_or(Jid::SERVER);
        let kind = stanza.optional("type").string().ok().flatten().unwrap_or_default();
        match kind.as_str() {
            "encrypt" if stanza.optional_child("count").is_some() => {
                let size = self.keys.upload_size;
                let upload = self.upload(size);
                let id = self.stanza_id();
                turn.stanzas.push(upload.request(&id));
            }
            "encrypt" if stanza.optional_child("identity").is_some() && !self.is_own(&from) => {
                self.identity_changed(&from, network);
                turn.events.push(PhoneEvent::IdentityChanged { user: from });
            }
            "privacy_token" => self.take_tokens(stanza, &from, network),
            "w:gp2" => {
                let gone = ["remove", "leave"].into_iter().filter_map(|tag| stanza.optional_child(tag));
                let users: Vec<Jid> = gone
                    .flat_map(|change| change.each("participant"))
                    .filter_map(|participant| participant.required("jid").jid().ok())
                    .collect();
                for user in users {
                    let user = self.chat_key(&user, network);
                    self.peers.drop_member(&from, &user);
                }
            }
            _ => {}
        }
        turn
    }
}

fn receive_chatstate(stanza: &Node) -> Turn {
    let chat = stanza.required("from").jid();
    let state = stanza.each_child().next().map(|state| state.tag().to_owned());
    match (chat, state) {
        (Ok(chat), Some(state)) => {
            Turn { events: vec![PhoneEvent::Typing { chat, state }], ..Turn::default() }
        }
        _ => Turn::default(),
    }
}

fn receive_ack(stanza: &Node) -> Turn {
    let code = stanza.optional("error").u32().ok().flatten().filter(|code| *code != 0);
    let id = stanza.required("id").string();
    match (id, code) {
        (Ok(id), Some(code)) => {
            Turn { events: vec![PhoneEvent::Refused { id: id.into(), code }], ..Turn::default() }
        }
        _ => Turn::default(),
    }
}

/// Chapter 05 §7.4: class is the tag, the address parts and the type are echoed.
fn ack(stanza: &Node, error: Option<&str>) -> Option<Node> {
    let jid = |key| stanza.optional(key).jid().ok().flatten();
    let id = stanza.required("id").string().ok()?;
    Some(
        Node::new("ack")
            .attr("class", stanza.tag())
            .attr("id", id)
            .attr("to", jid("from")?)
            .maybe_attr("participant", jid("participant"))
            .maybe_attr("recipient", jid("recipient"))
            .maybe_attr("type", stanza.optional("type").string().ok().flatten())
            .maybe_attr("error", error),
    )
}
