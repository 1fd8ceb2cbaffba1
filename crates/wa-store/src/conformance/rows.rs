//! Rows: what is written comes back, in order, and nothing else.

use std::sync::Arc;

use bytes::Bytes;

use super::{Under, at, batch, put, row};
use crate::backend::{Backend, Op, Row, RowKey};
use crate::{Table, UnixTime};

pub async fn rows_come_back_in_the_order_of_the_keys(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let expires = Some(UnixTime::from_millis(1_900_000_000_123));
    let until = Row { value: Bytes::from_static(b"until"), expires };
    let ops = vec![put("x", "1"), put("", "empty key"), put("y", ""), Op::Put(at("z"), until.clone())];
    under.commit(batch("a", epoch, 1, ops)).await.expect("a commit");
    let keys = vec![at("z"), at("none"), at("x"), at(""), at("x"), at("y")];
    let rows = under.backend.get_many(&"a".into(), keys).await.expect("a read");
    let wanted = [Some(until), None, Some(row("1")), Some(row("empty key")), Some(row("1")), Some(row(""))];
    assert_eq!(rows, wanted);
    let elsewhere = RowKey { table: Table::Settings, ..at("x") };
    assert_eq!(under.value("a", elsewhere).await, None, "tables are apart");
    assert_eq!(under.backend.get_many(&"a".into(), vec![]).await.expect("a read"), []);
    assert_eq!(under.text("nobody", "x").await, None, "an unknown account reads as empty");
}

pub async fn a_put_replaces_and_a_delete_forgets(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let expiring = Row { expires: Some(UnixTime::from_secs(1)), ..row("old") };
    under
        .commit(batch("a", epoch, 1, vec![Op::Put(at("x"), expiring), put("y", "y")]))
        .await
        .expect("a commit");
    under
        .commit(batch("a", epoch, 2, vec![put("x", "new"), Op::Delete(at("y")), Op::Delete(at("none"))]))
        .await
        .expect("a commit");
    let rows = under.backend.get_many(&"a".into(), vec![at("x"), at("y")]).await.expect("a read");
    assert_eq!(rows, [Some(row("new")), None], "the expiry is replaced too");
}

pub async fn a_glance_gives_rows_and_says_which_tables_hold_any(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let (epoch, other) = (under.open("a").await, under.open("b").await);
    let outbox = |key: &'static str| RowKey { table: Table::Outbox, ..at(key) };
    let ops = vec![put("x", "1"), Op::Put(outbox(""), row("sent"))];
    under.commit(batch("a", epoch, 1, ops)).await.expect("a commit");
    under.commit(batch("b", other, 1, vec![put("y", "2")])).await.expect("a commit");
    let glance = async |account: &str, keys: Vec<RowKey>| {
        let tables = vec![Table::Outbox, at("x").table, Table::Inbox];
        under.backend.glance(&account.into(), keys, tables).await.expect("a glance")
    };
    let keys = vec![outbox(""), at("x"), at("y")];
    let found = glance("a", keys.clone()).await;
    assert_eq!(found, (vec![Some(row("sent")), Some(row("1")), None], vec![true, true, false]));
    let found = glance("b", keys.clone()).await;
    assert_eq!(found, (vec![None, None, Some(row("2"))], vec![false, true, false]), "another account");
    assert_eq!(glance("nobody", keys).await, (vec![None; 3], vec![false; 3]));
    assert_eq!(glance("a", vec![]).await, (vec![], vec![true, true, false]));
    let nothing = under.backend.glance(&"a".into(), vec![], vec![]).await.expect("a glance");
    assert_eq!(nothing, (vec![], vec![]));
    under.commit(batch("a", epoch, 2, vec![Op::Delete(outbox(""))])).await.expect("a commit");
    assert_eq!(glance("a", vec![outbox("")]).await, (vec![None], vec![false, true, false]), "emptied");
}

pub async fn a_scan_ascends_in_pages(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let mut wanted: Vec<Bytes> =
        (0..40_u32).map(|n| Bytes::from(n.wrapping_mul(0x9E37_79B9).to_be_bytes().to_vec())).collect();
    wanted.extend([
        Bytes::new(),
        Bytes::from_static(&[0]),
        Bytes::from_static(&[0xFF, 0xFF]),
        Bytes::from_static(&[0xFF]),
    ]);
    let ops = wanted
        .iter()
        .map(|key| Op::Put(RowKey { table: Table::Inbox, key: key.clone() }, row("v")))
        .collect();
    under.commit(batch("a", epoch, 1, ops)).await.expect("a commit");
    wanted.sort();
    for limit in [1, 7, 44, 100] {
        assert_eq!(under.keys("a", Table::Inbox, b"", limit).await, wanted, "in pages of {limit}");
    }
    assert!(under.keys("a", Table::Outbox, b"", 10).await.is_empty());
    assert!(under.keys("nobody", Table::Inbox, b"", 10).await.is_empty());
}

pub async fn a_prefix_is_exact_at_its_edges(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let keys: &[&[u8]] =
        &[b"a", b"a\x00", b"a\xFF", b"a\xFF\xFF", b"a\xFFz", b"b", b"\xFF", b"\xFF\xFF", b"\xFF\xFFa"];
    let key = |key: &[u8]| RowKey { table: Table::KeyValues, key: Bytes::copy_from_slice(key) };
    let mut sequence = 0;
    for prefix in [&b""[..], b"a", b"a\xFF", b"a\xFF\xFF", b"\xFF", b"\xFF\xFF", b"c"] {
        let ops = keys.iter().map(|k| Op::Put(key(k), row("v"))).collect();
        under.commit(batch("a", epoch, sequence + 1, ops)).await.expect("a commit");
        let mut inside: Vec<&[u8]> = keys.iter().copied().filter(|key| key.starts_with(prefix)).collect();
        let mut outside: Vec<&[u8]> = keys.iter().copied().filter(|key| !key.starts_with(prefix)).collect();
        inside.sort_unstable();
        outside.sort_unstable();
        assert_eq!(under.keys("a", Table::KeyValues, prefix, 2).await, inside, "scan of {prefix:?}");
        let clear = Op::DeletePrefix { table: Table::KeyValues, prefix: Bytes::copy_from_slice(prefix) };
        under.commit(batch("a", epoch, sequence + 2, vec![clear])).await.expect("a commit");
        assert_eq!(under.keys("a", Table::KeyValues, b"", 100).await, outside, "clearing of {prefix:?}");
        sequence += 2;
    }
}

pub async fn a_swap_happens_only_on_what_it_expects(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let swap = |expected: Option<&'static str>, value: &'static str| Op::Swap {
        key: at("x"),
        expected: expected.map(Bytes::from),
        row: row(value),
    };
    let steps = [
        (swap(Some("1"), "no row yet"), None),
        (swap(None, "1"), Some("1")),
        (swap(None, "2"), Some("1")),
        (swap(Some("other"), "2"), Some("1")),
        (swap(Some("1"), "2"), Some("2")),
        (swap(Some("1"), "3"), Some("2")),
    ];
    for (sequence, (op, wanted)) in (1..).zip(steps) {
        let told = format!("{op:?}");
        under.commit(batch("a", epoch, sequence, vec![op])).await.expect("a swap is never an error");
        assert_eq!(under.text("a", "x").await.as_deref(), wanted, "after {told}");
    }
}

pub async fn a_row_of_sixteen_mebibytes_comes_back(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    let big: Bytes =
        (0..16 * 1024 * 1024_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    under
        .commit(batch("a", epoch, 1, vec![Op::Put(at("big"), row(big.clone())), put("c", "")]))
        .await
        .expect("a commit");
    assert!(under.value("a", at("big")).await == Some(big), "the big row differs");
    assert_eq!(under.keys("a", Table::KeyValues, b"", 10).await, ["big", "c"], "scans pass it");
}

pub async fn a_commit_is_seen_by_the_next_read(backend: Arc<dyn Backend>) {
    let under = Under::new(backend).await;
    let epoch = under.open("a").await;
    for sequence in 1..=50 {
        let value = sequence.to_string();
        under.commit(batch("a", epoch, sequence, vec![put("x", &value)])).await.expect("a commit");
        assert_eq!(under.text("a", "x").await, Some(value));
    }
}
