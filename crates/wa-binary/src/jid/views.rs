//! Checked views of a JID: types that only hold addresses of one sort (chapter 03 §8.3).

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::{Jid, Server};
use crate::error::JidError;

macro_rules! view {
    ($(#[$doc:meta])* $name:ident, $what:literal, $holds:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Jid);

        impl $name {
            /// The address itself.
            pub const fn as_jid(&self) -> &Jid {
                &self.0
            }

            /// The address itself.
            pub fn into_jid(self) -> Jid {
                self.0
            }
        }

        impl TryFrom<Jid> for $name {
            type Error = JidError;
            fn try_from(jid: Jid) -> Result<Self, JidError> {
                let holds: fn(&Jid) -> bool = $holds;
                if holds(&jid) { Ok(Self(jid)) } else { Err(JidError::WrongKind { wanted: $what, found: jid.kind() }) }
            }
        }

        impl TryFrom<&Jid> for $name {
            type Error = JidError;
            fn try_from(jid: &Jid) -> Result<Self, JidError> {
                jid.clone().try_into()
            }
        }

        impl From<$name> for Jid {
            fn from(view: $name) -> Jid {
                view.0
            }
        }

        impl FromStr for $name {
            type Err = JidError;
            fn from_str(text: &str) -> Result<Self, JidError> {
                text.parse::<Jid>()?.try_into()
            }
        }

        impl Deref for $name {
            type Target = Jid;
            fn deref(&self) -> &Jid {
                &self.0
            }
        }

        impl AsRef<Jid> for $name {
            fn as_ref(&self) -> &Jid {
                &self.0
            }
        }

        impl PartialEq<Jid> for $name {
            fn eq(&self, other: &Jid) -> bool {
                self.0 == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Jid::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
            }
        }
    };
}

view!(
    /// One device of a user: the unit of encryption. Device 0 is the primary. What it holds, the wire can carry:
    /// devices up to 255, on Messenger and interop up to 65535.
    DeviceJid,
    "a device",
    |jid| !jid.is_service()
        && match jid.server() {
            Server::Msgr | Server::Interop => true,
            Server::Bot => jid.device() == 0,
            server => server.has_devices() && jid.device() <= 255,
        }
);

view!(
    /// A person or bot without a device.
    UserJid,
    "a user",
    |jid| !jid.is_service()
        && jid.device() == 0
        && (jid.server().has_devices() || matches!(jid.server(), Server::Legacy | Server::Bot))
);

view!(
    /// A group, community or announcement group.
    GroupJid,
    "a group",
    |jid| jid.is_group() && jid.device() == 0
);

impl DeviceJid {
    /// Device `device` of the user of `user`.
    ///
    /// # Errors
    /// When that user has no devices, or the number does not fit the wire.
    pub fn of(user: &Jid, device: u16) -> Result<Self, JidError> {
        Jid { device, ..user.clone() }.try_into()
    }

    /// The user that it belongs to.
    pub fn user(&self) -> UserJid {
        UserJid(self.0.user_jid())
    }

    /// Whether it is the primary, the user's phone.
    pub fn is_primary(&self) -> bool {
        self.0.device() == 0
    }
}

impl UserJid {
    /// The primary device.
    pub fn primary(&self) -> Result<DeviceJid, JidError> {
        DeviceJid::of(&self.0, 0)
    }
}
