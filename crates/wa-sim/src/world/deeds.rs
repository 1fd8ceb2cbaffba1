//! What phones ask of the server when their users do something: block, groups, about text, picture, another number
//! (chapter 10 §4, §10).

use bytes::Bytes;
use wa_binary::{Family, Jid, Node};

use super::{AccountId, DeviceKey, World, assign};
use crate::iq;
use crate::stanza::{Read as _, el, notification};

/// A change of a group that a phone asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// These become members.
    Add(Vec<AccountId>),
    /// These are members no longer.
    Remove(Vec<AccountId>),
    /// These become admins.
    Promote(Vec<AccountId>),
    /// These are admins no longer.
    Demote(Vec<AccountId>),
    /// The phone's account leaves.
    Leave,
    /// Another subject.
    Subject(String),
    /// Messages disappear after so many seconds; 0 for never.
    Timer(u32),
    /// Only admins send.
    Announcement(bool),
    /// Only admins change what is known of the group.
    Locked(bool),
}

/// Why the server refused what a phone asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeedError {
    /// The phone is switched off.
    #[error("the phone is offline")]
    Offline,
    /// The code of the server's error.
    #[error("the server refuses: {0}")]
    Refused(u32),
    /// Another account has the number.
    #[error("the number {0} is taken")]
    Taken(u64),
}

impl World {
    /// A request of a phone; gives what the result holds.
    ///
    /// # Errors
    /// [`DeedError`].
    pub fn phone_asks(
        &mut self,
        now_ms: u64,
        account: AccountId,
        xmlns: &str,
        to: &Jid,
        child: Option<Node>,
    ) -> Result<Vec<Node>, DeedError> {
        self.now_ms = now_ms;
        if !self.phone_is_online(account) {
            return Err(DeedError::Offline);
        }
        let id = self.fresh_id();
        let request = el("iq").attr("id", id).attr("to", to).attr("type", "set").attr("xmlns", xmlns);
        let answer = iq::ask(self, DeviceKey { account, device: 0 }, request.maybe_child(child));
        self.run_phones();
        answer.map_err(DeedError::Refused)
    }

    /// Blocks somebody, or no longer.
    ///
    /// # Errors
    /// [`DeedError`].
    pub fn block(
        &mut self,
        now_ms: u64,
        account: AccountId,
        other: AccountId,
        on: bool,
    ) -> Result<(), DeedError> {
        let jid = self.visible_jid(other);
        let item = el("item").attr("action", if on { "block" } else { "unblock" }).attr("jid", jid);
        self.phone_asks(now_ms, account, "blocklist", &Jid::SERVER, Some(item)).map(drop)
    }

    /// Sets the about text and tells contacts.
    ///
    /// # Errors
    /// [`DeedError`].
    pub fn say_about(&mut self, now_ms: u64, account: AccountId, text: &str) -> Result<(), DeedError> {
        let status = el("status").text(text.to_owned());
        self.phone_asks(now_ms, account, "status", &Jid::SERVER, Some(status)).map(drop)
    }

    /// Sets the picture of the account, or of a group; without bytes it is removed.
    ///
    /// # Errors
    /// [`DeedError`].
    pub fn set_picture(
        &mut self,
        now_ms: u64,
        account: AccountId,
        group: Option<&Jid>,
        bytes: Option<Bytes>,
    ) -> Result<(), DeedError> {
        self.now_ms = now_ms;
        if !self.phone_is_online(account) {
            return Err(DeedError::Offline);
        }
        let id = self.fresh_id();
        let picture = bytes.map(|bytes| el("picture").attr("type", "image").bytes(bytes));
        let request = el("iq")
            .attr("id", id)
            .attr("to", Jid::SERVER)
            .attr("type", "set")
            .attr("xmlns", "w:profile:picture")
            .maybe_attr("target", group)
            .maybe_child(picture);
        let answer = iq::ask(self, DeviceKey { account, device: 0 }, request);
        self.run_phones();
        answer.map(drop).map_err(DeedError::Refused)
    }

    /// Makes a group and gives its address.
    ///
    /// # Errors
    /// [`DeedError`].
    pub fn create_group(
        &mut self,
        now_ms: u64,
        account: AccountId,
        subject: &str,
        members: &[AccountId],
    ) -> Result<Jid, DeedError> {
        let create = el("create").attr("subject", subject).children(self.participants(members));
        let result = self.phone_asks(now_ms, account, "w:g2", &Jid::GROUPS, Some(create))?;
        let id = result.iter().find_map(|group| group.text_of("id"));
        id.and_then(|id| format!("{id}@g.us").parse().ok()).ok_or(DeedError::Refused(500))
    }

    /// Changes a group as the phone's account.
    ///
    /// # Errors
    /// [`DeedError`]; members that cannot be changed are no error, as on the wire.
    pub fn change_group(
        &mut self,
        now_ms: u64,
        account: AccountId,
        group: &Jid,
        change: GroupChange,
    ) -> Result<(), DeedError> {
        let (mut to, list) = (group.clone(), |world: &Self, tag, members: &[AccountId]| {
            el(tag).children(world.participants(members))
        });
        let child = match change {
            GroupChange::Add(members) => list(self, "add", &members),
            GroupChange::Remove(members) => list(self, "remove", &members),
            GroupChange::Promote(members) => list(self, "promote", &members),
            GroupChange::Demote(members) => list(self, "demote", &members),
            GroupChange::Leave => {
                to = Jid::GROUPS;
                el("leave").child(el("group").attr("id", group))
            }
            GroupChange::Subject(subject) => el("subject").text(subject),
            GroupChange::Timer(0) => el("not_ephemeral"),
            GroupChange::Timer(seconds) => el("ephemeral").attr("expiration", seconds),
            GroupChange::Announcement(on) => el(if on { "announcement" } else { "not_announcement" }),
            GroupChange::Locked(on) => el(if on { "locked" } else { "unlocked" }),
        };
        self.phone_asks(now_ms, account, "w:g2", &to, Some(child)).map(drop)
    }

    fn participants(&self, members: &[AccountId]) -> Vec<Node> {
        members.iter().map(|member| el("participant").attr("jid", self.visible_jid(*member))).collect()
    }

    /// The account moves to another number and keeps its LID; its companions are unlinked, and those who know it hear of
    /// it.
    ///
    /// # Errors
    /// [`DeedError`].
    pub fn change_number(&mut self, now_ms: u64, id: AccountId, number: u64) -> Result<(), DeedError> {
        self.now_ms = now_ms;
        if self.find_pn(number).is_some() {
            return Err(DeedError::Taken(number));
        }
        for key in self.device_keys(id).into_iter().filter(|key| key.device != 0) {
            self.unlink_from_phone(now_ms, key);
        }
        let before = self.account(id).jid(Family::Pn);
        self.by_user.remove(&(Family::Pn, self.account(id).pn));
        self.by_user.insert((Family::Pn, number), id);
        self.account_mut(id).pn = number;
        self.with_phone(id, |phone, _| phone.change_number(&number.to_string()));
        let account = self.account(id);
        let after = account.jid(Family::Pn);
        let lid = account.lid.map(|_| account.jid(Family::Lid));
        let modify = el("modify")
            .attr("old", &before)
            .attr("new", after)
            .maybe_attr("old_lid", lid.clone())
            .maybe_attr("new_lid", lid);
        for other in self.acquaintances(id) {
            self.notify(other, None, |world, note| {
                notification("contacts", &Jid::SERVER, note, world.now_s()).child(modify.clone())
            });
        }
        self.run_phones();
        Ok(())
    }

    /// An account of the old style gets its LID; `false` when it has one already.
    /// Its phone, and those of people who know it, tell their companions.
    pub fn reveal_lid(&mut self, now_ms: u64, id: AccountId) -> bool {
        self.now_ms = now_ms;
        if self.account(id).lid.is_some() {
            return false;
        }
        let account = self.account(id);
        let name = account.key.clone().unwrap_or_else(|| account.name.clone());
        let fresh = (0..=u8::MAX)
            .map(|attempt| assign(self.config.seed, self.config.number_prefix, &name, attempt).lid)
            .find(|lid| !self.by_user.contains_key(&(Family::Lid, *lid)));
        let Some(lid) = fresh else { return false };
        self.by_user.insert((Family::Lid, lid), id);
        let account = self.account_mut(id);
        account.lid = Some(lid);
        account.switches.no_lid = false;
        self.with_phone(id, |phone, _| phone.set_lid(Some(&lid.to_string())));
        let (mapping, now) = ([(self.account(id).pn, lid)], self.now());
        for other in self.acquaintances(id).into_iter().chain([id]) {
            if !self.phone_is_online(other) {
                continue;
            }
            let told = self.with_phone(other, |phone, world| phone.tell_mappings(&mapping, world, now));
            match told {
                Some(Ok(turn)) => self.take_turn(other, turn),
                Some(Err(error)) => tracing::warn!(%error, "a phone could not tell its companions of a LID"),
                None => {}
            }
        }
        self.run_phones();
        true
    }
}
