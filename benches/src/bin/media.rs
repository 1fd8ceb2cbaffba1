//! Media beside wacore: sealing and opening 64 MiB as a stream, with every hash, in pieces of 64 KiB.
//!
//! The peer leaves the initialisation vector out of its sidecar, so the sidecars differ; everything else is compared.
//! Instructions are counted over 64 KiB instead, and by a machine without the SHA unit: valgrind has none.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use sha2::{Digest, Sha256};
use wa_benches::Bench;
use wa_media::{Expected, MediaKey, MediaKind, Opener, Sealer, Sidecar};
use wacore::download::{DownloadUtils, MediaType};
use wacore::upload::{MediaEncryptor, encrypt_media_streaming_with_key};

const LEN: usize = 64 << 20;
const PIECE: usize = 64 << 10;
const KEY: [u8; 32] = [0x5A; 32];

fn main() -> ExitCode {
    let mut bench = Bench::new("media");
    let keys = MediaKey::from_slice(&KEY).unwrap().derive(MediaKind::Video);
    let counting = std::env::args().any(|it| it == "--only");
    let len = if counting { PIECE } else { LEN };
    let text: &'static [u8] = (0..len).map(|at| (at * 31 + (at >> 11)) as u8).collect::<Vec<u8>>().leak();
    let (sealed, file) = wa_media::seal(&keys, text, Sidecar::None);
    let sealed: &'static [u8] = sealed.leak();

    for (name, sidecar) in [("with sidecar", Sidecar::Streaming), ("without sidecar", Sidecar::None)] {
        let wanted = sidecar == Sidecar::Streaming;
        let own = keys.clone();
        let mut out = Vec::new();
        bench
            .row(format!("seal 64 MiB {name}"), 3.0)
            .contender("wa-media", move || {
                let mut sealer = Sealer::new(&own, sidecar);
                for piece in text.chunks(PIECE) {
                    out.clear();
                    sealer.update(piece, &mut out);
                }
                out.clear();
                let file = sealer.finish(&mut out);
                assert_eq!(!file.sidecar.is_empty(), wanted);
                digest(&file.file_sha256) + digest(&file.file_enc_sha256)
            })
            .contender("wacore, stream", move || {
                let info = encrypt_media_streaming_with_key(
                    text,
                    io::sink(),
                    MediaType::Video,
                    Some(&KEY),
                    Some(wanted),
                );
                let info = info.unwrap();
                digest(&info.file_sha256) + digest(&info.file_enc_sha256)
            })
            .contender("wacore, pieces of 64 KiB", {
                let mut out = Vec::new();
                move || {
                    let mut sealer =
                        MediaEncryptor::with_key_and_sidecar(KEY, MediaType::Video, wanted).unwrap();
                    for piece in text.chunks(PIECE) {
                        out.clear();
                        sealer.update(piece, &mut out);
                    }
                    let info = sealer.finalize(&mut out).unwrap();
                    digest(&info.file_sha256) + digest(&info.file_enc_sha256)
                }
            });
    }

    // The peer's stream checks the MAC; whoever wants the plaintext's hash hashes what it writes. Ours also checks the
    // hash of the sealed file in the same pass.
    let expected = Expected::from(&file);
    let mut out = Vec::new();
    bench
        .row("open 64 MiB as a stream, MAC and plaintext hash checked", 3.0)
        .contender("wa-media", move || {
            let mut opener = Opener::new(&keys, &expected);
            for piece in sealed.chunks(PIECE) {
                out.clear();
                opener.update(piece, &mut out).unwrap();
            }
            digest(&opener.finish(&mut out).unwrap())
        })
        .contender("wacore", move || {
            let mut hash = Hashing(Sha256::new());
            let source = io::BufReader::with_capacity(PIECE, Slices(sealed));
            DownloadUtils::decrypt_stream_to_writer(source, &KEY, MediaType::Video, &mut hash).unwrap();
            let found: [u8; 32] = hash.0.finalize().into();
            assert_eq!(found, file.file_sha256);
            digest(&found)
        });
    bench.run()
}

struct Slices(&'static [u8]);

impl Read for Slices {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn digest(bytes: &[u8; 32]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum.rotate_left(5) ^ u64::from(*byte))
}
