//! What became of the calls: latencies and codes, by RPC and in all. A few hundred kilobytes, however long it goes on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::exit::Failure;

/// The longest latency that is told apart, in microseconds: ten minutes.
const LONGEST: u64 = 600_000_000;

/// Collects. Shared by everything in work.
pub(super) struct Recorder {
    inner: Mutex<Inner>,
    retries: AtomicU64,
    overflow: AtomicU64,
    empty: Histogram<u64>,
}

struct Inner {
    all: Histogram<u64>,
    /// Since the last progress report.
    lately: Histogram<u64>,
    by_rpc: BTreeMap<&'static str, Histogram<u64>>,
    errors: BTreeMap<String, u64>,
    ok: u64,
}

/// What was collected.
pub(super) struct Record {
    pub(super) all: Histogram<u64>,
    pub(super) by_rpc: BTreeMap<&'static str, Histogram<u64>>,
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) ok: u64,
    pub(super) retries: u64,
    pub(super) overflow: u64,
}

/// How it goes.
pub(super) struct Lately {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) p99: Duration,
}

impl Recorder {
    pub(super) fn new() -> Result<Self, Failure> {
        let empty = Histogram::new_with_bounds(1, LONGEST, 3);
        let empty = empty.map_err(|error| Failure::general(error.to_string()))?;
        let inner = Inner {
            all: empty.clone(),
            lately: empty.clone(),
            by_rpc: BTreeMap::new(),
            errors: BTreeMap::new(),
            ok: 0,
        };
        Ok(Self { inner: Mutex::new(inner), retries: AtomicU64::new(0), overflow: AtomicU64::new(0), empty })
    }

    /// Awaits a call and records how long after `due` it was answered, and how.
    ///
    /// # Errors
    /// What the call was answered.
    pub(super) async fn measure(
        &self,
        rpc: &'static str,
        due: Instant,
        call: impl Future<Output = Result<(), Status>>,
    ) -> Result<(), Status> {
        let answer = call.await;
        let took = micros(due.elapsed());
        let mut inner = self.lock();
        // Saturating: what is longer than the longest counts as that.
        inner.all.saturating_record(took);
        inner.lately.saturating_record(took);
        inner.by_rpc.entry(rpc).or_insert_with(|| self.empty.clone()).saturating_record(took);
        match &answer {
            Ok(()) => inner.ok += 1,
            Err(status) => *inner.errors.entry(code(status)).or_default() += 1,
        }
        answer
    }

    /// Awaits several calls that were measured one by one, and records how long all of them took.
    pub(super) async fn way(
        &self,
        name: &'static str,
        due: Instant,
        calls: impl Future<Output = Result<(), Status>>,
    ) {
        let answer = calls.await;
        if answer.is_ok() {
            let took = micros(due.elapsed());
            self.lock().by_rpc.entry(name).or_insert_with(|| self.empty.clone()).saturating_record(took);
        }
    }

    /// Latencies of nothing yet, of the same kind.
    pub(super) fn empty(&self) -> Histogram<u64> {
        self.empty.clone()
    }

    /// A call was sent again.
    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// A call was due and there was no room for it.
    pub(super) fn overflowed(&self) {
        self.overflow.fetch_add(1, Ordering::Relaxed);
    }

    /// How it goes since the last time.
    pub(super) fn lately(&self) -> Lately {
        let mut inner = self.lock();
        let lately = Lately {
            done: inner.lately.len(),
            failed: inner.errors.values().sum::<u64>() + self.overflow.load(Ordering::Relaxed),
            p99: Duration::from_micros(inner.lately.value_at_quantile(0.99)),
        };
        inner.lately.reset();
        lately
    }

    /// Everything so far.
    pub(super) fn record(&self) -> Record {
        let inner = self.lock();
        Record {
            all: inner.all.clone(),
            by_rpc: inner.by_rpc.clone(),
            errors: inner.errors.clone(),
            ok: inner.ok,
            retries: self.retries.load(Ordering::Relaxed),
            overflow: self.overflow.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// The server's stable code, else the gRPC code.
fn code(status: &Status) -> String {
    let reason = status.get_details_error_info().map(|info| info.reason);
    reason.unwrap_or_else(|| format!("{:?}", status.code()))
}
