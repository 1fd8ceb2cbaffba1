//! People: which numbers are on the service, who they are, what they call themselves (chapter 09a §2, §7).

mod stanza;

use std::collections::HashMap;
use std::time::Duration;

use compact_str::CompactString;
use wa_binary::Jid;
use wa_core::pairing_code::{PairingCodeError, phone_digits};
use wa_store::{MappingSource, StoreError, UnixTime, User, tables};

use crate::client::Client;
use crate::connection::link::RequestError;
use crate::identity::{Peer, user_row};
use crate::shared::Shared;
use crate::vault::Step;
use stanza::{Answered, LookupAnswer, LookupQuery};

/// How long a yes is believed.
const YES: Duration = Duration::from_secs(24 * 3600);
/// How long a no is.
const NO: Duration = Duration::from_secs(3600);
/// Numbers in one question.
const QUESTION: usize = 100;
/// How long to leave the server alone when it refuses without saying how long.
const REST: Duration = Duration::from_secs(60);

/// People.
#[derive(Debug, Clone, Copy)]
pub struct Contacts<'c>(&'c Client);

impl Client {
    /// People.
    pub const fn contacts(&self) -> Contacts<'_> {
        Contacts(self)
    }
}

/// How many numbers may be looked up on the server. Asking about many numbers is what gets accounts banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupBudget {
    /// Numbers, in any [`per`](Self::per).
    pub numbers: u32,
    /// Span.
    pub per: Duration,
}

impl Default for LookupBudget {
    fn default() -> Self {
        Self { numbers: 500, per: Duration::from_secs(3600) }
    }
}

/// Whether a number is on the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registered {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The server did not say.
    Unknown,
}

/// What is known of one number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lookup {
    /// The number as it was given.
    pub query: String,
    /// Whether it is on the service.
    pub registered: Registered,
    /// Whose it is, if it is.
    pub peer: Option<Peer>,
}

/// What a person is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Names {
    /// What they call themselves, as of their latest message.
    pub push: Option<String>,
    /// Verified name of a business.
    pub business: Option<String>,
    /// Full name in the account's address book.
    pub full: Option<String>,
    /// First name in the account's address book.
    pub first: Option<String>,
}

/// Why numbers were not looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// One of them is no international phone number; nothing was asked.
    #[error("{number:?} is no phone number: {source}")]
    Number {
        /// As it was given.
        number: String,
        /// What is wrong with it.
        source: PairingCodeError,
    },
    /// The budget is used up, or the server wants to be left alone; what is cached is still answered.
    #[error("no more numbers may be looked up before {until:?}")]
    TooMany {
        /// When the next ones may be.
        until: UnixTime,
    },
    /// The question failed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lease is gone.
    #[error("the account belongs to another process now")]
    LeaseLost,
}

/// What was spent of the budget. Who holds it, asks: two who want the same number at once ask one question.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    questions: Vec<(UnixTime, u32)>,
    rest_until: Option<UnixTime>,
}

impl Spent {
    /// Takes `count` numbers out of the budget, or says when that will be possible.
    fn take(&mut self, budget: LookupBudget, count: u32, now: UnixTime) -> Result<(), UnixTime> {
        if let Some(until) = self.rest_until.filter(|until| *until > now) {
            return Err(until);
        }
        self.questions.retain(|(at, _)| at.after(budget.per) > now);
        let used: u32 = self.questions.iter().map(|(_, count)| count).sum();
        if used.saturating_add(count) > budget.numbers {
            let first = self.questions.first().map_or(now, |(at, _)| *at);
            return Err(first.after(budget.per));
        }
        self.questions.push((now, count));
        Ok(())
    }
}

impl Contacts<'_> {
    /// Which of these numbers (with country code, in any writing) are on the service, and whose they are, in their
    /// order. A yes is remembered for a day, a no for an hour; only the rest is asked.
    ///
    /// # Errors
    /// [`LookupError`]; what was learnt before it is kept.
    pub async fn lookup(&self, numbers: &[&str]) -> Result<Vec<Lookup>, LookupError> {
        let shared = &self.0.shared;
        let mut digits = Vec::with_capacity(numbers.len());
        for number in numbers {
            let found = phone_digits(number)
                .map_err(|source| LookupError::Number { number: (*number).to_owned(), source })?;
            digits.push(CompactString::from(found));
        }
        let mut known = cached(shared, &digits).await?;
        if digits.iter().any(|number| !known.contains_key(number)) {
            let mut spent = shared.lookups.lock().await;
            // Whoever asked meanwhile may have learnt it.
            known = cached(shared, &digits).await?;
            let mut missing: Vec<CompactString> =
                digits.iter().filter(|number| !known.contains_key(*number)).cloned().collect();
            missing.sort_unstable();
            missing.dedup();
            for some in missing.chunks(QUESTION) {
                ask(shared, &mut spent, some, &mut known).await?;
            }
        }
        let answers = numbers.iter().zip(&digits).map(|(query, number)| {
            let (registered, peer) = known.get(number).cloned().unwrap_or((Registered::Unknown, None));
            Lookup { query: (*query).to_owned(), registered, peer }
        });
        Ok(answers.collect())
    }

    /// What a person is called, as far as it was learnt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn names(&self, peer: &Peer) -> Result<Names, StoreError> {
        let mut names = Names::default();
        for jid in peer.lid.iter().chain(&peer.pn) {
            let Some(row) = self.0.shared.store.one(tables::Contacts, &user_row(jid)).await? else {
                continue;
            };
            names.push = names.push.or(row.names.push.map(Into::into));
            names.business = names.business.or(row.names.business.map(Into::into));
            names.full = names.full.or(row.names.full.map(Into::into));
            names.first = names.first.or(row.names.first.map(Into::into));
        }
        Ok(names)
    }
}

type Known = HashMap<CompactString, (Registered, Option<Peer>)>;

async fn cached(shared: &Shared, digits: &[CompactString]) -> Result<Known, StoreError> {
    let users: Vec<User> = digits.iter().map(|number| pn_row(number)).collect();
    let rows = shared.store.many(tables::Contacts, &users).await?;
    let now = shared.now();
    let mut known = Known::new();
    for (number, row) in digits.iter().zip(rows) {
        let Some((registered, at)) = row.as_ref().and_then(|row| row.registered) else { continue };
        if at.after(if registered { YES } else { NO }) <= now {
            continue;
        }
        let jid = |user: &Option<User>| user.as_ref().and_then(|user| user.as_str().parse::<Jid>().ok());
        let peer = row.filter(|_| registered).map(|row| Peer {
            lid: jid(&row.lid),
            pn: jid(&row.pn),
            username: row.username,
        });
        known.insert(number.clone(), (if registered { Registered::Yes } else { Registered::No }, peer));
    }
    Ok(known)
}

async fn ask(
    shared: &Shared,
    spent: &mut Spent,
    numbers: &[CompactString],
    known: &mut Known,
) -> Result<(), LookupError> {
    let now = shared.now();
    let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    spent.take(shared.config.lookups, count, now).map_err(|until| LookupError::TooMany { until })?;
    let by_lid = shared.device().registration.as_ref().is_some_and(|registration| registration.lid_migrated);
    let rest = |backoff: Option<Duration>| shared.now().after(backoff.unwrap_or(REST));
    let users = match shared.link()?.query(&LookupQuery { numbers, by_lid }).await {
        Ok(LookupAnswer::Users(users)) => users,
        Ok(LookupAnswer::Refused { code, backoff }) => {
            let until = rest(backoff.map(Duration::from_secs));
            if code != 429 && backoff.is_none() {
                return Err(RequestError::Refused { code, text: String::new(), backoff: None }.into());
            }
            spent.rest_until = Some(until);
            return Err(LookupError::TooMany { until });
        }
        Err(RequestError::Refused { code: 429, backoff, .. }) => {
            let until = rest(backoff);
            spent.rest_until = Some(until);
            return Err(LookupError::TooMany { until });
        }
        Err(error) => return Err(error.into()),
    };
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    for user in users.into_iter().filter(|user| numbers.contains(&user.number)) {
        let learnt = learn(&mut step, &user).await?;
        known.insert(user.number, learnt);
    }
    let _ = vault.commit_step(shared, step).await.map_err(|_| LookupError::LeaseLost)?;
    Ok(())
}

async fn learn(step: &mut Step<'_>, user: &Answered) -> Result<(Registered, Option<Peer>), StoreError> {
    if let (Some(jid), Some(other)) = (&user.jid, &user.other) {
        step.learn(jid, other, MappingSource::Query).await?;
    }
    let Some(registered) = user.registered else { return Ok((Registered::Unknown, None)) };
    let at = pn_row(&user.number);
    let mut row = step.shared.store.one(tables::Contacts, &at).await?.unwrap_or_default();
    let mut peer = Peer::from(&Jid::pn(user.number.parse().unwrap_or_default()));
    for jid in user.jid.iter().chain(&user.other).filter(|jid| jid.is_lid()) {
        peer.lid = Some(jid.user_jid());
    }
    row.pn = Some(at.clone());
    if registered {
        row.lid = peer.lid.as_ref().map(user_row);
    }
    row.registered = Some((registered, step.shared.now()));
    step.changes.put(tables::Contacts, &at, &row);
    let answer = if registered { Registered::Yes } else { Registered::No };
    Ok((answer, registered.then_some(peer)))
}

/// Keeps what somebody calls themselves, when it is new.
pub(crate) async fn learn_push_name(
    step: &mut Step<'_>,
    sender: &Jid,
    name: &CompactString,
) -> Result<(), StoreError> {
    let at = step.address_of(&sender.user_jid()).await?.user;
    if step.push_names.get(&at).is_some_and(|known| known == name) {
        return Ok(());
    }
    step.push_names.insert(at.clone(), name.clone());
    let mut row = step.shared.store.one(tables::Contacts, &at).await?.unwrap_or_default();
    if row.names.push.as_ref() == Some(name) {
        return Ok(());
    }
    row.names.push = Some(name.clone());
    if sender.is_lid() {
        row.lid.get_or_insert_with(|| at.clone());
    } else {
        row.pn.get_or_insert_with(|| user_row(sender));
    }
    step.changes.put(tables::Contacts, &at, &row);
    Ok(())
}

fn pn_row(digits: &str) -> User {
    user_row(&Jid::pn(digits.parse().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_window_that_moves_on() {
        let budget = LookupBudget { numbers: 10, per: Duration::from_secs(100) };
        let at = UnixTime::from_secs;
        let mut spent = Spent::default();
        assert_eq!(spent.take(budget, 6, at(0)), Ok(()));
        assert_eq!(spent.take(budget, 4, at(50)), Ok(()));
        assert_eq!(spent.take(budget, 1, at(99)), Err(at(100)));
        assert_eq!(spent.take(budget, 6, at(101)), Ok(()));
        assert_eq!(spent.take(budget, 1, at(101)), Err(at(150)));
        spent.rest_until = Some(at(500));
        assert_eq!(spent.take(budget, 1, at(400)), Err(at(500)));
    }
}
