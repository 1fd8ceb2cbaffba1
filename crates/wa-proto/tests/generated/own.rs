// Written by `cargo xtask proto` from docs/data/schema.tsv.
/// Makes the owned type through the accessors of its view.
pub(crate) trait Own<T> {
    fn own(&self) -> T;
}

impl Own<wa_proto::ai_bot::AiMediaCollectionMessage> for wa_proto::view::ai_bot::AiMediaCollectionMessageView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiMediaCollectionMessage {
        wa_proto::ai_bot::AiMediaCollectionMessage {
            collection_id: self.collection_id().map(|it| it.to_owned()),
            expected_media_count: self.expected_media_count(),
            has_global_caption: self.has_global_caption(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiMediaCollectionMetadata> for wa_proto::view::ai_bot::AiMediaCollectionMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiMediaCollectionMetadata {
        wa_proto::ai_bot::AiMediaCollectionMetadata {
            collection_id: self.collection_id().map(|it| it.to_owned()),
            upload_order_index: self.upload_order_index(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiMetadataOperation> for wa_proto::view::ai_bot::AiMetadataOperationView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiMetadataOperation {
        wa_proto::ai_bot::AiMetadataOperation {
            hatch_metadata_sync: self.hatch_metadata_sync().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::AiProvenance> for wa_proto::view::ai_bot::AiProvenanceView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiProvenance {
        wa_proto::ai_bot::AiProvenance {
            c2_pa_metadata: self.c2_pa_metadata().map(|it| it.own().into()),
            iptc_metadata: self.iptc_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_provenance::Metadata> for wa_proto::view::ai_bot::ai_provenance::MetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_provenance::Metadata {
        wa_proto::ai_bot::ai_provenance::Metadata {
            created_with_gen_ai: self.created_with_gen_ai(),
            edited_with_gen_ai: self.edited_with_gen_ai(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRegenerateMetadata> for wa_proto::view::ai_bot::AiRegenerateMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRegenerateMetadata {
        wa_proto::ai_bot::AiRegenerateMetadata {
            message_key: self.message_key().map(|it| it.own().into()),
            response_timestamp_ms: self.response_timestamp_ms(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseCodeMetadata> for wa_proto::view::ai_bot::AiRichResponseCodeMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseCodeMetadata {
        wa_proto::ai_bot::AiRichResponseCodeMetadata {
            code_language: self.code_language().map(|it| it.to_owned()),
            code_blocks: self.code_blocks().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_rich_response_code_metadata::AiRichResponseCodeBlock> for wa_proto::view::ai_bot::ai_rich_response_code_metadata::AiRichResponseCodeBlockView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_rich_response_code_metadata::AiRichResponseCodeBlock {
        wa_proto::ai_bot::ai_rich_response_code_metadata::AiRichResponseCodeBlock {
            highlight_type: self.highlight_type(),
            code_content: self.code_content().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseContentItemsMetadata> for wa_proto::view::ai_bot::AiRichResponseContentItemsMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseContentItemsMetadata {
        wa_proto::ai_bot::AiRichResponseContentItemsMetadata {
            items_metadata: self.items_metadata().map(|it| it.own().into()).collect(),
            content_type: self.content_type(),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseContentItemMetadata> for wa_proto::view::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseContentItemMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseContentItemMetadata {
        wa_proto::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseContentItemMetadata {
            ai_rich_response_content_item: None
                .or_else(|| self.reel_item().map(|it| wa_proto::ai_bot::ai_rich_response_content_items_metadata::ai_rich_response_content_item_metadata::AiRichResponseContentItem::ReelItem(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseReelItem> for wa_proto::view::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseReelItemView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseReelItem {
        wa_proto::ai_bot::ai_rich_response_content_items_metadata::AiRichResponseReelItem {
            title: self.title().map(|it| it.to_owned()),
            profile_icon_url: self.profile_icon_url().map(|it| it.to_owned()),
            thumbnail_url: self.thumbnail_url().map(|it| it.to_owned()),
            video_url: self.video_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseDynamicMetadata> for wa_proto::view::ai_bot::AiRichResponseDynamicMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseDynamicMetadata {
        wa_proto::ai_bot::AiRichResponseDynamicMetadata {
            r#type: self.r#type(),
            version: self.version(),
            url: self.url().map(|it| it.to_owned()),
            loop_count: self.loop_count(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseGridImageMetadata> for wa_proto::view::ai_bot::AiRichResponseGridImageMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseGridImageMetadata {
        wa_proto::ai_bot::AiRichResponseGridImageMetadata {
            grid_image_url: self.grid_image_url().map(|it| it.own().into()),
            image_urls: self.image_urls().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseImageUrl> for wa_proto::view::ai_bot::AiRichResponseImageUrlView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseImageUrl {
        wa_proto::ai_bot::AiRichResponseImageUrl {
            image_preview_url: self.image_preview_url().map(|it| it.to_owned()),
            image_high_res_url: self.image_high_res_url().map(|it| it.to_owned()),
            source_url: self.source_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseInlineImageMetadata> for wa_proto::view::ai_bot::AiRichResponseInlineImageMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseInlineImageMetadata {
        wa_proto::ai_bot::AiRichResponseInlineImageMetadata {
            image_url: self.image_url().map(|it| it.own().into()),
            image_text: self.image_text().map(|it| it.to_owned()),
            alignment: self.alignment(),
            tap_link_url: self.tap_link_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseLatexMetadata> for wa_proto::view::ai_bot::AiRichResponseLatexMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseLatexMetadata {
        wa_proto::ai_bot::AiRichResponseLatexMetadata {
            text: self.text().map(|it| it.to_owned()),
            expressions: self.expressions().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_rich_response_latex_metadata::AiRichResponseLatexExpression> for wa_proto::view::ai_bot::ai_rich_response_latex_metadata::AiRichResponseLatexExpressionView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_rich_response_latex_metadata::AiRichResponseLatexExpression {
        wa_proto::ai_bot::ai_rich_response_latex_metadata::AiRichResponseLatexExpression {
            latex_expression: self.latex_expression().map(|it| it.to_owned()),
            url: self.url().map(|it| it.to_owned()),
            width: self.width(),
            height: self.height(),
            font_height: self.font_height(),
            image_top_padding: self.image_top_padding(),
            image_leading_padding: self.image_leading_padding(),
            image_bottom_padding: self.image_bottom_padding(),
            image_trailing_padding: self.image_trailing_padding(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseMapMetadata> for wa_proto::view::ai_bot::AiRichResponseMapMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseMapMetadata {
        wa_proto::ai_bot::AiRichResponseMapMetadata {
            center_latitude: self.center_latitude(),
            center_longitude: self.center_longitude(),
            latitude_delta: self.latitude_delta(),
            longitude_delta: self.longitude_delta(),
            annotations: self.annotations().map(|it| it.own().into()).collect(),
            show_info_list: self.show_info_list(),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_rich_response_map_metadata::AiRichResponseMapAnnotation> for wa_proto::view::ai_bot::ai_rich_response_map_metadata::AiRichResponseMapAnnotationView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_rich_response_map_metadata::AiRichResponseMapAnnotation {
        wa_proto::ai_bot::ai_rich_response_map_metadata::AiRichResponseMapAnnotation {
            annotation_number: self.annotation_number(),
            latitude: self.latitude(),
            longitude: self.longitude(),
            title: self.title().map(|it| it.to_owned()),
            body: self.body().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseSubMessage> for wa_proto::view::ai_bot::AiRichResponseSubMessageView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseSubMessage {
        wa_proto::ai_bot::AiRichResponseSubMessage {
            message_type: self.message_type(),
            grid_image_metadata: self.grid_image_metadata().map(|it| it.own().into()),
            message_text: self.message_text().map(|it| it.to_owned()),
            image_metadata: self.image_metadata().map(|it| it.own().into()),
            code_metadata: self.code_metadata().map(|it| it.own().into()),
            table_metadata: self.table_metadata().map(|it| it.own().into()),
            dynamic_metadata: self.dynamic_metadata().map(|it| it.own().into()),
            latex_metadata: self.latex_metadata().map(|it| it.own().into()),
            map_metadata: self.map_metadata().map(|it| it.own().into()),
            content_items_metadata: self.content_items_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseTableMetadata> for wa_proto::view::ai_bot::AiRichResponseTableMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseTableMetadata {
        wa_proto::ai_bot::AiRichResponseTableMetadata {
            rows: self.rows().map(|it| it.own().into()).collect(),
            title: self.title().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_rich_response_table_metadata::AiRichResponseTableRow> for wa_proto::view::ai_bot::ai_rich_response_table_metadata::AiRichResponseTableRowView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_rich_response_table_metadata::AiRichResponseTableRow {
        wa_proto::ai_bot::ai_rich_response_table_metadata::AiRichResponseTableRow {
            items: self.items().map(|it| it.to_owned()).collect(),
            is_heading: self.is_heading(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiRichResponseUnifiedResponse> for wa_proto::view::ai_bot::AiRichResponseUnifiedResponseView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiRichResponseUnifiedResponse {
        wa_proto::ai_bot::AiRichResponseUnifiedResponse {
            data: self.data().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::ai_bot::AiSubscriptionUpsellMetadata> for wa_proto::view::ai_bot::AiSubscriptionUpsellMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiSubscriptionUpsellMetadata {
        wa_proto::ai_bot::AiSubscriptionUpsellMetadata {
            request_type: self.request_type(),
        }
    }
}

impl Own<wa_proto::ai_bot::AiThreadInfo> for wa_proto::view::ai_bot::AiThreadInfoView<'_> {
    fn own(&self) -> wa_proto::ai_bot::AiThreadInfo {
        wa_proto::ai_bot::AiThreadInfo {
            server_info: self.server_info().map(|it| it.own().into()),
            client_info: self.client_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_thread_info::AiThreadClientInfo> for wa_proto::view::ai_bot::ai_thread_info::AiThreadClientInfoView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_thread_info::AiThreadClientInfo {
        wa_proto::ai_bot::ai_thread_info::AiThreadClientInfo {
            r#type: self.r#type(),
            source_chat_jid: self.source_chat_jid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::ai_thread_info::AiThreadServerInfo> for wa_proto::view::ai_bot::ai_thread_info::AiThreadServerInfoView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ai_thread_info::AiThreadServerInfo {
        wa_proto::ai_bot::ai_thread_info::AiThreadServerInfo {
            title: self.title().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotAgeCollectionMetadata> for wa_proto::view::ai_bot::BotAgeCollectionMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotAgeCollectionMetadata {
        wa_proto::ai_bot::BotAgeCollectionMetadata {
            age_collection_eligible: self.age_collection_eligible(),
            should_trigger_age_collection_on_client: self.should_trigger_age_collection_on_client(),
            age_collection_type: self.age_collection_type(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotAgentDeepLinkMetadata> for wa_proto::view::ai_bot::BotAgentDeepLinkMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotAgentDeepLinkMetadata {
        wa_proto::ai_bot::BotAgentDeepLinkMetadata {
            token: self.token().map(|it| it.to_owned()),
            client_public_key: self.client_public_key().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::ai_bot::BotAgentMetadata> for wa_proto::view::ai_bot::BotAgentMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotAgentMetadata {
        wa_proto::ai_bot::BotAgentMetadata {
            deep_link_metadata: self.deep_link_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotAvatarMetadata> for wa_proto::view::ai_bot::BotAvatarMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotAvatarMetadata {
        wa_proto::ai_bot::BotAvatarMetadata {
            sentiment: self.sentiment(),
            behavior_graph: self.behavior_graph().map(|it| it.to_owned()),
            action: self.action(),
            intensity: self.intensity(),
            word_count: self.word_count(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotCapabilityMetadata> for wa_proto::view::ai_bot::BotCapabilityMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotCapabilityMetadata {
        wa_proto::ai_bot::BotCapabilityMetadata {
            capabilities: self.capabilities().collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotCommandMetadata> for wa_proto::view::ai_bot::BotCommandMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotCommandMetadata {
        wa_proto::ai_bot::BotCommandMetadata {
            command_name: self.command_name().map(|it| it.to_owned()),
            command_description: self.command_description().map(|it| it.to_owned()),
            command_prompt: self.command_prompt().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotDocumentMessageMetadata> for wa_proto::view::ai_bot::BotDocumentMessageMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotDocumentMessageMetadata {
        wa_proto::ai_bot::BotDocumentMessageMetadata {
            plugin_type: self.plugin_type(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotFeedbackMessage> for wa_proto::view::ai_bot::BotFeedbackMessageView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotFeedbackMessage {
        wa_proto::ai_bot::BotFeedbackMessage {
            message_key: self.message_key().map(|it| it.own().into()),
            kind: self.kind(),
            text: self.text().map(|it| it.to_owned()),
            kind_negative: self.kind_negative(),
            kind_positive: self.kind_positive(),
            kind_report: self.kind_report(),
            side_by_side_survey_metadata: self.side_by_side_survey_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::SideBySideSurveyMetadata> for wa_proto::view::ai_bot::bot_feedback_message::SideBySideSurveyMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::SideBySideSurveyMetadata {
        wa_proto::ai_bot::bot_feedback_message::SideBySideSurveyMetadata {
            selected_request_id: self.selected_request_id().map(|it| it.to_owned()),
            survey_id: self.survey_id(),
            simon_session_fbid: self.simon_session_fbid().map(|it| it.to_owned()),
            response_otid: self.response_otid().map(|it| it.to_owned()),
            response_timestamp_ms_string: self.response_timestamp_ms_string().map(|it| it.to_owned()),
            is_selected_response_primary: self.is_selected_response_primary(),
            message_id_to_edit: self.message_id_to_edit().map(|it| it.to_owned()),
            analytics_data: self.analytics_data().map(|it| it.own().into()),
            meta_ai_analytics_data: self.meta_ai_analytics_data().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SideBySideSurveyAnalyticsData> for wa_proto::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SideBySideSurveyAnalyticsDataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SideBySideSurveyAnalyticsData {
        wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SideBySideSurveyAnalyticsData {
            tessa_event: self.tessa_event().map(|it| it.to_owned()),
            tessa_session_fbid: self.tessa_session_fbid().map(|it| it.to_owned()),
            simon_session_fbid: self.simon_session_fbid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SidebySideSurveyMetaAiAnalyticsData> for wa_proto::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SidebySideSurveyMetaAiAnalyticsDataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SidebySideSurveyMetaAiAnalyticsData {
        wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::SidebySideSurveyMetaAiAnalyticsData {
            survey_id: self.survey_id(),
            primary_response_id: self.primary_response_id().map(|it| it.to_owned()),
            test_arm_name: self.test_arm_name().map(|it| it.to_owned()),
            timestamp_ms_string: self.timestamp_ms_string().map(|it| it.to_owned()),
            cta_impression_event: self.cta_impression_event().map(|it| it.own().into()),
            cta_click_event: self.cta_click_event().map(|it| it.own().into()),
            card_impression_event: self.card_impression_event().map(|it| it.own().into()),
            response_event: self.response_event().map(|it| it.own().into()),
            abandon_event: self.abandon_event().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyAbandonEventData> for wa_proto::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyAbandonEventDataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyAbandonEventData {
        wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyAbandonEventData {
            abandon_dwell_time_ms_string: self.abandon_dwell_time_ms_string().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaClickEventData> for wa_proto::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaClickEventDataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaClickEventData {
        wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaClickEventData {
            is_survey_expired: self.is_survey_expired(),
            click_dwell_time_ms_string: self.click_dwell_time_ms_string().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaImpressionEventData> for wa_proto::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaImpressionEventDataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaImpressionEventData {
        wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCtaImpressionEventData {
            is_survey_expired: self.is_survey_expired(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCardImpressionEventData> for wa_proto::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCardImpressionEventDataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCardImpressionEventData {
        wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyCardImpressionEventData {
        }
    }
}

impl Own<wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyResponseEventData> for wa_proto::view::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyResponseEventDataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyResponseEventData {
        wa_proto::ai_bot::bot_feedback_message::side_by_side_survey_metadata::sideby_side_survey_meta_ai_analytics_data::SideBySideSurveyResponseEventData {
            response_dwell_time_ms_string: self.response_dwell_time_ms_string().map(|it| it.to_owned()),
            selected_response_id: self.selected_response_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotGroupMetadata> for wa_proto::view::ai_bot::BotGroupMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotGroupMetadata {
        wa_proto::ai_bot::BotGroupMetadata {
            participants_metadata: self.participants_metadata().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotGroupParticipantMetadata> for wa_proto::view::ai_bot::BotGroupParticipantMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotGroupParticipantMetadata {
        wa_proto::ai_bot::BotGroupParticipantMetadata {
            bot_fbid: self.bot_fbid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotHistoryShareMetadata> for wa_proto::view::ai_bot::BotHistoryShareMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotHistoryShareMetadata {
        wa_proto::ai_bot::BotHistoryShareMetadata {
            participants_metadata: self.participants_metadata().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotImagineMetadata> for wa_proto::view::ai_bot::BotImagineMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotImagineMetadata {
        wa_proto::ai_bot::BotImagineMetadata {
            imagine_type: self.imagine_type(),
            short_prompt: self.short_prompt().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotInfrastructureDiagnostics> for wa_proto::view::ai_bot::BotInfrastructureDiagnosticsView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotInfrastructureDiagnostics {
        wa_proto::ai_bot::BotInfrastructureDiagnostics {
            bot_backend: self.bot_backend(),
            tools_used: self.tools_used().map(|it| it.to_owned()).collect(),
            is_thinking: self.is_thinking(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotLinkedAccount> for wa_proto::view::ai_bot::BotLinkedAccountView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotLinkedAccount {
        wa_proto::ai_bot::BotLinkedAccount {
            r#type: self.r#type(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotLinkedAccountsMetadata> for wa_proto::view::ai_bot::BotLinkedAccountsMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotLinkedAccountsMetadata {
        wa_proto::ai_bot::BotLinkedAccountsMetadata {
            accounts: self.accounts().map(|it| it.own().into()).collect(),
            ac_auth_tokens: self.ac_auth_tokens().map(|it| bytes::Bytes::copy_from_slice(it)),
            ac_error_code: self.ac_error_code(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMediaMetadata> for wa_proto::view::ai_bot::BotMediaMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMediaMetadata {
        wa_proto::ai_bot::BotMediaMetadata {
            file_sha256: self.file_sha256().map(|it| it.to_owned()),
            media_key: self.media_key().map(|it| it.to_owned()),
            file_enc_sha256: self.file_enc_sha256().map(|it| it.to_owned()),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            orientation_type: self.orientation_type(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMemoryFact> for wa_proto::view::ai_bot::BotMemoryFactView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMemoryFact {
        wa_proto::ai_bot::BotMemoryFact {
            fact: self.fact().map(|it| it.to_owned()),
            fact_id: self.fact_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMemoryMetadata> for wa_proto::view::ai_bot::BotMemoryMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMemoryMetadata {
        wa_proto::ai_bot::BotMemoryMetadata {
            added_facts: self.added_facts().map(|it| it.own().into()).collect(),
            removed_facts: self.removed_facts().map(|it| it.own().into()).collect(),
            disclaimer: self.disclaimer().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMemuMetadata> for wa_proto::view::ai_bot::BotMemuMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMemuMetadata {
        wa_proto::ai_bot::BotMemuMetadata {
            face_images: self.face_images().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMessageOrigin> for wa_proto::view::ai_bot::BotMessageOriginView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMessageOrigin {
        wa_proto::ai_bot::BotMessageOrigin {
            r#type: self.r#type(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMessageOriginMetadata> for wa_proto::view::ai_bot::BotMessageOriginMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMessageOriginMetadata {
        wa_proto::ai_bot::BotMessageOriginMetadata {
            origins: self.origins().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMessageSharingInfo> for wa_proto::view::ai_bot::BotMessageSharingInfoView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMessageSharingInfo {
        wa_proto::ai_bot::BotMessageSharingInfo {
            bot_entry_point_origin: self.bot_entry_point_origin(),
            forward_score: self.forward_score(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMetadata> for wa_proto::view::ai_bot::BotMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMetadata {
        wa_proto::ai_bot::BotMetadata {
            persona_id: self.persona_id().map(|it| it.to_owned()),
            plugin_metadata: self.plugin_metadata().map(|it| it.own().into()),
            suggested_prompt_metadata: self.suggested_prompt_metadata().map(|it| it.own().into()),
            invoker_jid: self.invoker_jid().map(|it| it.to_owned()),
            session_metadata: self.session_metadata().map(|it| it.own().into()),
            memu_metadata: self.memu_metadata().map(|it| it.own().into()),
            timezone: self.timezone().map(|it| it.to_owned()),
            reminder_metadata: self.reminder_metadata().map(|it| it.own().into()),
            model_metadata: self.model_metadata().map(|it| it.own().into()),
            message_disclaimer_text: self.message_disclaimer_text().map(|it| it.to_owned()),
            progress_indicator_metadata: self.progress_indicator_metadata().map(|it| it.own().into()),
            capability_metadata: self.capability_metadata().map(|it| it.own().into()),
            imagine_metadata: self.imagine_metadata().map(|it| it.own().into()),
            memory_metadata: self.memory_metadata().map(|it| it.own().into()),
            rendering_metadata: self.rendering_metadata().map(|it| it.own().into()),
            bot_metrics_metadata: self.bot_metrics_metadata().map(|it| it.own().into()),
            bot_linked_accounts_metadata: self.bot_linked_accounts_metadata().map(|it| it.own().into()),
            rich_response_sources_metadata: self.rich_response_sources_metadata().map(|it| it.own().into()),
            ai_conversation_context: self.ai_conversation_context().map(|it| bytes::Bytes::copy_from_slice(it)),
            bot_promotion_message_metadata: self.bot_promotion_message_metadata().map(|it| it.own().into()),
            bot_mode_selection_metadata: self.bot_mode_selection_metadata().map(|it| it.own().into()),
            bot_quota_metadata: self.bot_quota_metadata().map(|it| it.own().into()),
            bot_age_collection_metadata: self.bot_age_collection_metadata().map(|it| it.own().into()),
            conversation_starter_prompt_id: self.conversation_starter_prompt_id().map(|it| it.to_owned()),
            bot_response_id: self.bot_response_id().map(|it| it.to_owned()),
            verification_metadata: self.verification_metadata().map(|it| it.own().into()),
            unified_response_mutation: self.unified_response_mutation().map(|it| it.own().into()),
            bot_message_origin_metadata: self.bot_message_origin_metadata().map(|it| it.own().into()),
            in_thread_survey_metadata: self.in_thread_survey_metadata().map(|it| it.own().into()),
            bot_thread_info: self.bot_thread_info().map(|it| it.own().into()),
            regenerate_metadata: self.regenerate_metadata().map(|it| it.own().into()),
            session_transparency_metadata: self.session_transparency_metadata().map(|it| it.own().into()),
            bot_document_message_metadata: self.bot_document_message_metadata().map(|it| it.own().into()),
            bot_group_metadata: self.bot_group_metadata().map(|it| it.own().into()),
            bot_rendering_config_metadata: self.bot_rendering_config_metadata().map(|it| it.own().into()),
            bot_infrastructure_diagnostics: self.bot_infrastructure_diagnostics().map(|it| it.own().into()),
            ai_media_collection_metadata: self.ai_media_collection_metadata().map(|it| it.own().into()),
            command_metadata: self.command_metadata().map(|it| it.own().into()),
            resolved_tool_call_metadata: self.resolved_tool_call_metadata().map(|it| it.own().into()),
            subscription_upsell_metadata: self.subscription_upsell_metadata().map(|it| it.own().into()),
            ptt_prompt_metadata: self.ptt_prompt_metadata().map(|it| it.own().into()),
            bot_history_share_metadata: self.bot_history_share_metadata().map(|it| it.own().into()),
            internal_metadata: self.internal_metadata().map(|it| bytes::Bytes::copy_from_slice(it)),
            avatar_metadata: self.avatar_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotMetricsMetadata> for wa_proto::view::ai_bot::BotMetricsMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotMetricsMetadata {
        wa_proto::ai_bot::BotMetricsMetadata {
            destination_id: self.destination_id().map(|it| it.to_owned()),
            destination_entry_point: self.destination_entry_point(),
            thread_origin: self.thread_origin(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotModeSelectionMetadata> for wa_proto::view::ai_bot::BotModeSelectionMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotModeSelectionMetadata {
        wa_proto::ai_bot::BotModeSelectionMetadata {
            mode: self.mode().collect(),
            override_mode: self.override_mode().collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotModelMetadata> for wa_proto::view::ai_bot::BotModelMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotModelMetadata {
        wa_proto::ai_bot::BotModelMetadata {
            model_type: self.model_type(),
            premium_model_status: self.premium_model_status(),
            model_name_override: self.model_name_override().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotPluginMetadata> for wa_proto::view::ai_bot::BotPluginMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotPluginMetadata {
        wa_proto::ai_bot::BotPluginMetadata {
            provider: self.provider(),
            plugin_type: self.plugin_type(),
            thumbnail_cdn_url: self.thumbnail_cdn_url().map(|it| it.to_owned()),
            profile_photo_cdn_url: self.profile_photo_cdn_url().map(|it| it.to_owned()),
            search_provider_url: self.search_provider_url().map(|it| it.to_owned()),
            reference_index: self.reference_index(),
            expected_links_count: self.expected_links_count(),
            search_query: self.search_query().map(|it| it.to_owned()),
            parent_plugin_message_key: self.parent_plugin_message_key().map(|it| it.own().into()),
            deprecated_field: self.deprecated_field(),
            parent_plugin_type: self.parent_plugin_type(),
            favicon_cdn_url: self.favicon_cdn_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotProgressIndicatorMetadata> for wa_proto::view::ai_bot::BotProgressIndicatorMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotProgressIndicatorMetadata {
        wa_proto::ai_bot::BotProgressIndicatorMetadata {
            progress_description: self.progress_description().map(|it| it.to_owned()),
            steps_metadata: self.steps_metadata().map(|it| it.own().into()).collect(),
            estimated_completion_time: self.estimated_completion_time(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_progress_indicator_metadata::BotPlanningStepMetadata> for wa_proto::view::ai_bot::bot_progress_indicator_metadata::BotPlanningStepMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_progress_indicator_metadata::BotPlanningStepMetadata {
        wa_proto::ai_bot::bot_progress_indicator_metadata::BotPlanningStepMetadata {
            status_title: self.status_title().map(|it| it.to_owned()),
            status_body: self.status_body().map(|it| it.to_owned()),
            sources_metadata: self.sources_metadata().map(|it| it.own().into()).collect(),
            status: self.status(),
            is_reasoning: self.is_reasoning(),
            is_enhanced_search: self.is_enhanced_search(),
            sections: self.sections().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourceMetadata> for wa_proto::view::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourceMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourceMetadata {
        wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourceMetadata {
            title: self.title().map(|it| it.to_owned()),
            provider: self.provider(),
            source_url: self.source_url().map(|it| it.to_owned()),
            fav_icon_url: self.fav_icon_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourcesMetadata> for wa_proto::view::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourcesMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourcesMetadata {
        wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningSearchSourcesMetadata {
            source_title: self.source_title().map(|it| it.to_owned()),
            provider: self.provider(),
            source_url: self.source_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningStepSectionMetadata> for wa_proto::view::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningStepSectionMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningStepSectionMetadata {
        wa_proto::ai_bot::bot_progress_indicator_metadata::bot_planning_step_metadata::BotPlanningStepSectionMetadata {
            section_title: self.section_title().map(|it| it.to_owned()),
            section_body: self.section_body().map(|it| it.to_owned()),
            sources_metadata: self.sources_metadata().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotPromotionMessageMetadata> for wa_proto::view::ai_bot::BotPromotionMessageMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotPromotionMessageMetadata {
        wa_proto::ai_bot::BotPromotionMessageMetadata {
            promotion_type: self.promotion_type(),
            button_title: self.button_title().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotPromptSuggestion> for wa_proto::view::ai_bot::BotPromptSuggestionView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotPromptSuggestion {
        wa_proto::ai_bot::BotPromptSuggestion {
            prompt: self.prompt().map(|it| it.to_owned()),
            prompt_id: self.prompt_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotPromptSuggestions> for wa_proto::view::ai_bot::BotPromptSuggestionsView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotPromptSuggestions {
        wa_proto::ai_bot::BotPromptSuggestions {
            suggestions: self.suggestions().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotPttPromptMetadata> for wa_proto::view::ai_bot::BotPttPromptMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotPttPromptMetadata {
        wa_proto::ai_bot::BotPttPromptMetadata {
            transcript: self.transcript().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotQuotaMetadata> for wa_proto::view::ai_bot::BotQuotaMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotQuotaMetadata {
        wa_proto::ai_bot::BotQuotaMetadata {
            bot_feature_quota_metadata: self.bot_feature_quota_metadata().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_quota_metadata::BotFeatureQuotaMetadata> for wa_proto::view::ai_bot::bot_quota_metadata::BotFeatureQuotaMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_quota_metadata::BotFeatureQuotaMetadata {
        wa_proto::ai_bot::bot_quota_metadata::BotFeatureQuotaMetadata {
            feature_type: self.feature_type(),
            remaining_quota: self.remaining_quota(),
            expiration_timestamp: self.expiration_timestamp(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotReminderMetadata> for wa_proto::view::ai_bot::BotReminderMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotReminderMetadata {
        wa_proto::ai_bot::BotReminderMetadata {
            request_message_key: self.request_message_key().map(|it| it.own().into()),
            action: self.action(),
            name: self.name().map(|it| it.to_owned()),
            next_trigger_timestamp: self.next_trigger_timestamp(),
            frequency: self.frequency(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotRenderingConfigMetadata> for wa_proto::view::ai_bot::BotRenderingConfigMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotRenderingConfigMetadata {
        wa_proto::ai_bot::BotRenderingConfigMetadata {
            bloks_versioning_id: self.bloks_versioning_id().map(|it| it.to_owned()),
            pixel_density: self.pixel_density(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotRenderingMetadata> for wa_proto::view::ai_bot::BotRenderingMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotRenderingMetadata {
        wa_proto::ai_bot::BotRenderingMetadata {
            keywords: self.keywords().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_rendering_metadata::Keyword> for wa_proto::view::ai_bot::bot_rendering_metadata::KeywordView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_rendering_metadata::Keyword {
        wa_proto::ai_bot::bot_rendering_metadata::Keyword {
            value: self.value().map(|it| it.to_owned()),
            associated_prompts: self.associated_prompts().map(|it| it.to_owned()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotResolvedToolCallMetadata> for wa_proto::view::ai_bot::BotResolvedToolCallMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotResolvedToolCallMetadata {
        wa_proto::ai_bot::BotResolvedToolCallMetadata {
            tool_call_id: self.tool_call_id().map(|it| it.to_owned()),
            resolution_data_serialized: self.resolution_data_serialized().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotSessionMetadata> for wa_proto::view::ai_bot::BotSessionMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotSessionMetadata {
        wa_proto::ai_bot::BotSessionMetadata {
            session_id: self.session_id().map(|it| it.to_owned()),
            session_source: self.session_source(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotSignatureVerificationMetadata> for wa_proto::view::ai_bot::BotSignatureVerificationMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotSignatureVerificationMetadata {
        wa_proto::ai_bot::BotSignatureVerificationMetadata {
            proofs: self.proofs().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::BotSignatureVerificationUseCaseProof> for wa_proto::view::ai_bot::BotSignatureVerificationUseCaseProofView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotSignatureVerificationUseCaseProof {
        wa_proto::ai_bot::BotSignatureVerificationUseCaseProof {
            version: self.version(),
            use_case: self.use_case(),
            signature: self.signature().map(|it| bytes::Bytes::copy_from_slice(it)),
            certificate_chain: self.certificate_chain().map(|it| bytes::Bytes::copy_from_slice(it)).collect(),
            certificate_chain_ski: self.certificate_chain_ski().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_signature_verification_use_case_proof::CertificateSki> for wa_proto::view::ai_bot::bot_signature_verification_use_case_proof::CertificateSkiView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_signature_verification_use_case_proof::CertificateSki {
        wa_proto::ai_bot::bot_signature_verification_use_case_proof::CertificateSki {
            use_case: self.use_case(),
            ski: self.ski().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::ai_bot::BotSourcesMetadata> for wa_proto::view::ai_bot::BotSourcesMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotSourcesMetadata {
        wa_proto::ai_bot::BotSourcesMetadata {
            sources: self.sources().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_sources_metadata::BotSourceItem> for wa_proto::view::ai_bot::bot_sources_metadata::BotSourceItemView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_sources_metadata::BotSourceItem {
        wa_proto::ai_bot::bot_sources_metadata::BotSourceItem {
            provider: self.provider(),
            thumbnail_cdn_url: self.thumbnail_cdn_url().map(|it| it.to_owned()),
            source_provider_url: self.source_provider_url().map(|it| it.to_owned()),
            source_query: self.source_query().map(|it| it.to_owned()),
            favicon_cdn_url: self.favicon_cdn_url().map(|it| it.to_owned()),
            citation_number: self.citation_number(),
            source_title: self.source_title().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotSuggestedPromptMetadata> for wa_proto::view::ai_bot::BotSuggestedPromptMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotSuggestedPromptMetadata {
        wa_proto::ai_bot::BotSuggestedPromptMetadata {
            suggested_prompts: self.suggested_prompts().map(|it| it.to_owned()).collect(),
            selected_prompt_index: self.selected_prompt_index(),
            prompt_suggestions: self.prompt_suggestions().map(|it| it.own().into()),
            selected_prompt_id: self.selected_prompt_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::BotUnifiedResponseMutation> for wa_proto::view::ai_bot::BotUnifiedResponseMutationView<'_> {
    fn own(&self) -> wa_proto::ai_bot::BotUnifiedResponseMutation {
        wa_proto::ai_bot::BotUnifiedResponseMutation {
            sbs_metadata: self.sbs_metadata().map(|it| it.own().into()),
            media_details_metadata_list: self.media_details_metadata_list().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_unified_response_mutation::MediaDetailsMetadata> for wa_proto::view::ai_bot::bot_unified_response_mutation::MediaDetailsMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_unified_response_mutation::MediaDetailsMetadata {
        wa_proto::ai_bot::bot_unified_response_mutation::MediaDetailsMetadata {
            id: self.id().map(|it| it.to_owned()),
            high_res_media: self.high_res_media().map(|it| it.own().into()),
            preview_media: self.preview_media().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::ai_bot::bot_unified_response_mutation::SideBySideMetadata> for wa_proto::view::ai_bot::bot_unified_response_mutation::SideBySideMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::bot_unified_response_mutation::SideBySideMetadata {
        wa_proto::ai_bot::bot_unified_response_mutation::SideBySideMetadata {
            primary_response_id: self.primary_response_id().map(|it| it.to_owned()),
            survey_cta_has_rendered: self.survey_cta_has_rendered(),
        }
    }
}

impl Own<wa_proto::ai_bot::ForwardedAiBotMessageInfo> for wa_proto::view::ai_bot::ForwardedAiBotMessageInfoView<'_> {
    fn own(&self) -> wa_proto::ai_bot::ForwardedAiBotMessageInfo {
        wa_proto::ai_bot::ForwardedAiBotMessageInfo {
            bot_name: self.bot_name().map(|it| it.to_owned()),
            bot_jid: self.bot_jid().map(|it| it.to_owned()),
            creator_name: self.creator_name().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::HatchMetadataSync> for wa_proto::view::ai_bot::HatchMetadataSyncView<'_> {
    fn own(&self) -> wa_proto::ai_bot::HatchMetadataSync {
        wa_proto::ai_bot::HatchMetadataSync {
            data: self.data().map(|it| bytes::Bytes::copy_from_slice(it)),
            timestamp_ms: self.timestamp_ms(),
            request_id: self.request_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::InThreadSurveyMetadata> for wa_proto::view::ai_bot::InThreadSurveyMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::InThreadSurveyMetadata {
        wa_proto::ai_bot::InThreadSurveyMetadata {
            tessa_session_id: self.tessa_session_id().map(|it| it.to_owned()),
            simon_session_id: self.simon_session_id().map(|it| it.to_owned()),
            simon_survey_id: self.simon_survey_id().map(|it| it.to_owned()),
            tessa_root_id: self.tessa_root_id().map(|it| it.to_owned()),
            request_id: self.request_id().map(|it| it.to_owned()),
            tessa_event: self.tessa_event().map(|it| it.to_owned()),
            invitation_header_text: self.invitation_header_text().map(|it| it.to_owned()),
            invitation_body_text: self.invitation_body_text().map(|it| it.to_owned()),
            invitation_cta_text: self.invitation_cta_text().map(|it| it.to_owned()),
            invitation_cta_url: self.invitation_cta_url().map(|it| it.to_owned()),
            survey_title: self.survey_title().map(|it| it.to_owned()),
            questions: self.questions().map(|it| it.own().into()).collect(),
            survey_continue_button_text: self.survey_continue_button_text().map(|it| it.to_owned()),
            survey_submit_button_text: self.survey_submit_button_text().map(|it| it.to_owned()),
            privacy_statement_full: self.privacy_statement_full().map(|it| it.to_owned()),
            privacy_statement_parts: self.privacy_statement_parts().map(|it| it.own().into()).collect(),
            feedback_toast_text: self.feedback_toast_text().map(|it| it.to_owned()),
            start_question_index: self.start_question_index(),
        }
    }
}

impl Own<wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyOption> for wa_proto::view::ai_bot::in_thread_survey_metadata::InThreadSurveyOptionView<'_> {
    fn own(&self) -> wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyOption {
        wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyOption {
            string_value: self.string_value().map(|it| it.to_owned()),
            numeric_value: self.numeric_value(),
            text_translated: self.text_translated().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyPrivacyStatementPart> for wa_proto::view::ai_bot::in_thread_survey_metadata::InThreadSurveyPrivacyStatementPartView<'_> {
    fn own(&self) -> wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyPrivacyStatementPart {
        wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyPrivacyStatementPart {
            text: self.text().map(|it| it.to_owned()),
            url: self.url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyQuestion> for wa_proto::view::ai_bot::in_thread_survey_metadata::InThreadSurveyQuestionView<'_> {
    fn own(&self) -> wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyQuestion {
        wa_proto::ai_bot::in_thread_survey_metadata::InThreadSurveyQuestion {
            question_text: self.question_text().map(|it| it.to_owned()),
            question_id: self.question_id().map(|it| it.to_owned()),
            question_options: self.question_options().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::ai_bot::SessionTransparencyMetadata> for wa_proto::view::ai_bot::SessionTransparencyMetadataView<'_> {
    fn own(&self) -> wa_proto::ai_bot::SessionTransparencyMetadata {
        wa_proto::ai_bot::SessionTransparencyMetadata {
            disclaimer_text: self.disclaimer_text().map(|it| it.to_owned()),
            hca_id: self.hca_id().map(|it| it.to_owned()),
            session_transparency_type: self.session_transparency_type(),
        }
    }
}

impl Own<wa_proto::app_state::CoexStateSync> for wa_proto::view::app_state::CoexStateSyncView<'_> {
    fn own(&self) -> wa_proto::app_state::CoexStateSync {
        wa_proto::app_state::CoexStateSync {
            collection_mutations: self.collection_mutations().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::app_state::coex_state_sync::CollectionMutations> for wa_proto::view::app_state::coex_state_sync::CollectionMutationsView<'_> {
    fn own(&self) -> wa_proto::app_state::coex_state_sync::CollectionMutations {
        wa_proto::app_state::coex_state_sync::CollectionMutations {
            collection: self.collection().map(|it| it.to_owned()),
            mutations: self.mutations().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::app_state::coex_state_sync::Mutation> for wa_proto::view::app_state::coex_state_sync::MutationView<'_> {
    fn own(&self) -> wa_proto::app_state::coex_state_sync::Mutation {
        wa_proto::app_state::coex_state_sync::Mutation {
            index: self.index().map(|it| it.own().into()),
            value: self.value().map(|it| it.own().into()),
            dirty_version: self.dirty_version(),
            operation: self.operation(),
        }
    }
}

impl Own<wa_proto::app_state::SyncdIndex> for wa_proto::view::app_state::SyncdIndexView<'_> {
    fn own(&self) -> wa_proto::app_state::SyncdIndex {
        wa_proto::app_state::SyncdIndex {
            blob: self.blob().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::app_state::SyncdValue> for wa_proto::view::app_state::SyncdValueView<'_> {
    fn own(&self) -> wa_proto::app_state::SyncdValue {
        wa_proto::app_state::SyncdValue {
            blob: self.blob().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::common::LimitSharing> for wa_proto::view::common::LimitSharingView<'_> {
    fn own(&self) -> wa_proto::common::LimitSharing {
        wa_proto::common::LimitSharing {
            sharing_limited: self.sharing_limited(),
            trigger: self.trigger(),
            limit_sharing_setting_timestamp: self.limit_sharing_setting_timestamp(),
            initiated_by_me: self.initiated_by_me(),
        }
    }
}

impl Own<wa_proto::common::MessageKey> for wa_proto::view::common::MessageKeyView<'_> {
    fn own(&self) -> wa_proto::common::MessageKey {
        wa_proto::common::MessageKey {
            remote_jid: self.remote_jid().map(|it| it.to_owned()),
            from_me: self.from_me(),
            id: self.id().map(|it| it.to_owned()),
            participant: self.participant().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::companion_reg::device_props::HistorySyncConfig> for wa_proto::view::companion_reg::device_props::HistorySyncConfigView<'_> {
    fn own(&self) -> wa_proto::companion_reg::device_props::HistorySyncConfig {
        wa_proto::companion_reg::device_props::HistorySyncConfig {
            full_sync_days_limit: self.full_sync_days_limit(),
            full_sync_size_mb_limit: self.full_sync_size_mb_limit(),
            storage_quota_mb: self.storage_quota_mb(),
            inline_initial_payload_in_e2_ee_msg: self.inline_initial_payload_in_e2_ee_msg(),
            recent_sync_days_limit: self.recent_sync_days_limit(),
            support_call_log_history: self.support_call_log_history(),
            support_bot_user_agent_chat_history: self.support_bot_user_agent_chat_history(),
            support_cag_reactions_and_polls: self.support_cag_reactions_and_polls(),
            support_biz_hosted_msg: self.support_biz_hosted_msg(),
            support_recent_sync_chunk_message_count_tuning: self.support_recent_sync_chunk_message_count_tuning(),
            support_hosted_group_msg: self.support_hosted_group_msg(),
            support_fbid_bot_chat_history: self.support_fbid_bot_chat_history(),
            support_add_on_history_sync_migration: self.support_add_on_history_sync_migration(),
            support_message_association: self.support_message_association(),
            support_group_history: self.support_group_history(),
            on_demand_ready: self.on_demand_ready(),
            support_guest_chat: self.support_guest_chat(),
            complete_on_demand_ready: self.complete_on_demand_ready(),
            thumbnail_sync_days_limit: self.thumbnail_sync_days_limit(),
            initial_sync_max_messages_per_chat: self.initial_sync_max_messages_per_chat(),
            support_manus_history: self.support_manus_history(),
            support_hatch_history: self.support_hatch_history(),
            supported_bot_channel_fbids: self.supported_bot_channel_fbids().map(|it| it.to_owned()).collect(),
            support_inline_contacts: self.support_inline_contacts(),
            support_newsletter: self.support_newsletter(),
        }
    }
}

impl Own<wa_proto::e2e_message::AiQueryFanout> for wa_proto::view::e2e_message::AiQueryFanoutView<'_> {
    fn own(&self) -> wa_proto::e2e_message::AiQueryFanout {
        wa_proto::e2e_message::AiQueryFanout {
            message_key: self.message_key().map(|it| it.own().into()),
            message: self.message().map(|it| it.own().into()),
            timestamp: self.timestamp(),
        }
    }
}

impl Own<wa_proto::e2e_message::AiRichResponseMessage> for wa_proto::view::e2e_message::AiRichResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::AiRichResponseMessage {
        wa_proto::e2e_message::AiRichResponseMessage {
            message_type: self.message_type(),
            submessages: self.submessages().map(|it| it.own().into()).collect(),
            unified_response: self.unified_response().map(|it| it.own().into()),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::ActionLink> for wa_proto::view::e2e_message::ActionLinkView<'_> {
    fn own(&self) -> wa_proto::e2e_message::ActionLink {
        wa_proto::e2e_message::ActionLink {
            url: self.url().map(|it| it.to_owned()),
            button_title: self.button_title().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::ContextInfo> for wa_proto::view::e2e_message::ContextInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::ContextInfo {
        wa_proto::e2e_message::ContextInfo {
            stanza_id: self.stanza_id().map(|it| it.to_owned()),
            participant: self.participant().map(|it| it.to_owned()),
            quoted_message: self.quoted_message().map(|it| it.own().into()),
            remote_jid: self.remote_jid().map(|it| it.to_owned()),
            mentioned_jid: self.mentioned_jid().map(|it| it.to_owned()).collect(),
            conversion_source: self.conversion_source().map(|it| it.to_owned()),
            conversion_data: self.conversion_data().map(|it| bytes::Bytes::copy_from_slice(it)),
            conversion_delay_seconds: self.conversion_delay_seconds(),
            forwarding_score: self.forwarding_score(),
            is_forwarded: self.is_forwarded(),
            quoted_ad: self.quoted_ad().map(|it| it.own().into()),
            placeholder_key: self.placeholder_key().map(|it| it.own().into()),
            expiration: self.expiration(),
            ephemeral_setting_timestamp: self.ephemeral_setting_timestamp(),
            ephemeral_shared_secret: self.ephemeral_shared_secret().map(|it| bytes::Bytes::copy_from_slice(it)),
            external_ad_reply: self.external_ad_reply().map(|it| it.own().into()),
            entry_point_conversion_source: self.entry_point_conversion_source().map(|it| it.to_owned()),
            entry_point_conversion_app: self.entry_point_conversion_app().map(|it| it.to_owned()),
            entry_point_conversion_delay_seconds: self.entry_point_conversion_delay_seconds(),
            disappearing_mode: self.disappearing_mode().map(|it| it.own().into()),
            action_link: self.action_link().map(|it| it.own().into()),
            group_subject: self.group_subject().map(|it| it.to_owned()),
            parent_group_jid: self.parent_group_jid().map(|it| it.to_owned()),
            trust_banner_type: self.trust_banner_type().map(|it| it.to_owned()),
            trust_banner_action: self.trust_banner_action(),
            is_sampled: self.is_sampled(),
            group_mentions: self.group_mentions().map(|it| it.own().into()).collect(),
            utm: self.utm().map(|it| it.own().into()),
            forwarded_newsletter_message_info: self.forwarded_newsletter_message_info().map(|it| it.own().into()),
            business_message_forward_info: self.business_message_forward_info().map(|it| it.own().into()),
            smb_client_campaign_id: self.smb_client_campaign_id().map(|it| it.to_owned()),
            smb_server_campaign_id: self.smb_server_campaign_id().map(|it| it.to_owned()),
            data_sharing_context: self.data_sharing_context().map(|it| it.own().into()),
            always_show_ad_attribution: self.always_show_ad_attribution(),
            feature_eligibilities: self.feature_eligibilities().map(|it| it.own().into()),
            entry_point_conversion_external_source: self.entry_point_conversion_external_source().map(|it| it.to_owned()),
            entry_point_conversion_external_medium: self.entry_point_conversion_external_medium().map(|it| it.to_owned()),
            ctwa_signals: self.ctwa_signals().map(|it| it.to_owned()),
            ctwa_payload: self.ctwa_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            forwarded_ai_bot_message_info: self.forwarded_ai_bot_message_info().map(|it| it.own().into()),
            status_attribution_type: self.status_attribution_type(),
            url_tracking_map: self.url_tracking_map().map(|it| it.own().into()),
            paired_media_type: self.paired_media_type(),
            ranking_version: self.ranking_version(),
            member_label: self.member_label().map(|it| it.own().into()),
            is_question: self.is_question(),
            status_source_type: self.status_source_type(),
            status_attributions: self.status_attributions().map(|it| it.own().into()).collect(),
            is_group_status: self.is_group_status(),
            forward_origin: self.forward_origin(),
            question_reply_quoted_message: self.question_reply_quoted_message().map(|it| it.own().into()),
            status_audience_metadata: self.status_audience_metadata().map(|it| it.own().into()),
            non_jid_mentions: self.non_jid_mentions(),
            quoted_type: self.quoted_type(),
            bot_message_sharing_info: self.bot_message_sharing_info().map(|it| it.own().into()),
            is_spoiler: self.is_spoiler(),
            media_domain_info: self.media_domain_info().map(|it| it.own().into()),
            partially_selected_content: self.partially_selected_content().map(|it| it.own().into()),
            after_read_duration: self.after_read_duration(),
            cross_app_source: self.cross_app_source(),
            business_interaction_pills: self.business_interaction_pills().map(|it| it.own().into()),
            poster_status_id: self.poster_status_id().map(|it| it.to_owned()),
            instagram_thread_link: self.instagram_thread_link().map(|it| it.own().into()),
            ai_provenance: self.ai_provenance().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::AdReplyInfo> for wa_proto::view::e2e_message::context_info::AdReplyInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::AdReplyInfo {
        wa_proto::e2e_message::context_info::AdReplyInfo {
            advertiser_name: self.advertiser_name().map(|it| it.to_owned()),
            media_type: self.media_type(),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            caption: self.caption().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::BusinessInteractionPills> for wa_proto::view::e2e_message::context_info::BusinessInteractionPillsView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::BusinessInteractionPills {
        wa_proto::e2e_message::context_info::BusinessInteractionPills {
            business_jid: self.business_jid().map(|it| it.to_owned()),
            pills: self.pills().map(|it| it.own().into()).collect(),
            entry_point: self.entry_point(),
            signed_payload: self.signed_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            signature_envelope: self.signature_envelope().map(|it| it.own().into()),
            unauthenticated_business_metadata: self.unauthenticated_business_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::business_interaction_pills::Pill> for wa_proto::view::e2e_message::context_info::business_interaction_pills::PillView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::business_interaction_pills::Pill {
        wa_proto::e2e_message::context_info::business_interaction_pills::Pill {
            pill_type: self.pill_type(),
            action_url: self.action_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::business_interaction_pills::UnauthenticatedBusinessMetadata> for wa_proto::view::e2e_message::context_info::business_interaction_pills::UnauthenticatedBusinessMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::business_interaction_pills::UnauthenticatedBusinessMetadata {
        wa_proto::e2e_message::context_info::business_interaction_pills::UnauthenticatedBusinessMetadata {
            business_name: self.business_name().map(|it| it.to_owned()),
            business_category: self.business_category().map(|it| it.to_owned()),
            business_is_open: self.business_is_open(),
            business_is_open_snapshot_ms: self.business_is_open_snapshot_ms(),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::BusinessMessageForwardInfo> for wa_proto::view::e2e_message::context_info::BusinessMessageForwardInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::BusinessMessageForwardInfo {
        wa_proto::e2e_message::context_info::BusinessMessageForwardInfo {
            business_owner_jid: self.business_owner_jid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::DataSharingContext> for wa_proto::view::e2e_message::context_info::DataSharingContextView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::DataSharingContext {
        wa_proto::e2e_message::context_info::DataSharingContext {
            show_mm_disclosure: self.show_mm_disclosure(),
            encrypted_signal_token_consented: self.encrypted_signal_token_consented().map(|it| it.to_owned()),
            parameters: self.parameters().map(|it| it.own().into()).collect(),
            data_sharing_flags: self.data_sharing_flags(),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::data_sharing_context::Parameters> for wa_proto::view::e2e_message::context_info::data_sharing_context::ParametersView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::data_sharing_context::Parameters {
        wa_proto::e2e_message::context_info::data_sharing_context::Parameters {
            key: self.key().map(|it| it.to_owned()),
            string_data: self.string_data().map(|it| it.to_owned()),
            int_data: self.int_data(),
            float_data: self.float_data(),
            contents: self.contents().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::ExternalAdReplyInfo> for wa_proto::view::e2e_message::context_info::ExternalAdReplyInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::ExternalAdReplyInfo {
        wa_proto::e2e_message::context_info::ExternalAdReplyInfo {
            title: self.title().map(|it| it.to_owned()),
            body: self.body().map(|it| it.to_owned()),
            media_type: self.media_type(),
            thumbnail_url: self.thumbnail_url().map(|it| it.to_owned()),
            media_url: self.media_url().map(|it| it.to_owned()),
            thumbnail: self.thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            source_type: self.source_type().map(|it| it.to_owned()),
            source_id: self.source_id().map(|it| it.to_owned()),
            source_url: self.source_url().map(|it| it.to_owned()),
            contains_auto_reply: self.contains_auto_reply(),
            render_larger_thumbnail: self.render_larger_thumbnail(),
            show_ad_attribution: self.show_ad_attribution(),
            ctwa_clid: self.ctwa_clid().map(|it| it.to_owned()),
            r#ref: self.r#ref().map(|it| it.to_owned()),
            click_to_whatsapp_call: self.click_to_whatsapp_call(),
            ad_context_preview_dismissed: self.ad_context_preview_dismissed(),
            source_app: self.source_app().map(|it| it.to_owned()),
            automated_greeting_message_shown: self.automated_greeting_message_shown(),
            greeting_message_body: self.greeting_message_body().map(|it| it.to_owned()),
            cta_payload: self.cta_payload().map(|it| it.to_owned()),
            disable_nudge: self.disable_nudge(),
            original_image_url: self.original_image_url().map(|it| it.to_owned()),
            automated_greeting_message_cta_type: self.automated_greeting_message_cta_type().map(|it| it.to_owned()),
            wtwa_ad_format: self.wtwa_ad_format(),
            ad_type: self.ad_type(),
            wtwa_website_url: self.wtwa_website_url().map(|it| it.to_owned()),
            ad_preview_url: self.ad_preview_url().map(|it| it.to_owned()),
            contains_ctwa_flows_auto_reply: self.contains_ctwa_flows_auto_reply(),
            agm_thumbnail_strategy: self.agm_thumbnail_strategy(),
            agm_title_strategy: self.agm_title_strategy(),
            agm_subtitle_strategy: self.agm_subtitle_strategy(),
            agm_header_interaction_strategy: self.agm_header_interaction_strategy(),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::FeatureEligibilities> for wa_proto::view::e2e_message::context_info::FeatureEligibilitiesView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::FeatureEligibilities {
        wa_proto::e2e_message::context_info::FeatureEligibilities {
            cannot_be_reacted_to: self.cannot_be_reacted_to(),
            cannot_be_ranked: self.cannot_be_ranked(),
            can_request_feedback: self.can_request_feedback(),
            can_be_reshared: self.can_be_reshared(),
            can_receive_multi_react: self.can_receive_multi_react(),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::ForwardedNewsletterMessageInfo> for wa_proto::view::e2e_message::context_info::ForwardedNewsletterMessageInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::ForwardedNewsletterMessageInfo {
        wa_proto::e2e_message::context_info::ForwardedNewsletterMessageInfo {
            newsletter_jid: self.newsletter_jid().map(|it| it.to_owned()),
            server_message_id: self.server_message_id(),
            newsletter_name: self.newsletter_name().map(|it| it.to_owned()),
            content_type: self.content_type(),
            accessibility_text: self.accessibility_text().map(|it| it.to_owned()),
            profile_name: self.profile_name().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::InstagramThreadLink> for wa_proto::view::e2e_message::context_info::InstagramThreadLinkView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::InstagramThreadLink {
        wa_proto::e2e_message::context_info::InstagramThreadLink {
            url: self.url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::PartiallySelectedContent> for wa_proto::view::e2e_message::context_info::PartiallySelectedContentView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::PartiallySelectedContent {
        wa_proto::e2e_message::context_info::PartiallySelectedContent {
            text: self.text().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::QuestionReplyQuotedMessage> for wa_proto::view::e2e_message::context_info::QuestionReplyQuotedMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::QuestionReplyQuotedMessage {
        wa_proto::e2e_message::context_info::QuestionReplyQuotedMessage {
            server_question_id: self.server_question_id(),
            quoted_question: self.quoted_question().map(|it| it.own().into()),
            quoted_response: self.quoted_response().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::StatusAudienceMetadata> for wa_proto::view::e2e_message::context_info::StatusAudienceMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::StatusAudienceMetadata {
        wa_proto::e2e_message::context_info::StatusAudienceMetadata {
            audience_type: self.audience_type(),
            list_name: self.list_name().map(|it| it.to_owned()),
            list_emoji: self.list_emoji().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::context_info::UtmInfo> for wa_proto::view::e2e_message::context_info::UtmInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::context_info::UtmInfo {
        wa_proto::e2e_message::context_info::UtmInfo {
            utm_source: self.utm_source().map(|it| it.to_owned()),
            utm_campaign: self.utm_campaign().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::DeviceListMetadata> for wa_proto::view::e2e_message::DeviceListMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::DeviceListMetadata {
        wa_proto::e2e_message::DeviceListMetadata {
            sender_key_hash: self.sender_key_hash().map(|it| bytes::Bytes::copy_from_slice(it)),
            sender_timestamp: self.sender_timestamp(),
            sender_key_indexes: self.sender_key_indexes().collect(),
            sender_account_type: self.sender_account_type(),
            receiver_account_type: self.receiver_account_type(),
            recipient_key_hash: self.recipient_key_hash().map(|it| bytes::Bytes::copy_from_slice(it)),
            recipient_timestamp: self.recipient_timestamp(),
            recipient_key_indexes: self.recipient_key_indexes().collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::DisappearingMode> for wa_proto::view::e2e_message::DisappearingModeView<'_> {
    fn own(&self) -> wa_proto::e2e_message::DisappearingMode {
        wa_proto::e2e_message::DisappearingMode {
            initiator: self.initiator(),
            trigger: self.trigger(),
            initiator_device_jid: self.initiator_device_jid().map(|it| it.to_owned()),
            initiated_by_me: self.initiated_by_me(),
        }
    }
}

impl Own<wa_proto::e2e_message::EmbeddedContent> for wa_proto::view::e2e_message::EmbeddedContentView<'_> {
    fn own(&self) -> wa_proto::e2e_message::EmbeddedContent {
        wa_proto::e2e_message::EmbeddedContent {
            content: None
                .or_else(|| self.embedded_message().map(|it| wa_proto::e2e_message::embedded_content::Content::EmbeddedMessage(it.own().into())))
                .or_else(|| self.embedded_music().map(|it| wa_proto::e2e_message::embedded_content::Content::EmbeddedMusic(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::EmbeddedMessage> for wa_proto::view::e2e_message::EmbeddedMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::EmbeddedMessage {
        wa_proto::e2e_message::EmbeddedMessage {
            stanza_id: self.stanza_id().map(|it| it.to_owned()),
            message: self.message().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::EmbeddedMusic> for wa_proto::view::e2e_message::EmbeddedMusicView<'_> {
    fn own(&self) -> wa_proto::e2e_message::EmbeddedMusic {
        wa_proto::e2e_message::EmbeddedMusic {
            music_content_media_id: self.music_content_media_id().map(|it| it.to_owned()),
            song_id: self.song_id().map(|it| it.to_owned()),
            author: self.author().map(|it| it.to_owned()),
            title: self.title().map(|it| it.to_owned()),
            artwork_direct_path: self.artwork_direct_path().map(|it| it.to_owned()),
            artwork_sha256: self.artwork_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            artwork_enc_sha256: self.artwork_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            artist_attribution: self.artist_attribution().map(|it| it.to_owned()),
            country_blocklist: self.country_blocklist().map(|it| bytes::Bytes::copy_from_slice(it)),
            is_explicit: self.is_explicit(),
            artwork_media_key: self.artwork_media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            music_song_start_time_in_ms: self.music_song_start_time_in_ms(),
            derived_content_start_time_in_ms: self.derived_content_start_time_in_ms(),
            overlap_duration_in_ms: self.overlap_duration_in_ms(),
        }
    }
}

impl Own<wa_proto::e2e_message::GroupMention> for wa_proto::view::e2e_message::GroupMentionView<'_> {
    fn own(&self) -> wa_proto::e2e_message::GroupMention {
        wa_proto::e2e_message::GroupMention {
            group_jid: self.group_jid().map(|it| it.to_owned()),
            group_subject: self.group_subject().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::GroupRootKeyShare> for wa_proto::view::e2e_message::GroupRootKeyShareView<'_> {
    fn own(&self) -> wa_proto::e2e_message::GroupRootKeyShare {
        wa_proto::e2e_message::GroupRootKeyShare {
            keys: self.keys().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::GroupRootKeyShareEntry> for wa_proto::view::e2e_message::GroupRootKeyShareEntryView<'_> {
    fn own(&self) -> wa_proto::e2e_message::GroupRootKeyShareEntry {
        wa_proto::e2e_message::GroupRootKeyShareEntry {
            group_root_key: self.group_root_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            key_id: self.key_id().map(|it| it.to_owned()),
            expiry_timestamp_ms: self.expiry_timestamp_ms(),
            created_timestamp_ms: self.created_timestamp_ms(),
        }
    }
}

impl Own<wa_proto::e2e_message::HydratedTemplateButton> for wa_proto::view::e2e_message::HydratedTemplateButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::HydratedTemplateButton {
        wa_proto::e2e_message::HydratedTemplateButton {
            index: self.index(),
            hydrated_button: None
                .or_else(|| self.quick_reply_button().map(|it| wa_proto::e2e_message::hydrated_template_button::HydratedButton::QuickReplyButton(it.own().into())))
                .or_else(|| self.url_button().map(|it| wa_proto::e2e_message::hydrated_template_button::HydratedButton::UrlButton(it.own().into())))
                .or_else(|| self.call_button().map(|it| wa_proto::e2e_message::hydrated_template_button::HydratedButton::CallButton(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::hydrated_template_button::HydratedCallButton> for wa_proto::view::e2e_message::hydrated_template_button::HydratedCallButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::hydrated_template_button::HydratedCallButton {
        wa_proto::e2e_message::hydrated_template_button::HydratedCallButton {
            display_text: self.display_text().map(|it| it.to_owned()),
            phone_number: self.phone_number().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::hydrated_template_button::HydratedQuickReplyButton> for wa_proto::view::e2e_message::hydrated_template_button::HydratedQuickReplyButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::hydrated_template_button::HydratedQuickReplyButton {
        wa_proto::e2e_message::hydrated_template_button::HydratedQuickReplyButton {
            display_text: self.display_text().map(|it| it.to_owned()),
            id: self.id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::hydrated_template_button::HydratedUrlButton> for wa_proto::view::e2e_message::hydrated_template_button::HydratedUrlButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::hydrated_template_button::HydratedUrlButton {
        wa_proto::e2e_message::hydrated_template_button::HydratedUrlButton {
            display_text: self.display_text().map(|it| it.to_owned()),
            url: self.url().map(|it| it.to_owned()),
            consented_users_url: self.consented_users_url().map(|it| it.to_owned()),
            webview_presentation: self.webview_presentation(),
        }
    }
}

impl Own<wa_proto::e2e_message::InteractiveAnnotation> for wa_proto::view::e2e_message::InteractiveAnnotationView<'_> {
    fn own(&self) -> wa_proto::e2e_message::InteractiveAnnotation {
        wa_proto::e2e_message::InteractiveAnnotation {
            polygon_vertices: self.polygon_vertices().map(|it| it.own().into()).collect(),
            should_skip_confirmation: self.should_skip_confirmation(),
            embedded_content: self.embedded_content().map(|it| it.own().into()),
            status_link_type: self.status_link_type(),
            action: None
                .or_else(|| self.location().map(|it| wa_proto::e2e_message::interactive_annotation::Action::Location(it.own().into())))
                .or_else(|| self.newsletter().map(|it| wa_proto::e2e_message::interactive_annotation::Action::Newsletter(it.own().into())))
                .or_else(|| self.embedded_action().map(|it| wa_proto::e2e_message::interactive_annotation::Action::EmbeddedAction(it)))
                .or_else(|| self.tap_action().map(|it| wa_proto::e2e_message::interactive_annotation::Action::TapAction(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::LidMigrationMappingSyncMessage> for wa_proto::view::e2e_message::LidMigrationMappingSyncMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::LidMigrationMappingSyncMessage {
        wa_proto::e2e_message::LidMigrationMappingSyncMessage {
            encoded_mapping_payload: self.encoded_mapping_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::Location> for wa_proto::view::e2e_message::LocationView<'_> {
    fn own(&self) -> wa_proto::e2e_message::Location {
        wa_proto::e2e_message::Location {
            degrees_latitude: self.degrees_latitude(),
            degrees_longitude: self.degrees_longitude(),
            name: self.name().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::MediaDomainInfo> for wa_proto::view::e2e_message::MediaDomainInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::MediaDomainInfo {
        wa_proto::e2e_message::MediaDomainInfo {
            media_key_domain: self.media_key_domain(),
            e2_ee_media_key: self.e2_ee_media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::MediaNotifyMessage> for wa_proto::view::e2e_message::MediaNotifyMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::MediaNotifyMessage {
        wa_proto::e2e_message::MediaNotifyMessage {
            express_path_url: self.express_path_url().map(|it| it.to_owned()),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_length: self.file_length(),
        }
    }
}

impl Own<wa_proto::e2e_message::MemberLabel> for wa_proto::view::e2e_message::MemberLabelView<'_> {
    fn own(&self) -> wa_proto::e2e_message::MemberLabel {
        wa_proto::e2e_message::MemberLabel {
            label: self.label().map(|it| it.to_owned()),
            label_timestamp: self.label_timestamp(),
        }
    }
}

impl Own<wa_proto::e2e_message::Message> for wa_proto::view::e2e_message::MessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::Message {
        wa_proto::e2e_message::Message {
            conversation: self.conversation().map(|it| it.to_owned()),
            sender_key_distribution_message: self.sender_key_distribution_message().map(|it| it.own().into()),
            image_message: self.image_message().map(|it| it.own().into()),
            contact_message: self.contact_message().map(|it| it.own().into()),
            location_message: self.location_message().map(|it| it.own().into()),
            extended_text_message: self.extended_text_message().map(|it| it.own().into()),
            document_message: self.document_message().map(|it| it.own().into()),
            audio_message: self.audio_message().map(|it| it.own().into()),
            video_message: self.video_message().map(|it| it.own().into()),
            call: self.call().map(|it| it.own().into()),
            chat: self.chat().map(|it| it.own().into()),
            protocol_message: self.protocol_message().map(|it| it.own().into()),
            contacts_array_message: self.contacts_array_message().map(|it| it.own().into()),
            highly_structured_message: self.highly_structured_message().map(|it| it.own().into()),
            fast_ratchet_key_sender_key_distribution_message: self.fast_ratchet_key_sender_key_distribution_message().map(|it| it.own().into()),
            send_payment_message: self.send_payment_message().map(|it| it.own().into()),
            live_location_message: self.live_location_message().map(|it| it.own().into()),
            request_payment_message: self.request_payment_message().map(|it| it.own().into()),
            decline_payment_request_message: self.decline_payment_request_message().map(|it| it.own().into()),
            cancel_payment_request_message: self.cancel_payment_request_message().map(|it| it.own().into()),
            template_message: self.template_message().map(|it| it.own().into()),
            sticker_message: self.sticker_message().map(|it| it.own().into()),
            group_invite_message: self.group_invite_message().map(|it| it.own().into()),
            template_button_reply_message: self.template_button_reply_message().map(|it| it.own().into()),
            product_message: self.product_message().map(|it| it.own().into()),
            device_sent_message: self.device_sent_message().map(|it| it.own().into()),
            message_context_info: self.message_context_info().map(|it| it.own().into()),
            list_message: self.list_message().map(|it| it.own().into()),
            view_once_message: self.view_once_message().map(|it| it.own().into()),
            order_message: self.order_message().map(|it| it.own().into()),
            list_response_message: self.list_response_message().map(|it| it.own().into()),
            ephemeral_message: self.ephemeral_message().map(|it| it.own().into()),
            invoice_message: self.invoice_message().map(|it| it.own().into()),
            buttons_message: self.buttons_message().map(|it| it.own().into()),
            buttons_response_message: self.buttons_response_message().map(|it| it.own().into()),
            payment_invite_message: self.payment_invite_message().map(|it| it.own().into()),
            interactive_message: self.interactive_message().map(|it| it.own().into()),
            reaction_message: self.reaction_message().map(|it| it.own().into()),
            sticker_sync_rmr_message: self.sticker_sync_rmr_message().map(|it| it.own().into()),
            interactive_response_message: self.interactive_response_message().map(|it| it.own().into()),
            poll_creation_message: self.poll_creation_message().map(|it| it.own().into()),
            poll_update_message: self.poll_update_message().map(|it| it.own().into()),
            keep_in_chat_message: self.keep_in_chat_message().map(|it| it.own().into()),
            document_with_caption_message: self.document_with_caption_message().map(|it| it.own().into()),
            request_phone_number_message: self.request_phone_number_message().map(|it| it.own().into()),
            view_once_message_v2: self.view_once_message_v2().map(|it| it.own().into()),
            enc_reaction_message: self.enc_reaction_message().map(|it| it.own().into()),
            edited_message: self.edited_message().map(|it| it.own().into()),
            view_once_message_v2_extension: self.view_once_message_v2_extension().map(|it| it.own().into()),
            poll_creation_message_v2: self.poll_creation_message_v2().map(|it| it.own().into()),
            scheduled_call_creation_message: self.scheduled_call_creation_message().map(|it| it.own().into()),
            group_mentioned_message: self.group_mentioned_message().map(|it| it.own().into()),
            pin_in_chat_message: self.pin_in_chat_message().map(|it| it.own().into()),
            poll_creation_message_v3: self.poll_creation_message_v3().map(|it| it.own().into()),
            scheduled_call_edit_message: self.scheduled_call_edit_message().map(|it| it.own().into()),
            ptv_message: self.ptv_message().map(|it| it.own().into()),
            bot_invoke_message: self.bot_invoke_message().map(|it| it.own().into()),
            call_log_messsage: self.call_log_messsage().map(|it| it.own().into()),
            message_history_bundle: self.message_history_bundle().map(|it| it.own().into()),
            enc_comment_message: self.enc_comment_message().map(|it| it.own().into()),
            bcall_message: self.bcall_message().map(|it| it.own().into()),
            lottie_sticker_message: self.lottie_sticker_message().map(|it| it.own().into()),
            event_message: self.event_message().map(|it| it.own().into()),
            enc_event_response_message: self.enc_event_response_message().map(|it| it.own().into()),
            comment_message: self.comment_message().map(|it| it.own().into()),
            newsletter_admin_invite_message: self.newsletter_admin_invite_message().map(|it| it.own().into()),
            placeholder_message: self.placeholder_message().map(|it| it.own().into()),
            secret_encrypted_message: self.secret_encrypted_message().map(|it| it.own().into()),
            album_message: self.album_message().map(|it| it.own().into()),
            event_cover_image: self.event_cover_image().map(|it| it.own().into()),
            sticker_pack_message: self.sticker_pack_message().map(|it| it.own().into()),
            status_mention_message: self.status_mention_message().map(|it| it.own().into()),
            poll_result_snapshot_message: self.poll_result_snapshot_message().map(|it| it.own().into()),
            poll_creation_option_image_message: self.poll_creation_option_image_message().map(|it| it.own().into()),
            associated_child_message: self.associated_child_message().map(|it| it.own().into()),
            group_status_mention_message: self.group_status_mention_message().map(|it| it.own().into()),
            poll_creation_message_v4: self.poll_creation_message_v4().map(|it| it.own().into()),
            status_add_yours: self.status_add_yours().map(|it| it.own().into()),
            group_status_message: self.group_status_message().map(|it| it.own().into()),
            rich_response_message: self.rich_response_message().map(|it| it.own().into()),
            status_notification_message: self.status_notification_message().map(|it| it.own().into()),
            limit_sharing_message: self.limit_sharing_message().map(|it| it.own().into()),
            bot_task_message: self.bot_task_message().map(|it| it.own().into()),
            question_message: self.question_message().map(|it| it.own().into()),
            message_history_notice: self.message_history_notice().map(|it| it.own().into()),
            group_status_message_v2: self.group_status_message_v2().map(|it| it.own().into()),
            bot_forwarded_message: self.bot_forwarded_message().map(|it| it.own().into()),
            status_question_answer_message: self.status_question_answer_message().map(|it| it.own().into()),
            question_reply_message: self.question_reply_message().map(|it| it.own().into()),
            question_response_message: self.question_response_message().map(|it| it.own().into()),
            status_quoted_message: self.status_quoted_message().map(|it| it.own().into()),
            status_sticker_interaction_message: self.status_sticker_interaction_message().map(|it| it.own().into()),
            poll_creation_message_v5: self.poll_creation_message_v5().map(|it| it.own().into()),
            newsletter_follower_invite_message_v2: self.newsletter_follower_invite_message_v2().map(|it| it.own().into()),
            poll_result_snapshot_message_v3: self.poll_result_snapshot_message_v3().map(|it| it.own().into()),
            newsletter_admin_profile_message: self.newsletter_admin_profile_message().map(|it| it.own().into()),
            newsletter_admin_profile_message_v2: self.newsletter_admin_profile_message_v2().map(|it| it.own().into()),
            spoiler_message: self.spoiler_message().map(|it| it.own().into()),
            poll_creation_message_v6: self.poll_creation_message_v6().map(|it| it.own().into()),
            conditional_reveal_message: self.conditional_reveal_message().map(|it| it.own().into()),
            poll_add_option_message: self.poll_add_option_message().map(|it| it.own().into()),
            event_invite_message: self.event_invite_message().map(|it| it.own().into()),
            group_root_key_share: self.group_root_key_share().map(|it| it.own().into()),
            payment_reminder_message: self.payment_reminder_message().map(|it| it.own().into()),
            split_payment_message: self.split_payment_message().map(|it| it.own().into()),
            newsletter_admin_profile_status_message: self.newsletter_admin_profile_status_message().map(|it| it.own().into()),
            root_secret_distribute_message: self.root_secret_distribute_message().map(|it| it.own().into()),
            split_payment_update_message: self.split_payment_update_message().map(|it| it.own().into()),
            music_message: self.music_message().map(|it| it.own().into()),
            status_link_preview_metadata: self.status_link_preview_metadata().map(|it| it.own().into()),
            bot_platform_registration_success_message: self.bot_platform_registration_success_message().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AlbumMessage> for wa_proto::view::e2e_message::message::AlbumMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AlbumMessage {
        wa_proto::e2e_message::message::AlbumMessage {
            expected_image_count: self.expected_image_count(),
            expected_video_count: self.expected_video_count(),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AppStateFatalExceptionNotification> for wa_proto::view::e2e_message::message::AppStateFatalExceptionNotificationView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AppStateFatalExceptionNotification {
        wa_proto::e2e_message::message::AppStateFatalExceptionNotification {
            collection_names: self.collection_names().map(|it| it.to_owned()).collect(),
            timestamp: self.timestamp(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AppStateSyncKey> for wa_proto::view::e2e_message::message::AppStateSyncKeyView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AppStateSyncKey {
        wa_proto::e2e_message::message::AppStateSyncKey {
            key_id: self.key_id().map(|it| it.own().into()),
            key_data: self.key_data().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AppStateSyncKeyData> for wa_proto::view::e2e_message::message::AppStateSyncKeyDataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AppStateSyncKeyData {
        wa_proto::e2e_message::message::AppStateSyncKeyData {
            key_data: self.key_data().map(|it| bytes::Bytes::copy_from_slice(it)),
            fingerprint: self.fingerprint().map(|it| it.own().into()),
            timestamp: self.timestamp(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AppStateSyncKeyFingerprint> for wa_proto::view::e2e_message::message::AppStateSyncKeyFingerprintView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AppStateSyncKeyFingerprint {
        wa_proto::e2e_message::message::AppStateSyncKeyFingerprint {
            raw_id: self.raw_id(),
            current_index: self.current_index(),
            device_indexes: self.device_indexes().collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AppStateSyncKeyId> for wa_proto::view::e2e_message::message::AppStateSyncKeyIdView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AppStateSyncKeyId {
        wa_proto::e2e_message::message::AppStateSyncKeyId {
            key_id: self.key_id().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AppStateSyncKeyRequest> for wa_proto::view::e2e_message::message::AppStateSyncKeyRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AppStateSyncKeyRequest {
        wa_proto::e2e_message::message::AppStateSyncKeyRequest {
            key_ids: self.key_ids().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AppStateSyncKeyShare> for wa_proto::view::e2e_message::message::AppStateSyncKeyShareView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AppStateSyncKeyShare {
        wa_proto::e2e_message::message::AppStateSyncKeyShare {
            keys: self.keys().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::AudioMessage> for wa_proto::view::e2e_message::message::AudioMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::AudioMessage {
        wa_proto::e2e_message::message::AudioMessage {
            url: self.url().map(|it| it.to_owned()),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_length: self.file_length(),
            seconds: self.seconds(),
            ptt: self.ptt(),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            context_info: self.context_info().map(|it| it.own().into()),
            streaming_sidecar: self.streaming_sidecar().map(|it| bytes::Bytes::copy_from_slice(it)),
            waveform: self.waveform().map(|it| bytes::Bytes::copy_from_slice(it)),
            background_argb: self.background_argb(),
            view_once: self.view_once(),
            accessibility_label: self.accessibility_label().map(|it| it.to_owned()),
            media_key_domain: self.media_key_domain(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::BCallMessage> for wa_proto::view::e2e_message::message::BCallMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::BCallMessage {
        wa_proto::e2e_message::message::BCallMessage {
            session_id: self.session_id().map(|it| it.to_owned()),
            media_type: self.media_type(),
            master_key: self.master_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            caption: self.caption().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::BotHistoryShareSyncMetadata> for wa_proto::view::e2e_message::message::BotHistoryShareSyncMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::BotHistoryShareSyncMetadata {
        wa_proto::e2e_message::message::BotHistoryShareSyncMetadata {
            bot_jid: self.bot_jid().map(|it| it.to_owned()),
            history_share_cutoff_timestamp: self.history_share_cutoff_timestamp(),
            history_share_messages: self.history_share_messages().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ButtonsMessage> for wa_proto::view::e2e_message::message::ButtonsMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ButtonsMessage {
        wa_proto::e2e_message::message::ButtonsMessage {
            content_text: self.content_text().map(|it| it.to_owned()),
            footer_text: self.footer_text().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
            buttons: self.buttons().map(|it| it.own().into()).collect(),
            header_type: self.header_type(),
            header: None
                .or_else(|| self.text().map(|it| wa_proto::e2e_message::message::buttons_message::Header::Text(it.to_owned())))
                .or_else(|| self.document_message().map(|it| wa_proto::e2e_message::message::buttons_message::Header::DocumentMessage(it.own().into())))
                .or_else(|| self.image_message().map(|it| wa_proto::e2e_message::message::buttons_message::Header::ImageMessage(it.own().into())))
                .or_else(|| self.video_message().map(|it| wa_proto::e2e_message::message::buttons_message::Header::VideoMessage(it.own().into())))
                .or_else(|| self.location_message().map(|it| wa_proto::e2e_message::message::buttons_message::Header::LocationMessage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::buttons_message::Button> for wa_proto::view::e2e_message::message::buttons_message::ButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::buttons_message::Button {
        wa_proto::e2e_message::message::buttons_message::Button {
            button_id: self.button_id().map(|it| it.to_owned()),
            button_text: self.button_text().map(|it| it.own().into()),
            r#type: self.r#type(),
            native_flow_info: self.native_flow_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::buttons_message::button::ButtonText> for wa_proto::view::e2e_message::message::buttons_message::button::ButtonTextView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::buttons_message::button::ButtonText {
        wa_proto::e2e_message::message::buttons_message::button::ButtonText {
            display_text: self.display_text().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::buttons_message::button::NativeFlowInfo> for wa_proto::view::e2e_message::message::buttons_message::button::NativeFlowInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::buttons_message::button::NativeFlowInfo {
        wa_proto::e2e_message::message::buttons_message::button::NativeFlowInfo {
            name: self.name().map(|it| it.to_owned()),
            params_json: self.params_json().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ButtonsResponseMessage> for wa_proto::view::e2e_message::message::ButtonsResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ButtonsResponseMessage {
        wa_proto::e2e_message::message::ButtonsResponseMessage {
            selected_button_id: self.selected_button_id().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
            r#type: self.r#type(),
            response: None
                .or_else(|| self.selected_display_text().map(|it| wa_proto::e2e_message::message::buttons_response_message::Response::SelectedDisplayText(it.to_owned())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::Call> for wa_proto::view::e2e_message::message::CallView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::Call {
        wa_proto::e2e_message::message::Call {
            call_key: self.call_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            conversion_source: self.conversion_source().map(|it| it.to_owned()),
            conversion_data: self.conversion_data().map(|it| bytes::Bytes::copy_from_slice(it)),
            conversion_delay_seconds: self.conversion_delay_seconds(),
            ctwa_signals: self.ctwa_signals().map(|it| it.to_owned()),
            ctwa_payload: self.ctwa_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
            native_flow_call_button_payload: self.native_flow_call_button_payload().map(|it| it.to_owned()),
            deeplink_payload: self.deeplink_payload().map(|it| it.to_owned()),
            message_context_info: self.message_context_info().map(|it| it.own().into()),
            call_entry_point: self.call_entry_point(),
            call_reason: self.call_reason().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::CallLogMessage> for wa_proto::view::e2e_message::message::CallLogMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::CallLogMessage {
        wa_proto::e2e_message::message::CallLogMessage {
            is_video: self.is_video(),
            call_outcome: self.call_outcome(),
            duration_secs: self.duration_secs(),
            call_type: self.call_type(),
            participants: self.participants().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::call_log_message::CallParticipant> for wa_proto::view::e2e_message::message::call_log_message::CallParticipantView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::call_log_message::CallParticipant {
        wa_proto::e2e_message::message::call_log_message::CallParticipant {
            jid: self.jid().map(|it| it.to_owned()),
            call_outcome: self.call_outcome(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::CancelPaymentRequestMessage> for wa_proto::view::e2e_message::message::CancelPaymentRequestMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::CancelPaymentRequestMessage {
        wa_proto::e2e_message::message::CancelPaymentRequestMessage {
            key: self.key().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::Chat> for wa_proto::view::e2e_message::message::ChatView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::Chat {
        wa_proto::e2e_message::message::Chat {
            display_name: self.display_name().map(|it| it.to_owned()),
            id: self.id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ChatCustomImageWallpaper> for wa_proto::view::e2e_message::message::ChatCustomImageWallpaperView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ChatCustomImageWallpaper {
        wa_proto::e2e_message::message::ChatCustomImageWallpaper {
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            dim_level: self.dim_level(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ChatDefaultWallpaper> for wa_proto::view::e2e_message::message::ChatDefaultWallpaperView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ChatDefaultWallpaper {
        wa_proto::e2e_message::message::ChatDefaultWallpaper {
            is_doodle_enabled: self.is_doodle_enabled(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ChatSolidColorWallpaper> for wa_proto::view::e2e_message::message::ChatSolidColorWallpaperView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ChatSolidColorWallpaper {
        wa_proto::e2e_message::message::ChatSolidColorWallpaper {
            color_light: self.color_light().map(|it| it.to_owned()),
            color_dark: self.color_dark().map(|it| it.to_owned()),
            is_doodle_enabled: self.is_doodle_enabled(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ChatStockImageWallpaper> for wa_proto::view::e2e_message::message::ChatStockImageWallpaperView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ChatStockImageWallpaper {
        wa_proto::e2e_message::message::ChatStockImageWallpaper {
            stock_image_id: self.stock_image_id().map(|it| it.to_owned()),
            dim_level: self.dim_level(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ChatThemeSetting> for wa_proto::view::e2e_message::message::ChatThemeSettingView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ChatThemeSetting {
        wa_proto::e2e_message::message::ChatThemeSetting {
            setting_timestamp_ms: self.setting_timestamp_ms(),
            clear_theme: self.clear_theme(),
            color_scheme_id: self.color_scheme_id().map(|it| it.to_owned()),
            wallpaper: None
                .or_else(|| self.default_wallpaper().map(|it| wa_proto::e2e_message::message::chat_theme_setting::Wallpaper::DefaultWallpaper(it.own().into())))
                .or_else(|| self.solid_color().map(|it| wa_proto::e2e_message::message::chat_theme_setting::Wallpaper::SolidColor(it.own().into())))
                .or_else(|| self.stock_image().map(|it| wa_proto::e2e_message::message::chat_theme_setting::Wallpaper::StockImage(it.own().into())))
                .or_else(|| self.custom_image().map(|it| wa_proto::e2e_message::message::chat_theme_setting::Wallpaper::CustomImage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::CloudApiThreadControlNotification> for wa_proto::view::e2e_message::message::CloudApiThreadControlNotificationView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::CloudApiThreadControlNotification {
        wa_proto::e2e_message::message::CloudApiThreadControlNotification {
            status: self.status(),
            sender_notification_timestamp_ms: self.sender_notification_timestamp_ms(),
            consumer_lid: self.consumer_lid().map(|it| it.to_owned()),
            consumer_phone_number: self.consumer_phone_number().map(|it| it.to_owned()),
            notification_content: self.notification_content().map(|it| it.own().into()),
            should_suppress_notification: self.should_suppress_notification(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::cloud_api_thread_control_notification::CloudApiThreadControlNotificationContent> for wa_proto::view::e2e_message::message::cloud_api_thread_control_notification::CloudApiThreadControlNotificationContentView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::cloud_api_thread_control_notification::CloudApiThreadControlNotificationContent {
        wa_proto::e2e_message::message::cloud_api_thread_control_notification::CloudApiThreadControlNotificationContent {
            handoff_notification_text: self.handoff_notification_text().map(|it| it.to_owned()),
            extra_json: self.extra_json().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::CommentMessage> for wa_proto::view::e2e_message::message::CommentMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::CommentMessage {
        wa_proto::e2e_message::message::CommentMessage {
            message: self.message().map(|it| it.own().into()),
            target_message_key: self.target_message_key().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ConditionalRevealMessage> for wa_proto::view::e2e_message::message::ConditionalRevealMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ConditionalRevealMessage {
        wa_proto::e2e_message::message::ConditionalRevealMessage {
            enc_payload: self.enc_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            enc_iv: self.enc_iv().map(|it| bytes::Bytes::copy_from_slice(it)),
            conditional_reveal_message_type: self.conditional_reveal_message_type(),
            reveal_key_id: self.reveal_key_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ContactMessage> for wa_proto::view::e2e_message::message::ContactMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ContactMessage {
        wa_proto::e2e_message::message::ContactMessage {
            display_name: self.display_name().map(|it| it.to_owned()),
            vcard: self.vcard().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
            is_self_contact: self.is_self_contact(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ContactsArrayMessage> for wa_proto::view::e2e_message::message::ContactsArrayMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ContactsArrayMessage {
        wa_proto::e2e_message::message::ContactsArrayMessage {
            display_name: self.display_name().map(|it| it.to_owned()),
            contacts: self.contacts().map(|it| it.own().into()).collect(),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::DeclinePaymentRequestMessage> for wa_proto::view::e2e_message::message::DeclinePaymentRequestMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::DeclinePaymentRequestMessage {
        wa_proto::e2e_message::message::DeclinePaymentRequestMessage {
            key: self.key().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::DeviceSentMessage> for wa_proto::view::e2e_message::message::DeviceSentMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::DeviceSentMessage {
        wa_proto::e2e_message::message::DeviceSentMessage {
            destination_jid: self.destination_jid().map(|it| it.to_owned()),
            message: self.message().map(|it| it.own().into()),
            phash: self.phash().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::DocumentMessage> for wa_proto::view::e2e_message::message::DocumentMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::DocumentMessage {
        wa_proto::e2e_message::message::DocumentMessage {
            url: self.url().map(|it| it.to_owned()),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            title: self.title().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_length: self.file_length(),
            page_count: self.page_count(),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_name: self.file_name().map(|it| it.to_owned()),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            contact_vcard: self.contact_vcard(),
            thumbnail_direct_path: self.thumbnail_direct_path().map(|it| it.to_owned()),
            thumbnail_sha256: self.thumbnail_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            thumbnail_enc_sha256: self.thumbnail_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
            thumbnail_height: self.thumbnail_height(),
            thumbnail_width: self.thumbnail_width(),
            caption: self.caption().map(|it| it.to_owned()),
            accessibility_label: self.accessibility_label().map(|it| it.to_owned()),
            media_key_domain: self.media_key_domain(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::EncCommentMessage> for wa_proto::view::e2e_message::message::EncCommentMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::EncCommentMessage {
        wa_proto::e2e_message::message::EncCommentMessage {
            target_message_key: self.target_message_key().map(|it| it.own().into()),
            enc_payload: self.enc_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            enc_iv: self.enc_iv().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::EncEventResponseMessage> for wa_proto::view::e2e_message::message::EncEventResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::EncEventResponseMessage {
        wa_proto::e2e_message::message::EncEventResponseMessage {
            event_creation_message_key: self.event_creation_message_key().map(|it| it.own().into()),
            enc_payload: self.enc_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            enc_iv: self.enc_iv().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::EncReactionMessage> for wa_proto::view::e2e_message::message::EncReactionMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::EncReactionMessage {
        wa_proto::e2e_message::message::EncReactionMessage {
            target_message_key: self.target_message_key().map(|it| it.own().into()),
            enc_payload: self.enc_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            enc_iv: self.enc_iv().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::EventInviteMessage> for wa_proto::view::e2e_message::message::EventInviteMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::EventInviteMessage {
        wa_proto::e2e_message::message::EventInviteMessage {
            context_info: self.context_info().map(|it| it.own().into()),
            event_id: self.event_id().map(|it| it.to_owned()),
            event_title: self.event_title().map(|it| it.to_owned()),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            start_time: self.start_time(),
            caption: self.caption().map(|it| it.to_owned()),
            is_canceled: self.is_canceled(),
            end_time: self.end_time(),
            call_link: self.call_link().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::EventMessage> for wa_proto::view::e2e_message::message::EventMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::EventMessage {
        wa_proto::e2e_message::message::EventMessage {
            context_info: self.context_info().map(|it| it.own().into()),
            is_canceled: self.is_canceled(),
            name: self.name().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
            location: self.location().map(|it| it.own().into()),
            join_link: self.join_link().map(|it| it.to_owned()),
            start_time: self.start_time(),
            end_time: self.end_time(),
            extra_guests_allowed: self.extra_guests_allowed(),
            is_schedule_call: self.is_schedule_call(),
            has_reminder: self.has_reminder(),
            reminder_offset_sec: self.reminder_offset_sec(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ExtendedTextMessage> for wa_proto::view::e2e_message::message::ExtendedTextMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ExtendedTextMessage {
        wa_proto::e2e_message::message::ExtendedTextMessage {
            text: self.text().map(|it| it.to_owned()),
            matched_text: self.matched_text().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
            title: self.title().map(|it| it.to_owned()),
            text_argb: self.text_argb(),
            background_argb: self.background_argb(),
            font: self.font(),
            preview_type: self.preview_type(),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
            do_not_play_inline: self.do_not_play_inline(),
            thumbnail_direct_path: self.thumbnail_direct_path().map(|it| it.to_owned()),
            thumbnail_sha256: self.thumbnail_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            thumbnail_enc_sha256: self.thumbnail_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key_timestamp: self.media_key_timestamp(),
            thumbnail_height: self.thumbnail_height(),
            thumbnail_width: self.thumbnail_width(),
            invite_link_group_type: self.invite_link_group_type(),
            invite_link_parent_group_subject_v2: self.invite_link_parent_group_subject_v2().map(|it| it.to_owned()),
            invite_link_parent_group_thumbnail_v2: self.invite_link_parent_group_thumbnail_v2().map(|it| bytes::Bytes::copy_from_slice(it)),
            invite_link_group_type_v2: self.invite_link_group_type_v2(),
            view_once: self.view_once(),
            video_height: self.video_height(),
            video_width: self.video_width(),
            favicon_mms_metadata: self.favicon_mms_metadata().map(|it| it.own().into()),
            link_preview_metadata: self.link_preview_metadata().map(|it| it.own().into()),
            payment_link_metadata: self.payment_link_metadata().map(|it| it.own().into()),
            end_card_tiles: self.end_card_tiles().map(|it| it.own().into()).collect(),
            video_content_url: self.video_content_url().map(|it| it.to_owned()),
            music_metadata: self.music_metadata().map(|it| it.own().into()),
            payment_extended_metadata: self.payment_extended_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::FullHistorySyncOnDemandConfig> for wa_proto::view::e2e_message::message::FullHistorySyncOnDemandConfigView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::FullHistorySyncOnDemandConfig {
        wa_proto::e2e_message::message::FullHistorySyncOnDemandConfig {
            history_from_timestamp: self.history_from_timestamp(),
            history_duration_days: self.history_duration_days(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::FullHistorySyncOnDemandRequestMetadata> for wa_proto::view::e2e_message::message::FullHistorySyncOnDemandRequestMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::FullHistorySyncOnDemandRequestMetadata {
        wa_proto::e2e_message::message::FullHistorySyncOnDemandRequestMetadata {
            request_id: self.request_id().map(|it| it.to_owned()),
            business_product: self.business_product().map(|it| it.to_owned()),
            opaque_client_data: self.opaque_client_data().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::FutureProofMessage> for wa_proto::view::e2e_message::message::FutureProofMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::FutureProofMessage {
        wa_proto::e2e_message::message::FutureProofMessage {
            message: self.message().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::GroupInviteMessage> for wa_proto::view::e2e_message::message::GroupInviteMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::GroupInviteMessage {
        wa_proto::e2e_message::message::GroupInviteMessage {
            group_jid: self.group_jid().map(|it| it.to_owned()),
            invite_code: self.invite_code().map(|it| it.to_owned()),
            invite_expiration: self.invite_expiration(),
            group_name: self.group_name().map(|it| it.to_owned()),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            caption: self.caption().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
            group_type: self.group_type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::HighlyStructuredMessage> for wa_proto::view::e2e_message::message::HighlyStructuredMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::HighlyStructuredMessage {
        wa_proto::e2e_message::message::HighlyStructuredMessage {
            namespace: self.namespace().map(|it| it.to_owned()),
            element_name: self.element_name().map(|it| it.to_owned()),
            params: self.params().map(|it| it.to_owned()).collect(),
            fallback_lg: self.fallback_lg().map(|it| it.to_owned()),
            fallback_lc: self.fallback_lc().map(|it| it.to_owned()),
            localizable_params: self.localizable_params().map(|it| it.own().into()).collect(),
            deterministic_lg: self.deterministic_lg().map(|it| it.to_owned()),
            deterministic_lc: self.deterministic_lc().map(|it| it.to_owned()),
            hydrated_hsm: self.hydrated_hsm().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::highly_structured_message::HsmLocalizableParameter> for wa_proto::view::e2e_message::message::highly_structured_message::HsmLocalizableParameterView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::highly_structured_message::HsmLocalizableParameter {
        wa_proto::e2e_message::message::highly_structured_message::HsmLocalizableParameter {
            default: self.default().map(|it| it.to_owned()),
            param_oneof: None
                .or_else(|| self.currency().map(|it| wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::ParamOneof::Currency(it.own().into())))
                .or_else(|| self.date_time().map(|it| wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::ParamOneof::DateTime(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmCurrency> for wa_proto::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmCurrencyView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmCurrency {
        wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmCurrency {
            currency_code: self.currency_code().map(|it| it.to_owned()),
            amount1000: self.amount1000(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmDateTime> for wa_proto::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmDateTimeView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmDateTime {
        wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::HsmDateTime {
            datetime_oneof: None
                .or_else(|| self.component().map(|it| wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::DatetimeOneof::Component(it.own().into())))
                .or_else(|| self.unix_epoch().map(|it| wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::DatetimeOneof::UnixEpoch(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeComponent> for wa_proto::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeComponentView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeComponent {
        wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeComponent {
            day_of_week: self.day_of_week(),
            year: self.year(),
            month: self.month(),
            day_of_month: self.day_of_month(),
            hour: self.hour(),
            minute: self.minute(),
            calendar: self.calendar(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeUnixEpoch> for wa_proto::view::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeUnixEpochView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeUnixEpoch {
        wa_proto::e2e_message::message::highly_structured_message::hsm_localizable_parameter::hsm_date_time::HsmDateTimeUnixEpoch {
            timestamp: self.timestamp(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::HistoryShareMessageEntry> for wa_proto::view::e2e_message::message::HistoryShareMessageEntryView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::HistoryShareMessageEntry {
        wa_proto::e2e_message::message::HistoryShareMessageEntry {
            stanza_id: self.stanza_id().map(|it| it.to_owned()),
            message_secret_proof: self.message_secret_proof().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::HistorySyncMessageAccessStatus> for wa_proto::view::e2e_message::message::HistorySyncMessageAccessStatusView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::HistorySyncMessageAccessStatus {
        wa_proto::e2e_message::message::HistorySyncMessageAccessStatus {
            complete_access_granted: self.complete_access_granted(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::HistorySyncNotification> for wa_proto::view::e2e_message::message::HistorySyncNotificationView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::HistorySyncNotification {
        wa_proto::e2e_message::message::HistorySyncNotification {
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_length: self.file_length(),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            sync_type: self.sync_type(),
            chunk_order: self.chunk_order(),
            original_message_id: self.original_message_id().map(|it| it.to_owned()),
            progress: self.progress(),
            oldest_msg_in_chunk_timestamp_sec: self.oldest_msg_in_chunk_timestamp_sec(),
            initial_hist_bootstrap_inline_payload: self.initial_hist_bootstrap_inline_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            peer_data_request_session_id: self.peer_data_request_session_id().map(|it| it.to_owned()),
            full_history_sync_on_demand_request_metadata: self.full_history_sync_on_demand_request_metadata().map(|it| it.own().into()),
            enc_handle: self.enc_handle().map(|it| it.to_owned()),
            message_access_status: self.message_access_status().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ImageMessage> for wa_proto::view::e2e_message::message::ImageMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ImageMessage {
        wa_proto::e2e_message::message::ImageMessage {
            url: self.url().map(|it| it.to_owned()),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            caption: self.caption().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_length: self.file_length(),
            height: self.height(),
            width: self.width(),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            interactive_annotations: self.interactive_annotations().map(|it| it.own().into()).collect(),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
            first_scan_sidecar: self.first_scan_sidecar().map(|it| bytes::Bytes::copy_from_slice(it)),
            first_scan_length: self.first_scan_length(),
            experiment_group_id: self.experiment_group_id(),
            scans_sidecar: self.scans_sidecar().map(|it| bytes::Bytes::copy_from_slice(it)),
            scan_lengths: self.scan_lengths().collect(),
            mid_quality_file_sha256: self.mid_quality_file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            mid_quality_file_enc_sha256: self.mid_quality_file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            view_once: self.view_once(),
            thumbnail_direct_path: self.thumbnail_direct_path().map(|it| it.to_owned()),
            thumbnail_sha256: self.thumbnail_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            thumbnail_enc_sha256: self.thumbnail_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            static_url: self.static_url().map(|it| it.to_owned()),
            annotations: self.annotations().map(|it| it.own().into()).collect(),
            image_source_type: self.image_source_type(),
            accessibility_label: self.accessibility_label().map(|it| it.to_owned()),
            qr_url: self.qr_url().map(|it| it.to_owned()),
            media_key_domain: self.media_key_domain(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::InitialSecurityNotificationSettingSync> for wa_proto::view::e2e_message::message::InitialSecurityNotificationSettingSyncView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::InitialSecurityNotificationSettingSync {
        wa_proto::e2e_message::message::InitialSecurityNotificationSettingSync {
            security_notification_enabled: self.security_notification_enabled(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::InteractiveMessage> for wa_proto::view::e2e_message::message::InteractiveMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::InteractiveMessage {
        wa_proto::e2e_message::message::InteractiveMessage {
            header: self.header().map(|it| it.own().into()),
            body: self.body().map(|it| it.own().into()),
            footer: self.footer().map(|it| it.own().into()),
            bloks_widget: self.bloks_widget().map(|it| it.own().into()),
            context_info: self.context_info().map(|it| it.own().into()),
            url_tracking_map: self.url_tracking_map().map(|it| it.own().into()),
            interactive_message: None
                .or_else(|| self.shop_storefront_message().map(|it| wa_proto::e2e_message::message::interactive_message::InteractiveMessage::ShopStorefrontMessage(it.own().into())))
                .or_else(|| self.collection_message().map(|it| wa_proto::e2e_message::message::interactive_message::InteractiveMessage::CollectionMessage(it.own().into())))
                .or_else(|| self.native_flow_message().map(|it| wa_proto::e2e_message::message::interactive_message::InteractiveMessage::NativeFlowMessage(it.own().into())))
                .or_else(|| self.carousel_message().map(|it| wa_proto::e2e_message::message::interactive_message::InteractiveMessage::CarouselMessage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::BloksWidget> for wa_proto::view::e2e_message::message::interactive_message::BloksWidgetView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::BloksWidget {
        wa_proto::e2e_message::message::interactive_message::BloksWidget {
            uuid: self.uuid().map(|it| it.to_owned()),
            data: self.data().map(|it| it.to_owned()),
            r#type: self.r#type().map(|it| it.to_owned()),
            fallback: self.fallback().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::Body> for wa_proto::view::e2e_message::message::interactive_message::BodyView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::Body {
        wa_proto::e2e_message::message::interactive_message::Body {
            text: self.text().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::CarouselMessage> for wa_proto::view::e2e_message::message::interactive_message::CarouselMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::CarouselMessage {
        wa_proto::e2e_message::message::interactive_message::CarouselMessage {
            cards: self.cards().map(|it| it.own().into()).collect(),
            message_version: self.message_version(),
            carousel_card_type: self.carousel_card_type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::CollectionMessage> for wa_proto::view::e2e_message::message::interactive_message::CollectionMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::CollectionMessage {
        wa_proto::e2e_message::message::interactive_message::CollectionMessage {
            biz_jid: self.biz_jid().map(|it| it.to_owned()),
            id: self.id().map(|it| it.to_owned()),
            message_version: self.message_version(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::Footer> for wa_proto::view::e2e_message::message::interactive_message::FooterView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::Footer {
        wa_proto::e2e_message::message::interactive_message::Footer {
            text: self.text().map(|it| it.to_owned()),
            has_media_attachment: self.has_media_attachment(),
            media: None
                .or_else(|| self.audio_message().map(|it| wa_proto::e2e_message::message::interactive_message::footer::Media::AudioMessage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::Header> for wa_proto::view::e2e_message::message::interactive_message::HeaderView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::Header {
        wa_proto::e2e_message::message::interactive_message::Header {
            title: self.title().map(|it| it.to_owned()),
            subtitle: self.subtitle().map(|it| it.to_owned()),
            has_media_attachment: self.has_media_attachment(),
            bloks_widget: self.bloks_widget().map(|it| it.own().into()),
            media: None
                .or_else(|| self.document_message().map(|it| wa_proto::e2e_message::message::interactive_message::header::Media::DocumentMessage(it.own().into())))
                .or_else(|| self.image_message().map(|it| wa_proto::e2e_message::message::interactive_message::header::Media::ImageMessage(it.own().into())))
                .or_else(|| self.jpeg_thumbnail().map(|it| wa_proto::e2e_message::message::interactive_message::header::Media::JpegThumbnail(bytes::Bytes::copy_from_slice(it))))
                .or_else(|| self.video_message().map(|it| wa_proto::e2e_message::message::interactive_message::header::Media::VideoMessage(it.own().into())))
                .or_else(|| self.location_message().map(|it| wa_proto::e2e_message::message::interactive_message::header::Media::LocationMessage(it.own().into())))
                .or_else(|| self.product_message().map(|it| wa_proto::e2e_message::message::interactive_message::header::Media::ProductMessage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::NativeFlowMessage> for wa_proto::view::e2e_message::message::interactive_message::NativeFlowMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::NativeFlowMessage {
        wa_proto::e2e_message::message::interactive_message::NativeFlowMessage {
            buttons: self.buttons().map(|it| it.own().into()).collect(),
            message_params_json: self.message_params_json().map(|it| it.to_owned()),
            message_version: self.message_version(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::native_flow_message::NativeFlowButton> for wa_proto::view::e2e_message::message::interactive_message::native_flow_message::NativeFlowButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::native_flow_message::NativeFlowButton {
        wa_proto::e2e_message::message::interactive_message::native_flow_message::NativeFlowButton {
            name: self.name().map(|it| it.to_owned()),
            button_params_json: self.button_params_json().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_message::ShopMessage> for wa_proto::view::e2e_message::message::interactive_message::ShopMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_message::ShopMessage {
        wa_proto::e2e_message::message::interactive_message::ShopMessage {
            id: self.id().map(|it| it.to_owned()),
            surface: self.surface(),
            message_version: self.message_version(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::InteractiveResponseMessage> for wa_proto::view::e2e_message::message::InteractiveResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::InteractiveResponseMessage {
        wa_proto::e2e_message::message::InteractiveResponseMessage {
            body: self.body().map(|it| it.own().into()),
            context_info: self.context_info().map(|it| it.own().into()),
            interactive_response_message: None
                .or_else(|| self.native_flow_response_message().map(|it| wa_proto::e2e_message::message::interactive_response_message::InteractiveResponseMessage::NativeFlowResponseMessage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_response_message::Body> for wa_proto::view::e2e_message::message::interactive_response_message::BodyView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_response_message::Body {
        wa_proto::e2e_message::message::interactive_response_message::Body {
            text: self.text().map(|it| it.to_owned()),
            format: self.format(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::interactive_response_message::NativeFlowResponseMessage> for wa_proto::view::e2e_message::message::interactive_response_message::NativeFlowResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::interactive_response_message::NativeFlowResponseMessage {
        wa_proto::e2e_message::message::interactive_response_message::NativeFlowResponseMessage {
            name: self.name().map(|it| it.to_owned()),
            params_json: self.params_json().map(|it| it.to_owned()),
            version: self.version(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::InvoiceMessage> for wa_proto::view::e2e_message::message::InvoiceMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::InvoiceMessage {
        wa_proto::e2e_message::message::InvoiceMessage {
            note: self.note().map(|it| it.to_owned()),
            token: self.token().map(|it| it.to_owned()),
            attachment_type: self.attachment_type(),
            attachment_mimetype: self.attachment_mimetype().map(|it| it.to_owned()),
            attachment_media_key: self.attachment_media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            attachment_media_key_timestamp: self.attachment_media_key_timestamp(),
            attachment_file_sha256: self.attachment_file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            attachment_file_enc_sha256: self.attachment_file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            attachment_direct_path: self.attachment_direct_path().map(|it| it.to_owned()),
            attachment_jpeg_thumbnail: self.attachment_jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::KeepInChatMessage> for wa_proto::view::e2e_message::message::KeepInChatMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::KeepInChatMessage {
        wa_proto::e2e_message::message::KeepInChatMessage {
            key: self.key().map(|it| it.own().into()),
            keep_type: self.keep_type(),
            timestamp_ms: self.timestamp_ms(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::LinkPreviewMetadata> for wa_proto::view::e2e_message::message::LinkPreviewMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::LinkPreviewMetadata {
        wa_proto::e2e_message::message::LinkPreviewMetadata {
            payment_link_metadata: self.payment_link_metadata().map(|it| it.own().into()),
            url_metadata: self.url_metadata().map(|it| it.own().into()),
            fb_experiment_id: self.fb_experiment_id(),
            link_media_duration: self.link_media_duration(),
            social_media_post_type: self.social_media_post_type(),
            link_inline_video_muted: self.link_inline_video_muted(),
            video_content_url: self.video_content_url().map(|it| it.to_owned()),
            music_metadata: self.music_metadata().map(|it| it.own().into()),
            video_content_caption: self.video_content_caption().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ListMessage> for wa_proto::view::e2e_message::message::ListMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ListMessage {
        wa_proto::e2e_message::message::ListMessage {
            title: self.title().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
            button_text: self.button_text().map(|it| it.to_owned()),
            list_type: self.list_type(),
            sections: self.sections().map(|it| it.own().into()).collect(),
            product_list_info: self.product_list_info().map(|it| it.own().into()),
            footer_text: self.footer_text().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::list_message::Product> for wa_proto::view::e2e_message::message::list_message::ProductView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::list_message::Product {
        wa_proto::e2e_message::message::list_message::Product {
            product_id: self.product_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::list_message::ProductListHeaderImage> for wa_proto::view::e2e_message::message::list_message::ProductListHeaderImageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::list_message::ProductListHeaderImage {
        wa_proto::e2e_message::message::list_message::ProductListHeaderImage {
            product_id: self.product_id().map(|it| it.to_owned()),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::list_message::ProductListInfo> for wa_proto::view::e2e_message::message::list_message::ProductListInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::list_message::ProductListInfo {
        wa_proto::e2e_message::message::list_message::ProductListInfo {
            product_sections: self.product_sections().map(|it| it.own().into()).collect(),
            header_image: self.header_image().map(|it| it.own().into()),
            business_owner_jid: self.business_owner_jid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::list_message::ProductSection> for wa_proto::view::e2e_message::message::list_message::ProductSectionView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::list_message::ProductSection {
        wa_proto::e2e_message::message::list_message::ProductSection {
            title: self.title().map(|it| it.to_owned()),
            products: self.products().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::list_message::Row> for wa_proto::view::e2e_message::message::list_message::RowView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::list_message::Row {
        wa_proto::e2e_message::message::list_message::Row {
            title: self.title().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
            row_id: self.row_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::list_message::Section> for wa_proto::view::e2e_message::message::list_message::SectionView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::list_message::Section {
        wa_proto::e2e_message::message::list_message::Section {
            title: self.title().map(|it| it.to_owned()),
            rows: self.rows().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ListResponseMessage> for wa_proto::view::e2e_message::message::ListResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ListResponseMessage {
        wa_proto::e2e_message::message::ListResponseMessage {
            title: self.title().map(|it| it.to_owned()),
            list_type: self.list_type(),
            single_select_reply: self.single_select_reply().map(|it| it.own().into()),
            context_info: self.context_info().map(|it| it.own().into()),
            description: self.description().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::list_response_message::SingleSelectReply> for wa_proto::view::e2e_message::message::list_response_message::SingleSelectReplyView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::list_response_message::SingleSelectReply {
        wa_proto::e2e_message::message::list_response_message::SingleSelectReply {
            selected_row_id: self.selected_row_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::LiveLocationMessage> for wa_proto::view::e2e_message::message::LiveLocationMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::LiveLocationMessage {
        wa_proto::e2e_message::message::LiveLocationMessage {
            degrees_latitude: self.degrees_latitude(),
            degrees_longitude: self.degrees_longitude(),
            accuracy_in_meters: self.accuracy_in_meters(),
            speed_in_mps: self.speed_in_mps(),
            degrees_clockwise_from_magnetic_north: self.degrees_clockwise_from_magnetic_north(),
            caption: self.caption().map(|it| it.to_owned()),
            sequence_number: self.sequence_number(),
            time_offset: self.time_offset(),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::LocationMessage> for wa_proto::view::e2e_message::message::LocationMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::LocationMessage {
        wa_proto::e2e_message::message::LocationMessage {
            degrees_latitude: self.degrees_latitude(),
            degrees_longitude: self.degrees_longitude(),
            name: self.name().map(|it| it.to_owned()),
            address: self.address().map(|it| it.to_owned()),
            url: self.url().map(|it| it.to_owned()),
            is_live: self.is_live(),
            accuracy_in_meters: self.accuracy_in_meters(),
            speed_in_mps: self.speed_in_mps(),
            degrees_clockwise_from_magnetic_north: self.degrees_clockwise_from_magnetic_north(),
            comment: self.comment().map(|it| it.to_owned()),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::MmsThumbnailMetadata> for wa_proto::view::e2e_message::message::MmsThumbnailMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::MmsThumbnailMetadata {
        wa_proto::e2e_message::message::MmsThumbnailMetadata {
            thumbnail_direct_path: self.thumbnail_direct_path().map(|it| it.to_owned()),
            thumbnail_sha256: self.thumbnail_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            thumbnail_enc_sha256: self.thumbnail_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key_timestamp: self.media_key_timestamp(),
            thumbnail_height: self.thumbnail_height(),
            thumbnail_width: self.thumbnail_width(),
            media_key_domain: self.media_key_domain(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::MarkAsVerifiedAction> for wa_proto::view::e2e_message::message::MarkAsVerifiedActionView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::MarkAsVerifiedAction {
        wa_proto::e2e_message::message::MarkAsVerifiedAction {
            user_jid_string: self.user_jid_string().map(|it| it.to_owned()),
            verified: self.verified(),
            verified_identity_key: self.verified_identity_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            action_seq: self.action_seq(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::MessageHistoryBundle> for wa_proto::view::e2e_message::message::MessageHistoryBundleView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::MessageHistoryBundle {
        wa_proto::e2e_message::message::MessageHistoryBundle {
            mimetype: self.mimetype().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            context_info: self.context_info().map(|it| it.own().into()),
            message_history_metadata: self.message_history_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::MessageHistoryMetadata> for wa_proto::view::e2e_message::message::MessageHistoryMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::MessageHistoryMetadata {
        wa_proto::e2e_message::message::MessageHistoryMetadata {
            history_receivers: self.history_receivers().map(|it| it.to_owned()).collect(),
            oldest_message_timestamp_in_window: self.oldest_message_timestamp_in_window(),
            message_count: self.message_count(),
            non_history_receivers: self.non_history_receivers().map(|it| it.to_owned()).collect(),
            oldest_message_timestamp_in_bundle: self.oldest_message_timestamp_in_bundle(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::MessageHistoryNotice> for wa_proto::view::e2e_message::message::MessageHistoryNoticeView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::MessageHistoryNotice {
        wa_proto::e2e_message::message::MessageHistoryNotice {
            context_info: self.context_info().map(|it| it.own().into()),
            message_history_metadata: self.message_history_metadata().map(|it| it.own().into()),
            bot_history_share_sync_metadata: self.bot_history_share_sync_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::MusicMessage> for wa_proto::view::e2e_message::message::MusicMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::MusicMessage {
        wa_proto::e2e_message::message::MusicMessage {
            embedded_music: self.embedded_music().map(|it| it.own().into()),
            song_uri: self.song_uri().map(|it| it.to_owned()),
            artwork_uri: self.artwork_uri().map(|it| it.to_owned()),
            style: self.style(),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::NewsletterAdminInviteMessage> for wa_proto::view::e2e_message::message::NewsletterAdminInviteMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::NewsletterAdminInviteMessage {
        wa_proto::e2e_message::message::NewsletterAdminInviteMessage {
            newsletter_jid: self.newsletter_jid().map(|it| it.to_owned()),
            newsletter_name: self.newsletter_name().map(|it| it.to_owned()),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            caption: self.caption().map(|it| it.to_owned()),
            invite_expiration: self.invite_expiration(),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::NewsletterFollowerInviteMessage> for wa_proto::view::e2e_message::message::NewsletterFollowerInviteMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::NewsletterFollowerInviteMessage {
        wa_proto::e2e_message::message::NewsletterFollowerInviteMessage {
            newsletter_jid: self.newsletter_jid().map(|it| it.to_owned()),
            newsletter_name: self.newsletter_name().map(|it| it.to_owned()),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            caption: self.caption().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::OrderMessage> for wa_proto::view::e2e_message::message::OrderMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::OrderMessage {
        wa_proto::e2e_message::message::OrderMessage {
            order_id: self.order_id().map(|it| it.to_owned()),
            thumbnail: self.thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            item_count: self.item_count(),
            status: self.status(),
            surface: self.surface(),
            message: self.message().map(|it| it.to_owned()),
            order_title: self.order_title().map(|it| it.to_owned()),
            seller_jid: self.seller_jid().map(|it| it.to_owned()),
            token: self.token().map(|it| it.to_owned()),
            total_amount1000: self.total_amount1000(),
            total_currency_code: self.total_currency_code().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
            message_version: self.message_version(),
            order_request_message_id: self.order_request_message_id().map(|it| it.own().into()),
            catalog_type: self.catalog_type().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PaymentExtendedMetadata> for wa_proto::view::e2e_message::message::PaymentExtendedMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PaymentExtendedMetadata {
        wa_proto::e2e_message::message::PaymentExtendedMetadata {
            r#type: self.r#type(),
            platform: self.platform().map(|it| it.to_owned()),
            message_params_json: self.message_params_json().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PaymentInviteMessage> for wa_proto::view::e2e_message::message::PaymentInviteMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PaymentInviteMessage {
        wa_proto::e2e_message::message::PaymentInviteMessage {
            service_type: self.service_type(),
            expiry_timestamp: self.expiry_timestamp(),
            incentive_eligible: self.incentive_eligible(),
            referral_id: self.referral_id().map(|it| it.to_owned()),
            invite_type: self.invite_type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PaymentLinkMetadata> for wa_proto::view::e2e_message::message::PaymentLinkMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PaymentLinkMetadata {
        wa_proto::e2e_message::message::PaymentLinkMetadata {
            button: self.button().map(|it| it.own().into()),
            header: self.header().map(|it| it.own().into()),
            provider: self.provider().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkButton> for wa_proto::view::e2e_message::message::payment_link_metadata::PaymentLinkButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkButton {
        wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkButton {
            display_text: self.display_text().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkHeader> for wa_proto::view::e2e_message::message::payment_link_metadata::PaymentLinkHeaderView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkHeader {
        wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkHeader {
            header_type: self.header_type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkProvider> for wa_proto::view::e2e_message::message::payment_link_metadata::PaymentLinkProviderView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkProvider {
        wa_proto::e2e_message::message::payment_link_metadata::PaymentLinkProvider {
            params_json: self.params_json().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PaymentReminderMessage> for wa_proto::view::e2e_message::message::PaymentReminderMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PaymentReminderMessage {
        wa_proto::e2e_message::message::PaymentReminderMessage {
            reminder_id: self.reminder_id().map(|it| it.to_owned()),
            instance_id: self.instance_id().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
            frequency: self.frequency(),
            status: self.status(),
            payee_vpa: self.payee_vpa().map(|it| it.to_owned()),
            payee_jid: self.payee_jid().map(|it| it.to_owned()),
            payer_jid: self.payer_jid().map(|it| it.to_owned()),
            amount: self.amount().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PeerDataOperationRequestMessage> for wa_proto::view::e2e_message::message::PeerDataOperationRequestMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PeerDataOperationRequestMessage {
        wa_proto::e2e_message::message::PeerDataOperationRequestMessage {
            peer_data_operation_request_type: self.peer_data_operation_request_type(),
            request_sticker_reupload: self.request_sticker_reupload().map(|it| it.own().into()).collect(),
            request_url_preview: self.request_url_preview().map(|it| it.own().into()).collect(),
            history_sync_on_demand_request: self.history_sync_on_demand_request().map(|it| it.own().into()),
            placeholder_message_resend_request: self.placeholder_message_resend_request().map(|it| it.own().into()).collect(),
            full_history_sync_on_demand_request: self.full_history_sync_on_demand_request().map(|it| it.own().into()),
            syncd_collection_fatal_recovery_request: self.syncd_collection_fatal_recovery_request().map(|it| it.own().into()),
            history_sync_chunk_retry_request: self.history_sync_chunk_retry_request().map(|it| it.own().into()),
            galaxy_flow_action: self.galaxy_flow_action().map(|it| it.own().into()),
            companion_canonical_user_nonce_fetch_request: self.companion_canonical_user_nonce_fetch_request().map(|it| it.own().into()),
            biz_broadcast_insights_contact_list_request: self.biz_broadcast_insights_contact_list_request().map(|it| it.own().into()),
            biz_broadcast_insights_refresh_request: self.biz_broadcast_insights_refresh_request().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsContactListRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsContactListRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsContactListRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsContactListRequest {
            campaign_id: self.campaign_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsRefreshRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsRefreshRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsRefreshRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::BizBroadcastInsightsRefreshRequest {
            campaign_id: self.campaign_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::CompanionCanonicalUserNonceFetchRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::CompanionCanonicalUserNonceFetchRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::CompanionCanonicalUserNonceFetchRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::CompanionCanonicalUserNonceFetchRequest {
            registration_trace_id: self.registration_trace_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::FullHistorySyncOnDemandRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::FullHistorySyncOnDemandRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::FullHistorySyncOnDemandRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::FullHistorySyncOnDemandRequest {
            request_metadata: self.request_metadata().map(|it| it.own().into()),
            history_sync_config: self.history_sync_config().map(|it| it.own().into()),
            full_history_sync_on_demand_config: self.full_history_sync_on_demand_config().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::GalaxyFlowAction> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::GalaxyFlowActionView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::GalaxyFlowAction {
        wa_proto::e2e_message::message::peer_data_operation_request_message::GalaxyFlowAction {
            r#type: self.r#type(),
            flow_id: self.flow_id().map(|it| it.to_owned()),
            stanza_id: self.stanza_id().map(|it| it.to_owned()),
            galaxy_flow_download_request_id: self.galaxy_flow_download_request_id().map(|it| it.to_owned()),
            agm_id: self.agm_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::HistorySyncChunkRetryRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::HistorySyncChunkRetryRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::HistorySyncChunkRetryRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::HistorySyncChunkRetryRequest {
            sync_type: self.sync_type(),
            chunk_order: self.chunk_order(),
            chunk_notification_id: self.chunk_notification_id().map(|it| it.to_owned()),
            regenerate_chunk: self.regenerate_chunk(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::HistorySyncOnDemandRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::HistorySyncOnDemandRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::HistorySyncOnDemandRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::HistorySyncOnDemandRequest {
            chat_jid: self.chat_jid().map(|it| it.to_owned()),
            oldest_msg_id: self.oldest_msg_id().map(|it| it.to_owned()),
            oldest_msg_from_me: self.oldest_msg_from_me(),
            on_demand_msg_count: self.on_demand_msg_count(),
            oldest_msg_timestamp_ms: self.oldest_msg_timestamp_ms(),
            account_lid: self.account_lid().map(|it| it.to_owned()),
            support_inline_response: self.support_inline_response(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::PlaceholderMessageResendRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::PlaceholderMessageResendRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::PlaceholderMessageResendRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::PlaceholderMessageResendRequest {
            message_key: self.message_key().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::RequestStickerReupload> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::RequestStickerReuploadView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::RequestStickerReupload {
        wa_proto::e2e_message::message::peer_data_operation_request_message::RequestStickerReupload {
            file_sha256: self.file_sha256().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::RequestUrlPreview> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::RequestUrlPreviewView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::RequestUrlPreview {
        wa_proto::e2e_message::message::peer_data_operation_request_message::RequestUrlPreview {
            url: self.url().map(|it| it.to_owned()),
            include_hq_thumbnail: self.include_hq_thumbnail(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequest> for wa_proto::view::e2e_message::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequestView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequest {
        wa_proto::e2e_message::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequest {
            collection_name: self.collection_name().map(|it| it.to_owned()),
            timestamp: self.timestamp(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PeerDataOperationRequestResponseMessage> for wa_proto::view::e2e_message::message::PeerDataOperationRequestResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PeerDataOperationRequestResponseMessage {
        wa_proto::e2e_message::message::PeerDataOperationRequestResponseMessage {
            peer_data_operation_request_type: self.peer_data_operation_request_type(),
            stanza_id: self.stanza_id().map(|it| it.to_owned()),
            peer_data_operation_result: self.peer_data_operation_result().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResult> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResultView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResult {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::PeerDataOperationResult {
            media_upload_result: self.media_upload_result(),
            sticker_message: self.sticker_message().map(|it| it.own().into()),
            link_preview_response: self.link_preview_response().map(|it| it.own().into()),
            placeholder_message_resend_response: self.placeholder_message_resend_response().map(|it| it.own().into()),
            waffle_nonce_fetch_request_response: self.waffle_nonce_fetch_request_response().map(|it| it.own().into()),
            full_history_sync_on_demand_request_response: self.full_history_sync_on_demand_request_response().map(|it| it.own().into()),
            companion_meta_nonce_fetch_request_response: self.companion_meta_nonce_fetch_request_response().map(|it| it.own().into()),
            syncd_snapshot_fatal_recovery_response: self.syncd_snapshot_fatal_recovery_response().map(|it| it.own().into()),
            companion_canonical_user_nonce_fetch_request_response: self.companion_canonical_user_nonce_fetch_request_response().map(|it| it.own().into()),
            history_sync_chunk_retry_response: self.history_sync_chunk_retry_response().map(|it| it.own().into()),
            flow_responses_csv_bundle: self.flow_responses_csv_bundle().map(|it| it.own().into()),
            biz_broadcast_insights_contact_list_response: self.biz_broadcast_insights_contact_list_response().map(|it| it.own().into()),
            contact_refresh_response: self.contact_refresh_response().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactListResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactListResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactListResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactListResponse {
            campaign_id: self.campaign_id().map(|it| it.to_owned()),
            timestamp_ms: self.timestamp_ms(),
            contacts: self.contacts().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactState> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactStateView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactState {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::BizBroadcastInsightsContactState {
            contact_jid: self.contact_jid().map(|it| it.to_owned()),
            state: self.state(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionCanonicalUserNonceFetchResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionCanonicalUserNonceFetchResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionCanonicalUserNonceFetchResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionCanonicalUserNonceFetchResponse {
            nonce: self.nonce().map(|it| it.to_owned()),
            wa_fbid: self.wa_fbid().map(|it| it.to_owned()),
            force_refresh: self.force_refresh(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionMetaNonceFetchResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionMetaNonceFetchResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionMetaNonceFetchResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::CompanionMetaNonceFetchResponse {
            nonce: self.nonce().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::ContactRefreshResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::ContactRefreshResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::ContactRefreshResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::ContactRefreshResponse {
            covered_request_ids: self.covered_request_ids().map(|it| it.to_owned()).collect(),
            collection_version: self.collection_version(),
            primary_duration_ms: self.primary_duration_ms(),
            unique_contact_count: self.unique_contact_count(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FlowResponsesCsvBundle> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FlowResponsesCsvBundleView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FlowResponsesCsvBundle {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FlowResponsesCsvBundle {
            flow_id: self.flow_id().map(|it| it.to_owned()),
            galaxy_flow_download_request_id: self.galaxy_flow_download_request_id().map(|it| it.to_owned()),
            file_name: self.file_name().map(|it| it.to_owned()),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            file_length: self.file_length(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandRequestResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandRequestResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandRequestResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandRequestResponse {
            request_metadata: self.request_metadata().map(|it| it.own().into()),
            response_code: self.response_code(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::HistorySyncChunkRetryResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::HistorySyncChunkRetryResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::HistorySyncChunkRetryResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::HistorySyncChunkRetryResponse {
            sync_type: self.sync_type(),
            chunk_order: self.chunk_order(),
            request_id: self.request_id().map(|it| it.to_owned()),
            response_code: self.response_code(),
            can_recover: self.can_recover(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::LinkPreviewResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::LinkPreviewResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::LinkPreviewResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::LinkPreviewResponse {
            url: self.url().map(|it| it.to_owned()),
            title: self.title().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
            thumb_data: self.thumb_data().map(|it| bytes::Bytes::copy_from_slice(it)),
            match_text: self.match_text().map(|it| it.to_owned()),
            preview_type: self.preview_type().map(|it| it.to_owned()),
            hq_thumbnail: self.hq_thumbnail().map(|it| it.own().into()),
            preview_metadata: self.preview_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::LinkPreviewHighQualityThumbnail> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::LinkPreviewHighQualityThumbnailView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::LinkPreviewHighQualityThumbnail {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::LinkPreviewHighQualityThumbnail {
            direct_path: self.direct_path().map(|it| it.to_owned()),
            thumb_hash: self.thumb_hash().map(|it| it.to_owned()),
            enc_thumb_hash: self.enc_thumb_hash().map(|it| it.to_owned()),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key_timestamp_ms: self.media_key_timestamp_ms(),
            thumb_width: self.thumb_width(),
            thumb_height: self.thumb_height(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::PaymentLinkPreviewMetadata> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::PaymentLinkPreviewMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::PaymentLinkPreviewMetadata {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::link_preview_response::PaymentLinkPreviewMetadata {
            is_business_verified: self.is_business_verified(),
            provider_name: self.provider_name().map(|it| it.to_owned()),
            amount: self.amount().map(|it| it.to_owned()),
            offset: self.offset().map(|it| it.to_owned()),
            currency: self.currency().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponse {
            web_message_info_bytes: self.web_message_info_bytes().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::SyncDSnapshotFatalRecoveryResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::SyncDSnapshotFatalRecoveryResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::SyncDSnapshotFatalRecoveryResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::SyncDSnapshotFatalRecoveryResponse {
            collection_snapshot: self.collection_snapshot().map(|it| bytes::Bytes::copy_from_slice(it)),
            is_compressed: self.is_compressed(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::WaffleNonceFetchResponse> for wa_proto::view::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::WaffleNonceFetchResponseView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::WaffleNonceFetchResponse {
        wa_proto::e2e_message::message::peer_data_operation_request_response_message::peer_data_operation_result::WaffleNonceFetchResponse {
            nonce: self.nonce().map(|it| it.to_owned()),
            wa_ent_fbid: self.wa_ent_fbid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PinInChatMessage> for wa_proto::view::e2e_message::message::PinInChatMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PinInChatMessage {
        wa_proto::e2e_message::message::PinInChatMessage {
            key: self.key().map(|it| it.own().into()),
            r#type: self.r#type(),
            sender_timestamp_ms: self.sender_timestamp_ms(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PlaceholderMessage> for wa_proto::view::e2e_message::message::PlaceholderMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PlaceholderMessage {
        wa_proto::e2e_message::message::PlaceholderMessage {
            r#type: self.r#type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PollAddOptionMessage> for wa_proto::view::e2e_message::message::PollAddOptionMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PollAddOptionMessage {
        wa_proto::e2e_message::message::PollAddOptionMessage {
            poll_creation_message_key: self.poll_creation_message_key().map(|it| it.own().into()),
            add_option: self.add_option().map(|it| it.own().into()),
            metadata: self.metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PollCreationMessage> for wa_proto::view::e2e_message::message::PollCreationMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PollCreationMessage {
        wa_proto::e2e_message::message::PollCreationMessage {
            enc_key: self.enc_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            name: self.name().map(|it| it.to_owned()),
            options: self.options().map(|it| it.own().into()).collect(),
            selectable_options_count: self.selectable_options_count(),
            context_info: self.context_info().map(|it| it.own().into()),
            poll_content_type: self.poll_content_type(),
            poll_type: self.poll_type(),
            correct_answer: self.correct_answer().map(|it| it.own().into()),
            end_time: self.end_time(),
            hide_participant_name: self.hide_participant_name(),
            allow_add_option: self.allow_add_option(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::poll_creation_message::Option> for wa_proto::view::e2e_message::message::poll_creation_message::OptionView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::poll_creation_message::Option {
        wa_proto::e2e_message::message::poll_creation_message::Option {
            option_name: self.option_name().map(|it| it.to_owned()),
            option_hash: self.option_hash().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PollEncValue> for wa_proto::view::e2e_message::message::PollEncValueView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PollEncValue {
        wa_proto::e2e_message::message::PollEncValue {
            enc_payload: self.enc_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            enc_iv: self.enc_iv().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PollResultSnapshotMessage> for wa_proto::view::e2e_message::message::PollResultSnapshotMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PollResultSnapshotMessage {
        wa_proto::e2e_message::message::PollResultSnapshotMessage {
            name: self.name().map(|it| it.to_owned()),
            poll_votes: self.poll_votes().map(|it| it.own().into()).collect(),
            context_info: self.context_info().map(|it| it.own().into()),
            poll_type: self.poll_type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::poll_result_snapshot_message::PollVote> for wa_proto::view::e2e_message::message::poll_result_snapshot_message::PollVoteView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::poll_result_snapshot_message::PollVote {
        wa_proto::e2e_message::message::poll_result_snapshot_message::PollVote {
            option_name: self.option_name().map(|it| it.to_owned()),
            option_vote_count: self.option_vote_count(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PollUpdateMessage> for wa_proto::view::e2e_message::message::PollUpdateMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PollUpdateMessage {
        wa_proto::e2e_message::message::PollUpdateMessage {
            poll_creation_message_key: self.poll_creation_message_key().map(|it| it.own().into()),
            vote: self.vote().map(|it| it.own().into()),
            metadata: self.metadata().map(|it| it.own().into()),
            sender_timestamp_ms: self.sender_timestamp_ms(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::PollUpdateMessageMetadata> for wa_proto::view::e2e_message::message::PollUpdateMessageMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::PollUpdateMessageMetadata {
        wa_proto::e2e_message::message::PollUpdateMessageMetadata {
            poll_name_hash: self.poll_name_hash().map(|it| bytes::Bytes::copy_from_slice(it)),
            last_edit_stanza_id: self.last_edit_stanza_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ProductMessage> for wa_proto::view::e2e_message::message::ProductMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ProductMessage {
        wa_proto::e2e_message::message::ProductMessage {
            product: self.product().map(|it| it.own().into()),
            business_owner_jid: self.business_owner_jid().map(|it| it.to_owned()),
            catalog: self.catalog().map(|it| it.own().into()),
            body: self.body().map(|it| it.to_owned()),
            footer: self.footer().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::product_message::CatalogSnapshot> for wa_proto::view::e2e_message::message::product_message::CatalogSnapshotView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::product_message::CatalogSnapshot {
        wa_proto::e2e_message::message::product_message::CatalogSnapshot {
            catalog_image: self.catalog_image().map(|it| it.own().into()),
            title: self.title().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::product_message::ProductSnapshot> for wa_proto::view::e2e_message::message::product_message::ProductSnapshotView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::product_message::ProductSnapshot {
        wa_proto::e2e_message::message::product_message::ProductSnapshot {
            product_image: self.product_image().map(|it| it.own().into()),
            product_id: self.product_id().map(|it| it.to_owned()),
            title: self.title().map(|it| it.to_owned()),
            description: self.description().map(|it| it.to_owned()),
            currency_code: self.currency_code().map(|it| it.to_owned()),
            price_amount1000: self.price_amount1000(),
            retailer_id: self.retailer_id().map(|it| it.to_owned()),
            url: self.url().map(|it| it.to_owned()),
            product_image_count: self.product_image_count(),
            first_image_id: self.first_image_id().map(|it| it.to_owned()),
            sale_price_amount1000: self.sale_price_amount1000(),
            signed_url: self.signed_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ProtocolMessage> for wa_proto::view::e2e_message::message::ProtocolMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ProtocolMessage {
        wa_proto::e2e_message::message::ProtocolMessage {
            key: self.key().map(|it| it.own().into()),
            r#type: self.r#type(),
            ephemeral_expiration: self.ephemeral_expiration(),
            ephemeral_setting_timestamp: self.ephemeral_setting_timestamp(),
            history_sync_notification: self.history_sync_notification().map(|it| it.own().into()),
            app_state_sync_key_share: self.app_state_sync_key_share().map(|it| it.own().into()),
            app_state_sync_key_request: self.app_state_sync_key_request().map(|it| it.own().into()),
            initial_security_notification_setting_sync: self.initial_security_notification_setting_sync().map(|it| it.own().into()),
            app_state_fatal_exception_notification: self.app_state_fatal_exception_notification().map(|it| it.own().into()),
            disappearing_mode: self.disappearing_mode().map(|it| it.own().into()),
            edited_message: self.edited_message().map(|it| it.own().into()),
            timestamp_ms: self.timestamp_ms(),
            peer_data_operation_request_message: self.peer_data_operation_request_message().map(|it| it.own().into()),
            peer_data_operation_request_response_message: self.peer_data_operation_request_response_message().map(|it| it.own().into()),
            bot_feedback_message: self.bot_feedback_message().map(|it| it.own().into()),
            invoker_jid: self.invoker_jid().map(|it| it.to_owned()),
            request_welcome_message_metadata: self.request_welcome_message_metadata().map(|it| it.own().into()),
            media_notify_message: self.media_notify_message().map(|it| it.own().into()),
            cloud_api_thread_control_notification: self.cloud_api_thread_control_notification().map(|it| it.own().into()),
            lid_migration_mapping_sync_message: self.lid_migration_mapping_sync_message().map(|it| it.own().into()),
            limit_sharing: self.limit_sharing().map(|it| it.own().into()),
            ai_psi_metadata: self.ai_psi_metadata().map(|it| bytes::Bytes::copy_from_slice(it)),
            ai_query_fanout: self.ai_query_fanout().map(|it| it.own().into()),
            member_label: self.member_label().map(|it| it.own().into()),
            ai_media_collection_message: self.ai_media_collection_message().map(|it| it.own().into()),
            after_read_duration: self.after_read_duration(),
            chat_theme_setting: self.chat_theme_setting().map(|it| it.own().into()),
            ai_metadata_operation: self.ai_metadata_operation().map(|it| it.own().into()),
            mark_as_verified_action: self.mark_as_verified_action().map(|it| it.own().into()),
            coex_state_sync: self.coex_state_sync().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::QuestionResponseMessage> for wa_proto::view::e2e_message::message::QuestionResponseMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::QuestionResponseMessage {
        wa_proto::e2e_message::message::QuestionResponseMessage {
            key: self.key().map(|it| it.own().into()),
            text: self.text().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ReactionMessage> for wa_proto::view::e2e_message::message::ReactionMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ReactionMessage {
        wa_proto::e2e_message::message::ReactionMessage {
            key: self.key().map(|it| it.own().into()),
            text: self.text().map(|it| it.to_owned()),
            grouping_key: self.grouping_key().map(|it| it.to_owned()),
            sender_timestamp_ms: self.sender_timestamp_ms(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::RequestPaymentMessage> for wa_proto::view::e2e_message::message::RequestPaymentMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::RequestPaymentMessage {
        wa_proto::e2e_message::message::RequestPaymentMessage {
            note_message: self.note_message().map(|it| it.own().into()),
            currency_code_iso4217: self.currency_code_iso4217().map(|it| it.to_owned()),
            amount1000: self.amount1000(),
            request_from: self.request_from().map(|it| it.to_owned()),
            expiry_timestamp: self.expiry_timestamp(),
            amount: self.amount().map(|it| it.own().into()),
            background: self.background().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::RequestPhoneNumberMessage> for wa_proto::view::e2e_message::message::RequestPhoneNumberMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::RequestPhoneNumberMessage {
        wa_proto::e2e_message::message::RequestPhoneNumberMessage {
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::RequestWelcomeMessageMetadata> for wa_proto::view::e2e_message::message::RequestWelcomeMessageMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::RequestWelcomeMessageMetadata {
        wa_proto::e2e_message::message::RequestWelcomeMessageMetadata {
            local_chat_state: self.local_chat_state(),
            welcome_trigger: self.welcome_trigger(),
            bot_agent_metadata: self.bot_agent_metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::RootSecretDistributeMessage> for wa_proto::view::e2e_message::message::RootSecretDistributeMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::RootSecretDistributeMessage {
        wa_proto::e2e_message::message::RootSecretDistributeMessage {
            chat_jid: self.chat_jid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ScheduledCallCreationMessage> for wa_proto::view::e2e_message::message::ScheduledCallCreationMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ScheduledCallCreationMessage {
        wa_proto::e2e_message::message::ScheduledCallCreationMessage {
            scheduled_timestamp_ms: self.scheduled_timestamp_ms(),
            call_type: self.call_type(),
            title: self.title().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::ScheduledCallEditMessage> for wa_proto::view::e2e_message::message::ScheduledCallEditMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::ScheduledCallEditMessage {
        wa_proto::e2e_message::message::ScheduledCallEditMessage {
            key: self.key().map(|it| it.own().into()),
            edit_type: self.edit_type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::SecretEncryptedMessage> for wa_proto::view::e2e_message::message::SecretEncryptedMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::SecretEncryptedMessage {
        wa_proto::e2e_message::message::SecretEncryptedMessage {
            target_message_key: self.target_message_key().map(|it| it.own().into()),
            enc_payload: self.enc_payload().map(|it| bytes::Bytes::copy_from_slice(it)),
            enc_iv: self.enc_iv().map(|it| bytes::Bytes::copy_from_slice(it)),
            secret_enc_type: self.secret_enc_type(),
            remote_key_id: self.remote_key_id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::SendPaymentMessage> for wa_proto::view::e2e_message::message::SendPaymentMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::SendPaymentMessage {
        wa_proto::e2e_message::message::SendPaymentMessage {
            note_message: self.note_message().map(|it| it.own().into()),
            request_message_key: self.request_message_key().map(|it| it.own().into()),
            background: self.background().map(|it| it.own().into()),
            transaction_data: self.transaction_data().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::SenderKeyDistributionMessage> for wa_proto::view::e2e_message::message::SenderKeyDistributionMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::SenderKeyDistributionMessage {
        wa_proto::e2e_message::message::SenderKeyDistributionMessage {
            group_id: self.group_id().map(|it| it.to_owned()),
            axolotl_sender_key_distribution_message: self.axolotl_sender_key_distribution_message().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::message::SplitPaymentMessage> for wa_proto::view::e2e_message::message::SplitPaymentMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::SplitPaymentMessage {
        wa_proto::e2e_message::message::SplitPaymentMessage {
            split_id: self.split_id().map(|it| it.to_owned()),
            total_amount: self.total_amount().map(|it| it.own().into()),
            description: self.description().map(|it| it.to_owned()),
            requester_jid: self.requester_jid().map(|it| it.to_owned()),
            participants: self.participants().map(|it| it.own().into()).collect(),
            created_at_ms: self.created_at_ms(),
            context_info: self.context_info().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::SplitPaymentParticipant> for wa_proto::view::e2e_message::message::SplitPaymentParticipantView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::SplitPaymentParticipant {
        wa_proto::e2e_message::message::SplitPaymentParticipant {
            jid: self.jid().map(|it| it.to_owned()),
            amount: self.amount().map(|it| it.own().into()),
            status: self.status(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::SplitPaymentUpdateMessage> for wa_proto::view::e2e_message::message::SplitPaymentUpdateMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::SplitPaymentUpdateMessage {
        wa_proto::e2e_message::message::SplitPaymentUpdateMessage {
            split_id: self.split_id().map(|it| it.to_owned()),
            participant_jid: self.participant_jid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StatusLinkPreviewMetadata> for wa_proto::view::e2e_message::message::StatusLinkPreviewMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StatusLinkPreviewMetadata {
        wa_proto::e2e_message::message::StatusLinkPreviewMetadata {
            style: self.style(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StatusNotificationMessage> for wa_proto::view::e2e_message::message::StatusNotificationMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StatusNotificationMessage {
        wa_proto::e2e_message::message::StatusNotificationMessage {
            response_message_key: self.response_message_key().map(|it| it.own().into()),
            original_message_key: self.original_message_key().map(|it| it.own().into()),
            r#type: self.r#type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StatusQuestionAnswerMessage> for wa_proto::view::e2e_message::message::StatusQuestionAnswerMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StatusQuestionAnswerMessage {
        wa_proto::e2e_message::message::StatusQuestionAnswerMessage {
            key: self.key().map(|it| it.own().into()),
            text: self.text().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StatusQuotedMessage> for wa_proto::view::e2e_message::message::StatusQuotedMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StatusQuotedMessage {
        wa_proto::e2e_message::message::StatusQuotedMessage {
            r#type: self.r#type(),
            text: self.text().map(|it| it.to_owned()),
            thumbnail: self.thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            original_status_id: self.original_status_id().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StatusStickerInteractionMessage> for wa_proto::view::e2e_message::message::StatusStickerInteractionMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StatusStickerInteractionMessage {
        wa_proto::e2e_message::message::StatusStickerInteractionMessage {
            key: self.key().map(|it| it.own().into()),
            sticker_key: self.sticker_key().map(|it| it.to_owned()),
            r#type: self.r#type(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StickerMessage> for wa_proto::view::e2e_message::message::StickerMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StickerMessage {
        wa_proto::e2e_message::message::StickerMessage {
            url: self.url().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            height: self.height(),
            width: self.width(),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            file_length: self.file_length(),
            media_key_timestamp: self.media_key_timestamp(),
            first_frame_length: self.first_frame_length(),
            first_frame_sidecar: self.first_frame_sidecar().map(|it| bytes::Bytes::copy_from_slice(it)),
            is_animated: self.is_animated(),
            png_thumbnail: self.png_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
            sticker_sent_ts: self.sticker_sent_ts(),
            is_avatar: self.is_avatar(),
            is_ai_sticker: self.is_ai_sticker(),
            is_lottie: self.is_lottie(),
            accessibility_label: self.accessibility_label().map(|it| it.to_owned()),
            premium: self.premium(),
            emojis: self.emojis().map(|it| it.to_owned()),
            media_key_domain: self.media_key_domain(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StickerPackMessage> for wa_proto::view::e2e_message::message::StickerPackMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StickerPackMessage {
        wa_proto::e2e_message::message::StickerPackMessage {
            sticker_pack_id: self.sticker_pack_id().map(|it| it.to_owned()),
            name: self.name().map(|it| it.to_owned()),
            publisher: self.publisher().map(|it| it.to_owned()),
            stickers: self.stickers().map(|it| it.own().into()).collect(),
            file_length: self.file_length(),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            caption: self.caption().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
            pack_description: self.pack_description().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            tray_icon_file_name: self.tray_icon_file_name().map(|it| it.to_owned()),
            thumbnail_direct_path: self.thumbnail_direct_path().map(|it| it.to_owned()),
            thumbnail_sha256: self.thumbnail_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            thumbnail_enc_sha256: self.thumbnail_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            thumbnail_height: self.thumbnail_height(),
            thumbnail_width: self.thumbnail_width(),
            image_data_hash: self.image_data_hash().map(|it| it.to_owned()),
            sticker_pack_size: self.sticker_pack_size(),
            sticker_pack_origin: self.sticker_pack_origin(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::sticker_pack_message::Sticker> for wa_proto::view::e2e_message::message::sticker_pack_message::StickerView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::sticker_pack_message::Sticker {
        wa_proto::e2e_message::message::sticker_pack_message::Sticker {
            file_name: self.file_name().map(|it| it.to_owned()),
            is_animated: self.is_animated(),
            emojis: self.emojis().map(|it| it.to_owned()).collect(),
            accessibility_label: self.accessibility_label().map(|it| it.to_owned()),
            is_lottie: self.is_lottie(),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            premium: self.premium(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::StickerSyncRmrMessage> for wa_proto::view::e2e_message::message::StickerSyncRmrMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::StickerSyncRmrMessage {
        wa_proto::e2e_message::message::StickerSyncRmrMessage {
            filehash: self.filehash().map(|it| it.to_owned()).collect(),
            rmr_source: self.rmr_source().map(|it| it.to_owned()),
            request_timestamp: self.request_timestamp(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::TemplateButtonReplyMessage> for wa_proto::view::e2e_message::message::TemplateButtonReplyMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::TemplateButtonReplyMessage {
        wa_proto::e2e_message::message::TemplateButtonReplyMessage {
            selected_id: self.selected_id().map(|it| it.to_owned()),
            selected_display_text: self.selected_display_text().map(|it| it.to_owned()),
            context_info: self.context_info().map(|it| it.own().into()),
            selected_index: self.selected_index(),
            selected_carousel_card_index: self.selected_carousel_card_index(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::TemplateMessage> for wa_proto::view::e2e_message::message::TemplateMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::TemplateMessage {
        wa_proto::e2e_message::message::TemplateMessage {
            context_info: self.context_info().map(|it| it.own().into()),
            hydrated_template: self.hydrated_template().map(|it| it.own().into()),
            template_id: self.template_id().map(|it| it.to_owned()),
            format: None
                .or_else(|| self.four_row_template().map(|it| wa_proto::e2e_message::message::template_message::Format::FourRowTemplate(it.own().into())))
                .or_else(|| self.hydrated_four_row_template().map(|it| wa_proto::e2e_message::message::template_message::Format::HydratedFourRowTemplate(it.own().into())))
                .or_else(|| self.interactive_message_template().map(|it| wa_proto::e2e_message::message::template_message::Format::InteractiveMessageTemplate(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::template_message::FourRowTemplate> for wa_proto::view::e2e_message::message::template_message::FourRowTemplateView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::template_message::FourRowTemplate {
        wa_proto::e2e_message::message::template_message::FourRowTemplate {
            content: self.content().map(|it| it.own().into()),
            footer: self.footer().map(|it| it.own().into()),
            buttons: self.buttons().map(|it| it.own().into()).collect(),
            title: None
                .or_else(|| self.document_message().map(|it| wa_proto::e2e_message::message::template_message::four_row_template::Title::DocumentMessage(it.own().into())))
                .or_else(|| self.highly_structured_message().map(|it| wa_proto::e2e_message::message::template_message::four_row_template::Title::HighlyStructuredMessage(it.own().into())))
                .or_else(|| self.image_message().map(|it| wa_proto::e2e_message::message::template_message::four_row_template::Title::ImageMessage(it.own().into())))
                .or_else(|| self.video_message().map(|it| wa_proto::e2e_message::message::template_message::four_row_template::Title::VideoMessage(it.own().into())))
                .or_else(|| self.location_message().map(|it| wa_proto::e2e_message::message::template_message::four_row_template::Title::LocationMessage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::template_message::HydratedFourRowTemplate> for wa_proto::view::e2e_message::message::template_message::HydratedFourRowTemplateView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::template_message::HydratedFourRowTemplate {
        wa_proto::e2e_message::message::template_message::HydratedFourRowTemplate {
            hydrated_content_text: self.hydrated_content_text().map(|it| it.to_owned()),
            hydrated_footer_text: self.hydrated_footer_text().map(|it| it.to_owned()),
            hydrated_buttons: self.hydrated_buttons().map(|it| it.own().into()).collect(),
            template_id: self.template_id().map(|it| it.to_owned()),
            mask_linked_devices: self.mask_linked_devices(),
            title: None
                .or_else(|| self.document_message().map(|it| wa_proto::e2e_message::message::template_message::hydrated_four_row_template::Title::DocumentMessage(it.own().into())))
                .or_else(|| self.hydrated_title_text().map(|it| wa_proto::e2e_message::message::template_message::hydrated_four_row_template::Title::HydratedTitleText(it.to_owned())))
                .or_else(|| self.image_message().map(|it| wa_proto::e2e_message::message::template_message::hydrated_four_row_template::Title::ImageMessage(it.own().into())))
                .or_else(|| self.video_message().map(|it| wa_proto::e2e_message::message::template_message::hydrated_four_row_template::Title::VideoMessage(it.own().into())))
                .or_else(|| self.location_message().map(|it| wa_proto::e2e_message::message::template_message::hydrated_four_row_template::Title::LocationMessage(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::message::UrlMetadata> for wa_proto::view::e2e_message::message::UrlMetadataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::UrlMetadata {
        wa_proto::e2e_message::message::UrlMetadata {
            fb_experiment_id: self.fb_experiment_id(),
        }
    }
}

impl Own<wa_proto::e2e_message::message::VideoEndCard> for wa_proto::view::e2e_message::message::VideoEndCardView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::VideoEndCard {
        wa_proto::e2e_message::message::VideoEndCard {
            username: self.username().map(|it| it.to_owned()),
            caption: self.caption().map(|it| it.to_owned()),
            thumbnail_image_url: self.thumbnail_image_url().map(|it| it.to_owned()),
            profile_picture_url: self.profile_picture_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::message::VideoMessage> for wa_proto::view::e2e_message::message::VideoMessageView<'_> {
    fn own(&self) -> wa_proto::e2e_message::message::VideoMessage {
        wa_proto::e2e_message::message::VideoMessage {
            url: self.url().map(|it| it.to_owned()),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_length: self.file_length(),
            seconds: self.seconds(),
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            caption: self.caption().map(|it| it.to_owned()),
            gif_playback: self.gif_playback(),
            height: self.height(),
            width: self.width(),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            interactive_annotations: self.interactive_annotations().map(|it| it.own().into()).collect(),
            direct_path: self.direct_path().map(|it| it.to_owned()),
            media_key_timestamp: self.media_key_timestamp(),
            jpeg_thumbnail: self.jpeg_thumbnail().map(|it| bytes::Bytes::copy_from_slice(it)),
            context_info: self.context_info().map(|it| it.own().into()),
            streaming_sidecar: self.streaming_sidecar().map(|it| bytes::Bytes::copy_from_slice(it)),
            gif_attribution: self.gif_attribution(),
            view_once: self.view_once(),
            thumbnail_direct_path: self.thumbnail_direct_path().map(|it| it.to_owned()),
            thumbnail_sha256: self.thumbnail_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            thumbnail_enc_sha256: self.thumbnail_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            static_url: self.static_url().map(|it| it.to_owned()),
            annotations: self.annotations().map(|it| it.own().into()).collect(),
            accessibility_label: self.accessibility_label().map(|it| it.to_owned()),
            processed_videos: self.processed_videos().map(|it| it.own().into()).collect(),
            external_share_full_video_duration_in_seconds: self.external_share_full_video_duration_in_seconds(),
            motion_photo_presentation_offset_ms: self.motion_photo_presentation_offset_ms(),
            metadata_url: self.metadata_url().map(|it| it.to_owned()),
            video_source_type: self.video_source_type(),
            media_key_domain: self.media_key_domain(),
        }
    }
}

impl Own<wa_proto::e2e_message::MessageAssociation> for wa_proto::view::e2e_message::MessageAssociationView<'_> {
    fn own(&self) -> wa_proto::e2e_message::MessageAssociation {
        wa_proto::e2e_message::MessageAssociation {
            association_type: self.association_type(),
            parent_message_key: self.parent_message_key().map(|it| it.own().into()),
            message_index: self.message_index(),
        }
    }
}

impl Own<wa_proto::e2e_message::MessageContextInfo> for wa_proto::view::e2e_message::MessageContextInfoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::MessageContextInfo {
        wa_proto::e2e_message::MessageContextInfo {
            device_list_metadata: self.device_list_metadata().map(|it| it.own().into()),
            device_list_metadata_version: self.device_list_metadata_version(),
            message_secret: self.message_secret().map(|it| bytes::Bytes::copy_from_slice(it)),
            padding_bytes: self.padding_bytes().map(|it| bytes::Bytes::copy_from_slice(it)),
            message_add_on_duration_in_secs: self.message_add_on_duration_in_secs(),
            bot_message_secret: self.bot_message_secret().map(|it| bytes::Bytes::copy_from_slice(it)),
            bot_metadata: self.bot_metadata().map(|it| it.own().into()),
            reporting_token_version: self.reporting_token_version(),
            message_add_on_expiry_type: self.message_add_on_expiry_type(),
            message_association: self.message_association().map(|it| it.own().into()),
            capi_created_group: self.capi_created_group(),
            support_payload: self.support_payload().map(|it| it.to_owned()),
            limit_sharing: self.limit_sharing().map(|it| it.own().into()),
            limit_sharing_v2: self.limit_sharing_v2().map(|it| it.own().into()),
            thread_id: self.thread_id().map(|it| it.own().into()).collect(),
            weblink_render_config: self.weblink_render_config(),
            tee_bot_metadata: self.tee_bot_metadata().map(|it| bytes::Bytes::copy_from_slice(it)),
            account_encryption_attestation: self.account_encryption_attestation().map(|it| it.own().into()),
            associated_primary_identity_key: self.associated_primary_identity_key().map(|it| bytes::Bytes::copy_from_slice(it)),
        }
    }
}

impl Own<wa_proto::e2e_message::Money> for wa_proto::view::e2e_message::MoneyView<'_> {
    fn own(&self) -> wa_proto::e2e_message::Money {
        wa_proto::e2e_message::Money {
            value: self.value(),
            offset: self.offset(),
            currency_code: self.currency_code().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::PaymentBackground> for wa_proto::view::e2e_message::PaymentBackgroundView<'_> {
    fn own(&self) -> wa_proto::e2e_message::PaymentBackground {
        wa_proto::e2e_message::PaymentBackground {
            id: self.id().map(|it| it.to_owned()),
            file_length: self.file_length(),
            width: self.width(),
            height: self.height(),
            mimetype: self.mimetype().map(|it| it.to_owned()),
            placeholder_argb: self.placeholder_argb(),
            text_argb: self.text_argb(),
            subtext_argb: self.subtext_argb(),
            media_data: self.media_data().map(|it| it.own().into()),
            r#type: self.r#type(),
        }
    }
}

impl Own<wa_proto::e2e_message::payment_background::MediaData> for wa_proto::view::e2e_message::payment_background::MediaDataView<'_> {
    fn own(&self) -> wa_proto::e2e_message::payment_background::MediaData {
        wa_proto::e2e_message::payment_background::MediaData {
            media_key: self.media_key().map(|it| bytes::Bytes::copy_from_slice(it)),
            media_key_timestamp: self.media_key_timestamp(),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            file_enc_sha256: self.file_enc_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            direct_path: self.direct_path().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::Point> for wa_proto::view::e2e_message::PointView<'_> {
    fn own(&self) -> wa_proto::e2e_message::Point {
        wa_proto::e2e_message::Point {
            x_deprecated: self.x_deprecated(),
            y_deprecated: self.y_deprecated(),
            x: self.x(),
            y: self.y(),
        }
    }
}

impl Own<wa_proto::e2e_message::ProcessedVideo> for wa_proto::view::e2e_message::ProcessedVideoView<'_> {
    fn own(&self) -> wa_proto::e2e_message::ProcessedVideo {
        wa_proto::e2e_message::ProcessedVideo {
            direct_path: self.direct_path().map(|it| it.to_owned()),
            file_sha256: self.file_sha256().map(|it| bytes::Bytes::copy_from_slice(it)),
            height: self.height(),
            width: self.width(),
            file_length: self.file_length(),
            bitrate: self.bitrate(),
            quality: self.quality(),
            capabilities: self.capabilities().map(|it| it.to_owned()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::TapLinkAction> for wa_proto::view::e2e_message::TapLinkActionView<'_> {
    fn own(&self) -> wa_proto::e2e_message::TapLinkAction {
        wa_proto::e2e_message::TapLinkAction {
            title: self.title().map(|it| it.to_owned()),
            tap_url: self.tap_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::TemplateButton> for wa_proto::view::e2e_message::TemplateButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::TemplateButton {
        wa_proto::e2e_message::TemplateButton {
            index: self.index(),
            button: None
                .or_else(|| self.quick_reply_button().map(|it| wa_proto::e2e_message::template_button::Button::QuickReplyButton(it.own().into())))
                .or_else(|| self.url_button().map(|it| wa_proto::e2e_message::template_button::Button::UrlButton(it.own().into())))
                .or_else(|| self.call_button().map(|it| wa_proto::e2e_message::template_button::Button::CallButton(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::e2e_message::template_button::CallButton> for wa_proto::view::e2e_message::template_button::CallButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::template_button::CallButton {
        wa_proto::e2e_message::template_button::CallButton {
            display_text: self.display_text().map(|it| it.own().into()),
            phone_number: self.phone_number().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::template_button::QuickReplyButton> for wa_proto::view::e2e_message::template_button::QuickReplyButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::template_button::QuickReplyButton {
        wa_proto::e2e_message::template_button::QuickReplyButton {
            display_text: self.display_text().map(|it| it.own().into()),
            id: self.id().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::e2e_message::template_button::UrlButton> for wa_proto::view::e2e_message::template_button::UrlButtonView<'_> {
    fn own(&self) -> wa_proto::e2e_message::template_button::UrlButton {
        wa_proto::e2e_message::template_button::UrlButton {
            display_text: self.display_text().map(|it| it.own().into()),
            url: self.url().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::ThreadId> for wa_proto::view::e2e_message::ThreadIdView<'_> {
    fn own(&self) -> wa_proto::e2e_message::ThreadId {
        wa_proto::e2e_message::ThreadId {
            thread_type: self.thread_type(),
            thread_key: self.thread_key().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::e2e_message::UrlTrackingMap> for wa_proto::view::e2e_message::UrlTrackingMapView<'_> {
    fn own(&self) -> wa_proto::e2e_message::UrlTrackingMap {
        wa_proto::e2e_message::UrlTrackingMap {
            url_tracking_map_elements: self.url_tracking_map_elements().map(|it| it.own().into()).collect(),
        }
    }
}

impl Own<wa_proto::e2e_message::url_tracking_map::UrlTrackingMapElement> for wa_proto::view::e2e_message::url_tracking_map::UrlTrackingMapElementView<'_> {
    fn own(&self) -> wa_proto::e2e_message::url_tracking_map::UrlTrackingMapElement {
        wa_proto::e2e_message::url_tracking_map::UrlTrackingMapElement {
            original_url: self.original_url().map(|it| it.to_owned()),
            unconsented_users_url: self.unconsented_users_url().map(|it| it.to_owned()),
            consented_users_url: self.consented_users_url().map(|it| it.to_owned()),
            card_index: self.card_index(),
        }
    }
}

impl Own<wa_proto::signal_other::NonE2eeAttestation> for wa_proto::view::signal_other::NonE2eeAttestationView<'_> {
    fn own(&self) -> wa_proto::signal_other::NonE2eeAttestation {
        wa_proto::signal_other::NonE2eeAttestation {
            account_type: self.account_type(),
        }
    }
}

impl Own<wa_proto::status_attribution::StatusAttribution> for wa_proto::view::status_attribution::StatusAttributionView<'_> {
    fn own(&self) -> wa_proto::status_attribution::StatusAttribution {
        wa_proto::status_attribution::StatusAttribution {
            r#type: self.r#type(),
            action_url: self.action_url().map(|it| it.to_owned()),
            attribution_data: None
                .or_else(|| self.status_reshare().map(|it| wa_proto::status_attribution::status_attribution::AttributionData::StatusReshare(it.own().into())))
                .or_else(|| self.external_share().map(|it| wa_proto::status_attribution::status_attribution::AttributionData::ExternalShare(it.own().into())))
                .or_else(|| self.music().map(|it| wa_proto::status_attribution::status_attribution::AttributionData::Music(it.own().into())))
                .or_else(|| self.group_status().map(|it| wa_proto::status_attribution::status_attribution::AttributionData::GroupStatus(it.own().into())))
                .or_else(|| self.rl_attribution().map(|it| wa_proto::status_attribution::status_attribution::AttributionData::RlAttribution(it.own().into())))
                .or_else(|| self.ai_created_attribution().map(|it| wa_proto::status_attribution::status_attribution::AttributionData::AiCreatedAttribution(it.own().into())))
                ,
        }
    }
}

impl Own<wa_proto::status_attribution::status_attribution::AiCreatedAttribution> for wa_proto::view::status_attribution::status_attribution::AiCreatedAttributionView<'_> {
    fn own(&self) -> wa_proto::status_attribution::status_attribution::AiCreatedAttribution {
        wa_proto::status_attribution::status_attribution::AiCreatedAttribution {
            source: self.source(),
        }
    }
}

impl Own<wa_proto::status_attribution::status_attribution::ExternalShare> for wa_proto::view::status_attribution::status_attribution::ExternalShareView<'_> {
    fn own(&self) -> wa_proto::status_attribution::status_attribution::ExternalShare {
        wa_proto::status_attribution::status_attribution::ExternalShare {
            action_url: self.action_url().map(|it| it.to_owned()),
            source: self.source(),
            duration: self.duration(),
            action_fallback_url: self.action_fallback_url().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::status_attribution::status_attribution::GroupStatus> for wa_proto::view::status_attribution::status_attribution::GroupStatusView<'_> {
    fn own(&self) -> wa_proto::status_attribution::status_attribution::GroupStatus {
        wa_proto::status_attribution::status_attribution::GroupStatus {
            author_jid: self.author_jid().map(|it| it.to_owned()),
        }
    }
}

impl Own<wa_proto::status_attribution::status_attribution::Music> for wa_proto::view::status_attribution::status_attribution::MusicView<'_> {
    fn own(&self) -> wa_proto::status_attribution::status_attribution::Music {
        wa_proto::status_attribution::status_attribution::Music {
            author_name: self.author_name().map(|it| it.to_owned()),
            song_id: self.song_id().map(|it| it.to_owned()),
            title: self.title().map(|it| it.to_owned()),
            author: self.author().map(|it| it.to_owned()),
            artist_attribution: self.artist_attribution().map(|it| it.to_owned()),
            is_explicit: self.is_explicit(),
        }
    }
}

impl Own<wa_proto::status_attribution::status_attribution::RlAttribution> for wa_proto::view::status_attribution::status_attribution::RlAttributionView<'_> {
    fn own(&self) -> wa_proto::status_attribution::status_attribution::RlAttribution {
        wa_proto::status_attribution::status_attribution::RlAttribution {
            source: self.source(),
        }
    }
}

impl Own<wa_proto::status_attribution::status_attribution::StatusReshare> for wa_proto::view::status_attribution::status_attribution::StatusReshareView<'_> {
    fn own(&self) -> wa_proto::status_attribution::status_attribution::StatusReshare {
        wa_proto::status_attribution::status_attribution::StatusReshare {
            source: self.source(),
            metadata: self.metadata().map(|it| it.own().into()),
        }
    }
}

impl Own<wa_proto::status_attribution::status_attribution::status_reshare::Metadata> for wa_proto::view::status_attribution::status_attribution::status_reshare::MetadataView<'_> {
    fn own(&self) -> wa_proto::status_attribution::status_attribution::status_reshare::Metadata {
        wa_proto::status_attribution::status_attribution::status_reshare::Metadata {
            duration: self.duration(),
            channel_jid: self.channel_jid().map(|it| it.to_owned()),
            channel_message_id: self.channel_message_id(),
            has_multiple_reshares: self.has_multiple_reshares(),
        }
    }
}
