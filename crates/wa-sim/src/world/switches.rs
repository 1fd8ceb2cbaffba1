//! Small changes from outside: switches, standing, settings, removal (chapter 10 §8, §14), and small questions that
//! several rooms ask.

use std::sync::Arc;

use wa_binary::{Jid, Node};
use wa_core::prekeys::Upload;

use super::directory::NewAccount;
use super::{
    Account, AccountId, Asked, ConnId, Device, DeviceKey, Stage, Standing, Switches, Username, World,
};
use crate::faults::{FailureReason, StreamFault, StreamForm};
use crate::random::Seed;
use crate::stanza::el;
use crate::trace::{Filter, Passed};

impl World {
    /// The seed of the run.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.config.seed
    }

    /// The account that registered with this push name, or shows this name.
    #[must_use]
    pub fn account_named(&self, name: &str) -> Option<AccountId> {
        let by_key = self.by_key.get(name).copied();
        by_key.or_else(|| self.accounts.iter().find(|account| account.name == name).map(|account| account.id))
    }

    /// Replaces the switches of an account; its phone follows.
    pub fn set_switches(&mut self, id: AccountId, switches: Switches) {
        for (code, on) in
            [(24941, switches.nct_send_ab), (25189, switches.nct_history_ab), (25253, switches.nct_syncd_ab)]
        {
            self.account_mut(id).props.insert(code, if on { "1" } else { "0" }.to_owned());
        }
        self.account_mut(id).switches = switches;
        self.with_phone(id, |phone, world| super::directory::instruct(phone, &world.account(id).switches));
    }

    /// What the service refuses from now on. A ban ends live connections.
    pub fn set_standing(&mut self, now_ms: u64, id: AccountId, standing: Standing) {
        self.now_ms = now_ms;
        let ends = matches!(standing, Standing::TemporaryBan { .. } | Standing::Locked | Standing::Banned);
        let now_s = self.now_s();
        self.account_mut(id).standing = (standing, now_s);
        if ends {
            for key in self.device_keys(id) {
                if let Some(conn) = self.device(key).and_then(|device| device.connection) {
                    let fault = StreamFault { code: Some(503), form: StreamForm::Bare };
                    self.stream_error(conn, &fault);
                }
            }
        }
    }

    /// AB props on top of the present ones.
    pub fn set_props(&mut self, id: AccountId, props: impl IntoIterator<Item = (u32, String)>) {
        self.account_mut(id).props.extend(props);
    }

    /// Sets the about text, past the account's devices; they and its contacts hear of it.
    pub fn set_about(&mut self, now_ms: u64, id: AccountId, text: &str) {
        self.now_ms = now_ms;
        self.change_about(id, None, text);
        self.run_phones();
    }

    /// Gives the account a username or takes it away; its companions hear of it. `false` when another account has it.
    pub fn set_username(&mut self, now_ms: u64, id: AccountId, username: Option<Username>) -> bool {
        self.now_ms = now_ms;
        let owner = username.as_ref().and_then(|wanted| self.find_username(&wanted.name));
        if owner.is_some_and(|owner| owner != id) {
            return false;
        }
        let told = el("username").maybe_attr("username", username.as_ref().map(|given| given.name.clone()));
        self.account_mut(id).username = username;
        self.account_sync(id, None, &told);
        self.run_phones();
        true
    }

    /// The account with this username, however it is written.
    #[must_use]
    pub fn find_username(&self, name: &str) -> Option<AccountId> {
        let has = |account: &&Account| {
            account.username.as_ref().is_some_and(|own| own.name.eq_ignore_ascii_case(name))
                && !account.devices.is_empty()
        };
        self.accounts.iter().find(has).map(|account| account.id)
    }

    /// Raises a dirty bit: live devices hear of it at once, others at their next login.
    pub fn set_dirty(&mut self, now_ms: u64, id: AccountId, kind: &str) {
        self.now_ms = now_ms;
        let t = self.now_s();
        self.account_mut(id).dirty.insert(kind.to_owned(), t);
        for key in self.device_keys(id) {
            // A passive device hears of it once it is active.
            if let Some(conn) =
                self.device(key).filter(|device| device.active).and_then(|device| device.connection)
            {
                let dirty = el("dirty").attr("type", kind).attr("timestamp", t);
                self.write(conn, el("ib").attr("from", Jid::SERVER).child(dirty));
            }
        }
    }

    /// Removes an account with its devices.
    pub fn delete_account(&mut self, now_ms: u64, id: AccountId) {
        self.now_ms = now_ms;
        for key in self.device_keys(id) {
            if key.device != 0 {
                self.drop_device(key);
            }
        }
        let groups: Vec<u64> =
            self.groups.values().filter(|group| group.role(id).is_some()).map(|group| group.id).collect();
        for group in groups {
            self.take_out_of_group(group, id);
        }
        let account = self.account_mut(id);
        account.devices.clear();
        account.name.clear();
        self.by_user.retain(|_, other| *other != id);
        self.by_key.retain(|_, other| *other != id);
        self.run_phones();
    }

    /// A new account under a number that a companion asked a code for.
    pub(crate) fn account_with_number(&mut self, number: u64, push_name: Option<&str>) -> AccountId {
        let free = push_name.filter(|name| !name.is_empty() && !self.by_key.contains_key(*name));
        let (switches, _) = Switches::from_push_name(free.unwrap_or_default());
        let shown = free.map_or_else(|| format!("+{number}"), |name| Switches::display_name(name).to_owned());
        let new = NewAccount {
            key: free.map(str::to_owned),
            pn: Some(number),
            switches,
            name: shown,
            ..NewAccount::default()
        };
        self.add_account(new, &format!("\u{0}number {number}"))
    }

    /// Takes note of the answer to an iq of the server.
    pub(crate) fn take_asked(&mut self, conn: ConnId, id: &str) -> Option<Asked> {
        self.conns.get_mut(&conn)?.asked.remove(id)
    }

    /// Whether an iq id was used before on this connection; it is now.
    pub(crate) fn iq_id_is_used(&mut self, conn: ConnId, hash: u64) -> bool {
        const MANY: usize = 100_000;
        let Some(state) = self.conns.get_mut(&conn) else { return false };
        if self.config.load || state.iq_ids.len() >= MANY {
            return false;
        }
        !state.iq_ids.insert(hash)
    }

    /// Milliseconds since the last ping of a connection.
    pub(crate) fn note_ping(&mut self, conn: ConnId) -> Option<u64> {
        let now_ms = self.now_ms;
        let state = self.conns.get_mut(&conn)?;
        state.pinged_ms.replace(now_ms).map(|last| now_ms.saturating_sub(last))
    }

    /// The device of a connection.
    pub(crate) fn device_of(&self, conn: ConnId) -> Option<DeviceKey> {
        match self.conns.get(&conn)?.stage {
            Stage::Device(key) => Some(key),
            _ => None,
        }
    }

    /// Forgets the violations so far.
    pub fn clear_violations(&mut self) {
        self.watch.clear();
    }

    /// The first stanza of the trace that fits.
    #[must_use]
    pub fn find_in_trace(&self, filter: &Filter) -> Option<Passed> {
        self.trace.find(filter).next().cloned()
    }

    /// The number that the next connection gets.
    pub(crate) const fn next_conn(&self) -> u64 {
        self.next_conn
    }

    /// Goes on counting connections, so that late reports of closed ones do not hit new ones.
    pub(crate) fn continue_from(&mut self, next_conn: u64) {
        self.next_conn = next_conn;
    }

    /// Asks a device for a sign of life.
    pub fn ping(&mut self, now_ms: u64, key: DeviceKey) {
        self.now_ms = now_ms;
        if let Some(conn) = self.device(key).and_then(|device| device.connection) {
            self.ask(conn, Asked::Ping, "urn:xmpp:ping", el("ping"));
        }
    }

    /// Refuses the login of a device from now on as unlinked, without telling anybody.
    pub fn forget_device(&mut self, key: DeviceKey) {
        self.account_mut(key.account).devices.remove(&key.device);
    }

    /// Ends a live connection with `<failure>`: for tests of what a client does then.
    pub fn fail_connection(&mut self, now_ms: u64, conn: ConnId, reason: &FailureReason) {
        self.now_ms = now_ms;
        self.fail(conn, reason);
    }

    /// Links a companion without a conversation: for load, fuzzing and tests that look at something else. It has no
    /// `device-identity`, and its phone does not know it.
    pub fn link_directly(
        &mut self,
        now_ms: u64,
        name: &str,
        noise_key: [u8; 32],
        upload: &Upload,
    ) -> DeviceKey {
        self.now_ms = now_ms;
        let account = self.account_of_push_name(Some(name));
        let number = self.account(account).free_device_number(self.config.first_device);
        // Newer than what the phone signs, which is how a list that does not name it is still believed.
        let key_index = self.config.key_index_gap + u32::from(number);
        let mut device = Device::new(number, key_index, crate::prekeys::Stock::of(upload));
        device.noise_key = noise_key;
        device.welcomed = true;
        self.account_mut(account).devices.insert(number, device);
        DeviceKey { account, device: number }
    }

    /// Writes a prepared stanza to a device that is connected, past its queue: the load generator of chapter 10 §13.
    /// `false` when it is not connected.
    pub fn replay(&mut self, now_ms: u64, to: DeviceKey, node: &Arc<Node>) -> bool {
        self.now_ms = now_ms;
        let Some(conn) = self.device(to).and_then(|device| device.connection) else { return false };
        self.write(conn, node.clone());
        true
    }
}
