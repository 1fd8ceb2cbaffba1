//! The homomorphic sum over all live records and the two MACs over it (chapter 07 §5.1–§5.3).

use core::fmt;

use wa_crypto::{Secret, kdf, mac};

use super::{Collection, ExpandedKeys};

/// 64 little-endian 16-bit lanes; adding and subtracting commute.
#[derive(Clone, PartialEq, Eq)]
pub struct LtHash([u8; Self::LEN]);

impl LtHash {
    /// Bytes of the hash.
    pub const LEN: usize = 128;

    /// Of an empty collection.
    pub const EMPTY: Self = Self([0; Self::LEN]);

    /// From the store.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// For the store.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Adds a record.
    pub fn add(&mut self, value_mac: &[u8; 32]) {
        self.change(value_mac, u16::wrapping_add);
    }

    /// Takes a record out.
    pub fn subtract(&mut self, value_mac: &[u8; 32]) {
        self.change(value_mac, u16::wrapping_sub);
    }

    fn change(&mut self, value_mac: &[u8; 32], op: fn(u16, u16) -> u16) {
        let item = expand_item(value_mac);
        for (lane, item) in self.0.as_chunks_mut().0.iter_mut().zip(item.as_chunks().0) {
            *lane = op(u16::from_le_bytes(*lane), u16::from_le_bytes(*item)).to_le_bytes();
        }
    }

    /// The MAC that a snapshot or patch carries over the collection's state.
    pub fn snapshot_mac(&self, keys: &ExpandedKeys, version: u64, collection: Collection) -> [u8; 32] {
        mac::hmac_sha256(
            keys.snapshot_mac.expose(),
            &[&self.0, &version.to_be_bytes(), collection.name().as_bytes()],
        )
    }
}

impl fmt::Debug for LtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LtHash(")?;
        for byte in &self.0[..4] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}

/// What one record adds to the hash.
pub fn expand_item(value_mac: &[u8; 32]) -> [u8; LtHash::LEN] {
    let item: Secret<{ LtHash::LEN }> = kdf::hkdf(&[], value_mac, b"WhatsApp Patch Integrity");
    *item.expose()
}

/// The MAC over a patch: the snapshot MAC it carries, then the value MAC of each mutation in order.
pub fn patch_mac<'m>(
    keys: &ExpandedKeys,
    snapshot_mac: &[u8],
    value_macs: impl Iterator<Item = &'m [u8; 32]>,
    version: u64,
    collection: Collection,
) -> [u8; 32] {
    let mut hmac = mac::HmacSha256::new(keys.patch_mac.expose());
    hmac.update(snapshot_mac);
    for value_mac in value_macs {
        hmac.update(value_mac);
    }
    hmac.update(&version.to_be_bytes());
    hmac.update(collection.name().as_bytes());
    hmac.finalize()
}
