//! How app state goes wrong (chapter 07 §12.1, §12.2, chapter 10 §9): in the server's answers, in snapshots, and when a
//! companion asks for keys.

use bytes::Bytes;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use wa_proto::app_state::SyncdPatch;

/// What is wrong with the app state of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppStateFault {
    /// This collection is answered with this code.
    Error(String, u32),
    /// This collection is left out of the answers.
    Omitted(String),
    /// Snapshots carry a MAC that does not fit.
    SnapshotMac,
    /// Patches carry a MAC that does not fit.
    PatchMac,
    /// Patches name a key that nobody has.
    UnknownKey,
    /// Patches come newest first.
    Reordered,
    /// The phone does not answer requests for keys.
    KeysIgnored,
    /// The phone answers that it has none of the keys asked for.
    KeysOrphaned,
    /// The phone answers requests for keys a minute later.
    KeysLate,
}

impl AppStateFault {
    /// Spoils what a read of a collection is answered with.
    pub(crate) fn spoil(&self, patches: &mut Vec<Bytes>) {
        match self {
            Self::Reordered => patches.reverse(),
            Self::PatchMac => {
                for patch in patches {
                    change(patch, |patch| patch.patch_mac = patch.patch_mac.as_deref().map(bent));
                }
            }
            Self::UnknownKey => {
                for patch in patches {
                    change(patch, |patch| {
                        let key = patch.key_id.as_deref_mut().and_then(|key| key.id.as_mut());
                        if let Some(id) = key {
                            *id = bent(id);
                        }
                    });
                }
            }
            Self::Error(..)
            | Self::Omitted(_)
            | Self::SnapshotMac
            | Self::KeysIgnored
            | Self::KeysOrphaned
            | Self::KeysLate => {}
        }
    }
}

/// The same bytes with their last bit flipped.
pub(super) fn bent(bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}

fn change(patch: &mut Bytes, how: impl FnOnce(&mut SyncdPatch)) {
    if let Ok(mut decoded) = SyncdPatch::decode(patch.clone()) {
        how(&mut decoded);
        *patch = decoded.encode_to_vec().into();
    }
}
