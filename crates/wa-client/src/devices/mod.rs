//! Which devices a person has (chapter 09a §4): asked for once, kept, and forgotten when something says otherwise.

pub(crate) mod stanza;

use std::sync::Arc;

use wa_binary::{Jid, Node};
use wa_crypto::curve::PublicKey;
use wa_store::{Changes, DeviceList, MappingSource, StoreError, tables};

use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::credentials::Own;
use crate::events::StoredEvent;
use crate::identity::{Peer, user_row};
use crate::shared::Shared;
use crate::vault::Step;
use stanza::{DeviceQuery, UserDevices};

/// Users in one query.
const QUERY_USERS: usize = 1000;

/// Why devices are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevicesError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the lease is gone")]
    Ended,
}

/// The devices of users, in the family in which each user is given. From the store, else from the server.
pub(crate) async fn of(shared: &Arc<Shared>, link: &Link, users: &[Jid]) -> Result<Vec<Jid>, DevicesError> {
    let rows = shared.store.many(tables::DeviceLists, &keys(shared, users).await?).await?;
    let unknown: Vec<Jid> =
        users.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(user, _)| user.clone()).collect();
    for some in unknown.chunks(QUERY_USERS) {
        let answers = link.query(&DeviceQuery { users: some }).await?;
        store(shared, &answers).await?;
    }
    let rows = if unknown.is_empty() {
        rows
    } else {
        shared.store.many(tables::DeviceLists, &keys(shared, users).await?).await?
    };
    Ok(listed(users, rows))
}

/// The same of what the store knows; `None` when somebody would have to be asked for.
pub(crate) async fn known(shared: &Shared, users: &[Jid]) -> Result<Option<Vec<Jid>>, StoreError> {
    let rows = shared.store.many(tables::DeviceLists, &keys(shared, users).await?).await?;
    Ok(rows.iter().all(Option::is_some).then(|| listed(users, rows)))
}

fn listed(users: &[Jid], rows: Vec<Option<DeviceList>>) -> Vec<Jid> {
    let mut devices = Vec::new();
    for (user, row) in users.iter().zip(rows) {
        match row {
            Some(row) => devices.extend(row.devices.iter().map(|entry| {
                let hosting = if entry.hosted { wa_binary::Hosting::Hosted } else { wa_binary::Hosting::Own };
                user.with_device(entry.id, hosting)
            })),
            // Unresolvable: the phone alone.
            None => devices.push(user.user_jid()),
        }
    }
    devices
}

/// The LID of a person that is given by phone number, asked for if it is not known.
pub(crate) async fn lid_of(shared: &Arc<Shared>, link: &Link, pn: &Jid) -> Result<Option<Jid>, DevicesError> {
    let row = user_row(pn);
    if shared.store.lid_of(&row).await?.is_none() {
        let answers = link.query(&DeviceQuery { users: std::slice::from_ref(pn) }).await?;
        store(shared, &answers).await?;
    }
    Ok(shared.store.lid_of(&row).await?.and_then(|lid| lid.as_str().parse().ok()))
}

/// Rows are kept under the LID where it is known.
async fn keys(shared: &Shared, users: &[Jid]) -> Result<Vec<wa_store::User>, StoreError> {
    let mut keys = Vec::with_capacity(users.len());
    for user in users {
        let row = user_row(user);
        let lid = if user.is_pn() { shared.store.lid_of(&row).await? } else { None };
        keys.push(lid.unwrap_or(row));
    }
    Ok(keys)
}

async fn store(shared: &Arc<Shared>, answers: &[UserDevices]) -> Result<(), DevicesError> {
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    for answer in answers {
        if let Some(other) = &answer.other {
            step.learn(&answer.user, other, MappingSource::Query).await?;
        }
        let Some(list) = &answer.list else { continue };
        let phone = step.address_of(&answer.user.user_jid()).await?;
        let identity = shared.store.one(tables::Identities, &phone).await?;
        let identity = identity.and_then(|key| PublicKey::from_raw(&key).ok());
        let Some(list) = list.believe(identity.as_ref()) else { continue };
        let at = phone.user;
        let old = shared.store.one(tables::DeviceLists, &at).await?;
        if let (Some(before), Some(now)) = (old.as_ref().and_then(|old| old.raw_id), list.raw_id)
            && before != now
        {
            // Registered anew: what was agreed with the old companions is worthless.
            for (address, _) in shared.store.all(tables::Sessions, &at).await? {
                if address.device != 0 {
                    step.delete_session(&address);
                }
            }
        }
        let row = DeviceList {
            devices: list.devices.clone(),
            hash: list.hash.as_deref().map(Into::into),
            raw_id: list.raw_id,
            timestamp: None,
            fetched: shared.now(),
            version: old.map_or(0, |old| old.version) + 1,
        };
        step.changes.put(tables::DeviceLists, &at, &row);
    }
    let _ = vault.commit_step(shared, step).await.map_err(|_| DevicesError::Ended)?;
    Ok(())
}

/// Forgets the device lists of users: the next send asks for them.
pub(crate) async fn forget(shared: &Arc<Shared>, users: &[Jid]) -> Result<(), Ended> {
    let mut changes = Changes::new();
    for user in users {
        changes.delete(tables::DeviceLists, &user_row(user));
        if let Some(lid) = shared.store.lid_of(&user_row(user)).await? {
            changes.delete(tables::DeviceLists, &lid);
        }
    }
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    Ok(())
}

/// The same, behind a commit that is being published.
pub(crate) fn forget_later(shared: &Arc<Shared>, user: Jid) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        // A client whose lease is gone has no next send.
        let _ = forget(&shared, &[user]).await;
    });
}

/// Forgets our own list.
pub(crate) async fn forget_own(shared: &Arc<Shared>) {
    if let Some((pn, lid)) = crate::startup::own(shared) {
        let users: Vec<Jid> = std::iter::once(pn).chain(lid).collect();
        let _ = forget(shared, &users).await;
    }
}

/// `devices` and `account_sync` notifications: what they name is asked for anew with the next send.
pub(crate) async fn notification(shared: &Arc<Shared>, stanza: &Node) -> Result<(), Ended> {
    let Ok(Some(from)) = stanza.optional("from").jid() else { return Ok(()) };
    if let Ok(Some(lid)) = stanza.optional("lid").jid() {
        let mut vault = shared.vault.lock().await;
        let mut step = Step::new(shared);
        step.learn(&from, &lid, MappingSource::Live).await?;
        let _ = vault.commit_step(shared, step).await?;
    }
    if let Ok(Some(name)) = stanza.optional("pushname").string()
        && shared.device().is_me(&from)
        && !name.is_empty()
    {
        crate::vault::change_device(shared, |device, _| device.push_name = name).await?;
    }
    if shared.device().is_me(&from) && is_new_device(shared, stanza).await? {
        shared.note_new_device();
    }
    if stanza.attr_is("type", "devices") || stanza.optional_child("devices").is_some() {
        forget(shared, &[from]).await?;
    }
    Ok(())
}

/// Whether a notification about our own devices names one that we did not know.
async fn is_new_device(shared: &Shared, stanza: &Node) -> Result<bool, StoreError> {
    if stanza.optional_child("add").is_some() {
        return Ok(true);
    }
    let Some(named) = stanza.optional_child("devices") else { return Ok(false) };
    let Some((pn, lid)) = crate::startup::own(shared) else { return Ok(false) };
    let own = user_row(lid.as_ref().unwrap_or(&pn));
    let Some(known) = shared.store.one(tables::DeviceLists, &own).await? else { return Ok(false) };
    let ids = named.each("device").filter_map(|device| device.optional("jid").jid().ok().flatten());
    Ok(ids.into_iter().any(|jid| !known.devices.iter().any(|entry| entry.id == jid.device())))
}

/// `<notification type="encrypt"><identity/>`: a person has registered anew (chapter 04 §16).
pub(crate) async fn identity_changed(shared: &Arc<Shared>, stanza: &Node) -> Result<(), Ended> {
    let Ok(Some(from)) = stanza.optional("from").jid() else { return Ok(()) };
    if from.device() != 0 || shared.device().is_me(&from) {
        return Ok(());
    }
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    let at = step.address_of(&from).await?;
    let known = shared.store.one(tables::Identities, &at).await?.is_some();
    for (address, _) in shared.store.all(tables::Sessions, &at.user).await? {
        if known || address.device != 0 {
            step.delete_session(&address);
        }
    }
    step.changes.delete(tables::DeviceLists, &at.user);
    if known {
        step.changes.delete(tables::Identities, &at);
        let other = stanza.optional("lid").jid().ok().flatten();
        step.event(StoredEvent::IdentityChanged(Peer::of(&from, other.as_ref())));
    }
    let _ = vault.commit_step(shared, step).await?;
    Ok(())
}
