//! When: arrivals at fixed times, each of them a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::act::{Scene, perform};
use super::mix::Draw;
use super::prepare::Stage;
use super::record::Recorder;
use super::report::{Facts, Report};
use super::watch::Watch;
use super::{Fleet, Plan};
use crate::exit::Failure;
use crate::screen::Screen;

/// How long what is in work may take after the last arrival.
const GRACE: Duration = Duration::from_secs(30);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

/// Lets the arrivals of a plan come, waits for their answers, and reports.
pub(super) async fn carry_out(
    fleet: &Fleet,
    plan: &Plan,
    stage: &Arc<Stage>,
    screen: Screen,
) -> Result<Report, Failure> {
    let _renewal = fleet.keep_tokens().await?;
    let recorder = Arc::new(Recorder::new()?);
    let watch = Watch::start(fleet, plan, &recorder).await?;
    let teller = Teller::start(plan, &recorder, screen);
    let (due, began) = (arrivals(plan), Instant::now());
    let tasks = TaskTracker::new();
    let room = Arc::new(Semaphore::new(plan.outstanding));
    let waiting = Arc::new(AtomicUsize::new(0));
    let mut draw = Draw::new(plan.mix, ChaCha8Rng::seed_from_u64(plan.seed), stage);
    for number in 0..due {
        let at = began + plan.at(number);
        if at > Instant::now() {
            tokio::time::sleep_until(at.into()).await;
        }
        let act = draw.next();
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            recorder.overflowed();
            continue;
        };
        waiting.fetch_add(1, Ordering::Relaxed);
        let (fleet, stage) = (fleet.clone(), Arc::clone(stage));
        let (recorder, waiting) = (Arc::clone(&recorder), Arc::clone(&waiting));
        let tenant = plan.tenant.to_string();
        tasks.spawn(async move {
            let scene = Scene { fleet: &fleet, stage: &stage, recorder: &recorder, tenant };
            perform(&scene, act, usize::try_from(number).unwrap_or_default(), at).await;
            waiting.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    tasks.close();
    // Whoever has no answer by then is counted as that.
    let _ = tokio::time::timeout(GRACE, tasks.wait()).await;
    let took = began.elapsed();
    let unfinished = waiting.load(Ordering::Relaxed) as u64;
    drop(teller);
    let (projected, memory) = watch.finish(fleet).await?;
    fleet.flush().await?;
    let facts = Facts { took, due, unfinished, projected, memory };
    Ok(Report::new(plan, recorder.record(), facts))
}

fn arrivals(plan: &Plan) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the command line limits rate and duration; both are positive"
    )]
    let due = (plan.rate * plan.duration.as_secs_f64()).round() as u64;
    due.max(1)
}

impl Plan {
    /// When an arrival is due, from the beginning.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 arrivals")]
    fn at(&self, number: u64) -> Duration {
        Duration::from_secs_f64(number as f64 / self.rate)
    }
}

/// Tells how it goes, every second, on standard error: a line that is written over, or JSON lines.
struct Teller(tokio::task::JoinHandle<()>, indicatif::ProgressBar);

impl Teller {
    fn start(plan: &Plan, recorder: &Arc<Recorder>, screen: Screen) -> Self {
        let (recorder, rate) = (Arc::clone(recorder), plan.rate);
        let bar = crate::demo::Progress::on(screen).spinner();
        let line = bar.clone();
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TELL);
            // The first comes at once.
            ticks.tick().await;
            for second in 1_u64.. {
                ticks.tick().await;
                let lately = recorder.lately();
                let p99 = lately.p99.as_secs_f64() * 1000.0;
                line.set_message(format!(
                    "{second} s: {rate:.0}/s due, {}/s answered, p99 {p99:.1} ms, {} failed",
                    lately.done, lately.failed
                ));
                screen.tell(&json!({
                    "second": second, "rate": rate, "answered": lately.done, "p99_ms": p99, "failed": lately.failed
                }));
            }
        });
        Self(task, bar)
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.abort();
        self.1.finish_and_clear();
    }
}
