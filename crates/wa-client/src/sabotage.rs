//! Test only, under the feature `sabotage`, which nothing that ships turns on: the named points at which tests kill the
//! process, all in one place, and switches that break a promise on purpose, so that a test can show that it would
//! notice (chapter 04 §21).

/// Marks where a test may kill the process. Expands to nothing without the feature.
macro_rules! kill_point {
    ($shared:expr, $point:ident) => {
        #[cfg(feature = "sabotage")]
        $shared.config.points.at($crate::sabotage::Point::$point)
    };
}

/// Whether a promise is to be broken here; `false` without the feature.
#[cfg(feature = "sabotage")]
macro_rules! sabotaged {
    ($shared:expr, $what:ident) => {
        $shared.config.sabotage == $crate::sabotage::Sabotage::$what
    };
}
#[cfg(not(feature = "sabotage"))]
macro_rules! sabotaged {
    ($shared:expr, $what:ident) => {
        false
    };
}

#[cfg(feature = "sabotage")]
pub use switches::{Point, Points, Sabotage};

/// Lets other tasks run for a while: what a sabotage has sent too early is then really on its way.
pub(crate) async fn let_others_run() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

#[cfg(feature = "sabotage")]
mod switches {
    use core::fmt;
    use std::sync::Arc;

    /// Which promise is broken.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum Sabotage {
        /// None.
        #[default]
        None,
        /// Acks and receipts leave before the commit that stores the messages.
        AckBeforeCommit,
        /// The outbox forgets a message when it is sent, not when the server has it.
        LostOutboxRow,
        /// A stanza leaves before the commit that stores the advanced ratchets.
        ReusedCounter,
        /// A message that cannot be opened is acknowledged, but not asked for again.
        SwallowedRetry,
        /// A downloaded file is handed out although its hash or MAC does not fit.
        UncheckedMedia,
        /// Every message to a group carries our sender key to every device, also to those that have it.
        RepeatedKeys,
        /// Of those who share a commit only the first one's changes are in it.
        LeftOutMember,
        /// Whoever shares a commit hears that it succeeded, whatever came of it.
        UntoldFailure,
        /// Events count as taken before the call that returns them can no longer be given up.
        TakenUnseen,
    }

    macro_rules! points {
        ($($(#[$doc:meta])* $point:ident,)*) => {
            /// A point between a commit and what it lets out, or before either.
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub enum Point {
                $($(#[$doc])* $point,)*
            }

            impl Point {
                /// Every point, in the order of an account's life.
                pub const ALL: &'static [Self] = &[$(Self::$point,)*];

                /// Its name.
                pub const fn name(self) -> &'static str {
                    match self {
                        $(Self::$point => stringify!($point),)*
                    }
                }
            }
        };
    }

    points! {
        /// The phone has answered and was checked; nothing of the link is stored.
        LinkChecked,
        /// The link is stored; the server does not know yet.
        LinkStored,
        /// The server's question was answered.
        LinkAnswered,
        /// The login is counted.
        LoginStored,
        /// New pre-keys are stored, and not uploaded.
        PreKeysStored,
        /// The server has them; that it has is not noted.
        PreKeysUploaded,
        /// A batch of messages is decrypted; nothing is stored.
        BatchOpened,
        /// The batch is stored; neither acks nor events are out.
        BatchStored,
        /// Acks are queued, the stream is rung.
        BatchPublished,
        /// A receipt is read; nothing is stored.
        ReceiptRead,
        /// A notification is handled and stored; its ack is not out.
        NotificationStored,
        /// A page of the inbox was loaded.
        EventsLoaded,
        /// The application has taken an event.
        EventTaken,
        /// Acknowledged events are about to be deleted.
        EventsAcknowledged,
        /// They are deleted.
        EventsDeleted,
        /// A message was accepted for sending; nothing is stored.
        SendAccepted,
        /// It is in the outbox.
        SendQueued,
        /// Its file is on the media host; where is not stored.
        FileUploaded,
        /// That is stored.
        FilePlaced,
        /// It is encrypted; the advanced ratchets are not stored.
        StanzaSealed,
        /// The sealed stanza is stored.
        StanzaStored,
        /// The sealed stanza is about to leave.
        StanzaLeaves,
        /// The server has answered; nothing of that is stored.
        StanzaAnswered,
        /// The report is stored; nobody was told.
        ReportStored,
        /// Frames went into the socket.
        FramesWritten,
        /// A collection of settings was read and checked; nothing is stored.
        SettingsRead,
        /// It is stored with what follows from it.
        SettingsStored,
        /// A message was encrypted anew for somebody who asked; nothing is stored.
        ResendSealed,
        /// That is stored; the stanza has not left.
        ResendStored,
    }

    /// Hears of every point that is passed; the hook may end the process or block for ever.
    #[derive(Clone, Default)]
    pub struct Points(Option<Arc<dyn Fn(Point) + Send + Sync>>);

    impl Points {
        /// Calls `hook` at every point, on whatever thread passes it.
        pub fn new(hook: impl Fn(Point) + Send + Sync + 'static) -> Self {
            Self(Some(Arc::new(hook)))
        }

        pub(crate) fn at(&self, point: Point) {
            if let Some(hook) = &self.0 {
                hook(point);
            }
        }
    }

    impl fmt::Debug for Points {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Points")
        }
    }
}
