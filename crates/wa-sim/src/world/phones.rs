//! The phones inside the world: what arrives for device 0, what they say, and what they ask the server for
//! (chapter 10 §2.1, §3, §10).

use std::sync::Arc;

use wa_binary::{Jid, Node};

use super::io::{Copy, Origin};
use super::{Account, AccountId, DeviceKey, Timer, World};
use crate::media::StoredFile;
use crate::offline::Class;
use crate::phone::{Addressing, Blob, GroupView, Network, Phone, PhoneError, PhoneEvent, Turn};
use crate::route;
use crate::stanza::Read as _;

/// Turns that phones may take in answer to one input: a loop among phones ends here.
const MANY_TURNS: usize = 1_000_000;

/// How late late history is, and late keys.
const LATE_MS: u64 = 60_000;

impl World {
    /// The phone of an account, while it is not itself at work.
    #[must_use]
    pub fn phone(&self, account: AccountId) -> Option<&Phone> {
        self.phones.get(account.0 as usize).and_then(Option::as_ref)
    }

    pub(crate) fn phone_is_online(&self, account: AccountId) -> bool {
        self.phone(account).is_none_or(Phone::is_online)
    }

    /// Lets the phone act with the rest of the world as its network.
    pub(crate) fn with_phone<T>(
        &mut self,
        account: AccountId,
        act: impl FnOnce(&mut Phone, &mut World) -> T,
    ) -> Option<T> {
        let mut phone = self.phones.get_mut(account.0 as usize)?.take()?;
        let result = act(&mut phone, self);
        self.phones[account.0 as usize] = Some(phone);
        Some(result)
    }

    /// Hands the phones what arrived for them, and routes what they say, until nothing is left.
    pub(crate) fn run_phones(&mut self) {
        for _ in 0..MANY_TURNS {
            let Some((account, node)) = self.to_phones.pop_front() else { return };
            let now = self.now();
            let turn = self.with_phone(account, |phone, world| phone.receive(&node, world, now));
            self.take_turn(account, turn.unwrap_or_default());
        }
        tracing::error!("phones keep answering each other; the rest is dropped");
        self.to_phones.clear();
    }

    /// Routes what a phone said as if it came from its connection.
    pub(crate) fn take_turn(&mut self, account: AccountId, turn: Turn) {
        for event in &turn.events {
            if let PhoneEvent::Violation { device, what } = event {
                let device = Some(device.to_string());
                self.watch.report(self.now_ms, None, device, crate::watch::Rule::SeenByPhone, what.clone());
            }
            if let PhoneEvent::KeysHeldBack { .. } = event {
                self.at(self.now_ms + LATE_MS, Timer::LateKeys { account });
            }
            self.say(account, event);
        }
        let origin = Origin { device: Some(DeviceKey { account, device: 0 }), conn: None };
        for stanza in turn.stanzas {
            if stanza.is("notification") {
                self.tell_companion(account, stanza);
            } else {
                route::stanza(self, origin, &Arc::new(stanza));
            }
        }
    }

    /// The lines of the log about a phone.
    fn say(&self, account: AccountId, event: &PhoneEvent) {
        let phone = self.who(DeviceKey { account, device: 0 });
        match event {
            PhoneEvent::Message(received) => {
                let from = self.chat_name(&received.sender);
                tracing::debug!("{phone} reads {:?} from {from} ({})", received.kind, received.id);
            }
            PhoneEvent::Undecryptable { id, sender, reason, retry } => {
                let asks = if retry.is_some() { ", and asks for it again" } else { "" };
                let sender = self.chat_name(sender);
                tracing::info!("{phone} cannot read what {sender} wrote ({id}): {reason}{asks}");
            }
            PhoneEvent::Resent { id, to, count } => {
                tracing::info!("{phone} sends {id} to {to} again, time {count}");
            }
            PhoneEvent::Refused { id, code } => tracing::info!("{phone}'s {id} is refused: {code}"),
            PhoneEvent::IdentityChanged { user } => {
                tracing::info!("{phone} notices that {} is installed anew", self.chat_name(user));
            }
            PhoneEvent::Receipt { ids, from, kind, .. } => {
                tracing::debug!("{phone} hears {kind} of {ids:?} from {}", self.chat_name(from));
            }
            // The watch has said it.
            PhoneEvent::Violation { .. } => {}
            other => tracing::debug!("{phone}: {other:?}"),
        }
    }

    /// What a phone tells one of its companions.
    fn tell_companion(&mut self, account: AccountId, mut notification: Node) {
        let device = notification.jid_of("to").and_then(|to| self.find_device(&to));
        if let Some(device) = device.filter(|device| device.account == account) {
            notification.remove_attr("to");
            self.deliver(device, Class::Notification, notification, Copy::Others);
        }
    }

    /// Key share and history for a companion that has uploaded keys (chapter 10 §3).
    pub(crate) fn welcome(&mut self, device: DeviceKey) {
        if device.device == 0 || !self.phone_is_online(device.account) {
            return;
        }
        match self.device_mut(device) {
            Some(state) if !state.welcomed && !state.keys.is_empty() => state.welcomed = true,
            _ => return,
        }
        let now = self.now();
        if self.phone(device.account).is_some_and(Phone::is_history_late) {
            self.at(self.now_ms + LATE_MS, Timer::LateHistory { device });
        }
        match self.with_phone(device.account, |phone, world| phone.welcome(device.device, world, now)) {
            Some(Ok(turn)) => self.take_turn(device.account, turn),
            Some(Err(error)) => {
                tracing::warn!(device = %self.label(device), %error, "the phone could not greet");
            }
            None => {}
        }
    }

    /// The history that was held back.
    pub(crate) fn tell_history(&mut self, device: DeviceKey) {
        let now = self.now();
        let told =
            self.with_phone(device.account, |phone, world| phone.tell_history(device.device, world, now));
        // A companion that has gone meanwhile needs none.
        if let Some(Ok(turn)) = told {
            self.take_turn(device.account, turn);
        }
    }

    /// The keys that were held back.
    pub(crate) fn share_late_keys(&mut self, account: AccountId) {
        let now = self.now();
        let turn = self.with_phone(account, |phone, world| phone.share_late_keys(world, now));
        self.take_turn(account, turn.unwrap_or_default());
    }

    pub(crate) fn phone_link_completed(&mut self, account: AccountId, key_index: u32, device: u16) {
        let outcome = self.with_phone(account, |phone, _| phone.link_completed(key_index, device));
        if let Some(Err(error)) = outcome {
            tracing::warn!(%error, "the phone does not know the link");
        }
    }

    pub(crate) fn phone_link_failed(&mut self, account: AccountId, key_index: u32) {
        self.with_phone(account, |phone, _| phone.link_failed(key_index));
    }

    /// A deed of the phone's user; gives the id of the message that was sent, if one was.
    ///
    /// # Errors
    /// What the phone says against it.
    pub fn act(
        &mut self,
        now_ms: u64,
        account: AccountId,
        action: crate::phone::Action,
    ) -> Result<Option<String>, PhoneError> {
        self.now_ms = now_ms;
        let now = self.now();
        let turn = self.with_phone(account, |phone, world| phone.act(action, world, now));
        let turn = turn.transpose()?.unwrap_or_default();
        let id = turn.stanzas.iter().find(|stanza| stanza.is("message")).and_then(|it| it.text_of("id"));
        self.take_turn(account, turn);
        self.run_phones();
        Ok(id)
    }

    /// How a phone answers from now on when a companion asks for a file again (chapter 06 §9).
    pub fn set_media_retry(&mut self, account: AccountId, how: crate::phone::MediaRetry) {
        self.with_phone(account, |phone, _| phone.set_media_retry(how));
    }

    /// A phone no longer has the file of a message; `false` when it had none.
    pub fn forget_file(&mut self, account: AccountId, id: &str) -> bool {
        self.with_phone(account, |phone, _| phone.forget_file(id)).unwrap_or(false)
    }

    /// Makes the phone's next sends wrong.
    pub fn misbehave(&mut self, account: AccountId, how: crate::phone::Misbehaviour) {
        self.with_phone(account, |phone, _| phone.misbehave(how));
    }

    /// Switches the phone on or off. What waited for it is handed over when it comes back.
    pub fn set_phone_online(&mut self, now_ms: u64, account: AccountId, online: bool) {
        self.now_ms = now_ms;
        self.with_phone(account, |phone, _| phone.set_online(online));
        if online {
            let waiting: Vec<Arc<Node>> = self
                .device(DeviceKey { account, device: 0 })
                .map(|device| device.queue.iter().map(|queued| queued.node.clone()).collect())
                .unwrap_or_default();
            if let Some(device) = self.device_mut(DeviceKey { account, device: 0 }) {
                device.queue = crate::offline::Queue::default();
            }
            self.to_phones.extend(waiting.into_iter().map(|node| (account, node)));
            for device in self.device_keys(account) {
                self.welcome(device);
            }
        }
        self.run_phones();
    }

    /// The phone is installed anew: new identity, no companions (chapter 10 §10).
    pub fn reinstall_phone(&mut self, now_ms: u64, account: AccountId) {
        self.now_ms = now_ms;
        let now = self.now();
        let Some(fresh) = self.with_phone(account, |phone, _| phone.reinstall(now)) else { return };
        let companions: Vec<u16> =
            self.account(account).devices.keys().copied().filter(|device| *device != 0).collect();
        for device in companions {
            self.drop_device(DeviceKey { account, device });
        }
        let now_s = self.now_s();
        let owner = self.account_mut(account);
        owner.renew_key_index_list(fresh.key_index_list, now_s);
        if let Some(phone) = owner.devices.get_mut(&0) {
            phone.keys = crate::prekeys::Stock::of(&fresh.upload);
        }
        owner.app_state = crate::iq::app_state::Collections::default();
        let pushes = self.with_phone(account, |phone, _| phone.initial_app_state(now)).unwrap_or_default();
        for push in pushes {
            self.account_mut(account).app_state.seed(push.collection, push.patch);
        }
        self.announce_identity(account);
        self.run_phones();
    }

    /// Changes a setting on the phone; the companions hear of it by app state.
    ///
    /// # Errors
    /// What the phone says against it.
    pub fn change_app_state(
        &mut self,
        now_ms: u64,
        account: AccountId,
        action: &crate::phone::AppAction,
    ) -> Result<(), PhoneError> {
        self.now_ms = now_ms;
        let now = self.now();
        if !self.phone_is_online(account) {
            return Err(PhoneError::Offline);
        }
        if let Some(push) = self.with_phone(account, |phone, _| phone.change_app_state(action, now)) {
            self.push_from_phone(account, push?);
        }
        self.run_phones();
        Ok(())
    }

    /// Renames the account through its phone.
    ///
    /// # Errors
    /// What the phone says against it.
    pub fn rename(&mut self, now_ms: u64, account: AccountId, name: &str) -> Result<(), PhoneError> {
        self.now_ms = now_ms;
        let now = self.now();
        let push = self.with_phone(account, |phone, _| phone.set_name(name, now));
        name.clone_into(&mut self.account_mut(account).name);
        if let Some(push) = push {
            self.push_from_phone(account, push?);
        }
        self.run_phones();
        Ok(())
    }
}

impl Network for World {
    fn devices(&mut self, user: &Jid) -> Vec<Jid> {
        let (Some(account), Some(family)) = (self.find(user), user.family()) else { return Vec::new() };
        let account = self.account(account);
        account.devices.keys().map(|device| account.device_jid(family, *device)).collect()
    }

    fn bundle(&mut self, device: &Jid) -> Option<wa_core::prekeys::Bundle> {
        let key = self.find_device(device)?;
        let one_time = self.take_one_time_key(key);
        let device_state = self.device(key)?;
        Some(device_state.keys.bundle(one_time, device_state.signed_identity.clone()))
    }

    fn alternate(&mut self, user: &Jid) -> Option<Jid> {
        self.account(self.find(user)?).alternate(user.family()?)
    }

    fn group(&mut self, group: &Jid) -> Option<GroupView> {
        let group = self.find_group(group)?;
        let family = group.addressing;
        let participants = group.members.keys().map(|member| self.account(*member).jid(family)).collect();
        let addressing = match family {
            wa_binary::Family::Pn => Addressing::Pn,
            wa_binary::Family::Lid => Addressing::Lid,
        };
        Some(GroupView { participants, addressing, ephemeral: group.ephemeral })
    }

    fn audience(&mut self, own: &Jid) -> Vec<Jid> {
        let Some(own) = self.find(own) else { return Vec::new() };
        let present = |other: &&Account| !other.devices.is_empty() && other.id != own;
        self.accounts
            .iter()
            .filter(present)
            .filter(|other| self.account(own).knows(other.id))
            .map(|other| other.jid(other.best_family()))
            .collect()
    }

    fn store_blob(&mut self, blob: Blob) -> String {
        self.keep_file(blob.kind.mms_type().unwrap_or("o"), blob.file, &blob.enc_sha256)
    }

    fn store_blob_again(&mut self, blob: Blob) -> String {
        self.keep_file_again(blob.kind.mms_type().unwrap_or("o"), blob.file, &blob.enc_sha256)
    }

    fn fetch_blob(&mut self, direct_path: &str) -> Option<StoredFile> {
        let (path, query) = direct_path.split_once('?').unwrap_or((direct_path, ""));
        self.download(path, query).ok()
    }
}
