//! Every fault and every rule of the watch is proven by a test, and the list of them is complete: a new variant does not
//! compile here until it is listed, and what is listed must be a test that names it (chapter 10 §11, §15).

use wa_sim::faults::{
    Action, Chain, CloseHow, Damage, Direction, FreezeMode, HandshakeFault, MediaFault, Phase, StreamForm,
};
use wa_sim::phone::{AppStateFault, Download, HistoryFault, MediaRetry, Misbehaviour};
use wa_sim::watch::Rule;
use wa_sim::world::{DeviceListing, MexForm};

const SOURCES: &[&str] = &[
    include_str!("app_state.rs"),
    include_str!("directory.rs"),
    include_str!("encryption.rs"),
    include_str!("faults.rs"),
    include_str!("files.rs"),
    include_str!("history.rs"),
    include_str!("limits.rs"),
    include_str!("media.rs"),
    include_str!("rest.rs"),
    include_str!("users.rs"),
    include_str!("watch.rs"),
];

/// The body of a test.
fn body(test: &str) -> Option<&'static str> {
    SOURCES.iter().find_map(|source| {
        let start = source.find(&format!("async fn {test}() {{"))?;
        assert!(source[..start].trim_end().ends_with(']'), "{test} is no test");
        let rest = &source[start..];
        Some(&rest[..rest.find("\n}\n")? + 3])
    })
}

/// Whether a text names a variant, and not one whose name only begins alike.
fn names(text: &str, variant: &str) -> bool {
    let wanted = format!("::{variant}");
    text.match_indices(&wanted).any(|(place, _)| {
        !text[place + wanted.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
    })
}

/// What is wrong with the claim that a test proves a variant.
fn objection(variant: &str, test: &str) -> Option<String> {
    let Some(body) = body(test) else { return Some(format!("{variant}: no test {test}")) };
    (!names(body, variant)).then(|| format!("{variant}: the test {test} does not name it"))
}

macro_rules! proofs {
    ($type:ident: $($variant:ident => $test:ident,)*) => {{
        // Never called: it is here so that the compiler counts the variants.
        fn _complete(value: &$type) {
            match value {
                $($type::$variant { .. } => {})*
            }
        }
        let listed = [$((stringify!($variant), stringify!($test)),)*];
        let wrong: Vec<String> =
            listed.iter().filter_map(|(variant, test)| objection(variant, test)).collect();
        assert!(wrong.is_empty(), concat!(stringify!($type), ": {:#?}"), wrong);
    }};
}

#[test]
fn every_fault_has_its_test() {
    proofs! { Action:
        Close => closing_before_loses_the_stanza_from_the_wire_and_not_from_the_queue,
        Freeze => a_frozen_connection_stands_and_says_nothing,
        Delay => delay_holds_back_for_its_time,
        Throttle => throttling_spreads_what_is_written,
        Duplicate => duplicates_reorders_holds_and_losses,
        Reorder => duplicates_reorders_holds_and_losses,
        Hold => duplicates_reorders_holds_and_losses,
        Lose => duplicates_reorders_holds_and_losses,
        Damage => damage_to_frames_shows_where_it_was_done,
        LoseAck => acks_are_lost_repeated_or_errors,
        AnswerTwice => acks_are_lost_repeated_or_errors,
        AckError => acks_are_lost_repeated_or_errors,
        WrongPhash => acks_are_lost_repeated_or_errors,
        IqError => iqs_are_answered_with_errors_and_backoff,
        RateOverlimit => iqs_are_answered_with_errors_and_backoff,
        StreamError => stream_errors_end_the_connection_in_every_form,
        Failure => failures_come_instead_of_success,
        SecondSuccess => a_second_success_and_the_end_of_the_stream,
        StreamEnd => a_second_success_and_the_end_of_the_stream,
        Unavailable => acks_are_lost_repeated_or_errors,
        HttpStatus => the_upgrade_can_fail_with_any_status_and_with_garbage,
        HttpGarbage => the_upgrade_can_fail_with_any_status_and_with_garbage,
        Handshake => handshakes_go_wrong_in_every_way,
        UsyncError => a_protocol_fails_for_one_person_or_for_everybody,
        NoOneTimeKeys => iqs_are_answered_with_errors_and_backoff,
        Media => the_media_host_fails_in_every_way,
        ResourceLimit => the_phone_refuses_another_companion_and_the_server_stops_for_a_while,
    }
    proofs! { CloseHow:
        Fin => closing_before_loses_the_stanza_from_the_wire_and_not_from_the_queue,
        Rst => sockets_are_closed_and_reset_before_anything_is_said,
        Code => a_websocket_is_closed_with_the_code_asked_for,
    }
    proofs! { FreezeMode:
        Both => a_frozen_connection_stands_and_says_nothing,
        NeverWrite => a_frozen_connection_stands_and_says_nothing,
        NeverRead => a_frozen_connection_stands_and_says_nothing,
    }
    proofs! { Damage:
        Ciphertext => damage_to_frames_shows_where_it_was_done,
        LengthHeader => damage_to_frames_shows_where_it_was_done,
        Oversize => damage_to_frames_shows_where_it_was_done,
        ZeroLength => damage_to_frames_shows_where_it_was_done,
        TruncatePlaintext => damage_to_frames_shows_where_it_was_done,
        Plaintext => damage_to_frames_shows_where_it_was_done,
        Split => damage_to_frames_shows_where_it_was_done,
        Merge => a_merged_frame_comes_with_the_next_one,
        FrameTwice => frames_come_twice_and_in_the_wrong_order,
        FrameLate => frames_come_twice_and_in_the_wrong_order,
        Compress => damage_to_frames_shows_where_it_was_done,
        EncVersion => damage_to_ciphertexts_leaves_the_stanza_whole,
        EncMac => damage_to_ciphertexts_leaves_the_stanza_whole,
    }
    proofs! { MediaFault:
        Status => the_media_host_fails_in_every_way,
        Cut => the_media_host_fails_in_every_way,
        Truncated => the_media_host_fails_in_every_way,
        FlippedBit => the_media_host_fails_in_every_way,
        ExtraBytes => the_media_host_fails_in_every_way,
        Slow => the_media_host_fails_in_every_way,
    }
    proofs! { StreamForm:
        Bare => stream_errors_end_the_connection_in_every_form,
        Replaced => stream_errors_end_the_connection_in_every_form,
        DeviceRemoved => stream_errors_end_the_connection_in_every_form,
        Ack => stream_errors_end_the_connection_in_every_form,
        XmlNotWellFormed => stream_errors_end_the_connection_in_every_form,
        Unknown => stream_errors_end_the_connection_in_every_form,
    }
    proofs! { HandshakeFault:
        MissingEphemeral => handshakes_go_wrong_in_every_way,
        MissingPayload => handshakes_go_wrong_in_every_way,
        Undecodable => handshakes_go_wrong_in_every_way,
        ShortEphemeral => handshakes_go_wrong_in_every_way,
        BadTag => handshakes_go_wrong_in_every_way,
        LowOrder => handshakes_go_wrong_in_every_way,
        RefuseIk => ik_is_refused_and_keys_are_rotated,
        RotateStatic => ik_is_refused_and_keys_are_rotated,
        Chain => handshakes_go_wrong_in_every_way,
    }
    proofs! { Chain:
        IntermediateSignature => handshakes_go_wrong_in_every_way,
        LeafSignature => handshakes_go_wrong_in_every_way,
        RootSerial => handshakes_go_wrong_in_every_way,
        LeafSerial => handshakes_go_wrong_in_every_way,
        LeafKey => handshakes_go_wrong_in_every_way,
        Expired => handshakes_go_wrong_in_every_way,
        NotYetValid => handshakes_go_wrong_in_every_way,
    }
}

#[test]
fn every_place_where_a_fault_strikes_has_its_test() {
    proofs! { Direction:
        In => closing_on_what_comes_in_happens_before_or_after_it_is_handled,
        Out => every_stage_after_the_login_can_be_told_apart,
    }
    proofs! { Phase:
        Tcp => sockets_are_closed_and_reset_before_anything_is_said,
        Tls => the_tls_port_can_be_cut_before_its_handshake,
        Upgrade => the_upgrade_can_fail_with_any_status_and_with_garbage,
        Hello => stages_of_a_connection_can_be_cut_and_frozen,
        Finish => stages_of_a_connection_can_be_cut_and_frozen,
        Login => failures_come_instead_of_success,
        Drain => every_stage_after_the_login_can_be_told_apart,
        Media => the_media_host_fails_in_every_way,
        Steady => every_stage_after_the_login_can_be_told_apart,
    }
}

#[test]
fn everything_a_phone_does_wrong_has_its_test() {
    proofs! { Misbehaviour:
        WrongPadding => wrong_padding_decrypts_and_is_no_text,
        UnknownVersion => an_unknown_version_and_a_bent_ciphertext_do_not_open,
        BentCiphertext => an_unknown_version_and_a_bent_ciphertext_do_not_open,
        Replay => a_replay_has_old_counters_under_a_new_id,
        Duplicate => a_duplicate_is_acked_twice_and_delivered_once,
        WithheldSenderKey => a_withheld_sender_key_comes_with_the_next_message,
        UnknownPreKey => an_unknown_pre_key_is_named_by_a_first_message,
        OutOfOrder => out_of_order_comes_newest_first_and_decrypts_all_the_same,
        RetryStorm => a_retry_storm_asks_for_the_same_message_again_and_again,
    }
}

#[test]
fn everything_that_goes_wrong_with_a_file_or_a_device_list_has_its_test() {
    proofs! { MediaRetry:
        Answer => a_phone_answers_media_retries_in_every_way_that_it_is_told,
        NotFound => a_phone_answers_media_retries_in_every_way_that_it_is_told,
        GeneralError => a_phone_answers_media_retries_in_every_way_that_it_is_told,
        DecryptionError => a_phone_answers_media_retries_in_every_way_that_it_is_told,
        ErrorCode => a_phone_answers_media_retries_in_every_way_that_it_is_told,
        Silence => a_phone_answers_media_retries_in_every_way_that_it_is_told,
        WrongId => a_phone_answers_media_retries_in_every_way_that_it_is_told,
        BadTag => a_phone_answers_media_retries_in_every_way_that_it_is_told,
    }
    proofs! { Download:
        Done => a_phone_downloads_what_a_companion_sends_and_checks_it,
        Missing => a_phone_downloads_what_a_companion_sends_and_checks_it,
        Broken => a_phone_downloads_what_a_companion_sends_and_checks_it,
        TooLarge => a_file_that_is_too_large_is_kept_and_not_opened,
    }
    proofs! { HistoryFault:
        Nothing => history_goes_wrong_in_every_way_that_it_is_told,
        Late => history_goes_wrong_in_every_way_that_it_is_told,
        DuplicateChunk => history_goes_wrong_in_every_way_that_it_is_told,
        MissingFile => history_goes_wrong_in_every_way_that_it_is_told,
        WrongHash => history_goes_wrong_in_every_way_that_it_is_told,
        BadZlib => history_goes_wrong_in_every_way_that_it_is_told,
    }
    proofs! { AppStateFault:
        Error => what_is_served_of_app_state_goes_wrong_in_every_way_that_it_is_told,
        Omitted => what_is_served_of_app_state_goes_wrong_in_every_way_that_it_is_told,
        SnapshotMac => what_is_served_of_app_state_goes_wrong_in_every_way_that_it_is_told,
        PatchMac => what_is_served_of_app_state_goes_wrong_in_every_way_that_it_is_told,
        UnknownKey => what_is_served_of_app_state_goes_wrong_in_every_way_that_it_is_told,
        Reordered => what_is_served_of_app_state_goes_wrong_in_every_way_that_it_is_told,
        KeysIgnored => requests_for_keys_are_answered_late_ignored_or_orphaned,
        KeysOrphaned => requests_for_keys_are_answered_late_ignored_or_orphaned,
        KeysLate => requests_for_keys_are_answered_late_ignored_or_orphaned,
    }
    proofs! { MexForm:
        Usual => mex_answers_in_every_form_and_refuses_what_it_does_not_know,
        Numbers => mex_answers_in_every_form_and_refuses_what_it_does_not_know,
        Strings => mex_answers_in_every_form_and_refuses_what_it_does_not_know,
        Argo => mex_answers_in_every_form_and_refuses_what_it_does_not_know,
        Error => mex_answers_in_every_form_and_refuses_what_it_does_not_know,
    }
    proofs! { DeviceListing:
        Whole => the_directory_lies_about_devices_when_told_to,
        NoKeyIndex => the_directory_lies_about_devices_when_told_to,
        StaleKeyIndex => the_directory_lies_about_devices_when_told_to,
        Empty => the_directory_lies_about_devices_when_told_to,
        Omitted => the_directory_lies_about_devices_when_told_to,
    }
}

#[test]
fn every_rule_of_the_watch_has_a_test_that_trips_it() {
    proofs! { Rule:
        NeverAnswered => never_answered,
        AnswerToNothing => answer_to_nothing,
        MissingId => missing_and_reused_ids,
        IdReused => missing_and_reused_ids,
        UnknownIq => unknown_iqs_and_stanzas,
        UnknownStanza => unknown_iqs_and_stanzas,
        MixedFamilies => messages_that_are_refused,
        DuplicateRecipient => messages_that_are_refused,
        MissingDeviceIdentity => a_pre_key_message_without_identity,
        WrongPhash => a_wrong_participant_hash,
        TokenOnPeerMessage => messages_that_are_refused,
        RefusedMessage => messages_that_are_refused,
        ReceiptParticipant => a_receipt_that_names_somebody_else,
        PreKeyReused => pre_keys_that_come_back_or_are_lost,
        PreKeyLost => pre_keys_that_come_back_or_are_lost,
        CounterReused => a_chain_counter_for_two_ciphertexts,
        Keepalive => pings_too_often_and_silence_too_long,
        SecondHeader => a_second_header_and_broken_frames,
        TrafficAfterFailure => traffic_after_failure_and_eager_reconnects,
        EagerReconnect => traffic_after_failure_and_eager_reconnects,
        BatchWithoutPreview => a_batch_request_without_a_preview,
        AppStateBase => app_state_on_a_version_that_never_was_and_patches_that_do_not_verify,
        AppStateMac => app_state_on_a_version_that_never_was_and_patches_that_do_not_verify,
        SeenByPhone => what_only_the_phone_can_see,
        TextFrame => a_websocket_is_closed_with_the_code_asked_for,
        PresenceWithoutName => presence_without_a_name_and_stanzas_that_lack_something,
        BadFrame => a_second_header_and_broken_frames,
        BadXml => a_second_header_and_broken_frames,
        Malformed => presence_without_a_name_and_stanzas_that_lack_something,
        UploadToken => uploads_of_something_else_and_requests_without_origin,
        MediaWithoutOrigin => uploads_of_something_else_and_requests_without_origin,
    }
}

#[test]
fn a_claim_without_a_test_or_with_the_wrong_one_is_seen() {
    assert_eq!(objection("NeverAnswered", "never_answered"), None);
    assert!(objection("NeverAnswered", "no_such_test").is_some());
    assert!(objection("NeverAnswered", "answer_to_nothing").is_some());
    assert!(objection("Never", "never_answered").is_some(), "the whole name counts");
}
