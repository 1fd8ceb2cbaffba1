//! Being seen, and seeing others type (chapters 01 §8.1 and 09a §10).

use std::sync::Arc;

use wa_binary::{Jid, Node};

use crate::client::Client;
use crate::connection::link::{Link, RequestError};
use crate::events::{Kind, Slot, TypingState};
use crate::identity::Peer;
use crate::shared::Shared;
use crate::vault::Step;

/// How the account shows itself after a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConnect {
    /// As online: others see it, and delivery receipts are active.
    #[default]
    Available,
    /// As offline: the phone goes on to ring, and delivery receipts are inactive.
    Unavailable,
}

/// Presence of an account.
#[derive(Debug, Clone, Copy)]
pub struct Presence<'c>(&'c Client);

impl Client {
    /// Presence.
    pub const fn presence(&self) -> Presence<'_> {
        Presence(self)
    }
}

impl Presence<'_> {
    /// Shows in a chat what the account does. Lasts about 25 seconds unless repeated.
    ///
    /// # Errors
    /// [`RequestError::Disconnected`].
    pub fn typing(&self, chat: &Jid, state: TypingState) -> Result<(), RequestError> {
        let what = match state {
            TypingState::Typing => Node::new("composing"),
            TypingState::Recording => Node::new("composing").attr("media", "audio"),
            TypingState::Paused => Node::new("paused"),
        };
        self.0.shared.link()?.send(&Node::new("chatstate").attr("to", chat.user_jid()).child(what))
    }
}

/// After the backlog: shows the account as configured, if it has a name to show.
pub(crate) fn on_connect(shared: &Arc<Shared>, link: &Link) {
    let name = shared.device().push_name.clone();
    let kind = match shared.config.presence {
        OnConnect::Available => "available",
        OnConnect::Unavailable => "unavailable",
    };
    if name.is_empty() {
        return;
    }
    let presence = Node::new("presence").attr("type", kind).attr("name", name.replace('@', ""));
    if link.send(&presence).is_ok() {
        shared.set_active(kind == "available");
    }
}

/// `<chatstate>`: a transient event.
pub(crate) async fn chatstate(shared: &Arc<Shared>, stanza: &Node) {
    let Ok(Some(from)) = stanza.optional("from").jid() else { return };
    let who = stanza.optional("participant").jid().ok().flatten().unwrap_or_else(|| from.clone());
    let state = match stanza.view().first_child() {
        Some(child) if child.is("composing") && child.attr_is("media", "audio") => TypingState::Recording,
        Some(child) if child.is("composing") => TypingState::Typing,
        _ => TypingState::Paused,
    };
    // Only a chat that exists can be shown; typing alone makes none.
    let mut step = Step::new(shared);
    let Ok(chat) = step.chat(&from.account()).await else { return };
    let slot = Slot::Typing(from.user_jid(), who.user_jid());
    shared.transients.put(slot, Kind::Typing { chat, who: Peer::from(&who), state });
}
