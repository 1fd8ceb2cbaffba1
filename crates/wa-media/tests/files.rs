//! Files in pieces, with faults, in parts and in ranges (chapter 06 §3 and §5).

use proptest::prelude::*;
use wa_media::*;

fn keys() -> MediaKeys {
    MediaKey::from_slice(&[7; 32]).unwrap().derive(MediaKind::Video)
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 89 + index / 256) as u8).collect()
}

/// Opens in pieces of `piece` bytes; what an error leaves behind is gone.
fn open_in_pieces(expected: &Expected, sealed: &[u8], piece: usize) -> Result<Vec<u8>, MediaError> {
    let mut opener = Opener::new(&keys(), expected);
    let mut out = Vec::new();
    for piece in sealed.chunks(piece) {
        opener.update(piece, &mut out)?;
    }
    opener.finish(&mut out)?;
    Ok(out)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_file_comes_back_in_whatever_pieces(len in 0usize..200_000, seal_in in 1usize..90_000, open_in in 1usize..90_000) {
        let text = text(len);
        let mut sealer = Sealer::new(&keys(), Sidecar::Streaming);
        let mut sealed = Vec::new();
        for piece in text.chunks(seal_in) {
            sealer.update(piece, &mut sealed);
        }
        let file = sealer.finish(&mut sealed);
        prop_assert_eq!((&sealed, &file), (&seal(&keys(), &text, Sidecar::Streaming).0, &seal(&keys(), &text, Sidecar::Streaming).1));
        prop_assert_eq!(file.sealed_length, sealed.len() as u64);
        prop_assert_eq!(open_in_pieces(&Expected::from(&file), &sealed, open_in).unwrap(), text);
    }

    #[test]
    fn any_range_is_the_same_bytes(len in 1u64..100_000, from in 0u64..100_000, count in 1u64..100_000, piece in 1usize..5000) {
        let text = text(len as usize);
        let (sealed, _) = seal(&keys(), &text, Sidecar::None);
        let (from, to) = (from % len, (from % len + count).min(len));
        let range = ByteRange::new(from..to, len).unwrap();
        let fetch = range.fetch();
        let fetched = &sealed[fetch.start as usize..fetch.end as usize];
        prop_assert_eq!(range.open(&keys(), fetched).unwrap(), &text[from as usize..to as usize]);
        let mut reader = range.read(&keys());
        let mut out = Vec::new();
        for piece in fetched.chunks(piece) {
            reader.update(piece, &mut out).unwrap();
        }
        reader.finish().unwrap();
        prop_assert_eq!(out, &text[from as usize..to as usize]);
        prop_assert!(range.open(&keys(), &fetched[..fetched.len() - 16]).is_err());
        prop_assert!(range.open(&keys(), &sealed[fetch.start as usize..]).is_err() || fetch.end + 26 > sealed.len() as u64);
    }
}

/// Every part of a file through its sidecar, and no changed bit of it.
#[test]
fn every_part_is_read_through_the_sidecar_and_no_other() {
    for len in [0, 1, 100, 65_500, 65_519, 65_520, 65_535, 65_536, 65_537, 131_056, 131_072, 131_073, 200_000]
    {
        let text = text(len);
        let (sealed, file) = seal(&keys(), &text, Sidecar::Streaming);
        assert_eq!(file.sidecar.len() as u64, 10 * Part::count(len as u64), "{len}");
        let mut read = Vec::new();
        for index in 0..Part::count(len as u64) {
            let part = Part::new(index, len as u64).unwrap();
            let fetch = part.fetch();
            let fetched = &sealed[fetch.start as usize..fetch.end as usize];
            let opened = part.open(&keys(), fetched, &file.sidecar).unwrap();
            let wanted = part.plaintext();
            assert_eq!(opened, text[wanted.start as usize..wanted.end as usize], "part {index} of {len}");
            read.extend(opened);
            for bit in [0, 9, fetched.len() * 4, fetched.len() * 8 - 1] {
                let mut changed = fetched.to_vec();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    matches!(part.open(&keys(), &changed, &file.sidecar), Err(MediaError::Sidecar(at)) if at == index)
                );
            }
            assert!(matches!(part.open(&keys(), &fetched[1..], &file.sidecar), Err(MediaError::Range)));
            assert!(matches!(
                part.open(&keys(), fetched, &file.sidecar[1..]),
                Err(MediaError::SidecarMissing(_))
            ));
        }
        assert_eq!(read, text);
        assert!(Part::new(Part::count(len as u64), len as u64).is_err());
    }
}

#[test]
fn nothing_changed_is_ever_handed_out() {
    for len in [0, 16, 100, 1000] {
        let (sealed, file) = seal(&keys(), &text(len), Sidecar::None);
        // Also without a hash: the MAC alone must catch it.
        for expected in [Expected::from(&file), Expected::default()] {
            assert!(unnoticed(&sealed, |changed| open_in_pieces(&expected, changed, 64).is_ok()).is_none());
            assert!(unnoticed(&sealed, |changed| open(&keys(), &expected, changed).is_ok()).is_none());
        }
        // Sabotage: a reader that looks at no MAC is caught.
        assert!(unnoticed(&sealed, |_| true).is_some());
    }
}

/// The first changed bit that `accepts` accepts.
fn unnoticed(sealed: &[u8], accepts: impl Fn(&[u8]) -> bool) -> Option<usize> {
    (0..sealed.len() * 8).find(|bit| {
        let mut changed = sealed.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        accepts(&changed)
    })
}

#[test]
fn every_fault_has_its_own_error() {
    let (sealed, file) = seal(&keys(), &text(1000), Sidecar::None);
    let expected = Expected::from(&file);
    let fault = |expected: &Expected, sealed: &[u8]| {
        let both = [open(&keys(), expected, sealed), open_in_pieces(expected, sealed, 100)];
        let [first, second] = both.map(|found| format!("{:?}", found.unwrap_err()));
        assert_eq!(first, second);
        first
    };
    let unhashed = Expected { file_enc_sha256: None, ..expected };
    assert_eq!(fault(&expected, &[]), "TooShort(0)");
    assert_eq!(fault(&expected, &sealed[..25]), "TooShort(25)");
    assert_eq!(fault(&expected, &sealed[..1000]), "BlockLength(1000)");
    assert_eq!(fault(&expected, &sealed[..1002]), "SealedHash");
    assert_eq!(fault(&unhashed, &sealed[..1002]), "Mac");
    assert_eq!(fault(&expected, &[&sealed[..], b"!"].concat()), "TooLong { limit: 1018 }");
    assert_eq!(fault(&Expected { file_sha256: Some([0; 32]), ..expected }, &sealed), "PlaintextHash");
    assert_eq!(fault(&Expected { file_enc_sha256: Some([0; 32]), ..expected }, &sealed), "SealedHash");
    assert!(matches!(MediaKey::from_slice(&[0; 31]), Err(MediaError::KeyLength(31))));
    assert!(MediaError::Mac.another_host_can_help() && !MediaError::PlaintextHash.another_host_can_help());
}

#[test]
fn two_passes_over_one_source_agree_and_over_a_changed_one_do_not() {
    let pass = |text: &[u8]| {
        let (mut sealer, mut out, mut sent) = (Sealer::new(&keys(), Sidecar::Streaming), Vec::new(), 0);
        for piece in text.chunks(65_536) {
            out.clear();
            sealer.update(piece, &mut out);
            sent += out.len();
        }
        out.clear();
        let file = sealer.finish(&mut out);
        assert_eq!((sent + out.len()) as u64, file.sealed_length);
        // Constant memory: a piece and what was held back.
        assert!(out.capacity() <= 65_536 + 4096);
        file
    };
    let mut source = text(300_000);
    let first = pass(&source);
    assert_eq!(pass(&source), first);
    source[150_000] ^= 1;
    assert_ne!(pass(&source).file_enc_sha256, first.file_enc_sha256);
}

#[test]
fn the_first_frame_has_its_own_tag() {
    for len in [1, 16, 17, 5000, 5008] {
        let (sealed, file) = seal(&keys(), &text(5000), Sidecar::FirstFrame { len });
        assert_eq!(file.sidecar, first_frame_sidecar(&keys(), &sealed, len).unwrap());
    }
    assert!(first_frame_sidecar(&keys(), &[0; 31], 17).is_err());
}

#[test]
fn a_media_retry_crosses_and_nothing_else_opens() {
    let mut rng = {
        use rand_chacha::rand_core::SeedableRng;
        rand_chacha::ChaCha20Rng::seed_from_u64(5)
    };
    let key = MediaKey::generate(&mut rng);
    let request = seal_retry_request(&key, "ID", &mut rng).unwrap();
    open_retry_request(&key, "ID", &request.iv, &request.ciphertext).unwrap();
    let outcome = RetryOutcome {
        result: RetryResult::Success,
        direct_path: Some("/v/new".into()),
        message_secret: Some(vec![1; 32]),
    };
    let answer = seal_retry_notification(&key, "ID", &outcome, &mut rng).unwrap();
    assert_eq!(open_retry_notification(&key, "ID", &answer.iv, &answer.ciphertext).unwrap(), outcome);

    let other = MediaKey::generate(&mut rng);
    let opened =
        |key: &MediaKey, id: &str, iv: &[u8], text: &[u8]| open_retry_notification(key, id, iv, text);
    assert!(matches!(opened(&other, "ID", &answer.iv, &answer.ciphertext), Err(MediaError::RetrySeal)));
    assert!(matches!(opened(&key, "IX", &answer.iv, &answer.ciphertext), Err(MediaError::RetrySeal)));
    assert!(matches!(opened(&key, "ID", &[0; 11], &answer.ciphertext), Err(MediaError::RetryIv(11))));
    assert!(matches!(opened(&key, "ID", &answer.iv, &[0; 4]), Err(MediaError::RetrySeal)));
    // Sealed for this id, naming another inside.
    let liar = seal_retry_plaintext(&key, "ID", [3; 12], vec![0x0a, 2, b'I', b'X']).unwrap();
    assert!(matches!(opened(&key, "ID", &liar.iv, &liar.ciphertext), Err(MediaError::RetryMessageId)));
    let junk = seal_retry_plaintext(&key, "ID", [4; 12], vec![0xFF]).unwrap();
    assert!(matches!(opened(&key, "ID", &junk.iv, &junk.ciphertext), Err(MediaError::RetryProtobuf(_))));
}
