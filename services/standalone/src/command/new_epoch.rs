//! `new-epoch`: lets the log of a service go on after it was restored.

use clap::Args;
use kernel::{Clock as _, SystemClock};
use messaging::crash;
use messaging::exclusive::{Exclusive, Raised};
use serde::Serialize;

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::{databases, require_owner};
use crate::screen::{Screen, table};

pub(crate) const EXAMPLES: &str = "Examples:
  osallisuus new-epoch
  osallisuus new-epoch --service forums --output json

The system must be stopped. It is needed when a database was put back by other means than `osallisuus restore`: its
lanes stand still, because the stream holds events that the log does not have. With a new epoch the log goes on from
where it is, and what it does not have is given up. Services that have read it are then healed by `osallisuus resync`.";

/// Which services.
#[derive(Debug, Clone, Args)]
pub(crate) struct NewEpochArgs {
    /// Only of this service; may be given several times.
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    #[command(flatten)]
    installation: Installation,
}

/// What became of the lanes of a service.
#[derive(Debug, Serialize)]
pub(super) struct Begun {
    pub(super) service: &'static str,
    pub(super) lanes: Vec<Raised>,
}

pub(super) async fn run(args: &NewEpochArgs, screen: Screen) -> Result<Exit, Failure> {
    let config = args.installation.load()?;
    require_owner(&config, "new-epoch")?;
    let mut held = Vec::new();
    for (service, url) in databases(&config, &args.service)? {
        held.push(alone(&url, service.name).await?);
    }
    let mut begun = Vec::new();
    for database in held {
        let service = database.service();
        let lanes = database.raise_epoch(&config.tenants, epoch_of_now()).await;
        let lanes =
            lanes.map_err(|error| Failure::from(error).during(format!("the database of {service}")))?;
        crash::point("new_epoch.begun");
        begun.push(Begun { service, lanes });
        // Everything is committed.
        let _ = database.release().await;
    }
    screen.result(&begun, || text(&begun))?;
    Ok(Exit::Done)
}

/// The database of a service, for this command alone.
///
/// # Errors
/// [`Exit::Refused`] while the service runs.
pub(super) async fn alone(url: &str, service: &'static str) -> Result<Exclusive, Failure> {
    use messaging::OpenError;
    Exclusive::lock(url, service).await.map_err(|error| match error {
        OpenError::InUse(_) => {
            Failure::new(Exit::Refused, format!("{service} runs: {error}")).remedy("Stop the system first.")
        }
        other => Failure::new(Exit::Unreachable, format!("the database of {service}: {other}"))
            .remedy("See: osallisuus doctor"),
    })
}

/// Seconds since 1970, as an epoch: higher than any that was begun before, also by a log that is lost.
pub(super) fn epoch_of_now() -> u64 {
    SystemClock.now().as_micros().max(0).unsigned_abs() / 1_000_000
}

/// The lanes as a table.
pub(super) fn text(begun: &[Begun]) -> String {
    let rows = begun.iter().flat_map(|one| {
        one.lanes.iter().map(|lane| {
            let service = one.service.to_owned();
            let epochs = [lane.old_epoch, lane.new_epoch].map(|epoch| epoch.to_string());
            let [old, new] = epochs;
            [service, lane.lane.clone(), old, new, lane.seq.to_string(), lane.hash.clone()]
        })
    });
    table(["Service", "Lane", "Old epoch", "New epoch", "Last event", "Its hash"], rows, &[2, 3, 4])
}
