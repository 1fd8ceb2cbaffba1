//! Every fault does what it says, seen from the wire (chapter 10 §11).

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wa_binary::Node;
use wa_noise::{CertificateFault, NoiseError, Opening, Pattern};
use wa_sim::faults::{
    Action, Chain, CloseHow, Damage, Direction, FailureReason, Fault, FreezeMode, HandshakeFault, Match,
    Phase, StreamFault, StreamForm,
};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};

use crate::client::{Client, Refusal, attr, opaque, sim};
use crate::scene::pair;

fn to_bea(id: &str, bea: &Client) -> Node {
    opaque(id, &bea.my_lid().user_jid(), &[bea.my_lid()])
}

/// A fault on messages to Bea's companion.
fn delivered(action: Action, bea: &Client) -> Fault {
    let matching = Match {
        account: Some(bea.number().to_string()),
        device: Some(1),
        ..Match::stanza(Direction::Out, "message")
    };
    Fault::once(matching, action)
}

fn ids(nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter(|node| node.is("message")).filter_map(|node| attr(node, "id")).collect()
}

#[tokio::test(start_paused = true)]
async fn closing_before_loses_the_stanza_from_the_wire_and_not_from_the_queue() {
    let (sim, mut ada, mut bea) = pair(60).await;
    sim.fault(delivered(Action::Close { how: CloseHow::Fin, after: false }, &bea));
    ada.send(to_bea("M1", &bea)).await;
    assert!(ids(&bea.rest().await).is_empty());
    assert!(bea.line().ended);
    bea.login(&sim).await;
    assert_eq!(ids(&bea.rest().await), ["M1"]);
}

#[tokio::test(start_paused = true)]
async fn closing_after_lets_the_stanza_through_first() {
    let (sim, mut ada, mut bea) = pair(61).await;
    sim.fault(delivered(Action::Close { how: CloseHow::Fin, after: true }, &bea));
    ada.send(to_bea("M1", &bea)).await;
    bea.polite = false;
    assert_eq!(ids(&bea.rest().await), ["M1"]);
    assert!(bea.line().ended);
}

#[tokio::test(start_paused = true)]
async fn closing_on_what_comes_in_happens_before_or_after_it_is_handled() {
    for (after, arrives) in [(false, false), (true, true)] {
        let (sim, mut ada, mut bea) = pair(62).await;
        let fault = Match::stanza(Direction::In, "message");
        sim.fault(Fault::once(fault, Action::Close { how: CloseHow::Fin, after }));
        ada.send(to_bea("M1", &bea)).await;
        assert!(ada.ended().await);
        assert_eq!(!ids(&bea.rest().await).is_empty(), arrives);
    }
}

#[tokio::test(start_paused = true)]
async fn a_frozen_connection_stands_and_says_nothing() {
    for (mode, answers, reads) in [
        (FreezeMode::Both, false, false),
        (FreezeMode::NeverWrite, false, true),
        (FreezeMode::NeverRead, false, false),
    ] {
        let (sim, mut ada, mut bea) = pair(63).await;
        let fault = Match { xmlns: Some("w:p".into()), ..Match::stanza(Direction::In, "iq") };
        sim.fault(Fault::once(fault, Action::Freeze { mode }));
        let ping = |id: &str| Node::new("iq").attr("id", id).attr("type", "get").attr("xmlns", "w:p");
        ada.send(ping("p1")).await;
        ada.rest().await;
        ada.send(ping("p2")).await;
        let answered = ada.rest().await.iter().any(|node| node.attr_is("id", "p2"));
        assert_eq!(answered, answers, "{mode:?}");
        assert!(!ada.line().ended, "{mode:?}");
        ada.send(to_bea("M1", &bea)).await;
        assert_eq!(!ids(&bea.rest().await).is_empty(), reads, "{mode:?}");
        if mode == FreezeMode::NeverRead {
            // It still writes.
            bea.send(opaque("M2", &ada.my_lid().user_jid(), &[ada.my_lid()])).await;
            assert_eq!(ids(&ada.rest().await), ["M2"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn delay_holds_back_for_its_time() {
    let (sim, mut ada, mut bea) = pair(64).await;
    sim.fault(delivered(Action::Delay { ms: 8_000, jitter_ms: 0 }, &bea));
    ada.send(to_bea("M1", &bea)).await;
    assert!(ids(&bea.rest().await).is_empty());
    assert_eq!(ids(&bea.rest().await), ["M1"]);
    // On the way in as well.
    ada.rest().await;
    sim.fault(Fault::once(
        Match::stanza(Direction::In, "message"),
        Action::Delay { ms: 8_000, jitter_ms: 0 },
    ));
    ada.send(to_bea("M2", &bea)).await;
    assert!(!ada.rest().await.iter().any(|node| node.is("ack")));
    assert!(ada.rest().await.iter().any(|node| node.is("ack")));
}

#[tokio::test(start_paused = true)]
async fn throttling_spreads_what_is_written() {
    let (sim, mut ada, mut bea) = pair(65).await;
    sim.fault(delivered(Action::Throttle { bytes_per_second: 50 }, &bea));
    let begin = tokio::time::Instant::now();
    for number in 0..4 {
        ada.send(to_bea(&format!("M{number}"), &bea)).await;
        ada.until_tag("ack").await;
    }
    let mut seen = 0;
    while seen < 4 {
        seen += ids(&bea.rest().await).len();
    }
    assert!(begin.elapsed() > Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn duplicates_reorders_holds_and_losses() {
    let (sim, mut ada, mut bea) = pair(66).await;
    sim.fault(delivered(Action::Duplicate, &bea));
    ada.send(to_bea("M1", &bea)).await;
    assert_eq!(ids(&bea.rest().await), ["M1", "M1"]);

    sim.fault(delivered(Action::Reorder { by: 2 }, &bea));
    for id in ["M2", "M3", "M4"] {
        ada.send(to_bea(id, &bea)).await;
    }
    assert_eq!(ids(&bea.rest().await), ["M3", "M4", "M2"]);

    sim.fault(delivered(Action::Hold, &bea));
    for id in ["M5", "M6"] {
        ada.send(to_bea(id, &bea)).await;
    }
    assert_eq!(ids(&bea.rest().await), ["M6"]);
    assert_eq!(sim.release(), 1);
    assert_eq!(ids(&bea.rest().await), ["M5"]);

    sim.fault(delivered(Action::Lose, &bea));
    ada.send(to_bea("M7", &bea)).await;
    assert!(ids(&bea.rest().await).is_empty());
    bea.login(&sim).await;
    assert_eq!(ids(&bea.rest().await), ["M7"], "lost on the wire only");

    // And on the way in.
    ada.rest().await;
    let incoming = || Match::stanza(Direction::In, "message");
    sim.fault(Fault::once(incoming(), Action::Reorder { by: 1 }));
    ada.send(to_bea("M8", &bea)).await;
    ada.send(to_bea("M9", &bea)).await;
    assert_eq!(ids(&bea.rest().await), ["M9", "M8"]);
    sim.fault(Fault::once(incoming(), Action::Lose));
    ada.rest().await;
    ada.send(to_bea("MA", &bea)).await;
    assert!(ada.rest().await.is_empty());
    sim.fault(Fault::once(incoming(), Action::Duplicate));
    ada.send(to_bea("MB", &bea)).await;
    assert_eq!(ada.rest().await.iter().filter(|node| node.is("ack")).count(), 2);
    assert_eq!(ids(&bea.rest().await), ["MB"]);
}

#[tokio::test(start_paused = true)]
async fn damage_to_frames_shows_where_it_was_done() {
    // What the client makes of it: a stanza, one that does not decode, one that does not open, or nothing.
    let cases = [
        (Damage::Ciphertext, "unopenable"),
        (Damage::Plaintext, "undecodable"),
        (Damage::TruncatePlaintext, "undecodable"),
        (Damage::LengthHeader, ""),
        (Damage::Oversize, ""),
        (Damage::ZeroLength, "unopenable"),
        (Damage::Split, "message"),
        (Damage::Compress, "message"),
    ];
    for (damage, seen) in cases {
        let (sim, mut ada, mut bea) = pair(67).await;
        sim.fault(delivered(Action::Damage { damage }, &bea));
        ada.send(to_bea("M1", &bea)).await;
        let tag = bea.next().await.map(|node| node.tag().to_owned()).unwrap_or_default();
        assert_eq!(tag, seen, "{damage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_merged_frame_comes_with_the_next_one() {
    let (sim, mut ada, mut bea) = pair(68).await;
    sim.fault(delivered(Action::Damage { damage: Damage::Merge }, &bea));
    ada.send(to_bea("M1", &bea)).await;
    assert!(bea.rest().await.is_empty(), "it waits");
    ada.send(to_bea("M2", &bea)).await;
    assert_eq!(ids(&bea.rest().await), ["M1", "M2"]);
}

#[tokio::test(start_paused = true)]
async fn frames_come_twice_and_in_the_wrong_order() {
    let (sim, mut ada, mut bea) = pair(68).await;
    sim.fault(delivered(Action::Damage { damage: Damage::FrameTwice }, &bea));
    ada.send(to_bea("M1", &bea)).await;
    assert!(bea.until(|node| node.attr_is("id", "M1")).await.is("message"));
    assert!(bea.until_tag("unopenable").await.is("unopenable"));

    let (sim, mut ada, mut bea) = pair(68).await;
    sim.fault(delivered(Action::Damage { damage: Damage::FrameLate }, &bea));
    ada.send(to_bea("M1", &bea)).await;
    assert!(bea.rest().await.is_empty(), "it waits");
    ada.send(to_bea("M2", &bea)).await;
    let first = bea.next().await.expect("a frame");
    assert!(first.is("unopenable"), "M2 came in M1's place: {first}");
}

#[tokio::test(start_paused = true)]
async fn damage_to_ciphertexts_leaves_the_stanza_whole() {
    for damage in [Damage::EncVersion, Damage::EncMac] {
        let (sim, mut ada, mut bea) = pair(69).await;
        sim.fault(delivered(Action::Damage { damage }, &bea));
        ada.send(to_bea("M2", &bea)).await;
        let enc = |node: &Node| {
            node.required_child("enc").expect("enc").required_bytes().expect("bytes").into_owned()
        };
        let sent = wa_crypto::digest::sha256(&[b"M2", bea.my_lid().to_string().as_bytes()]);
        let got = enc(&bea.until(|node| node.attr_is("id", "M2")).await);
        assert_eq!(got.len(), sent.len());
        match damage {
            Damage::EncVersion => assert!(got[0] == 0x77 && got[1..] == sent[1..]),
            _ => assert!(got[..31] == sent[..31] && got[31] != sent[31]),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn acks_are_lost_repeated_or_errors() {
    let (sim, mut ada, mut bea) = pair(70).await;
    let incoming = || Match::stanza(Direction::In, "message");
    sim.fault(Fault::once(incoming(), Action::LoseAck));
    ada.send(to_bea("M1", &bea)).await;
    assert!(!ada.rest().await.iter().any(|node| node.is("ack")));
    assert_eq!(ids(&bea.rest().await), ["M1"]);

    sim.fault(Fault::once(incoming(), Action::AnswerTwice));
    ada.send(to_bea("M2", &bea)).await;
    assert_eq!(ada.rest().await.iter().filter(|node| node.is("ack")).count(), 2);
    bea.rest().await;

    for code in [400, 421, 463, 475, 479, 500] {
        sim.fault(Fault::once(incoming(), Action::AckError { code }));
        ada.send(to_bea("M3", &bea)).await;
        assert!(ada.until_tag("ack").await.attr_is("error", &code.to_string()));
        assert!(ids(&bea.rest().await).is_empty());
    }
    sim.fault(Fault::once(incoming(), Action::WrongPhash));
    ada.send(to_bea("M4", &bea)).await;
    assert!(ada.until_tag("ack").await.attr_is("phash", "2:AAAAAAAA"));

    sim.fault(delivered(Action::Unavailable, &bea));
    ada.send(to_bea("M5", &bea)).await;
    let hollow = bea.until(|node| node.attr_is("id", "M5")).await;
    assert!(hollow.optional_child("unavailable").is_some() && hollow.optional_child("enc").is_none());
}

#[tokio::test(start_paused = true)]
async fn iqs_are_answered_with_errors_and_backoff() {
    let (sim, mut ada, bea) = pair(71).await;
    let of = |xmlns: &str| Match { xmlns: Some(xmlns.to_owned()), ..Match::stanza(Direction::In, "iq") };
    sim.fault(Fault::once(of("encrypt"), Action::IqError { code: 503, text: String::new() }));
    let error = |answer: &Node| answer.required_child("error").expect("an error").to_node();
    let answer = ada.get("encrypt", Node::new("count")).await;
    assert!(error(&answer).attr_is("code", "503") && error(&answer).attr_is("text", "service-unavailable"));
    sim.fault(Fault::once(of("abt"), Action::RateOverlimit { backoff: Some(30) }));
    let answer = ada.get("abt", Node::new("props")).await;
    assert!(error(&answer).attr_is("code", "429") && error(&answer).attr_is("backoff", "30"));
    sim.fault(Fault::once(of("encrypt"), Action::NoOneTimeKeys));
    let fetch = || Node::new("key").child(Node::new("user").attr("jid", bea.my_lid()));
    let keys = |answer: Node| {
        answer.required_child("list").expect("list").required_child("user").expect("user").to_node()
    };
    assert!(keys(ada.get("encrypt", fetch()).await).optional_child("key").is_none());
    assert!(keys(ada.get("encrypt", fetch()).await).optional_child("key").is_some());
}

#[tokio::test(start_paused = true)]
async fn stream_errors_end_the_connection_in_every_form() {
    let cases = [
        (Some(500), StreamForm::Bare, ""),
        (Some(503), StreamForm::Bare, ""),
        (Some(515), StreamForm::Bare, ""),
        (Some(516), StreamForm::Bare, ""),
        (None, StreamForm::Replaced, "conflict"),
        (Some(401), StreamForm::DeviceRemoved, "conflict"),
        (None, StreamForm::Ack, "ack"),
        (None, StreamForm::XmlNotWellFormed, "xml-not-well-formed"),
        (None, StreamForm::Unknown, "weather"),
    ];
    for (code, form, child) in cases {
        let sim = sim(72);
        let mut ada = Client::linked(&sim, "Ada", 1).await;
        let fault = Action::StreamError(StreamFault { code, form });
        sim.fault(Fault::once(Match::stanza(Direction::In, "iq"), fault));
        ada.send(Node::new("iq").attr("id", "1").attr("type", "get").attr("xmlns", "w:p")).await;
        let error = ada.until_tag("stream:error").await;
        assert_eq!(attr(&error, "code"), code.map(|code: u32| code.to_string()));
        assert!(child.is_empty() || error.optional_child(child).is_some(), "{error}");
        assert!(ada.ended().await);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_come_instead_of_success() {
    let sim = sim(73);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    for reason in [400, 401, 402, 403, 405, 406, 409, 415, 418, 500, 501, 503] {
        let failure = FailureReason {
            reason,
            code: Some(101),
            expire: Some(3600),
            logout_message: Some("Goodbye".to_owned()),
        };
        sim.fault(Fault::once(Match::phase(Phase::Login), Action::Failure(failure)));
        let answer = ada.login(&sim).await;
        assert!(
            answer.is("failure")
                && answer.attr_is("reason", &reason.to_string())
                && answer.attr_is("expire", "3600")
        );
        assert!(answer.attr_is("logout_message_header", "Goodbye") && answer.attr_is("code", "101"));
        assert!(ada.ended().await);
    }
    assert!(ada.login(&sim).await.is("success"));
}

#[tokio::test(start_paused = true)]
async fn a_second_success_and_the_end_of_the_stream() {
    let sim = sim(74);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    sim.fault(Fault::once(Match::stanza(Direction::In, "iq"), Action::SecondSuccess));
    sim.fault(Fault::once(Match::stanza(Direction::In, "iq"), Action::StreamEnd));
    ada.send(Node::new("iq").attr("id", "1").attr("type", "get").attr("xmlns", "w:p")).await;
    let tags: Vec<_> = ada.rest().await.iter().map(|node| node.tag().to_owned()).collect();
    assert_eq!(tags, ["success", "xmlstreamend", "iq"]);
}

#[tokio::test(start_paused = true)]
async fn handshakes_go_wrong_in_every_way() {
    use HandshakeFault as F;
    let sim = sim(75);
    let mut client = Client::new(None, 1);
    let faults = [
        F::MissingEphemeral,
        F::MissingPayload,
        F::Undecodable,
        F::ShortEphemeral,
        F::BadTag,
        F::LowOrder,
        F::Chain(Chain::IntermediateSignature),
        F::Chain(Chain::LeafSignature),
        F::Chain(Chain::RootSerial),
        F::Chain(Chain::LeafSerial),
        F::Chain(Chain::LeafKey),
        F::Chain(Chain::Expired),
        F::Chain(Chain::NotYetValid),
    ];
    for fault in faults {
        sim.fault(Fault::once(Match::default(), Action::Handshake { fault }));
        let payload = client.registration();
        let refusal = client.open(&sim, payload, Opening::Xx).await.expect_err("a spoilt handshake");
        let Refusal::Handshake(error) = refusal else { panic!("{fault:?}: {refusal:?}") };
        let fits = match fault {
            F::MissingEphemeral | F::MissingPayload => matches!(error, NoiseError::Missing { .. }),
            F::ShortEphemeral => matches!(error, NoiseError::Length { .. }),
            F::BadTag => matches!(error, NoiseError::Authentication { .. }),
            F::LowOrder => matches!(error, NoiseError::LowOrderPoint),
            F::Chain(chain) => match &error {
                NoiseError::Certificate(found) => chain_fits(chain, found),
                _ => false,
            },
            _ => true,
        };
        assert!(fits, "{fault:?}: {error:?}");
    }
    client.register(&sim).await;
}

fn chain_fits(fault: Chain, found: &CertificateFault) -> bool {
    let text = format!("{found:?}");
    match fault {
        Chain::RootSerial => text.contains("RootSerial"),
        Chain::LeafSerial => text.contains("IntermediateSerial"),
        Chain::LeafKey => text.contains("LeafKey"),
        Chain::IntermediateSignature | Chain::LeafSignature => text.contains("Signature"),
        Chain::Expired | Chain::NotYetValid => !text.contains("Signature") && !text.contains("Serial"),
    }
}

#[tokio::test(start_paused = true)]
async fn ik_is_refused_and_keys_are_rotated() {
    let sim = sim(76);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let known = ada.server.expect("a server").leaf.key;
    for fault in [HandshakeFault::RefuseIk, HandshakeFault::RotateStatic] {
        sim.fault(Fault::once(Match::default(), Action::Handshake { fault }));
        ada.server = None;
        let payload = ada.login_payload(false);
        ada.open(&sim, payload, Opening::Ik(known)).await.expect("the fallback");
        let server = ada.server.expect("XXfallback verifies a server anew");
        assert_eq!(server.leaf.key == known, fault == HandshakeFault::RefuseIk);
        ada.until_tag("success").await;
    }
    assert_ne!(format!("{:?}", Pattern::XxFallback), format!("{:?}", Pattern::Ik));
}

#[tokio::test(start_paused = true)]
async fn stages_of_a_connection_can_be_cut_and_frozen() {
    let sim = sim(77);
    let mut client = Client::new(None, 1);
    sim.fault(Fault::once(Match::phase(Phase::Hello), Action::Close { how: CloseHow::Fin, after: false }));
    let payload = client.registration();
    assert!(matches!(client.open(&sim, payload.clone(), Opening::Xx).await, Err(Refusal::Closed)));
    sim.fault(Fault::once(Match::phase(Phase::Hello), Action::Freeze { mode: FreezeMode::Both }));
    // The other side gives a handshake 20 seconds.
    assert!(matches!(client.open(&sim, payload.clone(), Opening::Xx).await, Err(Refusal::Closed)));
    sim.fault(Fault::once(Match::phase(Phase::Finish), Action::Close { how: CloseHow::Fin, after: false }));
    client.open(&sim, payload, Opening::Xx).await.expect("the hello is answered");
    assert!(client.ended().await);
}

#[tokio::test(start_paused = true)]
async fn the_phone_refuses_another_companion_and_the_server_stops_for_a_while() {
    let sim = sim(78);
    let mut client = Client::new(Some("Ada"), 1);
    let refs = client.register(&sim).await;
    sim.fault(Fault::once(Match::default(), Action::ResourceLimit));
    let error = sim.scan_qr(&client.qr(&refs[0]), None).expect_err("refused");
    assert!(matches!(error, wa_sim::SimError::Pairing(wa_sim::pairing::PairingError::ResourceLimit)));
    sim.scan_qr(&client.qr(&refs[0]), None).expect("the next time");
    client.complete().await;
    client.login(&sim).await;
    sim.outage(Duration::from_secs(1));
    assert!(client.ended().await);
}

#[tokio::test(start_paused = true)]
async fn the_servers_clock_can_be_off() {
    let sim = sim(79);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let t = |node: &Node| attr(node, "t").expect("a time").parse::<i64>().expect("a number");
    let right = t(&ada.iq("w:p", "get", wa_binary::Jid::SERVER, None).await);
    sim.set_clock_offset(-7_200_000);
    let wrong = t(&ada.iq("w:p", "get", wa_binary::Jid::SERVER, None).await);
    assert!((7_190..=7_210).contains(&(right - wrong)), "{right} {wrong}");
    // And it can gain: a tenth of what passes.
    sim.set_clock_offset(0);
    sim.set_clock_drift(100_000);
    sim.advance(Duration::from_secs(1_000));
    let later = t(&ada.iq("w:p", "get", wa_binary::Jid::SERVER, None).await);
    assert!((1_095..=1_110).contains(&(later - right)), "{right} {later}");
}

#[tokio::test(start_paused = true)]
async fn exhausted_keys_leave_bundles_without_one_time_keys() {
    let (sim, mut ada, mut bea) = pair(80).await;
    sim.world(|world, _| {
        let account = world.find_pn(bea.number()).expect("Bea");
        world.exhaust_keys(wa_sim::world::DeviceKey { account, device: 1 }, 1);
    });
    let fetch = || Node::new("key").child(Node::new("user").attr("jid", bea.my_lid()));
    let has_key = |answer: Node| {
        answer
            .required_child("list")
            .expect("list")
            .required_child("user")
            .expect("user")
            .optional_child("key")
            .is_some()
    };
    assert!(has_key(ada.get("encrypt", fetch()).await));
    assert!(!has_key(ada.get("encrypt", fetch()).await));
    let notice = bea.until(|node| node.attr_is("type", "encrypt")).await;
    assert!(notice.required_child("count").expect("count").attr_is("value", "0"));
}

#[tokio::test(start_paused = true)]
async fn every_stage_after_the_login_can_be_told_apart() {
    for phase in [Phase::Drain, Phase::Steady] {
        let (sim, mut ada, mut bea) = pair(81).await;
        bea.line = None;
        ada.rest().await;
        ada.send(to_bea("M1", &bea)).await;
        ada.until_tag("ack").await;
        let matching = Match { phase: Some(phase), ..Match::stanza(Direction::Out, "message") };
        sim.fault(Fault::once(matching, Action::Lose));
        bea.login(&sim).await;
        let waited = ids(&bea.rest().await);
        assert_eq!(waited.is_empty(), phase == Phase::Drain, "{phase:?}");
        ada.send(to_bea("M2", &bea)).await;
        let live = ids(&bea.rest().await);
        assert_eq!(live.is_empty(), phase == Phase::Steady, "{phase:?}");
    }
}

/// A simulator on a plain port, in real time: sockets and paused time do not mix.
async fn listening() -> SimHandle {
    let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    Sim::listen(SimConfig::default(), options).await.expect("a port")
}

async fn upgrade(sim: &SimHandle) -> Result<String, std::io::Error> {
    let mut stream = TcpStream::connect(sim.address().expect("a port")).await?;
    let request = "GET /ws/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut seen = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let read = stream.read(&mut chunk).await?;
        seen.extend(&chunk[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        // Garbage follows the head of the answer.
        let wants_more =
            text.starts_with("HTTP/1.1 101") && text.ends_with("\r\n\r\n") && sim_expects_more(sim);
        if read == 0 || (text.contains("\r\n\r\n") && !wants_more) {
            return Ok(text);
        }
    }
}

fn sim_expects_more(sim: &SimHandle) -> bool {
    sim.world(|world, _| {
        world
            .faults()
            .entries()
            .iter()
            .any(|entry| matches!(entry.fault.action, Action::HttpGarbage | Action::Close { .. }))
    })
}

#[tokio::test]
async fn the_upgrade_can_fail_with_any_status_and_with_garbage() {
    let sim = listening().await;
    assert!(upgrade(&sim).await.expect("an answer").starts_with("HTTP/1.1 101"));
    for status in [400, 403, 408, 429, 500, 503, 504, 302] {
        sim.fault(Fault::once(Match::phase(Phase::Upgrade), Action::HttpStatus { status }));
        let answer = upgrade(&sim).await.expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert_eq!(answer.to_lowercase().contains("location:"), status == 302);
    }
    sim.fault(Fault::once(Match::phase(Phase::Upgrade), Action::HttpGarbage));
    assert!(upgrade(&sim).await.expect("an answer").ends_with("this is no websocket"));
}

#[tokio::test]
async fn sockets_are_closed_and_reset_before_anything_is_said() {
    let sim = listening().await;
    for phase in [Phase::Tcp, Phase::Upgrade] {
        sim.fault(Fault::once(Match::phase(phase), Action::Close { how: CloseHow::Rst, after: false }));
        let error = upgrade(&sim).await;
        assert!(
            error
                .as_ref()
                .map_or(true, |text| !text.starts_with("HTTP/1.1 101") || text.ends_with("websocket")),
            "{error:?}"
        );
        sim.heal();
    }
    sim.fault(Fault::once(Match::phase(Phase::Tcp), Action::Close { how: CloseHow::Fin, after: false }));
    let closed = upgrade(&sim).await;
    assert!(closed.map_or(true, |text| text.is_empty()));
    sim.outage(Duration::from_secs(60));
    assert!(upgrade(&sim).await.expect("an answer").starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn a_websocket_is_closed_with_the_code_asked_for() {
    let sim = listening().await;
    let address = sim.address().expect("a port");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("ws://{address}/ws/chat"), stream).await.expect("an upgrade");
    sim.fault(Fault::once(
        Match::phase(Phase::Hello),
        Action::Close { how: CloseHow::Code(4001), after: false },
    ));
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let mut client = Client::new(None, 1);
    let parameters = wa_noise::ClientParameters {
        noise_key: client.noise().clone(),
        root: wa_noise::RootCa::default(),
        header: wa_noise::Header::CURRENT,
        payload: client.registration(),
    };
    let (_, hello) =
        wa_noise::ClientHandshake::start(parameters, Opening::Xx, &mut client.rng).expect("a hello");
    let mut wire = Vec::new();
    wa_noise::frame::write_opening(&mut wire, wa_noise::Header::CURRENT, None, &hello).expect("a frame");
    socket.send(Message::Text("hello".into())).await.expect("a write");
    socket.send(Message::Binary(wire.into())).await.expect("a write");
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 4001),
        other => panic!("{other:?}"),
    }
    assert!(sim.violations().iter().any(|violation| violation.rule == wa_sim::watch::Rule::TextFrame));
}

#[tokio::test]
async fn the_tls_port_can_be_cut_before_its_handshake() {
    let sim = Sim::listen(SimConfig::default(), ListenOptions::default()).await.expect("a port");
    sim.fault(Fault::once(Match::phase(Phase::Tls), Action::Close { how: CloseHow::Fin, after: false }));
    let mut stream = TcpStream::connect(sim.address().expect("a port")).await.expect("a connection");
    stream.write_all(&[0x16, 3, 1, 0, 1, 1]).await.expect("a write");
    let mut seen = Vec::new();
    // A reset is as good as an end.
    let _ = stream.read_to_end(&mut seen).await;
    assert!(seen.is_empty());
}
