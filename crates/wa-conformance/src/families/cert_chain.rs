//! `cert-chain`: chains that hold and chains that must be refused (chapter 01 §4.6).

use anyhow::{Result, bail};
use wa_noise::{PublicKey, RootCa, verify_chain};

use crate::{Reader, VectorFile, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", case)
}

fn case(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let chain = case.hex("chain")?;
    let server_key = PublicKey::from_bytes(case.hex_array("server_static")?);
    let root = RootCa {
        public_key: PublicKey::from_bytes(case.hex_array("root_public_key")?),
        serial: case.u32("root_serial")?,
    };
    let now = case.u64("now")?;
    let reason = case.opt_str("reason")?.unwrap_or_default();
    let verdict = verify_chain(&chain, &server_key, &root, now);
    match (case.str("expect")?, verdict) {
        ("ok", Ok(known)) => same_bytes("leaf key", known.leaf.key.as_bytes(), server_key.as_bytes()),
        ("ok", Err(fault)) => bail!("refused: {fault}"),
        ("error", Ok(_)) => bail!("accepted in spite of: {reason}"),
        ("error", Err(_)) => Ok(()),
        (other, _) => bail!("unknown expectation {other}"),
    }
}
