//! The text inside a linking QR code (chapter 02 §3.3): the companion shows it, the phone reads it.

use std::fmt;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use wa_crypto::{Secret, curve::PublicKey};
use wa_proto::companion_reg::device_props::PlatformType;

use super::LoginError;

/// In front of the text in the form that a phone's own camera opens.
const URL_PREFIX: &str = "https://wa.me/settings/linked_devices#";

/// Phones accept both alphabets, padded or not.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const LENIENT_STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const LENIENT_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What a companion offers to a phone. Made anew each time it is shown: the secret may have changed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrCode {
    /// From the server's `pair-device`; text, not empty.
    pub reference: String,
    /// The companion's Noise key.
    pub noise_key: PublicKey,
    /// The companion's identity key.
    pub identity_key: PublicKey,
    /// Keys the HMAC of the answer.
    pub adv_secret: Secret<32>,
    /// Which kind of client it is.
    pub platform: PlatformId,
}

impl QrCode {
    /// The five fields with commas between.
    pub fn plain(&self) -> String {
        format!(
            "{},{},{},{},{}",
            self.reference,
            STANDARD.encode(self.noise_key.as_bytes()),
            STANDARD.encode(self.identity_key.as_bytes()),
            STANDARD.encode(self.adv_secret.expose()),
            self.platform,
        )
    }

    /// The same behind a link, so that a phone's camera opens the application. This is what to draw.
    pub fn url(&self) -> String {
        format!("{URL_PREFIX}{}", self.plain())
    }

    /// Reads either form. The ref may hold commas: the last four fields are split off from the right.
    ///
    /// # Errors
    /// [`LoginError::QrFields`] for too few fields, [`LoginError::QrField`] for one that is empty, not base64 or of
    /// another length than 32 bytes, or an unknown platform.
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        let text = text.strip_prefix(URL_PREFIX).unwrap_or(text);
        let fields: Vec<&str> = text.rsplitn(5, ',').collect();
        let [platform, secret, identity, noise, reference] = fields[..] else {
            return Err(LoginError::QrFields(fields.len()));
        };
        if reference.is_empty() {
            return Err(LoginError::QrField("ref"));
        }
        Ok(Self {
            reference: reference.to_owned(),
            noise_key: PublicKey::from_bytes(key(noise, "noise key")?),
            identity_key: PublicKey::from_bytes(key(identity, "identity key")?),
            adv_secret: Secret::new(key(secret, "adv secret")?),
            platform: PlatformId::parse(platform).ok_or(LoginError::QrField("platform"))?,
        })
    }
}

fn key(text: &str, name: &'static str) -> Result<[u8; 32], LoginError> {
    let bytes = LENIENT_STANDARD.decode(text).or_else(|_| LENIENT_URL_SAFE.decode(text));
    bytes.ok().and_then(|bytes| bytes.try_into().ok()).ok_or(LoginError::QrField(name))
}

/// The character that tells the phone what kind of client links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlatformId {
    /// `0`; refused for pairing codes.
    Unknown,
    /// `1`
    Chrome,
    /// `2`
    Edge,
    /// `3`
    Firefox,
    /// `4`
    InternetExplorer,
    /// `5`
    Opera,
    /// `6`
    Safari,
    /// `7`
    Desktop,
    /// `8`
    Uwp,
    /// `9`, for every other web client.
    OtherWeb,
    /// `c`
    MacOs,
    /// `d`; wants attestation, as do the next two.
    AndroidTablet,
    /// `e`
    AndroidPhone,
    /// `f`
    AndroidAmbiguous,
}

impl PlatformId {
    const ALL: [(Self, &'static str); 14] = [
        (Self::Unknown, "0"),
        (Self::Chrome, "1"),
        (Self::Edge, "2"),
        (Self::Firefox, "3"),
        (Self::InternetExplorer, "4"),
        (Self::Opera, "5"),
        (Self::Safari, "6"),
        (Self::Desktop, "7"),
        (Self::Uwp, "8"),
        (Self::OtherWeb, "9"),
        (Self::MacOs, "c"),
        (Self::AndroidTablet, "d"),
        (Self::AndroidPhone, "e"),
        (Self::AndroidAmbiguous, "f"),
    ];

    /// The id of a companion with these device properties.
    pub const fn of(platform: PlatformType) -> Self {
        match platform {
            // Android ids want an attestation that only the official client can give.
            PlatformType::Chrome
            | PlatformType::AndroidPhone
            | PlatformType::AndroidTablet
            | PlatformType::AndroidAmbiguous => Self::Chrome,
            PlatformType::Edge => Self::Edge,
            PlatformType::Firefox => Self::Firefox,
            PlatformType::Ie => Self::InternetExplorer,
            PlatformType::Opera => Self::Opera,
            PlatformType::Safari => Self::Safari,
            PlatformType::Desktop => Self::Desktop,
            PlatformType::Uwp => Self::Uwp,
            _ => Self::OtherWeb,
        }
    }

    /// The platform of a character; `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, id)| *id == text).map(|(platform, _)| *platform)
    }

    /// The character.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(platform, _)| *platform == self).map_or("0", |(_, id)| id)
    }
}

impl fmt::Display for PlatformId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> QrCode {
        QrCode {
            reference: "2@a,b".to_owned(),
            noise_key: PublicKey::from_bytes([0xfb; 32]),
            identity_key: PublicKey::from_bytes([2; 32]),
            adv_secret: Secret::new([3; 32]),
            platform: PlatformId::Chrome,
        }
    }

    #[test]
    fn both_forms_and_both_alphabets_are_read() {
        let code = code();
        assert_eq!(QrCode::parse(&code.plain()), Ok(code.clone()));
        assert_eq!(QrCode::parse(&code.url()), Ok(code.clone()));
        let url_safe = code.plain().replace('+', "-").replace('/', "_").replace('=', "");
        assert_ne!(url_safe, code.plain());
        assert_eq!(QrCode::parse(&url_safe), Ok(code));
    }

    #[test]
    fn bad_texts_are_refused() {
        let plain = code().plain();
        let (_, without_ref) = plain.split_once("2@a,b,").unwrap();
        assert_eq!(QrCode::parse(without_ref), Err(LoginError::QrFields(4)));
        assert_eq!(QrCode::parse(&format!(",{without_ref}")), Err(LoginError::QrField("ref")));
        assert_eq!(QrCode::parse(""), Err(LoginError::QrFields(1)));
        let mut fields: Vec<&str> = plain.split(',').collect();
        for (place, name) in [(2, "noise key"), (3, "identity key"), (4, "adv secret"), (5, "platform")] {
            let kept = fields[place];
            for bad in ["", "AAAA", "ä"] {
                fields[place] = bad;
                assert_eq!(QrCode::parse(&fields.join(",")), Err(LoginError::QrField(name)), "{bad}");
            }
            fields[place] = kept;
        }
    }

    #[test]
    fn the_secret_stays_out_of_debug_output() {
        assert!(!format!("{:?}", code()).contains("3, 3"));
    }
}
