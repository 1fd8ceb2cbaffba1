//! `w:mex`: operations that the service keeps under numbers, with JSON in and out (chapter 09c §1 to §3, §5).
//!
//! Played are those that have a counterpart in this simulator: limits on new chats, about text, the own username, sub groups
//! of a community. Numbers change with releases of the service's own client: older ones that clients still use are known.

use serde_json::{Value, json};
use wa_binary::{Jid, Server};

use super::{Answer, Request};
use crate::stanza::{Read, el};
use crate::world::{MexForm, Username, World};

/// The answer's JSON, or an error's code and words.
type Played = Result<Value, (u32, &'static str)>;

type Operation = fn(&mut World, &Request<'_>, &Value) -> Played;

/// Numbers, the field of `data` that holds the answer, and who answers.
const OPERATIONS: [(&[&str], &str, Operation); 10] = [
    (&["23983697327930364", "9462376090546244"], "xwa2_fetch_account_reachout_timelock", time_lock),
    (&["27910975521856601", "24503548349331633", "25275321118723031"], "xwa2_message_capping_info", cap),
    (&["9152604461510864"], "xwa2_update_text_status", set_about),
    (&["24535500086059408"], "xwa2_users_updates_since", about),
    (&["9935467776504344"], "xwa2_group_query_by_id", sub_groups),
    (&["24079399904996141"], "xwa2_group_query_by_id", sub_group_sizes),
    (&["25347099718279209"], "xwa2_username_get", username),
    (&["26122779627399568"], "xwa2_username_check", check_username),
    (&["25757341163897635"], "xwa2_username_set", set_username),
    (&["9749436995157074"], "xwa2_username_pin_set", set_username_key),
];

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let number = request.child.and_then(|query| query.text_of("query_id")).unwrap_or_default();
    let body: Option<Value> =
        request.child.and_then(Read::body).and_then(|body| serde_json::from_slice(body).ok());
    let form = world.account(request.from.account).switches.mex_form;
    if let MexForm::Error(code) = form {
        return refused(code, "the answer is an error, as this account was told to get");
    }
    let Some((_, field, operation)) = OPERATIONS.iter().find(|(numbers, ..)| numbers.contains(&&*number))
    else {
        tracing::info!("{} asks a mex operation that is not played: {number}", world.who(request.from));
        return refused(400, "no persisted query with this doc_id is played here");
    };
    let variables = body.as_ref().map(|body| &body["variables"]).filter(|variables| variables.is_object());
    let Some(variables) = variables else { return refused(400, "variables must be an object") };
    match operation(world, request, variables) {
        Err((code, words)) => refused(code, words),
        Ok(mut value) => {
            numbers_as(form, &mut value);
            let json = json!({ "data": { *field: value } }).to_string();
            let result = el("result").bytes(json.into_bytes());
            Answer::one(if form == MexForm::Argo { result.attr("format", "argo") } else { result })
        }
    }
}

fn refused(code: u32, words: &str) -> Answer {
    let extensions = json!({ "error_code": code, "is_summary": true, "is_retryable": false });
    let json = json!({ "data": null, "errors": [{ "message": words, "extensions": extensions }] });
    Answer::one(el("result").bytes(json.to_string().into_bytes()))
}

/// Numbers come as such or as text, as the service does now and then.
fn numbers_as(form: MexForm, value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| numbers_as(form, field)),
        Value::Array(items) => items.iter_mut().for_each(|item| numbers_as(form, item)),
        Value::Number(number) if form == MexForm::Strings => *value = Value::String(number.to_string()),
        Value::String(text) if form == MexForm::Numbers => {
            if let Ok(number) = text.parse::<u64>() {
                *value = number.into();
            }
        }
        _ => {}
    }
}

fn time_lock(world: &mut World, request: &Request<'_>, _: &Value) -> Played {
    Ok(world.account(request.from.account).new_chats.lock_json(world.now_s()))
}

fn cap(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    if !matches!(
        variables["input"]["type"].as_str(),
        Some("INDIVIDUAL_NEW_CHAT_THREAD" | "INDIVIDUAL_NEW_CHAT_MSG")
    ) {
        return Err((400, "input.type is no kind of new chat"));
    }
    Ok(world.account(request.from.account).new_chats.cap_json(world.now_s()))
}

fn set_about(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    let Some(input) = variables["input"].as_object() else { return Err((400, "input must be an object")) };
    let text = input.get("text").and_then(Value::as_str).unwrap_or_default();
    world.change_about(request.from.account, Some(request.from), text);
    Ok(json!({ "result": "SUCCESS" }))
}

fn about(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    let user = variables["user"]["user_id"].as_str().and_then(|user| user.parse::<u64>().ok());
    let account = user.and_then(|user| world.find_pn(user).or_else(|| world.find(&Jid::lid(user))));
    let account = account.map(|account| world.account(account));
    let shown = account.filter(|account| account.shows("status", request.from.account));
    let updates: Vec<Value> = shown
        .filter(|account| !account.about.0.is_empty())
        .map(|it| json!({ "text": it.about.0 }))
        .into_iter()
        .collect();
    Ok(json!([{ "updates": updates }]))
}

fn username(world: &mut World, request: &Request<'_>, _: &Value) -> Played {
    let own = world.account(request.from.account).username.as_ref().ok_or((404, "no username"))?;
    Ok(json!({ "username_info": { "username": own.name, "state": "ACTIVE", "pin": own.key } }))
}

fn check_username(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    let wanted = variables["input"].as_str().ok_or((400, "input must be a name"))?;
    let free = world.find_username(wanted).is_none_or(|owner| owner == request.from.account);
    Ok(json!({ "result": if free { "SUCCESS" } else { "UNAVAILABLE" }, "suggestions": [] }))
}

/// Without a name the username is given up.
fn set_username(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    let own = request.from.account;
    let key = world.account(own).username.as_ref().and_then(|own| own.key.clone());
    let wanted = variables["input"].as_str().map(|name| Username { name: name.to_owned(), key });
    let done = world.set_username(world.now_ms, own, wanted);
    Ok(json!({ "result": if done { "SUCCESS" } else { "UNAVAILABLE" } }))
}

fn set_username_key(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    let key =
        variables["pin"].as_str().filter(|pin| pin.len() == 4 && pin.bytes().all(|it| it.is_ascii_digit()));
    let key = key.ok_or((400, "pin must be four digits"))?.to_owned();
    let own = world.account_mut(request.from.account).username.as_mut().ok_or((404, "no username"))?;
    own.key = Some(key);
    Ok(json!({ "result": "SUCCESS" }))
}

/// The community that a member asks about.
fn community(world: &World, request: &Request<'_>, given: &Value) -> Result<u64, (u32, &'static str)> {
    let digits = given.as_str().and_then(|text| text.split('@').next()?.parse().ok());
    let group = digits.and_then(|id| world.find_group(&Jid::numbered(id, Server::Group)));
    let group = group.ok_or((404, "no such group"))?;
    if group.parent.is_none() {
        return Err((400, "the group is no community"));
    }
    group.role(request.from.account).map(|_| group.id).ok_or((403, "the group is not yours"))
}

fn sub_groups(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    let id = community(world, request, &variables["group_id"])?;
    let linked = || world.groups().filter(|group| group.linked_parent == Some(id));
    let subject =
        |group: &crate::group::Group| json!({ "value": group.subject.0, "creation_time": group.created });
    let edges: Vec<Value> = linked()
        .filter(|group| !group.default_sub_group)
        .map(|group| {
            json!({ "node": {
                "id": group.jid().to_string(),
                "subject": subject(group),
                "properties": {
                    "general_chat": group.settings.contains_key("general_chat"),
                    "hidden_group": false,
                    "membership_approval_mode_enabled": group.approval,
                },
                "membership_approval_requests": { "total_count": group.requests.len() },
                "total_participants_count": group.members.len(),
            } })
        })
        .collect();
    let default = linked().find(|group| group.default_sub_group);
    let default = default.map(|group| json!({ "id": group.jid().to_string(), "subject": subject(group) }));
    let jid = Jid::numbered(id, Server::Group).to_string();
    Ok(json!({ "id": jid, "default_sub_group": default, "sub_groups": { "edges": edges } }))
}

fn sub_group_sizes(world: &mut World, request: &Request<'_>, variables: &Value) -> Played {
    let id = community(world, request, &variables["input"]["group_jid"])?;
    let linked = world.groups().filter(|group| group.linked_parent == Some(id));
    let edges: Vec<Value> = linked
        .map(|group| {
            let count = group.members.len();
            json!({ "node": { "id": group.jid().to_string(), "total_participants_count": count } })
        })
        .collect();
    let jid = Jid::numbered(id, Server::Group).to_string();
    Ok(json!({ "id": jid, "sub_groups": { "edges": edges } }))
}
