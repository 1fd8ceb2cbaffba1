//! The phone has accepted: what its answer must prove, the application's veto, and what is stored (chapter 02 §3.4).

use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use wa_binary::{Jid, Node, NodeRef};
use wa_core::adv::{self, AcceptedLink, AdvError};
use wa_proto::companion_reg::ClientPairingProps;
use wa_store::{Address, Bytes, Changes, MappingSource, Registration, tables};

use super::room::{problem, report};
use super::types::{Candidate, LinkProblem};
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::credentials::from_row;
use crate::events::StoredEvent;
use crate::identity::{Peer, user_row};
use crate::shared::Shared;

/// How long the server may take to ask for the new connection after a link.
const RESTART: Duration = Duration::from_secs(10);

/// What `pair-success` says.
struct PairSuccess {
    id: String,
    pn: Jid,
    lid: Option<Jid>,
    container: Vec<u8>,
    platform: String,
    business_name: Option<String>,
    /// Whether the account's chats are keyed by LID; `None` when the phone does not say.
    lid_migrated: Option<bool>,
}

impl PairSuccess {
    fn parse(stanza: &Node, success: NodeRef<'_>) -> Result<Self, wa_binary::FieldError> {
        let device = success.required_child("device")?;
        let name = |tag: &str| {
            let child = success.optional_child(tag)?;
            Some(child.optional("name").string().ok()??.into())
        };
        // A broken one counts as absent.
        let props = success
            .optional_child("client-props")
            .and_then(|node| ClientPairingProps::decode(&*node.optional_bytes()?).ok());
        Ok(Self {
            id: stanza.required("id").string()?.into(),
            pn: device.required("jid").jid()?,
            lid: device.optional("lid").jid()?,
            container: success.required_child("device-identity")?.required_bytes()?.into_owned(),
            platform: name("platform").unwrap_or_default(),
            business_name: name("biz"),
            lid_migrated: props.and_then(|props| props.is_chat_db_lid_migrated),
        })
    }
}

/// Why a link was not completed.
enum Refusal {
    Adv(AdvError),
    Vetoed,
    Unstored(Ended),
}

/// The phone has answered: checks, asks the application, stores, and only then tells the server.
pub(crate) async fn accept(
    shared: &Arc<Shared>,
    link: &Link,
    stanza: &Node,
    success: NodeRef<'_>,
) -> Option<Ended> {
    if shared.device().registration.is_some() || !shared.linking.with(super::machine::Machine::complete) {
        return None;
    }
    if let Ok(Some(seconds)) = stanza.optional("t").u64() {
        shared.learn_time(seconds);
    }
    report(shared);
    let id = stanza.optional("id").string().ok().flatten().unwrap_or_default();
    let (code, text, why) = match PairSuccess::parse(stanza, success) {
        Err(error) => (500, "internal-error", format!("pair-success cannot be read: {error}")),
        Ok(success) => match complete(shared, link, &success).await {
            Ok(()) => {
                shared.linking.set_completed();
                let link = link.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(RESTART).await;
                    link.end(Ended::Reconnect);
                });
                return None;
            }
            Err(Refusal::Unstored(ended)) => return Some(ended),
            Err(Refusal::Adv(error)) => {
                let (code, text) = error.reply();
                (code, text, error.to_string())
            }
            Err(Refusal::Vetoed) => (500, "internal-error", "refused by the application".to_owned()),
        },
    };
    let error = Node::new("error").attr("code", code.to_string()).attr("text", text);
    let reply = Node::new("iq").attr("to", Jid::SERVER).attr("type", "error").attr("id", id).child(error);
    // The refusal counts whether the server hears of it or not.
    let _ = link.send(&reply);
    problem(shared, LinkProblem::Refused(why.clone()));
    Some(Ended::LinkRefused(why))
}

async fn complete(shared: &Arc<Shared>, link: &Link, success: &PairSuccess) -> Result<(), Refusal> {
    let device = shared.device();
    let identity = from_row(&device.identity_key);
    let accepted =
        adv::accept_link(&success.container, &device.adv_secret, identity.public()).map_err(Refusal::Adv)?;
    let me = Peer::of(&success.pn, success.lid.as_ref());
    // Asked outside of the vault: a person may have to answer.
    if let Some(check) = &shared.config.link_check {
        let candidate = Candidate {
            account: me.clone(),
            platform: success.platform.clone(),
            business_name: success.business_name.clone(),
        };
        if !check.accepts(&candidate).await {
            return Err(Refusal::Vetoed);
        }
    }
    store(shared, link, success, accepted, me).await.map_err(Refusal::Unstored)
}

/// Everything that a link brings, in one commit; then the reply leaves.
async fn store(
    shared: &Arc<Shared>,
    link: &Link,
    success: &PairSuccess,
    accepted: AcceptedLink,
    me: Peer,
) -> Result<(), Ended> {
    let mut vault = shared.vault.lock().await;
    let mut device = (*shared.device()).clone();
    let key_index = accepted.details().key_index;
    let phone = Bytes::copy_from_slice(accepted.account_key().as_bytes());
    let signed = accepted.sign(&from_row(&device.identity_key), &mut shared.rng());

    let now = shared.now();
    let before = crate::state::last_linked(&shared.store).await;
    device.registration = Some(Registration {
        pn: Address::new(user_row(&success.pn), success.pn.device()),
        lid: success.lid.as_ref().map(user_row),
        device_identity: signed.encode(),
        key_index,
        platform: success.platform.as_str().into(),
        business_name: success.business_name.as_deref().map(Into::into),
        lid_migrated: success.lid_migrated.unwrap_or(success.lid.is_some()),
        linked_at: now,
    });
    device.server_has_prekeys = false;
    device.login_counter = 0;
    if device.push_name.is_empty() {
        device.push_name = success.business_name.as_deref().unwrap_or_default().into();
    }

    let mut changes = Changes::new();
    changes.put(tables::Devices, &(), &device);
    if let Some(lid) = &success.lid {
        changes.link_lid(&user_row(lid), &user_row(&success.pn), MappingSource::Own, now);
    }
    let own_phone = Address::new(user_row(success.lid.as_ref().unwrap_or(&success.pn)), 0);
    changes.put(tables::Identities, &own_phone, &phone);
    crate::state::put_last_linked(&mut changes, &me);
    let mut events = vec![StoredEvent::Linked(me.clone())];
    if let Some(before) = before.filter(|before| before.pn != me.pn) {
        events.push(StoredEvent::AccountChanged { before, now: me });
    }
    let events = shared.event_row(&mut changes, events);
    let identity = Node::new("device-identity")
        .attr("key-index", key_index.to_string())
        .bytes(signed.encode_without_account_key());
    let reply = Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("type", "result")
        .attr("id", success.id.as_str())
        .child(Node::new("pair-device-sign").child(identity));
    kill_point!(shared, LinkChecked);
    let committed = vault.commit(shared, changes.holding(reply)).await?;
    kill_point!(shared, LinkStored);
    shared.set_device(device);
    crate::absence::phone_seen(shared);
    shared.inbox_came(vec![events]);
    // A reply that is lost with its connection ends in a failure 401 and a new link.
    let _ = link.send(&committed.release());
    let _ = link.send(&crate::startup::unified_session(shared));
    kill_point!(shared, LinkAnswered);
    Ok(())
}
