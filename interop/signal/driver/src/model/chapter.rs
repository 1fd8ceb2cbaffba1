//! Sessions as the protocol reference has them (chapter 04 §3, §4, §6).

use std::collections::{BTreeSet, VecDeque};

use super::{Bundle, Fresh, Header, Keys, Message, Refusal, Symbol, agreed, mix, step};

/// Where implementations of the same rules differ.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Skipped keys of a chain past this number are pruned ...
    pub prune_past: usize,
    /// ... down to this many.
    pub keep: usize,
}

impl Bounds {
    pub const OURS: Self = Self { prune_past: 2000, keep: 2000 };
    pub const WACORE: Self = Self { prune_past: 2050, keep: 2000 };
}

const MOST_AHEAD: u32 = 2000;
const MOST_CHAINS: usize = 5;
const MOST_ARCHIVED: usize = 40;

pub struct Party {
    pub(super) bounds: Bounds,
    pub(super) keys: Keys,
    pub(super) current: Option<Session>,
    pub(super) archived: VecDeque<Session>,
}

#[derive(Clone)]
pub(super) struct Session {
    base: Symbol,
    root: Symbol,
    own: Symbol,
    chain: Symbol,
    index: u32,
    previous: u32,
    receiving: VecDeque<Chain>,
    pending: Option<Header>,
}

#[derive(Clone)]
struct Chain {
    ratchet: Symbol,
    symbol: Symbol,
    next: u32,
    skipped: BTreeSet<u32>,
}

impl Party {
    pub(super) fn new(bounds: Bounds, keys: Keys) -> Self {
        Self { bounds, keys, current: None, archived: VecDeque::new() }
    }

    pub(super) fn initiate(&mut self, bundle: &Bundle, fresh: &mut Fresh) {
        let (base, own) = (fresh.symbol(), fresh.symbol());
        let one_time = bundle.one_time.map(|(_, key)| key);
        let root = agreed(self.keys.identity, base, bundle.identity, bundle.signed.1, one_time);
        let (root, chain) = step(root, own, bundle.signed.1);
        let header = Header {
            base,
            identity: self.keys.identity,
            signed: bundle.signed.0,
            one_time: bundle.one_time.map(|(id, _)| id),
        };
        self.install(Session {
            base,
            root,
            own,
            chain,
            index: 0,
            previous: 0,
            receiving: VecDeque::new(),
            pending: Some(header),
        });
    }

    pub(super) fn encrypt(&mut self) -> Option<Message> {
        let session = self.current.as_mut()?;
        session.index += 1;
        Some(Message {
            header: session.pending,
            ratchet: session.own,
            counter: session.index - 1,
            previous: session.previous,
            chain: session.chain,
            damaged: false,
        })
    }

    pub(super) fn decrypt(&mut self, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        let Some(header) = message.header else { return self.decrypt_on_any(message, fresh) };
        if let Some(session) = self.current.as_mut().filter(|session| session.base == header.base) {
            return session.open(message, self.bounds, fresh);
        }
        if let Some(place) = self.archived.iter().position(|session| session.base == header.base) {
            return self.open_archived(place, message, fresh);
        }
        let (root, signed) = self.keys.respond(&header)?;
        let mut session = Session {
            base: header.base,
            root,
            own: signed,
            chain: mix("first", &[root]),
            index: 0,
            previous: 0,
            receiving: VecDeque::new(),
            pending: None,
        };
        session.open(message, self.bounds, fresh)?;
        self.install(session);
        if let Some(id) = header.one_time {
            self.keys.one_time.remove(&id);
        }
        Ok(())
    }

    fn decrypt_on_any(&mut self, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        let mut refusals = Vec::new();
        if let Some(session) = &mut self.current {
            match session.open(message, self.bounds, fresh) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.push(refusal),
            }
        }
        for place in 0..self.archived.len() {
            match self.open_archived(place, message, fresh) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let first = *refusals.first().ok_or(Refusal::NoSession)?;
        Err([Refusal::Duplicate, Refusal::BadMac]
            .into_iter()
            .find(|refusal| refusals.contains(refusal))
            .unwrap_or(first))
    }

    fn open_archived(&mut self, place: usize, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        self.archived[place].open(message, self.bounds, fresh)?;
        if let Some(session) = self.archived.remove(place) {
            self.install(session);
        }
        Ok(())
    }

    fn install(&mut self, session: Session) {
        if let Some(mut before) = self.current.replace(session) {
            before.pending = None;
            self.archived.push_front(before);
            self.archived.truncate(MOST_ARCHIVED);
        }
    }
}

impl Session {
    fn open(&mut self, message: &Message, bounds: Bounds, fresh: &mut Fresh) -> Result<(), Refusal> {
        if let Some(chain) = self.receiving.iter_mut().find(|chain| chain.ratchet == message.ratchet) {
            chain.open(message, bounds)?;
        } else {
            let (root, symbol) = step(self.root, self.own, message.ratchet);
            let mut chain = Chain { ratchet: message.ratchet, symbol, next: 0, skipped: BTreeSet::new() };
            chain.open(message, bounds)?;
            self.receiving.push_back(chain);
            while self.receiving.len() > MOST_CHAINS {
                self.receiving.pop_front();
            }
            self.own = fresh.symbol();
            (self.root, self.chain) = step(root, self.own, message.ratchet);
            self.previous = self.index.saturating_sub(1);
            self.index = 0;
        }
        self.pending = None;
        Ok(())
    }
}

impl Chain {
    fn open(&mut self, message: &Message, bounds: Bounds) -> Result<(), Refusal> {
        let counter = message.counter;
        let genuine = message.chain == self.symbol && !message.damaged;
        if counter < self.next {
            if !self.skipped.contains(&counter) {
                return Err(Refusal::Duplicate);
            }
            if !genuine {
                return Err(Refusal::BadMac);
            }
            self.skipped.remove(&counter);
            return Ok(());
        }
        if counter - self.next > MOST_AHEAD {
            return Err(Refusal::TooFar);
        }
        if !genuine {
            return Err(Refusal::BadMac);
        }
        for skipped in self.next..counter {
            self.skipped.insert(skipped);
            if self.skipped.len() > bounds.prune_past {
                while self.skipped.len() > bounds.keep {
                    self.skipped.pop_first();
                }
            }
        }
        self.next = counter + 1;
        Ok(())
    }
}
