//! `appstate-wire`: answers to the sync iq and the verdict on each collection (chapter 07 §6.2).

use anyhow::{Context, Result, ensure};
use wa_core::app_state::Collection;
use wa_core::app_state::wire::{CollectionReply, Reply, Verdict, parse_reply};

use crate::node_reader::read_node;
use crate::{Reader, VectorFile, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", case)
}

fn case(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let requested = case
        .nonempty_list("requested")?
        .iter()
        .map(|name| {
            let name = name.as_str()?;
            Collection::from_name(name).with_context(|| format!("unknown collection {name}"))
        })
        .collect::<Result<Vec<_>>>()?;
    let response = read_node(&case.field("response")?)?;
    let expected = case.field("expect")?.entries()?;
    let replies = match parse_reply(response.view(), &requested) {
        Reply::Error(code) => {
            let [("*", expect)] = expected.as_slice() else {
                anyhow::bail!("the iq failed with {code}");
            };
            same("verdict", "iq_error", expect.str("verdict")?)?;
            return same("code", u64::from(code), expect.u64("code")?);
        }
        Reply::Collections(replies) => replies,
    };
    same("number of collections", replies.len(), expected.len())?;
    for (name, expect) in expected {
        let reply = Collection::from_name(name).and_then(|it| replies.get(&it));
        reply_is(reply.with_context(|| format!("no reply for {name}"))?, &expect)?;
    }
    Ok(())
}

fn reply_is(reply: &CollectionReply, expect: &Reader<'_>) -> Result<()> {
    let (verdict, code, more) = match reply.verdict {
        Verdict::Ok { more } => ("ok", None, more),
        Verdict::Conflict { more } => ("conflict", None, more),
        Verdict::Fatal(code) => ("fatal", Some(code), false),
        Verdict::Retry(code) => ("retry", code, false),
    };
    same("verdict", verdict, expect.str("verdict")?)?;
    if let Some(expected) = expect.opt_u64("code")? {
        same("code", code.map(u64::from), Some(expected))?;
    }
    if let Some(patches) = expect.opt_u64("patches")? {
        same("patches", reply.patches.len() as u64, patches)?;
    }
    if let Some(snapshot) = expect.opt_bool("snapshot")? {
        same("snapshot", reply.snapshot.is_some(), snapshot)?;
    }
    if let Some(expected) = expect.opt_bool("more")? {
        same("more", more, expected)?;
    }
    if let Some(version) = expect.opt_u64("version")? {
        same("version", reply.version, Some(version))?;
    }
    ensure!(reply.patches.iter().all(|patch| !patch.is_empty()), "an empty patch");
    Ok(())
}
