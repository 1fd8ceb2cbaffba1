//! Strings of owned nodes, which know their place in the dictionary: looked up once, when the node is built, and not
//! again each time that it is written or copied (chapter 03 §4.1).

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;

use crate::token::{LONGEST_TOKEN, Token};

/// A string: a token of the dictionary or a text of its own. No heap for tokens and for up to 24 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Word(Repr);

/// A text never is a token, so that equal words have one form.
#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Token(Token),
    Text(CompactString),
}

impl Word {
    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Token(token) => token.text(),
            Repr::Text(text) => text,
        }
    }

    /// The token that it is, or its text when it is none.
    #[inline]
    pub(crate) fn token(&self) -> Result<Token, &str> {
        match &self.0 {
            Repr::Token(token) => Ok(*token),
            Repr::Text(text) => Err(text),
        }
    }

    #[inline]
    fn find(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TOKEN {
            return None;
        }
        Token::of(text).map(Self::from)
    }
}

impl From<Token> for Word {
    #[inline]
    fn from(token: Token) -> Self {
        Self(Repr::Token(token))
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self::find(text).unwrap_or_else(|| Self(Repr::Text(text.into())))
    }
}

impl From<CompactString> for Word {
    fn from(text: CompactString) -> Self {
        Self::find(&text).unwrap_or(Self(Repr::Text(text)))
    }
}

macro_rules! from_owned {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Word {
            fn from(text: $kind) -> Self {
                Self::find(&text).unwrap_or_else(|| Self(Repr::Text(text.into())))
            }
        }
    )*};
}
from_owned!(String, Box<str>, Cow<'_, str>);

impl From<&String> for Word {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&CompactString> for Word {
    fn from(text: &CompactString) -> Self {
        text.as_str().into()
    }
}

impl From<Word> for CompactString {
    fn from(word: Word) -> Self {
        match word.0 {
            Repr::Token(token) => Self::const_new(token.text()),
            Repr::Text(text) => text,
        }
    }
}

impl Deref for Word {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl std::hash::Hash for Word {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Word {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}
