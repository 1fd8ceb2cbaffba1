//! An echo bot: answers `ping`, `!help` and `::bot_info`, keeps everything in an SQLite file and survives restarts.
//!
//! Against the live service: `cargo run --example echo` shows a QR code, `-- --phone +15550100` asks for a code to type
//! into that phone. Against a simulator: `cargo run --example echo -- --server
//! ws://127.0.0.1:8080/ws/chat --root <key in hex>`, both as `wa-sim` prints them.
#![allow(clippy::print_stdout)]

mod common;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use wa_client::Client;
use wa_client::events::{Event, Kind};
use wa_client::linking::{CodeError, CodeOptions};

#[derive(Parser)]
#[command(about = "An echo bot")]
struct EchoArguments {
    #[command(flatten)]
    place: common::Arguments,
    /// Link by a code for this number, country code included, instead of the QR code.
    #[arg(long)]
    phone: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = EchoArguments::parse();
    let (client, mut events) = common::connect(arguments.place).await?;
    if let Some(number) = arguments.phone.clone().filter(|_| client.me().is_none()) {
        tokio::spawn(link_by_code(client.clone(), number));
    }
    let shows_qr = arguments.phone.is_none();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => handle(&client, &event, shows_qr).await,
                None => return Ok(()),
            },
            _ = tokio::signal::ctrl_c() => {
                client.shutdown(Duration::from_secs(5)).await;
                return Ok(());
            }
        }
    }
}

/// Asks for a code; waits for the server to offer one.
async fn link_by_code(client: Client, number: String) {
    loop {
        match client.linking().code(&number, CodeOptions::default()).await {
            Ok(code) => return println!("type this code into the phone: {code}"),
            Err(CodeError::NoOffer) => client.reconnect_now(),
            Err(error) => return println!("no code: {error}. {}", error.remedy()),
        }
    }
}

pub(crate) async fn handle(client: &Client, event: &Event, shows_qr: bool) {
    match &event.kind {
        Kind::LinkingQr(qr) if shows_qr => println!("{qr}"),
        Kind::LinkingProblem(problem) => println!("linking: {problem:?}"),
        Kind::Linked(me) => println!("linked as +{me}"),
        Kind::Health(health) => println!("{health}"),
        Kind::Message(message) if !message.from_me => {
            let answer = match message.text() {
                Some("ping") => "pong".to_owned(),
                Some("!help") => "ping, !help, ::bot_info".to_owned(),
                Some("::bot_info") => client.health().to_string(),
                _ => return,
            };
            if let Err(error) = event.answer(answer).await {
                println!("the answer was not taken: {error}");
            }
        }
        _ => {}
    }
}
