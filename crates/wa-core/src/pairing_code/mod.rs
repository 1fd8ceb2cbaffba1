//! Linking by an eight-character code that the user types into the phone: the code, the keys wrapped with it and both
//! sides' derivation of the ADV secret.
//!
//! Chapter 02 §4 of the protocol. [`Companion`] shows the code, [`Primary`] is the phone that it is typed into. One
//! PBKDF2 run takes tens of milliseconds: keep it off async threads.

mod code;
mod exchange;

use thiserror::Error;
use wa_proto::companion_reg::device_props::PlatformType;

pub use code::{ALPHABET, PairingCode};
pub use exchange::{
    BUNDLE_LEN, BundleRandom, Companion, CompanionFinish, Primary, WRAPPED_KEY_LEN, WrapRandom, unwrap_key,
    wrap_key,
};

/// Rounds of PBKDF2 that turn a code into a key.
pub const ROUNDS: u32 = 131_072;
/// How long a code is valid after `companion_hello`, seconds.
pub const VALIDITY_SECONDS: u64 = 180;
/// How many `primary_hello` one code answers: a retyped code repeats the exchange with fresh randomness.
pub const MAX_PRIMARY_HELLOS: u32 = 3;
/// How long after `primary_hello` a missing `pair-success` means that a wrong code was typed, seconds.
pub const SUCCESS_WAIT_SECONDS: u64 = 60;

/// Why a step of the code exchange failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PairingCodeError {
    /// Not eight characters (dashes apart).
    #[error("a code of {0} characters; it has 8")]
    CodeLength(usize),
    /// A character outside [`ALPHABET`].
    #[error("{0:?} does not occur in codes")]
    CodeCharacter(char),
    /// Fewer than seven digits.
    #[error("a phone number of {0} digits is too short")]
    PhoneTooShort(usize),
    /// Starts with 0: the country code is missing.
    #[error("the phone number is not international")]
    PhoneNotInternational,
    /// A wrapped key, bundle or public key of a wrong length.
    #[error("{what} of {found} bytes; it has {expected}")]
    Length {
        /// Which part.
        what: &'static str,
        /// By the protocol.
        expected: usize,
        /// As received.
        found: usize,
    },
    /// A public key that no honest peer sends: the agreement would be all zero. Also what a wrong code can look like.
    #[error("the peer's public key is unusable")]
    Key,
    /// The bundle does not open: the code that was typed is not the one that was shown.
    #[error("wrong code")]
    WrongCode,
    /// The bundle names another companion or another phone than this exchange.
    #[error("the bundle belongs to another {0}")]
    Foreign(&'static str),
}

/// The digits of an international phone number, from whatever a person typed.
///
/// # Errors
/// [`PairingCodeError::PhoneTooShort`] below seven digits, [`PairingCodeError::PhoneNotInternational`] for a leading 0.
pub fn phone_digits(text: &str) -> Result<String, PairingCodeError> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 {
        return Err(PairingCodeError::PhoneTooShort(digits.len()));
    }
    if digits.starts_with('0') {
        return Err(PairingCodeError::PhoneNotInternational);
    }
    Ok(digits)
}

/// `companion_platform_display`: `Browser (OS)` with names that the server knows; anything else is answered with 400
/// (chapter 02 §4.1). What has no name of its own there is shown as Chrome or Linux.
pub fn platform_display(platform: PlatformType, os: &str) -> String {
    let browser = match platform {
        PlatformType::Firefox => "Firefox",
        PlatformType::Ie => "IE",
        PlatformType::Opera => "Opera",
        PlatformType::Safari => "Safari",
        PlatformType::Edge => "Edge",
        PlatformType::AndroidPhone | PlatformType::AndroidTablet | PlatformType::AndroidAmbiguous => {
            "Android"
        }
        _ => "Chrome",
    };
    let os = os.to_ascii_lowercase();
    let known = [("windows", "Windows"), ("mac", "Mac OS"), ("android", "Android"), ("ios", "iOS")];
    let os = known.into_iter().find(|(part, _)| os.contains(part)).map_or("Linux", |(_, name)| name);
    format!("{browser} ({os})")
}

#[cfg(test)]
mod tests;
