//! `audit prune`: rows of the audit log that were kept for as long as they must be are deleted (TIHA-12).

use clap::Args;
use kernel::{Clock as _, Date, SystemClock, deadline};
use messaging::audit::prune;
use serde::Serialize;

use super::unreadable;
use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::databases;
use crate::screen::{Screen, table};

/// For how many months rows are kept at least: the five years of docs/audit.md.
const KEPT_MONTHS: u32 = 60;

pub(super) const EXAMPLES: &str = "Examples:
  osallisuus audit prune --before 2021-01-01
  osallisuus audit prune --before 2021-01-01 --service forums --output json

Rows written in the five years before today are refused, except in a demonstration. The database is opened with the
role of services.<name>.database_owner, if there is one: that of a running service may not delete rows. A row in the
log says from where on rows are kept, so `audit verify` tells rows that were deleted by this command from others.";

/// What to delete.
#[derive(Debug, Clone, Args)]
pub(crate) struct PruneArgs {
    /// Day before which rows were written that go, "2021-01-01", in Finland.
    #[arg(long, value_name = "DAY", value_parser = deadline::parse_date)]
    before: Date,
    /// Only of this service; may be given several times.
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    #[command(flatten)]
    installation: Installation,
}

#[derive(Serialize)]
struct Done {
    service: &'static str,
    rows: u64,
    kept_from: u64,
}

pub(super) async fn run(args: &PruneArgs, screen: Screen) -> Result<Exit, Failure> {
    let config = args.installation.load()?;
    let now = SystemClock.now();
    if deadline::add_months(args.before, KEPT_MONTHS) > now.helsinki_date() && !config.demo {
        let message = format!("rows are kept for five years, and {} is not that long ago", args.before);
        return Err(Failure::new(Exit::Refused, message).remedy("Name an earlier day."));
    }
    let mut done = Vec::new();
    for (service, url) in databases(&config, &args.service)? {
        let pruned = prune(&url, service.name, deadline::start_of_day(args.before), now).await;
        let pruned = pruned.map_err(|error| unreadable(service.name, &error))?;
        done.push(Done { service: service.name, rows: pruned.rows, kept_from: pruned.kept_from });
    }
    screen.result(&done, || {
        let rows =
            done.iter().map(|one| [one.service.to_owned(), one.rows.to_string(), one.kept_from.to_string()]);
        table(["Service", "Rows deleted", "Kept from"], rows, &[1, 2])
    })?;
    Ok(Exit::Done)
}
