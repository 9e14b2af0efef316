//! How many commands a second are acknowledged, how late, and how long a commit takes to reach another service.

use serde_json::Value;
use testkit::system::Store;

use super::subject::Subject;
use super::{median, say};

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Arrivals a second on SQLite and on PostgreSQL.
    pub rates: [u32; 2],
    /// Length of a round, seconds.
    pub seconds: u32,
    /// Rounds; the median counts.
    pub rounds: usize,
    /// True to search the highest rate too.
    pub search: bool,
}

/// Measures both databases and prints.
///
/// # Errors
/// If a system or the load does not run.
pub async fn report(plan: &Plan) -> anyhow::Result<()> {
    say(
        "\nCommands (mix writing, none refused), all services in one process, `osallisuus load` on the same machine",
    );
    for (store, rate) in [Store::Sqlite, Store::Postgres].into_iter().zip(plan.rates) {
        on(store, rate, plan).await?;
    }
    Ok(())
}

async fn on(store: Store, rate: u32, plan: &Plan) -> anyhow::Result<()> {
    let subject = Subject::start(store).await?;
    let seconds = plan.seconds.to_string();
    let rounds = |rate: u32, probe: bool| {
        let (subject, seconds) = (&subject, seconds.as_str());
        async move {
            let mut reports = Vec::new();
            for round in 0..plan.rounds {
                let (rate, seed) = (rate.to_string(), (1 + round).to_string());
                let mut arguments =
                    vec!["--mix", "writing", "--rate", &rate, "--duration", seconds, "--seed", &seed];
                arguments.extend(probe.then_some("--probe"));
                reports.push(subject.load(&arguments).await?);
            }
            anyhow::Ok(reports)
        }
    };
    // The first round warms pages and pools up and is not counted.
    subject.load(&["--mix", "writing", "--rate", "500", "--duration", "5"]).await?;
    line(&format!("{store:?}, {rate} due a second"), &rounds(rate, false).await?, "all");
    let half = rounds(rate / 2, true).await?;
    line(&format!("{store:?}, {} due a second", rate / 2), &half, "all");
    line("  commit to projection meanwhile", &half, "projected");
    if plan.search {
        let found = subject
            .load(&["--mix", "writing", "--rate", "1000", "--duration", "8", "--find-rate", "--p99", "50"])
            .await?;
        say(&format!("{store:?}, highest rate with p99 within 50 ms and no failure: {}", found["rate"]));
    }
    subject.finish().await
}

fn line(what: &str, reports: &[Value], which: &str) {
    let of = |pointer: &str| -> f64 {
        median(reports.iter().filter_map(|report| report.pointer(pointer)?.as_f64()).collect())
    };
    let failed: u64 = reports.iter().map(failed).sum();
    let latency = |quantile: &str| of(&format!("/{which}/{quantile}"));
    let max = |report: &Value| report.pointer(&format!("/{which}/max")).and_then(Value::as_f64);
    let most = reports.iter().filter_map(max).fold(f64::NAN, f64::max);
    let rate = match which {
        "all" => format!("{:>7.0} acknowledged/s, {failed} failed", of("/achieved")),
        // Few are followed: their 99th percentile is nearly the longest.
        _ => format!("{:>7.0} followed in each round", of("/projected/count")),
    };
    say(&format!(
        "{what:<34} p50 {:>8.2} ms  p99 {:>8.2} ms  max {:>8.2} ms  {rate}",
        latency("p50"),
        latency("p99"),
        most
    ));
}

/// Calls of a load that came to nothing.
pub(super) fn failed(report: &Value) -> u64 {
    let errors = report["errors"].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64());
    let rest = ["overflow", "unfinished"].map(|name| report[name].as_u64().unwrap_or_default());
    errors.chain(rest).sum()
}
