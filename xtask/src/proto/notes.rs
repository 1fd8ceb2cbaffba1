//! Our comments on the schema: a line or two on what matters where the name alone misleads. They end up in the
//! `.proto` files and in rustdoc. The numbers in brackets are chapters of the protocol reference.

/// What an area is for.
pub(super) fn area(name: &str) -> Option<&'static str> {
    AREAS.iter().find(|(area, _)| *area == name).map(|(_, text)| *text)
}

/// The comment on a message, enum, field or value, by dotted name.
pub(super) fn of(name: &str) -> Option<&'static str> {
    NOTES.iter().find(|(item, _)| *item == name).map(|(_, text)| *text)
}

const AREAS: [(&str, &str); 26] = [
    (
        "adv",
        "Device identities: the account's signature over a companion's identity key, and the key-index list (02).",
    ),
    ("ai_bot", "Metadata of AI bots; messages refer to it, so it is kept readable."),
    ("app_state", "Patches, snapshots and external blobs of app-state sync (07)."),
    ("business_cert", "Verified names of business accounts."),
    ("cert", "The server's certificate chain inside the Noise handshake (01)."),
    ("chat_lock", "Settings of locked chats, inside app-state actions."),
    ("common", "Small messages that several areas share, MessageKey first."),
    (
        "companion_reg",
        "What a companion says about itself when it links, and the passkey pairing messages (02).",
    ),
    ("device_capabilities", "What the account's devices can do."),
    ("e2e_message", "The end-to-end encrypted message and everything it can carry (05)."),
    ("ephemeral", "Disappearing-message settings."),
    ("fingerprint", "The security-code QR."),
    ("group_history", "History that a member shares with someone who joins a group (08)."),
    ("handshake", "Handshake frames and the login payload (01)."),
    ("history", "History sync blobs (08)."),
    ("lid_migration", "LID to phone-number mappings sent by the primary."),
    ("media_entry", "Where a media file lives and the keys to open it."),
    ("media_retry", "Asking the primary to upload media again (06)."),
    ("reporting", "Which fields of a message enter its reporting token (04)."),
    ("routing", "Edge routing; passed on opaque (01)."),
    ("signal", "Wire messages of the ratchets and sender keys, with local record formats beside them (04)."),
    ("signal_other", "Attestations beside the Signal messages."),
    ("status_attribution", "Where a status comes from; part of ContextInfo."),
    ("sync_action", "The values inside app-state mutations: one message per action (07)."),
    ("user_password", "A password digest with its parameters; part of chat lock."),
    ("web_message", "A message as history and app state store it, with stub types and add-ons (08)."),
];

const NOTES: &[(&str, &str)] = &[
    ("ADVSignedDeviceIdentityHMAC", "Comes in pair-success; `hmac` is keyed with the secret of the QR code."),
    ("ADVSignedDeviceIdentityHMAC.details", "An encoded ADVSignedDeviceIdentity."),
    (
        "ADVSignedDeviceIdentity.details",
        "An encoded ADVDeviceIdentity; the signatures cover these bytes as they came.",
    ),
    (
        "ADVSignedDeviceIdentity.accountSignatureKey",
        "Raw 32 bytes. Left out of what a companion sends to the server.",
    ),
    (
        "ADVSignedKeyIndexList.details",
        "An encoded ADVKeyIndexList; the signature covers these bytes as they came.",
    ),
    ("ADVKeyIndexList.timestamp", "Seconds. An older list than the known one is not accepted."),
    ("ADVKeyIndexList.validIndexes", "Packed, unlike most repeated scalars of the schema."),
    (
        "CertChain.NoiseCertificate.details",
        "An encoded Details; the signature covers these bytes as they came.",
    ),
    ("ClientPayload.username", "The phone number's digits as a number; absent when registering."),
    ("ClientPayload.passive", "True asks the server to hold offline messages back until told otherwise."),
    ("ClientPayload.DevicePairingRegistrationData.eRegid", "Registration id, 4 bytes, big-endian."),
    ("ClientPayload.DevicePairingRegistrationData.eKeytype", "One byte, 5 (Curve25519)."),
    ("ClientPayload.DevicePairingRegistrationData.eSkeyId", "Signed pre-key id, 3 bytes, big-endian."),
    ("ClientPayload.DevicePairingRegistrationData.buildHash", "MD5 of the version text."),
    ("ClientPayload.DevicePairingRegistrationData.deviceProps", "An encoded DeviceProps."),
    ("DeviceProps", "What the primary's list of linked devices shows, and which history it sends."),
    ("MessageKey", "Names a message: chat, direction, id and, in groups, the participant."),
    ("MessageKey.participant", "The sender inside a group or broadcast; absent in a direct chat."),
    (
        "Message",
        "One field of content is set, with `messageContextInfo` beside it. Keep the bytes of what is stored or\nforwarded: unknown fields do not survive decoding, and hashes are computed over the original.",
    ),
    ("Message.senderKeyDistributionMessage", "May stand beside a content field."),
    (
        "Message.messageContextInfo",
        "Stands beside the content; holds the message secret and the device-list metadata.",
    ),
    ("Message.deviceSentMessage", "Wraps what another device of the same account sent."),
    ("Message.AudioMessage.waveform", "64 amplitudes from 0 to 100."),
    ("Message.AppStateSyncKeyData.timestamp", "Milliseconds."),
    (
        "Message.AppStateSyncKeyFingerprint.deviceIndexes",
        "Packed, unlike most repeated scalars of the schema.",
    ),
    ("Message.PollUpdateMessage.vote", "Encrypted under the poll's message secret."),
    (
        "Message.ProtocolMessage",
        "Revokes, edits, key shares, history notifications: control rather than content.",
    ),
    (
        "MessageContextInfo.messageSecret",
        "32 random bytes; keys of votes, edits and other add-ons derive from it.",
    ),
    ("DeviceListMetadata.senderKeyIndexes", "Packed, unlike most repeated scalars of the schema."),
    ("DeviceListMetadata.recipientKeyIndexes", "Packed, unlike most repeated scalars of the schema."),
    ("HistorySync", "Sent zlib-compressed, inline or as a media file."),
    ("HistorySync.syncType", "Written always; a reader takes its absence for INITIAL_BOOTSTRAP."),
    (
        "Conversation.id",
        "The chat's JID. Declared required at the source; readers here tolerate its absence.",
    ),
    ("WebMessageInfo.key", "Declared required at the source; readers here tolerate its absence."),
    ("WebMessageInfo.status", "Absent means PENDING, not the first value ERROR."),
    ("WebMessageInfo.messageTimestamp", "Seconds."),
    ("SyncdPatch.snapshotMac", "MAC over the state after this patch."),
    (
        "SyncdPatch.patchMac",
        "MAC over the snapshot MAC, the mutations' value MACs in order, the version and the collection.",
    ),
    ("SyncdRecord.value", "Ciphertext followed by its 32-byte value MAC."),
    ("SyncActionData.index", "JSON array of strings as UTF-8."),
    ("SyncActionData.padding", "Filler; hides the length."),
    ("SyncActionValue.timestamp", "Milliseconds."),
    ("SignalMessage", "Framed by a version byte before and an 8-byte MAC after."),
    ("SignalMessage.ratchetKey", "33 bytes: type byte 5 and the public key."),
    ("PreKeySignalMessage", "Framed by a version byte before; no MAC of its own."),
    ("SenderKeyMessage", "Framed by a version byte before and a 64-byte signature after."),
    (
        "SenderKeyDistributionMessage",
        "Framed by a version byte before. Not Message.SenderKeyDistributionMessage, which carries it.",
    ),
    ("MediaRetryNotification.directPath", "Where the media lies after the primary uploaded it again."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::schema::{Body, Schema};

    #[test]
    fn every_note_belongs_to_something_in_the_table() {
        let schema = Schema::read(&crate::workspace_root().join("docs/data/schema.tsv")).unwrap();
        let mut known = BTreeSet::new();
        for (name, declaration) in &schema.declarations {
            known.insert(name.clone());
            let members: Vec<&String> = match &declaration.body {
                Body::Message { fields, .. } => fields.iter().map(|field| &field.name).collect(),
                Body::Enum { values } => values.iter().map(|(value, _)| value).collect(),
            };
            known.extend(members.into_iter().map(|member| format!("{name}.{member}")));
        }
        for (name, _) in NOTES {
            assert!(known.contains(*name), "{name}");
        }
        let areas: Vec<&str> = AREAS.iter().map(|(area, _)| *area).collect();
        assert_eq!(areas, schema.included_areas());
    }
}
