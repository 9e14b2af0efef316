//! What a system stands on: a folder, a database for each service, a nats-server; and how its processes are started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use standalone::client::Server;
use standalone::ledger::journal::{self, Journal, Operation};
use standalone::services::SERVICES;
use tempfile::TempDir;
use testkit::postgres::Cluster;
use testkit::program::{self, Program};
use testkit::system::Store;
use testkit::{copy_folder, free_port, nats};

/// What a system stands on. Its processes are the caller's.
pub struct Place {
    /// Its nats-server, to harm.
    pub nats: nats::Server,
    /// Address of each service's database.
    pub databases: Vec<(&'static str, String)>,
    /// Settings of all its processes that differ: TOML literals by their dotted names.
    pub settings: BTreeMap<String, String>,
    store: Store,
    folder: TempDir,
    /// Where the first and the second copy of the services listen.
    ports: [u16; 2],
    /// Where its clients note what they do; not copied.
    notes: TempDir,
    journals: Mutex<Vec<(PathBuf, Journal)>>,
}

/// How to start a process.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Where the business clock begins, for example `2026-04-13T06:00:00Z`; empty: now.
    pub clock: String,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// True for a second copy of the services, beside the first.
    pub second: bool,
}

impl Start {
    /// With the business clock at this moment.
    #[must_use]
    pub fn at(clock: &str) -> Self {
        Self { clock: clock.to_owned(), ..Self::default() }
    }

    /// As a second copy of the services, with files of its own.
    #[must_use]
    pub fn second(mut self) -> Self {
        self.second = true;
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn with_environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Place {
    /// An empty place with databases of its own.
    ///
    /// # Errors
    /// If a server or a database cannot be had.
    pub async fn new(store: Store) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("osallisuus-place-").tempdir()?;
        let mut databases = Vec::new();
        for service in SERVICES {
            let url = match store {
                Store::Sqlite => sqlite(folder.path(), service.name),
                Store::Postgres => Cluster::shared().create_database().await?,
            };
            databases.push((service.name, url));
        }
        Self::on(store, folder, databases)
    }

    /// A place in this folder, with these databases.
    ///
    /// # Errors
    /// If a server cannot be had.
    pub fn on(store: Store, folder: TempDir, databases: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        Ok(Self {
            nats: nats::Server::start()?,
            databases,
            settings: BTreeMap::new(),
            store,
            folder,
            ports: [free_port()?, free_port()?],
            notes: tempfile::tempdir()?,
            journals: Mutex::default(),
        })
    }

    /// A copy of all data, while no process runs here. With `streams`, what is in the streams is copied too; without,
    /// the copy's are empty.
    ///
    /// # Errors
    /// If something cannot be copied.
    pub async fn copy(&self, streams: bool) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("osallisuus-place-").tempdir()?;
        copy_folder(self.folder.path(), folder.path())?;
        let mut databases = Vec::new();
        for (service, url) in &self.databases {
            let url = match self.store {
                Store::Sqlite => sqlite(folder.path(), service),
                Store::Postgres => Cluster::shared().copy_database(url).await?,
            };
            databases.push((*service, url));
        }
        let nats = match streams {
            true => nats::Server::start_on_copy(&self.nats.store())?,
            false => nats::Server::start()?,
        };
        let settings = self.settings.clone();
        let ports = [free_port()?, free_port()?];
        let (notes, journals) = (tempfile::tempdir()?, Mutex::default());
        Ok(Self { nats, databases, settings, store: self.store, folder, ports, notes, journals })
    }

    /// Gives back what dropping does not: databases of a shared server.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn remove(self) -> anyhow::Result<()> {
        if self.store == Store::Postgres {
            for (_, url) in &self.databases {
                Cluster::shared().drop_database(url).await?;
            }
        }
        Ok(())
    }

    /// The folder of all its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Which databases it has.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store
    }

    /// Address of a service's database.
    ///
    /// # Errors
    /// If there is no such service.
    pub fn database(&self, service: &str) -> anyhow::Result<&str> {
        let found = self.databases.iter().find(|(name, _)| *name == service);
        found.map(|(_, url)| url.as_str()).with_context(|| format!("no service {service}"))
    }

    /// A client of the first copy of the services, wherever it is in its life: the address stays the same. What it does
    /// is noted, for the ledger check.
    ///
    /// # Errors
    /// If its journal cannot be made.
    pub fn server(&self) -> anyhow::Result<Server> {
        self.journalled(0)
    }

    /// A client of the second copy of the services.
    ///
    /// # Errors
    /// If its journal cannot be made.
    pub fn second_server(&self) -> anyhow::Result<Server> {
        self.journalled(1)
    }

    fn journalled(&self, copy: usize) -> anyhow::Result<Server> {
        let mut journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.notes.path().join(format!("client-{}.journal", journals.len()));
        let journal = Journal::create(&path)?;
        journals.push((path, journal.clone()));
        let server = Server::at(&format!("http://127.0.0.1:{}", self.ports[copy])).map_err(described)?;
        Ok(server.journalled(journal))
    }

    /// What the clients have noted so far, in no order.
    ///
    /// # Errors
    /// If a journal cannot be written or read.
    pub async fn noted(&self) -> anyhow::Result<Vec<Operation>> {
        let journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut noted = Vec::new();
        for (path, journal) in &journals {
            journal.flush().await?;
            journal::read(path, async |one| {
                noted.push(one);
                anyhow::Ok(())
            })
            .await?;
        }
        Ok(noted)
    }

    /// Runs `osallisuus ledger check` on what is here and what the clients have noted, with these flags;
    /// gives the verdict.
    ///
    /// # Errors
    /// The verdict, if it is not green, or has not looked at everything.
    pub async fn check_ledger(&self, flags: &[&str]) -> anyhow::Result<serde_json::Value> {
        self.check_journals(&self.journals().await?, flags).await
    }

    /// What clients have noted so far, a file for each.
    ///
    /// # Errors
    /// If a note could not be written.
    pub async fn journals(&self) -> anyhow::Result<Vec<PathBuf>> {
        let journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (_, journal) in &journals {
            journal.flush().await?;
        }
        Ok(journals.into_iter().map(|(path, _)| path).collect())
    }

    /// The same check with these journals.
    ///
    /// # Errors
    /// As [`check_ledger`](Self::check_ledger).
    pub async fn check_journals(
        &self,
        journals: &[PathBuf],
        flags: &[&str],
    ) -> anyhow::Result<serde_json::Value> {
        let mut command = self.operate(&["ledger", "check"])?;
        command.args(flags);
        for path in journals {
            command.arg("--journal").arg(path);
        }
        let output = tokio::process::Command::from(command).output().await.context("run the ledger check")?;
        let (verdict, said) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        anyhow::ensure!(output.status.success(), "the ledger is not green: {verdict}{said}");
        // Green because nothing was looked at would be no verdict.
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).context("a verdict")?;
        let skipped = told["not_looked"].as_array().is_some_and(|skipped| !skipped.is_empty());
        let looked = |what: &str| told["looked"][what].as_u64().unwrap_or_default();
        let read = ["acknowledged", "events", "answers", "messages", "cursors", "audited"];
        let missing: Vec<&str> = read.into_iter().filter(|what| looked(what) == 0).collect();
        anyhow::ensure!(
            told["green"] == true && !skipped && missing.is_empty(),
            "the ledger has not looked at everything ({missing:?}): {verdict}"
        );
        Ok(told)
    }

    /// A command of `osallisuus` on what is here, with these arguments; it answers with JSON.
    ///
    /// # Errors
    /// If the program is missing.
    pub fn operate(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(program::beside("osallisuus")?);
        command.args(arguments).args(["--output", "json", "--config"]);
        command.arg(self.settings(&Start::default())?);
        Ok(command)
    }

    /// Leaves nothing: no file, no secret, empty PostgreSQL databases. What is in NATS and what clients have noted is
    /// elsewhere.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub async fn destroy(&self) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
        }
        if self.store == Store::Postgres {
            for (_, url) in &self.databases {
                Cluster::shared().empty_database(url).await?;
            }
        }
        Ok(())
    }

    /// Makes secrets and the first administrator's code, with `osallisuus init`.
    ///
    /// # Errors
    /// What it says.
    pub fn init(&self) -> anyhow::Result<String> {
        let mut command = self.command("init", &Start::default())?;
        let output = command.stdin(Stdio::null()).output().context("run osallisuus init")?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "osallisuus init: {said}");
        let made: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        Ok(made["setup_code"].as_str().context("a setup code")?.to_owned())
    }

    /// Starts `osallisuus up` and returns at once.
    ///
    /// # Errors
    /// If the program is missing.
    pub fn start(&self, how: &Start) -> anyhow::Result<Program> {
        let log = self.folder.path().join(if how.second { "second.log" } else { "osallisuus.log" });
        Program::start(&mut self.command("up", how)?, self.folder.path(), &log)
    }

    /// Starts `osallisuus up` and waits until it is ready.
    ///
    /// # Errors
    /// If it does not become ready; the message holds its log.
    pub async fn run(&self, how: &Start) -> anyhow::Result<Program> {
        let mut program = self.start(how)?;
        program.ready().await?;
        Ok(program)
    }

    /// Starts `osallisuus serve` of one service at this address, with files of its own; `membership` is where membership
    /// listens. Returns at once.
    ///
    /// # Errors
    /// If the program is missing.
    pub fn serve(&self, service: &str, listen: &str, membership: &str) -> anyhow::Result<Program> {
        let own = self.folder.path().join(service);
        std::fs::create_dir_all(&own)?;
        let mut command = Command::new(program::beside("osallisuus")?);
        command.args(["serve", service, "--output", "json", "--config"]);
        command.arg(self.settings(&Start::default())?);
        command.env("OSALLISUUS_DATA_DIR", &own).env("OSALLISUUS_LISTEN__GRPC", listen);
        if service != "membership" {
            command.env("OSALLISUUS_SERVICES__MEMBERSHIP__ADDRESS", format!("http://{membership}"));
        }
        Program::start(&mut command, &own, &own.join("osallisuus.log"))
    }

    /// Where the first copy of the services listens.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    fn command(&self, what: &str, how: &Start) -> anyhow::Result<Command> {
        let mut command = Command::new(program::beside("osallisuus")?);
        command.args([what, "--output", "json", "--config"]).arg(self.settings(how)?);
        command.envs(how.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Writes the settings file of one process.
    fn settings(&self, how: &Start) -> anyhow::Result<PathBuf> {
        let main = self.folder.path();
        let (data, name, port) = match how.second {
            false => (main.to_owned(), "settings.toml", self.ports[0]),
            true => (main.join("second"), "second.toml", self.ports[1]),
        };
        let quoted = |text: &str| format!("{text:?}");
        let mut settings: BTreeMap<String, String> = [
            ("cell", quoted("test")),
            ("tenants", "[\"19\", \"21\"]".to_owned()),
            ("data_dir", quoted(&data.display().to_string())),
            ("secrets.dir", quoted(&main.join("secrets").display().to_string())),
            ("demo", "true".to_owned()),
            ("clock.demo_start", quoted(&how.clock)),
            ("listen.grpc", quoted(&format!("127.0.0.1:{port}"))),
            ("nats.url", quoted(&self.nats.url())),
            ("nats.provision", "true".to_owned()),
            ("limits.rates", "false".to_owned()),
            ("telemetry.log", quoted("warn")),
        ]
        .map(|(name, literal)| (name.to_owned(), literal))
        .into();
        let database =
            |(service, url): &(&str, String)| (format!("services.{service}.database"), quoted(url));
        settings.extend(self.databases.iter().map(database));
        settings.extend(self.settings.clone());
        let text: String = settings.iter().map(|(name, literal)| format!("{name} = {literal}\n")).collect();
        let file = main.join(name);
        std::fs::write(&file, text)?;
        Ok(file)
    }
}

/// Address of the SQLite file of a service in a folder.
#[must_use]
pub fn sqlite(folder: &Path, service: &str) -> String {
    format!("sqlite://{}?mode=rwc", folder.join(format!("{service}.sqlite")).display())
}

/// A failure of the client as an error.
#[must_use]
pub fn described(failure: standalone::exit::Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure:?}")
}
