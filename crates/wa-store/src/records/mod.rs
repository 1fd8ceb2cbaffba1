//! Values of rows: plain structs, one version byte and a compact encoding each. Records of other crates (sessions, sender
//! keys, stanzas, events) stay opaque bytes. How to change one: `docs/adding-a-record.md`.

mod app_state;
mod chats;
mod device;
mod messages;
mod signal;
mod users;

use bytes::Bytes;

pub use self::app_state::{AppStateKey, Collection, CollectionState, LtHash, RecordMac};
pub use self::chats::{ChatRecord, Contact, ContactNames};
pub use self::device::{Device, KeyPair, Registration};
pub use self::messages::{
    Attempt, DeadLetter, InboxRow, MessageSecret, OutboxRow, OutboxState, SecretPage, SecretSource,
    SendRecord, SentRow,
};
pub use self::signal::{
    DistributionMark, MarkState, PreKey, PreKeyState, Sending, Session, SignedPreKey, SignedPreKeyState,
};
pub use self::users::{DeviceEntry, DeviceList, LidRecord, MappingSource, PnRecord, PrivacyToken};
use crate::error::Damage;

/// A value of a row.
pub trait Record: Sized + Send + Sync + 'static {
    /// Appends the stored form, version byte first.
    fn to_stored(&self, out: &mut Vec<u8>);
    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are not such a record.
    fn from_stored(bytes: &[u8]) -> Result<Self, Damage>;
}

/// Opaque bytes stand as they are: their owner versions them.
impl Record for Bytes {
    fn to_stored(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn from_stored(bytes: &[u8]) -> Result<Self, Damage> {
        Ok(Self::copy_from_slice(bytes))
    }
}

/// Version 1 records in the compact encoding.
macro_rules! record {
    ($($name:ty),+ $(,)?) => {$(
        impl crate::records::Record for $name {
            fn to_stored(&self, out: &mut Vec<u8>) {
                crate::records::encode(1, self, out);
            }
            fn from_stored(bytes: &[u8]) -> Result<Self, crate::Damage> {
                match crate::records::split_version(bytes)? {
                    (1, rest) => crate::records::decode(rest),
                    (version, _) => Err(crate::Damage::Version(version)),
                }
            }
        }
    )+};
}
pub(crate) use record;

record!(u32, crate::address::ChatKey);

fn split_version(bytes: &[u8]) -> Result<(u8, &[u8]), Damage> {
    let (&version, rest) = bytes.split_first().ok_or(Damage::CutOff)?;
    Ok((version, rest))
}

fn encode(version: u8, record: &impl serde::Serialize, out: &mut Vec<u8>) {
    struct Sink<'o>(&'o mut Vec<u8>);
    impl postcard::ser_flavors::Flavor for Sink<'_> {
        type Output = ();
        fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
            self.0.push(byte);
            Ok(())
        }
        fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
        fn finalize(self) -> postcard::Result<()> {
            Ok(())
        }
    }
    out.push(version);
    // Records are plain structs and the sink takes every byte: nothing is left that could fail.
    let written = postcard::serialize_with_flavor(record, Sink(out));
    debug_assert!(written.is_ok(), "{written:?}");
}

fn decode<'de, T: serde::Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Damage> {
    match postcard::take_from_bytes(bytes) {
        Ok((record, [])) => Ok(record),
        _ => Err(Damage::Record),
    }
}

/// Secret bytes in serde, as a plain array.
mod secret {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use wa_crypto::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret<32>, serializer: S) -> Result<S::Ok, S::Error> {
        secret.expose().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<32>, D::Error> {
        <[u8; 32]>::deserialize(deserializer).map(Secret::new)
    }
}
