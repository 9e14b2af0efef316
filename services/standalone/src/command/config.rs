//! `config`: every setting, as it is in force and as it is by itself.

use serde::Serialize;

use crate::cli::ConfigCommand;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};
use crate::services::SERVICES;

#[derive(Serialize)]
struct Setting<'a> {
    key: &'a str,
    value: &'a str,
    from: &'a str,
}

pub(super) fn run(command: &ConfigCommand, screen: Screen) -> Result<Exit, Failure> {
    let installation = match command {
        ConfigCommand::Defaults => return defaults(screen),
        ConfigCommand::Show { installation } => installation,
    };
    let config = installation.load()?;
    let settings: Vec<Setting<'_>> = config
        .show()
        .iter()
        .map(|shown| Setting { key: &shown.key, value: &shown.value, from: &shown.from })
        .collect();
    screen.result(&settings, || {
        let rows = settings.iter().map(|one| [one.key.to_owned(), one.value.to_owned(), one.from.to_owned()]);
        table(["Setting", "Value", "From"], rows, &[])
    })?;
    Ok(Exit::Done)
}

/// The text of the defaults; for programs one document, too.
fn defaults(screen: Screen) -> Result<Exit, Failure> {
    let text = chassis::config::defaults_text(SERVICES);
    screen.result(&serde_json::json!({ "toml": text }), || text.trim_end().to_owned())?;
    Ok(Exit::Done)
}
