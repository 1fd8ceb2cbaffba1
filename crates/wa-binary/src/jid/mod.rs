//! Addresses: `user@server` with an optional device and integrator (chapter 03 §8).
//!
//! A [`Jid`] is 32 bytes and needs no heap for users of digits up to `u64`, nor for others of up to 24 bytes.

mod kind;
mod parse;
mod print;
mod server;
mod views;

use compact_str::{CompactString, format_compact};

pub use kind::JidKind;
pub use print::{PhashForm, Redacted};
pub use server::{Family, Server};
pub use views::{DeviceJid, GroupJid, UserJid};

/// An address. Equal when user, server, device and integrator are equal; the dropped agent is no part of it.
///
/// ```
/// use wa_binary::{Jid, Server};
/// let jid: Jid = "15550100123:7@s.whatsapp.net".parse()?;
/// assert_eq!((jid.server(), jid.device()), (Server::Pn, 7));
/// assert_eq!(jid.user_jid().to_string(), "15550100123@s.whatsapp.net");
/// # Ok::<(), wa_binary::JidError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    server: Server,
    integrator: u16,
    user: User,
    device: u16,
}

/// The user part. A text never is a canonical decimal number, so that equal users have one form.
/// With [`Server::Other`] the text is `user@server`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum User {
    Number(u64),
    Text(CompactString),
}

impl User {
    #[inline]
    pub(crate) fn of(text: &str) -> Self {
        match canonical_number(text.as_bytes()) {
            Some(number) => Self::Number(number),
            None => Self::Text(CompactString::from(text)),
        }
    }
}

/// The number that `text` writes in decimal without leading zeros.
pub(crate) fn canonical_number(text: &[u8]) -> Option<u64> {
    if text.len() > 20 || (text.len() > 1 && text.first() == Some(&b'0')) {
        return None;
    }
    decimal(text)
}

/// The number that `text` writes in decimal; no sign, not empty.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

impl Jid {
    /// `s.whatsapp.net`, the server itself: `to` of most requests.
    pub const SERVER: Self = Self::service(Server::Pn);
    /// `g.us`, the group service.
    pub const GROUPS: Self = Self::service(Server::Group);
    /// `call`, the call service.
    pub const CALL: Self = Self::service(Server::Call);
    /// `newsletter`, the channel service.
    pub const NEWSLETTERS: Self = Self::service(Server::Newsletter);
    /// `status@broadcast`, status updates.
    pub const STATUS: Self = Self::named("status", Server::Broadcast);
    /// `location@broadcast`, the old live-location list.
    pub const LOCATION: Self = Self::named("location", Server::Broadcast);
    /// `0@s.whatsapp.net`, official announcements; never answer or query it.
    pub const ANNOUNCEMENTS: Self = Self::numbered(0, Server::Pn);
    /// `16505361212@s.whatsapp.net`, official surveys.
    pub const SURVEYS: Self = Self::numbered(16_505_361_212, Server::Pn);
    /// `server@c.us`, the legacy server account in old local data.
    pub const LEGACY_SERVER: Self = Self::named("server", Server::Legacy);
    /// `13135550002@s.whatsapp.net`, Meta AI as a phone number.
    pub const META_AI_PN: Self = Self::numbered(13_135_550_002, Server::Pn);
    /// `867051314767696@bot`, Meta AI as a bot.
    pub const META_AI: Self = Self::numbered(867_051_314_767_696, Server::Bot);

    /// The address of a whole service. [`Server::Other`] has none: parse `@name` instead.
    pub const fn service(server: Server) -> Self {
        Self::named("", server)
    }

    const fn named(user: &'static str, server: Server) -> Self {
        Self { server, integrator: 0, user: User::Text(CompactString::const_new(user)), device: 0 }
    }

    /// A user of digits, as a number. Meant for known servers.
    pub const fn numbered(user: u64, server: Server) -> Self {
        Self { server, integrator: 0, user: User::Number(user), device: 0 }
    }

    /// The phone user `number` (country code first).
    pub const fn pn(number: u64) -> Self {
        Self::numbered(number, Server::Pn)
    }

    /// The user with LID `id`.
    pub const fn lid(id: u64) -> Self {
        Self::numbered(id, Server::Lid)
    }

    pub(crate) const fn from_parts(user: User, server: Server, device: u16, integrator: u16) -> Self {
        Self { server, integrator, user, device }
    }

    /// The server.
    #[inline]
    pub const fn server(&self) -> Server {
        self.server
    }

    /// Name of the server, also of an unknown one.
    #[inline]
    pub fn server_name(&self) -> &str {
        match (&self.user, self.server) {
            (User::Text(text), Server::Other) => text.split_once('@').map_or("", |(_, server)| server),
            _ => self.server.name(),
        }
    }

    /// The user as text; empty for a server JID. No heap for up to 24 bytes.
    pub fn user(&self) -> CompactString {
        match (&self.user, self.server) {
            (User::Number(number), _) => format_compact!("{number}"),
            (User::Text(text), Server::Other) => text.split_once('@').map_or("", |(user, _)| user).into(),
            (User::Text(text), _) => text.clone(),
        }
    }

    /// The user as a number, when it is a canonical one that fits.
    #[inline]
    pub const fn user_number(&self) -> Option<u64> {
        match self.user {
            User::Number(number) => Some(number),
            User::Text(_) => None,
        }
    }

    pub(crate) const fn user_part(&self) -> &User {
        &self.user
    }

    /// The device; 0 is the primary, or none.
    #[inline]
    pub const fn device(&self) -> u16 {
        self.device
    }

    /// The integrator; 0 but for [`Server::Interop`].
    pub const fn integrator(&self) -> u16 {
        self.integrator
    }

    /// Whether it names a whole server rather than somebody there.
    pub fn is_service(&self) -> bool {
        match &self.user {
            User::Text(text) if self.server == Server::Other => text.starts_with('@'),
            User::Text(text) => text.is_empty(),
            User::Number(_) => false,
        }
    }

    /// The same address without the device.
    #[must_use]
    pub fn user_jid(&self) -> Self {
        Self { device: 0, ..self.clone() }
    }

    /// Without the device, and `c.us` as `s.whatsapp.net`.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let server = if self.server == Server::Legacy { Server::Pn } else { self.server };
        Self { device: 0, server, ..self.clone() }
    }

    /// The account behind it: normalized, and a hosted name as the plain one of its family.
    #[must_use]
    pub fn account(&self) -> Self {
        let server = match self.server {
            Server::Legacy | Server::Hosted => Server::Pn,
            Server::HostedLid => Server::Lid,
            server => server,
        };
        Self { device: 0, server, ..self.clone() }
    }

    /// Whether both are the same account when devices, hosting and the legacy server are disregarded. Never true
    /// between a phone number and a LID: that takes the mapping.
    pub fn same_user(&self, other: &Self) -> bool {
        let server = |jid: &Self| match jid.server {
            Server::Legacy | Server::Hosted => Server::Pn,
            Server::HostedLid => Server::Lid,
            server => server,
        };
        self.user == other.user && self.integrator == other.integrator && server(self) == server(other)
    }

    /// The same user's device `device`, at the server where it lives: the hosted twin for [`Hosting::Hosted`],
    /// the plain one otherwise.
    #[must_use]
    pub fn with_device(&self, device: u16, hosting: Hosting) -> Self {
        let server = match (self.server, hosting) {
            (Server::Pn | Server::Hosted, Hosting::Hosted) => Server::Hosted,
            (Server::Pn | Server::Hosted, Hosting::Own) => Server::Pn,
            (Server::Lid | Server::HostedLid, Hosting::Hosted) => Server::HostedLid,
            (Server::Lid | Server::HostedLid, Hosting::Own) => Server::Lid,
            (server, _) => server,
        };
        Self { device, server, ..self.clone() }
    }

    /// Its name space: phone numbers, LIDs, or neither.
    pub const fn family(&self) -> Option<Family> {
        self.server.family()
    }

    /// Whether it belongs to the phone-number family.
    pub const fn is_pn(&self) -> bool {
        matches!(self.server.family(), Some(Family::Pn))
    }

    /// Whether it belongs to the LID family.
    pub const fn is_lid(&self) -> bool {
        matches!(self.server.family(), Some(Family::Lid))
    }

    /// Whether it is a group or community.
    pub fn is_group(&self) -> bool {
        self.server == Server::Group && !self.is_service()
    }

    /// Whether it is `status@broadcast`.
    pub fn is_status(&self) -> bool {
        *self == Self::STATUS
    }

    /// Whether it is a broadcast list other than the status list.
    pub fn is_broadcast_list(&self) -> bool {
        self.server == Server::Broadcast && !self.is_service() && !self.is_status()
    }

    /// Whether it is a channel.
    pub fn is_newsletter(&self) -> bool {
        self.server == Server::Newsletter && !self.is_service()
    }

    /// Whether it is a cloud-API device: a hosted server, or device 99.
    pub const fn is_hosted(&self) -> bool {
        matches!(self.server, Server::Hosted | Server::HostedLid) || self.device == 99
    }

    /// Whether it is the official announcement account in either spelling.
    pub fn is_announcements(&self) -> bool {
        matches!(self.server, Server::Pn | Server::Legacy) && self.device == 0 && self.user == User::Number(0)
    }

    /// Whether it is an AI bot, by bot id or by one of the phone numbers set aside for bots.
    pub fn is_bot(&self) -> bool {
        match (self.server, &self.user) {
            (Server::Bot, _) => !self.is_service(),
            (Server::Pn, User::Number(number)) if self.device == 0 => {
                (13_135_550_000..=13_135_559_999).contains(number)
                    || (13_165_550_000..=13_165_550_099).contains(number)
            }
            _ => false,
        }
    }
}

/// Where a device runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hosting {
    /// On the user's own phone or computer.
    Own,
    /// In the cloud, for a business.
    Hosted,
}
