//! Linking by a typed code: the server between companion and phone (chapter 02 §4).

use std::collections::BTreeMap;

use bytes::Bytes;
use rand_core::Rng as _;
use wa_binary::{Jid, Node};

use super::{Linked, PairingError};
use crate::iq::Answer;
use crate::phone::CompanionHello;
use crate::stanza::{Read, el, notification};
use crate::world::{AccountId, ConnId, Timer, World};

/// Numbers that one connection may ask codes for.
const CODES_PER_CONNECTION: usize = 3;

/// Codes that companions wait for, one per account.
#[derive(Debug, Default)]
pub(crate) struct PairingCodes {
    attempts: BTreeMap<AccountId, Attempt>,
}

#[derive(Debug)]
struct Attempt {
    conn: ConnId,
    hello: CompanionHello,
    /// Set once the phone has answered.
    primary: bool,
}

impl PairingCodes {
    /// The companion went away.
    pub(crate) fn forget_connection(&mut self, conn: ConnId) {
        self.attempts.retain(|_, attempt| attempt.conn != conn);
    }

    fn of_reference(&self, reference: &[u8]) -> Option<(AccountId, &Attempt)> {
        self.attempts
            .iter()
            .find(|(_, attempt)| attempt.hello.reference == reference)
            .map(|(account, attempt)| (*account, attempt))
    }
}

impl World {
    /// `link_code_companion_reg` of a companion.
    pub(crate) fn link_code(&mut self, conn: ConnId, request: &Node) -> Answer {
        match request.text_of("stage").as_deref() {
            Some("companion_hello") => self.companion_hello(conn, request),
            Some("companion_finish") => self.companion_finish(conn, request),
            Some("get_country_code") => {
                Answer::one(el("link_code_companion_reg").child(el("country_code").attr("iso", "US")))
            }
            _ => Answer::error(400),
        }
    }

    fn companion_hello(&mut self, conn: ConnId, request: &Node) -> Answer {
        let wrapped = request.kid("link_code_pairing_wrapped_companion_ephemeral_pub").and_then(Read::body);
        let noise_key = request.kid("companion_server_auth_key_pub").and_then(Read::array::<32>);
        let platform = request.kid("companion_platform_id").and_then(Read::words);
        let display = request.kid("companion_platform_display").and_then(Read::words);
        let number = request.jid_of("jid").and_then(|jid| jid.user_number());
        let (Some(wrapped), Some(noise_key), Some(number)) = (wrapped, noise_key, number) else {
            return Answer::error(400);
        };
        // "Browser (OS)" and a platform that is not unknown, else the live service refuses.
        let readable = display.is_some_and(|display| display.ends_with(')') && display.contains(" ("));
        if wrapped.len() != 80 || !readable || platform.is_none_or(|id| id == "0" || id == "\u{0}") {
            return Answer::error(400);
        }
        let (wrapped, now_ms) = (wrapped.clone(), self.now_ms);
        let Some(registration) = self.registration(conn) else { return Answer::error(405) };
        if registration.noise_key != noise_key {
            return Answer::error(400);
        }
        let push_name = registration.push_name.clone();
        let asked = self.codes.attempts.values().filter(|attempt| attempt.conn == conn).count();
        if asked >= CODES_PER_CONNECTION {
            return Answer::error(429);
        }
        let Some(registration) = self.registration(conn) else { return Answer::error(405) };
        registration.code_stage = Some("companion_hello");
        let account = match self.find_pn(number) {
            Some(account) => account,
            // An unknown number is a new customer: it becomes the number of a new account.
            None => self.account_with_number(number, push_name.as_deref()),
        };
        if self.codes.attempts.get(&account).is_some_and(|attempt| attempt.conn != conn) {
            return Answer::error(429);
        }
        let mut reference = vec![0; 16];
        self.streams.refs.fill_bytes(&mut reference);
        let reference = Bytes::from(hex::encode(reference).into_bytes());
        let hello = CompanionHello { reference: reference.clone(), wrapped_ephemeral: wrapped, noise_key };
        self.codes.attempts.insert(account, Attempt { conn, hello, primary: false });
        self.at(now_ms + self.config.code_ms, Timer::CodeOver { account, reference: reference.clone() });
        tracing::info!("connection {} asks +{number} for a pairing code", conn.0);
        Answer::one(
            el("link_code_companion_reg")
                .attr("stage", "companion_hello")
                .child(el("link_code_pairing_ref").bytes(reference)),
        )
    }

    /// The phone's user types a code. With `number` absent there must be one pending request.
    ///
    /// # Errors
    /// [`PairingError`]. A wrong code is not among them: the companion finds out, and then nothing happens.
    pub fn enter_code(
        &mut self,
        now_ms: u64,
        number: Option<u64>,
        code: &str,
    ) -> Result<Linked, PairingError> {
        self.now_ms = now_ms;
        let account = match number {
            Some(number) => self.find_pn(number).ok_or(PairingError::Unknown)?,
            None => match self.codes.attempts.keys().copied().collect::<Vec<_>>()[..] {
                [only] => only,
                _ => return Err(PairingError::Unknown),
            },
        };
        let attempt = self.codes.attempts.get(&account).ok_or(PairingError::Unknown)?;
        let (conn, hello) = (attempt.conn, attempt.hello.clone());
        let answer = self
            .with_phone(account, |phone, _| phone.enter_code(&hello, code))
            .ok_or(PairingError::Gone)??;
        if let Some(attempt) = self.codes.attempts.get_mut(&account) {
            attempt.primary = true;
        }
        let stage = el("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .child(el("link_code_pairing_ref").bytes(answer.reference))
            .child(el("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(answer.wrapped_ephemeral))
            .child(el("primary_identity_pub").bytes(answer.identity.to_vec()));
        self.code_notification(conn, stage);
        let owner = self.account(account);
        let jid = owner.jid(wa_binary::Family::Pn).to_string();
        let lid = owner.lid.map(|_| owner.jid(wa_binary::Family::Lid).to_string());
        Ok(Linked { jid, lid })
    }

    fn companion_finish(&mut self, conn: ConnId, request: &Node) -> Answer {
        let bundle = request.kid("link_code_pairing_wrapped_key_bundle").and_then(Read::body);
        let identity = request.kid("companion_identity_public").and_then(Read::array::<32>);
        let reference = request.kid("link_code_pairing_ref").and_then(Read::body);
        let (Some(bundle), Some(identity), Some(reference)) = (bundle, identity, reference) else {
            return Answer::error(400);
        };
        let found = self.codes.of_reference(reference).filter(|(_, attempt)| attempt.conn == conn);
        let Some((account, attempt)) = found else { return Answer::error(404) };
        if !attempt.primary {
            return Answer::error(400);
        }
        let (bundle, reference) = (bundle.clone(), reference.clone());
        if let Some(registration) = self.registration(conn) {
            registration.code_stage = Some("companion_finish");
        }
        let linked = self.link_by(conn, Some(account), |phone, now| {
            phone.companion_finish(&reference, &bundle, &identity, now)
        });
        match linked {
            Ok(_) => {
                self.codes.attempts.remove(&account);
            }
            // A wrong code is answered by silence: no pair-success follows (chapter 02 §4.2 step 10).
            Err(error) => tracing::info!("connection {} is not linked by code: {error}", conn.0),
        }
        Answer::empty()
    }

    pub(crate) fn code_over(&mut self, account: AccountId, reference: &[u8]) {
        if self.codes.attempts.get(&account).is_some_and(|attempt| attempt.hello.reference == reference) {
            self.codes.attempts.remove(&account);
        }
    }

    /// The phone tells the companion that its code is void.
    pub(super) fn withdraw_code(&mut self, conn: ConnId) -> Result<(), PairingError> {
        let attempt = self.codes.attempts.iter().find(|(_, attempt)| attempt.conn == conn);
        let Some((account, attempt)) = attempt else { return Err(PairingError::Unknown) };
        let (account, reference) = (*account, attempt.hello.reference.clone());
        self.codes.attempts.remove(&account);
        let stage = el("link_code_companion_reg")
            .attr("stage", "refresh_code")
            .attr("force_manual_refresh", "false")
            .child(el("link_code_pairing_ref").bytes(reference));
        self.code_notification(conn, stage);
        Ok(())
    }

    fn code_notification(&mut self, conn: ConnId, stage: Node) {
        let (id, now_s) = (self.next_id(conn), self.now_s());
        self.write(conn, notification("link_code_companion_reg", &Jid::SERVER, &id, now_s).child(stage));
    }
}
