//! The SQLite backend keeps every rule, on its own threads and on the runtime's.

use wa_store::conformance::Subject;
use wa_store::sqlite::Threads;
use wa_store::{Durability, SqliteOptions};

async fn subject(durability: Durability, threads: Threads) -> Subject {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = SqliteOptions::new(folder.path().join("store.db")).durability(durability).threads(threads);
    Subject::new(options.open().await.expect("a new file"), folder)
}

wa_store::conformance!(conforms, || subject(Durability::Power, Threads::Own));
wa_store::conformance!(conforms_in_the_blocking_pool, || subject(Durability::Process, Threads::BlockingPool));
