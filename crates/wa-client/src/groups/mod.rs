//! Groups: their members and their names, kept until a notification says otherwise (chapter 09b).

pub(crate) mod stanza;

use std::sync::Arc;

use wa_binary::{Jid, Node};
use wa_store::{Bytes, Changes, MappingSource, tables};

pub use stanza::{Addressing, Group, Participant, Role};

use crate::client::Client;
use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::devices::DevicesError;
use crate::identity::chat_row;
use crate::shared::Shared;
use crate::vault::Step;
use stanza::{GroupQuery, JoinedQuery};

/// What an account can do with groups.
#[derive(Debug, Clone, Copy)]
pub struct Groups<'c>(&'c Client);

impl Client {
    /// Groups.
    pub const fn groups(&self) -> Groups<'_> {
        Groups(self)
    }
}

impl Groups<'_> {
    /// All groups that the account is in, from the server.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn joined(&self) -> Result<Vec<Group>, RequestError> {
        self.0.shared.link()?.query(&JoinedQuery).await
    }

    /// One group, from the server.
    ///
    /// # Errors
    /// [`RequestError`]; code 403 for a group that the account is not in.
    pub async fn details(&self, group: &Jid) -> Result<Group, RequestError> {
        self.0.shared.link()?.query(&GroupQuery(group)).await
    }
}

/// A group for sending: from the store, else from the server.
pub(crate) async fn of(shared: &Arc<Shared>, link: &Link, jid: &Jid) -> Result<Group, DevicesError> {
    if let Some(row) = shared.store.one(tables::Groups, &chat_row(jid)).await?
        && let Ok(group) = postcard::from_bytes(&row)
    {
        return Ok(group);
    }
    let group = link.query(&GroupQuery(jid)).await?;
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    for participant in &group.participants {
        if let (Some(lid), Some(pn)) = (&participant.peer.lid, &participant.peer.pn) {
            step.learn(lid, pn, MappingSource::Query).await?;
        }
    }
    // Writing to memory cannot fail.
    let row = Bytes::from(postcard::to_allocvec(&group).unwrap_or_default());
    step.changes.put(tables::Groups, &chat_row(jid), &row);
    let _ = vault.commit(shared, step.finish()).await.map_err(|_| DevicesError::Ended)?;
    Ok(group)
}

/// Forgets a group: the next send asks for it.
pub(crate) async fn forget(shared: &Arc<Shared>, jid: &Jid) -> Result<(), Ended> {
    let mut changes = Changes::new();
    changes.delete(tables::Groups, &chat_row(jid));
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    Ok(())
}

/// Forgets all groups: each is asked for when it is needed next.
pub(crate) async fn forget_all(shared: &Arc<Shared>) -> Result<(), Ended> {
    let mut vault = shared.vault.lock().await;
    let mut changes = Changes::new();
    for (group, _) in shared.store.whole(tables::Groups).await? {
        changes.delete(tables::Groups, &group);
    }
    let _ = vault.commit(shared, changes).await?;
    Ok(())
}

/// `w:gp2` notifications. Whatever changes makes the kept group worthless; who leaves also makes our sender key so.
pub(crate) async fn notification(shared: &Arc<Shared>, stanza: &Node) -> Result<(), Ended> {
    let Ok(Some(group)) = stanza.optional("from").jid() else { return Ok(()) };
    let mut changes = Changes::new();
    changes.delete(tables::Groups, &chat_row(&group));
    if stanza.each_child().any(|child| matches!(child.tag(), "remove" | "modify")) {
        changes.rotate_sender_key(&chat_row(&group));
    }
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    Ok(())
}
