//! Growing pauses with jitter, so that many who failed together do not come back together.

use std::time::Duration;

use kernel::Ids;

/// Doubles from `first` to `longest`; every pause is between half and all of that.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
    ids: Ids,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration, ids: &Ids) -> Self {
        Self { first, longest, next: first, ids: ids.clone() }
    }

    /// How long to wait this time.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        self.jittered(pause)
    }

    /// How long to wait after so many failures, for those who keep the count elsewhere.
    pub(crate) fn pause_after(&self, failures: u32) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        self.jittered(doubled.min(self.longest))
    }

    /// Between half and all of `pause`.
    pub(crate) fn jittered(&self, pause: Duration) -> Duration {
        let share = f64::from(u16::from_be_bytes(self.ids.bytes())) / f64::from(u16::MAX);
        pause.mul_f64(0.5 + share / 2.0)
    }

    /// After a success the next pause is the first again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_again_after_a_success() {
        let mut backoff =
            Backoff::new(Duration::from_millis(100), Duration::from_millis(350), &Ids::system());
        for base in [100, 200, 350, 350] {
            let pause = backoff.next_pause();
            assert!(
                pause >= Duration::from_millis(base / 2) && pause <= Duration::from_millis(base),
                "{pause:?}"
            );
        }
        assert!(backoff.pause_after(2) >= Duration::from_millis(100));
        assert!(backoff.pause_after(2) <= Duration::from_millis(200));
        assert!(backoff.pause_after(1_000) <= Duration::from_millis(350));
        backoff.reset();
        assert!(backoff.next_pause() <= Duration::from_millis(100));
    }
}
