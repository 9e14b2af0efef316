//! A service as data: what the chassis needs to know of it, what it gets, and what it gives back.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use kernel::{Clock, Fault, Ids, Subject, TenantId};
use messaging::{Database, HandlerError, JobContext, JobError, JobHandler, Projection, Received, Tx, Writer};
use sea_orm_migration::MigrationTrait;
use serde::de::DeserializeOwned;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;

use crate::config::{ConfigFault, ConfigFaults, Section};
use crate::directory::DirectoryClient;
use crate::secrets::Secrets;
use crate::token::Verifier;

/// A service, as its crate's `SERVICE` constant.
#[derive(Clone, Copy)]
pub struct Service {
    /// Its name: of its proto package `osallisuus.<name>.v1`, of its database, of the audience of its tokens.
    pub name: &'static str,
    /// Its own settings with their defaults and comments, as TOML without a section header; "" for none. They become
    /// the section `[services.<name>]`; a setting that is not here is refused.
    pub defaults: &'static str,
    /// The migrations of its own tables, after those of messaging.
    pub migrations: fn() -> Vec<Box<dyn MigrationTrait>>,
    /// Wires it up. It starts nothing itself: what it gives back is started when every service is built.
    pub build: fn(&Context) -> Result<Parts, StartError>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a service is built from.
#[derive(Clone, Debug)]
pub struct Context {
    /// Name of the service.
    pub name: &'static str,
    /// Counties served.
    pub tenants: Vec<TenantId>,
    /// Name of the deployment: [`crate::token::Issuer`] signs for it.
    pub cell: String,
    /// The service's own database, migrated; for reads.
    pub database: Database,
    /// The only way to write.
    pub writer: Writer,
    /// The business clock: rules go by it.
    pub clock: Arc<dyn Clock>,
    /// Real time: tokens, sessions, leases.
    pub real_clock: Arc<dyn Clock>,
    /// New ids and random bytes.
    pub ids: Ids,
    /// True in a demonstration, where the business clock may be set.
    pub demo: bool,
    /// Membership's directory, for jobs.
    pub directory: DirectoryClient,
    /// Verifies vouchers; the tokens of callers were verified before a call arrives.
    pub verifier: Verifier,
    /// Secret files.
    pub secrets: Secrets,
    /// Folder for files of the process.
    pub data_dir: PathBuf,
    pub(crate) section: Section,
}

impl Context {
    /// The service's own settings: the keys of [`Service::defaults`].
    ///
    /// # Errors
    /// Configuration, naming the key.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, StartError> {
        self.section.read().map_err(|fault| StartError::Config(ConfigFaults::new(vec![fault])))
    }

    /// A start error for a setting of the service's own that breaks a rule.
    #[must_use]
    pub fn refuse(&self, key: &str, rule: &str, remedy: &str) -> StartError {
        StartError::Config(ConfigFaults::new(vec![ConfigFault {
            key: format!("services.{}.{key}", self.name),
            value: None,
            from: String::new(),
            rule: rule.to_owned(),
            remedy: remedy.to_owned(),
        }]))
    }
}

/// Whether something a service needs is there; the text says what is wrong, without content.
pub(crate) type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The other ids by which requests to a service name a person.
pub(crate) type Names = Arc<dyn Fn(Subject) -> BoxFuture<'static, Result<Vec<String>, Fault>> + Send + Sync>;

/// Adds one gRPC service to the server.
pub(crate) type Route = Box<dyn FnOnce(&mut RoutesBuilder) + Send>;

/// What a service is made of.
#[derive(Default)]
pub struct Parts {
    pub(crate) routes: Vec<Route>,
    pub(crate) grpc_names: Vec<&'static str>,
    pub(crate) projections: Vec<Projection>,
    pub(crate) jobs: Vec<JobHandler>,
    pub(crate) checks: Vec<(&'static str, Check)>,
    pub(crate) names: Option<Names>,
}

impl Parts {
    /// Serves a generated gRPC server. The access layer has let the call in before it arrives; the handler finds
    /// caller, scope and command with [`crate::Call::of`].
    #[must_use]
    pub fn grpc<S>(mut self, server: S) -> Self
    where
        S: tower::Service<
                http::Request<Body>,
                Response = http::Response<Body>,
                Error = std::convert::Infallible,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.grpc_names.push(S::NAME);
        self.routes.push(Box::new(move |routes| {
            routes.add_service(server);
        }));
        self
    }

    /// Handles the events of the service `source`, one by one and in order, each exactly once in effect. The
    /// projection has the name of its source; use [`project`](Self::project) where there are two of them.
    #[must_use]
    pub fn consume<F>(self, source: &'static str, handler: F) -> Self
    where
        F: for<'a> Fn(&'a Tx, &'a Received) -> BoxFuture<'a, Result<(), HandlerError>>
            + Send
            + Sync
            + 'static,
    {
        self.project(Projection::new(source, source, handler))
    }

    /// Adds a projection under a name of its own.
    #[must_use]
    pub fn project(mut self, projection: Projection) -> Self {
        self.projections.push(projection);
        self
    }

    /// Runs jobs of this kind, at least once each.
    #[must_use]
    pub fn job<F>(mut self, kind: &'static str, run: F) -> Self
    where
        F: Fn(JobContext, Vec<u8>) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync + 'static,
    {
        self.jobs.push(JobHandler::new(kind, run));
        self
    }

    /// Tells by which other ids than their reference requests to this service name a person, so that the person's
    /// extract of the audit log has what others did with them (SEC-42).
    #[must_use]
    pub fn names_of<F>(mut self, names: F) -> Self
    where
        F: Fn(Subject) -> BoxFuture<'static, Result<Vec<String>, Fault>> + Send + Sync + 'static,
    {
        self.names = Some(Arc::new(names));
        self
    }

    /// Makes the service ready only while `check` says so; the database is checked anyway. The error is a sentence
    /// for operators.
    #[must_use]
    pub fn ready_check<F>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    {
        self.checks.push((name, Arc::new(check)));
        self
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("grpc", &self.grpc_names)
            .field("projections", &self.projections)
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong; every fault of it.
    #[error("{0}")]
    Config(#[from] ConfigFaults),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; choose another address in listen.grpc, or end what listens there"
    )]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A service's database cannot be opened.
    #[error("the database of {service}: {source}")]
    Database {
        /// The service.
        service: &'static str,
        /// What is wrong.
        source: messaging::OpenError,
    },
    /// The embedded nats-server cannot be started.
    #[error("nats-server: {0}")]
    Nats(String),
    /// Anything else, in a sentence with its remedy.
    #[error("{0}")]
    Other(String),
}
