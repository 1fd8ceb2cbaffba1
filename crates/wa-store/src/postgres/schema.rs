//! Tables, migrations, and every statement, spelled with the schema's name so that no session setting is needed (a
//! pooler may give each transaction another session).

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::IsolationLevel;

use super::fault::{Unusable, store_error};
use crate::error::cause;
use crate::{Durability, StoreError};

/// Each entry takes the schema one version further; entries are never changed, only added. `{s}` is the schema.
pub(super) const MIGRATIONS: &[&str] = &[
    // 1: accounts with their lease, heartbeats, rows. Account rows change with every commit: room on their pages lets
    // Postgres do that without touching an index. Values are sealed or compact: trying to compress them is a waste.
    "CREATE TABLE {s}.accounts (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name TEXT COLLATE \"C\" NOT NULL UNIQUE,
        holder TEXT,
        epoch BIGINT NOT NULL,
        high BIGINT NOT NULL,
        applied BYTEA NOT NULL,
        state SMALLINT NOT NULL
    ) WITH (fillfactor = 50);
    CREATE TABLE {s}.holders (name TEXT COLLATE \"C\" PRIMARY KEY, expires BIGINT NOT NULL);
    CREATE TABLE {s}.rows (
        account BIGINT NOT NULL,
        tab SMALLINT NOT NULL,
        key BYTEA NOT NULL,
        value BYTEA NOT NULL,
        expires BIGINT,
        PRIMARY KEY (account, tab, key)
    ) WITH (fillfactor = 90);
    ALTER TABLE {s}.rows ALTER COLUMN value SET STORAGE EXTERNAL;
    CREATE INDEX rows_expires ON {s}.rows (expires) WHERE expires IS NOT NULL;
    INSERT INTO {s}.accounts (name, epoch, high, applied, state)
        VALUES ('', 0, 0, decode(repeat('00', 16), 'hex'), 0);",
];

/// Locks migrations of all processes against each other.
const MIGRATION_LOCK: i64 = 0x5761_5374;

/// Each writing transaction begins so: durable whatever the server's or the role's default says, in vain for a few
/// seconds at most, and given up by the server when our process is stopped in the middle.
const GUARDED: &str = "SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '3s'; \
                       SET LOCAL idle_in_transaction_session_timeout = '20s'";

/// Milliseconds of the server's clock.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// All statements.
pub(super) struct Sql {
    pub(super) begin: String,
    pub(super) get_many: String,
    pub(super) scan: String,
    pub(super) lock_accounts: String,
    pub(super) upsert: String,
    pub(super) delete: String,
    pub(super) delete_prefix: String,
    pub(super) swap_absent: String,
    pub(super) swap: String,
    pub(super) applied: String,
    pub(super) heartbeat: String,
    pub(super) retire: String,
    pub(super) liveness: String,
    pub(super) floor: String,
    pub(super) insert_account: String,
    pub(super) update_account: String,
    pub(super) accounts: String,
    pub(super) delete_rows: String,
    pub(super) has_rows: String,
    pub(super) delete_account: String,
    pub(super) prune: String,
    pub(super) orphans: String,
    pub(super) vacuum: String,
}

impl Sql {
    #[rustfmt::skip]
    pub(super) fn new(schema: &str) -> Self {
        let s = quoted(schema);
        Self {
            begin: format!("BEGIN ISOLATION LEVEL READ COMMITTED; {GUARDED}"),
            get_many: format!(
                "SELECT k.n, r.value, r.expires
                 FROM unnest($2::smallint[], $3::bytea[]) WITH ORDINALITY AS k (tab, key, n)
                 JOIN {s}.accounts a ON a.name = $1
                 JOIN {s}.rows r ON r.account = a.id AND r.tab = k.tab AND r.key = k.key"),
            scan: format!(
                "SELECT key, value, expires FROM {s}.rows
                 WHERE account = (SELECT id FROM {s}.accounts WHERE name = $1) AND tab = $2 AND key >= $3
                 AND ($4::bytea IS NULL OR key > $4) AND ($5::bytea IS NULL OR key < $5) ORDER BY key LIMIT $6"),
            // In order of the name: two groups never wait for each other.
            lock_accounts: format!(
                "SELECT id, name, holder, epoch, high, applied, state FROM {s}.accounts
                 WHERE name = ANY($1) ORDER BY name FOR NO KEY UPDATE"),
            upsert: format!(
                "INSERT INTO {s}.rows (account, tab, key, value, expires)
                 SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bytea[], $4::bytea[], $5::bigint[])
                 ON CONFLICT (account, tab, key) DO UPDATE SET value = excluded.value, expires = excluded.expires"),
            delete: format!(
                "DELETE FROM {s}.rows r USING unnest($1::bigint[], $2::smallint[], $3::bytea[]) AS k (account, tab, key)
                 WHERE r.account = k.account AND r.tab = k.tab AND r.key = k.key"),
            delete_prefix: format!(
                "DELETE FROM {s}.rows
                 WHERE account = $1 AND tab = $2 AND key >= $3 AND ($4::bytea IS NULL OR key < $4)"),
            swap_absent: format!(
                "INSERT INTO {s}.rows (account, tab, key, value, expires) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (account, tab, key) DO NOTHING"),
            swap: format!(
                "UPDATE {s}.rows SET value = $4, expires = $5
                 WHERE account = $1 AND tab = $2 AND key = $3 AND value = $6"),
            applied: format!(
                "UPDATE {s}.accounts a SET high = n.high, applied = n.applied
                 FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS n (id, high, applied) WHERE a.id = n.id"),
            heartbeat: format!(
                "INSERT INTO {s}.holders (name, expires) VALUES ($1, {NOW} + $2::bigint)
                 ON CONFLICT (name) DO UPDATE SET expires = excluded.expires"),
            retire: format!("DELETE FROM {s}.holders WHERE name = $1"),
            liveness: format!("SELECT {NOW}, (SELECT expires FROM {s}.holders WHERE name = $1)"),
            floor: format!("SELECT epoch FROM {s}.accounts WHERE name = '' FOR SHARE"),
            insert_account: format!(
                "INSERT INTO {s}.accounts (name, holder, epoch, high, applied, state) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (name) DO NOTHING"),
            update_account: format!(
                "UPDATE {s}.accounts SET holder = $2, epoch = $3, high = $4, applied = $5, state = $6 WHERE id = $1"),
            accounts: format!(
                "SELECT id, name, holder, epoch, high, applied, state FROM {s}.accounts
                 WHERE name > $1 ORDER BY name LIMIT $2"),
            delete_rows: format!(
                "DELETE FROM {s}.rows WHERE ctid = ANY(ARRAY(SELECT ctid FROM {s}.rows WHERE account = $1 LIMIT $2))"),
            has_rows: format!("SELECT EXISTS (SELECT FROM {s}.rows WHERE account = $1)"),
            delete_account: format!("DELETE FROM {s}.accounts WHERE id = $1"),
            prune: format!(
                "DELETE FROM {s}.rows WHERE expires <= $1 AND ctid = ANY(ARRAY(
                 SELECT ctid FROM {s}.rows WHERE expires <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))"),
            orphans: format!(
                "SELECT account, count(*) FROM {s}.rows r
                 WHERE NOT EXISTS (SELECT FROM {s}.accounts a WHERE a.id = r.account) GROUP BY account"),
            vacuum: format!("VACUUM {s}.rows"),
        }
    }
}

/// A transaction of its own for something that writes.
pub(super) async fn writing(client: &mut Client) -> Result<Transaction<'_>, StoreError> {
    let begun = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await;
    let transaction = begun.map_err(store_error)?;
    transaction.batch_execute(GUARDED).await.map_err(store_error)?;
    Ok(transaction)
}

fn quoted(schema: &str) -> String {
    format!("\"{}\"", schema.replace('"', "\"\""))
}

/// Refuses what Postgres would cut off or cannot hold.
pub(super) fn check_name(schema: &str) -> Result<(), Unusable> {
    let fits = (1..=63).contains(&schema.len()) && !schema.contains('\0');
    if fits { Ok(()) } else { Err(Unusable::SchemaName) }
}

/// What a commit survives on this server: an operator may have turned its syncs off.
pub(super) async fn durability(client: &Client) -> Result<Durability, StoreError> {
    let settings = "SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on',
                           current_setting('server_encoding')";
    let row = client.query_one(settings, &[]).await.map_err(store_error)?;
    let encoding: String = row.try_get(1).map_err(store_error)?;
    if encoding != "UTF8" {
        return Err(Unusable::Encoding(encoding).into());
    }
    Ok(if row.try_get(0).map_err(store_error)? { Durability::Power } else { Durability::Process })
}

/// Makes the tables, or brings them to the newest version.
pub(super) async fn migrate(
    client: &mut Client,
    schema: &str,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let s = quoted(schema);
    let begun = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await;
    let transaction = begun.map_err(store_error)?;
    let locked = transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await;
    locked.map_err(store_error)?;
    // Another process may have been faster.
    let found = version(transaction.client(), schema).await?;
    let done = found.unwrap_or(0);
    let steps = migrations.get(done..).ok_or(StoreError::NewerSchema {
        found: u32::try_from(done).unwrap_or(u32::MAX),
        known: u32::try_from(migrations.len()).unwrap_or(u32::MAX),
    })?;
    let mut script = "SET LOCAL synchronous_commit = on;".to_owned();
    if found.is_none() {
        script += &format!(
            "CREATE SCHEMA IF NOT EXISTS {s};
             CREATE TABLE {s}.wa_store (version INTEGER PRIMARY KEY, migrated TIMESTAMPTZ NOT NULL DEFAULT now());"
        );
    }
    for (step, number) in steps.iter().zip(done + 1..) {
        script += &step.replace("{s}", &s);
        script += &format!(" INSERT INTO {s}.wa_store (version) VALUES ({number});");
    }
    transaction.batch_execute(&script).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)
}

/// The version of the schema; `None` if it is not there or empty.
pub(super) async fn version(
    client: &tokio_postgres::Client,
    schema: &str,
) -> Result<Option<usize>, StoreError> {
    let look = "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'wa_store'),
                       EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
                FROM pg_namespace n WHERE nspname = $1";
    let Some(row) = client.query_opt(look, &[&schema]).await.map_err(store_error)? else { return Ok(None) };
    let (ours, used): (bool, bool) =
        (row.try_get(0).map_err(store_error)?, row.try_get(1).map_err(store_error)?);
    match (ours, used) {
        (false, true) => Err(StoreError::ForeignSchema(schema.to_owned())),
        (false, false) => Ok(None),
        (true, _) => {
            let newest = format!("SELECT coalesce(max(version), 0) FROM {}.wa_store", quoted(schema));
            let row = client.query_one(&newest, &[]).await.map_err(store_error)?;
            let version: i32 = row.try_get(0).map_err(store_error)?;
            usize::try_from(version).map(Some).map_err(|error| StoreError::CorruptFile(cause(error)))
        }
    }
}
