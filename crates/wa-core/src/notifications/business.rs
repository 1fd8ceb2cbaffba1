//! A business changed something (chapter 09d §1.4).

use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

use super::ContactHash;
use crate::fields::{child_text, jid, text};
use crate::queries::VerifiedName;

/// What a `business` notification tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BusinessChange {
    /// No business any more.
    Removed(Jid),
    /// Another name.
    VerifiedName {
        /// Whose.
        jid: Jid,
        /// The name; none when it has to be fetched.
        name: Option<VerifiedName>,
    },
    /// Another profile: fetch it.
    Profile(Jid),
    /// Products by id.
    Products(Vec<CompactString>),
    /// Collections by id.
    Collections(Vec<CompactString>),
    /// What the business has subscribed to, by id with its state.
    Subscriptions(Vec<(CompactString, CompactString)>),
}

impl BusinessChange {
    /// Reads a notification; `contacts` are those that a hash may stand for. None for what is not known, and for a
    /// hash that stands for nobody.
    pub fn parse<'c>(node: NodeRef<'_>, contacts: impl IntoIterator<Item = &'c Jid>) -> Option<Self> {
        let from = || jid(node, "from").filter(|from| !from.is_service());
        let mut contacts = contacts.into_iter();
        let mut whose = |child: NodeRef<'_>| match text(child, "hash") {
            Some(hash) if !child.has_attr("jid") => {
                ContactHash::parse(&hash)?.resolve(contacts.by_ref()).cloned()
            }
            _ => jid(child, "jid").or_else(from),
        };
        if let Some(child) = node.optional_child("remove") {
            return whose(child).map(Self::Removed);
        }
        if let Some(child) = node.optional_child("verified_name") {
            let name = VerifiedName::parse(child).filter(|_| child.optional_bytes().is_some());
            return Some(Self::VerifiedName { jid: whose(child)?, name });
        }
        if let Some(child) = node.optional_child("profile") {
            return whose(child).map(Self::Profile);
        }
        if let Some(catalog) = node.optional_child("product_catalog") {
            let collections: Vec<_> = catalog.each("collection").filter_map(|it| text(it, "id")).collect();
            return Some(match collections.is_empty() {
                true => {
                    Self::Products(catalog.each("product").filter_map(|it| child_text(it, "id")).collect())
                }
                false => Self::Collections(collections),
            });
        }
        let list = node.optional_child("subscriptions")?;
        let one = |it| Some((text(it, "id")?, text(it, "status").unwrap_or_default()));
        Some(Self::Subscriptions(list.each("subscription").filter_map(one).collect()))
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn a_hash_that_stands_for_nobody_is_nothing() {
        let lid: Jid = "200000000000002@lid".parse().unwrap();
        let profile = Node::new("profile").attr("hash", ContactHash::of(&lid).as_str().to_owned());
        let node = Node::new("notification").attr("from", "s.whatsapp.net").child(profile);
        assert_eq!(BusinessChange::parse(node.view(), [&lid]), Some(BusinessChange::Profile(lid)));
        assert_eq!(BusinessChange::parse(node.view(), []), None);
    }

    #[test]
    fn a_name_without_a_certificate_has_to_be_fetched() {
        let name = Node::new("verified_name").attr("jid", "15550100001@s.whatsapp.net");
        let node = Node::new("notification").attr("from", "s.whatsapp.net").child(name);
        let jid = "15550100001@s.whatsapp.net".parse().unwrap();
        assert_eq!(
            BusinessChange::parse(node.view(), []),
            Some(BusinessChange::VerifiedName { jid, name: None })
        );
    }
}
