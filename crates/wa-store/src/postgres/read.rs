//! Reads: each is one statement, which sees one consistent view, on whichever connection of the pool is free.

use deadpool_postgres::Client;
use tokio_postgres::Row as Columns;

use super::fault::store_error;
use super::schema::Sql;
use crate::backend::{AccountId, Page, Row, RowKey, Scan, upper_bound};
use crate::columns::time;
use crate::{Bytes, StoreError};

/// A page of a scan has at most so many rows, however many were asked for.
const PAGE_ROWS: usize = 4096;

pub(super) async fn get_many(
    client: &Client,
    sql: &Sql,
    account: &AccountId,
    keys: &[RowKey],
) -> Result<Vec<Option<Row>>, StoreError> {
    let select = client.prepare_cached(&sql.get_many).await.map_err(store_error)?;
    let tables: Vec<i16> = keys.iter().map(|key| key.table.number().into()).collect();
    let names: Vec<&[u8]> = keys.iter().map(|key| &key.key[..]).collect();
    let found = client.query(&select, &[&account.as_str(), &tables, &names]).await.map_err(store_error)?;
    let mut rows = vec![None; keys.len()];
    for columns in found {
        let place: i64 = columns.try_get(0).map_err(store_error)?;
        let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(slot) = rows.get_mut(place) {
            *slot = Some(row_at(&columns, 1)?);
        }
    }
    Ok(rows)
}

pub(super) async fn scan(
    client: &Client,
    sql: &Sql,
    account: &AccountId,
    scan: &Scan,
) -> Result<Page, StoreError> {
    let select = client.prepare_cached(&sql.scan).await.map_err(store_error)?;
    let wanted = scan.limit.clamp(1, PAGE_ROWS);
    let limit = i64::try_from(wanted + 1).unwrap_or(i64::MAX);
    let end = upper_bound(&scan.prefix);
    let table = i16::from(scan.table.number());
    let found = client
        .query(&select, &[&account.as_str(), &table, &&scan.prefix[..], &scan.after.as_deref(), &end, &limit])
        .await
        .map_err(store_error)?;
    let more = found.len() > wanted;
    let rows = found.iter().take(wanted).map(|columns| Ok((bytes_at(columns, 0)?, row_at(columns, 1)?)));
    Ok(Page { rows: rows.collect::<Result<_, StoreError>>()?, more })
}

/// Rows without an account. The server's own files are the business of `pg_amcheck`.
pub(super) async fn check(client: &Client, sql: &Sql) -> Result<Vec<String>, StoreError> {
    let orphans = client.query(&sql.orphans, &[]).await.map_err(store_error)?;
    let findings = orphans.iter().map(|columns| {
        let (account, rows): (i64, i64) =
            (columns.try_get(0).map_err(store_error)?, columns.try_get(1).map_err(store_error)?);
        Ok(format!("{rows} rows belong to account number {account}, which does not exist"))
    });
    findings.collect()
}

fn bytes_at(columns: &Columns, column: usize) -> Result<Bytes, StoreError> {
    columns.try_get::<_, &[u8]>(column).map(Bytes::copy_from_slice).map_err(store_error)
}

/// Columns `value, expires` from `first` on.
fn row_at(columns: &Columns, first: usize) -> Result<Row, StoreError> {
    let expires: Option<i64> = columns.try_get(first + 1).map_err(store_error)?;
    Ok(Row { value: bytes_at(columns, first)?, expires: expires.map(time) })
}
