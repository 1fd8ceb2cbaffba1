//! Commits: applied once, fenced, and each batch of a group on its own.

use std::sync::Arc;

use bytes::Bytes;

use super::{Under, at, batch, put, row};
use crate::backend::{Applied, Backend, Batch, MAX_BATCH_BYTES, MAX_BATCH_ROWS, Op, Urgency};
use crate::lease::WINDOW;
use crate::{AccountId, StoreError};

pub async fn a_repeated_commit_is_applied_once(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let first = batch("a", epoch, 1, vec![put("x", "first")]);
    assert_eq!(under.commit(first.clone()).await.expect("a commit"), Applied::Now);
    assert_eq!(under.commit(first.clone()).await.expect("its repetition"), Applied::Before);
    under.commit(batch("a", epoch, 2, vec![put("x", "second")])).await.expect("a commit");
    let results = under.group(vec![first.clone(), first]).await;
    assert!(results.iter().all(|result| matches!(result, Ok(Applied::Before))), "{results:?}");
    assert_eq!(
        under.text("a", "x").await.as_deref(),
        Some("second"),
        "a repetition must not undo what followed"
    );
}

pub async fn commits_of_one_epoch_arrive_in_any_order(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    for sequence in [3, 1, 7, 2, 6, 5, 4] {
        let one = batch("a", epoch, sequence, vec![put(&format!("k{sequence}"), "v")]);
        assert_eq!(under.commit(one.clone()).await.expect("a commit"), Applied::Now, "commit {sequence}");
        assert_eq!(under.commit(one).await.expect("its repetition"), Applied::Before, "commit {sequence}");
    }
    assert_eq!(under.keys("a", crate::Table::KeyValues, b"", 100).await.len(), 7);
}

pub async fn a_repetition_that_is_too_old_is_refused(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    under.commit(batch("a", epoch, 1, vec![put("x", "1")])).await.expect("a commit");
    under.commit(batch("a", epoch, WINDOW, vec![put("x", "2")])).await.expect("a commit");
    let again = under.commit(batch("a", epoch, 1, vec![put("x", "1")])).await;
    assert!(matches!(again, Ok(Applied::Before)), "still inside the window: {again:?}");
    under.commit(batch("a", epoch, WINDOW + 1, vec![put("x", "3")])).await.expect("a commit");
    let old = under.commit(batch("a", epoch, 1, vec![put("x", "old")])).await;
    assert!(matches!(old, Err(StoreError::OutcomeUnknown { .. })), "{old:?}");
    assert_eq!(under.text("a", "x").await.as_deref(), Some("3"));
}

pub async fn an_uncounted_commit_is_fenced_all_the_same(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    under.commit(batch("a", epoch, WINDOW * 3, vec![put("x", "1")])).await.expect("a commit");
    for value in ["2", "3"] {
        let bulk = Batch { urgency: Urgency::Bulk, ..batch("a", epoch, 0, vec![put("x", value)]) };
        assert_eq!(under.commit(bulk).await.expect("a slice"), Applied::Now);
        assert_eq!(under.text("a", "x").await.as_deref(), Some(value));
    }
    let again = under.commit(batch("a", epoch, WINDOW * 3, vec![put("x", "1")])).await;
    assert!(matches!(again, Ok(Applied::Before)), "slices move no window: {again:?}");
    under.open("a").await;
    let stale = under.commit(batch("a", epoch, 0, vec![put("x", "stale")])).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost { .. })), "{stale:?}");
}

pub async fn a_stale_epoch_fails_alone(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let (old, b) = (under.open("a").await, under.open("b").await);
    let new = under.open("a").await;
    assert!(new > old);
    let results = under
        .group(vec![
            batch("b", b, 1, vec![put("x", "b")]),
            batch("a", old, 1, vec![put("x", "stale")]),
            batch("a", new, 1, vec![put("y", "fresh")]),
            batch("a", new + 1, 1, vec![put("x", "from the future")]),
        ])
        .await;
    assert!(matches!(results[0], Ok(Applied::Now)), "{results:?}");
    assert!(
        matches!(&results[1], Err(StoreError::LeaseLost { held, current, .. }) if (*held, *current) == (old, new)),
        "{results:?}"
    );
    assert!(matches!(results[2], Ok(Applied::Now)), "{results:?}");
    assert!(matches!(results[3], Err(StoreError::LeaseLost { .. })), "{results:?}");
    assert_eq!(under.text("a", "x").await, None, "nothing of a stale commit is written");
    assert_eq!(under.text("b", "x").await.as_deref(), Some("b"));
}

pub async fn an_oversized_batch_fails_alone(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let (a, b) = (under.open("a").await, under.open("b").await);
    let bytes = Op::Put(at("big"), row(Bytes::from(vec![7; MAX_BATCH_BYTES])));
    let rows = vec![Op::Delete(at("x")); MAX_BATCH_ROWS + 1];
    let results = under
        .group(vec![
            batch("a", a, 1, vec![put("x", "before"), bytes]),
            batch("b", b, 1, vec![put("x", "b")]),
            batch("a", a, 2, rows),
            batch("a", a, 3, vec![put("y", "after")]),
        ])
        .await;
    assert!(matches!(results[0], Err(StoreError::TooLarge { .. })), "{results:?}");
    assert!(matches!(results[2], Err(StoreError::TooLarge { .. })), "{results:?}");
    assert!(matches!((&results[1], &results[3]), (Ok(Applied::Now), Ok(Applied::Now))), "{results:?}");
    assert_eq!(under.text("a", "x").await, None);
    assert_eq!(under.text("a", "y").await.as_deref(), Some("after"));
    assert_eq!(under.text("b", "x").await.as_deref(), Some("b"));
}

pub async fn a_refused_batch_leaves_nothing(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    under.commit(batch("a", epoch, 1, vec![put("x", "kept"), put("y", "kept")])).await.expect("a commit");
    let clear = Op::DeletePrefix { table: crate::Table::KeyValues, prefix: Bytes::new() };
    let refused = batch("a", epoch - 1, 2, vec![clear, put("x", "no"), put("z", "no"), Op::Delete(at("y"))]);
    assert!(under.commit(refused).await.is_err());
    for (key, wanted) in [("x", Some("kept")), ("y", Some("kept")), ("z", None)] {
        assert_eq!(under.text("a", key).await.as_deref(), wanted, "{key}");
    }
    let second = under.commit(batch("a", epoch, 2, vec![put("x", "second")])).await;
    assert_eq!(second.expect("the number is still free"), Applied::Now);
}

pub async fn an_unknown_account_fails_alone(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let results = under
        .group(vec![batch("nobody", 1, 1, vec![put("x", "1")]), batch("a", epoch, 1, vec![put("x", "1")])])
        .await;
    assert!(matches!(results[0], Err(StoreError::UnknownAccount(_))), "{results:?}");
    assert!(matches!(results[1], Ok(Applied::Now)), "{results:?}");
}

pub async fn only_the_system_account_needs_no_fence(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    under.open("a").await;
    let unfenced = |account: AccountId| Batch {
        account,
        fence: None,
        ops: Arc::new([put("x", "1")]),
        urgency: Urgency::Live,
    };
    assert_eq!(under.commit(unfenced(AccountId::system())).await.expect("a commit"), Applied::Now);
    assert_eq!(under.commit(unfenced(AccountId::system())).await.expect("a commit"), Applied::Now);
    assert_eq!(under.text(AccountId::SYSTEM_NAME, "x").await.as_deref(), Some("1"));
    assert!(under.commit(unfenced("a".into())).await.is_err(), "an account without a fence");
    assert_eq!(under.text("a", "x").await, None);
}

pub async fn batches_of_one_group_apply_in_order(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let batches = (1..=100).map(|n: u64| {
        let last = n.to_string();
        batch(
            "a",
            epoch,
            n,
            vec![put("last", &last), Op::Delete(at(&format!("k{}", n - 1))), put(&format!("k{n}"), "v")],
        )
    });
    for result in under.group(batches.collect()).await {
        assert_eq!(result.expect("a commit"), Applied::Now);
    }
    assert_eq!(under.text("a", "last").await.as_deref(), Some("100"));
    assert_eq!(under.keys("a", crate::Table::KeyValues, b"k", 10).await, ["k100"]);
}

pub async fn many_committers_at_once_all_get_their_answer(backend: Arc<dyn Backend>) {
    let under = Arc::new(Under::new(backend).await);
    let mut tasks = Vec::new();
    for n in 0..64_u64 {
        let under = Arc::clone(&under);
        tasks.push(tokio::spawn(async move {
            let account = format!("account-{n}");
            let epoch = under.open(&account).await;
            for sequence in 1..=5 {
                // Every third account has lost its lease: it fails, the others do not notice.
                let held = if n % 3 == 0 { epoch - 1 } else { epoch };
                let result = under
                    .commit(batch(&account, held, sequence, vec![put("x", &sequence.to_string())]))
                    .await;
                assert_eq!(result.is_ok(), n % 3 != 0, "{account}: {result:?}");
            }
        }));
    }
    for task in tasks {
        task.await.expect("a committer");
    }
    for n in 0..64 {
        let wanted = (n % 3 != 0).then_some("5");
        assert_eq!(under.text(&format!("account-{n}"), "x").await.as_deref(), wanted);
    }
}
