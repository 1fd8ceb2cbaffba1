// Written by `cargo xtask proto` from docs/data/schema.tsv.
view! {
    AiQueryFanoutView of crate::e2e_message::AiQueryFanout, 3;
    message_key = 1: (message crate::view::common::MessageKeyView);
    message = 2: (message crate::view::e2e_message::MessageView);
    timestamp = 3: (int64);
}
view! {
    AiRichResponseMessageView of crate::e2e_message::AiRichResponseMessage, 4;
    message_type = 1: (int32);
    submessages = 2: (repeated message crate::view::ai_bot::AiRichResponseSubMessageView);
    unified_response = 3: (message crate::view::ai_bot::AiRichResponseUnifiedResponseView);
    context_info = 4: (message crate::view::e2e_message::ContextInfoView);
}
view! {
    ActionLinkView of crate::e2e_message::ActionLink, 2;
    url = 1: (text);
    button_title = 2: (text);
}
view! {
    ContextInfoView of crate::e2e_message::ContextInfo, 81;
    stanza_id = 1: (text);
    participant = 2: (text);
    quoted_message = 3: (message crate::view::e2e_message::MessageView);
    remote_jid = 4: (text);
    mentioned_jid = 15: (repeated text);
    conversion_source = 18: (text);
    conversion_data = 19: (bytes);
    conversion_delay_seconds = 20: (uint32);
    forwarding_score = 21: (uint32);
    is_forwarded = 22: (bool);
    quoted_ad = 23: (message crate::view::e2e_message::context_info::AdReplyInfoView);
    placeholder_key = 24: (message crate::view::common::MessageKeyView);
    expiration = 25: (uint32);
    ephemeral_setting_timestamp = 26: (int64);
    ephemeral_shared_secret = 27: (bytes);
    external_ad_reply = 28: (message crate::view::e2e_message::context_info::ExternalAdReplyInfoView);
    entry_point_conversion_source = 29: (text);
    entry_point_conversion_app = 30: (text);
    entry_point_conversion_delay_seconds = 31: (uint32);
    disappearing_mode = 32: (message crate::view::e2e_message::DisappearingModeView);
    action_link = 33: (message crate::view::e2e_message::ActionLinkView);
    group_subject = 34: (text);
    parent_group_jid = 35: (text);
    trust_banner_type = 37: (text);
    trust_banner_action = 38: (uint32);
    is_sampled = 39: (bool);
    group_mentions = 40: (repeated message crate::view::e2e_message::GroupMentionView);
    utm = 41: (message crate::view::e2e_message::context_info::UtmInfoView);
    forwarded_newsletter_message_info = 43: (message crate::view::e2e_message::context_info::ForwardedNewsletterMessageInfoView);
    business_message_forward_info = 44: (message crate::view::e2e_message::context_info::BusinessMessageForwardInfoView);
    smb_client_campaign_id = 45: (text);
    smb_server_campaign_id = 46: (text);
    data_sharing_context = 47: (message crate::view::e2e_message::context_info::DataSharingContextView);
    always_show_ad_attribution = 48: (bool);
    feature_eligibilities = 49: (message crate::view::e2e_message::context_info::FeatureEligibilitiesView);
    entry_point_conversion_external_source = 50: (text);
    entry_point_conversion_external_medium = 51: (text);
    ctwa_signals = 54: (text);
    ctwa_payload = 55: (bytes);
    forwarded_ai_bot_message_info = 56: (message crate::view::ai_bot::ForwardedAiBotMessageInfoView);
    status_attribution_type = 57: (int32);
    url_tracking_map = 58: (message crate::view::e2e_message::UrlTrackingMapView);
    paired_media_type = 59: (int32);
    ranking_version = 60: (uint32);
    member_label = 62: (message crate::view::e2e_message::MemberLabelView);
    is_question = 63: (bool);
    status_source_type = 64: (int32);
    status_attributions = 65: (repeated message crate::view::status_attribution::StatusAttributionView);
    is_group_status = 66: (bool);
    forward_origin = 67: (int32);
    question_reply_quoted_message = 68: (message crate::view::e2e_message::context_info::QuestionReplyQuotedMessageView);
    status_audience_metadata = 69: (message crate::view::e2e_message::context_info::StatusAudienceMetadataView);
    non_jid_mentions = 70: (uint32);
    quoted_type = 71: (int32);
    bot_message_sharing_info = 72: (message crate::view::ai_bot::BotMessageSharingInfoView);
    is_spoiler = 73: (bool);
    media_domain_info = 74: (message crate::view::e2e_message::MediaDomainInfoView);
    partially_selected_content = 75: (message crate::view::e2e_message::context_info::PartiallySelectedContentView);
    after_read_duration = 76: (uint32);
    cross_app_source = 77: (int32);
    business_interaction_pills = 78: (message crate::view::e2e_message::context_info::BusinessInteractionPillsView);
    poster_status_id = 79: (text);
    instagram_thread_link = 80: (message crate::view::e2e_message::context_info::InstagramThreadLinkView);
    ai_provenance = 81: (message crate::view::ai_bot::AiProvenanceView);
}
pub mod context_info {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AdReplyInfoView of crate::e2e_message::context_info::AdReplyInfo, 17;
        advertiser_name = 1: (text);
        media_type = 2: (int32);
        jpeg_thumbnail = 16: (bytes);
        caption = 17: (text);
    }
    view! {
        BusinessInteractionPillsView of crate::e2e_message::context_info::BusinessInteractionPills, 6;
        business_jid = 1: (text);
        pills = 2: (repeated message crate::view::e2e_message::context_info::business_interaction_pills::PillView);
        entry_point = 3: (int32);
        signed_payload = 4: (bytes);
        signature_envelope = 5: (message crate::view::ai_bot::BotSignatureVerificationMetadataView);
        unauthenticated_business_metadata = 6: (message crate::view::e2e_message::context_info::business_interaction_pills::UnauthenticatedBusinessMetadataView);
    }
    pub mod business_interaction_pills {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            PillView of crate::e2e_message::context_info::business_interaction_pills::Pill, 2;
            pill_type = 1: (int32);
            action_url = 2: (text);
        }
        view! {
            UnauthenticatedBusinessMetadataView of crate::e2e_message::context_info::business_interaction_pills::UnauthenticatedBusinessMetadata, 4;
            business_name = 1: (text);
            business_category = 2: (text);
            business_is_open = 3: (bool);
            business_is_open_snapshot_ms = 4: (int64);
        }
    }
    view! {
        BusinessMessageForwardInfoView of crate::e2e_message::context_info::BusinessMessageForwardInfo, 1;
        business_owner_jid = 1: (text);
    }
    view! {
        DataSharingContextView of crate::e2e_message::context_info::DataSharingContext, 4;
        show_mm_disclosure = 1: (bool);
        encrypted_signal_token_consented = 2: (text);
        parameters = 3: (repeated message crate::view::e2e_message::context_info::data_sharing_context::ParametersView);
        data_sharing_flags = 4: (int32);
    }
    pub mod data_sharing_context {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            ParametersView of crate::e2e_message::context_info::data_sharing_context::Parameters, 5;
            key = 1: (text);
            string_data = 2: (text);
            int_data = 3: (int64);
            float_data = 4: (float);
            contents = 5: (message crate::view::e2e_message::context_info::data_sharing_context::ParametersView);
        }
    }
    view! {
        ExternalAdReplyInfoView of crate::e2e_message::context_info::ExternalAdReplyInfo, 32;
        title = 1: (text);
        body = 2: (text);
        media_type = 3: (int32);
        thumbnail_url = 4: (text);
        media_url = 5: (text);
        thumbnail = 6: (bytes);
        source_type = 7: (text);
        source_id = 8: (text);
        source_url = 9: (text);
        contains_auto_reply = 10: (bool);
        render_larger_thumbnail = 11: (bool);
        show_ad_attribution = 12: (bool);
        ctwa_clid = 13: (text);
        r#ref = 14: (text);
        click_to_whatsapp_call = 15: (bool);
        ad_context_preview_dismissed = 16: (bool);
        source_app = 17: (text);
        automated_greeting_message_shown = 18: (bool);
        greeting_message_body = 19: (text);
        cta_payload = 20: (text);
        disable_nudge = 21: (bool);
        original_image_url = 22: (text);
        automated_greeting_message_cta_type = 23: (text);
        wtwa_ad_format = 24: (bool);
        ad_type = 25: (int32);
        wtwa_website_url = 26: (text);
        ad_preview_url = 27: (text);
        contains_ctwa_flows_auto_reply = 28: (bool);
        agm_thumbnail_strategy = 29: (int32);
        agm_title_strategy = 30: (int32);
        agm_subtitle_strategy = 31: (int32);
        agm_header_interaction_strategy = 32: (int32);
    }
    view! {
        FeatureEligibilitiesView of crate::e2e_message::context_info::FeatureEligibilities, 5;
        cannot_be_reacted_to = 1: (bool);
        cannot_be_ranked = 2: (bool);
        can_request_feedback = 3: (bool);
        can_be_reshared = 4: (bool);
        can_receive_multi_react = 5: (bool);
    }
    view! {
        ForwardedNewsletterMessageInfoView of crate::e2e_message::context_info::ForwardedNewsletterMessageInfo, 6;
        newsletter_jid = 1: (text);
        server_message_id = 2: (int32);
        newsletter_name = 3: (text);
        content_type = 4: (int32);
        accessibility_text = 5: (text);
        profile_name = 6: (text);
    }
    view! {
        InstagramThreadLinkView of crate::e2e_message::context_info::InstagramThreadLink, 1;
        url = 1: (text);
    }
    view! {
        PartiallySelectedContentView of crate::e2e_message::context_info::PartiallySelectedContent, 1;
        text = 1: (text);
    }
    view! {
        QuestionReplyQuotedMessageView of crate::e2e_message::context_info::QuestionReplyQuotedMessage, 3;
        server_question_id = 1: (int32);
        quoted_question = 2: (message crate::view::e2e_message::MessageView);
        quoted_response = 3: (message crate::view::e2e_message::MessageView);
    }
    view! {
        StatusAudienceMetadataView of crate::e2e_message::context_info::StatusAudienceMetadata, 3;
        audience_type = 1: (int32);
        list_name = 2: (text);
        list_emoji = 3: (text);
    }
    view! {
        UtmInfoView of crate::e2e_message::context_info::UtmInfo, 2;
        utm_source = 1: (text);
        utm_campaign = 2: (text);
    }
}
view! {
    DeviceListMetadataView of crate::e2e_message::DeviceListMetadata, 10;
    sender_key_hash = 1: (bytes);
    sender_timestamp = 2: (uint64);
    sender_key_indexes = 3: (repeated uint32);
    sender_account_type = 4: (int32);
    receiver_account_type = 5: (int32);
    recipient_key_hash = 8: (bytes);
    recipient_timestamp = 9: (uint64);
    recipient_key_indexes = 10: (repeated uint32);
}
view! {
    DisappearingModeView of crate::e2e_message::DisappearingMode, 4;
    initiator = 1: (int32);
    trigger = 2: (int32);
    initiator_device_jid = 3: (text);
    initiated_by_me = 4: (bool);
}
view! {
    EmbeddedContentView of crate::e2e_message::EmbeddedContent, 2;
    embedded_message = 1: (one of [1, 2] message crate::view::e2e_message::EmbeddedMessageView);
    embedded_music = 2: (one of [1, 2] message crate::view::e2e_message::EmbeddedMusicView);
}
view! {
    EmbeddedMessageView of crate::e2e_message::EmbeddedMessage, 2;
    stanza_id = 1: (text);
    message = 2: (message crate::view::e2e_message::MessageView);
}
view! {
    EmbeddedMusicView of crate::e2e_message::EmbeddedMusic, 14;
    music_content_media_id = 1: (text);
    song_id = 2: (text);
    author = 3: (text);
    title = 4: (text);
    artwork_direct_path = 5: (text);
    artwork_sha256 = 6: (bytes);
    artwork_enc_sha256 = 7: (bytes);
    artist_attribution = 8: (text);
    country_blocklist = 9: (bytes);
    is_explicit = 10: (bool);
    artwork_media_key = 11: (bytes);
    music_song_start_time_in_ms = 12: (int64);
    derived_content_start_time_in_ms = 13: (int64);
    overlap_duration_in_ms = 14: (int64);
}
view! {
    GroupMentionView of crate::e2e_message::GroupMention, 2;
    group_jid = 1: (text);
    group_subject = 2: (text);
}
view! {
    GroupRootKeyShareView of crate::e2e_message::GroupRootKeyShare, 1;
    keys = 1: (repeated message crate::view::e2e_message::GroupRootKeyShareEntryView);
}
view! {
    GroupRootKeyShareEntryView of crate::e2e_message::GroupRootKeyShareEntry, 4;
    group_root_key = 1: (bytes);
    key_id = 2: (text);
    expiry_timestamp_ms = 3: (int64);
    created_timestamp_ms = 4: (int64);
}
view! {
    HydratedTemplateButtonView of crate::e2e_message::HydratedTemplateButton, 4;
    index = 4: (uint32);
    quick_reply_button = 1: (one of [1, 2, 3] message crate::view::e2e_message::hydrated_template_button::HydratedQuickReplyButtonView);
    url_button = 2: (one of [1, 2, 3] message crate::view::e2e_message::hydrated_template_button::HydratedUrlButtonView);
    call_button = 3: (one of [1, 2, 3] message crate::view::e2e_message::hydrated_template_button::HydratedCallButtonView);
}
pub mod hydrated_template_button {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        HydratedCallButtonView of crate::e2e_message::hydrated_template_button::HydratedCallButton, 2;
        display_text = 1: (text);
        phone_number = 2: (text);
    }
    view! {
        HydratedQuickReplyButtonView of crate::e2e_message::hydrated_template_button::HydratedQuickReplyButton, 2;
        display_text = 1: (text);
        id = 2: (text);
    }
    view! {
        HydratedUrlButtonView of crate::e2e_message::hydrated_template_button::HydratedUrlButton, 4;
        display_text = 1: (text);
        url = 2: (text);
        consented_users_url = 3: (text);
        webview_presentation = 4: (int32);
    }
}
view! {
    InteractiveAnnotationView of crate::e2e_message::InteractiveAnnotation, 8;
    polygon_vertices = 1: (repeated message crate::view::e2e_message::PointView);
    should_skip_confirmation = 4: (bool);
    embedded_content = 5: (message crate::view::e2e_message::EmbeddedContentView);
    status_link_type = 8: (int32);
    location = 2: (one of [2, 3, 6, 7] message crate::view::e2e_message::LocationView);
    newsletter = 3: (one of [2, 3, 6, 7] message crate::view::e2e_message::context_info::ForwardedNewsletterMessageInfoView);
    embedded_action = 6: (one of [2, 3, 6, 7] bool);
    tap_action = 7: (one of [2, 3, 6, 7] message crate::view::e2e_message::TapLinkActionView);
}
view! {
    LidMigrationMappingSyncMessageView of crate::e2e_message::LidMigrationMappingSyncMessage, 1;
    encoded_mapping_payload = 1: (bytes);
}
view! {
    LocationView of crate::e2e_message::Location, 3;
    degrees_latitude = 1: (double);
    degrees_longitude = 2: (double);
    name = 3: (text);
}
view! {
    MediaDomainInfoView of crate::e2e_message::MediaDomainInfo, 2;
    media_key_domain = 1: (int32);
    e2_ee_media_key = 2: (bytes);
}
view! {
    MediaNotifyMessageView of crate::e2e_message::MediaNotifyMessage, 3;
    express_path_url = 1: (text);
    file_enc_sha256 = 2: (bytes);
    file_length = 3: (uint64);
}
view! {
    MemberLabelView of crate::e2e_message::MemberLabel, 2;
    label = 1: (text);
    label_timestamp = 2: (int64);
}
view! {
    MessageView of crate::e2e_message::Message, 131;
    conversation = 1: (text);
    sender_key_distribution_message = 2: (message crate::view::e2e_message::message::SenderKeyDistributionMessageView);
    image_message = 3: (message crate::view::e2e_message::message::ImageMessageView);
    contact_message = 4: (message crate::view::e2e_message::message::ContactMessageView);
    location_message = 5: (message crate::view::e2e_message::message::LocationMessageView);
    extended_text_message = 6: (message crate::view::e2e_message::message::ExtendedTextMessageView);
    document_message = 7: (message crate::view::e2e_message::message::DocumentMessageView);
    audio_message = 8: (message crate::view::e2e_message::message::AudioMessageView);
    video_message = 9: (message crate::view::e2e_message::message::VideoMessageView);
    call = 10: (message crate::view::e2e_message::message::CallView);
    chat = 11: (message crate::view::e2e_message::message::ChatView);
    protocol_message = 12: (message crate::view::e2e_message::message::ProtocolMessageView);
    contacts_array_message = 13: (message crate::view::e2e_message::message::ContactsArrayMessageView);
    highly_structured_message = 14: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
    fast_ratchet_key_sender_key_distribution_message = 15: (message crate::view::e2e_message::message::SenderKeyDistributionMessageView);
    send_payment_message = 16: (message crate::view::e2e_message::message::SendPaymentMessageView);
    live_location_message = 18: (message crate::view::e2e_message::message::LiveLocationMessageView);
    request_payment_message = 22: (message crate::view::e2e_message::message::RequestPaymentMessageView);
    decline_payment_request_message = 23: (message crate::view::e2e_message::message::DeclinePaymentRequestMessageView);
    cancel_payment_request_message = 24: (message crate::view::e2e_message::message::CancelPaymentRequestMessageView);
    template_message = 25: (message crate::view::e2e_message::message::TemplateMessageView);
    sticker_message = 26: (message crate::view::e2e_message::message::StickerMessageView);
    group_invite_message = 28: (message crate::view::e2e_message::message::GroupInviteMessageView);
    template_button_reply_message = 29: (message crate::view::e2e_message::message::TemplateButtonReplyMessageView);
    product_message = 30: (message crate::view::e2e_message::message::ProductMessageView);
    device_sent_message = 31: (message crate::view::e2e_message::message::DeviceSentMessageView);
    message_context_info = 35: (message crate::view::e2e_message::MessageContextInfoView);
    list_message = 36: (message crate::view::e2e_message::message::ListMessageView);
    view_once_message = 37: (message crate::view::e2e_message::message::FutureProofMessageView);
    order_message = 38: (message crate::view::e2e_message::message::OrderMessageView);
    list_response_message = 39: (message crate::view::e2e_message::message::ListResponseMessageView);
    ephemeral_message = 40: (message crate::view::e2e_message::message::FutureProofMessageView);
    invoice_message = 41: (message crate::view::e2e_message::message::InvoiceMessageView);
    buttons_message = 42: (message crate::view::e2e_message::message::ButtonsMessageView);
    buttons_response_message = 43: (message crate::view::e2e_message::message::ButtonsResponseMessageView);
    payment_invite_message = 44: (message crate::view::e2e_message::message::PaymentInviteMessageView);
    interactive_message = 45: (message crate::view::e2e_message::message::InteractiveMessageView);
    reaction_message = 46: (message crate::view::e2e_message::message::ReactionMessageView);
    sticker_sync_rmr_message = 47: (message crate::view::e2e_message::message::StickerSyncRmrMessageView);
    interactive_response_message = 48: (message crate::view::e2e_message::message::InteractiveResponseMessageView);
    poll_creation_message = 49: (message crate::view::e2e_message::message::PollCreationMessageView);
    poll_update_message = 50: (message crate::view::e2e_message::message::PollUpdateMessageView);
    keep_in_chat_message = 51: (message crate::view::e2e_message::message::KeepInChatMessageView);
    document_with_caption_message = 53: (message crate::view::e2e_message::message::FutureProofMessageView);
    request_phone_number_message = 54: (message crate::view::e2e_message::message::RequestPhoneNumberMessageView);
    view_once_message_v2 = 55: (message crate::view::e2e_message::message::FutureProofMessageView);
    enc_reaction_message = 56: (message crate::view::e2e_message::message::EncReactionMessageView);
    edited_message = 58: (message crate::view::e2e_message::message::FutureProofMessageView);
    view_once_message_v2_extension = 59: (message crate::view::e2e_message::message::FutureProofMessageView);
    poll_creation_message_v2 = 60: (message crate::view::e2e_message::message::PollCreationMessageView);
    scheduled_call_creation_message = 61: (message crate::view::e2e_message::message::ScheduledCallCreationMessageView);
    group_mentioned_message = 62: (message crate::view::e2e_message::message::FutureProofMessageView);
    pin_in_chat_message = 63: (message crate::view::e2e_message::message::PinInChatMessageView);
    poll_creation_message_v3 = 64: (message crate::view::e2e_message::message::PollCreationMessageView);
    scheduled_call_edit_message = 65: (message crate::view::e2e_message::message::ScheduledCallEditMessageView);
    ptv_message = 66: (message crate::view::e2e_message::message::VideoMessageView);
    bot_invoke_message = 67: (message crate::view::e2e_message::message::FutureProofMessageView);
    call_log_messsage = 69: (message crate::view::e2e_message::message::CallLogMessageView);
    message_history_bundle = 70: (message crate::view::e2e_message::message::MessageHistoryBundleView);
    enc_comment_message = 71: (message crate::view::e2e_message::message::EncCommentMessageView);
    bcall_message = 72: (message crate::view::e2e_message::message::BCallMessageView);
    lottie_sticker_message = 74: (message crate::view::e2e_message::message::FutureProofMessageView);
    event_message = 75: (message crate::view::e2e_message::message::EventMessageView);
    enc_event_response_message = 76: (message crate::view::e2e_message::message::EncEventResponseMessageView);
    comment_message = 77: (message crate::view::e2e_message::message::CommentMessageView);
    newsletter_admin_invite_message = 78: (message crate::view::e2e_message::message::NewsletterAdminInviteMessageView);
    placeholder_message = 80: (message crate::view::e2e_message::message::PlaceholderMessageView);
    secret_encrypted_message = 82: (message crate::view::e2e_message::message::SecretEncryptedMessageView);
    album_message = 83: (message crate::view::e2e_message::message::AlbumMessageView);
    event_cover_image = 85: (message crate::view::e2e_message::message::FutureProofMessageView);
    sticker_pack_message = 86: (message crate::view::e2e_message::message::StickerPackMessageView);
    status_mention_message = 87: (message crate::view::e2e_message::message::FutureProofMessageView);
    poll_result_snapshot_message = 88: (message crate::view::e2e_message::message::PollResultSnapshotMessageView);
    poll_creation_option_image_message = 90: (message crate::view::e2e_message::message::FutureProofMessageView);
    associated_child_message = 91: (message crate::view::e2e_message::message::FutureProofMessageView);
    group_status_mention_message = 92: (message crate::view::e2e_message::message::FutureProofMessageView);
    poll_creation_message_v4 = 93: (message crate::view::e2e_message::message::FutureProofMessageView);
    status_add_yours = 95: (message crate::view::e2e_message::message::FutureProofMessageView);
    group_status_message = 96: (message crate::view::e2e_message::message::FutureProofMessageView);
    rich_response_message = 97: (message crate::view::e2e_message::AiRichResponseMessageView);
    status_notification_message = 98: (message crate::view::e2e_message::message::StatusNotificationMessageView);
    limit_sharing_message = 99: (message crate::view::e2e_message::message::FutureProofMessageView);
    bot_task_message = 100: (message crate::view::e2e_message::message::FutureProofMessageView);
    question_message = 101: (message crate::view::e2e_message::message::FutureProofMessageView);
    message_history_notice = 102: (message crate::view::e2e_message::message::MessageHistoryNoticeView);
    group_status_message_v2 = 103: (message crate::view::e2e_message::message::FutureProofMessageView);
    bot_forwarded_message = 104: (message crate::view::e2e_message::message::FutureProofMessageView);
    status_question_answer_message = 105: (message crate::view::e2e_message::message::StatusQuestionAnswerMessageView);
    question_reply_message = 106: (message crate::view::e2e_message::message::FutureProofMessageView);
    question_response_message = 107: (message crate::view::e2e_message::message::QuestionResponseMessageView);
    status_quoted_message = 109: (message crate::view::e2e_message::message::StatusQuotedMessageView);
    status_sticker_interaction_message = 110: (message crate::view::e2e_message::message::StatusStickerInteractionMessageView);
    poll_creation_message_v5 = 111: (message crate::view::e2e_message::message::PollCreationMessageView);
    newsletter_follower_invite_message_v2 = 113: (message crate::view::e2e_message::message::NewsletterFollowerInviteMessageView);
    poll_result_snapshot_message_v3 = 115: (message crate::view::e2e_message::message::PollResultSnapshotMessageView);
    newsletter_admin_profile_message = 116: (message crate::view::e2e_message::message::FutureProofMessageView);
    newsletter_admin_profile_message_v2 = 117: (message crate::view::e2e_message::message::FutureProofMessageView);
    spoiler_message = 118: (message crate::view::e2e_message::message::FutureProofMessageView);
    poll_creation_message_v6 = 119: (message crate::view::e2e_message::message::PollCreationMessageView);
    conditional_reveal_message = 120: (message crate::view::e2e_message::message::ConditionalRevealMessageView);
    poll_add_option_message = 121: (message crate::view::e2e_message::message::PollAddOptionMessageView);
    event_invite_message = 122: (message crate::view::e2e_message::message::EventInviteMessageView);
    group_root_key_share = 123: (message crate::view::e2e_message::GroupRootKeyShareView);
    payment_reminder_message = 124: (message crate::view::e2e_message::message::PaymentReminderMessageView);
    split_payment_message = 125: (message crate::view::e2e_message::message::SplitPaymentMessageView);
    newsletter_admin_profile_status_message = 126: (message crate::view::e2e_message::message::FutureProofMessageView);
    root_secret_distribute_message = 127: (message crate::view::e2e_message::message::RootSecretDistributeMessageView);
    split_payment_update_message = 128: (message crate::view::e2e_message::message::SplitPaymentUpdateMessageView);
    music_message = 129: (message crate::view::e2e_message::message::MusicMessageView);
    status_link_preview_metadata = 130: (message crate::view::e2e_message::message::StatusLinkPreviewMetadataView);
    bot_platform_registration_success_message = 131: (message crate::view::e2e_message::message::FutureProofMessageView);
}
pub mod message {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AlbumMessageView of crate::e2e_message::message::AlbumMessage, 17;
        expected_image_count = 2: (uint32);
        expected_video_count = 3: (uint32);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        AppStateFatalExceptionNotificationView of crate::e2e_message::message::AppStateFatalExceptionNotification, 2;
        collection_names = 1: (repeated text);
        timestamp = 2: (int64);
    }
    view! {
        AppStateSyncKeyView of crate::e2e_message::message::AppStateSyncKey, 2;
        key_id = 1: (message crate::view::e2e_message::message::AppStateSyncKeyIdView);
        key_data = 2: (message crate::view::e2e_message::message::AppStateSyncKeyDataView);
    }
    view! {
        AppStateSyncKeyDataView of crate::e2e_message::message::AppStateSyncKeyData, 3;
        key_data = 1: (bytes);
        fingerprint = 2: (message crate::view::e2e_message::message::AppStateSyncKeyFingerprintView);
        timestamp = 3: (int64);
    }
    view! {
        AppStateSyncKeyFingerprintView of crate::e2e_message::message::AppStateSyncKeyFingerprint, 3;
        raw_id = 1: (uint32);
        current_index = 2: (uint32);
        device_indexes = 3: (repeated uint32);
    }
    view! {
        AppStateSyncKeyIdView of crate::e2e_message::message::AppStateSyncKeyId, 1;
        key_id = 1: (bytes);
    }
    view! {
        AppStateSyncKeyRequestView of crate::e2e_message::message::AppStateSyncKeyRequest, 1;
        key_ids = 1: (repeated message crate::view::e2e_message::message::AppStateSyncKeyIdView);
    }
    view! {
        AppStateSyncKeyShareView of crate::e2e_message::message::AppStateSyncKeyShare, 1;
        keys = 1: (repeated message crate::view::e2e_message::message::AppStateSyncKeyView);
    }
    view! {
        AudioMessageView of crate::e2e_message::message::AudioMessage, 23;
        url = 1: (text);
        mimetype = 2: (text);
        file_sha256 = 3: (bytes);
        file_length = 4: (uint64);
        seconds = 5: (uint32);
        ptt = 6: (bool);
        media_key = 7: (bytes);
        file_enc_sha256 = 8: (bytes);
        direct_path = 9: (text);
        media_key_timestamp = 10: (int64);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        streaming_sidecar = 18: (bytes);
        waveform = 19: (bytes);
        background_argb = 20: (fixed32);
        view_once = 21: (bool);
        accessibility_label = 22: (text);
        media_key_domain = 23: (int32);
    }
    view! {
        BCallMessageView of crate::e2e_message::message::BCallMessage, 4;
        session_id = 1: (text);
        media_type = 2: (int32);
        master_key = 3: (bytes);
        caption = 4: (text);
    }
    view! {
        BotHistoryShareSyncMetadataView of crate::e2e_message::message::BotHistoryShareSyncMetadata, 3;
        bot_jid = 1: (text);
        history_share_cutoff_timestamp = 2: (int64);
        history_share_messages = 3: (repeated message crate::view::e2e_message::message::HistoryShareMessageEntryView);
    }
    view! {
        ButtonsMessageView of crate::e2e_message::message::ButtonsMessage, 10;
        content_text = 6: (text);
        footer_text = 7: (text);
        context_info = 8: (message crate::view::e2e_message::ContextInfoView);
        buttons = 9: (repeated message crate::view::e2e_message::message::buttons_message::ButtonView);
        header_type = 10: (int32);
        text = 1: (one of [1, 2, 3, 4, 5] text);
        document_message = 2: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::DocumentMessageView);
        image_message = 3: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::ImageMessageView);
        video_message = 4: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::VideoMessageView);
        location_message = 5: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::LocationMessageView);
    }
    pub mod buttons_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            ButtonView of crate::e2e_message::message::buttons_message::Button, 4;
            button_id = 1: (text);
            button_text = 2: (message crate::view::e2e_message::message::buttons_message::button::ButtonTextView);
            r#type = 3: (int32);
            native_flow_info = 4: (message crate::view::e2e_message::message::buttons_message::button::NativeFlowInfoView);
        }
        pub mod button {
            use super::{Check, Parts, Repeated, Shape, View, read};
            view! {
                ButtonTextView of crate::e2e_message::message::buttons_message::button::ButtonText, 1;
                display_text = 1: (text);
            }
            view! {
                NativeFlowInfoView of crate::e2e_message::message::buttons_message::button::NativeFlowInfo, 2;
                name = 1: (text);
                params_json = 2: (text);
            }
        }
    }
    view! {
        ButtonsResponseMessageView of crate::e2e_message::message::ButtonsResponseMessage, 4;
        selected_button_id = 1: (text);
        context_info = 3: (message crate::view::e2e_message::ContextInfoView);
        r#type = 4: (int32);
        selected_display_text = 2: (one of [2] text);
    }
    view! {
        CallView of crate::e2e_message::message::Call, 12;
        call_key = 1: (bytes);
        conversion_source = 2: (text);
        conversion_data = 3: (bytes);
        conversion_delay_seconds = 4: (uint32);
        ctwa_signals = 5: (text);
        ctwa_payload = 6: (bytes);
        context_info = 7: (message crate::view::e2e_message::ContextInfoView);
        native_flow_call_button_payload = 8: (text);
        deeplink_payload = 9: (text);
        message_context_info = 10: (message crate::view::e2e_message::MessageContextInfoView);
        call_entry_point = 11: (uint32);
        call_reason = 12: (text);
    }
    view! {
        CallLogMessageView of crate::e2e_message::message::CallLogMessage, 5;
        is_video = 1: (bool);
        call_outcome = 2: (int32);
        duration_secs = 3: (int64);
        call_type = 4: (int32);
        participants = 5: (repeated message crate::view::e2e_message::message::call_log_message::CallParticipantView);
    }
    pub mod call_log_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            CallParticipantView of crate::e2e_message::message::call_log_message::CallParticipant, 2;
            jid = 1: (text);
            call_outcome = 2: (int32);
        }
    }
    view! {
        CancelPaymentRequestMessageView of crate::e2e_message::message::CancelPaymentRequestMessage, 1;
        key = 1: (message crate::view::common::MessageKeyView);
    }
    view! {
        ChatView of crate::e2e_message::message::Chat, 2;
        display_name = 1: (text);
        id = 2: (text);
    }
    view! {
        ChatCustomImageWallpaperView of crate::e2e_message::message::ChatCustomImageWallpaper, 5;
        direct_path = 1: (text);
        media_key = 2: (bytes);
        file_enc_sha256 = 3: (bytes);
        file_sha256 = 4: (bytes);
        dim_level = 5: (float);
    }
    view! {
        ChatDefaultWallpaperView of crate::e2e_message::message::ChatDefaultWallpaper, 1;
        is_doodle_enabled = 1: (bool);
    }
    view! {
        ChatSolidColorWallpaperView of crate::e2e_message::message::ChatSolidColorWallpaper, 3;
        color_light = 1: (text);
        color_dark = 2: (text);
        is_doodle_enabled = 3: (bool);
    }
    view! {
        ChatStockImageWallpaperView of crate::e2e_message::message::ChatStockImageWallpaper, 2;
        stock_image_id = 1: (text);
        dim_level = 2: (float);
    }
    view! {
        ChatThemeSettingView of crate::e2e_message::message::ChatThemeSetting, 13;
        setting_timestamp_ms = 1: (int64);
        clear_theme = 2: (bool);
        color_scheme_id = 3: (text);
        default_wallpaper = 10: (one of [10, 11, 12, 13] message crate::view::e2e_message::message::ChatDefaultWallpaperView);
        solid_color = 11: (one of [10, 11, 12, 13] message crate::view::e2e_message::message::ChatSolidColorWallpaperView);
        stock_image = 12: (one of [10, 11, 12, 13] message crate::view::e2e_message::message::ChatStockImageWallpaperView);
        custom_image = 13: (one of [10, 11, 12, 13] message crate::view::e2e_message::message::ChatCustomImageWallpaperView);
    }
    view! {
        CloudApiThreadControlNotificationView of crate::e2e_message::message::CloudApiThreadControlNotification, 6;
        status = 1: (int32);
        sender_notification_timestamp_ms = 2: (int64);
        consumer_lid = 3: (text);
        consumer_phone_number = 4: (text);
        notification_content = 5: (message crate::view::e2e_message::message::cloud_api_thread_control_notification::CloudApiThreadControlNotificationContentView);
        should_suppress_notification = 6: (bool);
    }
    pub mod cloud_api_thread_control_notification {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            CloudApiThreadControlNotificationContentView of crate::e2e_message::message::cloud_api_thread_control_notification::CloudApiThreadControlNotificationContent, 2;
            handoff_notification_text = 1: (text);
            extra_json = 2: (text);
        }
    }
    view! {
        CommentMessageView of crate::e2e_message::message::CommentMessage, 2;
        message = 1: (message crate::view::e2e_message::MessageView);
        target_message_key = 2: (message crate::view::common::MessageKeyView);
    }
    view! {
        ConditionalRevealMessageView of crate::e2e_message::message::ConditionalRevealMessage, 4;
        enc_payload = 1: (bytes);
        enc_iv = 2: (bytes);
        conditional_reveal_message_type = 3: (int32);
        reveal_key_id = 4: (text);
    }
    view! {
        ContactMessageView of crate::e2e_message::message::ContactMessage, 18;
        display_name = 1: (text);
        vcard = 16: (text);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        is_self_contact = 18: (bool);
    }
    view! {
        ContactsArrayMessageView of crate::e2e_message::message::ContactsArrayMessage, 17;
        display_name = 1: (text);
        contacts = 2: (repeated message crate::view::e2e_message::message::ContactMessageView);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        DeclinePaymentRequestMessageView of crate::e2e_message::message::DeclinePaymentRequestMessage, 1;
        key = 1: (message crate::view::common::MessageKeyView);
    }
    view! {
        DeviceSentMessageView of crate::e2e_message::message::DeviceSentMessage, 3;
        destination_jid = 1: (text);
        message = 2: (message crate::view::e2e_message::MessageView);
        phash = 3: (text);
    }
    view! {
        DocumentMessageView of crate::e2e_message::message::DocumentMessage, 22;
        url = 1: (text);
        mimetype = 2: (text);
        title = 3: (text);
        file_sha256 = 4: (bytes);
        file_length = 5: (uint64);
        page_count = 6: (uint32);
        media_key = 7: (bytes);
        file_name = 8: (text);
        file_enc_sha256 = 9: (bytes);
        direct_path = 10: (text);
        media_key_timestamp = 11: (int64);
        contact_vcard = 12: (bool);
        thumbnail_direct_path = 13: (text);
        thumbnail_sha256 = 14: (bytes);
        thumbnail_enc_sha256 = 15: (bytes);
        jpeg_thumbnail = 16: (bytes);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        thumbnail_height = 18: (uint32);
        thumbnail_width = 19: (uint32);
        caption = 20: (text);
        accessibility_label = 21: (text);
        media_key_domain = 22: (int32);
    }
    view! {
        EncCommentMessageView of crate::e2e_message::message::EncCommentMessage, 3;
        target_message_key = 1: (message crate::view::common::MessageKeyView);
        enc_payload = 2: (bytes);
        enc_iv = 3: (bytes);
    }
    view! {
        EncEventResponseMessageView of crate::e2e_message::message::EncEventResponseMessage, 3;
        event_creation_message_key = 1: (message crate::view::common::MessageKeyView);
        enc_payload = 2: (bytes);
        enc_iv = 3: (bytes);
    }
    view! {
        EncReactionMessageView of crate::e2e_message::message::EncReactionMessage, 3;
        target_message_key = 1: (message crate::view::common::MessageKeyView);
        enc_payload = 2: (bytes);
        enc_iv = 3: (bytes);
    }
    view! {
        EventInviteMessageView of crate::e2e_message::message::EventInviteMessage, 9;
        context_info = 1: (message crate::view::e2e_message::ContextInfoView);
        event_id = 2: (text);
        event_title = 3: (text);
        jpeg_thumbnail = 4: (bytes);
        start_time = 5: (int64);
        caption = 6: (text);
        is_canceled = 7: (bool);
        end_time = 8: (int64);
        call_link = 9: (text);
    }
    view! {
        EventMessageView of crate::e2e_message::message::EventMessage, 12;
        context_info = 1: (message crate::view::e2e_message::ContextInfoView);
        is_canceled = 2: (bool);
        name = 3: (text);
        description = 4: (text);
        location = 5: (message crate::view::e2e_message::message::LocationMessageView);
        join_link = 6: (text);
        start_time = 7: (int64);
        end_time = 8: (int64);
        extra_guests_allowed = 9: (bool);
        is_schedule_call = 10: (bool);
        has_reminder = 11: (bool);
        reminder_offset_sec = 12: (int64);
    }
    view! {
        ExtendedTextMessageView of crate::e2e_message::message::ExtendedTextMessage, 39;
        text = 1: (text);
        matched_text = 2: (text);
        description = 5: (text);
        title = 6: (text);
        text_argb = 7: (fixed32);
        background_argb = 8: (fixed32);
        font = 9: (int32);
        preview_type = 10: (int32);
        jpeg_thumbnail = 16: (bytes);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        do_not_play_inline = 18: (bool);
        thumbnail_direct_path = 19: (text);
        thumbnail_sha256 = 20: (bytes);
        thumbnail_enc_sha256 = 21: (bytes);
        media_key = 22: (bytes);
        media_key_timestamp = 23: (int64);
        thumbnail_height = 24: (uint32);
        thumbnail_width = 25: (uint32);
        invite_link_group_type = 26: (int32);
        invite_link_parent_group_subject_v2 = 27: (text);
        invite_link_parent_group_thumbnail_v2 = 28: (bytes);
        invite_link_group_type_v2 = 29: (int32);
        view_once = 30: (bool);
        video_height = 31: (uint32);
        video_width = 32: (uint32);
        favicon_mms_metadata = 33: (message crate::view::e2e_message::message::MmsThumbnailMetadataView);
        link_preview_metadata = 34: (message crate::view::e2e_message::message::LinkPreviewMetadataView);
        payment_link_metadata = 35: (message crate::view::e2e_message::message::PaymentLinkMetadataView);
        end_card_tiles = 36: (repeated message crate::view::e2e_message::message::VideoEndCardView);
        video_content_url = 37: (text);
        music_metadata = 38: (message crate::view::e2e_message::EmbeddedMusicView);
        payment_extended_metadata = 39: (message crate::view::e2e_message::message::PaymentExtendedMetadataView);
    }
    view! {
        FullHistorySyncOnDemandConfigView of crate::e2e_message::message::FullHistorySyncOnDemandConfig, 2;
        history_from_timestamp = 1: (uint64);
        history_duration_days = 2: (uint32);
    }
    view! {
        FullHistorySyncOnDemandRequestMetadataView of crate::e2e_message::message::FullHistorySyncOnDemandRequestMetadata, 3;
        request_id = 1: (text);
        business_product = 2: (text);
        opaque_client_data = 3: (bytes);
    }
    view! {
        FutureProofMessageView of crate::e2e_message::message::FutureProofMessage, 1;
        message = 1: (message crate::view::e2e_message::MessageView);
    }
    view! {
        GroupInviteMessageView of crate::e2e_message::message::GroupInviteMessage, 8;
        group_jid = 1: (text);
        invite_code = 2: (text);
        invite_expiration = 3: (int64);
        group_name = 4: (text);
        jpeg_thumbnail = 5: (bytes);
        caption = 6: (text);
        context_info = 7: (message crate::view::e2e_message::ContextInfoView);
        group_type = 8: (int32);
    }
    view! {
        HighlyStructuredMessageView of crate::e2e_message::message::HighlyStructuredMessage, 9;
        namespace = 1: (text);
        element_name = 2: (text);
        params = 3: (repeated text);
        fallback_lg = 4: (text);
        fallback_lc = 5: (text);
        localizable_params = 6: (repeated message crate::view::e2e_message::message::highly_structured_message::HsmLocalizableParameterView);
        deterministic_lg = 7: (text);
        deterministic_lc = 8: (text);
        hydrated_hsm = 9: (message crate::view::e2e_message::message::TemplateMessageView);
    }
    pub mod highly_structured_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            HsmLocalizableParameterView of crate::e2e_message::message::highly_structured_message::HsmLocalizableParameter, 3;
            default = 1: (text);
            currency = 2: (one of [2, 3] message crate::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmCurrencyView);
            date_time = 3: (one of [2, 3] message crate::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmDateTimeView);
        }
        pub mod hsm_localizable_parameter {
            use super::{Check, Parts, Repeated, Shape, View, read};
            view! {
                HsmCurrencyView of crate::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmCurrency, 2;
                currency_code = 1: (text);
                amount1000 = 2: (int64);
            }
            view! {
                HsmDateTimeView of crate::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmDateTime, 2;
                component = 1: (one of [1, 2] message crate::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeComponentView);
                unix_epoch = 2: (one of [1, 2] message crate::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeUnixEpochView);
            }
            pub mod hsm_date_time {
                use super::{Check, Parts, Repeated, Shape, View, read};
                view! {
                    HsmDateTimeComponentView of crate::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeComponent, 7;
                    day_of_week = 1: (int32);
                    year = 2: (uint32);
                    month = 3: (uint32);
                    day_of_month = 4: (uint32);
                    hour = 5: (uint32);
                    minute = 6: (uint32);
                    calendar = 7: (int32);
                }
                view! {
                    HsmDateTimeUnixEpochView of crate::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeUnixEpoch, 1;
                    timestamp = 1: (int64);
                }
            }
        }
    }
    view! {
        HistoryShareMessageEntryView of crate::e2e_message::message::HistoryShareMessageEntry, 2;
        stanza_id = 1: (text);
        message_secret_proof = 2: (bytes);
    }
    view! {
        HistorySyncMessageAccessStatusView of crate::e2e_message::message::HistorySyncMessageAccessStatus, 1;
        complete_access_granted = 1: (bool);
    }
    view! {
        HistorySyncNotificationView of crate::e2e_message::message::HistorySyncNotification, 15;
        file_sha256 = 1: (bytes);
        file_length = 2: (uint64);
        media_key = 3: (bytes);
        file_enc_sha256 = 4: (bytes);
        direct_path = 5: (text);
        sync_type = 6: (int32);
        chunk_order = 7: (uint32);
        original_message_id = 8: (text);
        progress = 9: (uint32);
        oldest_msg_in_chunk_timestamp_sec = 10: (int64);
        initial_hist_bootstrap_inline_payload = 11: (bytes);
        peer_data_request_session_id = 12: (text);
        full_history_sync_on_demand_request_metadata = 13: (message crate::view::e2e_message::message::FullHistorySyncOnDemandRequestMetadataView);
        enc_handle = 14: (text);
        message_access_status = 15: (message crate::view::e2e_message::message::HistorySyncMessageAccessStatusView);
    }
    view! {
        ImageMessageView of crate::e2e_message::message::ImageMessage, 34;
        url = 1: (text);
        mimetype = 2: (text);
        caption = 3: (text);
        file_sha256 = 4: (bytes);
        file_length = 5: (uint64);
        height = 6: (uint32);
        width = 7: (uint32);
        media_key = 8: (bytes);
        file_enc_sha256 = 9: (bytes);
        interactive_annotations = 10: (repeated message crate::view::e2e_message::InteractiveAnnotationView);
        direct_path = 11: (text);
        media_key_timestamp = 12: (int64);
        jpeg_thumbnail = 16: (bytes);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        first_scan_sidecar = 18: (bytes);
        first_scan_length = 19: (uint32);
        experiment_group_id = 20: (uint32);
        scans_sidecar = 21: (bytes);
        scan_lengths = 22: (repeated uint32);
        mid_quality_file_sha256 = 23: (bytes);
        mid_quality_file_enc_sha256 = 24: (bytes);
        view_once = 25: (bool);
        thumbnail_direct_path = 26: (text);
        thumbnail_sha256 = 27: (bytes);
        thumbnail_enc_sha256 = 28: (bytes);
        static_url = 29: (text);
        annotations = 30: (repeated message crate::view::e2e_message::InteractiveAnnotationView);
        image_source_type = 31: (int32);
        accessibility_label = 32: (text);
        qr_url = 34: (text);
        media_key_domain = 33: (int32);
    }
    view! {
        InitialSecurityNotificationSettingSyncView of crate::e2e_message::message::InitialSecurityNotificationSettingSync, 1;
        security_notification_enabled = 1: (bool);
    }
    view! {
        InteractiveMessageView of crate::e2e_message::message::InteractiveMessage, 16;
        header = 1: (message crate::view::e2e_message::message::interactive_message::HeaderView);
        body = 2: (message crate::view::e2e_message::message::interactive_message::BodyView);
        footer = 3: (message crate::view::e2e_message::message::interactive_message::FooterView);
        bloks_widget = 8: (message crate::view::e2e_message::message::interactive_message::BloksWidgetView);
        context_info = 15: (message crate::view::e2e_message::ContextInfoView);
        url_tracking_map = 16: (message crate::view::e2e_message::UrlTrackingMapView);
        shop_storefront_message = 4: (one of [4, 5, 6, 7] message crate::view::e2e_message::message::interactive_message::ShopMessageView);
        collection_message = 5: (one of [4, 5, 6, 7] message crate::view::e2e_message::message::interactive_message::CollectionMessageView);
        native_flow_message = 6: (one of [4, 5, 6, 7] message crate::view::e2e_message::message::interactive_message::NativeFlowMessageView);
        carousel_message = 7: (one of [4, 5, 6, 7] message crate::view::e2e_message::message::interactive_message::CarouselMessageView);
    }
    pub mod interactive_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            BloksWidgetView of crate::e2e_message::message::interactive_message::BloksWidget, 4;
            uuid = 1: (text);
            data = 2: (text);
            r#type = 3: (text);
            fallback = 4: (text);
        }
        view! {
            BodyView of crate::e2e_message::message::interactive_message::Body, 1;
            text = 1: (text);
        }
        view! {
            CarouselMessageView of crate::e2e_message::message::interactive_message::CarouselMessage, 3;
            cards = 1: (repeated message crate::view::e2e_message::message::InteractiveMessageView);
            message_version = 2: (int32);
            carousel_card_type = 3: (int32);
        }
        view! {
            CollectionMessageView of crate::e2e_message::message::interactive_message::CollectionMessage, 3;
            biz_jid = 1: (text);
            id = 2: (text);
            message_version = 3: (int32);
        }
        view! {
            FooterView of crate::e2e_message::message::interactive_message::Footer, 3;
            text = 1: (text);
            has_media_attachment = 3: (bool);
            audio_message = 2: (one of [2] message crate::view::e2e_message::message::AudioMessageView);
        }
        view! {
            HeaderView of crate::e2e_message::message::interactive_message::Header, 10;
            title = 1: (text);
            subtitle = 2: (text);
            has_media_attachment = 5: (bool);
            bloks_widget = 10: (message crate::view::e2e_message::message::interactive_message::BloksWidgetView);
            document_message = 3: (one of [3, 4, 6, 7, 8, 9] message crate::view::e2e_message::message::DocumentMessageView);
            image_message = 4: (one of [3, 4, 6, 7, 8, 9] message crate::view::e2e_message::message::ImageMessageView);
            jpeg_thumbnail = 6: (one of [3, 4, 6, 7, 8, 9] bytes);
            video_message = 7: (one of [3, 4, 6, 7, 8, 9] message crate::view::e2e_message::message::VideoMessageView);
            location_message = 8: (one of [3, 4, 6, 7, 8, 9] message crate::view::e2e_message::message::LocationMessageView);
            product_message = 9: (one of [3, 4, 6, 7, 8, 9] message crate::view::e2e_message::message::ProductMessageView);
        }
        view! {
            NativeFlowMessageView of crate::e2e_message::message::interactive_message::NativeFlowMessage, 3;
            buttons = 1: (repeated message crate::view::e2e_message::message::interactive_message::native_flow_message::NativeFlowButtonView);
            message_params_json = 2: (text);
            message_version = 3: (int32);
        }
        pub mod native_flow_message {
            use super::{Check, Parts, Repeated, Shape, View, read};
            view! {
                NativeFlowButtonView of crate::e2e_message::message::interactive_message::native_flow_message::NativeFlowButton, 2;
                name = 1: (text);
                button_params_json = 2: (text);
            }
        }
        view! {
            ShopMessageView of crate::e2e_message::message::interactive_message::ShopMessage, 3;
            id = 1: (text);
            surface = 2: (int32);
            message_version = 3: (int32);
        }
    }
    view! {
        InteractiveResponseMessageView of crate::e2e_message::message::InteractiveResponseMessage, 15;
        body = 1: (message crate::view::e2e_message::message::interactive_response_message::BodyView);
        context_info = 15: (message crate::view::e2e_message::ContextInfoView);
        native_flow_response_message = 2: (one of [2] message crate::view::e2e_message::message::interactive_response_message::NativeFlowResponseMessageView);
    }
    pub mod interactive_response_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            BodyView of crate::e2e_message::message::interactive_response_message::Body, 2;
            text = 1: (text);
            format = 2: (int32);
        }
        view! {
            NativeFlowResponseMessageView of crate::e2e_message::message::interactive_response_message::NativeFlowResponseMessage, 3;
            name = 1: (text);
            params_json = 2: (text);
            version = 3: (int32);
        }
    }
    view! {
        InvoiceMessageView of crate::e2e_message::message::InvoiceMessage, 10;
        note = 1: (text);
        token = 2: (text);
        attachment_type = 3: (int32);
        attachment_mimetype = 4: (text);
        attachment_media_key = 5: (bytes);
        attachment_media_key_timestamp = 6: (int64);
        attachment_file_sha256 = 7: (bytes);
        attachment_file_enc_sha256 = 8: (bytes);
        attachment_direct_path = 9: (text);
        attachment_jpeg_thumbnail = 10: (bytes);
    }
    view! {
        KeepInChatMessageView of crate::e2e_message::message::KeepInChatMessage, 3;
        key = 1: (message crate::view::common::MessageKeyView);
        keep_type = 2: (int32);
        timestamp_ms = 3: (int64);
    }
    view! {
        LinkPreviewMetadataView of crate::e2e_message::message::LinkPreviewMetadata, 9;
        payment_link_metadata = 1: (message crate::view::e2e_message::message::PaymentLinkMetadataView);
        url_metadata = 2: (message crate::view::e2e_message::message::UrlMetadataView);
        fb_experiment_id = 3: (uint32);
        link_media_duration = 4: (uint32);
        social_media_post_type = 5: (int32);
        link_inline_video_muted = 6: (bool);
        video_content_url = 7: (text);
        music_metadata = 8: (message crate::view::e2e_message::EmbeddedMusicView);
        video_content_caption = 9: (text);
    }
    view! {
        ListMessageView of crate::e2e_message::message::ListMessage, 8;
        title = 1: (text);
        description = 2: (text);
        button_text = 3: (text);
        list_type = 4: (int32);
        sections = 5: (repeated message crate::view::e2e_message::message::list_message::SectionView);
        product_list_info = 6: (message crate::view::e2e_message::message::list_message::ProductListInfoView);
        footer_text = 7: (text);
        context_info = 8: (message crate::view::e2e_message::ContextInfoView);
    }
    pub mod list_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            ProductView of crate::e2e_message::message::list_message::Product, 1;
            product_id = 1: (text);
        }
        view! {
            ProductListHeaderImageView of crate::e2e_message::message::list_message::ProductListHeaderImage, 2;
            product_id = 1: (text);
            jpeg_thumbnail = 2: (bytes);
        }
        view! {
            ProductListInfoView of crate::e2e_message::message::list_message::ProductListInfo, 3;
            product_sections = 1: (repeated message crate::view::e2e_message::message::list_message::ProductSectionView);
            header_image = 2: (message crate::view::e2e_message::message::list_message::ProductListHeaderImageView);
            business_owner_jid = 3: (text);
        }
        view! {
            ProductSectionView of crate::e2e_message::message::list_message::ProductSection, 2;
            title = 1: (text);
            products = 2: (repeated message crate::view::e2e_message::message::list_message::ProductView);
        }
        view! {
            RowView of crate::e2e_message::message::list_message::Row, 3;
            title = 1: (text);
            description = 2: (text);
            row_id = 3: (text);
        }
        view! {
            SectionView of crate::e2e_message::message::list_message::Section, 2;
            title = 1: (text);
            rows = 2: (repeated message crate::view::e2e_message::message::list_message::RowView);
        }
    }
    view! {
        ListResponseMessageView of crate::e2e_message::message::ListResponseMessage, 5;
        title = 1: (text);
        list_type = 2: (int32);
        single_select_reply = 3: (message crate::view::e2e_message::message::list_response_message::SingleSelectReplyView);
        context_info = 4: (message crate::view::e2e_message::ContextInfoView);
        description = 5: (text);
    }
    pub mod list_response_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            SingleSelectReplyView of crate::e2e_message::message::list_response_message::SingleSelectReply, 1;
            selected_row_id = 1: (text);
        }
    }
    view! {
        LiveLocationMessageView of crate::e2e_message::message::LiveLocationMessage, 17;
        degrees_latitude = 1: (double);
        degrees_longitude = 2: (double);
        accuracy_in_meters = 3: (uint32);
        speed_in_mps = 4: (float);
        degrees_clockwise_from_magnetic_north = 5: (uint32);
        caption = 6: (text);
        sequence_number = 7: (int64);
        time_offset = 8: (uint32);
        jpeg_thumbnail = 16: (bytes);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        LocationMessageView of crate::e2e_message::message::LocationMessage, 17;
        degrees_latitude = 1: (double);
        degrees_longitude = 2: (double);
        name = 3: (text);
        address = 4: (text);
        url = 5: (text);
        is_live = 6: (bool);
        accuracy_in_meters = 7: (uint32);
        speed_in_mps = 8: (float);
        degrees_clockwise_from_magnetic_north = 9: (uint32);
        comment = 11: (text);
        jpeg_thumbnail = 16: (bytes);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        MmsThumbnailMetadataView of crate::e2e_message::message::MmsThumbnailMetadata, 8;
        thumbnail_direct_path = 1: (text);
        thumbnail_sha256 = 2: (bytes);
        thumbnail_enc_sha256 = 3: (bytes);
        media_key = 4: (bytes);
        media_key_timestamp = 5: (int64);
        thumbnail_height = 6: (uint32);
        thumbnail_width = 7: (uint32);
        media_key_domain = 8: (int32);
    }
    view! {
        MarkAsVerifiedActionView of crate::e2e_message::message::MarkAsVerifiedAction, 4;
        user_jid_string = 1: (text);
        verified = 2: (bool);
        verified_identity_key = 3: (bytes);
        action_seq = 4: (uint64);
    }
    view! {
        MessageHistoryBundleView of crate::e2e_message::message::MessageHistoryBundle, 8;
        mimetype = 1: (text);
        file_sha256 = 2: (bytes);
        media_key = 3: (bytes);
        file_enc_sha256 = 4: (bytes);
        direct_path = 5: (text);
        media_key_timestamp = 6: (int64);
        context_info = 7: (message crate::view::e2e_message::ContextInfoView);
        message_history_metadata = 8: (message crate::view::e2e_message::message::MessageHistoryMetadataView);
    }
    view! {
        MessageHistoryMetadataView of crate::e2e_message::message::MessageHistoryMetadata, 5;
        history_receivers = 1: (repeated text);
        oldest_message_timestamp_in_window = 2: (int64);
        message_count = 3: (int64);
        non_history_receivers = 4: (repeated text);
        oldest_message_timestamp_in_bundle = 5: (int64);
    }
    view! {
        MessageHistoryNoticeView of crate::e2e_message::message::MessageHistoryNotice, 3;
        context_info = 1: (message crate::view::e2e_message::ContextInfoView);
        message_history_metadata = 2: (message crate::view::e2e_message::message::MessageHistoryMetadataView);
        bot_history_share_sync_metadata = 3: (message crate::view::e2e_message::message::BotHistoryShareSyncMetadataView);
    }
    view! {
        MusicMessageView of crate::e2e_message::message::MusicMessage, 5;
        embedded_music = 1: (message crate::view::e2e_message::EmbeddedMusicView);
        song_uri = 2: (text);
        artwork_uri = 3: (text);
        style = 4: (int32);
        context_info = 5: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        NewsletterAdminInviteMessageView of crate::e2e_message::message::NewsletterAdminInviteMessage, 6;
        newsletter_jid = 1: (text);
        newsletter_name = 2: (text);
        jpeg_thumbnail = 3: (bytes);
        caption = 4: (text);
        invite_expiration = 5: (int64);
        context_info = 6: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        NewsletterFollowerInviteMessageView of crate::e2e_message::message::NewsletterFollowerInviteMessage, 5;
        newsletter_jid = 1: (text);
        newsletter_name = 2: (text);
        jpeg_thumbnail = 3: (bytes);
        caption = 4: (text);
        context_info = 5: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        OrderMessageView of crate::e2e_message::message::OrderMessage, 17;
        order_id = 1: (text);
        thumbnail = 2: (bytes);
        item_count = 3: (int32);
        status = 4: (int32);
        surface = 5: (int32);
        message = 6: (text);
        order_title = 7: (text);
        seller_jid = 8: (text);
        token = 9: (text);
        total_amount1000 = 10: (int64);
        total_currency_code = 11: (text);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        message_version = 12: (int32);
        order_request_message_id = 13: (message crate::view::common::MessageKeyView);
        catalog_type = 15: (text);
    }
    view! {
        PaymentExtendedMetadataView of crate::e2e_message::message::PaymentExtendedMetadata, 3;
        r#type = 1: (uint32);
        platform = 2: (text);
        message_params_json = 3: (text);
    }
    view! {
        PaymentInviteMessageView of crate::e2e_message::message::PaymentInviteMessage, 5;
        service_type = 1: (int32);
        expiry_timestamp = 2: (int64);
        incentive_eligible = 3: (bool);
        referral_id = 4: (text);
        invite_type = 5: (int32);
    }
    view! {
        PaymentLinkMetadataView of crate::e2e_message::message::PaymentLinkMetadata, 3;
        button = 1: (message crate::view::e2e_message::message::payment_link_metadata::PaymentLinkButtonView);
        header = 2: (message crate::view::e2e_message::message::payment_link_metadata::PaymentLinkHeaderView);
        provider = 3: (message crate::view::e2e_message::message::payment_link_metadata::PaymentLinkProviderView);
    }
    pub mod payment_link_metadata {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            PaymentLinkButtonView of crate::e2e_message::message::payment_link_metadata::PaymentLinkButton, 1;
            display_text = 1: (text);
        }
        view! {
            PaymentLinkHeaderView of crate::e2e_message::message::payment_link_metadata::PaymentLinkHeader, 1;
            header_type = 1: (int32);
        }
        view! {
            PaymentLinkProviderView of crate::e2e_message::message::payment_link_metadata::PaymentLinkProvider, 1;
            params_json = 1: (text);
        }
    }
    view! {
        PaymentReminderMessageView of crate::e2e_message::message::PaymentReminderMessage, 9;
        reminder_id = 1: (text);
        instance_id = 2: (text);
        description = 3: (text);
        frequency = 4: (int32);
        status = 5: (int32);
        payee_vpa = 6: (text);
        payee_jid = 7: (text);
        payer_jid = 8: (text);
        amount = 9: (message crate::view::e2e_message::MoneyView);
    }
    view! {
        PeerDataOperationRequestMessageView of crate::e2e_message::message::PeerDataOperationRequestMessage, 12;
        peer_data_operation_request_type = 1: (int32);
        request_sticker_reupload = 2: (repeated message crate::view::e2e_message::message::peer_data_operation_request_message::RequestStickerReuploadView);
        request_url_preview = 3: (repeated message crate::view::e2e_message::message::peer_data_operation_request_message::RequestUrlPreviewView);
        history_sync_on_demand_request = 4: (message crate::view::e2e_message::message::peer_data_operation_request_message::HistorySyncOnDemandRequestView);
        placeholder_message_resend_request = 5: (repeated message crate::view::e2e_message::message::peer_data_operation_request_message::PlaceholderMessageResendRequestView);
        full_history_sync_on_demand_request = 6: (message crate::view::e2e_message::message::peer_data_operation_request_message::FullHistorySyncOnDemandRequestView);
        syncd_collection_fatal_recovery_request = 7: (message crate::view::e2e_message::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequestView);
        history_sync_chunk_retry_request = 8: (message crate::view::e2e_message::message::peer_data_operation_request_message::HistorySyncChunkRetryRequestView);
        galaxy_flow_action = 9: (message crate::view::e2e_message::message::peer_data_operation_request_message::GalaxyFlowActionView);
        companion_canonical_user_nonce_fetch_request = 10: (message crate::view::e2e_message::message::peer_data_operation_request_message::CompanionCanonicalUserNonceFetchRequestView);
        biz_broadcast_insights_contact_list_request = 11: (message crate::view::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsContactListRequestView);
        biz_broadcast_insights_refresh_request = 12: (message crate::view::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsRefreshRequestView);
    }
    pub mod peer_data_operation_request_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            BizBroadcastInsightsContactListRequestView of crate::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsContactListRequest, 1;
            campaign_id = 1: (text);
        }
        view! {
            BizBroadcastInsightsRefreshRequestView of crate::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsRefreshRequest, 1;
            campaign_id = 1: (text);
        }
        view! {
            CompanionCanonicalUserNonceFetchRequestView of crate::e2e_message::message::peer_data_operation_request_message::CompanionCanonicalUserNonceFetchRequest, 1;
            registration_trace_id = 1: (text);
        }
        view! {
            FullHistorySyncOnDemandRequestView of crate::e2e_message::message::peer_data_operation_request_message::FullHistorySyncOnDemandRequest, 3;
            request_metadata = 1: (message crate::view::e2e_message::message::FullHistorySyncOnDemandRequestMetadataView);
            history_sync_config = 2: (message crate::view::companion_reg::device_props::HistorySyncConfigView);
            full_history_sync_on_demand_config = 3: (message crate::view::e2e_message::message::FullHistorySyncOnDemandConfigView);
        }
        view! {
            GalaxyFlowActionView of crate::e2e_message::message::peer_data_operation_request_message::GalaxyFlowAction, 5;
            r#type = 1: (int32);
            flow_id = 2: (text);
            stanza_id = 3: (text);
            galaxy_flow_download_request_id = 4: (text);
            agm_id = 5: (text);
        }
        view! {
            HistorySyncChunkRetryRequestView of crate::e2e_message::message::peer_data_operation_request_message::HistorySyncChunkRetryRequest, 4;
            sync_type = 1: (int32);
            chunk_order = 2: (uint32);
            chunk_notification_id = 3: (text);
            regenerate_chunk = 4: (bool);
        }
        view! {
            HistorySyncOnDemandRequestView of crate::e2e_message::message::peer_data_operation_request_message::HistorySyncOnDemandRequest, 7;
            chat_jid = 1: (text);
            oldest_msg_id = 2: (text);
            oldest_msg_from_me = 3: (bool);
            on_demand_msg_count = 4: (int32);
            oldest_msg_timestamp_ms = 5: (int64);
            account_lid = 6: (text);
            support_inline_response = 7: (bool);
        }
        view! {
            PlaceholderMessageResendRequestView of crate::e2e_message::message::peer_data_operation_request_message::PlaceholderMessageResendRequest, 1;
            message_key = 1: (message crate::view::common::MessageKeyView);
        }
        view! {
            RequestStickerReuploadView of crate::e2e_message::message::peer_data_operation_request_message::RequestStickerReupload, 1;
            file_sha256 = 1: (text);
        }
        view! {
            RequestUrlPreviewView of crate::e2e_message::message::peer_data_operation_request_message::RequestUrlPreview, 2;
            url = 1: (text);
            include_hq_thumbnail = 2: (bool);
        }
        view! {
            SyncDCollectionFatalRecoveryRequestView of crate::e2e_message::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequest, 2;
            collection_name = 1: (text);
            timestamp = 2: (int64);
        }
    }
    view! {
        PeerDataOperationRequestResponseMessageView of crate::e2e_message::message::PeerDataOperationRequestResponseMessage, 3;
        peer_data_operation_request_type = 1: (int32);
        stanza_id = 2: (text);
        peer_data_operation_result = 3: (repeated message crate::view::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResultView);
    }
    pub mod peer_data_operation_request_response_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            PeerDataOperationResultView of crate::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResult, 13;
            media_upload_result = 1: (int32);
            sticker_message = 2: (message crate::view::e2e_message::message::StickerMessageView);
            link_preview_response = 3: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::LinkPreviewResponseView);
            placeholder_message_resend_response = 4: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponseView);
            waffle_nonce_fetch_request_response = 5: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::WaffleNonceFetchResponseView);
            full_history_sync_on_demand_request_response = 6: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandRequestResponseView);
            companion_meta_nonce_fetch_request_response = 7: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionMetaNonceFetchResponseView);
            syncd_snapshot_fatal_recovery_response = 8: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::SyncDSnapshotFatalRecoveryResponseView);
            companion_canonical_user_nonce_fetch_request_response = 9: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionCanonicalUserNonceFetchResponseView);
            history_sync_chunk_retry_response = 10: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::HistorySyncChunkRetryResponseView);
            flow_responses_csv_bundle = 11: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FlowResponsesCsvBundleView);
            biz_broadcast_insights_contact_list_response = 12: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactListResponseView);
            contact_refresh_response = 13: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::ContactRefreshResponseView);
        }
        pub mod peer_data_operation_result {
            use super::{Check, Parts, Repeated, Shape, View, read};
            view! {
                BizBroadcastInsightsContactListResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactListResponse, 3;
                campaign_id = 1: (text);
                timestamp_ms = 2: (int64);
                contacts = 3: (repeated message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactStateView);
            }
            view! {
                BizBroadcastInsightsContactStateView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactState, 2;
                contact_jid = 1: (text);
                state = 2: (int32);
            }
            view! {
                CompanionCanonicalUserNonceFetchResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionCanonicalUserNonceFetchResponse, 3;
                nonce = 1: (text);
                wa_fbid = 2: (text);
                force_refresh = 3: (bool);
            }
            view! {
                CompanionMetaNonceFetchResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionMetaNonceFetchResponse, 1;
                nonce = 1: (text);
            }
            view! {
                ContactRefreshResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::ContactRefreshResponse, 4;
                covered_request_ids = 1: (repeated text);
                collection_version = 2: (uint64);
                primary_duration_ms = 3: (int64);
                unique_contact_count = 4: (uint32);
            }
            view! {
                FlowResponsesCsvBundleView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FlowResponsesCsvBundle, 10;
                flow_id = 1: (text);
                galaxy_flow_download_request_id = 2: (text);
                file_name = 3: (text);
                mimetype = 4: (text);
                file_sha256 = 5: (bytes);
                media_key = 6: (bytes);
                file_enc_sha256 = 7: (bytes);
                direct_path = 8: (text);
                media_key_timestamp = 9: (int64);
                file_length = 10: (uint64);
            }
            view! {
                FullHistorySyncOnDemandRequestResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandRequestResponse, 2;
                request_metadata = 1: (message crate::view::e2e_message::message::FullHistorySyncOnDemandRequestMetadataView);
                response_code = 2: (int32);
            }
            view! {
                HistorySyncChunkRetryResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::HistorySyncChunkRetryResponse, 5;
                sync_type = 1: (int32);
                chunk_order = 2: (uint32);
                request_id = 3: (text);
                response_code = 4: (int32);
                can_recover = 5: (bool);
            }
            view! {
                LinkPreviewResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::LinkPreviewResponse, 9;
                url = 1: (text);
                title = 2: (text);
                description = 3: (text);
                thumb_data = 4: (bytes);
                match_text = 6: (text);
                preview_type = 7: (text);
                hq_thumbnail = 8: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::LinkPreviewHighQualityThumbnailView);
                preview_metadata = 9: (message crate::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::PaymentLinkPreviewMetadataView);
            }
            pub mod link_preview_response {
                use super::{Check, Parts, Repeated, Shape, View, read};
                view! {
                    LinkPreviewHighQualityThumbnailView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::LinkPreviewHighQualityThumbnail, 7;
                    direct_path = 1: (text);
                    thumb_hash = 2: (text);
                    enc_thumb_hash = 3: (text);
                    media_key = 4: (bytes);
                    media_key_timestamp_ms = 5: (int64);
                    thumb_width = 6: (int32);
                    thumb_height = 7: (int32);
                }
                view! {
                    PaymentLinkPreviewMetadataView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::PaymentLinkPreviewMetadata, 5;
                    is_business_verified = 1: (bool);
                    provider_name = 2: (text);
                    amount = 3: (text);
                    offset = 4: (text);
                    currency = 5: (text);
                }
            }
            view! {
                PlaceholderMessageResendResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponse, 1;
                web_message_info_bytes = 1: (bytes);
            }
            view! {
                SyncDSnapshotFatalRecoveryResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::SyncDSnapshotFatalRecoveryResponse, 2;
                collection_snapshot = 1: (bytes);
                is_compressed = 2: (bool);
            }
            view! {
                WaffleNonceFetchResponseView of crate::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::WaffleNonceFetchResponse, 2;
                nonce = 1: (text);
                wa_ent_fbid = 2: (text);
            }
        }
    }
    view! {
        PinInChatMessageView of crate::e2e_message::message::PinInChatMessage, 3;
        key = 1: (message crate::view::common::MessageKeyView);
        r#type = 2: (int32);
        sender_timestamp_ms = 3: (int64);
    }
    view! {
        PlaceholderMessageView of crate::e2e_message::message::PlaceholderMessage, 1;
        r#type = 1: (int32);
    }
    view! {
        PollAddOptionMessageView of crate::e2e_message::message::PollAddOptionMessage, 3;
        poll_creation_message_key = 1: (message crate::view::common::MessageKeyView);
        add_option = 2: (message crate::view::e2e_message::message::poll_creation_message::OptionView);
        metadata = 3: (message crate::view::e2e_message::message::PollUpdateMessageMetadataView);
    }
    view! {
        PollCreationMessageView of crate::e2e_message::message::PollCreationMessage, 11;
        enc_key = 1: (bytes);
        name = 2: (text);
        options = 3: (repeated message crate::view::e2e_message::message::poll_creation_message::OptionView);
        selectable_options_count = 4: (uint32);
        context_info = 5: (message crate::view::e2e_message::ContextInfoView);
        poll_content_type = 6: (int32);
        poll_type = 7: (int32);
        correct_answer = 8: (message crate::view::e2e_message::message::poll_creation_message::OptionView);
        end_time = 9: (int64);
        hide_participant_name = 10: (bool);
        allow_add_option = 11: (bool);
    }
    pub mod poll_creation_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            OptionView of crate::e2e_message::message::poll_creation_message::Option, 2;
            option_name = 1: (text);
            option_hash = 2: (text);
        }
    }
    view! {
        PollEncValueView of crate::e2e_message::message::PollEncValue, 2;
        enc_payload = 1: (bytes);
        enc_iv = 2: (bytes);
    }
    view! {
        PollResultSnapshotMessageView of crate::e2e_message::message::PollResultSnapshotMessage, 4;
        name = 1: (text);
        poll_votes = 2: (repeated message crate::view::e2e_message::message::poll_result_snapshot_message::PollVoteView);
        context_info = 3: (message crate::view::e2e_message::ContextInfoView);
        poll_type = 4: (int32);
    }
    pub mod poll_result_snapshot_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            PollVoteView of crate::e2e_message::message::poll_result_snapshot_message::PollVote, 2;
            option_name = 1: (text);
            option_vote_count = 2: (int64);
        }
    }
    view! {
        PollUpdateMessageView of crate::e2e_message::message::PollUpdateMessage, 4;
        poll_creation_message_key = 1: (message crate::view::common::MessageKeyView);
        vote = 2: (message crate::view::e2e_message::message::PollEncValueView);
        metadata = 3: (message crate::view::e2e_message::message::PollUpdateMessageMetadataView);
        sender_timestamp_ms = 4: (int64);
    }
    view! {
        PollUpdateMessageMetadataView of crate::e2e_message::message::PollUpdateMessageMetadata, 2;
        poll_name_hash = 1: (bytes);
        last_edit_stanza_id = 2: (text);
    }
    view! {
        ProductMessageView of crate::e2e_message::message::ProductMessage, 17;
        product = 1: (message crate::view::e2e_message::message::product_message::ProductSnapshotView);
        business_owner_jid = 2: (text);
        catalog = 4: (message crate::view::e2e_message::message::product_message::CatalogSnapshotView);
        body = 5: (text);
        footer = 6: (text);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
    }
    pub mod product_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            CatalogSnapshotView of crate::e2e_message::message::product_message::CatalogSnapshot, 3;
            catalog_image = 1: (message crate::view::e2e_message::message::ImageMessageView);
            title = 2: (text);
            description = 3: (text);
        }
        view! {
            ProductSnapshotView of crate::e2e_message::message::product_message::ProductSnapshot, 13;
            product_image = 1: (message crate::view::e2e_message::message::ImageMessageView);
            product_id = 2: (text);
            title = 3: (text);
            description = 4: (text);
            currency_code = 5: (text);
            price_amount1000 = 6: (int64);
            retailer_id = 7: (text);
            url = 8: (text);
            product_image_count = 9: (uint32);
            first_image_id = 11: (text);
            sale_price_amount1000 = 12: (int64);
            signed_url = 13: (text);
        }
    }
    view! {
        ProtocolMessageView of crate::e2e_message::message::ProtocolMessage, 33;
        key = 1: (message crate::view::common::MessageKeyView);
        r#type = 2: (int32);
        ephemeral_expiration = 4: (uint32);
        ephemeral_setting_timestamp = 5: (int64);
        history_sync_notification = 6: (message crate::view::e2e_message::message::HistorySyncNotificationView);
        app_state_sync_key_share = 7: (message crate::view::e2e_message::message::AppStateSyncKeyShareView);
        app_state_sync_key_request = 8: (message crate::view::e2e_message::message::AppStateSyncKeyRequestView);
        initial_security_notification_setting_sync = 9: (message crate::view::e2e_message::message::InitialSecurityNotificationSettingSyncView);
        app_state_fatal_exception_notification = 10: (message crate::view::e2e_message::message::AppStateFatalExceptionNotificationView);
        disappearing_mode = 11: (message crate::view::e2e_message::DisappearingModeView);
        edited_message = 14: (message crate::view::e2e_message::MessageView);
        timestamp_ms = 15: (int64);
        peer_data_operation_request_message = 16: (message crate::view::e2e_message::message::PeerDataOperationRequestMessageView);
        peer_data_operation_request_response_message = 17: (message crate::view::e2e_message::message::PeerDataOperationRequestResponseMessageView);
        bot_feedback_message = 18: (message crate::view::ai_bot::BotFeedbackMessageView);
        invoker_jid = 19: (text);
        request_welcome_message_metadata = 20: (message crate::view::e2e_message::message::RequestWelcomeMessageMetadataView);
        media_notify_message = 21: (message crate::view::e2e_message::MediaNotifyMessageView);
        cloud_api_thread_control_notification = 22: (message crate::view::e2e_message::message::CloudApiThreadControlNotificationView);
        lid_migration_mapping_sync_message = 23: (message crate::view::e2e_message::LidMigrationMappingSyncMessageView);
        limit_sharing = 24: (message crate::view::common::LimitSharingView);
        ai_psi_metadata = 25: (bytes);
        ai_query_fanout = 26: (message crate::view::e2e_message::AiQueryFanoutView);
        member_label = 27: (message crate::view::e2e_message::MemberLabelView);
        ai_media_collection_message = 28: (message crate::view::ai_bot::AiMediaCollectionMessageView);
        after_read_duration = 29: (uint32);
        chat_theme_setting = 30: (message crate::view::e2e_message::message::ChatThemeSettingView);
        ai_metadata_operation = 31: (message crate::view::ai_bot::AiMetadataOperationView);
        mark_as_verified_action = 32: (message crate::view::e2e_message::message::MarkAsVerifiedActionView);
        coex_state_sync = 33: (message crate::view::app_state::CoexStateSyncView);
    }
    view! {
        QuestionResponseMessageView of crate::e2e_message::message::QuestionResponseMessage, 2;
        key = 1: (message crate::view::common::MessageKeyView);
        text = 2: (text);
    }
    view! {
        ReactionMessageView of crate::e2e_message::message::ReactionMessage, 4;
        key = 1: (message crate::view::common::MessageKeyView);
        text = 2: (text);
        grouping_key = 3: (text);
        sender_timestamp_ms = 4: (int64);
    }
    view! {
        RequestPaymentMessageView of crate::e2e_message::message::RequestPaymentMessage, 7;
        note_message = 4: (message crate::view::e2e_message::MessageView);
        currency_code_iso4217 = 1: (text);
        amount1000 = 2: (uint64);
        request_from = 3: (text);
        expiry_timestamp = 5: (int64);
        amount = 6: (message crate::view::e2e_message::MoneyView);
        background = 7: (message crate::view::e2e_message::PaymentBackgroundView);
    }
    view! {
        RequestPhoneNumberMessageView of crate::e2e_message::message::RequestPhoneNumberMessage, 1;
        context_info = 1: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        RequestWelcomeMessageMetadataView of crate::e2e_message::message::RequestWelcomeMessageMetadata, 3;
        local_chat_state = 1: (int32);
        welcome_trigger = 2: (int32);
        bot_agent_metadata = 3: (message crate::view::ai_bot::BotAgentMetadataView);
    }
    view! {
        RootSecretDistributeMessageView of crate::e2e_message::message::RootSecretDistributeMessage, 1;
        chat_jid = 1: (text);
    }
    view! {
        ScheduledCallCreationMessageView of crate::e2e_message::message::ScheduledCallCreationMessage, 3;
        scheduled_timestamp_ms = 1: (int64);
        call_type = 2: (int32);
        title = 3: (text);
    }
    view! {
        ScheduledCallEditMessageView of crate::e2e_message::message::ScheduledCallEditMessage, 2;
        key = 1: (message crate::view::common::MessageKeyView);
        edit_type = 2: (int32);
    }
    view! {
        SecretEncryptedMessageView of crate::e2e_message::message::SecretEncryptedMessage, 5;
        target_message_key = 1: (message crate::view::common::MessageKeyView);
        enc_payload = 2: (bytes);
        enc_iv = 3: (bytes);
        secret_enc_type = 4: (int32);
        remote_key_id = 5: (text);
    }
    view! {
        SendPaymentMessageView of crate::e2e_message::message::SendPaymentMessage, 5;
        note_message = 2: (message crate::view::e2e_message::MessageView);
        request_message_key = 3: (message crate::view::common::MessageKeyView);
        background = 4: (message crate::view::e2e_message::PaymentBackgroundView);
        transaction_data = 5: (text);
    }
    view! {
        SenderKeyDistributionMessageView of crate::e2e_message::message::SenderKeyDistributionMessage, 2;
        group_id = 1: (text);
        axolotl_sender_key_distribution_message = 2: (bytes);
    }
    view! {
        SplitPaymentMessageView of crate::e2e_message::message::SplitPaymentMessage, 17;
        split_id = 1: (text);
        total_amount = 2: (message crate::view::e2e_message::MoneyView);
        description = 3: (text);
        requester_jid = 4: (text);
        participants = 5: (repeated message crate::view::e2e_message::message::SplitPaymentParticipantView);
        created_at_ms = 6: (int64);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
    }
    view! {
        SplitPaymentParticipantView of crate::e2e_message::message::SplitPaymentParticipant, 3;
        jid = 1: (text);
        amount = 2: (message crate::view::e2e_message::MoneyView);
        status = 3: (int32);
    }
    view! {
        SplitPaymentUpdateMessageView of crate::e2e_message::message::SplitPaymentUpdateMessage, 2;
        split_id = 1: (text);
        participant_jid = 2: (text);
    }
    view! {
        StatusLinkPreviewMetadataView of crate::e2e_message::message::StatusLinkPreviewMetadata, 1;
        style = 1: (int32);
    }
    view! {
        StatusNotificationMessageView of crate::e2e_message::message::StatusNotificationMessage, 3;
        response_message_key = 1: (message crate::view::common::MessageKeyView);
        original_message_key = 2: (message crate::view::common::MessageKeyView);
        r#type = 3: (int32);
    }
    view! {
        StatusQuestionAnswerMessageView of crate::e2e_message::message::StatusQuestionAnswerMessage, 2;
        key = 1: (message crate::view::common::MessageKeyView);
        text = 2: (text);
    }
    view! {
        StatusQuotedMessageView of crate::e2e_message::message::StatusQuotedMessage, 4;
        r#type = 1: (int32);
        text = 2: (text);
        thumbnail = 3: (bytes);
        original_status_id = 4: (message crate::view::common::MessageKeyView);
    }
    view! {
        StatusStickerInteractionMessageView of crate::e2e_message::message::StatusStickerInteractionMessage, 3;
        key = 1: (message crate::view::common::MessageKeyView);
        sticker_key = 2: (text);
        r#type = 3: (int32);
    }
    view! {
        StickerMessageView of crate::e2e_message::message::StickerMessage, 25;
        url = 1: (text);
        file_sha256 = 2: (bytes);
        file_enc_sha256 = 3: (bytes);
        media_key = 4: (bytes);
        mimetype = 5: (text);
        height = 6: (uint32);
        width = 7: (uint32);
        direct_path = 8: (text);
        file_length = 9: (uint64);
        media_key_timestamp = 10: (int64);
        first_frame_length = 11: (uint32);
        first_frame_sidecar = 12: (bytes);
        is_animated = 13: (bool);
        png_thumbnail = 16: (bytes);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        sticker_sent_ts = 18: (int64);
        is_avatar = 19: (bool);
        is_ai_sticker = 20: (bool);
        is_lottie = 21: (bool);
        accessibility_label = 22: (text);
        premium = 24: (int32);
        emojis = 25: (text);
        media_key_domain = 23: (int32);
    }
    view! {
        StickerPackMessageView of crate::e2e_message::message::StickerPackMessage, 22;
        sticker_pack_id = 1: (text);
        name = 2: (text);
        publisher = 3: (text);
        stickers = 4: (repeated message crate::view::e2e_message::message::sticker_pack_message::StickerView);
        file_length = 5: (uint64);
        file_sha256 = 6: (bytes);
        file_enc_sha256 = 7: (bytes);
        media_key = 8: (bytes);
        direct_path = 9: (text);
        caption = 10: (text);
        context_info = 11: (message crate::view::e2e_message::ContextInfoView);
        pack_description = 12: (text);
        media_key_timestamp = 13: (int64);
        tray_icon_file_name = 14: (text);
        thumbnail_direct_path = 15: (text);
        thumbnail_sha256 = 16: (bytes);
        thumbnail_enc_sha256 = 17: (bytes);
        thumbnail_height = 18: (uint32);
        thumbnail_width = 19: (uint32);
        image_data_hash = 20: (text);
        sticker_pack_size = 21: (uint64);
        sticker_pack_origin = 22: (int32);
    }
    pub mod sticker_pack_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            StickerView of crate::e2e_message::message::sticker_pack_message::Sticker, 7;
            file_name = 1: (text);
            is_animated = 2: (bool);
            emojis = 3: (repeated text);
            accessibility_label = 4: (text);
            is_lottie = 5: (bool);
            mimetype = 6: (text);
            premium = 7: (int32);
        }
    }
    view! {
        StickerSyncRmrMessageView of crate::e2e_message::message::StickerSyncRmrMessage, 3;
        filehash = 1: (repeated text);
        rmr_source = 2: (text);
        request_timestamp = 3: (int64);
    }
    view! {
        TemplateButtonReplyMessageView of crate::e2e_message::message::TemplateButtonReplyMessage, 5;
        selected_id = 1: (text);
        selected_display_text = 2: (text);
        context_info = 3: (message crate::view::e2e_message::ContextInfoView);
        selected_index = 4: (uint32);
        selected_carousel_card_index = 5: (uint32);
    }
    view! {
        TemplateMessageView of crate::e2e_message::message::TemplateMessage, 9;
        context_info = 3: (message crate::view::e2e_message::ContextInfoView);
        hydrated_template = 4: (message crate::view::e2e_message::message::template_message::HydratedFourRowTemplateView);
        template_id = 9: (text);
        four_row_template = 1: (one of [1, 2, 5] message crate::view::e2e_message::message::template_message::FourRowTemplateView);
        hydrated_four_row_template = 2: (one of [1, 2, 5] message crate::view::e2e_message::message::template_message::HydratedFourRowTemplateView);
        interactive_message_template = 5: (one of [1, 2, 5] message crate::view::e2e_message::message::InteractiveMessageView);
    }
    pub mod template_message {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            FourRowTemplateView of crate::e2e_message::message::template_message::FourRowTemplate, 8;
            content = 6: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
            footer = 7: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
            buttons = 8: (repeated message crate::view::e2e_message::TemplateButtonView);
            document_message = 1: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::DocumentMessageView);
            highly_structured_message = 2: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::HighlyStructuredMessageView);
            image_message = 3: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::ImageMessageView);
            video_message = 4: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::VideoMessageView);
            location_message = 5: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::LocationMessageView);
        }
        view! {
            HydratedFourRowTemplateView of crate::e2e_message::message::template_message::HydratedFourRowTemplate, 10;
            hydrated_content_text = 6: (text);
            hydrated_footer_text = 7: (text);
            hydrated_buttons = 8: (repeated message crate::view::e2e_message::HydratedTemplateButtonView);
            template_id = 9: (text);
            mask_linked_devices = 10: (bool);
            document_message = 1: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::DocumentMessageView);
            hydrated_title_text = 2: (one of [1, 2, 3, 4, 5] text);
            image_message = 3: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::ImageMessageView);
            video_message = 4: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::VideoMessageView);
            location_message = 5: (one of [1, 2, 3, 4, 5] message crate::view::e2e_message::message::LocationMessageView);
        }
    }
    view! {
        UrlMetadataView of crate::e2e_message::message::UrlMetadata, 1;
        fb_experiment_id = 1: (uint32);
    }
    view! {
        VideoEndCardView of crate::e2e_message::message::VideoEndCard, 4;
        username = 1: (text);
        caption = 2: (text);
        thumbnail_image_url = 3: (text);
        profile_picture_url = 4: (text);
    }
    view! {
        VideoMessageView of crate::e2e_message::message::VideoMessage, 32;
        url = 1: (text);
        mimetype = 2: (text);
        file_sha256 = 3: (bytes);
        file_length = 4: (uint64);
        seconds = 5: (uint32);
        media_key = 6: (bytes);
        caption = 7: (text);
        gif_playback = 8: (bool);
        height = 9: (uint32);
        width = 10: (uint32);
        file_enc_sha256 = 11: (bytes);
        interactive_annotations = 12: (repeated message crate::view::e2e_message::InteractiveAnnotationView);
        direct_path = 13: (text);
        media_key_timestamp = 14: (int64);
        jpeg_thumbnail = 16: (bytes);
        context_info = 17: (message crate::view::e2e_message::ContextInfoView);
        streaming_sidecar = 18: (bytes);
        gif_attribution = 19: (int32);
        view_once = 20: (bool);
        thumbnail_direct_path = 21: (text);
        thumbnail_sha256 = 22: (bytes);
        thumbnail_enc_sha256 = 23: (bytes);
        static_url = 24: (text);
        annotations = 25: (repeated message crate::view::e2e_message::InteractiveAnnotationView);
        accessibility_label = 26: (text);
        processed_videos = 27: (repeated message crate::view::e2e_message::ProcessedVideoView);
        external_share_full_video_duration_in_seconds = 28: (uint32);
        motion_photo_presentation_offset_ms = 29: (uint64);
        metadata_url = 30: (text);
        video_source_type = 31: (int32);
        media_key_domain = 32: (int32);
    }
}
view! {
    MessageAssociationView of crate::e2e_message::MessageAssociation, 3;
    association_type = 1: (int32);
    parent_message_key = 2: (message crate::view::common::MessageKeyView);
    message_index = 3: (int32);
}
view! {
    MessageContextInfoView of crate::e2e_message::MessageContextInfo, 19;
    device_list_metadata = 1: (message crate::view::e2e_message::DeviceListMetadataView);
    device_list_metadata_version = 2: (int32);
    message_secret = 3: (bytes);
    padding_bytes = 4: (bytes);
    message_add_on_duration_in_secs = 5: (uint32);
    bot_message_secret = 6: (bytes);
    bot_metadata = 7: (message crate::view::ai_bot::BotMetadataView);
    reporting_token_version = 8: (int32);
    message_add_on_expiry_type = 9: (int32);
    message_association = 10: (message crate::view::e2e_message::MessageAssociationView);
    capi_created_group = 11: (bool);
    support_payload = 12: (text);
    limit_sharing = 13: (message crate::view::common::LimitSharingView);
    limit_sharing_v2 = 14: (message crate::view::common::LimitSharingView);
    thread_id = 15: (repeated message crate::view::e2e_message::ThreadIdView);
    weblink_render_config = 16: (int32);
    tee_bot_metadata = 17: (bytes);
    account_encryption_attestation = 18: (message crate::view::signal_other::NonE2eeAttestationView);
    associated_primary_identity_key = 19: (bytes);
}
view! {
    MoneyView of crate::e2e_message::Money, 3;
    value = 1: (int64);
    offset = 2: (uint32);
    currency_code = 3: (text);
}
view! {
    PaymentBackgroundView of crate::e2e_message::PaymentBackground, 10;
    id = 1: (text);
    file_length = 2: (uint64);
    width = 3: (uint32);
    height = 4: (uint32);
    mimetype = 5: (text);
    placeholder_argb = 6: (fixed32);
    text_argb = 7: (fixed32);
    subtext_argb = 8: (fixed32);
    media_data = 9: (message crate::view::e2e_message::payment_background::MediaDataView);
    r#type = 10: (int32);
}
pub mod payment_background {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        MediaDataView of crate::e2e_message::payment_background::MediaData, 5;
        media_key = 1: (bytes);
        media_key_timestamp = 2: (int64);
        file_sha256 = 3: (bytes);
        file_enc_sha256 = 4: (bytes);
        direct_path = 5: (text);
    }
}
view! {
    PointView of crate::e2e_message::Point, 4;
    x_deprecated = 1: (int32);
    y_deprecated = 2: (int32);
    x = 3: (double);
    y = 4: (double);
}
view! {
    ProcessedVideoView of crate::e2e_message::ProcessedVideo, 8;
    direct_path = 1: (text);
    file_sha256 = 2: (bytes);
    height = 3: (uint32);
    width = 4: (uint32);
    file_length = 5: (uint64);
    bitrate = 6: (uint32);
    quality = 7: (int32);
    capabilities = 8: (repeated text);
}
view! {
    TapLinkActionView of crate::e2e_message::TapLinkAction, 2;
    title = 1: (text);
    tap_url = 2: (text);
}
view! {
    TemplateButtonView of crate::e2e_message::TemplateButton, 4;
    index = 4: (uint32);
    quick_reply_button = 1: (one of [1, 2, 3] message crate::view::e2e_message::template_button::QuickReplyButtonView);
    url_button = 2: (one of [1, 2, 3] message crate::view::e2e_message::template_button::UrlButtonView);
    call_button = 3: (one of [1, 2, 3] message crate::view::e2e_message::template_button::CallButtonView);
}
pub mod template_button {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        CallButtonView of crate::e2e_message::template_button::CallButton, 2;
        display_text = 1: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
        phone_number = 2: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
    }
    view! {
        QuickReplyButtonView of crate::e2e_message::template_button::QuickReplyButton, 2;
        display_text = 1: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
        id = 2: (text);
    }
    view! {
        UrlButtonView of crate::e2e_message::template_button::UrlButton, 2;
        display_text = 1: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
        url = 2: (message crate::view::e2e_message::message::HighlyStructuredMessageView);
    }
}
view! {
    ThreadIdView of crate::e2e_message::ThreadId, 2;
    thread_type = 1: (int32);
    thread_key = 2: (message crate::view::common::MessageKeyView);
}
view! {
    UrlTrackingMapView of crate::e2e_message::UrlTrackingMap, 1;
    url_tracking_map_elements = 1: (repeated message crate::view::e2e_message::url_tracking_map::UrlTrackingMapElementView);
}
pub mod url_tracking_map {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        UrlTrackingMapElementView of crate::e2e_message::url_tracking_map::UrlTrackingMapElement, 4;
        original_url = 1: (text);
        unconsented_users_url = 2: (text);
        consented_users_url = 3: (text);
        card_index = 4: (uint32);
    }
}
