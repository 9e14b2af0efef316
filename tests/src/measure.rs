//! Figures of whole systems, measured from outside: release programs in processes of their own, called by
//! `osallisuus load` over TCP, everything on one machine.
//!
//! | module | what it measures |
//! | --- | --- |
//! | [`rates`] | acknowledged commands a second and their latency; commit to projection at half the rate |
//! | [`backlog`] | how fast a backlog drains that grew while NATS was away |
//! | [`memory`] | each service in a process of its own: at rest, under load, over a soak |
//! | [`tenants`] | what a county costs at rest: one deployment for 22, and 22 cells of one |

pub mod backlog;
pub mod memory;
pub mod process;
pub mod rates;
pub mod subject;
pub mod tenants;

/// Codes of the counties that there are, Åland left out.
pub const COUNTIES: [&str; 22] = [
    "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17",
    "18", "19", "20", "HEL", "HUS",
];

/// The middle of the values; of an even number the lower one; NaN of none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len().max(1) - 1) / 2).copied().unwrap_or(f64::NAN)
}

/// Bytes as mebibytes.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A line of the report; what is behind a pipe is awk's.
#[expect(clippy::print_stdout, reason = "the report is what this is for")]
pub fn say(line: &str) {
    println!("{line}");
}
