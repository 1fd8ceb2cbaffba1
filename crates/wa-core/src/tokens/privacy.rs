//! Privacy tokens (chapter 04 §20): the trusted-contact token that a contact gave us, when it is stale, when ours is
//! due, and the token computed from the account's salt for those who gave none.

use wa_binary::{Jid, Node};
use wa_crypto::mac;

/// How tokens age: in buckets of equal length, of which the last few count. Server properties may change both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    duration: u64,
    count: u64,
}

impl Default for Buckets {
    /// Four weeks of seven days.
    fn default() -> Self {
        Self::new(604_800, 4)
    }
}

impl Buckets {
    /// Longest bucket, in seconds.
    pub const LONGEST: u64 = 15_552_000;

    /// Buckets of `duration` seconds (1 to [`Self::LONGEST`], clamped), of which `count` count (at least one).
    pub fn new(duration: u64, count: u64) -> Self {
        Self { duration: duration.clamp(1, Self::LONGEST), count: count.max(1) }
    }

    /// Whether a token of this time (`None` = there is none) must not be attached any more. Unix seconds.
    pub fn is_expired(&self, token: Option<u64>, now: u64) -> bool {
        let oldest = (now / self.duration).saturating_sub(self.count - 1).saturating_mul(self.duration);
        token.is_none_or(|token| token < oldest)
    }

    /// Whether the contact should be given a fresh token of ours, last issued then (`None` = never). Unix seconds.
    pub fn is_issue_due(&self, issued: Option<u64>, now: u64) -> bool {
        issued.is_none_or(|issued| now / self.duration > issued / self.duration)
    }
}

/// Whether a privacy token may go beside messages to this chat: people, but not oneself, bots, the announcement
/// account, groups, lists or channels.
pub fn takes_token(chat: &Jid, own: &[Jid]) -> bool {
    (chat.is_pn() || chat.is_lid())
        && !chat.is_service()
        && !chat.is_bot()
        && !chat.user_jid().is_announcements()
        && !own.iter().any(|own| own.same_user(chat))
}

/// The token computed from the account's salt for a contact who gave none; `salt` of any length.
pub fn cs_token(salt: &[u8], recipient_lid: &Jid) -> [u8; 32] {
    mac::hmac_sha256(salt, &[recipient_lid.user_jid().to_string().as_bytes()])
}

/// The child of `<message>` with a token that the contact gave.
pub fn tc_token_node(token: &[u8]) -> Node {
    Node::new("tctoken").bytes(token.to_vec())
}

/// The child of `<message>` with a computed token.
pub fn cs_token_node(token: &[u8; 32]) -> Node {
    Node::new("cstoken").bytes(token.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_through_exactly_the_last_four_buckets() {
        let buckets = Buckets::default();
        let now = 1_800_000_000;
        let start = now / 604_800 * 604_800;
        assert!(!buckets.is_expired(Some(start - 3 * 604_800), now));
        assert!(buckets.is_expired(Some(start - 3 * 604_800 - 1), now));
        assert!(buckets.is_expired(None, now));
        assert!(!buckets.is_expired(Some(u64::MAX), now));
        assert!(!buckets.is_expired(Some(0), 0));
    }

    #[test]
    fn a_new_bucket_makes_issuing_due() {
        let buckets = Buckets::default();
        let start = 1_800_000_000 / 604_800 * 604_800;
        assert!(!buckets.is_issue_due(Some(start), start + 604_799));
        assert!(buckets.is_issue_due(Some(start - 1), start));
        assert!(buckets.is_issue_due(None, start));
        assert!(!buckets.is_issue_due(Some(start + 604_800), start));
    }

    #[test]
    fn impossible_server_properties_are_clamped() {
        assert_eq!(Buckets::new(0, 0), Buckets::new(1, 1));
        assert_eq!(Buckets::new(u64::MAX, 4), Buckets::new(Buckets::LONGEST, 4));
        assert!(!Buckets::new(1, u64::MAX).is_expired(Some(1), u64::MAX));
    }

    #[test]
    fn only_other_people_take_tokens() {
        let own = [Jid::pn(15_550_100_001), Jid::lid(100_000_000_000_001)];
        let takes = |text: &str| takes_token(&text.parse().unwrap(), &own);
        assert!(takes("15550100002@s.whatsapp.net") && takes("200000000000002@lid"));
        for chat in [
            "15550100001@s.whatsapp.net",
            "100000000000001:3@lid",
            "13135550002@s.whatsapp.net",
            "867051314767696@bot",
            "0@s.whatsapp.net",
            "120363000000000000@g.us",
            "status@broadcast",
            "120363000000000000@newsletter",
        ] {
            assert!(!takes(chat), "{chat}");
        }
    }
}
