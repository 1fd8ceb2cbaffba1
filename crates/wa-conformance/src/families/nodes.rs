//! Family `nodes`: the stanza codec, compressed and malformed frames (chapter 03 §11).

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use wa_binary::{Decoder, Node, Side, Stanza, compress};

use crate::file::VectorFile;
use crate::node_reader::{read_node, same_node};
use crate::reader::{Reader, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    let frames = canonical_frames(&file.top())?;
    file.section("nodes", check_node)?;
    file.section("decode_only", |case| {
        case.str("id")?;
        prose(case, &["note", "remark", "decoded_by", "group"])?;
        decodes_to("frame", &read_frame(&case.field("frame")?)?, &read_node(&case.field("node")?)?)
    })?;
    file.section("compressed", |case| check_compressed(case, &frames))?;
    file.section("malformed", check_malformed)
}

/// Canonical frames by the id of their entry, which compressed ones refer to.
fn canonical_frames(top: &Reader<'_>) -> Result<HashMap<String, Vec<u8>>> {
    let mut frames = HashMap::new();
    if top.has("nodes") {
        for case in top.list("nodes")? {
            if case.has("id") && case.has("canonical") {
                frames.insert(case.str("id")?.to_owned(), read_frame(&case.field("canonical")?)?);
            }
        }
    }
    Ok(frames)
}

fn check_node(case: &Reader<'_>) -> Result<()> {
    case.str("id")?;
    prose(case, &["group", "note", "canonical_decoded_by"])?;
    let node = read_node(&case.field("node")?)?;
    let canonical = read_frame(&case.field("canonical")?)?;
    same_bytes("encode", node.encode()?, &canonical)?;
    decodes_to("canonical", &canonical, &node)?;

    let mut from_server = Vec::new();
    node.encode_into(Side::Server, &mut from_server)?;
    match case.opt("canonical_from_server")? {
        Some(field) => {
            let expected = read_frame(&field)?;
            same_bytes("encode from the server", &from_server, &expected)?;
            decodes_to("canonical_from_server", &expected, &node)?;
        }
        None => same_bytes("encode from the server", &from_server, &canonical)?,
    }
    decodes_to("compressed by us", &compress(&canonical), &node)?;

    let remark = case.opt_str("remark")?.unwrap_or("");
    let mut peers = Vec::new();
    for peer in ["baileys", "wacore"] {
        let frame = case.opt(peer)?.map(|field| read_frame(&field)).transpose()?;
        if let Some(frame) = &frame {
            let carries = !remark.split(';').any(|it| it.contains(peer) && it.contains("does not carry"));
            let decoded = decodes_to(peer, frame, &node);
            if carries {
                decoded?;
            } else {
                ensure!(decoded.is_err(), "the {peer} encoding carries the node after all");
            }
        }
        peers.push(frame);
    }
    if let Some(agree) = case.opt_bool("peers_agree")? {
        same("peers_agree", peers.iter().all(|it| it.is_some() && *it == peers[0]), agree)?;
    }
    every_prefix_is_refused(&canonical)?;
    flips_do_no_harm(&canonical);
    Ok(())
}

fn check_compressed(case: &Reader<'_>, frames: &HashMap<String, Vec<u8>>) -> Result<()> {
    case.str("id")?;
    prose(case, &["note", "remark", "decoded_by", "group"])?;
    let frame = read_frame(&case.field("frame")?)?;
    let node = match case.opt("node")? {
        Some(node) => read_node(&node)?,
        None => {
            let name = case.str("same_node_as")?;
            let canonical = frames.get(name).with_context(|| format!("no node {name}"))?;
            wa_binary::decode(canonical)?
        }
    };
    decodes_to("frame", &frame, &node)?;
    flips_do_no_harm(&frame);
    Ok(())
}

fn check_malformed(case: &Reader<'_>) -> Result<()> {
    case.str("id")?;
    prose(case, &["why", "note", "remark", "group"])?;
    if let Some(peers) = case.opt("peers")? {
        peers.raw();
    }
    let frame = read_frame(&case.field("frame")?)?;
    let mut classes = vec![case.str("error")?];
    if let Some(also) = case.opt("error_also")? {
        for class in also.items()? {
            classes.push(class.as_str()?);
        }
    }
    let mut decoder = Decoder::new();
    let error = match decoder.decode(&frame) {
        Ok(node) => bail!("decoded to {}", node.redacted()),
        Err(error) => error,
    };
    ensure!(classes.contains(&error.class()), "got {} ({error}), expected {classes:?}", error.class());
    same("error of the keeping decoder", Stanza::decode(frame.clone().into()).err(), Some(error))?;
    // The arena must be as good as new.
    same("after the error", decoder.decode(&[0, 0xf8, 1, 0x56]).map(|node| node.is("ping")), Ok(true))?;
    flips_do_no_harm(&frame);
    Ok(())
}

/// Decodes in all three ways.
fn decodes_to(what: &str, frame: &[u8], node: &Node) -> Result<()> {
    let mut decoder = Decoder::new();
    let decoded = decoder.decode(frame).with_context(|| what.to_owned())?;
    same_node(what, decoded, node)?;
    for ((key, own), (_, wanted)) in decoded.each_attr().zip(node.each_attr()) {
        if let wa_binary::Value::Jid(jid) = wanted {
            let read = decoded.required(key).jid().with_context(|| what.to_owned())?;
            same(&format!("{what}: JID of {key} ({own})"), read, jid)?;
        }
    }
    let owned = wa_binary::decode(frame)?;
    same_node(what, owned.view(), node)?;
    ensure!(decoded == owned, "{what}: borrowed and owned decoding differ");
    let kept = Stanza::decode(frame.to_vec().into())?;
    ensure!(kept.root() == decoded, "{what}: kept and borrowed decoding differ");
    Ok(())
}

/// A node uses up its frame, so no part of it from the beginning is a frame. Long ones are tried in places.
fn every_prefix_is_refused(frame: &[u8]) -> Result<()> {
    const TRIES: usize = 1_000;
    let mut decoder = Decoder::new();
    let step = (frame.len() / TRIES).max(1);
    for end in (0..frame.len()).step_by(step) {
        ensure!(decoder.decode(&frame[..end]).is_err(), "the first {end} bytes decode");
    }
    Ok(())
}

/// A panic would fail the case.
fn flips_do_no_harm(frame: &[u8]) {
    const LONGEST: usize = 256;
    if frame.len() > LONGEST {
        return;
    }
    let mut decoder = Decoder::new();
    let mut flipped = frame.to_vec();
    for at in 0..frame.len() {
        for change in [0x01, 0x02, 0x08, 0x40, 0x80, 0xff] {
            flipped[at] = frame[at] ^ change;
            if let Ok(node) = decoder.decode(&flipped) {
                // What decodes can be written again, unless a JID in it has no wire form.
                drop(node.to_node().encode());
            }
        }
        flipped[at] = frame[at];
    }
}

/// Hex, or for long frames `{parts: [[hex, times], …], len, sha256}`.
fn read_frame(field: &Reader<'_>) -> Result<Vec<u8>> {
    if field.peek().is_string() {
        return field.as_hex();
    }
    let mut frame = Vec::new();
    for part in field.list("parts")? {
        let [bytes, times] = &part.items()?[..] else { bail!("a part that is not [hex, times]") };
        frame.extend(bytes.as_hex()?.repeat(usize::try_from(times.as_u64()?)?));
    }
    same("length of the frame", frame.len() as u64, field.u64("len")?)?;
    same_bytes("digest of the frame", wa_crypto::digest::sha256(&[&frame]), field.hex("sha256")?)?;
    Ok(frame)
}

fn prose(case: &Reader<'_>, names: &[&str]) -> Result<()> {
    names.iter().try_for_each(|name| case.prose(name))
}
