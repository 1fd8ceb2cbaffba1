//! Sessions, sender keys and records beside wacore-libsignal. Run with and without `--features aws-lc`.
//!
//! Both sides work on records in memory: the peer's stores give their one record out and take it back, so that no copy
//! and no look-up is counted against it. Rows that start from a fresh state put it back outside or once in many calls.

#[path = "signal/ours.rs"]
mod ours;
#[path = "signal/peer.rs"]
mod peer;

use std::process::ExitCode;

use ours::Ours;
use peer::Peer;
use wa_benches::Bench;
use wa_signal::{OwnSenderKey, SenderKeyMessage, SenderKeyRecord, SessionRecord};
use wacore_libsignal::protocol::SessionRecord as PeerRecord;

const NAME: &str = if cfg!(feature = "aws-lc") { "signal-aws-lc" } else { "signal" };

/// The goals of rows that X25519 dominates hold with aws-lc; without it the row must not be slower.
const fn agreement_goal(goal: f64) -> f64 {
    if cfg!(feature = "aws-lc") { goal } else { 1.0 }
}

/// Messages that are decrypted before the record is put back.
const BATCH: usize = 200;
/// The same for group messages, which cost more.
const GROUP_BATCH: usize = 20;
const DEVICES: usize = 512;
const TEXT: [u8; 1024] = [0x5A; 1024];

fn main() -> ExitCode {
    let mut bench = Bench::new(NAME);
    set_up(&mut bench);
    conversation(&mut bench);
    fan_out(&mut bench);
    stored(&mut bench);
    groups(&mut bench);
    signatures(&mut bench);
    sizes();
    bench.run()
}

fn set_up(bench: &mut Bench) {
    for (name, texts) in [("X3DH set-up", 0), ("X3DH set-up and the first message", 1)] {
        let (mut alice, bundle) = (Ours::new(1), Ours::new(2).bundle());
        let (mut other, other_bundle) = (Peer::new(1), Peer::new(2).bundle());
        bench
            .row(name, agreement_goal(1.4))
            .contender("wa-signal", move || {
                alice.record = SessionRecord::new();
                alice.initiate(&bundle);
                (0..texts).map(|_| u64::from(!alice.encrypt(b"hello").bytes.is_empty())).sum()
            })
            .contender("wacore-libsignal", move || {
                other.forget();
                other.initiate(&other_bundle);
                (0..texts).map(|_| u64::from(!other.encrypt(b"hello").serialize().is_empty())).sum()
            });
    }
    for (name, answers) in [("first decrypt", 0), ("first decrypt and the answer", 1)] {
        let (mut alice, mut bob) = (Ours::new(1), Ours::new(2));
        alice.initiate(&bob.bundle());
        let first = alice.encrypt(b"hello").bytes;
        let (mut other_alice, mut other_bob) = (Peer::new(1), Peer::new(2));
        other_alice.initiate(&other_bob.bundle());
        let other_first = other_alice.encrypt(b"hello").serialize().to_vec();
        bench
            .row(name, agreement_goal(1.4))
            .contender("wa-signal", move || {
                bob.record = SessionRecord::new();
                let len = bob.decrypt(&first, true).len() as u64;
                len + (0..answers).map(|_| u64::from(!bob.encrypt(b"answer").bytes.is_empty())).sum::<u64>()
            })
            .contender("wacore-libsignal", move || {
                other_bob.forget();
                let len = other_bob.decrypt(&other_first, true).len() as u64;
                let answer = |_| u64::from(!other_bob.encrypt(b"answer").serialize().is_empty());
                len + (0..answers).map(answer).sum::<u64>()
            });
    }
}

fn conversation(bench: &mut Bench) {
    let ((mut alice, mut bob), (mut other_alice, mut other_bob)) = (ours::pair(), peer::pair());
    bench
        .row("two messages, a ratchet turn each", agreement_goal(1.35))
        .contender("wa-signal", move || {
            let ping = alice.encrypt(b"ping").bytes;
            let len = bob.decrypt(&ping, false).len();
            let pong = bob.encrypt(b"pong!").bytes;
            (len + alice.decrypt(&pong, false).len()) as u64
        })
        .contender("wacore-libsignal", move || {
            let ping = other_alice.encrypt(b"ping");
            let len = other_bob.decrypt(ping.serialize(), false).len();
            let pong = other_bob.encrypt(b"pong!");
            (len + other_alice.decrypt(pong.serialize(), false).len()) as u64
        });
    for len in [32, 1024] {
        let ((mut alice, _), (mut other_alice, _)) = (ours::pair(), peer::pair());
        let text = &TEXT[..len];
        bench
            .row(format!("encrypt {len} B in one direction"), 1.2)
            .contender("wa-signal", move || u64::from(!alice.encrypt(text).bytes.is_empty()))
            .contender("wacore-libsignal", move || {
                u64::from(!other_alice.encrypt(text).serialize().is_empty())
            });

        let ((mut alice, mut bob), (mut other_alice, mut other_bob)) = (ours::pair(), peer::pair());
        bob.decrypt(&alice.encrypt(b"turn").bytes, false);
        other_bob.decrypt(other_alice.encrypt(b"turn").serialize(), false);
        let start = bob.record.clone();
        let other_start = other_bob.record();
        let messages = (0..BATCH).map(|_| alice.encrypt(text).bytes).collect::<Vec<_>>();
        let other_messages =
            (0..BATCH).map(|_| other_alice.encrypt(text).serialize().to_vec()).collect::<Vec<_>>();
        bench
            .row(format!("decrypt {BATCH} messages of {len} B in one direction"), 1.2)
            .contender("wa-signal", move || {
                bob.record.clone_from(&start);
                messages.iter().map(|message| bob.decrypt(message, false).len() as u64).sum()
            })
            .contender("wacore-libsignal", move || {
                other_bob.put(other_start.clone());
                other_messages.iter().map(|message| other_bob.decrypt(message, false).len() as u64).sum()
            });
    }
}

fn fan_out(bench: &mut Bench) {
    let ((mut alice, _), (mut other, _)) = (ours::pair(), peer::pair());
    alice.encrypt(b"turn");
    other.encrypt(b"turn");
    let mut records = vec![alice.record.clone(); DEVICES];
    let record = other.record();
    let mut others = (0..DEVICES).map(|_| Some(record.clone())).collect::<Vec<_>>();
    bench
        .row(format!("one message of 1 KiB to {DEVICES} sessions"), 2.0)
        .contender("wa-signal", move || {
            let messages = records.iter_mut().map(|record| (record, &TEXT[..]));
            SessionRecord::encrypt_each(&alice.local, messages).iter().filter(|sealed| sealed.is_ok()).count()
                as u64
        })
        .contender("wacore-libsignal", move || {
            let mut sealed = 0;
            for record in &mut others {
                other.put(record.take().unwrap());
                sealed += u64::from(!other.encrypt(&TEXT).serialize().is_empty());
                *record = Some(other.take());
            }
            sealed
        });
}

fn stored(bench: &mut Bench) {
    let ((mut alice, _), (mut other, _)) = (ours::pair(), peer::pair());
    alice.encrypt(b"turn");
    other.encrypt(b"turn");
    let (bytes, other_bytes) = (alice.record.encode(), other.record().serialize().unwrap());
    let (again, other_again) = (bytes.clone(), other_bytes.clone());
    bench
        .row("stored record: read", 10.0)
        .contender("wa-signal", move || u64::from(SessionRecord::decode(&again).unwrap().has_current()))
        .contender("wacore-libsignal", move || u64::from(PeerRecord::deserialize(&other_again).is_ok()));
    bench
        .row("stored record: read, and the first message encrypted", 10.0)
        .contender("wa-signal", move || {
            let mut record = SessionRecord::decode(&bytes).unwrap();
            u64::from(record.encrypt(&alice.local, &TEXT[..32]).is_ok())
        })
        .contender("wacore-libsignal", move || {
            other.put(PeerRecord::deserialize(&other_bytes).unwrap());
            u64::from(!other.encrypt(&TEXT[..32]).serialize().is_empty())
        });
}

fn groups(bench: &mut Bench) {
    let text = &TEXT[..100];
    let mut rng = ours::rng(3);
    let (mut sender, mut other) = (OwnSenderKey::generate(&mut rng), Peer::new(4));
    let mut received = SenderKeyRecord::new();
    received.process(&sender.distribution());
    let mut other_received = Peer::new(5);
    other_received.process(&other.distribution());

    let messages = (0..GROUP_BATCH).map(|_| sender.encrypt(text, &mut rng).unwrap()).collect::<Vec<_>>();
    let other_messages = (0..GROUP_BATCH).map(|_| other.group_encrypt(text)).collect::<Vec<_>>();
    bench
        .row("sender key: encrypt 100 B", 1.4)
        .contender("wa-signal", move || u64::from(!sender.encrypt(text, &mut rng).unwrap().is_empty()))
        .contender("wacore-libsignal", move || u64::from(!other.group_encrypt(text).is_empty()));
    let (start, other_start) = (received.clone(), other_received.sender_key());
    bench
        .row(format!("sender key: decrypt {GROUP_BATCH} messages of 100 B"), 1.4)
        .contender("wa-signal", move || {
            received.clone_from(&start);
            let open =
                |bytes| received.decrypt(&SenderKeyMessage::parse(bytes).unwrap()).unwrap().len() as u64;
            messages.iter().map(Vec::as_slice).map(open).sum()
        })
        .contender("wacore-libsignal", move || {
            other_received.put_sender_key(other_start.clone());
            other_messages.iter().map(|bytes| other_received.group_decrypt(bytes).len() as u64).sum()
        });
}

fn signatures(bench: &mut Bench) {
    let message = [7; 100];
    let (key, mut rng) = (Ours::new(6).local.pair().key_pair().clone(), ours::rng(7));
    let signer = wa_crypto::xeddsa::SigningKey::new(key.private());
    let signature = signer.sign(&[&message], &mut rng);
    let mut other = Peer::new(6);
    let other_signature = other.sign(&message);
    let mut signing = Peer::new(6);
    bench
        .row("XEdDSA: sign 100 B", 1.4)
        .contender("wa-crypto", move || u64::from(!signer.sign(&[&message], &mut rng).is_empty()))
        .contender("wacore-libsignal", move || u64::from(!signing.sign(&message).is_empty()));
    bench
        .row("XEdDSA: verify 100 B", 1.4)
        .contender("wa-crypto", move || {
            u64::from(wa_crypto::xeddsa::verify(key.public(), &[&message], &signature).is_ok())
        })
        .contender("wacore-libsignal", move || u64::from(other.verify(&message, &other_signature)));
}

/// Bytes of stored sessions in the states that occur, printed beside the times.
fn sizes() {
    let show = |state: &str, ours: &Ours, other: &Peer| {
        let (own, theirs) = (ours.record.encode().len(), other.record().serialize().unwrap().len());
        println!(
            "stored bytes, {state:34} wa-signal {own:6}  wacore-libsignal {theirs:6}  {:.2}",
            own as f64 / theirs as f64
        );
    };
    let (mut alice, mut bob) = (Ours::new(1), Ours::new(2));
    let (mut other_alice, mut other_bob) = (Peer::new(1), Peer::new(2));
    alice.initiate(&bob.bundle());
    other_alice.initiate(&other_bob.bundle());
    show("initiated", &alice, &other_alice);
    let mut to_bob =
        |alice: &mut Ours, bob: &mut Ours, other_alice: &mut Peer, other_bob: &mut Peer, pre_key| {
            bob.decrypt(&alice.encrypt(b"text").bytes, pre_key);
            other_bob.decrypt(other_alice.encrypt(b"text").serialize(), pre_key);
        };
    to_bob(&mut alice, &mut bob, &mut other_alice, &mut other_bob, true);
    show("initiated, first message sent", &alice, &other_alice);
    show("first message received", &bob, &other_bob);
    to_bob(&mut bob, &mut alice, &mut other_bob, &mut other_alice, false);
    show("first message answered", &bob, &other_bob);
    show("answer received", &alice, &other_alice);
    for _ in 0..10 {
        to_bob(&mut alice, &mut bob, &mut other_alice, &mut other_bob, false);
        to_bob(&mut bob, &mut alice, &mut other_bob, &mut other_alice, false);
    }
    show("ten turns, last sent", &bob, &other_bob);
    show("ten turns, last received", &alice, &other_alice);
    for _ in 0..100 {
        alice.encrypt(b"lost");
        other_alice.encrypt(b"lost");
    }
    to_bob(&mut alice, &mut bob, &mut other_alice, &mut other_bob, false);
    show("a hundred skipped", &bob, &other_bob);
    println!();
}
