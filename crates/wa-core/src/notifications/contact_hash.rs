//! The hash that stands for a contact in place of an address (chapter 09a §4.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use compact_str::CompactString;
use wa_binary::Jid;
use wa_crypto::digest::md5;

/// Behind the user's digits.
const SALT: &[u8] = b"WA_ADD_NOTIF";

/// Four characters that stand for a contact. They say little: several contacts may share them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContactHash(CompactString);

impl ContactHash {
    /// That of a user, whose LID counts once it is known.
    pub fn of(user: &Jid) -> Self {
        let digest = md5(&[user.user().as_bytes(), SALT].concat());
        Self(STANDARD.encode(&digest[..3]).into())
    }

    /// Reads an attribute; none unless it is one group of four characters.
    pub fn parse(text: &str) -> Option<Self> {
        let is_group = text.len() == 4 && STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 3);
        is_group.then(|| Self(text.into()))
    }

    /// The four characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Those of `contacts` that it may stand for.
    pub fn resolve<'c>(&self, contacts: impl IntoIterator<Item = &'c Jid>) -> Option<&'c Jid> {
        contacts.into_iter().find(|contact| Self::of(contact) == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_group_of_base64_is_a_hash() {
        let lid: Jid = "200000000000002@lid".parse().unwrap();
        let hash = ContactHash::of(&lid);
        assert_eq!(ContactHash::parse(hash.as_str()), Some(hash.clone()));
        assert_eq!(hash.resolve([&lid.with_device(3, wa_binary::Hosting::Own)]).map(Jid::is_lid), Some(true));
        assert_eq!(hash.resolve([&"200000000000003@lid".parse().unwrap()]), None);
        for other in ["", "abc", "abcde", "ab==", "a b!", "abcdefgh"] {
            assert_eq!(ContactHash::parse(other), None, "{other}");
        }
    }
}
