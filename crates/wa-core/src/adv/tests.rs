//! A link from both ends, and each check with the forgery that it must catch.

use prost::Message as _;
use wa_crypto::Secret;
use wa_crypto::curve::KeyPair;
use wa_proto::adv::{AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac};

use super::*;
use crate::sabotage::broken;
use crate::testing::rng;

struct Link {
    account: KeyPair,
    companion: KeyPair,
    secret: Secret<32>,
    issued: IssuedLink,
}

fn link(hosting: Hosting) -> Link {
    let rng = &mut rng(11);
    let (account, companion) = (KeyPair::generate(rng), KeyPair::generate(rng));
    let secret = Secret::random(rng);
    let details = DeviceDetails {
        raw_id: 77,
        timestamp: 1_760_000_000,
        key_index: 3,
        device_type: hosting,
        account_type: hosting,
    };
    let issued = issue_link(&account, &details, companion.public(), &secret, rng);
    Link { account, companion, secret, issued }
}

impl Link {
    fn accept(&self) -> SignedDevice {
        accept_link(&self.issued.container, &self.secret, self.companion.public())
            .unwrap()
            .sign(&self.companion, &mut rng(12))
    }
}

#[test]
fn a_link_is_issued_accepted_answered_and_checked_by_others() {
    let it = link(Hosting::EndToEnd);
    let signed = it.accept();
    let answer = signed.encode_without_account_key();
    assert_eq!(check_link_answer(&it.issued, 3, &answer), Ok(signed.clone()));
    let valid = Ok(DeviceCheck::Valid { account_key: *it.account.public() });
    assert_eq!(check_device(&signed.encode(), it.companion.public(), None), valid);
    assert_eq!(check_device(&answer, it.companion.public(), Some(it.account.public())), valid);
    assert_eq!(check_device(&answer, it.companion.public(), None), Ok(DeviceCheck::Unverifiable));
    assert_eq!(SignedDevice::decode(&signed.encode()), Ok(signed));
}

#[test]
fn a_hosted_link_is_accepted_under_its_own_prefixes() {
    let it = link(Hosting::Hosted);
    let answer = it.accept().encode_without_account_key();
    assert!(check_link_answer(&it.issued, 3, &answer).is_ok());
}

#[test]
fn another_adv_secret_is_an_hmac_mismatch() {
    let it = link(Hosting::EndToEnd);
    let refused = accept_link(&it.issued.container, &Secret::new([1; 32]), it.companion.public());
    assert_eq!(refused, Err(AdvError::Hmac));
    assert_eq!(AdvError::Hmac.reply(), (401, "hmac-mismatch"));
}

#[test]
fn a_server_that_swaps_the_account_key_is_caught_by_the_hmac() {
    // Its own account key, correctly signed, but without the ADV secret that only the QR code carries.
    let it = link(Hosting::EndToEnd);
    let forger = KeyPair::generate(&mut rng(13));
    let details = DeviceDetails::decode(&it.issued.details).unwrap();
    let forged = issue_link(&forger, &details, it.companion.public(), &Secret::new([0; 32]), &mut rng(14));
    assert_eq!(accept_link(&forged.container, &it.secret, it.companion.public()), Err(AdvError::Hmac));
}

#[test]
fn an_account_signature_over_another_identity_is_refused_despite_a_good_hmac() {
    let it = link(Hosting::EndToEnd);
    let other = KeyPair::generate(&mut rng(15));
    assert_eq!(
        accept_link(&it.issued.container, &it.secret, other.public()),
        Err(AdvError::AccountSignature)
    );
}

/// Each forgery that the tests above see refused passes when its check is skipped: they would notice.
#[test]
fn a_skipped_check_lets_its_forgery_through() {
    let it = link(Hosting::EndToEnd);
    let (container, companion) = (&it.issued.container, it.companion.public());
    let other = KeyPair::generate(&mut rng(15));
    let accept = |secret: &Secret<32>, identity: &PublicKey| accept_link(container, secret, identity).is_ok();
    let wrong = Secret::new([1; 32]);
    assert!(!accept(&wrong, companion));
    assert!(broken(Rule::LinkHmac, || accept(&wrong, companion)));
    assert!(!accept(&it.secret, other.public()));
    assert!(broken(Rule::AccountSignature, || accept(&it.secret, other.public())));

    let mut answer = it.accept();
    answer.device_signature[0] ^= 1;
    let bytes = answer.encode_without_account_key();
    let check = |key_index| check_link_answer(&it.issued, key_index, &bytes).is_ok();
    assert!(!check(3));
    assert!(broken(Rule::DeviceSignature, || check(3)));
    answer = it.accept();
    let details = answer.device_details().unwrap();
    answer.details = DeviceDetails { raw_id: 78, ..details }.encode();
    let bytes = answer.encode_without_account_key();
    let check = |key_index| check_link_answer(&it.issued, key_index, &bytes).is_ok();
    assert!(!check(3) && !check(4));
    assert!(broken(Rule::IssuedContent, || check(3) && check(4)));

    let list = KeyIndexList {
        raw_id: 5,
        timestamp: 9,
        current_index: 0,
        valid_indexes: vec![0],
        account_type: Hosting::EndToEnd,
    };
    let blob = list.sign(&it.account, &mut rng(20)).encode();
    let verify = || KeyIndexList::verify(&blob, Some(other.public())).is_ok();
    assert!(!verify());
    assert!(broken(Rule::ListSignature, verify));
}

#[test]
fn a_key_of_31_bytes_is_a_signature_error_and_not_a_panic() {
    let it = link(Hosting::EndToEnd);
    let mut container = AdvSignedDeviceIdentityHmac::decode(it.issued.container.clone()).unwrap();
    let mut signed = AdvSignedDeviceIdentity::decode(container.details.unwrap()).unwrap();
    signed.account_signature_key = Some(Bytes::from(vec![1; 31]));
    let signed: Bytes = signed.encode_to_vec().into();
    let hmac = wa_crypto::mac::hmac_sha256(it.secret.expose(), &[&signed]);
    container.details = Some(signed);
    container.hmac = Some(Bytes::copy_from_slice(&hmac));
    let refused = accept_link(&container.encode_to_vec(), &it.secret, it.companion.public());
    assert_eq!(refused, Err(AdvError::AccountSignature));
}

#[test]
fn a_low_order_account_key_is_refused_even_when_its_signature_holds() {
    let it = link(Hosting::EndToEnd);
    let mut container = AdvSignedDeviceIdentityHmac::decode(it.issued.container.clone()).unwrap();
    let mut signed = AdvSignedDeviceIdentity::decode(container.details.unwrap()).unwrap();
    signed.account_signature_key = Some(Bytes::from(vec![0; 32]));
    let signed: Bytes = signed.encode_to_vec().into();
    container.hmac =
        Some(Bytes::copy_from_slice(&wa_crypto::mac::hmac_sha256(it.secret.expose(), &[&signed])));
    container.details = Some(signed);
    let container = container.encode_to_vec();
    let accept = || accept_link(&container, &it.secret, it.companion.public());
    assert_eq!(accept(), Err(AdvError::AccountSignature));
    assert_eq!(broken(Rule::AccountSignature, accept), Err(AdvError::AccountSignature));
}

#[test]
fn sizes_and_rubbish_are_refused() {
    let it = link(Hosting::EndToEnd);
    for len in [0, 501] {
        let refused = accept_link(&vec![0x0A; len], &it.secret, it.companion.public());
        assert_eq!(refused, Err(AdvError::Size(len)));
    }
    for len in 1..it.issued.container.len() {
        assert!(accept_link(&it.issued.container[..len], &it.secret, it.companion.public()).is_err());
    }
}

#[test]
fn the_server_refuses_each_change_in_pair_device_sign() {
    let it = link(Hosting::EndToEnd);
    let signed = it.accept();
    let changed = |change: &dyn Fn(&mut SignedDevice)| {
        let mut answer = signed.clone();
        change(&mut answer);
        check_link_answer(&it.issued, 3, &answer.encode_without_account_key()).unwrap_err()
    };
    assert_eq!(
        check_link_answer(&it.issued, 4, &signed.encode_without_account_key()),
        Err(AdvError::KeyIndex { expected: 3, found: 4 })
    );
    let details = DeviceDetails { key_index: 4, ..signed.device_details().unwrap() };
    assert_eq!(changed(&|answer| answer.details = details.encode()), AdvError::Altered("details"));
    assert_eq!(
        changed(&|answer| answer.account_signature[0] ^= 1),
        AdvError::Altered("the account signature")
    );
    assert_eq!(changed(&|answer| answer.device_signature[0] ^= 1), AdvError::DeviceSignature);
    // A signature by another identity than the one in the QR code.
    let forger = KeyPair::generate(&mut rng(16));
    let forged = accept_link(&it.issued.container, &it.secret, it.companion.public())
        .unwrap()
        .sign(&forger, &mut rng(17));
    assert_eq!(
        check_link_answer(&it.issued, 3, &forged.encode_without_account_key()),
        Err(AdvError::DeviceSignature)
    );
}

#[test]
fn a_bundle_with_another_identity_or_without_signature_is_rejected() {
    let it = link(Hosting::EndToEnd);
    let signed = it.accept();
    let other = KeyPair::generate(&mut rng(18));
    assert!(check_device(&signed.encode(), other.public(), None).is_err());
    let mut parts = AdvSignedDeviceIdentity::decode(signed.encode()).unwrap();
    parts.device_signature = None;
    assert_eq!(
        check_device(&parts.encode_to_vec(), it.companion.public(), None),
        Err(AdvError::DeviceSignature)
    );
}

#[test]
fn a_key_index_list_keeps_listed_and_newer_devices_only() {
    let account = KeyPair::generate(&mut rng(19));
    let list = KeyIndexList {
        raw_id: 5,
        timestamp: 9,
        current_index: 4,
        valid_indexes: vec![0, 2, 4],
        account_type: Hosting::EndToEnd,
    };
    let blob = list.sign(&account, &mut rng(20)).encode();
    assert_eq!(KeyIndexList::verify(&blob, Some(account.public())), Ok(list.clone()));
    let other = KeyPair::generate(&mut rng(21));
    assert_eq!(KeyIndexList::verify(&blob, Some(other.public())), Err(AdvError::ListSignature));
    assert!(KeyIndexList::verify(&blob, None).is_err());
    assert!(list.keeps(0, None) && list.keeps(7, Some(2)) && list.keeps(7, Some(5)));
    assert!(!list.keeps(7, Some(3)) && !list.keeps(7, None));
}
