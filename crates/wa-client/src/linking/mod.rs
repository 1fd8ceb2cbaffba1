//! Becoming a linked device: the QR codes, what the phone's answer must prove, and what is stored (chapter 02 §3).

pub mod qr;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wa_binary::{Jid, Node, NodeRef};
use wa_core::adv::{self, AdvError};
use wa_core::login::{PlatformId, QrCode};
use wa_crypto::Secret;
use wa_crypto::curve::PublicKey;
use wa_store::{Address, Bytes, Changes, MappingSource, Registration, UnixTime, tables};

use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::credentials::from_row;
use crate::events::{Kind, Slot, StoredEvent};
use crate::health::{Cause, Condition, DeadlineKind, Status};
use crate::identity::{Peer, user_row};
use crate::shared::Shared;
use qr::LinkingQr;

/// How long the first code of an offer is shown.
const FIRST_CODE: Duration = Duration::from_secs(60);
/// How long each later one is.
const LATER_CODE: Duration = Duration::from_secs(20);
/// How long the server may take to ask for the new connection after a link.
const RESTART: Duration = Duration::from_secs(10);

/// What is known of an account before it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Who would be linked.
    pub account: Peer,
    /// Platform of the phone, as the server names it.
    pub platform: String,
    /// Business name, if it is one.
    pub business_name: Option<String>,
}

/// The application's check of an account before it is linked: the right number?
#[async_trait]
pub trait LinkCheck: Send + Sync {
    /// Whether the account may be linked. A refusal is told to the phone.
    async fn accepts(&self, candidate: &Candidate) -> bool;
}

/// The server offers refs: answers, then shows one code after another.
pub(crate) fn offer(shared: &Arc<Shared>, link: &Link, stanza: &Node, offer: NodeRef<'_>) {
    let Ok(Some(id)) = stanza.optional("id").string() else { return };
    let reply = Node::new("iq").attr("to", Jid::SERVER).attr("type", "result").attr("id", id);
    if link.send(&reply).is_err() || shared.device().registration.is_some() {
        return;
    }
    let refs: Vec<String> = offer
        .each("ref")
        .filter_map(|one| one.required_text().ok())
        .map(std::borrow::Cow::into_owned)
        .collect();
    tokio::spawn(show(Arc::clone(shared), link.clone(), refs));
}

async fn show(shared: Arc<Shared>, link: Link, refs: Vec<String>) {
    if refs.is_empty() {
        tracing::warn!("the server offered no QR refs");
    }
    for (index, reference) in refs.iter().enumerate() {
        let span = if index == 0 { FIRST_CODE } else { LATER_CODE };
        let now = shared.now();
        let until = now.after(span);
        // Built when it is shown: the ADV secret may have been made anew meanwhile.
        show_code(&shared, reference, now, until);
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            () = until_over(&shared, &link) => return,
        }
    }
    link.end(Ended::QrExpired);
}

fn show_code(shared: &Shared, reference: &str, now: UnixTime, until: UnixTime) {
    let device = shared.device();
    let text = QrCode {
        reference: reference.to_owned(),
        noise_key: PublicKey::from_bytes(device.noise_key.public),
        identity_key: PublicKey::from_bytes(device.identity_key.public),
        adv_secret: device.adv_secret.clone(),
        platform: PlatformId::of(shared.config.device.platform),
    };
    shared.transients.put(Slot::Qr, Kind::LinkingQr(LinkingQr::new(text, until)));
    let status = Status::WaitingForQr { left: until.since(now) };
    shared.report(|board| {
        board.connection(Condition::new(status, Cause::NotLinked, now).deadline(until));
        board.deadline(DeadlineKind::LinkOfferEnds, Some(until));
    });
}

/// Until the connection has ended or the account is linked.
async fn until_over(shared: &Shared, link: &Link) {
    let mut links = shared.links();
    let over = |current: &Option<Link>| {
        current.as_ref().is_none_or(|current| current.generation() != link.generation())
            || shared.device().registration.is_some()
    };
    // The sender lives as long as the client.
    let _ = links.wait_for(over).await;
}

/// What `pair-success` says.
struct PairSuccess {
    id: String,
    pn: Jid,
    lid: Option<Jid>,
    container: Vec<u8>,
    platform: String,
    business_name: Option<String>,
}

impl PairSuccess {
    fn parse(stanza: &Node, success: NodeRef<'_>) -> Result<Self, wa_binary::FieldError> {
        let device = success.required_child("device")?;
        let name = |tag: &str| {
            let child = success.optional_child(tag)?;
            Some(child.optional("name").string().ok()??.into())
        };
        Ok(Self {
            id: stanza.required("id").string()?.into(),
            pn: device.required("jid").jid()?,
            lid: device.optional("lid").jid()?,
            container: success.required_child("device-identity")?.required_bytes()?.into_owned(),
            platform: name("platform").unwrap_or_default(),
            business_name: name("biz"),
        })
    }
}

/// Why a link was not completed.
enum Refusal {
    Adv(AdvError),
    Vetoed,
}

/// The phone has answered: checks, asks the application, stores, and only then tells the server.
pub(crate) async fn accept(
    shared: &Arc<Shared>,
    link: &Link,
    stanza: &Node,
    success: NodeRef<'_>,
) -> Option<Ended> {
    if shared.device().registration.is_some() {
        return None;
    }
    if let Ok(Some(seconds)) = stanza.optional("t").u64() {
        shared.learn_time(seconds);
    }
    let Ok(success) = PairSuccess::parse(stanza, success) else {
        return Some(Ended::LinkRefused("pair-success cannot be read".to_owned()));
    };
    let condition = Condition::new(Status::Linking, Cause::LinkingInProgress, shared.now());
    shared.report(|board| board.connection(condition));
    match complete(shared, link, &success).await {
        Ok(None) => {
            let link = link.clone();
            tokio::spawn(async move {
                tokio::time::sleep(RESTART).await;
                link.end(Ended::Reconnect);
            });
            None
        }
        Ok(Some(ended)) => Some(ended),
        Err(refusal) => {
            let ((code, text), why) = match &refusal {
                Refusal::Adv(error) => (error.reply(), error.to_string()),
                Refusal::Vetoed => ((500, "internal-error"), "refused by the application".to_owned()),
            };
            let error = Node::new("error").attr("code", code.to_string()).attr("text", text);
            let reply = Node::new("iq")
                .attr("to", Jid::SERVER)
                .attr("type", "error")
                .attr("id", success.id.as_str())
                .child(error);
            let _ = link.send(&reply);
            Some(Ended::LinkRefused(why))
        }
    }
}

async fn complete(
    shared: &Arc<Shared>,
    link: &Link,
    success: &PairSuccess,
) -> Result<Option<Ended>, Refusal> {
    let mut vault = shared.vault.lock().await;
    let mut device = (*shared.device()).clone();
    let identity = from_row(&device.identity_key);
    let accepted =
        adv::accept_link(&success.container, &device.adv_secret, identity.public()).map_err(Refusal::Adv)?;
    let me = Peer::of(&success.pn, success.lid.as_ref());
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
    let key_index = accepted.details().key_index;
    let phone = Bytes::copy_from_slice(accepted.account_key().as_bytes());
    let signed = accepted.sign(&identity, &mut shared.rng());

    let now = shared.now();
    let before = crate::state::last_linked(&shared.store).await;
    device.registration = Some(Registration {
        pn: Address::new(user_row(&success.pn), success.pn.device()),
        lid: success.lid.as_ref().map(user_row),
        device_identity: signed.encode(),
        key_index,
        platform: success.platform.as_str().into(),
        business_name: success.business_name.as_deref().map(Into::into),
        lid_migrated: success.lid.is_some(),
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
    shared.event_row(&mut changes, &StoredEvent::Linked(me.clone()));
    let mut events = 1;
    if let Some(before) = before.filter(|before| before.pn != me.pn) {
        let event = StoredEvent::AccountChanged { before, now: me };
        shared.event_row(&mut changes, &event);
        events += 1;
    }
    let reply =
        Node::new("iq").attr("to", Jid::SERVER).attr("type", "result").attr("id", success.id.as_str()).child(
            Node::new("pair-device-sign").child(
                Node::new("device-identity")
                    .attr("key-index", key_index.to_string())
                    .bytes(signed.encode_without_account_key()),
            ),
        );
    let committed = match vault.commit(shared, changes.holding(reply)).await {
        Ok(committed) => committed,
        Err(ended) => return Ok(Some(ended)),
    };
    shared.set_device(device);
    shared.inbox_grew(events);
    // A reply that is lost with its connection ends in a failure 401 and a new link.
    let _ = link.send(&committed.release());
    let _ = link.send(&crate::startup::unified_session(shared));
    Ok(None)
}

/// The server asks for a new ADV secret (chapter 02 §3.5).
pub(crate) async fn refresh(shared: &Arc<Shared>, stanza: &Node) -> Result<(), Ended> {
    let asked =
        stanza.optional_child("companion_reg_refresh").or(stanza.optional_child("pair-device-rotate-qr"));
    if asked.is_none() || shared.device().registration.is_some() {
        return Ok(());
    }
    let secret = Secret::random(&mut shared.rng());
    crate::vault::change_device(shared, |device, _| device.adv_secret = secret).await
}
