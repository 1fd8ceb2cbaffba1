//! A command bot for groups. Admins say `!warn` in reply to a message (it is deleted with the third warning of its
//! author), anybody says `!warnings`, and `!set name text` makes `!name` a command of its own. Warnings and commands
//! lie in the application's corner of the store: they outlive a restart and linking the account again.
//!
//! `cargo run --example commands` shows a QR code; `-- --server … --root …` goes to a simulator.
#![allow(clippy::print_stdout)]

mod common;

use anyhow::Result;
use clap::Parser as _;
use wa_client::Client;
use wa_client::events::{Event, Kind};
use wa_client::groups::Role;
use wa_client::messages::content::Target;
use wa_client::messages::types::ReceivedMessage;

/// With so many warnings a message is deleted.
const MOST: u8 = 3;

#[tokio::main]
async fn main() -> Result<()> {
    let (client, mut events) = common::connect(common::Arguments::parse()).await?;
    while let Some(event) = events.next().await {
        match &event.kind {
            Kind::LinkingQr(qr) => println!("{qr}"),
            Kind::Health(health) => println!("{health}"),
            Kind::Message(message) if !message.from_me && message.chat.jid.is_group() => {
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
    let Some(line) = message.text().and_then(|text| text.strip_prefix('!')) else { return Ok(()) };
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let commands = client.data("commands");
    match command {
        "warn" if is_admin(client, message).await? => warn(client, event, message).await?,
        "warnings" => {
            let rows = client.data(format!("warnings/{}", message.chat.jid)).all().await?;
            let list: Vec<String> =
                rows.iter().map(|(who, count)| format!("{who}: {}", warnings(count))).collect();
            event.answer(if list.is_empty() { "none".into() } else { list.join("\n") }).await?;
        }
        "set" if is_admin(client, message).await? => match rest.split_once(' ') {
            Some((name, text)) => {
                commands.set(name, text.to_owned()).await?;
                event.answer(format!("!{name} is a command now")).await?;
            }
            None => drop(event.answer("!set name text").await?),
        },
        name => {
            if let Some(text) = commands.get(name).await? {
                event.answer(String::from_utf8_lossy(&text).into_owned()).await?;
            }
        }
    }
    Ok(())
}

async fn warn(client: &Client, event: &Event, message: &ReceivedMessage) -> Result<()> {
    let Some((quoted, author)) = message.reply_to().and_then(|it| Some((it, it.author.clone()?))) else {
        event.answer("reply to a message with !warn").await?;
        return Ok(());
    };
    let data = client.data(format!("warnings/{}", message.chat.jid));
    let count = warnings(&data.get(&author.user()).await?.unwrap_or_default()) + 1;
    data.set(&author.user(), vec![count]).await?;
    if count >= MOST {
        let target = Target::new(&*quoted.id, message.chat.jid.clone(), Some(author.clone()), false);
        client.messages().revoke(target).await?;
    }
    event.answer(format!("{} has {count} of {MOST} warnings", author.user())).await?;
    Ok(())
}

fn warnings(row: &[u8]) -> u8 {
    row.first().copied().unwrap_or(0)
}

async fn is_admin(client: &Client, message: &ReceivedMessage) -> Result<bool> {
    let group = client.groups().details(&message.chat.jid).await?;
    let member = group.participants.iter().find(|member| message.sender.is(&member.jid));
    Ok(member.is_some_and(|member| member.role != Role::Member))
}
