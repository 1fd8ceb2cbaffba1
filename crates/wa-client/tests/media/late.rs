//! What the phone says about a file when nobody waits for it any more: an event, opened and checked, also after a restart.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use wa_binary::Node;
use wa_client::events::{EventStream, Kind};
use wa_client::media::{LateFile, LateOutcome, RetryResult, TransferError};
use wa_client::messages::types::ReceivedMessage;
use wa_client::{Client, Jid};
use wa_media::RetryOutcome;
use wa_sim::faults::Direction;
use wa_sim::phone::{Action, MediaRetry};
use wa_sim::trace::Filter;

use crate::phones::lost;
use crate::stage::{ADA, BOT, PATIENCE, Stage, next};

fn phone_online(stage: &Stage, online: bool) {
    stage.sim.world(|world, now| {
        let bot = world.find_pn(BOT).expect("Bot");
        world.set_phone_online(now, bot, online);
    });
}

/// A file that the hosts have forgotten, and that the phone was asked for while it was away.
async fn asked_in_vain(stage: &Stage, client: &Client, events: &mut EventStream) -> ReceivedMessage {
    let got = lost(stage, events).await;
    phone_online(stage, false);
    let error = client.media().download(&got).to_bytes(1 << 20).await.expect_err("the phone is away");
    assert!(matches!(error, TransferError::RetryTimeout(_)), "{error:?}");
    got
}

async fn late(events: &mut EventStream) -> LateFile {
    next(events, "the late answer", |event| match &event.kind {
        Kind::LateFile(late) => Some((**late).clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_an_event_by_which_the_file_can_be_had() {
    let stage = Stage::new(141).await;
    let (client, mut events) = stage.linked().await;
    let got = asked_in_vain(&stage, &client, &mut events).await;
    phone_online(&stage, true);
    let late = late(&mut events).await;
    assert_eq!((late.id.as_str(), &late.chat, late.from_me), (got.id.as_str(), &got.chat, false));
    assert!(late.author.as_ref().is_some_and(|author| author.is(got.sender.jid().unwrap())));
    let media = late.media(got.content.media().unwrap()).expect("it is back");
    let file = client.media().download(&media).to_bytes(1 << 20).await.expect("it comes down");
    assert!(file == stage.sim.file(ADA, &got.id).unwrap());
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_finds_its_way_after_a_restart_and_says_no_as_well() {
    let stage = Stage::new(142).await;
    let (client, mut events) = stage.linked().await;
    let got = asked_in_vain(&stage, &client, &mut events).await;
    events.acknowledge().await.unwrap();
    client.shutdown(PATIENCE).await;
    drop((client, events));
    stage.sim.media_retry(BOT, MediaRetry::NotFound).unwrap();
    phone_online(&stage, true);
    let (_client, mut events) = stage.start().await;
    let late = late(&mut events).await;
    assert_eq!(
        (late.id.as_str(), &late.outcome),
        (got.id.as_str(), &LateOutcome::Gone(RetryResult::NotFound))
    );
    assert_eq!(late.media(got.content.media().unwrap()), None);
    stage.assert_clean();
}

/// An answer as the phone seals it, with a change; returns when the client has acknowledged it.
async fn answer(stage: &Stage, got: &ReceivedMessage, id: &str, flips: bool) {
    let key = got.content.media().and_then(|media| media.key.clone()).expect("a key");
    let outcome = RetryOutcome {
        result: RetryResult::Success,
        direct_path: Some("/v/t62.7118-24/elsewhere?oh=1".into()),
        message_secret: None,
    };
    let mut sealed =
        wa_media::seal_retry_notification(&key, id, &outcome, &mut StdRng::seed_from_u64(1)).unwrap();
    if flips {
        sealed.ciphertext[3] ^= 1;
    }
    let encrypt = Node::new("encrypt")
        .child(Node::new("enc_p").bytes(sealed.ciphertext))
        .child(Node::new("enc_iv").bytes(sealed.iv.to_vec()));
    let answer = Node::new("notification")
        .attr("type", "mediaretry")
        .attr("from", Jid::pn(BOT))
        .attr("id", got.id.as_str())
        .attr("t", "2000000001")
        .child(encrypt);
    let before = stage.sim.world(|world, _| world.trace().last_seq());
    assert!((1..100).any(|device| stage.sim.send(BOT, device, answer.clone())), "it is connected");
    let acks = Filter {
        since: before,
        direction: Some(Direction::In),
        tag: Some("ack".into()),
        id: Some(got.id.to_string()),
        ..Filter::default()
    };
    stage.sim.expect(&acks, PATIENCE).await.expect("it is acknowledged");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_that_the_phone_has_not_sealed_for_this_message_is_not_handed_out() {
    let stage = Stage::new(143).await;
    let (client, mut events) = stage.linked().await;
    let got = asked_in_vain(&stage, &client, &mut events).await;
    answer(&stage, &got, &got.id, true).await;
    // Sealed under the right key for another message.
    answer(&stage, &got, "3EB0SOMETHINGELSE", false).await;
    stage.sim.act(ADA, Action::Text { chat: Jid::pn(BOT), text: "after".into(), quote: None }).unwrap();
    let first = next(&mut events, "what comes next", |event| match &event.kind {
        Kind::LateFile(late) => Some(format!("{late:?}")),
        Kind::Message(message) => message.text().map(str::to_owned),
        _ => None,
    })
    .await;
    assert_eq!(first, "after");
    // The right one is still taken, and once.
    for _ in 0..2 {
        answer(&stage, &got, &got.id, false).await;
    }
    let right = late(&mut events).await;
    assert!(matches!(&right.outcome, LateOutcome::Back { direct_path } if direct_path.contains("elsewhere")));
    stage.sim.act(ADA, Action::Text { chat: Jid::pn(BOT), text: "the end".into(), quote: None }).unwrap();
    let rest = next(&mut events, "what comes next", |event| match &event.kind {
        Kind::LateFile(late) => Some(format!("{late:?}")),
        Kind::Message(message) => message.text().map(str::to_owned),
        _ => None,
    })
    .await;
    assert_eq!(rest, "the end");
}
