//! JIDs from text: the lenient grammar of the network and the strict one for people and APIs (chapter 03 §8.2).

use std::str::FromStr;

use compact_str::CompactString;

use super::{Jid, Server, User, decimal};
use crate::error::JidError;

/// Longest text that is read as a JID, in bytes.
pub(super) const LONGEST: usize = 256;

impl FromStr for Jid {
    type Err = JidError;

    /// The lenient grammar: whatever an honest peer may write.
    fn from_str(text: &str) -> Result<Self, JidError> {
        if text.is_empty() {
            return Err(JidError::NoServer);
        }
        if text.len() > LONGEST {
            return Err(JidError::TooLong { len: text.len() });
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(JidError::BadCharacter);
        }
        let Some((user, server)) = text.split_once('@') else {
            let server = Server::of(text).ok_or(JidError::NoServer)?;
            return Ok(Self::service(server));
        };
        let (user, device) = match user.split_once(':') {
            None => (user, 0),
            Some(("", _)) => return Err(JidError::NoUser),
            Some((user, device)) => (user, parse_device(device)?),
        };
        Self::at_server_name(user, server, device)
    }
}

impl Jid {
    /// Address of `user` at the server called `server`, from its parts: `user` as in the text form, without a device.
    ///
    /// # Errors
    /// Every rule of the lenient grammar.
    pub fn new(user: &str, server: &str, device: u16) -> Result<Self, JidError> {
        let digits = if device > 0 { device.ilog10() as usize + 2 } else { 0 };
        let len = user.len() + digits + 1 + server.len();
        if len > LONGEST {
            return Err(JidError::TooLong { len });
        }
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == ':';
        if user.chars().any(bad) {
            return Err(JidError::BadCharacter);
        }
        if user.contains('@') || server.contains('@') {
            return Err(JidError::TwoAtSigns);
        }
        if user.is_empty() && device > 0 {
            return Err(JidError::NoUser);
        }
        Self::at_server_name(user, server, device)
    }

    /// `user` holds no `:` and no white space; `server` may still hold anything.
    fn at_server_name(user: &str, server: &str, device: u16) -> Result<Self, JidError> {
        let Some(known) = Server::of(server) else {
            return Self::at_unknown_server(user, server, device);
        };
        Self::at_server(user, known, device)
    }

    /// `user` holds no `@`, `:` or white space and fits the length limit.
    pub(crate) fn at_server(user: &str, server: Server, device: u16) -> Result<Self, JidError> {
        match server {
            _ if user.is_empty() => Ok(Self::service(server)),
            Server::Pn | Server::Lid | Server::Hosted | Server::HostedLid => {
                Ok(Self::from_parts(User::of(without_agent(user)?), server, device, 0))
            }
            Server::Interop => {
                let (integrator, user) = match user.split_once('-') {
                    None => (0, user),
                    Some((_, "")) => return Err(JidError::NoUser),
                    Some((integrator, user)) => {
                        let number = decimal(integrator.as_bytes()).and_then(|n| u16::try_from(n).ok());
                        (number.ok_or(JidError::BadIntegrator)?, user)
                    }
                };
                // A further hyphen would make the printed form ambiguous without an integrator.
                if integrator == 0 && user.contains('-') {
                    return Err(JidError::BadIntegrator);
                }
                Ok(Self::from_parts(User::of(user), server, device, integrator))
            }
            _ => Ok(Self::from_parts(User::of(user), server, device, 0)),
        }
    }

    fn at_unknown_server(user: &str, server: &str, device: u16) -> Result<Self, JidError> {
        if server.is_empty() {
            return Err(JidError::NoServer);
        }
        if server.contains('@') {
            return Err(JidError::TwoAtSigns);
        }
        if !server.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')) {
            return Err(JidError::BadServer);
        }
        let mut both = CompactString::with_capacity(user.len() + 1 + server.len());
        both.push_str(user);
        both.push('@');
        both.push_str(server);
        Ok(Self::from_parts(User::Text(both), Server::Other, device, 0))
    }

    /// The strict grammar, which official clients demand: for input from people and APIs. The network is never
    /// refused because of it.
    ///
    /// # Errors
    /// What the lenient grammar says, or [`JidError::NotStrict`].
    pub fn parse_strict(text: &str) -> Result<Self, JidError> {
        let jid: Self = text.parse()?;
        if is_strict(text, &jid) { Ok(jid) } else { Err(JidError::NotStrict) }
    }
}

fn parse_device(text: &str) -> Result<u16, JidError> {
    if text.is_empty() || text.len() > 5 {
        return Err(JidError::BadDevice);
    }
    decimal(text.as_bytes()).and_then(|n| u16::try_from(n).ok()).ok_or(JidError::BadDevice)
}

/// The user without the agent that once stood behind a dot.
fn without_agent(user: &str) -> Result<&str, JidError> {
    let Some((user, agent)) = user.split_once('.') else { return Ok(user) };
    if user.is_empty() {
        return Err(JidError::NoUser);
    }
    let number = if agent.len() <= 3 { decimal(agent.as_bytes()) } else { None };
    match number {
        Some(0..=255) => Ok(user),
        _ => Err(JidError::BadAgent),
    }
}

fn is_strict(text: &str, jid: &Jid) -> bool {
    let Some((part, _)) = text.split_once('@') else {
        use Server::{Call, Group, Hosted, HostedLid, Newsletter, Pn};
        return matches!(jid.server(), Pn | Group | Call | Newsletter | Hosted | HostedLid);
    };
    let (user, device) = match part.split_once(':') {
        Some((user, device)) => (user, Some(device)),
        None => (part, None),
    };
    let devices = |longest: usize| device.is_none_or(|d| is_number(d, 1..=longest));
    match jid.server() {
        Server::Pn => is_strict_pn(user) && devices(2),
        Server::Hosted => is_strict_pn(user) && device == Some("99"),
        Server::Lid => is_positive(user, 1..=15) && devices(2),
        Server::HostedLid => is_positive(user, 1..=15) && device == Some("99"),
        Server::Msgr => is_number(user, 1..=20) && devices(3),
        Server::Interop => {
            let parts = user.split_once('-');
            parts.is_some_and(|(integrator, user)| is_number(integrator, 1..=3) && is_number(user, 1..=15))
                && device.is_none_or(|d| d == "0")
        }
        _ if device.is_some() => false,
        Server::Group => {
            is_number(user, 1..=20)
                || user.split_once('-').is_some_and(|(creator, time)| {
                    is_positive(creator, 5..=20) && !creator.starts_with("10") && is_positive(time, 10..=10)
                })
        }
        Server::Broadcast => matches!(user, "status" | "location") || is_number(user, 1..=20),
        Server::Newsletter => is_number(user, 1..=20),
        Server::Call => (18..=32).contains(&user.len()) && user.bytes().all(|b| b.is_ascii_hexdigit()),
        Server::Bot => is_number(user, 1..=LONGEST),
        _ => false,
    }
}

fn is_strict_pn(user: &str) -> bool {
    let (user, agent) = match user.split_once('.') {
        Some((user, agent)) => (user, Some(agent)),
        None => (user, None),
    };
    let number = user == "0" || (is_positive(user, 5..=20) && !user.starts_with("10"));
    number && agent.is_none_or(|a| is_number(a, 1..=2))
}

/// Digits without leading zeros, of a length in `lengths`.
fn is_number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    text == "0" || is_positive(text, lengths)
}

fn is_positive(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}
