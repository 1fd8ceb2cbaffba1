//! Privacy settings and the block list (chapter 09a §9, §11).

use std::collections::BTreeMap;

use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

use super::{Mapping, QueryError, reply};
use crate::fields::{jid, number, text};

/// A category's value and the stamp of its deny list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacySetting {
    /// What the category is set to, as the server writes it.
    pub value: CompactString,
    /// Stamp of the deny list behind `contact_blacklist`.
    pub dhash: Option<CompactString>,
}

/// Privacy settings by category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivacySettings {
    /// What is known; categories that this library has never heard of too.
    pub known: BTreeMap<CompactString, PrivacySetting>,
    /// Categories that the server could not read.
    pub unknown: Vec<CompactString>,
}

impl PrivacySettings {
    /// Reads the answer to a query or to a change.
    ///
    /// # Errors
    /// When the server refused.
    pub fn parse(iq: NodeRef<'_>) -> Result<Self, QueryError> {
        Ok(reply(iq)?.optional_child("privacy").map(Self::of).unwrap_or_default())
    }

    /// Reads the categories below `<privacy>`.
    pub(crate) fn of(privacy: NodeRef<'_>) -> Self {
        let mut settings = Self::default();
        for category in privacy.each("category") {
            let (Some(name), Some(value)) = (text(category, "name"), text(category, "value")) else {
                continue;
            };
            if value == "error" {
                settings.unknown.push(name);
            } else {
                settings.known.insert(name, PrivacySetting { value, dhash: text(category, "dhash") });
            }
        }
        settings
    }
}

/// Somebody on the block list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The address that blocks them.
    pub jid: Jid,
    /// Both addresses, when the list holds both.
    pub mapping: Option<Mapping>,
    /// Since when, seconds.
    pub since: Option<u64>,
    /// User name, without `@`.
    pub username: Option<CompactString>,
    /// How they are shown when nothing else is known.
    pub display_name: Option<CompactString>,
}

/// The block list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocklist {
    /// Who is blocked.
    pub blocked: Vec<Blocked>,
    /// Stamp of the list.
    pub dhash: Option<CompactString>,
    /// Items that could not be read.
    pub skipped: usize,
}

impl Blocklist {
    /// Reads an answer. None when it holds no list: the known one stays.
    ///
    /// # Errors
    /// When the server refused.
    pub fn parse(iq: NodeRef<'_>) -> Result<Option<Self>, QueryError> {
        let answer = reply(iq)?;
        let list = match answer.optional_child("list") {
            Some(list) => list,
            // Items may stand without a list around them.
            None if answer.optional_child("item").is_some() => answer,
            None => return Ok(None),
        };
        let mut read = Self { dhash: text(list, "dhash"), ..Self::default() };
        for item in list.each("item") {
            let Some(jid) = jid(item, "jid") else {
                read.skipped += 1;
                continue;
            };
            let other = self::jid(item, "pn_jid");
            read.blocked.push(Blocked {
                mapping: other.and_then(|other| Mapping::of(&jid, &other)),
                jid,
                since: number(item, "t"),
                username: text(item, "username").map(|name| name.strip_prefix('@').unwrap_or(&name).into()),
                display_name: text(item, "display_name"),
            });
        }
        Ok(Some(read))
    }

    /// Whether somebody is on it; both their addresses should be asked for.
    pub fn blocks(&self, who: &Jid) -> bool {
        let is_other = |mapping: &Mapping| mapping.pn.same_user(who) || mapping.lid.same_user(who);
        self.blocked
            .iter()
            .any(|blocked| blocked.jid.same_user(who) || blocked.mapping.as_ref().is_some_and(is_other))
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn an_answer_without_a_list_says_nothing_and_items_may_stand_alone() {
        let iq = Node::new("iq").attr("type", "result");
        assert_eq!(Blocklist::parse(iq.view()), Ok(None));
        let item =
            Node::new("item").attr("jid", "200000000000002@lid").attr("pn_jid", "15550100002@s.whatsapp.net");
        let list = Blocklist::parse(iq.child(item).view()).unwrap().unwrap();
        for (who, blocked) in [
            ("200000000000002:4@lid", true),
            ("15550100002@s.whatsapp.net", true),
            ("15550100003@s.whatsapp.net", false),
        ] {
            assert_eq!(list.blocks(&who.parse().unwrap()), blocked, "{who}");
        }
    }
}
