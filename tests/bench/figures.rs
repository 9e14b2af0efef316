//! Medians and lines of the report.

use hdrhistogram::Histogram;

/// What one round of a load gave.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    /// Acknowledged commands a second.
    pub(crate) per_second: f64,
    /// Median time to the answer, in milliseconds.
    pub(crate) p50: f64,
    /// 99th percentile, in milliseconds.
    pub(crate) p99: f64,
}

/// The middle of the rounds' values; of an even number the lower one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get((values.len().max(1) - 1) / 2).copied().unwrap_or(f64::NAN)
}

/// A quantile of a histogram of microseconds, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
pub(crate) fn milliseconds(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1000.0
}

/// Prints one line: what, commands a second, latency, ratio to something.
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
pub(crate) fn line(what: &str, per_second: f64, latency: Option<(f64, f64)>, note: &str) {
    let latency =
        latency.map_or_else(String::new, |(p50, p99)| format!("p50 {p50:7.2} ms  p99 {p99:7.2} ms"));
    println!("{what:<46} {per_second:>9.0}/s  {latency:<30}  {note}");
}

/// Prints a heading.
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
pub(crate) fn heading(text: &str) {
    println!("\n{text}");
}
