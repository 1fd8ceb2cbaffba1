//! Transient events: one slot for each thing, the newest wins, nothing blocks.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::Notify;
use wa_binary::Jid;

use super::Kind;

/// What a slot is about. The order is the order of delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    Health,
    Qr,
    Code,
    LinkProblem,
    /// Who types where.
    Typing(Jid, Jid),
}

/// Most slots: who floods us with typing people replaces nobody else's news.
const MOST: usize = 256;

/// The slots of one account.
#[derive(Debug, Default)]
pub(crate) struct Transients {
    slots: Mutex<BTreeMap<Slot, Kind>>,
    /// Rung for new transient events and for new rows of the inbox alike.
    pub(crate) bell: Notify,
}

impl Transients {
    pub(crate) fn put(&self, slot: Slot, kind: Kind) {
        let mut slots = self.slots.lock();
        if slots.len() < MOST || slots.contains_key(&slot) {
            slots.insert(slot, kind);
        }
        drop(slots);
        self.bell.notify_one();
    }

    pub(crate) fn take(&self) -> Option<Kind> {
        self.slots.lock().pop_first().map(|(_, kind)| kind)
    }
}
