//! What every bot needs: its arguments, its store, its connection.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio_tungstenite::tungstenite::http::Uri;
use wa_client::events::EventStream;
use wa_client::{Client, RootCa};
use wa_store::SqliteStore;

/// Where a bot lives.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// File that holds the account.
    #[arg(long, default_value = "bot.db")]
    store: PathBuf,
    /// Another server than the live service.
    #[arg(long)]
    server: Option<Uri>,
    /// Its root of trust: 32 bytes in hex.
    #[arg(long, requires = "server")]
    root: Option<String>,
}

/// Opens the store and connects.
pub(crate) async fn connect(arguments: Arguments) -> Result<(Client, EventStream)> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let store = SqliteStore::open(&arguments.store).await?;
    let mut builder = Client::builder(store.account("main"));
    if let Some(server) = arguments.server {
        builder = builder.url(server);
    }
    if let Some(root) = arguments.root {
        let key: [u8; 32] = hex::decode(root)?.try_into().ok().context("the root is not 32 bytes")?;
        builder = builder.root(RootCa::new(key, 0));
    }
    Ok(builder.connect().await?)
}
