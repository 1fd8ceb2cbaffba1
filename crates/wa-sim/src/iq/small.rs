//! Namespaces of a few lines each: modes, pings, dirty bits, bots, contact links, and those that are only acknowledged
//! (chapter 09d).

use super::{Answer, Request, unknown};
use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::World;

/// `passive`.
pub(super) fn passive(world: &mut World, request: &Request<'_>) -> Answer {
    let active = match request.child {
        Some(child) if child.is("active") => true,
        Some(child) if child.is("passive") => false,
        _ => return unknown(world, request),
    };
    let (from, conn) = (request.from, request.origin.conn);
    Answer::empty().after(move |world| {
        if let Some(conn) = conn {
            world.set_active(conn, from, active);
        }
    })
}

/// `w:p`, `urn:xmpp:ping`: the keepalive. The watch looks at the time between two (chapter 01 §11).
pub(super) fn ping(world: &mut World, request: &Request<'_>) -> Answer {
    const SHORTEST_MS: u64 = 10_000;
    if let Some(conn) = request.origin.conn
        && let Some(since) = world.note_ping(conn)
        && since < SHORTEST_MS
        && !world.config.load
    {
        world.report_origin(request.origin, Rule::Keepalive, format!("pings {since} ms apart"));
    }
    Answer::empty().timed()
}

/// `urn:xmpp:whatsapp:dirty`.
pub(super) fn dirty(world: &mut World, request: &Request<'_>) -> Answer {
    let own = request.from.account;
    for clean in request.iq.kids_of("clean") {
        let Some(kind) = clean.text_of("type") else { continue };
        let until = clean.number_of("timestamp").unwrap_or(u64::MAX);
        let dirty = &mut world.account_mut(own).dirty;
        if dirty.get(&kind).is_some_and(|set| *set <= until) {
            dirty.remove(&kind);
        }
    }
    Answer::empty()
}

/// Accepted and discarded: `w:stats`.
pub(super) fn discard(_: &mut World, _: &Request<'_>) -> Answer {
    Answer::empty()
}

/// `urn:xmpp:whatsapp:account`: for phones only; a companion gets an error (chapter 09d §14).
pub(super) fn account(_: &mut World, _: &Request<'_>) -> Answer {
    Answer::error(403)
}

/// `disappearing_mode`.
pub(super) fn disappearing_mode(world: &mut World, request: &Request<'_>) -> Answer {
    let (own, now_s) = (request.from.account, world.now_s());
    let Some(mode) = request.child.filter(|child| child.is("disappearing_mode")) else {
        return unknown(world, request);
    };
    if !request.set {
        let (duration, t) = world.account(own).disappearing;
        return Answer::one(el("disappearing_mode").attr("duration", duration).attr("t", t));
    }
    let duration = mode.number_of("duration").and_then(|duration| u32::try_from(duration).ok());
    let Some(duration @ (0 | 86_400 | 604_800 | 7_776_000)) = duration else { return Answer::error(400) };
    world.account_mut(own).disappearing = (duration, now_s);
    let from = request.from;
    Answer::empty().after(move |world| {
        let mode = el("disappearing_mode").attr("duration", duration).attr("t", now_s);
        world.account_sync(own, Some(from), &mode);
        let author = world.visible_jid(own);
        for viewer in world.audience(own, "last").into_iter().filter(|viewer| *viewer != own) {
            world.notify(viewer, None, |world, id| {
                crate::stanza::notification("disappearing_mode", &author, id, world.now_s())
                    .child(mode.clone())
            });
        }
    })
}

/// `w:biz`: profiles of business accounts.
pub(super) fn biz(world: &mut World, request: &Request<'_>) -> Answer {
    match request.child {
        Some(asked) if !request.set && asked.is("business_profile") => {
            let profiles =
                asked.kids_of("profile").filter_map(|profile| profile.jid_of("jid")).filter_map(|jid| {
                    let account = world.account(world.find(&jid)?);
                    account.switches.biz.then(|| {
                        el("profile")
                            .attr("jid", &jid)
                            .child(el("description").text(format!("{} (simulated)", account.name)))
                    })
                });
            let profiles: Vec<_> = profiles.collect();
            Answer::one(el("business_profile").attr("v", "244").children(profiles))
        }
        Some(asked) if !request.set && asked.is("verified_name") => {
            let account = asked.jid_of("jid").and_then(|jid| world.find(&jid));
            let business = account.filter(|account| world.account(*account).switches.biz);
            match business.and_then(|business| world.verified_name(business)) {
                Some(name) => Answer::one(name),
                None => Answer::empty(),
            }
        }
        _ => unknown(world, request),
    }
}

/// `bot`: a directory with one bot.
pub(super) fn bot(_: &mut World, _: &Request<'_>) -> Answer {
    let default = el("default").attr("jid", wa_binary::Jid::META_AI).attr("persona_id", "1");
    Answer::one(el("bot").attr("v", "2").child(default))
}

/// `w:qr`: contact links.
pub(super) fn contact_link(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(qr) = request.child.filter(|child| child.is("qr")) else { return unknown(world, request) };
    let own = request.from.account;
    if request.set {
        return Answer::one(el("qr").attr("code", format!("SIM{}", world.account(own).pn)));
    }
    let number = qr.text_of("code").and_then(|code| code.strip_prefix("SIM")?.parse::<u64>().ok());
    match number.and_then(|number| world.find_pn(number)) {
        Some(account) => {
            let account = world.account(account);
            Answer::one(
                el("qr")
                    .attr("jid", account.jid(wa_binary::Family::Pn))
                    .attr("type", "contact")
                    .attr("notify", account.name.as_str()),
            )
        }
        None => Answer::error(404),
    }
}
