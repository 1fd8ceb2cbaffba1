//! Both sides of the exchange against each other, and each way in which it must fail.

use wa_crypto::curve::KeyPair;

use super::*;
use crate::sabotage::{Rule, broken};
use crate::testing::rng;

struct Exchange {
    companion_identity: KeyPair,
    primary_identity: KeyPair,
    primary: Primary,
    finish: CompanionFinish,
}

fn exchange(shown: &str, typed: &str) -> Exchange {
    let rng = &mut rng(7);
    let (companion_identity, primary_identity) = (KeyPair::generate(rng), KeyPair::generate(rng));
    let companion = Companion::new(PairingCode::parse(shown).unwrap(), rng);
    let hello = companion.hello(&WrapRandom::draw(rng));
    let typed = PairingCode::parse(typed).unwrap();
    let primary = Primary::new(&typed, &hello, &KeyPair::generate(rng), &WrapRandom::draw(rng)).unwrap();
    let finish = companion
        .finish(
            &companion_identity,
            primary.hello(),
            primary_identity.public().as_bytes(),
            &BundleRandom::draw(rng),
        )
        .unwrap();
    Exchange { companion_identity, primary_identity, primary, finish }
}

#[test]
fn both_sides_derive_one_secret_from_one_code() {
    let it = exchange("ABCD-1234", "abcd1234");
    let secret = it.primary.finish(
        &it.primary_identity,
        it.companion_identity.public().as_bytes(),
        &it.finish.wrapped_bundle,
    );
    assert_eq!(secret, Ok(it.finish.adv_secret));
}

#[test]
fn a_wrong_code_is_noticed_by_the_phone() {
    let it = exchange("ABCD-1234", "ABCD-1235");
    let secret = it.primary.finish(
        &it.primary_identity,
        it.companion_identity.public().as_bytes(),
        &it.finish.wrapped_bundle,
    );
    assert_eq!(secret, Err(PairingCodeError::WrongCode));
}

#[test]
fn a_bundle_of_other_identities_is_refused() {
    let it = exchange("ABCD-1234", "ABCD-1234");
    let other = KeyPair::generate(&mut rng(8));
    let bundle = &it.finish.wrapped_bundle;
    assert_eq!(
        it.primary.finish(&it.primary_identity, other.public().as_bytes(), bundle),
        Err(PairingCodeError::Foreign("companion"))
    );
    assert_eq!(
        it.primary.finish(&other, it.companion_identity.public().as_bytes(), bundle),
        Err(PairingCodeError::Foreign("phone"))
    );
}

#[test]
fn without_the_comparison_a_bundle_of_others_would_pass() {
    let it = exchange("ABCD-1234", "ABCD-1234");
    let other = KeyPair::generate(&mut rng(8));
    let finish =
        || it.primary.finish(&it.primary_identity, other.public().as_bytes(), &it.finish.wrapped_bundle);
    assert!(finish().is_err());
    assert!(broken(Rule::BundleIdentities, finish).is_ok());
}

#[test]
fn wrong_lengths_and_low_order_keys_are_refused() {
    let rng = &mut rng(9);
    let code = PairingCode::generate(rng);
    for len in [0, 79, 81] {
        assert!(matches!(unwrap_key(&code, &vec![1; len]), Err(PairingCodeError::Length { .. })));
    }
    let companion = Companion::new(code.clone(), rng);
    let zero = wrap_key(&code, &wa_crypto::curve::PublicKey::from_bytes([0; 32]), &WrapRandom::draw(rng));
    let identity = KeyPair::generate(rng);
    let bundle = BundleRandom::draw(rng);
    let refused = companion.finish(&identity, &zero, identity.public().as_bytes(), &bundle);
    assert_eq!(refused.map(drop), Err(PairingCodeError::Key));
    let hello = companion.hello(&WrapRandom::draw(rng));
    let refused = companion.finish(&identity, &hello, &[0; 32], &bundle);
    assert_eq!(refused.map(drop), Err(PairingCodeError::Key));
}

#[test]
fn a_code_is_normalised_and_checked() {
    assert_eq!(PairingCode::parse("ab-cd-12-34").unwrap().to_string(), "ABCD-1234");
    for wrong in ["", "ABCD123", "ABCD12345", "ABCDO234", "ABCDéé34", "--------", " ABCD1234"] {
        assert!(PairingCode::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_phone_number_keeps_its_digits_only() {
    assert_eq!(phone_digits("+1 (555) 010-0001").unwrap(), "15550100001");
    assert_eq!(phone_digits("123-456"), Err(PairingCodeError::PhoneTooShort(6)));
    assert_eq!(phone_digits("0155501001"), Err(PairingCodeError::PhoneNotInternational));
}

#[test]
fn a_display_name_is_one_that_the_server_knows() {
    for (platform, os, display) in [
        (PlatformType::Chrome, "Linux", "Chrome (Linux)"),
        (PlatformType::Desktop, "Windows 11", "Chrome (Windows)"),
        (PlatformType::Safari, "macOS", "Safari (Mac OS)"),
        (PlatformType::AndroidPhone, "Android", "Android (Android)"),
        (PlatformType::Firefox, "my bot", "Firefox (Linux)"),
    ] {
        assert_eq!(platform_display(platform, os), display);
    }
}
