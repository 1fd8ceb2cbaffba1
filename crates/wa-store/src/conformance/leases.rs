//! Leases: one heartbeat a holder, an epoch an opening, and states that forbid one.

use std::sync::Arc;
use std::time::Duration;

use super::{NOW, TTL, Under, batch, put};
use crate::StoreError;
use crate::backend::Backend;
use crate::lease::{AccountState, Intent};

pub async fn the_same_holder_opens_again_at_once(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let first = under.open("a").await;
    let second = under.open("a").await;
    assert_eq!(second, first + 1, "the epoch rises by one");
    let stale = under.commit(batch("a", first, 1, vec![put("x", "1")])).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost { .. })), "{stale:?}");
    under.commit(batch("a", second, 1, vec![put("x", "1")])).await.expect("numbers begin anew");
}

pub async fn another_holder_waits_for_the_heartbeat(backend: Arc<dyn Backend>) {
    let here = Under::new(backend).await;
    let there = here.other("there").await;
    let epoch = here.open("a").await;
    let refused = there.acquire("a", Intent::Open).await;
    assert!(
        matches!(&refused, Err(StoreError::Held { holder, .. }) if holder.as_str() == "here"),
        "{refused:?}"
    );
    here.commit(batch("a", epoch, 1, vec![put("x", "1")])).await.expect("a refused opening changes nothing");
    here.beat(Duration::ZERO).await;
    let taken = there.acquire("a", Intent::Open).await.expect("the heartbeat has expired");
    assert_eq!(taken, epoch + 1);
    let stale = here.commit(batch("a", epoch, 2, vec![put("x", "2")])).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost { .. })), "{stale:?}");
    here.beat(TTL).await;
    assert!(
        matches!(here.acquire("a", Intent::Open).await, Err(StoreError::Held { .. })),
        "now it is the other's"
    );
}

pub async fn one_heartbeat_covers_all_accounts(backend: Arc<dyn Backend>) {
    let here = Under::new(backend).await;
    let there = here.other("there").await;
    for n in 0..20 {
        here.open(&format!("a{n}")).await;
    }
    here.beat(Duration::ZERO).await;
    here.beat(TTL).await;
    for n in 0..20 {
        let refused = there.acquire(&format!("a{n}"), Intent::Open).await;
        assert!(matches!(refused, Err(StoreError::Held { .. })), "one renewal keeps a{n}: {refused:?}");
    }
}

pub async fn a_retired_holder_is_free_at_once(backend: Arc<dyn Backend>) {
    let here = Under::new(backend).await;
    let there = here.other("there").await;
    let epoch = here.open("a").await;
    here.backend.retire(&here.holder).await.expect("a retirement");
    assert_eq!(there.acquire("a", Intent::Open).await.expect("nobody holds it"), epoch + 1);
}

pub async fn a_released_account_is_free_and_fenced(backend: Arc<dyn Backend>) {
    let here = Under::new(backend).await;
    let there = here.other("there").await;
    let epoch = here.open("a").await;
    here.backend.release(&"a".into(), epoch).await.expect("a release");
    let late = here.commit(batch("a", epoch, 1, vec![put("x", "late")])).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    let infos = here.backend.accounts(None, 10).await.expect("a list");
    assert_eq!(infos[0].holder, None);
    assert!(there.open("a").await > epoch);
    assert_eq!(there.text("a", "x").await, None);
}

pub async fn a_late_release_changes_nothing(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let old = under.open("a").await;
    let new = under.open("a").await;
    under.backend.release(&"a".into(), old).await.expect("no error");
    under.backend.release(&"nobody".into(), 1).await.expect("no error");
    under.commit(batch("a", new, 1, vec![put("x", "1")])).await.expect("the lease is still ours");
}

pub async fn a_moved_account_does_not_open(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    under.backend.set_state(&"a".into(), epoch, AccountState::Moved).await.expect("the lease is ours");
    assert!(matches!(under.acquire("a", Intent::Open).await, Err(StoreError::Moved(_))));
    under.commit(batch("a", epoch, 1, vec![put("x", "1")])).await.expect("a refused opening raises no epoch");
    under.acquire("a", Intent::Export).await.expect("an export can be repeated");
    let restored = under.acquire("a", Intent::Restore).await.expect("it can be taken back");
    under.backend.set_state(&"a".into(), restored, AccountState::Active).await.expect("the lease is ours");
    under.open("a").await;
}

pub async fn a_copy_opens_only_by_restore(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    under.backend.set_state(&"a".into(), epoch, AccountState::NeedsRestore).await.expect("the lease is ours");
    for intent in [Intent::Open, Intent::Export] {
        let refused = under.acquire("a", intent).await;
        assert!(matches!(refused, Err(StoreError::NeedsRestore(_))), "{refused:?}");
    }
    let acquired = under
        .backend
        .acquire(&"a".into(), &under.holder, Intent::Restore, NOW)
        .await
        .expect("a restore opens it");
    assert_eq!(
        (acquired.epoch, acquired.state),
        (epoch + 1, AccountState::NeedsRestore),
        "until it has finished"
    );
    assert!(matches!(under.acquire("a", Intent::Open).await, Err(StoreError::NeedsRestore(_))));
    assert!(matches!(under.acquire("nobody", Intent::Restore).await, Err(StoreError::UnknownAccount(_))));
}

pub async fn a_state_changes_only_under_the_lease(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let old = under.open("a").await;
    under.open("a").await;
    let stale = under.backend.set_state(&"a".into(), old, AccountState::Moved).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost { .. })), "{stale:?}");
    under.open("a").await;
}
