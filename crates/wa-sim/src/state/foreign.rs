//! How values of other crates stand in a state file: keys, sessions, stanzas, protobuf messages as bytes. The modules are
//! for `#[serde(with = "..")]`.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};
use wa_binary::{Family, Node};
use wa_core::adv::Hosting;
use wa_core::app_state::{Collection, Head, KeyRing, LtHash, Mutation, Operation, SyncKey};
use wa_core::envelope::Meta;
use wa_core::prekeys::{SignedKey, Watermarks};
use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_media::{MediaKey, MediaKind};
use wa_proto::app_state::SyncdRecord;
use wa_proto::history::HistorySync;
use wa_signal::{
    IdentityKey, LocalIdentity, OwnSenderKey, PreKey, SenderKeyRecord, SessionId, SessionRecord, SignedPreKey,
};

/// A value that stands in the file as bytes.
pub(crate) trait Foreign: Sized {
    /// Its bytes; why there are none, for what cannot be written.
    fn to_bytes(&self) -> Result<Vec<u8>, String>;
    /// The value; `None` for bytes that are no such value.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// Serde's view of a foreign value.
struct Stood<T>(T);

impl<T: Foreign> Serialize for Stood<&T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0.to_bytes().map_err(serde::ser::Error::custom)?)
    }
}

impl<'de, T: Foreign> Deserialize<'de> for Stood<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = T::from_bytes(&Bytes::deserialize(from)?);
        value.map(Self).ok_or_else(|| serde::de::Error::custom(core::any::type_name::<T>()))
    }
}

/// One value.
pub(crate) mod one {
    use super::{Deserialize as _, Foreign, Serialize as _, Stood};

    pub(crate) fn serialize<T: Foreign, S: serde::Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        Stood(value).serialize(to)
    }

    pub(crate) fn deserialize<'de, T: Foreign, D: serde::Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        Ok(Stood::deserialize(from)?.0)
    }
}

/// A list of values.
pub(crate) mod list {
    use super::{Deserialize as _, Foreign, Stood};

    pub(crate) fn serialize<T: Foreign, S: serde::Serializer>(
        values: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Stood))
    }

    pub(crate) fn deserialize<'de, T: Foreign, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<Stood<T>>::deserialize(from)?.into_iter().map(|stood| stood.0).collect())
    }
}

/// A map whose values are foreign.
pub(crate) mod values {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::{Foreign, Stood};

    pub(crate) fn serialize<K: Serialize, T: Foreign, S: serde::Serializer>(
        map: &BTreeMap<K, T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(map.iter().map(|(key, value)| (key, Stood(value))))
    }

    pub(crate) fn deserialize<'de, K: Deserialize<'de> + Ord, T: Foreign, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<K, T>, D::Error> {
        let map = BTreeMap::<K, Stood<T>>::deserialize(from)?;
        Ok(map.into_iter().map(|(key, stood)| (key, stood.0)).collect())
    }
}

/// A map whose keys are foreign.
pub(crate) mod keys {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::{Foreign, Stood};

    pub(crate) fn serialize<K: Foreign, V: Serialize, S: serde::Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map.iter().map(|(key, value)| (Stood(key), value)))
    }

    pub(crate) fn deserialize<'de, K: Foreign + Ord, V: Deserialize<'de>, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        let pairs = Vec::<(Stood<K>, V)>::deserialize(from)?;
        Ok(pairs.into_iter().map(|(key, value)| (key.0, value)).collect())
    }
}

/// A value whose own form needs a self-describing format: its JSON as text.
pub(crate) mod json {
    use std::borrow::Cow;

    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Serialize};

    pub(crate) fn serialize<T: Serialize, S: serde::Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(value).map_err(S::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        serde_json::from_str(&Cow::<'de, str>::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// Fixed pieces off the front of some bytes.
struct Cut<'a>(&'a [u8]);

impl Cut<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (piece, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*piece)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn pair(&mut self) -> Option<KeyPair> {
        let private = PrivateKey::from_bytes(self.take()?);
        Some(KeyPair::from_parts(private, PublicKey::from_bytes(self.take()?)))
    }

    /// Nothing may be left over.
    fn end<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

fn pair_bytes(pair: &KeyPair) -> Vec<u8> {
    [*pair.private().expose(), *pair.public().as_bytes()].concat()
}

macro_rules! foreign {
    ($($type:ty: |$value:ident| $to:expr, |$cut:ident| $from:expr;)+) => {$(
        impl Foreign for $type {
            fn to_bytes(&self) -> Result<Vec<u8>, String> {
                let $value = self;
                Ok($to)
            }
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let $cut = &mut Cut(bytes);
                $from
            }
        }
    )+};
}

foreign! {
    PublicKey: |key| key.as_bytes().to_vec(),
        |cut| { let key = cut.take()?; cut.end(Self::from_bytes(key)) };
    IdentityKey: |key| key.as_bytes().to_vec(),
        |cut| { let key = cut.take()?; cut.end(PublicKey::from_bytes(key).into()) };
    LocalIdentity: |own| [&own.registration_id().to_be_bytes()[..], &pair_bytes(own.pair().key_pair())].concat(),
        |cut| { let (id, pair) = (cut.number()?, cut.pair()?); cut.end(Self::new(pair.into(), id)) };
    PreKey: |key| [&key.id.to_be_bytes()[..], &pair_bytes(&key.pair)].concat(),
        |cut| { let (id, pair) = (cut.number()?, cut.pair()?); cut.end(Self { id, pair }) };
    SignedPreKey: |key| [&key.id.to_be_bytes()[..], &pair_bytes(&key.pair), &key.signature].concat(),
        |cut| {
            let (id, pair, signature) = (cut.number()?, cut.pair()?, cut.take()?);
            cut.end(Self { id, pair, signature })
        };
    SignedKey: |key| [&key.id.to_be_bytes()[..], key.public.as_bytes(), &key.signature].concat(),
        |cut| {
            let (id, public, signature) = (cut.number()?, PublicKey::from_bytes(cut.take()?), cut.take()?);
            cut.end(Self { id, public, signature })
        };
    Watermarks: |marks| [marks.next().to_be_bytes(), marks.first_not_uploaded().to_be_bytes()].concat(),
        |cut| { let (next, first) = (cut.number()?, cut.number()?); cut.end(Self::new(next, first)) };
    SessionRecord: |record| record.encode().to_vec(), |cut| Self::decode(cut.0).ok();
    SessionId: |id| Self::to_bytes(*id).to_vec(),
        |cut| { let id = cut.take()?; cut.end(Self::from_bytes(id)) };
    SenderKeyRecord: |record| record.encode().to_vec(), |cut| Self::decode(cut.0).ok();
    OwnSenderKey: |key| key.encode().to_vec(), |cut| Self::decode(cut.0).ok();
    MediaKey: |key| key.expose().to_vec(), |cut| Self::from_slice(cut.0).ok();
    MediaKind: |kind| Self::ALL.iter().position(|known| known == kind).and_then(|at| u8::try_from(at).ok()).into_iter().collect(),
        |cut| { let [at] = cut.take()?; cut.end(*Self::ALL.get(usize::from(at))?) };
    Family: |family| vec![u8::from(*family == Self::Lid)],
        |cut| match cut.0 { [0] => Some(Self::Pn), [1] => Some(Self::Lid), _ => None };
    Hosting: |hosting| vec![u8::from(*hosting == Self::Hosted)],
        |cut| match cut.0 { [0] => Some(Self::EndToEnd), [1] => Some(Self::Hosted), _ => None };
    Collection: |collection| collection.name().into(),
        |cut| Self::from_name(core::str::from_utf8(cut.0).ok()?);
    &'static str: |word| word.as_bytes().to_vec(), |cut| known_word(core::str::from_utf8(cut.0).ok()?);
    Head: |head| [&head.version.to_be_bytes()[..], &[head.diverged.into()], head.hash.as_bytes()].concat(),
        |cut| {
            let (version, [diverged]) = (u64::from_be_bytes(cut.take()?), cut.take()?);
            let hash = LtHash::from_bytes(cut.take()?);
            cut.end(Self { version, hash, diverged: diverged != 0 })
        };
    HistorySync: |message| message.encode_to_vec(), |cut| Self::decode(cut.0).ok();
    SyncdRecord: |message| message.encode_to_vec(), |cut| Self::decode(cut.0).ok();
    ChaCha12Rng: |rng| [&rng.get_seed()[..], &rng.get_stream().to_be_bytes(), &rng.get_word_pos().to_be_bytes()].concat(),
        |cut| {
            let mut rng = Self::from_seed(cut.take()?);
            rng.set_stream(u64::from_be_bytes(cut.take()?));
            rng.set_word_pos(u128::from_be_bytes(cut.take()?));
            cut.end(rng)
        };
}

/// Words that the simulator keeps as constants.
fn known_word(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 7] =
        ["creation", "quiz_creation", "vote", "edit", "response", "user_update", "user_delete"];
    let collections = Collection::ALL.into_iter().map(Collection::name);
    WORDS.into_iter().chain(collections).find(|known| *known == text)
}

impl Foreign for Arc<Node> {
    fn to_bytes(&self) -> Result<Vec<u8>, String> {
        self.encode().map_err(|error| error.to_string())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        wa_binary::decode(bytes).ok().map(Self::new)
    }
}

impl Foreign for Node {
    fn to_bytes(&self) -> Result<Vec<u8>, String> {
        self.encode().map_err(|error| error.to_string())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        wa_binary::decode(bytes).ok()
    }
}

/// Values with a part of no fixed length, through a tuple of it.
macro_rules! tupled {
    ($($type:ty as $tuple:ty: |$value:ident| $to:expr, |$read:pat_param| $from:expr;)+) => {$(
        impl Foreign for $type {
            fn to_bytes(&self) -> Result<Vec<u8>, String> {
                let $value = self;
                postcard::to_allocvec(&$to).map_err(|error| error.to_string())
            }
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let $read: $tuple = postcard::from_bytes(bytes).ok()?;
                $from
            }
        }
    )+};
}

type Word = Option<String>;
type Key = (Bytes, [u8; 32], i64);

fn optional_word(word: Word) -> Option<Option<&'static str>> {
    word.map_or(Some(None), |word| known_word(&word).map(Some))
}

tupled! {
    Mutation as (bool, Bytes, Option<Bytes>, i32, Bytes):
        |it| (it.operation == Operation::Set, &it.index, &it.value, it.version, &it.padding),
        |(set, index, value, version, padding)| {
            let operation = if set { Operation::Set } else { Operation::Remove };
            Some(Self { operation, index, value, version, padding })
        };
    Meta as (Word, Word, bool, Word):
        |meta| (meta.poll_type, meta.event_type, meta.view_once, meta.tag_reason),
        |(poll, event, view_once, reason)| Some(Self {
            poll_type: optional_word(poll)?,
            event_type: optional_word(event)?,
            view_once,
            tag_reason: optional_word(reason)?,
        });
    KeyRing as Vec<Key>:
        |ring| {
            let mut keys: Vec<Key> =
                ring.iter().map(|key| (key.id.clone(), *key.data.expose(), key.timestamp_ms)).collect();
            keys.sort();
            keys
        },
        |keys| {
            let key = |(id, data, timestamp_ms): Key| SyncKey { id, data: Secret::new(data), timestamp_ms };
            Some(keys.into_iter().map(key).collect())
        };
}
