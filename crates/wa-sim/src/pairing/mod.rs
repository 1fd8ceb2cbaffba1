//! What the phone does about a companion that wants to be linked: QR, code, passkey, refusal (chapters 02 §3–§5,
//! 10 §3).

mod code;
mod passkey;

use thiserror::Error;
use wa_binary::Jid;

use crate::phone::PhoneError;
use crate::stanza::{el, notification};
use crate::world::{AccountId, ConnId, World};

pub(crate) use code::PairingCodes;
pub use passkey::Passkey;

pub use crate::world::Linked;

/// Why a link could not be begun.
#[derive(Debug, Error)]
pub enum PairingError {
    /// The text is no QR text, or the code no code.
    #[error("{0}")]
    Unreadable(&'static str),
    /// No connection was given this ref, or it expired; or nobody asked for a code for this number.
    #[error("no connection waits under this ref or number")]
    Unknown,
    /// The ref was used.
    #[error("this ref was already used")]
    Used,
    /// The connection that was given this ref is gone.
    #[error("the connection is gone")]
    Gone,
    /// The account has as many companions as it may.
    #[error("the account has as many companions as it may")]
    ResourceLimit,
    /// The phone refuses.
    #[error("the phone refuses: {0}")]
    Phone(#[from] PhoneError),
}

impl PairingError {
    /// The status that the admin API answers with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unreadable(_) | Self::Phone(_) => 400,
            Self::Unknown => 404,
            Self::Used => 409,
            Self::Gone => 410,
            Self::ResourceLimit => 419,
        }
    }
}

impl World {
    /// The phone scans a QR text. The account is the one of the companion's push name unless `account` names another.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn scan_qr(
        &mut self,
        now_ms: u64,
        text: &str,
        account: Option<AccountId>,
    ) -> Result<Linked, PairingError> {
        self.now_ms = now_ms;
        let text = text.trim();
        // The ref may hold commas: the four fields behind it are taken from the right.
        let list = text.rsplit_once('#').map_or(text, |(_, list)| list);
        let mut fields = list.rsplitn(5, ',');
        let reference =
            fields.by_ref().nth(4).ok_or(PairingError::Unreadable("a QR text has five fields"))?;
        let reference = reference.trim();
        let conn = self.find_ref(reference)?;
        let linked = self.link_by(conn, account, |phone, now| phone.scan_qr(text, now));
        self.run_phones();
        linked
    }

    /// Lets the account's phone sign, and carries its signature out.
    pub(crate) fn link_by(
        &mut self,
        conn: ConnId,
        account: Option<AccountId>,
        sign: impl FnOnce(
            &mut crate::phone::Phone,
            crate::phone::Now,
        ) -> Result<crate::phone::LinkRequest, PhoneError>,
    ) -> Result<Linked, PairingError> {
        let Some(registration) = self.registration(conn) else { return Err(PairingError::Gone) };
        if registration.link.is_some() {
            return Err(PairingError::Used);
        }
        let push_name = registration.push_name.clone();
        let account = account.unwrap_or_else(|| self.account_of_push_name(push_name.as_deref()));
        let now = self.now();
        let signed = self.with_phone(account, |phone, _| sign(phone, now)).ok_or(PairingError::Gone)?;
        self.begin_link(account, conn, signed?)
    }

    /// The connection that was given a ref.
    fn find_ref(&mut self, reference: &str) -> Result<ConnId, PairingError> {
        let conns: Vec<ConnId> = self.conns.keys().copied().collect();
        for conn in conns {
            if let Some(registration) = self.registration(conn)
                && registration.refs.iter().any(|own| own == reference)
            {
                return Ok(conn);
            }
        }
        Err(if self.used_refs.contains(reference) {
            PairingError::Used
        } else if self.gone_refs.iter().any(|gone| gone == reference) {
            PairingError::Gone
        } else {
            PairingError::Unknown
        })
    }

    /// The phone declines: the companion gets a new secret to show, or its code is withdrawn.
    ///
    /// # Errors
    /// [`PairingError::Gone`] when the connection does not register.
    pub fn reject(&mut self, now_ms: u64, conn: ConnId, how: Reject) -> Result<(), PairingError> {
        self.now_ms = now_ms;
        let now_s = self.now_s();
        if self.registration(conn).is_none() {
            return Err(PairingError::Gone);
        }
        match how {
            Reject::Refresh => {
                let id = self.next_id(conn);
                let refresh = notification("companion_reg_refresh", &Jid::SERVER, &id, now_s)
                    .child(el("pair-device-rotate-qr"));
                self.write(conn, refresh);
            }
            Reject::Code => self.withdraw_code(conn)?,
            Reject::Close => self.close(conn, crate::faults::CloseHow::Fin),
        }
        Ok(())
    }

    /// An id for a stanza of the server on this connection.
    pub(crate) fn next_id(&mut self, conn: ConnId) -> String {
        self.conns.get_mut(&conn).map(crate::world::Conn::next_id).unwrap_or_default()
    }

    /// The phone scans by itself, with the secret that the configuration knows (`--auto-pair`).
    pub(crate) fn auto_pair(&mut self, conn: ConnId) {
        use base64::Engine as _;
        let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let Some(secret) = self.config.auto_pair.as_ref().map(|auto| auto.adv_secret) else { return };
        let Some(registration) = self.registration(conn) else { return };
        let text = format!(
            "{},{},{},{},1",
            registration.refs.first().map_or("", String::as_str),
            base64(&registration.noise_key),
            base64(&registration.keys.identity),
            base64(&secret)
        );
        if let Err(error) = self.scan_qr(self.now_ms, &text, None) {
            tracing::warn!(connection = conn.0, %error, "auto-pair");
        }
    }
}

/// Ways to decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reject {
    /// `companion_reg_refresh`
    Refresh,
    /// The code is withdrawn (`refresh_code`).
    Code,
    /// The connection is closed.
    Close,
}
