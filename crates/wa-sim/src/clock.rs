//! Time of a run: real, scaled or moved by hand (chapter 10 §12).
//!
//! The world takes the present as an argument; this is where the shell gets it from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How simulated time runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockKind {
    /// As the machine's clock.
    #[default]
    Real,
    /// This many times as fast.
    Scaled(u32),
    /// Stands still until it is advanced.
    Manual,
}

/// Where a clock stood when its run was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedClock {
    /// The present without offset and drift.
    pub(crate) base_ms: u64,
    pub(crate) offset_ms: i64,
    pub(crate) drift_ppm: i32,
}

/// The clock of one simulator.
#[derive(Clone, Debug)]
pub struct Clock {
    kind: ClockKind,
    started: Instant,
    start_ms: u64,
    advanced_ms: u64,
    offset_ms: i64,
    drift_ppm: i32,
}

impl Clock {
    /// A clock that starts at `start_ms` since 1970, or at the machine's present.
    #[must_use]
    pub fn new(kind: ClockKind, start_ms: Option<u64>) -> Self {
        let start_ms = start_ms.unwrap_or_else(wall_ms);
        Self { kind, started: Instant::now(), start_ms, advanced_ms: 0, offset_ms: 0, drift_ppm: 0 }
    }

    /// The clock of a run that is taken up: at the later of the time of saving and its start, which is the machine's
    /// present for a clock that runs with it and no other is given.
    pub(crate) fn resume(kind: ClockKind, start_ms: Option<u64>, saved: SavedClock) -> Self {
        let start_ms = start_ms.unwrap_or_else(|| if kind == ClockKind::Real { wall_ms() } else { 0 });
        let mut clock = Self::new(kind, Some(start_ms.max(saved.base_ms)));
        (clock.offset_ms, clock.drift_ppm) = (saved.offset_ms, saved.drift_ppm);
        clock
    }

    /// Where it stands; what drift has gained so far counts as offset.
    pub(crate) fn saved(&self) -> SavedClock {
        let passed = self.passed_ms();
        SavedClock {
            base_ms: self.start_ms.saturating_add(passed),
            offset_ms: self.offset_ms.saturating_add(self.gained_ms(passed)),
            drift_ppm: self.drift_ppm,
        }
    }

    /// Simulated milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let passed = self.passed_ms();
        let base = self.start_ms.saturating_add(passed);
        base.saturating_add_signed(self.offset_ms.saturating_add(self.gained_ms(passed)))
    }

    /// What drift has gained in so much time.
    fn gained_ms(&self, passed: u64) -> i64 {
        i64::try_from(passed / 1000).unwrap_or(0).saturating_mul(self.drift_ppm.into()) / 1000
    }

    /// Time of the run.
    fn passed_ms(&self) -> u64 {
        let real = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let run = match self.kind {
            ClockKind::Real => real,
            ClockKind::Scaled(factor) => real.saturating_mul(u64::from(factor)),
            ClockKind::Manual => 0,
        };
        run.saturating_add(self.advanced_ms)
    }

    /// Moves the present forward.
    pub fn advance(&mut self, ms: u64) {
        self.advanced_ms = self.advanced_ms.saturating_add(ms);
    }

    /// Sets the clock fault: how far the server's idea of the time is off. The certificate dates do not follow it.
    pub fn set_offset(&mut self, ms: i64) {
        self.offset_ms = ms;
    }

    /// The other clock fault: how many microseconds the server's clock gains in a second. It counts from the start of
    /// the run.
    pub fn set_drift(&mut self, ppm: i32) {
        self.drift_ppm = ppm.clamp(-500_000, 500_000);
    }

    /// Real time until the simulated instant, `None` when only a call of [`Clock::advance`] can reach it.
    #[must_use]
    pub fn until(&self, deadline_ms: u64) -> Option<Duration> {
        let left = deadline_ms.saturating_sub(self.now_ms());
        match self.kind {
            ClockKind::Real => Some(Duration::from_millis(left)),
            ClockKind::Scaled(factor) => Some(Duration::from_millis(left / u64::from(factor.max(1)) + 1)),
            ClockKind::Manual => (left == 0).then_some(Duration::ZERO),
        }
    }
}

/// The machine's clock, milliseconds since 1970.
#[must_use]
pub fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let mut clock = Clock::new(ClockKind::Manual, Some(1_000));
        assert_eq!(clock.now_ms(), 1_000);
        assert_eq!(clock.until(2_000), None);
        clock.advance(1_500);
        assert_eq!(clock.now_ms(), 2_500);
        assert_eq!(clock.until(2_000), Some(Duration::ZERO));
        clock.set_offset(-500);
        assert_eq!(clock.now_ms(), 2_000);
    }

    #[test]
    fn a_clock_that_is_taken_up_goes_on_and_never_back() {
        let mut clock = Clock::new(ClockKind::Manual, Some(1_000));
        clock.set_drift(1_000);
        clock.advance(2_000_000);
        let saved = clock.saved();
        let same = Clock::resume(ClockKind::Manual, None, saved);
        assert_eq!((same.now_ms(), same.saved()), (clock.now_ms(), saved));
        let later = Clock::resume(ClockKind::Manual, Some(9_000_000), saved);
        assert_eq!(later.now_ms(), 9_000_000 + 2_000);
        assert_eq!(Clock::resume(ClockKind::Manual, Some(5), saved).now_ms(), clock.now_ms());
        assert!(Clock::resume(ClockKind::Real, None, saved).now_ms() >= wall_ms() - 1_000);
    }

    #[test]
    fn a_clock_that_drifts_gains_with_time() {
        let mut clock = Clock::new(ClockKind::Manual, Some(1_000));
        clock.set_drift(1_000);
        clock.advance(2_000_000);
        assert_eq!(clock.now_ms(), 1_000 + 2_000_000 + 2_000);
        clock.set_drift(-1_000);
        assert_eq!(clock.now_ms(), 1_000 + 2_000_000 - 2_000);
    }
}
