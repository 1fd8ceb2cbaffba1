// Written by `cargo xtask proto` from docs/data/schema.tsv.
view! {
    AiMediaCollectionMessageView of crate::ai_bot::AiMediaCollectionMessage, 3;
    collection_id = 1: (text);
    expected_media_count = 2: (uint32);
    has_global_caption = 3: (bool);
}
view! {
    AiMediaCollectionMetadataView of crate::ai_bot::AiMediaCollectionMetadata, 2;
    collection_id = 1: (text);
    upload_order_index = 2: (uint32);
}
view! {
    AiMetadataOperationView of crate::ai_bot::AiMetadataOperation, 1;
    hatch_metadata_sync = 1: (message crate::view::ai_bot::HatchMetadataSyncView);
}
view! {
    AiProvenanceView of crate::ai_bot::AiProvenance, 2;
    c2_pa_metadata = 1: (message crate::view::ai_bot::ai_provenance::MetadataView);
    iptc_metadata = 2: (message crate::view::ai_bot::ai_provenance::MetadataView);
}
pub mod ai_provenance {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        MetadataView of crate::ai_bot::ai_provenance::Metadata, 2;
        created_with_gen_ai = 1: (bool);
        edited_with_gen_ai = 2: (bool);
    }
}
view! {
    AiRegenerateMetadataView of crate::ai_bot::AiRegenerateMetadata, 2;
    message_key = 1: (message crate::view::common::MessageKeyView);
    response_timestamp_ms = 2: (int64);
}
view! {
    AiRichResponseCodeMetadataView of crate::ai_bot::AiRichResponseCodeMetadata, 2;
    code_language = 1: (text);
    code_blocks = 2: (repeated message crate::view::ai_bot::ai_rich_response_code_metadata::AiRichResponseCodeBlockView);
}
pub mod ai_rich_response_code_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AiRichResponseCodeBlockView of crate::ai_bot::ai_rich_response_code_metadata::AiRichResponseCodeBlock, 2;
        highlight_type = 1: (int32);
        code_content = 2: (text);
    }
}
view! {
    AiRichResponseContentItemsMetadataView of crate::ai_bot::AiRichResponseContentItemsMetadata, 2;
    items_metadata = 1: (repeated message crate::view::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseContentItemMetadataView);
    content_type = 2: (int32);
}
pub mod ai_rich_response_content_items_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AiRichResponseContentItemMetadataView of crate::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseContentItemMetadata, 1;
        reel_item = 1: (one of [1] message crate::view::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseReelItemView);
    }
    view! {
        AiRichResponseReelItemView of crate::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseReelItem, 4;
        title = 1: (text);
        profile_icon_url = 2: (text);
        thumbnail_url = 3: (text);
        video_url = 4: (text);
    }
}
view! {
    AiRichResponseDynamicMetadataView of crate::ai_bot::AiRichResponseDynamicMetadata, 4;
    r#type = 1: (int32);
    version = 2: (uint64);
    url = 3: (text);
    loop_count = 4: (uint32);
}
view! {
    AiRichResponseGridImageMetadataView of crate::ai_bot::AiRichResponseGridImageMetadata, 2;
    grid_image_url = 1: (message crate::view::ai_bot::AiRichResponseImageUrlView);
    image_urls = 2: (repeated message crate::view::ai_bot::AiRichResponseImageUrlView);
}
view! {
    AiRichResponseImageUrlView of crate::ai_bot::AiRichResponseImageUrl, 3;
    image_preview_url = 1: (text);
    image_high_res_url = 2: (text);
    source_url = 3: (text);
}
view! {
    AiRichResponseInlineImageMetadataView of crate::ai_bot::AiRichResponseInlineImageMetadata, 4;
    image_url = 1: (message crate::view::ai_bot::AiRichResponseImageUrlView);
    image_text = 2: (text);
    alignment = 3: (int32);
    tap_link_url = 4: (text);
}
view! {
    AiRichResponseLatexMetadataView of crate::ai_bot::AiRichResponseLatexMetadata, 2;
    text = 1: (text);
    expressions = 2: (repeated message crate::view::ai_bot::ai_rich_response_latex_metadata::AiRichResponseLatexExpressionView);
}
pub mod ai_rich_response_latex_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AiRichResponseLatexExpressionView of crate::ai_bot::ai_rich_response_latex_metadata::AiRichResponseLatexExpression, 9;
        latex_expression = 1: (text);
        url = 2: (text);
        width = 3: (double);
        height = 4: (double);
        font_height = 5: (double);
        image_top_padding = 6: (double);
        image_leading_padding = 7: (double);
        image_bottom_padding = 8: (double);
        image_trailing_padding = 9: (double);
    }
}
view! {
    AiRichResponseMapMetadataView of crate::ai_bot::AiRichResponseMapMetadata, 6;
    center_latitude = 1: (double);
    center_longitude = 2: (double);
    latitude_delta = 3: (double);
    longitude_delta = 4: (double);
    annotations = 5: (repeated message crate::view::ai_bot::ai_rich_response_map_metadata::AiRichResponseMapAnnotationView);
    show_info_list = 6: (bool);
}
pub mod ai_rich_response_map_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AiRichResponseMapAnnotationView of crate::ai_bot::ai_rich_response_map_metadata::AiRichResponseMapAnnotation, 5;
        annotation_number = 1: (uint32);
        latitude = 2: (double);
        longitude = 3: (double);
        title = 4: (text);
        body = 5: (text);
    }
}
view! {
    AiRichResponseSubMessageView of crate::ai_bot::AiRichResponseSubMessage, 10;
    message_type = 1: (int32);
    grid_image_metadata = 2: (message crate::view::ai_bot::AiRichResponseGridImageMetadataView);
    message_text = 3: (text);
    image_metadata = 4: (message crate::view::ai_bot::AiRichResponseInlineImageMetadataView);
    code_metadata = 5: (message crate::view::ai_bot::AiRichResponseCodeMetadataView);
    table_metadata = 6: (message crate::view::ai_bot::AiRichResponseTableMetadataView);
    dynamic_metadata = 7: (message crate::view::ai_bot::AiRichResponseDynamicMetadataView);
    latex_metadata = 8: (message crate::view::ai_bot::AiRichResponseLatexMetadataView);
    map_metadata = 9: (message crate::view::ai_bot::AiRichResponseMapMetadataView);
    content_items_metadata = 10: (message crate::view::ai_bot::AiRichResponseContentItemsMetadataView);
}
view! {
    AiRichResponseTableMetadataView of crate::ai_bot::AiRichResponseTableMetadata, 2;
    rows = 1: (repeated message crate::view::ai_bot::ai_rich_response_table_metadata::AiRichResponseTableRowView);
    title = 2: (text);
}
pub mod ai_rich_response_table_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AiRichResponseTableRowView of crate::ai_bot::ai_rich_response_table_metadata::AiRichResponseTableRow, 2;
        items = 1: (repeated text);
        is_heading = 2: (bool);
    }
}
view! {
    AiRichResponseUnifiedResponseView of crate::ai_bot::AiRichResponseUnifiedResponse, 1;
    data = 1: (bytes);
}
view! {
    AiSubscriptionUpsellMetadataView of crate::ai_bot::AiSubscriptionUpsellMetadata, 1;
    request_type = 1: (int32);
}
view! {
    AiThreadInfoView of crate::ai_bot::AiThreadInfo, 2;
    server_info = 1: (message crate::view::ai_bot::ai_thread_info::AiThreadServerInfoView);
    client_info = 2: (message crate::view::ai_bot::ai_thread_info::AiThreadClientInfoView);
}
pub mod ai_thread_info {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        AiThreadClientInfoView of crate::ai_bot::ai_thread_info::AiThreadClientInfo, 2;
        r#type = 1: (int32);
        source_chat_jid = 2: (text);
    }
    view! {
        AiThreadServerInfoView of crate::ai_bot::ai_thread_info::AiThreadServerInfo, 1;
        title = 1: (text);
    }
}
view! {
    BotAgeCollectionMetadataView of crate::ai_bot::BotAgeCollectionMetadata, 3;
    age_collection_eligible = 1: (bool);
    should_trigger_age_collection_on_client = 2: (bool);
    age_collection_type = 3: (int32);
}
view! {
    BotAgentDeepLinkMetadataView of crate::ai_bot::BotAgentDeepLinkMetadata, 2;
    token = 1: (text);
    client_public_key = 2: (bytes);
}
view! {
    BotAgentMetadataView of crate::ai_bot::BotAgentMetadata, 1;
    deep_link_metadata = 1: (message crate::view::ai_bot::BotAgentDeepLinkMetadataView);
}
view! {
    BotAvatarMetadataView of crate::ai_bot::BotAvatarMetadata, 5;
    sentiment = 1: (uint32);
    behavior_graph = 2: (text);
    action = 3: (uint32);
    intensity = 4: (uint32);
    word_count = 5: (uint32);
}
view! {
    BotCapabilityMetadataView of crate::ai_bot::BotCapabilityMetadata, 1;
    capabilities = 1: (repeated int32);
}
view! {
    BotCommandMetadataView of crate::ai_bot::BotCommandMetadata, 3;
    command_name = 1: (text);
    command_description = 2: (text);
    command_prompt = 3: (text);
}
view! {
    BotDocumentMessageMetadataView of crate::ai_bot::BotDocumentMessageMetadata, 1;
    plugin_type = 1: (int32);
}
view! {
    BotFeedbackMessageView of crate::ai_bot::BotFeedbackMessage, 7;
    message_key = 1: (message crate::view::common::MessageKeyView);
    kind = 2: (int32);
    text = 3: (text);
    kind_negative = 4: (uint64);
    kind_positive = 5: (uint64);
    kind_report = 6: (int32);
    side_by_side_survey_metadata = 7: (message crate::view::ai_bot::bot_feedback_message::SideBySideSurveyMetadataView);
}
pub mod bot_feedback_message {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        SideBySideSurveyMetadataView of crate::ai_bot::bot_feedback_message::SideBySideSurveyMetadata, 9;
        selected_request_id = 1: (text);
        survey_id = 2: (uint32);
        simon_session_fbid = 3: (text);
        response_otid = 4: (text);
        response_timestamp_ms_string = 5: (text);
        is_selected_response_primary = 6: (bool);
        message_id_to_edit = 7: (text);
        analytics_data = 8: (message crate::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SideBySideSurveyAnalyticsDataView);
        meta_ai_analytics_data = 9: (message crate::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SidebySideSurveyMetaAiAnalyticsDataView);
    }
    pub mod side_by_side_survey_metadata {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            SideBySideSurveyAnalyticsDataView of crate::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SideBySideSurveyAnalyticsData, 3;
            tessa_event = 1: (text);
            tessa_session_fbid = 2: (text);
            simon_session_fbid = 3: (text);
        }
        view! {
            SidebySideSurveyMetaAiAnalyticsDataView of crate::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SidebySideSurveyMetaAiAnalyticsData, 9;
            survey_id = 1: (uint32);
            primary_response_id = 2: (text);
            test_arm_name = 3: (text);
            timestamp_ms_string = 4: (text);
            cta_impression_event = 5: (message crate::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaImpressionEventDataView);
            cta_click_event = 6: (message crate::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaClickEventDataView);
            card_impression_event = 7: (message crate::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCardImpressionEventDataView);
            response_event = 8: (message crate::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyResponseEventDataView);
            abandon_event = 9: (message crate::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyAbandonEventDataView);
        }
        pub mod sideby_side_survey_meta_ai_analytics_data {
            use super::{Check, Parts, Repeated, Shape, View, read};
            view! {
                SideBySideSurveyAbandonEventDataView of crate::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyAbandonEventData, 1;
                abandon_dwell_time_ms_string = 1: (text);
            }
            view! {
                SideBySideSurveyCtaClickEventDataView of crate::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaClickEventData, 2;
                is_survey_expired = 1: (bool);
                click_dwell_time_ms_string = 2: (text);
            }
            view! {
                SideBySideSurveyCtaImpressionEventDataView of crate::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaImpressionEventData, 1;
                is_survey_expired = 1: (bool);
            }
            view! {
                SideBySideSurveyCardImpressionEventDataView of crate::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCardImpressionEventData, 0;
            }
            view! {
                SideBySideSurveyResponseEventDataView of crate::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyResponseEventData, 2;
                response_dwell_time_ms_string = 1: (text);
                selected_response_id = 2: (text);
            }
        }
    }
}
view! {
    BotGroupMetadataView of crate::ai_bot::BotGroupMetadata, 1;
    participants_metadata = 1: (repeated message crate::view::ai_bot::BotGroupParticipantMetadataView);
}
view! {
    BotGroupParticipantMetadataView of crate::ai_bot::BotGroupParticipantMetadata, 1;
    bot_fbid = 1: (text);
}
view! {
    BotHistoryShareMetadataView of crate::ai_bot::BotHistoryShareMetadata, 1;
    participants_metadata = 1: (repeated message crate::view::ai_bot::BotGroupParticipantMetadataView);
}
view! {
    BotImagineMetadataView of crate::ai_bot::BotImagineMetadata, 2;
    imagine_type = 1: (int32);
    short_prompt = 2: (text);
}
view! {
    BotInfrastructureDiagnosticsView of crate::ai_bot::BotInfrastructureDiagnostics, 3;
    bot_backend = 1: (int32);
    tools_used = 2: (repeated text);
    is_thinking = 3: (bool);
}
view! {
    BotLinkedAccountView of crate::ai_bot::BotLinkedAccount, 1;
    r#type = 1: (int32);
}
view! {
    BotLinkedAccountsMetadataView of crate::ai_bot::BotLinkedAccountsMetadata, 3;
    accounts = 1: (repeated message crate::view::ai_bot::BotLinkedAccountView);
    ac_auth_tokens = 2: (bytes);
    ac_error_code = 3: (int32);
}
view! {
    BotMediaMetadataView of crate::ai_bot::BotMediaMetadata, 7;
    file_sha256 = 1: (text);
    media_key = 2: (text);
    file_enc_sha256 = 3: (text);
    direct_path = 4: (text);
    media_key_timestamp = 5: (int64);
    mimetype = 6: (text);
    orientation_type = 7: (int32);
}
view! {
    BotMemoryFactView of crate::ai_bot::BotMemoryFact, 2;
    fact = 1: (text);
    fact_id = 2: (text);
}
view! {
    BotMemoryMetadataView of crate::ai_bot::BotMemoryMetadata, 3;
    added_facts = 1: (repeated message crate::view::ai_bot::BotMemoryFactView);
    removed_facts = 2: (repeated message crate::view::ai_bot::BotMemoryFactView);
    disclaimer = 3: (text);
}
view! {
    BotMemuMetadataView of crate::ai_bot::BotMemuMetadata, 1;
    face_images = 1: (repeated message crate::view::ai_bot::BotMediaMetadataView);
}
view! {
    BotMessageOriginView of crate::ai_bot::BotMessageOrigin, 1;
    r#type = 1: (int32);
}
view! {
    BotMessageOriginMetadataView of crate::ai_bot::BotMessageOriginMetadata, 1;
    origins = 1: (repeated message crate::view::ai_bot::BotMessageOriginView);
}
view! {
    BotMessageSharingInfoView of crate::ai_bot::BotMessageSharingInfo, 2;
    bot_entry_point_origin = 1: (int32);
    forward_score = 2: (uint32);
}
view! {
    BotMetadataView of crate::ai_bot::BotMetadata, 999;
    persona_id = 2: (text);
    plugin_metadata = 3: (message crate::view::ai_bot::BotPluginMetadataView);
    suggested_prompt_metadata = 4: (message crate::view::ai_bot::BotSuggestedPromptMetadataView);
    invoker_jid = 5: (text);
    session_metadata = 6: (message crate::view::ai_bot::BotSessionMetadataView);
    memu_metadata = 7: (message crate::view::ai_bot::BotMemuMetadataView);
    timezone = 8: (text);
    reminder_metadata = 9: (message crate::view::ai_bot::BotReminderMetadataView);
    model_metadata = 10: (message crate::view::ai_bot::BotModelMetadataView);
    message_disclaimer_text = 11: (text);
    progress_indicator_metadata = 12: (message crate::view::ai_bot::BotProgressIndicatorMetadataView);
    capability_metadata = 13: (message crate::view::ai_bot::BotCapabilityMetadataView);
    imagine_metadata = 14: (message crate::view::ai_bot::BotImagineMetadataView);
    memory_metadata = 15: (message crate::view::ai_bot::BotMemoryMetadataView);
    rendering_metadata = 16: (message crate::view::ai_bot::BotRenderingMetadataView);
    bot_metrics_metadata = 17: (message crate::view::ai_bot::BotMetricsMetadataView);
    bot_linked_accounts_metadata = 18: (message crate::view::ai_bot::BotLinkedAccountsMetadataView);
    rich_response_sources_metadata = 19: (message crate::view::ai_bot::BotSourcesMetadataView);
    ai_conversation_context = 20: (bytes);
    bot_promotion_message_metadata = 21: (message crate::view::ai_bot::BotPromotionMessageMetadataView);
    bot_mode_selection_metadata = 22: (message crate::view::ai_bot::BotModeSelectionMetadataView);
    bot_quota_metadata = 23: (message crate::view::ai_bot::BotQuotaMetadataView);
    bot_age_collection_metadata = 24: (message crate::view::ai_bot::BotAgeCollectionMetadataView);
    conversation_starter_prompt_id = 25: (text);
    bot_response_id = 26: (text);
    verification_metadata = 27: (message crate::view::ai_bot::BotSignatureVerificationMetadataView);
    unified_response_mutation = 28: (message crate::view::ai_bot::BotUnifiedResponseMutationView);
    bot_message_origin_metadata = 29: (message crate::view::ai_bot::BotMessageOriginMetadataView);
    in_thread_survey_metadata = 30: (message crate::view::ai_bot::InThreadSurveyMetadataView);
    bot_thread_info = 31: (message crate::view::ai_bot::AiThreadInfoView);
    regenerate_metadata = 32: (message crate::view::ai_bot::AiRegenerateMetadataView);
    session_transparency_metadata = 33: (message crate::view::ai_bot::SessionTransparencyMetadataView);
    bot_document_message_metadata = 34: (message crate::view::ai_bot::BotDocumentMessageMetadataView);
    bot_group_metadata = 35: (message crate::view::ai_bot::BotGroupMetadataView);
    bot_rendering_config_metadata = 36: (message crate::view::ai_bot::BotRenderingConfigMetadataView);
    bot_infrastructure_diagnostics = 37: (message crate::view::ai_bot::BotInfrastructureDiagnosticsView);
    ai_media_collection_metadata = 38: (message crate::view::ai_bot::AiMediaCollectionMetadataView);
    command_metadata = 39: (message crate::view::ai_bot::BotCommandMetadataView);
    resolved_tool_call_metadata = 40: (message crate::view::ai_bot::BotResolvedToolCallMetadataView);
    subscription_upsell_metadata = 41: (message crate::view::ai_bot::AiSubscriptionUpsellMetadataView);
    ptt_prompt_metadata = 42: (message crate::view::ai_bot::BotPttPromptMetadataView);
    bot_history_share_metadata = 43: (message crate::view::ai_bot::BotHistoryShareMetadataView);
    internal_metadata = 999: (bytes);
    avatar_metadata = 1: (message crate::view::ai_bot::BotAvatarMetadataView);
}
view! {
    BotMetricsMetadataView of crate::ai_bot::BotMetricsMetadata, 3;
    destination_id = 1: (text);
    destination_entry_point = 2: (int32);
    thread_origin = 3: (int32);
}
view! {
    BotModeSelectionMetadataView of crate::ai_bot::BotModeSelectionMetadata, 2;
    mode = 1: (repeated int32);
    override_mode = 2: (repeated uint32);
}
view! {
    BotModelMetadataView of crate::ai_bot::BotModelMetadata, 3;
    model_type = 1: (int32);
    premium_model_status = 2: (int32);
    model_name_override = 3: (text);
}
view! {
    BotPluginMetadataView of crate::ai_bot::BotPluginMetadata, 13;
    provider = 1: (int32);
    plugin_type = 2: (int32);
    thumbnail_cdn_url = 3: (text);
    profile_photo_cdn_url = 4: (text);
    search_provider_url = 5: (text);
    reference_index = 6: (uint32);
    expected_links_count = 7: (uint32);
    search_query = 9: (text);
    parent_plugin_message_key = 10: (message crate::view::common::MessageKeyView);
    deprecated_field = 11: (int32);
    parent_plugin_type = 12: (int32);
    favicon_cdn_url = 13: (text);
}
view! {
    BotProgressIndicatorMetadataView of crate::ai_bot::BotProgressIndicatorMetadata, 3;
    progress_description = 1: (text);
    steps_metadata = 2: (repeated message crate::view::ai_bot::bot_progress_indicator_metadata::BotPlanningStepMetadataView);
    estimated_completion_time = 3: (int64);
}
pub mod bot_progress_indicator_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        BotPlanningStepMetadataView of crate::ai_bot::bot_progress_indicator_metadata::BotPlanningStepMetadata, 7;
        status_title = 1: (text);
        status_body = 2: (text);
        sources_metadata = 3: (repeated message crate::view::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourcesMetadataView);
        status = 4: (int32);
        is_reasoning = 5: (bool);
        is_enhanced_search = 6: (bool);
        sections = 7: (repeated message crate::view::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningStepSectionMetadataView);
    }
    pub mod bot_planning_step_metadata {
        use super::{Check, Parts, Repeated, Shape, View, read};
        view! {
            BotPlanningSearchSourceMetadataView of crate::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourceMetadata, 4;
            title = 1: (text);
            provider = 2: (int32);
            source_url = 3: (text);
            fav_icon_url = 4: (text);
        }
        view! {
            BotPlanningSearchSourcesMetadataView of crate::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourcesMetadata, 3;
            source_title = 1: (text);
            provider = 2: (int32);
            source_url = 3: (text);
        }
        view! {
            BotPlanningStepSectionMetadataView of crate::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningStepSectionMetadata, 3;
            section_title = 1: (text);
            section_body = 2: (text);
            sources_metadata = 3: (repeated message crate::view::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourceMetadataView);
        }
    }
}
view! {
    BotPromotionMessageMetadataView of crate::ai_bot::BotPromotionMessageMetadata, 2;
    promotion_type = 1: (int32);
    button_title = 2: (text);
}
view! {
    BotPromptSuggestionView of crate::ai_bot::BotPromptSuggestion, 2;
    prompt = 1: (text);
    prompt_id = 2: (text);
}
view! {
    BotPromptSuggestionsView of crate::ai_bot::BotPromptSuggestions, 1;
    suggestions = 1: (repeated message crate::view::ai_bot::BotPromptSuggestionView);
}
view! {
    BotPttPromptMetadataView of crate::ai_bot::BotPttPromptMetadata, 1;
    transcript = 1: (text);
}
view! {
    BotQuotaMetadataView of crate::ai_bot::BotQuotaMetadata, 1;
    bot_feature_quota_metadata = 1: (repeated message crate::view::ai_bot::bot_quota_metadata::BotFeatureQuotaMetadataView);
}
pub mod bot_quota_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        BotFeatureQuotaMetadataView of crate::ai_bot::bot_quota_metadata::BotFeatureQuotaMetadata, 3;
        feature_type = 1: (int32);
        remaining_quota = 2: (uint32);
        expiration_timestamp = 3: (uint64);
    }
}
view! {
    BotReminderMetadataView of crate::ai_bot::BotReminderMetadata, 5;
    request_message_key = 1: (message crate::view::common::MessageKeyView);
    action = 2: (int32);
    name = 3: (text);
    next_trigger_timestamp = 4: (uint64);
    frequency = 5: (int32);
}
view! {
    BotRenderingConfigMetadataView of crate::ai_bot::BotRenderingConfigMetadata, 2;
    bloks_versioning_id = 1: (text);
    pixel_density = 2: (double);
}
view! {
    BotRenderingMetadataView of crate::ai_bot::BotRenderingMetadata, 1;
    keywords = 1: (repeated message crate::view::ai_bot::bot_rendering_metadata::KeywordView);
}
pub mod bot_rendering_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        KeywordView of crate::ai_bot::bot_rendering_metadata::Keyword, 2;
        value = 1: (text);
        associated_prompts = 2: (repeated text);
    }
}
view! {
    BotResolvedToolCallMetadataView of crate::ai_bot::BotResolvedToolCallMetadata, 2;
    tool_call_id = 1: (text);
    resolution_data_serialized = 2: (text);
}
view! {
    BotSessionMetadataView of crate::ai_bot::BotSessionMetadata, 2;
    session_id = 1: (text);
    session_source = 2: (int32);
}
view! {
    BotSignatureVerificationMetadataView of crate::ai_bot::BotSignatureVerificationMetadata, 1;
    proofs = 1: (repeated message crate::view::ai_bot::BotSignatureVerificationUseCaseProofView);
}
view! {
    BotSignatureVerificationUseCaseProofView of crate::ai_bot::BotSignatureVerificationUseCaseProof, 5;
    version = 1: (int32);
    use_case = 2: (int32);
    signature = 3: (bytes);
    certificate_chain = 4: (repeated bytes);
    certificate_chain_ski = 5: (repeated message crate::view::ai_bot::bot_signature_verification_use_case_proof::CertificateSkiView);
}
pub mod bot_signature_verification_use_case_proof {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        CertificateSkiView of crate::ai_bot::bot_signature_verification_use_case_proof::CertificateSki, 2;
        use_case = 1: (int32);
        ski = 2: (bytes);
    }
}
view! {
    BotSourcesMetadataView of crate::ai_bot::BotSourcesMetadata, 1;
    sources = 1: (repeated message crate::view::ai_bot::bot_sources_metadata::BotSourceItemView);
}
pub mod bot_sources_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        BotSourceItemView of crate::ai_bot::bot_sources_metadata::BotSourceItem, 7;
        provider = 1: (int32);
        thumbnail_cdn_url = 2: (text);
        source_provider_url = 3: (text);
        source_query = 4: (text);
        favicon_cdn_url = 5: (text);
        citation_number = 6: (uint32);
        source_title = 7: (text);
    }
}
view! {
    BotSuggestedPromptMetadataView of crate::ai_bot::BotSuggestedPromptMetadata, 4;
    suggested_prompts = 1: (repeated text);
    selected_prompt_index = 2: (uint32);
    prompt_suggestions = 3: (message crate::view::ai_bot::BotPromptSuggestionsView);
    selected_prompt_id = 4: (text);
}
view! {
    BotUnifiedResponseMutationView of crate::ai_bot::BotUnifiedResponseMutation, 2;
    sbs_metadata = 1: (message crate::view::ai_bot::bot_unified_response_mutation::SideBySideMetadataView);
    media_details_metadata_list = 2: (repeated message crate::view::ai_bot::bot_unified_response_mutation::MediaDetailsMetadataView);
}
pub mod bot_unified_response_mutation {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        MediaDetailsMetadataView of crate::ai_bot::bot_unified_response_mutation::MediaDetailsMetadata, 3;
        id = 1: (text);
        high_res_media = 2: (message crate::view::ai_bot::BotMediaMetadataView);
        preview_media = 3: (message crate::view::ai_bot::BotMediaMetadataView);
    }
    view! {
        SideBySideMetadataView of crate::ai_bot::bot_unified_response_mutation::SideBySideMetadata, 2;
        primary_response_id = 1: (text);
        survey_cta_has_rendered = 2: (bool);
    }
}
view! {
    ForwardedAiBotMessageInfoView of crate::ai_bot::ForwardedAiBotMessageInfo, 3;
    bot_name = 1: (text);
    bot_jid = 2: (text);
    creator_name = 3: (text);
}
view! {
    HatchMetadataSyncView of crate::ai_bot::HatchMetadataSync, 3;
    data = 1: (bytes);
    timestamp_ms = 2: (int64);
    request_id = 3: (text);
}
view! {
    InThreadSurveyMetadataView of crate::ai_bot::InThreadSurveyMetadata, 18;
    tessa_session_id = 1: (text);
    simon_session_id = 2: (text);
    simon_survey_id = 3: (text);
    tessa_root_id = 4: (text);
    request_id = 5: (text);
    tessa_event = 6: (text);
    invitation_header_text = 7: (text);
    invitation_body_text = 8: (text);
    invitation_cta_text = 9: (text);
    invitation_cta_url = 10: (text);
    survey_title = 11: (text);
    questions = 12: (repeated message crate::view::ai_bot::in_thread_survey_metadata::InThreadSurveyQuestionView);
    survey_continue_button_text = 13: (text);
    survey_submit_button_text = 14: (text);
    privacy_statement_full = 15: (text);
    privacy_statement_parts = 16: (repeated message crate::view::ai_bot::in_thread_survey_metadata::InThreadSurveyPrivacyStatementPartView);
    feedback_toast_text = 17: (text);
    start_question_index = 18: (int32);
}
pub mod in_thread_survey_metadata {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        InThreadSurveyOptionView of crate::ai_bot::in_thread_survey_metadata::InThreadSurveyOption, 3;
        string_value = 1: (text);
        numeric_value = 2: (uint32);
        text_translated = 3: (text);
    }
    view! {
        InThreadSurveyPrivacyStatementPartView of crate::ai_bot::in_thread_survey_metadata::InThreadSurveyPrivacyStatementPart, 2;
        text = 1: (text);
        url = 2: (text);
    }
    view! {
        InThreadSurveyQuestionView of crate::ai_bot::in_thread_survey_metadata::InThreadSurveyQuestion, 3;
        question_text = 1: (text);
        question_id = 2: (text);
        question_options = 3: (repeated message crate::view::ai_bot::in_thread_survey_metadata::InThreadSurveyOptionView);
    }
}
view! {
    SessionTransparencyMetadataView of crate::ai_bot::SessionTransparencyMetadata, 3;
    disclaimer_text = 1: (text);
    hca_id = 2: (text);
    session_transparency_type = 3: (int32);
}
