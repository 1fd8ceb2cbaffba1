//! Tables that are made, and brought from an older version to a newer one. Two real processes, each with several pools, do
//! that and open the store at the same moment: it happens once, what was stored stays, every store opens, and of all
//! holders that want one account exactly one gets it.

#![cfg(feature = "postgres")]
#![allow(clippy::print_stdout)] // the processes tell by their output

mod served;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use served::Reach;
use wa_store::tables::KeyValues;
use wa_store::{Changes, PostgresOptions, Store, StoreError, StoreKey};

const POOLS: usize = 4;
const SCHEMAS: usize = 6;
/// What the next version of the library could bring: it marks what was there before, and fails when it runs twice.
const FURTHER: &str = "ALTER TABLE {s}.rows ADD COLUMN older BOOLEAN NOT NULL DEFAULT false;
                       UPDATE {s}.rows SET older = true;";
const BROKEN: &str = "ALTER TABLE {s}.rows ADD COLUMN older BOOLEAN; UPDATE {s}.rows SET no_such_column = 1;";

/// The other side of the test: opens a schema for every line that it hears.
struct Opener {
    process: Child,
    told: BufReader<ChildStdout>,
    tell: ChildStdin,
}

impl Opener {
    fn start(url: &str, name: &str, further: Option<&'static str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["opener", "--exact", "--nocapture", "--test-threads=1"]);
        command.env("WA_OPENER_URL", url).env("WA_OPENER_NAME", name);
        further.map(|_| command.env("WA_OPENER_FURTHER", "1"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(process.stdout.take().unwrap());
        let tell = process.stdin.take().unwrap();
        let mut opener = Self { process, told, tell };
        opener.hear("ready");
        opener
    }

    fn open(&mut self, schema: &str) {
        writeln!(self.tell, "{schema}").unwrap();
    }

    /// The next line that begins so, without its beginning.
    fn hear(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.told.read_line(&mut line).unwrap(), 0, "the process ended before {wanted}");
            if let Some(rest) = line.trim_end().strip_prefix(wanted) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two processes open the same schemas, each at the same moment.
fn together(url: &str, schemas: &[String], further: Option<&'static str>) {
    let mut openers = [Opener::start(url, "first", further), Opener::start(url, "second", further)];
    for schema in schemas {
        openers.iter_mut().for_each(|opener| opener.open(schema));
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        for opener in &mut openers {
            for _ in 0..POOLS {
                *outcomes.entry(opener.hear("outcome")).or_default() += 1;
            }
        }
        let wanted = BTreeMap::from([("has it".to_owned(), 1), ("held".to_owned(), 2 * POOLS - 1)]);
        assert_eq!(outcomes, wanted, "{schema}");
    }
}

#[test]
fn processes_that_make_and_open_one_schema_together_agree() {
    let server = served::start(Reach::Port, "fsync = off");
    let schemas: Vec<String> = (0..SCHEMAS).map(|number| format!("together_{number}")).collect();
    together(server.url(), &schemas, None);
}

#[test]
fn processes_that_migrate_one_schema_together_do_it_once_and_keep_what_is_stored() {
    let server = served::start(Reach::Port, "fsync = off");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let schemas: Vec<String> = (0..SCHEMAS).map(|number| format!("older_{number}")).collect();
    runtime.block_on(async {
        for schema in &schemas {
            fill(server.url(), schema).await;
        }
    });
    together(server.url(), &schemas, Some(FURTHER));
    runtime.block_on(async {
        for schema in &schemas {
            assert_eq!(versions(server.url(), schema).await, [1, 2]);
            assert_eq!(kept(server.url(), schema, Some(FURTHER)).await.unwrap(), STORED);
        }
    });
}

#[tokio::test]
async fn a_migration_keeps_what_is_stored_runs_once_and_shuts_older_versions_out() {
    let server = served::start(Reach::Port, "fsync = off");
    let (url, schema) = (server.url(), "wa_store");
    fill(url, schema).await;
    // One that fails leaves everything as it was.
    let broken = options(url, schema, Some(BROKEN)).open().await.unwrap_err();
    assert!(matches!(broken, StoreError::Database(_)), "{broken:?}");
    assert_eq!((versions(url, schema).await, kept(url, schema, None).await.unwrap()), (vec![1], STORED));
    for _ in 0..2 {
        assert_eq!(kept(url, schema, Some(FURTHER)).await.unwrap(), STORED);
        assert_eq!(versions(url, schema).await, [1, 2]);
    }
    let marked = "SELECT count(*) FROM wa_store.rows WHERE older AND tab = 34";
    assert_eq!(control(url).await.query_one(marked, &[]).await.unwrap().get::<_, i64>(0), STORED as i64);
    let older = options(url, schema, None).open().await.unwrap_err();
    assert!(matches!(older, StoreError::NewerSchema { found: 2, known: 1 }), "{older:?}");
}

/// Rows of [`fill`].
const STORED: usize = 100;

fn options(url: &str, schema: &str, further: Option<&'static str>) -> PostgresOptions {
    let options = PostgresOptions::new(url).unwrap().schema(schema).connections(2);
    further.into_iter().fold(options, PostgresOptions::further_migration)
}

async fn store(url: &str, schema: &str, further: Option<&'static str>) -> Result<Store, StoreError> {
    let backend = options(url, schema, further).open().await?;
    Store::builder(Arc::new(backend)).holder("here").encryption(StoreKey::new([5; 32])).open().await
}

/// Makes the tables of this version, with an account and its rows.
async fn fill(url: &str, schema: &str) {
    let store = store(url, schema, None).await.unwrap();
    let mut changes = Changes::new();
    for number in 0..STORED {
        changes.put(KeyValues, &("kept".into(), number.to_string().into()), &number.to_string().into());
    }
    store.account("main").open().await.unwrap().commit(changes).await.unwrap().release();
    store.close().await.unwrap();
}

/// How many of these rows are there, as they were.
async fn kept(url: &str, schema: &str, further: Option<&'static str>) -> Result<usize, StoreError> {
    let store = store(url, schema, further).await?;
    // Whoever had the account is a process that has ended.
    control(url).await.batch_execute(&format!("DELETE FROM {schema}.holders")).await.unwrap();
    let rows = store.account("main").open().await?.all(KeyValues, &"kept".into()).await?;
    store.close().await?;
    Ok(rows.iter().filter(|((_, number), value)| number == value).count())
}

async fn versions(url: &str, schema: &str) -> Vec<i32> {
    let versions = format!("SELECT version FROM {schema}.wa_store ORDER BY 1");
    control(url).await.query(&versions, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn control(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Opens a store with a pool of its own and tries for the account; the name of what came out of it.
async fn outcome(
    url: &str,
    schema: &str,
    further: Option<&'static str>,
    holder: String,
) -> Result<&'static str, StoreError> {
    let backend = options(url, schema, further).open().await?;
    let key = StoreKey::new([5; 32]);
    let store = Store::builder(Arc::new(backend)).holder(holder).encryption(key).open().await?;
    let account = match store.account("main").open().await {
        Ok(account) => account,
        Err(StoreError::Held { .. }) => return Ok("held"),
        Err(error) => return Err(error),
    };
    let mut changes = Changes::new();
    changes.put(KeyValues, &("app".into(), Bytes::from_static(b"x")), &Bytes::from_static(b"1"));
    account.commit(changes).await?.release();
    // Keeps the lease: a store that is dropped leaves its heartbeat.
    Ok("has it")
}

/// One of the two processes. In an ordinary run it is nothing.
#[test]
fn opener() {
    let Ok(url) = std::env::var("WA_OPENER_URL") else { return };
    let name = std::env::var("WA_OPENER_NAME").unwrap();
    let further = std::env::var_os("WA_OPENER_FURTHER").map(|_| FURTHER);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // The test runner's own line has no end yet.
    println!("\nready");
    for schema in std::io::stdin().lines().map_while(Result::ok) {
        runtime.block_on(async {
            let pools: Vec<_> = (0..POOLS)
                .map(|pool| {
                    let (url, schema, holder) = (url.clone(), schema.clone(), format!("{name} {pool}"));
                    tokio::spawn(async move { outcome(&url, &schema, further, holder).await })
                })
                .collect();
            for pool in pools {
                match pool.await.unwrap() {
                    Ok(outcome) => println!("outcome {outcome}"),
                    Err(error) => println!("outcome {error:?}"),
                }
            }
        });
    }
}
