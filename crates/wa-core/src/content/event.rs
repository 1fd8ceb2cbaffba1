//! Events and planned calls (chapter 05 §11.13).

use wa_proto::e2e_message::message::event_response_message::EventResponseType;
use wa_proto::e2e_message::message::scheduled_call_creation_message::CallType;
use wa_proto::e2e_message::message::scheduled_call_edit_message::EditType;
use wa_proto::e2e_message::message::{
    EventMessage, EventResponseMessage, ScheduledCallCreationMessage, ScheduledCallEditMessage,
};

use super::{Location, Target, said, signed, unsigned};

/// An event, mostly of a group.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Where.
    pub location: Option<Location>,
    /// Where one joins: a call link.
    pub join_link: Option<String>,
    /// When it begins, in seconds.
    pub starts_at: Option<u64>,
    /// When it ends, in seconds.
    pub ends_at: Option<u64>,
    /// Whether guests may bring others.
    pub extra_guests: bool,
    /// Whether it is a call.
    pub is_call: bool,
    /// Seconds before the beginning at which guests are reminded.
    pub reminder: Option<u64>,
    /// Whether it still takes place.
    pub state: EventState,
}

/// Whether an event takes place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventState {
    /// It does.
    #[default]
    Planned,
    /// It does not.
    Cancelled,
}

/// An answer to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventResponse {
    /// To which event.
    pub event: Target,
    /// What it is.
    pub answer: Answer,
    /// People who come along.
    pub extra_guests: u32,
    /// When, in milliseconds.
    pub at_ms: Option<u64>,
}

/// Whether somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// Yes.
    Going,
    /// No.
    NotGoing,
    /// Perhaps.
    Maybe,
    /// Something that is not known.
    Unknown,
}

/// A planned call, the form before events. Received only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduledCall {
    /// What it is called.
    pub title: Option<String>,
    /// When, in milliseconds.
    pub at_ms: Option<u64>,
    /// Whether it is a video call.
    pub is_video: bool,
}

/// A change of a planned call. Received only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduledCallChange {
    /// Of which message.
    pub target: Target,
    /// Whether it was called off.
    pub state: EventState,
}

impl Event {
    /// An event that begins at a time, in seconds.
    pub fn new(name: impl Into<String>, starts_at: u64) -> Self {
        Self { name: name.into(), starts_at: Some(starts_at), ..Self::default() }
    }

    /// What it is about.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Where it is.
    #[must_use]
    pub fn location(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// When it ends, in seconds.
    #[must_use]
    pub const fn ends_at(mut self, seconds: u64) -> Self {
        self.ends_at = Some(seconds);
        self
    }

    /// Where one joins.
    #[must_use]
    pub fn join_link(mut self, link: impl Into<String>) -> Self {
        self.join_link = Some(link.into());
        self
    }
}

impl EventResponse {
    /// An answer without further guests.
    pub const fn new(event: Target, answer: Answer, at_ms: Option<u64>) -> Self {
        Self { event, answer, extra_guests: 0, at_ms }
    }

    pub(super) fn read(event: Target, message: &EventResponseMessage) -> Self {
        let answer = match message.response() {
            EventResponseType::Going => Answer::Going,
            EventResponseType::NotGoing => Answer::NotGoing,
            EventResponseType::Maybe => Answer::Maybe,
            EventResponseType::Unknown => Answer::Unknown,
        };
        let extra_guests = u32::try_from(message.extra_guest_count()).unwrap_or(0);
        Self { event, answer, extra_guests, at_ms: unsigned(message.timestamp_ms) }
    }

    pub(super) fn sealed(&self) -> EventResponseMessage {
        let answer = match self.answer {
            Answer::Going => EventResponseType::Going,
            Answer::NotGoing => EventResponseType::NotGoing,
            Answer::Maybe => EventResponseType::Maybe,
            Answer::Unknown => EventResponseType::Unknown,
        };
        let guests = i32::try_from(self.extra_guests).ok().filter(|guests| *guests > 0);
        EventResponseMessage {
            response: Some(answer.into()),
            timestamp_ms: signed(self.at_ms),
            extra_guest_count: guests,
        }
    }
}

impl From<&EventMessage> for Event {
    fn from(message: &EventMessage) -> Self {
        let cancelled = message.is_canceled();
        Self {
            name: message.name().to_owned(),
            description: said(message.description.as_ref()),
            location: message.location.as_deref().map(Location::from),
            join_link: said(message.join_link.as_ref()),
            starts_at: unsigned(message.start_time),
            ends_at: unsigned(message.end_time).filter(|at| *at > 0),
            extra_guests: message.extra_guests_allowed(),
            is_call: message.is_schedule_call(),
            reminder: unsigned(message.reminder_offset_sec).filter(|_| message.has_reminder()),
            state: if cancelled { EventState::Cancelled } else { EventState::Planned },
        }
    }
}

impl From<&Event> for EventMessage {
    fn from(event: &Event) -> Self {
        Self {
            is_canceled: Some(event.state == EventState::Cancelled),
            name: Some(event.name.clone()),
            description: event.description.clone(),
            location: event.location.as_ref().map(|location| Box::new(location.into())),
            join_link: event.join_link.clone(),
            start_time: signed(event.starts_at),
            end_time: signed(event.ends_at),
            extra_guests_allowed: event.extra_guests.then_some(true),
            is_schedule_call: event.is_call.then_some(true),
            has_reminder: event.reminder.map(|_| true),
            reminder_offset_sec: signed(event.reminder),
            ..Self::default()
        }
    }
}

impl From<&ScheduledCallCreationMessage> for ScheduledCall {
    fn from(message: &ScheduledCallCreationMessage) -> Self {
        Self {
            title: said(message.title.as_ref()),
            at_ms: unsigned(message.scheduled_timestamp_ms),
            is_video: message.call_type() == CallType::Video,
        }
    }
}

impl From<&ScheduledCallEditMessage> for ScheduledCallChange {
    fn from(message: &ScheduledCallEditMessage) -> Self {
        let cancelled = message.edit_type() == EditType::Cancel;
        Self {
            target: Target::of(message.key.as_deref()),
            state: if cancelled { EventState::Cancelled } else { EventState::Planned },
        }
    }
}
