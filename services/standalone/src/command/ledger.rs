//! `ledger`: the judge on the command line.

use std::path::PathBuf;
use std::time::Duration;

use chassis::Config;
use chassis::config::NatsAddress;
use chassis::nats_child::NatsChild;
use clap::{Args, Subcommand};
use kernel::Ids;
use messaging::broker::NatsSettings;

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::ledger::{self, CheckError, Options};
use crate::screen::Screen;

/// Judges a system by clients' journals and by what it has stored.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Checks that journals, logs, streams, projections and ballot boxes tell one and the same history.
    #[command(after_help = "Examples:
  osallisuus ledger check --data /srv/osallisuus
  osallisuus ledger check --config /etc/osallisuus.toml --journal load.journal --wait 30 --output json

It reads only, and runs beside the system or on a copy of its data; an embedded nats-server that does not run is
started for it. Exit code 1 if a rule is broken; the records that show it are named, and no others.")]
    Check(Check),
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    installation: Installation,
    /// Journal of a client, as `osallisuus load --journal` writes it; may be given several times.
    #[arg(long, value_name = "FILE")]
    journal: Vec<PathBuf>,
    /// Address of the nats-server; without it that of the settings.
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// Waits so long for everything to be published and projected.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Parked events are expected and no fault.
    #[arg(long)]
    expect_parked: bool,
    /// The broker is known to have lost events that were published again: the stream may be out of order.
    #[arg(long)]
    expect_rewind: bool,
}

pub(super) async fn run(command: LedgerCommand, screen: Screen) -> Result<Exit, Failure> {
    let LedgerCommand::Check(check) = command;
    let config = check.installation.load()?;
    let (nats, child) = nats(&config, check.nats.as_deref()).await?;
    let options = Options {
        journals: check.journal,
        nats: Some(nats),
        wait: Duration::from_secs(check.wait),
        parked: check.expect_parked,
        rewound: check.expect_rewind,
    };
    let verdict = ledger::check(&config, &options).await;
    if let Some(child) = child {
        child.stop().await;
    }
    let verdict = verdict?;
    screen.result(&verdict, || verdict.text())?;
    Ok(if verdict.green { Exit::Done } else { Exit::Failure })
}

/// How to connect to NATS. An embedded server that runs is found by its settings file; else one is started on its store.
async fn nats(config: &Config, given: Option<&str>) -> Result<(NatsSettings, Option<NatsChild>), Failure> {
    let mut child = None;
    let url = match (given, &config.nats.address) {
        (Some(url), _) => url.to_owned(),
        (None, NatsAddress::Url(url)) => url.clone(),
        (None, NatsAddress::Embedded) => match running(config).await {
            Some(url) => url,
            None => {
                let started = NatsChild::start(&config.nats, &Ids::system()).await;
                let started = started.map_err(|why| Failure::new(Exit::Unreachable, why))?;
                child.insert(started).url().to_owned()
            }
        },
    };
    let settings = config.nats.connection(url, "osallisuus ledger");
    Ok((settings.map_err(|why| Failure::new(Exit::Configuration, why))?, child))
}

/// Where an embedded server of these settings listens, if one does.
async fn running(config: &Config) -> Option<String> {
    let settings = std::fs::read_to_string(config.nats.store_dir.join("nats.conf")).ok()?;
    let port = settings.lines().find_map(|line| line.strip_prefix("port: "))?.trim().parse::<u16>().ok()?;
    tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    Some(format!("nats://127.0.0.1:{port}"))
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        let exit = match &error {
            CheckError::Journal(_) | CheckError::Other(_) => Exit::Failure,
            CheckError::Open(_) | CheckError::Database(_) | CheckError::Nats(_) => Exit::Unreachable,
        };
        Self::new(exit, error.to_string()).remedy("See: osallisuus doctor")
    }
}
