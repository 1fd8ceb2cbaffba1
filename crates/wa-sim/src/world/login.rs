//! Login of a device and the offline phase (chapters 01 §6.1, §8, 10 §2.3, §6).

use std::sync::Arc;

use rand_core::Rng as _;
use wa_binary::{Family, Jid};
use wa_proto::handshake::ClientPayload;

use super::account::Standing;
use super::timers::Timer;
use super::{ConnId, DeviceKey, Drain, Stage, World};
use crate::faults::{FailureReason, Phase, StreamFault, StreamForm};
use crate::offline::Class;
use crate::stanza::el;

impl World {
    pub(super) fn login(
        &mut self,
        conn: ConnId,
        noise_key: [u8; 32],
        username: u64,
        payload: &ClientPayload,
    ) {
        let reason = |reason| FailureReason { reason, code: None, expire: None, logout_message: None };
        let number = payload.device.and_then(|device| u16::try_from(device).ok()).unwrap_or(0);
        let key = self.find_pn(username).map(|account| DeviceKey { account, device: number });
        let known = key
            .and_then(|key| self.device(key))
            .is_some_and(|device| device.number != 0 && wa_crypto::ct_eq(&device.noise_key, &noise_key));
        let (Some(key), true) = (key, known) else { return self.fail(conn, &reason(401)) };
        let (standing, since_s) = &self.account(key.account).standing;
        let past_s = self.now_s().saturating_sub(*since_s);
        match *standing {
            Standing::TemporaryBan { code, expire } if past_s < expire.into() => {
                let left = expire.saturating_sub(u32::try_from(past_s).unwrap_or(u32::MAX));
                let ban = FailureReason { code: Some(code), expire: Some(left), ..reason(402) };
                return self.fail(conn, &ban);
            }
            Standing::Locked => return self.fail(conn, &reason(403)),
            Standing::Banned => return self.fail(conn, &reason(406)),
            _ => {}
        }
        if let Some(older) = self.device(key).and_then(|device| device.connection) {
            self.stream_error(older, &StreamFault { code: None, form: StreamForm::Replaced });
        }
        let passive = payload.passive.unwrap_or(false);
        let (now_ms, now_s) = (self.now_ms, self.now_s());
        let Some(device) = self.device_mut(key) else { return };
        device.connection = Some(conn);
        device.active = !passive;
        device.last_seen = Some(now_s);
        device.logins += 1;
        for queued in device.queue.iter_mut() {
            queued.sent_on = None;
            queued.replays = 0;
        }
        if let Some(state) = self.conns.get_mut(&conn) {
            state.stage = Stage::Device(key);
            state.phase = Phase::Drain;
            state.drain = Drain::Held;
        }
        let account = self.account(key.account);
        let success = el("success")
            .attr("t", now_s)
            .attr("props", 27_u32)
            .attr("abprops", 3_u32)
            .attr("group_abprops", 1_u32)
            .attr("location", crate::config::SERVER_LOCATION)
            .attr("display_name", account.name.as_str())
            .attr("companion_enc_static", "NULL")
            .maybe_attr("lid", account.lid.map(|_| account.device_jid(Family::Lid, key.device)))
            .attr("creation", account.created);
        let passively = if passive { ", passively" } else { "" };
        tracing::info!("{} is logged in{passively} (connection {})", self.who(key), conn.0);
        self.write(conn, success);
        if !passive {
            self.begin(conn, key);
        }
        if let Some(within) = self.config.answer_within_ms {
            self.at(now_ms + within, Timer::Watch { conn });
        }
        if let Some(limit) = self.config.idle_kill_ms {
            self.at(now_ms + limit, Timer::IdleKill { conn });
        }
    }

    /// What a device is told once it listens: where to connect next time, what it has to look at, what waited for it.
    fn begin(&mut self, conn: ConnId, key: DeviceKey) {
        if let Some(device) = self.device_mut(key)
            && !std::mem::replace(&mut device.routed, true)
        {
            let mut routing = [0; 8];
            self.streams.ids.fill_bytes(&mut routing);
            let info = el("edge_routing").child(el("routing_info").bytes(routing.to_vec()));
            self.write(conn, el("ib").attr("from", Jid::SERVER).child(info));
        }
        self.dirty_bits(conn, key);
        self.begin_drain(conn, key);
    }

    fn dirty_bits(&mut self, conn: ConnId, key: DeviceKey) {
        let bits: Vec<(String, u64)> =
            self.account(key.account).dirty.iter().map(|(kind, t)| (kind.clone(), *t)).collect();
        for (kind, timestamp) in bits {
            let dirty = el("dirty").attr("type", kind).attr("timestamp", timestamp);
            self.write(conn, el("ib").attr("from", Jid::SERVER).child(dirty));
        }
    }

    /// `<iq xmlns="passive">`: traffic may flow, or must not.
    pub(crate) fn set_active(&mut self, conn: ConnId, key: DeviceKey, active: bool) {
        if let Some(device) = self.device_mut(key) {
            device.active = active;
        }
        let Some(state) = self.conns.get_mut(&conn) else { return };
        match state.drain {
            Drain::Held if active => self.begin(conn, key),
            Drain::Running { .. } | Drain::Done if !active => {
                state.drain = Drain::Held;
                state.phase = Phase::Drain;
            }
            _ => {}
        }
    }

    /// Announces the backlog and sends its first stanzas.
    fn begin_drain(&mut self, conn: ConnId, key: DeviceKey) {
        let (now_ms, age, ttl) = (self.now_ms, self.config.queue_age_ms, self.config.chatstate_ttl_s * 1000);
        let (primer, status_age) = (self.config.primer, self.config.status_age_ms);
        let Some(device) = self.device_mut(key) else { return };
        device.queue.retain(|queued| match queued.class {
            Class::ChatState => queued.at_ms + ttl >= now_ms,
            Class::Message if queued.sender.starts_with("status@") => queued.at_ms + status_age >= now_ms,
            _ => queued.at_ms + age >= now_ms,
        });
        // What was written on this connection already only waits for its answer.
        let waits = |queued: &&crate::offline::Queued| queued.sent_on != Some(conn);
        let count = |class| device.queue.iter().filter(waits).filter(|queued| queued.class == class).count();
        let total = device.queue.iter().filter(waits).count();
        if total > 0 {
            let preview = el("offline_preview")
                .attr("count", total)
                .attr("message", count(Class::Message))
                .attr("receipt", count(Class::Receipt))
                .attr("notification", count(Class::Notification))
                .attr("call", count(Class::Call))
                .attr("status", 0_u32)
                .attr("appdata", 0_u32);
            self.write(conn, el("ib").attr("from", Jid::SERVER).child(preview));
        }
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        if let Some(state) = self.conns.get_mut(&conn) {
            state.drain = Drain::Running { total, written: 0, step: 0 };
        }
        self.drain(conn, primer);
    }

    /// `<ib><offline_batch count/></ib>`; `false` without a preview.
    pub(crate) fn offline_batch(&mut self, conn: ConnId, count: u32) -> bool {
        match self.conns.get(&conn).map(|state| state.drain) {
            Some(Drain::Running { .. }) => {
                self.drain(conn, count);
                true
            }
            Some(Drain::Done) => self.conns.get(&conn).is_some_and(|state| state.phase == Phase::Steady),
            _ => false,
        }
    }

    /// Sends up to `count` stanzas of the backlog; at its end `<offline/>`.
    pub(crate) fn drain(&mut self, conn: ConnId, count: u32) {
        let Some(state) = self.conns.get(&conn) else { return };
        let (Stage::Device(key), Drain::Running { total, mut written, step }) = (&state.stage, state.drain)
        else {
            return;
        };
        let key = *key;
        let mut left = count;
        while left > 0 {
            let Some(device) = self.device_mut(key) else { return };
            let Some(queued) = device.queue.iter_mut().find(|queued| queued.sent_on != Some(conn)) else {
                break;
            };
            queued.sent_on = Some(conn);
            let mut node = (*queued.node).clone();
            let (class, id, sender) = (queued.class, queued.id.clone(), queued.sender.clone());
            if class.is_answered() {
                written += 1;
                node.set_attr("offline", written);
            } else {
                device.queue.retain(|other| (other.class, &other.id, &other.sender) != (class, &id, &sender));
            }
            self.write(conn, node);
            left -= 1;
        }
        let rest = self
            .device(key)
            .is_some_and(|device| device.queue.iter().any(|queued| queued.sent_on != Some(conn)));
        let Some(state) = self.conns.get_mut(&conn) else { return };
        if rest {
            let step = step + 1;
            state.drain = Drain::Running { total, written, step };
            if !self.config.strict_batches {
                let due = self.now_ms + self.config.batch_patience_ms;
                self.at(due, Timer::BatchPatience { conn, step });
            }
            return;
        }
        state.drain = Drain::Done;
        state.phase = Phase::Steady;
        let offline = el("offline").attr("count", written);
        self.write(conn, Arc::new(el("ib").attr("from", Jid::SERVER).child(offline)));
    }
}
