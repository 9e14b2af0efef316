//! The process around a service: arguments, runtime, logging, signals, exit code.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use messaging::OpenError;

use crate::config::environment;
use crate::config::{Config, defaults_text};
use crate::service::{Service, StartError};
use crate::signals::Signals;
use crate::{start, telemetry};

/// Every process of ours allocates with jemalloc, SQLite's C code too. At full load it leads to fewer delays than mimalloc
/// and a quarter less memory; with glibc's own a quarter of the commands is not done in time.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Exit code for a configuration that is wrong: nothing was started. The codes are those of `osallisuus`; 2, for a
/// command line that is wrong, comes from clap.
const CONFIGURATION: u8 = 3;
/// Exit code for a database or a nats-server that does not answer.
const UNREACHABLE: u8 = 4;
/// Exit code for a database that somebody else has, or whose restore was not finished.
const REFUSED: u8 = 5;

/// How long threads get to end when a process has nothing left to do. A writer's thread that waits for a disk which does
/// not answer would keep it for ever.
pub const THREADS_END: Duration = Duration::from_secs(1);

/// Options of a service's own binary.
#[derive(Parser)]
#[command(version, about = "A service of Osallisuus.", after_help = "Settings: --defaults lists them all.")]
struct Options {
    /// Settings, as TOML; environment variables OSALLISUUS_… win over it.
    #[arg(long, value_name = "FILE", env = "OSALLISUUS_CONFIG")]
    config: Option<PathBuf>,
    /// Prints all settings with their defaults and their meaning, and ends.
    #[arg(long)]
    defaults: bool,
}

/// The whole `main` of a service's own binary: reads options and configuration, runs until a signal.
#[must_use]
pub fn main(service: Service) -> ExitCode {
    let options = Options::parse();
    if options.defaults {
        let written = std::io::stdout().write_all(defaults_text(&[service]).as_bytes());
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match Config::load_alone(service, options.config.as_deref(), environment()) {
        Ok(config) => run(service, config),
        Err(faults) => {
            complain(&faults);
            ExitCode::from(CONFIGURATION)
        }
    }
}

/// Runs a service until SIGTERM, SIGINT or the end of a task that should not end. 0 after a signal, 1 after a failure,
/// 3 if the configuration is wrong, 4 if something needed does not answer, 5 if the database may not be used now.
fn run(service: Service, config: Config) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    let telemetry = {
        // The exporters' connections belong to the runtime.
        let _inside = runtime.enter();
        match telemetry::install(&config, service.name) {
            Ok(telemetry) => telemetry,
            Err(error) => {
                complain(&error);
                return ExitCode::FAILURE;
            }
        }
    };
    let code = runtime.block_on(async {
        let mut signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => {
                complain(&error);
                return ExitCode::FAILURE;
            }
        };
        let services = [service];
        let started = tokio::select! {
            started = start(&services, config) => started,
            // A start may wait long, for another copy that migrates the same database.
            () = signals.asked_to_end() => return ExitCode::SUCCESS,
        };
        match started {
            Ok(running) => running.wait(signals).await,
            Err(error) => {
                complain(&error);
                match error {
                    StartError::Config(_) => ExitCode::from(CONFIGURATION),
                    StartError::Database {
                        source: OpenError::InUse(_) | OpenError::Unfinished(_), ..
                    } => ExitCode::from(REFUSED),
                    StartError::Database { .. } | StartError::Nats(_) => ExitCode::from(UNREACHABLE),
                    StartError::Listen { .. } | StartError::Other(_) => ExitCode::FAILURE,
                }
            }
        }
    });
    // Sends what is left while the runtime still carries the connections.
    telemetry.shut_down();
    runtime.shutdown_timeout(THREADS_END);
    code
}

/// Standard error, since logging may not be there yet.
fn complain(error: &dyn std::fmt::Display) {
    // Nothing is left to do if even that fails.
    let _ = writeln!(std::io::stderr(), "error: {error}");
}
