//! What a message is, read in place (chapter 05 §3, §8.1): its kind behind its wrappers, and its secret. Who takes a
//! message in asks for no more, unless it speaks about another one; [`unwrap`](super::unwrap()) gives everything.

use wa_proto::view::View as _;
use wa_proto::view::e2e_message::MessageView;

use super::{ContentKind, MAX_WRAPPERS, TooManyWrappers, Wrapper};

/// Fields of a message that only accompany content, and may come alone: both distributions of sender keys, the context.
const ACCOMPANYING: [u32; 3] = [2, 15, 35];

/// What is seen of a message at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance<'a> {
    /// The kind of its content, wrappers off. `None` when there is none, or only such as this library does not know.
    pub kind: Option<ContentKind>,
    /// `messageSecret` of the context that belongs to the content; of any length.
    pub secret: Option<&'a [u8]>,
}

/// Looks behind the wrappers.
///
/// # Errors
/// [`TooManyWrappers`].
pub fn glance<'a>(message: &MessageView<'a>) -> Result<Glance<'a>, TooManyWrappers> {
    let mut at = message.clone();
    let mut context = secret_beside(&at);
    let mut wrappers = 0;
    loop {
        let present = Present::of(&at);
        let Some(wrapper) = Wrapper::among(&present) else {
            return Ok(Glance { kind: present.kind(), secret: context.flatten() });
        };
        if wrappers == MAX_WRAPPERS {
            return Err(TooManyWrappers);
        }
        wrappers += 1;
        let Some(inner) = wrapper.inner(&at) else {
            return Ok(Glance { kind: None, secret: context.flatten() });
        };
        context = match (secret_beside(&inner), context) {
            // The copy for an own device is completed from the outside.
            (Some(own), Some(outer)) if wrapper == Wrapper::DeviceSent => Some(own.or(outer)),
            (Some(own), _) => Some(own),
            (None, outer) => outer,
        };
        at = inner;
    }
}

/// Whether there is more in a message than keys and context; content that this library does not know counts.
pub fn has_content(message: &MessageView<'_>) -> bool {
    message.numbers().any(|number| !ACCOMPANYING.contains(&number))
}

/// The secret in a message's own context, if it has one.
fn secret_beside<'a>(message: &MessageView<'a>) -> Option<Option<&'a [u8]>> {
    message.message_context_info().map(|context| context.message_secret())
}

/// Which fields a message has, by their numbers below 256.
pub(super) struct Present([u64; 4]);

impl Present {
    fn of(message: &MessageView<'_>) -> Self {
        let mut present = [0; 4];
        for number in message.numbers() {
            if let Some(bits) = present.get_mut(number as usize / 64) {
                *bits |= 1 << (number % 64);
            }
        }
        Self(present)
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    fn kind(&self) -> Option<ContentKind> {
        ContentKind::ALL.iter().copied().find(|kind| self.has(kind.number()))
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wa_proto::e2e_message::Message;

    use super::*;
    use crate::content::{Content, Parsed, stands_alone};
    use crate::envelope::{Depth, unwrap};

    fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        prost::encoding::bytes::encode(number, &content.to_vec(), &mut bytes);
        bytes
    }

    fn context(secret: Option<u8>) -> Vec<u8> {
        delimited(35, &secret.map(|byte| delimited(3, &[byte; 32])).unwrap_or_default())
    }

    /// Compares with what the decoded message gives.
    fn agrees(bytes: &[u8]) -> Option<ContentKind> {
        let Ok(message) = Message::decode(bytes) else { return None };
        let seen = glance(&MessageView::parse(bytes).unwrap());
        let unwrapped = unwrap(&message, Depth::All);
        let expected = unwrapped.as_ref().map_err(|error| *error).map(|it| Glance {
            kind: it.kind(),
            secret: it.context.as_ref().and_then(|it| it.message_secret.as_deref()),
        });
        assert_eq!(seen, expected, "{bytes:02x?}");
        seen.ok()?.kind
    }

    #[test]
    fn every_field_in_every_other_is_seen_as_when_it_is_decoded() {
        let (mut kinds, mut wrapped) = (0, 0);
        let contexts = [vec![], context(None), context(Some(7)), context(Some(9))];
        for outer in 1..=140 {
            kinds += u32::from(agrees(&delimited(outer, &[])).is_some());
            for within in [1, 2] {
                for (own, outside) in contexts.iter().flat_map(|own| contexts.iter().map(move |it| (own, it)))
                {
                    let text = delimited(within, &[&delimited(1, b"hi"), &own[..]].concat());
                    let bytes = [&delimited(outer, &text), &outside[..]].concat();
                    wrapped += u32::from(agrees(&bytes) == Some(ContentKind::Conversation));
                }
            }
            for inner in 1..=140 {
                agrees(&delimited(outer, &delimited(1, &delimited(inner, &[]))));
                agrees(&[delimited(outer, &[]), delimited(inner, &[])].concat());
            }
        }
        // 28 wrappers, with 16 pairs of contexts; and a text is a text, whatever stands in it, where that is UTF-8.
        assert_eq!((kinds, wrapped), (80, 28 * 16 + 2 * 4));
    }

    #[test]
    fn wrappers_are_counted_alike() {
        let mut bytes = delimited(1, b"hi");
        for count in 0..20 {
            assert_eq!(agrees(&bytes).is_some(), count <= MAX_WRAPPERS);
            bytes = delimited(40, &delimited(1, &bytes));
        }
    }

    #[test]
    fn keys_and_context_are_no_content_and_what_nobody_knows_is() {
        let says = |bytes: &[u8]| has_content(&MessageView::parse(bytes).unwrap());
        assert!(!says(&[]));
        assert!(!says(&[delimited(2, &[]), delimited(15, &[]), context(Some(7))].concat()));
        assert!(says(&[delimited(2, &[]), delimited(1, b"hi")].concat()));
        assert!(says(&delimited(15_000, b"new")));
    }

    #[test]
    fn what_stands_alone_names_no_message_and_is_no_poll() {
        let (mut alone, mut others) = (0, 0);
        for kind in ContentKind::ALL {
            let Ok(message) = Message::decode(&delimited(kind.number(), &[])[..]) else { continue };
            let content = Parsed::read(&message).content;
            if stands_alone(*kind) {
                alone += 1;
                assert!(content.target().is_none() && !matches!(content, Content::Poll(_)), "{kind:?}");
            } else {
                others += u32::from(content.target().is_some() || matches!(content, Content::Poll(_)));
            }
        }
        assert!(alone == 15 && others > 8, "{alone} {others}");
    }
}
