// Written by `cargo xtask proto` from docs/data/schema.tsv.
view! {
    LimitSharingView of crate::common::LimitSharing, 4;
    sharing_limited = 1: (bool);
    trigger = 2: (int32);
    limit_sharing_setting_timestamp = 3: (int64);
    initiated_by_me = 4: (bool);
}
view! {
    MessageKeyView of crate::common::MessageKey, 4;
    remote_jid = 1: (text);
    from_me = 2: (bool);
    id = 3: (text);
    participant = 4: (text);
}
