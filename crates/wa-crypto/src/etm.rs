//! Encrypt-then-MAC of one message: the MAC follows the cipher through the buffer a few blocks behind, so that the
//! serial chain of CBC hides most of it.

use crate::cbc::pad;
use crate::kernel::{Block, CbcKey};
use crate::mac::HmacKey;

/// Blocks of 64 bytes by which the MAC runs behind the cipher.
const LAG: usize = 2;

/// Encrypts `buffer[from..]` with AES-256-CBC in place, PKCS#7 padding appended, and gives the HMAC-SHA-256 over
/// `before` and the whole buffer as it then is: the same as [`cbc::encrypt_in_place`](crate::cbc::encrypt_in_place)
/// followed by [`HmacKey::mac`]. A `from` behind the end counts as the end.
pub fn encrypt_and_mac(
    key: &[u8; 32],
    iv: &[u8; 16],
    mac_key: &HmacKey,
    before: &[&[u8]],
    buffer: &mut Vec<u8>,
    from: usize,
) -> [u8; 32] {
    let from = from.min(buffer.len());
    pad(buffer, from);
    let cipher = CbcKey::new(key);
    let mut chain = *iv;
    let mut mac = mac_key.begin();
    for part in before {
        mac.update(part);
    }
    let (head, text) = buffer.split_at_mut(from);
    mac.update(head);

    // The MAC's blocks need not lie as the cipher's do: the first bytes bring it to the start of a block.
    let mut encrypted = text.len().min(64 * (LAG + 1));
    cipher.encrypt(&mut chain, text[..encrypted].as_chunks_mut().0);
    let mut hashed = ((64 - mac.pending()) % 64).min(encrypted);
    mac.update(&text[..hashed]);
    while text.len() - encrypted >= 64 {
        let count = ((text.len() - encrypted) / 64).min(LAG);
        let mut plain: [Block; LAG] = [[0; 64]; LAG];
        let (done, now) = text.split_at_mut(encrypted);
        let (now, _) = now[..64 * count].as_chunks_mut();
        plain[..count].copy_from_slice(now);
        let (behind, _) = done[hashed..hashed + 64 * count].as_chunks();
        cipher.encrypt_and_compress::<1, false>(&mut chain, &plain[..count], now, [&mut mac.state], [behind]);
        mac.skip_blocks(count);
        hashed += 64 * count;
        encrypted += 64 * count;
    }
    cipher.encrypt(&mut chain, text[encrypted..].as_chunks_mut().0);
    mac.update(&text[hashed..]);
    mac_key.close(&mut mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_is_the_same_as_two() {
        let mac_key = HmacKey::new(b"key");
        let data: Vec<u8> = (0..=255).cycle().take(1200).collect();
        for len in (0..300).chain([1000, 1023, 1024, 1100]) {
            for (before, from) in [(0, 0), (66, 0), (66, 37), (3, 64), (64, 5)] {
                let (before, whole) = (&data[..before], &data[..from + len]);
                let mut expected = whole.to_vec();
                crate::cbc::encrypt_in_place(&[1; 32], &[2; 16], &mut expected, from);
                let expected_mac = mac_key.mac(&[before, &expected]);
                let mut buffer = whole.to_vec();
                let mac = encrypt_and_mac(&[1; 32], &[2; 16], &mac_key, &[before], &mut buffer, from);
                assert_eq!((buffer, mac), (expected, expected_mac), "{len} bytes from {from}");
            }
        }
    }
}
