//! Two real processes, each with several pools, that make, migrate and open the same new schemas at the same moment: the
//! tables are made once, every store opens, and of all holders that want one account exactly one gets it.

#![cfg(feature = "postgres")]
#![allow(clippy::print_stdout)] // the processes tell by their output

mod server;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use server::{Reach, Server};
use wa_store::tables::KeyValues;
use wa_store::{Changes, PostgresOptions, Store, StoreError, StoreKey};

const POOLS: usize = 4;
const SCHEMAS: usize = 6;

/// The other side of the test: opens a schema for every line that it hears.
struct Opener {
    process: Child,
    told: BufReader<ChildStdout>,
    tell: ChildStdin,
}

impl Opener {
    fn start(url: &str, name: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["opener", "--exact", "--nocapture", "--test-threads=1"]);
        command.env("WA_OPENER_URL", url).env("WA_OPENER_NAME", name);
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

#[test]
fn processes_that_make_and_open_one_schema_together_agree() {
    let server = Server::start(Reach::Port, "fsync = off").expect("a server");
    let mut openers = [Opener::start(server.url(), "first"), Opener::start(server.url(), "second")];
    for number in 0..SCHEMAS {
        let schema = format!("together_{number}");
        openers.iter_mut().for_each(|opener| opener.open(&schema));
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

/// Opens a store with a pool of its own and tries for the account; the name of what came out of it.
async fn outcome(url: &str, schema: String, holder: String) -> Result<&'static str, StoreError> {
    let backend = PostgresOptions::new(url)?.schema(schema).connections(2).open().await?;
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
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // The test runner's own line has no end yet.
    println!("\nready");
    for schema in std::io::stdin().lines().map_while(Result::ok) {
        runtime.block_on(async {
            let pools: Vec<_> = (0..POOLS)
                .map(|pool| {
                    let (url, schema, holder) = (url.clone(), schema.clone(), format!("{name} {pool}"));
                    tokio::spawn(async move { outcome(&url, schema, holder).await })
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
