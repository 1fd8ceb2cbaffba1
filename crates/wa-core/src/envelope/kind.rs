//! What kind of content a message holds (chapter 05 §8.1): the one field beside those that only accompany it. The names
//! are those of the schema.

use wa_proto::e2e_message::Message;

macro_rules! kinds {
    ($($kind:ident $field:ident $number:literal $name:literal,)+) => {
        /// A content field of `Message`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ContentKind {
            $(
                #[doc = concat!("`", $name, "`, field ", stringify!($number), ".")]
                $kind,
            )+
        }

        impl ContentKind {
            /// Every kind, by field number.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The kind of a message. Distributions of sender keys and the context are no content; of several fields
            /// the one with the lowest number counts. `None` when there is no content, or only such as this library
            /// does not know.
            pub fn of(message: &Message) -> Option<Self> {
                $(
                    if message.$field.is_some() {
                        return Some(Self::$kind);
                    }
                )+
                None
            }

            /// The field number.
            pub const fn number(self) -> u32 {
                match self {
                    $(Self::$kind => $number,)+
                }
            }

            /// The field's name in the schema.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    Conversation conversation 1 "conversation",
    Image image_message 3 "imageMessage",
    Contact contact_message 4 "contactMessage",
    Location location_message 5 "locationMessage",
    ExtendedText extended_text_message 6 "extendedTextMessage",
    Document document_message 7 "documentMessage",
    Audio audio_message 8 "audioMessage",
    Video video_message 9 "videoMessage",
    Call call 10 "call",
    Chat chat 11 "chat",
    Protocol protocol_message 12 "protocolMessage",
    ContactsArray contacts_array_message 13 "contactsArrayMessage",
    HighlyStructured highly_structured_message 14 "highlyStructuredMessage",
    SendPayment send_payment_message 16 "sendPaymentMessage",
    LiveLocation live_location_message 18 "liveLocationMessage",
    RequestPayment request_payment_message 22 "requestPaymentMessage",
    DeclinePaymentRequest decline_payment_request_message 23 "declinePaymentRequestMessage",
    CancelPaymentRequest cancel_payment_request_message 24 "cancelPaymentRequestMessage",
    Template template_message 25 "templateMessage",
    Sticker sticker_message 26 "stickerMessage",
    GroupInvite group_invite_message 28 "groupInviteMessage",
    TemplateButtonReply template_button_reply_message 29 "templateButtonReplyMessage",
    Product product_message 30 "productMessage",
    DeviceSent device_sent_message 31 "deviceSentMessage",
    List list_message 36 "listMessage",
    ViewOnce view_once_message 37 "viewOnceMessage",
    Order order_message 38 "orderMessage",
    ListResponse list_response_message 39 "listResponseMessage",
    Ephemeral ephemeral_message 40 "ephemeralMessage",
    Invoice invoice_message 41 "invoiceMessage",
    Buttons buttons_message 42 "buttonsMessage",
    ButtonsResponse buttons_response_message 43 "buttonsResponseMessage",
    PaymentInvite payment_invite_message 44 "paymentInviteMessage",
    Interactive interactive_message 45 "interactiveMessage",
    Reaction reaction_message 46 "reactionMessage",
    StickerSyncRmr sticker_sync_rmr_message 47 "stickerSyncRmrMessage",
    InteractiveResponse interactive_response_message 48 "interactiveResponseMessage",
    PollCreation poll_creation_message 49 "pollCreationMessage",
    PollUpdate poll_update_message 50 "pollUpdateMessage",
    KeepInChat keep_in_chat_message 51 "keepInChatMessage",
    DocumentWithCaption document_with_caption_message 53 "documentWithCaptionMessage",
    RequestPhoneNumber request_phone_number_message 54 "requestPhoneNumberMessage",
    ViewOnceV2 view_once_message_v2 55 "viewOnceMessageV2",
    EncReaction enc_reaction_message 56 "encReactionMessage",
    Edited edited_message 58 "editedMessage",
    ViewOnceV2Extension view_once_message_v2_extension 59 "viewOnceMessageV2Extension",
    PollCreationV2 poll_creation_message_v2 60 "pollCreationMessageV2",
    ScheduledCallCreation scheduled_call_creation_message 61 "scheduledCallCreationMessage",
    GroupMentioned group_mentioned_message 62 "groupMentionedMessage",
    PinInChat pin_in_chat_message 63 "pinInChatMessage",
    PollCreationV3 poll_creation_message_v3 64 "pollCreationMessageV3",
    ScheduledCallEdit scheduled_call_edit_message 65 "scheduledCallEditMessage",
    Ptv ptv_message 66 "ptvMessage",
    BotInvoke bot_invoke_message 67 "botInvokeMessage",
    CallLog call_log_messsage 69 "callLogMesssage",
    MessageHistoryBundle message_history_bundle 70 "messageHistoryBundle",
    EncComment enc_comment_message 71 "encCommentMessage",
    Bcall bcall_message 72 "bcallMessage",
    LottieSticker lottie_sticker_message 74 "lottieStickerMessage",
    Event event_message 75 "eventMessage",
    EncEventResponse enc_event_response_message 76 "encEventResponseMessage",
    Comment comment_message 77 "commentMessage",
    NewsletterAdminInvite newsletter_admin_invite_message 78 "newsletterAdminInviteMessage",
    Placeholder placeholder_message 80 "placeholderMessage",
    SecretEncrypted secret_encrypted_message 82 "secretEncryptedMessage",
    Album album_message 83 "albumMessage",
    EventCoverImage event_cover_image 85 "eventCoverImage",
    StickerPack sticker_pack_message 86 "stickerPackMessage",
    StatusMention status_mention_message 87 "statusMentionMessage",
    PollResultSnapshot poll_result_snapshot_message 88 "pollResultSnapshotMessage",
    PollCreationOptionImage poll_creation_option_image_message 90 "pollCreationOptionImageMessage",
    AssociatedChild associated_child_message 91 "associatedChildMessage",
    GroupStatusMention group_status_mention_message 92 "groupStatusMentionMessage",
    PollCreationV4 poll_creation_message_v4 93 "pollCreationMessageV4",
    StatusAddYours status_add_yours 95 "statusAddYours",
    GroupStatus group_status_message 96 "groupStatusMessage",
    RichResponse rich_response_message 97 "richResponseMessage",
    StatusNotification status_notification_message 98 "statusNotificationMessage",
    LimitSharing limit_sharing_message 99 "limitSharingMessage",
    BotTask bot_task_message 100 "botTaskMessage",
    Question question_message 101 "questionMessage",
    MessageHistoryNotice message_history_notice 102 "messageHistoryNotice",
    GroupStatusV2 group_status_message_v2 103 "groupStatusMessageV2",
    BotForwarded bot_forwarded_message 104 "botForwardedMessage",
    StatusQuestionAnswer status_question_answer_message 105 "statusQuestionAnswerMessage",
    QuestionReply question_reply_message 106 "questionReplyMessage",
    QuestionResponse question_response_message 107 "questionResponseMessage",
    StatusQuoted status_quoted_message 109 "statusQuotedMessage",
    StatusStickerInteraction status_sticker_interaction_message 110 "statusStickerInteractionMessage",
    PollCreationV5 poll_creation_message_v5 111 "pollCreationMessageV5",
    NewsletterFollowerInviteV2 newsletter_follower_invite_message_v2 113 "newsletterFollowerInviteMessageV2",
    PollResultSnapshotV3 poll_result_snapshot_message_v3 115 "pollResultSnapshotMessageV3",
    NewsletterAdminProfile newsletter_admin_profile_message 116 "newsletterAdminProfileMessage",
    NewsletterAdminProfileV2 newsletter_admin_profile_message_v2 117 "newsletterAdminProfileMessageV2",
    Spoiler spoiler_message 118 "spoilerMessage",
    PollCreationV6 poll_creation_message_v6 119 "pollCreationMessageV6",
    ConditionalReveal conditional_reveal_message 120 "conditionalRevealMessage",
    PollAddOption poll_add_option_message 121 "pollAddOptionMessage",
    EventInvite event_invite_message 122 "eventInviteMessage",
    GroupRootKeyShare group_root_key_share 123 "groupRootKeyShare",
    PaymentReminder payment_reminder_message 124 "paymentReminderMessage",
    SplitPayment split_payment_message 125 "splitPaymentMessage",
    NewsletterAdminProfileStatus newsletter_admin_profile_status_message 126 "newsletterAdminProfileStatusMessage",
    RootSecretDistribute root_secret_distribute_message 127 "rootSecretDistributeMessage",
    SplitPaymentUpdate split_payment_update_message 128 "splitPaymentUpdateMessage",
    Music music_message 129 "musicMessage",
    StatusLinkPreviewMetadata status_link_preview_metadata 130 "statusLinkPreviewMetadata",
    BotPlatformRegistrationSuccess bot_platform_registration_success_message 131 "botPlatformRegistrationSuccessMessage",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_field_numbers() {
        assert!(ContentKind::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
    }

    #[test]
    fn what_only_accompanies_is_no_content() {
        let mut message = Message::default();
        assert_eq!(ContentKind::of(&message), None);
        message.sender_key_distribution_message = Some(Box::default());
        message.message_context_info = Some(Box::default());
        assert_eq!(ContentKind::of(&message), None);
        message.image_message = Some(Box::default());
        assert_eq!(ContentKind::of(&message), Some(ContentKind::Image));
        message.conversation = Some(String::new());
        assert_eq!(ContentKind::of(&message), Some(ContentKind::Conversation));
    }
}
