//! The rules of a backend as tests, published: memory, SQLite and Postgres run them, and so does anyone's own backend.
//!
//! ```
//! mod my_backend {
//!     wa_store::conformance!(conforms, || async { wa_store::MemoryBackend::default() });
//! }
//! ```
//!
//! Each case is one test on a fresh backend. [`check`] runs all of them at run time, for those who cannot use the macro
//! (other languages). Nothing here looks at a real clock or sleeps; random cases print their seed (`WA_STORE_SEED`).

#![allow(missing_docs, reason = "the name of a case is the rule")]

mod accounts;
mod commits;
mod copies;
mod encryption;
mod leases;
mod model;
mod rows;
mod typed;
mod unreliable;
mod upkeep;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

#[doc(hidden)]
pub mod cases {
    //! All cases under one roof, for the macro.
    pub use super::accounts::*;
    pub use super::commits::*;
    pub use super::copies::*;
    pub use super::encryption::*;
    pub use super::leases::*;
    pub use super::model::*;
    pub use super::rows::*;
    pub use super::typed::*;
    pub use super::upkeep::*;
}

pub use self::unreliable::{Cut, Turn, Unreliable};
use crate::backend::{Applied, Backend, Batch, Op, Row, RowKey, Scan, Urgency};
use crate::lease::{Fence, Intent};
use crate::{AccountId, HolderId, StoreError, Table, UnixTime};

/// A fresh, empty backend for one case, and what has to live as long (a temporary folder, a server).
pub struct Subject {
    backend: Arc<dyn Backend>,
    _guard: Box<dyn Any + Send>,
}

impl Subject {
    /// A backend with its guard.
    pub fn new(backend: impl Backend, guard: impl Any + Send) -> Self {
        Self { backend: Arc::new(backend), _guard: Box::new(guard) }
    }
}

impl<B: Backend> From<B> for Subject {
    fn from(backend: B) -> Self {
        Self::new(backend, ())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.backend.fmt(f)
    }
}

/// A rule that a backend breaks.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Name of the case.
    pub case: &'static str,
    /// What went wrong.
    pub what: String,
}

type Case = fn(Arc<dyn Backend>) -> Running;
type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes one test per case, in a module of this name: `conformance!(name, || async { backend })`. The closure is called
/// once per case and gives a backend, or a [`Subject`].
#[macro_export]
macro_rules! conformance {
    ($name:ident, $make:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the closure may name anything around it")]
            use super::*;
            $crate::__each_case! { __case_tests [$make] }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __case_tests {
    ([$make:expr] $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::run($make, $crate::conformance::cases::$case);
            }
        )*
    };
}

macro_rules! list_cases {
    ([] $($case:ident)*) => {
        &[$((stringify!($case), |backend| Box::pin(cases::$case(backend)))),*]
    };
}
use list_cases as __list_cases;

#[doc(hidden)]
#[macro_export]
macro_rules! __each_case {
    ($then:ident $args:tt) => {
        $crate::__with_cases! { $crate::$then, $args }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __with_cases {
    ($then:path, $args:tt) => {
        $then! { $args
            rows_come_back_in_the_order_of_the_keys
            a_put_replaces_and_a_delete_forgets
            a_glance_gives_rows_and_says_which_tables_hold_any
            a_scan_ascends_in_pages
            a_prefix_is_exact_at_its_edges
            a_swap_happens_only_on_what_it_expects
            a_row_of_sixteen_mebibytes_comes_back
            a_commit_is_seen_by_the_next_read
            a_repeated_commit_is_applied_once
            commits_of_one_epoch_arrive_in_any_order
            a_repetition_that_is_too_old_is_refused
            an_uncounted_commit_is_fenced_all_the_same
            a_stale_epoch_fails_alone
            an_oversized_batch_fails_alone
            a_refused_batch_leaves_nothing
            an_unknown_account_fails_alone
            only_the_system_account_needs_no_fence
            batches_of_one_group_apply_in_order
            many_committers_at_once_all_get_their_answer
            a_random_history_agrees_with_the_model
            the_same_holder_opens_again_at_once
            another_holder_waits_for_the_heartbeat
            one_heartbeat_covers_all_accounts
            a_retired_holder_is_free_at_once
            a_released_account_is_free_and_fenced
            a_late_release_changes_nothing
            a_moved_account_does_not_open
            a_copy_opens_only_by_restore
            a_state_changes_only_under_the_lease
            accounts_are_listed_in_pages
            accounts_are_isolated
            a_deleted_account_leaves_nothing
            an_account_made_anew_ignores_old_commits
            an_import_needs_a_new_name
            pruning_takes_only_what_has_expired
            typed_rows_come_back
            what_is_asked_behind_a_glance_is_what_is_stored
            what_a_commit_holds_back_leaves_only_after_it
            a_failed_commit_is_repeated_exactly
            cursors_rise_over_openings
            expired_rows_are_not_read
            forgetting_the_number_keeps_the_application
            an_import_comes_in_slices
            encryption_covers_every_value
            a_wrong_key_is_its_own_error
            a_plain_store_takes_no_key
            a_key_rotation_rewraps_every_account
            an_interrupted_key_rotation_is_repeated
            a_deleted_account_takes_its_key_along
            a_damaged_row_is_named_and_quarantined
            a_restore_discards_what_could_be_used_twice
            an_export_moves_the_account
            a_damaged_export_writes_nothing
            a_restore_that_was_interrupted_is_repeated
            an_import_that_was_interrupted_can_only_be_deleted
            an_export_of_large_rows_comes_back
            a_newer_export_is_refused
        }
    };
}

/// All cases by name.
fn all() -> &'static [(&'static str, Case)] {
    __with_cases! { __list_cases, [] }
}

/// Runs one case on one fresh backend and panics with the rule that is broken.
pub fn run<M, F, C>(make: M, case: fn(Arc<dyn Backend>) -> C)
where
    M: FnOnce() -> F,
    F: Future<Output: Into<Subject>>,
    C: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a Tokio runtime").block_on(async {
        let subject: Subject = make().await.into();
        case(Arc::clone(&subject.backend)).await;
        let _ = subject.backend.close().await;
    });
}

/// Runs all cases inside the caller's runtime, each on a backend from `make`; an empty list means that it conforms.
pub async fn check<M, F>(make: M) -> Vec<Finding>
where
    M: Fn() -> F,
    F: Future<Output: Into<Subject>>,
{
    let mut findings = Vec::new();
    for (name, case) in all() {
        let subject: Subject = make().await.into();
        if let Err(error) = tokio::spawn(case(Arc::clone(&subject.backend))).await {
            let what = match error.try_into_panic() {
                Ok(panic) => panic
                    .downcast::<String>()
                    .map(|text| *text)
                    .or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_else(|_| "panicked".to_owned()),
                Err(error) => error.to_string(),
            };
            findings.push(Finding { case: name, what });
        }
        let _ = subject.backend.close().await;
    }
    findings
}

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const TTL: Duration = Duration::from_secs(60);

/// A backend with short words for what the cases do.
struct Under {
    backend: Arc<dyn Backend>,
    holder: HolderId,
}

impl Under {
    /// With a living holder "here".
    async fn new(backend: Arc<dyn Backend>) -> Self {
        let here = Self { backend, holder: "here".into() };
        here.beat(TTL).await;
        here
    }

    async fn other(&self, name: &str) -> Self {
        let other = Self { backend: Arc::clone(&self.backend), holder: name.into() };
        other.beat(TTL).await;
        other
    }

    async fn beat(&self, ttl: Duration) {
        self.backend.heartbeat(&self.holder, NOW, ttl).await.expect("a heartbeat");
    }

    async fn acquire(&self, account: &str, intent: Intent) -> Result<u64, StoreError> {
        let acquired = self.backend.acquire(&account.into(), &self.holder, intent, NOW).await;
        acquired.map(|acquired| acquired.epoch)
    }

    async fn open(&self, account: &str) -> u64 {
        self.acquire(account, Intent::Open).await.expect("the account opens")
    }

    async fn commit(&self, batch: Batch) -> Result<Applied, StoreError> {
        self.group(vec![batch]).await.remove(0)
    }

    async fn group(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>> {
        let wanted = batches.len();
        let results = self.backend.commit(batches).await;
        assert_eq!(results.len(), wanted, "one result per batch");
        results
    }

    async fn value(&self, account: &str, at: RowKey) -> Option<Bytes> {
        let rows = self.backend.get_many(&account.into(), vec![at]).await.expect("a read");
        assert_eq!(rows.len(), 1, "one answer per key");
        rows.into_iter().next().flatten().map(|row| row.value)
    }

    async fn text(&self, account: &str, key: &str) -> Option<String> {
        self.value(account, at(key)).await.map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// All keys of a table in order, read in pages of `limit`.
    async fn keys(&self, account: &str, table: Table, prefix: &[u8], limit: usize) -> Vec<Bytes> {
        let prefix = Bytes::copy_from_slice(prefix);
        let mut scan = Scan { table, prefix, after: None, limit };
        let mut keys = Vec::new();
        loop {
            let page = self.backend.scan(&account.into(), scan.clone()).await.expect("a scan");
            assert!(
                page.rows.len() <= limit,
                "a page of {} rows where {limit} were asked for",
                page.rows.len()
            );
            assert!(!page.more || !page.rows.is_empty(), "an empty page cannot be continued");
            keys.extend(page.rows.iter().map(|(key, _)| key.clone()));
            if !page.more {
                return keys;
            }
            scan.after = page.rows.last().map(|(key, _)| key.clone());
        }
    }
}

fn at(key: &str) -> RowKey {
    RowKey { table: Table::KeyValues, key: Bytes::copy_from_slice(key.as_bytes()) }
}

fn row(value: impl Into<Bytes>) -> Row {
    Row { value: value.into(), expires: None }
}

fn put(key: &str, value: &str) -> Op {
    Op::Put(at(key), row(Bytes::copy_from_slice(value.as_bytes())))
}

fn batch(account: &str, epoch: u64, sequence: u64, ops: Vec<Op>) -> Batch {
    let fence = Some(Fence { epoch, sequence });
    Batch { account: AccountId::from(account), fence, ops: ops.into(), urgency: Urgency::Live }
}
