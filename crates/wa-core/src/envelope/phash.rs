//! The participant hash, version 2 (chapter 04 §12.7, chapter 05 §5.4): which devices a sender knew.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use wa_binary::Jid;
use wa_crypto::digest::Sha256;

/// Bytes of the digest that are kept.
const KEPT: usize = 6;

/// `2:` and 8 characters over a set of devices, in any order. Who belongs to the set is the caller's: for groups all
/// participants' devices without hosted ones and with the sending one, for two people the devices encrypted for.
///
/// The hash of an empty set is computed as of an empty text; it is never sent.
pub fn phash<'a>(devices: impl IntoIterator<Item = &'a Jid>) -> String {
    let mut all = String::new();
    let mut ranges = Vec::new();
    for device in devices {
        let start = all.len();
        // Writing to a String cannot fail.
        let _ = match device.server() {
            wa_binary::Server::Legacy => write!(all, "{}", device_in_phone_space(device).phash_form()),
            _ => write!(all, "{}", device.phash_form()),
        };
        ranges.push(start..all.len());
    }
    ranges.sort_by(|a, b| all[a.clone()].cmp(&all[b.clone()]));
    let mut digest = Sha256::new();
    for range in ranges {
        digest.update(&all.as_bytes()[range]);
    }
    let digest = digest.finalize();
    let mut text = String::from("2:");
    STANDARD_NO_PAD.encode_string(&digest[..KEPT], &mut text);
    text
}

/// `c.us` is written as `s.whatsapp.net`.
fn device_in_phone_space(device: &Jid) -> Jid {
    let phone = device.normalized();
    phone.with_device(device.device(), wa_binary::Hosting::Own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jids(texts: &[&str]) -> Vec<Jid> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_order_and_the_legacy_spelling_do_not_matter() {
        let one =
            jids(&["15550100001:7@s.whatsapp.net", "100000000000001@lid", "15550100002@s.whatsapp.net"]);
        let two = jids(&["15550100002@c.us", "15550100001:7@s.whatsapp.net", "100000000000001@lid"]);
        assert_eq!(phash(&one), phash(&two));
        assert_ne!(phash(&one), phash(&one[1..]));
        assert_eq!(phash(&one).len(), 10);
    }

    #[test]
    fn the_whole_text_is_sorted_not_the_numbers() {
        // "10.0:0@lid" stands before "9.0:0@lid".
        let digest = wa_crypto::digest::sha256(&[b"10.0:0@lid", b"9.0:0@lid"]);
        let expected = format!("2:{}", STANDARD_NO_PAD.encode(&digest[..6]));
        assert_eq!(phash(&jids(&["9@lid", "10@lid"])), expected);
    }
}
