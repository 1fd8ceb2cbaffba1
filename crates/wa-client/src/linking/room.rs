//! The machine of an account's link with its clockwork: one task for each offer, which does what time and effects ask
//! for (chapter 02 §3.2, §3.5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;
use wa_binary::{Jid, Node, NodeRef};
use wa_core::login::{PlatformId, QrCode};
use wa_crypto::Secret;
use wa_crypto::curve::PublicKey;
use wa_store::UnixTime;

use super::machine::{Effect, Expired, Machine, Standing};
use super::qr::LinkingQr;
use super::types::LinkProblem;
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::events::{Kind, Slot};
use crate::health::{Cause, Condition, DeadlineKind, LinkOffer, Status};
use crate::shared::Shared;

/// The link of an account, as long as it is not there.
#[derive(Debug)]
pub(crate) struct Room {
    machine: Mutex<Machine>,
    /// Rung whenever the machine has changed.
    pub(super) bell: watch::Sender<()>,
    /// A link was just completed on the connection: what follows is its restart.
    completed: AtomicBool,
}

impl Default for Room {
    fn default() -> Self {
        Self { machine: Mutex::default(), bell: watch::Sender::new(()), completed: AtomicBool::new(false) }
    }
}

impl Room {
    /// Looks at the machine, or changes it, and wakes its task.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Machine) -> T) -> T {
        let result = act(&mut self.machine.lock());
        self.bell.send_replace(());
        result
    }

    /// The link is stored.
    pub(super) fn set_completed(&self) {
        self.completed.store(true, Ordering::Release);
    }

    /// Whether the connection that ended just now has completed a link.
    pub(crate) fn take_completed(&self) -> bool {
        self.completed.swap(false, Ordering::AcqRel)
    }

    /// What a close of the connection by the server means for an offer whose last ref was shown.
    pub(crate) fn ran_out(&self) -> Option<Ended> {
        self.machine.lock().ran_out().map(ended)
    }
}

const fn ended(expired: Expired) -> Ended {
    match expired {
        Expired::Qr => Ended::QrExpired,
        Expired::Code => Ended::CodeExpired,
    }
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
        .filter(|reference| !reference.is_empty())
        .map(std::borrow::Cow::into_owned)
        .collect();
    if refs.is_empty() {
        tracing::warn!("the server offered no QR refs");
        problem(shared, LinkProblem::NoRefs);
        return;
    }
    let (effects, is_new) = shared.linking.with(|machine| {
        let is_new = machine.generation() != link.generation();
        (machine.offer(link.generation(), refs, Instant::now()), is_new)
    });
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        apply(&shared, &link, effects).await;
        if is_new {
            run(&shared, &link).await;
        }
    });
}

/// Lives as long as the offer's connection.
async fn run(shared: &Arc<Shared>, link: &Link) {
    let mut bell = shared.linking.bell.subscribe();
    let mut links = shared.links();
    loop {
        let gone = {
            let current = links.borrow_and_update();
            current.as_ref().is_none_or(|current| current.generation() != link.generation())
        };
        if gone || shared.device().registration.is_some() {
            break;
        }
        bell.mark_unchanged();
        let wakes_at = shared.linking.machine.lock().wakes_at();
        tokio::select! {
            () = async { match wakes_at { Some(at) => tokio::time::sleep_until(at).await, None => std::future::pending().await } } => {}
            _ = bell.changed() => continue,
            _ = links.changed() => continue,
        }
        let effects = shared.linking.machine.lock().tick(Instant::now());
        apply(shared, link, effects).await;
    }
    let lost = shared.linking.with(|machine| match machine.generation() == link.generation() {
        true => machine.lost(),
        false => None,
    });
    if shared.device().registration.is_none()
        && let Some(Effect::CodeOver(end)) = lost
    {
        problem(shared, LinkProblem::Code(end));
    }
}

/// Does what the machine asks for, then tells health where the link stands.
pub(super) async fn apply(shared: &Arc<Shared>, link: &Link, effects: Vec<Effect>) {
    for effect in effects {
        match effect {
            Effect::Draw => draw(shared),
            Effect::NewSecret => {
                let secret = Secret::random(&mut shared.rng());
                if let Err(ended) =
                    crate::vault::change_device(shared, |device, _| device.adv_secret = secret).await
                {
                    link.end(ended);
                    return;
                }
                draw(shared);
            }
            Effect::CodeOver(end) => problem(shared, LinkProblem::Code(end)),
            Effect::PasskeyOver(error) => problem(shared, LinkProblem::Passkey(error)),
            Effect::Over(expired) => link.end(ended(expired)),
        }
    }
    report(shared);
}

pub(super) fn problem(shared: &Shared, problem: LinkProblem) {
    tracing::info!(?problem, "a link has trouble");
    shared.transients.put(Slot::LinkProblem, Kind::LinkingProblem(problem));
}

/// Draws the QR code of the ref that is shown, until its own end: a new secret does not extend it.
pub(super) fn draw(shared: &Shared) {
    let Some((reference, until)) =
        shared.linking.machine.lock().shown().map(|(reference, until)| (reference.to_owned(), until))
    else {
        return;
    };
    let device = shared.device();
    let text = QrCode {
        reference,
        noise_key: PublicKey::from_bytes(device.noise_key.public),
        identity_key: PublicKey::from_bytes(device.identity_key.public),
        // Read when it is drawn: the secret may have been made anew meanwhile.
        adv_secret: device.adv_secret.clone(),
        platform: PlatformId::of(shared.config.device.platform),
    };
    shared.transients.put(Slot::Qr, Kind::LinkingQr(LinkingQr::new(text, wall(shared, until))));
}

/// Tells health where the link stands.
pub(super) fn report(shared: &Shared) {
    let now = shared.now();
    let standing = shared.linking.machine.lock().standing();
    let (status, cause, until) = match standing {
        Standing::Idle => return,
        Standing::Qr(until) => {
            let until = wall(shared, until);
            (Status::WaitingForQr { left: until.since(now) }, Cause::NotLinked, Some(until))
        }
        Standing::Code(until) => {
            let until = wall(shared, until);
            (Status::WaitingForCode { until }, Cause::CodeShown, Some(until))
        }
        Standing::CodeOver => (Status::LinkExpired(LinkOffer::Code), Cause::CodeExpired, None),
        Standing::Passkey(until) => {
            (Status::PasskeyRequired, Cause::PasskeyDemanded, Some(wall(shared, until)))
        }
        Standing::Completing => (Status::Linking, Cause::LinkingInProgress, None),
    };
    let mut condition = Condition::new(status, cause, now);
    condition.deadline = until;
    shared.report(|board| {
        board.connection(condition);
        board.deadline(DeadlineKind::LinkOfferEnds, until);
    });
}

/// The wall time of an instant.
pub(super) fn wall(shared: &Shared, at: Instant) -> UnixTime {
    shared.now().after(at.saturating_duration_since(Instant::now()))
}

/// The server asks for a new ADV secret (chapter 02 §3.5).
pub(crate) async fn refresh(shared: &Arc<Shared>, link: &Link, stanza: &Node) -> Result<(), Ended> {
    let asked =
        stanza.optional_child("companion_reg_refresh").or(stanza.optional_child("pair-device-rotate-qr"));
    if asked.is_none() || shared.device().registration.is_some() {
        return Ok(());
    }
    // The phone is about to prove itself with the secret of its code.
    if !shared.linking.machine.lock().awaits_success() {
        apply(shared, link, vec![Effect::NewSecret]).await;
    }
    Ok(())
}

/// `<ib><downgrade_webclient/>`: the phone that scanned cannot link devices. The refs stay valid.
pub(crate) fn phone_too_old(shared: &Shared) {
    problem(shared, LinkProblem::PhoneTooOld);
}
