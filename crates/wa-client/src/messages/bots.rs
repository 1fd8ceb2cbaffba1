//! Answers of bots, `enc type="msmsg"` (chapter 04 §18.3): sealed under the secret of the message that they answer.

use prost::Message as _;
use wa_binary::Jid;
use wa_core::content::Target;
use wa_core::envelope::{Encrypted, MessageStanza};
use wa_core::secrets::{BotReply, MessageSecret};
use wa_proto::e2e_message as proto;
use wa_store::StoreError;

use crate::credentials::Own;
use crate::vault::Step;

/// What became of a bot's answer.
pub(crate) enum FromBot {
    /// The message, without padding.
    Opened(Vec<u8>),
    /// The message that it answers is not known, or it was not sealed for us: asking again does not help.
    NoSecret,
}

impl Step<'_> {
    /// Opens a bot's answer.
    pub(crate) async fn open_from_bot(
        &mut self,
        incoming: &MessageStanza,
        one: &Encrypted<'_>,
    ) -> Result<FromBot, StoreError> {
        let meta =
            |name: &str| incoming.meta.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let Ok(sealed) = proto::MessageSecretMessage::decode(&*one.bytes) else {
            return Ok(FromBot::NoSecret);
        };
        let (Some(id), Some(iv), Some(payload)) = (meta("target_id"), sealed.enc_iv, sealed.enc_payload)
        else {
            return Ok(FromBot::NoSecret);
        };
        let address = |name| meta(name).and_then(|jid| jid.parse::<Jid>().ok());
        let chat = address("target_chat_jid").unwrap_or_else(|| incoming.chat.clone());
        let named = address("target_sender_jid");
        let from_me = named.as_ref().is_none_or(|sender| self.device.is_me(sender));
        let target = Target::new(id.as_str(), chat, named.clone(), from_me);
        let Some((_, row)) = self.secret(&target).await? else { return Ok(FromBot::NoSecret) };
        let secret = MessageSecret::new(*row.secret.expose()).for_bot();
        let own = if incoming.sender.is_bot() && !incoming.sender.is_pn() {
            self.device.lid().or_else(|| self.device.pn())
        } else {
            self.device.pn()
        };
        let piece = incoming.bot.as_ref().filter(|bot| matches!(bot.edit.as_deref(), Some("inner" | "last")));
        let id = piece.and_then(|bot| bot.edit_target_id.as_deref()).unwrap_or(&incoming.id);
        let Some(target_sender) = named.or(own) else { return Ok(FromBot::NoSecret) };
        let reply = BotReply { id, target_sender: &target_sender, bot: &incoming.sender };
        Ok(match reply.key(&secret).open(&iv, &payload) {
            Ok(message) => FromBot::Opened(message),
            Err(error) => {
                tracing::warn!(%error, "a bot's answer cannot be opened");
                FromBot::NoSecret
            }
        })
    }
}
