//! What the Signal families share: key pairs and expected failures of their JSON, and a generator that deals out
//! prepared key material.

use std::{collections::VecDeque, convert::Infallible};

use anyhow::{Result, ensure};
use wa_crypto::{
    curve::{KeyPair, PrivateKey},
    rand_core::{TryCryptoRng, TryRng},
};
use wa_signal::SignalError;

use crate::{Reader, same_bytes};

/// A key pair out of two fields; the public half (33 bytes) must follow from the private one.
pub(super) fn key_pair(case: &Reader<'_>, private: &str, public: &str) -> Result<KeyPair> {
    let pair = KeyPair::from(PrivateKey::from_bytes(case.hex_array(private)?));
    if let Some(bytes) = case.opt_hex(public)? {
        same_bytes(public, pair.public().serialized(), bytes)?;
    }
    Ok(pair)
}

/// Whether a step succeeds: without `ok` it does, unless it names errors.
pub(super) fn succeeds(step: &Reader<'_>) -> Result<bool> {
    Ok(step.opt_bool("ok")?.unwrap_or(!step.has("error")))
}

/// A step that must fail has failed: the class must be one of those it lists.
pub(super) fn check_failure(step: &Reader<'_>, error: &SignalError) -> Result<()> {
    ensure!(!succeeds(step)?, "must succeed, but: {error}");
    step.opt_hex("plaintext")?;
    let Some(listed) = step.opt("error")? else { return Ok(()) };
    let classes = match listed.peek().as_str() {
        Some(_) => vec![listed.as_str()?],
        None => listed.items()?.iter().map(Reader::as_str).collect::<Result<_>>()?,
    };
    let class = error.class().as_str();
    ensure!(classes.contains(&class), "failed as {class} ({error}), expected one of {classes:?}");
    Ok(())
}

/// A step that has succeeded was meant to, with this plaintext.
pub(super) fn check_success(step: &Reader<'_>, plaintext: &[u8]) -> Result<()> {
    ensure!(succeeds(step)?, "was accepted, must fail");
    same_bytes("plaintext", plaintext, step.hex("plaintext")?)
}

/// Deals out exactly the bytes it was given. Drawing more gives zeros and is reported by [`Self::finish`].
#[derive(Default)]
pub(super) struct Prepared {
    bytes: VecDeque<u8>,
    overdrawn: bool,
}

impl Prepared {
    /// Prepares the private key of the field `name`, if there is one.
    pub(super) fn add(&mut self, step: &Reader<'_>, name: &str) -> Result<()> {
        if let Some(field) = step.opt(name)? {
            self.bytes.extend(field.as_hex_array::<32>()?);
        }
        Ok(())
    }

    /// Everything must have been drawn, and nothing more.
    pub(super) fn finish(self) -> Result<()> {
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
