//! The highest rate that keeps a promise: steps up until it is broken, then halves the distance a few times.

use std::time::Duration;

use serde::Serialize;

use super::{Fleet, Plan, Report, prepare, schedule};
use crate::exit::Failure;
use crate::screen::{Screen, table};

/// From one step to the next while the promise is kept.
const UP: f64 = 1.5;
/// Tries between the highest good rate and the lowest bad one.
const BETWEEN: usize = 4;
/// Share of the arrivals that must be acknowledged in time for the rate to count as achieved.
const ACHIEVED: f64 = 0.98;
/// Where stepping up ends: beyond what one machine sends.
const HIGHEST: f64 = 200_000.0;

/// One rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Whether the promise was kept.
    pub kept: bool,
    /// What was found.
    pub report: Report,
}

/// The search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The highest rate that kept the promise, arrivals a second; none if the first did not.
    pub rate: Option<f64>,
    /// The promise: 99 of 100 calls are answered within so many milliseconds of when they were due, and none fails.
    pub p99_ms: f64,
    /// The steps, in the order of the tries.
    pub steps: Vec<Step>,
}

/// Searches from the plan's rate upwards; each step lasts as long as the plan. Voters are prepared anew for each.
///
/// # Errors
/// As [`super::run`].
pub async fn seek(fleet: &Fleet, plan: &Plan, p99: Duration, screen: Screen) -> Result<Found, Failure> {
    let limit = p99.as_secs_f64() * 1000.0;
    let mut found = Found { rate: None, p99_ms: limit, steps: Vec::new() };
    let (mut rate, mut broken) = (plan.rate, None);
    while broken.is_none() && rate <= HIGHEST {
        match found.step(fleet, plan, rate, screen).await? {
            true => rate *= UP,
            false => broken = Some(rate),
        }
    }
    for _ in 0..BETWEEN {
        let (Some(low), Some(high)) = (found.rate, broken) else { break };
        let middle = f64::midpoint(low, high);
        if !found.step(fleet, plan, middle, screen).await? {
            broken = Some(middle);
        }
    }
    Ok(found)
}

impl Found {
    /// Tries a rate; true if the promise was kept.
    async fn step(&mut self, fleet: &Fleet, plan: &Plan, rate: f64, screen: Screen) -> Result<bool, Failure> {
        let plan = Plan { rate, ..plan.clone() };
        let stage = prepare::prepare(fleet, &plan, screen).await?;
        let report = schedule::carry_out(fleet, &plan, &stage, screen).await?;
        let kept = report.failed() == 0
            && report.all.p99 <= self.p99_ms
            && report.due_per_second() >= ACHIEVED * rate;
        let word = if kept { "kept" } else { "broken" };
        screen.note(&format!(
            "{rate:.0}/s: p99 {:.1} ms, {} failed: {word}",
            report.all.p99,
            report.failed()
        ));
        if kept {
            self.rate = Some(rate);
        }
        self.steps.push(Step { kept, report });
        Ok(kept)
    }

    /// For people.
    pub fn text(&self) -> String {
        let rows = self.steps.iter().map(|step| {
            let report = &step.report;
            [
                format!("{:.0}", report.rate),
                format!("{:.0}", report.achieved),
                format!("{:.2}", report.all.p50),
                format!("{:.2}", report.all.p99),
                report.failed().to_string(),
                if step.kept { "kept" } else { "broken" }.to_owned(),
            ]
        });
        let columns = ["Due/s", "Ok/s", "p50 ms", "p99 ms", "Failed", "Promise"];
        let steps = table(columns, rows, &[0, 1, 2, 3, 4]);
        let rate = match self.rate {
            Some(rate) => format!("{rate:.0} arrivals a second keep p99 within {:.0} ms.", self.p99_ms),
            None => format!("Not even the first rate keeps p99 within {:.0} ms.", self.p99_ms),
        };
        format!("{steps}\n\n{rate}")
    }
}
