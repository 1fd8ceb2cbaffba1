//! Family `signal-x3dh` (chapter 04 §3–§4): both roles of the agreement, the first root step and the first message
//! keys.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_signal::ratchet::ChainKey;
use wa_signal::{MessageKeys, x3dh};

use super::signal_fields::{array, hex_field, list, text};

/// Runs one case.
pub fn run(case: &Value) -> Result<()> {
    let (alice, bob, expect) = (&case["alice"], &case["bob"], &case["expect"]);
    let with_one_time =
        case["one_time_prekey_used"].as_bool().unwrap_or(!bob["one_time_prekey_private"].is_null());
    let alice_identity = pair(alice, "identity")?;
    let base = pair(alice, "base")?;
    let ratchet = pair(alice, "first_ratchet")?;
    let bob_identity = pair(bob, "identity")?;
    let signed = pair(bob, "signed_prekey")?;
    let one_time = if with_one_time { Some(pair(bob, "one_time_prekey")?) } else { None };

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
    ensure!(ours.expose() == hex_field(expect, "ikm")?, "ikm");
    for (place, name) in ["dh1", "dh2", "dh3", "dh4"].into_iter().enumerate() {
        let agreement = ours.expose().get(32 * (place + 1)..32 * (place + 2));
        match (agreement, expect[name].is_null()) {
            (Some(agreement), false) => ensure!(agreement == hex_field(expect, name)?, "{name}"),
            (None, true) => {}
            (found, _) => {
                anyhow::bail!("{name}: present here {}, in the vector {}", found.is_some(), found.is_none())
            }
        }
    }

    let (root, chain) = ours.derive();
    ensure!(root.expose() == &array::<32>(expect, "root_key")?, "root_key");
    ensure!(chain.expose() == &array::<32>(expect, "chain_key")?, "chain_key");
    let (root, sending) = root.step(ratchet.private(), signed.public())?;
    ensure!(
        root.expose() == &array::<32>(expect, "alice_root_after_first_ratchet")?,
        "root after the first ratchet"
    );
    ensure!(sending.expose() == &array::<32>(expect, "alice_sending_chain_key")?, "alice_sending_chain_key");

    let mut at = 0;
    let mut chain = sending;
    for keys in list(expect, "alice_first_message_keys")? {
        let counter = keys["counter"].as_u64().context("counter")?;
        while at < counter {
            chain = chain.skip();
            at += 1;
        }
        message_keys(&chain, keys).with_context(|| format!("message keys {counter}"))?;
    }
    Ok(())
}

fn message_keys(chain: &ChainKey, expect: &Value) -> Result<()> {
    ensure!(chain.expose() == &array::<32>(expect, "chain_key")?, "chain_key");
    let (seed, next) = chain.step();
    ensure!(next == chain.skip(), "step and skip disagree");
    ensure!(seed.expose() == &array::<32>(expect, "message_seed")?, "message_seed");
    let keys = MessageKeys::expand(&seed);
    ensure!(keys.cipher_key.expose() == &array::<32>(expect, "cipher_key")?, "cipher_key");
    ensure!(keys.mac_key.expose() == &array::<32>(expect, "mac_key")?, "mac_key");
    ensure!(keys.iv.expose() == &array::<16>(expect, "iv")?, "iv");
    Ok(())
}

/// The pair with this prefix; the public half must follow from the private one.
fn pair(party: &Value, prefix: &str) -> Result<KeyPair> {
    let pair = KeyPair::from(PrivateKey::from_bytes(array(party, &format!("{prefix}_private"))?));
    let public = text(party, &format!("{prefix}_public"))?;
    let public = PublicKey::from_serialized(&hex::decode(public)?)?;
    ensure!(*pair.public() == public, "{prefix}: public key");
    Ok(pair)
}
