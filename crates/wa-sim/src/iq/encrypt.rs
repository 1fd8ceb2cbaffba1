//! `encrypt`: pre-keys (chapters 02 §6, 04 §11, 10 §4).

use wa_binary::{Jid, Node};
use wa_core::prekeys::{DigestReply, PreKeyError, SignedKey, Upload};
use wa_crypto::curve::PublicKey;

use super::{Answer, Request, unknown};
use crate::offline::Class;
use crate::prekeys::{Level, Stock};
use crate::stanza::{Read, el, error, notification};
use crate::watch::Rule;
use crate::world::{Copy, DeviceKey, Timer, World};

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let children = request.iq.kids();
    let has = |tag: &str| children.iter().find(|child| child.is(tag));
    if request.set {
        if let Some(rotate) = has("rotate") {
            return self::rotate(world, request, rotate);
        }
        if has("list").is_some() {
            return upload(world, request);
        }
    } else if has("count").is_some() {
        let count = world.device(request.from).map_or(0, |device| device.keys.len());
        return Answer::one(el("count").attr("value", count));
    } else if has("digest").is_some() {
        return digest(world, request);
    } else if let Some(key) = has("key") {
        return fetch(world, request, key);
    } else if let Some(fetch) = has("key_fetch") {
        return fetch_missing(world, request, fetch);
    } else if let Some(identity) = has("identity") {
        return identities(world, identity);
    }
    unknown(world, request)
}

fn upload(world: &mut World, request: &Request<'_>) -> Answer {
    let upload = match Upload::parse(request.iq.view()) {
        Ok(upload) => upload,
        Err(PreKeyError::Signature) => return Answer::error(406),
        Err(error) => {
            world.report_origin(request.origin, Rule::Malformed, format!("pre-key upload: {error}"));
            return Answer::error(400);
        }
    };
    let Some(device) = world.device_mut(request.from) else { return Answer::error(404) };
    if *upload.identity.as_bytes() != device.keys.identity {
        world.report_origin(
            request.origin,
            Rule::Malformed,
            "pre-key upload for another identity".to_owned(),
        );
        return Answer::error(406);
    }
    device.keys.signed = upload.signed;
    device.keys.registration_id = upload.registration_id;
    let reused = device.keys.upload(&upload.one_time);
    let welcomed = device.welcomed;
    if !reused.is_empty() {
        world.report_origin(request.origin, Rule::PreKeyReused, format!("ids {reused:?}"));
    }
    let from = request.from;
    if welcomed {
        return Answer::empty();
    }
    // On its own turn, so that the phone's first message follows the result.
    let now_ms = world.now_ms;
    Answer::empty().after(move |world| world.at(now_ms, Timer::Welcome { device: from }))
}

fn rotate(world: &mut World, request: &Request<'_>, rotate: &Node) -> Answer {
    let Some(key) = rotate.view().optional_child("skey").and_then(|key| SignedKey::parse(key).ok()) else {
        return Answer::error(400);
    };
    let Some(device) = world.device_mut(request.from) else { return Answer::error(404) };
    if !key.is_signed_by(&PublicKey::from_bytes(device.keys.identity)) {
        return Answer::error(406);
    }
    if key.id == device.keys.signed.id && key.public != device.keys.signed.public {
        return Answer::error(409);
    }
    device.keys.signed = key;
    Answer::empty()
}

fn digest(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(keys) = world.device(request.from).map(|device| &device.keys) else { return Answer::error(404) };
    if keys.uploads == 0 {
        return Answer::error(404);
    }
    let own = Upload {
        registration_id: keys.registration_id,
        identity: PublicKey::from_bytes(keys.identity),
        signed: keys.signed,
        one_time: keys.one_time().map(|(id, key)| (*id, PublicKey::from_bytes(*key))).collect(),
    };
    debug_assert!(DigestReply::parse(el("iq").child(own.digest_node()).view()).is_ok());
    Answer::one(own.digest_node())
}

fn fetch(world: &mut World, request: &Request<'_>, key: &Node) -> Answer {
    let mut users = Vec::new();
    for user in key.kids_of("user") {
        let Some(jid) = user.jid_of("jid") else { return Answer::error(400) };
        users.push(bundle(world, &jid, "user"));
    }
    if users.is_empty() {
        world.report_origin(request.origin, Rule::Malformed, "key fetch for nobody".to_owned());
        return Answer::error(400);
    }
    Answer::one(el("list").children(users))
}

fn bundle(world: &mut World, jid: &Jid, tag: &str) -> Node {
    let user = el(tag).attr("jid", jid);
    let Some(key) = world.find_device(jid) else {
        return user.child(error(404, "item-not-found"));
    };
    let one_time = world.take_one_time_key(key);
    let now_s = world.now_s();
    let Some(device) = world.device(key) else { return user.child(error(404, "item-not-found")) };
    let bundle = device.keys.bundle(one_time, device.signed_identity.clone());
    user.attr("t", now_s).children(bundle.to_children())
}

/// The form that names devices below their user (chapter 04 §11.5).
fn fetch_missing(world: &mut World, request: &Request<'_>, fetch: &Node) -> Answer {
    let mut users = Vec::new();
    for user in fetch.kids_of("user") {
        let Some(jid) = user.jid_of("jid") else { return Answer::error(400) };
        if world.find(&jid).is_none() {
            users.push(el("user").attr("jid", &jid).child(error(404, "item-not-found")));
            continue;
        }
        let mut devices = Vec::new();
        for device in user.kids_of("device") {
            let number = device.number_of("id").and_then(|id| u16::try_from(id).ok()).unwrap_or(u16::MAX);
            let hosting = if number == 99 { wa_binary::Hosting::Hosted } else { wa_binary::Hosting::Own };
            let mut node = bundle(world, &jid.with_device(number, hosting), "device");
            node.remove_attr("jid");
            node.set_attr("id", number);
            devices.push(node);
        }
        users.push(el("user").attr("jid", &jid).children(devices));
    }
    if users.is_empty() {
        world.report_origin(request.origin, Rule::Malformed, "key fetch for nobody".to_owned());
        return Answer::error(400);
    }
    Answer::one(el("list").children(users))
}

fn identities(world: &mut World, identity: &Node) -> Answer {
    let users = identity.kids_of("user").filter_map(|user| user.jid_of("jid")).map(|jid| {
        let user = el("user").attr("jid", &jid);
        match world.find_device(&jid).and_then(|key| world.device(key)) {
            Some(device) => user
                .child(el("identity").bytes(device.keys.identity.to_vec()))
                .child(el("type").bytes(vec![5])),
            None => user.child(error(404, "item-not-found")),
        }
    });
    let users: Vec<Node> = users.collect();
    Answer::one(el("list").children(users))
}

impl World {
    /// Takes a one-time key of a device; sends it the low notice when due.
    pub(crate) fn take_one_time_key(&mut self, key: DeviceKey) -> Option<(u32, [u8; 32])> {
        if self.answering.no_one_time_keys {
            return None;
        }
        let (low, now_s) = (self.config.low_keys, self.now_s());
        let device = self.device_mut(key)?;
        let taken = device.keys.take();
        if let Level::Low(left) = device.keys.level(low) {
            let id = self.fresh_id();
            let notice =
                notification("encrypt", &Jid::SERVER, &id, now_s).child(el("count").attr("value", left));
            self.deliver(key, Class::Notification, notice, Copy::Others);
        }
        taken
    }

    /// Leaves a device with so many one-time keys (the exhaustion fault).
    pub fn exhaust_keys(&mut self, key: DeviceKey, left: usize) {
        if let Some(device) = self.device_mut(key) {
            device.keys.truncate(left);
        }
    }

    /// The key store of a device.
    #[must_use]
    pub fn stock(&self, key: DeviceKey) -> Option<&Stock> {
        self.device(key).map(|device| &device.keys)
    }
}
