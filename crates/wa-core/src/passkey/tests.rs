//! Both sides of the passkey exchange against each other, and what a cheating side meets.

use wa_crypto::curve::KeyPair;

use super::*;
use crate::sabotage::{Rule, broken};
use crate::testing::rng;

#[test]
fn both_screens_show_one_code_and_the_request_opens() {
    let rng = &mut rng(1);
    let companion = Companion::new(1, "2@ref".to_owned(), rng);
    let primary = Primary::new(&companion.prologue(), rng).unwrap();
    let continued = companion.resume(&primary.identity()).unwrap();
    let revealed = primary.reveal(continued.nonce()).unwrap();
    assert_eq!(continued.code(), revealed.code());

    let keys = CompanionKeys {
        noise: *KeyPair::generate(rng).public(),
        identity: *KeyPair::generate(rng).public(),
        adv_secret: Secret::random(rng),
    };
    let opened = revealed.open(&continued.request(&keys, [9; 12]).unwrap()).unwrap();
    assert_eq!(opened.reference, "2@ref");
    assert_eq!(opened.keys.adv_secret, keys.adv_secret);
    assert_eq!((opened.keys.noise, opened.keys.identity), (keys.noise, keys.identity));
}

#[test]
fn a_nonce_chosen_after_the_commitment_is_refused() {
    let rng = &mut rng(2);
    let companion = Companion::new(1, "2@ref".to_owned(), rng);
    let primary = Primary::new(&companion.prologue(), rng).unwrap();
    assert_eq!(primary.reveal(&[7; 32]).map(drop), Err(PasskeyError::Commitment));
    assert!(matches!(primary.reveal(&[7; 31]), Err(PasskeyError::Length { .. })));
}

#[test]
fn without_the_commitment_any_nonce_would_pass() {
    let rng = &mut rng(2);
    let companion = Companion::new(1, "2@ref".to_owned(), rng);
    let primary = Primary::new(&companion.prologue(), rng).unwrap();
    assert!(broken(Rule::Commitment, || primary.reveal(&[7; 32])).is_ok());
}

#[test]
fn a_request_to_another_phone_does_not_open() {
    let rng = &mut rng(3);
    let companion = Companion::new(1, "2@ref".to_owned(), rng);
    let primary = Primary::new(&companion.prologue(), rng).unwrap();
    let other = Primary::new(&companion.prologue(), rng).unwrap();
    let continued = companion.resume(&primary.identity()).unwrap();
    let keys = CompanionKeys {
        noise: *KeyPair::generate(rng).public(),
        identity: *KeyPair::generate(rng).public(),
        adv_secret: Secret::random(rng),
    };
    let request = continued.request(&keys, [9; 12]).unwrap();
    let refused = other.reveal(continued.nonce()).unwrap().open(&request);
    assert_eq!(refused.map(drop), Err(PasskeyError::Request));
}

#[test]
fn malformed_parts_are_errors() {
    let rng = &mut rng(4);
    let companion = Companion::new(1, "2@ref".to_owned(), rng);
    for bytes in [&[][..], &[0xFF], &[0x0A, 1, 1]] {
        assert!(companion.resume(bytes).is_err());
        assert!(Primary::new(bytes, rng).is_err());
    }
}
