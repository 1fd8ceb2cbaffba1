//! The passkey step that the server may put into a link (chapter 02 §5): a commitment, the application's assertion, a
//! code on both screens, and only then the keys.

use std::sync::Arc;

use rand_core::Rng as _;
use tokio::time::Instant;
use wa_binary::{Jid, Node};
use wa_core::passkey::{Companion, CompanionKeys, handoff_key, handoff_proof};
use wa_crypto::Secret;
use wa_crypto::curve::PublicKey;

use super::machine::Proof;
use super::room::{apply, draw, problem, report};
use super::stanza::{PasskeyBytes, PasskeyOptions, Prologue, RefQuery, passkey_options};
use super::types::{CodeCheck, LinkProblem, PasskeyProblem, PasskeyRequest};
use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::shared::Shared;

impl From<RequestError> for PasskeyProblem {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

fn is_from_server(stanza: &Node) -> bool {
    stanza.optional("from").jid().ok().flatten().is_some_and(|from| from == Jid::SERVER)
}

/// `<notification type="passkey_prologue_request">`: keeps the proof of the secret that was shown, makes a new secret,
/// and asks the application.
pub(crate) async fn demanded(shared: &Arc<Shared>, link: &Link, stanza: &Node) -> Result<(), Ended> {
    if !is_from_server(stanza) || shared.device().registration.is_some() {
        return Ok(());
    }
    let handoff = handoff_key(&shared.device().adv_secret);
    let secret = Secret::random(&mut shared.rng());
    crate::vault::change_device(shared, |device, _| device.adv_secret = secret).await?;
    shared.linking.with(|machine| machine.demand_passkey(handoff, Instant::now()));
    draw(shared);
    report(shared);
    let options = passkey_options(stanza.view());
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        if let Err(problem) = open(&shared, &link, options).await {
            failed(&shared, &link, problem).await;
        }
    });
    Ok(())
}

async fn open(shared: &Arc<Shared>, link: &Link, options: Option<String>) -> Result<(), PasskeyProblem> {
    let authenticator = shared.config.passkey.as_ref().ok_or(PasskeyProblem::NoAuthenticator)?;
    let options = match options {
        Some(options) => options,
        None => link.query(&PasskeyOptions).await?,
    };
    let answer = authenticator.assert(&PasskeyRequest { options }).await.map_err(PasskeyProblem::Refused)?;
    let reference = link.query(&RefQuery).await?;
    let companion = Companion::new(shared.config.device.platform as i32, reference, &mut shared.rng());
    let payload = companion.prologue();
    // Before it is sent: the continuation may come right behind the answer.
    let handoff = shared.linking.with(|machine| machine.open_prologue(companion, Instant::now()));
    let prologue = Prologue {
        credential_id: answer.credential_id,
        assertion: answer.response,
        proof: handoff.map(|key| handoff_proof(&key, &payload)),
        payload,
    };
    Ok(link.query(&prologue).await?)
}

/// `<notification type="crsc_continuation">`: the phone has chosen its part; ours may be revealed.
pub(crate) fn continuation(shared: &Arc<Shared>, link: &Link, stanza: &Node) {
    let open = shared
        .linking
        .with(|machine| machine.prologue().map(|(companion, proof)| (companion.clone(), proof)));
    let Some((companion, proof)) = open.filter(|_| is_from_server(stanza)) else {
        let why = "a continuation of no open prologue".to_owned();
        return problem(shared, LinkProblem::Passkey(PasskeyProblem::Protocol(why)));
    };
    let identity =
        stanza.optional_child("primary_ephemeral_identity").and_then(wa_binary::NodeRef::optional_bytes);
    let continued = match companion.resume(&identity.unwrap_or_default()) {
        Ok(continued) => continued,
        // The prologue stays open.
        Err(error) => {
            return problem(shared, LinkProblem::Passkey(PasskeyProblem::Protocol(error.to_string())));
        }
    };
    shared.linking.with(|machine| machine.continued(Instant::now()));
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        if let Err(problem) = hand_over(&shared, &link, &continued, proof).await {
            failed(&shared, &link, problem).await;
        }
    });
}

async fn hand_over(
    shared: &Arc<Shared>,
    link: &Link,
    continued: &wa_core::passkey::Continued,
    proof: Proof,
) -> Result<(), PasskeyProblem> {
    let authenticator = shared.config.passkey.as_ref().ok_or(PasskeyProblem::NoAuthenticator)?;
    let nonce = PasskeyBytes { tag: "companion_nonce", bytes: continued.nonce().to_vec().into() };
    link.query(&nonce).await?;
    let check = match proof {
        Proof::Sent => CodeCheck::Optional,
        Proof::Missing => CodeCheck::Needed,
    };
    if !authenticator.confirms(&continued.code().to_string(), check).await {
        return Err(PasskeyProblem::CodesDiffer);
    }
    let device = shared.device();
    let keys = CompanionKeys {
        noise: PublicKey::from_bytes(device.noise_key.public),
        identity: PublicKey::from_bytes(device.identity_key.public),
        adv_secret: device.adv_secret.clone(),
    };
    let mut iv = [0; 12];
    shared.rng().fill_bytes(&mut iv);
    let bytes = continued.request(&keys, iv).map_err(|error| PasskeyProblem::Protocol(error.to_string()))?;
    Ok(link.query(&PasskeyBytes { tag: "encrypted_pairing_request", bytes }).await?)
}

async fn failed(shared: &Arc<Shared>, link: &Link, problem: PasskeyProblem) {
    if let PasskeyProblem::Request(error) = &problem {
        super::code::device_limit(link, error);
    }
    let effects = shared.linking.with(|machine| machine.end_passkey(problem));
    apply(shared, link, effects).await;
}
