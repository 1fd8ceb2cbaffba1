//! What is stored where: one line per table. A new table is one more line here and, if its value is typed, one record.
//! Chapters 04 §22 and 07 §1.2 say what has to be kept; `README.md` shows this list with its keys and lifetimes.

use bytes::Bytes;
use compact_str::CompactString;

use crate::address::{Address, Chat, ChatKey, InboxCursor, OutboxOrder, User};
use crate::key::Key;
use crate::records::{
    AppStateKey, ChatRecord, Collection, Contact, DeadLetter, Device, DeviceList, DistributionMark, InboxRow,
    LidRecord, OutboxRow, PnRecord, PreKey, PrivacyToken, Record, RecordMac, SecretPage, SendRecord, SentRow,
    Session, SignedPreKey,
};

/// To whom the rows of a table belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// To the linked number: purged when the account is unlinked or another number is linked.
    Number,
    /// To the application: kept until the account is deleted.
    Application,
    /// To the store.
    Store,
}

/// A table: a kind of row with its key, its value and its lifetime.
pub trait Entity: Copy + Send + Sync + 'static {
    /// Key of a row.
    type Key: Key + Send + Sync;
    /// First parts of the key by which rows can be listed or cleared together; `()` for none.
    type Prefix: Key + Send + Sync;
    /// What a row holds.
    type Value: Record;
    /// Its number.
    const TABLE: Table;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $scope:ident, $key:ty $(, by $prefix:ty)? => $value:ty;)+) => {
        /// Number of a table. Numbers are never used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Table {
            /// The store's own rows.
            Meta = 0,
            $($(#[$doc])* $name = $number,)+
        }

        impl Table {
            /// All tables, by number.
            pub const ALL: &[Self] = &[Self::Meta, $(Self::$name),+];

            /// From the stored number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    0 => Some(Self::Meta),
                    $($number => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The stored number.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// To whom its rows belong.
            pub const fn scope(self) -> Scope {
                match self {
                    Self::Meta => Scope::Store,
                    $(Self::$name => Scope::$scope,)+
                }
            }

            /// Whether its rows may be worthless from some time on. Never what somebody still has to acknowledge.
            pub const fn may_expire(self) -> bool {
                !matches!(
                    self,
                    Self::Inbox | Self::InboxAttempts | Self::InboxTaken | Self::Outbox | Self::DeadLetters | Self::HistoryJobs
                )
            }

            /// How a key is read only to see whether it can be read.
            pub(crate) fn key_reader(self) -> fn(&[u8]) -> bool {
                match self {
                    Self::Meta => |_| true,
                    $(Self::$name => crate::maintenance::reads_as::<$key>,)+
                }
            }

            /// Decodes a row only to see whether it can be decoded.
            pub(crate) fn check_record(self, value: &[u8]) -> Result<(), crate::Damage> {
                match self {
                    Self::Meta => Ok(()),
                    $(Self::$name => <$value as Record>::from_stored(value).map(drop),)+
                }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $name;

            impl Entity for $name {
                type Key = $key;
                type Prefix = tables!(@prefix $($prefix)?);
                type Value = $value;
                const TABLE: Table = Table::$name;
            }
        )+
    };
    (@prefix) => { () };
    (@prefix $prefix:ty) => { $prefix };
}

tables! {
    /// The device's identity and credentials: one row (chapters 01, 02 §1).
    Devices = 1, Number, () => Device;
    /// Own signed pre-keys by id: the current one, staged ones, and the latest old ones (02 §6.4).
    SignedPreKeys = 2, Number, u32 => SignedPreKey;
    /// Own one-time pre-keys by id (02 §6.2).
    PreKeys = 3, Number, u32 => PreKey;
    /// Session records by address (04 §22.1).
    Sessions = 4, Number, Address, by User => Session;
    /// Identity keys of others: 32 bytes (04 §7).
    Identities = 5, Number, Address, by User => Bytes;
    /// Sender keys that others gave us, by group and sender (04 §22.2).
    SenderKeys = 6, Number, (Chat, Address), by Chat => Bytes;
    /// Our own sender keys, by group and own address: discarded by a restore (04 §22.2).
    OwnSenderKeys = 7, Number, (Chat, Address), by Chat => Bytes;
    /// Which device has our sender key of a chat (04 §17).
    DistributionMarks = 8, Number, (Chat, Address), by Chat => DistributionMark;
    /// LID of a phone number. Written together with [`Pns`] by [`Changes::link_lid`](crate::Changes::link_lid).
    Lids = 9, Number, User => LidRecord;
    /// Phone number of a LID.
    Pns = 10, Number, User => PnRecord;
    /// Device lists by user (09a).
    DeviceLists = 11, Number, User => DeviceList;
    /// App-state sync keys by key id (07 §1.2).
    AppStateKeys = 12, Number, Bytes => AppStateKey;
    /// App-state collections by name (07 §1.2).
    Collections = 13, Number, CompactString => Collection;
    /// MACs of app-state records by collection and index MAC (07 §1.2).
    RecordMacs = 14, Number, (CompactString, Bytes), by CompactString => RecordMac;
    /// Index and action of app-state records by collection and index MAC, as bytes (07 §1.2, §9.4).
    RecordActions = 15, Number, (CompactString, Bytes), by CompactString => Bytes;
    /// Outgoing app-state mutations by collection and index bytes; the newest wins (07 §1.2).
    PendingMutations = 16, Number, (CompactString, Bytes), by CompactString => Bytes;
    /// App-state mutations that wait for their chat, message or key (07 §1.2).
    OrphanMutations = 17, Number, (CompactString, Bytes), by CompactString => Bytes;
    /// Trusted-contact tokens by user (04 §20).
    PrivacyTokens = 18, Number, User => PrivacyToken;
    /// Message secrets by chat and original sender, several in a page (04 §18): [`SecretPage`] says which page is which.
    MessageSecrets = 19, Number, (Chat, User, u32), by (Chat, User) => SecretPage;
    /// Events that the application has not acknowledged.
    Inbox = 20, Application, InboxCursor => InboxRow;
    /// How often an inbox row was delivered; no row for never.
    InboxAttempts = 21, Application, InboxCursor => u32;
    /// Messages on their way: queued or sealed, in order of sending.
    Outbox = 22, Number, OutboxOrder => OutboxRow;
    /// Messages that the server has taken, by chat and id: plaintext for retry receipts (05 §5).
    Sent = 23, Number, (Chat, CompactString), by Chat => SentRow;
    /// The application's idempotency keys of sends.
    SendKeys = 24, Number, CompactString => SendRecord;
    /// Events that the application failed to take.
    DeadLetters = 25, Application, InboxCursor => DeadLetter;
    /// People by user.
    Contacts = 26, Application, User => Contact;
    /// Chats by the application's key.
    Chats = 27, Application, ChatKey => ChatRecord;
    /// Which chat a wire name belongs to.
    ChatNames = 28, Application, Chat => ChatKey;
    /// State of a chat that the phone owns (archived, pinned, muted, unread, ephemeral), as bytes.
    ChatStates = 29, Number, ChatKey => Bytes;
    /// Settings of the account that hang on the application, by name.
    Settings = 30, Application, CompactString => Bytes;
    /// Small state of the linked number by name: routing bytes, certificates, NCT salt, properties, marks with an expiry.
    NumberState = 31, Number, CompactString => Bytes;
    /// Cached group metadata by group.
    Groups = 32, Number, Chat => Bytes;
    /// History notifications that were not processed yet, by message id (08 §1).
    HistoryJobs = 33, Number, CompactString => Bytes;
    /// The application's own rows, by name space and key.
    KeyValues = 34, Application, (CompactString, Bytes), by CompactString => Bytes;
    /// Damaged rows that were moved out of the way: table number and key, raw value.
    Quarantine = 35, Application, (u32, Bytes) => Bytes;
    /// Options of polls by chat, author and message id, as bytes (05 §11.12).
    Polls = 36, Number, (Chat, User, CompactString), by Chat => Bytes;
    /// Votes by poll and voter, as bytes: the newest of each (05 §11.12).
    PollVotes = 37, Number, (Bytes, User), by Bytes => Bytes;
    /// How far our own messages have come, with the delivery of one to a single person, by message id, as bytes (05 §10.2).
    SendStatus = 38, Number, CompactString => Bytes;
    /// How far those to several have come with each recipient, as bytes (05 §10.2).
    Deliveries = 39, Number, (CompactString, User), by CompactString => Bytes;
    /// Messages that were not given to this device, by chat, author and id, as bytes: the phone is asked for them (04 §15).
    Placeholders = 40, Number, (Chat, User, CompactString), by Chat => Bytes;
    /// Which events of an inbox row with several were taken, as bits.
    InboxTaken = 41, Application, InboxCursor => Bytes;
}
