//! Frames on their way out: encoded, sealed, and damaged where a fault says so (chapters 01 §2, §4.8, 10 §11).

use wa_binary::{Node, Side};
use wa_noise::{FrameSealer, NoiseError};

use crate::faults::Damage;

/// What is written next: whole pieces, each for one message of the transport.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pieces: Vec<Vec<u8>>,
    /// The last piece waits for the next frame.
    merge: bool,
    /// A frame that comes after the next one.
    late: Vec<u8>,
    scratch: Vec<u8>,
}

/// Frames are gathered up to this size.
const GATHER: usize = 32 << 10;

impl Outbox {
    /// Appends a stanza. The sealer's error means that the connection is at its end.
    pub(crate) fn push(
        &mut self,
        sealer: &mut FrameSealer,
        node: &Node,
        damage: Option<Damage>,
    ) -> Result<(), NoiseError> {
        self.scratch.clear();
        if let Err(error) = node.encode_into(Side::Server, &mut self.scratch) {
            tracing::error!(%error, tag = node.tag(), "a stanza that cannot be encoded");
            return Ok(());
        }
        match damage {
            Some(Damage::Compress) => self.scratch = wa_binary::compress(&self.scratch),
            Some(Damage::TruncatePlaintext) => {
                let half = self.scratch.len() / 2;
                self.scratch.truncate(half);
            }
            Some(Damage::Plaintext) => {
                // The tag of the node, so that every decoder must notice.
                if let Some(byte) = self.scratch.get_mut(1) {
                    *byte ^= 0x80;
                }
            }
            _ => {}
        }
        let scratch = std::mem::take(&mut self.scratch);
        let sealed = self.append(sealer, &scratch, damage);
        self.scratch = scratch;
        if self.scratch.capacity() > GATHER {
            self.scratch = Vec::new();
        }
        sealed
    }

    fn append(
        &mut self,
        sealer: &mut FrameSealer,
        plaintext: &[u8],
        damage: Option<Damage>,
    ) -> Result<(), NoiseError> {
        let fresh = !self.merge && self.pieces.last().is_none_or(|piece| piece.len() > GATHER);
        if fresh || matches!(damage, Some(Damage::Split)) {
            self.pieces.push(Vec::new());
        }
        self.merge = false;
        let Some(piece) = self.pieces.last_mut() else { return Ok(()) };
        if damage == Some(Damage::ZeroLength) {
            piece.extend([0, 0, 0]);
        }
        let start = piece.len();
        sealer.seal(piece, plaintext)?;
        match damage {
            Some(Damage::Ciphertext) => {
                if let Some(byte) = piece.get_mut(start + 3) {
                    *byte ^= 1;
                }
            }
            Some(Damage::LengthHeader) => piece[start + 2] = piece[start + 2].wrapping_add(1),
            Some(Damage::Oversize) => {
                piece.truncate(start);
                piece.extend([0xff, 0xff, 0xff]);
            }
            Some(Damage::Split) => {
                // The first piece ends inside the length header.
                let whole = self.pieces.pop().unwrap_or_default();
                let (first, rest) = whole.split_at(start + 2);
                let (second, third) = rest.split_at(rest.len() / 2);
                self.pieces.extend([first.to_vec(), second.to_vec(), third.to_vec()]);
                // What follows begins a piece of its own.
                self.pieces.push(Vec::new());
            }
            Some(Damage::Merge) => self.merge = true,
            Some(Damage::FrameTwice) => piece.extend_from_within(start..),
            _ => {}
        }
        if damage == Some(Damage::FrameLate) {
            self.late = self.pieces.last_mut().map(|piece| piece.split_off(start)).unwrap_or_default();
        } else if let Some(piece) = self.pieces.last_mut() {
            piece.append(&mut self.late);
        }
        Ok(())
    }

    /// Appends bytes that are frames already.
    pub(crate) fn push_frame(&mut self, payload: &[u8]) -> Result<(), NoiseError> {
        let mut piece = Vec::with_capacity(payload.len() + 3);
        wa_noise::frame::write(&mut piece, payload)?;
        self.pieces.push(piece);
        Ok(())
    }

    /// What can be written now.
    pub(crate) fn take(&mut self) -> Vec<Vec<u8>> {
        if self.merge {
            return Vec::new();
        }
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// Whether enough is gathered to write before more is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.pieces.len() > 8
    }
}

/// Spoils a ServerHello (chapter 10 §11 "handshake").
pub(crate) fn spoil_hello(hello: &[u8], fault: crate::faults::HandshakeFault) -> Vec<u8> {
    use crate::faults::HandshakeFault as Fault;
    use prost::Message as _;
    use wa_proto::handshake::HandshakeMessage;
    let Ok(mut message) = HandshakeMessage::decode(hello) else { return hello.to_vec() };
    let Some(server) = message.server_hello.as_deref_mut() else { return hello.to_vec() };
    match fault {
        Fault::MissingEphemeral => server.ephemeral = None,
        Fault::MissingPayload => server.payload = None,
        Fault::ShortEphemeral => server.ephemeral = server.ephemeral.take().map(|key| key.slice(..31)),
        Fault::LowOrder => server.ephemeral = Some(vec![0; 32].into()),
        Fault::BadTag => {
            server.payload = server.payload.take().map(|payload| {
                let mut payload = payload.to_vec();
                if let Some(byte) = payload.last_mut() {
                    *byte ^= 1;
                }
                payload.into()
            });
        }
        Fault::Undecodable => return vec![0xff; 40],
        Fault::RefuseIk | Fault::RotateStatic | Fault::Chain(_) => {}
    }
    message.encode_to_vec()
}
