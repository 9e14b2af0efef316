//! Calls a minute: a token bucket for each caller and RPC (SEC-50).

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kernel::Fault;
use lru::LruCache;
use proto::access::Entry;

/// Buckets kept. Beyond that the one unused longest is forgotten, which gives its owner a full one: memory is bounded,
/// and an attacker with so many identities is not stopped by buckets.
const BUCKETS: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// The buckets of a process.
pub(super) struct Rates {
    /// Where the contract names no number; None: nothing is limited.
    per_minute: Option<NonZeroU32>,
    buckets: Mutex<LruCache<(&'static str, String), Arc<DefaultDirectRateLimiter>>>,
    clock: DefaultClock,
}

impl Rates {
    pub(super) fn new(per_minute: Option<u32>) -> Self {
        Self {
            per_minute: per_minute.and_then(NonZeroU32::new),
            buckets: Mutex::new(LruCache::new(BUCKETS)),
            clock: DefaultClock::default(),
        }
    }

    /// Takes one call of `who` to the RPC from its bucket.
    ///
    /// # Errors
    /// ResourceExhausted `access.rate`, with the time to wait.
    pub(super) fn take(&self, entry: &'static Entry, who: String) -> Result<(), Fault> {
        let Some(default) = self.per_minute else { return Ok(()) };
        let per_minute = NonZeroU32::new(entry.per_minute).unwrap_or(default);
        let bucket = {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(RateLimiter::direct(Quota::per_minute(per_minute)));
            Arc::clone(buckets.get_or_insert((entry.path, who), new))
        };
        bucket.check().map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now()).max(Duration::from_millis(1));
            let message = format!("More than {per_minute} calls a minute. Wait a little.");
            Fault::resource_exhausted("access.rate", message).with_retry_after(wait)
        })
    }
}
