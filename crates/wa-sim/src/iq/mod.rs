//! Requests and their answers, one file for each namespace (chapters 09, 10 §2.4). Silence is a bug: what is not known
//! is answered 501.

mod abt;
pub(crate) mod app_state;
mod blocklist;
mod encrypt;
pub(crate) mod kept;
mod md;
mod media;
mod mex;
mod picture;
mod privacy;
mod small;
mod status;
mod usync;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use wa_binary::{Jid, Node};

use crate::group;
use crate::route;
use crate::stanza::{Read, el, error, error_text};
use crate::watch::Rule;
use crate::world::{DeviceKey, Origin, World};

/// What follows an answer.
type After = Box<dyn FnOnce(&mut World)>;

/// What an iq is answered with, and what follows the answer.
pub(crate) struct Answer {
    outcome: Result<Vec<Node>, (u32, &'static str)>,
    timed: bool,
    after: Option<After>,
}

impl Answer {
    /// An empty result.
    pub(crate) fn empty() -> Self {
        Self::result(Vec::new())
    }

    /// A result with one child.
    pub(crate) fn one(child: Node) -> Self {
        Self::result(vec![child])
    }

    /// A result.
    pub(crate) fn result(children: Vec<Node>) -> Self {
        Self { outcome: Ok(children), timed: false, after: None }
    }

    /// An error with the usual text.
    pub(crate) fn error(code: u32) -> Self {
        Self { outcome: Err((code, error_text(code))), timed: false, after: None }
    }

    /// The result carries `t`.
    pub(crate) fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// What happens once the answer is written: answers leave before deliveries.
    pub(crate) fn after(mut self, then: impl FnOnce(&mut World) + 'static) -> Self {
        self.after = Some(Box::new(then));
        self
    }
}

/// A request of a device.
pub(crate) struct Request<'a> {
    /// Who asks.
    pub(crate) from: DeviceKey,
    /// The same, with its connection.
    pub(crate) origin: Origin,
    /// The whole iq.
    pub(crate) iq: &'a Arc<Node>,
    /// `type="set"`.
    pub(crate) set: bool,
    /// The first child, if any.
    pub(crate) child: Option<&'a Node>,
}

type Handler = fn(&mut World, &Request<'_>) -> Answer;

/// Namespaces.
const NAMESPACES: [(&str, Handler); 26] = [
    ("abt", abt::handle),
    ("blocklist", blocklist::handle),
    ("bot", small::bot),
    ("disappearing_mode", small::disappearing_mode),
    ("encrypt", encrypt::handle),
    ("fbid:devices", usync::fbid_devices),
    ("md", md::handle),
    ("passive", small::passive),
    ("privacy", privacy::handle),
    ("spam", kept::spam),
    ("status", status::handle),
    ("tos", kept::tos),
    ("urn:xmpp:ping", small::ping),
    ("urn:xmpp:whatsapp:account", small::account),
    ("urn:xmpp:whatsapp:dirty", small::dirty),
    ("urn:xmpp:whatsapp:push", kept::push),
    ("usync", usync::handle),
    ("w:biz", small::biz),
    ("w:g2", group::handle),
    ("w:m", media::handle),
    ("w:mex", mex::handle),
    ("w:p", small::ping),
    ("w:profile:picture", picture::handle),
    ("w:qr", small::contact_link),
    ("w:stats", small::discard),
    ("w:sync:app:state", app_state::handle),
];

/// Answers an iq, or takes the answer to one of the server's.
pub(crate) fn route(world: &mut World, origin: Origin, iq: &Arc<Node>) {
    let kind = iq.text_of("type").unwrap_or_default();
    if kind == "result" || kind == "error" {
        return route::answered(world, origin, iq);
    }
    let to = iq.jid_of("to").unwrap_or(Jid::SERVER);
    let Some(id) = iq.text_of("id").filter(|id| !id.is_empty()) else {
        world.report_origin(origin, Rule::MissingId, "<iq>".to_owned());
        let refused = el("iq").attr("from", to).attr("type", "error").child(error(400, error_text(400)));
        return world.answer(origin, refused);
    };
    if let Some(conn) = origin.conn {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        if world.iq_id_is_used(conn, hasher.finish()) {
            world.report_origin(origin, Rule::IdReused, format!("iq id {id}"));
        }
    }
    let answer = if kind == "get" || kind == "set" {
        answer(world, origin, iq, kind == "set")
    } else {
        world.report_origin(origin, Rule::Malformed, format!("<iq type=\"{kind}\">"));
        Answer::error(400)
    };
    let now_s = world.now_s();
    let reply = el("iq").attr("from", to).attr("id", id);
    let reply = match answer.outcome {
        Ok(children) => {
            let reply = if answer.timed { reply.attr("t", now_s) } else { reply };
            reply.attr("type", "result").children(children)
        }
        Err((code, text)) => reply.attr("type", "error").child(error(code, text)),
    };
    world.answer(origin, reply);
    if let Some(after) = answer.after {
        after(world);
    }
}

/// A request of a phone, which has no connection: what the result holds, or the code of the error.
pub(crate) fn ask(world: &mut World, from: DeviceKey, iq: Node) -> Result<Vec<Node>, u32> {
    let origin = Origin { device: Some(from), conn: None };
    let Answer { outcome, after, .. } = answer(world, origin, &Arc::new(iq), true);
    if let Some(after) = after {
        after(world);
    }
    outcome.map_err(|(code, _)| code)
}

fn answer(world: &mut World, origin: Origin, iq: &Arc<Node>, set: bool) -> Answer {
    let xmlns = iq.text_of("xmlns").unwrap_or_default();
    let child = iq.kids().first();
    let Some(from) = origin.device else {
        return match (xmlns.as_str(), origin.conn) {
            ("w:p" | "urn:xmpp:ping", _) => Answer::empty().timed(),
            ("md", Some(conn)) => md::registering(world, conn, child),
            _ => {
                world.report_origin(origin, Rule::UnknownIq, format!("{xmlns} before the link"));
                Answer::error(405)
            }
        };
    };
    let request = Request { from, origin, iq, set, child };
    match NAMESPACES.iter().find(|(name, _)| *name == xmlns) {
        Some((_, handler)) => handler(world, &request),
        None => unknown(world, &request),
    }
}

/// 501, and a violation: a client asks for what nobody knows, or for what this simulator does not do.
pub(crate) fn unknown(world: &mut World, request: &Request<'_>) -> Answer {
    let xmlns = request.iq.text_of("xmlns").unwrap_or_default();
    let child = request.child.map_or("", Node::tag);
    // Known to the live service, not played here: no fault of the client's.
    let known = matches!(xmlns.as_str(), "newsletter" | "w:biz:catalog" | "fb:thrift_iq" | "w:g2");
    if !known {
        world.report_origin(request.origin, Rule::UnknownIq, format!("{xmlns} <{child}>"));
    }
    tracing::info!("{} asks what is not played: {xmlns} <{child}>, 501", world.who(request.from));
    Answer::error(501)
}
