//! The whole platform, running: all services in this process on real databases and a real nats-server, set up as
//! `osallisuus init` does it, with a business clock that may be set.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chassis::{Config, Running};
use kernel::{Ids, SystemClock};
use messaging::{Clocks, Database};
use standalone::client::{Account, Server};
use tempfile::TempDir;
use testkit::nats;
use testkit::postgres::Cluster;
use testkit::system::Store;

use super::dump::{self, Table};
use super::log;

/// The services: those of the program.
pub(crate) use standalone::services::SERVICES;

/// Tables of the machinery: where readers are, who leads, what was published, what was refused. They move by themselves.
const TECHNICAL: [&str; 6] =
    ["event_head", "projection_cursor", "lease", "retirement_cursor", "seaql_migrations", "audit_log"];
/// Jobs that schedule the next one of their kind by themselves, day after day.
const CHAINS: [&str; 4] = [
    "forums.retired_references",
    "membership.purge",
    "membership.roll_check",
    "proposals.retired_references",
];

/// Long enough for a loaded machine to start all services.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running platform.
pub(crate) struct World {
    // Fields are dropped in this order: services before what they depend on, the folder last.
    running: Option<Running>,
    server: Server,
    public: Account,
    settings: PathBuf,
    databases: Vec<(&'static str, String)>,
    setup_code: String,
    nats: nats::Server,
    store: Store,
    folder: TempDir,
}

impl World {
    /// Everything for these counties, fresh.
    pub(crate) async fn start(store: Store, counties: &[&str]) -> Self {
        Self::start_with(store, counties, &[], &[]).await
    }

    /// The same with databases given by service, and further settings.
    pub(crate) async fn start_with(
        store: Store,
        counties: &[&str],
        databases: &[(&'static str, String)],
        more: &[(&str, &str)],
    ) -> Self {
        log::catch();
        let folder = tempfile::Builder::new().prefix("osallisuus-world-").tempdir().expect("a folder");
        let nats = nats::Server::start().expect("a nats-server");
        let databases = match databases {
            [] => new_databases(store, folder.path()).await,
            given => given.to_vec(),
        };
        let settings = settings(folder.path(), &nats.url(), counties, &databases, more);
        let setup_code = set_up(&settings).await;
        let running = chassis::start(SERVICES, config(&settings)).await.expect("the services start");
        ready(&running).await;
        let server = at(running.addr());
        let public = server.public();
        Self { running: Some(running), server, public, settings, databases, setup_code, nats, store, folder }
    }

    /// A client of all services.
    pub(crate) fn server(&self) -> Server {
        self.server.clone()
    }

    /// Nobody signed in.
    pub(crate) fn public(&self) -> Account {
        self.public.clone()
    }

    /// The one-time code of the first administrator.
    pub(crate) fn setup_code(&self) -> &str {
        &self.setup_code
    }

    /// The nats-server, to kill and restart.
    pub(crate) fn nats(&mut self) -> &mut nats::Server {
        &mut self.nats
    }

    /// Where NATS clients connect.
    pub(crate) fn nats_url(&self) -> String {
        self.nats.url()
    }

    /// All tables of all services as an attacker has them.
    pub(crate) async fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for (service, url) in &self.databases {
            tables.extend(dump::all(service, url).await);
        }
        tables
    }

    /// What the tables say, without the machinery's own and the audit log, which holds refusals too: equal before and
    /// after a command that was refused.
    pub(crate) async fn content(&self) -> Vec<Table> {
        let mut tables = dump::content(self.tables().await);
        tables.retain(|table| !TECHNICAL.iter().any(|name| table.name.ends_with(&format!(".{name}"))));
        for table in tables.iter_mut().filter(|table| table.name.ends_with(".job")) {
            // What is to be done counts; when, and how far a worker has come with it, does not.
            let is_chain = |kind: &str| CHAINS.contains(&kind);
            table.rows.retain(|row| !row["kind"].as_deref().is_some_and(is_chain));
            let kept = ["kind", "dedupe_key", "payload"];
            table.rows.iter_mut().for_each(|row| row.retain(|column, _| kept.contains(&column.as_str())));
            table.rows.sort();
        }
        for table in tables.iter_mut().filter(|table| table.name.ends_with(".event_log")) {
            // A lane says how long it is when it has been quiet for a minute.
            let is_watermark = |kind: &str| kind == "osallisuus.messaging.v1.Watermark";
            table.rows.retain(|row| !row["event_type"].as_deref().is_some_and(is_watermark));
        }
        tables
    }

    /// The settings in force.
    pub(crate) fn config(&self) -> Config {
        config(&self.settings)
    }

    /// Waits until everything is published and projected, and stops the services; nats-server goes on.
    pub(crate) async fn rest(&mut self) {
        self.settle().await;
        self.running.take().expect("running").stop().await;
    }

    /// An empty database of the same kind.
    pub(crate) async fn new_database(&self, name: &'static str) -> String {
        new_database(self.store, self.folder.path(), name).await
    }

    /// Waits until everything is published and projected.
    pub(crate) async fn settle(&self) {
        self.running.as_ref().expect("running").settle().await.expect("everything settles");
    }

    /// Stops the services the soft way and starts them again on the same data. Says how long the start took.
    pub(crate) async fn restart(&mut self) -> std::time::Duration {
        self.stop().await;
        self.start_again().await
    }

    /// Stops the services the soft way.
    pub(crate) async fn stop(&mut self) {
        self.running.take().expect("running").stop().await;
    }

    /// Starts the services again on what is there. Says how long the start took.
    pub(crate) async fn start_again(&mut self) -> std::time::Duration {
        let began = std::time::Instant::now();
        let running =
            chassis::start(SERVICES, config(&self.settings)).await.expect("the services start again");
        ready(&running).await;
        self.server = at(running.addr());
        self.public = self.server.public();
        self.running = Some(running);
        began.elapsed()
    }

    /// The settings file.
    pub(crate) fn settings(&self) -> &Path {
        &self.settings
    }

    /// The folder of everything, removed at the end.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The databases by service.
    pub(crate) fn databases(&self) -> &[(&'static str, String)] {
        &self.databases
    }

    /// Where the gRPC server listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.running.as_ref().expect("running").addr())
    }

    /// Ends in order: nothing unpublished, unread or parked.
    pub(crate) async fn finish(mut self) {
        self.settle().await;
        self.running.take().expect("running").stop().await;
        for table in self.tables().await.iter().filter(|table| table.name.ends_with(".parked_event")) {
            assert_eq!(table.rows, Vec::new(), "{} holds parked events", table.name);
        }
    }
}

/// A settings file in `folder`, which it names as the data folder; gives its path. Further settings are TOML literals by
/// their dotted names.
pub(crate) fn settings(
    folder: &Path,
    nats: &str,
    counties: &[&str],
    databases: &[(&'static str, String)],
    more: &[(&str, &str)],
) -> PathBuf {
    let mut text = format!(
        "cell = \"test\"\ntenants = {counties:?}\ndata_dir = {folder:?}\ndemo = true\nclock.demo_start = \"2026-01-15T09:00:00Z\"\nlisten.grpc = \"127.0.0.1:0\"\n\
         nats.url = {nats:?}\nnats.provision = true\nlimits.rates = false\n"
    );
    for (service, url) in databases {
        text.push_str(&format!("services.{service}.database = {url:?}\n"));
    }
    for (name, literal) in more {
        text.push_str(&format!("{name} = {literal}\n"));
    }
    let file = folder.join("settings.toml");
    std::fs::write(&file, text).expect("a settings file");
    file
}

/// A new database for every service.
pub(crate) async fn new_databases(store: Store, folder: &Path) -> Vec<(&'static str, String)> {
    let mut databases = Vec::new();
    for service in SERVICES {
        databases.push((service.name, new_database(store, folder, service.name).await));
    }
    databases
}

async fn new_database(store: Store, folder: &Path, name: &str) -> String {
    match store {
        Store::Sqlite => format!("sqlite://{}?mode=rwc", folder.join(format!("{name}.sqlite")).display()),
        Store::Postgres => Cluster::shared().create_database().await.expect("a database"),
    }
}

fn config(settings: &Path) -> Config {
    Config::load(SERVICES, Some(settings), []).expect("settings in order")
}

/// Secrets, accounts and the first signing key, as `osallisuus init` makes them; gives the setup code.
pub(crate) async fn set_up(settings: &Path) -> String {
    let config = config(settings);
    let names: Vec<&str> = SERVICES.iter().map(|service| service.name).collect();
    let settings = &config.services["membership"];
    let (url, owner) = (&settings.database, settings.database_owner.as_deref());
    let opened = Database::open_owned(url, owner, "membership", membership::migrations).await;
    let database = opened.expect("a database");
    let clocks = Clocks { business: Arc::new(SystemClock), real: Arc::new(SystemClock) };
    let (secrets, cell) = (&config.secrets_dir, &config.cell);
    let (tenants, ids) = (&config.tenants, Ids::system());
    let code = membership::setup::prepare(&database, secrets, cell, &names, tenants, clocks, ids).await;
    forums::vault::Vault::prepare(secrets, &Ids::system()).expect("a key file");
    database.close().await.expect("closed");
    code.expect("prepared").expect("a setup code").code
}

fn at(address: SocketAddr) -> Server {
    Server::at(&format!("http://{address}")).expect("an address")
}

/// Waits until the services are ready: before, no token can be judged, as its keys are fetched from membership.
async fn ready(running: &Running) {
    tokio::time::timeout(PATIENCE, running.ready()).await.expect("the services are ready in time");
}
