//! Polls (chapter 05 §11.12): the question in its six forms, an opened vote, and the running result.

use std::collections::BTreeMap;

use wa_binary::Jid;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::poll_creation_message::Option as WireOption;
use wa_proto::e2e_message::message::{
    PollContentType, PollCreationMessage, PollResultSnapshotMessage, PollType, PollVoteMessage,
};

use super::{Target, said, signed, unsigned};
use crate::secrets::poll_option_hash;

/// A poll or a quiz.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Poll {
    /// The question.
    pub question: String,
    /// What can be chosen.
    pub options: Vec<String>,
    /// How many of them.
    pub choice: Choice,
    /// Whether there is a right answer.
    pub kind: PollKind,
    /// Until when, in seconds.
    pub ends_at: Option<u64>,
    /// Whether the others see who voted for what.
    pub voters: Voters,
    /// Whether others may add options.
    pub open: bool,
}

/// How many options may be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Choice {
    /// One.
    One,
    /// At most so many.
    AtMost(u32),
    /// As many as one likes.
    #[default]
    Any,
}

/// Whether there is a right answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PollKind {
    /// There is none.
    #[default]
    Poll,
    /// This one, if the sender says it.
    Quiz(Option<String>),
}

/// Whether others see who voted for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Voters {
    /// They do.
    #[default]
    Shown,
    /// They do not.
    Hidden,
}

/// A vote. The newest one of each voter counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollVote {
    /// In which poll.
    pub poll: Target,
    /// What was chosen; nothing takes the vote back.
    pub chosen: Vec<Voted>,
    /// When, in milliseconds.
    pub at_ms: Option<u64>,
}

/// An option that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Voted {
    /// SHA-256 of its text.
    pub hash: [u8; 32],
    /// Its text, once it is known from the poll.
    pub option: Option<String>,
}

/// An option that somebody added to a poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollOption {
    /// To which poll.
    pub poll: Target,
    /// Its text.
    pub option: String,
}

/// The result of a poll as somebody forwarded it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollSnapshot {
    /// The question.
    pub question: String,
    /// Options with their votes.
    pub counts: Vec<(String, u64)>,
}

/// The running result of a poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    options: Vec<String>,
    votes: BTreeMap<Jid, (u64, Vec<[u8; 32]>)>,
}

/// One option of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TallyLine {
    /// The option; `None` for votes on options that are not known.
    pub option: Option<String>,
    /// Who chose it.
    pub voters: Vec<Jid>,
}

impl Poll {
    /// A question with its options, of which any number may be chosen.
    pub fn new(question: impl Into<String>, options: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            question: question.into(),
            options: options.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Only one option may be chosen.
    #[must_use]
    pub const fn single_choice(mut self) -> Self {
        self.choice = Choice::One;
        self
    }

    /// At most so many options may be chosen.
    #[must_use]
    pub const fn at_most(mut self, options: u32) -> Self {
        self.choice = Choice::AtMost(options);
        self
    }

    /// A quiz with its right answer.
    #[must_use]
    pub fn quiz(mut self, answer: impl Into<String>) -> Self {
        self.kind = PollKind::Quiz(Some(answer.into()));
        self.choice = Choice::One;
        self
    }

    /// Nobody sees who voted for what.
    #[must_use]
    pub const fn hide_voters(mut self) -> Self {
        self.voters = Voters::Hidden;
        self
    }

    /// Ends at a time, in seconds.
    #[must_use]
    pub const fn ends_at(mut self, seconds: u64) -> Self {
        self.ends_at = Some(seconds);
        self
    }

    /// The fields in which a poll can stand; the fourth form is a wrapper around one of them.
    pub(super) fn find(message: &Message) -> Option<&PollCreationMessage> {
        [
            &message.poll_creation_message,
            &message.poll_creation_message_v2,
            &message.poll_creation_message_v3,
            &message.poll_creation_message_v5,
            &message.poll_creation_message_v6,
        ]
        .into_iter()
        .find_map(|poll| poll.as_deref())
    }

    /// The field depends on what the poll needs: clients that do not know a field show nothing.
    pub(super) fn write(&self) -> Message {
        let poll = Some(Box::new(PollCreationMessage::from(self)));
        let message = Message::default();
        if matches!(self.kind, PollKind::Quiz(_)) {
            Message { poll_creation_message_v5: poll, ..message }
        } else if self.open || self.voters == Voters::Hidden {
            Message { poll_creation_message_v6: poll, ..message }
        } else if self.choice == Choice::One || self.choice == Choice::AtMost(1) {
            Message { poll_creation_message_v3: poll, ..message }
        } else {
            Message { poll_creation_message: poll, ..message }
        }
    }
}

impl PollVote {
    /// A vote for options by their texts; none takes the vote back.
    pub fn new(
        poll: Target,
        options: impl IntoIterator<Item = impl Into<String>>,
        at_ms: Option<u64>,
    ) -> Self {
        let chosen = options
            .into_iter()
            .map(|option| {
                let option = option.into();
                Voted { hash: poll_option_hash(&option), option: Some(option) }
            })
            .collect();
        Self { poll, chosen, at_ms }
    }

    pub(super) fn read(poll: Target, vote: &PollVoteMessage, at_ms: Option<u64>) -> Self {
        let mut chosen: Vec<Voted> = Vec::new();
        for hash in &vote.selected_options {
            let Ok(hash) = <[u8; 32]>::try_from(&hash[..]) else { continue };
            if !chosen.iter().any(|voted| voted.hash == hash) {
                chosen.push(Voted { hash, option: None });
            }
        }
        Self { poll, chosen, at_ms }
    }

    pub(super) fn sealed(&self) -> PollVoteMessage {
        let hashes = self.chosen.iter().map(|voted| bytes::Bytes::copy_from_slice(&voted.hash));
        PollVoteMessage { selected_options: hashes.collect() }
    }

    /// Names the options by the texts of the poll.
    pub fn name_options(&mut self, options: &[String]) {
        for voted in &mut self.chosen {
            voted.option = options.iter().find(|option| poll_option_hash(option) == voted.hash).cloned();
        }
    }
}

impl Tally {
    /// Nobody has voted yet.
    pub fn new(options: impl IntoIterator<Item = String>) -> Self {
        Self { options: options.into_iter().collect(), votes: BTreeMap::new() }
    }

    /// An option was added.
    pub fn add_option(&mut self, option: String) {
        if !self.options.contains(&option) {
            self.options.push(option);
        }
    }

    /// Counts a vote; says whether it is the newest of its voter. Of two with the same time the later one counts.
    pub fn vote(&mut self, voter: &Jid, at_ms: u64, chosen: impl IntoIterator<Item = [u8; 32]>) -> bool {
        let before = self.votes.get(voter).map(|(at, _)| *at);
        if before.is_some_and(|before| before > at_ms) {
            return false;
        }
        self.votes.insert(voter.clone(), (at_ms, chosen.into_iter().collect()));
        true
    }

    /// The options of the poll, and last, if there are any, the votes on options that are not known.
    pub fn lines(&self) -> Vec<TallyLine> {
        let hashes: Vec<[u8; 32]> = self.options.iter().map(|option| poll_option_hash(option)).collect();
        let voters = |chose: &dyn Fn(&[[u8; 32]]) -> bool| {
            self.votes
                .iter()
                .filter(|(_, (_, chosen))| chose(chosen))
                .map(|(voter, _)| voter.clone())
                .collect()
        };
        let mut lines: Vec<TallyLine> = self
            .options
            .iter()
            .zip(&hashes)
            .map(|(option, hash)| TallyLine {
                option: Some(option.clone()),
                voters: voters(&|chosen| chosen.contains(hash)),
            })
            .collect();
        let unknown: Vec<Jid> = voters(&|chosen| chosen.iter().any(|hash| !hashes.contains(hash)));
        if !unknown.is_empty() {
            lines.push(TallyLine { option: None, voters: unknown });
        }
        lines
    }

    /// People with a vote that was not taken back.
    pub fn voters(&self) -> usize {
        self.votes.values().filter(|(_, chosen)| !chosen.is_empty()).count()
    }
}

impl From<&PollCreationMessage> for Poll {
    fn from(message: &PollCreationMessage) -> Self {
        let choice = match message.selectable_options_count() {
            0 => Choice::Any,
            1 => Choice::One,
            count => Choice::AtMost(count),
        };
        let kind = match message.poll_type() {
            PollType::Quiz => PollKind::Quiz(
                message.correct_answer.as_deref().and_then(|answer| said(answer.option_name.as_ref())),
            ),
            PollType::Poll => PollKind::Poll,
        };
        let hidden = message.hide_participant_name();
        Self {
            question: message.name().to_owned(),
            options: message.options.iter().map(|option| option.option_name().to_owned()).collect(),
            choice,
            kind,
            ends_at: unsigned(message.end_time).filter(|at| *at > 0),
            voters: if hidden { Voters::Hidden } else { Voters::Shown },
            open: message.allow_add_option(),
        }
    }
}

impl From<&Poll> for PollCreationMessage {
    fn from(poll: &Poll) -> Self {
        let option = |name: &String| WireOption { option_name: Some(name.clone()), ..WireOption::default() };
        let count = match poll.choice {
            Choice::Any => 0,
            Choice::One => 1,
            Choice::AtMost(count) => count,
        };
        let (kind, answer) = match &poll.kind {
            PollKind::Poll => (None, None),
            PollKind::Quiz(answer) => {
                (Some(PollType::Quiz.into()), answer.as_ref().map(option).map(Box::new))
            }
        };
        Self {
            name: Some(poll.question.clone()),
            options: poll.options.iter().map(option).collect(),
            selectable_options_count: Some(count),
            poll_content_type: kind.map(|_: i32| PollContentType::Text.into()),
            poll_type: kind,
            correct_answer: answer,
            end_time: signed(poll.ends_at),
            // Sent only when they are true.
            hide_participant_name: (poll.voters == Voters::Hidden).then_some(true),
            allow_add_option: poll.open.then_some(true),
            ..Self::default()
        }
    }
}

impl From<&PollResultSnapshotMessage> for PollSnapshot {
    fn from(message: &PollResultSnapshotMessage) -> Self {
        let count = |vote: &wa_proto::e2e_message::message::poll_result_snapshot_message::PollVote| {
            (vote.option_name().to_owned(), unsigned(vote.option_vote_count).unwrap_or(0))
        };
        Self { question: message.name().to_owned(), counts: message.poll_votes.iter().map(count).collect() }
    }
}
