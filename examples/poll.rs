//! A poll bot: `!poll Lunch? | Pizza | Soup` asks the chat, each vote is printed with the running result, and
//! `!result` in reply to the poll says how it stands. Polls and votes are in the store and survive a restart.
//!
//! `cargo run --example poll` shows a QR code; `-- --server … --root …` goes to a simulator.
#![allow(clippy::print_stdout)]

mod common;

use anyhow::Result;
use clap::Parser as _;
use wa_client::Client;
use wa_client::events::{Event, Kind};
use wa_client::messages::builder::Message;
use wa_client::messages::content::{Content, Poll, Target};
use wa_client::messages::types::ReceivedMessage;

#[tokio::main]
async fn main() -> Result<()> {
    let (client, mut events) = common::connect(common::Arguments::parse()).await?;
    while let Some(event) = events.next().await {
        match &event.kind {
            Kind::LinkingQr(qr) => println!("{qr}"),
            Kind::Health(health) => println!("{health}"),
            Kind::Message(message) => {
                if let Err(error) = handle(&client, &event, message).await {
                    println!("{error}");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) async fn handle(client: &Client, event: &Event, message: &ReceivedMessage) -> Result<()> {
    if let (Content::PollVote(vote), Some(result)) = (&message.content, &message.poll) {
        let chosen: Vec<&str> = vote.chosen.iter().filter_map(|voted| voted.option.as_deref()).collect();
        println!("{} chose {chosen:?}; {} have voted", message.sender, result.voters);
        return Ok(());
    }
    match message.text() {
        Some(text) if text.starts_with("!poll ") => {
            let mut parts = text.trim_start_matches("!poll ").split('|').map(str::trim);
            let poll = Poll::new(parts.next().unwrap_or_default(), parts);
            // What cannot be asked (one option, twice the same) is an error before anything is sent.
            if let Err(error) = event.answer(Message::poll(poll)).await {
                event.answer(format!("that cannot be asked: {error}")).await?;
            }
        }
        Some("!result") => {
            let Some(quoted) = message.reply_to() else {
                event.answer("reply to the poll with !result").await?;
                return Ok(());
            };
            let me = client.me().unwrap_or_default();
            let from_me = quoted.author.as_ref().is_some_and(|author| me.is(author));
            let chat = message.chat.jid.clone();
            let poll = Target::new(&*quoted.id, chat, quoted.author.clone(), from_me);
            let answer = match client.messages().poll_result(poll).await? {
                Some(lines) => {
                    let line = |line: wa_client::messages::content::TallyLine| {
                        format!("{}: {}", line.option.unwrap_or_else(|| "?".into()), line.voters.len())
                    };
                    lines.into_iter().map(line).collect::<Vec<_>>().join("\n")
                }
                None => "I do not know that poll".to_owned(),
            };
            event.answer(answer).await?;
        }
        _ => {}
    }
    Ok(())
}
