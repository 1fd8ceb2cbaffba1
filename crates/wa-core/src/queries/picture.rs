//! Answers of the picture query (chapter 09a §6.1), in all the ways in which the server says "no".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use compact_str::CompactString;
use wa_binary::NodeRef;

use super::{IqError, QueryError, reply};
use crate::fields::text;

/// A profile picture, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// There is one.
    Set {
        /// Its id, which the next query names.
        id: CompactString,
        /// Where it can be had for about a week.
        url: Option<CompactString>,
        /// The path on the media host.
        direct_path: Option<CompactString>,
        /// `image` or `preview`.
        kind: Option<CompactString>,
        /// SHA-256 of the file.
        hash: Option<Vec<u8>>,
    },
    /// The known one.
    Unchanged,
    /// None.
    NotSet,
    /// Their privacy settings hide it.
    Hidden,
}

impl Picture {
    /// Reads an answer to a query that named the known picture's id or not.
    ///
    /// # Errors
    /// When the server refused for another reason than that there is no picture to see, and for an answer without a
    /// picture to a query that named none.
    pub fn parse(iq: NodeRef<'_>, known_id: Option<&str>) -> Result<Self, QueryError> {
        let answer = match reply(iq) {
            Err(QueryError::Refused(error)) => return Self::refused(error),
            answer => answer?,
        };
        let picture = answer.optional_child("picture").or_else(|| {
            answer.optional_child("pictures").and_then(|pictures| pictures.optional_child("picture"))
        });
        let picture = match picture {
            Some(picture) => picture,
            None if known_id.is_some() => return Ok(Self::Unchanged),
            None => answer.required_child("picture")?,
        };
        if let Some(error) = IqError::inside(picture) {
            return Self::refused(error);
        }
        match text(picture, "status").as_deref() {
            Some("304") => return Ok(Self::Unchanged),
            Some("204") => return Ok(Self::NotSet),
            _ => {}
        }
        let (url, direct_path) = (text(picture, "url"), text(picture, "direct_path"));
        match text(picture, "id") {
            Some(id) if url.is_some() || direct_path.is_some() => Ok(Self::Set {
                id,
                url,
                direct_path,
                kind: text(picture, "type"),
                hash: text(picture, "hash").and_then(|hash| STANDARD.decode(hash.as_bytes()).ok()),
            }),
            _ => Ok(Self::Unchanged),
        }
    }

    fn refused(error: IqError) -> Result<Self, QueryError> {
        match error.code {
            304 => Ok(Self::Unchanged),
            401 => Ok(Self::Hidden),
            404 => Ok(Self::NotSet),
            _ => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn unchanged_not_set_and_hidden_are_told_apart() {
        let answer = |picture: Node| Node::new("iq").attr("type", "result").child(picture);
        let picture = || Node::new("picture");
        let error = |code: &str| picture().child(Node::new("error").attr("code", code));
        let cases = [
            (picture(), Picture::Unchanged),
            (picture().attr("id", "1"), Picture::Unchanged),
            (picture().attr("status", "304"), Picture::Unchanged),
            (picture().attr("status", "204"), Picture::NotSet),
            (error("404"), Picture::NotSet),
            (error("401"), Picture::Hidden),
        ];
        for (node, expected) in cases {
            assert_eq!(Picture::parse(answer(node).view(), Some("1")), Ok(expected));
        }
        assert_eq!(Picture::parse(answer(error("500")).view(), None).unwrap_err().code(), Some(500));
        let empty = Node::new("iq").attr("type", "result");
        assert_eq!(Picture::parse(empty.view(), Some("1")), Ok(Picture::Unchanged));
        assert!(Picture::parse(empty.view(), None).is_err());
    }
}
