//! `signal-message-secrets`: encrypted add-ons and messages of bots, and what must be refused (chapter 04 §18).

use anyhow::{Context, Result};
use wa_binary::Jid;
use wa_core::secrets::{AddOn, AddOnKey, BotReply, IV_LEN, MessageSecret, SecretError, UseCase};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("use_cases", use_case)?;
    file.section("bot", bot)?;
    file.section("negative", negative)
}

fn use_case(case: &Reader<'_>) -> Result<()> {
    let secret = MessageSecret::new(case.hex_array("message_secret")?);
    let key = Tied::read(case, "parent_message_id", "parent_sender")?.key(&secret);
    sealed_as(case, &key, "enc_payload")
}

fn bot(case: &Reader<'_>) -> Result<()> {
    let base = MessageSecret::new(case.hex_array("message_secret")?).for_bot();
    same_bytes("base key", base.expose(), case.hex("base_key")?)?;
    let (target_sender, bot) = (case.str("target_sender")?.parse()?, case.str("bot")?.parse()?);
    let id = case.str("reply_or_edit_target_id")?;
    let key = BotReply { id, target_sender: &target_sender, bot: &bot }.key(&base);
    sealed_as(case, &key, "enc_payload")
}

fn negative(case: &Reader<'_>) -> Result<()> {
    case.prose("why")?;
    let tied = Tied::read(case, "parent_message_id", "parent_sender")?;
    let (secret, iv, payload) = (case.hex("message_secret")?, case.hex("iv")?, case.hex("enc_payload")?);
    let opened = MessageSecret::try_from(&*secret).and_then(|secret| tied.key(&secret).open(&iv, &payload));
    let expected = match (secret.len(), iv.len(), payload.len()) {
        (length, ..) if length != 32 => SecretError::SecretLength(length),
        (_, length, _) if length != IV_LEN => SecretError::IvLength(length),
        (.., length) if length < 16 => SecretError::PayloadLength(length),
        _ => SecretError::Authentication,
    };
    same("outcome", opened, Err(expected))
}

/// The add-on of a case.
pub(super) struct Tied<'a> {
    use_case: UseCase,
    parent_id: &'a str,
    parent_sender: Jid,
    modification_sender: Jid,
}

impl<'a> Tied<'a> {
    /// Reads it; files differ in what they call the parent's id and author.
    pub(super) fn read(case: &Reader<'a>, parent_id: &str, parent_sender: &str) -> Result<Self> {
        let label = case.str("use_case")?;
        Ok(Self {
            use_case: UseCase::of(label).with_context(|| format!("use case {label}"))?,
            parent_id: case.str(parent_id)?,
            parent_sender: case.str(parent_sender)?.parse()?,
            modification_sender: case.str("modification_sender")?.parse()?,
        })
    }

    pub(super) fn key(&self, secret: &MessageSecret) -> AddOnKey {
        AddOn {
            use_case: self.use_case,
            parent_id: self.parent_id,
            parent_sender: &self.parent_sender,
            modification_sender: &self.modification_sender,
        }
        .key(secret)
    }
}

/// Key and authenticated data are the case's, sealing gives its payload, opening its plaintext.
pub(super) fn sealed_as(case: &Reader<'_>, key: &AddOnKey, payload: &str) -> Result<()> {
    same_bytes("key", key.secret().expose(), case.hex("key")?)?;
    same_bytes("aad", key.aad(), case.hex("aad")?)?;
    let (iv, plaintext): ([u8; IV_LEN], _) = (case.hex_array("iv")?, case.hex("plaintext")?);
    let expected = case.hex(payload)?;
    same_bytes("payload", key.seal_with(&plaintext, iv)?.payload, &expected)?;
    same_bytes("plaintext", key.open(&iv, &expected)?, &plaintext)
}
