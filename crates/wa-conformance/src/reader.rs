//! Reads the fields of a case and remembers which were read, however deeply nested, so that the framework can refuse
//! a case with a field that no check has looked at.

use std::{cell::RefCell, collections::HashSet, fmt::Debug};

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine as _;
use serde_json::{Map, Value};

/// Paths that were read; a path ending in `*` stands for all below it.
#[derive(Default)]
pub(crate) struct Tracker(RefCell<HashSet<String>>);

impl Tracker {
    fn mark(&self, path: String) {
        self.0.borrow_mut().insert(path);
    }

    /// Leaves (scalars and empty containers) of `value` that nobody has read.
    pub(crate) fn unread(&self, value: &Value) -> Vec<String> {
        let mut unread = Vec::new();
        self.walk(value, String::new(), &mut unread);
        unread
    }

    fn walk(&self, value: &Value, path: String, unread: &mut Vec<String>) {
        if self.0.borrow().contains(&format!("{path}/*")) {
            return;
        }
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    self.walk(field, format!("{path}/{name}"), unread);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, format!("{path}/{index}"), unread);
                }
            }
            _ if self.0.borrow().contains(&path) => {}
            _ => unread.push(path),
        }
    }
}

/// A value of a case: the case itself, or something inside it. Reading marks what was read.
#[derive(Clone)]
pub struct Reader<'a> {
    value: &'a Value,
    path: String,
    tracker: &'a Tracker,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(value: &'a Value, tracker: &'a Tracker) -> Self {
        Self { value, path: String::new(), tracker }
    }

    /// A field that must be there; `null` counts as there.
    pub fn field(&self, name: &str) -> Result<Self> {
        let value = self.fields()?.get(name).with_context(|| format!("no field {}/{name}", self.path))?;
        Ok(self.below(name, value))
    }

    /// A field, or `None` when it is absent or `null`.
    pub fn opt(&self, name: &str) -> Result<Option<Self>> {
        let Some(value) = self.fields()?.get(name) else { return Ok(None) };
        let reader = self.below(name, value);
        if value.is_null() {
            reader.mark();
            return Ok(None);
        }
        Ok(Some(reader))
    }

    /// Whether a field is there. Does not count as reading it.
    pub fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some()
    }

    /// The text of a field.
    pub fn str(&self, name: &str) -> Result<&'a str> {
        self.field(name)?.as_str()
    }

    /// The bytes of a field in hexadecimal.
    pub fn hex(&self, name: &str) -> Result<Vec<u8>> {
        self.field(name)?.as_hex()
    }

    /// Exactly `N` bytes of a field in hexadecimal.
    pub fn hex_array<const N: usize>(&self, name: &str) -> Result<[u8; N]> {
        self.field(name)?.as_hex_array()
    }

    /// The bytes of a field in standard base64 with padding.
    pub fn base64(&self, name: &str) -> Result<Vec<u8>> {
        self.field(name)?.as_base64()
    }

    /// A field that is an unsigned number.
    pub fn u64(&self, name: &str) -> Result<u64> {
        self.field(name)?.as_u64()
    }

    /// A field that is an unsigned number of at most 32 bits.
    pub fn u32(&self, name: &str) -> Result<u32> {
        let number = self.u64(name)?;
        u32::try_from(number).with_context(|| format!("{}/{name}: {number} is over 32 bits", self.path))
    }

    /// A field that is a number.
    pub fn i64(&self, name: &str) -> Result<i64> {
        self.field(name)?.as_i64()
    }

    /// A field that is true or false.
    pub fn bool(&self, name: &str) -> Result<bool> {
        self.field(name)?.as_bool()
    }

    /// The items of a field that is a list, possibly empty.
    pub fn list(&self, name: &str) -> Result<Vec<Self>> {
        self.field(name)?.items()
    }

    /// The items of a field that is a list; an empty one would prove nothing and is an error.
    pub fn nonempty_list(&self, name: &str) -> Result<Vec<Self>> {
        let items = self.list(name)?;
        ensure!(!items.is_empty(), "empty list {}/{name}", self.path);
        Ok(items)
    }

    /// The text of a field that may be absent or `null`.
    pub fn opt_str(&self, name: &str) -> Result<Option<&'a str>> {
        self.opt(name)?.map(|it| it.as_str()).transpose()
    }

    /// The bytes of a field in hexadecimal that may be absent or `null`.
    pub fn opt_hex(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.opt(name)?.map(|it| it.as_hex()).transpose()
    }

    /// A number that may be absent or `null`.
    pub fn opt_u64(&self, name: &str) -> Result<Option<u64>> {
        self.opt(name)?.map(|it| it.as_u64()).transpose()
    }

    /// A truth value that may be absent or `null`.
    pub fn opt_bool(&self, name: &str) -> Result<Option<bool>> {
        self.opt(name)?.map(|it| it.as_bool()).transpose()
    }

    /// This value as text.
    pub fn as_str(&self) -> Result<&'a str> {
        self.mark();
        self.value.as_str().ok_or_else(|| self.not("text"))
    }

    /// This value as bytes in hexadecimal.
    pub fn as_hex(&self) -> Result<Vec<u8>> {
        hex::decode(self.as_str()?).with_context(|| format!("{}: not hexadecimal", self.path))
    }

    /// This value as exactly `N` bytes in hexadecimal.
    pub fn as_hex_array<const N: usize>(&self) -> Result<[u8; N]> {
        let bytes = self.as_hex()?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| anyhow!("{}: {length} bytes, not {N}", self.path))
    }

    /// This value as bytes in standard base64 with padding.
    pub fn as_base64(&self) -> Result<Vec<u8>> {
        let text = self.as_str()?;
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .with_context(|| format!("{}: not base64", self.path))
    }

    /// This value as an unsigned number.
    pub fn as_u64(&self) -> Result<u64> {
        self.mark();
        self.value.as_u64().ok_or_else(|| self.not("an unsigned number"))
    }

    /// This value as a number.
    pub fn as_i64(&self) -> Result<i64> {
        self.mark();
        self.value.as_i64().ok_or_else(|| self.not("a whole number"))
    }

    /// This value as true or false.
    pub fn as_bool(&self) -> Result<bool> {
        self.mark();
        self.value.as_bool().ok_or_else(|| self.not("true or false"))
    }

    /// The items of this list.
    pub fn items(&self) -> Result<Vec<Self>> {
        self.mark();
        let Value::Array(items) = self.value else { bail!(self.not("a list")) };
        Ok(items.iter().enumerate().map(|(index, item)| self.below(&index.to_string(), item)).collect())
    }

    /// The fields of this object in alphabetical order, for objects whose field names are data.
    pub fn entries(&self) -> Result<Vec<(&'a str, Self)>> {
        self.mark();
        Ok(self.fields()?.iter().map(|(name, value)| (name.as_str(), self.below(name, value))).collect())
    }

    /// The value itself; everything below it counts as read. For what is compared as a whole, or is prose.
    pub fn raw(&self) -> &'a Value {
        self.mark();
        self.tracker.mark(format!("{}/*", self.path));
        self.value
    }

    /// The value without marking it as read: to tell notations apart.
    pub fn peek(&self) -> &'a Value {
        self.value
    }

    /// Reads a field that explains and proves nothing (a note, who checked it), if there is one.
    pub fn prose(&self, name: &str) -> Result<()> {
        if let Some(field) = self.opt(name)? {
            ensure!(is_prose(field.raw()), "{}/{name}: not prose", self.path);
        }
        Ok(())
    }

    fn fields(&self) -> Result<&'a Map<String, Value>> {
        if self.value.as_object().is_some_and(Map::is_empty) {
            self.mark();
        }
        self.value.as_object().ok_or_else(|| self.not("an object"))
    }

    fn below(&self, name: &str, value: &'a Value) -> Self {
        Self { value, path: format!("{}/{name}", self.path), tracker: self.tracker }
    }

    fn mark(&self) {
        self.tracker.mark(self.path.clone());
    }

    fn not(&self, what: &str) -> anyhow::Error {
        anyhow!("{}: not {what}: {}", self.path, shortened(&self.value.to_string()))
    }
}

/// Text, or a list or object of nothing but text.
pub(crate) fn is_prose(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(is_prose),
        Value::Object(fields) => !fields.is_empty() && fields.values().all(is_prose),
        _ => false,
    }
}

/// Fails with both values when they differ.
#[allow(clippy::needless_pass_by_value, reason = "callers compare what they have just made")]
pub fn same<T: PartialEq + Debug>(what: &str, actual: T, expected: T) -> Result<()> {
    if actual != expected {
        bail!(
            "{what}: got {}, expected {}",
            shortened(&format!("{actual:?}")),
            shortened(&format!("{expected:?}"))
        );
    }
    Ok(())
}

/// Fails with both values in hexadecimal when they differ.
pub fn same_bytes(what: &str, actual: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) -> Result<()> {
    let (actual, expected) = (actual.as_ref(), expected.as_ref());
    if actual != expected {
        let at = actual.iter().zip(expected).take_while(|(a, b)| a == b).count();
        bail!(
            "{what}: got {} bytes {}, expected {} bytes {}, equal up to byte {at}",
            actual.len(),
            shortened(&hex::encode(actual)),
            expected.len(),
            shortened(&hex::encode(expected)),
        );
    }
    Ok(())
}

/// At most 400 characters.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 400;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unread_after(value: &Value, read: impl Fn(&Reader<'_>) -> Result<()>) -> Vec<String> {
        let tracker = Tracker::default();
        read(&Reader::new(value, &tracker)).unwrap();
        tracker.unread(value)
    }

    #[test]
    fn a_nested_field_that_nobody_read_is_found() {
        let value = json!({"a": 1, "b": {"c": [{"d": "x", "e": null}]}, "f": [], "g": {}});
        assert_eq!(unread_after(&value, |_| Ok(())), ["/a", "/b/c/0/d", "/b/c/0/e", "/f", "/g"]);
        let rest = unread_after(&value, |it| {
            it.u64("a")?;
            for item in it.field("b")?.list("c")? {
                item.str("d")?;
            }
            it.list("f")?;
            Ok(())
        });
        assert_eq!(rest, ["/b/c/0/e", "/g"]);
    }

    #[test]
    fn entering_an_object_reads_none_of_its_fields() {
        let value = json!({"a": {"b": 1}});
        assert_eq!(unread_after(&value, |it| it.field("a").map(drop)), ["/a/b"]);
        assert_eq!(unread_after(&value, |it| it.field("a")?.entries().map(drop)), ["/a/b"]);
        assert_eq!(unread_after(&value, |it| it.field("a").map(|a| drop(a.raw().clone()))), [""; 0]);
    }

    #[test]
    fn null_is_read_by_opt_and_presence_alone_reads_nothing() {
        let value = json!({"a": null, "b": 1});
        let rest = unread_after(&value, |it| {
            assert!(it.opt("a")?.is_none() && it.has("b") && it.opt("c")?.is_none());
            Ok(())
        });
        assert_eq!(rest, ["/b"]);
    }

    #[test]
    fn a_number_is_not_prose() {
        let value = json!({"note": "why", "other": 3});
        unread_after(&value, |it| it.prose("note"));
        let tracker = Tracker::default();
        assert!(Reader::new(&value, &tracker).prose("other").is_err());
    }
}
