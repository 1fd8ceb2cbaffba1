//! Contact cards (chapter 05 §11.11): vCard 3.0 with the WhatsApp id of each number.

use wa_proto::e2e_message::message::{ContactMessage, ContactsArrayMessage};

/// A contact card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contact {
    /// The name that is shown.
    pub name: String,
    /// Where they work.
    pub organization: Option<String>,
    /// Their numbers.
    pub phones: Vec<Phone>,
    /// The card as it came; a card to be sent is written from the other fields when this is `None`.
    pub vcard: Option<String>,
}

/// A number on a card.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Phone {
    /// The number as people write it.
    pub number: String,
    /// Digits of the WhatsApp account: gives the card its "message" button.
    pub wa_id: Option<String>,
}

/// Several cards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contacts {
    /// What is shown instead of a name.
    pub title: Option<String>,
    /// The cards.
    pub cards: Vec<Contact>,
}

impl Contact {
    /// A card with a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// With a number that has WhatsApp, in international form: `+1 555 0100`.
    #[must_use]
    pub fn phone(mut self, number: impl Into<String>) -> Self {
        let number = number.into();
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        self.phones.push(Phone { number, wa_id: (!digits.is_empty()).then_some(digits) });
        self
    }

    /// With a number that has no WhatsApp.
    #[must_use]
    pub fn plain_phone(mut self, number: impl Into<String>) -> Self {
        self.phones.push(Phone { number: number.into(), wa_id: None });
        self
    }

    /// With the name of a company.
    #[must_use]
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// The card as vCard 3.0.
    pub fn to_vcard(&self) -> String {
        if let Some(vcard) = &self.vcard {
            return vcard.clone();
        }
        let (first, last) = self.name.rsplit_once(' ').unwrap_or((&self.name, ""));
        let mut card = String::from("BEGIN:VCARD\nVERSION:3.0\n");
        card.push_str(&format!("N:{};{};;;\n", escaped(last), escaped(first)));
        card.push_str(&format!("FN:{}\n", escaped(&self.name)));
        if let Some(organization) = &self.organization {
            card.push_str(&format!("ORG:{};\n", escaped(organization)));
        }
        for phone in &self.phones {
            let wa_id = phone.wa_id.as_ref().map(|digits| format!(";waid={digits}")).unwrap_or_default();
            card.push_str(&format!("TEL;type=CELL;type=VOICE{wa_id}:{}\n", escaped(&phone.number)));
        }
        card.push_str("END:VCARD");
        card
    }

    /// Reads a card; what is not understood stays in [`vcard`](Self::vcard).
    pub fn from_vcard(name: Option<&str>, vcard: &str) -> Self {
        let mut contact = Self { vcard: Some(vcard.to_owned()), ..Self::default() };
        let mut full_name = None;
        for line in unfolded(vcard) {
            let Some((field, value)) = line.split_once(':') else { continue };
            let mut parameters = field.split(';');
            let property = parameters.next().unwrap_or_default();
            // Some cards number their properties: `item1.TEL`.
            let property = property.rsplit_once('.').map_or(property, |(_, property)| property);
            if property.eq_ignore_ascii_case("FN") {
                full_name.get_or_insert_with(|| unescaped(value));
            } else if property.eq_ignore_ascii_case("ORG") {
                let organization = unescaped(value).trim_end_matches(';').to_owned();
                contact.organization = Some(organization).filter(|it| !it.is_empty());
            } else if property.eq_ignore_ascii_case("TEL") {
                let wa_id = parameters
                    .filter_map(|parameter| parameter.split_once('='))
                    .find(|(key, _)| key.eq_ignore_ascii_case("waid"))
                    .map(|(_, digits)| digits.to_owned());
                contact.phones.push(Phone { number: unescaped(value), wa_id });
            }
        }
        contact.name =
            name.filter(|name| !name.is_empty()).map(ToOwned::to_owned).or(full_name).unwrap_or_default();
        contact
    }
}

/// The lines of a card; a line that begins with a blank continues the one before.
fn unfolded(vcard: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in vcard.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ',' | ';' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => unescaped.push('\n'),
                Some(other) => unescaped.push(other),
                None => {}
            },
            _ => unescaped.push(character),
        }
    }
    unescaped
}

impl From<&ContactMessage> for Contact {
    fn from(message: &ContactMessage) -> Self {
        Self::from_vcard(message.display_name.as_deref(), message.vcard())
    }
}

impl From<&Contact> for ContactMessage {
    fn from(contact: &Contact) -> Self {
        Self { display_name: Some(contact.name.clone()), vcard: Some(contact.to_vcard()), ..Self::default() }
    }
}

impl From<&ContactsArrayMessage> for Contacts {
    fn from(message: &ContactsArrayMessage) -> Self {
        Self {
            title: super::said(message.display_name.as_ref()),
            cards: message.contacts.iter().map(Contact::from).collect(),
        }
    }
}

impl From<&Contacts> for ContactsArrayMessage {
    fn from(contacts: &Contacts) -> Self {
        let title = contacts.title.clone().unwrap_or_else(|| format!("{} contacts", contacts.cards.len()));
        Self {
            display_name: Some(title),
            contacts: contacts.cards.iter().map(ContactMessage::from).collect(),
            ..Self::default()
        }
    }
}
