//! Connects, lets the connection live, and decides what follows its end (chapter 01 §12).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use wa_noise::{ClientParameters, Header};
use wa_store::{Changes, UnixTime};

use super::backoff::{Backoff, STABLE_AFTER};
use super::handshake::{self, ServerMemory, Terms};
use super::link::{Link, PendingRequests};
use super::outcome::{Ended, Next, Stop, Verdict};
use super::router::Router;
use super::session::{Keepalive, Session};
use crate::credentials::Own;
use crate::events::StoredEvent;
use crate::health::board::Place;
use crate::health::{
    Attempt, Cause, Condition, DeadlineKind, Evidence, LinkOffer, LoggedOutBy, Stage, Status,
};
use crate::login::{self, LookUp};
use crate::shared::Shared;
use crate::state;
use crate::vault::together;

/// How long after a look-up that found nothing new the version is looked up again.
const VERSION_AGAIN: Duration = Duration::from_secs(3600);

/// What the application tells the supervisor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Control {
    /// Connect now: a wait ends, a stop is lifted, a connection is renewed.
    Reconnect,
    /// Forget the link, told or not.
    Forget,
    /// End for good.
    Shutdown,
}

/// The loop of one account.
pub(crate) struct Supervisor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
    backoff: Backoff,
    memory: ServerMemory,
    generation: u64,
    /// Restarts that the server asked for since the last connection that was stable.
    restarts: u32,
}

impl Supervisor {
    pub(crate) fn new(shared: Arc<Shared>, control: mpsc::UnboundedReceiver<Control>) -> Self {
        Self {
            backoff: Backoff::new(shared.config.back_off),
            shared,
            control,
            memory: ServerMemory::default(),
            generation: 0,
            restarts: 0,
        }
    }

    /// Runs until the application ends it.
    pub(crate) async fn run(mut self) {
        self.memory.known = state::known_server(&self.shared.store).await;
        crate::absence::load(&self.shared).await;
        tokio::spawn(crate::absence::watch(Arc::downgrade(&self.shared)));
        'life: loop {
            let mut verdict = self.connect().await;
            self.shared.set_link(None);
            loop {
                verdict = match self.follow(verdict).await {
                    Then::Connect => break,
                    Then::Do(verdict) => verdict,
                    Then::End => break 'life,
                };
            }
        }
        let now = self.shared.now();
        self.shared.report(|board| {
            // What ended it for good stays to be seen.
            if !board.is_over() {
                board.connection(Condition::new(Status::Stopped, Cause::Stopped, now));
            }
        });
        // What it would still store nobody waits for after this.
        let _ = together::finish(&self.shared).await;
        if let Err(error) = self.shared.store.release().await {
            tracing::warn!(%error, "the lease was not given back");
        }
        self.shared.set_stopped();
    }

    /// One attempt, from the dial to the end of the connection.
    async fn connect(&mut self) -> Verdict {
        let started = self.shared.now();
        let mut stage = Stage::Dial;
        let result = {
            let attempt = attempt(&self.shared, &mut self.memory, &mut self.generation, &mut stage);
            tokio::pin!(attempt);
            loop {
                tokio::select! {
                    ended = &mut attempt => break ended,
                    ended = told(&mut self.control) => match self.shared.link() {
                        // A live connection finishes what it has begun.
                        Ok(link) => link.end(ended),
                        Err(_) => break Err(ended.verdict()),
                    },
                }
            }
        };
        let (verdict, online) = match result {
            Ok((ended, online)) => (self.read(ended).verdict(), online),
            Err(verdict) => (verdict, Duration::ZERO),
        };
        self.backoff.connected_for(online);
        if online >= STABLE_AFTER {
            self.restarts = 0;
        }
        let failure = Some(verdict.cause);
        self.shared.report(|board| board.attempt(Attempt { at: started, stage, failure }));
        verdict
    }

    /// What the end of a connection means for an account that is not linked yet, or is since just now.
    fn read(&self, ended: Ended) -> Ended {
        let linked = self.shared.device().registration.is_some();
        let completed = self.shared.linking.take_completed();
        match ended {
            Ended::StreamError(_) | Ended::Failure(_)
                if self.shared.is_leaving()
                    && matches!(ended.verdict().cause, Cause::DeviceRemoved | Cause::UnlinkedByPhone) =>
            {
                Ended::LoggedOut
            }
            // The account has more devices than it may: the oldest makes room.
            Ended::StreamError(node)
                if self.shared.had_new_device()
                    && Cause::DeviceRemoved == Ended::StreamError(node.clone()).verdict().cause =>
            {
                Ended::Evicted(node)
            }
            // After `pair-success` the server closes; the login follows at once.
            Ended::Closed(_) if completed => Ended::Reconnect,
            // The server closes when the refs are used up: asking for new ones is a person's decision.
            Ended::Closed(why) if !linked => self.shared.linking.ran_out().unwrap_or(Ended::Closed(why)),
            other => other,
        }
    }

    /// Does what the verdict says.
    async fn follow(&mut self, verdict: Verdict) -> Then {
        let Verdict { cause, evidence, next } = verdict;
        match next {
            Next::Restart => {
                // Every link ends with one; a server that goes on asking is not hammered.
                let wait = if self.restarts == 0 { 0 } else { 1 << self.restarts.min(6) };
                self.restarts += 1;
                self.wait(Duration::from_secs(wait), cause, evidence).await
            }
            Next::Again => self.wait(Duration::ZERO, cause, evidence).await,
            Next::Later => {
                let wait = self.backoff.next(&mut self.shared.rng());
                self.wait(wait, cause, evidence).await
            }
            Next::MuchLater => {
                self.backoff.penalize();
                let wait = self.backoff.next(&mut self.shared.rng());
                self.wait(wait, cause, evidence).await
            }
            Next::NewVersion => match login::look_up_version(&self.shared).await {
                LookUp::Newer => self.wait(Duration::ZERO, cause, evidence).await,
                // The source may know more later.
                LookUp::NothingNew => {
                    self.wait_as(Status::ClientOutdated, VERSION_AGAIN, cause, evidence).await
                }
                LookUp::NoSource => self.stop(Status::ClientOutdated, cause, evidence, None).await,
            },
            Next::Stop(stop) => self.stopped(stop, cause, evidence).await,
        }
    }

    /// Waits, interruptibly.
    async fn wait(&mut self, wait: Duration, cause: Cause, evidence: Option<Evidence>) -> Then {
        if wait.is_zero() {
            return Then::Connect;
        }
        let next_at = self.shared.now().after(wait);
        // The wait has taken its step already.
        let attempt = self.backoff.attempt().saturating_sub(1).max(1);
        let status = Status::Reconnecting { attempt, next_at };
        self.wait_as(status, wait, cause, evidence).await
    }

    async fn wait_as(
        &mut self,
        status: Status,
        wait: Duration,
        cause: Cause,
        evidence: Option<Evidence>,
    ) -> Then {
        let now = self.shared.now();
        self.report(Condition::new(status, cause, now).next_attempt(now.after(wait)), evidence);
        tokio::select! {
            () = tokio::time::sleep(wait) => Then::Connect,
            control = self.control.recv() => Then::of(control),
        }
    }

    async fn stopped(&mut self, stop: Stop, cause: Cause, evidence: Option<Evidence>) -> Then {
        match stop {
            Stop::Stopped => Then::End,
            Stop::LoggedOut(how) => {
                self.forget(how).await;
                self.stop(Status::LoggedOut(how), cause, evidence, None).await
            }
            Stop::Barred => {
                self.forget(LoggedOutBy::DeviceRemoved).await;
                self.stop(Status::BannedOrLocked, cause, evidence, None).await
            }
            Stop::BannedFor(span) => {
                let until = self.shared.now().after(span);
                self.shared.report(|board| board.deadline(DeadlineKind::BanEnds, Some(until)));
                self.stop(Status::TemporarilyBanned { until }, cause, evidence, Some(until)).await
            }
            Stop::Replaced => self.stop(Status::Replaced, cause, evidence, None).await,
            Stop::Refused | Stop::LinkRefused => self.stop(Status::Refused, cause, evidence, None).await,
            Stop::QrExpired => self.stop(Status::LinkExpired(LinkOffer::Qr), cause, evidence, None).await,
            Stop::CodeExpired => self.stop(Status::LinkExpired(LinkOffer::Code), cause, evidence, None).await,
            Stop::DeviceLimit => self.stop(Status::DeviceLimit, cause, evidence, None).await,
            Stop::LeaseLost | Stop::StoreBroken => {
                let status = if stop == Stop::LeaseLost { Status::LeaseLost } else { Status::StoreFailing };
                self.report(Condition::new(status, cause, self.shared.now()), evidence);
                Then::End
            }
        }
    }

    /// Shows the state and waits until the application wants a connection again, or none at all.
    async fn stop(
        &mut self,
        status: Status,
        cause: Cause,
        evidence: Option<Evidence>,
        deadline: Option<UnixTime>,
    ) -> Then {
        let mut condition = Condition::new(status, cause, self.shared.now());
        condition.deadline = deadline;
        self.report(condition, evidence);
        Then::of(self.control.recv().await)
    }

    fn report(&self, mut condition: Condition, evidence: Option<Evidence>) {
        condition.evidence = evidence;
        self.shared.report(|board| board.connection(condition));
    }

    /// The link is gone: tells the application and deletes what belonged to the number, in one commit.
    async fn forget(&mut self, how: LoggedOutBy) {
        tracing::info!(?how, "logged out");
        self.shared.set_leaving(false);
        let mut vault = self.shared.vault.lock().await;
        let (device, signed) = crate::credentials::create(self.shared.now(), &mut self.shared.rng());
        let mut changes = Changes::new();
        crate::credentials::store_new(&mut changes, &device, &signed);
        let events = self.shared.event_row(&mut changes, vec![StoredEvent::LoggedOut]);
        if vault.commit(&self.shared, changes).await.is_ok() {
            self.shared.set_device(device);
            self.shared.inbox_came(vec![events]);
        }
        self.memory = ServerMemory::default();
        crate::absence::forget(&self.shared);
        self.shared.report(|board| {
            board.clear(Place::NewChats);
            board.clear(Place::MessageCap);
        });
    }
}

/// What follows a wait or a stop.
enum Then {
    Connect,
    /// The application wants something else first.
    Do(Verdict),
    End,
}

impl Then {
    fn of(control: Option<Control>) -> Self {
        match control {
            Some(Control::Reconnect) => Self::Connect,
            Some(Control::Forget) => Self::Do(Ended::LoggedOut.verdict()),
            Some(Control::Shutdown) | None => Self::End,
        }
    }
}

/// What the application says while an attempt runs.
async fn told(control: &mut mpsc::UnboundedReceiver<Control>) -> Ended {
    match control.recv().await {
        Some(Control::Reconnect) => Ended::Reconnect,
        Some(Control::Forget) => Ended::LoggedOut,
        Some(Control::Shutdown) | None => Ended::Shutdown,
    }
}

/// Dials, shakes hands and lives; gives the end and how long the connection was logged in.
async fn attempt(
    shared: &Arc<Shared>,
    memory: &mut ServerMemory,
    generation: &mut u64,
    stage: &mut Stage,
) -> Result<(Ended, Duration), Verdict> {
    let config = &shared.config;
    let mut transport = config.connector.connect(&config.dial_request()).await.map_err(|error| {
        *stage = error.stage();
        let stops = error.cause() == Cause::UpgradeRefused;
        failed(error.cause(), &error, if stops { Next::Stop(Stop::Refused) } else { Next::Later })
    })?;
    *stage = Stage::Handshake;

    let device = shared.device();
    let registered = device.registration.is_some();
    let parameters = ClientParameters {
        noise_key: device.noise(),
        root: config.root,
        header: Header::CURRENT,
        payload: login::payload(shared, &device).await,
    };
    let routing = state::routing_info(&shared.store).await;
    let now = shared.now().as_secs();
    let known = memory.known;
    let terms = Terms {
        parameters,
        routing: routing.as_deref(),
        registered,
        now,
        timeout: config.timeouts.handshake,
    };
    let sealed = handshake::run(&mut transport, terms, memory, shared.rng()).await;
    if memory.known != known {
        state::store_known_server(shared, memory.known.as_ref()).await;
    }
    if sealed.is_err() && routing.is_some() {
        // The bytes may have led astray; the next attempt goes without.
        state::forget_routing_info(shared).await;
    }
    let sealed = sealed.map_err(|error| {
        let stops = error.cause() == Cause::ServerNotTrusted;
        failed(error.cause(), &error, if stops { Next::Stop(Stop::Refused) } else { Next::Later })
    })?;
    *stage = Stage::Login;

    *generation += 1;
    let (outgoing, queue) = mpsc::unbounded_channel();
    let pending = Arc::new(PendingRequests::default());
    let link = Link::new(
        outgoing,
        Arc::clone(&pending),
        Arc::clone(&shared.ids),
        config.timeouts.request,
        *generation,
    );
    let router = Arc::new(Router::new(Arc::clone(shared), link.clone()));
    shared.set_link(Some(link));
    let session = Session {
        transport,
        decoder: sealed.decoder,
        cipher: sealed.established.transport,
        outgoing: queue,
        pending,
        keepalive: Keepalive {
            interval: config.timeouts.keepalive,
            dead_after: config.timeouts.dead_after,
            first_within: config.timeouts.first_stanza,
            stalled_after: config.timeouts.request,
        },
        inbound: Arc::new(Arc::clone(&router)),
    };
    let ended = session.run().await;
    *stage = router.stage();
    let online = router.logged_in_at().map_or(Duration::ZERO, |at: Instant| at.elapsed());
    Ok((ended, online))
}

fn failed(cause: Cause, error: &dyn std::error::Error, next: Next) -> Verdict {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    Verdict { cause, evidence: Some(Evidence::Error(text)), next }
}
