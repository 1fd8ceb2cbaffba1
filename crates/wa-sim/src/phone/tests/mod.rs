//! The phone without a server: a wire between phones and companion models that routes as chapter 05 §5.8 says, and the
//! stories told over it.

mod app_state;
mod conversation;
mod linking;
mod model;
mod retry;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use wa_binary::{Hosting, Jid, Node};
use wa_core::adv::check_link_answer;
use wa_core::prekeys::{Bundle, Upload};

use super::{
    Action, Addressing, Blob, GroupView, LinkRequest, Network, Now, Phone, PhoneConfig, PhoneEvent, Received,
    Turn,
};
use crate::media::StoredFile;
use model::Companion;

/// Where everything stands: accounts, groups, files, and the stanzas under way.
struct Wire {
    now: Now,
    accounts: Vec<Account>,
    groups: BTreeMap<Jid, GroupView>,
    blobs: BTreeMap<String, Bytes>,
    queue: VecDeque<(Address, Node)>,
    /// Every stanza that was put on the wire, as text.
    log: Vec<String>,
    /// Damages or drops what is delivered.
    tamper: Option<Tamper>,
}

type Tamper = Box<dyn FnMut(&Address, &mut Node) -> Delivery>;

#[derive(Clone, Copy, PartialEq)]
enum Delivery {
    Pass,
    Drop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Address {
    account: usize,
    device: u16,
}

struct Account {
    pn: Jid,
    lid: Option<Jid>,
    phone: Option<Phone>,
    keys: BTreeMap<u16, Stock>,
    companions: BTreeMap<u16, Companion>,
    events: Vec<PhoneEvent>,
}

struct Stock {
    upload: Upload,
    device_identity: Option<Bytes>,
}

const ALICE: usize = 0;
const BOB: usize = 1;

fn config(number: u8, lid: bool) -> PhoneConfig {
    PhoneConfig {
        pn: format!("155501001{number:02}"),
        lid: lid.then(|| format!("1000000000001{number:02}")),
        name: format!("Person {number}"),
        locale: "en_US".to_owned(),
        seed: [number; 32],
        one_time_keys: 5,
        key_index_gap: 0,
    }
}

impl Wire {
    /// Alice and Bob with a phone each.
    fn new() -> Self {
        Self::of(&[config(1, true), config(2, true)])
    }

    fn of(configs: &[PhoneConfig]) -> Self {
        let now = Now { unix_ms: 1_760_000_000_000 };
        let accounts = configs
            .iter()
            .map(|config| {
                let mut phone = Phone::new(config.clone(), now);
                let upload = phone.upload(config.one_time_keys);
                let keys = [(0, Stock { upload, device_identity: None })].into();
                Account {
                    pn: phone.pn().clone(),
                    lid: phone.lid().cloned(),
                    phone: Some(phone),
                    keys,
                    companions: BTreeMap::new(),
                    events: Vec::new(),
                }
            })
            .collect();
        Self {
            now,
            accounts,
            groups: BTreeMap::new(),
            blobs: BTreeMap::new(),
            queue: VecDeque::new(),
            log: Vec::new(),
            tamper: None,
        }
    }

    fn phone(&mut self, account: usize) -> &mut Phone {
        self.accounts[account].phone.as_mut().unwrap()
    }

    fn user(&self, account: usize) -> Jid {
        let account = &self.accounts[account];
        account.lid.clone().unwrap_or_else(|| account.pn.clone())
    }

    fn inbox(&self, account: usize) -> &[Received] {
        self.accounts[account].phone.as_ref().unwrap().inbox()
    }

    /// Lets a phone work with the rest as its network.
    fn with<T>(&mut self, account: usize, work: impl FnOnce(&mut Phone, &mut Self, Now) -> T) -> T {
        let mut phone = self.accounts[account].phone.take().unwrap();
        let now = self.now;
        let result = work(&mut phone, self, now);
        self.accounts[account].phone = Some(phone);
        result
    }

    fn act(&mut self, account: usize, action: Action) -> String {
        self.now.unix_ms += 1000;
        let turn = self.with(account, |phone, wire, now| phone.act(action, wire, now)).unwrap();
        let id = turn.stanzas.first().and_then(|stanza| stanza.required("id").string().ok());
        self.take_turn(account, turn);
        self.run();
        id.map(String::from).unwrap_or_default()
    }

    fn say(&mut self, from: usize, to: &Jid, text: &str) -> String {
        self.act(from, Action::Text { chat: to.clone(), text: text.to_owned(), quote: None })
    }

    fn take_turn(&mut self, account: usize, turn: Turn) {
        self.accounts[account].events.extend(turn.events);
        for stanza in turn.stanzas {
            self.route(Address { account, device: 0 }, &stanza);
        }
    }

    /// Delivers until nothing is under way.
    fn run(&mut self) {
        while let Some((to, mut node)) = self.queue.pop_front() {
            if let Some(mut tamper) = self.tamper.take() {
                let delivery = tamper(&to, &mut node);
                self.tamper = Some(tamper);
                if delivery == Delivery::Drop {
                    continue;
                }
            }
            if to.device == 0 {
                let turn = self.with(to.account, |phone, wire, now| phone.receive(&node, wire, now));
                self.take_turn(to.account, turn);
                continue;
            }
            let Some(mut companion) = self.accounts[to.account].companions.remove(&to.device) else {
                continue;
            };
            let answers = companion.receive(&node);
            self.accounts[to.account].companions.insert(to.device, companion);
            for answer in answers {
                self.route(to, &answer);
            }
        }
    }

    fn find(&self, jid: &Jid) -> Option<usize> {
        self.accounts.iter().position(|account| {
            jid.same_user(&account.pn) || account.lid.as_ref().is_some_and(|lid| jid.same_user(lid))
        })
    }

    fn jid(&self, of: Address, like: &Jid) -> Jid {
        let account = &self.accounts[of.account];
        let user = match &account.lid {
            Some(lid) if like.is_lid() => lid,
            _ => &account.pn,
        };
        user.with_device(of.device, Hosting::Own)
    }

    /// Puts a stanza on the wire as the server would deliver it.
    fn route(&mut self, from: Address, stanza: &Node) {
        self.log.push(stanza.to_string());
        let Ok(to) = stanza.required("to").jid() else { return };
        match stanza.tag() {
            "message" if to.is_group() => self.route_group(from, &to, stanza),
            "message" => self.route_direct(from, &to, stanza),
            "receipt" => {
                let mut out = stanza.clone();
                out.remove_attr("to");
                let author = match to.is_group() {
                    true => stanza.required("participant").jid().unwrap(),
                    false => to.clone(),
                };
                let sender = self.jid(from, &author);
                match to.is_group() {
                    true => {
                        out.set_attr("from", to.clone());
                        out.set_attr("participant", sender);
                    }
                    false => out.set_attr("from", sender),
                }
                let account = self.find(&author).unwrap();
                self.queue.push_back((Address { account, device: author.device() }, out));
            }
            _ => {}
        }
    }

    fn dressed(&self, stanza: &Node, from: Address) -> Node {
        let mut out = Node::new("message");
        for (key, value) in stanza.attr_values() {
            if !matches!(key.as_str(), "to" | "phash" | "participant" | "peer_recipient_pn" | "device_fanout")
            {
                out.set_attr(key.clone(), value.clone());
            }
        }
        let name = self.accounts[from.account].phone.as_ref().map(|phone| phone.name().to_owned());
        out.attr("t", self.now.seconds().to_string()).maybe_attr("notify", name)
    }

    fn route_direct(&mut self, from: Address, to: &Jid, stanza: &Node) {
        let sender = self.jid(from, to);
        let account = &self.accounts[from.account];
        let other = if sender.is_lid() { Some(account.pn.clone()) } else { account.lid.clone() };
        let key = if sender.is_lid() { "sender_pn" } else { "sender_lid" };
        let mut base = self.dressed(stanza, from).maybe_attr(key, other);
        base.set_attr("from", sender);
        let identity = stanza.optional_child("device-identity").map(wa_binary::NodeRef::to_node);
        if let Some(enc) = stanza.optional_child("enc") {
            if stanza.attr_is("category", "peer") {
                base.set_attr("from", self.accounts[from.account].pn.with_device(from.device, Hosting::Own));
            }
            let out = base.child(enc.to_node()).maybe_child(identity);
            let account = self.find(to).unwrap();
            self.queue.push_back((Address { account, device: to.device() }, out));
            return;
        }
        let participants = stanza.optional_child("participants").unwrap();
        for entry in participants.each("to") {
            let device = entry.required("jid").jid().unwrap();
            assert_eq!(device.family(), to.family(), "one family per stanza");
            let account = self.find(&device).unwrap();
            let mut out = base.clone().child(entry.required_child("enc").unwrap().to_node());
            if account == from.account {
                out.set_attr("recipient", to.clone());
            }
            let out = out.maybe_child(identity.clone());
            self.queue.push_back((Address { account, device: device.device() }, out));
        }
    }

    fn route_group(&mut self, from: Address, group: &Jid, stanza: &Node) {
        let view = self.groups[group].clone();
        let like = match view.addressing {
            Addressing::Lid => Jid::lid(1),
            Addressing::Pn => Jid::pn(1),
        };
        let base = self.dressed(stanza, from).attr("from", group).attr("participant", self.jid(from, &like));
        let identity = stanza.optional_child("device-identity").map(wa_binary::NodeRef::to_node);
        if let Ok(Some(only)) = stanza.optional("participant").jid() {
            let enc = stanza.optional_child("enc").unwrap().to_node();
            let account = self.find(&only).unwrap();
            let out = base.child(enc).maybe_child(identity);
            self.queue.push_back((Address { account, device: only.device() }, out));
            return;
        }
        for member in view.participants {
            let account = self.find(&member).unwrap();
            let devices: Vec<u16> = self.accounts[account].keys.keys().copied().collect();
            for device in devices {
                let to = Address { account, device };
                if to == from {
                    continue;
                }
                let jid = self.jid(to, &like);
                let own = stanza
                    .optional_child("participants")
                    .into_iter()
                    .flat_map(|participants| participants.each("to"))
                    .find(|entry| entry.required("jid").jid().is_ok_and(|found| found == jid))
                    .map(|entry| entry.required_child("enc").unwrap().to_node());
                let out = base
                    .clone()
                    .maybe_child(own)
                    .child(stanza.optional_child("enc").unwrap().to_node())
                    .maybe_child(identity.clone());
                self.queue.push_back((to, out));
            }
        }
    }

    /// A whole link by QR code. Gives the companion's number.
    fn link(&mut self, account: usize, mut companion: Companion, device: u16) -> u16 {
        let text = companion.qr("2@ref");
        let now = self.now;
        let request = self.phone(account).scan_qr(&text, now).unwrap();
        self.finish_link(account, &mut companion, device, &request);
        self.join(account, companion, device);
        device
    }

    /// From `pair-success` to the completed link.
    fn finish_link(&mut self, account: usize, companion: &mut Companion, device: u16, request: &LinkRequest) {
        let (key_index, answer) = companion.pair_success(&request.issued.container).unwrap();
        let signed = check_link_answer(&request.issued, key_index, &answer).unwrap();
        companion.pn = self.accounts[account].pn.with_device(device, Hosting::Own);
        companion.lid = self.accounts[account].lid.as_ref().map(|lid| lid.with_device(device, Hosting::Own));
        self.phone(account).link_completed(request.issued.key_index, device).unwrap();
        let stock = Stock { upload: companion.upload(), device_identity: Some(signed.encode()) };
        self.accounts[account].keys.insert(device, stock);
    }

    fn join(&mut self, account: usize, companion: Companion, device: u16) {
        self.accounts[account].companions.insert(device, companion);
        let turn = self.with(account, |phone, wire, now| phone.welcome(device, wire, now)).unwrap();
        self.take_turn(account, turn);
        self.run();
    }

    fn companion(&mut self, account: usize, device: u16) -> &mut Companion {
        self.accounts[account].companions.get_mut(&device).unwrap()
    }

    /// A companion writes to a person.
    fn companion_says(&mut self, account: usize, device: u16, to: &Jid, text: &str) -> String {
        let mut companion = self.accounts[account].companions.remove(&device).unwrap();
        let stanza = companion.text(to, text, self);
        self.accounts[account].companions.insert(device, companion);
        let id = stanza.required("id").string().unwrap().to_string();
        self.route(Address { account, device }, &stanza);
        self.run();
        id
    }
}

impl Network for Wire {
    fn devices(&mut self, user: &Jid) -> Vec<Jid> {
        let Some(account) = self.find(user) else { return Vec::new() };
        let devices: Vec<u16> = self.accounts[account].keys.keys().copied().collect();
        devices.into_iter().map(|device| self.jid(Address { account, device }, user)).collect()
    }

    fn bundle(&mut self, device: &Jid) -> Option<Bundle> {
        let account = self.find(device)?;
        let stock = self.accounts[account].keys.get_mut(&device.device())?;
        let one_time = (!stock.upload.one_time.is_empty()).then(|| stock.upload.one_time.remove(0));
        Some(Bundle {
            registration_id: stock.upload.registration_id,
            identity: stock.upload.identity,
            signed: stock.upload.signed,
            one_time,
            device_identity: stock.device_identity.clone(),
        })
    }

    fn alternate(&mut self, user: &Jid) -> Option<Jid> {
        let account = &self.accounts[self.find(user)?];
        if user.is_lid() { Some(account.pn.clone()) } else { account.lid.clone() }
    }

    fn group(&mut self, group: &Jid) -> Option<GroupView> {
        self.groups.get(group).cloned()
    }

    fn audience(&mut self, own: &Jid) -> Vec<Jid> {
        let own = self.find(own);
        (0..self.accounts.len()).filter(|other| Some(*other) != own).map(|other| self.user(other)).collect()
    }

    fn store_blob_again(&mut self, blob: Blob) -> String {
        let path = format!("/v/again-{}", self.blobs.len());
        self.blobs.insert(path.clone(), blob.file.whole().unwrap());
        path
    }

    fn fetch_blob(&mut self, direct_path: &str) -> Option<StoredFile> {
        self.blobs.get(direct_path).cloned().map(StoredFile::from)
    }

    fn store_blob(&mut self, blob: Blob) -> String {
        let path = format!("/v/{}", hex::encode(&blob.enc_sha256[..8]));
        self.blobs.insert(path.clone(), blob.file.whole().unwrap());
        path
    }
}
