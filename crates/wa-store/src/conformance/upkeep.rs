//! Pruning, and reading past what it has not taken yet.

use std::sync::Arc;
use std::time::Duration;

use super::{NOW, Under, at, batch, put};
use crate::Table;
use crate::backend::{Backend, Op, Row};

pub async fn pruning_takes_only_what_has_expired(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let second = Duration::from_secs(1);
    for account in ["a", "b"] {
        let epoch = under.open(account).await;
        let mut ops = vec![put("for ever", "v")];
        for (name, expires) in [("long ago", Default::default()), ("now", NOW), ("soon", NOW.after(second))] {
            ops.push(Op::Put(at(name), Row { value: "v".into(), expires: Some(expires) }));
        }
        under.commit(batch(account, epoch, 1, ops)).await.expect("a commit");
    }
    assert_eq!(under.backend.prune(NOW, 3).await.expect("a pruning"), 3, "no more than was allowed");
    assert_eq!(under.backend.prune(NOW, 100).await.expect("a pruning"), 1);
    assert_eq!(under.backend.prune(NOW, 100).await.expect("a pruning"), 0);
    for account in ["a", "b"] {
        assert_eq!(under.keys(account, Table::KeyValues, b"", 10).await, ["for ever", "soon"]);
    }
    assert_eq!(under.backend.prune(NOW.after(second), 100).await.expect("a pruning"), 2);
}
