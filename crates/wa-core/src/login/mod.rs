//! What a client says about itself before the first stanza: version and build hash, login payload, device properties,
//! QR text, unified session id. Chapters 01 §5, §10.1 and 02 §3.3 of the protocol reference.
//!
//! Both directions are here: the client builds, the simulator and its phone parse.

mod device_props;
mod payload;
mod qr;
mod version;

pub use device_props::{browser_props, windows_props};
pub use payload::{ClientPayload, Login, Registration, UserAgent};
pub use qr::{PlatformId, QrCode};
pub use version::ClientVersion;

/// Why a payload, a version or a QR text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The bytes are no protobuf message.
    #[error("not a login payload")]
    Protobuf(#[from] prost::DecodeError),
    /// Neither a registration nor a login.
    #[error("a payload without a user name and without pairing data")]
    Neither,
    /// A registration without one of its eight fields.
    #[error("registration without {0}")]
    Missing(&'static str),
    /// A field of a registration with another length or content than it must have.
    #[error("registration with a bad {0}")]
    Field(&'static str),
    /// The signed pre-key is not signed by the identity.
    #[error("the signed pre-key is not the identity's")]
    Signature,
    /// Not three to five numbers with dots.
    #[error("not a client version")]
    Version,
    /// A QR text with other than four fields behind the ref.
    #[error("QR text with {0} fields")]
    QrFields(usize),
    /// An empty or malformed field of a QR text.
    #[error("QR text with a bad {0}")]
    QrField(&'static str),
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The id of the unified session: milliseconds into a week that begins three days before the epoch's.
///
/// `now_ms` is the local wall time since the epoch, `skew_ms` what the server's clock is ahead.
pub fn unified_session_id(now_ms: i64, skew_ms: i64) -> u64 {
    let shifted = i128::from(now_ms) + i128::from(skew_ms) + i128::from(3 * DAY_MS);
    // A remainder of a positive week is within u64.
    shifted.rem_euclid(i128::from(7 * DAY_MS)).unsigned_abs() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_id_wraps_every_week_and_takes_any_clock() {
        let week = 7 * DAY_MS;
        assert_eq!(unified_session_id(1_755_800_000_000, -4000), 324_796_000);
        assert_eq!(unified_session_id(4 * DAY_MS, 0), 0);
        assert_eq!(unified_session_id(4 * DAY_MS - 1, 0), (week - 1) as u64);
        assert_eq!(unified_session_id(0, -4 * DAY_MS), (6 * DAY_MS) as u64);
        for extreme in [i64::MIN, i64::MAX] {
            assert!(unified_session_id(extreme, extreme) < week as u64);
        }
    }
}
