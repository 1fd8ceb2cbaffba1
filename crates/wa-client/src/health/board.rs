//! The board on which every part of a client reports: one state of the connection, any number of side conditions.
//! What is shown is the least healthy of them, with the others beside it.

use std::collections::VecDeque;
use wa_store::{Durability, UnixTime};

use super::{Attempt, Cause, Condition, Deadline, DeadlineKind, Health, Status};

/// Connect attempts that are remembered.
const ATTEMPTS: usize = 16;

/// Side conditions that can hold beside the state of the connection. Each has one place on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    NewChats,
    Phone,
    Idle,
    MessageCap,
    Media,
    Application,
    Store,
}

/// Collects what the parts of a client report.
#[derive(Debug)]
pub(crate) struct Board {
    connection: Condition,
    sides: Vec<(Place, Condition)>,
    attempts: VecDeque<Attempt>,
    calendar: Vec<Deadline>,
    durability: Durability,
    garbled: u64,
}

impl Board {
    pub(crate) fn new(now: UnixTime, durability: Durability) -> Self {
        Self {
            connection: Condition::new(Status::Starting, Cause::Started, now),
            sides: Vec::new(),
            attempts: VecDeque::new(),
            calendar: Vec::new(),
            durability,
            garbled: 0,
        }
    }

    /// Reports the state of the connection. The same status and cause keep their `since`.
    pub(crate) fn connection(&mut self, mut condition: Condition) {
        let old = &self.connection;
        if old.cause == condition.cause
            && core::mem::discriminant(&old.status) == core::mem::discriminant(&condition.status)
        {
            condition.since = old.since;
        }
        self.connection = condition;
    }

    /// Puts a side condition up.
    pub(crate) fn raise(&mut self, place: Place, mut condition: Condition) {
        if let Some((_, old)) = self.sides.iter_mut().find(|(at, _)| *at == place) {
            if old.cause == condition.cause {
                condition.since = old.since;
            }
            *old = condition;
        } else {
            self.sides.push((place, condition));
        }
    }

    /// Whether a side condition is up.
    pub(crate) fn is_up(&self, place: Place) -> bool {
        self.sides.iter().any(|(at, _)| *at == place)
    }

    /// Takes a side condition down; says whether it was up.
    pub(crate) fn clear(&mut self, place: Place) -> bool {
        let before = self.sides.len();
        self.sides.retain(|(at, _)| *at != place);
        before != self.sides.len()
    }

    /// Whether the client has ended for a reason of its own.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.connection.cause, Cause::LeaseLost | Cause::StoreBroken)
    }

    /// Remembers an attempt to connect; the oldest goes.
    pub(crate) fn attempt(&mut self, attempt: Attempt) {
        if self.attempts.len() == ATTEMPTS {
            self.attempts.pop_front();
        }
        self.attempts.push_back(attempt);
    }

    /// Enters or moves a deadline; `None` takes it out.
    pub(crate) fn deadline(&mut self, kind: DeadlineKind, at: Option<UnixTime>) {
        self.calendar.retain(|entry| entry.kind != kind);
        if let Some(at) = at {
            self.calendar.push(Deadline { kind, at });
            self.calendar.sort_by_key(|entry| entry.at);
        }
    }

    /// Counts a frame that opened and was no stanza.
    pub(crate) const fn garbled(&mut self) {
        self.garbled += 1;
    }

    /// What is shown.
    pub(crate) fn health(&self) -> Health {
        let mut conditions: Vec<&Condition> = core::iter::once(&self.connection)
            .chain(self.sides.iter().map(|(_, condition)| condition))
            .collect();
        // Stable: of two equally bad ones the connection's own comes first.
        conditions.sort_by_key(|condition| core::cmp::Reverse(condition.status.severity()));
        let main = conditions[0].clone();
        Health {
            remedy: main.cause.remedy(),
            healing: main.cause.healing(),
            status: main.status,
            cause: main.cause,
            evidence: main.evidence,
            since: main.since,
            deadline: main.deadline,
            next_attempt: main.next_attempt,
            also: conditions[1..].iter().map(|condition| (*condition).clone()).collect(),
            attempts: self.attempts.iter().cloned().collect(),
            calendar: self.calendar.clone(),
            durability: self.durability,
            garbled: self.garbled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    #[test]
    fn the_least_healthy_condition_is_shown_and_the_others_stand_beside_it() {
        let mut board = Board::new(at(0), Durability::Power);
        board.connection(Condition::new(Status::Online, Cause::Working, at(1)));
        board.raise(
            Place::NewChats,
            Condition::new(Status::RestrictedFromNewChats { until: None }, Cause::NewChatsLocked, at(2)),
        );
        board.raise(Place::Store, Condition::new(Status::StoreFailing, Cause::StoreFailing, at(3)));
        let health = board.health();
        assert_eq!(health.status, Status::StoreFailing);
        assert_eq!(health.also.len(), 2);
        assert!(board.clear(Place::Store));
        assert!(!board.clear(Place::Store));
        assert_eq!(board.health().cause, Cause::NewChatsLocked);
        board.connection(Condition::new(Status::Stopped, Cause::Stopped, at(4)));
        assert_eq!(board.health().status, Status::Stopped);
    }

    #[test]
    fn a_condition_that_goes_on_keeps_the_time_it_began() {
        let mut board = Board::new(at(0), Durability::Power);
        for second in 10..20 {
            let status = Status::Reconnecting { attempt: second as u32, next_at: at(second + 5) };
            board.connection(Condition::new(status, Cause::NetworkUnreachable, at(second)));
        }
        assert_eq!(board.health().since, at(10));
        let status = Status::Reconnecting { attempt: 9, next_at: at(99) };
        board.connection(Condition::new(status, Cause::TlsFailed, at(50)));
        assert_eq!(board.health().since, at(50));
    }

    #[test]
    fn the_ring_keeps_the_last_attempts_and_the_calendar_is_sorted() {
        let mut board = Board::new(at(0), Durability::Power);
        for second in 0..40 {
            board.attempt(Attempt { at: at(second), stage: super::super::Stage::Dial, failure: None });
        }
        board.deadline(DeadlineKind::PhoneMustAppear, Some(at(900)));
        board.deadline(DeadlineKind::BanEnds, Some(at(100)));
        board.deadline(DeadlineKind::PhoneMustAppear, Some(at(50)));
        let health = board.health();
        assert_eq!((health.attempts.len(), health.attempts[0].at), (ATTEMPTS, at(24)));
        assert_eq!(health.calendar.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(50), at(100)]);
    }

    #[test]
    fn a_store_that_a_power_cut_can_take_back_is_told_in_every_state() {
        let told = |durability| Board::new(at(0), durability).health().to_string();
        assert!(!told(Durability::Power).contains("power cut"));
        assert!(told(Durability::Process).contains("use message keys a second time"));
        assert!(told(Durability::None).contains("gone when the process ends"));
    }
}
