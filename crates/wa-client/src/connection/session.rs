//! The one task of a live connection: frames in, frames out, keepalive (chapter 01 §4.8, §11).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Instant;
use wa_binary::{Decoder, Node, Side, Stanza};
use wa_noise::{FrameDecoder, Transport as Cipher};

use super::link::{Outgoing, PendingRequests};
use super::outcome::Ended;
use super::transport::BoxTransport;

/// How long a server that said goodbye may take to close.
const GOODBYE: Duration = Duration::from_secs(5);
/// Stanzas that are worked on together at most, unless one read brings more.
const BATCH: usize = 256;
/// Bytes of them.
const BATCH_BYTES: usize = 256 << 10;

/// Times of the keepalive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keepalive {
    /// A question goes out after this much silence; drawn anew each time between the two.
    pub(crate) interval: (Duration, Duration),
    /// The socket is dead when nothing came for this long after the first send since the last receive.
    pub(crate) dead_after: Duration,
    /// The connection is dead when its first bytes have not come by then.
    pub(crate) first_within: Duration,
    /// The connection is dead when bytes may come, but no whole frame did for this long: a length that is never filled.
    pub(crate) stalled_after: Duration,
}

/// Work on a batch of stanzas, in order; gives the end of the connection if one of them means it.
pub(crate) type Work = Pin<Box<dyn Future<Output = Option<Ended>> + Send>>;

/// Takes what a connection receives.
pub(crate) trait Inbound: Send + Sync {
    /// Begins to work on the stanzas of one read. The next batch comes only after this one is done.
    fn receive(&self, batch: Vec<Stanza>) -> Work;
    /// A keepalive question, ready to be sent.
    fn ping(&self) -> Node;
    /// The server's time, seconds, as an answer to a question of ours gave it just now.
    fn server_time(&self, seconds: u64);
    /// When the next question is due: a wait drawn between two bounds.
    fn draw(&self, between: (Duration, Duration)) -> Duration;
    /// Frames went into the socket.
    fn written(&self);
    /// A frame opened and was no stanza.
    fn garbled(&self);
}

/// A connection after its handshake.
pub(crate) struct Session {
    pub(crate) transport: BoxTransport,
    pub(crate) decoder: FrameDecoder,
    pub(crate) cipher: Cipher,
    pub(crate) outgoing: mpsc::UnboundedReceiver<Outgoing>,
    pub(crate) pending: Arc<PendingRequests>,
    pub(crate) keepalive: Keepalive,
    pub(crate) inbound: Arc<dyn Inbound>,
}

impl Session {
    /// Runs until the connection ends, and fails what still waits for an answer.
    pub(crate) async fn run(mut self) -> Ended {
        let ended = self.serve().await;
        self.pending.fail_all();
        // Whatever the other side makes of it, the connection is over.
        let _ = tokio::time::timeout(GOODBYE, self.transport.close()).await;
        ended
    }

    async fn serve(&mut self) -> Ended {
        let mut work: Option<Work> = None;
        let mut batch = Vec::new();
        if let Err(ended) = self.open_frames(&mut Decoder::new(), &mut batch) {
            return ended;
        }
        let mut last_received = Instant::now();
        let mut last_frame = last_received;
        let mut first_by = batch.is_empty().then(|| last_received + self.keepalive.first_within);
        // The first send since the last receive: later ones must not move it.
        let mut unanswered: Option<Instant> = None;
        let mut asked_since = false;
        let mut next_ping = last_received + self.inbound.draw(self.keepalive.interval);
        let mut leaving: Option<Instant> = None;
        let mut ending: Option<Ended> = None;
        // Nothing can be written any more. What was received before still counts: it may say why.
        let mut is_deaf = false;
        loop {
            if work.is_none() && !batch.is_empty() {
                work = Some(self.inbound.receive(std::mem::take(&mut batch)));
            }
            // While we work on a batch we do not read, and so cannot know who is silent.
            let reads = work.is_none();
            let dead_at = unanswered.filter(|_| reads).map(|since| since + self.keepalive.dead_after);
            // Acks and receipts get no answer: a question in good time tells a quiet server from a dead socket.
            let ask_at =
                unanswered.filter(|_| !asked_since).map(|since| since + self.keepalive.dead_after / 2);
            let is_partial = self.decoder.buffered() > 0;
            let stalled_at = (reads && is_partial).then_some(last_frame + self.keepalive.stalled_after);
            let [ask_at, ping_at] = if is_deaf { [None; 2] } else { [ask_at, Some(next_ping)] };
            let timers = [ping_at, ask_at, dead_at, stalled_at, first_by, leaving];
            let timer = timers.into_iter().flatten().min().unwrap_or(next_ping);
            tokio::select! {
                biased;
                ended = async { match &mut work { Some(work) => work.await, None => std::future::pending().await } } => {
                    work = None;
                    last_frame = Instant::now();
                    if let Some(ended) = ended.or(ending.take()) {
                        // What the end itself queued (an ack, a refusal) still goes out.
                        let _ = self.write_queued(None).await;
                        return ended;
                    }
                }
                outgoing = self.outgoing.recv(), if ending.is_none() && !is_deaf => {
                    match self.write_queued(outgoing).await {
                        Ok(()) => { unanswered.get_or_insert_with(Instant::now); }
                        Err(Ended::Closed(_)) => {
                            is_deaf = true;
                            leaving.get_or_insert(Instant::now() + GOODBYE);
                        }
                        // What was begun is finished: its commit, its acks.
                        Err(ended) if work.is_some() => ending = Some(ended),
                        Err(ended) => return ended,
                    }
                }
                // Nothing is read while a batch is worked on: the server waits for us, not memory.
                message = self.transport.next(), if work.is_none() && ending.is_none() => {
                    let bytes = match message {
                        Some(Ok(bytes)) => bytes,
                        Some(Err(error)) => return Ended::Closed(Some(error.to_string())),
                        None => return Ended::Closed(None),
                    };
                    last_received = Instant::now();
                    first_by = None;
                    unanswered = None;
                    asked_since = false;
                    if self.decoder.buffered() == 0 {
                        // What begins now may take its time.
                        last_frame = last_received;
                    }
                    self.decoder.push(&bytes);
                    // What has arrived by now shares one step, one commit and one write of its answers.
                    let mut taken = bytes.len();
                    // Its room is not kept: most accounts are idle most of the time.
                    let mut arena = Decoder::new();
                    loop {
                        let waiting = self.decoder.buffered();
                        if let Err(ended) = self.open_frames(&mut arena, &mut batch) {
                            return ended;
                        }
                        if self.decoder.buffered() < waiting {
                            last_frame = last_received;
                        }
                        if taken >= BATCH_BYTES || batch.len() >= BATCH {
                            break;
                        }
                        match self.transport.next().now_or_never() {
                            Some(Some(Ok(bytes))) => {
                                taken += bytes.len();
                                self.decoder.push(&bytes);
                            }
                            // Known when the batch is done.
                            Some(Some(Err(error))) => ending = Some(Ended::Closed(Some(error.to_string()))),
                            Some(None) => ending = Some(Ended::Closed(None)),
                            None => break,
                        }
                        if ending.is_some() {
                            break;
                        }
                    }
                    let received = batch.len();
                    batch.retain(|stanza| !stanza.root().is("xmlstreamend"));
                    if batch.len() < received {
                        leaving = Some(Instant::now() + GOODBYE);
                    }
                    if batch.is_empty()
                        && let Some(ended) = ending.take()
                    {
                        return ended;
                    }
                }
                () = tokio::time::sleep_until(timer) => {
                    let now = Instant::now();
                    if leaving.is_some_and(|at| at <= now) {
                        return Ended::Closed((!is_deaf).then(|| "the server said goodbye".into()));
                    }
                    let ask = ask_at.is_some_and(|at| at <= now);
                    if !is_deaf && (next_ping <= now || ask) {
                        next_ping = now + self.inbound.draw(self.keepalive.interval);
                        if ask || now - last_received >= self.keepalive.interval.0 {
                            asked_since = true;
                            let ping = self.inbound.ping();
                            if let Ok(bytes) = super::link::encode(&ping) {
                                if let Err(ended) = self.write_queued(Some(Outgoing::Stanza(bytes))).await {
                                    return ended;
                                }
                                unanswered.get_or_insert(now);
                            }
                        }
                    }
                    // While we work on a batch we do not read, and so cannot know.
                    let is_silent = unanswered.is_some_and(|since| since + self.keepalive.dead_after <= now);
                    let is_stalled = is_partial && last_frame + self.keepalive.stalled_after <= now;
                    let is_mute = first_by.is_some_and(|at| at <= now);
                    if work.is_none() && (is_silent || is_stalled || is_mute) {
                        return Ended::KeepaliveLost;
                    }
                }
            }
        }
    }

    /// Opens every whole frame that has arrived. Answers go to who asked; a frame that is no stanza is dropped.
    fn open_frames(&mut self, arena: &mut Decoder, stanzas: &mut Vec<Stanza>) -> Result<(), Ended> {
        loop {
            let frame = match self.decoder.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                Err(_) => return Err(Ended::OutOfStep),
            };
            let Ok(plaintext) = self.cipher.opener.open(frame) else { return Err(Ended::OutOfStep) };
            match arena.keep(plaintext) {
                Ok(stanza) => {
                    let node = stanza.root();
                    if node.is("iq")
                        && node.attr_is("type", "result")
                        && let Ok(Some(seconds)) = node.optional("t").u64()
                    {
                        self.inbound.server_time(seconds);
                    }
                    stanzas.extend(self.pending.resolve(stanza));
                }
                Err(error) => {
                    tracing::warn!(%error, "a frame that is no stanza was dropped");
                    self.inbound.garbled();
                }
            }
        }
    }

    fn seal(&mut self, wire: &mut Vec<u8>, stanza: &[u8]) -> Result<(), Ended> {
        self.cipher.sealer.seal(wire, stanza).map_err(|_| Ended::OutOfStep)
    }

    /// Seals what is queued, in order, and writes it at once.
    async fn write_queued(&mut self, first: Option<Outgoing>) -> Result<(), Ended> {
        let (mut wire, mut encoded) = (Vec::new(), Vec::new());
        let mut next = first.or_else(|| self.outgoing.try_recv().ok());
        let mut ended = None;
        while let Some(outgoing) = next {
            match outgoing {
                Outgoing::Stanza(bytes) => {
                    self.seal(&mut wire, &bytes)?;
                }
                Outgoing::Several(nodes) => {
                    for node in &nodes {
                        encoded.clear();
                        // What is too large to be written could never be sent.
                        if node.encode_into(Side::Client, &mut encoded).is_ok() {
                            self.seal(&mut wire, &encoded)?;
                        }
                    }
                }
                Outgoing::End(why) => {
                    ended = Some(*why);
                    break;
                }
            }
            next = self.outgoing.try_recv().ok();
        }
        if !wire.is_empty() {
            if self.transport.send(Bytes::from(wire)).await.is_err() {
                return Err(Ended::Closed(None));
            }
            self.inbound.written();
        }
        ended.map_or(Ok(()), Err)
    }
}
