//! The verified name of a business (chapter 09d §1.2), wherever a `<verified_name>` stands.

use compact_str::CompactString;
use prost::Message as _;
use wa_binary::NodeRef;
use wa_proto::business_cert::{VerifiedNameCertificate, verified_name_certificate};

use crate::fields::{number, text};

/// What a `<verified_name>` says. Attributes win over the certificate; a certificate that does not decode leaves its
/// fields empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifiedName {
    /// The name.
    pub name: Option<CompactString>,
    /// Serial number of the certificate, decimal.
    pub serial: Option<CompactString>,
    /// `ent:wa` for a business on the API, `smb:wa` for the app.
    pub issuer: Option<CompactString>,
    /// `unknown`, `low` or `high`.
    pub level: Option<CompactString>,
    /// Whether somebody else may read along: all three facts of the privacy mode are stated.
    pub is_hosted: bool,
}

impl VerifiedName {
    /// Reads the node. None when it carries an error or nothing at all.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        if node.optional_child("error").is_some() {
            return None;
        }
        let bytes = node.optional_bytes().filter(|bytes| !bytes.is_empty());
        if bytes.is_none() && node.each_attr().next().is_none() {
            return None;
        }
        let certified = bytes
            .and_then(|bytes| VerifiedNameCertificate::decode(&*bytes).ok())
            .and_then(|certificate| certificate.details)
            .and_then(|details| verified_name_certificate::Details::decode(&*details).ok())
            .unwrap_or_default();
        let of_certificate = |text: Option<String>| text.map(CompactString::from);
        let privacy = ["actual_actors", "host_storage"].iter().all(|name| node.has_attr(name));
        Some(Self {
            name: text(node, "name").or(of_certificate(certified.verified_name)),
            serial: text(node, "serial")
                .or(of_certificate(certified.serial.map(|serial| serial.to_string()))),
            issuer: text(node, "issuer").or(of_certificate(certified.issuer)),
            level: text(node, "verified_level"),
            is_hosted: privacy && number(node, "privacy_mode_ts").is_some(),
        })
    }

    /// Whether the business uses the API rather than the app.
    pub fn is_api(&self) -> bool {
        self.issuer.as_deref() == Some("ent:wa")
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn attributes_win_and_a_bad_certificate_spoils_nothing() {
        let details = verified_name_certificate::Details {
            serial: Some(7),
            issuer: Some("ent:wa".into()),
            verified_name: Some("Certified".into()),
            ..Default::default()
        };
        let certificate =
            VerifiedNameCertificate { details: Some(details.encode_to_vec().into()), ..Default::default() };
        let node = Node::new("verified_name").attr("name", "Stated").bytes(certificate.encode_to_vec());
        let read = VerifiedName::parse(node.view()).unwrap();
        assert_eq!((read.name.as_deref(), read.serial.as_deref()), (Some("Stated"), Some("7")));
        assert!(read.is_api());
        let bad = Node::new("verified_name").attr("verified_level", "low").bytes(vec![0xff]);
        let read = VerifiedName::parse(bad.view()).unwrap();
        assert_eq!((read.name, read.level.as_deref()), (None, Some("low")));
        assert_eq!(VerifiedName::parse(Node::new("verified_name").view()), None);
    }
}
