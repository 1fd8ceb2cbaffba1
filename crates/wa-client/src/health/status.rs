//! What state an account is in, as an operator would say it.

use core::fmt;
use std::time::Duration;

use wa_store::UnixTime;

/// Who ended the link between phone and device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoggedOutBy {
    /// Removed on the phone.
    Phone,
    /// The application called `logout`.
    User,
    /// The server removed the device.
    DeviceRemoved,
    /// A newer device took its place.
    NewDevice,
}

/// Which way of linking ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkOffer {
    /// The QR codes of the connection.
    Qr,
    /// The pairing code.
    Code,
}

/// The state of an account. The least healthy one of all that hold at once is shown first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Nothing was tried yet.
    Starting,
    /// A QR code is shown.
    WaitingForQr {
        /// How long the code that is shown can still be scanned.
        left: Duration,
    },
    /// A pairing code is shown.
    WaitingForCode {
        /// When it ends.
        until: UnixTime,
    },
    /// QR or code ran out before the phone answered.
    LinkExpired(LinkOffer),
    /// The account demands a passkey.
    PasskeyRequired,
    /// The phone has answered, keys are being exchanged.
    Linking,
    /// Connected and in step.
    Online,
    /// Connected; the backlog of the server is being received.
    CatchingUp {
        /// Stanzas received so far.
        received: u64,
        /// Stanzas that the server announced.
        announced: u64,
    },
    /// Not connected; trying again.
    Reconnecting {
        /// Number of the coming attempt, from 1.
        attempt: u32,
        /// When it starts.
        next_at: UnixTime,
    },
    /// The phone or the device itself was away for long; the server will remove the device.
    PhoneAway {
        /// When the phone or the device was last seen.
        last_seen: UnixTime,
    },
    /// Another connection with the same credentials took over.
    Replaced,
    /// Another process holds the account.
    HeldByAnotherProcess {
        /// Name that the process gave itself.
        holder: String,
        /// When its lease ends unless it is renewed.
        until: UnixTime,
    },
    /// The lease went to another process while this one was running.
    LeaseLost,
    /// Not linked any more.
    LoggedOut(LoggedOutBy),
    /// The account has no place for another device.
    DeviceLimit,
    /// Banned for a time.
    TemporarilyBanned {
        /// When the ban ends.
        until: UnixTime,
    },
    /// Banned or locked until somebody acts on the phone.
    BannedOrLocked,
    /// The server refuses this version of the client.
    ClientOutdated,
    /// The server refuses the login for another reason.
    Refused,
    /// No new chats may be started.
    RestrictedFromNewChats {
        /// When the restriction ends, if the server said so.
        until: Option<UnixTime>,
    },
    /// The cap of messages to new chats.
    MessageCap {
        /// Messages used in this cycle.
        used: u32,
        /// Messages allowed in this cycle.
        total: u32,
    },
    /// No media host can be reached: messages without files go on.
    MediaUnreachable,
    /// The application does not take its events.
    ApplicationBehind {
        /// Rows that wait in the inbox.
        waiting: u64,
    },
    /// Commits fail.
    StoreFailing,
    /// Stopped by the application.
    Stopped,
}

impl Status {
    /// How bad it is: the higher, the more it hides other conditions.
    pub(super) const fn severity(&self) -> u8 {
        match self {
            Self::Online => 0,
            Self::CatchingUp { .. } => 1,
            Self::MessageCap { .. } | Self::MediaUnreachable => 2,
            Self::RestrictedFromNewChats { .. } => 3,
            Self::PhoneAway { .. } => 4,
            Self::ApplicationBehind { .. } => 5,
            Self::Starting => 6,
            Self::Linking => 7,
            Self::WaitingForQr { .. } | Self::WaitingForCode { .. } | Self::PasskeyRequired => 8,
            Self::Reconnecting { .. } => 9,
            Self::LinkExpired(_) => 10,
            Self::StoreFailing => 11,
            Self::HeldByAnotherProcess { .. } => 12,
            Self::ClientOutdated | Self::Refused => 13,
            Self::Replaced | Self::LeaseLost => 14,
            Self::DeviceLimit => 15,
            Self::TemporarilyBanned { .. } => 16,
            Self::LoggedOut(_) => 17,
            Self::BannedOrLocked => 18,
            Self::Stopped => 19,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::WaitingForQr { left } => write!(f, "waiting for QR ({} s left)", left.as_secs()),
            Self::WaitingForCode { .. } => f.write_str("waiting for code"),
            Self::LinkExpired(LinkOffer::Qr) => f.write_str("QR expired"),
            Self::LinkExpired(LinkOffer::Code) => f.write_str("code expired"),
            Self::PasskeyRequired => f.write_str("passkey required"),
            Self::Linking => f.write_str("linking"),
            Self::Online => f.write_str("online"),
            Self::CatchingUp { received, announced } => write!(f, "catching up ({received}/{announced})"),
            Self::Reconnecting { attempt, .. } => write!(f, "reconnecting (attempt {attempt})"),
            Self::PhoneAway { .. } => f.write_str("phone away"),
            Self::Replaced => f.write_str("replaced"),
            Self::HeldByAnotherProcess { holder, .. } => write!(f, "held by another process ({holder})"),
            Self::LeaseLost => f.write_str("lease lost"),
            Self::LoggedOut(LoggedOutBy::Phone) => f.write_str("logged out from the phone"),
            Self::LoggedOut(LoggedOutBy::User) => f.write_str("logged out by the user"),
            Self::LoggedOut(LoggedOutBy::DeviceRemoved) => f.write_str("logged out: device removed"),
            Self::LoggedOut(LoggedOutBy::NewDevice) => f.write_str("logged out: evicted by a new device"),
            Self::DeviceLimit => f.write_str("device limit"),
            Self::TemporarilyBanned { .. } => f.write_str("temporarily banned"),
            Self::BannedOrLocked => f.write_str("banned or locked"),
            Self::ClientOutdated => f.write_str("client outdated"),
            Self::Refused => f.write_str("login refused"),
            Self::RestrictedFromNewChats { .. } => f.write_str("restricted from new chats"),
            Self::MessageCap { used, total } => write!(f, "message cap ({used}/{total})"),
            Self::MediaUnreachable => f.write_str("media hosts out of reach"),
            Self::ApplicationBehind { waiting } => write!(f, "application behind ({waiting} events wait)"),
            Self::StoreFailing => f.write_str("store failing"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
