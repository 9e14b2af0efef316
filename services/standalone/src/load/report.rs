//! What a load tells at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::Plan;
use super::mix::Mix;
use super::record::Record;
use crate::screen::table;

/// Latencies of one kind of call, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latencies {
    /// How many were measured.
    pub count: u64,
    /// Half of them took no longer.
    pub p50: f64,
    /// Nine in ten.
    pub p90: f64,
    /// Ninety-nine in a hundred.
    pub p99: f64,
    /// All but one in a thousand.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// Memory that a service's process held, bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memory {
    /// A service of the process.
    pub service: String,
    /// Before.
    pub start: u64,
    /// After.
    pub end: u64,
    /// The most that was seen.
    pub max: u64,
    /// Growth an hour over the second half of a soak, mebibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<f64>,
}

/// What a load found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Which calls.
    pub mix: Mix,
    /// Arrivals asked for, a second.
    pub rate: f64,
    /// From the first arrival to the last answer, seconds.
    pub seconds: f64,
    /// Arrivals that were due.
    pub due: u64,
    /// Calls answered ok.
    pub ok: u64,
    /// Calls answered ok, a second.
    pub achieved: f64,
    /// Calls sent again because nobody knew their outcome.
    pub retries: u64,
    /// Arrivals for which there was no room.
    pub overflow: u64,
    /// Arrivals without an answer when waiting was given up.
    pub unfinished: u64,
    /// Refusals and failures, by code.
    pub errors: BTreeMap<String, u64>,
    /// Latencies of all calls, from when they were due.
    pub all: Latencies,
    /// Latencies by RPC.
    pub by_rpc: BTreeMap<&'static str, Latencies>,
    /// From an acknowledgement to another service's projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projected: Option<Latencies>,
    /// Memory of the system.
    pub memory: Vec<Memory>,
}

/// What else is known when a report is made.
pub(super) struct Facts {
    pub(super) took: Duration,
    pub(super) due: u64,
    pub(super) unfinished: u64,
    pub(super) projected: Option<Histogram<u64>>,
    pub(super) memory: Vec<Memory>,
}

impl Report {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 calls")]
    pub(super) fn new(plan: &Plan, record: Record, facts: Facts) -> Self {
        let seconds = facts.took.as_secs_f64();
        Self {
            mix: plan.mix,
            rate: plan.rate,
            seconds,
            due: facts.due,
            ok: record.ok,
            achieved: record.ok as f64 / seconds,
            retries: record.retries,
            overflow: record.overflow,
            unfinished: facts.unfinished,
            errors: record.errors,
            all: Latencies::of(&record.all),
            by_rpc: record.by_rpc.iter().map(|(rpc, times)| (*rpc, Latencies::of(times))).collect(),
            projected: facts.projected.as_ref().map(Latencies::of),
            memory: facts.memory,
        }
    }

    /// Arrivals that came to nothing.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum::<u64>() + self.overflow + self.unfinished
    }

    /// Arrivals a second that were answered, one way or the other.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 calls")]
    pub(super) fn due_per_second(&self) -> f64 {
        self.due as f64 / self.seconds
    }

    /// For people.
    pub fn text(&self) -> String {
        let rows = self.by_rpc.iter().map(|(rpc, times)| times.row(rpc));
        let all = [self.all.row("all calls")].into_iter().chain(rows);
        let probe = self.projected.iter().map(|times| times.row("commit to projection"));
        let columns = ["Call", "Number", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"];
        let mut text = format!(
            "{:.0} arrivals/s asked for, {:.0} calls/s acknowledged over {:.1} s; {} failed, {} sent again\n\n{}",
            self.rate,
            self.achieved,
            self.seconds,
            self.failed(),
            self.retries,
            table(columns, all.chain(probe), &[1, 2, 3, 4, 5, 6])
        );
        let mut failures: Vec<[String; 2]> =
            self.errors.iter().map(|(code, count)| [code.clone(), count.to_string()]).collect();
        for (what, count) in [("no room", self.overflow), ("no answer", self.unfinished)] {
            if count > 0 {
                failures.push([what.to_owned(), count.to_string()]);
            }
        }
        if !failures.is_empty() {
            text += &format!("\n\n{}", table(["Failed with", "Number"], failures, &[1]));
        }
        let memory = self.memory.iter().map(|memory| {
            let growth = memory.growth.map_or(String::new(), |growth| format!("{growth:+.1}"));
            let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20).to_string();
            [
                memory.service.clone(),
                mebibytes(memory.start),
                mebibytes(memory.end),
                mebibytes(memory.max),
                growth,
            ]
        });
        let columns = ["Process of", "Start MiB", "End MiB", "Most MiB", "Growth MiB/h"];
        text + &format!("\n\n{}", table(columns, memory, &[1, 2, 3, 4]))
    }
}

impl Latencies {
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
    pub(super) fn of(times: &Histogram<u64>) -> Self {
        let at = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            count: times.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: times.max() as f64 / 1000.0,
        }
    }

    fn row(&self, what: &str) -> [String; 7] {
        let times = [self.p50, self.p90, self.p99, self.p999, self.max].map(|time| format!("{time:.2}"));
        let [p50, p90, p99, p999, max] = times;
        [what.to_owned(), self.count.to_string(), p50, p90, p99, p999, max]
    }
}
