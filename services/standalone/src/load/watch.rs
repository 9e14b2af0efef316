//! Watching the system while it is under load: its memory, and how long a commit takes to reach another service.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use proto::forums::forums_service_client::ForumsServiceClient;
use tokio::task::JoinHandle;
use tonic::Status;

use super::act::forum;
use super::record::Recorder;
use super::report::Memory;
use super::{Fleet, Plan};
use crate::client::Door;
use crate::exit::Failure;
use crate::services;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often a commit is followed.
const PROBE: Duration = Duration::from_millis(500);
/// Pause between two looks whether it has arrived; the figure is no finer.
const ARRIVED: Duration = Duration::from_millis(2);
/// When a probe is given up.
const LOST: Duration = Duration::from_secs(30);

/// Seconds since the beginning and bytes.
type Samples = Vec<(f64, u64)>;

/// What runs beside the load.
pub(super) struct Watch {
    memory: Vec<(&'static str, JoinHandle<Samples>)>,
    probe: Option<JoinHandle<Histogram<u64>>>,
    stop: tokio_util::sync::CancellationToken,
    soak: bool,
}

impl Watch {
    pub(super) async fn start(fleet: &Fleet, plan: &Plan, recorder: &Arc<Recorder>) -> Result<Self, Failure> {
        let stop = tokio_util::sync::CancellationToken::new();
        let mut memory = Vec::new();
        for service in services::names() {
            let first = fleet.status(service).await?.resident_bytes;
            let (fleet, stop) = (fleet.clone(), stop.clone());
            memory.push((service, tokio::spawn(sample(fleet, service, first, stop))));
        }
        let probe = plan.probe.then(|| {
            let (fleet, stop, recorder) = (fleet.clone(), stop.clone(), Arc::clone(recorder));
            tokio::spawn(follow(fleet, plan.tenant.to_string(), recorder, stop))
        });
        Ok(Self { memory, probe, stop, soak: plan.soak })
    }

    /// Ends and tells.
    pub(super) async fn finish(
        self,
        fleet: &Fleet,
    ) -> Result<(Option<Histogram<u64>>, Vec<Memory>), Failure> {
        self.stop.cancel();
        let ended = |error: tokio::task::JoinError| Failure::general(error.to_string());
        let projected = match self.probe {
            None => None,
            Some(probe) => Some(probe.await.map_err(ended)?),
        };
        let mut memory = Vec::new();
        for (service, samples) in self.memory {
            let mut samples = samples.await.map_err(ended)?;
            let end = fleet.status(service).await?.resident_bytes;
            let last = samples.last().map_or(0.0, |(at, _)| *at) + LOOK.as_secs_f64();
            samples.push((last, end));
            memory.push(Memory {
                service: service.to_owned(),
                start: samples.first().map_or(0, |(_, bytes)| *bytes),
                end,
                max: samples.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default(),
                growth: self.soak.then(|| growth(&samples)),
            });
        }
        Ok((projected, memory))
    }
}

/// Looks at a service's memory until stopped. A look that fails is left out.
async fn sample(
    fleet: Fleet,
    service: &'static str,
    first: u64,
    stop: tokio_util::sync::CancellationToken,
) -> Samples {
    let began = Instant::now();
    let mut samples = vec![(0.0, first)];
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        if let Ok(status) = fleet.status(service).await {
            samples.push((began.elapsed().as_secs_f64(), status.resident_bytes));
        }
    }
    samples
}

/// Mebibytes an hour by the line of least squares through the second half of the samples: the first half is warming up.
#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn growth(samples: &[(f64, u64)]) -> f64 {
    let half = &samples[samples.len() / 2..];
    let count = half.len() as f64;
    let mean_at = half.iter().map(|(at, _)| at).sum::<f64>() / count;
    let mean = half.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>() / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, bytes) in half {
        above += (at - mean_at) * (*bytes as f64 - mean);
        below += (at - mean_at).powi(2);
    }
    if below == 0.0 { 0.0 } else { above / below * 3600.0 / f64::from(1 << 20) }
}

/// Founds a forum now and then and waits until membership's projection has taken the event. What others commit between
/// the answer and the look at the head counts too, so the figure is an upper bound.
async fn follow(
    fleet: Fleet,
    tenant: String,
    recorder: Arc<Recorder>,
    stop: tokio_util::sync::CancellationToken,
) -> Histogram<u64> {
    let mut times = recorder.empty();
    let mut client = fleet.administrator(0).forums();
    while stop.run_until_cancelled(tokio::time::sleep(PROBE)).await.is_some() {
        if let Ok(took) = probe(&fleet, &mut client, &tenant).await {
            times.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }
    times
}

async fn probe(
    fleet: &Fleet,
    client: &mut ForumsServiceClient<Door>,
    tenant: &str,
) -> Result<Duration, Status> {
    client.found_forum(forum(tenant.to_owned())).await?;
    let began = Instant::now();
    let of_lane = |lane: &str| lane == tenant;
    let lanes = fleet.status("forums").await?.lanes;
    let head = lanes.iter().find(|lane| of_lane(&lane.lane)).map_or(0, |lane| lane.seq);
    loop {
        let projections = fleet.status("membership").await?.projections;
        let taken = projections.iter().find(|one| one.source == "forums" && of_lane(&one.lane));
        // A probe that is lost is told as the time after which it was given up.
        if taken.is_some_and(|one| one.seq >= head) || began.elapsed() > LOST {
            return Ok(began.elapsed());
        }
        tokio::time::sleep(ARRIVED).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_of_the_second_half() {
        let mebibyte = 1 << 20;
        let samples: Vec<(f64, u64)> =
            (0_u32..20).map(|second| (f64::from(second), u64::from(second.max(10)) * mebibyte)).collect();
        assert!((growth(&samples) - 3600.0).abs() < 1.0, "{}", growth(&samples));
        assert!(growth(&[(0.0, 5), (1.0, 5), (2.0, 5)]).abs() < f64::EPSILON);
        assert!(growth(&[(0.0, 5)]).abs() < f64::EPSILON);
    }
}
