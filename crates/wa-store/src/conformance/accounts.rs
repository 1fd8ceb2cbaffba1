//! Accounts: many in one backend, apart from each other, and gone when they are deleted.

use std::sync::Arc;

use bytes::Bytes;

use super::{NOW, Under, at, batch, put, row};
use crate::backend::{AccountId, Backend, Deletion, Op};
use crate::lease::{AccountState, Intent};
use crate::{StoreError, Table};

pub async fn accounts_are_listed_in_pages(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let mut wanted = vec!["B", "a", "a b", "aa", "b", "é", "日本"];
    for name in ["aa", "日本", "b", "a", "é", "a b", "B"] {
        under.open(name).await;
    }
    wanted.sort_unstable();
    for limit in [1, 3, 7, 50] {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = under.backend.accounts(after.as_ref(), limit).await.expect("a list");
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.account.clone());
            assert!(
                page.iter()
                    .all(|info| info.state == AccountState::Active && info.holder == Some("here".into()))
            );
            names.extend(page.into_iter().map(|info| info.account.as_str().to_owned()));
        }
        assert_eq!(names, wanted, "in pages of {limit}, by bytes, without the system account");
    }
}

pub async fn accounts_are_isolated(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let (a, b) = (under.open("a").await, under.open("b").await);
    under.commit(batch("a", a, 1, vec![put("x", "a"), put("y", "a")])).await.expect("a commit");
    under.commit(batch("b", b, 1, vec![put("x", "b")])).await.expect("a commit");
    let clear = Op::DeletePrefix { table: Table::KeyValues, prefix: Bytes::new() };
    under.commit(batch("b", b, 2, vec![clear, Op::Delete(at("y"))])).await.expect("a commit");
    assert_eq!(under.keys("a", Table::KeyValues, b"", 10).await, ["x", "y"]);
    assert_eq!(under.keys("b", Table::KeyValues, b"", 10).await, [""; 0]);
}

pub async fn a_deleted_account_leaves_nothing(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let (a, b) = (under.open("a").await, under.open("b").await);
    for sequence in 1..=3 {
        let rows = (0..4_000).map(|n| Op::Put(at(&format!("{sequence}/{n}")), row("v"))).collect();
        under.commit(batch("a", a, sequence, rows)).await.expect("a commit");
    }
    under.commit(batch("b", b, 1, vec![put("x", "b")])).await.expect("a commit");
    let doomed = under.acquire("a", Intent::Delete).await.expect("an account can always be deleted");
    assert!(matches!(under.acquire("a", Intent::Open).await, Err(StoreError::Deleting(_))));
    assert!(matches!(under.acquire("a", Intent::Restore).await, Err(StoreError::Deleting(_))));
    let stale = under.backend.delete_account(&"a".into(), a).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost { .. })), "{stale:?}");
    let mut steps = 0;
    while under.backend.delete_account(&"a".into(), doomed).await.expect("a step") == Deletion::More {
        steps += 1;
        assert!(steps < 10_000, "the deletion does not end");
    }
    assert_eq!(under.keys("a", Table::KeyValues, b"", 1000).await, [""; 0]);
    let names: Vec<AccountId> = under
        .backend
        .accounts(None, 10)
        .await
        .expect("a list")
        .into_iter()
        .map(|info| info.account)
        .collect();
    assert_eq!(names, ["b".into()]);
    assert_eq!(under.text("b", "x").await.as_deref(), Some("b"));
    under.open("a").await;
    assert_eq!(under.keys("a", Table::KeyValues, b"", 1000).await, [""; 0], "the new one begins empty");
}

pub async fn an_account_made_anew_ignores_old_commits(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let old = under.open("a").await;
    let doomed = under.acquire("a", Intent::Delete).await.expect("a deletion");
    while under.backend.delete_account(&"a".into(), doomed).await.expect("a step") == Deletion::More {}
    let new = under.open("a").await;
    assert!(new > doomed, "epochs of a name never come twice");
    for stale in [old, doomed] {
        let late = under.commit(batch("a", stale, 1, vec![put("x", "late")])).await;
        assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    }
}

pub async fn an_import_needs_a_new_name(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    under.open("a").await;
    let refused = under.acquire("a", Intent::Import { epoch: 7 }).await;
    assert!(matches!(refused, Err(StoreError::AccountExists(_))), "{refused:?}");
    let import = Intent::Import { epoch: 70 };
    let acquired = under.backend.acquire(&"b".into(), &under.holder, import, NOW).await.expect("a new name");
    assert!(acquired.created && acquired.epoch > 70, "{acquired:?}");
    assert!(under.acquire("b", Intent::Open).await.is_err(), "half an import does not open");
    assert!(under.acquire("b", Intent::Restore).await.is_err(), "half an import cannot be restored");
    under
        .backend
        .set_state(&"b".into(), acquired.epoch, AccountState::NeedsRestore)
        .await
        .expect("the lease is ours");
    assert!(under.acquire("b", Intent::Restore).await.is_ok_and(|epoch| epoch > acquired.epoch));
}
