//! Protobuf messages as the JSON of vector files, through the compiled schema: `lowerCamel` names as the schema
//! spells them, only the fields that are present. Vector files differ in how they write numbers over 32 bits, bytes
//! and enums; [`Style`] says how.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::{Map, json};
use std::sync::LazyLock;

/// How a vector file writes what JSON has no type for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Enums as numbers, 64-bit numbers as numbers, bytes as `hex:…`.
    Numbers,
    /// The standard mapping: enums by name, 64-bit numbers as text, bytes as base64. Unknown enum values as numbers.
    Standard,
}

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    // The bytes are made by this workspace and a test compares them with the schema.
    DescriptorPool::decode(wa_proto::DESCRIPTORS).unwrap_or_default()
});

/// The descriptor of a message by area and name: `handshake.ClientPayload`.
pub fn descriptor(name: &str) -> Result<MessageDescriptor> {
    POOL.get_message_by_name(&format!("wa.{name}"))
        .with_context(|| format!("no message {name} in the schema"))
}

/// Decodes `bytes` as the message `name` (`handshake.ClientPayload`) and writes its present fields as JSON. Fields
/// that the schema does not know are an error: they would go unchecked.
pub fn decode(name: &str, bytes: &[u8], style: Style) -> Result<serde_json::Value> {
    let message = DynamicMessage::decode(descriptor(name)?, bytes).with_context(|| name.to_owned())?;
    message_json(&message, style)
}

/// The same for a message of `wa-proto`.
pub fn of<M: prost::Message>(name: &str, message: &M, style: Style) -> Result<serde_json::Value> {
    decode(name, &message.encode_to_vec(), style)
}

/// Encodes JSON in a style as the message `name`; a field that the schema does not know is an error.
pub fn encode(name: &str, value: &serde_json::Value, style: Style) -> Result<Vec<u8>> {
    use prost::Message as _;
    Ok(message_from(&descriptor(name)?, value, style)?.encode_to_vec())
}

fn message_json(message: &DynamicMessage, style: Style) -> Result<serde_json::Value> {
    let unknown: Vec<u32> = message.unknown_fields().map(prost_reflect::UnknownField::number).collect();
    ensure!(unknown.is_empty(), "{}: unknown fields {unknown:?}", message.descriptor().name());
    let mut fields = Map::new();
    for (field, value) in message.fields() {
        fields.insert(field.name().to_owned(), value_json(&field, value, style)?);
    }
    Ok(fields.into())
}

fn value_json(field: &FieldDescriptor, value: &Value, style: Style) -> Result<serde_json::Value> {
    let wide = |number: serde_json::Number| match style {
        Style::Numbers => serde_json::Value::Number(number),
        Style::Standard => number.to_string().into(),
    };
    Ok(match value {
        Value::Bool(value) => json!(value),
        Value::I32(value) => json!(value),
        Value::U32(value) => json!(value),
        Value::I64(value) => wide((*value).into()),
        Value::U64(value) => wide((*value).into()),
        Value::F32(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::String(value) => json!(value),
        Value::Bytes(bytes) => match style {
            Style::Numbers => json!(format!("hex:{}", hex::encode(bytes))),
            Style::Standard => json!(base64::engine::general_purpose::STANDARD.encode(bytes)),
        },
        Value::EnumNumber(number) => {
            let name = match field.kind() {
                Kind::Enum(kind) if style == Style::Standard => kind.get_value(*number),
                _ => None,
            };
            name.map_or_else(|| json!(number), |name| json!(name.name()))
        }
        Value::Message(message) => message_json(message, style)?,
        Value::List(items) => {
            items.iter().map(|item| value_json(field, item, style)).collect::<Result<Vec<_>>>()?.into()
        }
        Value::Map(entries) => {
            let kind = field.kind();
            let entry = kind.as_message().context("a map without an entry type")?.map_entry_value_field();
            let mut object = Map::new();
            for (key, value) in entries {
                object.insert(key_text(key), value_json(&entry, value, style)?);
            }
            object.into()
        }
    })
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

fn message_from(
    descriptor: &MessageDescriptor,
    value: &serde_json::Value,
    style: Style,
) -> Result<DynamicMessage> {
    let fields = value.as_object().with_context(|| format!("{}: not an object", descriptor.name()))?;
    let mut message = DynamicMessage::new(descriptor.clone());
    for (name, value) in fields {
        let field = descriptor
            .get_field_by_name(name)
            .with_context(|| format!("{} has no field {name}", descriptor.name()))?;
        let value = if field.is_list() {
            let items = value.as_array().with_context(|| format!("{name}: not a list"))?;
            Value::List(items.iter().map(|item| value_from(&field, item, style)).collect::<Result<_>>()?)
        } else if field.is_map() {
            bail!("{name}: maps are not written in vector files");
        } else {
            value_from(&field, value, style)?
        };
        message.set_field(&field, value);
    }
    Ok(message)
}

fn value_from(field: &FieldDescriptor, value: &serde_json::Value, style: Style) -> Result<Value> {
    let wrong = || format!("{}: {value} does not fit {:?}", field.full_name(), field.kind());
    let signed = || value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let unsigned = || value.as_u64().or_else(|| value.as_str()?.parse().ok());
    Ok(match field.kind() {
        Kind::Double => Value::F64(value.as_f64().with_context(wrong)?),
        #[allow(clippy::cast_possible_truncation)] // JSON has no narrower number
        Kind::Float => Value::F32(value.as_f64().with_context(wrong)? as f32),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            Value::I32(signed().and_then(|it| it.try_into().ok()).with_context(wrong)?)
        }
        Kind::Uint32 | Kind::Fixed32 => {
            Value::U32(unsigned().and_then(|it| it.try_into().ok()).with_context(wrong)?)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(signed().with_context(wrong)?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(unsigned().with_context(wrong)?),
        Kind::Bool => Value::Bool(value.as_bool().with_context(wrong)?),
        Kind::String => Value::String(value.as_str().with_context(wrong)?.to_owned()),
        Kind::Bytes => {
            let text = value.as_str().with_context(wrong)?;
            let bytes = match style {
                Style::Numbers => hex::decode(text.strip_prefix("hex:").with_context(wrong)?)?,
                Style::Standard => base64::engine::general_purpose::STANDARD.decode(text)?,
            };
            Value::Bytes(bytes.into())
        }
        Kind::Enum(kind) => Value::EnumNumber(match value.as_str() {
            Some(name) => kind.get_value_by_name(name).with_context(wrong)?.number(),
            None => signed().and_then(|it| it.try_into().ok()).with_context(wrong)?,
        }),
        Kind::Message(descriptor) => Value::Message(message_from(&descriptor, value, style)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_come_back_as_the_same_bytes() {
        // muteAction { muted: true, muteEndTimestamp: -1 } with a timestamp.
        let value =
            json!({"timestamp": "1760000000000", "muteAction": {"muted": true, "muteEndTimestamp": "-1"}});
        let bytes = encode("sync_action.SyncActionValue", &value, Style::Standard).unwrap();
        assert_eq!(decode("sync_action.SyncActionValue", &bytes, Style::Standard).unwrap(), value);
        let numbers = decode("sync_action.SyncActionValue", &bytes, Style::Numbers).unwrap();
        assert_eq!(numbers["timestamp"], json!(1_760_000_000_000_u64));
        assert_eq!(encode("sync_action.SyncActionValue", &numbers, Style::Numbers).unwrap(), bytes);
    }

    #[test]
    fn unknown_fields_and_values_are_not_passed_over() {
        assert!(decode("cert.CertChain", &[0x78, 1], Style::Numbers).is_err());
        assert!(encode("cert.CertChain", &json!({"leef": {}}), Style::Numbers).is_err());
        let unknown = decode("adv.ADVSignedDeviceIdentityHMAC", &[0x18, 77], Style::Standard).unwrap();
        assert_eq!(unknown, json!({"accountType": 77}));
    }
}
