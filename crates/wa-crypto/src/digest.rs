//! Digests. SHA-1 and MD5 exist only where a wire field says so (build hash, key-bundle digest).

use sha2::Digest as _;

use crate::sha256::Hasher;

/// SHA-256 over the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Hasher::new();
    for part in parts {
        state.update(part);
    }
    state.finalize()
}

/// SHA-512 over the concatenation of `parts`.
pub fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut state = sha2::Sha512::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// SHA-1 over the concatenation of `parts`.
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut state = sha1::Sha1::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// MD5 of `data`.
pub fn md5(data: &[u8]) -> [u8; 16] {
    md5::Md5::digest(data).into()
}

/// SHA-256 in pieces.
#[derive(Clone)]
pub struct Sha256(Hasher);

impl Sha256 {
    /// An empty state.
    pub const fn new() -> Self {
        Self(Hasher::new())
    }

    /// Adds a piece.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all pieces.
    pub fn finalize(self) -> [u8; 32] {
        self.0.finalize()
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// FIPS 180-4 examples, RFC 1321 §A.5.
    #[test]
    fn published_digests_hold() {
        assert_eq!(
            sha256(&[b"a", b"bc"])[..],
            unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
        assert_eq!(
            sha256(&[b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"])[..],
            unhex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        );
        assert_eq!(
            sha512(&[b"abc"])[..],
            unhex(
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            )
        );
        assert_eq!(sha1(&[b"abc"])[..], unhex("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert_eq!(md5(b"message digest")[..], unhex("f96b697d7cb7938d525a2f31aaf161d0"));
    }
}
