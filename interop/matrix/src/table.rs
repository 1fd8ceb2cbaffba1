//! The kinds of messages that cross between the clients: what is sent, and what must arrive. A new kind is one row here
//! and its words in the drivers (`content.mjs`, `content.go`, `content.rs`).

use serde_json::{Value, json};

use crate::samples::Sample;
use crate::stranger::Kind;

/// Where a row is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chat {
    Direct,
    Group,
    Status,
    List,
}

/// The earlier message that a row is about, by the name of its row.
#[derive(Debug, Clone, Copy)]
pub enum About {
    /// One that the sender sent.
    Own(&'static str),
    /// One that the other side sent.
    Theirs(&'static str),
}

/// A client that has no part in a row, and why.
pub struct Apart {
    pub client: Kind,
    pub role: Role,
    pub why: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Sends,
    Receives,
}

/// A message that is sent in both directions. In its fields `$about` is the id of the message that it is about, `$to`
/// and `$from` are the numbers' addresses.
pub struct Row {
    pub chat: Chat,
    pub name: &'static str,
    /// What the drivers call it.
    pub kind: &'static str,
    pub fields: Value,
    pub about: Option<About>,
    pub file: Option<Sample>,
    /// Where it arrives as something else than it was sent.
    pub arrives: Value,
    pub apart: Vec<Apart>,
    /// Only for who has made the group.
    pub by_admin: bool,
}

fn row(name: &'static str, kind: &'static str, fields: Value) -> Row {
    let (about, file, arrives, apart) = (None, None, json!({}), Vec::new());
    Row { chat: Chat::Direct, name, kind, fields, about, file, arrives, apart, by_admin: false }
}

impl Row {
    fn own(self, row: &'static str) -> Self {
        Self { about: Some(About::Own(row)), ..self }
    }

    fn theirs(self, row: &'static str) -> Self {
        Self { about: Some(About::Theirs(row)), ..self }
    }

    fn file(self, file: Sample) -> Self {
        Self { file: Some(file), ..self }
    }

    fn arrives(self, arrives: Value) -> Self {
        Self { arrives, ..self }
    }

    fn apart(mut self, client: Kind, role: Role, why: &'static str) -> Self {
        self.apart.push(Apart { client, role, why });
        self
    }

    fn unsent(self, client: Kind, why: &'static str) -> Self {
        self.apart(client, Role::Sends, why)
    }

    fn by_admin(self) -> Self {
        Self { by_admin: true, ..self }
    }

    fn within(self, chat: Chat) -> Self {
        Self { chat, ..self }
    }
}

const NO_VOTE: &str = "Baileys opens votes and event responses, but does not seal them";
const NO_COMMENT: &str = "Baileys knows neither comments nor encrypted reactions";
const NOT_HERE: &str = "`wa-client` reads encrypted reactions, but sends plain ones";
pub const NO_ADMIN: &str = "the group was made by the other client, which is its only admin";
const NO_PACK: &str = "Baileys knows no sticker packs";
const NO_LIST: &str = "Baileys and whatsmeow do not send to broadcast lists";
const RECEIVED: &str =
    "`wa-client` only receives it; both strangers send the protobuf message as it stands in the schema";
const NO_ASKER: &str =
    "`wa-client` receives buttons and lists, but does not send them: the live service refuses them";

/// The rows, in the order in which they are played.
pub fn rows() -> Vec<Row> {
    let mut rows = texts();
    rows.extend(files());
    rows.extend(about_others());
    rows.extend(cards());
    rows.extend(buttons());
    rows.extend(received());
    rows.extend(group());
    rows.extend(status());
    rows.extend(list());
    rows
}

fn texts() -> Vec<Row> {
    let link = json!({
        "text": "look: https://example.com/tea", "link": "https://example.com/tea", "title": "Tea",
        "description": "All about tea",
    });
    vec![
        row("text", "text", json!({ "text": "hello" })),
        row(
            "reply with a mention",
            "text",
            json!({ "text": "hello @you", "quote": "$about", "mentions": ["$to"] }),
        )
        .theirs("text"),
        row("link preview", "text", link),
        row("forwarded text", "forward", json!({}))
            .theirs("text")
            .arrives(json!({ "kind": "text", "text": "hello", "forwarded": 1 })),
        row("text that disappears", "text", json!({ "text": "soon gone", "expires": 604_800 })),
        row("disappearing messages on", "disappearing", json!({ "seconds": 604_800 })),
        row("disappearing messages off", "disappearing", json!({ "seconds": 0 })),
    ]
}

fn files() -> Vec<Row> {
    let waveform = "0a14".repeat(32);
    vec![
        row("image", "image", json!({ "text": "a picture" })).file(Sample::Jpeg),
        row("view-once image", "image", json!({ "text": "once", "view_once": true })).file(Sample::Jpeg),
        row("edited caption", "edit", json!({ "target": "$about", "text": "another picture" }))
            .own("image")
            .file(Sample::Jpeg),
        row("reply to an image", "text", json!({ "text": "nice", "quote": "$about" })).theirs("image"),
        row("forwarded image", "forward", json!({})).theirs("image").arrives(json!({
            "kind": "image", "text": "a picture", "forwarded": 1, "sha256": Sample::Jpeg.sha256(),
        })),
        row("video", "video", json!({ "text": "a film", "seconds": 3 })).file(Sample::Mp4),
        row("view-once video", "video", json!({ "seconds": 3, "view_once": true })).file(Sample::Mp4),
        row("GIF", "gif", json!({ "seconds": 2 })).file(Sample::Mp4),
        row("round video", "round-video", json!({})).file(Sample::Mp4),
        row("audio", "audio", json!({ "seconds": 5 })).file(Sample::Mp3),
        row("voice note", "voice-note", json!({ "seconds": 4, "waveform": waveform })).file(Sample::Ogg),
        row("view-once voice note", "voice-note", json!({ "waveform": waveform, "view_once": true }))
            .file(Sample::Ogg),
        row("document", "document", json!({ "text": "to read", "file_name": "tea.pdf" })).file(Sample::Pdf),
        row("sticker", "sticker", json!({})).file(Sample::Webp),
        row("sticker pack", "sticker-pack", json!({ "name": "Leaves", "code": "pack-1", "text": "mine" }))
            .file(Sample::Zip)
            .arrives(json!({ "mime": null }))
            .unsent(Kind::Baileys, NO_PACK)
            .apart(Kind::Baileys, Role::Receives, NO_PACK),
        row("album", "album", json!({ "images": 2, "videos": 0 })),
        row("first image of an album", "image", json!({ "text": "one", "album": "$about" }))
            .own("album")
            .file(Sample::Jpeg),
        row("second image of an album", "image", json!({ "text": "two", "album": "$about" }))
            .own("album")
            .file(Sample::Jpeg),
    ]
}

fn about_others() -> Vec<Row> {
    let target = || json!({ "target": "$about" });
    vec![
        row("reaction", "reaction", json!({ "target": "$about", "text": "👍" })).theirs("text"),
        row("reaction taken back", "reaction", json!({ "target": "$about", "text": "" })).theirs("text"),
        row("edit", "edit", json!({ "target": "$about", "text": "hello again" })).own("text"),
        row("pin", "pin", json!({ "target": "$about", "seconds": 604_800 })).theirs("text"),
        row("unpin", "unpin", target()).theirs("text"),
        row("keep", "keep", target()).theirs("text that disappears"),
        row("keep undone", "unkeep", target()).theirs("text that disappears"),
        row("poll", "poll", poll(0)),
        row("poll with one choice", "poll", poll(1)),
        row("quiz", "poll", quiz()),
        row("vote", "vote", json!({ "target": "$about", "chosen": ["Tea", "Cocoa"] }))
            .theirs("poll")
            .unsent(Kind::Baileys, NO_VOTE),
        row("vote changed", "vote", json!({ "target": "$about", "chosen": ["Coffee"] }))
            .theirs("poll")
            .unsent(Kind::Baileys, NO_VOTE),
        row("vote taken back", "vote", json!({ "target": "$about", "chosen": [] }))
            .theirs("poll")
            .unsent(Kind::Baileys, NO_VOTE),
        row(
            "event",
            "event",
            json!({ "name": "Tea", "text": "Bring cups", "starts_at": 1_900_000_000, "place": "Kitchen" }),
        ),
        row("event response", "event-response", json!({ "target": "$about", "answer": "going" }))
            .theirs("event")
            .unsent(Kind::Baileys, NO_VOTE),
        row("revoke", "revoke", target()).own("link preview"),
    ]
}

fn poll(choices: u32) -> Value {
    json!({ "question": "What to drink?", "options": ["Tea", "Coffee", "Cocoa"], "choices": choices })
}

fn quiz() -> Value {
    let mut quiz = poll(1);
    quiz["quiz"] = json!("Coffee");
    quiz
}

fn cards() -> Vec<Row> {
    let ada = json!({ "name": "Ada Lovelace", "number": "15550101" });
    let bea = json!({ "name": "Bea Hopper", "number": "15550102" });
    vec![
        row("contact", "contact", json!({ "cards": [ada] })),
        row("contacts", "contacts", json!({ "cards": [ada, bea] })),
        row(
            "location",
            "location",
            json!({ "latitude": 52.52, "longitude": 13.405, "name": "Tea house", "address": "1 Leaf Lane" }),
        ),
        row(
            "live location",
            "live-location",
            json!({
                "latitude": 52.5, "longitude": 13.25, "text": "on my way", "accuracy": 12, "sequence": 3,
            }),
        ),
        row(
            "group invite",
            "group-invite",
            json!({
                "group": "120363041234567890@g.us", "code": "Q2hhbWI", "name": "Tea", "text": "Join us",
                "expires_at": 1_900_000_000,
            }),
        ),
        row("request for the phone number", "phone-number-request", json!({})),
        row("phone number shared", "phone-number", json!({})),
        row("advanced chat privacy", "limit-sharing", json!({ "on": true })),
    ]
}

fn buttons() -> Vec<Row> {
    let choices = json!([{ "id": "tea", "text": "Tea" }, { "id": "coffee", "text": "Coffee" }]);
    vec![
        row("buttons", "buttons", json!({ "text": "Which?", "buttons": choices }))
            .unsent(Kind::Ours, NO_ASKER),
        row("list", "list", json!({ "text": "Which?", "button": "Choose", "buttons": choices }))
            .unsent(Kind::Ours, NO_ASKER),
        row("button reply", "button-reply", json!({ "choice": "tea", "text": "Tea" })),
        row("list reply", "list-reply", json!({ "choice": "tea", "text": "Tea" })),
        row("template reply", "template-reply", json!({ "choice": "tea", "text": "Tea", "index": 1 })),
        row(
            "flow reply",
            "flow-reply",
            json!({ "choice": "order", "text": "Tea", "params": "{\"cups\":2}" }),
        ),
    ]
}

/// What linked devices do not send, or the live service takes from businesses only: only our side is at stake.
fn received() -> Vec<Row> {
    let only = |name, message: Value, mut arrives: Value| {
        arrives["message"] = Value::Null;
        row(name, "raw", json!({ "message": message }))
            .arrives(arrives)
            .unsent(Kind::Ours, RECEIVED)
            .apart(Kind::Baileys, Role::Receives, RECEIVED)
            .apart(Kind::Whatsmeow, Role::Receives, RECEIVED)
    };
    let channel = "120363041234567899@newsletter";
    let poll_wire =
        json!({ "name": "What to drink?", "options": [{ "optionName": "Tea" }, { "optionName": "Coffee" }] });
    let poll_read =
        json!({ "kind": "poll", "question": "What to drink?", "options": ["Tea", "Coffee"], "choices": 0 });
    vec![
        only("poll, second form", json!({ "pollCreationMessageV2": poll_wire }), poll_read.clone()),
        only(
            "poll, fourth form",
            json!({ "pollCreationMessageV4": { "message": { "pollCreationMessage": poll_wire } } }),
            poll_read,
        ),
        only(
            "text that disappears, older form",
            json!({ "ephemeralMessage": { "message": { "extendedTextMessage": {
                "text": "soon gone", "contextInfo": { "expiration": 86400 },
            } } } }),
            json!({ "kind": "text", "text": "soon gone", "expires": 86400 }),
        ),
        only(
            "live location, older form",
            json!({ "locationMessage": { "degreesLatitude": 52.5, "degreesLongitude": 13.25, "isLive": true } }),
            json!({ "kind": "live-location", "latitude": 52.5, "longitude": 13.25 }),
        ),
        only(
            "message for the phone alone",
            json!({ "placeholderMessage": { "type": 0 } }),
            json!({ "kind": "placeholder" }),
        ),
        only(
            "template",
            json!({ "templateMessage": { "hydratedTemplate": {
                "hydratedTitleText": "Tea", "hydratedContentText": "Which?", "hydratedFooterText": "hot",
                "hydratedButtons": [
                    { "index": 0, "quickReplyButton": { "displayText": "Tea", "id": "tea" } },
                    { "index": 1, "urlButton": { "displayText": "More", "url": "https://example.com/tea" } },
                ],
            } } }),
            json!({
                "kind": "template", "title": "Tea", "text": "Which?", "footer": "hot",
                "buttons": [{ "id": "tea", "text": "Tea" }, { "id": "https://example.com/tea", "text": "More" }],
            }),
        ),
        only(
            "native flow",
            json!({ "interactiveMessage": {
                "header": { "title": "Tea" }, "body": { "text": "Which?" }, "footer": { "text": "hot" },
                "nativeFlowMessage": { "buttons": [{
                    "name": "quick_reply", "buttonParamsJson": "{\"display_text\":\"Tea\",\"id\":\"tea\"}",
                }] },
            } }),
            json!({ "kind": "interactive", "title": "Tea", "text": "Which?", "footer": "hot" }),
        ),
        only(
            "product",
            json!({ "productMessage": {
                "product": {
                    "productId": "42", "title": "Teapot", "description": "Blue", "currencyCode": "EUR",
                    "priceAmount1000": 12500,
                },
                "businessOwnerJid": "$from", "body": "Look",
            } }),
            json!({
                "kind": "product", "choice": "42", "title": "Teapot", "description": "Blue", "currency": "EUR",
                "price": 12500, "text": "Look", "business": "$from",
            }),
        ),
        only(
            "order",
            json!({ "orderMessage": {
                "orderId": "O1", "itemCount": 2, "orderTitle": "Tea", "message": "Two, please", "sellerJid": "$to",
                "token": "T1", "totalAmount1000": 9000, "totalCurrencyCode": "EUR",
            } }),
            json!({
                "kind": "order", "choice": "O1", "title": "Tea", "text": "Two, please", "items": 2, "price": 9000,
                "currency": "EUR",
            }),
        ),
        only(
            "invitation to administrate a channel",
            json!({ "newsletterAdminInviteMessage": {
                "newsletterJid": channel, "newsletterName": "Leaves", "caption": "Help us",
                "inviteExpiration": 1_900_000_000,
            } }),
            json!({
                "kind": "channel-invite", "channel": channel, "name": "Leaves", "text": "Help us",
                "admin_until": 1_900_000_000,
            }),
        ),
        only(
            "invitation to follow a channel",
            json!({ "newsletterFollowerInviteMessageV2": {
                "newsletterJid": channel, "newsletterName": "Leaves", "caption": "Read us",
            } }),
            json!({
                "kind": "channel-invite", "channel": channel, "name": "Leaves", "text": "Read us", "admin_until": null,
            }),
        ),
        only(
            "result of a poll",
            json!({ "pollResultSnapshotMessage": {
                "name": "What to drink?",
                "pollVotes": [
                    { "optionName": "Tea", "optionVoteCount": 3 }, { "optionName": "Coffee", "optionVoteCount": 1 },
                ],
            } }),
            json!({ "kind": "poll-result", "question": "What to drink?", "counts": [["Tea", 3], ["Coffee", 1]] }),
        ),
        only(
            "planned call",
            json!({ "scheduledCallCreationMessage": {
                "scheduledTimestampMs": 1_900_000_000_000_u64, "callType": 1, "title": "Tea time",
            } }),
            json!({ "kind": "scheduled-call", "title": "Tea time", "at": 1_900_000_000_000_u64 }),
        ),
        only(
            "call log",
            json!({ "callLogMesssage": { "isVideo": true, "callOutcome": 1, "callType": 0 } }),
            json!({ "kind": "call-log", "outcome": "Missed", "video": true }),
        ),
        only(
            "request for money",
            json!({ "requestPaymentMessage": {
                "currencyCodeIso4217": "EUR", "amount1000": 4000,
                "noteMessage": { "extendedTextMessage": { "text": "for tea" } },
            } }),
            json!({ "kind": "payment", "what": "Requested", "price": 4000, "currency": "EUR", "text": "for tea" }),
        ),
        only(
            "label of a member",
            json!({ "protocolMessage": { "type": 30, "memberLabel": { "label": "Tea" } } }),
            json!({ "kind": "member-label", "text": "Tea" }),
        )
        .within(Chat::Group),
    ]
}

fn group() -> Vec<Row> {
    let rows = vec![
        row("text with a mention", "text", json!({ "text": "hello @you", "mentions": ["$to"] })),
        row("reply", "text", json!({ "text": "hello back", "quote": "$about" }))
            .theirs("text with a mention"),
        row("reaction", "reaction", json!({ "target": "$about", "text": "👍" }))
            .theirs("text with a mention"),
        row("mention of everyone", "text", json!({ "text": "hello @all", "everyone": true })),
        row("edit", "edit", json!({ "target": "$about", "text": "hello again" })).own("text with a mention"),
        row("poll", "poll", poll(0)),
        row("vote", "vote", json!({ "target": "$about", "chosen": ["Tea"] }))
            .theirs("poll")
            .unsent(Kind::Baileys, NO_VOTE),
        row("comment", "comment", json!({ "target": "$about", "text": "indeed" }))
            .theirs("text with a mention")
            .unsent(Kind::Baileys, NO_COMMENT)
            .apart(Kind::Baileys, Role::Receives, NO_COMMENT),
        row("encrypted reaction", "sealed-reaction", json!({ "target": "$about", "text": "🫖" }))
            .theirs("text with a mention")
            .arrives(json!({ "kind": "reaction" }))
            .unsent(Kind::Baileys, NO_COMMENT)
            .apart(Kind::Baileys, Role::Receives, NO_COMMENT)
            .unsent(Kind::Ours, NOT_HERE),
        row("image", "image", json!({ "text": "a picture" })).file(Sample::Jpeg),
        row("pin", "pin", json!({ "target": "$about", "seconds": 86_400 })).theirs("text with a mention"),
        row("revoke", "revoke", json!({ "target": "$about" })).own("reply"),
        row("revoke by an admin", "revoke", json!({ "target": "$about" })).theirs("image").by_admin(),
    ];
    rows.into_iter().map(|row| row.within(Chat::Group)).collect()
}

fn status() -> Vec<Row> {
    let rows = vec![
        row(
            "text with colours",
            "text",
            json!({ "text": "good morning", "background": 0xff12_3456_u32, "font": 2 }),
        ),
        row("image", "image", json!({ "text": "a picture" })).file(Sample::Jpeg),
    ];
    rows.into_iter().map(|row| row.within(Chat::Status)).collect()
}

fn list() -> Vec<Row> {
    let rows = vec![
        row("text", "text", json!({ "text": "to all of you" })),
        row("image", "image", json!({ "text": "a picture for all" })).file(Sample::Jpeg),
        row("edit", "edit", json!({ "text": "to each of you" })).own("text"),
        row("revoke", "revoke", json!({})).own("image"),
    ];
    let unsent = |row: Row| row.unsent(Kind::Baileys, NO_LIST).unsent(Kind::Whatsmeow, NO_LIST);
    rows.into_iter().map(|row| unsent(row.within(Chat::List))).collect()
}
