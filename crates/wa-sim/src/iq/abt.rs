//! `abt`: AB props (chapter 09d §12).

use super::{Answer, Request, unknown};
use crate::stanza::{Read, el};
use crate::world::World;

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(asked) = request.child.filter(|child| child.is("props")) else { return unknown(world, request) };
    let props = &world.account(request.from.account).props;
    let text: String = props.iter().map(|(code, value)| format!("{code}={value};")).collect();
    let hash = hex::encode(&wa_crypto::digest::sha256(&[text.as_bytes()])[..8]);
    let known = asked.attr_is("hash", &hash);
    let props = props
        .iter()
        .filter(|_| !known)
        .map(|(code, value)| el("prop").attr("config_code", *code).attr("config_value", value));
    let answer = el("props")
        .attr("protocol", "1")
        .attr("ab_key", "sim")
        .attr("hash", hash)
        .attr("refresh", 86_400_u32)
        .attr("refresh_id", asked.number_of("refresh_id").unwrap_or(0) + 1)
        .attr("delta_update", if known { "true" } else { "false" })
        .children(props);
    Answer::one(answer)
}
