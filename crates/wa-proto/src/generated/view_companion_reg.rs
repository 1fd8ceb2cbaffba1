// Written by `cargo xtask proto` from docs/data/schema.tsv.
pub mod device_props {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        HistorySyncConfigView of crate::companion_reg::device_props::HistorySyncConfig, 25;
        full_sync_days_limit = 1: (uint32);
        full_sync_size_mb_limit = 2: (uint32);
        storage_quota_mb = 3: (uint32);
        inline_initial_payload_in_e2_ee_msg = 4: (bool);
        recent_sync_days_limit = 5: (uint32);
        support_call_log_history = 6: (bool);
        support_bot_user_agent_chat_history = 7: (bool);
        support_cag_reactions_and_polls = 8: (bool);
        support_biz_hosted_msg = 9: (bool);
        support_recent_sync_chunk_message_count_tuning = 10: (bool);
        support_hosted_group_msg = 11: (bool);
        support_fbid_bot_chat_history = 12: (bool);
        support_add_on_history_sync_migration = 13: (bool);
        support_message_association = 14: (bool);
        support_group_history = 15: (bool);
        on_demand_ready = 16: (bool);
        support_guest_chat = 17: (bool);
        complete_on_demand_ready = 18: (bool);
        thumbnail_sync_days_limit = 19: (uint32);
        initial_sync_max_messages_per_chat = 20: (uint32);
        support_manus_history = 21: (bool);
        support_hatch_history = 22: (bool);
        supported_bot_channel_fbids = 23: (repeated text);
        support_inline_contacts = 24: (bool);
        support_newsletter = 25: (bool);
    }
}
