//! Broadcast lists (chapters 04 §12.5 and 05 §5.5): one message, encrypted for each device of many people, each of whom
//! sees it in the chat with this account. The server keeps no lists: who is on one the application says, or the phone of
//! a business account, whose lists are among the shared settings (chapter 07 §10).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_core::content::{Limits, Part, Unsendable};
use wa_proto::sync_action::sync_action_value::BusinessBroadcastListAction;
use wa_store::{Bytes, StoreError, tables};

use crate::app_state::Setting;
use crate::client::Client;
use crate::messages::builder::{Message, Recipient};
use crate::messages::sending::{SendError, SendOptions, Sending};
use crate::shared::Shared;
use crate::status::StoredAudience;
use crate::vault::Step;

/// Where the lists that the phone told of are stored.
const ROW: &str = "broadcast-lists";

/// A broadcast list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BroadcastList {
    /// Its address, `<number>@broadcast`.
    pub jid: Jid,
    /// What it is called.
    pub name: Option<String>,
    /// Who is on it, without devices.
    pub people: Vec<Jid>,
}

impl BroadcastList {
    /// A list of the application's own.
    pub fn new(jid: Jid, people: impl IntoIterator<Item = Jid>) -> Self {
        Self { jid, name: None, people: distinct(people) }
    }
}

fn distinct(people: impl IntoIterator<Item = Jid>) -> Vec<Jid> {
    people.into_iter().map(|person| person.user_jid()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Broadcast lists of an account.
#[derive(Debug, Clone, Copy)]
pub struct Broadcasts<'c>(&'c Client);

impl Client {
    /// Broadcast lists.
    pub const fn broadcasts(&self) -> Broadcasts<'_> {
        Broadcasts(self)
    }
}

impl Broadcasts<'_> {
    /// The lists that the phone has told of.
    ///
    /// # Errors
    /// The store.
    pub async fn known(&self) -> Result<Vec<BroadcastList>, StoreError> {
        let lists = Lists::load(&self.0.shared).await?.lists;
        Ok(lists.into_iter().map(|named| named.list).collect())
    }

    /// Sends one message through a list: own devices see it in the list, everybody else in the chat with this account.
    /// Who cannot be found is counted in the report's shortfall. The live service lets business accounts do so; others
    /// had better [`send_each`](Self::send_each).
    ///
    /// An edit, a reaction or a revoke of such a message, by the calls of
    /// [`Messages`](crate::messages::sending::Messages), goes to those who got it, for a week.
    ///
    /// # Errors
    /// [`Unsendable::Count`] for nobody or more than 256 people, [`Unsendable::Address`] for an address that is no
    /// list's or a member who is no person; otherwise as [`send`](crate::messages::sending::Messages::send).
    pub async fn send(
        &self,
        list: &BroadcastList,
        message: impl Into<Message>,
    ) -> Result<Sending, SendError> {
        self.send_with(list, message, SendOptions::default()).await
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_with(
        &self,
        list: &BroadcastList,
        message: impl Into<Message>,
        options: SendOptions,
    ) -> Result<Sending, SendError> {
        if !list.jid.is_broadcast_list() {
            return Err(Unsendable::Address.into());
        }
        let message = message.into();
        let people = checked(distinct(list.people.iter().cloned()), &message.limits)?;
        let options = SendOptions { audience: Some(StoredAudience::of(people)), ..options };
        self.0.messages().send_with(Recipient(list.jid.clone()), message, options).await
    }

    /// Sends the message to each of these people on its own, as ordinary accounts do it: a message of its own in every
    /// chat, with its own id and report. A file of the message is uploaded for each of them, unless it was
    /// [uploaded](crate::media::MediaRoom::upload) before.
    ///
    /// # Errors
    /// As [`send`](Self::send); what was taken before stays taken.
    pub async fn send_each(
        &self,
        people: impl IntoIterator<Item = Jid>,
        message: impl Into<Message>,
    ) -> Result<Vec<Sending>, SendError> {
        let message = message.into();
        let people = checked(distinct(people), &message.limits)?;
        let mut all = Vec::with_capacity(people.len());
        for person in people {
            all.push(self.0.messages().send(&person, message.clone()).await?);
        }
        Ok(all)
    }
}

/// People that a list may have.
fn checked(people: Vec<Jid>, limits: &Limits) -> Result<Vec<Jid>, Unsendable> {
    let (least, most) = (1, limits.recipients);
    if !(least..=most).contains(&people.len()) {
        return Err(Unsendable::Count { part: Part::Recipients, is: people.len(), least, most });
    }
    if people.iter().any(|person| !(person.is_pn() || person.is_lid()) || person.is_service()) {
        return Err(Unsendable::Address);
    }
    Ok(people)
}

/// The lists that the phone told of, as they are stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lists {
    lists: Vec<Named>,
}

/// A list under its name in the settings.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    name: String,
    list: BroadcastList,
}

impl Lists {
    pub(crate) async fn load(shared: &Shared) -> Result<Self, StoreError> {
        let row = shared.store.one(tables::NumberState, &ROW.into()).await?;
        Ok(row.and_then(|row| postcard::from_bytes(&row).ok()).unwrap_or_default())
    }

    pub(crate) fn store(self, step: &mut Step<'_>) {
        // Writing to memory cannot fail.
        let row = Bytes::from(postcard::to_allocvec(&self).unwrap_or_default());
        step.changes.put(tables::NumberState, &ROW.into(), &row);
    }

    /// What the phone says of one list: none, or one that is marked so, was deleted.
    pub(crate) fn change(
        &mut self,
        name: &str,
        said: Option<&BusinessBroadcastListAction>,
    ) -> Option<Setting> {
        self.lists.retain(|known| known.name != name);
        let Some(said) = said.filter(|said| !said.deleted()) else {
            return Some(Setting::BroadcastListRemoved(name.to_owned()));
        };
        let jid = [name.to_owned(), format!("{name}@broadcast")]
            .iter()
            .filter_map(|text| text.parse::<Jid>().ok())
            .find(Jid::is_broadcast_list)?;
        let person = |lid: Option<&str>, pn: Option<&str>| {
            [lid, pn].into_iter().flatten().find_map(|text| text.parse::<Jid>().ok())
        };
        let people =
            said.participants.iter().filter_map(|it| person(it.lid_jid.as_deref(), it.pn_jid.as_deref()));
        let list = BroadcastList { name: said.list_name.clone(), ..BroadcastList::new(jid, people) };
        self.lists.push(Named { name: name.to_owned(), list: list.clone() });
        Some(Setting::BroadcastList(list))
    }
}
