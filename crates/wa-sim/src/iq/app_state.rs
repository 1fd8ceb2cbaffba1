//! `w:sync:app:state`: patches and versions, opaque to the server (chapters 07 §12.1, 10 §9).
//!
//! The phone of the account looks at every accepted patch, since it has the keys; what it cannot verify is a violation.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use wa_binary::Node;
use wa_proto::app_state::{SyncdPatch, SyncdVersion};

use super::{Answer, Request, unknown};
use crate::phone::AppStateFault;
use crate::stanza::{Read, el, error, error_text, notification};
use crate::watch::Rule;
use crate::world::{AccountId, DeviceKey, World};

/// Names that exist.
const NAMES: [&str; 5] = ["critical_block", "critical_unblock_low", "regular_high", "regular_low", "regular"];

/// The collections of one account.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Collections {
    #[serde(with = "crate::state::foreign::keys")]
    patches: BTreeMap<&'static str, Vec<Bytes>>,
}

impl Collections {
    /// Adds the phone's own patch.
    pub(crate) fn seed(&mut self, collection: &'static str, patch: Bytes) {
        if let Some(name) = NAMES.iter().find(|name| **name == collection) {
            let version = self.version(name) + 1;
            let stored = with_version(&patch, version).unwrap_or(patch);
            self.patches.entry(name).or_default().push(stored);
        }
    }

    /// Version of a collection; 0 when it is empty.
    #[must_use]
    pub fn version(&self, collection: &str) -> u64 {
        self.patches.get(collection).map_or(0, |patches| patches.len() as u64)
    }

    /// Versions of all collections.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<&'static str, u64> {
        NAMES.iter().map(|name| (*name, self.version(name))).collect()
    }

    fn after(&self, collection: &str, version: u64) -> &[Bytes] {
        let from = usize::try_from(version).unwrap_or(usize::MAX);
        self.patches.get(collection).and_then(|patches| patches.get(from..)).unwrap_or_default()
    }
}

pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(sync) = request.child.filter(|child| child.is("sync")) else { return unknown(world, request) };
    let mut answers = Vec::new();
    let mut seen = Vec::new();
    let mut changed = Vec::new();
    for collection in sync.kids_of("collection") {
        let name = collection.text_of("name").unwrap_or_default();
        let Some(known) = NAMES.iter().copied().find(|known| *known == name) else {
            answers.push(refused(&name, 400));
            continue;
        };
        if seen.contains(&known) {
            answers.push(refused(known, 400));
            continue;
        }
        seen.push(known);
        let fault = world.account(request.from.account).switches.app_state_fault.as_ref();
        if fault.is_some_and(|fault| *fault == AppStateFault::Omitted(known.to_owned())) {
            continue;
        }
        answers.push(one(world, request, known, collection, &mut changed));
    }
    let from = request.from;
    Answer::one(el("sync").children(answers)).after(move |world| {
        for (name, version) in changed {
            world.app_state_changed(from, name, version);
        }
    })
}

fn refused(name: &str, code: u32) -> Node {
    el("collection").attr("name", name).attr("type", "error").child(error(code, error_text(code)))
}

fn one(
    world: &mut World,
    request: &Request<'_>,
    name: &'static str,
    collection: &Node,
    changed: &mut Vec<(&'static str, u64)>,
) -> Node {
    let own = request.from.account;
    if let Some(AppStateFault::Error(collection, code)) = &world.account(own).switches.app_state_fault
        && collection == name
    {
        return refused(name, *code);
    }
    let current = world.account(own).app_state.version(name);
    let asked = collection.number_of("version").unwrap_or(0);
    let snapshot = collection.attr_is("return_snapshot", "true");
    if let Some(patch) = collection.kid("patch").and_then(Read::body).cloned() {
        if asked > current {
            world.report_origin(
                request.origin,
                Rule::AppStateBase,
                format!("{name} {asked}, current {current}"),
            );
            return refused(name, 400);
        }
        if asked < current {
            // Somebody was faster: the newer patches come along.
            return patches(world, own, name, asked).attr("type", "error").child(error(409, "conflict"));
        }
        let version = current + 1;
        let Some(stored) = with_version(&patch, version) else {
            world.report_origin(request.origin, Rule::Malformed, format!("undecodable patch of {name}"));
            return refused(name, 400);
        };
        world.account_mut(own).app_state.patches.entry(name).or_default().push(stored.clone());
        let verdict = world.with_phone(own, |phone, _| phone.app_state_accepted(name, version, &stored));
        match verdict {
            Some(Ok(changes)) => {
                tracing::debug!(account = world.account(own).pn, name, ?changes, "app state");
                let shown = world.phone(own).map(|phone| phone.name().to_owned()).unwrap_or_default();
                if !shown.is_empty() && changes.iter().any(|change| change.index == ["setting_pushName"]) {
                    world.account_mut(own).name = shown;
                }
            }
            Some(Err(error)) => {
                world.report_origin(request.origin, Rule::AppStateMac, format!("{name}: {error}"));
            }
            None => {}
        }
        changed.push((name, version));
        return el("collection").attr("name", name).attr("version", version);
    }
    if !snapshot {
        return patches(world, own, name, asked);
    }
    let made = if current < world.config.snapshot_from.max(1) {
        None
    } else {
        world.with_phone(own, |phone, world| phone.app_state_snapshot(name, world).ok().flatten()).flatten()
    };
    match made {
        Some((version, reference)) => {
            let mut node = patches(world, own, name, version);
            node.push(el("snapshot").bytes(reference));
            node
        }
        None => patches(world, own, name, 0),
    }
}

/// The patches after a version, at most a page of them.
fn patches(world: &World, own: AccountId, name: &str, since: u64) -> Node {
    let state = &world.account(own).app_state;
    let newer = state.after(name, since);
    let page = world.config.patch_page.max(1);
    let more = newer.len() > page;
    let mut list: Vec<Bytes> = newer.iter().take(page).cloned().collect();
    if let Some(fault) = &world.account(own).switches.app_state_fault {
        fault.spoil(&mut list);
    }
    let list = list.into_iter().map(|patch| el("patch").bytes(patch));
    let node = el("collection").attr("name", name).attr("version", state.version(name));
    let node = if more { node.attr("has_more_patches", "true") } else { node };
    if newer.is_empty() { node } else { node.child(el("patches").children(list)) }
}

/// The patch with its version field set; `None` when it does not decode.
fn with_version(patch: &Bytes, version: u64) -> Option<Bytes> {
    let mut decoded = SyncdPatch::decode(patch.clone()).ok()?;
    decoded.version = Some(Box::new(SyncdVersion { version: Some(version) }));
    Some(decoded.encode_to_vec().into())
}

impl World {
    /// `server_sync` to the account's other devices.
    pub(crate) fn app_state_changed(&mut self, by: DeviceKey, name: &'static str, version: u64) {
        let own = self.account(by.account).jid(self.account(by.account).best_family());
        for device in self.device_keys(by.account) {
            if device != by && device.device != 0 {
                let id = self.fresh_id();
                let sync = notification("server_sync", &own, &id, self.now_s())
                    .child(el("collection").attr("name", name).attr("version", version));
                self.deliver(device, crate::offline::Class::Notification, sync, crate::world::Copy::Others);
            }
        }
    }

    /// Stores a push of the phone.
    pub(crate) fn push_from_phone(&mut self, account: AccountId, push: crate::phone::AppStatePush) {
        self.account_mut(account).app_state.seed(push.collection, push.patch);
        let version = self.account(account).app_state.version(push.collection);
        self.app_state_changed(DeviceKey { account, device: 0 }, push.collection, version);
    }
}
