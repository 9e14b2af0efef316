//! `load`: the load generator on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kernel::TenantId;

use crate::cli::Remote;
use crate::client::Server;
use crate::exit::{Exit, Failure};
use crate::ledger::journal::Journal;
use crate::load::{self, Fleet, Mix, Plan};
use crate::screen::Screen;

/// What to do to which system.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Which calls: election-day, reading, mixed (one write to nine reads) or writing.
    #[arg(long, value_enum, default_value = "mixed", value_name = "MIX", hide_possible_values = true)]
    mix: Mix,
    /// Arrivals a second, on a fixed schedule.
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = rate)]
    rate: f64,
    /// For how long, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    duration: u64,
    /// Connections to the system.
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=512))]
    connections: u16,
    /// Most calls in work at once; arrivals beyond that are counted as failed.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    outstanding: u32,
    /// New file for the journal of all calls that change something, for the ledger check.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// The same number draws the same calls.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Voters of an election day; each votes once. They are signed in before, some tens in a second.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    voters: usize,
    /// County to work in, by its code.
    #[arg(long, value_name = "CODE", default_value = "19")]
    tenant: TenantId,
    /// Also measures how long a commit takes to reach another service.
    #[arg(long)]
    probe: bool,
    /// Also tells how fast the memory of the system grows.
    #[arg(long)]
    soak: bool,
    /// Searches the highest rate that keeps the promise of --p99, from --rate upwards; each step takes --duration.
    #[arg(long)]
    find_rate: bool,
    /// With --find-rate: 99 of 100 calls are answered within so many milliseconds, and none fails.
    #[arg(long, value_name = "MS", default_value_t = 50, requires = "find_rate")]
    p99: u64,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn run(load: Load, screen: Screen) -> Result<Exit, Failure> {
    let session = load.remote.account()?.session().unwrap_or_default().to_owned();
    let saved = load.remote.saved()?;
    let (addresses, tls) = (load.remote.addresses(saved.as_ref()), load.remote.tls(saved.as_ref()));
    let journal = load.journal.as_ref().map(|file| {
        Journal::create(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::new(Exit::Refused, format!("{} is there already", file.display()))
                    .remedy("Name a new file: a journal is never written over.")
            }
            _ => Failure::from(error).during(file.display()),
        })
    });
    let journal = journal.transpose()?;
    let connection = |_| -> Result<Server, Failure> {
        let server = Server::from_arguments(&addresses, &tls)?;
        Ok(match &journal {
            Some(journal) => server.journalled(journal.clone()),
            None => server,
        })
    };
    let servers = (0..load.connections).map(connection).collect::<Result<_, _>>()?;
    let fleet = Fleet::new(servers, &session)?.journalled(journal);
    let plan = Plan {
        mix: load.mix,
        rate: load.rate,
        duration: Duration::from_secs(load.duration),
        outstanding: usize::try_from(load.outstanding).unwrap_or(usize::MAX),
        seed: load.seed,
        tenant: load.tenant,
        voters: load.voters,
        probe: load.probe,
        soak: load.soak,
    };
    if load.find_rate {
        let found = load::seek(&fleet, &plan, Duration::from_millis(load.p99), screen).await?;
        screen.result(&found, || found.text())?;
        return Ok(if found.rate.is_some() { Exit::Done } else { Exit::Failure });
    }
    let report = load::run(&fleet, &plan, screen).await?;
    screen.result(&report, || report.text())?;
    Ok(if report.failed() == 0 { Exit::Done } else { Exit::Failure })
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.1..=1_000_000.0).contains(rate));
    rate.ok_or_else(|| "must be a number from 0.1 to 1000000".to_owned())
}
