//! Bundles: fetching them, reading and writing one (chapter 04 §11.1–§11.3).

use bytes::Bytes;
use wa_binary::{Jid, Node, NodeRef};
use wa_crypto::curve::PublicKey;
use wa_signal::PreKeyBundle;

use super::{
    PreKeyError, SignedKey, check_type, identity_node, key_node, parse_key, parse_registration,
    registration_node, type_node,
};
use crate::adv::{AdvError, DeviceCheck, check_device};

/// What a device publishes so that others can write to it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Of the device.
    pub registration_id: u32,
    /// Its identity.
    pub identity: PublicKey,
    /// Its signed pre-key.
    pub signed: SignedKey,
    /// One key of its stock; absent when that is empty.
    pub one_time: Option<(u32, PublicKey)>,
    /// `ADVSignedDeviceIdentity` of a companion.
    pub device_identity: Option<Bytes>,
}

/// Why bundles are fetched, where the server is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FetchReason {
    /// There is no session yet.
    #[default]
    NoSession,
    /// The device's identity changed.
    Identity,
}

/// One device's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Its bundle; signatures are not checked yet.
    Bundle(Box<Bundle>),
    /// `<error code>`: 406 or 404 means that the device is gone and its user's device list is stale.
    Refused(u16),
    /// The entry is malformed: skip this device.
    Malformed(PreKeyError),
}

/// The request for bundles of devices; at most 50 in one request.
pub fn fetch_request<'d>(id: &str, devices: impl IntoIterator<Item = &'d Jid>, reason: FetchReason) -> Node {
    let reason = match reason {
        FetchReason::NoSession => None,
        FetchReason::Identity => Some("identity"),
    };
    let users = devices
        .into_iter()
        .map(|device| Node::new("user").attr("jid", device.clone()).maybe_attr("reason", reason));
    Node::new("iq")
        .attr("id", id)
        .attr("to", Jid::SERVER)
        .attr("type", "get")
        .attr("xmlns", "encrypt")
        .child(Node::new("key").children(users))
}

/// Reads the answer to [`fetch_request`]. Entries without a readable JID are left out; a device missing from the answer
/// has no bundle.
///
/// # Errors
/// [`PreKeyError::Field`] when there is no `<list>`.
pub fn parse_fetch(iq: NodeRef<'_>) -> Result<Vec<(Jid, Fetched)>, PreKeyError> {
    let list = iq.required_child("list")?;
    Ok(list
        .each("user")
        .filter_map(|user| Some((user.required("jid").jid().ok()?, parse_user(user))))
        .collect())
}

fn parse_user(user: NodeRef<'_>) -> Fetched {
    if let Some(error) = user.optional_child("error") {
        return Fetched::Refused(error.optional("code").parse("a code").ok().flatten().unwrap_or_default());
    }
    match Bundle::parse(user) {
        Ok(bundle) => Fetched::Bundle(Box::new(bundle)),
        Err(error) => Fetched::Malformed(error),
    }
}

impl Bundle {
    /// Reads the children of `<user>` or of a retry receipt; inside `<keys>` if there is one. Exact lengths are
    /// mandatory. A retry receipt keeps `<registration>` beside `<keys>`.
    ///
    /// # Errors
    /// [`PreKeyError`].
    pub fn parse(node: NodeRef<'_>) -> Result<Self, PreKeyError> {
        let inner = node.optional_child("keys").unwrap_or(node);
        let registration = if inner.optional_child("registration").is_some() { inner } else { node };
        check_type(inner)?;
        let device_identity =
            inner.optional_child("device-identity").or(node.optional_child("device-identity"));
        Ok(Self {
            registration_id: parse_registration(registration)?,
            identity: PublicKey::from_bytes(inner.required_child("identity")?.required_array()?),
            signed: SignedKey::parse(inner.required_child("skey")?)?,
            one_time: inner.optional_child("key").map(parse_key).transpose()?,
            device_identity: device_identity
                .and_then(NodeRef::optional_bytes)
                .map(|bytes| Bytes::copy_from_slice(&bytes)),
        })
    }

    /// The children of `<user>` in an answer of the server.
    pub fn to_children(&self) -> Vec<Node> {
        let mut children = vec![registration_node(self.registration_id)];
        children.extend(self.key_children());
        children
    }

    /// The children of `<keys>` in a retry receipt, whose registration id stands beside it.
    pub fn key_children(&self) -> Vec<Node> {
        let mut children = vec![type_node(), identity_node(&self.identity)];
        children.extend(self.one_time.as_ref().map(|(id, key)| key_node(*id, key)));
        children.push(self.signed.to_node());
        children.extend(
            self.device_identity.as_ref().map(|blob| Node::new("device-identity").bytes(blob.clone())),
        );
        children
    }

    /// Checks the device identity against the bundle's identity (chapter 04 §11.3). `None` when the bundle carries
    /// none: log and accept.
    ///
    /// # Errors
    /// [`AdvError`]: reject the bundle.
    pub fn check_device_identity(
        &self,
        stored_account_key: Option<&PublicKey>,
    ) -> Result<Option<DeviceCheck>, AdvError> {
        self.device_identity
            .as_ref()
            .map(|blob| check_device(blob, &self.identity, stored_account_key))
            .transpose()
    }

    /// For starting a session, which checks the signature.
    pub fn to_signal(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: self.registration_id,
            identity_key: self.identity.into(),
            signed_pre_key_id: self.signed.id,
            signed_pre_key: self.signed.public,
            signature: self.signed.signature,
            one_time_pre_key: self.one_time,
        }
    }
}
