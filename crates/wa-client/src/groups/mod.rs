//! Groups: their members and their names, kept until a notification says otherwise (chapter 09b).

pub(crate) mod stanza;

use std::sync::Arc;

use wa_binary::{Jid, Node};
use wa_store::{Bytes, Changes, MappingSource, StoreError, tables};

pub use stanza::{Addressing, Group, Participant, Role};

use crate::client::Client;
use crate::connection::link::{Link, RequestError};
use crate::connection::outcome::Ended;
use crate::devices::DevicesError;
use crate::identity::{Peer, chat_row};
use crate::shared::Shared;
use crate::vault::Step;
use stanza::{CreateQuery, GroupQuery, JoinedQuery};

/// Longest name of a group, characters.
const LONGEST_SUBJECT: usize = 100;

/// A group that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// The group as it is now.
    pub group: Group,
    /// Who was not added, with the server's code: 401 has blocked us, 403 lets nobody add them, 404 does not exist, 409
    /// is in it already.
    pub not_added: Vec<(Jid, u16)>,
}

/// Why no group was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// A name has 1 to 100 characters; this one has so many.
    #[error("a group's name has 1 to 100 characters, not {0}")]
    Subject(usize),
    /// That is nobody.
    #[error("{0} is no person")]
    Member(Jid),
    /// The server: code 419 for too many members.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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

    /// Makes a group with these people. Who cannot be added is named in the answer; the group is made all the same.
    ///
    /// # Errors
    /// [`CreateError`].
    pub async fn create(&self, subject: &str, members: &[Jid]) -> Result<Created, CreateError> {
        let shared = &self.0.shared;
        let length = subject.chars().count();
        if !(1..=LONGEST_SUBJECT).contains(&length) {
            return Err(CreateError::Subject(length));
        }
        let mut peers = Vec::with_capacity(members.len());
        for member in members {
            if !(member.is_pn() || member.is_lid()) || member.is_service() {
                return Err(CreateError::Member(member.clone()));
            }
            peers.push(shared.whole_peer(&Peer::from(member)).await?);
        }
        let key = shared.ids.next();
        let query = CreateQuery { subject, members: &peers, key: &key };
        let (group, not_added) = shared.link()?.query(&query).await?;
        Ok(Created { group, not_added })
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
    let _ = vault.commit_step(shared, step).await.map_err(|_| DevicesError::Ended)?;
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
