//! In and out of the world: stanzas from connections and phones, deliveries to devices, and the faults on the way
//! (chapter 10 §5, §6, §11).

use std::sync::Arc;

use wa_binary::{Jid, Node};

use super::timers::{Held, Timer};
use super::{Conn, ConnId, DeviceKey, Drain, Output, Stage, World};
use crate::faults::{Action, CloseHow, Damage, Direction, Phase, Point, StreamFault, StreamForm};
use crate::offline::{Class, Queued};
use crate::route;
use crate::stanza::{Read, el};
use crate::trace::Passed;
use crate::watch::Rule;

/// Where a stanza comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The device, unless the connection still registers.
    pub(crate) device: Option<DeviceKey>,
    /// The connection; phones have none.
    pub(crate) conn: Option<ConnId>,
}

/// What faults do to the answers of the stanza at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answering {
    pub(crate) lose: bool,
    pub(crate) twice: bool,
    pub(crate) ack_error: Option<u32>,
    pub(crate) wrong_phash: bool,
    pub(crate) no_one_time_keys: bool,
    /// A protocol of usync, the code of its error, and when to come back (s).
    pub(crate) usync_error: Option<(String, u32, Option<u32>)>,
}

impl World {
    /// A stanza arrived.
    pub fn stanza(&mut self, now_ms: u64, conn: ConnId, node: Node) {
        self.now_ms = now_ms;
        self.stats.frames_received += 1;
        let node = Arc::new(node);
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.received += 1;
        let silent = now_ms.saturating_sub(state.heard_ms);
        state.heard_ms = now_ms;
        let frame = state.received;
        let failed = matches!(state.stage, Stage::Ending { failed: true });
        if silent > self.config.silence_ms && !std::mem::take(&mut state.silence_reported) {
            self.report(Some(conn), Rule::Keepalive, format!("silent for {silent} ms"));
        }
        self.trace.note(now_ms, conn, Direction::In, &node);
        if !self.config.load {
            count(&mut self.stats.received, node.tag());
        }
        if failed {
            self.report(Some(conn), Rule::TrafficAfterFailure, format!("<{}>", node.tag()));
            return;
        }
        if !self.interceptors.is_empty() {
            let seq = self.trace.last_seq();
            let passed = Passed { seq, at_ms: now_ms, conn, direction: Direction::In, node: node.clone() };
            if let Some(answers) = self.interceptors.ask(&passed) {
                for answer in answers {
                    self.write(conn, answer);
                }
                return;
            }
        }
        let mut handled = Handling::default();
        if !self.faults.is_empty() {
            for action in self.strike(conn, Direction::In, frame, &node) {
                self.apply_in(conn, &node, action, &mut handled);
            }
        }
        if !handled.swallow {
            let times = if handled.twice { 2 } else { 1 };
            for _ in 0..times {
                self.answering = handled.answering.clone();
                self.accept(conn, &node);
            }
            self.answering = Answering::default();
        }
        let overtaken = match self.conns.get_mut(&conn) {
            Some(state) => passed_by_one(&mut state.reordered_in),
            None => Vec::new(),
        };
        for node in overtaken {
            self.accept(conn, &node);
        }
        if let Some(how) = handled.close_after {
            self.outputs.push(Output::Close { conn, how });
        }
        self.run_phones();
    }

    /// A frame arrived that is no stanza.
    pub fn undecodable(&mut self, now_ms: u64, conn: ConnId, why: &str) {
        self.now_ms = now_ms;
        self.stats.frames_received += 1;
        let Some(state) = self.conns.get(&conn) else { return };
        let logged_in = matches!(state.stage, Stage::Device(_));
        self.report(Some(conn), Rule::BadXml, why.to_owned());
        if logged_in {
            self.stream_error(conn, &StreamFault { code: None, form: StreamForm::XmlNotWellFormed });
        } else {
            self.outputs.push(Output::Close { conn, how: CloseHow::Fin });
        }
    }

    /// The shell saw something that the world cannot see.
    pub fn observe(&mut self, now_ms: u64, conn: Option<ConnId>, rule: Rule, detail: String) {
        self.now_ms = now_ms;
        self.report(conn, rule, detail);
    }

    pub(crate) fn report(&mut self, conn: Option<ConnId>, rule: Rule, detail: String) {
        let device = conn.and_then(|conn| match self.conns.get(&conn)?.stage {
            Stage::Device(key) => Some(self.label(key)),
            _ => None,
        });
        self.watch.report(self.now_ms, conn, device, rule, detail);
    }

    /// Reports about the device behind a stanza.
    pub(crate) fn report_origin(&mut self, origin: Origin, rule: Rule, detail: String) {
        let device = origin.device.map(|key| self.label(key));
        self.watch.report(self.now_ms, origin.conn, device, rule, detail);
    }

    /// Handles a stanza of a connection, faults apart.
    pub(crate) fn accept(&mut self, conn: ConnId, node: &Arc<Node>) {
        let Some(state) = self.conns.get(&conn) else { return };
        let device = match &state.stage {
            Stage::Opened | Stage::Ending { .. } => return,
            Stage::Registering(_) => None,
            Stage::Device(key) => Some(*key),
        };
        route::stanza(self, Origin { device, conn: Some(conn) }, node);
    }

    /// Writes a stanza to a connection, through the faults.
    pub(crate) fn write(&mut self, conn: ConnId, node: impl Into<Arc<Node>>) {
        let node = node.into();
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.sent += 1;
        let frame = state.sent;
        if self.faults.is_empty() {
            self.put(conn, node, None);
            return;
        }
        let struck = self.strike(conn, Direction::Out, frame, &node);
        self.apply_out(conn, node, struck);
    }

    /// Writes past the faults, and lets the stanzas that a reorder fault keeps follow in their turn.
    pub(crate) fn put(&mut self, conn: ConnId, node: Arc<Node>, damage: Option<Damage>) {
        self.trace.note(self.now_ms, conn, Direction::Out, &node);
        if !self.config.load {
            count(&mut self.stats.sent, node.tag());
        }
        self.send(conn, node, damage);
        let due = match self.conns.get_mut(&conn) {
            Some(state) => passed_by_one(&mut state.reordered),
            None => return,
        };
        for node in due {
            self.trace.note(self.now_ms, conn, Direction::Out, &node);
            self.send(conn, node, None);
        }
    }

    fn send(&mut self, conn: ConnId, node: Arc<Node>, damage: Option<Damage>) {
        self.stats.frames_sent += 1;
        self.outputs.push(Output::Send { conn, node, damage });
    }

    /// Answers the stanza at hand: an ack or an iq result, which some faults lose or repeat.
    pub(crate) fn answer(&mut self, origin: Origin, node: Node) {
        let Some(conn) = origin.conn else { return };
        if self.answering.lose {
            return;
        }
        let node = Arc::new(node);
        if self.answering.twice {
            self.write(conn, node.clone());
        }
        self.write(conn, node);
    }

    pub(crate) fn close(&mut self, conn: ConnId, how: CloseHow) {
        self.outputs.push(Output::Close { conn, how });
    }

    /// Queues a stanza for a device and writes it if the device listens.
    pub(crate) fn deliver(&mut self, to: DeviceKey, class: Class, node: Node, copy: Copy) {
        self.deliver_shared(to, class, Arc::new(node), copy);
    }

    pub(crate) fn deliver_shared(&mut self, to: DeviceKey, class: Class, node: Arc<Node>, copy: Copy) {
        self.stats.deliveries += 1;
        if to.device == 0 && self.phone_is_online(to.account) {
            self.stats.to_phones += 1;
            self.to_phones.push_back((to.account, node));
            return;
        }
        let (now_ms, limit) = (self.now_ms, self.config.queue_limit);
        let Some(device) = self.device_mut(to) else { return };
        let listens = device.connection.filter(|_| device.active);
        let listens =
            listens.filter(|conn| self.conns.get(conn).is_some_and(|state| state.drain == Drain::Done));
        if class.is_answered() || listens.is_none() {
            let queued = Queued {
                class,
                id: node.text_of("id").unwrap_or_default(),
                sender: sender_of(&node),
                own_copy: copy == Copy::Own,
                node: node.clone(),
                at_ms: now_ms,
                sent_on: listens,
                replays: 0,
            };
            if let Some(device) = self.device_mut(to) {
                device.queue.push(queued, limit);
            }
        }
        if let Some(conn) = listens {
            self.write(conn, node);
        }
    }

    /// The actions that strike at a stanza.
    fn strike(&mut self, conn: ConnId, direction: Direction, frame: u64, node: &Node) -> Vec<Action> {
        let Some(state) = self.conns.get(&conn) else { return Vec::new() };
        let (account, device) = match state.stage {
            Stage::Device(key) => (Some(self.account(key.account).pn.to_string()), Some(key.device)),
            _ => (None, None),
        };
        let (xmlns, kind, id) = (node.text_of("xmlns"), node.text_of("type"), node.text_of("id"));
        let point = Point {
            direction: Some(direction),
            frame,
            tag: Some(node.tag()),
            xmlns: xmlns.as_deref(),
            kind: kind.as_deref(),
            id: id.as_deref(),
            child: node.kids().first().map(Node::tag),
            phase: state.phase,
            connection: Some(conn.0),
            account: account.as_deref(),
            device,
            host: None,
        };
        self.faults.strike(&point)
    }

    /// The actions that strike at a stage of a connection, for the shell; the connection need not be open yet.
    pub fn stage(&mut self, conn: Option<ConnId>, phase: Phase) -> Vec<Action> {
        if self.faults.is_empty() {
            return Vec::new();
        }
        let point = Point { phase, connection: conn.map(|conn| conn.0), ..Point::default() };
        self.faults.strike(&point)
    }

    fn apply_in(&mut self, conn: ConnId, node: &Arc<Node>, action: Action, handled: &mut Handling) {
        match action {
            Action::Close { how, after: false } => {
                handled.swallow = true;
                self.outputs.push(Output::Close { conn, how });
            }
            Action::Close { how, after: true } => handled.close_after = Some(how),
            Action::Freeze { mode } => self.outputs.push(Output::Freeze { conn, mode }),
            Action::Delay { ms, jitter_ms } => {
                handled.swallow = true;
                let due = self.now_ms + ms + self.faults.below(jitter_ms + 1);
                self.at(due, Timer::Accept { conn, node: node.clone() });
            }
            Action::Hold => {
                handled.swallow = true;
                self.held.push(Held { conn, direction: Direction::In, node: node.clone() });
            }
            Action::Reorder { by } => {
                handled.swallow = true;
                if let Some(state) = self.conns.get_mut(&conn) {
                    // One more than asked: this stanza itself counts as having passed.
                    state.reordered_in.push((by.max(1) + 1, node.clone()));
                }
            }
            Action::Lose => handled.swallow = true,
            Action::Duplicate => handled.twice = true,
            Action::LoseAck => handled.answering.lose = true,
            Action::AnswerTwice => handled.answering.twice = true,
            Action::AckError { code } => handled.answering.ack_error = Some(code),
            Action::WrongPhash => handled.answering.wrong_phash = true,
            Action::UsyncError { protocol, code, backoff } => {
                handled.answering.usync_error = Some((protocol, code, backoff));
            }
            Action::NoOneTimeKeys => handled.answering.no_one_time_keys = true,
            Action::IqError { code, text } => {
                handled.swallow = true;
                let text = if text.is_empty() { crate::stanza::error_text(code).to_owned() } else { text };
                self.write(conn, iq_error(node, code, &text, None));
            }
            Action::RateOverlimit { backoff } => {
                handled.swallow = true;
                self.write(conn, iq_error(node, 429, "rate-overlimit", backoff));
            }
            Action::StreamError(fault) => {
                handled.swallow = true;
                self.stream_error(conn, &fault);
            }
            Action::StreamEnd => self.write(conn, el("xmlstreamend")),
            Action::SecondSuccess => self.second_success(conn),
            Action::Throttle { .. }
            | Action::Damage { .. }
            | Action::Failure(_)
            | Action::Unavailable
            | Action::HttpStatus { .. }
            | Action::HttpGarbage
            | Action::Handshake { .. }
            | Action::Media { .. }
            | Action::ResourceLimit => {}
        }
    }

    fn apply_out(&mut self, conn: ConnId, mut node: Arc<Node>, struck: Vec<Action>) {
        let (mut damage, mut twice, mut close) = (None, false, None);
        for action in struck {
            match action {
                Action::Close { how, after: false } => {
                    self.outputs.push(Output::Close { conn, how });
                    return;
                }
                Action::Close { how, after: true } => close = Some(how),
                Action::Freeze { mode } => {
                    self.outputs.push(Output::Freeze { conn, mode });
                }
                Action::Throttle { bytes_per_second } => {
                    self.outputs.push(Output::Throttle { conn, bytes_per_second });
                }
                Action::Delay { ms, jitter_ms } => {
                    let due = self.now_ms + ms + self.faults.below(jitter_ms + 1);
                    self.at(due, Timer::Put { conn, node });
                    return;
                }
                Action::Hold => {
                    self.held.push(Held { conn, direction: Direction::Out, node });
                    return;
                }
                Action::Reorder { by } => {
                    if let Some(state) = self.conns.get_mut(&conn) {
                        state.reordered.push((by.max(1), node));
                    }
                    return;
                }
                Action::Lose => return,
                Action::Duplicate => twice = true,
                Action::Damage { damage: kind @ (Damage::EncVersion | Damage::EncMac) } => {
                    node = Arc::new(damaged_enc(&node, kind));
                }
                Action::Damage { damage: kind } => damage = Some(kind),
                Action::Unavailable => node = Arc::new(unavailable(&node)),
                Action::StreamError(fault) => {
                    self.stream_error(conn, &fault);
                    return;
                }
                Action::StreamEnd => self.put(conn, Arc::new(el("xmlstreamend")), None),
                Action::SecondSuccess if !node.is("success") => self.second_success(conn),
                _ => {}
            }
        }
        if twice {
            self.put(conn, node.clone(), None);
        }
        self.put(conn, node, damage);
        if let Some(how) = close {
            self.outputs.push(Output::Close { conn, how });
        }
    }

    /// Writes a `<stream:error>` past the faults, and closes (chapter 01 §6.3).
    pub(crate) fn stream_error(&mut self, conn: ConnId, fault: &StreamFault) {
        let child = match fault.form {
            StreamForm::Bare => None,
            StreamForm::Replaced => Some(el("conflict").attr("type", "replaced")),
            StreamForm::DeviceRemoved => Some(el("conflict").attr("type", "device_removed")),
            StreamForm::Ack => Some(el("ack").attr("class", "message").attr("id", "0")),
            StreamForm::XmlNotWellFormed => Some(el("xml-not-well-formed")),
            StreamForm::Unknown => Some(el("weather").attr("type", "rain")),
        };
        let node = el("stream:error").maybe_attr("code", fault.code).maybe_child(child);
        self.put(conn, Arc::new(node), None);
        self.end(conn, false);
        self.outputs.push(Output::Close { conn, how: CloseHow::Fin });
    }

    fn second_success(&mut self, conn: ConnId) {
        let success = el("success").attr("t", self.now_s()).attr("location", crate::config::SERVER_LOCATION);
        self.put(conn, Arc::new(success), None);
    }

    /// Lets the stanzas go that hold faults keep.
    pub fn release_held(&mut self, now_ms: u64) -> usize {
        self.now_ms = now_ms;
        let held = std::mem::take(&mut self.held);
        let count = held.len();
        for Held { conn, direction, node } in held {
            match direction {
                Direction::In => self.accept(conn, &node),
                Direction::Out => self.put(conn, node, None),
            }
        }
        self.run_phones();
        count
    }

    /// Sends any stanza to a device, as it is (`POST ../send`). `false` when the device is not connected.
    pub fn push(&mut self, now_ms: u64, to: DeviceKey, node: Node) -> bool {
        self.now_ms = now_ms;
        let Some(conn) = self.device(to).and_then(|device| device.connection) else { return false };
        match Class::of_tag(node.tag()) {
            Some(class) => self.deliver(to, class, node, Copy::Others),
            None => self.write(conn, node),
        }
        true
    }

    /// Writes any stanza to a connection, as it is; also to one that is not logged in. It is not queued.
    pub fn push_to(&mut self, now_ms: u64, conn: ConnId, node: Node) {
        self.now_ms = now_ms;
        self.write(conn, node);
    }
}

/// Whether a delivery is a copy of what an own device sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    /// From another device of the same account.
    Own,
    /// From somebody else, or from the server.
    Others,
}

#[derive(Debug, Default)]
struct Handling {
    swallow: bool,
    twice: bool,
    close_after: Option<CloseHow>,
    answering: Answering,
}

/// Counts a tag. Clients make tags up: past a bound they are counted together.
fn count(counters: &mut std::collections::BTreeMap<String, u64>, tag: &str) {
    const MANY: usize = 64;
    let tag = if counters.len() < MANY || counters.contains_key(tag) { tag } else { "other" };
    match counters.get_mut(tag) {
        Some(counter) => *counter += 1,
        None => {
            counters.insert(tag.to_owned(), 1);
        }
    }
}

/// Counts one stanza past those that a reorder fault keeps, and gives the ones that have been passed by enough.
fn passed_by_one(kept: &mut Vec<(u32, Arc<Node>)>) -> Vec<Arc<Node>> {
    if kept.is_empty() {
        return Vec::new();
    }
    for (left, _) in kept.iter_mut() {
        *left = left.saturating_sub(1);
    }
    let due = kept.iter().filter(|(left, _)| *left == 0).map(|(_, node)| node.clone()).collect();
    kept.retain(|(left, _)| *left > 0);
    due
}

/// `from` and `participant` as one text: names who sent a stanza.
pub(crate) fn sender_of(node: &Node) -> String {
    let mut sender = node.text_of("from").unwrap_or_default();
    if let Some(participant) = node.text_of("participant") {
        sender.push(' ');
        sender.push_str(&participant);
    }
    sender
}

/// An error answer to an iq.
pub(crate) fn iq_error(iq: &Node, code: u32, text: &str, backoff: Option<u32>) -> Node {
    let error = crate::stanza::error(code, text).maybe_attr("backoff", backoff);
    el("iq")
        .attr("from", iq.jid_of("to").unwrap_or(Jid::SERVER))
        .maybe_attr("id", iq.text_of("id"))
        .attr("type", "error")
        .child(error)
}

/// The stanza with every `<enc>` spoilt.
fn damaged_enc(node: &Node, damage: Damage) -> Node {
    let mut changed = node.clone();
    let children: Vec<Node> = node
        .kids()
        .iter()
        .map(|child| match (child.is("enc"), child.body()) {
            (true, Some(bytes)) if !bytes.is_empty() => {
                let mut bytes = bytes.to_vec();
                match damage {
                    Damage::EncVersion => bytes[0] = 0x77,
                    _ => *bytes.last_mut().unwrap_or(&mut 0) ^= 1,
                }
                let mut spoilt = child.clone();
                spoilt.set_content(wa_binary::Content::Bytes(bytes.into()));
                spoilt
            }
            _ => child.clone(),
        })
        .collect();
    changed.set_content(wa_binary::Content::Nodes(children));
    changed
}

/// The message with `<unavailable/>` where its ciphertext was.
fn unavailable(node: &Node) -> Node {
    let mut changed = node.clone();
    let mut children: Vec<Node> = node.kids().iter().filter(|child| !child.is("enc")).cloned().collect();
    children.push(el("unavailable"));
    changed.set_content(wa_binary::Content::Nodes(children));
    changed
}

impl Conn {
    /// Number of the next iq of the server, as its id.
    pub(crate) fn next_id(&mut self) -> String {
        self.next_iq += 1;
        format!("sim-{}-{}", self.id.0, self.next_iq)
    }
}
