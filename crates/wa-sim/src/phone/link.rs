//! The phone's side of linking: QR code, typed code, passkey; key indexes; unlinking and re-installation
//! (chapter 02 §3.6, §4.3, §5; chapter 10 §3).

use std::collections::BTreeMap;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng as _;
use wa_core::adv::{DeviceDetails, Hosting, IssuedLink, KeyIndexList, issue_link};
use wa_core::login::QrCode;
use wa_core::pairing_code::{PairingCode, Primary as CodePrimary, WrapRandom};
use wa_core::passkey::{Primary as PasskeyPrimary, Revealed};
use wa_core::prekeys::Upload;
use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PublicKey};

use super::app_state::AppState;
use super::prekeys::OwnKeys;
use super::{Now, Phone, PhoneError, identity};

/// A link that the phone has signed (chapter 02 §3.6 step 6), for the server to carry out.
#[derive(Clone, Debug)]
pub struct LinkRequest {
    /// The ref that names the waiting connection.
    pub reference: String,
    /// The companion's noise key, which must be that of the waiting connection.
    pub noise_key: [u8; 32],
    /// Container for `pair-success`, and what [`wa_core::adv::check_link_answer`] compares the answer with.
    pub issued: IssuedLink,
    /// `ADVSignedKeyIndexList` of the set with the new device.
    pub key_index_list: Bytes,
}

/// `link_code_companion_reg` stage `companion_hello` as it reaches the phone (chapter 02 §4.3 step 1).
#[derive(Clone, Debug)]
pub struct CompanionHello {
    /// The server's ref of this attempt.
    pub reference: Bytes,
    /// 80 bytes.
    pub wrapped_ephemeral: Bytes,
    /// `companion_server_auth_key_pub`.
    pub noise_key: [u8; 32],
}

/// What the phone answers to a typed code: goes to the companion as `primary_hello`.
#[derive(Clone, Debug)]
pub struct PrimaryHello {
    /// The ref of the attempt.
    pub reference: Bytes,
    /// 80 bytes.
    pub wrapped_ephemeral: Bytes,
    /// The account key.
    pub identity: [u8; 32],
}

/// What a re-installation changes for the server.
#[derive(Clone, Debug)]
pub struct Reinstalled {
    /// New keys of device 0.
    pub upload: Upload,
    /// Companions that are no longer linked.
    pub dropped: Vec<u16>,
    /// The new, empty key-index list.
    pub key_index_list: Bytes,
}

/// Companions and links on their way.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Links {
    raw_id: u32,
    /// A revoked index is never used again.
    highest: u32,
    #[serde(with = "crate::state::foreign::values")]
    pending: BTreeMap<u32, PublicKey>,
    companions: BTreeMap<u16, Companion>,
    #[serde(skip)]
    codes: BTreeMap<Bytes, CodeExchange>,
    #[serde(skip)]
    passkey: Option<PasskeyExchange>,
    #[serde(with = "crate::state::foreign::one")]
    hosting: Hosting,
}

/// A linked device.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Companion {
    pub(super) key_index: u32,
    #[serde(with = "crate::state::foreign::one")]
    pub(super) identity: PublicKey,
}

struct CodeExchange {
    primary: CodePrimary,
    noise_key: [u8; 32],
}

enum PasskeyExchange {
    Prologue(Box<PasskeyPrimary>),
    Revealed(Box<Revealed>),
}

impl Links {
    /// No companions yet; `highest` counts as the index that was given last.
    pub(super) fn new(rng: &mut ChaCha12Rng, highest: u32) -> Self {
        Self {
            raw_id: rng.next_u32(),
            highest,
            pending: BTreeMap::new(),
            companions: BTreeMap::new(),
            codes: BTreeMap::new(),
            passkey: None,
            hosting: Hosting::EndToEnd,
        }
    }

    pub(super) const fn raw_id(&self) -> u32 {
        self.raw_id
    }

    pub(super) const fn companions(&self) -> &BTreeMap<u16, Companion> {
        &self.companions
    }

    fn list(&self, extra: Option<u32>, now: Now) -> KeyIndexList {
        let mut valid: Vec<u32> = self.companions.values().map(|companion| companion.key_index).collect();
        valid.push(0);
        valid.extend(extra);
        valid.sort_unstable();
        KeyIndexList {
            raw_id: self.raw_id,
            timestamp: now.seconds(),
            current_index: self.highest,
            valid_indexes: valid,
            account_type: self.hosting,
        }
    }
}

impl Phone {
    /// Reads a QR text in either form and signs the companion.
    ///
    /// # Errors
    /// [`PhoneError::Qr`].
    pub fn scan_qr(&mut self, text: &str, now: Now) -> Result<LinkRequest, PhoneError> {
        let text = text.trim();
        // A camera sees the whole link, whichever host it names; the list stands behind its mark.
        let list = match text.split_once("://").and_then(|(_, rest)| rest.split_once('#')) {
            Some((_, list)) => list,
            None => text,
        };
        let qr = QrCode::parse(list)?;
        let noise_key = *qr.noise_key.as_bytes();
        Ok(self.sign_companion(qr.reference, noise_key, &qr.identity_key, &qr.adv_secret, now))
    }

    /// The user typed the code that the companion shows. A wrong one is noticed only in [`Self::companion_finish`].
    /// Runs PBKDF2 twice.
    ///
    /// # Errors
    /// [`PhoneError::Code`] for a text that cannot be a code and for malformed keys.
    pub fn enter_code(&mut self, hello: &CompanionHello, code: &str) -> Result<PrimaryHello, PhoneError> {
        let code = PairingCode::parse(code.trim())?;
        let ephemeral = KeyPair::generate(&mut self.rng);
        let random = WrapRandom::draw(&mut self.rng);
        let primary = CodePrimary::new(&code, &hello.wrapped_ephemeral, &ephemeral, &random)?;
        let answer = PrimaryHello {
            reference: hello.reference.clone(),
            wrapped_ephemeral: Bytes::copy_from_slice(primary.hello()),
            identity: self.account_key(),
        };
        let exchange = CodeExchange { primary, noise_key: hello.noise_key };
        self.links.codes.insert(hello.reference.clone(), exchange);
        Ok(answer)
    }

    /// `companion_finish` reached the phone.
    ///
    /// # Errors
    /// [`PhoneError::NotOpen`] for a ref that no code was typed for; [`PhoneError::Code`], a wrong code among them.
    pub fn companion_finish(
        &mut self,
        reference: &[u8],
        wrapped_bundle: &[u8],
        companion_identity: &[u8],
        now: Now,
    ) -> Result<LinkRequest, PhoneError> {
        let exchange = self.links.codes.get(reference).ok_or(PhoneError::NotOpen("code exchange"))?;
        let account = self.local.pair().key_pair();
        let adv_secret = exchange.primary.finish(account, companion_identity, wrapped_bundle)?;
        let noise_key = exchange.noise_key;
        self.links.codes.remove(reference);
        let companion = PublicKey::from_raw(companion_identity)
            .map_err(|_| PhoneError::Code(wa_core::pairing_code::PairingCodeError::Key))?;
        let reference = String::from_utf8_lossy(reference).into_owned();
        Ok(self.sign_companion(reference, noise_key, &companion, &adv_secret, now))
    }

    /// Opens a passkey exchange: takes `prologue_payload`, gives `primary_ephemeral_identity`.
    ///
    /// # Errors
    /// [`PhoneError::Passkey`].
    pub fn passkey_prologue(&mut self, prologue: &[u8]) -> Result<Bytes, PhoneError> {
        let primary = PasskeyPrimary::new(prologue, &mut self.rng)?;
        let identity = primary.identity();
        self.links.passkey = Some(PasskeyExchange::Prologue(Box::new(primary)));
        Ok(identity)
    }

    /// The companion revealed its nonce: gives the code to compare.
    ///
    /// # Errors
    /// [`PhoneError::NotOpen`], [`PhoneError::Passkey`].
    pub fn passkey_reveal(&mut self, nonce: &[u8]) -> Result<String, PhoneError> {
        let Some(PasskeyExchange::Prologue(primary)) = &self.links.passkey else {
            return Err(PhoneError::NotOpen("passkey prologue"));
        };
        let revealed = primary.reveal(nonce)?;
        let code = revealed.code().to_string();
        self.links.passkey = Some(PasskeyExchange::Revealed(Box::new(revealed)));
        Ok(code)
    }

    /// The encrypted pairing request arrived: signs the companion. `reference` names the waiting connection; an empty one
    /// stands for the ref of the prologue.
    ///
    /// # Errors
    /// [`PhoneError::NotOpen`], [`PhoneError::Passkey`].
    pub fn passkey_request(
        &mut self,
        encrypted: &[u8],
        reference: &str,
        now: Now,
    ) -> Result<LinkRequest, PhoneError> {
        let Some(PasskeyExchange::Revealed(revealed)) = &self.links.passkey else {
            return Err(PhoneError::NotOpen("passkey exchange"));
        };
        let opened = revealed.open(encrypted)?;
        self.links.passkey = None;
        let reference = if reference.is_empty() { opened.reference } else { reference.to_owned() };
        let keys = opened.keys;
        Ok(self.sign_companion(reference, *keys.noise.as_bytes(), &keys.identity, &keys.adv_secret, now))
    }

    fn sign_companion(
        &mut self,
        reference: String,
        noise_key: [u8; 32],
        companion: &PublicKey,
        adv_secret: &Secret<32>,
        now: Now,
    ) -> LinkRequest {
        self.links.highest += 1;
        let key_index = self.links.highest;
        let details = DeviceDetails {
            raw_id: self.links.raw_id,
            timestamp: now.seconds(),
            key_index,
            device_type: self.links.hosting,
            account_type: self.links.hosting,
        };
        let account = self.local.pair().key_pair();
        let issued = issue_link(account, &details, companion, adv_secret, &mut self.rng);
        self.links.pending.insert(key_index, *companion);
        let list = self.links.list(Some(key_index), now).sign(account, &mut self.rng);
        LinkRequest { reference, noise_key, issued, key_index_list: list.encode() }
    }

    /// Signs companions as a hosted account does, from now on (account variant of chapter 10 §8.1).
    pub fn set_hosted(&mut self) {
        self.links.hosting = Hosting::Hosted;
    }

    /// The server has checked `pair-device-sign` and given the companion its number.
    ///
    /// # Errors
    /// [`PhoneError::NotOpen`] for a key index that was not signed or is settled.
    pub fn link_completed(&mut self, key_index: u32, device: u16) -> Result<(), PhoneError> {
        let identity = self.links.pending.remove(&key_index).ok_or(PhoneError::NotOpen("link"))?;
        self.links.companions.insert(device, Companion { key_index, identity });
        // Another companion may have had the number before: nothing of its sessions may be left.
        self.forget_own_device(device);
        Ok(())
    }

    /// The link did not come about. Its key index is used up.
    pub fn link_failed(&mut self, key_index: u32) {
        self.links.pending.remove(&key_index);
    }

    /// Unlinks a companion; gives the new key-index list.
    ///
    /// # Errors
    /// [`PhoneError::UnknownCompanion`].
    pub fn unlink(&mut self, device: u16, now: Now) -> Result<Bytes, PhoneError> {
        self.links.companions.remove(&device).ok_or(PhoneError::UnknownCompanion(device))?;
        self.forget_own_device(device);
        Ok(self.key_index_list(now))
    }

    /// The signed list of the present companions.
    pub fn key_index_list(&mut self, now: Now) -> Bytes {
        let account = self.local.pair().key_pair();
        self.links.list(None, now).sign(account, &mut self.rng).encode()
    }

    /// Numbers of the linked companions.
    pub fn companions(&self) -> impl Iterator<Item = u16> + '_ {
        self.links.companions.keys().copied()
    }

    /// Installs the phone anew: another identity, registration id and raw id, no companions, no sessions, fresh app
    /// state under a new key. Chats stay, as if restored from a backup.
    pub fn reinstall(&mut self, now: Now) -> Reinstalled {
        let dropped = self.companions().collect();
        let count = self.keys.upload_size;
        let (raw_id, hosting) = (self.links.raw_id, self.links.hosting);
        self.local = identity(&mut self.rng);
        self.keys = OwnKeys::new(&self.local, &mut self.rng);
        self.keys.upload_size = count;
        let highest = self.links.highest;
        self.links = Links::new(&mut self.rng, highest);
        self.links.hosting = hosting;
        if self.links.raw_id == raw_id {
            self.links.raw_id = self.links.raw_id.wrapping_add(1);
        }
        self.peers.forget_everything();
        self.retries.clear();
        self.waiting_history.clear();
        self.app = AppState::new(&mut self.rng, now);
        Reinstalled { upload: self.upload(count), dropped, key_index_list: self.key_index_list(now) }
    }
}
