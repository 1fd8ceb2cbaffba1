//! The families of vector files, one file each. A new family is a new file and a line in this table.

use crate::run::Family;

mod appstate_fields;
mod facts_fields;
mod history_fields;
mod messages_fields;
mod noise_fields;
mod signal_fields;
mod stanzas_answers_fields;
mod stanzas_notices_fields;

macro_rules! families {
    ($($module:ident: $name:literal,)+) => {
        $(mod $module;)+

        pub(crate) const FAMILIES: &[Family] = &[$(Family { name: $name, check: $module::check },)+];
    };
}

families! {
    adv: "adv",
    appstate_actions: "appstate-actions",
    appstate_build: "appstate-build",
    appstate_chains: "appstate-chains",
    appstate_corrupt: "appstate-corrupt",
    appstate_keys: "appstate-keys",
    appstate_lthash: "appstate-lthash",
    appstate_mutations: "appstate-mutations",
    appstate_recovery: "appstate-recovery",
    appstate_setremove: "appstate-setremove",
    appstate_wire: "appstate-wire",
    cert_chain: "cert-chain",
    client_payload: "client-payload",
    connection_misc: "connection-misc",
    framing: "framing",
    history_blobs: "history-blobs",
    history_corrupt: "history-corrupt",
    history_external: "history-external",
    history_requests: "history-requests",
    jids: "jids",
    media: "media",
    messages: "messages",
    nodes: "nodes",
    noise_ik: "noise-ik",
    noise_xx: "noise-xx",
    noise_xxfallback: "noise-xxfallback",
    pairing_code: "pairing-code",
    passkey: "passkey",
    signal_malformed: "signal-malformed",
    signal_message_secrets: "signal-message-secrets",
    signal_phash_padding_tokens: "signal-phash-padding-tokens",
    signal_reporting_tokens: "signal-reporting-tokens",
    signal_sender_keys: "signal-sender-keys",
    signal_sessions: "signal-sessions",
    signal_x3dh: "signal-x3dh",
    signal_xeddsa: "signal-xeddsa",
    stanzas_notifications: "stanzas-notifications",
}
