//! HMAC-SHA-256 and HMAC-SHA-512, at once and in pieces (RFC 2104).

use hmac::{KeyInit, Mac};

use crate::sha256::Hasher;
pub use crate::sha256::HmacKey;

/// HMAC-SHA-256 over the concatenation of `parts`. Any key length.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    HmacKey::new(key).mac(parts)
}

/// HMAC-SHA-512 over the concatenation of `parts`. Any key length.
pub fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    type Hmac = hmac::Hmac<sha2::Sha512>;
    // One block of key never fails; a longer key is hashed first (RFC 2104 §2).
    let mut block = zeroize::Zeroizing::new([0; 128]);
    if key.len() > block.len() {
        let digest = crate::digest::sha512(&[key]);
        block[..64].copy_from_slice(&digest);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut state = Hmac::new((&*block).into());
    for part in parts {
        state.update(part);
    }
    state.finalize().into_bytes().into()
}

/// HMAC-SHA-256 in pieces.
#[derive(Clone)]
pub struct HmacSha256 {
    key: HmacKey,
    inner: Hasher,
}

impl HmacSha256 {
    /// Starts with `key`, of any length.
    pub fn new(key: &[u8]) -> Self {
        Self::from_key(HmacKey::new(key))
    }

    /// Starts with a key that is already set up.
    pub const fn from_key(key: HmacKey) -> Self {
        let inner = key.begin();
        Self { key, inner }
    }

    /// Adds a piece.
    pub fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }

    /// The tag over all pieces.
    pub fn finalize(mut self) -> [u8; 32] {
        self.key.close(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// RFC 4231: test cases 1, 2 and 6.
    #[test]
    fn published_sha512_macs_hold() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4\
                 be9d914eeb61f1702e696c203a126854",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
                 caeab1a34d4a6b4b636e070a38bce737",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52\
                 95e64f73f63f0aec8b915a985d786598",
            ),
        ];
        for (key, message, tag) in cases {
            assert_eq!(hmac_sha512(key, &[message])[..], unhex(tag));
        }
    }

    #[test]
    fn pieces_make_the_same_tag() {
        let data: Vec<u8> = (0..200).collect();
        for split in 0..data.len() {
            let mut state = HmacSha256::new(b"key");
            state.update(&data[..split]);
            state.update(&data[split..]);
            assert_eq!(state.finalize(), hmac_sha256(b"key", &[&data]));
        }
    }
}
