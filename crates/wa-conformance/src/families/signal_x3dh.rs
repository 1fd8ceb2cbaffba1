//! `signal-x3dh`: both roles of the agreement, the first root step and the first message keys (chapter 04 §3–§4).

use anyhow::{Context, Result, ensure};
use wa_crypto::curve::KeyPair;
use wa_signal::{MessageKeys, ratchet::ChainKey, x3dh};

use super::signal_fields::key_pair;
use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", agree)
}

fn agree(case: &Reader<'_>) -> Result<()> {
    for name in ["id", "name", "title", "note"] {
        case.prose(name)?;
    }
    let (alice, bob, expect) = (case.field("alice")?, case.field("bob")?, case.field("expect")?);
    let alice_identity = key_pair(&alice, "identity_private", "identity_public")?;
    let base = key_pair(&alice, "base_private", "base_public")?;
    let ratchet = key_pair(&alice, "first_ratchet_private", "first_ratchet_public")?;
    let bob_identity = key_pair(&bob, "identity_private", "identity_public")?;
    let signed = key_pair(&bob, "signed_prekey_private", "signed_prekey_public")?;
    let with_one_time = case.bool("one_time_prekey_used")?;
    let one_time = match bob.opt("one_time_prekey_private")? {
        Some(_) => Some(key_pair(&bob, "one_time_prekey_private", "one_time_prekey_public")?),
        None => None,
    };
    let one_time = if with_one_time { Some(one_time.context("no one-time pre-key")?) } else { None };

    let ours = x3dh::initiator(
        &alice_identity,
        &base,
        bob_identity.public(),
        signed.public(),
        one_time.as_ref().map(KeyPair::public),
    )?;
    let theirs =
        x3dh::responder(&bob_identity, &signed, one_time.as_ref(), alice_identity.public(), base.public())?;
    ensure!(ours == theirs, "the roles disagree");
    same_bytes("ikm", ours.expose(), expect.hex("ikm")?)?;
    for (place, name) in ["dh1", "dh2", "dh3", "dh4"].into_iter().enumerate() {
        let agreement = ours.expose().get(32 * (place + 1)..32 * (place + 2));
        same(name, agreement.map(<[u8]>::to_vec), expect.opt_hex(name)?)?;
    }

    let (root, chain) = ours.derive();
    same_bytes("root_key", root.expose(), expect.hex("root_key")?)?;
    same_bytes("chain_key", chain.expose(), expect.hex("chain_key")?)?;
    let (root, sending) = root.step(ratchet.private(), signed.public())?;
    same_bytes("root after the first ratchet", root.expose(), expect.hex("alice_root_after_first_ratchet")?)?;
    same_bytes("sending chain key", sending.expose(), expect.hex("alice_sending_chain_key")?)?;

    let (mut chain, mut at) = (sending, 0);
    for keys in expect.nonempty_list("alice_first_message_keys")? {
        let counter = keys.u32("counter")?;
        ensure!(counter >= at, "counters must rise");
        while at < counter {
            chain = chain.skip();
            at += 1;
        }
        message_keys(&chain, &keys).with_context(|| format!("message keys {counter}"))?;
    }
    Ok(())
}

fn message_keys(chain: &ChainKey, expect: &Reader<'_>) -> Result<()> {
    same_bytes("chain_key", chain.expose(), expect.hex("chain_key")?)?;
    let (seed, next) = chain.step();
    ensure!(next == chain.skip(), "step and skip disagree");
    same_bytes("message_seed", seed.expose(), expect.hex("message_seed")?)?;
    let keys = MessageKeys::expand(&seed);
    same_bytes("cipher_key", keys.cipher_key.expose(), expect.hex("cipher_key")?)?;
    same_bytes("mac_key", keys.mac_key.expose(), expect.hex("mac_key")?)?;
    same_bytes("iv", keys.iv.expose(), expect.hex("iv")?)
}
