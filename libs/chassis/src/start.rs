//! Starting: bind, open, build, spawn; each step complete before the next, nothing left behind if one fails.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures::future::try_join_all;
use kernel::{Clock, Ids, SettableClock, SystemClock};
use messaging::broker::{Broker, NatsBroker};
use messaging::projector::ProjectorSettings;
use messaging::relay::RelaySettings;
use messaging::telemetry::Metrics;
use messaging::{Clocks, Database, JobSettings, Pipeline, PipelineParts, Projection, Writer, WriterSettings};
use tokio::net::TcpListener;
use tokio_util::sync::DropGuard;
use tonic::service::RoutesBuilder;

use crate::access::{Gate, Served};
use crate::config::{Config, ConfigFault, ConfigFaults, NatsAddress};
use crate::directory::DirectoryClient;
use crate::feed::GrpcFeed;
use crate::identity::Identity;
use crate::nats_child::NatsChild;
use crate::peers::{Peers, Secured};
use crate::running::{Running, Stops, Tasks, Unit};
use crate::secrets::Secrets;
use crate::server::{self, Health, Units};
use crate::service::{Context, Parts, Service, StartError};
use crate::supervision;
use crate::systemd;
use crate::telemetry;
use crate::tls::{Keeper, identity_of};
use crate::token::{KeyStore, Verifier, issuer_of};

/// The file in the data folder with the last copy of the tokens' keys.
const KEYS_FILE: &str = "signing-keys.json";

/// Starts services in this process; the only way anything starts. Returns when everything runs; whether it is ready
/// too, [`Running::ready`] tells: that may need membership, which may be elsewhere and away. NATS need not be there.
///
/// # Errors
/// The first thing that is not as it must be; of the configuration, everything.
pub async fn start(services: &[Service], config: Config) -> Result<Running, StartError> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| StartError::Other(format!("data_dir {}: {error}", config.data_dir.display())))?;
    let keeper = keeper(services, &config)?;
    let listener = listen(config.listen.grpc).await?;
    let addr =
        listener.local_addr().map_err(|source| StartError::Listen { address: config.listen.grpc, source })?;
    let system = System::new(services, config, addr, keeper);
    // Ends what was spawned if anything below fails or is given up.
    let (guards, tasks) = (system.guards(), system.tasks.clone());
    let mut nats = None;
    let started = async {
        let built = system.build(services).await?;
        let url = match &system.config.nats.address {
            NatsAddress::Url(url) => url.clone(),
            NatsAddress::Embedded => {
                let child = NatsChild::start(&system.config.nats, &system.ids).await;
                nats.insert(child.map_err(StartError::Nats)?).url().to_owned()
            }
        };
        system.spawn(built, listener, url).await
    };
    let mut running = match started.await {
        Ok(running) => running,
        Err(error) => {
            // What was spawned uses files that the caller may remove.
            drop(guards);
            tasks.end().await;
            if let Some(nats) = nats {
                nats.stop().await;
            }
            return Err(error);
        }
    };
    running.nats = nats;
    guards.into_iter().for_each(|guard| {
        guard.disarm();
    });
    systemd::started();
    tracing::info!(grpc.address = %addr, services = ?running.units.keys(), "started");
    Ok(running)
}

/// Services put together on their databases and not started: nothing listens, nothing is published or projected. For
/// checks that let a service's own handlers work on a database of their own. [`end`](Self::end) it; dropped, it ends some
/// time later.
#[derive(Debug)]
pub struct Assembled {
    /// The services.
    pub services: Vec<AssembledService>,
    _guards: [DropGuard; 4],
    tasks: Tasks,
}

impl Assembled {
    /// Ends it; its writers have closed their databases afterwards.
    pub async fn end(self) {
        let Self { services, _guards: guards, tasks } = self;
        drop((services, guards));
        tasks.end().await;
    }
}

/// A service that was put together.
#[derive(Debug)]
pub struct AssembledService {
    /// Its database, migrated.
    pub database: Database,
    /// Its writer.
    pub writer: Writer,
    /// What it does with events of others.
    pub projections: Vec<Projection>,
}

/// Puts services together as [`start`] does, and goes no further.
///
/// # Errors
/// As [`start`].
pub async fn assemble(services: &[Service], config: Config) -> Result<Assembled, StartError> {
    let addr = config.listen.grpc;
    let system = System::new(services, config, addr, None);
    let guards = system.guards();
    let built = system.build(services).await?;
    let service = |one: Built| AssembledService {
        database: one.database,
        writer: one.writer,
        projections: one.parts.projections,
    };
    let services = built.into_iter().map(service).collect();
    Ok(Assembled { services, _guards: guards, tasks: system.tasks.clone() })
}

/// What the parts of a process share.
struct System {
    config: Config,
    addr: SocketAddr,
    ids: Ids,
    clock: Arc<SettableClock>,
    peers: Arc<Peers>,
    keys: Arc<KeyStore>,
    verifier: Verifier,
    keeper: Option<Arc<Keeper>>,
    secrets: Secrets,
    stops: Stops,
    tasks: Tasks,
}

/// A service with its database and writer, wired up.
struct Built {
    service: Service,
    database: Database,
    writer: Writer,
    verifier: Verifier,
    parts: Parts,
}

impl System {
    fn new(services: &[Service], config: Config, addr: SocketAddr, keeper: Option<Arc<Keeper>>) -> Self {
        let scheme = if keeper.is_some() { "https" } else { "http" };
        let own = format!("{scheme}://{}", reachable(addr));
        let own = services.iter().map(|service| (service.name.to_owned(), own.clone()));
        let configured = config.services.iter().filter_map(|(name, service)| {
            service.address.as_ref().map(|address| (name.clone(), address.clone()))
        });
        let addresses: BTreeMap<String, String> = own.chain(configured).collect();
        let secured =
            keeper.as_ref().map(|keeper| Secured { keeper: Arc::clone(keeper), cell: config.cell.clone() });
        let peers = Arc::new(Peers::new(addresses, secured));
        let real: Arc<dyn Clock> = Arc::new(SystemClock);
        let file = config.data_dir.join(KEYS_FILE);
        let keys =
            Arc::new(KeyStore::new(Arc::clone(&peers), Arc::clone(&real), file, config.tokens.refetch));
        let verifier =
            Verifier::new(issuer_of(&config.cell), Arc::clone(&keys), real, config.tokens.cache, "nobody");
        Self {
            clock: Arc::new(if config.demo || config.load_test {
                SettableClock::settable()
            } else {
                SettableClock::locked()
            }),
            secrets: Secrets::new(config.secrets_dir.clone()),
            ids: Ids::system(),
            stops: Stops::default(),
            tasks: Tasks::default(),
            config,
            addr,
            peers,
            keys,
            verifier,
            keeper,
        }
    }

    fn guards(&self) -> [DropGuard; 4] {
        let Stops { jobs, server, pipelines, writers } = self.stops.clone();
        [jobs.drop_guard(), server.drop_guard(), pipelines.drop_guard(), writers.drop_guard()]
    }

    async fn build(&self, services: &[Service]) -> Result<Vec<Built>, StartError> {
        if let Some(start) = self.config.demo_start {
            self.clock.set(start).map_err(|fault| StartError::Other(fault.to_string()))?;
        }
        let databases = try_join_all(services.iter().map(|service| self.open(service))).await?;
        let mut built = Vec::new();
        for (service, database) in services.iter().zip(databases) {
            built.push(self.build_one(service, database)?);
        }
        Ok(built)
    }

    async fn open(&self, service: &Service) -> Result<Database, StartError> {
        let Some(settings) = self.config.services.get(service.name) else {
            let name = service.name;
            return Err(StartError::Other(format!("the configuration was read without the service {name}")));
        };
        let (url, owner) = (&settings.database, settings.database_owner.as_deref());
        let opened = Database::open_owned(url, owner, service.name, service.migrations).await;
        opened.map_err(|source| StartError::Database { service: service.name, source })
    }

    fn build_one(&self, service: &Service, database: Database) -> Result<Built, StartError> {
        let clocks = Clocks { business: self.business_clock(), real: Arc::new(SystemClock) };
        let mut settings = WriterSettings::for_kind(database.kind());
        settings.max_batch = self.config.limits.batch.unwrap_or(settings.max_batch);
        let writer = Writer::start(
            &database,
            clocks,
            self.ids.clone(),
            settings,
            &self.tasks.writers,
            self.stops.writers.clone(),
        );
        let verifier = self.verifier.for_audience(service.name);
        let section = self.config.services.get(service.name).map(|settings| settings.section.clone());
        let context = Context {
            name: service.name,
            tenants: self.config.tenants.clone(),
            cell: self.config.cell.clone(),
            database: database.clone(),
            writer: writer.clone(),
            clock: self.business_clock(),
            real_clock: Arc::new(SystemClock),
            ids: self.ids.clone(),
            demo: self.config.demo,
            directory: DirectoryClient::new(self.identity(service.name), Arc::clone(&self.peers)),
            verifier: verifier.clone(),
            secrets: self.secrets.clone(),
            data_dir: self.config.data_dir.clone(),
            section: section.unwrap_or_default(),
        };
        let parts = (service.build)(&context)?;
        Ok(Built { service: *service, database, writer, verifier, parts })
    }

    async fn broker(&self, url: String) -> Result<NatsBroker, StartError> {
        let settings = self.config.nats.connection(url, format!("osallisuus/{}", self.config.cell));
        let settings = settings.map_err(StartError::Nats)?;
        NatsBroker::connect(settings).await.map_err(|error| StartError::Nats(error.to_string()))
    }

    fn pipeline(
        &self,
        database: &Database,
        writer: &Writer,
        projections: &[Projection],
        broker: &Arc<NatsBroker>,
    ) -> Pipeline {
        let broker: Arc<dyn Broker> = Arc::<NatsBroker>::clone(broker);
        let feed = GrpcFeed::new(self.identity(database.service()), Arc::clone(&self.peers));
        let parts = PipelineParts {
            database: database.clone(),
            writer: writer.clone(),
            projections: projections.to_vec(),
            broker,
            feed: Arc::new(feed),
            ids: self.ids.clone(),
            metrics: Metrics::installed(),
            relay: RelaySettings::default(),
            projector: ProjectorSettings::default(),
        };
        Pipeline::start(parts, &self.tasks.pipelines, &self.stops.pipelines)
    }

    fn identity(&self, service: &'static str) -> Identity {
        Identity::new(service, self.secrets.clone(), Arc::clone(&self.peers), Arc::new(SystemClock))
    }

    fn business_clock(&self) -> Arc<dyn Clock> {
        // Named, because the concrete Arc does not turn into the other by itself here.
        let clock: Arc<SettableClock> = Arc::clone(&self.clock);
        clock
    }

    async fn spawn(
        self,
        built: Vec<Built>,
        listener: TcpListener,
        url: String,
    ) -> Result<Running, StartError> {
        let broker = Arc::new(self.broker(url).await?);
        let mut routes = RoutesBuilder::default();
        let mut served = HashMap::new();
        let mut units = BTreeMap::new();
        for one in built {
            let Built { service, database, writer, verifier, parts } = one;
            parts.routes.into_iter().for_each(|add| add(&mut routes));
            let pipeline = self.pipeline(&database, &writer, &parts.projections, &broker);
            let status = Arc::clone(pipeline.status());
            let overfull = Box::new(move || status.is_overfull());
            served.insert(service.name, Served { verifier, overfull, writer: writer.clone() });
            if !parts.jobs.is_empty() {
                let (settings, stop) = (JobSettings::default(), self.stops.jobs.clone());
                let (database, writer, ids) = (database.clone(), writer.clone(), self.ids.clone());
                let jobs = messaging::run_jobs(database, writer, parts.jobs, ids, settings, stop);
                self.tasks.jobs.spawn(jobs);
            }
            let unit = Unit {
                name: service.name,
                grpc_names: parts.grpc_names,
                database,
                writer,
                pipeline,
                projections: parts
                    .projections
                    .iter()
                    .map(|projection| projection.key(service.name))
                    .collect(),
                broker: Arc::clone(&broker),
                checks: parts.checks,
                ready: AtomicBool::new(false),
                names: parts.names,
            };
            units.insert(service.name, Arc::new(unit));
        }
        let units: Units = Arc::new(units);
        telemetry::observe(&units, &self.config, &self.business_clock(), self.keeper.as_ref());
        let health = Health::new().await;
        server::add_common(&mut routes, &units, &self.clock, &health, &self.config, self.keeper.as_ref())?;
        let gate = Arc::new(Gate::new(
            served,
            self.config.limits.clone(),
            self.config.listen.reflection,
            self.keeper.as_ref().map(|_| self.config.cell.clone()),
            self.ids.clone(),
        ));
        let settings = self.config.stop.clone();
        let refresh = self.config.tokens.refresh;
        let reload = self.config.tls.as_ref().map(|tls| tls.reload);
        let keeper = self.keeper.clone();
        let serve = server::serve(listener, keeper, routes, gate, self.config, self.stops.server.clone());
        let server = tokio::spawn(serve);
        let keys = tokio::spawn(Arc::clone(&self.keys).keep(refresh));
        let looks = tokio::spawn(health.clone().watch(Arc::clone(&units), self.keys));
        let (failure, supervisor) = supervision::watch(&self.tasks, &self.stops, &server);
        let mut watchers = vec![keys, looks, supervisor];
        let is_secured = self.keeper.is_some();
        if let (Some(keeper), Some(reload)) = (self.keeper, reload) {
            watchers.push(tokio::spawn(keeper.keep(reload)));
        }
        let (stops, tasks, addr) = (self.stops, self.tasks, self.addr);
        Ok(Running {
            addr,
            is_secured,
            units,
            health,
            settings,
            stops,
            tasks,
            server,
            watchers,
            failure,
            broker,
            nats: None,
        })
    }
}

/// The certificates, if there are any; they must name every service of the process.
fn keeper(services: &[Service], config: &Config) -> Result<Option<Arc<Keeper>>, StartError> {
    let Some(tls) = &config.tls else { return Ok(None) };
    let fault = |part: &str, rule: String, remedy: String| ConfigFault {
        key: format!("tls.{part}"),
        value: None,
        from: String::new(),
        rule,
        remedy,
    };
    let refused = |faults| StartError::Config(ConfigFaults::new(faults));
    let keeper = Keeper::open(tls.files.clone(), tls.clients_required).map_err(|faults| {
        refused(faults.into_iter().map(|one| fault(one.part.as_str(), one.rule, one.remedy)).collect())
    })?;
    let named = keeper.identities();
    let wanted = services.iter().map(|service| identity_of(&config.cell, service.name));
    let missing: Vec<String> = wanted.filter(|identity| !named.contains(identity)).collect();
    if missing.is_empty() {
        return Ok(Some(keeper));
    }
    let rule = format!("the certificate must name {} as alternative name (URI)", missing.join(" and "));
    let remedy = "name the certificate of this process, or have one made for it".to_owned();
    Err(refused(vec![fault("certificate", rule, remedy)]))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

/// Where a process reaches itself: what listens everywhere is reached on the loopback interface.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}
