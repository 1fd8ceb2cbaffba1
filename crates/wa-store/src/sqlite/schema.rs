//! One file: how it is opened, recognized, and brought to the newest schema.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::fault::store_error;
use crate::error::cause;
use crate::{Durability, StoreError};

/// `WaSt` in the file's header: how a store is told from other programs' files.
const APPLICATION_ID: i32 = 0x5761_5374;

/// What SQLite calls the vacuum that runs in steps.
const INCREMENTAL: i64 = 2;

/// Pages of the log that are copied into the file together: the more, the fewer copies of a page that changes again and
/// again, and the fewer syncs. One table of the log's index holds as many.
const LOG_PAGES: u32 = 4_000;

/// Each entry takes the schema one version further; entries are never changed, only added.
const MIGRATIONS: &[&str] = &[
    // 1: accounts with their lease, heartbeats, rows. Rows are a rowid table with an index: values of some hundred bytes
    // would make a table without rowid rewrite whole pages.
    "CREATE TABLE accounts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        holder TEXT,
        epoch INTEGER NOT NULL,
        high INTEGER NOT NULL,
        window BLOB NOT NULL,
        state INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX accounts_holder ON accounts (holder) WHERE holder IS NOT NULL;
    CREATE TABLE holders (name TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE rows (
        account INTEGER NOT NULL,
        tab INTEGER NOT NULL,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        expires INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX rows_place ON rows (account, tab, key);
    CREATE INDEX rows_expires ON rows (expires) WHERE expires IS NOT NULL;
    INSERT INTO accounts (id, name, epoch, high, window, state) VALUES (0, '', 0, 0, zeroblob(16), 0);",
];

/// How the file is opened.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) vfs: Option<String>,
    pub(super) durability: Durability,
    pub(super) busy: Duration,
    pub(super) cache_kib: u32,
    pub(super) max_pages: Option<u32>,
}

/// The connection that writes. Makes the file, or recognizes and migrates it.
pub(super) fn open_writer(file: &File) -> Result<Connection, StoreError> {
    if file.vfs.is_none() {
        make_private(&file.path)?;
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(file, flags)?;
    recognize(&connection, &file.path)?;
    if connection.is_readonly("main").map_err(store_error)? {
        // Now, and not at the first commit.
        return Err(StoreError::ReadOnly(cause(std::io::Error::from(std::io::ErrorKind::PermissionDenied))));
    }
    let prepared = (|| {
        // Setting it takes the write lock, even to what it is.
        let vacuum: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
        if vacuum != INCREMENTAL {
            connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
        }
        set_wal(&connection)?;
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let synchronous = if file.durability == Durability::Power { "FULL" } else { "NORMAL" };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "fullfsync", file.durability == Durability::Power)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
        if let Some(pages) = file.max_pages {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(mode)
    })();
    let mode = prepared.map_err(store_error)?;
    if mode != "wal" {
        // SQLite answers with the old mode, not with an error, where there is no shared memory. In that mode a power cut
        // can take back a commit: its journal is removed, but the folder is not synced.
        let refused =
            std::io::Error::new(std::io::ErrorKind::Unsupported, "the file cannot have a write-ahead log");
        return Err(StoreError::CannotOpen { path: file.path.clone(), source: cause(refused) });
    }
    migrate(&mut connection, MIGRATIONS, &file.path)?;
    Ok(connection)
}

/// The answer comes before the change is written, so an error comes only after it.
fn set_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut set = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut answers = set.query([])?;
    while answers.next()?.is_some() {}
    Ok(())
}

/// A connection that only reads.
pub(super) fn open_reader(file: &File) -> Result<Connection, StoreError> {
    // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL file writes its shared-memory index.
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.pragma_update(None, "query_only", true).map_err(store_error)?;
    Ok(connection)
}

fn connect(file: &File, flags: OpenFlags) -> Result<Connection, StoreError> {
    let opened = match &file.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(&file.path, flags, vfs.as_str()),
        None => Connection::open_with_flags(&file.path, flags),
    };
    let connection = opened.map_err(|error| cannot_open(&file.path, error))?;
    connection.set_prepared_statement_cache_capacity(32);
    let prepared = (|| {
        // Else every statement with a limit is compiled again for each use: the planner looks at the number.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.busy_timeout(file.busy)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "cache_size", -i64::from(file.cache_kib))
    })();
    prepared.map_err(|error| cannot_open(&file.path, error))?;
    Ok(connection)
}

fn cannot_open(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::ForeignFile(path.into()),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::CannotOpen { path: path.into(), source: cause(error) }
        }
        _ => store_error(error),
    }
}

/// A new file is readable by its owner only: it holds private keys. The files beside it get the same permissions.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::CannotOpen { path: path.into(), source: cause(error) })
        }
        _ => Ok(()),
    }
}

/// Refuses a file of another program, before anything is written to it.
fn recognize(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let look = || -> rusqlite::Result<_> {
        let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let objects: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((id, objects))
    };
    match look().map_err(|error| cannot_open(path, error))? {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(StoreError::ForeignFile(path.into())),
    }
}

fn migrate(connection: &mut Connection, migrations: &[&str], path: &Path) -> Result<(), StoreError> {
    if version(connection)? == migrations.len() {
        return Ok(());
    }
    // Another process may be migrating the same file: look again once nobody else can write.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(store_error)?;
    recognize(&transaction, path)?;
    let found = version(&transaction)?;
    let steps = migrations.get(found..).ok_or(StoreError::NewerSchema {
        found: u32::try_from(found).unwrap_or(u32::MAX),
        known: u32::try_from(migrations.len()).unwrap_or(u32::MAX),
    })?;
    let run = || -> rusqlite::Result<()> {
        for step in steps {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i64::try_from(migrations.len()).unwrap_or(i64::MAX))
    };
    run().map_err(store_error)?;
    transaction.commit().map_err(store_error)
}

fn version(connection: &Connection) -> Result<usize, StoreError> {
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(store_error)?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn migrations_run_once_each_and_in_order() {
        let mut connection = connection();
        let path = Path::new("x");
        migrate(&mut connection, &["CREATE TABLE a (x)"], path).unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)", "ALTER TABLE a RENAME TO b"], path).unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)", "ALTER TABLE a RENAME TO b"], path).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
        connection.execute("INSERT INTO b VALUES (1)", []).unwrap();
    }

    #[test]
    fn a_migration_keeps_what_is_stored_and_runs_once_however_many_begin_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut first = Connection::open(&path).unwrap();
        set_wal(&first).unwrap();
        migrate(&mut first, MIGRATIONS, &path).unwrap();
        first.execute("INSERT INTO rows VALUES (7, 4, x'01', x'02', NULL)", []).unwrap();
        let further = "ALTER TABLE rows ADD COLUMN older INTEGER; UPDATE rows SET older = 1";
        let newer = [MIGRATIONS, &[further]].concat();
        let begin = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut connection = Connection::open(&path).unwrap();
                    connection.busy_timeout(Duration::from_secs(30)).unwrap();
                    begin.wait();
                    migrate(&mut connection, &newer, &path).unwrap();
                });
            }
        });
        let row = first.query_row("SELECT account, tab, key, value, older FROM rows", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        });
        assert_eq!(row.unwrap(), (7, 4, vec![1_u8], vec![2_u8], 1));
        assert_eq!(version(&first).unwrap(), newer.len());
        let older = migrate(&mut first, MIGRATIONS, &path).unwrap_err();
        assert!(matches!(older, StoreError::NewerSchema { found: 2, known: 1 }), "{older:?}");
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut connection = connection();
        assert!(migrate(&mut connection, &["CREATE TABLE a (x)", "nonsense"], Path::new("x")).is_err());
        assert_eq!(version(&connection).unwrap(), 0);
        assert!(connection.execute("INSERT INTO a VALUES (1)", []).is_err());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = connection();
        migrate(&mut connection, &["CREATE TABLE a (x)", "CREATE TABLE b (x)"], Path::new("x")).unwrap();
        let error = migrate(&mut connection, &["CREATE TABLE a (x)"], Path::new("x")).unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { found: 2, known: 1 }), "{error:?}");
    }
}
