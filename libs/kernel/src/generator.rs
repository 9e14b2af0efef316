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
