//! The part of a message that a reporting token covers (chapter 04 §19, chapter 05 §5.6): a filtered copy of the
//! serialized message, with fields sorted. The table is data of the protocol, version 2.

/// Messages inside messages deeper than this are not reportable; a decoder would refuse them as well.
const MAX_DEPTH: usize = 100;

/// What happens to a field.
#[derive(Clone, Copy)]
enum Rule {
    /// Kept as it stands.
    Keep,
    /// A message of which these fields are kept.
    Only(&'static [(u32, Rule)]),
    /// A message filtered like the outermost one.
    Whole,
}

use Rule::{Keep, Only, Whole};

/// `contextInfo` and what stands in its place: forwarding score and flag.
const CONTEXT: Rule = Only(&[(21, Keep), (22, Keep)]);
const WRAPPER: Rule = Only(&[(1, Whole)]);
const VIDEO: Rule = Only(&[(2, Keep), (6, Keep), (7, Keep), (13, Keep), (17, CONTEXT), (20, Keep)]);
const PAIR: Rule = Only(&[(1, Keep), (2, Keep)]);
const POLL: Rule = Only(&[(2, Keep), (3, PAIR), (5, CONTEXT), (8, PAIR)]);

const ROOT: &[(u32, Rule)] = &[
    (1, Keep),
    (3, Only(&[(2, Keep), (3, Keep), (8, Keep), (11, Keep), (17, CONTEXT), (25, Keep)])),
    (4, Only(&[(1, Keep), (16, Keep), (17, CONTEXT)])),
    (5, Only(&[(3, Keep), (4, Keep), (5, Keep), (16, Keep), (17, CONTEXT)])),
    (6, Only(&[(1, Keep), (17, CONTEXT), (30, Keep)])),
    (7, Only(&[(2, Keep), (7, Keep), (10, Keep), (17, CONTEXT), (20, Keep)])),
    (8, Only(&[(2, Keep), (7, Keep), (9, Keep), (17, CONTEXT), (21, Keep)])),
    (9, VIDEO),
    (12, Only(&[(1, Keep), (2, Keep), (14, Whole), (15, Keep)])),
    (18, Only(&[(6, Keep), (16, Keep), (17, CONTEXT)])),
    (26, Only(&[(4, Keep), (5, Keep), (8, Keep), (13, Keep), (17, CONTEXT)])),
    (28, Only(&[(1, Keep), (2, Keep), (4, Keep), (5, Keep), (6, Keep), (7, CONTEXT)])),
    (37, WRAPPER),
    (49, POLL),
    (53, WRAPPER),
    (55, WRAPPER),
    (58, WRAPPER),
    (59, WRAPPER),
    (60, POLL),
    (64, POLL),
    (66, VIDEO),
    (74, WRAPPER),
    (87, WRAPPER),
    (88, Only(&[(1, Keep), (2, Only(&[(1, Keep)])), (3, CONTEXT)])),
    (92, WRAPPER),
    (93, WRAPPER),
    (94, WRAPPER),
];

/// The covered part of a serialized message; `None` when the bytes are no protobuf message that can be covered.
pub(super) fn covered(message: &[u8]) -> Option<Vec<u8>> {
    filter(message, ROOT, MAX_DEPTH)
}

/// The fields at the outermost level.
pub(super) fn field_numbers(message: &[u8]) -> Option<Vec<u32>> {
    let (mut rest, mut numbers) = (message, Vec::new());
    while !rest.is_empty() {
        let field = Field::read(&mut rest)?;
        numbers.push(field.number);
    }
    Some(numbers)
}

fn filter(mut rest: &[u8], rules: &[(u32, Rule)], depth: usize) -> Option<Vec<u8>> {
    let depth = depth.checked_sub(1)?;
    let mut kept: Vec<(u32, std::borrow::Cow<'_, [u8]>)> = Vec::new();
    while !rest.is_empty() {
        let field = Field::read(&mut rest)?;
        let Some((_, rule)) = rules.iter().find(|(number, _)| *number == field.number) else { continue };
        let inner = match rule {
            Keep => {
                kept.push((field.number, field.raw.into()));
                continue;
            }
            Only(rules) => rules,
            Whole => ROOT,
        };
        // A field that should be a message and is not holds nothing to cover.
        let Some(content) = field.content else { continue };
        let content = filter(content, inner, depth)?;
        if !content.is_empty() {
            let mut bytes = field.tag.to_vec();
            write_varint(content.len() as u64, &mut bytes);
            bytes.extend_from_slice(&content);
            kept.push((field.number, bytes.into()));
        }
    }
    // Stable: repeated fields keep their order.
    kept.sort_by_key(|(number, _)| *number);
    Some(kept.into_iter().flat_map(|(_, bytes)| bytes.into_owned()).collect())
}

/// One field on the wire.
struct Field<'a> {
    number: u32,
    /// Tag and value.
    raw: &'a [u8],
    tag: &'a [u8],
    /// What a length-delimited field holds.
    content: Option<&'a [u8]>,
}

impl<'a> Field<'a> {
    fn read(rest: &mut &'a [u8]) -> Option<Self> {
        let start = *rest;
        let key = read_varint(rest)?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0)?;
        let tag = start.get(..start.len() - rest.len())?;
        let mut content = None;
        match key & 7 {
            0 => drop(read_varint(rest)?),
            1 => drop(take(rest, 8)?),
            2 => {
                let length = usize::try_from(read_varint(rest)?).ok()?;
                content = Some(take(rest, length)?);
            }
            5 => drop(take(rest, 4)?),
            _ => return None,
        }
        Some(Self { number, raw: start.get(..start.len() - rest.len())?, tag, content })
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wa_proto::e2e_message::{Message, message};

    use super::*;

    #[test]
    fn a_cut_message_and_a_group_field_are_not_covered() {
        assert_eq!(covered(&[0x0a, 5, b'h']), None);
        assert_eq!(covered(&[0x0b, 0x0c]), None);
        assert_eq!(covered(&[0x00, 1]), None);
        assert_eq!(covered(&[0xff; 11]), None);
        assert_eq!(covered(&[]), Some(Vec::new()));
    }

    #[test]
    fn fields_are_sorted_and_repeated_ones_keep_their_order() {
        let contact = [0x22, 3, 0x0a, 1, b'n'];
        let text = [0x0a, 1, b'b'];
        let first = [0x0a, 1, b'a'];
        let wire = [&contact[..], &text, &first].concat();
        assert_eq!(covered(&wire), Some([&text[..], &first, &contact].concat()));
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let mut message =
            Message { conversation: Some("x".to_owned()), ..Default::default() }.encode_to_vec();
        let mut ever_covered = false;
        for _ in 0..300 {
            let mut wrapped = vec![0xaa, 3];
            let inner = [&[0x0a][..], &varint(message.len()), &message].concat();
            wrapped.extend(varint(inner.len()));
            wrapped.extend(inner);
            message = wrapped;
            ever_covered |= covered(&message).is_some();
        }
        assert!(ever_covered);
        assert_eq!(covered(&message), None);
    }

    fn varint(value: usize) -> Vec<u8> {
        let mut out = Vec::new();
        write_varint(value as u64, &mut out);
        out
    }

    #[test]
    fn what_the_table_does_not_name_is_dropped() {
        let message = Message {
            extended_text_message: Some(Box::new(message::ExtendedTextMessage {
                text: Some("seen".to_owned()),
                title: Some("dropped".to_owned()),
                ..Default::default()
            })),
            ..Default::default()
        };
        assert_eq!(covered(&message.encode_to_vec()), Some([&[0x32, 6, 0x0a, 4][..], b"seen"].concat()));
    }
}
