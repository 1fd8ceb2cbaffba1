//! What happens later: timers of the world, in order of their time and then of their making (chapter 10 §12).

use std::sync::Arc;

use wa_binary::Node;

use super::{AccountId, ConnId, DeviceKey, Drain, Stage, World};
use crate::faults::{CloseHow, Direction};
use crate::watch::Rule;

/// A stanza that a hold fault keeps.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) conn: ConnId,
    pub(crate) direction: Direction,
    pub(crate) node: Arc<Node>,
}

/// What happens at its time.
#[derive(Debug)]
pub(crate) enum Timer {
    /// A delayed incoming stanza is handled.
    Accept { conn: ConnId, node: Arc<Node> },
    /// A delayed outgoing stanza is written.
    Put { conn: ConnId, node: Arc<Node> },
    /// A connection is closed.
    Close { conn: ConnId },
    /// An unpaired connection ran out of refs.
    RegistrationOver { conn: ConnId },
    /// The phone scans by itself.
    AutoPair { conn: ConnId },
    /// Nobody asked for a batch.
    BatchPatience { conn: ConnId, step: u32 },
    /// The phone greets a new companion.
    Welcome { device: DeviceKey },
    /// History that comes after the keys.
    LateHistory { device: DeviceKey },
    /// A phone answers a request for keys at last.
    LateKeys { account: AccountId },
    /// Stanzas must be answered by now, and clients must have been heard.
    Watch { conn: ConnId },
    /// A ringing call ends.
    CallTimeout { call: crate::calls::Ringing },
    /// A silent client is closed.
    IdleKill { conn: ConnId },
    /// A pairing code expired.
    CodeOver { account: AccountId, reference: bytes::Bytes },
}

/// The timers that are not about a connection, in a saved state.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum SavedTimer {
    /// As [`Timer::Welcome`].
    Welcome { device: DeviceKey },
    /// As [`Timer::LateHistory`].
    LateHistory { device: DeviceKey },
    /// As [`Timer::LateKeys`].
    LateKeys { account: AccountId },
    /// As [`Timer::CallTimeout`].
    CallTimeout { call: crate::calls::Ringing },
}

impl From<SavedTimer> for Timer {
    fn from(saved: SavedTimer) -> Self {
        match saved {
            SavedTimer::Welcome { device } => Self::Welcome { device },
            SavedTimer::LateHistory { device } => Self::LateHistory { device },
            SavedTimer::LateKeys { account } => Self::LateKeys { account },
            SavedTimer::CallTimeout { call } => Self::CallTimeout { call },
        }
    }
}

impl Timer {
    /// What a saved state keeps of it.
    fn saved(&self) -> Option<SavedTimer> {
        Some(match self {
            Self::Welcome { device } => SavedTimer::Welcome { device: *device },
            Self::LateHistory { device } => SavedTimer::LateHistory { device: *device },
            Self::LateKeys { account } => SavedTimer::LateKeys { account: *account },
            Self::CallTimeout { call } => SavedTimer::CallTimeout { call: call.clone() },
            Self::Accept { .. }
            | Self::Put { .. }
            | Self::Close { .. }
            | Self::RegistrationOver { .. }
            | Self::AutoPair { .. }
            | Self::BatchPatience { .. }
            | Self::Watch { .. }
            | Self::IdleKill { .. }
            | Self::CodeOver { .. } => return None,
        })
    }
}

impl World {
    /// The timers that outlive connections, with their places.
    pub(crate) fn lasting_timers(&self) -> Vec<((u64, u64), SavedTimer)> {
        self.timers.iter().filter_map(|(place, timer)| Some((*place, timer.saved()?))).collect()
    }

    /// Sets a timer.
    pub(crate) fn at(&mut self, due_ms: u64, timer: Timer) {
        self.timers.insert((due_ms, self.next_timer), timer);
        self.next_timer += 1;
    }

    /// When [`World::tick`] has something to do next (ms since 1970).
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.keys().next().map(|(due, _)| *due)
    }

    /// Lets everything happen whose time has come, each at its own time.
    pub fn tick(&mut self, now_ms: u64) {
        while let Some(entry) = self.timers.first_entry() {
            let due = entry.key().0;
            if due > now_ms {
                break;
            }
            let timer = entry.remove();
            self.now_ms = self.now_ms.max(due);
            self.fire(timer);
            self.run_phones();
        }
        self.now_ms = now_ms;
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Accept { conn, node } => self.accept(conn, &node),
            Timer::Put { conn, node } => self.put(conn, node, None),
            Timer::Close { conn } => {
                if self.conns.contains_key(&conn) {
                    self.close(conn, CloseHow::Fin);
                }
            }
            Timer::RegistrationOver { conn } => self.registration_over(conn),
            Timer::AutoPair { conn } => self.auto_pair(conn),
            Timer::BatchPatience { conn, step } => self.batch_patience(conn, step),
            Timer::Welcome { device } => self.welcome(device),
            Timer::LateHistory { device } => self.tell_history(device),
            Timer::LateKeys { account } => self.share_late_keys(account),
            Timer::Watch { conn } => self.watch_connection(conn),
            Timer::CallTimeout { call } => self.call_timeout(&call),
            Timer::IdleKill { conn } => self.idle_kill(conn),
            Timer::CodeOver { account, reference } => self.code_over(account, &reference),
        }
    }

    /// Answers that are overdue, and silence (chapter 10 §15). Runs for as long as the connection stands.
    fn watch_connection(&mut self, conn: ConnId) {
        let (now_ms, silence_ms) = (self.now_ms, self.config.silence_ms);
        let Some(state) = self.conns.get_mut(&conn) else { return };
        let Stage::Device(key) = state.stage else { return };
        let silent = now_ms.saturating_sub(state.heard_ms);
        if silent > silence_ms && !state.silence_reported {
            state.silence_reported = true;
            self.report(Some(conn), Rule::Keepalive, format!("silent for {silent} ms"));
        }
        let Some(within) = self.config.answer_within_ms else { return };
        let mut late = Vec::new();
        if let Some(device) = self.device_mut(key) {
            for queued in device.queue.iter_mut() {
                if queued.sent_on == Some(conn) && queued.replays == 0 && now_ms >= queued.at_ms + within {
                    // Reported once for each connection; the stanza stays until it is answered.
                    queued.replays = 1;
                    late.push(format!("<{}> {} from {}", queued.class.tag(), queued.id, queued.sender));
                }
            }
        }
        for detail in late {
            self.report(Some(conn), Rule::NeverAnswered, detail);
        }
        self.at(now_ms + within / 2, Timer::Watch { conn });
    }

    fn idle_kill(&mut self, conn: ConnId) {
        let Some(limit) = self.config.idle_kill_ms else { return };
        let Some(state) = self.conns.get(&conn) else { return };
        let heard = state.heard_ms;
        if self.now_ms >= heard + limit {
            self.close(conn, CloseHow::Fin);
        } else {
            self.at(heard + limit, Timer::IdleKill { conn });
        }
    }

    fn batch_patience(&mut self, conn: ConnId, step: u32) {
        let running = self.conns.get(&conn).map(|state| state.drain);
        if let Some(Drain::Running { step: current, .. }) = running
            && current == step
        {
            self.drain(conn, u32::MAX);
        }
    }
}
