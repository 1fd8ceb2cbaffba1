//! Settings of a run: what the command line, a seed file or a test says (chapter 10 §1, §5, §6, §12, §16).

use std::collections::BTreeMap;

use crate::clock::ClockKind;
use crate::faults::Fault;
use crate::random::Seed;
use crate::seed::SeedFile;

/// Settings of one simulator. `SimConfig::default()` is what the chapter calls the default.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Seed of all randomness.
    pub seed: Seed,
    /// Fixes the Noise root apart from the seed.
    pub root_seed: Option<[u8; 32]>,
    /// How time runs.
    pub clock: ClockKind,
    /// Where time starts (ms since 1970); the machine's present unless given.
    pub start_ms: Option<u64>,
    /// Digits in front of the nine that the push name gives.
    pub number_prefix: u32,
    /// Number of the first companion of an account.
    pub first_device: u16,
    /// Key indexes run this much ahead of device numbers, so that confusing the two shows.
    pub key_index_gap: u32,
    /// One-time keys of a phone.
    pub phone_one_time_keys: u32,
    /// The low notice goes out below this.
    pub low_keys: usize,
    /// Refs in a `pair-device`.
    pub refs: usize,
    /// An unpaired connection is closed after this.
    pub registration_ms: u64,
    /// Grace between 515 and closing.
    pub restart_grace_ms: u64,
    /// Validity of a pairing code.
    pub code_ms: u64,
    /// Bound of a device's queue.
    pub queue_limit: usize,
    /// Stanzas expire after this in a queue.
    pub queue_age_ms: u64,
    /// The same for status posts.
    pub status_age_ms: u64,
    /// The media host keeps a file for so long.
    pub media_age_ms: u64,
    /// Waits for batch requests instead of sending everything after [`Self::batch_patience_ms`].
    pub strict_batches: bool,
    /// A revoke whose `<enc>` says `decrypt-fail="hide"` is acked and delivered to nobody, as the live service is reported to
    /// do; off by default, since whatsmeow marks all of its revokes so.
    pub drop_hidden_revokes: bool,
    /// How long the offline phase waits for a batch request.
    pub batch_patience_ms: u64,
    /// Stanzas that are sent before the first batch request.
    pub primer: u32,
    /// Lifetime of a queued chatstate in seconds; 0 means never queued.
    pub chatstate_ttl_s: u64,
    /// How long a call rings.
    pub ringing_ms: u64,
    /// Patches in one app-state answer.
    pub patch_page: usize,
    /// Who asks for a snapshot of a collection of at least this version gets one, made by the phone; below it, all patches.
    pub snapshot_from: u64,
    /// A live stanza must be answered within this; `None` turns the rule off.
    pub answer_within_ms: Option<u64>,
    /// A logged-in client may be silent for this long.
    pub silence_ms: u64,
    /// A silent client is closed after this; off by default.
    pub idle_kill_ms: Option<u64>,
    /// WebSockets are pinged this often (real time, from 1); off by default, as the live service does not.
    pub websocket_ping_ms: Option<u64>,
    /// Pending registrations of one address.
    pub registrations_per_address: usize,
    /// The third part of the oldest client version that is let in.
    pub version_floor: u32,
    /// The phone pairs by itself after so many milliseconds; needs the companion's fixed ADV secret.
    pub auto_pair: Option<AutoPair>,
    /// Companions of one account.
    pub companion_limit: usize,
    /// Members of one group.
    pub group_limit: usize,
    /// AB props that every account has on top of the default ones.
    pub props: BTreeMap<u32, String>,
    /// Stanzas that `GET /admin/trace` can show; 0 turns the ring off.
    pub trace_length: usize,
    /// Faults from the start.
    pub faults: Vec<Fault>,
    /// Accounts and groups from the start.
    pub world: Option<SeedFile>,
    /// Routes only: no watch on ciphertexts, no trace (load mode).
    pub load: bool,
}

/// Linking without a person (chapter 10 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoPair {
    /// Delay.
    pub after_ms: u64,
    /// The secret that the companion was started with.
    pub adv_secret: [u8; 32],
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: Seed(1),
            root_seed: None,
            clock: ClockKind::Real,
            start_ms: None,
            number_prefix: 1555,
            first_device: 1,
            key_index_gap: 4,
            phone_one_time_keys: 100,
            low_keys: 10,
            refs: 6,
            registration_ms: 160_000,
            restart_grace_ms: 300,
            code_ms: 180_000,
            queue_limit: 10_000,
            queue_age_ms: 30 * 86_400_000,
            status_age_ms: 86_400_000,
            media_age_ms: 30 * 86_400_000,
            strict_batches: false,
            drop_hidden_revokes: false,
            batch_patience_ms: 300,
            primer: 5,
            chatstate_ttl_s: 3,
            ringing_ms: 45_000,
            patch_page: 50,
            snapshot_from: 20,
            answer_within_ms: Some(60_000),
            silence_ms: 75_000,
            idle_kill_ms: None,
            websocket_ping_ms: None,
            registrations_per_address: 64,
            version_floor: 0,
            auto_pair: None,
            companion_limit: 4,
            group_limit: 1024,
            props: BTreeMap::new(),
            trace_length: 4096,
            faults: Vec::new(),
            world: None,
            load: false,
        }
    }
}

/// Longest text of a chat message or setting that is kept; longer ones are cut by clients themselves.
pub const SERVER_LOCATION: &str = "sim";
