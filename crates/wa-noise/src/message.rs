//! Handshake messages: protobuf to typed parts and back (chapter 01 §4.5). The fields of the post-quantum extension
//! are never sent and ignored on receipt.

use bytes::Bytes;
use prost::Message;
use wa_crypto::curve::PublicKey;

use crate::{Field, NoiseError, Pattern};
use wa_proto::handshake::HandshakeMessage;
use wa_proto::handshake::handshake_message::{ClientFinish, ClientHello, ServerHello};

/// A ClientHello with its ephemeral checked for length. Which pattern it opens, its other parts say.
pub(crate) struct Hello {
    pub(crate) ephemeral: PublicKey,
    pub(crate) sealed_static: Option<Bytes>,
    pub(crate) sealed_payload: Option<Bytes>,
}

pub(crate) fn client_hello(ephemeral: &PublicKey, ik: Option<(Vec<u8>, Vec<u8>)>) -> Vec<u8> {
    let (sealed_static, sealed_payload) = ik.unzip();
    let hello = ClientHello {
        ephemeral: Some(key_bytes(ephemeral)),
        r#static: sealed_static.map(Bytes::from),
        payload: sealed_payload.map(Bytes::from),
        ..Default::default()
    };
    HandshakeMessage { client_hello: Some(hello.into()), ..Default::default() }.encode_to_vec()
}

pub(crate) fn server_hello(
    ephemeral: &PublicKey,
    sealed_static: Option<Vec<u8>>,
    sealed_payload: Vec<u8>,
) -> Vec<u8> {
    let hello = ServerHello {
        ephemeral: Some(key_bytes(ephemeral)),
        r#static: sealed_static.map(Bytes::from),
        payload: Some(sealed_payload.into()),
        ..Default::default()
    };
    HandshakeMessage { server_hello: Some(hello.into()), ..Default::default() }.encode_to_vec()
}

pub(crate) fn client_finish(sealed_static: Vec<u8>, sealed_payload: Vec<u8>) -> Vec<u8> {
    let finish = ClientFinish {
        r#static: Some(sealed_static.into()),
        payload: Some(sealed_payload.into()),
        ..Default::default()
    };
    HandshakeMessage { client_finish: Some(finish.into()), ..Default::default() }.encode_to_vec()
}

pub(crate) fn parse_client_hello(message: &[u8]) -> Result<Hello, NoiseError> {
    let hello = decode(message)?
        .client_hello
        .ok_or(NoiseError::Missing { pattern: Pattern::Xx, field: Field::ClientHello })?;
    Ok(Hello {
        ephemeral: parse_ephemeral(hello.ephemeral, Pattern::Xx)?,
        sealed_static: hello.r#static,
        sealed_payload: hello.payload,
    })
}

pub(crate) fn parse_server_hello(message: &[u8], pattern: Pattern) -> Result<Hello, NoiseError> {
    let hello =
        decode(message)?.server_hello.ok_or(NoiseError::Missing { pattern, field: Field::ServerHello })?;
    Ok(Hello {
        ephemeral: parse_ephemeral(hello.ephemeral, pattern)?,
        sealed_static: hello.r#static,
        sealed_payload: hello.payload,
    })
}

/// The sealed static key and the sealed payload of a ClientFinish.
pub(crate) fn parse_client_finish(message: &[u8], pattern: Pattern) -> Result<(Bytes, Bytes), NoiseError> {
    let missing = |field| NoiseError::Missing { pattern, field };
    let finish = decode(message)?.client_finish.ok_or(missing(Field::ClientFinish))?;
    Ok((finish.r#static.ok_or(missing(Field::Static))?, finish.payload.ok_or(missing(Field::Payload))?))
}

/// A decrypted static key: exactly the raw 32 bytes.
pub(crate) fn parse_static(plaintext: &[u8]) -> Result<PublicKey, NoiseError> {
    PublicKey::from_raw(plaintext)
        .map_err(|_| NoiseError::Length { field: Field::Static, len: plaintext.len() })
}

fn decode(message: &[u8]) -> Result<HandshakeMessage, NoiseError> {
    HandshakeMessage::decode(message).map_err(NoiseError::Protobuf)
}

fn parse_ephemeral(bytes: Option<Bytes>, pattern: Pattern) -> Result<PublicKey, NoiseError> {
    let field = Field::Ephemeral;
    let bytes = bytes.ok_or(NoiseError::Missing { pattern, field })?;
    PublicKey::from_raw(&bytes).map_err(|_| NoiseError::Length { field, len: bytes.len() })
}

fn key_bytes(key: &PublicKey) -> Bytes {
    Bytes::copy_from_slice(key.as_bytes())
}
