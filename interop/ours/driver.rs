//! Our own client as a participant of `interop/matrix`: commands as lines of JSON on stdin, what it saw as lines of
//! JSON on stdout, like the strangers' drivers beside it. An example of the main workspace, so that it is built with
//! the crates as they are. Arguments: host:port, root key in hex, SQLite file.
#![allow(clippy::print_stdout)]

mod content;

use std::collections::HashMap;
use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use wa_client::broadcasts::BroadcastList;
use wa_client::calls::{CallEvent, CallState};
use wa_client::events::{Event, EventStream, Kind};
use wa_client::health::Status;
use wa_client::linking::CodeOptions;
use wa_client::messages::content::{MediaKind, Target};
use wa_client::messages::sending::SendReport;
use wa_client::messages::types::{ReceiptKind, ReceivedMessage};
use wa_client::status::Audience;
use wa_client::{Client, Jid, RootCa};
use wa_store::{SqliteStore, Store};

use content::{Known, composed};

/// How long the end of a connection may take.
const GOODBYE: Duration = Duration::from_secs(5);

/// No file of the suite is larger.
const LARGEST_FILE: u64 = 1 << 20;

/// What came, by its id: what replies quote, read receipts name and refusals refuse.
#[derive(Default)]
struct Came {
    messages: HashMap<String, ReceivedMessage>,
    calls: HashMap<String, CallEvent>,
}

type Seen = Arc<Mutex<Came>>;

struct Driver {
    store: Store,
    url: tokio_tungstenite::tungstenite::http::Uri,
    root: RootCa,
    seen: Seen,
    /// Names of own messages by their id.
    sent: HashMap<String, Target>,
    running: Option<(Client, JoinHandle<()>)>,
}

fn say(event: &str, mut fields: Value) {
    fields["event"] = json!(event);
    println!("{fields}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, root, file] = &arguments[..] else { bail!("usage: driver HOST:PORT ROOT FILE") };
    let key: [u8; 32] = hex::decode(root)?.try_into().ok().context("the root is not 32 bytes")?;
    let mut driver = Driver {
        store: SqliteStore::open(file).await?,
        url: format!("ws://{address}/ws/chat").parse()?,
        root: RootCa::new(key, 0),
        seen: Seen::default(),
        sent: HashMap::new(),
        running: None,
    };
    let (give, mut commands) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if give.send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = commands.recv().await {
        let command: Value = serde_json::from_str(&line)?;
        let answer = driver.run(&command).await;
        let (event, mut fields) = match answer {
            Ok(fields) => ("done", fields),
            Err(error) => ("failed", json!({ "error": format!("{error:#}") })),
        };
        fields["n"] = command["n"].clone();
        fields["cmd"] = command["cmd"].clone();
        say(event, fields);
    }
    Ok(())
}

impl Driver {
    async fn run(&mut self, command: &Value) -> Result<Value> {
        match text(command, "cmd")? {
            "connect" => {
                let (client, events) = Client::builder(self.store.account("main"))
                    .url(self.url.clone())
                    .root(self.root)
                    .connect()
                    .await?;
                let listening = tokio::spawn(listen(client.clone(), events, Arc::clone(&self.seen)));
                self.running = Some((client, listening));
            }
            "pair_code" => {
                let code =
                    self.client()?.linking().code(text(command, "phone")?, CodeOptions::default()).await?;
                say("code", json!({ "code": code.to_string() }));
            }
            "send" => {
                let kind = command["kind"].as_str().unwrap_or("text");
                let uploaded_as = match kind {
                    "edit" => Some(MediaKind::Image),
                    "sticker-pack" => Some(MediaKind::StickerPack),
                    _ => None,
                };
                let uploaded = match (uploaded_as, command["path"].as_str()) {
                    (Some(kind), Some(path)) => Some(self.client()?.media().upload(kind, path).await?),
                    _ => None,
                };
                let message = composed(kind, command, uploaded, self)?;
                let to: Jid = text(command, "to")?.parse()?;
                let client = self.client()?;
                let audience = || -> Result<Vec<Jid>> {
                    let people = command["audience"].as_array().context("no audience")?.iter();
                    Ok(people.filter_map(Value::as_str).map(str::parse).collect::<Result<_, _>>()?)
                };
                let sending = if to.is_status() {
                    client.status().post(message, Audience::Only(audience()?)).await?
                } else if to.is_broadcast_list() {
                    client.broadcasts().send(&BroadcastList::new(to.clone(), audience()?), message).await?
                } else {
                    client.messages().send(&to, message).await?
                };
                let id = sending.id.to_string();
                match sending.await {
                    SendReport::Accepted(_) => {
                        let target = Target::new(id.as_str(), to, None, true);
                        self.sent.insert(id.clone(), target);
                        return Ok(json!({ "id": id }));
                    }
                    other => bail!("{other:?}"),
                }
            }
            "group_create" => {
                let subject = text(command, "subject")?;
                let members = command["members"].as_array().context("no members")?;
                let members: Vec<Jid> =
                    members.iter().filter_map(|member| member.as_str()?.parse().ok()).collect();
                let created = self.client()?.groups().create(subject, &members).await?;
                return Ok(json!({ "jid": created.group.jid.to_string() }));
            }
            "reject" => {
                let call =
                    self.seen.lock().calls.get(text(command, "call")?).cloned().context("no such call")?;
                self.client()?.calls().reject(&call)?;
            }
            "read" => {
                let keys = command["keys"].as_array().context("no keys")?;
                for key in keys {
                    let message = self.received(text(key, "id")?)?;
                    self.client()?.mark_read(&[&message])?;
                }
            }
            "disconnect" => {
                let (client, listening) = self.running.take().context("not connected")?;
                client.shutdown(GOODBYE).await;
                // The stream ends once everything was taken, and so acknowledged.
                listening.await?;
            }
            other => bail!("unknown command {other:?}"),
        }
        Ok(json!({}))
    }

    fn client(&self) -> Result<&Client> {
        Ok(&self.running.as_ref().context("not connected")?.0)
    }
}

impl Known for Driver {
    fn received(&self, id: &str) -> Result<ReceivedMessage> {
        self.seen.lock().messages.get(id).cloned().with_context(|| format!("no message {id} was received"))
    }

    fn target(&self, id: &str) -> Result<Target> {
        match self.sent.get(id) {
            Some(own) => Ok(own.clone()),
            None => Ok(Target::from(&self.received(id)?)),
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str> {
    value[key].as_str().with_context(|| format!("no {key}"))
}

async fn listen(client: Client, mut events: EventStream, seen: Seen) {
    let mut open = false;
    while let Some(event) = events.next().await {
        if let Kind::Health(health) = &event.kind {
            let was_open = std::mem::replace(&mut open, health.status == Status::Online);
            match client.me() {
                Some(me) if open && !was_open => {
                    say(
                        "open",
                        json!({ "jid": me.pn.as_ref().map(Jid::to_string), "lid": me.lid.as_ref().map(Jid::to_string) }),
                    );
                }
                _ => say("health", json!({ "status": health.to_string() })),
            }
        }
        told(&client, &event, &seen).await;
    }
    say("close", json!({}));
}

async fn told(client: &Client, event: &Event, seen: &Seen) {
    match &event.kind {
        Kind::LinkingQr(qr) => say("qr", json!({ "code": qr.url() })),
        Kind::Linked(me) => say("paired", json!({ "jid": me.to_string() })),
        Kind::Undecryptable { chat, id, .. } => {
            say("undecryptable", json!({ "id": id, "chat": chat.jid.to_string() }));
        }
        Kind::Message(message) => {
            seen.lock().messages.insert(message.id.to_string(), (**message).clone());
            let mut fields = shown(message, event);
            if message.content.media().is_some() {
                match client.media().download(&**message).to_bytes(LARGEST_FILE).await {
                    Ok(bytes) => {
                        fields["length"] = json!(bytes.len());
                        fields["sha256"] = json!(hex::encode(Sha256::digest(&bytes)));
                    }
                    Err(error) => fields["why"] = json!(error.to_string()),
                }
            }
            say("message", fields);
        }
        Kind::Call(call) => {
            let what = match call.action {
                CallState::Offered => "offer",
                CallState::Rejected(_) => "reject",
                _ => "other",
            };
            say(
                "call",
                json!({ "call": call.call.as_str(), "from": call.creator.to_string(), "what": what }),
            );
            seen.lock().calls.insert(call.call.to_string(), call.clone());
        }
        Kind::Receipt(receipt) => {
            let what = match receipt.kind {
                ReceiptKind::Delivered => "delivered",
                ReceiptKind::Read => "read",
                _ => "other",
            };
            for id in &receipt.ids {
                let user = receipt.by.jid().map(Jid::to_string);
                let chat = receipt.chat.jid.to_string();
                say("receipt", json!({ "id": id.as_str(), "chat": chat, "user": user, "what": what }));
            }
        }
        _ => {}
    }
}

fn shown(message: &ReceivedMessage, event: &Event) -> Value {
    let sender = message.sender.jid().map(Jid::to_string);
    let mut fields = json!({
        "id": message.id.as_str(), "chat": message.chat.jid.to_string(), "from_me": message.from_me,
        "sender": sender, "name": message.push_name.as_deref(), "delivery": format!("{:?}", event.delivery),
    });
    if let Some(fields) = fields.as_object_mut() {
        fields.extend(content::shown(message));
    }
    fields
}
