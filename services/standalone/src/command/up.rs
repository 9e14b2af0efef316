//! `up`: everything in one process.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use chassis::telemetry::{self, Telemetry};
use chassis::{Config, Running, Service, Signals, StartError};
use messaging::OpenError;

use crate::backup::RESTORE_AGAIN;
use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::require_made;
use crate::screen::Screen;
use crate::services::SERVICES;

pub(super) async fn run(installation: &Installation, screen: Screen) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let config = installation.load()?;
    require_made(&config)?;
    until_stopped(SERVICES, config, "osallisuus", began, screen).await
}

/// Runs services until a signal or a failure.
pub(super) async fn until_stopped(
    services: &[Service],
    config: Config,
    name: &str,
    began: Instant,
    screen: Screen,
) -> Result<ExitCode, Failure> {
    let data = config.data_dir.display().to_string();
    let telemetry = telemetry::install(&config, name)?;
    let ended = async {
        let mut signals = Signals::listen()?;
        let running = tokio::select! {
            started = chassis::start(services, config) => started?,
            // A start may wait long, for another copy that migrates the same database.
            () = signals.asked_to_end() => return Ok(ExitCode::SUCCESS),
        };
        tokio::select! {
            () = running.ready() => say_ready(&running, &data, telemetry.scraped_at(), began, screen)?,
            // Readiness may need a service elsewhere; who is asked to end meanwhile ends in order.
            () = signals.asked_to_end() => {}
        }
        Ok(running.wait(signals).await)
    };
    let ended = ended.await;
    shut_down(telemetry).await;
    ended
}

/// Sends what is left of logs, traces and metrics.
pub(super) async fn shut_down(telemetry: Telemetry) {
    // It blocks, and a failure to send has nowhere to be told.
    let _ = tokio::task::spawn_blocking(move || telemetry.shut_down()).await;
}

/// The line that scripts wait for.
fn say_ready(
    running: &Running,
    data: &str,
    scraped_at: Option<SocketAddr>,
    began: Instant,
    screen: Screen,
) -> Result<(), Failure> {
    let address = running.url();
    let seconds = began.elapsed().as_secs_f64();
    let nats = running.nats_url();
    let metrics = scraped_at.map(|at| format!("http://{at}/metrics"));
    let value = serde_json::json!({
        "ready": true, "grpc": address, "nats": nats, "metrics": metrics, "data": data, "seconds": seconds
    });
    if screen.is_json() {
        // One line each, because the process goes on: readers take line by line.
        return screen.line(&value.to_string());
    }
    let nats = nats.map(|url| format!(", events at {url}")).unwrap_or_default();
    let metrics = metrics.map(|url| format!(", metrics at {url}")).unwrap_or_default();
    screen.line(&format!(
        "osallisuus is ready after {seconds:.1} s: gRPC at {address}{nats}{metrics}, data in {data}"
    ))
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(faults) => faults.into(),
            StartError::Listen { .. } | StartError::Other(_) => Self::general(error.to_string()),
            StartError::Database { source: OpenError::Unfinished(_), .. } => {
                Self::new(Exit::Refused, error.to_string()).remedy(RESTORE_AGAIN)
            }
            StartError::Database { source: OpenError::InUse(_), .. } => {
                Self::new(Exit::Refused, error.to_string())
                    .remedy("Wait for the other to end: the same system, a restore or a new epoch.")
            }
            StartError::Database { .. } | StartError::Nats(_) => {
                Self::new(Exit::Unreachable, error.to_string())
                    .remedy("What is wrong in detail: osallisuus doctor")
            }
        }
    }
}
