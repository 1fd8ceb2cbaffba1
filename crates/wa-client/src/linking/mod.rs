//! Becoming a linked device: by QR code, by a code that is typed into the phone, with a passkey where the account
//! demands one (chapter 02 §3–§5). One state machine (`machine.rs`) holds all three.

mod accept;
mod code;
mod machine;
mod passkey;
pub mod qr;
mod room;
mod stanza;
mod types;

pub use types::{
    Candidate, CodeCheck, CodeEnd, CodeError, CodeOptions, LinkCheck, LinkProblem, LinkingCode,
    PasskeyAssertion, PasskeyAuthenticator, PasskeyProblem, PasskeyRequest, PhoneNotice,
};

pub(crate) use accept::accept;
pub(crate) use code::notification as code_notification;
pub(crate) use passkey::{continuation as passkey_continuation, demanded as passkey_demanded};
pub(crate) use room::{Room, offer, phone_too_old, refresh};

use crate::client::Client;

/// What an account can do as long as it is not linked. QR codes come by themselves, as
/// [`Kind::LinkingQr`](crate::events::Kind::LinkingQr).
#[derive(Debug, Clone, Copy)]
pub struct Linking<'c>(&'c Client);

impl Client {
    /// Linking.
    pub const fn linking(&self) -> Linking<'_> {
        Linking(self)
    }
}

impl Linking<'_> {
    /// Asks for a code that a person types into the phone of `number` (with its country code). Waits for the connection
    /// on which the server offers a link, so it may be called right after the start. QR codes go on beside it;
    /// whichever ends first wins. How the code ends without a link is told by
    /// [`Kind::LinkingProblem`](crate::events::Kind::LinkingProblem).
    ///
    /// Dropping the future before it is done withdraws the request.
    ///
    /// # Errors
    /// [`CodeError`]; one code is outstanding at a time.
    pub async fn code(&self, number: &str, options: CodeOptions) -> Result<LinkingCode, CodeError> {
        code::request(&self.0.shared, number, &options).await
    }

    /// Another code in place of the one that is outstanding, for the same number.
    ///
    /// # Errors
    /// [`CodeError::NothingToRefresh`], and as [`code`](Self::code).
    pub async fn refresh_code(&self, options: CodeOptions) -> Result<LinkingCode, CodeError> {
        let shared = &self.0.shared;
        let number = code::number(shared).ok_or(CodeError::NothingToRefresh)?;
        code::cancel(shared).await;
        code::request_for(shared, number, &options).await
    }

    /// Cancels the code that is outstanding; says whether there was one. What is typed afterwards is ignored.
    pub async fn cancel_code(&self) -> bool {
        code::cancel(&self.0.shared).await
    }
}
