//! Messages of bots, `enc type="msmsg"` (chapter 04 §18.3, chapter 05 §11.23): the key comes in two steps, so that a
//! bot can be given the first one without the message's secret.

use wa_binary::Jid;
use wa_crypto::{Secret, kdf};

use super::{AddOnKey, MessageSecret};

/// What a bot is given to answer one message (`messageContextInfo.botMessageSecret`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotMessageSecret(Secret<32>);

impl BotMessageSecret {
    /// Takes the bytes over.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes, for the message to the bot.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl MessageSecret {
    /// The secret that a bot invoked by this message is given.
    pub fn for_bot(&self) -> BotMessageSecret {
        BotMessageSecret(kdf::hkdf(&[], self.expose(), b"Bot Message"))
    }
}

/// What a bot's reply is tied to.
#[derive(Clone, Copy, Debug)]
pub struct BotReply<'a> {
    /// The stanza's id; for the `inner` and `last` pieces of a streamed reply the id of its first piece
    /// (`edit_target_id`).
    pub id: &'a str,
    /// Author of the message that is answered.
    pub target_sender: &'a Jid,
    /// The bot.
    pub bot: &'a Jid,
}

impl BotReply<'_> {
    /// Derives the key.
    pub fn key(&self, secret: &BotMessageSecret) -> AddOnKey {
        let bot = self.bot.user_jid().to_string();
        let info = [self.id, &self.target_sender.user_jid().to_string(), &bot].concat();
        let key = kdf::hkdf(&[], secret.expose(), info.as_bytes());
        AddOnKey::from_parts(key, [self.id.as_bytes(), &[0], bot.as_bytes()].concat())
    }
}
