//! The two addresses of one person, as stanzas give them in passing (chapter 09a §1.3 step 6).

use wa_binary::Jid;

/// A LID and the phone number behind it, both without device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mapping {
    /// The hidden id.
    pub lid: Jid,
    /// The phone number.
    pub pn: Jid,
}

impl Mapping {
    /// Of two addresses in whatever order; none unless they are one of each family.
    pub fn of(one: &Jid, other: &Jid) -> Option<Self> {
        let (lid, pn) = match (one.is_lid(), other.is_lid()) {
            (true, false) => (one, other),
            (false, true) => (other, one),
            _ => return None,
        };
        pn.is_pn().then(|| Self { lid: lid.account(), pn: pn.account() })
    }
}
