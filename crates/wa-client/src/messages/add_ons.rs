//! What belongs to another message (chapter 05 §8.2, §11, §12): message secrets are kept, encrypted votes, reactions,
//! comments, edits and event responses are opened, polls are counted; and the way out, sealing what we add.

use std::collections::{HashMap, HashSet};

use wa_binary::Jid;
use wa_core::content::{Content, Parsed, Poll, Tally, TallyLine, Target, Viewpoint, stands_alone};
use wa_core::envelope::glance;
use wa_core::history::StoredSecret;
use wa_core::secrets::{KnownAs, MessageSecret, open_any};
use wa_proto::view::{View as _, e2e_message::MessageView};
use wa_store::{Bytes, Changes, Chat, SecretPage, SecretSource, StoreError, User, tables};

use super::builder::Unsendable;
use super::sending::{Messages, SendError};
use super::types::{PollLine, PollResult, StoredAddOn, StoredMessage};
use crate::credentials::Own;
use crate::events::StoredEvent;
use crate::identity::{Peer, chat_row, user_row};
use crate::shared::Shared;
use crate::vault::Step;

/// Where the secret of a message is kept: chat, author, id.
type SecretKey = (Chat, User, compact_str::CompactString);

/// Pages of secrets that are looked into for whether a message has come: two thousand messages of one person in one chat.
const ARRIVALS: usize = 64;
/// Pages that one read brings.
const PAGES: usize = 16;

/// A voter's vote: when, and hashes of the options.
type Vote = (u64, Vec<[u8; 32]>);

/// Votes of a poll that the batch has changed.
type Votes = HashMap<SecretKey, HashMap<Jid, Vote>>;

/// What a batch has learnt and not committed yet: an add-on can follow its message in the same batch.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    pages: HashMap<(Chat, User), OpenPage>,
    arrived: HashMap<(Chat, User), HashSet<compact_str::CompactString>>,
    polls: HashMap<SecretKey, Vec<String>>,
    votes: Votes,
}

/// The page that secrets go into, as the batch has it.
#[derive(Debug, Default)]
struct OpenPage {
    page: SecretPage,
    /// Those that it has filled.
    full: Vec<SecretPage>,
    is_changed: bool,
}

impl Learnt {
    /// Writes the pages that the batch has changed, each once.
    pub(crate) fn write_secrets(&mut self, changes: &mut Changes) {
        for ((chat, author), open) in self.pages.iter_mut().filter(|(_, open)| open.is_changed) {
            for full in open.full.drain(..) {
                changes.put(tables::MessageSecrets, &(chat.clone(), author.clone(), full.number()), &full);
            }
            changes.put(tables::MessageSecrets, &(chat.clone(), author.clone(), 0), &open.page);
        }
    }

    fn secret(&self, (chat, author, id): &SecretKey) -> Option<wa_store::MessageSecret> {
        let open = self.pages.get(&(chat.clone(), author.clone()))?;
        std::iter::once(&open.page).chain(open.full.iter().rev()).find_map(|page| page.of(id)).cloned()
    }
}

/// Pages of secrets that are stored, newest first, until `is_enough`.
async fn stored_pages(
    shared: &Shared,
    (chat, author): (&Chat, &User),
    most: usize,
    mut is_enough: impl FnMut(&SecretPage) -> bool,
) -> Result<(), StoreError> {
    let open = shared.store.one(tables::MessageSecrets, &(chat.clone(), author.clone(), 0)).await?;
    let Some(open) = open else { return Ok(()) };
    if is_enough(&open) || open.before == 0 {
        return Ok(());
    }
    let (of, mut mark, mut seen) = ((chat.clone(), author.clone()), None, 0);
    while seen < most {
        let page = shared.store.page(tables::MessageSecrets, &of, mark.as_ref(), PAGES).await?;
        seen += page.rows.len();
        if page.rows.iter().any(|((.., number), row)| *number != 0 && is_enough(row)) {
            return Ok(());
        }
        let Some(next) = page.next else { return Ok(()) };
        mark = Some(next);
    }
    Ok(())
}

/// The secret that is stored at the first of these places that has one.
async fn stored_secret(
    shared: &Shared,
    places: Vec<SecretKey>,
) -> Result<Option<(SecretKey, wa_store::MessageSecret)>, StoreError> {
    for place in places {
        let mut found = None;
        stored_pages(shared, (&place.0, &place.1), usize::MAX, |page| {
            found = page.of(&place.2).cloned();
            found.is_some()
        })
        .await?;
        if let Some(secret) = found {
            return Ok(Some((place, secret)));
        }
    }
    Ok(None)
}

/// Names of a chat or a person, the one that is tried first in front.
async fn names(shared: &Shared, jid: &Jid) -> Result<Vec<Jid>, StoreError> {
    let jid = jid.user_jid();
    let device = shared.device();
    if device.is_me(&jid) {
        let forms = [device.lid(), device.pn()];
        return Ok(forms.into_iter().flatten().map(|own| own.user_jid()).collect());
    }
    let user = user_row(&jid);
    let other = if jid.is_lid() {
        shared.store.pn_of(&user).await?
    } else if jid.is_pn() {
        shared.store.lid_of(&user).await?
    } else {
        None
    };
    let other = other.and_then(|other| other.as_str().parse().ok());
    Ok(std::iter::once(jid).chain(other).collect())
}

/// Every place where the secret of a message may be kept.
async fn places(shared: &Shared, target: &Target) -> Result<Vec<SecretKey>, StoreError> {
    let device = shared.device();
    let own = || device.lid().or_else(|| device.pn()).filter(|_| target.from_me);
    let (Some(chat), Some(author)) = (&target.chat, target.author.clone().or_else(own)) else {
        return Ok(Vec::new());
    };
    let mut places = Vec::with_capacity(4);
    let authors = names(shared, &author).await?;
    for chat in names(shared, chat).await? {
        for author in &authors {
            places.push((chat_row(&chat), user_row(author), target.id.as_str().into()));
        }
    }
    Ok(places)
}

/// Puts what another message is called into this account's point of view.
pub(crate) fn localize(target: &mut Target, chat: &Jid, sender: &Peer, me: &Peer) {
    let as_seen = |peer: &Peer| {
        let form = if chat.is_pn() { peer.pn.as_ref().or(peer.lid.as_ref()) } else { peer.jid() };
        form.cloned()
    };
    let (Some(sender), Some(own)) = (as_seen(sender), as_seen(me)) else { return };
    let also = [&me.pn, &me.lid].into_iter().flatten().find(|jid| **jid != own);
    target.seen_from(Viewpoint { chat, sender: &sender, me: &own, also_me: also });
}

impl Step<'_> {
    /// Keeps what later add-ons to a message need: its secret, and the options of a poll. Says whether it had one.
    pub(crate) async fn keep_for_add_ons(
        &mut self,
        chat: &Jid,
        author: &Jid,
        id: &str,
        message: &MessageView<'_>,
    ) -> Result<bool, StoreError> {
        let Ok(seen) = glance(message) else { return Ok(false) };
        let Some(secret) = seen.secret.and_then(|secret| wa_crypto::Secret::try_from(secret).ok()) else {
            return Ok(false);
        };
        let key = (chat_row(chat), user_row(author), id.into());
        if !seen.kind.is_some_and(stands_alone)
            && let Ok(message) = message.decode()
            && let Content::Poll(Poll { options, .. }) = Parsed::read(&message).content
        {
            self.keep_options(&key, options);
        }
        self.keep_secret(key, secret, SecretSource::Live).await?;
        Ok(true)
    }

    async fn keep_secret(
        &mut self,
        (chat, author, id): SecretKey,
        secret: wa_crypto::Secret<32>,
        source: SecretSource,
    ) -> Result<(), StoreError> {
        let at = (chat, author);
        if !self.learnt.pages.contains_key(&at) {
            let key = (at.0.clone(), at.1.clone(), 0);
            let page = self.shared.store.one(tables::MessageSecrets, &key).await?.unwrap_or_default();
            self.learnt.pages.insert(at.clone(), OpenPage { page, ..OpenPage::default() });
        }
        let open = self.learnt.pages.entry(at).or_default();
        if open.page.secrets.len() >= SecretPage::FULL {
            let next = SecretPage { before: open.page.before.saturating_add(1), secrets: Vec::new() };
            open.full.push(std::mem::replace(&mut open.page, next));
        }
        open.page.secrets.push(wa_store::MessageSecret { id, secret, source });
        open.is_changed = true;
        Ok(())
    }

    /// Whether a message has come live whose secret is kept, as far back as [`ARRIVALS`] goes. `group` is none in a chat
    /// of two.
    pub(crate) async fn came_with_secret(
        &mut self,
        sender: &Jid,
        group: Option<&Jid>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let mut target = Target::new(id, group.unwrap_or(sender).user_jid(), Some(sender.user_jid()), false);
        target.from_me = false;
        for place in places(self.shared, &target).await? {
            let is_live = |secret: wa_store::MessageSecret| secret.source == SecretSource::Live;
            if self.learnt.secret(&place).is_some_and(is_live) {
                return Ok(true);
            }
            let at = (place.0, place.1);
            if !self.learnt.arrived.contains_key(&at) {
                let mut ids = HashSet::new();
                stored_pages(self.shared, (&at.0, &at.1), ARRIVALS, |page| {
                    let live = page.secrets.iter().filter(|secret| secret.source == SecretSource::Live);
                    ids.extend(live.map(|secret| secret.id.clone()));
                    false
                })
                .await?;
                self.learnt.arrived.insert(at.clone(), ids);
            }
            if self.learnt.arrived.get(&at).is_some_and(|ids| ids.contains(id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn keep_options(&mut self, key: &SecretKey, options: Vec<String>) {
        self.changes.put(tables::Polls, key, &encoded(&options));
        self.learnt.polls.insert(key.clone(), options);
    }

    /// Keeps secrets of messages from before the link. One that came live counts for more.
    pub(crate) async fn keep_old_secrets(&mut self, secrets: &[StoredSecret]) -> Result<(), StoreError> {
        let device = std::sync::Arc::clone(&self.device);
        let own = device.lid().or_else(|| device.pn()).map(|own| own.user_jid());
        for old in secrets {
            let Some(author) = old.sender.as_ref().or(own.as_ref()) else { continue };
            let key = (chat_row(&old.chat), user_row(author), old.id.clone());
            if self.learnt.secret(&key).is_some()
                || stored_secret(self.shared, vec![key.clone()]).await?.is_some()
            {
                continue;
            }
            self.keep_secret(key, wa_crypto::Secret::new(old.secret), SecretSource::History).await?;
        }
        Ok(())
    }

    /// A message for the application. One that refers to another one is understood as far as that one is known.
    pub(crate) async fn message_event(
        &mut self,
        message: StoredMessage,
        view: &MessageView<'_>,
    ) -> Result<(), StoreError> {
        let stands_alone = glance(view).is_ok_and(|seen| seen.kind.is_some_and(stands_alone));
        // Most messages are not decoded before the application reads them.
        let decoded = if stands_alone { None } else { view.decode().ok() };
        let parsed = decoded.map_or(Content::Other(None), |decoded| Parsed::read(&decoded).content);
        let Some(target) = parsed.target() else {
            self.event(StoredEvent::Message(Box::new(message)));
            return Ok(());
        };
        let mut target = target.clone();
        let me = self.me();
        localize(&mut target, &message.chat.jid, &message.sender, &me);
        let mut add_on = StoredAddOn { message, me, opened: None, options: Vec::new(), poll: None };
        if let Content::Sealed(sealed) = &parsed
            && let Some(use_case) = sealed.kind.use_case()
            && let Some((key, secret)) = self.secret(&target).await?
        {
            let author: Option<Jid> = key.1.as_str().parse().ok();
            let by = if add_on.message.from_me { &add_on.me } else { &add_on.message.sender };
            let by = by.clone();
            let sender = by.jid().cloned();
            if let (Some(author), Some(sender)) = (author, sender) {
                let known = names(self.shared, &author).await?;
                let parent = KnownAs {
                    lid: known.iter().find(|jid| jid.is_lid()),
                    pn: known.iter().find(|jid| jid.is_pn()),
                    seen: &author,
                };
                let modifier = KnownAs { lid: by.lid.as_ref(), pn: by.pn.as_ref(), seen: &sender };
                let sealed_bytes = (&sealed.iv[..], &sealed.payload[..]);
                let secret = MessageSecret::new(*secret.secret.expose());
                match open_any(&secret, use_case, &target.id, parent, modifier, sealed_bytes) {
                    Ok(opened) => {
                        let content = sealed.content(&opened);
                        self.count(&key, &sender, content, &mut add_on).await?;
                        add_on.opened = Some(opened.into());
                    }
                    Err(error) => tracing::warn!(%error, "an add-on was left sealed"),
                }
            }
        }
        self.event(StoredEvent::AddOn(Box::new(add_on)));
        Ok(())
    }

    pub(crate) fn me(&self) -> Peer {
        match (self.device.pn(), self.device.lid()) {
            (Some(pn), lid) => Peer::of(&pn, lid.as_ref()),
            _ => Peer::default(),
        }
    }

    pub(crate) async fn secret(
        &self,
        target: &Target,
    ) -> Result<Option<(SecretKey, wa_store::MessageSecret)>, StoreError> {
        let places = places(self.shared, target).await?;
        for place in &places {
            if let Some(secret) = self.learnt.secret(place) {
                return Ok(Some((place.clone(), secret)));
            }
        }
        stored_secret(self.shared, places).await
    }

    /// A vote changes the result of its poll, an added option its options.
    async fn count(
        &mut self,
        key: &SecretKey,
        voter: &Jid,
        content: Option<Content>,
        add_on: &mut StoredAddOn,
    ) -> Result<(), StoreError> {
        let Some(mut options) = self.options(key).await? else { return Ok(()) };
        match content {
            Some(Content::PollOption(added)) => {
                if !options.contains(&added.option) {
                    options.push(added.option);
                    self.keep_options(key, options);
                }
                return Ok(());
            }
            Some(Content::PollVote(vote)) => {
                let mut votes: HashMap<Jid, Vote> = votes(self.shared, key).await?.into_iter().collect();
                votes.extend(
                    self.learnt.votes.get(key).into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())),
                );
                let mut tally = Tally::new(options.iter().cloned());
                for (voter, (at, chosen)) in votes {
                    tally.vote(&voter, at, chosen);
                }
                let at = vote.at_ms.unwrap_or(0);
                let chosen: Vec<[u8; 32]> = vote.chosen.iter().map(|voted| voted.hash).collect();
                if tally.vote(voter, at, chosen.iter().copied()) {
                    let row = (poll_row(key), user_row(voter));
                    self.changes.put(tables::PollVotes, &row, &encoded(&(at, &chosen)));
                    self.learnt.votes.entry(key.clone()).or_default().insert(voter.clone(), (at, chosen));
                }
                add_on.poll = Some(result(&tally));
            }
            _ => return Ok(()),
        }
        add_on.options = options;
        Ok(())
    }

    async fn options(&self, key: &SecretKey) -> Result<Option<Vec<String>>, StoreError> {
        if let Some(options) = self.learnt.polls.get(key) {
            return Ok(Some(options.clone()));
        }
        options(self.shared, key).await
    }
}

async fn options(shared: &Shared, key: &SecretKey) -> Result<Option<Vec<String>>, StoreError> {
    let row = shared.store.one(tables::Polls, key).await?;
    Ok(row.and_then(|row| postcard::from_bytes(&row).ok()))
}

async fn votes(shared: &Shared, key: &SecretKey) -> Result<Vec<(Jid, Vote)>, StoreError> {
    let rows = shared.store.all(tables::PollVotes, &poll_row(key)).await?;
    let vote = |((_, voter), row): ((Bytes, User), Bytes)| {
        Some((voter.as_str().parse().ok()?, postcard::from_bytes(&row).ok()?))
    };
    Ok(rows.into_iter().filter_map(vote).collect())
}

/// One name for a poll: the votes of a poll are read together.
fn poll_row((chat, author, id): &SecretKey) -> Bytes {
    encoded(&(chat.as_str(), author.as_str(), id.as_str()))
}

fn encoded(value: &impl serde::Serialize) -> Bytes {
    // Writing to memory cannot fail.
    postcard::to_allocvec(value).unwrap_or_default().into()
}

fn result(tally: &Tally) -> PollResult {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let line = |line: TallyLine| PollLine { votes: count(line.voters.len()), option: line.option };
    PollResult { lines: tally.lines().into_iter().map(line).collect(), voters: count(tally.voters()) }
}

/// Seals content that travels under the secret of the message that it belongs to.
pub(crate) async fn seal(shared: &Shared, content: &Content) -> Result<Content, SendError> {
    let Some(target) = content.target() else { return Err(Unsendable::NoSecret.into()) };
    let places = places(shared, target).await?;
    let (place, secret) = stored_secret(shared, places).await?.ok_or(Unsendable::NoSecret)?;
    let author: Jid = place.1.as_str().parse().map_err(|_| Unsendable::NoSecret)?;
    let device = shared.device();
    let own = if author.is_lid() { device.lid().or(device.pn()) } else { device.pn() };
    let own = own.ok_or(SendError::NotLinked)?.user_jid();
    let secret = MessageSecret::new(*secret.secret.expose());
    let sealed = content.seal(&secret, &author, &own, &mut shared.rng());
    match sealed {
        Ok(Some(sealed)) => Ok(Content::Sealed(sealed)),
        _ => Err(Unsendable::NoSecret.into()),
    }
}

/// Counts an own vote, as part of its commit.
pub(crate) async fn count_own(
    shared: &Shared,
    changes: &mut Changes,
    content: &Content,
) -> Result<(), StoreError> {
    let Content::PollVote(vote) = content else { return Ok(()) };
    let Some(own) = shared.device().lid().or(shared.device().pn()) else { return Ok(()) };
    for place in places(shared, &vote.poll).await? {
        if options(shared, &place).await?.is_some() {
            let chosen: Vec<[u8; 32]> = vote.chosen.iter().map(|voted| voted.hash).collect();
            let row = (poll_row(&place), user_row(&own.user_jid()));
            changes.put(tables::PollVotes, &row, &encoded(&(vote.at_ms.unwrap_or(0), &chosen)));
        }
    }
    Ok(())
}

impl Messages<'_> {
    /// How a poll stands: its options and who voted for them. `None` for a poll that this client has not seen.
    ///
    /// # Errors
    /// What the store says.
    pub async fn poll_result(&self, poll: impl Into<Target>) -> Result<Option<Vec<TallyLine>>, StoreError> {
        let shared = &self.0.shared;
        for place in places(shared, &poll.into()).await? {
            let Some(options) = options(shared, &place).await? else { continue };
            let mut tally = Tally::new(options);
            for (voter, (at, chosen)) in votes(shared, &place).await? {
                tally.vote(&voter, at, chosen);
            }
            return Ok(Some(tally.lines()));
        }
        Ok(None)
    }
}
