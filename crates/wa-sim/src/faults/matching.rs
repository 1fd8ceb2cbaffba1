//! When a fault strikes: the pattern of chapter 10 §11 and the points that it is held against.

use serde::{Deserialize, Serialize};

/// Which way a stanza or frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// Stage of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The TCP connection was accepted. Only a pattern that names this stage fits it; a plain connection that asks for the
    /// admin API is spared.
    #[default]
    Tcp,
    /// Before the TLS handshake. Only a pattern that names this stage fits it.
    Tls,
    /// At the WebSocket upgrade.
    Upgrade,
    /// At the ClientHello.
    Hello,
    /// At the ClientFinish (or the IK hello that stands for it).
    Finish,
    /// From the login payload to `<success>` or `pair-device`.
    Login,
    /// While the offline queue is written.
    Drain,
    /// Afterwards.
    Steady,
    /// A request to the media host, outside any connection of a client.
    Media,
}

/// A pattern; what is absent fits everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// Which way.
    pub direction: Option<Direction>,
    /// The n-th stanza in its direction since the connection, from 1.
    pub frame: Option<u64>,
    /// Tag of the stanza.
    pub tag: Option<String>,
    /// Its `xmlns`.
    pub xmlns: Option<String>,
    /// Its `type`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its id; `*` at either end stands for anything.
    pub id: Option<String>,
    /// Tag of its first child.
    pub child: Option<String>,
    /// Stage of the connection.
    pub phase: Option<Phase>,
    /// One connection.
    pub connection: Option<u64>,
    /// One account, by number.
    pub account: Option<String>,
    /// One device of the account.
    pub device: Option<u16>,
    /// One name of the media host, as requests carry it: `localhost:8080`.
    pub host: Option<String>,
}

impl Match {
    /// Stanzas with this tag that go this way.
    #[must_use]
    pub fn stanza(direction: Direction, tag: &str) -> Self {
        Self { direction: Some(direction), tag: Some(tag.to_owned()), ..Self::default() }
    }

    /// A stage of every connection.
    #[must_use]
    pub fn phase(phase: Phase) -> Self {
        Self { phase: Some(phase), ..Self::default() }
    }

    /// Whether the point fits.
    #[must_use]
    pub fn fits(&self, point: &Point<'_>) -> bool {
        fn same(want: Option<&str>, have: Option<&str>) -> bool {
            want.is_none_or(|want| have == Some(want))
        }
        // What a connection is for shows only later: without its name nothing strikes at one that may be the admin API's.
        let early = matches!(point.phase, Phase::Tcp | Phase::Tls) && point.direction.is_none();
        !(early && self.phase.is_none())
            && self.direction.is_none_or(|want| point.direction == Some(want))
            && self.frame.is_none_or(|want| point.frame == want)
            && same(self.tag.as_deref(), point.tag)
            && same(self.xmlns.as_deref(), point.xmlns)
            && same(self.kind.as_deref(), point.kind)
            && same(self.child.as_deref(), point.child)
            && self.id.as_deref().is_none_or(|want| point.id.is_some_and(|have| glob(want, have)))
            && self.phase.is_none_or(|want| point.phase == want)
            && self.connection.is_none_or(|want| point.connection == Some(want))
            && same(self.account.as_deref(), point.account)
            && self.device.is_none_or(|want| point.device == Some(want))
            && same(self.host.as_deref(), point.host)
    }
}

/// Where the world or the shell asks whether something goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Point<'a> {
    /// Which way a stanza goes; `None` at a stage without stanza.
    pub direction: Option<Direction>,
    /// Its number in this direction, from 1.
    pub frame: u64,
    /// Tag.
    pub tag: Option<&'a str>,
    /// `xmlns`.
    pub xmlns: Option<&'a str>,
    /// `type`.
    pub kind: Option<&'a str>,
    /// `id`.
    pub id: Option<&'a str>,
    /// Tag of the first child.
    pub child: Option<&'a str>,
    /// Stage of the connection.
    pub phase: Phase,
    /// The connection.
    pub connection: Option<u64>,
    /// The account's number, once known.
    pub account: Option<&'a str>,
    /// The device, once known.
    pub device: Option<u16>,
    /// The media host's name in a request.
    pub host: Option<&'a str>,
}

fn glob(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => text.contains(rest.trim_end_matches('*')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_ids() {
        assert!(glob("*", "x") && glob("3EB*", "3EB0") && glob("*B0", "3EB0") && glob("*EB*", "3EB0"));
        assert!(glob("3EB0", "3EB0") && !glob("3EB*", "x3EB") && !glob("3EB0", "3EB"));
    }

    #[test]
    fn what_is_absent_fits_and_what_is_there_must_agree() {
        let point = Point {
            tag: Some("iq"),
            xmlns: Some("encrypt"),
            frame: 3,
            phase: Phase::Steady,
            ..Point::default()
        };
        assert!(Match::default().fits(&point));
        assert!(Match { frame: Some(3), ..Match::default() }.fits(&point));
        assert!(!Match { frame: Some(4), ..Match::default() }.fits(&point));
        assert!(!Match::stanza(Direction::In, "iq").fits(&point));
        assert!(!Match { account: Some("1".into()), ..Match::default() }.fits(&point));
    }

    #[test]
    fn a_socket_is_struck_only_by_name() {
        for phase in [Phase::Tcp, Phase::Tls] {
            let point = Point { phase, ..Point::default() };
            assert!(!Match::default().fits(&point) && Match::phase(phase).fits(&point));
        }
        assert!(Match::default().fits(&Point { phase: Phase::Upgrade, ..Point::default() }));
    }
}
