//! What follows an accepted login (chapter 01 §8): pre-keys, activation, the backlog, presence.

use std::sync::Arc;

use wa_binary::{Jid, Node, NodeRef};
use wa_store::{Glance, MappingSource, Table, UnixTime, tables};

use crate::connection::link::{Link, iq};
use crate::credentials::Own;
use crate::health::{Cause, Condition, DeadlineKind, Status};
use crate::identity::user_row;
use crate::shared::Shared;
use crate::vault::change_device;

/// Begins everything that a login brings. Later steps stop by themselves when the connection ends.
pub(crate) fn begin(shared: &Arc<Shared>, link: &Link, lid: Option<Jid>) {
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        if !count_login(&shared, lid).await {
            return;
        }
        kill_point!(shared, LoginStored);
        crate::media::forget_outage(&shared);
        let _ = link.send(&unified_session(&shared));
        // None waits for another, so their questions leave together.
        tokio::join!(
            activate(&link),
            crate::prekeys::upkeep(&shared, &link),
            crate::properties::refresh(&shared, &link),
        );
    });
}

async fn activate(link: &Link) {
    if let Err(error) = link.ask(|id| iq(id, "set", "passive").child(Node::new("active"))).await {
        tracing::debug!(%error, "the connection was not made active");
    }
}

/// Counts the login and keeps the LID that it may have brought.
async fn count_login(shared: &Shared, lid: Option<Jid>) -> bool {
    {
        let _order = shared.vault.lock().await;
        shared.count_login();
    }
    let lid = lid.map(|lid| user_row(&lid));
    let known = shared.device().registration.as_ref().and_then(|registration| registration.lid.clone());
    if lid.is_none() || lid == known {
        return true;
    }
    let now = shared.now();
    change_device(shared, |device, changes| {
        if let (Some(registration), Some(user)) = (&mut device.registration, lid) {
            changes.link_lid(&user, &registration.pn.user, MappingSource::Own, now);
            registration.lid = Some(user);
        }
    })
    .await
    .is_ok()
}

/// `<ib><unified_session/></ib>` (chapter 01 §10.1).
pub(crate) fn unified_session(shared: &Shared) -> Node {
    let id = wa_core::login::unified_session_id(shared.server_now().as_millis().cast_signed(), 0);
    Node::new("ib").child(Node::new("unified_session").attr("id", id.to_string()))
}

/// Takes the backlog as complete when it makes no progress for too long.
pub(crate) fn watch_backlog(shared: &Arc<Shared>, link: &Link) {
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        let mut health = shared.health();
        loop {
            let before = health.borrow_and_update().status.clone();
            if !matches!(before, Status::CatchingUp { .. }) || !link.is_open() {
                return;
            }
            if tokio::time::timeout(shared.config.timeouts.backlog, health.changed()).await.is_err() {
                tracing::warn!("the backlog made no progress and is taken as complete");
                caught_up(&shared, &link);
                return;
            }
        }
    });
}

/// The backlog is done: the account is online.
pub(crate) fn caught_up(shared: &Arc<Shared>, link: &Link) {
    if shared.sending_link().is_some_and(|ready| ready.generation() == link.generation()) {
        return;
    }
    let condition = Condition::new(Status::Online, Cause::Working, shared.now());
    shared.report(|board| board.connection(condition));
    shared.set_ready(link);
    crate::backlog::release(shared, link);
    crate::presence::on_connect(shared, link);
    crate::absence::device_seen(shared);
    crate::standing::watch(shared, link);
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move { take_up(&shared, &link).await });
}

/// The tables of what may be left to do.
pub(crate) fn left_to_do(glance: Glance) -> Glance {
    glance.table(tables::Outbox).table(tables::Placeholders).table(tables::PendingMutations)
}

/// What earlier connections have left to do. Looked at only once this one can be sent on: what is left from then on
/// begins by itself.
async fn take_up(shared: &Arc<Shared>, link: &Link) {
    const LEFT: [Table; 3] = [Table::Outbox, Table::Placeholders, Table::PendingMutations];
    let may_hold = |table: &Table| shared.occupied.contains(table) || shared.store.has_written(*table);
    // What was empty when the account was opened, and was not written since, is not looked at again.
    let found = match LEFT.iter().any(may_hold) {
        true => shared.store.glance(&left_to_do(Glance::default())).await,
        false => Ok(Vec::new()),
    };
    // What cannot be looked at may hold something; whoever reads it says what is wrong.
    let holds = |table| found.as_ref().map_or(true, |found| found.contains(&table));
    if holds(Table::Outbox) {
        crate::messages::outbox::wake(shared);
    }
    if holds(Table::Placeholders) {
        crate::messages::placeholder::ask_later(shared);
    }
    crate::history::on_connect(shared, link).await;
    crate::app_state::on_connect(shared, link, holds(Table::PendingMutations)).await;
}

/// A dirty bit: looked into at once, or once the backlog is done.
pub(crate) fn dirty(shared: &Arc<Shared>, link: &Link, dirty: NodeRef<'_>) {
    let (Ok(Some(kind)), Ok(Some(timestamp))) =
        (dirty.optional("type").string(), dirty.optional("timestamp").string())
    else {
        return;
    };
    if !crate::backlog::hold_dirty(shared, link, &kind, &timestamp) {
        refresh_and_clean(shared, link, kind.into(), timestamp.into());
    }
}

/// Forgets what a dirty bit speaks of, so that it is asked for anew, and only then cleans the bit.
pub(crate) fn refresh_and_clean(shared: &Arc<Shared>, link: &Link, kind: String, timestamp: String) {
    let (shared, link) = (Arc::clone(shared), link.clone());
    tokio::spawn(async move {
        match kind.as_str() {
            // Our own device list may have changed: the next send asks for it.
            "account_sync" => crate::devices::forget_own(&shared).await,
            "syncd_app_state" if crate::app_state::dirty(&shared).await.is_err() => return,
            // Not forgotten is not clean: the server says it again.
            "groups" if crate::groups::forget_all(&shared).await.is_err() => return,
            _ => {}
        }
        let clean = Node::new("clean").attr("type", kind).attr("timestamp", timestamp);
        if let Err(error) = link.ask(|id| iq(id, "set", "urn:xmpp:whatsapp:dirty").child(clean)).await {
            tracing::debug!(%error, "a dirty bit was not cleaned");
        }
    });
}

/// The server announces that it will refuse this version (chapter 01 §5.1).
pub(crate) fn client_expires(shared: &Shared, notice: NodeRef<'_>) {
    const LEAST: std::time::Duration = std::time::Duration::from_secs(3 * 86_400);
    match notice.optional("t").u64() {
        Ok(Some(at)) => {
            let at = UnixTime::from_secs(at).max(shared.now().after(LEAST));
            shared.report(|board| board.deadline(DeadlineKind::ClientExpires, Some(at)));
        }
        Ok(None) => shared.report(|board| board.deadline(DeadlineKind::ClientExpires, None)),
        Err(error) => tracing::warn!(%error, "an unreadable expiration was ignored"),
    }
}

/// Own addresses, for whoever needs both.
pub(crate) fn own(shared: &Shared) -> Option<(Jid, Option<Jid>)> {
    let device = shared.device();
    Some((device.pn()?, device.lid()))
}
