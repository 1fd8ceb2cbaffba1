//! Add-ons to a message: key, nonce, authenticated data, and which form of the authors' addresses was meant
//! (chapter 04 §18.1, §18.2).

use wa_binary::Jid;
use wa_crypto::aead::{Aes256Gcm, TAG_LEN};
use wa_crypto::{Secret, digest, kdf, rand_core::CryptoRng};

use super::{IV_LEN, MessageSecret, SecretError};

/// What a key derived from a message secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UseCase {
    /// `pollUpdateMessage.vote`; the plaintext is a `PollVoteMessage`.
    PollVote,
    /// `encEventResponseMessage`; an `EventResponseMessage`.
    EventResponse,
    /// `encReactionMessage`; a `ReactionMessage` without its key.
    Reaction,
    /// `encCommentMessage`; a `Message`.
    Comment,
    /// `secretEncryptedMessage` MESSAGE_EDIT; a `Message`.
    MessageEdit,
    /// `secretEncryptedMessage` EVENT_EDIT; a `Message`.
    EventEdit,
    /// `secretEncryptedMessage` POLL_EDIT; a `Message`.
    PollEdit,
    /// `secretEncryptedMessage` POLL_ADD_OPTION; a `Message`.
    PollAddOption,
    /// Key of a reporting token; see [`crate::tokens`].
    ReportToken,
}

impl UseCase {
    /// Every use case.
    pub const ALL: [Self; 9] = [
        Self::PollVote,
        Self::EventResponse,
        Self::Reaction,
        Self::Comment,
        Self::MessageEdit,
        Self::EventEdit,
        Self::PollEdit,
        Self::PollAddOption,
        Self::ReportToken,
    ];

    /// The text that enters the key.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PollVote => "Poll Vote",
            Self::EventResponse => "Event Response",
            Self::Reaction => "Enc Reaction",
            Self::Comment => "Enc Comment",
            Self::MessageEdit => "Message Edit",
            Self::EventEdit => "Event Edit",
            Self::PollEdit => "Poll Edit",
            Self::PollAddOption => "Poll Add Option",
            Self::ReportToken => "Report Token",
        }
    }

    /// The use case with this text.
    pub fn of(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.label() == label)
    }

    /// Whether the parent's id and the author are authenticated beside the ciphertext.
    const fn authenticates_author(self) -> bool {
        matches!(self, Self::PollVote | Self::EventResponse)
    }
}

/// What an add-on is tied to. Devices of the authors are disregarded.
#[derive(Clone, Copy, Debug)]
pub struct AddOn<'a> {
    /// What it does.
    pub use_case: UseCase,
    /// Id of the message it belongs to.
    pub parent_id: &'a str,
    /// Author of that message.
    pub parent_sender: &'a Jid,
    /// Author of the add-on.
    pub modification_sender: &'a Jid,
}

/// An encrypted add-on as it travels (`encPayload`, `encIv`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAddOn {
    /// The nonce.
    pub iv: [u8; IV_LEN],
    /// Ciphertext and tag.
    pub payload: Vec<u8>,
}

/// A derived key with its authenticated data: opens and seals add-ons of one author to one message.
#[derive(Clone, Debug)]
pub struct AddOnKey {
    key: Secret<32>,
    aad: Vec<u8>,
}

impl AddOn<'_> {
    /// Derives the key.
    pub fn key(&self, secret: &MessageSecret) -> AddOnKey {
        let modifier = self.modification_sender.user_jid().to_string();
        let parent = self.parent_sender.user_jid().to_string();
        let info = [self.parent_id, &parent, &modifier, self.use_case.label()].concat();
        let key = kdf::hkdf(&[], secret.expose(), info.as_bytes());
        let aad = if self.use_case.authenticates_author() {
            [self.parent_id.as_bytes(), &[0], modifier.as_bytes()].concat()
        } else {
            Vec::new()
        };
        AddOnKey { key, aad }
    }
}

impl AddOnKey {
    pub(super) const fn from_parts(key: Secret<32>, aad: Vec<u8>) -> Self {
        Self { key, aad }
    }

    /// The key itself.
    pub const fn secret(&self) -> &Secret<32> {
        &self.key
    }

    /// What is authenticated beside the ciphertext.
    pub fn aad(&self) -> &[u8] {
        &self.aad
    }

    /// Encrypts under a fresh nonce: one draw of 12 bytes.
    ///
    /// # Errors
    /// [`SecretError::Seal`] when the cipher refuses.
    pub fn seal(&self, plaintext: &[u8], rng: &mut impl CryptoRng) -> Result<SealedAddOn, SecretError> {
        let mut iv = [0; IV_LEN];
        rng.fill_bytes(&mut iv);
        self.seal_with(plaintext, iv)
    }

    /// Encrypts under a given nonce, which must never serve twice with the same key.
    ///
    /// # Errors
    /// [`SecretError::Seal`] when the cipher refuses.
    pub fn seal_with(&self, plaintext: &[u8], iv: [u8; IV_LEN]) -> Result<SealedAddOn, SecretError> {
        let mut payload = Vec::with_capacity(plaintext.len() + TAG_LEN);
        payload.extend_from_slice(plaintext);
        let cipher = Aes256Gcm::new(self.key.expose());
        cipher.seal(&iv, &self.aad, &mut payload, 0).map_err(|_| SecretError::Seal)?;
        Ok(SealedAddOn { iv, payload })
    }

    /// Decrypts.
    ///
    /// # Errors
    /// When the nonce or the payload has an impossible length, or the tag does not fit.
    pub fn open(&self, iv: &[u8], payload: &[u8]) -> Result<Vec<u8>, SecretError> {
        let iv: &[u8; IV_LEN] = iv.try_into().map_err(|_| SecretError::IvLength(iv.len()))?;
        if payload.len() < TAG_LEN {
            return Err(SecretError::PayloadLength(payload.len()));
        }
        let mut buffer = payload.to_vec();
        let cipher = Aes256Gcm::new(self.key.expose());
        let length = cipher.open(iv, &self.aad, &mut buffer).map_err(|_| SecretError::Authentication)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// The addresses that one person goes by.
#[derive(Clone, Copy, Debug)]
pub struct KnownAs<'a> {
    /// By LID, when known.
    pub lid: Option<&'a Jid>,
    /// By phone number, when known.
    pub pn: Option<&'a Jid>,
    /// As the stanza, or the stored secret, names them.
    pub seen: &'a Jid,
}

impl<'a> KnownAs<'a> {
    /// A person of whom only one address is known.
    pub const fn only(seen: &'a Jid) -> Self {
        Self { lid: None, pn: None, seen }
    }

    fn lid(&self) -> &'a Jid {
        self.lid.unwrap_or(self.seen)
    }

    fn pn(&self) -> &'a Jid {
        self.pn.unwrap_or(self.seen)
    }
}

/// Opens an add-on when it is not known which form of the two addresses its author used: both by LID, both by phone
/// number, both as seen, then mixed. The tag decides.
///
/// # Errors
/// As [`AddOnKey::open`]; [`SecretError::Authentication`] when no form fits.
pub fn open_any(
    secret: &MessageSecret,
    use_case: UseCase,
    parent_id: &str,
    parent: KnownAs<'_>,
    modifier: KnownAs<'_>,
    sealed: (&[u8], &[u8]),
) -> Result<Vec<u8>, SecretError> {
    // One peer derives the key of an added option with the text of a poll edit.
    let also = (use_case == UseCase::PollAddOption).then_some(UseCase::PollEdit);
    let pairs = [
        (parent.lid(), modifier.lid()),
        (parent.pn(), modifier.pn()),
        (parent.seen, modifier.seen),
        (parent.lid(), modifier.pn()),
        (parent.pn(), modifier.lid()),
    ];
    let mut tried = Vec::with_capacity(pairs.len());
    for use_case in [Some(use_case), also].into_iter().flatten() {
        tried.clear();
        for (parent_sender, modification_sender) in pairs {
            let pair = (parent_sender.user_jid(), modification_sender.user_jid());
            if tried.contains(&pair) {
                continue;
            }
            tried.push(pair);
            let add_on = AddOn { use_case, parent_id, parent_sender, modification_sender };
            match add_on.key(secret).open(sealed.0, sealed.1) {
                Err(SecretError::Authentication) => {}
                outcome => return outcome,
            }
        }
    }
    Err(SecretError::Authentication)
}

/// What a vote names an option by: SHA-256 of its text.
pub fn poll_option_hash(name: &str) -> [u8; 32] {
    digest::sha256(&[name.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    static LID: Jid = Jid::lid(100_000_000_000_001);
    static PN: Jid = Jid::pn(15_550_100_001);
    static OTHER_LID: Jid = Jid::lid(200_000_000_000_002);
    static OTHER_PN: Jid = Jid::pn(15_550_100_002);

    #[test]
    fn an_add_on_opens_whatever_form_its_author_used() {
        let mut rng = rng(1);
        let secret = MessageSecret::random(&mut rng);
        let parent = KnownAs { lid: Some(&LID), pn: Some(&PN), seen: &PN };
        let modifier = KnownAs { lid: Some(&OTHER_LID), pn: Some(&OTHER_PN), seen: &OTHER_LID };
        for use_case in UseCase::ALL {
            for parent_sender in [&LID, &PN] {
                for modification_sender in [&OTHER_LID, &OTHER_PN] {
                    let add_on = AddOn { use_case, parent_id: "3EB0AA", parent_sender, modification_sender };
                    let sealed = add_on.key(&secret).seal(b"vote", &mut rng).unwrap();
                    let opened = open_any(
                        &secret,
                        use_case,
                        "3EB0AA",
                        parent,
                        modifier,
                        (&sealed.iv, &sealed.payload),
                    );
                    assert_eq!(opened.as_deref(), Ok(&b"vote"[..]));
                }
            }
        }
    }

    #[test]
    fn another_author_message_or_use_does_not_open() {
        let mut rng = rng(2);
        let secret = MessageSecret::random(&mut rng);
        let add_on = AddOn {
            use_case: UseCase::Comment,
            parent_id: "3EB0AA",
            parent_sender: &LID,
            modification_sender: &OTHER_LID,
        };
        let sealed = add_on.key(&secret).seal(b"text", &mut rng).unwrap();
        let changes = [
            AddOn { use_case: UseCase::MessageEdit, ..add_on },
            AddOn { parent_id: "3EB0AB", ..add_on },
            AddOn { parent_sender: &OTHER_LID, ..add_on },
            AddOn { modification_sender: &LID, ..add_on },
        ];
        for changed in changes {
            let opened = changed.key(&secret).open(&sealed.iv, &sealed.payload);
            assert_eq!(opened, Err(SecretError::Authentication));
        }
        assert_eq!(add_on.key(&secret).open(&sealed.iv, &sealed.payload).as_deref(), Ok(&b"text"[..]));
        assert_eq!(add_on.key(&secret).open(&[0; 11], &sealed.payload), Err(SecretError::IvLength(11)));
        assert_eq!(add_on.key(&secret).open(&sealed.iv, &[0; 15]), Err(SecretError::PayloadLength(15)));
    }

    #[test]
    fn an_added_option_under_the_text_of_a_poll_edit_opens() {
        let mut rng = rng(3);
        let secret = MessageSecret::random(&mut rng);
        let add_on = AddOn {
            use_case: UseCase::PollEdit,
            parent_id: "3EB0AA",
            parent_sender: &LID,
            modification_sender: &LID,
        };
        let sealed = add_on.key(&secret).seal(b"option", &mut rng).unwrap();
        let open = |use_case| {
            let me = KnownAs::only(&LID);
            open_any(&secret, use_case, "3EB0AA", me, me, (&sealed.iv, &sealed.payload))
        };
        assert_eq!(open(UseCase::PollAddOption).as_deref(), Ok(&b"option"[..]));
        assert_eq!(open(UseCase::MessageEdit), Err(SecretError::Authentication));
    }

    #[test]
    fn the_device_of_an_author_is_no_part_of_the_key() {
        let secret = MessageSecret::new([9; 32]);
        let device = LID.with_device(7, wa_binary::Hosting::Own);
        let add_on = |sender| AddOn {
            use_case: UseCase::PollVote,
            parent_id: "3EB0AA",
            parent_sender: sender,
            modification_sender: sender,
        };
        let sealed = add_on(&device).key(&secret).seal_with(b"", [1; IV_LEN]).unwrap();
        assert_eq!(add_on(&LID).key(&secret).open(&sealed.iv, &sealed.payload).as_deref(), Ok(&[][..]));
    }
}
