//! What the JSON of both stores needs: fields in their order, bytes in all their forms.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

use super::ImportError;

/// Reads a whole text.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, ImportError> {
    serde_json::from_slice(json)
        .map_err(|error| ImportError::Json { line: error.line(), column: error.column() })
}

/// An object's fields in the order of the text.
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Ordered(fields))
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Bytes in any of the forms that the store has them in.
pub(super) struct Blob(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Blob;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes as base64, as numbers, or as a Buffer")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
                STANDARD.decode(text).map(Blob).map_err(|_| E::custom("not base64"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Blob, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(Blob(bytes))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Blob, A::Error> {
                let (mut data, mut bytes) = (None, Vec::new());
                while let Some(key) = map.next_key::<String>()? {
                    match &*key {
                        "type" => drop(map.next_value::<de::IgnoredAny>()?),
                        "data" => data = Some(map.next_value::<Blob>()?),
                        // A typed array written as an object: "0", "1", ...
                        place if place.parse() == Ok(bytes.len()) => bytes.push(map.next_value()?),
                        _ => return Err(de::Error::custom("not a Buffer")),
                    }
                }
                Ok(data.unwrap_or(Blob(bytes)))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}
