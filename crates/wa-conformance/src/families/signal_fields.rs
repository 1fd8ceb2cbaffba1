//! Fields of the Signal families' JSON, and a generator that deals out prepared key material.

use std::collections::VecDeque;
use std::convert::Infallible;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wa_crypto::rand_core::{TryCryptoRng, TryRng};
use wa_signal::SignalError;

/// A required text field.
pub fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str> {
    object[name].as_str().with_context(|| format!("field {name}"))
}

/// A required field of hex.
pub fn hex_field(object: &Value, name: &str) -> Result<Vec<u8>> {
    hex::decode(text(object, name)?).with_context(|| format!("field {name}"))
}

/// A required field of hex with a fixed length.
pub fn array<const N: usize>(object: &Value, name: &str) -> Result<[u8; N]> {
    let bytes = hex_field(object, name)?;
    let len = bytes.len();
    bytes.try_into().ok().with_context(|| format!("field {name}: {len} bytes instead of {N}"))
}

/// A required list.
pub fn list<'a>(object: &'a Value, name: &str) -> Result<&'a [Value]> {
    object[name].as_array().map(Vec::as_slice).with_context(|| format!("field {name}"))
}

/// A required number of 32 bits.
pub fn number(object: &Value, name: &str) -> Result<u32> {
    let value = object[name].as_u64().with_context(|| format!("field {name}"))?;
    u32::try_from(value).with_context(|| format!("field {name}"))
}

/// Whether the step wants success, and if not, that the error is one of those it lists.
pub fn expect_failure(step: &Value, error: &SignalError) -> Result<()> {
    ensure!(step["ok"] == false, "must succeed, but: {error}");
    let class = error.class().as_str();
    let listed = match &step["error"] {
        Value::String(one) => one == class,
        Value::Array(many) => many.iter().any(|one| one == class),
        _ => true,
    };
    ensure!(listed, "failed as {class} ({error}), expected {}", step["error"]);
    Ok(())
}

/// Deals out exactly the bytes it was given. Drawing more gives zeros and is reported by [`Self::finish`].
#[derive(Default)]
pub struct Prepared {
    bytes: VecDeque<u8>,
    overdrawn: bool,
}

impl Prepared {
    /// Prepares the bytes of the optional field `name`.
    pub fn add(&mut self, object: &Value, name: &str) -> Result<()> {
        if !object[name].is_null() {
            self.bytes.extend(array::<32>(object, name)?);
        }
        Ok(())
    }

    /// Everything must have been drawn, and nothing more.
    pub fn finish(self) -> Result<()> {
        ensure!(!self.overdrawn, "drew more randomness than the step prepares");
        ensure!(self.bytes.is_empty(), "left {} bytes of randomness undrawn", self.bytes.len());
        Ok(())
    }
}

impl TryRng for Prepared {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            *byte = self.bytes.pop_front().unwrap_or_else(|| {
                self.overdrawn = true;
                0
            });
        }
        Ok(())
    }
}

impl TryCryptoRng for Prepared {}
