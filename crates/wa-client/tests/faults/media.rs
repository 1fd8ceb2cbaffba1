//! Faults of the media host: what becomes of a message with a file that is sent meanwhile, and of a file that is
//! downloaded. None of them is trouble of the account: the health stays as it is.

use serde_json::json;
use wa_client::Jid;
use wa_client::media::{TransferAdvice, TransferError};
use wa_client::messages::builder::Message;
use wa_client::messages::content::MediaKind;
use wa_client::messages::sending::{Refusal, SendReport};
use wa_sim::faults::{Action, Fault, Match, MediaFault, Phase};

use crate::stage::{ADA, Stage};

/// What follows while the fault stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Up {
    /// The message waits, and goes out when the fault is over.
    Waits,
    /// It goes out all the same.
    Goes,
    /// It is refused for good.
    Refused(u16),
}

/// What a download says while the fault stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Down {
    /// It comes all the same.
    Comes,
    Fails(TransferAdvice),
}

fn rows() -> Vec<(MediaFault, Up, Down)> {
    use TransferAdvice as A;
    let status =
        |status, up, advice| (MediaFault::Status { status, retry_after: Some(1) }, up, Down::Fails(advice));
    vec![
        status(302, Up::Waits, A::GiveUp),
        status(401, Up::Refused(401), A::AskSender),
        status(403, Up::Refused(403), A::AskSender),
        status(404, Up::Refused(404), A::AskSender),
        status(410, Up::Refused(410), A::AskSender),
        status(413, Up::Refused(413), A::GiveUp),
        status(429, Up::Waits, A::Later),
        status(500, Up::Waits, A::Later),
        status(507, Up::Waits, A::Later),
        (MediaFault::Cut { after: 1_000 }, Up::Waits, Down::Comes),
        (MediaFault::Cut { after: 0 }, Up::Waits, Down::Fails(A::Later)),
        (MediaFault::Truncated, Up::Goes, Down::Fails(A::Later)),
        (MediaFault::FlippedBit, Up::Goes, Down::Fails(A::Later)),
        (MediaFault::ExtraBytes, Up::Goes, Down::Fails(A::Later)),
        (MediaFault::Slow { bytes_per_second: 500 }, Up::Goes, Down::Comes),
    ]
}

/// The faults of this table, for the count.
pub(crate) fn shown() -> Vec<String> {
    rows().into_iter().map(|(fault, _, _)| json!(Action::Media { fault }).to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_media_host_that_fails_loses_no_message_and_hands_out_nothing_wrong() {
    let stage = Stage::new(crate::seed()).await;
    let (client, _events) = stage.linked().await;
    let file: Vec<u8> = (0..4_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    let media = client.media().upload(MediaKind::Document, file.clone()).await.expect("it goes up");
    for (number, (fault, up, down)) in rows().into_iter().enumerate() {
        let name = json!(fault).to_string();
        stage.sim.fault(Fault::new(Match::phase(Phase::Media), Action::Media { fault }));
        let found = client.media().download(&media).to_bytes(1 << 20).await;
        match (down, found) {
            (Down::Comes, found) => assert!(found.expect(&name) == file, "{name}"),
            (Down::Fails(advice), Err(error)) => assert_eq!(error.advice(), advice, "{name}: {error}"),
            (_, Ok(_)) => panic!("{name}: it came"),
        }
        let text = format!("number {number}");
        let message = Message::document(file.clone()).caption(text.as_str());
        let sending = client.messages().send(&Jid::pn(ADA), message).await.expect("it is taken");
        let report = sending.report().await;
        match up {
            Up::Waits => assert_eq!(report, SendReport::Pending, "{name}"),
            Up::Goes => assert!(matches!(report, SendReport::Accepted(_)), "{name}: {report:?}"),
            Up::Refused(status) => {
                assert_eq!(report, SendReport::Refused(Refusal::FileRefused(status)), "{name}");
            }
        }
        assert!(client.health().is_online(), "{name}: {}", client.health());
        stage.sim.heal();
        let words = text.as_bytes();
        let came = stage.sim.received(ADA, crate::stage::PATIENCE, |got| {
            got.message.windows(words.len()).any(|window| window == words).then_some(())
        });
        let arrived = came.await.is_ok();
        assert_eq!(arrived, !matches!(up, Up::Refused(_)), "{name}");
        let found: Result<_, TransferError> = client.media().download(&media).to_bytes(1 << 20).await;
        assert!(found.expect(&name) == file, "{name}");
    }
    stage.assert_clean();
}
