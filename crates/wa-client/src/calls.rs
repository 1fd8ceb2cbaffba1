//! Calls, as far as signalling goes (chapter 05 §13): they are told, answered as the server expects, and can be
//! refused. Their media is no part of this library.

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_binary::{Jid, Node};
use wa_core::envelope::{Call, CallAction, reject_call};
use wa_store::UnixTime;

use crate::client::Client;
use crate::connection::acks::ack;
use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::credentials::Own;
use crate::events::StoredEvent;
use crate::identity::Peer;
use crate::shared::Shared;
use crate::vault::{Step, publish};

/// Something that happens in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallEvent {
    /// Names the call.
    pub call: CompactString,
    /// Who began it, as the wire names them.
    pub creator: Jid,
    /// Whose device says it.
    pub from: Peer,
    /// The group that is called.
    pub group: Option<Jid>,
    /// Whether it is a video call, as far as this stanza says.
    pub media: CallMedia,
    /// What happens.
    pub action: CallState,
    /// The server's time.
    pub at: UnixTime,
    /// Whether it waited on the server while the client was away: who called then rings no more.
    pub was_offline: bool,
}

/// What a call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CallMedia {
    /// Voices.
    Audio,
    /// Voices and pictures.
    Video,
}

/// What happens in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CallState {
    /// It rings.
    Offered,
    /// A call in a group has begun.
    GroupOffered,
    /// A device rings.
    Ringing,
    /// It was taken.
    Accepted,
    /// It was refused; a device that is busy says so.
    Rejected(Option<CompactString>),
    /// It is over.
    Ended(CallEnd),
}

/// Why a call is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CallEnd {
    /// Nobody took it.
    Missed,
    /// Another own device took it.
    AcceptedElsewhere,
    /// Another own device refused it.
    RejectedElsewhere,
    /// Somebody hung up; seconds that it lasted, if the stanza says so.
    HungUp(Option<u64>),
}

/// Calls of an account.
#[derive(Debug, Clone, Copy)]
pub struct Calls<'c>(&'c Client);

impl Client {
    /// Calls.
    pub const fn calls(&self) -> Calls<'_> {
        Calls(self)
    }
}

impl Calls<'_> {
    /// Refuses a call, on all devices of this account.
    ///
    /// # Errors
    /// [`RequestError::Disconnected`].
    pub fn reject(&self, call: &CallEvent) -> Result<(), RequestError> {
        let shared = &self.0.shared;
        let link = shared.link()?;
        let own = shared.device().own().ok_or(RequestError::Disconnected)?;
        link.send(&reject_call(&shared.ids.next(), Some(call.call.as_str()), &call.creator, &own))
    }
}

/// What an application hears of; the rest of signalling is for those who carry media.
fn state(call: &Call) -> Option<CallState> {
    Some(match call.action {
        CallAction::Offer => CallState::Offered,
        CallAction::OfferNotice => CallState::GroupOffered,
        CallAction::PreAccept => CallState::Ringing,
        CallAction::Accept => CallState::Accepted,
        CallAction::Reject => CallState::Rejected(call.reason.clone()),
        CallAction::Terminate => CallState::Ended(match call.reason.as_deref() {
            Some("timeout") => CallEnd::Missed,
            Some("accepted_elsewhere") => CallEnd::AcceptedElsewhere,
            Some("rejected_elsewhere") => CallEnd::RejectedElsewhere,
            _ => CallEnd::HungUp(call.duration),
        }),
        _ => return None,
    })
}

/// Takes a `<call>`: stores what it says, then gives its one answer.
pub(crate) async fn receive(shared: &Arc<Shared>, link: &Link, stanza: &Node) -> Result<(), Ended> {
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    match (Call::parse(stanza.view()), shared.device().own()) {
        (Ok(call), Some(own)) => {
            step.outputs.stanzas.push(call.answer(&own));
            if let (Some(action), Some(name), Some(creator)) =
                (state(&call), call.call_id.clone(), call.call_creator.clone())
            {
                let from = Peer::of(&call.from, call.caller_pn.as_ref());
                let from = shared.whole_peer(&from).await?;
                step.event(StoredEvent::Call(CallEvent {
                    call: name,
                    creator,
                    from,
                    group: call.group_jid.clone(),
                    media: if call.is_video { CallMedia::Video } else { CallMedia::Audio },
                    action,
                    at: call.timestamp.map_or_else(|| shared.now(), UnixTime::from_secs),
                    was_offline: call.offline,
                }));
            }
        }
        (Err(error), _) => {
            tracing::warn!(%error, "a call cannot be read");
            step.outputs.stanzas.extend(ack(stanza, None));
        }
        (_, None) => step.outputs.stanzas.extend(ack(stanza, None)),
    }
    let committed = vault.commit_step(shared, step).await?;
    publish(shared, link, committed);
    Ok(())
}
