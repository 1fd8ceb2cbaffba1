// Written by `cargo xtask proto` from docs/data/schema.tsv.
view! {
    StatusAttributionView of crate::status_attribution::StatusAttribution, 8;
    r#type = 1: (int32);
    action_url = 2: (text);
    status_reshare = 3: (one of [3, 4, 5, 6, 7, 8] message crate::view::status_attribution::status_attribution::StatusReshareView);
    external_share = 4: (one of [3, 4, 5, 6, 7, 8] message crate::view::status_attribution::status_attribution::ExternalShareView);
    music = 5: (one of [3, 4, 5, 6, 7, 8] message crate::view::status_attribution::status_attribution::MusicView);
    group_status = 6: (one of [3, 4, 5, 6, 7, 8] message crate::view::status_attribution::status_attribution::GroupStatusView);
    rl_attribution = 7: (one of [3, 4, 5, 6, 7, 8] message crate::view::status_attribution::status_attribution::RlAttributionView);
    ai_created_attribution = 8: (one of [3, 4, 5, 6, 7, 8] message crate::view::status_attribution::status_attribution::AiCreatedAttributionView);
}
pub mod status_attribution {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AiCreatedAttributionView of crate::status_attribution::status_attribution::AiCreatedAttribution, 1;
        source = 1: (int32);
    }
    view! {
        ExternalShareView of crate::status_attribution::status_attribution::ExternalShare, 4;
        action_url = 1: (text);
        source = 2: (int32);
        duration = 3: (int32);
        action_fallback_url = 4: (text);
    }
    view! {
        GroupStatusView of crate::status_attribution::status_attribution::GroupStatus, 1;
        author_jid = 1: (text);
    }
    view! {
        MusicView of crate::status_attribution::status_attribution::Music, 6;
        author_name = 1: (text);
        song_id = 2: (text);
        title = 3: (text);
        author = 4: (text);
        artist_attribution = 5: (text);
        is_explicit = 6: (bool);
    }
    view! {
        RlAttributionView of crate::status_attribution::status_attribution::RlAttribution, 1;
        source = 1: (int32);
    }
    view! {
        StatusReshareView of crate::status_attribution::status_attribution::StatusReshare, 2;
        source = 1: (int32);
        metadata = 2: (message crate::view::status_attribution::status_attribution::status_reshare::MetadataView);
    }
    pub mod status_reshare {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            MetadataView of crate::status_attribution::status_attribution::status_reshare::Metadata, 4;
            duration = 1: (int32);
            channel_jid = 2: (text);
            channel_message_id = 3: (int32);
            has_multiple_reshares = 4: (bool);
        }
    }
}
