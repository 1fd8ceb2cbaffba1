//! Polls: votes on ours and on theirs, the running result, and what a restart leaves of it.

use rand::SeedableRng;
use rand::rngs::StdRng;
use wa_client::messages::builder::Message;
use wa_client::messages::content::{
    Answer, Content, Event, EventResponse, Poll, PollVote, SealedAddOn, Target,
};
use wa_client::messages::sending::SendReport;
use wa_client::messages::types::PollResult;
use wa_core::secrets::{KnownAs, MessageSecret, open_any};

use super::*;

/// The secret that a message came with.
fn secret(received: &Received) -> MessageSecret {
    use prost::Message as _;
    let message = wa_proto::e2e_message::Message::decode(received.message.clone()).unwrap();
    let beside = message.message_context_info.expect("something beside the content");
    MessageSecret::try_from(&beside.message_secret.expect("a secret")[..]).unwrap()
}

/// Ada adds something to a message of Bot's, sealed under its secret.
fn ada_adds(stage: &Stage, to: &Received, seed: u64, add_on: impl FnOnce(Target) -> Content) {
    let target = Target::new(&*to.id, to.chat.clone(), Some(to.sender.user_jid()), false);
    let ada = stage.sim.world(|world, _| {
        let ada = world.find_pn(ADA).expect("Ada");
        world.account(ada).jid(to.sender.family().expect("a family"))
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let sealed = add_on(target).seal(&secret(to), &to.sender.user_jid(), &ada, &mut rng).unwrap().unwrap();
    ada_says(stage, &to.chat, &Content::Sealed(sealed));
}

fn lines(result: &PollResult) -> Vec<(Option<&str>, u32)> {
    result.lines.iter().map(|line| (line.option.as_deref(), line.votes)).collect()
}

#[tokio::test(start_paused = true)]
async fn votes_on_our_poll_are_opened_and_counted_also_after_a_restart() {
    let stage = stage(81).await;
    let (client, mut events) = stage.linked().await;
    let group = client.groups().joined().await.expect("the groups")[0].jid.clone();
    let mut polls = Vec::new();
    for to in [ada(), group] {
        let poll = Poll::new("Lunch?", ["Pizza", "Soup"]);
        let sent = client.messages().send(&to, Message::poll(poll)).await.unwrap();
        let target = Target::from(&sent);
        assert!(matches!(sent.await, SendReport::Accepted(_)));
        let (poll, _) = ada_gets(&stage, "the poll", |received, _| received.id == target.id).await;
        let vote = |options: &'static [&'static str], at| {
            move |target| Content::PollVote(PollVote::new(target, options.iter().copied(), Some(at)))
        };
        ada_adds(&stage, &poll, 1, vote(&["Pizza", "Soup"], 1));
        ada_adds(&stage, &poll, 2, vote(&["Soup"], 3));
        ada_adds(&stage, &poll, 3, vote(&["Pizza"], 2));
        let mut results = Vec::new();
        for _ in 0..3 {
            let (_, vote) =
                message(&mut events, "a vote", |it| matches!(it.content, Content::PollVote(_))).await;
            let Content::PollVote(content) = &vote.content else { unreachable!("only votes fit") };
            assert!(content.poll.from_me && content.poll.id == target.id, "{content:?}");
            assert!(content.chosen.iter().all(|voted| voted.option.is_some()));
            results.push(vote.poll.expect("a result"));
        }
        let (pizza, soup) = (Some("Pizza"), Some("Soup"));
        assert_eq!(lines(&results[0]), [(pizza, 1), (soup, 1)]);
        // The third is older than the second.
        assert_eq!(lines(&results[1]), [(pizza, 0), (soup, 1)]);
        assert_eq!(results[2], results[1]);
        let own = client.messages().send(&to, Message::vote(target.clone(), ["Pizza"])).await.unwrap();
        assert!(matches!(own.await, SendReport::Accepted(_)));
        polls.push(target);
    }
    events.acknowledge().await.unwrap();
    drop((client, events));
    let (client, _events) = stage.start().await;
    for poll in polls {
        let result = client.messages().poll_result(poll).await.unwrap().expect("a result");
        assert_eq!(result.iter().map(|line| line.voters.len()).collect::<Vec<_>>(), [1, 1]);
    }
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn our_vote_and_our_answer_open_under_the_secrets_of_others() {
    let stage = stage(82).await;
    let (client, mut events) = stage.linked().await;
    ada_says(&stage, &bot(), &Content::Poll(Poll::new("Lunch?", ["Pizza", "Soup"])));
    ada_says(&stage, &bot(), &Content::Event(Event::new("Party", 2_000_100_000)));
    let (_, poll) = message(&mut events, "a poll", |it| matches!(it.content, Content::Poll(_))).await;
    let (_, event) = message(&mut events, "an event", |it| matches!(it.content, Content::Event(_))).await;
    client.messages().send(&poll, Message::vote(&poll, ["Soup"])).await.unwrap();
    client.messages().send(&event, Message::respond(&event, Answer::Going)).await.unwrap();

    let me = client.me().expect("linked");
    for original in [&poll, &event] {
        let id = original.id.as_str();
        let (_, sealed) = ada_gets(&stage, "a sealed add-on", |_, parsed| {
            matches!(&parsed.content, Content::Sealed(SealedAddOn { target, .. }) if target.id == id)
        })
        .await;
        let Content::Sealed(sealed) = sealed.content else { unreachable!("only sealed ones fit") };
        let bytes = {
            use prost::Message as _;
            let message = wa_proto::e2e_message::Message::decode(original.original.clone()).unwrap();
            message.message_context_info.unwrap().message_secret.unwrap()
        };
        let author = original.sender.jid().unwrap();
        let opened = open_any(
            &MessageSecret::try_from(&bytes[..]).unwrap(),
            sealed.kind.use_case().unwrap(),
            id,
            KnownAs { lid: original.sender.lid.as_ref(), pn: original.sender.pn.as_ref(), seen: author },
            KnownAs { lid: me.lid.as_ref(), pn: me.pn.as_ref(), seen: me.jid().unwrap() },
            (&sealed.iv, &sealed.payload),
        );
        match sealed.content(&opened.expect("it opens")).expect("it is what it should be") {
            Content::PollVote(mut vote) => {
                vote.name_options(&["Pizza".into(), "Soup".into()]);
                assert_eq!(vote.chosen[0].option.as_deref(), Some("Soup"));
            }
            Content::EventResponse(EventResponse { answer, .. }) => assert_eq!(answer, Answer::Going),
            other => panic!("{other:?}"),
        }
    }
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_vote_without_its_poll_stays_sealed() {
    let stage = stage(83).await;
    let (_client, mut events) = stage.linked().await;
    let target = Target::new("3EB0NEVERSEEN", bot(), None, true);
    let mut rng = StdRng::seed_from_u64(4);
    let secret = MessageSecret::new([9; 32]);
    let vote = Content::PollVote(PollVote::new(target, ["Soup"], Some(1)));
    let sealed = vote.seal(&secret, &ada(), &ada(), &mut rng).unwrap().unwrap();
    ada_says(&stage, &bot(), &Content::Sealed(sealed));
    let (_, got) = message(&mut events, "a vote", |it| matches!(it.content, Content::Sealed(_))).await;
    assert_eq!(got.poll, None);
    stage.assert_clean();
}
