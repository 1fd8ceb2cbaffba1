//! How the account stands with the service: may it start new chats, how many messages to new chats are left (chapter
//! 09c §5). Asked at every connect, after a refusal that speaks of it, every hour, and when a restriction should have
//! ended; told by the server in between. Nothing here ever sends anything again.

mod stanza;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wa_binary::Node;
use wa_store::UnixTime;

use crate::connection::link::Link;
use crate::health::board::Place;
use crate::health::{Cause, Condition, DeadlineKind, Status};
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

async fn check(shared: &Arc<Shared>, link: &Link) {
    match link.query(&Mex::time_lock()).await {
        Ok(Ok(value)) => time_lock(shared, TimeLock::read(&value)),
        Ok(Err(error)) => tracing::debug!(%error, "the time-lock is not known"),
        Err(error) => tracing::debug!(%error, "the time-lock was not asked"),
    }
    match link.query(&Mex::message_cap()).await {
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
