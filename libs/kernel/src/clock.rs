//! The clock as a parameter.
//!
//! Rules use the *business clock*, which an operator may set under `--demo` and tests may set always. Tokens,
//! leases and telemetry use real time.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;

use crate::{Fault, Timestamp};

/// Tells the time. A parameter of everything that needs it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// This moment.
    fn now(&self) -> Timestamp;
}

/// Real time from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the operating system for the time"
    )]
    fn now(&self) -> Timestamp {
        let now = Timestamp::from(OffsetDateTime::now_utc());
        #[cfg(debug_assertions)]
        let now = wrong::as_told(now);
        now
    }
}

/// The clock of a machine that jumps or stands still (TST-11). In debug builds only, and only if the environment names
/// a file with `CLOCK_FAULT`: it holds the seconds by which the clock is wrong, or `=` and the microseconds since 1970
/// at which it stands.
#[cfg(debug_assertions)]
mod wrong {
    use std::path::PathBuf;
    use std::sync::OnceLock;

    use crate::Timestamp;

    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();

    pub(super) fn as_told(right: Timestamp) -> Timestamp {
        let file = FILE.get_or_init(|| std::env::var_os("CLOCK_FAULT").map(PathBuf::from));
        let Some(text) = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()) else {
            return right;
        };
        match text.strip_prefix('=') {
            Some(micros) => micros.parse().map_or(right, Timestamp::from_micros),
            None => text.parse().map_or(right, |seconds| right + time::Duration::seconds(seconds)),
        }
    }
}

/// The business clock: real time plus an offset, or a clock that stands still until it is set.
#[derive(Debug)]
pub struct SettableClock {
    /// Microseconds added to real time; the time itself if the clock does not run.
    offset: AtomicI64,
    runs: bool,
    settable: bool,
}

impl SettableClock {
    /// Shows real time and refuses to be set: production.
    pub fn locked() -> Self {
        Self { offset: AtomicI64::new(0), runs: true, settable: false }
    }

    /// Starts at real time, runs, and may be set: demonstration.
    pub fn settable() -> Self {
        Self { offset: AtomicI64::new(0), runs: true, settable: true }
    }

    /// Stands still at this moment until it is set: tests.
    pub fn stopped_at(at: Timestamp) -> Self {
        Self { offset: AtomicI64::new(at.as_micros()), runs: false, settable: true }
    }

    /// Whether [`set`](Self::set) is allowed.
    pub fn is_settable(&self) -> bool {
        self.settable
    }

    /// Makes this clock show `to` now; a running clock goes on from there.
    ///
    /// Refused with a Conflict (`clock.locked`) unless the clock may be set.
    pub fn set(&self, to: Timestamp) -> Result<(), Fault> {
        if !self.settable {
            return Err(Fault::conflict(
                "clock.locked",
                "This system runs on real time. Its clock can be set only when it is started with --demo.",
            ));
        }
        self.offset.store(to.as_micros() - self.base(), Ordering::SeqCst);
        Ok(())
    }

    fn base(&self) -> i64 {
        if self.runs { SystemClock.now().as_micros() } else { 0 }
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.base() + self.offset.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::FaultKind;

    #[test]
    fn production_runs_on_real_time_and_cannot_be_set() {
        let clock = SettableClock::locked();
        let before = SystemClock.now();
        let refused = clock.set(Timestamp::EPOCH).unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (FaultKind::Conflict, "clock.locked"));
        assert!(!clock.is_settable());
        assert!(clock.now() >= before && clock.now() <= SystemClock.now());
    }

    #[test]
    fn a_demonstration_clock_goes_on_from_where_it_is_set() {
        let clock = SettableClock::settable();
        let start = Timestamp::from_seconds(1_772_438_400);
        let real = SystemClock.now();
        clock.set(start).unwrap();
        let shown = clock.now() - start;
        assert!(
            shown >= Duration::ZERO && shown <= SystemClock.now() - real,
            "ran {shown} from the time set"
        );
        let first = clock.now();
        while clock.now() == first {
            std::hint::spin_loop();
        }
        assert!(clock.now() > first);
    }

    #[test]
    fn a_stopped_clock_moves_only_when_set() {
        let clock = SettableClock::stopped_at(Timestamp::from_seconds(1));
        assert_eq!(clock.now(), clock.now());
        clock.set(Timestamp::from_seconds(5)).unwrap();
        assert_eq!(clock.now(), Timestamp::from_seconds(5));
        clock.set(Timestamp::from_seconds(2)).unwrap();
        assert_eq!(clock.now(), Timestamp::from_seconds(2), "it may go back");
    }
}
