//! `appstate-lthash`: what one record adds, and running sums (chapter 07 §5.1).

use anyhow::{Result, bail};
use wa_core::app_state::LtHash;
use wa_core::app_state::lthash::expand_item;

use crate::{Reader, VectorFile, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("expansion", expansion)?;
    file.section("sequences", sequence)
}

fn expansion(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    same_bytes("item", expand_item(&case.hex_array("value_mac_hex")?), case.hex("expanded_hex")?)
}

fn sequence(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let mut hash = LtHash::from_bytes(case.hex_array("start_hex")?);
    for step in case.nonempty_list("steps")? {
        let change = match step.str("op")? {
            "add" => LtHash::add,
            "sub" => LtHash::subtract,
            other => bail!("unknown operation {other}"),
        };
        for value_mac in step.list("value_macs_hex")? {
            change(&mut hash, &value_mac.as_hex_array()?);
        }
        same_bytes("hash", hash.as_bytes(), step.hex("hash_hex")?)?;
    }
    Ok(())
}
