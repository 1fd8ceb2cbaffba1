//! `client-payload`: the payloads of login and registration, built from their inputs and read back (chapter 01 §5).

use anyhow::{Result, bail};
use serde_json::Value;
use wa_core::{
    login::{ClientPayload, ClientVersion, Login, Registration, UserAgent},
    prekeys::SignedKey,
};
use wa_crypto::curve::PublicKey;

use crate::{
    Reader, VectorFile,
    proto_json::{self, Style},
    same,
};

const MESSAGE: &str = "handshake.ClientPayload";

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| {
        case.prose("name")?;
        let (input, decoded) = (case.field("input")?, case.field("decoded")?.raw());
        let bytes = case.hex("payload")?;
        same("decoded payload", &proto_json::decode(MESSAGE, &bytes, Style::Numbers)?, decoded)?;
        let (ours, expected) = match case.str("kind")? {
            "registration" => {
                let ours = registration(&input)?;
                (ours.encode(), ClientPayload::Registration(Box::new(ours)))
            }
            "login" => {
                let ours = login(&input)?;
                (ours.encode(), ClientPayload::Login(Box::new(ours)))
            }
            other => bail!("unknown kind {other}"),
        };
        let built = without_zeros(&proto_json::decode(MESSAGE, &ours, Style::Numbers)?);
        same("built payload", &built, &without_zeros(decoded))?;
        same("parsed payload", &ClientPayload::decode(&bytes)?, &expected)?;
        same("parsed own payload", &ClientPayload::decode(&ours)?, &expected)
    })
}

fn registration(input: &Reader<'_>) -> Result<Registration> {
    Ok(Registration {
        agent: agent(input)?,
        registration_id: input.u32("registration_id")?,
        identity: PublicKey::from_bytes(input.hex_array("identity_public")?),
        signed_pre_key: SignedKey {
            id: input.u32("signed_prekey_id")?,
            public: PublicKey::from_bytes(input.hex_array("signed_prekey_public")?),
            signature: input.hex_array("signed_prekey_signature")?,
        },
        device_props: input.hex("device_props")?.into(),
        push_name: input.opt_str("push_name")?.map(str::to_owned),
    })
}

fn login(input: &Reader<'_>) -> Result<Login> {
    Ok(Login {
        agent: agent(input)?,
        username: input.u64("username")?,
        device: input.u32("device")?,
        login_counter: i32::try_from(input.u32("login_counter")?)?,
        passive: input.opt_bool("passive")?.unwrap_or(false),
        lid_migrated: input.opt_bool("lid_db_migrated")?.unwrap_or(true),
        push_name: input.opt_str("push_name")?.map(str::to_owned),
    })
}

fn agent(input: &Reader<'_>) -> Result<UserAgent> {
    Ok(UserAgent::web(input.str("version")?.parse::<ClientVersion>()?))
}

/// Encoders differ in whether they write zero, false and empty fields.
fn without_zeros(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(name, field)| (name.clone(), without_zeros(field)));
            Value::Object(kept.filter(|(_, field)| !is_zero(field)).collect())
        }
        other => other.clone(),
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "hex:",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null => true,
    }
}
