//! Chain counters seen between two devices: none may serve two ciphertexts (chapter 10 §15).
//!
//! The server reads only the unencrypted head of a Signal message (chapter 04): version byte, then protobuf with the
//! ratchet key in field 1 and the counter in field 2; a pre-key message holds such a message in its field 4, a
//! sender-key message a chain id in field 1 and the iteration in field 2.

use std::collections::{HashMap, VecDeque};

use crate::world::DeviceKey;

type Place = (u64, u64);

/// Remembers the last counters, bounded.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<(u64, u32)>", into = "Vec<(u64, u32)>")]
pub struct Counters {
    seen: HashMap<u64, u32>,
    order: VecDeque<u64>,
}

impl From<Vec<(u64, u32)>> for Counters {
    fn from(noted: Vec<(u64, u32)>) -> Self {
        Self { order: noted.iter().map(|(key, _)| *key).collect(), seen: noted.into_iter().collect() }
    }
}

impl From<Counters> for Vec<(u64, u32)> {
    fn from(counters: Counters) -> Self {
        let Counters { order, mut seen } = counters;
        order.into_iter().filter_map(|key| seen.remove_entry(&key)).collect()
    }
}

impl Counters {
    const LIMIT: usize = 65_536;

    /// Notes a ciphertext; `false` when its counter was already used for another one. `to` is `None` for a group.
    pub fn note(&mut self, from: DeviceKey, to: Option<DeviceKey>, kind: &str, ciphertext: &[u8]) -> bool {
        let Some((chain, counter)) = place(kind, ciphertext) else { return true };
        let number = |device: Option<DeviceKey>| {
            device.map_or(u64::MAX, |device| u64::from(device.account.0) << 16 | u64::from(device.device))
        };
        let key = mix(&[number(Some(from)), number(to), chain, counter]);
        let content = mix(&[ciphertext.len() as u64, tail(ciphertext)]) as u32;
        if let Some(earlier) = self.seen.get(&key) {
            return *earlier == content;
        }
        if self.order.len() >= Self::LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(key);
        self.seen.insert(key, content);
        true
    }
}

/// Chain and counter of a ciphertext; `None` for what is not such a message.
fn place(kind: &str, ciphertext: &[u8]) -> Option<Place> {
    let body = ciphertext.get(1..)?;
    match kind {
        "msg" => Some((tail(field_bytes(body, 1)?), field_number(body, 2)?)),
        "pkmsg" => place("msg", field_bytes(body, 4)?),
        "skmsg" => Some((field_number(body, 1)?, field_number(body, 2)?)),
        _ => None,
    }
}

/// The id of the one-time pre-key that a `pkmsg` names (field 1).
#[must_use]
pub(crate) fn one_time_key(ciphertext: &[u8]) -> Option<u32> {
    field_number(ciphertext.get(1..)?, 1).and_then(|id| u32::try_from(id).ok())
}

fn field_bytes(message: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(message).find_map(|(number, value)| match value {
        Value::Bytes(bytes) if number == wanted => Some(bytes),
        _ => None,
    })
}

fn field_number(message: &[u8], wanted: u64) -> Option<u64> {
    fields(message).find_map(|(number, value)| match value {
        Value::Number(found) if number == wanted => Some(found),
        _ => None,
    })
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protobuf message until it ends or makes no sense (a MAC follows the message).
fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || {
        let key = varint(&mut rest)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, left) = rest.split_at_checked(length)?;
                rest = left;
                Value::Bytes(bytes)
            }
            _ => return None,
        };
        Some((key >> 3, value))
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The last eight bytes: of a ratchet key as good as all of it, of a ciphertext its MAC.
fn tail(bytes: &[u8]) -> u64 {
    let mut last = [0; 8];
    let from = bytes.len().saturating_sub(8);
    last[..bytes.len() - from].copy_from_slice(&bytes[from..]);
    u64::from_be_bytes(last)
}

fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0xcbf2_9ce4_8422_2325, |state: u64, part| {
        (state ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::AccountId;

    fn message(counter: u8, mac: u8) -> Vec<u8> {
        let mut bytes = vec![0x33, 0x0a, 33, 5];
        bytes.extend([7; 32]);
        bytes.extend([0x10, counter, 0x18, 0, 0x22, 2, 1, 1]);
        bytes.extend([mac; 8]);
        bytes
    }

    #[test]
    fn a_counter_may_serve_one_ciphertext_per_device() {
        let device = |account, device| DeviceKey { account: AccountId(account), device };
        let mut counters = Counters::default();
        let (from, to) = (device(1, 1), device(2, 0));
        assert!(counters.note(from, Some(to), "msg", &message(0, 1)));
        assert!(counters.note(from, Some(to), "msg", &message(1, 2)));
        assert!(counters.note(from, Some(to), "msg", &message(0, 1)), "the same bytes again are a resend");
        assert!(counters.note(from, Some(device(2, 1)), "msg", &message(0, 3)));
        assert!(!counters.note(from, Some(to), "msg", &message(0, 3)));
    }

    #[test]
    fn junk_is_no_message() {
        let from = DeviceKey { account: AccountId(1), device: 1 };
        let mut counters = Counters::default();
        for junk in [&b""[..], b"\x33", b"\x33\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x33\x08"] {
            assert!(counters.note(from, None, "msg", junk) && counters.note(from, None, "pkmsg", junk));
        }
    }
}
