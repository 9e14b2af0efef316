//! New ids and random bytes, as a parameter.
//!
//! Tests that must repeat exactly use [`Ids::seeded`]; everything else uses [`Ids::system`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use uuid::{Builder, Uuid};

use crate::{Clock, SystemClock};

/// Makes ids (UUID version 7: sortable by the millisecond, random otherwise) and random bytes from a
/// cryptographic generator. Clones share one generator, and any thread may use it.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<StdRng>>,
}

impl Ids {
    /// Real time, and randomness from the operating system.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the operating system for randomness"
    )]
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(Mutex::new(StdRng::from_os_rng())) }
    }

    /// The same ids for the same seed and clock. For tests and simulations only: whoever knows the seed knows
    /// everything that comes out.
    pub fn seeded(seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self { clock, random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))) }
    }

    /// A new UUID, version 7.
    pub fn uuid(&self) -> Uuid {
        // Before 1970 there is nothing to sort; such a clock gives ids of the first millisecond.
        let millis = u64::try_from(self.clock.now().as_micros() / 1_000).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid()
    }

    /// A new id of the kind asked for: `let forum: ForumId = ids.new_id();`
    pub fn new_id<I: From<Uuid>>(&self) -> I {
        I::from(self.uuid())
    }

    /// Random bytes for secrets, seeds and codes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        // A thread that panicked while holding the lock leaves a generator that is as good as before.
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Ids {
    /// Leaves the generator's state out: it would tell all later secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("clock", &self.clock).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::{ForumId, SettableClock, Timestamp};

    fn stopped(millis: i64) -> Arc<SettableClock> {
        Arc::new(SettableClock::stopped_at(Timestamp::from_micros(millis * 1_000)))
    }

    proptest! {
        #[test]
        fn ids_sort_by_the_millisecond(first in 0_i64..250_000_000_000_000, later in 1_i64..1_000_000, seed: u64) {
            let clock = stopped(first);
            let ids = Ids::seeded(seed, clock.clone());
            let early = ids.uuid();
            clock.set(Timestamp::from_micros((first + later) * 1_000)).unwrap();
            let late = ids.uuid();
            prop_assert!(early < late && early.to_string() < late.to_string());
        }
    }

    #[test]
    fn ids_are_version_7_and_tell_nothing_but_the_millisecond() {
        let id = Ids::seeded(1, stopped(1_772_438_400_123)).uuid();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.get_timestamp().map(|at| at.to_unix()), Some((1_772_438_400, 123_000_000)));
    }

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
        let three = |seed| {
            let ids = Ids::seeded(seed, stopped(5));
            [ids.uuid(), ids.uuid(), ids.uuid()]
        };
        assert_eq!(three(7), three(7));
        assert_ne!(three(7), three(8));
    }

    #[test]
    fn threads_share_one_generator_without_meeting() {
        let ids = Ids::seeded(3, stopped(5));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let ids = ids.clone();
                thread::spawn(move || (0..1_000).map(|_| ids.new_id::<ForumId>()).collect::<Vec<_>>())
            })
            .collect();
        let made: HashSet<ForumId> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(made.len(), 4_000);
    }

    #[test]
    fn the_system_generator_differs_each_time_and_shows_nothing_of_itself() {
        assert_ne!(Ids::system().bytes::<32>(), Ids::system().bytes::<32>());
        assert_eq!(format!("{:?}", Ids::system()), "Ids { clock: SystemClock, .. }");
    }

    #[test]
    fn a_clock_before_1970_still_gives_ids() {
        assert_eq!(Ids::seeded(1, stopped(-5)).uuid().get_timestamp().map(|at| at.to_unix()), Some((0, 0)));
    }
}
