//! The session record of one peer device: at most one current and some archived sessions (chapter 04 §6). Archive,
//! promotion, trial decryption and the order in which errors win live here; one session's own rules in `state`.

mod fan_out;
mod seal;
mod state;
mod stored;

use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_crypto::digest::sha256;
use zeroize::Zeroizing;

use crate::limits::{MAX_ARCHIVED_SESSIONS, MAX_JUMP, MAX_JUMP_OWN_DEVICE};
use crate::sabotage::{self, Rule};
use crate::{
    IdentityKey, LocalIdentity, OwnPreKeys, PreKeyBundle, PreKeySignalMessage, SignalError, SignalMessage,
    x3dh,
};

pub use seal::{Ciphertext, CiphertextKind};
pub(crate) use state::{Pending, RatchetId, ReceivingChain, Sending, SendingChain, Session, run_chain};

/// All that is known about the sessions with one peer device.
///
/// An operation that fails leaves the record as it was. Store [`Self::encode`] before a ciphertext leaves, and together
/// with the plaintext of a received message (chapter 04 §21).
#[derive(Clone, Default)]
pub struct SessionRecord {
    owner: [u8; 4],
    current: Option<Session>,
    /// Encoded, newest first.
    archived: Vec<Zeroizing<Vec<u8>>>,
}

/// Names one session of a record: eight bytes of its base key's digest. Two sessions of one record never share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 8]);

/// Who sent a message: it decides how far ahead its counter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// Another user: 2,000 messages.
    Other,
    /// An own device: 25,000 messages.
    OwnDevice,
}

/// A decrypted message and what must be stored with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// The text as the session cipher gave it: WhatsApp's padding is still on.
    pub plaintext: Vec<u8>,
    /// Which session opened it.
    pub session: SessionUse,
    /// The peer's identity in that session: proven by the message. An identity change is reported only when the
    /// session is [`SessionUse::Created`] and this differs from the stored identity (chapter 04 §7).
    pub identity_key: IdentityKey,
    /// The one-time pre-key to delete in the same commit.
    pub consumed_pre_key: Option<u32>,
}

/// Which session opened a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionUse {
    /// The current one.
    Current,
    /// An archived one, which is current now.
    Promoted,
    /// One that the message started.
    Created,
}

impl SessionRecord {
    /// A record without a session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a message can be sent.
    pub const fn has_current(&self) -> bool {
        self.current.is_some()
    }

    /// Whether no message could be sent or received.
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.archived.is_empty()
    }

    /// Number of archived sessions, at most 40.
    pub fn archived_len(&self) -> usize {
        self.archived.len()
    }

    /// The peer's identity in the current session.
    pub fn remote_identity(&self) -> Option<&IdentityKey> {
        self.current.as_ref().map(|session| &session.remote_identity)
    }

    /// The peer's registration id in the current session; 0 when it never said.
    pub fn remote_registration_id(&self) -> Option<u32> {
        self.current.as_ref().map(|session| session.remote_registration_id)
    }

    /// The current session's name: the retry rules remember it to see whether a session was rebuilt.
    pub fn session_id(&self) -> Option<SessionId> {
        self.current.as_ref().map(|session| session.id)
    }

    /// When the current session was started, in the caller's seconds, while nothing was received on it. Past
    /// [`crate::limits::UNACKNOWLEDGED_SESSION_AGE`] a fresh bundle is better than another message.
    pub fn unacknowledged_since(&self) -> Option<u64> {
        self.current.as_ref()?.pending.as_ref().map(|pending| pending.created)
    }

    /// Starts a session from a peer's bundle and makes it current; what was current is archived. Draws two key pairs:
    /// base key, then ratchet key. `now` is stored for [`Self::unacknowledged_since`].
    ///
    /// # Errors
    /// [`SignalError::BadSignature`], [`SignalError::ForeignRecord`], [`SignalError::Malformed`] for a low-order key.
    pub fn initiate(
        &mut self,
        local: &LocalIdentity,
        bundle: &PreKeyBundle,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), SignalError> {
        self.check_owner(local)?;
        bundle.verify()?;
        let base = KeyPair::generate(rng);
        let ratchet = PrivateKey::generate(rng);
        let one_time = bundle.one_time_pre_key.as_ref();
        let secret = x3dh::initiator(
            local.pair().key_pair(),
            &base,
            bundle.identity_key.public_key(),
            &bundle.signed_pre_key,
            one_time.map(|(_, key)| key),
        )?;
        // The chain of the signed pre-key is not kept: a responder turns the ratchet before it can send, so nothing
        // is ever sent on it.
        let (root, _) = secret.derive();
        let session = Session {
            remote_identity: bundle.identity_key,
            remote_registration_id: bundle.registration_id,
            id: SessionId::of(base.public()),
            root,
            previous_counter: 0,
            sending: Sending::Owed { private: ratchet, theirs: bundle.signed_pre_key },
            pending: Some(Pending {
                base_key: *base.public(),
                signed_pre_key_id: bundle.signed_pre_key_id,
                pre_key_id: one_time.map(|(id, _)| *id),
                created: now,
            }),
            receiving: Vec::new(),
        };
        self.install(local, session);
        Ok(())
    }

    /// Encrypts on the current session. The text must be padded already. Store the record before the bytes leave.
    ///
    /// # Errors
    /// [`SignalError::NoSession`], [`SignalError::ChainUsedUp`], [`SignalError::ForeignRecord`].
    pub fn encrypt(&mut self, local: &LocalIdentity, plaintext: &[u8]) -> Result<Ciphertext, SignalError> {
        self.check_owner(local)?;
        self.current.as_mut().ok_or(SignalError::NoSession)?.seal(local, plaintext)
    }

    /// Decrypts a message (`type="msg"`). At most one key pair is drawn.
    ///
    /// # Errors
    /// Those of chapter 04 §6.7 in its precedence: a duplicate on any session wins, then a bad MAC, then what the
    /// current session said.
    pub fn decrypt(
        &mut self,
        local: &LocalIdentity,
        message: &SignalMessage<'_>,
        sender: Sender,
        rng: &mut impl CryptoRng,
    ) -> Result<Received, SignalError> {
        if self.is_empty() {
            return Err(SignalError::NoSession);
        }
        self.check_owner(local)?;
        let attempt = Attempt::new(local, message, sender);
        let chain = attempt.ratchet;

        // A ratchet key belongs to one session. The one that knows it decides alone, which spares all others the
        // agreement that every attempt with a new ratchet key costs.
        if let Some(session) = &mut self.current
            && session.knows(chain)
        {
            return self.open_current(&attempt, rng);
        }
        for place in 0..self.archived.len() {
            let session = self.archived_session(place)?;
            if session.knows(chain) {
                return self.open_archived(place, session, &attempt, rng);
            }
        }

        let mut failure = None;
        if self.current.is_some() {
            match self.open_current(&attempt, rng) {
                Ok(received) => return Ok(received),
                Err(error) => failure = Some(error),
            }
        }
        for place in 0..self.archived.len() {
            let session = self.archived_session(place)?;
            match self.open_archived(place, session, &attempt, rng) {
                Ok(received) => return Ok(received),
                Err(error) => {
                    failure = Some(match failure {
                        Some(first) => first.or_later(error),
                        None => error,
                    });
                }
            }
        }
        Err(failure.unwrap_or(SignalError::NoSession))
    }

    /// Whether a pre-key message belongs to a session of this record. If not, [`Self::decrypt_pre_key`] needs the own
    /// pre-keys that the message names.
    pub fn knows(&self, message: &PreKeySignalMessage<'_>) -> bool {
        let id = SessionId::of(message.base_key());
        self.session_id() == Some(id) || self.archived_place(id).is_some()
    }

    /// Decrypts a pre-key message (`type="pkmsg"`), on the session it belongs to or on a new one. Trust in
    /// [`PreKeySignalMessage::identity_key`] is checked before, see [`crate::trust`].
    ///
    /// A replay is a duplicate as long as the record holds the session. When forty newer ones have pushed it out and the
    /// message named no one-time pre-key, nothing here can tell: keep the ids of handled messages as well.
    ///
    /// # Errors
    /// Those of [`Self::decrypt`], [`SignalError::UnknownSignedPreKey`] and [`SignalError::UnknownPreKey`] when a
    /// new session needs a pre-key that is not given.
    pub fn decrypt_pre_key(
        &mut self,
        local: &LocalIdentity,
        message: &PreKeySignalMessage<'_>,
        keys: OwnPreKeys<'_>,
        sender: Sender,
        rng: &mut impl CryptoRng,
    ) -> Result<Received, SignalError> {
        self.check_owner(local)?;
        let id = SessionId::of(message.base_key());
        let attempt = Attempt::new(local, message.message(), sender);
        if self.session_id() == Some(id) {
            return self.open_current(&attempt, rng);
        }
        if let Some(place) = self.archived_place(id) {
            let session = self.archived_session(place)?;
            return self.open_archived(place, session, &attempt, rng);
        }
        let mut session = respond(local, message, keys, id)?;
        let plaintext = session.open(&attempt, rng)?;
        let identity_key = session.remote_identity;
        self.install(local, session);
        Ok(Received {
            plaintext,
            session: SessionUse::Created,
            identity_key,
            consumed_pre_key: message.pre_key_id(),
        })
    }

    /// Archives the current session, so that the next message needs a new one while late messages still decrypt.
    pub fn archive_current(&mut self) {
        let Some(mut session) = self.current.take() else { return };
        session.pending = None;
        self.archived.insert(0, session.to_bytes());
        if !sabotage::on(Rule::Bounds) {
            self.archived.truncate(MAX_ARCHIVED_SESSIONS);
        }
    }

    pub(crate) fn install(&mut self, local: &LocalIdentity, session: Session) {
        self.archive_current();
        self.owner = local.tag();
        self.current = Some(session);
    }

    fn open_current(
        &mut self,
        attempt: &Attempt<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Received, SignalError> {
        let session = self.current.as_mut().ok_or(SignalError::NoSession)?;
        let plaintext = session.open(attempt, rng)?;
        Ok(received(plaintext, SessionUse::Current, session))
    }

    fn open_archived(
        &mut self,
        place: usize,
        mut session: Session,
        attempt: &Attempt<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Received, SignalError> {
        let plaintext = session.open(attempt, rng)?;
        let received = received(plaintext, SessionUse::Promoted, &session);
        self.archived.remove(place);
        self.archive_current();
        self.current = Some(session);
        Ok(received)
    }

    fn archived_session(&self, place: usize) -> Result<Session, SignalError> {
        let bytes = self.archived.get(place).ok_or(SignalError::NoSession)?;
        Ok(Session::from_bytes(bytes)?)
    }

    fn archived_place(&self, id: SessionId) -> Option<usize> {
        self.archived.iter().position(|bytes| Session::id_of(bytes) == Some(id))
    }

    fn check_owner(&self, local: &LocalIdentity) -> Result<(), SignalError> {
        if self.is_empty() || self.owner == local.tag() { Ok(()) } else { Err(SignalError::ForeignRecord) }
    }
}

/// One message against one session.
struct Attempt<'a> {
    local: IdentityKey,
    message: &'a SignalMessage<'a>,
    ratchet: RatchetId,
    limit: u32,
}

impl<'a> Attempt<'a> {
    fn new(local: &LocalIdentity, message: &'a SignalMessage<'a>, sender: Sender) -> Self {
        let ratchet = RatchetId::of(message.ratchet_key());
        Self { local: local.identity_key(), message, ratchet, limit: sender.limit() }
    }
}

fn received(plaintext: Vec<u8>, session: SessionUse, state: &Session) -> Received {
    Received { plaintext, session, identity_key: state.remote_identity, consumed_pre_key: None }
}

/// The session that a pre-key message starts, before its message is opened.
fn respond(
    local: &LocalIdentity,
    message: &PreKeySignalMessage<'_>,
    keys: OwnPreKeys<'_>,
    id: SessionId,
) -> Result<Session, SignalError> {
    let signed_id = message.signed_pre_key_id();
    let signed = keys.signed.filter(|key| key.id == signed_id);
    let signed = signed.ok_or(SignalError::UnknownSignedPreKey(signed_id))?;
    let one_time = match message.pre_key_id() {
        None => None,
        Some(id) => Some(keys.one_time.filter(|key| key.id == id).ok_or(SignalError::UnknownPreKey(id))?),
    };
    let secret = x3dh::responder(
        local.pair().key_pair(),
        &signed.pair,
        one_time.map(|key| &key.pair),
        message.identity_key().public_key(),
        message.base_key(),
    )?;
    let (root, chain) = secret.derive();
    Ok(Session {
        remote_identity: *message.identity_key(),
        remote_registration_id: message.registration_id(),
        id,
        root,
        previous_counter: 0,
        sending: Sending::Ready(SendingChain { pair: signed.pair.clone(), key: chain, index: 0 }),
        pending: None,
        receiving: Vec::new(),
    })
}

impl SessionId {
    pub(crate) fn of(base_key: &PublicKey) -> Self {
        Self(short_digest(base_key))
    }

    /// As it was stored.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes, to store it.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl Sender {
    const fn limit(self) -> u32 {
        match self {
            Self::Other => MAX_JUMP,
            Self::OwnDevice => MAX_JUMP_OWN_DEVICE,
        }
    }
}

/// Eight bytes that name a public key inside a record. A peer that finds two keys with one name gains nothing: every
/// message is authenticated with its ratchet key, and a wrongly matched session fails on the MAC.
fn short_digest(key: &PublicKey) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = sha256(&[key.as_bytes()]);
    [a, b, c, d, e, f, g, h]
}

impl std::fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionRecord")
            .field("current", &self.session_id())
            .field("archived", &self.archived.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received")
            .field("plaintext", &format_args!("[{} bytes]", self.plaintext.len()))
            .field("session", &self.session)
            .field("consumed_pre_key", &self.consumed_pre_key)
            .finish_non_exhaustive()
    }
}
