//! A contact changed (chapter 09a §13).

use wa_binary::{FieldError, Jid, NodeRef};

use super::ContactHash;
use crate::fields::{jid, text};
use crate::queries::Mapping;

/// What a `contacts` notification tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactsChange {
    /// What others see of somebody has changed: forget picture, about text and presence.
    Updated(Jid),
    /// Somebody has another phone number. Sessions do not move with it.
    NumberChanged {
        /// The number before.
        old: Jid,
        /// The number now.
        new: Jid,
        /// Addresses that belong together, when the stanza holds both LIDs.
        mappings: Vec<Mapping>,
    },
    /// All contacts that changed after a time are to be fetched.
    SyncRequested {
        /// Seconds.
        after: u64,
    },
}

impl ContactsChange {
    /// Reads a notification; `contacts` are those that a hash may stand for. None for what needs no more than its
    /// acknowledgement.
    ///
    /// # Errors
    /// For a change of number without both numbers, and a request without a time.
    pub fn parse<'c>(
        node: NodeRef<'_>,
        contacts: impl IntoIterator<Item = &'c Jid>,
    ) -> Result<Option<Self>, FieldError> {
        let Some(child) = node.first_child() else { return Ok(None) };
        Ok(match child.tag() {
            "update" => {
                let hashed = || text(child, "hash").and_then(|hash| ContactHash::parse(&hash));
                let whose = jid(child, "jid").or_else(|| hashed()?.resolve(contacts).cloned());
                whose.map(Self::Updated)
            }
            "modify" => {
                let (old, new) = (child.required("old").jid()?, child.required("new").jid()?);
                let lids = jid(child, "old_lid").zip(jid(child, "new_lid"));
                let mappings = lids.map(|(old_lid, new_lid)| {
                    [Mapping::of(&old_lid, &old), Mapping::of(&new_lid, &new)].into_iter().flatten().collect()
                });
                Some(Self::NumberChanged { mappings: mappings.unwrap_or_default(), old, new })
            }
            "sync" => Some(Self::SyncRequested { after: child.required("after").u64()? }),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn a_change_of_number_needs_both_and_roster_hints_need_nothing() {
        let parse = |child: Node| {
            let node = Node::new("notification").child(child);
            ContactsChange::parse(node.view(), [])
        };
        let modify = Node::new("modify").attr("old", "15550100001@s.whatsapp.net");
        assert!(parse(modify.clone()).is_err());
        let changed = parse(modify.attr("new", "15550100002@s.whatsapp.net")).unwrap().unwrap();
        assert!(matches!(changed, ContactsChange::NumberChanged { mappings, .. } if mappings.is_empty()));
        for hint in ["add", "remove"] {
            assert_eq!(parse(Node::new(hint)), Ok(None));
        }
        assert_eq!(parse(Node::new("update").attr("hash", "AAAA")), Ok(None));
    }
}
