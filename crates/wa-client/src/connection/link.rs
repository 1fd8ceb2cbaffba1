//! The handle of a live connection: send a stanza, ask a question (chapter 01 §7).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use wa_binary::{FieldError, Jid, Node, NodeRef, Stanza};

use super::outcome::Ended;

/// A question and its answer are one type: how it is asked and how it is read.
pub(crate) trait Request {
    /// What is learnt.
    type Response;

    /// The question under an id.
    fn node(&self, id: &str) -> Node;

    /// Reads the answer of type `result`.
    fn parse(&self, answer: NodeRef<'_>) -> Result<Self::Response, FieldError>;
}

/// An iq to the server, without children: how most questions begin.
pub(crate) fn iq(id: &str, kind: &'static str, namespace: &'static str) -> Node {
    Node::new("iq").attr("id", id).attr("to", Jid::SERVER).attr("type", kind).attr("xmlns", namespace)
}

/// Why a question got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no connection, or it ended before the answer.
    #[error("not connected")]
    Disconnected,
    /// No answer within the limit.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The server answered with an error.
    #[error("the server refused: {code} {text}")]
    Refused {
        /// Numeric code; 0 when the answer names none.
        code: u16,
        /// The server's word for it.
        text: String,
        /// How long the server wants us to wait.
        backoff: Option<Duration>,
    },
    /// The answer does not have the form that the protocol asks for.
    #[error("the answer cannot be read: {0}")]
    Malformed(#[from] FieldError),
    /// The question is too large to be written.
    #[error("the request cannot be written")]
    Unwritable,
}

impl RequestError {
    /// Whether asking again later can help.
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Disconnected | Self::Timeout(_) | Self::Refused { code: 408 | 429 | 500 | 503 | 530, .. }
        )
    }
}

/// What the session task is told.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// An encoded stanza.
    Stanza(Bytes),
    /// Stanzas that a step lets leave: they are encoded where they are sealed.
    Several(Vec<Node>),
    /// End the connection, for a reason of our own. Boxed: a channel keeps room for many.
    End(Box<Ended>),
}

/// Questions that wait for their answer.
#[derive(Debug, Default)]
pub(crate) struct PendingRequests(Mutex<HashMap<String, oneshot::Sender<Stanza>>>);

impl PendingRequests {
    /// Gives an answer to its question; what is none comes back. An answer is an `ack`, or an `iq` of type result or
    /// error: a question of the server whose id happens to match does not count. A late answer is dropped.
    pub(crate) fn resolve(&self, stanza: Stanza) -> Option<Stanza> {
        let node = stanza.root();
        let is_answer = match node.tag() {
            "iq" => node.attr_is("type", "result") || node.attr_is("type", "error"),
            "ack" => node.attr_is("class", "message"),
            _ => false,
        };
        if !is_answer {
            return Some(stanza);
        }
        if let Ok(Some(id)) = node.optional("id").string()
            && let Some(waiter) = self.0.lock().remove(id.as_str())
        {
            // The asker may have gone: then nobody wants it.
            let _ = waiter.send(stanza);
        }
        None
    }

    /// The connection is gone: nobody gets an answer any more.
    pub(crate) fn fail_all(&self) {
        self.0.lock().clear();
    }
}

/// A handle of one connection; useless once that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    pending: Arc<PendingRequests>,
    ids: Arc<RequestIds>,
    timeout: Duration,
    generation: u64,
}

/// Ids of requests: a prefix drawn once for a client, then a counter.
#[derive(Debug)]
pub(crate) struct RequestIds {
    prefix: String,
    next: AtomicU32,
}

impl RequestIds {
    pub(crate) fn new(first: u16, second: u16) -> Self {
        Self { prefix: format!("{first}.{second}-"), next: AtomicU32::new(1) }
    }

    pub(crate) fn next(&self) -> String {
        format!("{}{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Link {
    pub(crate) fn new(
        outgoing: mpsc::UnboundedSender<Outgoing>,
        pending: Arc<PendingRequests>,
        ids: Arc<RequestIds>,
        timeout: Duration,
        generation: u64,
    ) -> Self {
        Self { outgoing, pending, ids, timeout, generation }
    }

    /// Number of the connection since the client was made.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the connection still stands.
    pub(crate) fn is_open(&self) -> bool {
        !self.outgoing.is_closed()
    }

    /// Sends a stanza behind everything that was sent before. It may still be lost with the connection.
    pub(crate) fn send(&self, node: &Node) -> Result<(), RequestError> {
        self.send_encoded(encode(node)?)
    }

    /// Sends many stanzas, as [`send`](Self::send) does each. What cannot be written is left out.
    pub(crate) fn send_several(&self, nodes: Vec<Node>) -> Result<(), RequestError> {
        if nodes.is_empty() {
            return Ok(());
        }
        self.outgoing.send(Outgoing::Several(nodes)).map_err(|_| RequestError::Disconnected)
    }

    /// Sends stanza bytes as they are: a sealed stanza goes out byte for byte.
    pub(crate) fn send_encoded(&self, stanza: Bytes) -> Result<(), RequestError> {
        self.outgoing.send(Outgoing::Stanza(stanza)).map_err(|_| RequestError::Disconnected)
    }

    /// Ends the connection behind everything that was sent before.
    pub(crate) fn end(&self, why: Ended) {
        // An end that has already come is as good.
        let _ = self.outgoing.send(Outgoing::End(Box::new(why)));
    }

    /// Asks a question and reads its answer.
    pub(crate) async fn query<R: Request + Sync>(&self, request: &R) -> Result<R::Response, RequestError> {
        let answer = self.ask(|id| request.node(id)).await?;
        Ok(request.parse(answer.root())?)
    }

    /// Asks a question; gives the answer of type `result` as it came.
    pub(crate) async fn ask(&self, node: impl FnOnce(&str) -> Node) -> Result<Stanza, RequestError> {
        let id = self.ids.next();
        let answer = self.exchange(&id, encode(&node(&id))?).await?;
        if answer.root().attr_is("type", "result") { Ok(answer) } else { Err(refusal(answer.root())) }
    }

    /// Sends a message's stanza and waits for the server's ack of its id.
    pub(crate) async fn deliver(&self, id: &str, stanza: Bytes) -> Result<Stanza, RequestError> {
        self.exchange(id, stanza).await
    }

    async fn exchange(&self, id: &str, stanza: Bytes) -> Result<Stanza, RequestError> {
        self.begin(id, stanza)?.answer().await
    }

    /// Sends a stanza now; its answer can be waited for later.
    pub(crate) fn begin(&self, id: &str, stanza: Bytes) -> Result<Begun, RequestError> {
        let (give, take) = oneshot::channel();
        self.pending.0.lock().insert(id.to_owned(), give);
        let forget = Forget { pending: Arc::clone(&self.pending), id: id.to_owned() };
        self.send_encoded(stanza)?;
        Ok(Begun { take, timeout: self.timeout, _forget: forget })
    }
}

/// A stanza that was sent and has no answer yet.
pub(crate) struct Begun {
    take: oneshot::Receiver<Stanza>,
    timeout: Duration,
    _forget: Forget,
}

impl Begun {
    /// Waits for the answer.
    pub(crate) async fn answer(self) -> Result<Stanza, RequestError> {
        match tokio::time::timeout(self.timeout, self.take).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(RequestError::Disconnected),
            Err(_) => Err(RequestError::Timeout(self.timeout)),
        }
    }
}

/// Whoever stops waiting, for whatever reason, takes the entry along.
struct Forget {
    pending: Arc<PendingRequests>,
    id: String,
}

impl Drop for Forget {
    fn drop(&mut self) {
        self.pending.0.lock().remove(&self.id);
    }
}

pub(crate) fn encode(node: &Node) -> Result<Bytes, RequestError> {
    node.encode().map(Bytes::from).map_err(|_| RequestError::Unwritable)
}

fn refusal(answer: NodeRef<'_>) -> RequestError {
    let Some(error) = answer.optional_child("error") else {
        return RequestError::Refused { code: 0, text: String::new(), backoff: None };
    };
    let number = |key| error.optional(key).u64().ok().flatten();
    RequestError::Refused {
        code: number("code").and_then(|code| u16::try_from(code).ok()).unwrap_or(0),
        text: error.optional("text").string().ok().flatten().map(Into::into).unwrap_or_default(),
        backoff: number("backoff").map(Duration::from_secs),
    }
}
