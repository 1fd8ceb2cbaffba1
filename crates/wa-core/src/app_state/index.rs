//! The index of a record: a JSON array of strings, kept as the bytes that the MAC covers (chapter 07 §4).

use serde_json::Value;

/// Reads an index: strings as they are, numbers and booleans as their text. `None` for any other shape, an empty array
/// included: such a record is kept and shown raw.
pub fn parse(index: &[u8]) -> Option<Vec<String>> {
    let Ok(Value::Array(items)) = serde_json::from_slice(index) else { return None };
    if items.is_empty() {
        return None;
    }
    items
        .into_iter()
        .map(|item| match item {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}

/// Writes an index without spaces, non-ASCII text as it is.
pub fn write<S: AsRef<str>>(parts: &[S]) -> Vec<u8> {
    Value::Array(parts.iter().map(|part| part.as_ref().into()).collect()).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_an_array_of_scalars() {
        assert_eq!(parse(br#"["mute", "1@s.whatsapp.net"]"#).unwrap(), ["mute", "1@s.whatsapp.net"]);
        assert_eq!(parse(br#"["a",1,true]"#).unwrap(), ["a", "1", "true"]);
        for wrong in [&b""[..], b"[]", b"{}", b"[null]", b"[[]]", b"\"a\"", b"[\"a\"", b"\xFF"] {
            assert_eq!(parse(wrong), None);
        }
        assert_eq!(write(&["a\"\\", "é"]), "[\"a\\\"\\\\\",\"é\"]".as_bytes());
    }
}
