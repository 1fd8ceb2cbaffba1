//! `md`: linking and unlinking (chapters 01 §13, 02 §4, §5, 09d §10).

use wa_binary::Node;

use super::{Answer, Request, unknown};
use crate::faults::{StreamFault, StreamForm};
use crate::stanza::Read;
use crate::world::{ConnId, DeviceKey, World};

/// Of a connection that waits to be linked.
pub(super) fn registering(world: &mut World, conn: ConnId, child: Option<&Node>) -> Answer {
    match child {
        Some(child) if child.is("link_code_companion_reg") => world.link_code(conn, child),
        Some(child) => world.passkey_stage(conn, child).unwrap_or_else(|| Answer::error(400)),
        None => Answer::error(400),
    }
}

/// Of a device.
pub(super) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    match request.child {
        Some(child) if child.is("remove-companion-device") => remove(world, request, child),
        _ => unknown(world, request),
    }
}

fn remove(world: &mut World, request: &Request<'_>, child: &Node) -> Answer {
    let own = request.from;
    if child.attr_is("all", "true") && own.device == 0 {
        return Answer::empty().after(move |world| {
            for key in world.device_keys(own.account).into_iter().filter(|key| key.device != 0) {
                world.unlink(key);
            }
        });
    }
    let Some(target) = child.jid_of("jid").and_then(|jid| world.find_device(&jid)) else {
        return Answer::error(404);
    };
    // A companion may remove only itself; the phone any.
    if target.account != own.account || (own.device != 0 && target != own) || target.device == 0 {
        return Answer::error(403);
    }
    Answer::empty().after(move |world| world.unlink(target))
}

impl World {
    /// Unlinks a companion: its connection ends with 401, the others hear of it.
    pub(crate) fn unlink(&mut self, key: DeviceKey) {
        let now = self.now();
        let list = self.with_phone(key.account, |phone, _| phone.unlink(key.device, now));
        self.drop_device(key);
        let now_s = self.now_s();
        match list {
            Some(Ok(list)) => self.account_mut(key.account).renew_key_index_list(list, now_s),
            Some(Err(error)) => tracing::warn!(%error, "the phone does not know the device"),
            None => {}
        }
        self.announce_devices(key.account, crate::devices::Change::Removed(key.device));
    }

    /// Forgets a device and ends its connection.
    pub(crate) fn drop_device(&mut self, key: DeviceKey) {
        let conn = self.device(key).and_then(|device| device.connection);
        if let Some(conn) = conn {
            self.stream_error(conn, &StreamFault { code: Some(401), form: StreamForm::DeviceRemoved });
        }
        tracing::info!("{} is unlinked", self.who(key));
        self.account_mut(key.account).devices.remove(&key.device);
    }

    /// The phone's user unlinks a device, or all (`None`).
    pub fn unlink_from_phone(&mut self, now_ms: u64, key: DeviceKey) {
        self.now_ms = now_ms;
        if key.device != 0 && self.device(key).is_some() {
            self.unlink(key);
        }
        self.run_phones();
    }
}
