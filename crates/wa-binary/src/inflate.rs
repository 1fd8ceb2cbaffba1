//! Compressed frames: zlib with a limit on what comes out (chapter 03 §1, §6).

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::decode::COMPRESSED;
use crate::error::DecodeError;

/// Output is made in steps of at least this many bytes.
const STEP: usize = 4 * 1024;

/// Inflates `stream` into `out`, behind one byte that stands for the flag byte. Bytes behind the stream are ignored.
pub(crate) fn inflate(stream: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    out.clear();
    out.push(0);
    let mut inflater = Decompress::new(true);
    let mut used = 0;
    loop {
        // One byte more than allowed, to see whether there is more.
        let room = limit + 2 - out.len();
        out.reserve(room.min(out.len().max(STEP)));
        let before = (inflater.total_in(), out.len());
        let rest = stream.get(used..).unwrap_or(&[]);
        let status =
            inflater.decompress_vec(rest, out, FlushDecompress::None).map_err(|_| DecodeError::Decompress)?;
        used = inflater.total_in() as usize;
        if out.len() - 1 > limit {
            return Err(DecodeError::TooLarge { position: limit + 1 });
        }
        match status {
            Status::StreamEnd => return Ok(()),
            _ if (inflater.total_in(), out.len()) == before => return Err(DecodeError::Decompress),
            _ => {}
        }
    }
}

/// The same frame compressed: what only servers do. `frame` is a flag byte and a node, uncompressed.
pub fn compress(frame: &[u8]) -> Vec<u8> {
    let mut deflater = Compress::new(Compression::default(), true);
    let node = frame.get(1..).unwrap_or(&[]);
    let mut out = Vec::with_capacity(node.len() / 2 + 64);
    out.push(COMPRESSED);
    loop {
        let used = deflater.total_in() as usize;
        let rest = node.get(used..).unwrap_or(&[]);
        match deflater.compress_vec(rest, &mut out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return out,
            // Finishing only ever wants more room.
            _ => out.reserve(out.len().max(STEP)),
        }
    }
}
