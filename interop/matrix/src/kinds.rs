//! Every row of `table.rs` crosses between two clients in both directions: what one of them sends is compared with what
//! the other prints, files by length and digest of what it decrypted.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::report::{Outcome, Outcomes};
use crate::sim::FIRST_DEVICE;
use crate::stranger::{Kind, Stranger};
use crate::table::{About, Chat, NO_ADMIN, Role, Row, rows};
use crate::{By, Scene};

/// The pairs that meet, as (first, second); the first one writes first.
pub const PAIRS: [(Kind, Kind); 3] =
    [(Kind::Baileys, Kind::Ours), (Kind::Ours, Kind::Whatsmeow), (Kind::Baileys, Kind::Whatsmeow)];

/// How long a message may take: everybody is there and knows the others.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ids of what was sent, by chat, row and sender.
type Ids = HashMap<(Chat, &'static str, usize), String>;

struct Meeting {
    sides: [Stranger; 2],
    /// What each of them calls the chat with the other.
    chats: [String; 2],
    group: String,
    ids: Ids,
}

impl Scene<'_> {
    /// Two clients meet and send each other everything.
    pub fn kinds(&mut self, one: Kind, other: Kind, outcomes: &mut Outcomes) -> Result<()> {
        let mut sides = [self.start(one, "a")?, self.start(other, "b")?];
        for side in &mut sides {
            self.link(side, By::Qr, None)?;
        }
        let [a, b] = &mut sides;
        let b_pn = b.pn.clone();
        let chat = |seen: &Value| seen["chat"].as_str().map(ToOwned::to_owned).context("no chat");
        let (_, seen) = self.text(a, b, &b_pn, "first contact")?;
        let at_b = chat(&seen)?;
        let (_, seen) = self.text(b, a, &at_b, "an answer")?;
        let chats = [chat(&seen)?, at_b];
        let group = a.run("group_create", json!({ "subject": "Kinds", "members": [b_pn] }))?;
        let group = group["jid"].as_str().context("no group")?.to_owned();
        let [a, b] = &mut sides;
        for (side, other) in [(&*a, &*b), (&*b, &*a)] {
            let contact = json!({ "chat": other.number(), "name": "A contact" });
            self.sim.post(&format!("accounts/{}/phone/contact", side.number()), &contact.to_string())?;
        }
        for side in [&mut *a, &mut *b] {
            side.patience = PATIENCE;
        }
        self.calls(a, b)?;
        self.calls(b, a)?;
        let admins = self.admins(&sides)?;
        let mut meeting = Meeting { sides, chats, group, ids: Ids::new() };
        let mut failed = 0;
        for (number, row) in rows().iter().enumerate() {
            for sender in [0, 1] {
                let direction = (meeting.sides[sender].kind, meeting.sides[1 - sender].kind);
                let outcome = match apart(row, direction, admins[sender]) {
                    Some(why) => Outcome::Apart(why),
                    None => match self.cross(&mut meeting, row, sender) {
                        Ok(()) => {
                            self.checks += 1;
                            Outcome::Proven
                        }
                        Err(error) => {
                            failed += 1;
                            let (from, to) = direction;
                            println!("  FAILED {} {} → {}: {error:#}", row.name, from.name(), to.name());
                            Outcome::Failed
                        }
                    },
                };
                outcomes.note(number, direction, outcome);
            }
        }
        ensure!(failed == 0, "{failed} messages did not arrive as they were sent");
        for side in &meeting.sides {
            ensure!(side.undecryptable() == 0, "{} could not decrypt everything", side.kind.name());
        }
        Ok(())
    }

    /// Which of two is an admin of their group: the simulator has one group.
    fn admins(&self, sides: &[Stranger; 2]) -> Result<[bool; 2]> {
        let groups = self.sim.get("groups")?;
        let members = groups["groups"][0]["members"].as_array().context("no members")?;
        let is_admin = |side: &Stranger| {
            let own = members.iter().find(|member| member["number"] == side.number());
            own.is_some_and(|own| own["role"] != "member")
        };
        let admins = [is_admin(&sides[0]), is_admin(&sides[1])];
        ensure!(admins[0] != admins[1], "one of them has made the group: {members:?}");
        Ok(admins)
    }

    /// One is called by the other and refuses. No client here makes calls, so the simulator rings.
    fn calls(&mut self, caller: &mut Stranger, called: &mut Stranger) -> Result<()> {
        let call = format!("CA11{}", called.number());
        let device = |side: &Stranger| format!("{}:{FIRST_DEVICE}@s.whatsapp.net", side.number());
        let offer = json!({
            "tag": "call",
            "attrs": { "id": format!("{call}-1"), "from": { "jid": device(caller) }, "t": "1764410000" },
            "children": [{
                "tag": "offer",
                "attrs": { "call-id": call, "call-creator": { "jid": device(caller) } },
                "children": [{ "tag": "audio", "attrs": { "enc": "opus", "rate": "16000" } }],
            }],
        });
        let path = format!("accounts/{}/devices/{FIRST_DEVICE}/send", called.number());
        self.sim.post(&path, &offer.to_string())?;
        let told =
            called.wait("the call", |line| line["event"] == "call" && line["call"] == call.as_str())?;
        ensure!(told["what"] == "offer", "the call is {}", told["what"]);
        called.run("reject", json!({ "call": call, "from": told["from"] }))?;
        caller.wait("the refusal", |line| {
            line["event"] == "call" && line["call"] == call.as_str() && line["what"] == "reject"
        })?;
        self.checked(&format!("{} refuses a call", called.kind.name()));
        Ok(())
    }

    fn cross(&self, meeting: &mut Meeting, row: &Row, sender: usize) -> Result<()> {
        let receiver = 1 - sender;
        let about = match row.about {
            None => None,
            Some(About::Own(name)) => Some((name, sender)),
            Some(About::Theirs(name)) => Some((name, receiver)),
        };
        let about = match about {
            None => None,
            Some((name, by)) => {
                let id = meeting.ids.get(&(row.chat, name, by));
                Some(id.with_context(|| format!("{name:?} was not sent"))?.clone())
            }
        };
        let [a, b] = &mut meeting.sides;
        let (from, to) = if sender == 0 { (a, b) } else { (b, a) };
        let word = |word: &str| match word {
            "$about" => about.clone(),
            "$from" => Some(from.pn.clone()),
            "$to" => Some(to.pn.clone()),
            _ => None,
        };
        let (fields, arrives) = (filled(&row.fields, &word), filled(&row.arrives, &word));
        let mut command = fields.clone();
        command["kind"] = json!(row.kind);
        command["target"] = json!(about);
        command["to"] = match row.chat {
            Chat::Direct => json!(meeting.chats[sender]),
            Chat::Group => json!(meeting.group),
            Chat::Status => {
                // One client takes its audience with every post, the others from their contacts.
                command["audience"] = json!([to.pn]);
                json!("status@broadcast")
            }
            Chat::List => {
                command["audience"] = json!([to.pn]);
                json!("1700000001@broadcast")
            }
        };
        let mut expected = fields;
        expected["kind"] = json!(row.kind);
        if let Some(quote) = expected.as_object_mut().and_then(|fields| fields.remove("quote")) {
            expected["quoted"] = quote;
        }
        if let Some(file) = row.file {
            command["path"] = json!(file.write(self.folder.path())?);
            command["mime"] = json!(file.mime());
            expected["mime"] = json!(file.mime());
            expected["sha256"] = json!(file.sha256());
            expected["length"] = json!(file.bytes().len());
        }
        for (key, value) in arrives.as_object().into_iter().flatten() {
            expected[key] = value.clone();
        }
        let sent = from.run("send", command)?;
        let id = sent["id"].as_str().context("no id")?.to_owned();
        meeting.ids.insert((row.chat, row.name, sender), id.clone());
        let line = to.wait(&format!("{} as {id}", row.name), |line| {
            line["event"] == "message" && line["id"] == id.as_str()
        })?;
        compared(&expected, &line)?;
        sensitive(&expected, &line)?;
        // Whose message it is about, from the receiver's point of view.
        if let (Some(mine), Some(about)) = (line["target_mine"].as_bool(), row.about) {
            ensure!(
                mine == matches!(about, About::Theirs(_)),
                "the target is taken for that of the wrong side"
            );
        }
        Ok(())
    }
}

/// Why a row is not played in a direction.
fn apart(row: &Row, (from, to): (Kind, Kind), is_admin: bool) -> Option<&'static str> {
    let is_apart = |client: Kind, role: Role| match role {
        Role::Sends => client == from,
        Role::Receives => client == to,
    };
    let reason = row.apart.iter().find(|apart| is_apart(apart.client, apart.role)).map(|apart| apart.why);
    reason.or((row.by_admin && !is_admin).then_some(NO_ADMIN))
}

/// The fields with every word that `of` knows replaced.
fn filled(fields: &Value, of: &impl Fn(&str) -> Option<String>) -> Value {
    match fields {
        Value::String(word) => of(word).map_or_else(|| fields.clone(), Value::String),
        Value::Array(items) => items.iter().map(|item| filled(item, of)).collect(),
        Value::Object(items) => items.iter().map(|(key, item)| (key.clone(), filled(item, of))).collect(),
        other => other.clone(),
    }
}

/// The comparison has seen every field: with any other value in one of them it would have failed.
fn sensitive(expected: &Value, line: &Value) -> Result<()> {
    for key in expected.as_object().into_iter().flatten().map(|(key, _)| key) {
        let mut other = expected.clone();
        other[key] = json!("something else");
        ensure!(compared(&other, line).is_err(), "another {key} would not be noticed");
    }
    Ok(())
}

/// Everything that is expected stands in the line.
fn compared(expected: &Value, line: &Value) -> Result<()> {
    for (key, value) in expected.as_object().into_iter().flatten() {
        let arrived = &line[key];
        let same = match (value.as_f64(), arrived.as_f64()) {
            // One prints 13.0 where another prints 13.
            (Some(one), Some(other)) => one.to_bits() == other.to_bits(),
            _ => value == arrived,
        };
        if !same {
            bail!("{key} is {arrived} instead of {value} in {line}");
        }
    }
    Ok(())
}
