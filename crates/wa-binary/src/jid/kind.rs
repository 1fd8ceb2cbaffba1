//! What a JID names (chapter 03 §8.1).

use super::{Jid, Server};

/// The class of an address. [`JidKind::name`] is the term of the protocol reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum JidKind {
    /// A whole service.
    Service,
    /// A phone user.
    User,
    /// A device of a phone user.
    Device,
    /// A phone user in legacy spelling.
    LegacyUser,
    /// The official announcement account.
    Announcements,
    /// An AI bot by phone number.
    BotPn,
    /// An AI bot.
    Bot,
    /// A user by LID.
    LidUser,
    /// A device of a user by LID.
    LidDevice,
    /// A phone user at the hosted server, without a device.
    HostedUser,
    /// A hosted device of a phone user.
    HostedDevice,
    /// A user by LID at the hosted server, without a device.
    HostedLidUser,
    /// A hosted device by LID.
    HostedLidDevice,
    /// A group or community.
    Group,
    /// The status list.
    Status,
    /// Another broadcast list.
    BroadcastList,
    /// A channel.
    Newsletter,
    /// A call or call link.
    Call,
    /// A Messenger user.
    MsgrUser,
    /// A device of a Messenger user.
    MsgrDevice,
    /// A user of another network.
    InteropUser,
    /// A device of a user of another network.
    InteropDevice,
    /// Somebody at an unknown server.
    Unknown,
}

impl JidKind {
    /// Short name in the terms of the protocol reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "server",
            Self::User => "user",
            Self::Device => "device",
            Self::LegacyUser => "legacy_user",
            Self::Announcements => "psa",
            Self::BotPn => "bot_pn",
            Self::Bot => "bot",
            Self::LidUser => "lid_user",
            Self::LidDevice => "lid_device",
            Self::HostedUser => "hosted_user",
            Self::HostedDevice => "hosted_device",
            Self::HostedLidUser => "hosted_lid_user",
            Self::HostedLidDevice => "hosted_lid_device",
            Self::Group => "group",
            Self::Status => "status",
            Self::BroadcastList => "broadcast_list",
            Self::Newsletter => "newsletter",
            Self::Call => "call",
            Self::MsgrUser => "msgr_user",
            Self::MsgrDevice => "msgr_device",
            Self::InteropUser => "interop_user",
            Self::InteropDevice => "interop_device",
            Self::Unknown => "unknown",
        }
    }
}

impl Jid {
    /// What it names.
    pub fn kind(&self) -> JidKind {
        if self.is_service() {
            return JidKind::Service;
        }
        let device = self.device() > 0;
        match self.server() {
            Server::Pn | Server::Legacy if self.is_announcements() => JidKind::Announcements,
            Server::Pn if self.is_bot() => JidKind::BotPn,
            Server::Pn if device => JidKind::Device,
            Server::Pn => JidKind::User,
            Server::Legacy => JidKind::LegacyUser,
            Server::Lid if device => JidKind::LidDevice,
            Server::Lid => JidKind::LidUser,
            Server::Hosted if device => JidKind::HostedDevice,
            Server::Hosted => JidKind::HostedUser,
            Server::HostedLid if device => JidKind::HostedLidDevice,
            Server::HostedLid => JidKind::HostedLidUser,
            Server::Group => JidKind::Group,
            Server::Broadcast if self.is_status() => JidKind::Status,
            Server::Broadcast => JidKind::BroadcastList,
            Server::Newsletter => JidKind::Newsletter,
            Server::Call => JidKind::Call,
            Server::Bot => JidKind::Bot,
            Server::Msgr if device => JidKind::MsgrDevice,
            Server::Msgr => JidKind::MsgrUser,
            Server::Interop if device => JidKind::InteropDevice,
            Server::Interop => JidKind::InteropUser,
            Server::Other => JidKind::Unknown,
        }
    }
}
