//! What the phone shows in its list of linked devices, and how much history it sends (chapter 01 §5). Two coherent
//! shapes; a caller may change fields, but a browser that asks for everything does not exist.

use wa_proto::companion_reg::{
    DeviceProps,
    device_props::{AppVersion, HistorySyncConfig, PlatformType},
};

/// A browser: recent history only. `os` is the text that the phone shows.
pub fn browser_props(os: &str, browser: PlatformType) -> DeviceProps {
    props(os, browser, false, history())
}

/// The Windows app: the last year, and older messages on demand.
pub fn windows_props() -> DeviceProps {
    let history = HistorySyncConfig {
        full_sync_days_limit: Some(365),
        on_demand_ready: Some(true),
        complete_on_demand_ready: Some(true),
        ..history()
    };
    props("Windows", PlatformType::Uwp, true, history)
}

fn props(os: &str, platform: PlatformType, full: bool, history: HistorySyncConfig) -> DeviceProps {
    DeviceProps {
        os: Some(os.to_owned()),
        version: Some(Box::new(AppVersion {
            primary: Some(10),
            secondary: Some(15),
            tertiary: Some(7),
            ..AppVersion::default()
        })),
        platform_type: Some(platform.into()),
        require_full_sync: Some(full),
        history_sync_config: Some(Box::new(history)),
    }
}

/// The abilities that today's clients name.
fn history() -> HistorySyncConfig {
    let yes = Some(true);
    HistorySyncConfig {
        storage_quota_mb: Some(10_240),
        thumbnail_sync_days_limit: Some(60),
        inline_initial_payload_in_e2_ee_msg: yes,
        support_call_log_history: yes,
        support_bot_user_agent_chat_history: yes,
        support_cag_reactions_and_polls: yes,
        support_biz_hosted_msg: yes,
        support_recent_sync_chunk_message_count_tuning: yes,
        support_hosted_group_msg: yes,
        support_fbid_bot_chat_history: yes,
        support_message_association: yes,
        support_group_history: yes,
        support_manus_history: yes,
        support_hatch_history: yes,
        ..HistorySyncConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_windows_app_asks_for_everything() {
        let browser = browser_props("Linux", PlatformType::Chrome);
        let history = browser.history_sync_config.unwrap();
        assert_eq!((browser.require_full_sync, history.full_sync_days_limit), (Some(false), None));
        assert_eq!((history.on_demand_ready, history.complete_on_demand_ready), (None, None));
        let windows = windows_props();
        let history = windows.history_sync_config.unwrap();
        assert_eq!((windows.require_full_sync, history.full_sync_days_limit), (Some(true), Some(365)));
    }
}
