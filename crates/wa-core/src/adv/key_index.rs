//! The signed list of valid key indexes (chapter 02 §2, §3.6 step 5, §3.7).

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::{Secret, xeddsa};
use wa_proto::adv::{AdvKeyIndexList, AdvSignedKeyIndexList};

use super::{AdvError, Hosting};
use crate::sabotage::{self, Rule};

/// `ADVKeyIndexList`: which devices of an account are still linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyIndexList {
    /// Epoch of the account; a change means that it re-registered.
    pub raw_id: u32,
    /// When the list was signed, seconds.
    pub timestamp: u64,
    /// Highest index that the list knows; a device above it is newer than the list.
    pub current_index: u32,
    /// Sorted; 0 is the phone.
    pub valid_indexes: Vec<u32>,
    /// Selects the signature's prefix.
    pub account_type: Hosting,
}

/// A list with the bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedKeyIndexList {
    /// `ADVKeyIndexList` as it travels.
    pub details: Bytes,
    /// By the account key.
    pub signature: [u8; 64],
}

impl KeyIndexList {
    /// Signs with the account key.
    pub fn sign(&self, account: &KeyPair, rng: &mut impl CryptoRng) -> SignedKeyIndexList {
        self.sign_with(account, &Secret::random(rng))
    }

    /// [`Self::sign`] with the given 64 random bytes: what vectors need.
    pub fn sign_with(&self, account: &KeyPair, random: &Secret<64>) -> SignedKeyIndexList {
        let details: Bytes = AdvKeyIndexList {
            raw_id: Some(self.raw_id),
            timestamp: Some(self.timestamp),
            current_index: Some(self.current_index),
            valid_indexes: self.valid_indexes.clone(),
            account_type: self.account_type.to_wire(),
        }
        .encode_to_vec()
        .into();
        let prefix = self.account_type.list_prefix();
        let signature = xeddsa::sign_with(account.private(), &[&prefix, &details], random);
        SignedKeyIndexList { details, signature }
    }

    /// Decodes a signed list and checks it. `account_key` is the identity of the user's device 0; without one the key
    /// that the list itself may carry is used, which proves integrity but not whose list it is.
    ///
    /// # Errors
    /// [`AdvError::Undecodable`], [`AdvError::Missing`], [`AdvError::ListSignature`].
    pub fn verify(blob: &[u8], account_key: Option<&PublicKey>) -> Result<Self, AdvError> {
        let signed = AdvSignedKeyIndexList::decode(blob)
            .map_err(|_| AdvError::Undecodable("ADVSignedKeyIndexList"))?;
        let details = signed.details.ok_or(AdvError::Missing("details"))?;
        let list = Self::decode(&details)?;
        let carried = signed.account_signature_key.as_deref().unwrap_or_default();
        let account_key = match account_key {
            Some(key) => *key,
            None if carried.is_empty() => return Err(AdvError::Missing("account key")),
            None => PublicKey::from_raw(carried).map_err(|_| AdvError::ListSignature)?,
        };
        let prefix = list.account_type.list_prefix();
        let signature = signed.account_signature.unwrap_or_default();
        let valid = xeddsa::verify(&account_key, &[&prefix, &details], &signature).is_ok();
        match valid || sabotage::on(Rule::ListSignature) {
            true => Ok(list),
            false => Err(AdvError::ListSignature),
        }
    }

    /// Reads the details alone, unchecked.
    ///
    /// # Errors
    /// [`AdvError::Undecodable`].
    pub fn decode(details: &[u8]) -> Result<Self, AdvError> {
        let message =
            AdvKeyIndexList::decode(details).map_err(|_| AdvError::Undecodable("ADVKeyIndexList"))?;
        Ok(Self {
            raw_id: message.raw_id.unwrap_or_default(),
            timestamp: message.timestamp.unwrap_or_default(),
            current_index: message.current_index.unwrap_or_default(),
            valid_indexes: message.valid_indexes,
            account_type: Hosting::from_wire(message.account_type),
        })
    }

    /// Whether a device of the device list stays: the phone always, others when their index is listed or newer than
    /// the list; a device without an index does not.
    pub fn keeps(&self, device: u16, key_index: Option<u32>) -> bool {
        device == 0
            || key_index
                .is_some_and(|index| index > self.current_index || self.valid_indexes.contains(&index))
    }
}

impl SignedKeyIndexList {
    /// `ADVSignedKeyIndexList` with details and signature, as the phone uploads it.
    pub fn encode(&self) -> Bytes {
        AdvSignedKeyIndexList {
            details: Some(self.details.clone()),
            account_signature: Some(Bytes::copy_from_slice(&self.signature)),
            account_signature_key: None,
        }
        .encode_to_vec()
        .into()
    }
}
