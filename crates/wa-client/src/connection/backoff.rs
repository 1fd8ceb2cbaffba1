//! How long to wait before the next attempt (chapter 01 §12): Fibonacci seconds, jittered, capped; the series starts
//! anew only after a connection that was stable.

use std::time::Duration;

use rand::{Rng, RngExt};

use crate::config::BackOff;

/// A connection that was logged in for this long ends the series.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(30);
/// Steps that a rate limit (stream error 429) adds; they survive one stable connection.
const PENALTY_STEPS: u32 = 5;

/// The series of waits of one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    waits: BackOff,
    step: u32,
    penalty: bool,
}

impl Backoff {
    pub(crate) const fn new(waits: BackOff) -> Self {
        Self { waits, step: 0, penalty: false }
    }

    /// Number of the coming attempt, from 1.
    pub(crate) const fn attempt(&self) -> u32 {
        self.step + 1
    }

    /// The wait before the coming attempt; takes a step. Jitter is ±10 %.
    pub(crate) fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let (mut current, mut following) = (1_u64, 1_u64);
        for _ in 0..self.step.min(30) {
            (current, following) = (following, current + following);
        }
        self.step = self.step.saturating_add(1);
        let steps = u32::try_from(current).unwrap_or(u32::MAX);
        let wait = self.waits.first.saturating_mul(steps).min(self.waits.longest);
        wait.mul_f64(rng.random_range(0.9..=1.1)).min(self.waits.longest)
    }

    /// The server limits the rate: the coming waits are longer.
    pub(crate) const fn penalize(&mut self) {
        self.step = self.step.saturating_add(PENALTY_STEPS);
        self.penalty = true;
    }

    /// A connection was logged in for `online`.
    pub(crate) fn connected_for(&mut self, online: Duration) {
        if online < STABLE_AFTER {
            return;
        }
        if self.penalty {
            self.penalty = false;
        } else {
            self.step = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn waits(backoff: &mut Backoff, count: usize) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64(7);
        (0..count).map(|_| backoff.next(&mut rng).as_secs_f64()).collect()
    }

    #[test]
    fn waits_follow_fibonacci_within_ten_percent_up_to_a_quarter_of_an_hour() {
        let expected = [1., 1., 2., 3., 5., 8., 13., 21., 34., 55., 89., 144., 233., 377., 610., 900., 900.];
        for (wait, middle) in waits(&mut Backoff::default(), expected.len()).iter().zip(expected) {
            assert!((wait / middle - 1.).abs() <= 0.1001, "{wait} for {middle}");
        }
    }

    #[test]
    fn only_a_stable_connection_starts_the_series_anew() {
        let mut backoff = Backoff::default();
        waits(&mut backoff, 6);
        backoff.connected_for(Duration::from_secs(29));
        assert_eq!(backoff.attempt(), 7);
        backoff.connected_for(Duration::from_secs(30));
        assert_eq!(backoff.attempt(), 1);
    }

    #[test]
    fn a_rate_limit_penalty_survives_one_stable_connection() {
        let mut backoff = Backoff::default();
        backoff.penalize();
        backoff.connected_for(Duration::from_secs(60));
        assert_eq!(backoff.attempt(), 6);
        backoff.connected_for(Duration::from_secs(60));
        assert_eq!(backoff.attempt(), 1);
    }
}
