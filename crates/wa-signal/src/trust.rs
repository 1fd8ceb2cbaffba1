//! Identity trust: on first use, changes accepted by default (chapter 04 §7).

use crate::{IdentityKey, SignalError};

/// What to do about a changed identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrustPolicy {
    /// Accept and report, as WhatsApp's clients do.
    #[default]
    AcceptChanges,
    /// Refuse until the application has confirmed the new identity by storing it.
    Strict,
}

/// How an identity compares with the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityChange {
    /// None was stored: save silently.
    First,
    /// The stored one.
    Same,
    /// Another one: save it after the message has authenticated, and report the change.
    Changed,
}

impl TrustPolicy {
    /// Compares the identity of a bundle or pre-key message with the stored one, before anything else is done.
    ///
    /// # Errors
    /// [`SignalError::UntrustedIdentity`] for a change under [`TrustPolicy::Strict`].
    pub fn check(
        self,
        stored: Option<&IdentityKey>,
        seen: &IdentityKey,
    ) -> Result<IdentityChange, SignalError> {
        match (stored, self) {
            (None, _) => Ok(IdentityChange::First),
            (Some(stored), _) if stored == seen => Ok(IdentityChange::Same),
            (Some(_), Self::AcceptChanges) => Ok(IdentityChange::Changed),
            (Some(_), Self::Strict) => Err(SignalError::UntrustedIdentity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wa_crypto::curve::PublicKey;

    #[test]
    fn a_changed_identity_is_accepted_by_default_and_refused_when_strict() {
        let [a, b] = [1, 2].map(|byte| IdentityKey::from(PublicKey::from_bytes([byte; 32])));
        for policy in [TrustPolicy::AcceptChanges, TrustPolicy::Strict] {
            assert_eq!(policy.check(None, &a), Ok(IdentityChange::First));
            assert_eq!(policy.check(Some(&a), &a), Ok(IdentityChange::Same));
        }
        assert_eq!(TrustPolicy::default().check(Some(&a), &b), Ok(IdentityChange::Changed));
        assert_eq!(TrustPolicy::Strict.check(Some(&a), &b), Err(SignalError::UntrustedIdentity));
    }
}
