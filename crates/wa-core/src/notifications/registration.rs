//! Somebody tries to take the account over (chapter 09d §8).

use compact_str::CompactString;
use wa_binary::NodeRef;

use crate::fields::{number, text};

/// What a `registration` notification tells. Both matter for the account's safety.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationNotice {
    /// A code was asked for on another phone.
    CodeRequested {
        /// The code that the other phone must enter.
        code: Option<CompactString>,
        /// When it ends, seconds.
        expires_at: Option<u64>,
        /// The other phone.
        device_id: Option<CompactString>,
    },
    /// The account is about to be moved to another phone.
    Takeover {
        /// Names the attempt.
        token: Option<CompactString>,
        /// When, seconds.
        timestamp: Option<u64>,
        /// The other phone's model.
        device: Option<CompactString>,
        /// Its system.
        platform: Option<CompactString>,
        /// Its version of the application.
        app_version: Option<CompactString>,
    },
}

impl RegistrationNotice {
    /// Reads a notification. None for what is not known.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        if let Some(child) = node.optional_child("wa_old_registration") {
            return Some(Self::CodeRequested {
                code: text(child, "code"),
                expires_at: number(child, "expiry_t"),
                device_id: text(child, "device_id"),
            });
        }
        let child = node.optional_child("device_logout")?;
        Some(Self::Takeover {
            token: text(child, "id"),
            timestamp: number(child, "t"),
            device: text(child, "device"),
            platform: text(child, "new_device_platform"),
            app_version: text(child, "new_device_app_version"),
        })
    }
}
