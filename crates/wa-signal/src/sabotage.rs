//! Test-only switches that break one safety rule each (feature `sabotage`), so that a test can prove that it would see
//! the rule broken. Without the feature every switch is the constant `false`.

/// A rule that can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Encrypting advances the chain: no key for two ciphertexts.
    AdvanceOnEncrypt,
    /// Decrypting uses the key up: no accepted duplicate.
    UseKeyOnce,
    /// Skipped keys, chains, archived sessions and states are bounded.
    Bounds,
    /// How far a message may be ahead is bounded.
    JumpLimit,
    /// The checksum of a stored record is checked.
    Checksum,
    /// The MAC of a message is checked.
    Mac,
    /// The signature of a sender-key message is checked.
    Signature,
    /// A failed decryption changes nothing.
    FailUntouched,
    /// A repeated distribution never rewinds a sender key.
    NeverRewind,
}

#[cfg(feature = "sabotage")]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Rule>> = const { std::cell::Cell::new(None) };
}

/// Runs `body` with `rule` broken, on this thread only.
#[cfg(feature = "sabotage")]
pub fn broken<T>(rule: Rule, body: impl FnOnce() -> T) -> T {
    struct Restore(Option<Rule>);
    impl Drop for Restore {
        fn drop(&mut self) {
            BROKEN.set(self.0);
        }
    }
    let _restore = Restore(BROKEN.replace(Some(rule)));
    body()
}

#[cfg(feature = "sabotage")]
pub(crate) fn on(rule: Rule) -> bool {
    BROKEN.get() == Some(rule)
}

#[cfg(not(feature = "sabotage"))]
pub(crate) const fn on(_: Rule) -> bool {
    false
}
