//! `signal-reporting-tokens`: the covered part of a message, the key and the token (chapter 04 §19).

use anyhow::{Result, ensure};
use wa_core::secrets::MessageSecret;
use wa_core::tokens::reporting;

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| {
        case.prose("title")?;
        let expect =
            [case.opt_hex("expect_content")?, case.opt_hex("expect_key")?, case.opt_hex("expect_token")?];
        token(case, expect)
    })
}

/// Content, key and token of a case's message; all absent when it gets none.
pub(super) fn token(case: &Reader<'_>, expect: [Option<Vec<u8>>; 3]) -> Result<()> {
    let message = case.hex("message")?;
    let secret = MessageSecret::new(case.hex_array("message_secret")?);
    let (sender, remote) = (case.str("sender")?.parse()?, case.str("remote")?.parse()?);
    let id = case.str("stanza_id")?;
    let key = reporting::key(&secret, id, &sender, &remote);
    let node = reporting::node(&message, &secret, id, &sender, &remote);
    let content = reporting::content(&message);
    match expect {
        [Some(expect_content), expect_key, Some(expect_token)] => {
            let content = content.unwrap_or_default();
            same_bytes("content", &content, expect_content)?;
            if let Some(expect_key) = expect_key {
                same_bytes("key", key.expose(), expect_key)?;
            }
            let token = reporting::token(&key, &content);
            same_bytes("token", token, &expect_token)?;
            let node = node.unwrap_or_else(|| wa_binary::Node::new("none"));
            same("node", node.tag(), "reporting")?;
            let child = node.required_child("reporting_token")?;
            ensure!(child.attr_is("v", "2"), "version of {node}");
            same_bytes("token in the node", child.required_bytes()?, expect_token)
        }
        [None, None, None] => {
            ensure!(content.is_none() && node.is_none(), "a token where none belongs");
            Ok(())
        }
        _ => anyhow::bail!("a case with a part of a token"),
    }
}
