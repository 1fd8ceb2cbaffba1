//! One connection: handshake, then stanzas in both directions (chapters 01 §2–§4, 10 §1.2, §16).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, interval_at, sleep_until, timeout};
use wa_binary::Node;
use wa_noise::{
    FrameDecoder, FrameOpener, FrameSealer, Header, HelloReply, IkPolicy, ServerEstablished, ServerHandshake,
};

use super::frames::{Outbox, spoil_hello};
use super::hub::{Commands, Hub};
use super::pipe::{Incoming, Pipe};
use crate::faults::{Action, CloseHow, Damage, FreezeMode, HandshakeFault, Phase};
use crate::watch::Rule;
use crate::world::ConnId;

/// A handshake must be done within this.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// Longest frame before the login payload is known.
const HANDSHAKE_FRAME: usize = 64 << 10;
/// A closing handshake is given this long.
const CLOSING: Duration = Duration::from_secs(2);

/// What the world tells a connection.
#[derive(Debug)]
pub(crate) enum Command {
    /// Write a stanza.
    Send { node: Arc<Node>, damage: Option<Damage> },
    /// Close.
    Close(CloseHow),
    /// Stop using one half or both.
    Freeze(FreezeMode),
    /// Write no faster.
    Throttle(u32),
}

/// Runs a connection to its end.
pub(crate) async fn run<P: Pipe>(hub: Arc<Hub>, mut pipe: P, remote: String) {
    let (conn, commands) = hub.open(&remote);
    let mut session = Session { hub: hub.clone(), conn, decoder: FrameDecoder::with_limit(HANDSHAKE_FRAME) };
    match timeout(HANDSHAKE, session.handshake(&mut pipe)).await {
        Ok(Some(established)) => session.stanzas(&mut pipe, established, commands).await,
        Ok(None) => {}
        Err(_) => tracing::info!("connection {} says nothing: given up", conn.0),
    }
    hub.gone(conn);
}

struct Session {
    hub: Arc<Hub>,
    conn: ConnId,
    decoder: FrameDecoder,
}

/// How a connection may still be used.
#[derive(Default)]
struct Limits {
    reads: bool,
    writes: bool,
    bytes_per_second: Option<u32>,
    free_at: Option<Instant>,
}

/// The next ping; never without a beat.
async fn due(pings: &mut Option<Interval>) {
    match pings {
        Some(pings) => {
            pings.tick().await;
        }
        None => std::future::pending().await,
    }
}

impl Session {
    async fn handshake<P: Pipe>(&mut self, pipe: &mut P) -> Option<ServerEstablished> {
        let header = self.intro(pipe).await?;
        let hello = self.frame(pipe).await?;
        let mut spoilt = None;
        let (mut chain, mut ik) = (None, IkPolicy::Accept);
        for action in self.hub.stage(self.conn, Phase::Hello) {
            match action {
                Action::Handshake { fault } => match fault {
                    HandshakeFault::RefuseIk => ik = IkPolicy::Refuse,
                    HandshakeFault::RotateStatic => self.hub.rotate_static(),
                    HandshakeFault::Chain(fault) => chain = Some(fault),
                    other => spoilt = Some(other),
                },
                other => self.interrupt(pipe, &other).await?,
            }
        }
        let (identity, mut rng) = self.hub.handshake_material(self.conn, chain);
        let mut responder = ServerHandshake::new(identity, header, ik);
        let reply = match responder.read_client_hello(&hello, &mut rng) {
            Ok(reply) => reply,
            Err(error) => {
                self.hub.observe(self.conn, Rule::BadFrame, format!("ClientHello: {error}"));
                return None;
            }
        };
        let (server_hello, established) = match reply {
            HelloReply::AwaitFinish { server_hello } => (server_hello, None),
            HelloReply::Established { server_hello, established } => (server_hello, Some(*established)),
        };
        let server_hello = match spoilt {
            Some(fault) => spoil_hello(&server_hello, fault),
            None => server_hello,
        };
        let mut outbox = Outbox::default();
        outbox.push_frame(&server_hello).ok()?;
        for piece in outbox.take() {
            pipe.write(piece).await.ok()?;
        }
        let established = match established {
            Some(established) => established,
            None => {
                let finish = self.frame(pipe).await?;
                match responder.read_client_finish(&finish) {
                    Ok(established) => established,
                    Err(error) => {
                        self.hub.observe(self.conn, Rule::BadFrame, format!("ClientFinish: {error}"));
                        return None;
                    }
                }
            }
        };
        for action in self.hub.stage(self.conn, Phase::Finish) {
            self.interrupt(pipe, &action).await?;
        }
        self.decoder.set_limit(wa_noise::MAX_FRAME);
        Some(established)
    }

    /// A fault that ends the handshake; `None` when it did.
    async fn interrupt<P: Pipe>(&self, pipe: &mut P, action: &Action) -> Option<()> {
        match action {
            Action::Close { how, .. } => {
                // Closing itself has no time limit of its own.
                let _ = timeout(CLOSING, pipe.close(*how)).await;
                None
            }
            Action::Freeze { .. } => {
                std::future::pending::<()>().await;
                None
            }
            _ => Some(()),
        }
    }

    async fn intro<P: Pipe>(&mut self, pipe: &mut P) -> Option<Header> {
        loop {
            match self.decoder.next_intro() {
                Ok(Some(intro)) => return Some(intro.header),
                Ok(None) => self.more(pipe).await?,
                Err(error) => {
                    self.hub.observe(self.conn, Rule::BadFrame, format!("header: {error}"));
                    return None;
                }
            }
        }
    }

    async fn frame<P: Pipe>(&mut self, pipe: &mut P) -> Option<Vec<u8>> {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => return Some(frame.to_vec()),
                Ok(None) => self.more(pipe).await?,
                Err(error) => {
                    self.hub.observe(self.conn, Rule::BadFrame, format!("frame: {error}"));
                    return None;
                }
            }
        }
    }

    async fn more<P: Pipe>(&mut self, pipe: &mut P) -> Option<()> {
        match pipe.read().await {
            Incoming::Bytes(bytes) => self.decoder.push_owned(bytes),
            Incoming::Text => self.hub.observe(self.conn, Rule::TextFrame, "before the login".to_owned()),
            Incoming::Closed => return None,
        }
        Some(())
    }

    async fn stanzas<P: Pipe>(
        &mut self,
        pipe: &mut P,
        established: ServerEstablished,
        mut commands: Commands,
    ) {
        let (mut sealer, mut opener) = (established.transport.sealer, established.transport.opener);
        self.hub.payload(self.conn, *established.client_key.as_bytes(), &established.payload);
        let mut limits = Limits { reads: true, writes: true, ..Limits::default() };
        let mut outbox = Outbox::default();
        let beat =
            self.hub.look(|world| world.config.websocket_ping_ms).map(|ms| Duration::from_millis(ms.max(1)));
        let mut pings = beat.map(|beat| interval_at(Instant::now() + beat, beat));
        // What came along with the handshake.
        if !self.take_frames(&mut opener) {
            return;
        }
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => {
                    let Some(command) = command else { return };
                    if self.obey(pipe, command, &mut commands, &mut sealer, &mut outbox, &mut limits).await.is_none() {
                        return;
                    }
                }
                incoming = pipe.read(), if limits.reads => match incoming {
                    Incoming::Bytes(bytes) => {
                        if self.decoder.buffered() == 0 && bytes.starts_with(b"WA\x06") {
                            self.hub.observe(self.conn, Rule::SecondHeader, "header in front of a later frame".to_owned());
                            return;
                        }
                        self.decoder.push_owned(bytes);
                        if !self.take_frames(&mut opener) {
                            return;
                        }
                    }
                    Incoming::Text => self.hub.observe(self.conn, Rule::TextFrame, "text message".to_owned()),
                    Incoming::Closed => return,
                },
                () = due(&mut pings), if limits.writes => {
                    if pipe.ping().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Hands the frames that are complete to the world; `false` when the stream is broken.
    fn take_frames(&mut self, opener: &mut FrameOpener) -> bool {
        loop {
            let frame = match self.decoder.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return true,
                Err(error) => {
                    self.hub.observe(self.conn, Rule::BadFrame, error.to_string());
                    return false;
                }
            };
            match opener.open(frame) {
                Ok(plaintext) => self.hub.frame(self.conn, plaintext),
                Err(error) => {
                    self.hub.observe(self.conn, Rule::BadFrame, error.to_string());
                    return false;
                }
            }
        }
    }

    async fn obey<P: Pipe>(
        &self,
        pipe: &mut P,
        first: Command,
        commands: &mut Commands,
        sealer: &mut FrameSealer,
        outbox: &mut Outbox,
        limits: &mut Limits,
    ) -> Option<()> {
        let mut next = Some(first);
        let mut close = None;
        while let Some(command) = next {
            match command {
                Command::Send { node, damage } => {
                    outbox.push(sealer, &node, damage).ok()?;
                }
                Command::Close(how) => close = Some(how),
                Command::Freeze(mode) => {
                    limits.reads &= mode == FreezeMode::NeverWrite;
                    limits.writes &= mode == FreezeMode::NeverRead;
                }
                Command::Throttle(bytes_per_second) => {
                    limits.bytes_per_second = Some(bytes_per_second.max(1));
                }
            }
            if close.is_some() || outbox.is_full() {
                break;
            }
            next = commands.try_recv();
        }
        for piece in outbox.take() {
            if !limits.writes {
                continue;
            }
            if let Some(rate) = limits.bytes_per_second {
                if let Some(free_at) = limits.free_at {
                    sleep_until(free_at).await;
                }
                let cost = Duration::from_secs_f64(piece.len() as f64 / f64::from(rate));
                limits.free_at = Some(Instant::now() + cost);
            }
            pipe.write(piece).await.ok()?;
        }
        if let Some(how) = close {
            // A peer that does not answer a close must not keep the task.
            let _ = timeout(CLOSING, pipe.close(how)).await;
            return None;
        }
        Some(())
    }
}
