//! Switches of this crate's own tests that break one safety rule each, so that a test can prove that it would see the rule
//! broken. Outside of tests every switch is the constant `false`.

/// A rule that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The HMAC of a link's container is checked.
    LinkHmac,
    /// The account signature is checked.
    AccountSignature,
    /// The device signature is checked.
    DeviceSignature,
    /// `pair-device-sign` carries what was issued.
    IssuedContent,
    /// The signature of a key-index list is checked.
    ListSignature,
    /// The identities in a pairing-code bundle are those of the exchange.
    BundleIdentities,
    /// A revealed nonce fits its commitment.
    Commitment,
    /// The MAC of a record's value is checked.
    ValueMac,
    /// The MAC of a record's index is checked.
    IndexMac,
    /// The MAC of a patch is checked.
    PatchMac,
    /// The MAC of a snapshot is checked.
    SnapshotMac,
}

#[cfg(test)]
thread_local! {
    static BROKEN: core::cell::Cell<Option<Rule>> = const { core::cell::Cell::new(None) };
}

/// Runs `body` with `rule` broken, on this thread only.
#[cfg(test)]
pub(crate) fn broken<T>(rule: Rule, body: impl FnOnce() -> T) -> T {
    let before = BROKEN.replace(Some(rule));
    let result = body();
    BROKEN.set(before);
    result
}

#[cfg(test)]
pub(crate) fn on(rule: Rule) -> bool {
    BROKEN.get() == Some(rule)
}

#[cfg(not(test))]
pub(crate) const fn on(_: Rule) -> bool {
    false
}
