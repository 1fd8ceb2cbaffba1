//! The message inside a copy for an own device, byte for byte (chapter 05 §3, §8.1): prost drops fields that it does not
//! know, and a later version may.

use bytes::Bytes;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// `Message.messageContextInfo`.
const CONTEXT: u32 = 35;
/// `Message.deviceSentMessage`.
const DEVICE_SENT: u32 = 31;
/// `DeviceSentMessage.message`.
const INNER: u32 = 2;

/// The message of a decrypted copy as its sender encoded it; behind it the context that the copy moved outside, which
/// reads as one message. `None` when the bytes are no copy, or one that is put together in several parts.
pub fn device_sent_original(copy: &Bytes) -> Option<Bytes> {
    let sent = field(copy, DEVICE_SENT)??;
    let inner = field(&sent.payload, INNER)??;
    let context = match field(&inner.payload, CONTEXT)? {
        Some(_) => None,
        None => field(copy, CONTEXT)?,
    };
    Some(match context {
        Some(context) => [&*inner.payload, &*context.whole].concat().into(),
        None => inner.payload,
    })
}

struct Field {
    /// With key and length.
    whole: Bytes,
    payload: Bytes,
}

/// The one length-delimited field of this number. The outer `None` is for bytes that are no protobuf, and for a field
/// that stands there more than once, which readers would merge.
fn field(message: &Bytes, wanted: u32) -> Option<Option<Field>> {
    let mut rest = message.clone();
    let mut found = None;
    while !rest.is_empty() {
        let before = rest.clone();
        let (number, kind) = decode_key(&mut rest).ok()?;
        if number == wanted && kind == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            if length > rest.len() || found.is_some() {
                return None;
            }
            let payload = rest.split_to(length);
            let whole = before.slice(..before.len() - rest.len());
            found = Some(Field { whole, payload });
        } else {
            skip_field(kind, number, &mut rest, DecodeContext::default()).ok()?;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wa_proto::e2e_message::{Message, MessageContextInfo};

    use super::*;
    use crate::envelope::device_sent;

    /// A field that no schema knows: number 15000, bytes "new".
    const UNKNOWN: [u8; 7] = [0xC2, 0xA9, 0x07, 3, b'n', b'e', b'w'];

    fn text(secret: u8) -> Message {
        let context =
            MessageContextInfo { message_secret: Some(vec![secret; 32].into()), ..Default::default() };
        Message {
            conversation: Some("hi".to_owned()),
            message_context_info: Some(Box::new(context)),
            ..Default::default()
        }
    }

    /// A copy whose inner message ends in an unknown field.
    fn copy_with_unknown() -> (Bytes, Vec<u8>) {
        let copy = device_sent(text(7), "15550100@s.whatsapp.net".to_owned(), None);
        let sent = copy.device_sent_message.as_deref().unwrap();
        let mut inner = sent.message.as_deref().unwrap().encode_to_vec();
        inner.extend(UNKNOWN);
        let mut bytes = Vec::new();
        let mut wrapped = Vec::new();
        prost::encoding::bytes::encode(1, &Bytes::from_static(b"15550100@s.whatsapp.net"), &mut wrapped);
        prost::encoding::bytes::encode(INNER, &Bytes::from(inner.clone()), &mut wrapped);
        prost::encoding::bytes::encode(DEVICE_SENT, &Bytes::from(wrapped), &mut bytes);
        let context = copy.message_context_info.unwrap().encode_to_vec();
        prost::encoding::bytes::encode(CONTEXT, &Bytes::from(context), &mut bytes);
        (bytes.into(), inner)
    }

    #[test]
    fn what_no_schema_knows_survives_and_the_context_comes_along() {
        let (copy, inner) = copy_with_unknown();
        let original = device_sent_original(&copy).unwrap();
        assert!(original.starts_with(&inner));
        assert!(original.windows(7).any(|window| window == UNKNOWN));
        assert_eq!(Message::decode(original).unwrap(), text(7));
    }

    #[test]
    fn a_message_that_is_no_copy_or_one_in_parts_gives_nothing() {
        assert_eq!(device_sent_original(&text(7).encode_to_vec().into()), None);
        let (copy, _) = copy_with_unknown();
        assert_eq!(device_sent_original(&[&*copy, &*copy].concat().into()), None);
        for cut in 0..copy.len() {
            // Never a panic; what is cut off is no copy.
            let _ = device_sent_original(&copy.slice(..cut));
        }
    }
}
