//! `config show`: every setting in force.

use serde::Serialize;

use crate::cli::ConfigCommand;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};

#[derive(Serialize)]
struct Setting<'a> {
    key: &'a str,
    value: &'a str,
    from: &'a str,
}

pub(super) fn run(command: &ConfigCommand, screen: Screen) -> Result<Exit, Failure> {
    let ConfigCommand::Show { installation } = command;
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
