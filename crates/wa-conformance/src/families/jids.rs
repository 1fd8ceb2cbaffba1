//! Family `jids`: the grammar of JIDs, their parts, and equality (chapter 03 §8).

use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Context, Result, ensure};
use wa_binary::{Decoder, Jid, Node};

use crate::file::VectorFile;
use crate::reader::{Reader, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    let (mut valid, mut invalid) = (0, 0);
    if file.top().has("jids") {
        for case in file.top().list("jids")? {
            match case.bool("valid")? {
                true => valid += 1,
                false => invalid += 1,
            }
        }
    }
    file.section("jids", check_jid)?;
    file.counted_as("jids", &[("valid", valid), ("invalid", invalid)]);
    file.section("pairs", check_pair)
}

fn check_jid(case: &Reader<'_>) -> Result<()> {
    case.str("id")?;
    for name in ["note", "why"] {
        case.prose(name)?;
    }
    if let Some(peers) = case.opt("peers")? {
        peers.raw();
    }
    let text = case.str("text")?;
    let parsed: Result<Jid, _> = text.parse();
    if !case.bool("valid")? {
        ensure!(parsed.is_err(), "read as {parsed:?}");
        ensure!(Jid::parse_strict(text).is_err(), "the strict grammar takes it");
        let node = Node::new("iq").attr("jid", text);
        ensure!(node.required("jid").jid().is_err(), "the attribute getter takes it");
        return Ok(());
    }
    let jid = parsed.context("not read")?;
    same("kind", jid.kind().name(), case.str("kind")?)?;
    same("user", jid.user().as_str(), case.str("user")?)?;
    same("server", jid.server_name(), case.str("server")?)?;
    same("device", u64::from(jid.device()), case.u64("device")?)?;
    same("integrator", u64::from(jid.integrator()), case.u64("integrator")?)?;
    let canonical = case.str("canonical")?;
    same("canonical", jid.to_string().as_str(), canonical)?;
    let strict = case.bool("strict")?;
    same("strict", Jid::parse_strict(text).is_ok(), strict)?;
    if strict {
        same("strict parse", Jid::parse_strict(text)?, jid.clone())?;
    }

    same("serde", serde_json::from_value::<Jid>(serde_json::to_value(&jid)?)?, jid.clone())?;
    if let Ok(again) = canonical.parse::<Jid>() {
        same("parsing the canonical form", again, jid.clone())?;
    }
    // What the wire can carry comes back as it was, from both sides and as text.
    if let Ok(frame) = Node::new("iq").attr("jid", &jid).encode() {
        let mut decoder = Decoder::new();
        same("over the wire", decoder.decode(&frame)?.required("jid").jid()?, jid.clone())?;
    }
    same("from plain text", Node::new("iq").attr("jid", text).required("jid").jid()?, jid)
}

fn check_pair(case: &Reader<'_>) -> Result<()> {
    for name in ["id", "why", "note"] {
        case.prose(name)?;
    }
    let (a, b): (Jid, Jid) = (case.str("a")?.parse()?, case.str("b")?.parse()?);
    let equal = case.bool("equal")?;
    same("equal", a == b, equal)?;
    same("order", a.cmp(&b).is_eq(), equal)?;
    if equal {
        same("hash", hash(&a), hash(&b))?;
    }
    let same_user = case.bool("same_user")?;
    same("same_user", a.same_user(&b), same_user)?;
    same("same_user the other way", b.same_user(&a), same_user)?;
    same("same account", a.account() == b.account(), same_user)
}

fn hash(jid: &Jid) -> u64 {
    let mut hasher = DefaultHasher::new();
    jid.hash(&mut hasher);
    hasher.finish()
}
