//! Messages that this device was not given or could not open, asked of the phone (chapters 04 §15, 08 §7.3). What is
//! missing is a row, written together with the ack of the stanza, so that a crash forgets none; the phone is asked
//! after a moment in which the message may still come, and what it sends is stored as any other message.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_core::envelope::{MessageStanza, Unavailable};
use wa_core::history::requests::{PeerAnswer, PeerRequest, placeholder};
use wa_proto::common::MessageKey;
use wa_proto::view::{View as _, e2e_message::MessageView};
use wa_store::{Bytes, Chat, StoreError, UnixTime, User, tables};

use super::retry;
use super::types::StoredMessage;
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::events::StoredEvent;
use crate::identity::{Peer, chat_row, user_row};
use crate::peer::{self, Push};
use crate::shared::Shared;
use crate::vault::{After, Step, publish};

/// The phone keeps nothing longer, and an answer after this long is none.
const OLDEST: Duration = Duration::from_secs(14 * 86_400);
/// How long a message may still come by itself.
const MOMENT: Duration = Duration::from_secs(3);
/// How long the phone may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages in one question.
const QUESTION: usize = 32;

/// Why a message will not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Missing {
    /// Linked devices are never given what may be looked at once; the phone has it.
    ViewOnce,
    /// It is for a business's cloud alone.
    Hosted,
    /// A bot's answer that only the phone gets.
    Bot,
    /// The phone was asked, and has not answered yet. Should it answer within 14 days, the message comes after all.
    PhoneSilent,
    /// The phone was asked, and does not have it either.
    PhoneHasNot,
}

/// A message that is missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    id: CompactString,
    chat: Jid,
    sender: Jid,
    sender_alt: Option<Jid>,
    from_me: bool,
    /// Seconds; 0 when the stanza had none.
    timestamp: u64,
    /// The phone was asked, and somebody was told that it is silent.
    is_told: bool,
}

impl Wanted {
    /// The chat, unless it is one of two.
    fn group(&self) -> Option<&Jid> {
        (!self.chat.is_pn() && !self.chat.is_lid()).then_some(&self.chat)
    }
}

type At = (Chat, User, CompactString);

/// Whether somebody asks the phone.
#[derive(Debug, Default)]
pub(crate) struct Asking(AtomicBool);

fn at(wanted: &Wanted) -> At {
    (chat_row(&wanted.chat), user_row(&wanted.sender), wanted.id.clone())
}

fn encoded(wanted: &Wanted) -> Bytes {
    // Writing to memory cannot fail.
    postcard::to_allocvec(wanted).unwrap_or_default().into()
}

impl Step<'_> {
    /// A stanza without a ciphertext: says why, and asks the phone when it can help.
    pub(crate) async fn unavailable(
        &mut self,
        incoming: &MessageStanza,
        kind: Unavailable,
    ) -> Result<(), StoreError> {
        let why = match kind {
            Unavailable::ViewOnce => Missing::ViewOnce,
            Unavailable::Hosted => Missing::Hosted,
            Unavailable::Bot => Missing::Bot,
            Unavailable::Other => return self.undecryptable(incoming).await,
        };
        let chat = self.chat(&incoming.chat).await?;
        let sender = Peer::of(&incoming.sender, incoming.sender_alt.as_ref());
        self.event(StoredEvent::Missing { chat, sender, id: incoming.id.to_string(), why });
        Ok(())
    }

    /// A message that cannot be opened: tells of it, and has the phone asked.
    pub(crate) async fn undecryptable(&mut self, incoming: &MessageStanza) -> Result<(), StoreError> {
        let chat = self.chat(&incoming.chat).await?;
        let sender = Peer::of(&incoming.sender, incoming.sender_alt.as_ref());
        // Nobody would have seen it.
        if !incoming.decrypt_fail_hide {
            self.event(StoredEvent::Undecryptable { chat, sender, id: incoming.id.to_string() });
        }
        let timestamp = incoming.timestamp.unwrap_or(0);
        let is_old = timestamp > 0 && self.shared.server_now().since(UnixTime::from_secs(timestamp)) > OLDEST;
        if incoming.is_peer() || is_old {
            return Ok(());
        }
        let wanted = Wanted {
            id: incoming.id.clone(),
            chat: incoming.chat.user_jid(),
            sender: incoming.sender.clone(),
            sender_alt: incoming.sender_alt.clone(),
            from_me: incoming.from_me,
            timestamp,
            is_told: false,
        };
        let until = self.shared.now().after(OLDEST);
        self.changes.put_until(tables::Placeholders, &at(&wanted), &encoded(&wanted), until);
        self.outputs.after.push(After::AskPhone);
        Ok(())
    }

    /// The message has come: nobody needs to be asked.
    pub(crate) fn not_missing(&mut self, incoming: &MessageStanza) {
        let at = (chat_row(&incoming.chat), user_row(&incoming.sender), incoming.id.clone());
        self.changes.delete(tables::Placeholders, &at);
    }

    /// The phone has sent messages again: what was asked for is stored as a message.
    pub(crate) async fn sent_again(&mut self, answer: &PeerAnswer) -> Result<(), StoreError> {
        if answer.placeholders().next().is_none() {
            return Ok(());
        }
        let waiting = rows(self.shared).await?;
        for bytes in answer.placeholders() {
            let Ok(info) = placeholder(bytes) else {
                tracing::warn!("a message that the phone sent again cannot be read");
                continue;
            };
            let (Some(id), Some(content)) = (info.id, info.content) else { continue };
            let participant: Option<Jid> = info.participant.and_then(|it| it.parse().ok());
            let remote: Option<Jid> = info.remote.and_then(|it| it.parse().ok());
            let mut found = None;
            for wanted in waiting.iter().filter(|wanted| wanted.id == id && wanted.from_me == info.from_me) {
                let author = Peer::of(&wanted.sender, wanted.sender_alt.as_ref());
                let author = self.shared.whole_peer(&author).await?;
                let says = if wanted.group().is_none() { &remote } else { &participant };
                if info.from_me || says.as_ref().is_none_or(|says| author.is(says)) {
                    found = Some(wanted);
                    break;
                }
            }
            // Only what was asked for: the phone tells who said it.
            let Some(wanted) = found else { continue };
            let Ok(message) = MessageView::parse(content) else { continue };
            self.changes.delete(tables::Placeholders, &at(wanted));
            if retry::has_come(self, &wanted.sender, wanted.group(), &wanted.id).await? {
                continue;
            }
            retry::came(self, &wanted.sender, wanted.group(), &wanted.id).await?;
            self.keep_for_add_ons(&wanted.chat, &wanted.sender, &wanted.id, &message).await?;
            let timestamp = info.timestamp.or(Some(wanted.timestamp).filter(|at| *at > 0));
            let stored = StoredMessage {
                id: wanted.id.clone(),
                chat: self.chat(&wanted.chat).await?,
                sender: Peer::of(&wanted.sender, wanted.sender_alt.as_ref()),
                from_me: wanted.from_me,
                timestamp: timestamp.map_or_else(|| self.shared.now(), UnixTime::from_secs),
                push_name: info.push_name.map(Into::into),
                was_offline: true,
                original: Bytes::copy_from_slice(content),
            };
            self.message_event(stored, &message).await?;
        }
        Ok(())
    }
}

async fn rows(shared: &Shared) -> Result<Vec<Wanted>, StoreError> {
    let rows = shared.store.whole(tables::Placeholders).await?;
    Ok(rows.into_iter().filter_map(|(_, row)| postcard::from_bytes(&row).ok()).collect())
}

/// Something is missing, or the connection is back: the phone is asked in a moment.
pub(crate) fn ask_later(shared: &Arc<Shared>) {
    if shared.asking_phone.0.swap(true, Ordering::AcqRel) {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let mut failed = None;
        loop {
            let done = ask_all(&shared, &mut failed).await;
            shared.asking_phone.0.store(false, Ordering::Release);
            // What came while the last look ended, or a connection that is back, found somebody asking.
            let again = match done {
                Ok(()) => is_open(&shared, failed).await,
                Err(error) => {
                    tracing::error!(%error, "missing messages cannot be looked at");
                    false
                }
            };
            if !again || shared.asking_phone.0.swap(true, Ordering::AcqRel) {
                return;
            }
        }
    });
}

/// Whether there is something to ask for, and a connection on which that did not fail.
async fn is_open(shared: &Shared, failed: Option<u64>) -> bool {
    let link = shared.sending_link().filter(|link| Some(link.generation()) != failed);
    link.is_some() && rows(shared).await.is_ok_and(|rows| rows.iter().any(|wanted| !wanted.is_told))
}

/// Asks until nothing is left that was not asked for.
async fn ask_all(shared: &Arc<Shared>, failed: &mut Option<u64>) -> Result<(), StoreError> {
    loop {
        if !is_open(shared, *failed).await {
            return Ok(());
        }
        tokio::time::sleep(MOMENT).await;
        let Some(link) = shared.sending_link() else { return Ok(()) };
        let mut open: Vec<Wanted> =
            rows(shared).await?.into_iter().filter(|wanted| !wanted.is_told).collect();
        open.truncate(QUESTION);
        if open.is_empty() {
            continue;
        }
        let mut keys = Vec::with_capacity(open.len());
        for wanted in &open {
            keys.push(key(shared, wanted).await?);
        }
        let request = PeerRequest::Placeholders(keys).message();
        let answer = match peer::ask(shared, &link, &request, Push::HighForce, PATIENCE).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "the phone was not asked for missing messages");
                *failed = Some(link.generation());
                return Ok(());
            }
        };
        let why = if answer.is_some() { Missing::PhoneHasNot } else { Missing::PhoneSilent };
        if tell(shared, &link, &open, why).await.is_err() {
            return Ok(());
        }
    }
}

/// What the phone is asked for, in the addresses that it keeps.
async fn key(shared: &Shared, wanted: &Wanted) -> Result<MessageKey, StoreError> {
    let in_lids = |jid: &Jid| {
        let user = jid.user_jid();
        async move {
            if !user.is_pn() {
                return Ok::<_, StoreError>(user);
            }
            let lid = shared.store.lid_of(&user_row(&user)).await?;
            Ok(lid.and_then(|lid| lid.as_str().parse().ok()).unwrap_or(user))
        }
    };
    let participant =
        if wanted.group().is_none() || wanted.from_me { None } else { Some(in_lids(&wanted.sender).await?) };
    Ok(MessageKey {
        remote_jid: Some(in_lids(&wanted.chat).await?.to_string()),
        from_me: Some(wanted.from_me),
        id: Some(wanted.id.to_string()),
        participant: participant.map(|jid| jid.to_string()),
    })
}

/// What is still missing after the phone was asked: an event says so. A silent phone may still answer.
async fn tell(shared: &Arc<Shared>, link: &Link, asked: &[Wanted], why: Missing) -> Result<(), Ended> {
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    for wanted in asked {
        if shared.store.one(tables::Placeholders, &at(wanted)).await?.is_none() {
            continue;
        }
        if retry::has_come(&mut step, &wanted.sender, wanted.group(), &wanted.id).await? {
            step.changes.delete(tables::Placeholders, &at(wanted));
            continue;
        }
        let told = Wanted { is_told: true, ..wanted.clone() };
        match why {
            Missing::PhoneSilent => {
                let until = shared.now().after(OLDEST);
                step.changes.put_until(tables::Placeholders, &at(&told), &encoded(&told), until);
            }
            _ => {
                step.changes.delete(tables::Placeholders, &at(&told));
            }
        }
        let chat = step.chat(&told.chat).await?;
        let sender = Peer::of(&told.sender, told.sender_alt.as_ref());
        step.event(StoredEvent::Missing { chat, sender, id: told.id.to_string(), why });
    }
    let committed = vault.commit_step(shared, step).await?;
    publish(shared, link, committed);
    Ok(())
}
