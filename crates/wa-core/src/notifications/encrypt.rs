//! Keys (chapter 09d §7): pre-keys run low, the server asks for a comparison, somebody's identity has changed.

use wa_binary::{FieldError, Jid, NodeRef};

use crate::fields::{has, jid};

/// What an `encrypt` notification tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptNotification {
    /// Upload pre-keys, whatever the number, once at a time.
    LowPreKeys {
        /// How many the server still has.
        left: u64,
    },
    /// Compare the digest of the uploaded bundle.
    CompareDigest,
    /// Somebody has a new phone or was registered anew: their device list is void, and where an identity was stored
    /// so are it and its session.
    IdentityChanged {
        /// Whose.
        user: Jid,
        /// Their LID, when the stanza names it.
        lid: Option<Jid>,
    },
}

impl EncryptNotification {
    /// Reads a notification. None for the identity of a companion, which says nothing of the account, and for what
    /// is not known.
    ///
    /// # Errors
    /// A count that cannot be read, an identity of nobody.
    pub fn parse(node: NodeRef<'_>) -> Result<Option<Self>, FieldError> {
        if let Some(count) = node.optional_child("count") {
            return Ok(Some(Self::LowPreKeys { left: count.required("value").u64()? }));
        }
        if has(node, "digest") {
            return Ok(Some(Self::CompareDigest));
        }
        if !has(node, "identity") {
            return Ok(None);
        }
        let user = node.required("from").jid()?;
        let is_account = user.device() == 0 && !user.is_service();
        let changed = Self::IdentityChanged { user, lid: jid(node, "lid").filter(Jid::is_lid) };
        Ok(Some(changed).filter(|_| is_account))
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn a_companions_identity_says_nothing() {
        let parse = |from: &str| {
            let node = Node::new("notification").attr("from", from).child(Node::new("identity"));
            EncryptNotification::parse(node.view())
        };
        assert_eq!(parse("15550100001:3@s.whatsapp.net"), Ok(None));
        assert!(parse("15550100001@s.whatsapp.net").unwrap().is_some());
        let count = Node::new("notification").child(Node::new("count").attr("value", "-1"));
        assert!(EncryptNotification::parse(count.view()).is_err());
    }
}
