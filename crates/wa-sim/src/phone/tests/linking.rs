//! Linking by QR code, typed code and passkey; each safety check with the forgery that it must catch, and the proof that
//! the test would see a skipped check.

use wa_core::adv::{
    AdvError, DeviceDetails, Hosting, KeyIndexList, SignedDevice, check_link_answer, issue_link,
};
use wa_core::pairing_code::{self, BundleRandom, PairingCode, WrapRandom};
use wa_core::passkey;
use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};

use super::model::Companion;
use super::*;
use crate::phone::{CompanionHello, PhoneError};

/// Secrets that a forger in these tests picks.
pub(super) const FORGED_SECRETS: [u8; 1] = [0x77];

fn rng() -> rand_chacha::ChaCha12Rng {
    use rand_chacha::rand_core::SeedableRng as _;
    rand_chacha::ChaCha12Rng::from_seed([0xEE; 32])
}

fn account_key(wire: &mut Wire) -> PublicKey {
    PublicKey::from_bytes(wire.phone(ALICE).account_key())
}

#[test]
fn a_scanned_companion_is_linked_and_greeted() {
    let mut wire = Wire::new();
    let device = wire.link(ALICE, Companion::new(31), 7);
    assert_eq!(wire.phone(ALICE).companions().collect::<Vec<_>>(), [7]);
    let companion = wire.companion(ALICE, device);
    assert!(companion.ring.active().is_some(), "no sync key");
    assert!(!companion.history.is_empty(), "no history");
    assert!(companion.failures.is_empty());
    assert_eq!(wire.phone(ALICE).unconfirmed_history(), 0);
}

#[test]
fn both_forms_of_a_qr_code_are_read_and_others_are_refused() {
    let mut wire = Wire::new();
    let url = Companion::new(31).qr("2@a,b");
    let plain = url.split_once('#').unwrap().1.to_owned();
    let elsewhere = format!("  https://example.invalid/x#{plain}\n");
    let now = wire.now;
    for text in [&url, &plain, &elsewhere] {
        assert_eq!(wire.phone(ALICE).scan_qr(text, now).unwrap().reference, "2@a,b");
    }
    for wrong in ["", "hello", plain.rsplit_once(',').unwrap().0.rsplit_once(',').unwrap().0] {
        assert!(matches!(wire.phone(ALICE).scan_qr(wrong, now), Err(PhoneError::Qr(_))), "{wrong}");
    }
}

#[test]
fn key_indexes_grow_and_a_revoked_one_is_never_used_again() {
    let mut wire = Wire::new();
    wire.link(ALICE, Companion::new(31), 7);
    wire.link(ALICE, Companion::new(32), 8);
    let (now, key) = (wire.now, account_key(&mut wire));
    let list = wire.phone(ALICE).unlink(8, now).unwrap();
    let list = KeyIndexList::verify(&list, Some(&key)).unwrap();
    assert_eq!((list.current_index, &list.valid_indexes[..]), (2, &[0, 1][..]));
    assert!(list.keeps(7, Some(1)) && !list.keeps(8, Some(2)));
    let text = Companion::new(33).qr("2@ref");
    let request = wire.phone(ALICE).scan_qr(&text, now).unwrap();
    assert_eq!(request.issued.key_index, 3);
    let list = KeyIndexList::verify(&request.key_index_list, Some(&key)).unwrap();
    assert_eq!(list.valid_indexes, [0, 1, 3]);
    // One that comes to nothing is used up as well.
    wire.phone(ALICE).link_failed(3);
    assert!(wire.phone(ALICE).link_completed(3, 9).is_err());
    let request = wire.phone(ALICE).scan_qr(&text, now).unwrap();
    assert_eq!(request.issued.key_index, 4);
    assert!(matches!(wire.phone(ALICE).unlink(8, now), Err(PhoneError::UnknownCompanion(8))));
}

/// A server that knows the refs and keys, but not the ADV secret that only the QR code carries.
fn forged_container(companion: &Companion) -> Bytes {
    let details = DeviceDetails {
        raw_id: 1,
        timestamp: 1_760_000_000,
        key_index: 1,
        device_type: Hosting::EndToEnd,
        account_type: Hosting::EndToEnd,
    };
    let forger = KeyPair::from(PrivateKey::from_bytes([9; 32]));
    let secret = Secret::new([FORGED_SECRETS[0]; 32]);
    issue_link(&forger, &details, companion.local.identity_key().public_key(), &secret, &mut rng()).container
}

#[test]
fn a_companion_refuses_an_account_that_has_not_seen_its_code() {
    let mut companion = Companion::new(31);
    let container = forged_container(&companion);
    assert_eq!(companion.pair_success(&container), Err(AdvError::Hmac));
}

#[test]
fn without_the_hmac_check_the_forgery_would_pass() {
    let mut companion = Companion::new(31);
    companion.trusts_anybody = true;
    let container = forged_container(&companion);
    assert!(companion.pair_success(&container).is_ok(), "the test above would not notice a skipped check");
}

#[test]
fn a_companion_refuses_a_link_signed_for_another_identity() {
    let mut wire = Wire::new();
    let (mut companion, other) = (Companion::new(31), Companion::new(32));
    // The other companion's identity in a code with this one's secret.
    let mut code = wa_core::login::QrCode::parse(&companion.qr("2@ref")).unwrap();
    code.identity_key = *other.local.identity_key().public_key();
    let now = wire.now;
    let request = wire.phone(ALICE).scan_qr(&code.plain(), now).unwrap();
    assert_eq!(companion.pair_success(&request.issued.container), Err(AdvError::AccountSignature));
}

#[test]
fn the_server_refuses_changed_content_in_pair_device_sign() {
    let mut wire = Wire::new();
    let mut companion = Companion::new(31);
    let now = wire.now;
    let request = wire.phone(ALICE).scan_qr(&companion.qr("2@ref"), now).unwrap();
    let (key_index, answer) = companion.pair_success(&request.issued.container).unwrap();
    let mut signed = SignedDevice::decode(&answer).unwrap();
    assert!(check_link_answer(&request.issued, key_index, &answer).is_ok());
    let wrong_index = AdvError::KeyIndex { expected: key_index, found: key_index + 1 };
    assert_eq!(check_link_answer(&request.issued, key_index + 1, &answer), Err(wrong_index));
    let details = signed.device_details().unwrap();
    signed.details = DeviceDetails { raw_id: details.raw_id ^ 1, ..details }.encode();
    let changed = signed.encode_without_account_key();
    let refused = check_link_answer(&request.issued, key_index, &changed);
    assert_eq!(refused, Err(AdvError::Altered("details")));
}

/// Runs the code exchange with what the companion shows and what the user types.
fn code_exchange(wire: &mut Wire, shown: &str, typed: &str) -> Result<LinkRequest, PhoneError> {
    let mut companion = Companion::new(41);
    let rng = &mut rng();
    let exchange = pairing_code::Companion::new(PairingCode::parse(shown).unwrap(), rng);
    let hello = CompanionHello {
        reference: Bytes::from_static(b"code-ref"),
        wrapped_ephemeral: Bytes::copy_from_slice(&exchange.hello(&WrapRandom::draw(rng))),
        noise_key: *companion.noise.public().as_bytes(),
    };
    let answer = wire.phone(ALICE).enter_code(&hello, typed)?;
    let identity = companion.local.pair().key_pair().clone();
    let finish = exchange
        .finish(&identity, &answer.wrapped_ephemeral, &answer.identity, &BundleRandom::draw(rng))
        .unwrap();
    companion.adv_secret = finish.adv_secret;
    let now = wire.now;
    let request = wire.phone(ALICE).companion_finish(
        &hello.reference,
        &finish.wrapped_bundle,
        identity.public().as_bytes(),
        now,
    )?;
    wire.finish_link(ALICE, &mut companion, 5, &request);
    wire.join(ALICE, companion, 5);
    Ok(request)
}

#[test]
fn a_typed_code_links() {
    let mut wire = Wire::new();
    let request = code_exchange(&mut wire, "ABCD-1234", "abcd1234").unwrap();
    assert_eq!(request.reference, "code-ref");
    assert!(wire.companion(ALICE, 5).ring.active().is_some());
}

#[test]
fn a_wrong_code_is_noticed_and_can_be_typed_again() {
    let mut wire = Wire::new();
    let wrong = code_exchange(&mut wire, "ABCD-1234", "ABCD-1235");
    assert!(matches!(wrong, Err(PhoneError::Code(pairing_code::PairingCodeError::WrongCode))));
    assert!(code_exchange(&mut wire, "ABCD-1234", "ABCD-1234").is_ok());
    let now = wire.now;
    let unknown = wire.phone(ALICE).companion_finish(b"other", &[0; 156], &[1; 32], now);
    assert!(matches!(unknown, Err(PhoneError::NotOpen(_))));
}

#[test]
fn a_passkey_link_shows_one_code_on_both_sides() {
    let mut wire = Wire::new();
    let mut companion = Companion::new(51);
    let exchange = passkey::Companion::new(1, "2@pk".to_owned(), &mut rng());
    assert!(matches!(wire.phone(ALICE).passkey_reveal(&[0; 32]), Err(PhoneError::NotOpen(_))));
    let identity = wire.phone(ALICE).passkey_prologue(&exchange.prologue()).unwrap();
    let continued = exchange.resume(&identity).unwrap();
    assert!(wire.phone(ALICE).passkey_reveal(&[0; 32]).is_err());
    let code = wire.phone(ALICE).passkey_reveal(continued.nonce()).unwrap();
    assert_eq!(code, continued.code().to_string());
    let keys = passkey::CompanionKeys {
        noise: *companion.noise.public(),
        identity: *companion.local.identity_key().public_key(),
        adv_secret: companion.adv_secret.clone(),
    };
    let now = wire.now;
    let request = continued.request(&keys, [3; 12]).unwrap();
    let request = wire.phone(ALICE).passkey_request(&request, "", now).unwrap();
    assert_eq!(request.reference, "2@pk");
    wire.finish_link(ALICE, &mut companion, 6, &request);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut wire = Wire::new();
        wire.link(ALICE, Companion::new(31), 7);
        let bob = wire.user(BOB);
        wire.say(ALICE, &bob, "again");
        wire.log
    };
    assert_eq!(run(), run());
}
