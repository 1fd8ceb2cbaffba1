//! HMAC-SHA-256 and HMAC-SHA-512, at once and in pieces.

use hmac::{KeyInit, Mac};

/// HMAC-SHA-256 over the concatenation of `parts`. Any key length.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut state = HmacSha256::new(key);
    for part in parts {
        state.update(part);
    }
    state.finalize()
}

/// HMAC-SHA-512 over the concatenation of `parts`. Any key length.
pub fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    // HMAC takes keys of any length, so the error cannot occur; an empty state would be wrong, hence the match.
    let Ok(mut state) = <hmac::Hmac<sha2::Sha512> as KeyInit>::new_from_slice(key) else {
        return [0; 64];
    };
    for part in parts {
        state.update(part);
    }
    state.finalize().into_bytes().into()
}

/// HMAC-SHA-256 in pieces.
#[derive(Clone)]
pub struct HmacSha256(hmac::Hmac<sha2::Sha256>);

impl HmacSha256 {
    /// Starts with `key`, of any length.
    #[allow(clippy::missing_panics_doc, clippy::expect_used)]
    pub fn new(key: &[u8]) -> Self {
        Self(
            <hmac::Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key)
                .expect("HMAC takes keys of any length"),
        )
    }

    /// Adds a piece.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The tag over all pieces.
    pub fn finalize(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}
