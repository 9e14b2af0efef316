//! When the last backup of the whole was taken: `osallisuus backup` leaves the time in the data folder, and the process
//! beside it shows it, so that an alert tells when nobody takes any.

use std::path::{Path, PathBuf};

use kernel::Timestamp;
use opentelemetry::metrics::Meter;

/// The file in the data folder.
const FILE: &str = "last-backup";

/// Says that a backup of every service was taken at this time.
///
/// # Errors
/// If the file cannot be written.
pub fn note_backup(data_dir: &Path, at: Timestamp) -> std::io::Result<()> {
    let (new, file) = (data_dir.join(format!("{FILE}.new")), data_dir.join(FILE));
    std::fs::write(&new, format!("{at}\n"))?;
    std::fs::rename(new, file)
}

/// Observes when it was, in seconds since 1970; 0 if never.
pub(super) fn observe(meter: &Meter, data_dir: PathBuf) {
    let gauge = meter.i64_observable_gauge("backup_taken_timestamp").with_unit("s");
    let gauge =
        gauge.with_description("When the last backup of every service was taken from here; 0: never.");
    gauge.with_callback(move |observer| observer.observe(taken(&data_dir), &[])).build();
}

fn taken(data_dir: &Path) -> i64 {
    let text = std::fs::read_to_string(data_dir.join(FILE)).unwrap_or_default();
    text.trim().parse().map_or(0, Timestamp::as_seconds)
}
