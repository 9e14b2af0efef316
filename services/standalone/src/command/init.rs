//! `init`: a new data folder with its secrets, and the first administrator's code.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chassis::Config;
use kernel::{Ids, SystemClock, TenantId};
use membership::setup::{SetupCode, SetupError};
use membership::vault::KEY_FILE;
use messaging::{Clocks, Database, OpenError};
use serde::Serialize;

use crate::backup::RESTORE_AGAIN;
use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::SETTINGS_FILE;
use crate::screen::Screen;
use crate::services::{self, SERVICES};

/// What was made.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    /// The data folder.
    pub(super) data: PathBuf,
    /// The settings file.
    pub(super) settings: PathBuf,
    /// The first administrator's code, shown this once.
    pub(super) setup_code: String,
    /// The counties that have no administrator yet, and get one by it.
    pub(super) tenants: Vec<String>,
}

pub(super) async fn run(
    installation: &Installation,
    tenants: &[TenantId],
    new_code: bool,
    screen: Screen,
) -> Result<Exit, Failure> {
    let made = if new_code { mend(installation).await? } else { make(installation, tenants).await? };
    screen.result(&made, || {
        format!(
            "{data} is ready. Settings are in {settings}.

The first administrator's code, of the counties that have none ({counties}), shown this once:

  {code}

Next:
  osallisuus up --data {data}
  osallisuus sign-in --setup-code --name \"Your Name\" --tenant {tenant}",
            data = made.data.display(),
            settings = made.settings.display(),
            code = made.setup_code,
            counties = made.tenants.join(", "),
            tenant = made.tenants.first().map_or("19", String::as_str),
        )
    })?;
    Ok(Exit::Done)
}

/// Makes a data folder where there is none.
pub(super) async fn make(installation: &Installation, tenants: &[TenantId]) -> Result<Made, Failure> {
    let codes: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    let config = installation.load_for(SERVICES, [("OSALLISUUS_TENANTS", codes.join(","))])?;
    refuse_existing(&config)?;
    let settings = config.data_dir.join(SETTINGS_FILE);
    let write = || {
        fs::create_dir_all(&config.data_dir)?;
        // Settings that were named need no file of ours beside them, and one that is there is kept.
        if installation.config.is_none() && !settings.exists() {
            fs::write(&settings, settings_text(&codes))?;
        }
        Ok(())
    };
    write().map_err(|error: std::io::Error| {
        Failure::new(Exit::Configuration, format!("{}: {error}", config.data_dir.display()))
            .remedy("Name a folder that this user may make or write, with --data.")
    })?;
    prepare(installation, config).await
}

/// Makes what an interrupted `init` left out, and a new code in the place of one that was not used.
async fn mend(installation: &Installation) -> Result<Made, Failure> {
    prepare(installation, installation.load()?).await
}

pub(super) async fn prepare(installation: &Installation, config: Config) -> Result<Made, Failure> {
    let service = membership::SERVICE;
    let settings = config.services.get(service.name);
    let url = settings.map(|settings| settings.database.as_str()).unwrap_or_default();
    let owner = settings.and_then(|settings| settings.database_owner.as_deref());
    let database = Database::open_owned(url, owner, service.name, service.migrations).await;
    let database = database.map_err(|error| match &error {
        OpenError::Unfinished(_) => Failure::new(Exit::Refused, error.to_string()).remedy(RESTORE_AGAIN),
        _ => Failure::new(Exit::Unreachable, format!("the database of membership: {error}"))
            .remedy("Is the system running? Stop it first. Else: osallisuus doctor"),
    })?;
    let clocks = Clocks { business: Arc::new(SystemClock), real: Arc::new(SystemClock) };
    let names: Vec<&str> = services::names().collect();
    let prepared = membership::setup::prepare(
        &database,
        &config.secrets_dir,
        &config.cell,
        &names,
        &config.tenants,
        clocks,
        Ids::system(),
    );
    let code = prepared.await?;
    forums::vault::Vault::prepare(&config.secrets_dir, &Ids::system()).map_err(|error| {
        let file = config.secrets_dir.join(forums::vault::KEY_FILE);
        Failure::new(Exit::Configuration, format!("{}: {error}", file.display()))
            .remedy("Make the folder writable for this user, or choose another in secrets.dir.")
    })?;
    // Everything is committed; what closing could still say is of no use to anybody.
    let _ = database.close().await;
    let Some(SetupCode { code: setup_code, tenants }) = code else {
        let message = "every county has an administrator, who can name others";
        return Err(Failure::new(Exit::Refused, message));
    };
    let tenants = tenants.iter().map(ToString::to_string).collect();
    let settings = installation.config.clone().unwrap_or_else(|| config.data_dir.join(SETTINGS_FILE));
    Ok(Made { data: config.data_dir, settings, setup_code, tenants })
}

fn refuse_existing(config: &Config) -> Result<(), Failure> {
    let key = config.secrets_dir.join(KEY_FILE);
    if !key.exists() {
        return Ok(());
    }
    let data = config.data_dir.display();
    let message = format!("{data} has been made already: {} is there", key.display());
    Err(Failure::new(Exit::Refused, message).remedy(format!(
        "Run it: osallisuus up --data {data}\nIf init was interrupted, or its code was lost before anybody used it: \
         osallisuus init --data {data} --new-code"
    )))
}

fn settings_text(tenants: &[&str]) -> String {
    let quoted: Vec<String> = tenants.iter().map(|code| format!("{code:?}")).collect();
    format!(
        "# Settings of this installation that differ from the defaults. All settings with their values:\n\
         # osallisuus config show\n\n\
         tenants = [{}]\n",
        quoted.join(", ")
    )
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::File { .. } => Self::new(Exit::Configuration, error.to_string()),
            SetupError::Fault(_) => Self::general(error.to_string()),
        }
    }
}
