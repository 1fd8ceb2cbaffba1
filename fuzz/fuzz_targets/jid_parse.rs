//! JIDs: any text is refused or gives an address whose text gives it again, which the wire carries when it can, and which
//! every view and comparison takes.
//! Seeds: jids.json text a b
#![no_main]

use libfuzzer_sys::fuzz_target;
use wa_binary::{DeviceJid, GroupJid, Jid, Node, Server, UserJid, decode};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(jid) = text.parse::<Jid>() else {
        assert!(Jid::parse_strict(text).is_err());
        return;
    };
    let printed = jid.to_string();
    if !(jid.server() == Server::Other && jid.is_service()) {
        assert_eq!(printed.parse::<Jid>(), Ok(jid.clone()));
    }
    assert!(
        jid.same_user(&jid.user_jid()) && jid.same_user(&jid.normalized()) && jid.same_user(&jid.account())
    );
    drop((jid.kind().name(), jid.redacted().to_string(), jid.phash_form().to_string()));
    if let Ok(device) = DeviceJid::try_from(&jid) {
        assert_eq!(DeviceJid::of(device.user().as_jid(), jid.device()), Ok(device));
        assert!(Node::new("iq").attr("to", &jid).encode().is_ok());
    }
    _ = (UserJid::try_from(&jid).is_ok(), GroupJid::try_from(&jid).is_ok());
    if let Ok(frame) = Node::new("iq").attr("to", &jid).encode() {
        assert_eq!(decode(&frame).unwrap().required("to").jid(), Ok(jid));
    }
});
