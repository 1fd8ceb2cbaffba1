//! Status posts (chapter 05 §5.5, §11.18): texts with colours, images, videos and voice for a day, to whom the account's
//! settings or the caller say.

mod stanza;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_core::content::Target;
use wa_store::{StoreError, tables};

use crate::client::Client;
use crate::connection::link::{Link, RequestError};
use crate::devices::DevicesError;
use crate::messages::builder::{Message, Recipient};
use crate::messages::sending::{SendError, SendOptions, Sending, audience_of};
use crate::shared::Shared;

pub use stanza::{StatusList, StatusPrivacy};

/// Where status posts go.
pub(crate) fn address() -> Jid {
    // A constant of the protocol.
    "status@broadcast".parse().unwrap_or(Jid::SERVER)
}

/// To whom a status post goes. People of the address book are those that the account knows a name of from its phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Audience {
    /// As the account is set: the server is asked when the post is sent.
    #[default]
    AsSet,
    /// Everybody in the address book.
    Contacts,
    /// The address book without these.
    Except(Vec<Jid>),
    /// These alone.
    Only(Vec<Jid>),
}

/// An audience as it is stored with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredAudience {
    list: StatusList,
    /// `None` until the server was asked for the list, too.
    people: Option<Vec<Jid>>,
    /// Whether it is known to whom: `people` are the recipients themselves then.
    resolved: bool,
}

impl StoredAudience {
    /// These alone.
    pub(crate) const fn of(people: Vec<Jid>) -> Self {
        Self { list: StatusList::Only, people: Some(people), resolved: false }
    }

    /// Who is named, as far as that is known.
    pub(crate) fn people(&self) -> &[Jid] {
        self.people.as_deref().unwrap_or_default()
    }
}

impl From<Audience> for StoredAudience {
    fn from(audience: Audience) -> Self {
        let (list, people) = match audience {
            Audience::AsSet => (StatusList::Contacts, None),
            Audience::Contacts => (StatusList::Contacts, Some(Vec::new())),
            Audience::Except(people) => (StatusList::Except, Some(people)),
            Audience::Only(people) => (StatusList::Only, Some(people)),
        };
        Self { list, people, resolved: false }
    }
}

/// Status posts of an account.
#[derive(Debug, Clone, Copy)]
pub struct StatusPosts<'c>(&'c Client);

impl Client {
    /// Status posts.
    pub const fn status(&self) -> StatusPosts<'_> {
        StatusPosts(self)
    }
}

impl StatusPosts<'_> {
    /// Posts a text, an image, a video or a voice note. Colours and font of a text: [`Message::background`],
    /// [`Message::color`], [`Message::font`].
    ///
    /// # Errors
    /// As [`send`](crate::messages::sending::Messages::send).
    pub async fn post(&self, message: impl Into<Message>, audience: Audience) -> Result<Sending, SendError> {
        let message = message.into().styled();
        self.send(message, audience.into()).await
    }

    /// Deletes a post for everybody who got it. Posts of the last week are known; of an older one whoever is in the
    /// audience as it is set now is told.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub async fn revoke(&self, post: &str) -> Result<Sending, SendError> {
        let status = address();
        let known = audience_of(&self.0.shared, &status, post).await?;
        let target = Target::new(post, status, None, true);
        self.send(Message::revoke(target), known.unwrap_or_else(|| Audience::AsSet.into())).await
    }

    /// To whom posts go as the account is set.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn privacy(&self) -> Result<StatusPrivacy, RequestError> {
        privacy(&self.0.shared.link()?).await
    }

    async fn send(&self, message: Message, audience: StoredAudience) -> Result<Sending, SendError> {
        let options = SendOptions { audience: Some(audience), ..SendOptions::default() };
        self.0.messages().send_with(Recipient(address()), message, options).await
    }
}

async fn privacy(link: &Link) -> Result<StatusPrivacy, RequestError> {
    match link.query(&stanza::StatusPrivacyQuery).await {
        // Nothing was ever set.
        Err(RequestError::Refused { code: 404, .. }) => Ok(StatusPrivacy::default()),
        other => other,
    }
}

/// Who gets a post: people without devices, in one family, without ourselves.
pub(crate) struct Recipients {
    pub(crate) people: Vec<Jid>,
    /// People who were named and have no address.
    pub(crate) unknown: u32,
    /// The audience as it is now known, for a later revoke.
    pub(crate) audience: StoredAudience,
}

impl Recipients {
    /// The value of `status_setting`.
    pub(crate) const fn setting(&self) -> &'static str {
        self.audience.list.setting()
    }
}

/// Finds out who gets a post: as it was said, as the account is set, out of the address book.
pub(crate) async fn recipients(
    shared: &Arc<Shared>,
    link: &Link,
    audience: &StoredAudience,
    own: &Jid,
) -> Result<Recipients, DevicesError> {
    if audience.resolved {
        let people = audience.people.clone().unwrap_or_default();
        return Ok(Recipients { people, unknown: 0, audience: audience.clone() });
    }
    let (list, named) = match &audience.people {
        Some(people) => (audience.list, people.clone()),
        None => {
            let set = privacy(link).await?;
            (set.list, set.people)
        }
    };
    let wanted = named.len();
    let named = in_family(shared, link, named, own).await?;
    let mut unknown = 0;
    let people: BTreeSet<Jid> = match list {
        StatusList::Only => {
            unknown = u32::try_from(wanted - named.len()).unwrap_or(u32::MAX);
            named.into_iter().collect()
        }
        StatusList::Contacts | StatusList::Except => {
            let book = address_book(shared).await?;
            let mut people: BTreeSet<Jid> = in_family(shared, link, book, own).await?.into_iter().collect();
            if list == StatusList::Except {
                people.retain(|one| !named.contains(one));
            }
            people
        }
    };
    let people: Vec<Jid> = people.into_iter().filter(|one| !one.same_user(own)).collect();
    let audience = StoredAudience { list, people: Some(people.clone()), resolved: true };
    Ok(Recipients { people, unknown, audience })
}

/// Everybody whom the phone's address book names.
async fn address_book(shared: &Shared) -> Result<Vec<Jid>, StoreError> {
    let rows = shared.store.whole(tables::Contacts).await?;
    let named = rows.into_iter().filter(|(_, row)| row.names.full.is_some() || row.names.first.is_some());
    Ok(named.filter_map(|(user, _)| user.as_str().parse().ok()).collect())
}

/// The same people in the family of our own address; who has none there is left out: a mixture would be refused.
async fn in_family(
    shared: &Arc<Shared>,
    link: &Link,
    people: Vec<Jid>,
    own: &Jid,
) -> Result<Vec<Jid>, DevicesError> {
    let mut found = Vec::with_capacity(people.len());
    for person in people {
        let person = person.user_jid();
        let same = match (own.is_lid(), person.is_lid()) {
            (true, false) => crate::devices::lid_of(shared, link, &person).await?,
            (false, true) => {
                let pn = shared.store.pn_of(&crate::identity::user_row(&person)).await?;
                pn.and_then(|pn| pn.as_str().parse().ok())
            }
            _ => Some(person),
        };
        match same {
            Some(same) => found.push(same),
            None => tracing::warn!("somebody without an address in our family is left out"),
        }
    }
    Ok(found)
}
