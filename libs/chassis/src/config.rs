//! Configuration: the documented defaults, a file, the environment; the later wins. What is wrong is reported all at
//! once, each with key, value, where it was set, rule and remedy, before anything is opened or listened on.
//!
//! The defaults file is the list of all settings: a key that is not in it, or has another type, is refused. So a typo
//! never means "default", and the documentation cannot fall behind.

mod fault;
mod layers;
mod raw;
mod rules;
mod show;
mod transport;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::{TenantId, Timestamp};
use messaging::broker::{NatsSettings, NatsTls, wire};
use messaging::provision::{Profile, StreamSettings};

pub use fault::{ConfigFault, ConfigFaults};
pub use show::Shown;

pub(crate) use layers::Section;

use crate::service::Service;
use crate::tls::{Material, OwnFiles, TlsFiles};

/// Every setting with its default and its meaning, as TOML.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The same with those of these services, as one file.
#[must_use]
pub fn defaults_text(services: &[Service]) -> String {
    let of_service = |service: &Service| {
        format!("\n[services.{}]\n{}{}", service.name, layers::OF_EVERY_SERVICE, service.defaults)
    };
    services.iter().fold(DEFAULTS.to_owned(), |text, service| text + &of_service(service))
}

/// A valid configuration of a process.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the deployment.
    pub cell: String,
    /// Counties served.
    pub tenants: Vec<TenantId>,
    /// Folder for databases, keys and the embedded nats-server's store.
    pub data_dir: PathBuf,
    /// Whether an operator may set the business clock.
    pub demo: bool,
    /// Whether the system is there to be loaded: its clock may be set, and rates are not limited.
    pub load_test: bool,
    /// The server.
    pub listen: Listen,
    /// Certificates; None: plain text on the own machine.
    pub tls: Option<Tls>,
    /// The bus.
    pub nats: Nats,
    /// What is logged and sent.
    pub telemetry: Telemetry,
    /// Limits of requests.
    pub limits: Limits,
    /// Verification of tokens.
    pub tokens: Tokens,
    /// Where the business clock starts, with [`demo`](Self::demo).
    pub demo_start: Option<Timestamp>,
    /// Draining.
    pub stop: Stop,
    /// Folder of secret files.
    pub secrets_dir: PathBuf,
    /// Every service that is configured or runs here, by name.
    pub services: BTreeMap<String, ServiceConfig>,
    shown: Vec<Shown>,
}

/// The server.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address of the gRPC server; port 0 takes a free one.
    pub grpc: SocketAddr,
    /// Whether clients may ask which RPCs there are.
    pub reflection: bool,
}

/// Certificates of the process.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Where they are.
    pub files: TlsFiles,
    /// Whether every client must show one.
    pub clients_required: bool,
    /// How often the files are looked at.
    pub reload: Duration,
}

/// The bus.
#[derive(Clone, Debug)]
pub struct Nats {
    /// Where it is.
    pub address: NatsAddress,
    /// The program of an embedded server.
    pub server: PathBuf,
    /// Store of an embedded server.
    pub store_dir: PathBuf,
    /// Port of an embedded server; 0 takes a free one.
    pub port: u16,
    /// How often an embedded server flushes its store: a duration as nats-server reads it, or "always".
    pub sync_interval: String,
    /// File with the credentials of a cluster.
    pub credentials: Option<PathBuf>,
    /// What a cluster with TLS is shown, and how it is known.
    pub tls: Option<NatsTls>,
    /// Names of other systems that read the events.
    pub readers: Vec<String>,
    /// How strict to be about the server.
    pub profile: Profile,
    /// Copies of each stream.
    pub replicas: usize,
    /// Whether the streams are made and checked at start.
    pub provision: bool,
}

impl Nats {
    /// How to connect there, with the credentials of the file. Answers come where only the user of the certificate may
    /// listen, if the cluster has permissions: `osallisuus nats-config`.
    ///
    /// # Errors
    /// A sentence, if the file cannot be read.
    pub fn connection(
        &self,
        url: impl Into<String>,
        name: impl Into<String>,
    ) -> Result<NatsSettings, String> {
        let read = |file: &PathBuf| {
            std::fs::read_to_string(file)
                .map_err(|error| format!("nats.credentials, {}: {error}", file.display()))
        };
        Ok(NatsSettings {
            url: url.into(),
            name: name.into(),
            credentials: self.credentials.as_ref().map(read).transpose()?,
            tls: self.tls.clone(),
            inbox: wire::inbox(&self.user()),
            profile: self.profile,
            makes_streams: self.provision || self.address == NatsAddress::Embedded,
            streams: StreamSettings { replicas: self.replicas, ..StreamSettings::default() },
        })
    }
}

impl Nats {
    /// The user of the cluster: the last part of the certificate's first identity, by which the cluster goes too.
    fn user(&self) -> String {
        let shown = self.tls.as_ref().and_then(|tls| {
            let own = OwnFiles { certificate: tls.certificate.clone(), key: tls.key.clone() };
            Material::load(&TlsFiles { ca: tls.ca.clone(), own: Some(own) }).ok()
        });
        let identity = shown.as_ref().and_then(|shown| shown.identities().first());
        let name = identity.and_then(|identity| identity.rsplit('/').next());
        name.unwrap_or("osallisuus").to_owned()
    }
}

/// Which part of a deployment a process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Process {
    /// All of it, or the part that a test looks at.
    Whole,
    /// One service of several that find each other.
    One,
}

/// The process's environment, as [`Config::load`] takes it. A variable that is not text is none.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Where the bus is.
#[derive(Clone, PartialEq, Eq)]
pub enum NatsAddress {
    /// A child of this process.
    Embedded,
    /// A cluster. May hold a password: never shown.
    Url(String),
}

/// What is logged and sent.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Rules of what is logged.
    pub log: String,
    /// Whether logs are JSON.
    pub json: bool,
    /// Where traces, metrics and logs are sent.
    pub otlp_endpoint: Option<String>,
    /// Share of requests whose trace is kept, 0.0 to 1.0.
    pub sample: f64,
    /// Where Prometheus fetches metrics; port 0 takes a free one.
    pub prometheus: Option<SocketAddr>,
    /// How often metrics are sent.
    pub metrics_interval: Duration,
}

/// Limits of requests.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest request in bytes where the contract names no other.
    pub message_bytes: usize,
    /// Largest header list in bytes.
    pub header_bytes: u32,
    /// Requests in work at once for one connection.
    pub requests_per_connection: usize,
    /// Streams open at once in one connection.
    pub streams_per_connection: u32,
    /// Requests in work at once in the process.
    pub requests: usize,
    /// Deadline of a request whose client sets none.
    pub deadline: Duration,
    /// The longest deadline of a client.
    pub longest_deadline: Duration,
    /// Calls a minute for one caller and RPC where the contract names no other; None: rates are not limited.
    pub per_minute: Option<u32>,
    /// Most commands in one transaction; None: what suits the database.
    pub batch: Option<usize>,
}

/// Verification of tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// How often keys are fetched.
    pub refresh: Duration,
    /// Shortest time between two fetches for unknown keys.
    pub refetch: Duration,
    /// Verified tokens remembered.
    pub cache: NonZeroUsize,
}

/// Draining.
#[derive(Clone, Debug)]
pub struct Stop {
    /// How long health says NOT_SERVING before connections are closed.
    pub notice: Duration,
    /// How long requests in work may go on.
    pub drain: Duration,
}

/// One service.
#[derive(Clone)]
pub struct ServiceConfig {
    /// Address of its database; may hold a password: never shown.
    pub database: String,
    /// The same database with the role that owns the tables; None: the role of [`database`](Self::database) does. May
    /// hold a password: never shown.
    pub database_owner: Option<String>,
    /// Where other processes reach it; None: in this process.
    pub address: Option<String>,
    pub(crate) section: Section,
}

impl fmt::Debug for NatsAddress {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NatsAddress::Embedded => f.write_str("embedded"),
            NatsAddress::Url(url) => f.write_str(&show::without_password(url)),
        }
    }
}

impl ServiceConfig {
    /// The address of its database with the role that owns the tables.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.database_owner.as_deref().unwrap_or(&self.database)
    }

    /// The service's own settings: the keys of [`Service::defaults`](crate::Service::defaults). Of a service that is not
    /// built into the program there are none.
    ///
    /// # Errors
    /// Configuration, naming the key.
    pub fn settings<T: serde::de::DeserializeOwned>(&self) -> Result<T, ConfigFaults> {
        self.section.read().map_err(|fault| ConfigFaults::new(vec![fault]))
    }
}

impl fmt::Debug for ServiceConfig {
    /// Without user and password of the database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceConfig")
            .field("database", &show::without_password(&self.database))
            .field("database_owner", &self.database_owner.as_deref().map(show::without_password))
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Reads `file`, if one is given, and the variables of `environment` over the defaults.
    ///
    /// # Errors
    /// Every fault there is.
    pub fn load(
        services: &[Service],
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        Self::load_as(Process::Whole, services, file, environment)
    }

    /// The same for a process that runs one service while the others run in processes of their own. What they share
    /// must be named: a NATS that is nobody's child, and the service's database. Each process with a nats-server and
    /// files of its own would be a system of its own, in which nobody hears of anything.
    ///
    /// # Errors
    /// Every fault there is.
    pub fn load_alone(
        service: Service,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        Self::load_as(Process::One, &[service], file, environment)
    }

    fn load_as(
        process: Process,
        services: &[Service],
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        let mut faults = Vec::new();
        let mut named = None;
        if let Some(path) = file {
            let name = format!("file {}", path.display());
            match std::fs::read_to_string(path) {
                Ok(text) => named = Some((name, text)),
                Err(error) => faults.push(ConfigFault {
                    key: String::new(),
                    value: None,
                    from: name,
                    rule: format!("the file must be readable ({error})"),
                    remedy: "name another file with --config, or none".to_owned(),
                }),
            }
        }
        Self::from_layers(process, services, named, environment, faults)
    }

    /// Reads TOML text over the defaults; for tests.
    ///
    /// # Errors
    /// Every fault there is.
    pub fn from_toml(services: &[Service], text: &str) -> Result<Self, ConfigFaults> {
        let text = Some(("text".to_owned(), text.to_owned()));
        Self::from_layers(Process::Whole, services, text, [], Vec::new())
    }

    fn from_layers(
        process: Process,
        services: &[Service],
        file: Option<(String, String)>,
        environment: impl IntoIterator<Item = (String, String)>,
        mut faults: Vec<ConfigFault>,
    ) -> Result<Self, ConfigFaults> {
        let merged = layers::merge(services, file, environment, &mut faults);
        let config = rules::read(services, &merged, &mut faults);
        if process == Process::One {
            rules::alone(services, &merged, &mut faults);
        }
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(ConfigFaults::new(faults)),
        }
    }

    /// Every setting with its value and where that comes from; secrets are left out.
    #[must_use]
    pub fn show(&self) -> &[Shown] {
        &self.shown
    }
}
