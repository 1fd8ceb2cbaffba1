//! What both sides of a conversation must do, without any cryptography: keys are numbers, and two chains are the same
//! when they were derived from the same numbers. The driver compares every outcome with this.
//!
//! `Chapter` follows the protocol reference (wa-signal, and wacore-libsignal with other bounds); `Node` follows what
//! libsignal for Node does differently: it never promotes, closes chains, and lets a failed attempt on one session
//! spoil it when another session then opens the message.

mod chapter;
pub mod group;
mod node;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

pub use chapter::Bounds;

/// A key, a root or a chain.
pub type Symbol = u64;

/// Why a message must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    NoSession,
    UnknownPreKey,
    Duplicate,
    TooFar,
    BadMac,
    NoSenderKey,
    BadSignature,
}

/// What a pre-key message says about its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub base: Symbol,
    pub identity: Symbol,
    pub signed: u32,
    pub one_time: Option<u32>,
}

/// A pairwise message.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    pub header: Option<Header>,
    pub ratchet: Symbol,
    pub counter: u32,
    pub previous: u32,
    pub chain: Symbol,
    pub damaged: bool,
}

/// What the other side is given to start a session.
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    pub identity: Symbol,
    pub signed: (u32, Symbol),
    pub one_time: Option<(u32, Symbol)>,
}

/// The keys of one installation.
#[derive(Clone, Debug)]
pub struct Keys {
    identity: Symbol,
    signed: (u32, Symbol),
    one_time: BTreeMap<u32, Symbol>,
}

/// Deals out numbers that nobody has yet.
#[derive(Default)]
pub struct Fresh(u64);

impl Fresh {
    pub fn symbol(&mut self) -> Symbol {
        self.0 += 1;
        self.0
    }
}

/// One side of a conversation.
pub enum Party {
    Chapter(chapter::Party),
    Node(node::Party),
}

impl Party {
    pub fn chapter(bounds: Bounds, fresh: &mut Fresh) -> Self {
        Self::Chapter(chapter::Party::new(bounds, Keys::new(fresh)))
    }

    pub fn node(fresh: &mut Fresh) -> Self {
        Self::Node(node::Party::new(Keys::new(fresh)))
    }

    /// Everything is forgotten; the id of the signed pre-key is learnt with the next bundle.
    pub fn reinstall(&mut self, fresh: &mut Fresh) {
        *self = match self {
            Self::Chapter(party) => Self::chapter(party.bounds, fresh),
            Self::Node(_) => Self::node(fresh),
        };
    }

    /// The bundle with these ids, as the real side has given them.
    pub fn bundle(&mut self, signed: u32, one_time: Option<u32>, fresh: &mut Fresh) -> Bundle {
        let keys = match self {
            Self::Chapter(party) => &mut party.keys,
            Self::Node(party) => &mut party.keys,
        };
        keys.signed.0 = signed;
        let one_time = one_time.map(|id| (id, fresh.symbol()));
        keys.one_time.extend(one_time);
        Bundle { identity: keys.identity, signed: keys.signed, one_time }
    }

    pub fn has_session(&self) -> bool {
        match self {
            Self::Chapter(party) => party.current.is_some(),
            Self::Node(party) => party.open().is_some(),
        }
    }

    pub fn initiate(&mut self, bundle: &Bundle, fresh: &mut Fresh) {
        match self {
            Self::Chapter(party) => party.initiate(bundle, fresh),
            Self::Node(party) => party.initiate(bundle, fresh),
        }
    }

    /// The next message, if there is a session.
    pub fn encrypt(&mut self) -> Option<Message> {
        match self {
            Self::Chapter(party) => party.encrypt(),
            Self::Node(party) => party.encrypt(),
        }
    }

    pub fn decrypt(&mut self, message: &Message, fresh: &mut Fresh) -> Result<(), Refusal> {
        match self {
            Self::Chapter(party) => party.decrypt(message, fresh),
            Self::Node(party) => party.decrypt(message, fresh),
        }
    }

    /// Sessions that a message could be tried on.
    pub fn sessions(&self) -> usize {
        match self {
            Self::Chapter(party) => usize::from(party.current.is_some()) + party.archived.len(),
            Self::Node(party) => party.sessions.len(),
        }
    }
}

impl Keys {
    fn new(fresh: &mut Fresh) -> Self {
        Self { identity: fresh.symbol(), signed: (0, fresh.symbol()), one_time: BTreeMap::new() }
    }

    /// The root that a pre-key message leads to, and the signed pre-key it was made for.
    fn respond(&self, header: &Header) -> Result<(Symbol, Symbol), Refusal> {
        if header.signed != self.signed.0 {
            return Err(Refusal::UnknownPreKey);
        }
        let one_time = match header.one_time {
            Some(id) => Some(*self.one_time.get(&id).ok_or(Refusal::UnknownPreKey)?),
            None => None,
        };
        let root = agreed(header.identity, header.base, self.identity, self.signed.1, one_time);
        Ok((root, self.signed.1))
    }
}

/// The root of the initial agreement.
fn agreed(
    initiator: Symbol,
    base: Symbol,
    responder: Symbol,
    signed: Symbol,
    one_time: Option<Symbol>,
) -> Symbol {
    let mut parts = vec![pair(initiator, signed), pair(base, responder), pair(base, signed)];
    parts.extend(one_time.map(|key| pair(base, key)));
    mix("root", &parts)
}

/// A ratchet step: new root, new chain.
fn step(root: Symbol, ours: Symbol, theirs: Symbol) -> (Symbol, Symbol) {
    let shared = pair(ours, theirs);
    (mix("root", &[root, shared]), mix("chain", &[root, shared]))
}

fn pair(a: Symbol, b: Symbol) -> Symbol {
    mix("pair", &[a.min(b), a.max(b)])
}

fn mix(label: &str, parts: &[Symbol]) -> Symbol {
    let mut hasher = DefaultHasher::new();
    label.hash(&mut hasher);
    parts.hash(&mut hasher);
    // Never a number that `Fresh` deals out.
    hasher.finish() | 1 << 63
}
