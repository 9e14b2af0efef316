//! `dev-ca`: certificates for development and trials.

use std::path::PathBuf;

use clap::Args;
use kernel::{Clock as _, SystemClock};
use time::Duration;

use crate::dev_ca::{self, Wanted};
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

/// What certificates are for.
#[derive(Debug, Args)]
pub(crate) struct DevCa {
    /// Folder of the authority and of all certificates.
    folder: PathBuf,
    /// Name of the deployment, as the setting cell.
    #[arg(long, value_name = "NAME", default_value = "local")]
    cell: String,
    /// Name or address of a machine of the deployment; may be given several times. The own machine is always known.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Another system that is to have a certificate, for example one that reads the events; may be given several times.
    #[arg(long, value_name = "NAME")]
    client: Vec<String>,
    /// How many days the certificates are valid, 1 to 30.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(1..=30))]
    days: u8,
}

pub(super) fn run(options: DevCa, screen: Screen) -> Result<Exit, Failure> {
    let wanted = Wanted {
        cell: options.cell,
        hosts: options.host,
        clients: options.client,
        now: SystemClock.now(),
        life: Duration::days(options.days.into()),
    };
    let made = dev_ca::make(&options.folder, &wanted)?;
    screen.result(&made, || {
        let authority = if made.new_authority { "A new authority" } else { "The same authority" };
        format!(
            "{authority} and new certificates are in {}, valid until {}:\n  {}\n\nFor trials only: whoever reads \
             ca.key can be anybody.",
            made.folder.display(),
            made.valid_until,
            made.names.join(", "),
        )
    })?;
    Ok(Exit::Done)
}
