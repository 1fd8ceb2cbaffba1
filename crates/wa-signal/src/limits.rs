//! The limits of sessions and sender keys (chapter 04 §6.1, §9.5).

/// Message version that this crate speaks: the high nibble of the version byte.
pub const MESSAGE_VERSION: u8 = 3;
/// Version byte of everything that is sent: version 3, supports up to 3.
pub const VERSION_BYTE: u8 = 0x33;
/// Skipped message keys kept for one receiving chain or sender-key state; beyond, the lowest are dropped.
pub const MAX_SKIPPED_KEYS: usize = 2_000;
/// How far ahead of the receiving chain the counter of another user's message may be.
pub const MAX_JUMP: u32 = 2_000;
/// The same for messages of the account's own devices.
pub const MAX_JUMP_OWN_DEVICE: u32 = 25_000;
/// How far ahead of the known iteration a sender-key message may be.
pub const MAX_SENDER_KEY_JUMP: u32 = 20_000;
/// Receiving chains kept in one session.
pub const MAX_RECEIVING_CHAINS: usize = 5;
/// Archived sessions kept in one record.
pub const MAX_ARCHIVED_SESSIONS: usize = 40;
/// Sender-key states kept for one sender in one chat.
pub const MAX_SENDER_KEY_STATES: usize = 5;
/// Highest pre-key id: three bytes on the wire; 0 is avoided.
pub const MAX_PRE_KEY_ID: u32 = 0xFF_FFFF;
/// Seconds after which a session that was never answered should not be used for sending any more (30 days).
pub const UNACKNOWLEDGED_SESSION_AGE: u64 = 30 * 24 * 60 * 60;
