//! Linking by a code that a person types into the phone (chapter 02 §4).

use std::sync::Arc;

use tokio::time::Instant;
use wa_binary::{Jid, Node};
use wa_core::login::PlatformId;
use wa_core::pairing_code::{
    BundleRandom, Companion, PairingCode, PairingCodeError, WrapRandom, phone_digits, platform_display,
};

use super::machine::{Effect, NotNow};
use super::room::{apply, report, wall};
use super::stanza::{CodeNotice, Finish, Hello};
use super::types::{CodeEnd, CodeError, CodeOptions, LinkingCode, PhoneNotice};
use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::credentials::from_row;
use crate::events::{Kind, Slot};
use crate::shared::Shared;

/// Asks the server for a code and shows it.
pub(super) async fn request(
    shared: &Arc<Shared>,
    number: &str,
    options: &CodeOptions,
) -> Result<LinkingCode, CodeError> {
    let digits = phone_digits(number).map_err(CodeError::Number)?;
    let digits = digits.parse().map_err(|_| CodeError::Number(PairingCodeError::PhoneNotInternational))?;
    request_for(shared, Jid::pn(digits), options).await
}

pub(super) async fn request_for(
    shared: &Arc<Shared>,
    number: Jid,
    options: &CodeOptions,
) -> Result<LinkingCode, CodeError> {
    let code = match &options.custom {
        Some(custom) => PairingCode::parse(custom).map_err(CodeError::Custom)?,
        None => PairingCode::generate(&mut shared.rng()),
    };
    let limit = shared.config.timeouts.request;
    let link = match tokio::time::timeout(limit, ask(shared)).await {
        Ok(link) => link?,
        Err(_) => return Err(CodeError::NoOffer),
    };
    let asking = Asking { shared, link: &link };
    let companion = Companion::new(code.clone(), &mut shared.rng());
    let random = WrapRandom::draw(&mut shared.rng());
    let (companion, wrapped) = off_the_runtime(move || {
        let wrapped = companion.hello(&random);
        (companion, wrapped)
    })
    .await?;
    let device = &shared.config.device;
    let hello = Hello {
        number: &number,
        wrapped_ephemeral: wrapped.to_vec(),
        noise_public: shared.device().noise_key.public,
        platform_id: PlatformId::of(device.platform).to_string(),
        platform_display: platform_display(device.platform, &device.os),
        push: options.notice == PhoneNotice::Push,
    };
    let reference = link.query(&hello).await.inspect_err(|error| device_limit(&link, error))?;
    let asked = shared
        .linking
        .with(|machine| machine.code_asked(companion, number.clone(), reference, Instant::now()));
    let until = wall(shared, asked.ok_or(CodeError::Cancelled)?);
    drop(asking);
    let shown = LinkingCode { until, number, code };
    shared.transients.put(Slot::Code, Kind::LinkingCode(shown.clone()));
    report(shared);
    Ok(shown)
}

/// Waits until the machine takes a request: the server has to have offered a link first.
async fn ask(shared: &Arc<Shared>) -> Result<Link, CodeError> {
    let mut bell = shared.linking.bell.subscribe();
    loop {
        bell.mark_unchanged();
        if shared.device().registration.is_some() {
            return Err(CodeError::AlreadyLinked);
        }
        if let Ok(link) = shared.link() {
            let taken = shared.linking.with(|machine| match machine.generation() == link.generation() {
                true => machine.ask_code(),
                false => Err(NotNow::NoOffer),
            });
            bell.mark_unchanged();
            match taken {
                Ok(()) => return Ok(link),
                Err(NotNow::Completing) => return Err(CodeError::AlreadyLinked),
                Err(NotNow::Outstanding(until)) => {
                    let until = until.map(|until| wall(shared, until));
                    return Err(CodeError::AlreadyOutstanding { until });
                }
                Err(NotNow::NoOffer) => {}
            }
        }
        if bell.changed().await.is_err() {
            return Err(CodeError::NoOffer);
        }
    }
}

/// A request on its way: whoever stops waiting for it, for whatever reason, leaves room for another one.
struct Asking<'a> {
    shared: &'a Arc<Shared>,
    link: &'a Link,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let over = self.shared.linking.with(|machine| match machine.generation() == self.link.generation() {
            true => machine.code_not_asked(),
            false => None,
        });
        if let Some(effect) = over {
            let (shared, link) = (Arc::clone(self.shared), self.link.clone());
            tokio::spawn(async move { apply(&shared, &link, vec![effect]).await });
        }
    }
}

/// Ends the code that is outstanding; says whether there was one.
pub(super) async fn cancel(shared: &Arc<Shared>) -> bool {
    let effects = shared.linking.with(|machine| machine.end_code(CodeEnd::Cancelled));
    let had_one = effects.iter().any(|effect| matches!(effect, Effect::CodeOver(_)));
    if let Ok(link) = shared.link() {
        apply(shared, &link, effects).await;
    }
    had_one
}

/// The number of the code that is outstanding.
pub(super) fn number(shared: &Shared) -> Option<Jid> {
    shared.linking.with(|machine| machine.number().cloned())
}

/// `<notification type="link_code_companion_reg">`. What does not fit the code that is shown is ignored.
pub(crate) async fn notification(shared: &Arc<Shared>, link: &Link, stanza: &Node) -> Result<(), Ended> {
    match CodeNotice::parse(stanza) {
        Ok(Some(CodeNotice::PrimaryHello { reference, wrapped_ephemeral, identity })) => {
            primary_hello(shared, link, &reference, wrapped_ephemeral, identity).await
        }
        Ok(Some(CodeNotice::Refresh { reference, by_hand })) => {
            let effects = shared.linking.with(|machine| match machine.has_code(&reference) {
                true => machine.end_code(CodeEnd::Withdrawn { by_hand }),
                false => Vec::new(),
            });
            if !effects.is_empty() {
                apply(shared, link, effects).await;
            }
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "a notification about a pairing code cannot be read");
            Ok(())
        }
    }
}

/// The phone has answered: proves our identity under the code and takes the ADV secret of the exchange over.
async fn primary_hello(
    shared: &Arc<Shared>,
    link: &Link,
    reference: &[u8],
    wrapped: Vec<u8>,
    identity: Vec<u8>,
) -> Result<(), Ended> {
    let answered = shared.linking.with(|machine| {
        let code = machine.primary_hello(reference, Instant::now())?;
        Some((code.companion.clone(), code.number.clone(), code.reference.clone()))
    });
    let Some((companion, number, reference)) = answered else {
        tracing::info!("an answer to no pairing code of ours");
        return Ok(());
    };
    let own = from_row(&shared.device().identity_key);
    let own_public = *own.public().as_bytes();
    let random = BundleRandom::draw(&mut shared.rng());
    let finish = off_the_runtime(move || companion.finish(&own, &wrapped, &identity, &random)).await;
    let finish = match finish {
        Ok(Ok(finish)) => finish,
        // Also what a wrong code looks like: the silence that follows ends it.
        Ok(Err(error)) => {
            tracing::warn!(%error, "the phone's answer to a pairing code cannot be used");
            return Ok(());
        }
        Err(_) => return Ok(()),
    };
    // Stored before it is sent: the phone may succeed at once.
    let secret = finish.adv_secret.clone();
    crate::vault::change_device(shared, |device, _| device.adv_secret = secret).await?;
    super::room::draw(shared);
    let request = Finish {
        number,
        wrapped_bundle: finish.wrapped_bundle.to_vec(),
        identity: own_public,
        reference: reference.clone(),
    };
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        // Silence alone retires nothing.
        let Err(error) = link.query(&request).await else { return };
        device_limit(&link, &error);
        let RequestError::Refused { code, backoff, .. } = error else { return };
        let effects = shared.linking.with(|machine| match machine.has_code(&reference) {
            true => machine.end_code(CodeEnd::Refused { code, backoff }),
            false => Vec::new(),
        });
        apply(&shared, &link, effects).await;
    });
    Ok(())
}

/// No place for another device: nothing that this connection offers can be used.
pub(super) fn device_limit(link: &Link, error: &RequestError) {
    if let RequestError::Refused { code: 419, .. } = error {
        link.end(Ended::DeviceLimit);
    }
}

/// PBKDF2 takes tens of milliseconds.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RequestError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| RequestError::Disconnected)
}
