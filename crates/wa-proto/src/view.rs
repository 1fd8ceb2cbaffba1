//! Messages read in place: the end-to-end message and everything in it as views of the encoded bytes (chapters 03 §10,
//! 05 §8), for whoever wants a few facts of it. Nothing is copied, filled or dropped but what is asked for.
//!
//! [`View::parse`] checks all bytes once and refuses what decoding refuses, so that reading cannot fail. As there, the
//! last of several fields counts, the parts of a message are read as one, and what is unknown is no error.

use std::iter::FusedIterator;
use std::slice;
use std::sync::Arc;

use crate::wire::{Fields, Value, WireError};

/// Deepest nesting of messages, as for the owned types.
const DEPTH: usize = 100;

/// Why bytes are not a message of their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Not protobuf at all.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A field in another wire type than its own.
    #[error("field {0} has a wire type that is not its own")]
    WireType(u32),
    /// A text that is not UTF-8.
    #[error("the text in field {0} is not UTF-8")]
    Utf8(u32),
    /// More than 100 messages in each other.
    #[error("messages nest too deep")]
    TooDeep,
}

/// A message type that is read in place.
pub trait View<'a>: Sized + From<Parts<'a>> {
    /// The type that holds its content itself.
    type Owned: prost::Message + Default;

    #[doc(hidden)]
    fn shape() -> &'static Shape;

    #[doc(hidden)]
    fn parts(&self) -> &Parts<'a>;

    /// Checks the bytes and looks at them as this type.
    ///
    /// # Errors
    /// [`ViewError`], exactly where decoding the owned type fails.
    fn parse(bytes: &'a [u8]) -> Result<Self, ViewError> {
        check(bytes, Self::shape(), DEPTH)?;
        Ok(Self::from(Parts::One(bytes)))
    }

    /// The numbers of the fields, known or not, in the order of the bytes.
    fn numbers(&self) -> Numbers<'_, 'a> {
        Numbers { parts: self.parts().slices(), fields: Fields::new(&[]) }
    }

    /// The message in its owned form.
    ///
    /// # Errors
    /// None that a view could have; the decoder names them all the same.
    fn decode(&self) -> Result<Self::Owned, prost::DecodeError> {
        let mut owned = Self::Owned::default();
        for part in self.parts().slices() {
            prost::Message::merge(&mut owned, *part)?;
        }
        Ok(owned)
    }
}

/// The numbers of the fields of a view.
#[derive(Debug, Clone)]
pub struct Numbers<'v, 'a> {
    parts: &'v [&'a [u8]],
    fields: Fields<'a>,
}

impl Iterator for Numbers<'_, '_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            if let Ok(Some((number, _))) = self.fields.next_field() {
                return Some(number);
            }
            let (part, parts) = self.parts.split_first()?;
            (self.parts, self.fields) = (parts, Fields::new(part));
        }
    }
}

impl FusedIterator for Numbers<'_, '_> {}

/// Where the bytes of a message are.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub enum Parts<'a> {
    One(&'a [u8]),
    /// A message that stands there several times, which is legal and which nobody does.
    Many(Arc<[&'a [u8]]>),
}

/// What a type's fields have to be.
#[doc(hidden)]
pub struct Shape {
    /// By number: the place in `checks`, plus one.
    pub index: &'static [u8],
    pub checks: &'static [Check],
}

/// What a field has to be.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Check {
    Varint,
    Fixed32,
    Fixed64,
    Text,
    Bytes,
    Message(fn() -> &'static Shape),
    /// Several, one by one or packed.
    Varints,
    Fixed32s,
    Fixed64s,
}

impl Shape {
    /// The index of fields by their number.
    pub const fn index<const N: usize>(numbers: &[usize]) -> [u8; N] {
        let mut index = [0; N];
        let mut at = 0;
        while at < numbers.len() {
            index[numbers[at]] = at as u8 + 1;
            at += 1;
        }
        index
    }

    #[inline]
    fn check(&self, number: u32) -> Option<Check> {
        let place = *self.index.get(number as usize)?;
        self.checks.get(usize::from(place).wrapping_sub(1)).copied()
    }
}

fn check(bytes: &[u8], shape: &Shape, left: usize) -> Result<(), ViewError> {
    let mut fields = Fields::new(bytes);
    while !fields.rest().is_empty() {
        let (number, wire_type) = fields.tag()?;
        let Some(check_as) = shape.check(number) else {
            if left == 0 {
                return Err(ViewError::TooDeep);
            }
            fields.value(number, wire_type, left)?;
            continue;
        };
        match (check_as, wire_type) {
            (Check::Text, 2) => {
                let text = fields.slice()?;
                // Most texts are ASCII, which is seen at a third of the cost.
                if !text.is_ascii() && std::str::from_utf8(text).is_err() {
                    return Err(ViewError::Utf8(number));
                }
            }
            (Check::Bytes, 2) => drop(fields.slice()?),
            (Check::Message(shape), 2) => {
                let inner = fields.slice()?;
                check(inner, shape(), left.checked_sub(1).ok_or(ViewError::TooDeep)?)?;
            }
            (Check::Varint | Check::Varints, 0) => drop(fields.varint()?),
            (Check::Fixed32 | Check::Fixed32s, 5) => drop(fields.array::<4>()?),
            (Check::Fixed64 | Check::Fixed64s, 1) => drop(fields.array::<8>()?),
            (Check::Varints | Check::Fixed32s | Check::Fixed64s, 2) => {
                let mut packed = Fields::new(fields.slice()?);
                while !packed.rest().is_empty() {
                    unpack(&mut packed, check_as)?;
                }
            }
            _ => return Err(ViewError::WireType(number)),
        }
    }
    Ok(())
}

/// The next of packed numbers.
fn unpack<'a>(packed: &mut Fields<'a>, check: Check) -> Result<Value<'a>, WireError> {
    packed.value(
        0,
        match check {
            Check::Fixed32s => 5,
            Check::Fixed64s => 1,
            _ => 0,
        },
        0,
    )
}

/// The fields of bytes that were checked.
#[inline]
fn walk(part: &[u8]) -> impl Iterator<Item = (u32, Value<'_>)> {
    let mut fields = Fields::new(part);
    std::iter::from_fn(move || fields.next_field().ok().flatten())
}

impl<'a> Parts<'a> {
    #[inline]
    fn slices(&self) -> &[&'a [u8]] {
        match self {
            Self::One(part) => slice::from_ref(part),
            Self::Many(parts) => parts,
        }
    }

    fn all(&self) -> impl Iterator<Item = (u32, Value<'a>)> {
        self.slices().iter().flat_map(|part| walk(part))
    }

    /// The last field of that number.
    pub fn last(&self, number: u32) -> Option<Value<'a>> {
        let mut last = None;
        for part in self.slices() {
            for (at, value) in walk(part) {
                if at == number {
                    last = Some(value);
                }
            }
        }
        last
    }

    /// The last field of that number, if no other field of its group follows it.
    pub fn last_of(&self, number: u32, group: &[u32]) -> Option<Value<'a>> {
        let last = self.all().filter(|(at, _)| group.contains(at)).last()?;
        (last.0 == number).then_some(last.1)
    }

    /// The message of that number, from all its parts; those before another field of its group do not count.
    pub fn message<V: From<Self>>(&self, number: u32, group: &[u32]) -> Option<V> {
        let mut found: Option<&'a [u8]> = None;
        let mut more = Vec::new();
        for part in self.slices() {
            for (at, value) in walk(part) {
                if at == number {
                    let Some(bytes) = value.bytes() else { continue };
                    match found {
                        None => found = Some(bytes),
                        Some(first) if more.is_empty() => more.extend([first, bytes]),
                        Some(_) => more.push(bytes),
                    }
                } else if group.contains(&at) {
                    found = None;
                    more.clear();
                }
            }
        }
        let first = found?;
        Some(V::from(if more.is_empty() { Self::One(first) } else { Self::Many(more.into()) }))
    }

    /// Every field of that number.
    pub fn repeated<T>(
        &self,
        number: u32,
        check: Check,
        read: fn(Value<'a>) -> Option<T>,
    ) -> Repeated<'a, T> {
        let fields = Fields::new(self.slices().first().copied().unwrap_or_default());
        Repeated { parts: self.clone(), part: 0, fields, packed: Fields::new(&[]), number, check, read }
    }
}

/// The values of a repeated field, in their order.
#[derive(Clone)]
pub struct Repeated<'a, T> {
    parts: Parts<'a>,
    part: usize,
    fields: Fields<'a>,
    packed: Fields<'a>,
    number: u32,
    check: Check,
    read: fn(Value<'a>) -> Option<T>,
}

impl<T> Iterator for Repeated<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            if !self.packed.rest().is_empty() {
                return unpack(&mut self.packed, self.check).ok().and_then(self.read);
            }
            match self.fields.next_field() {
                Ok(Some((number, value))) if number == self.number => match (self.check, value) {
                    (Check::Varints | Check::Fixed32s | Check::Fixed64s, Value::Bytes(packed)) => {
                        self.packed = Fields::new(packed);
                    }
                    _ => return (self.read)(value),
                },
                Ok(Some(_)) => {}
                _ => {
                    self.part += 1;
                    self.fields = Fields::new(self.parts.slices().get(self.part)?);
                }
            }
        }
    }
}

impl<T> FusedIterator for Repeated<'_, T> {}

impl<T> std::fmt::Debug for Repeated<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repeated").field("number", &self.number).finish_non_exhaustive()
    }
}

/// How a value is read as the type of its field.
#[doc(hidden)]
pub mod read {
    use super::{Parts, Value};

    pub fn text(value: Value<'_>) -> Option<&str> {
        std::str::from_utf8(value.bytes()?).ok()
    }

    pub fn bytes(value: Value<'_>) -> Option<&[u8]> {
        value.bytes()
    }

    pub fn message<'a, V: From<Parts<'a>>>(value: Value<'a>) -> Option<V> {
        Some(V::from(Parts::One(value.bytes()?)))
    }

    macro_rules! numbers {
        ($($name:ident $type:ty, $kind:ident $number:ident => $read:expr;)+) => {
            $(
                pub fn $name(value: Value<'_>) -> Option<$type> {
                    match value {
                        Value::$kind($number) => Some($read),
                        _ => None,
                    }
                }
            )+
        };
    }

    // Numbers of 32 bits are sent as 64.
    numbers! {
        bool bool, Varint it => it != 0;
        int32 i32, Varint it => it as i32;
        uint32 u32, Varint it => it as u32;
        int64 i64, Varint it => it as i64;
        uint64 u64, Varint it => it;
        fixed32 u32, Fixed32 it => it;
        sfixed32 i32, Fixed32 it => it as i32;
        float f32, Fixed32 it => f32::from_bits(it);
        double f64, Fixed64 it => f64::from_bits(it);
    }
}

/// What a kind of the schema is in Rust.
macro_rules! type_of {
    (text) => { &'a str };
    (bytes) => { &'a [u8] };
    (bool) => { bool };
    (int32) => { i32 };
    (uint32) => { u32 };
    (int64) => { i64 };
    (uint64) => { u64 };
    (fixed32) => { u32 };
    (sfixed32) => { i32 };
    (float) => { f32 };
    (double) => { f64 };
}

/// What a field has to be.
macro_rules! check_as {
    (one of $group:tt $($kind:tt)+) => { check_as!($($kind)+) };
    (repeated message $($kind:tt)+) => { check_as!(message $($kind)+) };
    (message $($view:ident)::+) => { Check::Message(<$($view)::+<'static> as View<'static>>::shape) };
    ($(repeated)? text) => { Check::Text };
    ($(repeated)? bytes) => { Check::Bytes };
    (fixed32) => { Check::Fixed32 };
    (sfixed32) => { Check::Fixed32 };
    (float) => { Check::Fixed32 };
    (double) => { Check::Fixed64 };
    (repeated fixed32) => { Check::Fixed32s };
    (repeated sfixed32) => { Check::Fixed32s };
    (repeated float) => { Check::Fixed32s };
    (repeated double) => { Check::Fixed64s };
    (repeated $kind:ident) => { Check::Varints };
    ($kind:ident) => { Check::Varint };
}

/// The accessor of a field.
macro_rules! accessor {
    ($name:ident = $number:literal: message $($view:ident)::+) => {
        pub fn $name(&self) -> Option<$($view)::+<'a>> {
            self.0.message($number, &[])
        }
    };
    ($name:ident = $number:literal: one of $group:tt message $($view:ident)::+) => {
        pub fn $name(&self) -> Option<$($view)::+<'a>> {
            self.0.message($number, &$group)
        }
    };
    ($name:ident = $number:literal: repeated message $($view:ident)::+) => {
        pub fn $name(&self) -> Repeated<'a, $($view)::+<'a>> {
            self.0.repeated($number, Check::Bytes, read::message)
        }
    };
    ($name:ident = $number:literal: one of $group:tt $kind:ident) => {
        pub fn $name(&self) -> Option<type_of!($kind)> {
            self.0.last_of($number, &$group).and_then(read::$kind)
        }
    };
    ($name:ident = $number:literal: repeated $kind:ident) => {
        pub fn $name(&self) -> Repeated<'a, type_of!($kind)> {
            self.0.repeated($number, check_as!(repeated $kind), read::$kind)
        }
    };
    ($name:ident = $number:literal: $kind:ident) => {
        pub fn $name(&self) -> Option<type_of!($kind)> {
            self.0.last($number).and_then(read::$kind)
        }
    };
}

/// A view with its accessors: name, owned type, largest field number, fields.
macro_rules! view {
    ($view:ident of $owned:ty, $largest:literal; $($name:ident = $number:literal: ($($kind:tt)+);)*) => {
        #[doc = concat!("[`", stringify!($owned), "`], read in place.")]
        #[derive(Debug, Clone)]
        pub struct $view<'a>(Parts<'a>);

        impl<'a> From<Parts<'a>> for $view<'a> {
            fn from(parts: Parts<'a>) -> Self {
                Self(parts)
            }
        }

        impl<'a> View<'a> for $view<'a> {
            type Owned = $owned;

            fn shape() -> &'static Shape {
                static SHAPE: Shape = Shape {
                    index: &const { Shape::index::<{ $largest + 1 }>(&[$($number),*]) },
                    checks: &[$(check_as!($($kind)+)),*],
                };
                &SHAPE
            }

            fn parts(&self) -> &Parts<'a> {
                &self.0
            }
        }

        impl<'a> $view<'a> {
            $(accessor!($name = $number: $($kind)+);)*
        }
    };
}

macro_rules! areas {
    ($($(#[doc = $doc:literal])+ $area:ident,)+) => {
        $(
            $(#[doc = $doc])+
            #[allow(missing_docs, unused_imports, clippy::all, clippy::pedantic, reason = "generated")]
            pub mod $area {
                use super::{Check, Parts, Repeated, Shape, View, read};

                include!(concat!("generated/view_", stringify!($area), ".rs"));
            }
        )+
    };
}

areas! {
    /// Of AI bots.
    ai_bot,
    /// Of app state, what messages bring.
    app_state,
    /// Small messages that several areas share.
    common,
    /// Of companions, what messages say.
    companion_reg,
    /// The end-to-end encrypted message.
    e2e_message,
    /// Attestations.
    signal_other,
    /// Where a status comes from.
    status_attribution,
}
