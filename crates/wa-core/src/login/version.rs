//! The version of the official client that we claim to be, and its build hash (chapter 01 §5, §5.1).

use std::{fmt, str::FromStr};

use wa_crypto::digest::md5;
use wa_proto::handshake::client_payload::user_agent::AppVersion;

use super::LoginError;

/// Three to five numbers, written with dots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientVersion {
    parts: [u32; 5],
    len: u8,
}

impl ClientVersion {
    /// The built-in version, for when nothing newer is known.
    pub const BUILT_IN: Self = Self::new(2, 3000, 1_045_649_367);

    /// A version of three parts, which all known ones have.
    pub const fn new(primary: u32, secondary: u32, tertiary: u32) -> Self {
        Self { parts: [primary, secondary, tertiary, 0, 0], len: 3 }
    }

    /// The version that the service worker of the web client names: `2.3000` and the digits behind
    /// `client_revision`. `None` when there are none, or too many for a number.
    pub fn from_service_worker(script: &str) -> Option<Self> {
        let (_, rest) = script.split_once("client_revision")?;
        // At most a quote (perhaps escaped), a colon and blanks stand between.
        let rest = rest
            .trim_start_matches(|next: char| matches!(next, '\\' | '"' | '\'' | ':') || next.is_whitespace());
        let digits = rest.split(|next: char| !next.is_ascii_digit()).next()?;
        Some(Self::new(2, 3000, digits.parse().ok()?))
    }

    /// The parts, first to last.
    pub fn parts(&self) -> &[u32] {
        &self.parts[..usize::from(self.len)]
    }

    /// MD5 of the dotted text, sent when registering.
    pub fn build_hash(&self) -> [u8; 16] {
        md5(self.to_string().as_bytes())
    }

    pub(super) fn to_proto(self) -> AppVersion {
        let part = |index: usize| self.parts().get(index).copied();
        AppVersion {
            primary: part(0),
            secondary: part(1),
            tertiary: part(2),
            quaternary: part(3),
            quinary: part(4),
        }
    }

    /// The version of a user agent; what is absent reads as zero, trailing absence shortens it to three parts.
    pub(super) fn from_proto(version: &AppVersion) -> Self {
        let parts =
            [version.primary, version.secondary, version.tertiary, version.quaternary, version.quinary];
        let len = if parts[4].is_some() { 5 } else { 3 + u8::from(parts[3].is_some()) };
        Self { parts: parts.map(Option::unwrap_or_default), len }
    }
}

impl Default for ClientVersion {
    fn default() -> Self {
        Self::BUILT_IN
    }
}

impl FromStr for ClientVersion {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<Self, LoginError> {
        let mut parts = [0; 5];
        let mut len = 0;
        for part in text.split('.') {
            let place = parts.get_mut(usize::from(len)).ok_or(LoginError::Version)?;
            // Written back, the text must be the same: the build hash is made of it.
            if !part.bytes().all(|byte| byte.is_ascii_digit()) || (part.len() > 1 && part.starts_with('0')) {
                return Err(LoginError::Version);
            }
            *place = part.parse().map_err(|_| LoginError::Version)?;
            len += 1;
        }
        if len < 3 { Err(LoginError::Version) } else { Ok(Self { parts, len }) }
    }
}

impl fmt::Display for ClientVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts().iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ClientVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientVersion({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_back_as_their_text() {
        for text in ["2.3000.1045649367", "2.24.7.78", "1.2.3.4.0"] {
            let version: ClientVersion = text.parse().unwrap();
            assert_eq!(version.to_string(), text);
            assert_eq!(ClientVersion::from_proto(&version.to_proto()), version);
        }
        for text in
            ["", "2.3000", "2.3000.", "2.03.1", "2.3000.x", "+2.3.4", "1.2.3.4.5.6", "2.3000.4294967296"]
        {
            assert_eq!(text.parse::<ClientVersion>(), Err(LoginError::Version), "{text}");
        }
    }

    #[test]
    fn the_revision_is_found_behind_any_quoting() {
        for script in [
            r#"{"server_revision":1,"client_revision":1045649367,"x":2}"#,
            r#"JSON.parse("{\"client_revision\":1045649367}")"#,
            "client_revision: 1045649367",
        ] {
            assert_eq!(ClientVersion::from_service_worker(script), Some(ClientVersion::BUILT_IN), "{script}");
        }
        for script in ["", "client_revision", r#"client_revision":"none""#, "client_revision:99999999999"] {
            assert_eq!(ClientVersion::from_service_worker(script), None, "{script}");
        }
    }
}
