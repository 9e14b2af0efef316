//! Services running as in production, in the test's own process: real gRPC, databases and nats-server, but callers
//! that the test makes up (see [`Directory`]).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chassis::{Config, Running, Service};
use kernel::{Caller, HeldRole, Ids, Role, ScopeRef};
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::messaging::{GetStatusRequest, GetStatusResponse};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::directory::Directory;
use crate::nats;
use crate::postgres::Cluster;

/// Enough for a loaded machine; a quiet one takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// The deployment's name in tokens.
const CELL: &str = "test";

/// Which database every service of a system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file in the system's folder.
    Sqlite,
    /// A new database of the shared PostgreSQL.
    Postgres,
}

/// Services with all they need.
///
/// ```no_run
/// # use testkit::system::{Store, System};
/// # async fn example(service: chassis::Service) -> anyhow::Result<()> {
/// System::run(&[service], Store::Sqlite, async |system| {
///     system.settle().await
/// })
/// .await
/// # }
/// ```
pub struct System {
    services: Vec<Service>,
    settings: Vec<(String, String)>,
    ids: Ids,
    channel: Channel,
    // Fields are dropped in this order: services before what they depend on, the folder last.
    running: Option<Running>,
    directory: Directory,
    nats: nats::Server,
    folder: TempDir,
}

impl System {
    /// Runs a test on services with default settings, then [finishes](System::finish): a test has seen only half of
    /// what it did if the pipeline behind it is not in order.
    ///
    /// # Errors
    /// What does not start, what the test says, or what is not in order after it.
    pub async fn run(
        services: &[Service],
        store: Store,
        test: impl AsyncFnOnce(&mut Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut system = Self::start(services, store, &[]).await?;
        test(&mut system).await?;
        system.finish().await
    }

    /// Starts services, without limits of calls a minute and with `settings` by their dotted names, for example
    /// `("limits.rates", "true")`. The test ends with [`System::finish`].
    ///
    /// # Errors
    /// If a setting is wrong, or a server or a service does not start.
    pub async fn start(
        services: &[Service],
        store: Store,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("osallisuus-").tempdir()?;
        let nats = nats::Server::start()?;
        let directory = Directory::start(CELL).await?;
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets)?;
        let mut all = vec![
            ("cell".to_owned(), CELL.to_owned()),
            ("data_dir".to_owned(), folder.path().display().to_string()),
            ("listen.grpc".to_owned(), "127.0.0.1:0".to_owned()),
            ("nats.url".to_owned(), nats.url()),
            ("nats.provision".to_owned(), "true".to_owned()),
            ("limits.rates".to_owned(), "false".to_owned()),
            ("services.membership.address".to_owned(), directory.url()),
        ];
        for service in services {
            write_secrets(&secrets, service)?;
            let url = match store {
                Store::Sqlite => "sqlite".to_owned(),
                Store::Postgres => Cluster::shared().create_database().await?,
            };
            all.push((format!("services.{}.database", service.name), url));
        }
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let running = launch(services, &all).await?;
        Ok(Self {
            services: services.to_vec(),
            settings: all,
            ids: Ids::system(),
            channel: channel(&running)?,
            running: Some(running),
            directory,
            nats,
            folder,
        })
    }

    /// A connection to the services.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Where the services listen, until they are restarted: `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    /// If they do not run.
    pub fn url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.running()?.addr()))
    }

    /// The stand-in for membership: its tokens, vouchers and notices.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The nats-server, to kill, pause and restart.
    pub fn nats(&mut self) -> &mut nats::Server {
        &mut self.nats
    }

    /// What the environment of a process of its own says so that it is one of these services, on the same data; the
    /// service does not run here meanwhile. Only `listen.grpc` must be another.
    pub fn environment(&self) -> impl Iterator<Item = (String, String)> {
        variables(&self.settings)
    }

    /// The folder of databases, keys and secrets.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// A request of `caller` to the service `audience`, with a token and a new idempotency key.
    ///
    /// # Errors
    /// If signing fails.
    pub fn request<T>(
        &self,
        audience: &str,
        caller: Caller,
        message: T,
    ) -> anyhow::Result<tonic::Request<T>> {
        let token = self.directory.token(audience, caller)?;
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
        request.metadata_mut().insert("idempotency-key", self.ids.uuid().to_string().parse()?);
        Ok(request)
    }

    /// Waits until every log is published and every projection is at its source's head.
    ///
    /// # Errors
    /// What has not settled within 30 seconds.
    pub async fn settle(&self) -> anyhow::Result<()> {
        Ok(self.running()?.settle().await?)
    }

    /// Stops the services the soft way and starts them again on the same data; nats-server goes on.
    ///
    /// # Errors
    /// If a service does not start.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.restart_as(&self.services.clone()).await
    }

    /// As [`System::restart`], with these services from now on; a new one starts with an empty SQLite file.
    ///
    /// # Errors
    /// If a service does not start.
    pub async fn restart_as(&mut self, services: &[Service]) -> anyhow::Result<()> {
        for service in services {
            write_secrets(&self.folder.path().join("secrets"), service)?;
        }
        self.services = services.to_vec();
        self.running.take().context("the system is running")?.stop().await;
        let running = launch(&self.services, &self.settings).await?;
        self.channel = channel(&running)?;
        self.running = Some(running);
        Ok(())
    }

    /// What an operator sees of a service.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn status(&self, service: &str) -> anyhow::Result<GetStatusResponse> {
        let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
        let operator = Caller { roles, ..Caller::service("test-operator") };
        let request = self.request(service, operator, GetStatusRequest { service: service.to_owned() })?;
        Ok(OperatorServiceClient::new(self.channel()).get_status(request).await?.into_inner())
    }

    /// Ends the test's system in order: everything published, every projection at its source's head, nothing parked,
    /// stopped or given up; then the services stop.
    ///
    /// # Errors
    /// What is not in order.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        self.settle().await?;
        for service in self.services.clone() {
            check(service.name, &self.status(service.name).await?)?;
        }
        self.running.take().context("the system is running")?.stop().await;
        Ok(())
    }

    fn running(&self) -> anyhow::Result<&Running> {
        self.running.as_ref().context("the system is running")
    }
}

/// The account of a service, of which the stand-in for membership takes any, and a key for what it seals.
fn write_secrets(folder: &Path, service: &Service) -> anyhow::Result<()> {
    std::fs::write(folder.join(format!("{}.secret", service.name)), "secret of a test")?;
    Ok(std::fs::write(folder.join(format!("{}.key", service.name)), "5e".repeat(32))?)
}

async fn launch(services: &[Service], settings: &[(String, String)]) -> anyhow::Result<Running> {
    let config = Config::load(services, None, variables(settings))?;
    let running = chassis::start(services, config).await?;
    let ready = tokio::time::timeout(PATIENCE, running.ready()).await;
    ready.with_context(|| format!("the services were not ready within {PATIENCE:?}"))?;
    Ok(running)
}

fn variables(settings: &[(String, String)]) -> impl Iterator<Item = (String, String)> {
    let name = |name: &str| format!("OSALLISUUS_{}", name.replace('.', "__").to_uppercase());
    settings.iter().map(move |(setting, value)| (name(setting), value.clone()))
}

fn channel(running: &Running) -> anyhow::Result<Channel> {
    Ok(Endpoint::from_shared(format!("http://{}", running.addr()))?.connect_lazy())
}

/// Whether a settled service is in order; settling has looked at its lanes.
fn check(name: &str, status: &GetStatusResponse) -> anyhow::Result<()> {
    for projection in &status.projections {
        let place = format!("{name}: projection {} of lane {}", projection.projection, projection.lane);
        anyhow::ensure!(projection.parked == 0, "{place} has {} parked events", projection.parked);
        anyhow::ensure!(projection.stopped.is_empty(), "{place} has stopped: {}", projection.stopped);
    }
    anyhow::ensure!(status.jobs_dead == 0, "{name}: {} jobs were given up", status.jobs_dead);
    Ok(())
}
