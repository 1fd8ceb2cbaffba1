//! Account rows and leases by the server's clock: each change is one transaction that locks the account's row first.

use std::time::Duration;

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::fault::store_error;
use super::schema::{Sql, writing};
use crate::backend::{AccountId, AccountInfo, Deletion};
use crate::columns::{signed, time};
use crate::error::cause;
use crate::lease::{AccountRow, AccountState, Acquired, Intent, Liveness};
use crate::{HolderId, StoreError, UnixTime};

/// How many rows one step of a deletion takes.
const DELETED_AT_ONCE: i64 = 5000;

pub(super) async fn heartbeat(
    client: &mut Client,
    sql: &Sql,
    holder: &HolderId,
    ttl: Duration,
) -> Result<(), StoreError> {
    let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2);
    let transaction = writing(client).await?;
    transaction.execute(&sql.heartbeat, &[&holder.as_str(), &ttl]).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)
}

pub(super) async fn retire(client: &mut Client, sql: &Sql, holder: &HolderId) -> Result<(), StoreError> {
    let transaction = writing(client).await?;
    transaction.execute(&sql.retire, &[&holder.as_str()]).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)
}

pub(super) async fn acquire(
    client: &mut Client,
    sql: &Sql,
    account: &AccountId,
    holder: &HolderId,
    intent: Intent,
) -> Result<Acquired, StoreError> {
    loop {
        let transaction = writing(client).await?;
        let (id, stored) = lock(&transaction, sql, account).await?.unzip();
        // Only a new account looks at the floor; whoever would raise it waits until we have finished.
        let floor = match &stored {
            Some(_) => 0,
            None => number(&transaction.query_one(&sql.floor, &[]).await.map_err(store_error)?, 0)?,
        };
        let before = stored.as_ref().and_then(|row| row.holder.as_ref());
        let (now, liveness) = liveness(&transaction, sql, before).await?;
        let (row, acquired) =
            AccountRow::acquire(stored, floor, account, holder, intent, now, |_| Ok(liveness))?;
        let written = match id {
            Some(id) => {
                write(&transaction, sql, id, &row).await?;
                true
            }
            None => insert(&transaction, sql, account, &row).await?,
        };
        // Somebody else may have made the account in between: then decide again.
        if written {
            transaction.commit().await.map_err(store_error)?;
            return Ok(acquired);
        }
        transaction.rollback().await.map_err(store_error)?;
    }
}

/// The server's time, and what is known about a holder.
async fn liveness(
    transaction: &Transaction<'_>,
    sql: &Sql,
    holder: Option<&HolderId>,
) -> Result<(UnixTime, Liveness), StoreError> {
    let name = holder.map(HolderId::as_str);
    let row = transaction.query_one(&sql.liveness, &[&name]).await.map_err(store_error)?;
    let now: i64 = row.try_get(0).map_err(store_error)?;
    let expires: Option<i64> = row.try_get(1).map_err(store_error)?;
    Ok((time(now), expires.map_or(Liveness::Dead, |expires| Liveness::Until(time(expires)))))
}

pub(super) async fn release(
    client: &mut Client,
    sql: &Sql,
    account: &AccountId,
    epoch: u64,
) -> Result<(), StoreError> {
    let transaction = writing(client).await?;
    if let Some((id, mut row)) = lock(&transaction, sql, account).await?
        && row.release(epoch)
    {
        write(&transaction, sql, id, &row).await?;
    }
    transaction.commit().await.map_err(store_error)
}

pub(super) async fn set_state(
    client: &mut Client,
    sql: &Sql,
    account: &AccountId,
    epoch: u64,
    state: AccountState,
) -> Result<(), StoreError> {
    let transaction = writing(client).await?;
    let (id, mut row) = known(lock(&transaction, sql, account).await?, account)?;
    row.expect_epoch(account, epoch)?;
    row.state = state;
    write(&transaction, sql, id, &row).await?;
    transaction.commit().await.map_err(store_error)
}

pub(super) async fn delete_account(
    client: &mut Client,
    sql: &Sql,
    account: &AccountId,
    epoch: u64,
) -> Result<Deletion, StoreError> {
    let transaction = writing(client).await?;
    // Both rows at once, in the order in which group commits lock them.
    let system = AccountId::system();
    let mut locked = lock_all(&transaction, sql, &[&system, account]).await?;
    let (id, row) = known(locked.pop().flatten(), account)?;
    let (system_id, mut floor) = known(locked.pop().flatten(), &system)?;
    row.expect_epoch(account, epoch)?;
    transaction.execute(&sql.delete_rows, &[&id, &DELETED_AT_ONCE]).await.map_err(store_error)?;
    let left = transaction.query_one(&sql.has_rows, &[&id]).await.map_err(store_error)?;
    let more: bool = left.try_get(0).map_err(store_error)?;
    if !more {
        transaction.execute(&sql.delete_account, &[&id]).await.map_err(store_error)?;
        floor.deleted(epoch);
        write(&transaction, sql, system_id, &floor).await?;
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(if more { Deletion::More } else { Deletion::Done })
}

pub(super) async fn prune(
    client: &mut Client,
    sql: &Sql,
    now: UnixTime,
    limit: usize,
) -> Result<u64, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let transaction = writing(client).await?;
    let pruned =
        transaction.execute(&sql.prune, &[&signed(now.as_millis()), &limit]).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)?;
    Ok(pruned)
}

pub(super) async fn accounts(
    client: &Client,
    sql: &Sql,
    after: Option<&AccountId>,
    limit: usize,
) -> Result<Vec<AccountInfo>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let after = after.map_or(AccountId::SYSTEM_NAME, AccountId::as_str);
    let rows = client.query(&sql.accounts, &[&after, &limit]).await.map_err(store_error)?;
    let infos = rows.iter().map(|row| {
        let (_, account_row) = account_row(row)?;
        Ok(AccountInfo {
            account: name(row)?.into(),
            holder: account_row.holder,
            epoch: account_row.epoch,
            state: account_row.state,
        })
    });
    infos.collect()
}

async fn lock(
    transaction: &Transaction<'_>,
    sql: &Sql,
    account: &AccountId,
) -> Result<Option<(i64, AccountRow)>, StoreError> {
    Ok(lock_all(transaction, sql, &[account]).await?.pop().flatten())
}

/// In the order of `accounts`; `None` for those that do not exist.
async fn lock_all(
    transaction: &Transaction<'_>,
    sql: &Sql,
    accounts: &[&AccountId],
) -> Result<Vec<Option<(i64, AccountRow)>>, StoreError> {
    let names: Vec<&str> = accounts.iter().map(|account| account.as_str()).collect();
    let found = transaction.query(&sql.lock_accounts, &[&names]).await.map_err(store_error)?;
    let mut locked = vec![None; names.len()];
    for row in &found {
        let name = name(row)?;
        if let Some(place) = names.iter().position(|wanted| *wanted == name) {
            locked[place] = Some(account_row(row)?);
        }
    }
    Ok(locked)
}

fn known<T>(row: Option<T>, account: &AccountId) -> Result<T, StoreError> {
    row.ok_or_else(|| StoreError::UnknownAccount(account.clone()))
}

async fn write(
    transaction: &Transaction<'_>,
    sql: &Sql,
    id: i64,
    row: &AccountRow,
) -> Result<(), StoreError> {
    put(transaction, &sql.update_account, &id, row).await.map(drop)
}

/// Says whether it was made: not if there is one of this name.
async fn insert(
    transaction: &Transaction<'_>,
    sql: &Sql,
    account: &AccountId,
    row: &AccountRow,
) -> Result<bool, StoreError> {
    Ok(put(transaction, &sql.insert_account, &account.as_str(), row).await? == 1)
}

/// Parameters `place, holder, epoch, high, applied, state`; gives the number of rows.
async fn put(
    transaction: &Transaction<'_>,
    statement: &str,
    place: &(dyn ToSql + Sync),
    row: &AccountRow,
) -> Result<u64, StoreError> {
    let holder = row.holder.as_ref().map(HolderId::as_str);
    let (epoch, high, window) = (signed(row.epoch), signed(row.high), row.window.to_be_bytes());
    let state = i16::from(row.state as u8);
    let values: [&(dyn ToSql + Sync); 6] = [place, &holder, &epoch, &high, &&window[..], &state];
    transaction.execute(statement, &values).await.map_err(store_error)
}

fn number(row: &Row, column: usize) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column).map_err(store_error)?;
    u64::try_from(number).map_err(|error| StoreError::CorruptFile(cause(error)))
}

/// The name in columns `id, name, holder, epoch, high, applied, state`.
pub(super) fn name(row: &Row) -> Result<&str, StoreError> {
    row.try_get(1).map_err(store_error)
}

/// The rest of these columns.
pub(super) fn account_row(row: &Row) -> Result<(i64, AccountRow), StoreError> {
    let damaged = || StoreError::CorruptFile(cause(std::io::Error::from(std::io::ErrorKind::InvalidData)));
    let window: &[u8] = row.try_get(5).map_err(store_error)?;
    let state: i16 = row.try_get(6).map_err(store_error)?;
    let account_row = AccountRow {
        holder: row.try_get::<_, Option<&str>>(2).map_err(store_error)?.map(HolderId::from),
        epoch: number(row, 3)?,
        high: number(row, 4)?,
        window: u128::from_be_bytes(window.try_into().map_err(|_| damaged())?),
        state: u8::try_from(state).ok().and_then(AccountState::from_number).ok_or_else(damaged)?,
    };
    Ok((row.try_get(0).map_err(store_error)?, account_row))
}
