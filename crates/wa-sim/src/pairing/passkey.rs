//! Linking with a passkey: the server's and the phone's side of the stages (chapter 02 §5).
//!
//! The phone-to-server stanzas of this flow are documented nowhere; here they are calls.

use bytes::Bytes;
use wa_binary::{Jid, Node};

use super::PairingError;
use crate::iq::Answer;
use crate::stanza::{Read, el, notification};
use crate::world::{AccountId, ConnId, World};

/// State of a passkey link.
#[derive(Clone, Debug, Default)]
pub struct Passkey {
    /// The account, if it was named.
    pub account: Option<AccountId>,
    /// The ref that the companion fetched for this flow.
    pub reference: Option<String>,
    /// The companion sent its prologue.
    pub prologue: Option<Bytes>,
    /// The code that both ends show, once the companion revealed its nonce.
    pub code: Option<String>,
}

/// Made-up options of the WebAuthn request: a simulator has no authenticator to please.
const OPTIONS: &str = r#"{"challenge":"c2ltdWxhdG9y","timeout":60000,"rpId":"whatsapp.com","allowCredentials":[],"userVerification":"preferred","extensions":{}}"#;

impl World {
    /// Interrupts the link of a connection by asking for a passkey.
    ///
    /// # Errors
    /// [`PairingError::Gone`] when the connection does not register.
    pub fn demand_passkey(
        &mut self,
        now_ms: u64,
        conn: ConnId,
        account: Option<AccountId>,
    ) -> Result<(), PairingError> {
        self.now_ms = now_ms;
        let registration = self.registration(conn).ok_or(PairingError::Gone)?;
        registration.passkey = Some(Passkey { account, ..Passkey::default() });
        let (id, now_s) = (self.next_id(conn), self.now_s());
        let options = el("passkey_request_options").text(OPTIONS);
        self.write(conn, notification("passkey_prologue_request", &Jid::SERVER, &id, now_s).child(options));
        Ok(())
    }

    /// The requests of a companion in this flow; `None` for another child of `md`.
    pub(crate) fn passkey_stage(&mut self, conn: ConnId, child: &Node) -> Option<Answer> {
        let answer = match child.tag() {
            "passkey_request_options" => Answer::one(el("passkey_request_options").text(OPTIONS)),
            "ref" => self.passkey_ref(conn),
            "passkey_prologue" => self.passkey_prologue(conn, child),
            "companion_nonce" => self.passkey_nonce(conn, child),
            "encrypted_pairing_request" => self.passkey_request(conn, child),
            _ => return None,
        };
        Some(answer)
    }

    fn passkey_ref(&mut self, conn: ConnId) -> Answer {
        let Some(registration) = self.registration(conn) else { return Answer::error(405) };
        let reference = registration.refs.last().cloned().unwrap_or_default();
        if let Some(passkey) = &mut registration.passkey {
            passkey.reference = Some(reference.clone());
        }
        Answer::one(el("ref").text(reference))
    }

    fn passkey_prologue(&mut self, conn: ConnId, child: &Node) -> Answer {
        let Some(prologue) = child.kid("prologue_payload").and_then(Read::body).cloned() else {
            return Answer::error(400);
        };
        let Some(account) = self.passkey_account(conn) else { return Answer::error(400) };
        let Some(Ok(identity)) = self.with_phone(account, |phone, _| phone.passkey_prologue(&prologue))
        else {
            return Answer::error(400);
        };
        if let Some(passkey) = self.registration(conn).and_then(|registration| registration.passkey.as_mut())
        {
            passkey.prologue = Some(prologue);
        }
        let (id, now_s) = (self.next_id(conn), self.now_s());
        let continuation = notification("crsc_continuation", &Jid::SERVER, &id, now_s)
            .child(el("primary_ephemeral_identity").bytes(identity));
        Answer::empty().after(move |world| world.write(conn, continuation))
    }

    fn passkey_nonce(&mut self, conn: ConnId, child: &Node) -> Answer {
        let (Some(nonce), Some(account)) = (child.body().cloned(), self.passkey_account(conn)) else {
            return Answer::error(400);
        };
        match self.with_phone(account, |phone, _| phone.passkey_reveal(&nonce)) {
            Some(Ok(code)) => {
                let passkey = self.registration(conn).and_then(|registration| registration.passkey.as_mut());
                if let Some(passkey) = passkey {
                    passkey.code = Some(code);
                }
                Answer::empty()
            }
            _ => Answer::error(400),
        }
    }

    fn passkey_request(&mut self, conn: ConnId, child: &Node) -> Answer {
        let (Some(request), Some(account)) = (child.body().cloned(), self.passkey_account(conn)) else {
            return Answer::error(400);
        };
        let reference = self
            .registration(conn)
            .and_then(|registration| registration.passkey.as_ref()?.reference.clone())
            .unwrap_or_default();
        let linked =
            self.link_by(conn, Some(account), |phone, now| phone.passkey_request(&request, &reference, now));
        match linked {
            Ok(_) => Answer::empty(),
            Err(error) => {
                tracing::info!("connection {} is not linked by passkey: {error}", conn.0);
                Answer::error(400)
            }
        }
    }

    /// The account of a flow that was begun; fixed at its first use.
    fn passkey_account(&mut self, conn: ConnId) -> Option<AccountId> {
        let registration = self.registration(conn)?;
        let push_name = registration.push_name.clone();
        let known = registration.passkey.as_ref()?.account;
        let account = known.unwrap_or_else(|| self.account_of_push_name(push_name.as_deref()));
        self.registration(conn)?.passkey.as_mut()?.account = Some(account);
        Some(account)
    }
}
