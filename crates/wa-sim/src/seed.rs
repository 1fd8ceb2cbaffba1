//! The seed file: accounts and groups that are there from the start (chapter 10 §7).
//!
//! ```toml
//! [[account]]
//! name = "Ada"            # a client that registers with this push name becomes her companion
//! number = 15550100       # chosen from the seed when absent
//! about = "At work"
//! switches = { restricted = true }
//!
//! [[group]]
//! subject = "Reading circle"
//! creator = "Ada"
//! members = ["Bea"]
//! auto_join = true        # every account made later becomes a member
//!
//! [[message]]             # in this order; part of the history of whoever links later
//! from = "Bea"
//! chat = "Ada"            # or the subject of a group
//! text = "See you there"
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wa_binary::Family;

use crate::world::{AccountId, NewAccount, Standing, Switches, Username, World};

/// What a seed file says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedFile {
    /// Accounts.
    #[serde(default, rename = "account")]
    pub accounts: Vec<SeedAccount>,
    /// Groups.
    #[serde(default, rename = "group")]
    pub groups: Vec<SeedGroup>,
    /// Messages, in their order.
    #[serde(default, rename = "message")]
    pub messages: Vec<SeedMessage>,
}

/// A text that a phone of the seed file has written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedMessage {
    /// Who wrote it: push name or number.
    pub from: String,
    /// To whom: push name, number, or the subject of a group.
    pub chat: String,
    /// What it says.
    pub text: String,
}

/// An account of a seed file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedAccount {
    /// Push name; also the name that clients register with to become companions.
    pub name: String,
    /// Phone number.
    pub number: Option<u64>,
    /// LID.
    pub lid: Option<u64>,
    /// About text.
    pub about: String,
    /// Name under which others find the account without its number.
    pub username: Option<String>,
    /// Four digits that a stranger must give with the username.
    pub username_key: Option<String>,
    /// Switches on top of those that the name asks for.
    pub switches: Option<Switches>,
    /// What the service refuses.
    pub standing: Option<Standing>,
    /// Names of the accounts in the address book; everyone unless given.
    pub contacts: Option<Vec<String>>,
    /// e.g. `en_US`.
    pub locale: Option<String>,
}

/// A group of a seed file. Members are named by push name or number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedGroup {
    /// Subject.
    pub subject: String,
    /// Who made it.
    pub creator: String,
    /// The others.
    pub members: Vec<String>,
    /// Of them, those who may change it.
    pub admins: Vec<String>,
    /// Every account made later becomes a member.
    pub auto_join: bool,
    /// Only admins send.
    pub announcement: bool,
    /// Members are named by number instead of LID.
    pub pn: bool,
}

impl SeedFile {
    /// Reads TOML.
    ///
    /// # Errors
    /// Where and what, for people.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

impl World {
    /// Makes what a seed file names; accounts that exist are left as they are. Gives what could not be made.
    pub fn plant(&mut self, seed: &SeedFile) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names: BTreeMap<String, AccountId> = BTreeMap::new();
        for wanted in &seed.accounts {
            let known = self.by_key.get(&wanted.name).copied();
            let id = known.unwrap_or_else(|| self.plant_account(wanted));
            names.insert(wanted.name.clone(), id);
        }
        for wanted in &seed.accounts {
            let Some(contacts) = &wanted.contacts else { continue };
            let found = contacts.iter().filter_map(|name| self.named(&names, name)).collect();
            if let Some(id) = names.get(&wanted.name) {
                self.account_mut(*id).contacts = Some(found);
            }
        }
        for wanted in &seed.groups {
            let Some(creator) = self.named(&names, &wanted.creator) else {
                problems.push(format!("group {:?}: no account {:?}", wanted.subject, wanted.creator));
                continue;
            };
            let mut group = self.new_group(creator, &wanted.subject);
            group.auto_join = wanted.auto_join;
            group.announcement = wanted.announcement;
            if wanted.pn {
                group.addressing = Family::Pn;
            }
            for name in &wanted.members {
                match self.named(&names, name) {
                    Some(member) => {
                        let admin = wanted.admins.contains(name);
                        let role = if admin { crate::group::Role::Admin } else { crate::group::Role::Member };
                        group.members.entry(member).or_insert(role);
                    }
                    None => problems.push(format!("group {:?}: no account {name:?}", wanted.subject)),
                }
            }
            self.put_group(group);
        }
        for wanted in &seed.messages {
            if let Err(why) = self.plant_message(&names, wanted) {
                problems.push(format!("message {:?}: {why}", wanted.text));
            }
        }
        problems
    }

    fn plant_message(
        &mut self,
        names: &BTreeMap<String, AccountId>,
        wanted: &SeedMessage,
    ) -> Result<(), String> {
        let from = self.named(names, &wanted.from).ok_or_else(|| format!("no account {:?}", wanted.from))?;
        let group = self.groups().find(|group| group.subject.0 == wanted.chat).map(crate::group::Group::jid);
        let person =
            self.named(names, &wanted.chat).map(|id| self.account(id)).map(|it| it.jid(it.best_family()));
        let chat = person.or(group).ok_or_else(|| format!("no chat {:?}", wanted.chat))?;
        let text = crate::phone::Action::Text { chat, text: wanted.text.clone(), quote: None };
        self.act(self.now_ms, from, text).map(drop).map_err(|error| error.to_string())
    }

    fn named(&self, names: &BTreeMap<String, AccountId>, name: &str) -> Option<AccountId> {
        names
            .get(name)
            .or_else(|| self.by_key.get(name))
            .copied()
            .or_else(|| name.parse().ok().and_then(|number| self.find_pn(number)))
    }

    fn plant_account(&mut self, wanted: &SeedAccount) -> AccountId {
        let (asked, _) = Switches::from_push_name(&wanted.name);
        let new = NewAccount {
            key: Some(wanted.name.clone()),
            pn: wanted.number,
            lid: wanted.lid,
            switches: wanted.switches.clone().unwrap_or(asked),
            name: Switches::display_name(&wanted.name).to_owned(),
            locale: wanted.locale.clone(),
        };
        let id = self.add_account(new, &wanted.name);
        let now_s = self.now_s();
        let account = self.account_mut(id);
        if !wanted.about.is_empty() {
            account.about = (wanted.about.clone(), now_s);
        }
        account.username =
            wanted.username.clone().map(|name| Username { name, key: wanted.username_key.clone() });
        if let Some(standing) = &wanted.standing {
            account.standing = (standing.clone(), account.standing.1);
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SimConfig;

    #[test]
    fn a_seed_file_makes_accounts_and_groups() {
        let text = r#"
            [[account]]
            name = "Ada"
            number = 15550100
            about = "At work"
            [[account]]
            name = "Bea"
            [[group]]
            subject = "Reading circle"
            creator = "Ada"
            members = ["Bea"]
            auto_join = true
        "#;
        let seed = SeedFile::parse(text).expect("a seed file");
        let mut world =
            World::new(SimConfig { world: Some(seed), ..SimConfig::default() }, 1_800_000_000_000);
        let ada = world.find_pn(15_550_100).expect("Ada");
        assert_eq!(world.account(ada).about.0, "At work");
        assert_eq!(world.groups().next().map(|group| group.members.len()), Some(2));
        world.account_of_push_name(Some("Cleo"));
        assert_eq!(world.groups().next().map(|group| group.members.len()), Some(3));
    }

    #[test]
    fn what_a_seed_file_cannot_mean_is_said() {
        assert!(SeedFile::parse("[[acount]]\nname = \"Ada\"").is_err());
        let seed = "[[group]]\nsubject = \"x\"\ncreator = \"Nobody\"\n\
                    [[message]]\nfrom = \"Nobody\"\nchat = \"x\"\ntext = \"y\"";
        let seed = SeedFile::parse(seed).expect("a seed file");
        let mut world = World::new(SimConfig::default(), 0);
        assert_eq!(world.plant(&seed).len(), 2);
    }
}
