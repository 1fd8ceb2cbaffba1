//! One user of a directory answer (chapter 09a §1.2): what each protocol says of them.

use std::collections::BTreeMap;

use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

use super::{DeviceList, IqError, Mapping, VerifiedName};
use crate::fields::{child_text, content, flag, has, jid, number, text};

/// What the answer says of one user. A protocol that was refused stands in `errors` and spoils no other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsyncUser {
    /// The address; none when the user is not registered, or when the user name needs a key.
    pub jid: Option<Jid>,
    /// `pn_jid`: the phone number beside a LID.
    pub pn: Option<Jid>,
    /// The LID beside a phone number.
    pub lid: Option<Jid>,
    /// Whether they are registered, and what was asked.
    pub contact: Option<Contact>,
    /// Whether they are a business.
    pub business: bool,
    /// The business's name.
    pub verified_name: Option<VerifiedName>,
    /// The older about text.
    pub about: Option<About>,
    /// Id of the picture.
    pub picture_id: Option<CompactString>,
    /// Their default timer.
    pub disappearing: Option<DisappearingMode>,
    /// User name, without `@`.
    pub username: Option<CompactString>,
    /// The newer about line.
    pub text_status: Option<TextStatus>,
    /// Devices.
    pub devices: Option<DeviceList>,
    /// What their client can do.
    pub features: BTreeMap<CompactString, CompactString>,
    /// Profile of an AI bot.
    pub bot: Option<BotProfile>,
    /// Why a protocol has no answer for this user, by protocol.
    pub errors: BTreeMap<CompactString, IqError>,
}

/// The answer to "is this somebody?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// None when the server did not say: an error is not a no.
    pub registered: Option<bool>,
    /// What was asked, as the server echoes it, without the legacy server's name.
    pub query: Option<CompactString>,
    /// The user name that was asked for.
    pub username: Option<CompactString>,
}

/// An about text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Empty when it is hidden.
    pub text: CompactString,
    /// When it was set, seconds.
    pub set_at: Option<u64>,
    /// Whether their privacy settings hide it.
    pub hidden: bool,
}

/// A default timer for new chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisappearingMode {
    /// Seconds; 0 is off.
    pub duration: u64,
    /// When it was set, seconds.
    pub set_at: u64,
    /// Whether it is switched off altogether.
    pub disabled: bool,
}

/// The newer about line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextStatus {
    /// The text.
    pub text: Option<CompactString>,
    /// The emoji in front.
    pub emoji: Option<CompactString>,
    /// Seconds that it lasts.
    pub duration: Option<u64>,
    /// When it was set, seconds.
    pub set_at: Option<u64>,
}

/// What an AI bot says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotProfile {
    /// Which of the bot's persons.
    pub persona_id: Option<CompactString>,
    /// Name.
    pub name: CompactString,
    /// Attributes.
    pub attributes: CompactString,
    /// Description.
    pub description: CompactString,
    /// Category.
    pub category: CompactString,
    /// Whether it is the default bot.
    pub is_default: bool,
    /// Suggested questions: emoji and text.
    pub prompts: Vec<(CompactString, CompactString)>,
    /// Commands: name and description.
    pub commands: Vec<(CompactString, CompactString)>,
}

impl UsyncUser {
    /// Reads `<user>`. None when nobody is named and nothing was asked.
    pub(super) fn parse(node: NodeRef<'_>) -> Option<Self> {
        let mut user = Self { jid: jid(node, "jid"), pn: jid(node, "pn_jid"), ..Self::default() };
        if user.jid.is_none() && !has(node, "contact") {
            return None;
        }
        for protocol in node.each_child() {
            match IqError::inside(protocol) {
                Some(error) => {
                    if protocol.is("contact") {
                        user.contact = Some(contact(protocol, None));
                    }
                    user.errors.insert(protocol.tag().into(), error);
                }
                None => user.read(protocol),
            }
        }
        Some(user)
    }

    fn read(&mut self, protocol: NodeRef<'_>) {
        match protocol.tag() {
            "contact" => {
                let registered = match text(protocol, "type").as_deref() {
                    Some("in") => Some(true),
                    Some("out" | "invalid") => Some(false),
                    _ => None,
                };
                self.contact = Some(contact(protocol, registered));
            }
            "lid" => match jid(protocol, "val").filter(Jid::is_lid) {
                Some(lid) => self.lid = Some(lid),
                None => {
                    self.errors.insert("lid".into(), IqError::malformed());
                }
            },
            "business" => {
                self.business = true;
                self.pn = self.pn.take().or_else(|| jid(protocol, "pn_jid"));
                self.verified_name = protocol.optional_child("verified_name").and_then(VerifiedName::parse);
            }
            "status" => self.about = about(protocol),
            "picture" => self.picture_id = text(protocol, "id"),
            "disappearing_mode" => self.disappearing = DisappearingMode::parse(protocol),
            "username" => {
                self.username = content(protocol)
                    .map(|name| CompactString::from(name.strip_prefix('@').unwrap_or(&name)))
                    .filter(|name| !name.is_empty());
            }
            "text_status" => {
                self.text_status = Some(TextStatus {
                    text: text(protocol, "text"),
                    emoji: protocol.optional_child("emoji").and_then(|emoji| text(emoji, "content")),
                    duration: number(protocol, "ephemeral_duration_sec"),
                    set_at: number(protocol, "last_update_time"),
                });
            }
            "devices" => self.devices = DeviceList::parse(protocol),
            "feature" => {
                let features = protocol.each_child();
                self.features = features
                    .filter_map(|feature| Some((feature.tag().into(), text(feature, "value")?)))
                    .collect();
            }
            "bot" => self.bot = protocol.optional_child("profile").and_then(BotProfile::parse),
            _ => {}
        }
    }

    /// Whether they are registered; none when the server did not say. Who was asked for by LID is when the answer
    /// names them.
    pub fn registered(&self) -> Option<bool> {
        match &self.contact {
            Some(contact) => contact.registered,
            None => self.jid.as_ref().filter(|jid| jid.is_lid()).map(|_| true),
        }
    }

    /// The two addresses, when the answer holds both.
    pub fn mapping(&self) -> Option<Mapping> {
        let jid = self.jid.as_ref()?;
        let other = if jid.is_lid() { self.pn.as_ref() } else { self.lid.as_ref() };
        Mapping::of(jid, other?)
    }
}

fn contact(protocol: NodeRef<'_>, registered: Option<bool>) -> Contact {
    let query = content(protocol).filter(|query| !query.is_empty());
    Contact {
        registered,
        query: query.map(|query| query.strip_suffix("@c.us").unwrap_or(&query).into()),
        username: text(protocol, "username"),
    }
}

fn about(protocol: NodeRef<'_>) -> Option<About> {
    let words = content(protocol).filter(|words| !words.is_empty());
    let hidden = words.is_none() && number(protocol, "code") == Some(401);
    if words.is_none() && !hidden {
        return None;
    }
    Some(About { text: words.unwrap_or_default(), set_at: number(protocol, "t"), hidden })
}

impl DisappearingMode {
    /// Reads a `<disappearing_mode>`. None without its time, which orders changes.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        Some(Self {
            duration: number(node, "duration").unwrap_or(0),
            set_at: number(node, "t")?,
            disabled: flag(node, "ephemerality_disabled"),
        })
    }
}

impl BotProfile {
    fn parse(node: NodeRef<'_>) -> Option<Self> {
        let pairs = |list: &str, item: &str, first: &str, second: &str| -> Vec<_> {
            let Some(list) = node.optional_child(list) else { return Vec::new() };
            let pair = |it| Some((child_text(it, first)?, child_text(it, second).unwrap_or_default()));
            list.each(item).filter_map(pair).collect()
        };
        Some(Self {
            persona_id: text(node, "persona_id"),
            name: child_text(node, "name")?,
            attributes: child_text(node, "attributes")?,
            description: child_text(node, "description")?,
            category: child_text(node, "category")?,
            is_default: child_text(node, "default").as_deref() == Some("true"),
            prompts: pairs("prompts", "prompt", "emoji", "text"),
            commands: pairs("commands", "command", "name", "description"),
        })
    }
}
