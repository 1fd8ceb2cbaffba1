#![forbid(unsafe_code)]
//! WhatsApp's binary stanza format (chapter 03 of the protocol reference): addresses, nodes, the token dictionary.
//!
//! - [`Jid`] and its checked views [`DeviceJid`], [`UserJid`], [`GroupJid`].
//! - [`Node`] is built like the stanza reads and encodes itself.
//! - [`Decoder`] turns frames into [`NodeRef`]s without copying or allocating; [`Stanza`] keeps one.
//! - Both nodes are read through the same typed methods; errors name the path to what is wrong.

mod decode;
mod encode;
mod error;
mod generated;
mod inflate;
mod jid;
mod node;
mod packed;
mod print;
mod read;
mod tape;
mod token;
mod token_hash;
mod value;
mod view;
mod wire;
mod word;

pub use decode::{Decoder, MAX_DEPTH, MAX_INFLATED, MAX_NODES, Stanza, decode};
pub use encode::{MAX_FRAME, Side};
pub use error::{DecodeError, EncodeError, Error, FieldError, JidError, Problem};
pub use inflate::compress;
pub use jid::{DeviceJid, Family, GroupJid, Hosting, Jid, JidKind, PhashForm, Redacted, Server, UserJid};
pub use node::{Content, Node};
pub use print::RedactedNode;
pub use read::{Optional, Required};
pub use token::{DICTIONARY_VERSION, LONGEST_TOKEN, Token};
pub use value::{AttrValue, Text, Value};
pub use view::{Attrs, Children, ChildrenBy, ContentRef, Descendants, NodeRef};
pub use word::Word;
