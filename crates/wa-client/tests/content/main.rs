//! What is said crosses in both directions, with its type: kinds, add-ons, polls, statuses of our own messages, calls.
//! The other side is a phone of the simulator; its watch must note nothing of ours.

#[path = "../stage/mod.rs"]
mod stage;

mod keys;
mod kinds;
mod lists;
mod polls;
mod status;
mod wire;

use std::time::Duration;

use tokio::time::timeout;
use wa_client::events::{Event, EventStream, Kind};
use wa_client::messages::content::{Content, Parsed};
use wa_client::messages::types::ReceivedMessage;
use wa_sim::phone::{Action, Received};
use wa_sim::seed::SeedGroup;

use stage::{ADA, BOT, PATIENCE, Stage};

/// A stage with a group of the two.
async fn stage(seed: u64) -> Stage {
    Stage::with(seed, |config| {
        let group = SeedGroup {
            subject: "Friends".into(),
            creator: "Ada".into(),
            members: vec!["Bot".into()],
            ..SeedGroup::default()
        };
        config.world.as_mut().expect("a world").groups.push(group);
    })
    .await
}

/// The next message that fits.
async fn message(
    events: &mut EventStream,
    what: &str,
    fits: impl Fn(&ReceivedMessage) -> bool,
) -> (Event, ReceivedMessage) {
    stage::next(events, what, |event| match &event.kind {
        Kind::Message(message) if fits(message) => Some((event.clone(), (**message).clone())),
        _ => None,
    })
    .await
}

/// The next message that says this.
async fn text(events: &mut EventStream, text: &str) -> ReceivedMessage {
    message(events, text, |message| message.text() == Some(text)).await.1
}

/// Waits until Ada's phone holds a message that fits, in the protobuf form.
async fn ada_gets(
    stage: &Stage,
    what: &str,
    fits: impl Fn(&Received, &Parsed) -> bool,
) -> (Received, Parsed) {
    let found = stage.sim.received(ADA, PATIENCE, |received| {
        let parsed = parsed(&received.message);
        fits(received, &parsed).then(|| (received.clone(), parsed))
    });
    found.await.unwrap_or_else(|_| panic!("Ada never got {what}"))
}

fn parsed(bytes: &[u8]) -> Parsed {
    use prost::Message as _;
    Parsed::read(&wa_proto::e2e_message::Message::decode(bytes).expect("a message"))
}

/// Ada says anything that can be said to Bot.
fn ada_says(stage: &Stage, chat: &wa_client::Jid, content: &Content) {
    use prost::Message as _;
    let message = content.to_message().expect("it can be sent");
    let class = wa_core::envelope::classify(&message).expect("it has a class");
    let said = Action::Raw {
        chat: chat.clone(),
        message: message.encode_to_vec().into(),
        stanza_type: class.stanza_type.as_str().into(),
        media_type: class.media_type.map(Into::into),
    };
    stage.sim.act(ADA, said).expect("Ada says it");
}

fn ada() -> wa_client::Jid {
    wa_client::Jid::pn(ADA)
}

fn bot() -> wa_client::Jid {
    wa_client::Jid::pn(BOT)
}
