//! Facts of what the server answers, by the names of the `stanzas-notifications` family.

use anyhow::Result;
use prost::Message as _;
use serde_json::{Map, Value, json};
use wa_binary::{Family, NodeRef};
use wa_core::queries::{
    self, Blocklist, CallLink, Capping, ContactLink, GroupAnswer, GroupInfo, GroupJoin, GroupKind,
    GroupMember, Mapping, MexError, NewsletterPost, Picture, PrivacySettings, Props, QueryError, Timelock,
    UsernameLookup, UsyncAnswer, UsyncUser, VerifiedName,
};
use wa_proto::e2e_message::Message;

use super::facts_fields::{Fact, Record, iq_error, opt, text, texts};
use super::stanzas_notifications::Outcome;
use crate::Reader;

/// Reads with the parser of an answer. None when there is none of that name.
pub(super) fn read(parser: &str, node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Option<Result<Outcome>> {
    let known = |name: &str| context.map_or(Ok(None), |context| context.opt_str(name));
    let now = || Ok::<_, anyhow::Error>(context.map_or(Ok(None), |it| it.opt_u64("now"))?.unwrap_or(0));
    let facts = || -> Result<Option<Result<Outcome, QueryError>>> {
        Ok(Some(match parser {
            "iq" => queries::reply(node).map(|_| Outcome::Facts(Record::new())),
            "usync" => UsyncAnswer::parse(node).map(|answer| Outcome::Facts(usync(&answer))),
            "usync-devices" => UsyncAnswer::parse(node).map(|answer| Outcome::Facts(usync_devices(&answer))),
            "picture" => Picture::parse(node, known("known_id")?).map(|it| Outcome::Facts(picture(&it))),
            "privacy" => PrivacySettings::parse(node).map(|settings| Outcome::Facts(privacy(&settings))),
            "blocklist" => Blocklist::parse(node).map(|list| match list {
                Some(list) => Outcome::Facts(blocklist(&list)),
                None => Outcome::Ignored,
            }),
            "group" => GroupAnswer::parse(node, known("sent_phash")?).map(|answer| {
                Outcome::Facts(match &answer {
                    GroupAnswer::Found(info) => group(info).with("not_modified", false),
                    GroupAnswer::NotModified => Record::new().with("not_modified", true),
                })
            }),
            "group-participants" => participants(node, known("action")?.unwrap_or("add")),
            "group-join" => GroupJoin::parse(node).map(|join| {
                let (result, group) = match &join {
                    GroupJoin::Joined(group) => ("joined", opt(group.as_ref())),
                    GroupJoin::Pending(group) => ("pending", Some(text(group))),
                };
                Outcome::Facts(Record::new().with("result", result).with_text("group", group))
            }),
            "group-requests" => queries::join_requests(node).map(|requests| {
                let request = |it: &queries::JoinRequest| {
                    Record::new()
                        .with_text("jid", text(&it.jid))
                        .with("t", it.requested_at)
                        .with("method", it.method.as_str())
                        .with_text("requestor", opt(it.requestor.as_ref()))
                        .with_text("parent", opt(it.parent.as_ref()))
                };
                Outcome::Facts(Record::new().with_list("requests", requests.iter().map(request)))
            }),
            "mex" => queries::mex_data(node).map(|data| Outcome::Facts(Record::new().with("data", data))),
            "reachout-timelock" => Timelock::parse(node, now()?).map(|lock| Outcome::Facts(timelock(&lock))),
            "message-capping" => Capping::parse(node).map(|it| Outcome::Facts(capping(&it))),
            "newsletter-messages" => queries::posts(node)
                .map(|posts| Outcome::Facts(Record::new().with_list("messages", posts.iter().map(post)))),
            "props" => Props::parse(node, known("known_hash")?).map(|props| match props {
                Some(props) => Outcome::Facts(self::props(&props)),
                None => Outcome::Facts(Record::new().with("unchanged", true)),
            }),
            "call-link" => CallLink::parse(node).map(|link| {
                Outcome::Facts(
                    Record::new()
                        .with("token", link.token.as_str())
                        .with("media", link.media.name())
                        .with("url", link.url())
                        .with_text("creator", opt(link.creator.as_ref())),
                )
            }),
            "contact-link" => ContactLink::parse(node).map(|link| Outcome::Facts(contact_link(&link))),
            _ => return Ok(None),
        }))
    };
    match facts() {
        Ok(None) => None,
        Ok(Some(Ok(outcome))) => Some(Ok(outcome)),
        Ok(Some(Err(error))) => Some(Ok(Outcome::Failed(failure(&error)))),
        Err(error) => Some(Err(error)),
    }
}

fn failure(error: &QueryError) -> Record {
    match error {
        QueryError::Refused(error) => Record::new()
            .with("code", error.code)
            .with("text", error.text.as_str())
            .with("class", error.class.as_deref())
            .with("backoff", error.backoff)
            .with("retriable", error.is_retriable()),
        QueryError::Mex(MexError::Failed { code, message, retriable, stale }) => Record::new()
            .with("code", *code)
            .with("message", message.as_str())
            .with("retriable", *retriable)
            .with("stale_operation", *stale),
        other => Record::new().with("reason", other.to_string()),
    }
}

/// A pair as the vectors write it.
pub(super) fn pair(mapping: &Mapping) -> Value {
    texts([&mapping.lid, &mapping.pn])
}

pub(super) fn pairs<'m>(mappings: impl IntoIterator<Item = &'m Mapping>) -> Fact {
    Fact::Set(mappings.into_iter().map(pair).collect())
}

fn usync(answer: &UsyncAnswer) -> Record {
    let errors = answer
        .errors
        .iter()
        .fold(Record::new(), |all, (protocol, error)| all.with_fact(protocol, iq_error(error)));
    let lookup = match answer.username_lookup() {
        UsernameLookup::Found(_) => "found",
        UsernameLookup::KeyRequired => "key-required",
        UsernameLookup::NotFound => "not-found",
    };
    Record::new()
        .with_list("users", answer.users.iter().map(user))
        .with_list("side_users", answer.side_users.iter().map(user))
        .with_fact("learned_mappings", pairs(&answer.mappings()))
        .with_record("protocol_errors", Some(errors))
        .with("refresh", json!(answer.refresh))
        .with("call_fails", answer.failure().is_some())
        .with("username_lookup", lookup)
}

fn user(user: &UsyncUser) -> Record {
    const PROTOCOLS: [&str; 11] = [
        "contact",
        "lid",
        "devices",
        "status",
        "picture",
        "business",
        "disappearing_mode",
        "bot",
        "username",
        "text_status",
        "feature",
    ];
    let contact = user.contact.as_ref();
    let mut record = Record::new()
        .with_text("jid", opt(user.jid.as_ref()))
        .with_text("pn", opt(user.pn.as_ref()))
        .with_text("lid", opt(user.lid.as_ref()))
        .with("registered", user.registered())
        .with("query", contact.and_then(|contact| contact.query.as_deref()))
        .with("business", user.business)
        .with("about", user.about.as_ref().map(|about| about.text.as_str()))
        .with("about_hidden", user.about.as_ref().is_some_and(|about| about.hidden))
        .with("about_t", user.about.as_ref().and_then(|about| about.set_at))
        .with("picture_id", user.picture_id.as_deref())
        .with("username", user.username.as_deref().or(contact.and_then(|it| it.username.as_deref())))
        .with("features", json!(user.features))
        .and(verified(user.verified_name.as_ref()));
    record = record.with_record(
        "disappearing",
        user.disappearing.map(|mode| {
            Record::new()
                .with("duration", mode.duration)
                .with("t", mode.set_at)
                .with("disabled", mode.disabled)
        }),
    );
    record = record.with_record(
        "text_status",
        user.text_status.as_ref().map(|status| {
            Record::new()
                .with("text", status.text.as_deref())
                .with("emoji", status.emoji.as_deref())
                .with("ephemeral_duration_sec", status.duration)
                .with("last_update_time", status.set_at)
        }),
    );
    record = record.with_record(
        "bot",
        user.bot.as_ref().map(|bot| {
            Record::new()
                .with("persona_id", bot.persona_id.as_deref())
                .with("name", bot.name.as_str())
                .with("attributes", bot.attributes.as_str())
                .with("description", bot.description.as_str())
                .with("category", bot.category.as_str())
                .with("default", bot.is_default)
                .with("prompts", json!(bot.prompts))
                .with("commands", json!(bot.commands))
        }),
    );
    let devices = user.devices.as_ref().and_then(|devices| devices.accept(None));
    let ids = devices.map(|it| it.kept.iter().map(|device| device.id).collect::<Vec<_>>());
    record = record.with("devices", json!(ids));
    for protocol in PROTOCOLS {
        let error = user.errors.get(protocol).map_or(Fact::Exact(Value::Null), iq_error);
        record = record.with_fact(&format!("{protocol}_error"), error);
    }
    record
}

fn verified(name: Option<&VerifiedName>) -> Record {
    Record::new()
        .with("verified_name", name.and_then(|it| it.name.as_deref()))
        .with("serial", name.and_then(|it| it.serial.as_deref()))
        .with("issuer", name.and_then(|it| it.issuer.as_deref()))
        .with("level", name.and_then(|it| it.level.as_deref()))
        .with("api", name.is_some_and(VerifiedName::is_api))
}

fn usync_devices(answer: &UsyncAnswer) -> Record {
    let user = |user: &UsyncUser| {
        let jid = user.jid.as_ref()?;
        let accepted = user.devices.as_ref()?.accept(None)?;
        let ids =
            |devices: &[queries::ListedDevice]| json!(devices.iter().map(|it| it.id).collect::<Vec<_>>());
        Some(
            Record::new()
                .with_text("jid", text(jid))
                .with("devices", ids(&accepted.kept))
                .with("dropped", ids(&accepted.dropped))
                .with("device_jids", texts(accepted.jids(jid)))
                .with("raw_id", accepted.raw_id)
                .with("store_hash", accepted.hash.as_deref()),
        )
    };
    Record::new()
        .with_list("users", answer.users.iter().filter_map(user))
        .with_fact("learned_mappings", pairs(&answer.mappings()))
        .with("refresh", json!(answer.refresh))
        .with("call_fails", answer.failure().is_some())
}

fn picture(picture: &Picture) -> Record {
    match picture {
        Picture::Set { id, url, direct_path, kind, hash } => Record::new()
            .with("state", "set")
            .with("id", id.as_str())
            .with("url", url.as_deref())
            .with("direct_path", direct_path.as_deref())
            .with("type", kind.as_deref())
            .with("hash_hex", hash.as_ref().map(hex::encode)),
        Picture::Unchanged => Record::new().with("state", "unchanged"),
        Picture::NotSet => Record::new().with("state", "not-set"),
        Picture::Hidden => Record::new().with("state", "hidden"),
    }
}

fn privacy(settings: &PrivacySettings) -> Record {
    let (mut values, mut stamps) = (Map::new(), Map::new());
    for (name, setting) in &settings.known {
        values.insert(name.to_string(), setting.value.as_str().into());
        if let Some(dhash) = &setting.dhash {
            stamps.insert(name.to_string(), dhash.as_str().into());
        }
    }
    Record::new().with("settings", values).with("dhashes", stamps).with("unknown", texts(&settings.unknown))
}

fn blocklist(list: &Blocklist) -> Record {
    let named =
        |blocked: &queries::Blocked| Some((text(&blocked.jid), Value::from(blocked.username.as_deref()?)));
    Record::new()
        .with("jids", texts(list.blocked.iter().map(|blocked| &blocked.jid)))
        .with("dhash", list.dhash.as_deref())
        .with("usernames", Value::Object(list.blocked.iter().filter_map(named).collect()))
        .with("skipped", list.skipped)
        .with_fact("learned_mappings", pairs(list.blocked.iter().filter_map(|it| it.mapping.as_ref())))
}

pub(super) fn family(family: Family) -> &'static str {
    match family {
        Family::Pn => "pn",
        Family::Lid => "lid",
    }
}

/// A group, also inside a notification.
pub(super) fn group(group: &GroupInfo) -> Record {
    let description = group.description.as_ref();
    let kind = match group.kind {
        GroupKind::Plain => "plain",
        GroupKind::Community => "community",
        GroupKind::Announcements => "announcements",
        GroupKind::General => "general",
        GroupKind::Subgroup => "subgroup",
    };
    let record = Record::new()
        .with_text("id", text(&group.jid))
        .with("subject", group.subject.as_str())
        .with_text("subject_owner", opt(group.subject_by.as_ref()))
        .with("subject_t", group.subject_at)
        .with_text("creator", opt(group.creator.as_ref()))
        .with("creation", group.created_at)
        .with("addressing_mode", family(group.addressing))
        .with("size", group.size)
        .with("participant_version", group.participant_version.as_deref())
        .with("admin_version", group.admin_version.as_deref())
        .with_list("participants", group.participants.iter().map(member_record))
        .with("incomplete", group.incomplete)
        .with("description", description.and_then(|it| it.text.as_deref()))
        .with("description_id", description.and_then(|it| it.id.as_deref()))
        .with_text("description_author", description.and_then(|it| opt(it.author.as_ref())))
        .with("description_t", description.and_then(|it| it.set_at))
        .with("ephemeral", group.ephemeral)
        .with("approval", group.approval)
        .with("member_add_mode", group.member_add_mode.as_deref())
        .with("member_link_mode", group.member_link_mode.as_deref())
        .with("member_share_group_history_mode", group.member_history_mode.as_deref())
        .with("kind", kind)
        .with("community", group.kind == GroupKind::Community)
        .with("closed", group.closed)
        .with_text("linked_parent", opt(group.linked_parent.as_ref()))
        .with_fact("learned_mappings", pairs(&group.mappings));
    GroupInfo::SWITCHES.into_iter().fold(record, |record, tag| record.with(tag, group.is(tag)))
}

fn member_record(member: &GroupMember) -> Record {
    Record::new()
        .with_text("jid", text(&member.jid))
        .with_text("pn", opt(member.pn.as_ref()))
        .with_text("lid", opt(member.lid.as_ref()))
        .with("role", member.role.name())
        .with("username", member.username.as_deref())
        .with("display_name", member.display_name.as_deref())
        .with("join_time", member.joined_at)
        .with("error", member.error)
}

/// A participant: the address, or a record.
pub(super) fn member(member: &GroupMember) -> Fact {
    Fact::Either(text(&member.jid).into(), member_record(member))
}

fn participants(node: NodeRef<'_>, action: &str) -> Result<Outcome, QueryError> {
    let results = queries::participant_results(node, action)?;
    let result = |it: &queries::ParticipantResult| {
        let invite = it.invite.as_ref().map(|invite| {
            Record::new().with("code", invite.code.as_str()).with("expiration", invite.expiration)
        });
        Record::new()
            .with_text("jid", text(&it.jid))
            .with_text("pn", opt(it.mapping.as_ref().map(|mapping| &mapping.pn)))
            .with("code", it.code)
            .with_record("invite", invite)
    };
    let mappings = results.iter().filter_map(|it| it.mapping.as_ref());
    Ok(Outcome::Facts(
        Record::new()
            .with_list("results", results.iter().map(result))
            .with_fact("learned_mappings", pairs(mappings)),
    ))
}

pub(super) fn timelock(lock: &Timelock) -> Record {
    Record::new()
        .with("locked", lock.until.is_some())
        .with("type", lock.kind.as_str())
        .with("until", lock.until)
}

pub(super) fn capping(capping: &Capping) -> Record {
    Record::new()
        .with("status", capping.status.as_deref())
        .with("ote", capping.one_time_extension.as_deref())
        .with("mv", capping.verification.as_deref())
        .with("total", capping.total)
        .with("used", capping.used)
        .with("remaining", capping.remaining())
        .with("cycle_start", capping.cycle_start)
        .with("cycle_end", capping.cycle_end)
        .with("server_sent", capping.stated_at)
}

pub(super) fn post(post: &NewsletterPost) -> Record {
    let message = post.content.clone().and_then(|content| Message::decode(content).ok());
    let words = message.and_then(|message| {
        let extended = message.extended_text_message.and_then(|it| it.text);
        message.conversation.or(extended)
    });
    Record::new()
        .with("id", post.id.as_deref())
        .with("server_id", post.server_id)
        .with("t", post.timestamp)
        .with("type", post.kind.as_deref())
        .with("own", post.own)
        .with_text("text", words)
        .with_text("content_hex", post.content.as_ref().map(hex::encode))
        .with("views", post.views)
        .with("forwards", post.forwards)
        .with("reactions", json!(post.reactions))
}

fn props(props: &Props) -> Record {
    Record::new()
        .with("hash", props.hash.as_deref())
        .with("refresh_s", props.refresh)
        .with("refresh_id", props.refresh_id)
        .with("delta", props.delta)
        .with("set", json!(props.set))
        .with("sampling", json!(props.sampling))
        .with("unchanged", false)
}

fn contact_link(link: &ContactLink) -> Record {
    Record::new()
        .with_text("jid", text(&link.jid))
        .with("type", link.kind.as_deref())
        .with("push_name", link.push_name.as_deref())
        .with("message", link.message.as_deref())
        .with("verified_name", link.verified_name.as_deref())
        .with("verified_level", link.verified_level.as_deref())
        .with("is_signed", link.is_signed)
}
