//! How a connection ends and what follows from it: one table (chapter 01 §6.2, §6.3, §12).

use std::time::Duration;

use wa_binary::Node;

use crate::health::{Cause, Evidence, LoggedOutBy};

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The other side or the network closed it, or the server said goodbye.
    Closed(Option<String>),
    /// Nothing came although something was sent.
    KeepaliveLost,
    /// A frame could not be opened: the counters differ.
    OutOfStep,
    /// `<failure>`.
    Failure(Node),
    /// `<stream:error>`.
    StreamError(Node),
    /// The refs of an unlinked connection ran out.
    QrExpired,
    /// The pairing code is over, and the refs are too.
    CodeExpired,
    /// The account has as many linked devices as it may.
    DeviceLimit,
    /// The link was refused by us.
    LinkRefused(String),
    /// The lease is gone.
    LeaseLost,
    /// The store refuses for good.
    StoreBroken(String),
    /// Removed because the account has a new device.
    Evicted(Node),
    /// The application wants a new connection.
    Reconnect,
    /// The application wants no connection.
    Shutdown,
    /// The application logged out.
    LoggedOut,
}

/// What the supervisor does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Connect again at once.
    Again,
    /// The server asks for a new connection: at once, unless it asks again and again.
    Restart,
    /// Connect again after the next wait of the series.
    Later,
    /// The same, after a penalty.
    MuchLater,
    /// Look the client's version up and connect again.
    NewVersion,
    /// Wait for the application.
    Stop(Stop),
}

/// Why the supervisor stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Not linked any more: the credentials go.
    LoggedOut(LoggedOutBy),
    /// Locked or banned: the credentials go.
    Barred,
    /// Banned for a time.
    BannedFor(Duration),
    /// Another connection took over.
    Replaced,
    /// The login was refused for another reason; the credentials stay.
    Refused,
    /// QR codes ran out.
    QrExpired,
    /// The pairing code is over.
    CodeExpired,
    /// No place for another device.
    DeviceLimit,
    /// The link was refused.
    LinkRefused,
    /// The lease is gone.
    LeaseLost,
    /// The store refuses for good.
    StoreBroken,
    /// The application stopped it.
    Stopped,
}

/// Cause, evidence and consequence of an end.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) cause: Cause,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) next: Next,
}

impl Ended {
    /// The table.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Closed(why) => Verdict {
                cause: Cause::ConnectionLost,
                evidence: why.clone().map(Evidence::Error),
                next: Next::Later,
            },
            Self::KeepaliveLost => Verdict::plain(Cause::KeepaliveLost, Next::Again),
            Self::OutOfStep => Verdict::plain(Cause::TransportOutOfStep, Next::Later),
            Self::Failure(node) => failure(node),
            Self::StreamError(node) => stream_error(node),
            Self::QrExpired => Verdict::plain(Cause::QrExpired, Next::Stop(Stop::QrExpired)),
            Self::CodeExpired => Verdict::plain(Cause::CodeExpired, Next::Stop(Stop::CodeExpired)),
            Self::DeviceLimit => Verdict::plain(Cause::DeviceLimit, Next::Stop(Stop::DeviceLimit)),
            Self::LinkRefused(why) => Verdict {
                cause: Cause::LinkRefused,
                evidence: Some(Evidence::Error(why.clone())),
                next: Next::Stop(Stop::LinkRefused),
            },
            Self::LeaseLost => Verdict::plain(Cause::LeaseLost, Next::Stop(Stop::LeaseLost)),
            Self::StoreBroken(why) => Verdict {
                cause: Cause::StoreBroken,
                evidence: Some(Evidence::Error(why.clone())),
                next: Next::Stop(Stop::StoreBroken),
            },
            Self::Evicted(node) => Verdict {
                cause: Cause::EvictedByNewDevice,
                evidence: Some(Evidence::Stanza(node.to_string())),
                next: Next::Stop(Stop::LoggedOut(LoggedOutBy::NewDevice)),
            },
            Self::Reconnect => Verdict::plain(Cause::RestartRequired, Next::Again),
            Self::Shutdown => Verdict::plain(Cause::Stopped, Next::Stop(Stop::Stopped)),
            Self::LoggedOut => {
                Verdict::plain(Cause::LoggedOutByUser, Next::Stop(Stop::LoggedOut(LoggedOutBy::User)))
            }
        }
    }
}

impl Verdict {
    const fn plain(cause: Cause, next: Next) -> Self {
        Self { cause, evidence: None, next }
    }
}

fn failure(node: &Node) -> Verdict {
    let number = |key| node.optional(key).u16().ok().flatten();
    let expire = node.optional("expire").u64().ok().flatten();
    // Without a usable duration nothing is known of the ban: no zero ban is invented.
    let code = number("code").filter(|_| expire.is_some());
    let cause = Cause::of_failure(number("reason"), code);
    let next = match cause {
        Cause::UnlinkedByPhone => Next::Stop(Stop::LoggedOut(LoggedOutBy::Phone)),
        Cause::Locked | Cause::Banned => Next::Stop(Stop::Barred),
        Cause::ServerTrouble => Next::Later,
        Cause::ClientOutdated => Next::NewVersion,
        Cause::BadUserAgent | Cause::LoginRefused => Next::Stop(Stop::Refused),
        _ => Next::Stop(Stop::BannedFor(Duration::from_secs(expire.unwrap_or(0)))),
    };
    Verdict { cause, evidence: Some(Evidence::Stanza(node.to_string())), next }
}

fn stream_error(node: &Node) -> Verdict {
    let code = node.optional("code").u16().ok().flatten();
    let conflict = node
        .optional_child("conflict")
        .map(|child| child.optional("type").string().ok().flatten().unwrap_or_default());
    let cause = Cause::of_stream_error(code, conflict.as_deref());
    let next = match cause {
        Cause::RestartRequired => Next::Restart,
        Cause::Replaced => Next::Stop(Stop::Replaced),
        Cause::UnlinkedByPhone => Next::Stop(Stop::LoggedOut(LoggedOutBy::Phone)),
        Cause::DeviceRemoved => Next::Stop(Stop::LoggedOut(LoggedOutBy::DeviceRemoved)),
        // A conflict of an unknown type: logged out for the application, but the credentials stay.
        Cause::ForcedLogout if conflict.is_some() => Next::Stop(Stop::Refused),
        Cause::ForcedLogout => Next::Stop(Stop::LoggedOut(LoggedOutBy::DeviceRemoved)),
        Cause::RateLimited => Next::MuchLater,
        _ => Next::Later,
    };
    Verdict { cause, evidence: Some(Evidence::Stanza(node.to_string())), next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure_of(reason: u16, rest: &[(&'static str, &'static str)]) -> Next {
        let node = Node::new("failure").attr("reason", reason.to_string()).attrs(rest.iter().copied());
        Ended::Failure(node).verdict().next
    }

    #[test]
    fn every_failure_has_one_consequence() {
        assert_eq!(failure_of(401, &[]), Next::Stop(Stop::LoggedOut(LoggedOutBy::Phone)));
        assert_eq!(failure_of(403, &[]), Next::Stop(Stop::Barred));
        assert_eq!(failure_of(405, &[]), Next::NewVersion);
        assert_eq!(failure_of(503, &[]), Next::Later);
        assert_eq!(
            failure_of(402, &[("code", "101"), ("expire", "3600")]),
            Next::Stop(Stop::BannedFor(Duration::from_secs(3600)))
        );
        assert_eq!(failure_of(402, &[("code", "101")]), Next::Stop(Stop::Refused));
        assert_eq!(failure_of(999, &[]), Next::Stop(Stop::Refused));
    }

    #[test]
    fn a_conflict_never_reconnects_and_a_restart_always_does() {
        let conflict = |kind| {
            let child = Node::new("conflict").attr("type", kind);
            Ended::StreamError(Node::new("stream:error").attr("code", "515").child(child)).verdict().next
        };
        assert_eq!(conflict("replaced"), Next::Stop(Stop::Replaced));
        assert_eq!(conflict("device_removed"), Next::Stop(Stop::LoggedOut(LoggedOutBy::DeviceRemoved)));
        assert_eq!(conflict("strange"), Next::Stop(Stop::Refused));
        let restart = Node::new("stream:error").attr("code", "515");
        assert_eq!(Ended::StreamError(restart).verdict().next, Next::Restart);
        let limit = Node::new("stream:error").attr("code", "429");
        assert_eq!(Ended::StreamError(limit).verdict().next, Next::MuchLater);
    }
}
