//! `w:m`: the media hosts and the token for uploads (chapter 06 §1).

use super::{Answer, Request, unknown};
use crate::stanza::el;
use crate::world::World;

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    if request.child.is_none_or(|child| !child.is("media_conn")) {
        return unknown(world, request);
    }
    let hosts = world.media_hosts.iter().enumerate().map(|(place, host)| {
        el("host").attr("hostname", host).attr("type", if place == 0 { "primary" } else { "fallback" })
    });
    let conn = el("media_conn")
        .attr("auth", world.media_auth())
        .attr("ttl", world.media.ttl_s.0)
        .attr("auth_ttl", world.media.ttl_s.1)
        .attr("max_buckets", 12_u32)
        .attr("max_manual_retry", 3_u32)
        .attr("max_auto_download_retry", 3_u32)
        .children(hosts);
    Answer::one(conn)
}
