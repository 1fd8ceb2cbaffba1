//! Reads: each runs on a connection of its own and sees one consistent view.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::store_error;
use crate::backend::{AccountId, AccountInfo, Glanced, Page, Row, RowKey, Scan, upper_bound};
use crate::columns::time;
use crate::error::cause;
use crate::lease::{AccountRow, AccountState};
use crate::{HolderId, StoreError, Table, UnixTime};

/// A page of a scan ends after so many bytes, however many rows were asked for.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

const ROW: &str = "SELECT value, expires FROM rows WHERE account = ?1 AND tab = ?2 AND key = ?3";

pub(super) fn get_many(
    connection: &mut Connection,
    account: &AccountId,
    keys: &[RowKey],
) -> Result<Vec<Option<Row>>, StoreError> {
    glance(connection, account, keys, &[]).map(|(rows, _)| rows)
}

pub(super) fn glance(
    connection: &mut Connection,
    account: &AccountId,
    keys: &[RowKey],
    tables: &[Table],
) -> Result<Glanced, StoreError> {
    in_one_view(connection, |view| look(view, account, keys, tables)).map_err(store_error)
}

/// A glance inside somebody's transaction.
pub(super) fn look(
    view: &Connection,
    account: &AccountId,
    keys: &[RowKey],
    tables: &[Table],
) -> rusqlite::Result<Glanced> {
    let Some(id) = account_id(view, account)? else {
        return Ok((vec![None; keys.len()], vec![false; tables.len()]));
    };
    let mut rows = Vec::with_capacity(keys.len());
    if !keys.is_empty() {
        let mut select = view.prepare_cached(ROW)?;
        for key in keys {
            let found = select.query_row(params![id, key.table.number(), &key.key[..]], |row| {
                Ok(Row { value: bytes_at(row, 0)?, expires: time_at(row, 1)? })
            });
            rows.push(found.optional()?);
        }
    }
    let mut occupied = Vec::with_capacity(tables.len());
    if !tables.is_empty() {
        let mut select =
            view.prepare_cached("SELECT EXISTS (SELECT 1 FROM rows WHERE account = ?1 AND tab = ?2)")?;
        for table in tables {
            occupied.push(select.query_row(params![id, table.number()], |row| row.get(0))?);
        }
    }
    Ok((rows, occupied))
}

/// Statements that see the same commits.
fn in_one_view<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let read = read(connection);
    let ended = connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
    let read = read?;
    ended?;
    Ok(read)
}

pub(super) fn scan(
    connection: &mut Connection,
    account: &AccountId,
    scan: &Scan,
) -> Result<Page, StoreError> {
    let read = |view: &Connection| -> rusqlite::Result<Page> {
        let Some(id) = account_id(view, account)? else { return Ok(Page::default()) };
        let start = scan.after.as_ref().filter(|after| **after >= scan.prefix);
        let (compare, from) = start.map_or((">=", &scan.prefix), |after| (">", after));
        let upper = upper_bound(&scan.prefix);
        let bounded = if upper.is_some() { "AND key < ?5" } else { "AND ?5 IS NULL" };
        let mut select = view.prepare_cached(&format!(
            "SELECT key, value, expires FROM rows
             WHERE account = ?1 AND tab = ?2 AND key {compare} ?3 {bounded} ORDER BY key LIMIT ?4"
        ))?;
        let limit = i64::try_from(scan.limit.saturating_add(1)).unwrap_or(i64::MAX);
        let mut found = select.query(params![id, scan.table.number(), &from[..], limit, upper])?;
        let (mut page, mut size) = (Page::default(), 0);
        while let Some(row) = found.next()? {
            if page.rows.len() == scan.limit || size > PAGE_BYTES {
                page.more = true;
                break;
            }
            let (key, value) = (bytes_at(row, 0)?, bytes_at(row, 1)?);
            size += key.len() + value.len();
            page.rows.push((key, Row { value, expires: time_at(row, 2)? }));
        }
        Ok(page)
    };
    in_one_view(connection, read).map_err(store_error)
}

pub(super) fn accounts(
    connection: &mut Connection,
    after: Option<&AccountId>,
    limit: usize,
) -> Result<Vec<AccountInfo>, StoreError> {
    let read = || -> rusqlite::Result<Vec<_>> {
        let mut select = connection.prepare_cached(
            "SELECT name, holder, epoch, high, window, state FROM accounts WHERE name > ?1 ORDER BY name LIMIT ?2",
        )?;
        let after = after.map_or("", AccountId::as_str);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = select.query_map(params![after, limit], |row| {
            let name: String = row.get(0)?;
            Ok((AccountId::from(name), account_row(row, 1)?))
        })?;
        rows.collect()
    };
    let rows = read().map_err(store_error)?;
    let infos = rows.into_iter().map(|(account, row)| AccountInfo {
        account,
        holder: row.holder,
        epoch: row.epoch,
        state: row.state,
    });
    Ok(infos.collect())
}

/// Findings of SQLite itself, and rows that belong to no account.
pub(super) fn check(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut check = connection.prepare("PRAGMA integrity_check(100)")?;
        let findings = check.query_map([], |row| row.get::<_, String>(0))?;
        let mut findings: Vec<String> =
            findings.filter(|found| !matches!(found, Ok(text) if text == "ok")).collect::<Result<_, _>>()?;
        let orphans: i64 = connection.query_row(
            "SELECT count(*) FROM rows WHERE account NOT IN (SELECT id FROM accounts)",
            [],
            |row| row.get(0),
        )?;
        if orphans > 0 {
            findings.push(format!("{orphans} rows belong to no account"));
        }
        Ok(findings)
    };
    read().map_err(store_error)
}

fn account_id(connection: &Connection, account: &AccountId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM accounts WHERE name = ?1")?
        .query_row([account.as_str()], |row| row.get(0))
        .optional()
}

/// Columns `holder, epoch, high, window, state` from `first` on.
pub(super) fn account_row(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<AccountRow> {
    let window: Vec<u8> = row.get(first + 3)?;
    let state: i64 = row.get(first + 4)?;
    let damaged = |column| {
        let problem = cause(std::io::Error::from(std::io::ErrorKind::InvalidData));
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Blob,
            Box::new(StoreError::Io(problem)),
        )
    };
    Ok(AccountRow {
        holder: row.get::<_, Option<String>>(first)?.map(HolderId::from),
        epoch: number_at(row, first + 1)?,
        high: number_at(row, first + 2)?,
        window: u128::from_be_bytes(window.try_into().map_err(|_| damaged(first + 3))?),
        state: u8::try_from(state)
            .ok()
            .and_then(AccountState::from_number)
            .ok_or_else(|| damaged(first + 4))?,
    })
}

fn number_at(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn bytes_at(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(row.get::<_, Vec<u8>>(column)?.into())
}

fn time_at(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<UnixTime>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(time))
}
