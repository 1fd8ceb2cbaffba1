//! The device's keys before linking, and what linking adds (chapter 02 §1).

use rand_core::CryptoRng;
use wa_binary::Jid;
use wa_core::envelope;
use wa_core::prekeys::{Bundle, SignedKey, Upload};
use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_signal::{IdentityKeyPair, LocalIdentity};
use wa_store::{Changes, Device, SignedPreKey, SignedPreKeyState, UnixTime, tables};

/// Draws everything that a device has before it is linked.
pub(crate) fn create(now: UnixTime, rng: &mut impl CryptoRng) -> (Device, SignedPreKey) {
    let identity = KeyPair::generate(rng);
    let signed = wa_signal::SignedPreKey::generate(1, &IdentityKeyPair::from(identity.clone()), rng);
    let device = Device {
        noise_key: to_row(&KeyPair::generate(rng)),
        identity_key: to_row(&identity),
        // 31 bits, not zero: what every client can carry (chapter 01 §5).
        registration_id: (rng.next_u32() >> 1).max(1),
        adv_secret: Secret::random(rng),
        signed_prekey_id: signed.id,
        signed_prekey_since: None,
        next_prekey_id: 1,
        first_unuploaded_prekey_id: 1,
        server_has_prekeys: false,
        login_counter: 0,
        push_name: Default::default(),
        registration: None,
    };
    let row = SignedPreKey {
        key: to_row(&signed.pair),
        signature: signed.signature.to_vec().into(),
        created: now,
        state: SignedPreKeyState::Current,
    };
    (device, row)
}

/// Stores a new device in place of everything that belonged to another number.
pub(crate) fn store_new(changes: &mut Changes, device: &Device, signed: &SignedPreKey) {
    changes.forget_number();
    changes.put(tables::Devices, &(), device);
    changes.put(tables::SignedPreKeys, &device.signed_prekey_id, signed);
}

pub(crate) fn to_row(pair: &KeyPair) -> wa_store::KeyPair {
    wa_store::KeyPair { public: *pair.public().as_bytes(), private: Secret::new(*pair.private().expose()) }
}

pub(crate) fn from_row(row: &wa_store::KeyPair) -> KeyPair {
    KeyPair::from_parts(PrivateKey::from_bytes(*row.private.expose()), PublicKey::from_bytes(row.public))
}

pub(crate) fn signed_from_row(id: u32, row: &SignedPreKey) -> Option<wa_signal::SignedPreKey> {
    Some(wa_signal::SignedPreKey {
        id,
        pair: from_row(&row.key),
        signature: row.signature.as_ref().try_into().ok()?,
    })
}

pub(crate) fn signed_key(signed: &wa_signal::SignedPreKey) -> SignedKey {
    SignedKey { id: signed.id, public: *signed.pair.public(), signature: signed.signature }
}

/// What others may know of a device's credentials.
pub(crate) trait Own {
    fn identity(&self) -> LocalIdentity;
    fn noise(&self) -> KeyPair;
    /// Own address by phone number, with the device.
    fn pn(&self) -> Option<Jid>;
    /// Own LID, with the device.
    fn lid(&self) -> Option<Jid>;
    /// Both, for whatever reads stanzas; `None` while not linked.
    fn own(&self) -> Option<envelope::Own> {
        Some(envelope::Own { pn: self.pn()?, lid: self.lid() })
    }
    /// Whether `jid` is this account, in whichever family.
    fn is_me(&self, jid: &Jid) -> bool {
        [self.pn(), self.lid()].into_iter().flatten().any(|own| own.same_user(jid))
    }
    /// Leaves this very device out, in whichever family.
    fn leave_out(&self, devices: &mut Vec<Jid>) {
        let own = [self.pn(), self.lid()];
        let is_this =
            |one: &Jid| own.iter().flatten().any(|own| own.same_user(one) && own.device() == one.device());
        devices.retain(|one| !is_this(one));
    }
}

impl Own for Device {
    fn identity(&self) -> LocalIdentity {
        LocalIdentity::new(IdentityKeyPair::from(from_row(&self.identity_key)), self.registration_id)
    }

    fn noise(&self) -> KeyPair {
        from_row(&self.noise_key)
    }

    fn pn(&self) -> Option<Jid> {
        self.registration.as_ref()?.pn.to_string().parse().ok()
    }

    fn lid(&self) -> Option<Jid> {
        let registration = self.registration.as_ref()?;
        let lid: Jid = registration.lid.as_ref()?.as_str().parse().ok()?;
        wa_binary::DeviceJid::of(&lid, registration.pn.device).ok().map(wa_binary::DeviceJid::into_jid)
    }
}

/// The public half of what is uploaded.
pub(crate) fn upload(
    device: &Device,
    signed: &wa_signal::SignedPreKey,
    one_time: Vec<(u32, PublicKey)>,
) -> Upload {
    Upload {
        registration_id: device.registration_id,
        identity: PublicKey::from_bytes(device.identity_key.public),
        signed: signed_key(signed),
        one_time,
    }
}

/// A bundle of our own for a retry receipt.
pub(crate) fn own_bundle(
    device: &Device,
    signed: &wa_signal::SignedPreKey,
    one_time: (u32, PublicKey),
) -> Bundle {
    Bundle {
        registration_id: device.registration_id,
        identity: PublicKey::from_bytes(device.identity_key.public),
        signed: signed_key(signed),
        one_time: Some(one_time),
        device_identity: device
            .registration
            .as_ref()
            .map(|registration| registration.device_identity.clone()),
    }
}
