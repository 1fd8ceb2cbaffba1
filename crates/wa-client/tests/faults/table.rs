//! The table: one row for each fault, with what must follow.

use wa_client::health::Cause;
use wa_client::messages::sending::Refusal;
use wa_sim::faults::{
    Action, Chain, CloseHow, Damage, Direction, FailureReason, Fault, FreezeMode, HandshakeFault, Match,
    Phase, StreamFault, StreamForm,
};
use wa_sim::phone::Misbehaviour;
use wa_sim::watch::Rule;

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// Two people converse.
    Conversation,
    /// The connection is made anew.
    Reconnecting,
    /// Nobody is linked yet.
    Linking,
}

/// Who has to act when the fault is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Nobody.
    ByItself,
    /// The application asks for a new connection.
    ByHand,
    /// The account has to be linked again.
    Relink,
}

/// What becomes of the message that the peer sent meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// It arrives, once.
    Arrives,
    /// It arrives after it was asked for again.
    AskedFor,
    /// It is refused: what is in it is no message.
    Refused,
}

/// Where the messages go that are sent meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chat {
    Ada,
    /// Somebody new: devices and bundles have to be asked for.
    Bea,
    Group,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) scene: Scene,
    pub(crate) faults: Vec<Fault>,
    /// What the peer's phone does wrong.
    pub(crate) conduct: Option<Misbehaviour>,
    /// What the health has to name; `None` when nothing may be seen.
    pub(crate) cause: Option<Cause>,
    pub(crate) recovery: Recovery,
    pub(crate) incoming: Incoming,
    pub(crate) to: Chat,
    /// Whether the two have conversed before.
    pub(crate) warm: bool,
    /// Whether the peer sends a second message, which the fault needs.
    pub(crate) more: bool,
    /// How the message that was sent meanwhile was refused, if it was.
    pub(crate) refused: Option<Refusal>,
    /// What the watch notes because of the fault itself.
    pub(crate) noted: Vec<Rule>,
}

impl Row {
    pub(crate) fn actions(&self) -> impl Iterator<Item = &Action> {
        self.faults.iter().map(|fault| &fault.action)
    }

    fn new(scene: Scene, faults: Vec<Fault>) -> Self {
        let name = faults
            .iter()
            .map(|fault| format!("{} {:?}", serde_json::json!(fault.action), fault.matching.direction))
            .collect();
        Self {
            name,
            scene,
            faults,
            conduct: None,
            cause: None,
            recovery: Recovery::ByItself,
            incoming: Incoming::Arrives,
            to: Chat::Ada,
            warm: true,
            more: false,
            refused: None,
            noted: Vec::new(),
        }
    }

    /// A fault of a stanza in a conversation.
    fn stanza(direction: Direction, tag: &str, action: Action) -> Self {
        let matching =
            Match { account: Some(crate::stage::BOT.to_string()), ..Match::stanza(direction, tag) };
        Self::new(Scene::Conversation, vec![Fault::once(matching, action)])
    }

    /// To the client, a message.
    fn down(action: Action) -> Self {
        Self::stanza(Direction::Out, "message", action)
    }

    /// From the client, a message.
    fn up(action: Action) -> Self {
        Self::stanza(Direction::In, "message", action)
    }

    fn reconnecting(phase: Phase, action: Action) -> Self {
        Self::new(Scene::Reconnecting, vec![Fault::new(Match::phase(phase), action)])
    }

    fn linking(phase: Phase, action: Action) -> Self {
        Self::new(Scene::Linking, vec![Fault::new(Match::phase(phase), action)])
    }

    fn conduct(conduct: Misbehaviour) -> Self {
        Self {
            name: format!("{conduct:?}"),
            conduct: Some(conduct),
            ..Self::new(Scene::Conversation, Vec::new())
        }
    }

    fn cause(self, cause: Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }

    fn by_hand(self) -> Self {
        Self { recovery: Recovery::ByHand, ..self }
    }

    fn relink(self) -> Self {
        Self { recovery: Recovery::Relink, ..self }
    }

    fn incoming(self, incoming: Incoming) -> Self {
        Self { incoming, ..self }
    }

    fn to(self, to: Chat) -> Self {
        Self { to, ..self }
    }

    fn at_first_contact(self) -> Self {
        Self { warm: false, ..self }
    }

    fn with_more(self) -> Self {
        Self { more: true, ..self }
    }

    fn refused(self, refusal: Refusal) -> Self {
        Self { refused: Some(refusal), ..self }
    }

    fn noted(mut self, rule: Rule) -> Self {
        self.noted.push(rule);
        self
    }
}

pub(crate) fn rows() -> Vec<Row> {
    [
        closings(),
        silences(),
        disorder(),
        damages(),
        answers(),
        stream_errors(),
        failures(),
        handshakes(),
        peers(),
    ]
    .concat()
}

fn closings() -> Vec<Row> {
    let mut rows = Vec::new();
    for how in [CloseHow::Fin, CloseHow::Rst, CloseHow::Code(4000)] {
        for after in [false, true] {
            rows.push(Row::down(Action::Close { how, after }).cause(Cause::ConnectionLost));
            rows.push(Row::up(Action::Close { how, after }).cause(Cause::ConnectionLost));
        }
        for phase in [Phase::Hello, Phase::Finish] {
            rows.push(
                Row::reconnecting(phase, Action::Close { how, after: false }).cause(Cause::ConnectionLost),
            );
        }
    }
    rows
}

fn silences() -> Vec<Row> {
    vec![
        Row::down(Action::Freeze { mode: FreezeMode::Both }).cause(Cause::KeepaliveLost),
        Row::down(Action::Freeze { mode: FreezeMode::NeverWrite }).cause(Cause::KeepaliveLost),
        Row::down(Action::Freeze { mode: FreezeMode::NeverRead }).cause(Cause::KeepaliveLost),
        Row::reconnecting(Phase::Hello, Action::Freeze { mode: FreezeMode::Both })
            .cause(Cause::HandshakeFailed),
        Row::down(Action::Throttle { bytes_per_second: 2_000 }),
        Row::down(Action::Delay { ms: 5_000, jitter_ms: 5_000 }),
        Row::up(Action::Delay { ms: 5_000, jitter_ms: 5_000 }),
    ]
}

fn disorder() -> Vec<Row> {
    vec![
        Row::down(Action::Duplicate),
        Row::up(Action::Duplicate),
        Row::down(Action::Reorder { by: 1 }).with_more(),
        Row::up(Action::Reorder { by: 1 }),
        Row::down(Action::Hold).noted(Rule::NeverAnswered),
        // Until it is let go the client waits for the answer, and then says the same again.
        Row::up(Action::Hold),
        // The server has it still, and gives it to the next connection.
        Row::down(Action::Lose).by_hand().noted(Rule::NeverAnswered),
        Row::up(Action::Lose),
    ]
}

fn damages() -> Vec<Row> {
    let row = |damage| Row::down(Action::Damage { damage });
    vec![
        row(Damage::Ciphertext).cause(Cause::TransportOutOfStep),
        row(Damage::LengthHeader).cause(Cause::TransportOutOfStep),
        row(Damage::Oversize).cause(Cause::KeepaliveLost),
        row(Damage::ZeroLength).cause(Cause::TransportOutOfStep),
        row(Damage::FrameTwice).cause(Cause::TransportOutOfStep),
        row(Damage::FrameLate).cause(Cause::TransportOutOfStep),
        // What cannot be decoded is dropped; the server has it still.
        row(Damage::TruncatePlaintext).by_hand().noted(Rule::NeverAnswered),
        row(Damage::Plaintext).by_hand().noted(Rule::NeverAnswered),
        row(Damage::Split),
        row(Damage::Merge),
        row(Damage::Compress),
        row(Damage::EncVersion).incoming(Incoming::AskedFor),
        row(Damage::EncMac).incoming(Incoming::AskedFor),
        // The phone has it.
        Row::down(Action::Unavailable).incoming(Incoming::AskedFor),
    ]
}

fn answers() -> Vec<Row> {
    let refused = |code, refusal| Row::up(Action::AckError { code }).refused(refusal);
    let asked = |xmlns: &str, action| {
        let matching = Match { xmlns: Some(xmlns.to_owned()), ..Match::stanza(Direction::In, "iq") };
        let row = Row::new(Scene::Conversation, vec![Fault::once(matching, action)]);
        row.to(if xmlns == "w:g2" { Chat::Group } else { Chat::Bea })
    };
    let iq_error = |code| Action::IqError { code, text: String::new() };
    vec![
        Row::up(Action::LoseAck),
        Row::up(Action::AnswerTwice),
        refused(400, Refusal::Invalid),
        refused(403, Refusal::NotAllowed),
        refused(404, Refusal::BadAddress),
        refused(463, Refusal::Restricted),
        refused(475, Refusal::Capped),
        refused(479, Refusal::Invalid),
        refused(499, Refusal::Other(499)),
        // Once is no reason to give up.
        Row::up(Action::AckError { code: 421 }),
        Row::up(Action::AckError { code: 429 }),
        Row::up(Action::AckError { code: 500 }),
        Row::up(Action::WrongPhash).to(Chat::Group),
        asked("usync", iq_error(500)),
        asked("encrypt", iq_error(503)),
        asked("w:g2", iq_error(429)),
        asked("usync", Action::RateOverlimit { backoff: Some(30) }),
        asked("encrypt", Action::RateOverlimit { backoff: None }),
        asked("usync", Action::UsyncError { protocol: "devices".to_owned(), code: 503, backoff: None }),
        asked("usync", Action::UsyncError { protocol: "devices".to_owned(), code: 429, backoff: Some(30) }),
        asked("encrypt", Action::NoOneTimeKeys),
        asked("usync", Action::Lose),
    ]
}

fn stream_errors() -> Vec<Row> {
    let row = |code, form| Row::down(Action::StreamError(StreamFault { code, form }));
    let bare = |code| row(Some(code), StreamForm::Bare);
    vec![
        bare(500).cause(Cause::ServerTrouble),
        bare(503).cause(Cause::ServerTrouble),
        bare(515),
        bare(429).cause(Cause::RateLimited),
        bare(401).cause(Cause::UnlinkedByPhone).relink(),
        bare(409).cause(Cause::Replaced).by_hand(),
        bare(516).cause(Cause::ForcedLogout).relink(),
        bare(599).cause(Cause::StreamError),
        row(None, StreamForm::Bare).cause(Cause::StreamError),
        row(None, StreamForm::Replaced).cause(Cause::Replaced).by_hand(),
        row(None, StreamForm::DeviceRemoved).cause(Cause::DeviceRemoved).relink(),
        row(None, StreamForm::Ack).cause(Cause::StreamError),
        row(None, StreamForm::XmlNotWellFormed).cause(Cause::StreamError),
        row(None, StreamForm::Unknown).cause(Cause::StreamError),
        Row::down(Action::SecondSuccess),
        Row::down(Action::StreamEnd).cause(Cause::ConnectionLost),
    ]
}

fn failures() -> Vec<Row> {
    let failure = |reason, code, expire| FailureReason { reason, code, expire, logout_message: None };
    let row = |reason| Row::reconnecting(Phase::Login, Action::Failure(failure(reason, None, None)));
    let ban = |code, cause| {
        let reason = failure(402, Some(code), Some(3600));
        Row::reconnecting(Phase::Login, Action::Failure(reason)).cause(cause).by_hand()
    };
    let mut rows = vec![
        row(401).cause(Cause::UnlinkedByPhone).relink(),
        row(403).cause(Cause::Locked).relink(),
        row(406).cause(Cause::Banned).relink(),
        row(405).cause(Cause::ClientOutdated).by_hand(),
        row(409).cause(Cause::BadUserAgent).by_hand(),
        row(402).cause(Cause::LoginRefused).by_hand(),
        row(500).cause(Cause::ServerTrouble),
        row(503).cause(Cause::ServerTrouble),
        ban(101, Cause::BannedManyStrangers),
        ban(102, Cause::BannedManyBlocks),
        ban(103, Cause::BannedManyGroups),
        ban(104, Cause::BannedSameMessage),
        ban(106, Cause::BannedBroadcasts),
        ban(199, Cause::BannedForATime),
    ];
    for reason in [400, 404, 407, 408, 410, 411, 412, 413, 414, 415, 416, 417, 418, 501] {
        rows.push(row(reason).cause(Cause::LoginRefused).by_hand());
    }
    let told = FailureReason { logout_message: Some("Bye".to_owned()), ..failure(401, None, None) };
    rows.push(Row::reconnecting(Phase::Login, Action::Failure(told)).cause(Cause::UnlinkedByPhone).relink());
    rows
}

fn handshakes() -> Vec<Row> {
    let action = |fault| Action::Handshake { fault };
    let mut rows = vec![
        Row::reconnecting(Phase::Hello, action(HandshakeFault::RefuseIk)),
        Row::reconnecting(Phase::Hello, action(HandshakeFault::RotateStatic)),
        Row::linking(Phase::Login, Action::ResourceLimit),
    ];
    let broken = [
        HandshakeFault::MissingEphemeral,
        HandshakeFault::MissingPayload,
        HandshakeFault::Undecodable,
        HandshakeFault::ShortEphemeral,
        HandshakeFault::BadTag,
        HandshakeFault::LowOrder,
    ];
    for fault in broken {
        rows.push(Row::reconnecting(Phase::Hello, action(fault)).cause(Cause::HandshakeFailed));
        rows.push(Row::linking(Phase::Hello, action(fault)).cause(Cause::HandshakeFailed));
    }
    let chains = [
        Chain::IntermediateSignature,
        Chain::LeafSignature,
        Chain::RootSerial,
        Chain::LeafSerial,
        Chain::LeafKey,
        Chain::Expired,
        Chain::NotYetValid,
    ];
    for chain in chains {
        let fault = action(HandshakeFault::Chain(chain));
        rows.push(Row::linking(Phase::Hello, fault).cause(Cause::ServerNotTrusted).by_hand());
    }
    rows
}

/// Everything that a peer's phone can do wrong. A new kind does not compile until it is here.
pub(crate) fn misconduct() -> Vec<Misbehaviour> {
    use Misbehaviour as M;
    let first = M::WrongPadding;
    std::iter::successors(Some(first), |one| match one {
        M::WrongPadding => Some(M::UnknownVersion),
        M::UnknownVersion => Some(M::BentCiphertext),
        M::BentCiphertext => Some(M::Replay),
        M::Replay => Some(M::Duplicate),
        M::Duplicate => Some(M::WithheldSenderKey),
        M::WithheldSenderKey => Some(M::UnknownPreKey),
        M::UnknownPreKey => Some(M::OutOfOrder(2)),
        M::OutOfOrder(_) => Some(M::RetryStorm(50)),
        M::RetryStorm(_) => None,
    })
    .collect()
}

fn peers() -> Vec<Row> {
    let row = |conduct| match conduct {
        Misbehaviour::WrongPadding => {
            Row::conduct(conduct).incoming(Incoming::Refused).noted(Rule::SeenByPhone)
        }
        Misbehaviour::UnknownVersion | Misbehaviour::BentCiphertext => {
            Row::conduct(conduct).incoming(Incoming::AskedFor)
        }
        Misbehaviour::UnknownPreKey => Row::conduct(conduct).incoming(Incoming::AskedFor).at_first_contact(),
        Misbehaviour::WithheldSenderKey => Row::conduct(conduct).incoming(Incoming::AskedFor).to(Chat::Group),
        Misbehaviour::Replay | Misbehaviour::Duplicate | Misbehaviour::RetryStorm(_) => Row::conduct(conduct),
        Misbehaviour::OutOfOrder(_) => Row::conduct(conduct).with_more(),
    };
    misconduct().into_iter().map(row).collect()
}
