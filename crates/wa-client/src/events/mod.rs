//! What happens to an account, as the application hears it.
//!
//! *Durable* events (messages, receipts, changes) come through the store's inbox and are redelivered until they are
//! acknowledged. *Transient* ones (health, QR codes, typing) are latest-wins: a newer one replaces an older one that
//! was not taken yet.

mod inbox;
mod stored;
mod stream;
mod transient;

use wa_store::{AccountId, InboxCursor};

pub use stream::{Delivery, EventStream, StreamError};

pub(crate) use inbox::{Inbox, ROW, Stored};
pub(crate) use stored::StoredEvent;
pub(crate) use transient::{Slot, Transients};

use crate::calls::CallEvent;
use crate::client::Client;
use crate::health::Health;
use crate::identity::{ChatRef, Peer};
use crate::linking::qr::LinkingQr;
use crate::linking::{LinkProblem, LinkingCode};
use crate::messages::placeholder::Missing;
use crate::messages::sending::{SendError, Sending};
use crate::messages::types::{Receipt, ReceivedMessage};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A QR code to show; the newest replaces those before.
    LinkingQr(LinkingQr),
    /// A pairing code to show.
    LinkingCode(LinkingCode),
    /// Something about a link went wrong while it was still wanted.
    LinkingProblem(LinkProblem),
    /// The account is linked now.
    Linked(Peer),
    /// Another number was linked than before: state of the old number is gone, the application's is kept.
    AccountChanged {
        /// The number before.
        before: Peer,
        /// The number now.
        now: Peer,
    },
    /// The account is not linked any more.
    LoggedOut,
    /// A message; also reactions, edits, votes and whatever else refers to an earlier one.
    Message(Box<ReceivedMessage>),
    /// A message that could not be decrypted yet: its sender and the phone are asked for it. A [`Message`](Self::Message)
    /// of this id follows, or [`Missing`](Self::Missing).
    Undecryptable {
        /// Where.
        chat: ChatRef,
        /// From whom.
        sender: Peer,
        /// Its id.
        id: String,
    },
    /// A message that this device will not get, or not before the phone answers.
    Missing {
        /// Where.
        chat: ChatRef,
        /// From whom.
        sender: Peer,
        /// Its id.
        id: String,
        /// Why.
        why: Missing,
    },
    /// News about messages.
    Receipt(Receipt),
    /// Somebody calls, or a call goes on or ends.
    Call(CallEvent),
    /// Two keys turned out to be one chat; the older key stays.
    ChatsMerged {
        /// The key to use.
        kept: ChatRef,
        /// The key that is an alias from now on.
        alias: wa_store::ChatKey,
    },
    /// Another device of the account has changed a setting that all share: a name, a chat, the address book.
    Setting(Box<crate::app_state::SettingChanged>),
    /// The phone has answered about a file that a download asked it for, after the download had ended.
    LateFile(Box<crate::media::LateFile>),
    /// A person has a new identity key: the security code has changed.
    IdentityChanged(Peer),
    /// Somebody is typing, recording, or stopped.
    Typing {
        /// Where.
        chat: ChatRef,
        /// Who.
        who: Peer,
        /// What they do.
        state: TypingState,
    },
    /// The health has changed.
    Health(Box<Health>),
}

/// What somebody does in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TypingState {
    /// Writing a text.
    Typing,
    /// Recording a voice note.
    Recording,
    /// Nothing any more.
    Paused,
}

/// An event of an account.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// Whose.
    pub account: AccountId,
    /// Where it stands in the inbox; `None` for a transient event.
    pub cursor: Option<InboxCursor>,
    /// Whether it may have been delivered before.
    pub delivery: Delivery,
    /// What happened.
    pub kind: Kind,
    client: Client,
}

impl Event {
    /// Answers a message in its chat. The answer and the acknowledgement of this event are one commit: after a crash
    /// either both happened or neither.
    ///
    /// # Errors
    /// [`AnswerError::NothingToAnswer`] for an event that is no message; what [`SendError`] says.
    pub async fn answer(
        &self,
        message: impl Into<crate::messages::builder::Message>,
    ) -> Result<Sending, AnswerError> {
        let Kind::Message(received) = &self.kind else { return Err(AnswerError::NothingToAnswer) };
        let event = self.cursor.map(|cursor| (cursor, self.delivery == Delivery::Again));
        Ok(self.client.messages().answer(received.as_ref(), message, event).await?)
    }

    /// The client that this event is of.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

/// Why an event was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The event is no message.
    #[error("only messages can be answered")]
    NothingToAnswer,
    /// The answer was not taken.
    #[error(transparent)]
    Send(#[from] SendError),
}
