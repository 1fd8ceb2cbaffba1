//! What stands around every stored value: a checksum, or encryption under the account's own key.
//! A row belongs to its place: table and key are covered, so that a row moved by hand does not decode.

use bytes::Bytes;
use rand::rand_core::Rng;
use wa_crypto::Secret;
use wa_crypto::aead::{Aes256Gcm, TAG_LEN};

use crate::backend::{AccountId, RowKey};
use crate::error::{Damage, RedactedKey, StoreError};

const PLAIN: u8 = 1;
const SEALED: u8 = 2;
const WRAPPED: u8 = 3;
const NONCE: usize = 12;
const KEY_ID: usize = 8;

/// The key that the application gives for encryption at rest: 32 random bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreKey(Secret<32>);

impl StoreKey {
    /// Takes the key. For a pass phrase run a password hash first: these bytes are used as they are.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(Secret::new(key))
    }

    /// Tells keys apart without telling about them.
    pub(crate) fn id(&self) -> [u8; KEY_ID] {
        *wa_crypto::kdf::hkdf::<KEY_ID>(&[], self.0.expose(), b"wa-store key id").expose()
    }

    fn wrapping(&self) -> Aes256Gcm {
        Aes256Gcm::new(wa_crypto::kdf::hkdf::<32>(&[], self.0.expose(), b"wa-store account keys").expose())
    }

    /// A key for one export file.
    pub(crate) fn for_export(&self, salt: &[u8; 32]) -> Aes256Gcm {
        Aes256Gcm::new(wa_crypto::kdf::hkdf::<32>(salt, self.0.expose(), b"wa-store export").expose())
    }
}

/// The key of one account's rows: random, stored wrapped under a [`StoreKey`], so that a rotation rewrites one row
/// per account, and deleting an account deletes the only way to read what remains on the disk.
pub(crate) struct AccountKey(Secret<32>);

impl AccountKey {
    pub(crate) fn random(rng: &mut dyn Rng) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(Secret::new(key))
    }

    pub(crate) fn cipher(&self) -> Cipher {
        Cipher::Sealed(Box::new(Aes256Gcm::new(self.0.expose())))
    }

    /// `version ‖ key id ‖ nonce ‖ sealed key`.
    pub(crate) fn wrap(&self, account: &AccountId, under: &StoreKey, rng: &mut dyn Rng) -> Bytes {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let mut out = vec![WRAPPED];
        out.extend_from_slice(&under.id());
        out.extend_from_slice(&nonce);
        let from = out.len();
        out.extend_from_slice(self.0.expose());
        seal(&under.wrapping(), &nonce, account.as_str().as_bytes(), &mut out, from);
        out.into()
    }

    /// Opens a wrapped key with whichever of `keys` it names; also gives that one's place in `keys`.
    pub(crate) fn unwrap(
        account: &AccountId,
        wrapped: &[u8],
        keys: &[StoreKey],
    ) -> Result<(Self, usize), StoreError> {
        let (&WRAPPED, rest) = wrapped.split_first().ok_or(StoreError::WrongKey)? else {
            return Err(StoreError::WrongKey);
        };
        let (id, rest) = rest.split_first_chunk::<KEY_ID>().ok_or(StoreError::WrongKey)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(StoreError::WrongKey)?;
        let place = keys.iter().position(|key| key.id() == *id).ok_or(StoreError::WrongKey)?;
        let mut sealed = sealed.to_vec();
        let opened = keys[place]
            .wrapping()
            .open(nonce, account.as_str().as_bytes(), &mut sealed)
            .map_err(|_| StoreError::WrongKey)?;
        let key = Secret::try_from(&*opened).map_err(|_| StoreError::WrongKey)?;
        Ok((Self(key), place))
    }
}

/// How an account's values are stored.
pub(crate) enum Cipher {
    /// With a checksum.
    Plain,
    /// Encrypted and authenticated.
    Sealed(Box<Aes256Gcm>),
}

impl Cipher {
    /// The stored form of `payload`. `rng` is asked for a nonce only when the account is encrypted.
    pub(crate) fn close(&self, key: &RowKey, payload: &[u8], rng: impl FnOnce(&mut [u8])) -> Bytes {
        match self {
            Self::Plain => {
                let mut out = Vec::with_capacity(5 + payload.len());
                out.push(PLAIN);
                out.extend_from_slice(&checksum(key, payload).to_le_bytes());
                out.extend_from_slice(payload);
                out.into()
            }
            Self::Sealed(aead) => {
                let mut out = Vec::with_capacity(1 + NONCE + payload.len() + TAG_LEN);
                let mut nonce = [0; NONCE];
                rng(&mut nonce);
                out.push(SEALED);
                out.extend_from_slice(&nonce);
                out.extend_from_slice(payload);
                seal(aead, &nonce, &place(key), &mut out, 1 + NONCE);
                out.into()
            }
        }
    }

    /// The payload of a stored value.
    pub(crate) fn open(&self, key: &RowKey, stored: &Bytes) -> Result<Bytes, StoreError> {
        self.open_value(key, stored).map_err(|damage| corrupt(key, damage))
    }

    /// As [`open`](Self::open), with the bare finding.
    pub(crate) fn open_value(&self, key: &RowKey, stored: &Bytes) -> Result<Bytes, Damage> {
        match (self, *stored.first().ok_or(Damage::CutOff)?) {
            (Self::Plain, PLAIN) => {
                let (sum, payload) = stored[1..].split_first_chunk::<4>().ok_or(Damage::CutOff)?;
                if checksum(key, payload) != u32::from_le_bytes(*sum) {
                    return Err(Damage::Checksum);
                }
                Ok(stored.slice(5..))
            }
            (Self::Sealed(aead), SEALED) => {
                let (nonce, sealed) = stored[1..].split_first_chunk::<NONCE>().ok_or(Damage::CutOff)?;
                let mut buffer = sealed.to_vec();
                let opened =
                    aead.open(nonce, &place(key), &mut buffer).map_err(|_| Damage::Authentication)?.len();
                buffer.truncate(opened);
                Ok(buffer.into())
            }
            (_, other) => Err(Damage::Envelope(other)),
        }
    }
}

/// The error for a row that does not decode.
pub(crate) fn corrupt(key: &RowKey, damage: Damage) -> StoreError {
    StoreError::CorruptRow { table: key.table, key: RedactedKey(key.key.clone()), damage }
}

fn checksum(key: &RowKey, payload: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&[key.table.number()]);
    sum.update(&key.key);
    sum.update(payload);
    sum.finalize()
}

fn place(key: &RowKey) -> Vec<u8> {
    let mut place = Vec::with_capacity(1 + key.key.len());
    place.push(key.table.number());
    place.extend_from_slice(&key.key);
    place
}

fn seal(aead: &Aes256Gcm, nonce: &[u8; NONCE], aad: &[u8], buffer: &mut Vec<u8>, from: usize) {
    // Sealing fails only past 64 GiB; a batch ends at 32 MiB. Should it fail, the row must not be stored open.
    if aead.seal(nonce, aad, buffer, from).is_err() {
        buffer.truncate(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn row(key: &'static [u8]) -> RowKey {
        RowKey { table: Table::Sessions, key: Bytes::from_static(key) }
    }

    fn ciphers() -> [Cipher; 2] {
        [Cipher::Plain, AccountKey(Secret::new([7; 32])).cipher()]
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        for cipher in ciphers() {
            let stored = cipher.close(&row(b"a"), b"payload", |nonce| nonce.fill(9));
            assert_eq!(cipher.open(&row(b"a"), &stored).unwrap(), "payload");
            for bit in 0..stored.len() * 8 {
                let mut bad = stored.to_vec();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(cipher.open(&row(b"a"), &bad.into()).is_err(), "bit {bit}");
            }
            for len in 0..stored.len() {
                assert!(cipher.open(&row(b"a"), &stored.slice(..len)).is_err(), "cut to {len}");
            }
        }
    }

    #[test]
    fn a_row_that_was_moved_does_not_decode() {
        for cipher in ciphers() {
            let stored = cipher.close(&row(b"a"), b"payload", |nonce| nonce.fill(9));
            assert!(cipher.open(&row(b"b"), &stored).is_err());
            let other = RowKey { table: Table::Identities, ..row(b"a") };
            assert!(cipher.open(&other, &stored).is_err());
        }
    }

    #[test]
    fn a_wrapped_key_opens_with_its_own_store_key_and_account_only() {
        let (right, wrong) = (StoreKey::new([1; 32]), StoreKey::new([2; 32]));
        let mut rng = rand::rng();
        let key = AccountKey::random(&mut rng);
        let wrapped = key.wrap(&"a".into(), &right, &mut rng);
        let keys = [wrong.clone(), right];
        let (opened, place) = AccountKey::unwrap(&"a".into(), &wrapped, &keys).unwrap();
        assert_eq!((opened.0, place), (key.0, 1));
        assert!(matches!(AccountKey::unwrap(&"a".into(), &wrapped, &[wrong]), Err(StoreError::WrongKey)));
        assert!(matches!(AccountKey::unwrap(&"b".into(), &wrapped, &keys), Err(StoreError::WrongKey)));
        for len in 0..wrapped.len() {
            assert!(AccountKey::unwrap(&"a".into(), &wrapped[..len], &keys).is_err());
        }
    }
}
