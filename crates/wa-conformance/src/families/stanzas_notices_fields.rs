//! Facts of what the server says unasked, by the names of the `stanzas-notifications` family.

use anyhow::Result;
use serde_json::{Map, Value, json};
use wa_binary::{FieldError, Jid, NodeRef};
use wa_core::app_state::Collection;
use wa_core::envelope::{Call, CallAction, Own};
use wa_core::notifications::{
    AboutChange, AccountChange, AccountSync, Bulletin, BusinessChange, ChatState, ContactsChange,
    DeviceChange, DeviceRecord, DevicesNotification, EncryptNotification, GroupAction, GroupNotification,
    LastSeen, LiveUpdate, MexUpdate, PictureChange, Presence, PrivacyToken, RegistrationNotice, SyncPlan,
    TimerChange, Typing, collections, mex_updates,
};
use wa_core::queries::{ListedDevice, Mapping};

use super::facts_fields::{Fact, Record, opt, text, texts};
use super::stanzas_answers_fields::{capping, family, group, member, pair, pairs, post, timelock};
use super::stanzas_notifications::Outcome;
use crate::Reader;

/// Reads with the parser of a notification. None when there is none of that name.
pub(super) fn read(parser: &str, node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Option<Result<Outcome>> {
    let outcome = || -> Result<Option<Outcome>> {
        Ok(Some(match parser {
            "devices-notification" => devices(node, context)?,
            "account-sync" => account_sync(node, context)?,
            "picture-notification" => {
                found(PictureChange::parse(node, &jids(context, "known_lids")?).map(|it| {
                    Record::new()
                        .with_text("jid", text(&it.jid))
                        .with_text("author", opt(it.author.as_ref()))
                        .with("removed", it.removed)
                        .with("picture_id", it.picture_id.as_deref())
                        .with("t", it.timestamp)
                }))
            }
            "status-notification" => found(AboutChange::parse(node).map(|it| {
                Record::new()
                    .with_text("jid", text(&it.jid))
                    .with("text", it.text.as_str())
                    .with("t", it.timestamp)
            })),
            "contacts-notification" => {
                checked(ContactsChange::parse(node, &jids(context, "known_lids")?), |change| {
                    contacts(&change)
                })
            }
            "presence" => found(Presence::parse(node).map(|it| presence(&it))),
            "chatstate" => found(ChatState::parse(node).map(|it| {
                let state = match it.typing {
                    Typing::Typing => "typing",
                    Typing::Recording => "recording",
                    Typing::Paused => "paused",
                };
                Record::new()
                    .with_text("chat", text(&it.chat))
                    .with_text("sender", text(&it.sender))
                    .with("state", state)
            })),
            "privacy-token-notification" => found(PrivacyToken::parse(node).first().map(|it| {
                Record::new()
                    .with_text("store_under", text(&it.user))
                    .with_text("token_hex", hex::encode(&it.token))
                    .with("t", it.timestamp)
            })),
            "disappearing-mode-notification" => found(TimerChange::parse(node).map(|it| {
                Record::new()
                    .with_text("jid", text(&it.jid))
                    .with("duration", it.mode.duration)
                    .with("t", it.mode.set_at)
            })),
            "encrypt-notification" => {
                let had_identity = match context {
                    Some(context) => context.opt_bool("had_identity")?.unwrap_or(true),
                    None => true,
                };
                checked(EncryptNotification::parse(node), |it| encrypt(&it, had_identity))
            }
            "server-sync" => Outcome::Facts(server_sync(node, context)?),
            "ib" => several(Bulletin::parse(node).iter().map(bulletin).collect()),
            "group-notification" => match GroupNotification::parse(node) {
                Ok(notification) => Outcome::Facts(group_notification(&notification)),
                Err(error) => malformed(&error),
            },
            "reachout-timelock-push" | "mex-notification" => mex(node, context)?,
            "newsletter-notification" => checked(LiveUpdate::parse(node), |live| {
                Record::new()
                    .with_text("jid", text(&live.jid))
                    .with("t", live.timestamp)
                    .with_list("messages", live.posts.iter().map(post))
            }),
            "business-notification" => {
                found(BusinessChange::parse(node, &jids(context, "known_lids")?).map(|it| business(&it)))
            }
            "registration-notification" => found(RegistrationNotice::parse(node).map(|it| registration(&it))),
            "call" => call(node, context)?,
            _ => return Ok(None),
        }))
    };
    outcome().transpose()
}

fn found(facts: Option<Record>) -> Outcome {
    facts.map_or(Outcome::Ignored, Outcome::Facts)
}

fn checked<T>(read: Result<Option<T>, FieldError>, facts: impl FnOnce(T) -> Record) -> Outcome {
    match read {
        Ok(read) => found(read.map(facts)),
        Err(error) => malformed(&error),
    }
}

fn malformed(error: &FieldError) -> Outcome {
    Outcome::Failed(Record::new().with("reason", error.to_string()))
}

/// One event's facts, or a list of them.
fn several(mut events: Vec<Option<Record>>) -> Outcome {
    let known = |events: Vec<Option<Record>>| events.into_iter().flatten();
    match events.len() {
        0 => Outcome::Ignored,
        1 => found(events.remove(0)),
        _ => Outcome::Facts(Record::new().with_list("events", known(events))),
    }
}

fn jids(context: Option<&Reader<'_>>, name: &str) -> Result<Vec<Jid>> {
    let Some(list) = context.map_or(Ok(None), |context| context.opt(name))? else { return Ok(Vec::new()) };
    list.items()?.iter().map(|jid| Ok(jid.as_str()?.parse()?)).collect()
}

fn ids(devices: &[ListedDevice]) -> Value {
    json!(devices.iter().map(|device| device.id).collect::<Vec<_>>())
}

fn devices(node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Result<Outcome> {
    let mut stored = None;
    if let Some(cached) = context.map_or(Ok(None), |context| context.opt("cached_devices"))? {
        let device = |id: &Reader<'_>| {
            Ok(ListedDevice { id: u16::try_from(id.as_u64()?)?, key_index: None, hosted: false })
        };
        let devices = cached.items()?.iter().map(device).collect::<Result<_>>()?;
        stored = Some(DeviceRecord { devices, raw_id: None });
    }
    let known = jids(context, "known_lids")?;
    let notification = match DevicesNotification::parse(node) {
        Ok(notification) => notification,
        Err(error) => return Ok(malformed(&error)),
    };
    let applied = notification.apply(stored.as_ref(), None);
    let record = Record::new()
        .with_text("user", text(&notification.user))
        .with("mapping", notification.mapping.as_ref().map(pair))
        .with("cache_after", applied.record.as_ref().map(|record| ids(&record.devices)))
        .with("delete_sessions_of", json!(applied.gone))
        .with("hash_matches", applied.hash_matches);
    Ok(match &notification.change {
        DeviceChange::Add { devices, .. } => {
            Outcome::Facts(record.with("op", "add").with("device_ids", ids(devices)))
        }
        DeviceChange::Remove { devices, .. } => {
            Outcome::Facts(record.with("op", "remove").with("device_ids", ids(devices)))
        }
        DeviceChange::Update(None) => Outcome::Ignored,
        DeviceChange::Update(Some(hash)) => Outcome::Facts(
            record
                .with("op", "update")
                .with("contact_hash", hash.as_str())
                .with_text("resync_user", opt(hash.resolve(&known))),
        ),
    })
}

fn account_sync(node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Result<Outcome> {
    let Some(own) = own(context)? else { anyhow::bail!("no own address") };
    let Some(sync) = AccountSync::parse(node, &own) else { return Ok(Outcome::Ignored) };
    Ok(several(sync.changes.iter().map(account_change).collect()))
}

/// The account, when the case says who it is.
fn own(context: Option<&Reader<'_>>) -> Result<Option<Own>> {
    let Some(context) = context else { return Ok(None) };
    let read =
        |name: &str| -> Result<Option<Jid>> { Ok(context.opt_str(name)?.map(str::parse).transpose()?) };
    let (pn, lid) = (read("own_pn")?, read("own_lid")?);
    Ok(pn.or_else(|| lid.clone()).map(|pn| Own { pn, lid }))
}

fn account_change(change: &AccountChange) -> Option<Record> {
    let event = |name: &str| Record::new().with("event", name);
    Some(match change {
        AccountChange::PushName(name) => event("own-push-name").with("name", name.as_str()),
        AccountChange::Devices { devices, hash_matches } => {
            event("own-devices").with("device_ids", ids(devices)).with("hash_matches", *hash_matches)
        }
        AccountChange::Privacy { changed } => {
            event("privacy").with("changed", json!(changed)).with("refetch", true)
        }
        AccountChange::Blocklist { changes, dhash, prev_dhash } => {
            let change = |(jid, action): &(Jid, wa_core::notifications::BlockAction)| {
                json!([jid.to_string(), action.name()])
            };
            event("blocklist")
                .with("changes", changes.as_ref().map(|all| all.iter().map(change).collect::<Value>()))
                .with("refetch", changes.is_none())
                .with("dhash", dhash.as_deref())
                .with("prev_dhash", prev_dhash.as_deref())
        }
        AccountChange::Picture => event("own-picture").with("refetch", true),
        AccountChange::About => event("own-about").with("refetch", true),
        AccountChange::DisappearingMode(mode) => {
            event("own-disappearing-mode").with("duration", mode.duration).with("t", mode.set_at)
        }
        AccountChange::Username(name) => event("own-username").with("username", name.as_deref()),
        AccountChange::UsernameChanged => event("own-username").with("refetch", true),
        AccountChange::Notices(ids) => event("tos-notice").with("ids", texts(ids)),
        _ => return None,
    })
}

fn contacts(change: &ContactsChange) -> Record {
    let event = |name: &str| Record::new().with("event", name);
    match change {
        ContactsChange::Updated(jid) => event("contact-updated").with_text("jid", text(jid)),
        ContactsChange::NumberChanged { old, new, mappings } => event("number-changed")
            .with_text("old", text(old))
            .with_text("new", text(new))
            .with_fact("learned_mappings", pairs(mappings)),
        ContactsChange::SyncRequested { after } => event("contact-sync-requested").with("after", *after),
    }
}

fn presence(presence: &Presence) -> Record {
    let last_seen = match presence.last_seen {
        None => Value::Null,
        Some(LastSeen::At(seconds)) => seconds.into(),
        Some(LastSeen::Hidden) => "hidden".into(),
        Some(LastSeen::Never) => "never".into(),
        Some(LastSeen::Unknown) => "unknown".into(),
    };
    Record::new()
        .with_text("jid", text(&presence.jid))
        .with("available", presence.available)
        .with("last_seen", last_seen)
        .with("group_online", presence.group_online)
}

fn encrypt(notification: &EncryptNotification, had_identity: bool) -> Record {
    match notification {
        EncryptNotification::LowPreKeys { left } => {
            Record::new().with("event", "upload-prekeys").with("left", *left)
        }
        EncryptNotification::CompareDigest => Record::new().with("event", "compare-digest"),
        EncryptNotification::IdentityChanged { user, lid } => Record::new()
            // Without a stored identity only the device list is forgotten.
            .with("event", had_identity.then_some("identity-changed"))
            .with_text("user", text(user))
            .with_text("lid", opt(lid.as_ref()))
            .with("reset_session", had_identity),
    }
}

fn server_sync(node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Result<Record> {
    let mut local = std::collections::HashMap::new();
    if let Some(versions) = context.map_or(Ok(None), |context| context.opt("local_versions"))? {
        for (name, version) in versions.entries()? {
            local.insert(name.to_owned(), version.as_u64()?);
        }
    }
    let plan = SyncPlan::of(&collections(node), |it| local.get(it.name()).copied().unwrap_or(0));
    let names = |collections: &[Collection]| texts(collections.iter().map(|collection| collection.name()));
    Ok(Record::new()
        .with("sync", names(&plan.sync))
        .with("up_to_date", names(&plan.up_to_date))
        .with("unknown", texts(&plan.unknown)))
}

fn bulletin(bulletin: &Bulletin) -> Option<Record> {
    let event = |name: &str| Record::new().with("event", name);
    Some(match bulletin {
        Bulletin::Dirty { kind, timestamp, protocols } => {
            let clean = bulletin.clean()?;
            let attrs: Map<String, Value> =
                clean.each_attr().map(|(name, value)| (name.to_owned(), value.to_string().into())).collect();
            event("dirty")
                .with("type", kind.as_str())
                .with("t", *timestamp)
                .with("protocols", texts(protocols))
                .with("clean", attrs)
        }
        Bulletin::OfflinePreview(preview) => event("offline-preview")
            .with("total", preview.total)
            .with("messages", preview.messages)
            .with("notifications", preview.notifications)
            .with("receipts", preview.receipts)
            .with("calls", preview.calls)
            .with("statuses", preview.statuses)
            .with("app_data", preview.app_data),
        Bulletin::OfflineDone { count } => event("offline-done").with("count", *count),
        Bulletin::RoutingInfo(bytes) => {
            event("routing-info").with_text("routing_info_hex", hex::encode(bytes))
        }
        Bulletin::ClientExpiration(at) => {
            event("client-expiration").with("at", *at).with("t", *at).with("withdrawn", at.is_none())
        }
        Bulletin::Notices(ids) => event("tos-notice").with("ids", texts(ids)),
        _ => return None,
    })
}

fn group_notification(notification: &GroupNotification) -> Record {
    let members = notification.actions.iter().flat_map(mappings);
    let all: Vec<Mapping> = notification.actor_mapping().into_iter().chain(members).collect();
    Record::new()
        .with_text("group", text(&notification.group))
        .with_text("actor", opt(notification.actor.as_ref()))
        .with_text("actor_pn", opt(notification.actor_pn.as_ref()))
        .with("push_name", notification.push_name.as_deref())
        .with("t", notification.timestamp)
        .with("addressing_mode", notification.addressing.map(family))
        .with("incomplete", notification.incomplete)
        .with("rotate_sender_key", notification.rotates_sender_key())
        .with("participant_version", notification.participant_version.as_deref())
        .with("prev_participant_version", notification.previous_version.as_deref())
        .with_list("actions", notification.actions.iter().map(action))
        .with_fact("learned_mappings", pairs(&all))
}

fn mappings(action: &GroupAction) -> Vec<Mapping> {
    match action {
        GroupAction::Add { members, .. }
        | GroupAction::Remove { members, .. }
        | GroupAction::CommunityAdmins { members, .. }
        | GroupAction::Promote(members)
        | GroupAction::Demote(members)
        | GroupAction::Modify(members)
        | GroupAction::CreatedRequests { users: members, .. }
        | GroupAction::RevokedRequests { users: members, .. }
        | GroupAction::Revoke(members) => {
            members.iter().filter_map(wa_core::queries::GroupMember::mapping).collect()
        }
        GroupAction::Create { group, .. } => group.mappings.clone(),
        _ => Vec::new(),
    }
}

fn action(action: &GroupAction) -> Record {
    let record = match action {
        GroupAction::Unknown(node) => return Record::new().with("type", "unknown").with("tag", node.tag()),
        known => Record::new().with("type", known.name()),
    };
    let all = |members: &[wa_core::queries::GroupMember]| Fact::List(members.iter().map(member).collect());
    let groups = |groups: &[wa_core::notifications::LinkedGroup]| {
        let one = |it: &wa_core::notifications::LinkedGroup| {
            let record = Record::new()
                .with_text("jid", text(&it.jid))
                .with("subject", it.subject.as_deref())
                .with("default_sub_group", it.is_announcements)
                .with("hidden_group", it.is_hidden);
            Fact::Either(text(&it.jid).into(), record)
        };
        Fact::List(groups.iter().map(one).collect())
    };
    match action {
        GroupAction::Add { members, reason } => {
            record.with_fact("participants", all(members)).with("reason", reason.as_deref())
        }
        GroupAction::Remove { members, reason, left_voluntarily } => record
            .with_fact("participants", all(members))
            .with("reason", reason.as_deref())
            .with("left_voluntarily", *left_voluntarily),
        GroupAction::Promote(members)
        | GroupAction::Demote(members)
        | GroupAction::Modify(members)
        | GroupAction::Revoke(members) => record.with_fact("participants", all(members)),
        GroupAction::CommunityAdmins { members, promoted } => {
            record.with_fact("participants", all(members)).with("promoted", *promoted)
        }
        // A new group's facts stand beside the action's or below it.
        GroupAction::Create { group: created, reason } => record
            .and(group(created))
            .with_record("group", Some(group(created)))
            .with("reason", reason.as_deref()),
        GroupAction::Delete { reason } => record.with("reason", reason.as_deref()),
        GroupAction::Subject { subject, by, at } => {
            record.with("subject", subject.as_str()).with_text("owner", opt(by.as_ref())).with("t", *at)
        }
        GroupAction::Description(description) => {
            record.with("id", description.id.as_deref()).with("text", description.text.as_deref())
        }
        GroupAction::Ephemeral { expiration } => record.with("expiration", *expiration),
        GroupAction::MembershipApproval { on } | GroupAction::Switch { on, .. } => record.with("on", *on),
        GroupAction::Mode { mode, .. } => record.with("mode", mode.as_str()),
        GroupAction::MembershipRequest { method, parent } => {
            record.with("method", method.as_deref()).with_text("parent", opt(parent.as_ref()))
        }
        GroupAction::CreatedRequests { method, parent, users } => record
            .with("method", method.as_deref())
            .with_text("parent", opt(parent.as_ref()))
            .with_fact("users", all(users)),
        GroupAction::RevokedRequests { users, withdrawn } => record
            .with_fact("users", all(users))
            .with_fact("participants", all(users))
            .with("withdrawn", *withdrawn),
        GroupAction::Invite { code } => record.with("code", code.as_deref()),
        GroupAction::GrowthLocked { kind, expiration } => {
            record.with("reason", kind.as_deref()).with("expiration", *expiration).with("on", true)
        }
        GroupAction::Link { kind, groups: linked } => {
            record.with("link_type", kind.as_deref()).with_fact("groups", groups(linked))
        }
        GroupAction::Unlink { kind, reason, groups: linked } => record
            .with("unlink_type", kind.as_deref())
            .with("reason", reason.as_deref())
            .with_fact("groups", groups(linked)),
        GroupAction::Suggestions { groups, .. } => record.with("groups", texts(groups)),
        GroupAction::OwnerChanged { owner } => record.with_text("owner", text(owner)),
        _ => record,
    }
}

fn mex(node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Result<Outcome> {
    let now = context.map_or(Ok(None), |context| context.opt_u64("now"))?.unwrap_or(0);
    let mut updates = Vec::new();
    for update in mex_updates(node, now) {
        match update {
            Ok(update) => updates.push(Some(mex_update(&update))),
            Err(error) => return Ok(Outcome::Failed(Record::new().with("message", error.to_string()))),
        }
    }
    Ok(several(updates))
}

fn mex_update(update: &MexUpdate) -> Record {
    let event = |name: &str| Record::new().with("event", name);
    match update {
        MexUpdate::Timelock(lock) => timelock(lock).with("event", "timelock"),
        MexUpdate::Capping(info) => capping(info).with("event", "capping"),
        MexUpdate::LidChanged { old, new } => {
            event("lid-changed").with_text("old", text(old)).with_text("new", text(new))
        }
        MexUpdate::Username { lid, username } => {
            let name = if username.is_some() { "username-changed" } else { "username-removed" };
            event(name).with_text("lid", text(lid)).with("username", username.as_deref())
        }
        MexUpdate::TextStatus { jid, text: words, emoji, duration, set_at } => event("text-status-changed")
            .with_text("jid", text(jid))
            .with("text", words.as_deref())
            .with("emoji", emoji.as_deref())
            .with("ephemeral_duration_sec", *duration)
            .with("last_update_time", *set_at),
        MexUpdate::LinkedProfiles(mappings) => {
            event("linked-profiles").with_fact("learned_mappings", pairs(mappings))
        }
        MexUpdate::Other { operation, data } => {
            event("raw").with("op_name", operation.as_str()).with("data", data.clone())
        }
        _ => event("raw"),
    }
}

fn business(change: &BusinessChange) -> Record {
    let event = |name: &str| Record::new().with("event", name);
    match change {
        BusinessChange::Removed(jid) => event("business-removed").with_text("jid", text(jid)),
        BusinessChange::VerifiedName { jid, name } => event("verified-name")
            .with_text("jid", text(jid))
            .with("name", name.as_ref().and_then(|it| it.name.as_deref()))
            .with("level", name.as_ref().and_then(|it| it.level.as_deref()))
            .with("serial", name.as_ref().and_then(|it| it.serial.as_deref()))
            .with("issuer", name.as_ref().and_then(|it| it.issuer.as_deref()))
            .with("api", name.as_ref().is_some_and(wa_core::queries::VerifiedName::is_api)),
        BusinessChange::Profile(jid) => event("business-profile").with_text("jid", text(jid)),
        BusinessChange::Products(ids) => event("products").with("ids", texts(ids)),
        BusinessChange::Collections(ids) => event("collections").with("ids", texts(ids)),
        BusinessChange::Subscriptions(all) => {
            event("subscriptions").with("ids", texts(all.iter().map(|(id, _)| id)))
        }
        _ => event("raw"),
    }
}

fn registration(notice: &RegistrationNotice) -> Record {
    match notice {
        RegistrationNotice::CodeRequested { code, expires_at, device_id } => Record::new()
            .with("event", "registration-code-requested")
            .with("code", code.as_deref())
            .with("expiry_t", *expires_at)
            .with("device_id", device_id.as_deref()),
        RegistrationNotice::Takeover { token, timestamp, device, platform, app_version } => Record::new()
            .with("event", "account-takeover")
            .with("token", token.as_deref())
            .with("t", *timestamp)
            .with("device", device.as_deref())
            .with("platform", platform.as_deref())
            .with("app_version", app_version.as_deref()),
    }
}

fn call(node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Result<Outcome> {
    let own = own(context)?.unwrap_or(Own { pn: Jid::pn(0), lid: None });
    let call = match Call::parse(node) {
        Ok(call) => call,
        Err(error) => return Ok(Outcome::Failed(Record::new().with("reason", error.to_string()))),
    };
    let answer = call.answer(&own);
    // What this library has no name for keeps the one in the stanza.
    let action = match call.action {
        CallAction::Unknown => node.first_child().map_or("unknown", NodeRef::tag),
        known => known.name(),
    };
    Ok(Outcome::Facts(
        Record::new()
            .with("action", action)
            .with("call_id", call.call_id.as_deref())
            .with_text("creator", opt(call.call_creator.as_ref()))
            .with_text("creator_alt", opt(call.caller_pn.as_ref()))
            .with("video", call.is_video)
            .with_text("group", opt(call.group_jid.as_ref()))
            .with("reason", call.reason.as_deref())
            .with("t", call.timestamp)
            .with("offline", call.offline)
            .with("answer", answer.tag()),
    ))
}
