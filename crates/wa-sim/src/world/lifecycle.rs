//! From the open connection to its end (chapters 01 §5, §6, 10 §2.3).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use prost::Message as _;
use wa_proto::handshake::ClientPayload;

use super::timers::Timer;
use super::{Conn, ConnId, Drain, Stage, World};
use crate::faults::{Action, CloseHow, FailureReason, Phase};
use crate::stanza::el;
use crate::watch::Rule;

impl World {
    /// A connection was accepted; the handshake is still to come.
    pub fn connect(&mut self, now_ms: u64, remote: &str) -> ConnId {
        self.now_ms = now_ms;
        let id = ConnId(self.next_conn);
        self.next_conn += 1;
        let conn = Conn {
            id,
            remote: remote.to_owned(),
            stage: Stage::Opened,
            phase: Phase::Hello,
            received: 0,
            sent: 0,
            opened_ms: now_ms,
            heard_ms: now_ms,
            pinged_ms: None,
            next_iq: 0,
            asked: BTreeMap::new(),
            iq_ids: HashSet::new(),
            drain: Drain::default(),
            reordered: Vec::new(),
            reordered_in: Vec::new(),
            silence_reported: false,
        };
        self.conns.insert(id, conn);
        id
    }

    /// The handshake is done: the client's static key and its login payload.
    pub fn payload(&mut self, now_ms: u64, conn: ConnId, noise_key: [u8; 32], payload: &[u8]) {
        self.now_ms = now_ms;
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.phase = Phase::Login;
        state.heard_ms = now_ms;
        self.stats.connections += 1;
        self.note_login_rate(conn, noise_key);
        for action in self.stage(Some(conn), Phase::Login) {
            match action {
                Action::Failure(reason) => return self.fail(conn, &reason),
                Action::Close { how, .. } => return self.close(conn, how),
                _ => {}
            }
        }
        let bad = FailureReason { reason: 400, code: None, expire: None, logout_message: None };
        let Ok(payload) = ClientPayload::decode(payload) else {
            self.report(Some(conn), Rule::Malformed, "undecodable login payload".to_owned());
            return self.fail(conn, &bad);
        };
        let version = payload.user_agent.as_deref().and_then(|agent| agent.app_version.as_deref());
        let third = version.and_then(|version| version.tertiary).unwrap_or(0);
        if third < self.config.version_floor {
            return self.fail(conn, &FailureReason { reason: 405, ..bad });
        }
        if payload.device_pairing_data.is_some() {
            self.register(conn, noise_key, &payload);
        } else if let Some(username) = payload.username {
            self.login(conn, noise_key, username, &payload);
        } else {
            self.fail(conn, &bad);
        }
        self.run_phones();
    }

    /// Writes `<failure>` and closes.
    pub(crate) fn fail(&mut self, conn: ConnId, reason: &FailureReason) {
        let node = el("failure")
            .attr("reason", reason.reason)
            .attr("location", crate::config::SERVER_LOCATION)
            .maybe_attr("code", reason.code)
            .maybe_attr("expire", reason.expire)
            .maybe_attr("logout_message_header", reason.logout_message.clone());
        tracing::info!("connection {} is refused: failure {}", conn.0, reason.reason);
        self.put(conn, Arc::new(node), None);
        self.end(conn, true);
        // A moment for the client to read it, and for the watch to see what it still says.
        self.at(self.now_ms + self.config.restart_grace_ms, Timer::Close { conn });
    }

    /// Nothing more is expected on the connection.
    pub(crate) fn end(&mut self, conn: ConnId, failed: bool) {
        self.unbind(conn);
        if let Some(state) = self.conns.get_mut(&conn) {
            state.stage = Stage::Ending { failed };
        }
    }

    /// The connection is no more.
    pub fn gone(&mut self, now_ms: u64, conn: ConnId) {
        self.now_ms = now_ms;
        self.unbind(conn);
        self.codes.forget_connection(conn);
        if let Some(Conn { stage: Stage::Registering(registration), .. }) = self.conns.remove(&conn) {
            self.lose_registration(*registration);
        }
        self.run_phones();
    }

    /// Takes the device off its connection.
    fn unbind(&mut self, conn: ConnId) {
        let Some(state) = self.conns.get(&conn) else { return };
        let Stage::Device(key) = state.stage else { return };
        let now_s = self.now_s();
        let Some(device) = self.device_mut(key) else { return };
        if device.connection != Some(conn) {
            return;
        }
        tracing::info!("{} is gone", self.who(key));
        let Some(device) = self.device_mut(key) else { return };
        device.connection = None;
        device.last_seen = Some(now_s);
        let was_available = std::mem::take(&mut device.available);
        for account in &mut self.accounts {
            account.subscribers.remove(&conn);
        }
        if was_available {
            self.presence_changed(key.account);
        }
    }

    /// Connection attempts faster than any back-off (chapters 01 §12, 10 §15).
    fn note_login_rate(&mut self, conn: ConnId, noise_key: [u8; 32]) {
        const WINDOW_MS: u64 = 10_000;
        const MANY: usize = 8;
        const MANY_KEYS: usize = 10_000;
        if self.config.load {
            return;
        }
        let now_ms = self.now_ms;
        if self.recent_logins.len() >= MANY_KEYS {
            self.recent_logins.retain(|_, times| times.back().is_some_and(|last| last + WINDOW_MS >= now_ms));
        }
        let times = self.recent_logins.entry(noise_key).or_default();
        // A clock that was put back makes no past of the future.
        times.retain(|time| *time <= now_ms);
        times.push_back(now_ms);
        while times.front().is_some_and(|first| first + WINDOW_MS < now_ms) {
            times.pop_front();
        }
        if times.len() > MANY {
            let count = times.len();
            times.clear();
            self.report(Some(conn), Rule::EagerReconnect, format!("{count} connections within 10 s"));
        }
    }

    /// Closes every connection.
    pub fn drop_all(&mut self, now_ms: u64, how: CloseHow) {
        self.now_ms = now_ms;
        let conns: Vec<ConnId> = self.conns.keys().copied().collect();
        for conn in conns {
            self.close(conn, how);
        }
    }
}
