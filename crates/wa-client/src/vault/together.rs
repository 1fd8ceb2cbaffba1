//! Commits that wait at the same moment become one. Messages that are taken, sealed and settled come in numbers, each from
//! a task of its own; whoever comes while a commit is under way shares the next. What is asked for is done by a task that
//! nobody's cancellation ends in the middle. A new message whose devices and sessions are known is sealed in the commit
//! that takes it; what nothing waits for goes along with the next commit, or has one of its own a moment later.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use wa_store::{Changes, Chat, Committed, InboxCursor, OutboxOrder, OutboxRow, tables};

use super::{Outputs, Step, Vault};
use crate::connection::outcome::Ended;
use crate::messages::seal::{self, SealError, Wanted};
use crate::messages::status::{self, Reached};
use crate::shared::Shared;

/// Wishes that one commit fulfils at most.
const MOST: usize = 128;
/// Bytes of changes that one commit takes on, beside the first wish's.
const MOST_BYTES: usize = 1 << 20;

/// How long what nothing waits for waits for a commit that it can share.
const LATER: Duration = Duration::from_millis(5);

/// Nothing was committed, and nothing will be: the lease or the store is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// Wishes of one account that wait.
#[derive(Default)]
pub(crate) struct Together {
    waiting: Mutex<Waiting>,
    /// Somebody wants a commit now.
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    wishes: Vec<Wish>,
    /// What may wait a moment.
    later: Vec<Later>,
    /// A task is at work that will look again.
    is_served: bool,
}

/// What may wait a moment, and who waits for it.
pub(super) struct Later {
    changes: Changes,
    /// How far a message has come by it.
    reached: Option<Reached>,
    /// Events that the application has done with, each with whether its deliveries are counted.
    done: Vec<(InboxCursor, bool)>,
    tell: Tell,
}

/// What a step has taken along: who is to be told of its end, and the events that it is the end of.
#[derive(Default)]
pub(super) struct Along {
    tell: Vec<Tell>,
    done: Vec<(InboxCursor, bool)>,
}

/// Tells what became of a commit.
type Tell = oneshot::Sender<Result<(), Gone>>;

/// A message that the application gives.
pub(crate) struct NewMessage {
    pub(crate) order: OutboxOrder,
    pub(crate) row: OutboxRow,
    /// What belongs to it.
    pub(crate) changes: Changes,
    /// The event that it answers, and whether its deliveries are counted.
    pub(crate) event: Option<(InboxCursor, bool)>,
}

enum Wish {
    Take(Box<NewMessage>, oneshot::Sender<Result<Option<OutboxRow>, Gone>>),
    Seal(Box<Wanted>, oneshot::Sender<Result<OutboxRow, SealError>>),
}

/// Commits changes that depend on no state that could change meanwhile.
pub(crate) async fn commit(shared: &Arc<Shared>, changes: Changes) -> Result<(), Gone> {
    let told = put(shared, changes, None, Vec::new());
    shared.together.bell.notify_one();
    told.await.unwrap_or(Err(Gone))
}

/// The same together with others, or a moment later.
pub(crate) async fn commit_later(
    shared: &Arc<Shared>,
    changes: Changes,
    reached: Option<Reached>,
) -> Result<(), Gone> {
    put(shared, changes, reached, Vec::new()).await.unwrap_or(Err(Gone))
}

/// The application has done with these events: nobody waits until that is stored.
pub(crate) fn done_with(shared: &Arc<Shared>, events: Vec<(InboxCursor, bool)>) {
    drop(put(shared, Changes::new(), None, events));
}

/// Waits until everything that may wait a moment is committed, or cannot be.
pub(crate) async fn finish(shared: &Arc<Shared>) -> Result<(), Gone> {
    commit(shared, Changes::new()).await
}

fn put(
    shared: &Arc<Shared>,
    changes: Changes,
    reached: Option<Reached>,
    done: Vec<(InboxCursor, bool)>,
) -> oneshot::Receiver<Result<(), Gone>> {
    let (tell, told) = oneshot::channel();
    let mut waiting = shared.together.waiting.lock();
    waiting.later.push(Later { changes, reached, done, tell });
    serve_wishes(shared, waiting);
    told
}

/// Takes a message into the outbox; gives its row if it was sealed at once.
pub(crate) async fn take(shared: &Arc<Shared>, message: NewMessage) -> Result<Option<OutboxRow>, Gone> {
    let (tell, told) = oneshot::channel();
    wish(shared, Wish::Take(Box::new(message), tell));
    told.await.unwrap_or(Err(Gone))
}

/// Seals a message; gives its row as it was committed.
pub(crate) async fn seal(shared: &Arc<Shared>, wanted: Wanted) -> Result<OutboxRow, SealError> {
    let (tell, told) = oneshot::channel();
    wish(shared, Wish::Seal(Box::new(wanted), tell));
    told.await.unwrap_or(Err(SealError::Ended))
}

fn wish(shared: &Arc<Shared>, wish: Wish) {
    let mut waiting = shared.together.waiting.lock();
    waiting.wishes.push(wish);
    shared.together.bell.notify_one();
    serve_wishes(shared, waiting);
}

fn serve_wishes(shared: &Arc<Shared>, mut waiting: parking_lot::MutexGuard<'_, Waiting>) {
    if std::mem::replace(&mut waiting.is_served, true) {
        return;
    }
    drop(waiting);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let served = Served(&shared);
        loop {
            if shared.together.waiting.lock().wishes.is_empty() {
                let _ = tokio::time::timeout(LATER, shared.together.bell.notified()).await;
            }
            if !serve(&shared).await {
                break;
            }
        }
        drop(served);
    });
}

/// Should the task end in the middle, the next wish begins another.
struct Served<'a>(&'a Arc<Shared>);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.together.waiting.lock();
            waiting.is_served = false;
            waiting.wishes.clear();
            waiting.later.clear();
        }
    }
}

impl Together {
    /// What the next commit takes on. A message to many stands alone: it can be a commit of thousands of rows, and
    /// what it notes of its readers must not stay when it fails.
    fn next(&self) -> Option<(Vec<Wish>, Vec<Later>)> {
        let mut waiting = self.waiting.lock();
        let mut bytes = 0;
        let fits = |(place, wish): &(usize, &Wish)| {
            let (alone, size) = match wish {
                Wish::Take(message, _) => (false, 2 * message.row.plaintext.len() + message.changes.bytes()),
                Wish::Seal(wanted, _) => (wanted.is_for_many(), wanted.size()),
            };
            bytes += size;
            *place == 0 || !alone && bytes <= MOST_BYTES
        };
        let alone = matches!(waiting.wishes.first(), Some(Wish::Seal(wanted, _)) if wanted.is_for_many());
        let most = if alone { 1 } else { MOST };
        let count = waiting.wishes.iter().enumerate().take_while(fits).take(most).count();
        if count == 0 && waiting.later.is_empty() {
            waiting.is_served = false;
            // A burst of thousands must not be remembered by its room.
            waiting.wishes.shrink_to(MOST);
            waiting.later.shrink_to(MOST);
            return None;
        }
        Some((waiting.wishes.drain(..count).collect(), std::mem::take(&mut waiting.later)))
    }

    /// What may go along with somebody's commit; to be told of its end.
    pub(super) fn later(&self) -> Vec<Later> {
        std::mem::take(&mut self.waiting.lock().later)
    }
}

/// Takes along in a step what may wait.
pub(super) async fn take_along(step: &mut Step<'_>, all: Vec<Later>) -> Along {
    let mut along = Along::default();
    for Later { changes, reached, done, tell } in all {
        if let Some(reached) = reached
            && let Err(error) = status::advance(step, reached).await
        {
            tracing::error!(%error, "a report waits for the store");
            let _ = tell.send(Err(Gone));
            continue;
        }
        if along.tell.is_empty() || !sabotaged!(step.shared, LeftOutMember) {
            step.changes.merge(changes);
        }
        along.done.extend(done);
        along.tell.push(tell);
    }
    along
}

/// Commits a step with what it takes along, and with the answers to these events.
pub(super) async fn commit_with(
    vault: &mut Vault,
    shared: &Shared,
    mut step: Step<'_>,
    along: Along,
    answered: Vec<(InboxCursor, bool)>,
) -> Result<Committed<Outputs>, Ended> {
    let Along { tell, done } = along;
    let count = done.len() as u64;
    let _order = match done.is_empty() && answered.is_empty() {
        true => None,
        false => Some(shared.inbox.order.lock().await),
    };
    let taking = shared.inbox.take(done.into_iter().chain(answered), &mut step.changes);
    let committed = vault.commit_step(shared, step).await;
    if committed.is_ok() {
        if count > 0 {
            kill_point!(shared, EventsDeleted);
        }
        shared.inbox.took(taking);
        shared.inbox_taken(count);
    }
    let is_told = committed.is_ok() || sabotaged!(shared, UntoldFailure);
    for tell in tell {
        // Who asked may have stopped waiting; what was wished for is done all the same.
        let _ = tell.send(if is_told { Ok(()) } else { Err(Gone) });
    }
    committed
}

/// One commit; says whether there was anything to do.
async fn serve(shared: &Arc<Shared>) -> bool {
    let mut vault = shared.vault.lock().await;
    let Some((wishes, later)) = shared.together.next() else { return false };
    let mut step = Step::new(shared);
    let along = take_along(&mut step, later).await;
    let (mut sealed, mut taken) = (Vec::new(), Vec::new());
    let (mut seals, mut answered) = (Vec::new(), Vec::new());
    // A chat's messages are sealed in their order: behind one that has to wait nothing is sealed at once.
    let mut waits: HashSet<Chat> = HashSet::new();
    for wish in wishes {
        match wish {
            Wish::Seal(wanted, tell) => seals.push((wanted, tell)),
            Wish::Take(message, tell) => {
                let NewMessage { order, row, changes, event } = *message;
                step.changes.merge(changes);
                answered.extend(event);
                let known = match waits.contains(&row.chat) {
                    true => None,
                    false => seal::sealed_at_once(&mut step, order, &row).await,
                };
                if known.is_none() {
                    step.changes.put(tables::Outbox, &order, &row);
                    waits.insert(row.chat);
                }
                taken.push((known, tell));
            }
        }
    }
    if let Err(error) = seal::prepare(&mut step, seals.iter().map(|(wanted, _)| &**wanted)).await {
        tracing::error!(%error, "messages wait for the store");
        for (_, tell) in seals.drain(..) {
            let _ = tell.send(Err(SealError::Store(error.clone())));
        }
    }
    for (wanted, tell) in seals {
        match seal::seal_into(&mut step, &wanted).await {
            Ok(row) => sealed.push((row, tell)),
            // Whoever asked is told; what it may have left in the step is at most a message key that nobody uses.
            Err(error) => drop(tell.send(Err(error))),
        }
    }
    let any_sealed = !sealed.is_empty() || taken.iter().any(|(row, _)| row.is_some());
    if any_sealed {
        kill_point!(shared, StanzaSealed);
    }
    let is_stored = commit_with(&mut vault, shared, step, along, answered).await.is_ok();
    let committed = is_stored || sabotaged!(shared, UntoldFailure);
    drop(vault);
    if any_sealed {
        kill_point!(shared, StanzaStored);
    }
    // Who asked may have stopped waiting; what was wished for is done all the same.
    for (row, tell) in sealed {
        let _ = tell.send(if committed { Ok(row) } else { Err(SealError::Ended) });
    }
    for (row, tell) in taken {
        let _ = tell.send(if committed { Ok(row) } else { Err(Gone) });
    }
    true
}

#[cfg(test)]
mod tests {
    use compact_str::CompactString;
    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use wa_store::{Bytes, MemoryStore, OutboxState, Store, Table, UnixTime, tables};

    use super::*;
    use crate::config::Config;
    use crate::identity::Peer;
    use wa_binary::Jid;

    use crate::messages::sending::{SealedFor, StoredOptions};
    use crate::messages::status::{Deliveries, Stage, StoredStatus};
    use crate::messages::types::ReceiptKind;
    use crate::sabotage::Sabotage;

    async fn shared(store: &Store, sabotage: Sabotage) -> Arc<Shared> {
        let account = store.account("main").open().await.unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        let (device, _) = crate::credentials::create(store.clock().now(), &mut rng);
        let (tell, _control) = tokio::sync::mpsc::unbounded_channel();
        let config = Config { sabotage, ..Config::default() };
        Arc::new(Shared::new(config, account, device, Box::new(rng), tell, Vec::new()))
    }

    /// A hundred wait for one commit, and half of them give up; `meanwhile` happens before it begins. How many of those
    /// who waited heard of success, and how many rows there are.
    async fn wished(sabotage: Sabotage, meanwhile: impl AsyncFnOnce(&Store)) -> (usize, usize) {
        let store = MemoryStore::open().await.unwrap();
        let shared = shared(&store, sabotage).await;
        let holder = shared.vault.lock().await;
        let row = |number: usize| {
            let mut changes = Changes::new();
            changes.put(tables::Settings, &number.to_string().into(), &Bytes::from_static(b"x"));
            changes
        };
        let mut all: Vec<_> = (0..100).map(|number| Box::pin(commit(&shared, row(number)))).collect();
        for one in &mut all {
            assert!(one.now_or_never().is_none());
        }
        assert_eq!(shared.together.waiting.lock().later.len(), 100);
        all.truncate(50);
        meanwhile(&store).await;
        drop(holder);
        let told = join_all(all).await.iter().filter(|told| told.is_ok()).count();
        (told, shared.store.whole(tables::Settings).await.unwrap().len())
    }

    /// A message as it lies sealed in the outbox.
    fn sealed(id: &CompactString, chat: &Jid) -> OutboxRow {
        let sealed = Some(SealedFor { to: chat.clone(), people: 1, gives_key: false });
        OutboxRow {
            chat: crate::identity::chat_row(chat),
            id: id.clone(),
            queued: UnixTime::from_secs(1),
            plaintext: Bytes::new(),
            options: StoredOptions { sealed, ..StoredOptions::default() }.encode(),
            state: OutboxState::Sealed { stanza: Bytes::new(), at: UnixTime::from_secs(1) },
        }
    }

    /// When a message left.
    #[derive(Clone, Copy, PartialEq)]
    enum Left {
        Now,
        InAnEarlierLife,
        Never,
    }

    /// A recipient speaks before the server's answer is stored; both in one commit, or the report in one of its own.
    async fn delivered_before(is_shared: bool, left: Left) -> StoredStatus {
        let store = MemoryStore::open().await.unwrap();
        let mut shared = shared(&store, Sabotage::None).await;
        let (id, chat, at) = (CompactString::from("A"), Jid::pn(15_550_101), UnixTime::from_secs(7));
        let row = sealed(&id, &chat);
        match left {
            Left::Now => shared.workers.leaves(&row, false),
            Left::InAnEarlierLife => {
                Arc::get_mut(&mut shared).unwrap().occupied = vec![Table::Outbox];
                let mut changes = Changes::new();
                changes.put(tables::Outbox, &shared.store.next_order(), &row);
                commit(&shared, changes).await.unwrap();
            }
            Left::Never => {}
        }
        let mut vault = shared.vault.lock().await;
        let mut step = Step::new(&shared);
        let by = Peer::from(&chat);
        status::receipt(&mut step, &by, ReceiptKind::Delivered, std::slice::from_ref(&id), at).await.unwrap();
        let reached = Reached { id: id.clone(), chat, stage: Stage::Sent(at), expected: 1 };
        let mut report = Box::pin(commit_later(&shared, Changes::new(), Some(reached)));
        assert!((&mut report).now_or_never().is_none());
        let mut along = Along::default();
        if is_shared {
            along = take_along(&mut step, shared.together.later()).await;
            assert_eq!(along.tell.len(), 1);
        }
        let _ = commit_with(&mut vault, &shared, step, along, Vec::new()).await.unwrap();
        drop(vault);
        report.await.unwrap();
        let row = shared.store.one(tables::SendStatus, &id).await.unwrap();
        StoredStatus::decode(&row.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn what_a_recipient_says_of_a_message_without_a_row_is_kept_if_it_is_ours() {
        for (left, is_ours) in [(Left::Now, true), (Left::InAnEarlierLife, true), (Left::Never, false)] {
            for is_shared in [true, false] {
                let row = delivered_before(is_shared, left).await;
                let at = UnixTime::from_secs(7);
                assert_eq!(row.stage, Stage::Sent(at));
                let Deliveries::Here(delivery) = row.deliveries else { panic!("{row:?}") };
                assert_eq!(delivery.and_then(|one| one.delivered), is_ours.then_some(at));
            }
        }
    }

    async fn nothing(_: &Store) {}

    /// Another opening takes the lease.
    async fn taken_over(store: &Store) {
        store.account("main").open().await.unwrap();
    }

    #[tokio::test]
    async fn those_who_wait_share_a_commit_and_one_who_gives_up_takes_nobody_along() {
        assert_eq!(wished(Sabotage::None, nothing).await, (50, 100));
        assert_eq!(wished(Sabotage::LeftOutMember, nothing).await, (50, 1), "the sabotage was not seen");
    }

    #[tokio::test]
    async fn a_commit_that_fails_fails_for_all_who_share_it() {
        assert_eq!(wished(Sabotage::None, taken_over).await, (0, 0));
        assert_eq!(wished(Sabotage::UntoldFailure, taken_over).await, (50, 0), "the sabotage was not seen");
    }
}
