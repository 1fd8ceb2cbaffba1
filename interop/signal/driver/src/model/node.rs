//! Sessions as libsignal for Node keeps them under Baileys, defects included.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bundle, Fresh, Header, Keys, Message, Refusal, Symbol, agreed, step};

const MOST_AHEAD: i64 = 2000;
const MOST_SESSIONS: usize = 40;

pub struct Party {
    pub(super) keys: Keys,
    /// In the order in which they were made.
    pub(super) sessions: Vec<Session>,
    clock: u64,
    /// The peer's identity as its last pre-key message said.
    known_identity: Option<Symbol>,
}

#[derive(Clone)]
pub(super) struct Session {
    base: Symbol,
    /// When it was closed; none for the open one.
    closed: Option<u64>,
    used: u64,
    root: Symbol,
    own: Symbol,
    /// Absent until the first step of a responder.
    sending: Option<(Symbol, i64)>,
    last_remote: Symbol,
    previous: i64,
    chains: BTreeMap<Symbol, Chain>,
    pending: Option<Header>,
}

#[derive(Clone)]
struct Chain {
    symbol: Symbol,
    /// The last counter that a key was made for; -1 for none.
    counter: i64,
    closed: bool,
    keys: BTreeSet<i64>,
}

impl Party {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, sessions: Vec::new(), clock: 0, known_identity: None }
    }

    pub(super) fn open(&self) -> Option<usize> {
        self.sessions.iter().position(|session| session.closed.is_none())
    }

    fn now(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn close_open(&mut self) {
        let now = self.now();
        if let Some(place) = self.open() {
            self.sessions[place].closed = Some(now);
        }
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
        let used = self.now();
        self.close_open();
        self.sessions.push(Session {
            base,
            closed: None,
            used,
            root,
            own,
            sending: Some((chain, -1)),
            last_remote: bundle.signed.1,
            previous: 0,
            chains: BTreeMap::new(),
            pending: Some(header),
        });
    }

    pub(super) fn encrypt(&mut self) -> Option<Message> {
        let place = self.open()?;
        let session = &mut self.sessions[place];
        let (chain, counter) = session.sending.as_mut()?;
        *counter += 1;
        let message = Message {
            header: session.pending,
            ratchet: session.own,
            counter: *counter as u32,
            previous: session.previous as u32,
            chain: *chain,
            damaged: false,
        };
        self.remove_old();
        Some(message)
    }

    pub(super) fn decrypt(&mut self, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        match message.header {
            Some(header) => self.decrypt_pre_key(message, header, fresh),
            None => self.decrypt_on_any(message, fresh),
        }
    }

    fn decrypt_pre_key(
        &mut self,
        message: &Message,
        header: Header,
        fresh: &mut Fresh,
    ) -> Result<(), Refusal> {
        // Baileys forgets all sessions when the identity of a pre-key message is another than before.
        if self.known_identity.replace(header.identity).is_some_and(|known| known != header.identity) {
            self.sessions.clear();
        }
        if let Some(place) = self.sessions.iter().position(|session| session.base == header.base) {
            let mut session = self.sessions[place].clone();
            session.open(message, fresh)?;
            self.sessions[place] = session;
            self.remove_old();
            return Ok(());
        }
        // There is one signed pre-key, whatever id the message names.
        let named = Header { signed: self.keys.signed.0, ..header };
        let (root, signed) = self.keys.respond(&named)?;
        let mut session = Session {
            base: header.base,
            closed: None,
            used: self.now(),
            root,
            own: signed,
            sending: None,
            last_remote: header.base,
            previous: 0,
            chains: BTreeMap::new(),
            pending: None,
        };
        session.open(message, fresh)?;
        self.close_open();
        self.sessions.push(session);
        self.remove_old();
        if let Some(id) = header.one_time {
            self.keys.one_time.remove(&id);
        }
        Ok(())
    }

    fn decrypt_on_any(&mut self, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        if self.sessions.is_empty() {
            return Err(Refusal::NoSession);
        }
        let mut tried = self.sessions.clone();
        let mut order: Vec<usize> = (0..tried.len()).collect();
        order.sort_by_key(|place| std::cmp::Reverse(tried[*place].used));
        for place in order {
            if tried[place].open(message, fresh).is_ok() {
                tried[place].used = self.now();
                // What the failed attempts before this one did to their sessions is stored with it.
                self.sessions = tried;
                self.remove_old();
                return Ok(());
            }
        }
        Err(Refusal::BadMac)
    }

    fn remove_old(&mut self) {
        while self.sessions.len() > MOST_SESSIONS {
            let oldest = (0..self.sessions.len())
                .filter_map(|place| self.sessions[place].closed.map(|closed| (closed, place)))
                .min();
            match oldest {
                Some((_, place)) => drop(self.sessions.remove(place)),
                None => break,
            }
        }
    }
}

impl Session {
    /// May change the session even when it fails.
    fn open(&mut self, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        let counter = i64::from(message.counter);
        self.maybe_step(message, fresh)?;
        let chain = self.chains.get_mut(&message.ratchet).ok_or(Refusal::BadMac)?;
        chain.fill(counter)?;
        if !chain.keys.remove(&counter) {
            return Err(Refusal::Duplicate);
        }
        if message.chain != chain.symbol || message.damaged {
            return Err(Refusal::BadMac);
        }
        self.pending = None;
        Ok(())
    }

    fn maybe_step(&mut self, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        if self.chains.contains_key(&message.ratchet) {
            return Ok(());
        }
        if let Some(before) = self.chains.get_mut(&self.last_remote) {
            before.fill(i64::from(message.previous))?;
            before.closed = true;
        }
        let (root, symbol) = step(self.root, self.own, message.ratchet);
        let chain = Chain { symbol, counter: -1, closed: false, keys: BTreeSet::new() };
        self.chains.insert(message.ratchet, chain);
        if let Some((_, counter)) = self.sending {
            self.previous = counter;
        }
        self.own = fresh.symbol();
        let (root, chain) = step(root, self.own, message.ratchet);
        self.root = root;
        self.sending = Some((chain, -1));
        self.last_remote = message.ratchet;
        Ok(())
    }
}

impl Chain {
    fn fill(&mut self, counter: i64) -> Result<(), Refusal> {
        if self.counter >= counter {
            return Ok(());
        }
        if counter - self.counter > MOST_AHEAD {
            return Err(Refusal::TooFar);
        }
        if self.closed {
            return Err(Refusal::BadMac);
        }
        self.keys.extend(self.counter + 1..=counter);
        self.counter = counter;
        Ok(())
    }
}
