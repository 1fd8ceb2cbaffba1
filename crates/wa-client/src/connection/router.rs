//! Where every stanza of the server goes: one table by tag and type (chapters 01 §6, §9 and 05).

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use wa_binary::{Jid, Node, NodeRef, Stanza};
use wa_core::envelope::Nack;
use wa_store::Changes;

use super::acks::ack;
use super::link::Link;
use super::outcome::Ended;
use super::session::{Inbound, Work};
use crate::health::board::Board;
use crate::health::{Cause, Condition, Stage, Status};
use crate::shared::Shared;
use crate::{devices, linking, messages, prekeys, presence, startup, state, vault};

/// The handlers of one connection.
pub(crate) struct Router {
    shared: Arc<Shared>,
    link: Link,
    stage: AtomicU8,
    logged_in: Mutex<Option<Instant>>,
    backlog: Mutex<Backlog>,
}

/// The offline phase of a connection (chapter 05 §14).
#[derive(Debug, Default)]
struct Backlog {
    announced: u64,
    received: u64,
    requested: u64,
    done: bool,
}

/// Stanzas that one request for the backlog asks for.
const BATCH: u64 = 200;

impl Router {
    pub(crate) fn new(shared: Arc<Shared>, link: Link) -> Self {
        Self {
            shared,
            link,
            stage: AtomicU8::new(Stage::Login as u8),
            logged_in: Mutex::new(None),
            backlog: Mutex::default(),
        }
    }

    /// The stage that the connection has reached.
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            stage if stage == Stage::Online as u8 => Stage::Online,
            stage if stage == Stage::CatchingUp as u8 => Stage::CatchingUp,
            _ => Stage::Login,
        }
    }

    /// When the login was accepted.
    pub(crate) fn logged_in_at(&self) -> Option<Instant> {
        *self.logged_in.lock()
    }

    fn reached(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    async fn work(self: Arc<Self>, batch: Vec<Stanza>) -> Option<Ended> {
        let mut together = Vec::with_capacity(batch.len());
        for stanza in batch {
            self.count_backlog(stanza.root());
            if stanza.root().is("message") || messages::receipts::is_plain(stanza.root()) {
                together.push(stanza);
                continue;
            }
            // What stands between them keeps its place among them.
            if let Some(ended) = self.take(&mut together).await {
                return Some(ended);
            }
            if let Some(ended) = self.one(stanza.root().to_node()).await {
                return Some(ended);
            }
        }
        self.take(&mut together).await
    }

    /// Messages and receipts in one step.
    async fn take(&self, together: &mut Vec<Stanza>) -> Option<Ended> {
        if together.is_empty() {
            return None;
        }
        vault::receive(&self.shared, &self.link, std::mem::take(together)).await.err()
    }

    async fn one(&self, stanza: Node) -> Option<Ended> {
        let shared = &self.shared;
        match stanza.tag() {
            "success" => self.success(&stanza).await,
            "failure" => return Some(Ended::Failure(stanza)),
            "stream:error" => return Some(Ended::StreamError(stanza)),
            "ib" => self.bulletin(&stanza).await,
            "iq" => return self.server_iq(&stanza).await,
            // Somebody asks for a message again.
            "receipt" => return messages::retry::answer(shared, &self.link, stanza).await.err(),
            "notification" => return self.notification(stanza).await,
            "call" => return crate::calls::receive(shared, &self.link, &stanza).await.err(),
            "chatstate" => presence::chatstate(shared, &stanza).await,
            "presence" | "ack" => {}
            other => {
                tracing::debug!(tag = other, "a stanza of an unknown tag");
                self.acknowledge(&stanza, Some(Nack::UnknownStanza));
            }
        }
        None
    }

    async fn success(&self, stanza: &Node) {
        // A second one, or one for a connection that did not log in, means nothing (chapter 01 §6.1).
        if self.shared.device().registration.is_none() || self.logged_in.lock().is_some() {
            return;
        }
        *self.logged_in.lock() = Some(Instant::now());
        self.reached(Stage::CatchingUp);
        if let Ok(Some(seconds)) = stanza.optional("t").u64() {
            self.shared.learn_time(seconds);
        }
        let status = Status::CatchingUp { received: 0, announced: 0 };
        let condition = Condition::new(status, Cause::OfflineBacklog, self.shared.now());
        self.shared.report(|board| board.connection(condition));
        startup::begin(&self.shared, &self.link, stanza.optional("lid").jid().ok().flatten());
    }

    async fn bulletin(&self, stanza: &Node) {
        for child in stanza.each_child() {
            match child.tag() {
                "offline_preview" => {
                    let announced = child.optional("count").u64().ok().flatten().unwrap_or(0);
                    self.backlog.lock().announced = announced;
                    if announced > 0 {
                        self.ask_for_backlog();
                    }
                    startup::watch_backlog(&self.shared, &self.link);
                }
                "offline" => self.caught_up(),
                "edge_routing" => {
                    let bytes = child.optional_child("routing_info").and_then(NodeRef::optional_bytes);
                    if let Some(bytes) = bytes {
                        let mut changes = Changes::new();
                        state::put_routing_info(&mut changes, &bytes);
                        let _ = self.shared.vault.lock().await.commit(&self.shared, changes).await;
                    }
                }
                "dirty" => startup::dirty(&self.shared, &self.link, child),
                "downgrade_webclient" => linking::phone_too_old(&self.shared),
                "client_expiration" => startup::client_expires(&self.shared, child),
                other => tracing::debug!(tag = other, "a bulletin without a handler"),
            }
        }
    }

    fn ask_for_backlog(&self) {
        self.backlog.lock().requested += BATCH;
        let batch = Node::new("offline_batch").attr("count", BATCH.to_string());
        // A connection that is gone asks again when it is back.
        let _ = self.link.send(&Node::new("ib").child(batch));
    }

    fn count_backlog(&self, stanza: NodeRef<'_>) {
        if !stanza.has_attr("offline") {
            return;
        }
        let mut backlog = self.backlog.lock();
        backlog.received += 1;
        let (received, announced) = (backlog.received, backlog.announced);
        // The first stanza of a batch has come and more is announced than was asked for: ask on.
        if backlog.requested > 0 && received + BATCH > backlog.requested && backlog.requested < announced {
            backlog.requested += BATCH;
            drop(backlog);
            let link = self.link.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let batch = Node::new("offline_batch").attr("count", BATCH.to_string());
                let _ = link.send(&Node::new("ib").child(batch));
            });
        } else {
            drop(backlog);
        }
        if self.stage() == Stage::CatchingUp {
            let status = Status::CatchingUp { received, announced };
            let condition = Condition::new(status, Cause::OfflineBacklog, self.shared.now());
            self.shared.report(|board| board.connection(condition));
        }
    }

    fn caught_up(&self) {
        let first = !std::mem::replace(&mut self.backlog.lock().done, true);
        if first && self.logged_in.lock().is_some() {
            self.reached(Stage::Online);
            startup::caught_up(&self.shared, &self.link);
        }
    }

    async fn server_iq(&self, stanza: &Node) -> Option<Ended> {
        let from_server = stanza.optional("from").jid().ok().flatten().is_none_or(|from| from == Jid::SERVER);
        if let Some(offer) = stanza.optional_child("pair-device").filter(|_| from_server) {
            linking::offer(&self.shared, &self.link, stanza, offer);
        } else if let Some(success) = stanza.optional_child("pair-success").filter(|_| from_server) {
            return linking::accept(&self.shared, &self.link, stanza, success).await;
        } else if (stanza.attr_is("xmlns", "urn:xmpp:ping") || stanza.optional_child("ping").is_some())
            && let Ok(Some(id)) = stanza.optional("id").string()
        {
            let to = stanza.optional("from").jid().ok().flatten().unwrap_or(Jid::SERVER);
            let pong = Node::new("iq").attr("to", to).attr("type", "result").attr("id", id);
            let _ = self.link.send(&pong);
        }
        None
    }

    async fn notification(&self, stanza: Node) -> Option<Ended> {
        let (shared, link) = (&self.shared, &self.link);
        let kind = stanza.optional("type").string().ok().flatten().unwrap_or_default();
        let handled = match kind.as_str() {
            "encrypt" => prekeys::notification(shared, link, &stanza).await,
            "devices" | "account_sync" => devices::notification(shared, &stanza).await,
            "server_sync" => crate::app_state::notification(shared, &stanza).await,
            "w:gp2" => crate::groups::notification(shared, &stanza).await,
            "privacy_token" => crate::privacy::notification(shared, &stanza).await,
            "companion_reg_refresh" => linking::refresh(shared, link, &stanza).await,
            "mex" => {
                crate::standing::notification(shared, &stanza);
                Ok(())
            }
            "mediaretry" => crate::media::notification(shared, link, &stanza).await,
            "link_code_companion_reg" => linking::code_notification(shared, link, &stanza).await,
            "passkey_prologue_request" => linking::passkey_demanded(shared, link, &stanza).await,
            "crsc_continuation" => {
                linking::passkey_continuation(shared, link, &stanza);
                Ok(())
            }
            _ => Ok(()),
        };
        match handled {
            Ok(()) => {
                kill_point!(shared, NotificationStored);
                self.acknowledge(&stanza, None);
            }
            // Not stored: not acknowledged, so that it comes again.
            Err(ended) => return Some(ended),
        }
        None
    }

    fn acknowledge(&self, stanza: &Node, error: Option<Nack>) {
        if let Some(ack) = ack(stanza, error) {
            // Without a connection the server sends the stanza again.
            let _ = self.link.send(&ack);
        }
    }
}

/// A router and the handle of its connection.
impl Inbound for Arc<Router> {
    fn receive(&self, batch: Vec<Stanza>) -> Work {
        Box::pin(Arc::clone(self).work(batch))
    }

    fn ping(&self) -> Node {
        super::link::iq(&self.shared.ids.next(), "get", "w:p")
    }

    fn server_time(&self, seconds: u64) {
        self.shared.learn_time(seconds);
    }

    fn draw(&self, between: (Duration, Duration)) -> Duration {
        let shared = &self.shared;
        shared.beat.adjust(shared.now(), shared.draw(between), between)
    }

    fn written(&self) {
        kill_point!(self.shared, FramesWritten);
    }

    fn garbled(&self) {
        self.shared.report(Board::garbled);
    }
}
