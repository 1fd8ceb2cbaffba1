//! From a queued message to the bytes of its stanza: whom it goes to, with which sessions, in one commit (chapters
//! 04 §12 and 05 §5).

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message as _;
use wa_binary::{Jid, Node};
use wa_core::envelope::{Classified, DecryptFail, StanzaType, classify, device_sent, padding, phash};
use wa_core::prekeys::{Bundle, FetchReason, Fetched, fetch_request, parse_fetch};
use wa_core::secrets::MessageSecret;
use wa_core::tokens::reporting;
use wa_proto::e2e_message as proto;
use wa_proto::view::{View as _, e2e_message::MessageView};
use wa_signal::{CiphertextKind, OwnSenderKey};
use wa_store::{
    Address, Bytes, Chat, DistributionMark, MarkState, OutboxOrder, OutboxRow, OutboxState, Sending,
    StoreError, tables,
};

use super::sending::{SealedFor, StoredOptions};
use crate::connection::link::{Link, RequestError, encode};
use crate::credentials::Own;
use crate::devices::{self, DevicesError};
use crate::groups::{self, Addressing};
use crate::identity::{address, chat_row};
use crate::shared::Shared;
use crate::status::{Recipients, StoredAudience};
use crate::vault::{Step, together};

/// Devices in one request for bundles.
const BUNDLES: usize = 50;

/// Why a message was not sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no device of the recipient can be encrypted for")]
    Unreachable,
    #[error("the stanza cannot be written")]
    Unwritable,
    #[error("the message was withdrawn")]
    Withdrawn,
    #[error("the lease is gone")]
    Ended,
}

impl From<DevicesError> for SealError {
    fn from(error: DevicesError) -> Self {
        match error {
            DevicesError::Request(error) => Self::Request(error),
            DevicesError::Store(error) => Self::Store(error),
            DevicesError::Ended => Self::Ended,
        }
    }
}

/// Where a message goes.
struct Plan {
    to: Jid,
    /// Own address in the family of `to`, with the device.
    own: Jid,
    way: Way,
    devices: Vec<Jid>,
    bundles: HashMap<Jid, Bundle>,
}

/// How it goes there.
enum Way {
    /// Encrypted for each device.
    Direct,
    /// Under our sender key of a group.
    Group(Addressing),
    /// Under our sender key of statuses, to these people.
    Status(Recipients),
    /// Encrypted for each device of the people of a broadcast list.
    List(Recipients),
}

impl Plan {
    /// People who get the message, besides this account.
    fn recipients(&self) -> u32 {
        let others = self.devices.iter().filter(|device| !device.same_user(&self.own));
        let users: std::collections::HashSet<Jid> = others.map(Jid::user_jid).collect();
        u32::try_from(users.len()).unwrap_or(u32::MAX)
    }
}

/// The attributes that a message gives its ciphertexts (chapter 05 §4).
pub(crate) fn classed(enc: Node, class: &Classified) -> Node {
    enc.maybe_attr("mediatype", class.media_type)
        .maybe_attr("decrypt-fail", (class.decrypt_fail == DecryptFail::Hide).then_some("hide"))
}

/// `<message>` with what its content gives it.
pub(crate) fn head(to: Jid, id: &str, class: &Classified) -> Node {
    Node::new("message")
        .attr("to", to)
        .attr("id", id)
        .attr("type", class.stanza_type.as_str())
        .maybe_attr("edit", class.edit.as_ref().map(wa_core::envelope::Edit::as_str))
}

/// Plans one message and has it encrypted and committed, together with others that wait.
pub(crate) async fn seal(
    shared: &Arc<Shared>,
    link: &Link,
    order: OutboxOrder,
    row: &OutboxRow,
) -> Result<OutboxRow, SealError> {
    let to: Jid = row.chat.as_str().parse().map_err(|_| SealError::Unreachable)?;
    let options = StoredOptions::decode(&row.options);
    let plan = if to.is_group() {
        plan_group(shared, link, to).await?
    } else if let Some(audience) = &options.audience {
        if to.is_status() {
            plan_status(shared, link, to, audience).await?
        } else {
            plan_list(shared, link, to, audience).await?
        }
    } else {
        plan_direct(shared, link, to).await?
    };
    let message = wa_proto::decode::<proto::Message>(&row.plaintext).map_err(|_| SealError::Unwritable)?;
    let class = classify(&message).map_err(|_| SealError::Unwritable)?;

    let wanted = Wanted { link: link.clone(), order, row: row.clone(), plan, message, class };
    together::seal(shared, wanted).await
}

/// A message that is planned and waits for its turn to be encrypted.
pub(crate) struct Wanted {
    link: Link,
    order: OutboxOrder,
    row: OutboxRow,
    plan: Plan,
    message: proto::Message,
    class: Classified,
}

impl Wanted {
    /// Whether it goes to many under a sender key.
    pub(crate) const fn is_for_many(&self) -> bool {
        matches!(self.plan.way, Way::Group(_) | Way::Status(_))
    }

    /// Bytes that sealing it writes, about.
    pub(crate) fn size(&self) -> usize {
        (self.row.plaintext.len() + 512) * (self.plan.devices.len() + 2)
    }
}

/// Reads at once what sealing these messages needs.
pub(crate) async fn prepare(
    step: &mut Step<'_>,
    all: impl Iterator<Item = &Wanted> + Clone,
) -> Result<(), StoreError> {
    let mut sessions = Vec::new();
    for wanted in all.filter(|wanted| !wanted.is_for_many()) {
        for device in &wanted.plan.devices {
            sessions.push(step.address_of(device).await?);
        }
    }
    sessions.sort_unstable();
    sessions.dedup();
    step.load_sessions(&sessions).await
}

/// Seals a message to a person in the step that takes it, if all that it needs is known and nothing of its chat waits to
/// be sealed; else the usual way is open to it.
pub(crate) async fn sealed_at_once(
    step: &mut Step<'_>,
    order: OutboxOrder,
    row: &OutboxRow,
) -> Option<OutboxRow> {
    let link = step.shared.sending_link()?;
    let to: Jid = row.chat.as_str().parse().ok()?;
    let options = StoredOptions::decode(&row.options);
    if !(to.is_pn() || to.is_lid()) || options.upload.is_some() || step.shared.workers.is_unsealed(&row.chat)
    {
        return None;
    }
    let plan = known_plan(step, to).await.ok()??;
    let message = wa_proto::decode::<proto::Message>(&row.plaintext).ok()?;
    let class = classify(&message).ok()?;
    let wanted = Wanted { link, order, row: row.clone(), plan, message, class };
    match encrypt_into(step, &wanted).await {
        Ok(sealed) => Some(sealed),
        Err(error) => {
            tracing::debug!(%error, "a message was not sealed at once");
            None
        }
    }
}

/// The plan of a message to a person, if nobody has to be asked for it.
async fn known_plan(step: &mut Step<'_>, to: Jid) -> Result<Option<Plan>, StoreError> {
    let device = Arc::clone(&step.device);
    let to = match to.is_pn() {
        true => step.lid_of(&crate::identity::user_row(&to)).await?.and_then(|lid| lid.as_str().parse().ok()),
        false => Some(to),
    };
    let own = to.as_ref().and_then(|to| if to.is_lid() { device.lid() } else { device.pn() });
    let Some((to, own)) = to.zip(own) else { return Ok(None) };
    let mut users = vec![to.clone()];
    if !to.same_user(&own) {
        users.push(own.user_jid());
    }
    let Some(mut devices) = devices::known(step.shared, &users).await? else { return Ok(None) };
    device.leave_out(&mut devices);
    let mut addresses = Vec::with_capacity(devices.len());
    for one in &devices {
        addresses.push(step.address_of(one).await?);
    }
    step.load_sessions(&addresses).await?;
    for at in &addresses {
        let session = step.session(at).await?;
        if !session.record.has_current() || session.sending == Sending::Discarded {
            return Ok(None);
        }
    }
    Ok(Some(Plan { to, own, way: Way::Direct, devices, bundles: HashMap::new() }))
}

/// Encrypts one message that lies in the outbox as part of a step.
pub(crate) async fn seal_into(step: &mut Step<'_>, wanted: &Wanted) -> Result<OutboxRow, SealError> {
    // What was withdrawn while the plan was made is not sent.
    if step.shared.store.one(tables::Outbox, &wanted.order).await?.is_none() {
        return Err(SealError::Withdrawn);
    }
    encrypt_into(step, wanted).await
}

async fn encrypt_into(step: &mut Step<'_>, wanted: &Wanted) -> Result<OutboxRow, SealError> {
    let Wanted { link, order, row, plan, message, class } = wanted;
    let shared = step.shared;
    let mut sealer = Sealer {
        step: &mut *step,
        plan,
        id: &row.id,
        class,
        shortfall: 0,
        any_pre_key: false,
        gives_key: false,
    };
    let (mut stanza, hash) = match &plan.way {
        Way::Direct => sealer.direct(message).await.map(|(stanza, hash)| (stanza, Some(hash)))?,
        Way::List(_) => sealer.list(message).await.map(|(stanza, hash)| (stanza, Some(hash)))?,
        Way::Group(_) | Way::Status(_) => sealer.group(&row.plaintext).await?,
    };
    let Sealer { mut shortfall, any_pre_key, gives_key, .. } = sealer;
    let mut meta = class.meta.node();
    if let Way::Status(recipients) = &plan.way
        && class.stanza_type != StanzaType::Reaction
        && class.edit.is_none()
    {
        let post = meta.get_or_insert_with(|| Node::new("meta"));
        post.set_attr("status_setting", recipients.setting());
    }
    if let Some(meta) = meta {
        stanza.push(meta);
    }
    if let Ok(view) = MessageView::parse(&row.plaintext) {
        step.keep_for_add_ons(&plan.to, &plan.own, &row.id, &view).await?;
    }
    if any_pre_key {
        let identity =
            step.device.registration.as_ref().map(|registration| registration.device_identity.clone());
        // Without it no recipient could verify us; nothing has been committed yet.
        stanza.push(Node::new("device-identity").bytes(identity.ok_or(SealError::Unwritable)?));
    }
    let secret = message.message_context_info.as_deref().and_then(|info| info.message_secret.as_deref());
    if let Some(Ok(secret)) = secret.map(MessageSecret::try_from)
        && let Some(report) =
            reporting::node(&row.plaintext, &secret, &row.id, &plan.own.user_jid(), &plan.to)
    {
        stanza.push(report);
    }
    if let Way::Direct = plan.way {
        let own = [plan.own.user_jid()];
        if let Some(token) = crate::privacy::node(shared, &plan.to, &own).await? {
            stanza.push(token);
        }
    }
    let mut options = StoredOptions::decode(&row.options);
    if let Way::Status(recipients) | Way::List(recipients) = &plan.way {
        shortfall = shortfall.saturating_add(recipients.unknown);
    }
    options.shortfall = shortfall;
    options.phash = hash;
    options.sealed = Some(SealedFor { to: plan.to.clone(), people: plan.recipients(), gives_key });
    if let Way::Status(recipients) | Way::List(recipients) = &plan.way {
        options.audience = Some(recipients.audience.clone());
    }
    let state = OutboxState::Sealed { stanza: encode(&stanza)?, at: shared.now() };
    let sealed = OutboxRow { options: options.encode(), state, ..row.clone() };
    step.changes.put(tables::Outbox, order, &sealed);
    if sabotaged!(shared, ReusedCounter) {
        link.send(&stanza)?;
        crate::sabotage::let_others_run().await;
    }
    Ok(sealed)
}

async fn plan_direct(shared: &Arc<Shared>, link: &Link, to: Jid) -> Result<Plan, SealError> {
    let to = match to.is_pn() {
        true => devices::lid_of(shared, link, &to).await?.unwrap_or(to),
        false => to,
    };
    let device = shared.device();
    // One family for everything: a mixture is refused by the server.
    let own = if to.is_lid() { device.lid() } else { device.pn() };
    let own = own.ok_or(SealError::Unreachable)?;
    let mut users = vec![to.clone()];
    if !to.same_user(&own) {
        users.push(own.user_jid());
    }
    let mut all = devices::of(shared, link, &users).await?;
    device.leave_out(&mut all);
    let bundles = fetch_missing(shared, link, &all).await?;
    Ok(Plan { to, own, way: Way::Direct, devices: all, bundles })
}

async fn plan_group(shared: &Arc<Shared>, link: &Link, to: Jid) -> Result<Plan, SealError> {
    let group = groups::of(shared, link, &to).await?;
    let device = shared.device();
    let own = match group.addressing {
        Addressing::Lid => device.lid(),
        Addressing::Pn => device.pn(),
    };
    let own = own.ok_or(SealError::Unreachable)?;
    let mut users: Vec<Jid> =
        group.participants.iter().map(|participant| participant.jid.user_jid()).collect();
    if !users.iter().any(|user| user.same_user(&own)) {
        users.push(own.user_jid());
    }
    let mut all = devices::of(shared, link, &users).await?;
    device.leave_out(&mut all);
    all.retain(|one| !one.is_hosted());
    let needing = without_key(shared, &to, &all).await?;
    let bundles = fetch_missing(shared, link, &needing).await?;
    Ok(Plan { to, own, way: Way::Group(group.addressing), devices: all, bundles })
}

async fn plan_status(
    shared: &Arc<Shared>,
    link: &Link,
    to: Jid,
    audience: &StoredAudience,
) -> Result<Plan, SealError> {
    let (own, recipients, mut all) = readers(shared, link, audience).await?;
    all.retain(|one| !one.is_hosted());
    let needing = without_key(shared, &to, &all).await?;
    let bundles = fetch_missing(shared, link, &needing).await?;
    Ok(Plan { to, own, way: Way::Status(recipients), devices: all, bundles })
}

async fn plan_list(
    shared: &Arc<Shared>,
    link: &Link,
    to: Jid,
    audience: &StoredAudience,
) -> Result<Plan, SealError> {
    let (own, recipients, all) = readers(shared, link, audience).await?;
    let bundles = fetch_missing(shared, link, &all).await?;
    Ok(Plan { to, own, way: Way::List(recipients), devices: all, bundles })
}

/// Who we are to an audience, who is in it, and all their and our other devices.
async fn readers(
    shared: &Arc<Shared>,
    link: &Link,
    audience: &StoredAudience,
) -> Result<(Jid, Recipients, Vec<Jid>), SealError> {
    let device = shared.device();
    let own = device.lid().or_else(|| device.pn()).ok_or(SealError::Unreachable)?;
    let recipients = crate::status::recipients(shared, link, audience, &own).await?;
    let mut users = recipients.people.clone();
    users.push(own.user_jid());
    let mut all = devices::of(shared, link, &users).await?;
    device.leave_out(&mut all);
    Ok((own, recipients, all))
}

/// The devices that do not have our current sender key of a chat.
async fn without_key(shared: &Arc<Shared>, group: &Jid, all: &[Jid]) -> Result<Vec<Jid>, StoreError> {
    let (_, marks) = marks(&mut Step::new(shared), group, all).await?;
    Ok(all.iter().zip(marks).filter(|(_, mark)| mark.is_none()).map(|(one, _)| one.clone()).collect())
}

/// Where it stands whether devices have our sender key of a chat, and what stands there.
async fn marks(
    step: &mut Step<'_>,
    group: &Jid,
    devices: &[Jid],
) -> Result<(Vec<(Chat, Address)>, Vec<Option<DistributionMark>>), StoreError> {
    let chat = chat_row(group);
    let mut places = Vec::with_capacity(devices.len());
    for one in devices {
        places.push((chat.clone(), step.address_of(one).await?));
    }
    let marks = step.shared.store.many(tables::DistributionMarks, &places).await?;
    Ok((places, marks))
}

/// Fetches bundles of the devices without a session.
pub(crate) async fn fetch_missing(
    shared: &Arc<Shared>,
    link: &Link,
    devices: &[Jid],
) -> Result<HashMap<Jid, Bundle>, SealError> {
    let mut missing = Vec::new();
    {
        let mut step = Step::new(shared);
        let mut addresses = Vec::with_capacity(devices.len());
        for device in devices {
            addresses.push(step.address_of(device).await?);
        }
        step.load_sessions(&addresses).await?;
        for (device, at) in devices.iter().zip(&addresses) {
            let session = step.session(at).await?;
            if !session.record.has_current() || session.sending == Sending::Discarded {
                missing.push(device.clone());
            }
        }
    }
    fetch(shared, link, &missing, FetchReason::NoSession).await
}

/// Fetches bundles and drops those whose device identity does not hold.
pub(crate) async fn fetch(
    shared: &Arc<Shared>,
    link: &Link,
    devices: &[Jid],
    reason: FetchReason,
) -> Result<HashMap<Jid, Bundle>, SealError> {
    let mut bundles = HashMap::new();
    for some in devices.chunks(BUNDLES) {
        let answer = match link.ask(|id| fetch_request(id, some, reason)).await {
            Ok(answer) => answer,
            // The whole list is stale: those devices are left out this time.
            Err(RequestError::Refused { code: 406, .. }) => {
                let _ = devices::forget(shared, some).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let Ok(fetched) = parse_fetch(answer.root()) else {
            return Err(
                RequestError::Refused { code: 0, text: "no bundles".to_owned(), backoff: None }.into()
            );
        };
        for (device, fetched) in fetched {
            match fetched {
                Fetched::Bundle(bundle)
                    if device.device() != 0 && bundle.check_device_identity(None).is_err() =>
                {
                    tracing::warn!("a bundle whose device identity does not hold was refused");
                }
                Fetched::Bundle(bundle) => {
                    bundles.insert(device, *bundle);
                }
                Fetched::Refused(404 | 406) => {
                    let _ = devices::forget(shared, &[device.user_jid()]).await;
                }
                Fetched::Refused(code) => tracing::warn!(code, "a device has no bundle"),
                Fetched::Malformed(error) => tracing::warn!(%error, "a bundle cannot be read"),
            }
        }
    }
    Ok(bundles)
}

struct Sealer<'s, 'a> {
    step: &'s mut Step<'a>,
    plan: &'s Plan,
    id: &'s str,
    class: &'s Classified,
    shortfall: u32,
    any_pre_key: bool,
    /// A device gets our key of the chat.
    gives_key: bool,
}

impl<'s> Sealer<'s, '_> {
    async fn direct(&mut self, message: &proto::Message) -> Result<(Node, String), SealError> {
        let plan = self.plan;
        let (entries, reached) = self.each_device(message, None).await?;
        let pn = if plan.to.is_lid() {
            self.step.pn_of(&crate::identity::user_row(&plan.to)).await?
        } else {
            None
        };
        let pn: Option<Jid> = pn.and_then(|pn| pn.as_str().parse().ok());
        let stanza = self.stanza().maybe_attr("peer_recipient_pn", pn);
        let hash = phash(reached);
        Ok((stanza.child(Node::new("participants").children(entries)), hash))
    }

    /// To a broadcast list: own devices are told the hash of all who get it.
    async fn list(&mut self, message: &proto::Message) -> Result<(Node, String), SealError> {
        let hash = phash(self.plan.devices.iter().chain([&self.plan.own]));
        let (entries, _) = self.each_device(message, Some(hash.clone())).await?;
        let stanza = self.stanza().attr("phash", hash.clone());
        Ok((stanza.child(Node::new("participants").children(entries)), hash))
    }

    /// One ciphertext for each device: the message for those of others, a copy for our own. With the devices reached.
    async fn each_device(
        &mut self,
        message: &proto::Message,
        hash: Option<String>,
    ) -> Result<(Vec<Node>, Vec<&'s Jid>), SealError> {
        let plan = self.plan;
        let theirs = message.encode_to_vec();
        let ours = device_sent(message.clone(), plan.to.to_string(), hash).encode_to_vec();
        let mut entries = Vec::with_capacity(plan.devices.len());
        let mut reached = Vec::with_capacity(plan.devices.len());
        let mut any_of_theirs = plan.to.same_user(&plan.own);
        for device in &plan.devices {
            let is_own = device.same_user(&plan.own);
            let Some(enc) = self.encrypt(device, if is_own { &ours } else { &theirs }).await? else {
                continue;
            };
            any_of_theirs |= !is_own;
            reached.push(device);
            let enc = classed(enc, self.class);
            entries.push(Node::new("to").attr("jid", device.clone()).child(enc));
        }
        if !any_of_theirs {
            return Err(SealError::Unreachable);
        }
        Ok((entries, reached))
    }

    /// Under our sender key: of a group, or of statuses.
    async fn group(&mut self, plaintext: &[u8]) -> Result<(Node, Option<String>), SealError> {
        let plan = self.plan;
        let chat = chat_row(&plan.to);
        let key_at = (chat.clone(), address(&plan.own));
        let stored = self.step.shared.store.one(tables::OwnSenderKeys, &key_at).await?;
        let (mut key, is_new) = match stored.and_then(|row| OwnSenderKey::decode(&row).ok()) {
            Some(key) => (key, false),
            None => (OwnSenderKey::generate(&mut self.step.shared.rng()), true),
        };
        if is_new {
            self.step.changes.rotate_sender_key(&chat);
        }
        let distribution = proto::Message {
            sender_key_distribution_message: Some(Box::new(proto::message::SenderKeyDistributionMessage {
                group_id: Some(plan.to.to_string()),
                axolotl_sender_key_distribution_message: Some(key.distribution().encode().into()),
            })),
            ..proto::Message::default()
        }
        .encode_to_vec();
        let mut entries = Vec::new();
        let (places, marks) = marks(self.step, &plan.to, &plan.devices).await?;
        for ((device, mark_at), mark) in plan.devices.iter().zip(places).zip(marks) {
            let has_it = !is_new && mark.is_some_and(|mark| mark.key_id == key.key_id());
            if has_it && !sabotaged!(self.step.shared, RepeatedKeys) {
                continue;
            }
            let Some(enc) = self.encrypt(device, &distribution).await? else { continue };
            entries.push(Node::new("to").attr("jid", device.clone()).child(enc));
            let mark = DistributionMark { key_id: key.key_id(), state: MarkState::Pending(self.id.into()) };
            self.step.changes.put(tables::DistributionMarks, &mark_at, &mark);
            self.gives_key = true;
        }
        let mut padded = plaintext.to_vec();
        padding::pad(&mut padded, &mut self.step.shared.rng());
        let ciphertext =
            key.encrypt(&padded, &mut self.step.shared.rng()).map_err(|_| SealError::Unwritable)?;
        self.step.changes.put(tables::OwnSenderKeys, &key_at, &Bytes::copy_from_slice(&key.encode()));
        let (hash, mode) = match &plan.way {
            Way::Group(addressing) => {
                (Some(phash(plan.devices.iter().chain([&plan.own]))), Some(addressing.name()))
            }
            Way::Direct | Way::Status(_) | Way::List(_) => (None, None),
        };
        let mut stanza = self.stanza().maybe_attr("phash", hash.clone()).maybe_attr("addressing_mode", mode);
        if let Way::Status(recipients) = &plan.way {
            // The server delivers to whoever is named: those who need no key without one.
            for person in recipients.people.iter().chain([&plan.own.user_jid()]) {
                let is_named =
                    |entry: &Node| entry.required("jid").jid().is_ok_and(|device| device.same_user(person));
                if !entries.iter().any(is_named) {
                    entries.push(Node::new("to").attr("jid", person.clone()));
                }
            }
        }
        if !entries.is_empty() {
            stanza.push(Node::new("participants").children(entries));
        }
        let enc = Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(ciphertext);
        stanza.push(classed(enc, self.class));
        Ok((stanza, hash))
    }

    fn stanza(&self) -> Node {
        head(self.plan.to.clone(), self.id, self.class)
    }

    /// One device's `<enc>`; none when the device has no key, which is a shortfall.
    async fn encrypt(&mut self, device: &Jid, plaintext: &[u8]) -> Result<Option<Node>, SealError> {
        let bundle = self.plan.bundles.get(device);
        let enc = encrypt_for(self.step, device, bundle, plaintext).await?;
        match &enc {
            Some(enc) => self.any_pre_key |= enc.attr_is("type", "pkmsg"),
            None => self.shortfall += 1,
        }
        Ok(enc)
    }
}

/// Encrypts a message for one device, starting a session from the bundle where there is none.
pub(crate) async fn encrypt_for(
    step: &mut Step<'_>,
    device: &Jid,
    bundle: Option<&Bundle>,
    plaintext: &[u8],
) -> Result<Option<Node>, SealError> {
    let at: Address = step.address_of(device).await?;
    let (local, now) = (step.local.clone(), step.shared.now().as_secs());
    let mut rng = step.shared.rng();
    let session = step.session(&at).await?;
    let usable = session.record.has_current() && session.sending == Sending::Allowed;
    // A session that came to be while the bundle was fetched is better than the bundle.
    if !usable {
        let Some(bundle) = bundle else { return Ok(None) };
        if let Err(error) = session.record.initiate(&local, &bundle.to_signal(), now, &mut rng) {
            tracing::warn!(%error, "a bundle was refused");
            return Ok(None);
        }
        session.sending = Sending::Allowed;
        let identity = session.record.remote_identity().copied();
        if let Some(identity) = identity {
            step.save_identity(&at, &identity).await?;
        }
    }
    let mut padded = plaintext.to_vec();
    padding::pad(&mut padded, &mut rng);
    let sealed = match step.session(&at).await?.record.encrypt(&local, &padded) {
        Ok(sealed) => sealed,
        Err(error) => {
            tracing::warn!(%error, "a session cannot be used");
            return Ok(None);
        }
    };
    step.store_session(&at);
    let kind = match sealed.kind {
        CiphertextKind::PreKeyMessage => "pkmsg",
        CiphertextKind::Message => "msg",
    };
    Ok(Some(Node::new("enc").attr("v", "2").attr("type", kind).bytes(sealed.bytes)))
}
