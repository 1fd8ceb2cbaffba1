//! How the account stands with the service: may it start new chats, how many messages to new chats are left (chapter
//! 09c §5). Asked at every connect, after a refusal that speaks of it, every hour, and when a restriction should have
//! ended; told by the server in between. While it is bad, new chats are refused here. Nothing here ever sends anything
//! again.

mod stanza;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wa_binary::{Jid, Node};
use wa_store::{Chat, StoreError, UnixTime, User, tables};

use crate::connection::link::Link;
use crate::health::board::Place;
use crate::health::{Cause, Condition, DeadlineKind, Status};
use crate::identity::Peer;
use crate::messages::sending::Refusal;
use crate::shared::Shared;
use stanza::{Cap, Mex, Notice, TimeLock};

/// How long an answer is good for.
const REFRESH: Duration = Duration::from_secs(3600);
/// How long a lock without an end is believed before it is asked for again.
const UNKNOWN_END: Duration = Duration::from_secs(60);

/// Keeps asking for as long as the connection stands.
pub(crate) fn watch(shared: &Arc<Shared>, link: &Link) {
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        let mut links = shared.links();
        loop {
            check(&shared, &link).await;
            let again = Instant::now() + next_check(&shared);
            let gone = links.wait_for(|current| {
                current.as_ref().is_none_or(|current| current.generation() != link.generation())
            });
            if tokio::time::timeout_at(again, gone).await.is_ok() {
                return;
            }
        }
    });
}

/// Asks once, behind a refusal.
pub(crate) fn check_later(shared: &Arc<Shared>, link: &Link) {
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move { check(&shared, &link).await });
}

/// Why a message to this address would be refused for the account's standing, and until when. Only new chats are: one
/// from which something was heard, or whose person has a token of ours, or we of theirs, is not new.
pub(crate) async fn guard(
    shared: &Shared,
    to: &Jid,
) -> Result<Option<(Refusal, Option<UnixTime>)>, StoreError> {
    let Some(barrier) = barrier(shared).filter(|_| to.is_pn() || to.is_lid()) else { return Ok(None) };
    let Some((pn, lid)) = crate::startup::own(shared) else { return Ok(None) };
    if to.same_user(&pn) || lid.is_some_and(|lid| to.same_user(&lid)) {
        return Ok(None);
    }
    let peer = shared.whole_peer(&Peer::from(to)).await?;
    for name in [peer.pn, peer.lid].into_iter().flatten() {
        let user: User = crate::identity::user_row(&name);
        let chat: Chat = crate::identity::chat_row(&name);
        if shared.store.one(tables::ChatNames, &chat).await?.is_some()
            || shared.store.one(tables::PrivacyTokens, &user).await?.is_some()
        {
            return Ok(None);
        }
    }
    Ok(Some(barrier))
}

/// What stands against new chats now.
fn barrier(shared: &Shared) -> Option<(Refusal, Option<UnixTime>)> {
    let health = shared.health().borrow().clone();
    let now = shared.now();
    let sides = health.also.iter().map(|condition| (&condition.status, condition.deadline));
    let mut all = std::iter::once((&health.status, health.deadline)).chain(sides);
    all.find_map(|(status, until)| {
        let why = match status {
            Status::RestrictedFromNewChats { .. } => Refusal::Restricted,
            Status::MessageCap { used, total } if used >= total => Refusal::Capped,
            _ => return None,
        };
        until.is_none_or(|until| until > now).then_some((why, until))
    })
}

async fn check(shared: &Arc<Shared>, link: &Link) {
    let (time_lock_query, cap_query) = (Mex::time_lock(), Mex::message_cap());
    // Both questions leave together.
    let (locked, capped) = tokio::join!(link.query(&time_lock_query), link.query(&cap_query));
    match locked {
        Ok(Ok(value)) => time_lock(shared, TimeLock::read(&value)),
        Ok(Err(error)) => tracing::debug!(%error, "the time-lock is not known"),
        Err(error) => tracing::debug!(%error, "the time-lock was not asked"),
    }
    match capped {
        Ok(Ok(value)) => match Cap::read(&value) {
            Some(read) => cap(shared, read),
            None => tracing::debug!("the message cap cannot be read"),
        },
        Ok(Err(error)) => tracing::debug!(%error, "the message cap is not known"),
        Err(error) => tracing::debug!(%error, "the message cap was not asked"),
    }
}

/// Until a restriction should have ended, at most an hour.
fn next_check(shared: &Shared) -> Duration {
    let now = shared.now();
    let calendar = shared.health().borrow().calendar.clone();
    let ends = calendar
        .iter()
        .filter(|entry| matches!(entry.kind, DeadlineKind::NewChatsAllowed | DeadlineKind::CapCycleEnds))
        .map(|entry| entry.at.since(now));
    ends.min().unwrap_or(REFRESH).clamp(Duration::from_secs(1), REFRESH)
}

fn time_lock(shared: &Shared, lock: TimeLock) {
    let now = shared.now();
    let TimeLock::Locked(until) = lock else {
        return shared.report(|board| {
            board.clear(Place::NewChats);
            board.deadline(DeadlineKind::NewChatsAllowed, None);
        });
    };
    let until = until.map(UnixTime::from_secs);
    let status = Status::RestrictedFromNewChats { until };
    let mut condition = Condition::new(status, Cause::NewChatsLocked, now);
    condition.deadline = until;
    shared.report(|board| {
        board.raise(Place::NewChats, condition);
        board.deadline(DeadlineKind::NewChatsAllowed, Some(until.unwrap_or(now.after(UNKNOWN_END))));
    });
}

fn cap(shared: &Shared, cap: Cap) {
    let now = shared.now();
    let ends = cap.ends.map(UnixTime::from_secs);
    // A cycle that is over caps nothing.
    if !cap.warns || ends.is_some_and(|ends| ends <= now) {
        return shared.report(|board| {
            board.clear(Place::MessageCap);
            board.deadline(DeadlineKind::CapCycleEnds, None);
        });
    }
    let status = Status::MessageCap { used: cap.used, total: cap.total };
    let mut condition = Condition::new(status, Cause::NewChatCap, now);
    condition.deadline = ends;
    shared.report(|board| {
        board.raise(Place::MessageCap, condition);
        board.deadline(DeadlineKind::CapCycleEnds, ends);
    });
}

/// `<notification type="mex">`: what the server tells by itself.
pub(crate) fn notification(shared: &Shared, stanza: &Node) {
    for update in stanza.each("update") {
        match Notice::read(update) {
            Some(Notice::TimeLock(lock)) => time_lock(shared, lock),
            Some(Notice::Cap(read)) => cap(shared, read),
            None => {}
        }
    }
}
