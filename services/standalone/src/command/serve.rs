//! `serve`: one service in a process of its own.

use std::process::ExitCode;
use std::time::Instant;

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;
use crate::services;

pub(super) async fn run(
    name: &str,
    installation: &Installation,
    screen: Screen,
) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let Some(service) = services::find(name) else {
        let names: Vec<&str> = services::names().collect();
        return Err(Failure::new(Exit::Usage, format!("there is no service {name:?}"))
            .remedy(format!("The services are {}.", names.join(", "))));
    };
    let config = installation.load_alone(service)?;
    super::up::until_stopped(&[service], config, service.name, began, screen).await
}
