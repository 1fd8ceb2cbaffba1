//! When keepalive questions leave (chapter 01 §11): at a time drawn between the two bounds, moved to a common beat, so that
//! those of many accounts wake the process together instead of one by one. Accounts that leave by different proxies, or
//! from different processes, beat at different moments: the beat tells nobody who belongs together.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use wa_store::{HolderId, UnixTime};

use crate::egress::Egress;

/// Milliseconds from one beat to the next.
const BEAT: u64 = 1_000;

/// Where the beats of a process and a way out lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beat {
    phase: u64,
}

impl Beat {
    pub(crate) fn new(holder: &HolderId, egress: &Egress) -> Self {
        let mut hasher = DefaultHasher::new();
        (holder.as_str(), &egress.proxy).hash(&mut hasher);
        Self { phase: hasher.finish() % BEAT }
    }

    /// A wait moved to a beat, within the same bounds. Bounds that leave no room are kept as they are.
    pub(crate) fn adjust(
        self,
        now: UnixTime,
        wait: Duration,
        (least, most): (Duration, Duration),
    ) -> Duration {
        if most.saturating_sub(least) < Duration::from_millis(4 * BEAT) {
            return wait;
        }
        let at = now.after(wait).as_millis().saturating_add(self.phase);
        let behind = Duration::from_millis(at % BEAT);
        match wait.checked_sub(behind) {
            Some(earlier) if earlier >= least => earlier,
            _ => wait + (Duration::from_millis(BEAT) - behind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Proxy;

    const BOUNDS: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(30));

    #[test]
    fn waits_end_on_the_beat_and_within_their_bounds() {
        let beat = Beat::new(&"here".into(), &Egress::default());
        let mut moments = std::collections::HashSet::new();
        for at in 0..15_000 {
            // Times and waits that have nothing in common.
            let now = UnixTime::from_millis(1_700_000_000_000 + at * 37);
            let wait = BOUNDS.0 + Duration::from_millis(at);
            let adjusted = beat.adjust(now, wait, BOUNDS);
            assert!(adjusted >= BOUNDS.0 && adjusted <= BOUNDS.1, "{wait:?} became {adjusted:?}");
            moments.insert(now.after(adjusted).as_millis() % BEAT);
        }
        assert_eq!(moments.len(), 1, "one beat for all");
    }

    #[test]
    fn bounds_without_room_are_kept() {
        let beat = Beat::new(&"here".into(), &Egress::default());
        let bounds = (Duration::from_millis(100), Duration::from_millis(900));
        let wait = Duration::from_millis(333);
        assert_eq!(beat.adjust(UnixTime::from_millis(1_000_001), wait, bounds), wait);
    }

    #[test]
    fn ways_out_and_processes_beat_apart() {
        let by = |port: u16| {
            let proxy = Proxy::parse(&format!("socks5h://127.0.0.1:{port}")).unwrap();
            Beat::new(&"here".into(), &Egress::default().with_proxy(proxy))
        };
        assert_eq!(by(1080), by(1080));
        let proxies: std::collections::HashSet<u64> = (1080..1100).map(|port| by(port).phase).collect();
        assert!(proxies.len() > 15, "{proxies:?}");
        let elsewhere = Beat::new(&"there".into(), &Egress::default());
        assert_ne!(Beat::new(&"here".into(), &Egress::default()), elsewhere);
    }
}
