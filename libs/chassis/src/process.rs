//! The process around the services.
use std::process::ExitCode;

use crate::config::Config;
use crate::service::Service;

/// The whole of a service binary's `main`.
#[must_use]
pub fn main(_services: &[Service]) -> ExitCode {
    ExitCode::SUCCESS
}

/// Runs services until a signal or a failure.
#[must_use]
pub fn run(_services: &[Service], _config: &Config) -> ExitCode {
    ExitCode::SUCCESS
}
