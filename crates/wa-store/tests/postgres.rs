//! The Postgres backend keeps every rule, against a real server: each case in a schema of its own.

#![cfg(feature = "postgres")]

mod served;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use wa_store::{PostgresBackend, PostgresOptions};

/// The server that `DATABASE_URL` names, or one that lives as long as this process.
fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| match std::env::var("DATABASE_URL") {
        Ok(url) => url,
        Err(_) => {
            let server = served::start(served::Reach::Port, "fsync = off");
            let url = server.url().to_owned();
            // Ends with the process.
            std::mem::forget(server);
            url
        }
    })
}

async fn backend() -> PostgresBackend {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("test_{}_{number}", std::process::id());
    let options = PostgresOptions::new(url()).expect("a URL").schema(schema).connections(2);
    options.open().await.expect("a new schema")
}

wa_store::conformance!(conforms, backend);
