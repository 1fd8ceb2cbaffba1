//! Stanzas of a link (chapter 02 §4, §5): what is asked and how the answers and notifications are read.

use bytes::Bytes;
use wa_binary::{FieldError, Jid, Node, NodeRef};

use crate::connection::link::{Request, iq};

/// The child of all stanzas of a pairing code.
const STAGE: &str = "link_code_companion_reg";

/// Stage `companion_hello`: asks for a code; learns its ref.
pub(super) struct Hello<'h> {
    pub(super) number: &'h Jid,
    pub(super) wrapped_ephemeral: Vec<u8>,
    pub(super) noise_public: [u8; 32],
    pub(super) platform_id: String,
    pub(super) platform_display: String,
    pub(super) push: bool,
}

impl Request for Hello<'_> {
    type Response = Bytes;

    fn node(&self, id: &str) -> Node {
        let bytes = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes.to_vec());
        iq(id, "set", "md").child(
            Node::new(STAGE)
                .attr("jid", self.number.clone())
                .attr("stage", "companion_hello")
                .attr("should_show_push_notification", if self.push { "true" } else { "false" })
                .child(bytes("link_code_pairing_wrapped_companion_ephemeral_pub", &self.wrapped_ephemeral))
                .child(bytes("companion_server_auth_key_pub", &self.noise_public))
                .child(Node::new("companion_platform_id").text(self.platform_id.as_str()))
                .child(Node::new("companion_platform_display").text(self.platform_display.as_str()))
                .child(bytes("link_code_pairing_nonce", &[0])),
        )
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<Bytes, FieldError> {
        let reference = answer.required_child(STAGE)?.required_child("link_code_pairing_ref")?;
        Ok(reference.required_bytes()?.into_owned().into())
    }
}

/// Stage `companion_finish`: answers the phone.
pub(super) struct Finish {
    pub(super) number: Jid,
    pub(super) wrapped_bundle: Vec<u8>,
    pub(super) identity: [u8; 32],
    pub(super) reference: Bytes,
}

impl Request for Finish {
    type Response = ();

    fn node(&self, id: &str) -> Node {
        iq(id, "set", "md").child(
            Node::new(STAGE)
                .attr("jid", self.number.clone())
                .attr("stage", "companion_finish")
                .child(Node::new("link_code_pairing_wrapped_key_bundle").bytes(self.wrapped_bundle.clone()))
                .child(Node::new("companion_identity_public").bytes(self.identity.to_vec()))
                .child(Node::new("link_code_pairing_ref").bytes(self.reference.clone())),
        )
    }

    fn parse(&self, _: NodeRef<'_>) -> Result<(), FieldError> {
        Ok(())
    }
}

/// What a notification about a code says.
pub(super) enum CodeNotice {
    /// The phone has answered.
    PrimaryHello { reference: Vec<u8>, wrapped_ephemeral: Vec<u8>, identity: Vec<u8> },
    /// The server withdraws the code.
    Refresh { reference: Vec<u8>, by_hand: bool },
}

impl CodeNotice {
    /// `None` for a stage that this version does not know.
    pub(super) fn parse(notification: &Node) -> Result<Option<Self>, FieldError> {
        let stage = notification.required_child(STAGE)?;
        let bytes = |tag| -> Result<Vec<u8>, FieldError> {
            Ok(stage.required_child(tag)?.required_bytes()?.into_owned())
        };
        let reference = || bytes("link_code_pairing_ref");
        Ok(match stage.required("stage").string()?.as_str() {
            "primary_hello" => Some(Self::PrimaryHello {
                reference: reference()?,
                wrapped_ephemeral: bytes("link_code_pairing_wrapped_primary_ephemeral_pub")?,
                identity: bytes("primary_identity_pub")?,
            }),
            "refresh_code" => Some(Self::Refresh {
                reference: reference()?,
                by_hand: stage.attr_is("force_manual_refresh", "true"),
            }),
            _ => None,
        })
    }
}

/// Asks for the options of the WebAuthn request.
pub(super) struct PasskeyOptions;

impl Request for PasskeyOptions {
    type Response = String;

    fn node(&self, id: &str) -> Node {
        iq(id, "get", "md").child(Node::new("passkey_request_options"))
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<String, FieldError> {
        Ok(answer.required_child("passkey_request_options")?.required_text()?.into_owned())
    }
}

/// The options beside a demand, if they are JSON.
pub(super) fn passkey_options(notification: NodeRef<'_>) -> Option<String> {
    let options = notification.optional_child("passkey_request_options")?.optional_text().ok()??;
    serde_json::from_str::<serde::de::IgnoredAny>(&options).ok()?;
    Some(options.into_owned())
}

/// Asks for the ref of a passkey link.
pub(super) struct RefQuery;

impl Request for RefQuery {
    type Response = String;

    fn node(&self, id: &str) -> Node {
        iq(id, "get", "md").child(Node::new("ref"))
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<String, FieldError> {
        Ok(answer.required_child("ref")?.required_text()?.into_owned())
    }
}

/// The assertion and the commitment.
pub(super) struct Prologue {
    pub(super) credential_id: Vec<u8>,
    pub(super) assertion: String,
    pub(super) payload: Bytes,
    pub(super) proof: Option<[u8; 32]>,
}

impl Request for Prologue {
    type Response = ();

    fn node(&self, id: &str) -> Node {
        let proof = self.proof.map(|proof| Node::new("pairing_handoff_proof").bytes(proof.to_vec()));
        iq(id, "set", "md").child(
            Node::new("passkey_prologue")
                .child(Node::new("credential_id").bytes(self.credential_id.clone()))
                .child(Node::new("webauthn_assertion").text(self.assertion.as_str()))
                .child(Node::new("prologue_payload").bytes(self.payload.clone()))
                .maybe_child(proof),
        )
    }

    fn parse(&self, _: NodeRef<'_>) -> Result<(), FieldError> {
        Ok(())
    }
}

/// A step of the passkey exchange that carries bytes and learns nothing.
pub(super) struct PasskeyBytes {
    /// `companion_nonce` or `encrypted_pairing_request`.
    pub(super) tag: &'static str,
    pub(super) bytes: Bytes,
}

impl Request for PasskeyBytes {
    type Response = ();

    fn node(&self, id: &str) -> Node {
        iq(id, "set", "md").child(Node::new(self.tag).bytes(self.bytes.clone()))
    }

    fn parse(&self, _: NodeRef<'_>) -> Result<(), FieldError> {
        Ok(())
    }
}
