//! An installation on this machine: its settings and its data folder.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chassis::config::environment;
use chassis::{Config, ConfigFaults, Service};
use membership::vault::KEY_FILE;

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::services::SERVICES;

/// The settings file that `init` makes in the data folder.
pub(crate) const SETTINGS_FILE: &str = "osallisuus.toml";
/// Where the data folder is if nobody says otherwise; as in the defaults.
const USUAL_DATA_FOLDER: &str = "data";
const DATA_VARIABLE: &str = "OSALLISUUS_DATA_DIR";

impl Installation {
    /// Reads the settings of a process that runs every service.
    ///
    /// # Errors
    /// [`Exit::Configuration`] with every fault.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        self.load_for(SERVICES, [])
    }

    /// Reads the settings of a process that runs these services; `more` are further ones, by their environment
    /// variables, and win over all others.
    ///
    /// # Errors
    /// [`Exit::Configuration`] with every fault.
    pub(crate) fn load_for<const N: usize>(
        &self,
        services: &[Service],
        more: [(&str, String); N],
    ) -> Result<Config, Failure> {
        let mut variables = self.variables();
        variables.extend(more.map(|(name, value)| (name.to_owned(), value)));
        Config::load(services, self.settings_file().as_deref(), variables).map_err(Failure::from)
    }

    /// Reads the settings of a process that runs this service alone.
    ///
    /// # Errors
    /// [`Exit::Configuration`] with every fault.
    pub(crate) fn load_alone(&self, service: Service) -> Result<Config, Failure> {
        Config::load_alone(service, self.settings_file().as_deref(), self.variables()).map_err(Failure::from)
    }

    /// The environment, and over it the data folder of the command line.
    fn variables(&self) -> Vec<(String, String)> {
        let data = self.data.as_ref().map(|folder| (DATA_VARIABLE.to_owned(), folder.display().to_string()));
        environment().chain(data).collect()
    }

    /// The file named, else the one in the data folder if there is one.
    fn settings_file(&self) -> Option<PathBuf> {
        if let Some(file) = &self.config {
            return Some(file.clone());
        }
        let from_environment = || std::env::var_os(DATA_VARIABLE).map(PathBuf::from);
        let folder = self.data.clone().or_else(from_environment);
        let file = folder.unwrap_or_else(|| PathBuf::from(USUAL_DATA_FOLDER)).join(SETTINGS_FILE);
        file.is_file().then_some(file)
    }
}

/// The services meant, all if none is named, each with the address of its database as the owner
/// of its tables.
///
/// # Errors
/// [`Exit::Usage`] for a name that no service has.
pub(crate) fn databases(config: &Config, named: &[String]) -> Result<Vec<(Service, String)>, Failure> {
    if let Some(unknown) = named.iter().find(|name| crate::services::find(name).is_none()) {
        let names: Vec<&str> = crate::services::names().collect();
        let message = format!("there is no service \"{unknown}\"; there are {}", names.join(", "));
        return Err(Failure::new(Exit::Usage, message));
    }
    let meant =
        SERVICES.iter().filter(|service| named.is_empty() || named.iter().any(|name| name == service.name));
    let address = |service: &Service| Some((*service, config.services.get(service.name)?.owner().to_owned()));
    Ok(meant.filter_map(address).collect())
}

/// That a data folder is there, made by `init`.
///
/// # Errors
/// [`Exit::Configuration`] if it is not.
pub(crate) fn require_made(config: &Config) -> Result<(), Failure> {
    let key = config.secrets_dir.join(KEY_FILE);
    if key.is_file() {
        return Ok(());
    }
    let folder = config.data_dir.display();
    Err(Failure::new(
        Exit::Configuration,
        format!("{folder} is not a data folder yet: {} is missing", key.display()),
    )
    .remedy(format!("Make it first: osallisuus init --data {folder}")))
}

/// That whoever runs `command` owns the data folder: files that another user makes or puts in the place of others cannot
/// be used by the services. A folder that is not there belongs to nobody yet.
///
/// # Errors
/// [`Exit::Refused`] with the command line that does it.
pub(crate) fn require_owner(config: &Config, command: &str) -> Result<(), Failure> {
    let Ok(folder) = config.data_dir.metadata() else { return Ok(()) };
    let owner = folder.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let name = user_name(owner).unwrap_or_else(|| owner.to_string());
    let message =
        format!("{} belongs to the user {name}, not to the one who runs this", config.data_dir.display());
    Err(Failure::new(Exit::Refused, message)
        .remedy(format!("Run it as that user: runuser -u {name} -- osallisuus {command} …")))
}

/// The name of a user of this machine.
fn user_name(id: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, user) = (fields.next()?, fields.nth(1)?);
        (user.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// The file of a service's account secret.
pub(crate) fn account_file(secrets: &Path, service: &str) -> PathBuf {
    secrets.join(format!("{service}.secret"))
}

impl From<ConfigFaults> for Failure {
    fn from(faults: ConfigFaults) -> Self {
        let count = faults.faults().len();
        let plural = if count == 1 { "fault" } else { "faults" };
        Self::new(Exit::Configuration, format!("the configuration has {count} {plural}"))
            .details(faults.faults().iter().map(ToString::to_string))
            .remedy("All settings with their meaning: osallisuus config defaults")
    }
}
