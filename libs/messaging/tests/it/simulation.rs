//! TST-02: relay and projector over a store in memory and a broker with faults, many histories in a few seconds.
//!
//! Every history is made by one seed: which events are written when, and what goes wrong. Time is tokio's paused clock,
//! everything runs on one thread, so a seed always gives the same history. After a while of faults the world heals, and
//! then everything must come right by itself: each event of each lane applied exactly once and in order (or parked, if
//! it is poison), cursors at the heads, the stream complete.
//!
//! A failing seed is printed; `SIM_SEED=<seed>` runs it alone, `SIM_SEEDS=<count>` runs more or fewer.

mod broker;
mod restore;
mod store;
mod world;

use std::sync::{Arc, Mutex};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use world::{Broken, run};

/// Histories in the suite.
const SEEDS: u64 = 2_000;

/// The one source of chance of a history.
#[derive(Clone)]
struct Dice(Arc<Mutex<SmallRng>>);

impl Dice {
    fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))))
    }

    /// True with this probability.
    fn chance(&self, probability: f64) -> bool {
        probability > 0.0 && self.0.lock().unwrap().random_bool(probability)
    }

    /// A number below `limit`.
    fn below(&self, limit: u64) -> u64 {
        self.0.lock().unwrap().random_range(0..limit)
    }

    /// A position below `limit`.
    fn index(&self, limit: usize) -> usize {
        self.0.lock().unwrap().random_range(0..limit)
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs seeds on all processors and returns what went wrong, by seed.
fn run_seeds(seeds: std::ops::Range<u64>, broken: Broken) -> Vec<(u64, String)> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let mut failures: Vec<(u64, String)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..processors)
            .map(|worker| {
                let seeds = seeds.clone().filter(move |seed| seed % processors == worker);
                scope.spawn(move || {
                    seeds.filter_map(|seed| Some((seed, outcome(seed, broken).err()?))).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("panics are outcomes")).collect()
    });
    failures.sort();
    failures
}

/// What came of one history; a panic is a failure of its seed like any other.
fn outcome(seed: u64, broken: Broken) -> Result<(), String> {
    let history = std::panic::catch_unwind(|| run(seed, broken));
    history.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(format!("panic: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without a text")))
    })
}

#[test]
fn tst_02_every_history_comes_right() {
    let seeds = match from_environment("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_environment("SIM_SEEDS").unwrap_or(SEEDS),
    };
    let began = std::time::Instant::now();
    let count = seeds.end - seeds.start;
    let failures = run_seeds(seeds, Broken::Nothing);
    println!("{count} histories in {:.1?}", began.elapsed());
    if let Some((seed, what)) = failures.first() {
        let others = failures.len() - 1;
        panic!(
            "seed {seed}: {what}\n(and {others} others) run it alone with: SIM_SEED={seed} cargo nextest run -p messaging tst_02_every_history_comes_right --no-capture"
        );
    }
}

#[test]
fn tst_02_the_same_seed_gives_the_same_history() {
    let histories: Vec<Vec<u8>> = (0..2).map(|_| world::trace(7)).collect();
    assert!(!histories[0].is_empty());
    assert_eq!(histories[0], histories[1]);
}

#[test]
fn tst_02_without_the_gate_a_violation_is_seen() {
    let failures = run_seeds(0..20, Broken::Gate);
    assert!(failures.len() > 10, "only {} of 20 histories went wrong without the gate", failures.len());
    assert!(failures.iter().any(|(_, what)| what.contains("applied")), "{failures:?}");
}

#[test]
fn tst_02_without_repair_from_the_log_a_violation_is_seen() {
    let failures = run_seeds(0..20, Broken::Repair);
    assert!(failures.len() > 3, "only {} of 20 histories went wrong without repair", failures.len());
}

#[test]
fn tst_02_without_comparing_with_the_stream_a_violation_is_seen() {
    let failures = run_seeds(0..60, Broken::Reconcile);
    assert!(failures.iter().any(|(_, what)| what.contains("stream")), "{failures:?}");
}
