//! `messages`: what stands around a message (chapter 05): received stanzas with what answers them, classification,
//! wrappers, ids, receipts, calls, acks of the server; and the byte parts that chapter 04 §12, §18, §19 shares.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use prost::Message as _;
use wa_binary::Jid;
use wa_core::envelope::{
    Activity, Call, ContentKind, DecryptFail, Depth, Edit, MessageStanza, Own, Receipt, classify, message_id,
    padding, receipt_ack, unwrap,
};
use wa_core::secrets::{MessageSecret, poll_option_hash};
use wa_proto::e2e_message::{Message, message::PollVoteMessage};

use super::messages_fields::{self as fields, same_or_more};
use super::signal_message_secrets::{Tied, sealed_as};
use super::signal_phash_padding_tokens::{participant_hash, refused_padding};
use super::signal_reporting_tokens;
use crate::node_reader::read_node;
use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("stanza", stanza)?;
    file.section("classify", classification)?;
    file.section("unwrap", wrappers)?;
    file.section("device", |case| {
        case.prose("id")?;
        let platform = message_id::Platform::of_id(case.str("message_id")?);
        same("platform", platform.name(), case.str("expect")?)
    })?;
    file.section("idgen", |case| {
        case.prose("id")?;
        case.prose("note")?;
        let random = case.hex_array("random")?;
        let id = message_id::from_random(case.u64("unix_seconds")?, case.str("own_pn_user")?, &random);
        same("id", &*id, case.str("expect")?)
    })?;
    file.section("phash", |case| {
        case.prose("id")?;
        participant_hash(case, "expect")
    })?;
    file.section("addon", add_on)?;
    file.section("reporting", |case| {
        case.prose("id")?;
        let expect = match case.opt("expect")? {
            Some(expect) => {
                let part = |name| expect.hex(name).map(Some);
                [part("content")?, part("key")?, part("token")?]
            }
            None => [None, None, None],
        };
        signal_reporting_tokens::token(case, expect)
    })?;
    file.section("padding", pad)?;
    let own = account(file)?;
    file.section("receipts", |case| receipt(case, &own))?;
    file.section("calls", |case| call(case, &own))?;
    file.section("acks", |case| {
        case.prose("id")?;
        fields::server_ack(read_node(&case.field("stanza")?)?.view(), &case.field("expect")?)
    })
}

fn stanza(case: &Reader<'_>) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    let own = read_own(&case.field("own")?)?;
    let node = read_node(&case.field("stanza")?)?;
    let expect = case.field("expect")?;
    let parsed = MessageStanza::parse(node.view(), &own);
    for (name, activity) in
        [("reply_when_active", Activity::Active), ("reply_when_inactive", Activity::Inactive)]
    {
        let reply = match &parsed {
            Ok(message) => Some(message.answer(activity)),
            Err(error) => error.nack(node.view()),
        };
        fields::answers(name, reply.as_ref(), &case.list(name)?)?;
    }
    match parsed {
        Ok(message) => {
            for (name, value) in expect.entries()? {
                fields::fact(&message, &own, node.view(), name, &value)
                    .with_context(|| format!("fact {name}"))?;
            }
            Ok(())
        }
        Err(error) => {
            ensure!(fields::same_word(error.name(), expect.str("error")?), "{} instead", error.name());
            Ok(())
        }
    }
}

fn classification(case: &Reader<'_>) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    // Whether one of the implementations behind the file agrees proves nothing here.
    case.opt_bool("zapo_agrees")?;
    let message = Message::decode(&*case.hex("message")?)?;
    let classified = classify(&message)?;
    let expect = case.field("expect")?;
    same("type", classified.stanza_type.as_str(), expect.str("type")?)?;
    same("mediatype", classified.media_type, expect.opt_str("mediatype")?)?;
    same("edit", classified.edit.as_ref().map(Edit::as_str), expect.opt_str("edit")?)?;
    if let Some(hide) = expect.opt_bool("decrypt_fail_hide")? {
        same("decrypt_fail_hide", classified.decrypt_fail == DecryptFail::Hide, hide)?;
    }
    let attrs: BTreeMap<_, _> = classified.meta.attrs().collect();
    let mut expected = BTreeMap::new();
    if let Some(meta) = expect.opt("meta")? {
        for (name, value) in meta.entries()? {
            expected.insert(name, value.as_str()?);
        }
    }
    same("meta", attrs, expected)?;
    same("meta node", classified.meta.node().is_some(), classified.meta.attrs().next().is_some())
}

fn wrappers(case: &Reader<'_>) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    let bytes = case.hex("message")?;
    let expect = case.field("expect")?;
    if let Some(result) = expect.opt_str("result")? {
        same("result", result, "error_or_unwrapped_core")?;
        expect.prose("must_not")?;
        // Too deep for the decoder or for the unwrapping; either is an error, neither a panic.
        let Ok(message) = Message::decode(&*bytes) else { return Ok(()) };
        if let Ok(unwrapped) = unwrap(&message, Depth::All) {
            ensure!(unwrapped.kind().is_some(), "unwrapped to nothing");
        }
        return Ok(());
    }
    let message = Message::decode(&*bytes)?;
    let unwrapped = unwrap(&message, Depth::All)?;
    let expected = expect.list("wrappers")?;
    same("number of wrappers", unwrapped.wrappers.len(), expected.len())?;
    for (wrapper, expected) in unwrapped.wrappers.iter().zip(&expected) {
        let expected = expected.as_str()?;
        ensure!(fields::same_word(wrapper.name(), expected), "{} instead of {expected}", wrapper.name());
    }
    same("inner_kind", unwrapped.kind().map(ContentKind::name), expect.opt_str("inner_kind")?)
}

fn add_on(case: &Reader<'_>) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    let secret = MessageSecret::new(case.hex_array("message_secret")?);
    let key = Tied::read(case, "target_id", "original_sender")?.key(&secret);
    sealed_as(case, &key, "ciphertext_and_tag")?;
    let Some(options) = case.opt("selected_options")? else { return Ok(()) };
    let mut hashes = Vec::new();
    for (option, hash) in options.items()?.iter().zip(case.list("option_hashes")?) {
        let expected = hash.as_hex()?;
        same_bytes("option hash", poll_option_hash(option.as_str()?), &expected)?;
        hashes.push(expected);
    }
    same("options", options.items()?.len(), case.list("option_hashes")?.len())?;
    let vote = PollVoteMessage::decode(&*case.hex("plaintext")?)?;
    let voted: Vec<Vec<u8>> = vote.selected_options.iter().map(|hash| hash.to_vec()).collect();
    same("vote", voted, hashes)
}

fn pad(case: &Reader<'_>) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    let padded = case.hex("padded")?;
    if case.opt_bool("expect_error")?.unwrap_or(false) {
        return refused_padding(&padded);
    }
    same_bytes("plaintext", padding::unpad(&padded)?, case.hex("expect")?)
}

/// The account that the file's receipts and calls are for: the one of its stanzas.
fn account(file: &VectorFile<'_>) -> Result<Own> {
    let first = match file.top().opt("stanza")? {
        Some(stanzas) => stanzas.items()?.into_iter().next(),
        None => None,
    };
    match first {
        Some(case) => read_own(&case.field("own")?),
        None => Ok(Own { pn: Jid::pn(0), lid: None }),
    }
}

fn read_own(own: &Reader<'_>) -> Result<Own> {
    Ok(Own { pn: own.str("pn")?.parse()?, lid: own.opt_str("lid")?.map(str::parse).transpose()? })
}

fn receipt(case: &Reader<'_>, own: &Own) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    let node = read_node(&case.field("stanza")?)?;
    let ack = case.opt("ack")?;
    match (receipt_ack(node.view()), &ack) {
        (Some(sent), Some(expected)) => same_or_more("ack", &sent, &read_node(expected)?)?,
        (_, None) => {}
        (None, Some(_)) => bail!("no ack"),
    }
    let expect = case.field("expect")?;
    match Receipt::parse(node.view(), own) {
        Ok(receipt) => {
            for (name, value) in expect.entries()? {
                fields::receipt_fact(&receipt, name, &value).with_context(|| format!("fact {name}"))?;
            }
            Ok(())
        }
        Err(error) => {
            ensure!(expect.has("error"), "{error}");
            expect.field("error")?.raw();
            Ok(())
        }
    }
}

fn call(case: &Reader<'_>, own: &Own) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    let node = read_node(&case.field("stanza")?)?;
    let call = Call::parse(node.view())?;
    for (name, value) in case.field("expect")?.entries()? {
        fields::call_fact(&call, name, &value).with_context(|| format!("fact {name}"))?;
    }
    // Calls have one answer, whatever they are.
    let answer = call.answer(own);
    ensure!(answer.attr_is("id", &call.id) && answer.has_attr("to"), "answer {answer}");
    ensure!(matches!(answer.tag(), "ack" | "receipt"), "answer {answer}");
    Ok(())
}
