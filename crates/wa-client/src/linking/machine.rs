//! The state machine of a link: QR codes, the pairing code and the passkey step side by side on one connection, whichever
//! ends first wins (chapter 02 §3.2, §4, §5). It knows neither sockets nor tasks: the time is an argument, and what has
//! to be done about it comes back as effects.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wa_binary::Jid;
use wa_core::pairing_code::{Companion, MAX_PRIMARY_HELLOS, SUCCESS_WAIT_SECONDS, VALIDITY_SECONDS};
use wa_core::passkey::{Companion as PasskeyCompanion, HANDOFF_VALIDITY_SECONDS};
use wa_crypto::Secret;

use super::types::{CodeEnd, PasskeyProblem};

/// How long the first code of an offer is shown.
const FIRST_REF: Duration = Duration::from_secs(60);
/// How long each later one is.
const LATER_REF: Duration = Duration::from_secs(20);
/// How long a code is valid.
const CODE: Duration = Duration::from_secs(VALIDITY_SECONDS);
/// How long the phone may take after its answer; a wrong code gives exactly this silence.
const SUCCESS: Duration = Duration::from_secs(SUCCESS_WAIT_SECONDS);
/// How long a handoff key, and with it the passkey step, lasts.
const HANDOFF: Duration = Duration::from_secs(HANDOFF_VALIDITY_SECONDS);

/// What has to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Draw the QR code of the ref that is shown now.
    Draw,
    /// The ADV secret was given away: make a new one.
    NewSecret,
    /// The code is over; the application hears why.
    CodeOver(CodeEnd),
    /// The passkey step is over.
    PasskeyOver(PasskeyProblem),
    /// Nothing is left that a phone could answer.
    Over(Expired),
}

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expired {
    /// The refs.
    Qr,
    /// The code, after the refs.
    Code,
}

/// What health has to say about a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is offered.
    Idle,
    /// A QR code is shown until then.
    Qr(Instant),
    /// A pairing code is valid until then.
    Code(Instant),
    /// The code that was asked for is over and there is no new one.
    CodeOver,
    /// A passkey is demanded until then.
    Passkey(Instant),
    /// The phone has accepted.
    Completing,
}

/// The link of one connection.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// Number of the connection; 0 for none.
    generation: u64,
    refs: VecDeque<String>,
    shown: Option<(String, Instant)>,
    code: Code,
    passkey: Passkey,
    completing: bool,
}

#[derive(Debug, Default)]
enum Code {
    /// None was asked for.
    #[default]
    None,
    /// The server is being asked.
    Asking,
    /// It is shown.
    Waiting(Box<WaitingCode>),
    /// It is over.
    Over,
}

/// A code that waits for the phone.
#[derive(Debug)]
pub(super) struct WaitingCode {
    pub(super) companion: Companion,
    /// The number that it was asked for.
    pub(super) number: Jid,
    pub(super) reference: Bytes,
    until: Instant,
    hellos: u32,
    /// When the phone answered last.
    answered: Option<Instant>,
}

/// Stages of the passkey step.
#[derive(Debug, Default)]
enum Passkey {
    #[default]
    None,
    Demanded {
        handoff: Box<Secret<32>>,
        until: Instant,
    },
    /// The prologue is on its way or sent.
    Open {
        companion: Box<PasskeyCompanion>,
        proof: Proof,
        until: Instant,
    },
    /// The phone has answered.
    Continued {
        until: Instant,
    },
}

/// Whether a handoff proof stood beside the prologue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Sent,
    Missing,
}

/// Why a code cannot be asked for now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotNow {
    /// Another one is valid until then, or is being asked for.
    Outstanding(Option<Instant>),
    /// The phone has already accepted.
    Completing,
    /// The server has offered nothing yet.
    NoOffer,
}

impl Machine {
    /// `pair-device`: the refs replace those before, the timers start anew. On a new connection everything does.
    pub(super) fn offer(&mut self, generation: u64, refs: Vec<String>, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.generation != generation {
            effects.extend(self.lost());
            *self = Self { generation, ..Self::default() };
        }
        self.refs = refs.into();
        self.shown = None;
        effects.extend(self.next_ref(now, FIRST_REF));
        effects
    }

    fn next_ref(&mut self, now: Instant, span: Duration) -> Option<Effect> {
        self.shown = self.refs.pop_front().map(|reference| (reference, now + span));
        self.shown.is_some().then_some(Effect::Draw)
    }

    /// The connection is gone, and with it everything that hung on it.
    pub(super) fn lost(&mut self) -> Option<Effect> {
        let had_code = matches!(self.code, Code::Asking | Code::Waiting(_));
        *self = Self::default();
        had_code.then_some(Effect::CodeOver(CodeEnd::ConnectionLost))
    }

    /// What ends when a server closes the connection of an offer whose last ref is shown.
    pub(super) fn ran_out(&self) -> Option<Expired> {
        (self.generation > 0 && self.refs.is_empty() && !self.completing).then_some(match self.code {
            Code::None => Expired::Qr,
            _ => Expired::Code,
        })
    }

    /// The connection of the offer.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// The ref to draw and until when.
    pub(super) fn shown(&self) -> Option<(&str, Instant)> {
        self.shown.as_ref().map(|(reference, until)| (reference.as_str(), *until))
    }

    /// What health has to say.
    pub(super) fn standing(&self) -> Standing {
        if self.completing {
            return Standing::Completing;
        }
        match (&self.passkey, &self.code, &self.shown) {
            (
                Passkey::Demanded { until, .. } | Passkey::Open { until, .. } | Passkey::Continued { until },
                ..,
            ) => Standing::Passkey(*until),
            (Passkey::None, Code::Waiting(code), _) => Standing::Code(code.until),
            (Passkey::None, Code::Over, _) => Standing::CodeOver,
            (Passkey::None, _, Some((_, until))) => Standing::Qr(*until),
            _ => Standing::Idle,
        }
    }

    /// When [`Self::tick`] has something to do next.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        if self.completing {
            return None;
        }
        let code = match &self.code {
            Code::Waiting(code) => Some(code.over_at()),
            _ => None,
        };
        let passkey = match &self.passkey {
            Passkey::Demanded { until, .. } | Passkey::Open { until, .. } | Passkey::Continued { until } => {
                Some(*until)
            }
            Passkey::None => None,
        };
        [self.shown.as_ref().map(|(_, until)| *until), code, passkey].into_iter().flatten().min()
    }

    /// What the time has brought.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.completing {
            return effects;
        }
        if let Code::Waiting(code) = &self.code
            && code.over_at() <= now
        {
            let end = if code.answered.is_some() { CodeEnd::WrongCode } else { CodeEnd::Expired };
            effects.extend(self.end_code(end));
        }
        if matches!(&self.passkey, Passkey::Demanded { until, .. } | Passkey::Open { until, .. } | Passkey::Continued { until } if *until <= now)
        {
            self.passkey = Passkey::None;
            effects.push(Effect::PasskeyOver(PasskeyProblem::TimedOut));
        }
        if self.shown.as_ref().is_some_and(|(_, until)| *until <= now) {
            effects.extend(self.next_ref(now, LATER_REF));
        }
        effects.extend(self.over());
        effects
    }

    /// Whether nothing is left that a phone could answer.
    fn over(&self) -> Option<Effect> {
        let waits = self.shown.is_some()
            || matches!(self.code, Code::Asking | Code::Waiting(_))
            || !matches!(self.passkey, Passkey::None);
        if waits || self.completing || self.generation == 0 {
            return None;
        }
        Some(Effect::Over(if matches!(self.code, Code::Over) { Expired::Code } else { Expired::Qr }))
    }

    /// A code is about to be asked for.
    pub(super) fn ask_code(&mut self) -> Result<(), NotNow> {
        if self.generation == 0 {
            return Err(NotNow::NoOffer);
        }
        if self.completing {
            return Err(NotNow::Completing);
        }
        match &self.code {
            Code::Asking => Err(NotNow::Outstanding(None)),
            // The server routes by number and never sees the code: the phone could answer the new request with the
            // old code.
            Code::Waiting(code) => Err(NotNow::Outstanding(Some(code.until))),
            Code::None | Code::Over => {
                self.code = Code::Asking;
                Ok(())
            }
        }
    }

    /// The server took the request: the code is valid from now on. `None` when it was cancelled meanwhile.
    pub(super) fn code_asked(
        &mut self,
        companion: Companion,
        number: Jid,
        reference: Bytes,
        now: Instant,
    ) -> Option<Instant> {
        let Code::Asking = self.code else { return None };
        let until = now + CODE;
        let waiting = WaitingCode { companion, number, reference, until, hellos: 0, answered: None };
        self.code = Code::Waiting(Box::new(waiting));
        Some(until)
    }

    /// The server refused the request, or nobody waits for it any more.
    pub(super) fn code_not_asked(&mut self) -> Option<Effect> {
        if let Code::Asking = self.code {
            self.code = Code::None;
        }
        self.over()
    }

    /// Ends a code that waits: cancelled, refused or withdrawn.
    pub(super) fn end_code(&mut self, end: CodeEnd) -> Vec<Effect> {
        let gave_secret = match &self.code {
            Code::Waiting(code) => code.answered.is_some(),
            Code::Asking => false,
            Code::None | Code::Over => return Vec::new(),
        };
        self.code = if end == CodeEnd::Cancelled { Code::None } else { Code::Over };
        let mut effects = Vec::new();
        if gave_secret {
            effects.push(Effect::NewSecret);
        }
        effects.push(Effect::CodeOver(end));
        effects.extend(self.over());
        effects
    }

    /// `primary_hello`: the code that it belongs to, if it may be answered (chapter 02 §4.2 step 1).
    pub(super) fn primary_hello(&mut self, reference: &[u8], now: Instant) -> Option<&WaitingCode> {
        let Code::Waiting(code) = &mut self.code else { return None };
        if code.reference != reference || code.until <= now || code.hellos >= MAX_PRIMARY_HELLOS {
            return None;
        }
        code.hellos += 1;
        code.answered = Some(now);
        Some(code)
    }

    /// The code under a ref.
    pub(super) fn has_code(&self, reference: &[u8]) -> bool {
        matches!(&self.code, Code::Waiting(code) if code.reference == reference)
    }

    /// The number that a code was asked for last.
    pub(super) fn number(&self) -> Option<&Jid> {
        match &self.code {
            Code::Waiting(code) => Some(&code.number),
            _ => None,
        }
    }

    /// Whether the phone has answered a code and its success is awaited: the ADV secret must stay.
    pub(super) fn awaits_success(&self) -> bool {
        matches!(&self.code, Code::Waiting(code) if code.answered.is_some())
    }

    /// `passkey_prologue_request`: the link goes on only with a passkey.
    pub(super) fn demand_passkey(&mut self, handoff: Secret<32>, now: Instant) {
        self.passkey = Passkey::Demanded { handoff: Box::new(handoff), until: now + HANDOFF };
    }

    /// The handoff key, once, while it is valid.
    pub(super) fn open_prologue(&mut self, companion: PasskeyCompanion, now: Instant) -> Option<Secret<32>> {
        let Passkey::Demanded { handoff, until } = std::mem::take(&mut self.passkey) else { return None };
        let companion = Box::new(companion);
        let valid = now < until;
        let proof = if valid { Proof::Sent } else { Proof::Missing };
        self.passkey = Passkey::Open { companion, proof, until: now + HANDOFF };
        valid.then_some(*handoff)
    }

    /// `crsc_continuation`: the open prologue that it continues. The stage stays until [`Self::continued`].
    pub(super) fn prologue(&self) -> Option<(&PasskeyCompanion, Proof)> {
        match &self.passkey {
            Passkey::Open { companion, proof, .. } => Some((companion, *proof)),
            _ => None,
        }
    }

    /// The continuation was understood.
    pub(super) fn continued(&mut self, now: Instant) {
        self.passkey = Passkey::Continued { until: now + HANDOFF };
    }

    /// The passkey step failed.
    pub(super) fn end_passkey(&mut self, problem: PasskeyProblem) -> Vec<Effect> {
        if matches!(self.passkey, Passkey::None) {
            return Vec::new();
        }
        self.passkey = Passkey::None;
        [Some(Effect::PasskeyOver(problem)), self.over()].into_iter().flatten().collect()
    }

    /// `pair-success` is being worked on; false when one already is.
    pub(super) fn complete(&mut self) -> bool {
        !std::mem::replace(&mut self.completing, true)
    }
}

impl WaitingCode {
    /// When it ends if nothing more comes.
    fn over_at(&self) -> Instant {
        self.answered.map_or(self.until, |at| at + SUCCESS)
    }
}
