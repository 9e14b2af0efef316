//! A real PostgreSQL with a fresh database for every test that asks.
//!
//! Starting a cluster takes seconds, and cargo-nextest runs every test in a process of its own. So `infra/test`
//! starts one for the whole run (`with-postgres`, this crate's binary) and names it in
//! [`URL_VARIABLE`]; a test run without that starts its own, once per process.

use std::{
    env, fs,
    net::TcpStream,
    os::unix::{fs::MetadataExt, fs::chown, fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use anyhow::Context;
use rustix::process::Signal;
use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use tempfile::TempDir;

use crate::{
    binaries,
    ports::{self, launch_on_free_port},
    process::{Process, poll, tail},
};

/// Names a PostgreSQL to use instead of starting one: the URL of a database whose user may create databases.
/// Databases made there are called `osallisuus_test_…` and stay; the server is the caller's to clean.
/// Not named `OSALLISUUS_…`: those are settings of the programs under test, which refuse unknown ones.
pub const URL_VARIABLE: &str = "TESTKIT_POSTGRES_URL";

/// Enough for a loaded machine; a quiet one takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// For tests beside a real service: durable as in production (fsync stays on), with room for many small pools.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
shared_buffers = '128MB'
timezone = 'UTC'
log_min_messages = 'warning'
logging_collector = off
";

/// A PostgreSQL server, started by us or given by [`URL_VARIABLE`].
pub struct Cluster {
    url: String,
    own: Option<Own>,
}

/// What there is of a server that we started.
struct Own {
    // Before the installation: fields are dropped in this order, and the folder must outlive the process.
    process: Option<Process>,
    installation: Installation,
    port: u16,
}

/// Files of a server that speaks TLS and lets clients in by their certificates.
#[derive(Clone, Copy, Debug)]
pub struct Tls<'a> {
    /// Its certificate.
    pub certificate: &'a Path,
    /// The key of it.
    pub key: &'a Path,
    /// The authority that signed those of clients.
    pub ca: &'a Path,
}

impl Cluster {
    /// The cluster that all tests of this process share.
    ///
    /// # Panics
    /// If none can be started; the message says what to install, or holds the server's log.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match env::var(URL_VARIABLE) {
            Ok(url) => Self { url, own: None },
            Err(_) => Self::start().unwrap_or_else(|error| panic!("no PostgreSQL to test with: {error:#}")),
        })
    }

    /// Starts a cluster of its own on a free port; for tests that stop it, and for `with-postgres`.
    ///
    /// # Errors
    /// If PostgreSQL is not installed or does not answer; the message holds its log.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_on(Installation::make(None)?)
    }

    /// The same with its tables on this disk, which may be a small one. Its write-ahead log lies elsewhere: without room for
    /// that the server ends itself, at a moment that depends on how full the last segment is.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_in(disk: &Path) -> anyhow::Result<Self> {
        Self::start_on(Installation::make(Some(disk))?)
    }

    /// The same with TLS: the superuser comes in by password, everybody else over TLS with a certificate whose common
    /// name is the user's.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_with_tls(tls: Tls<'_>) -> anyhow::Result<Self> {
        let mut installation = Installation::make(None)?;
        installation.secure(tls)?;
        Self::start_on(installation)
    }

    fn start_on(installation: Installation) -> anyhow::Result<Self> {
        let (process, port) = launch_on_free_port(|port| installation.launch(port))?;
        let url = format!("postgres://postgres:{}@127.0.0.1:{port}/postgres", installation.password);
        Ok(Self { url, own: Some(Own { process: Some(process), installation, port }) })
    }

    /// Ends the server by its immediate shutdown, a crash to its clients: connections break, what was committed is
    /// there after [`Cluster::restart`]. Does nothing if it is not running.
    ///
    /// # Errors
    /// If this is a shared cluster, or it does not end.
    pub fn crash(&mut self) -> anyhow::Result<()> {
        match self.own()?.process.take() {
            Some(mut process) => process.end(Signal::QUIT, PATIENCE),
            None => Ok(()),
        }
    }

    /// Starts the server again on the same port and data, after crashing it if it runs.
    ///
    /// # Errors
    /// If this is a shared cluster, or it does not answer; the message holds its log.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.crash()?;
        let own = self.own()?;
        own.process = Some(own.installation.launch(own.port)?);
        Ok(())
    }

    fn own(&mut self) -> anyhow::Result<&mut Own> {
        self.own.as_mut().context("a server given from outside is not ours to stop")
    }

    /// The URL of the database `postgres`, for administration.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached.
    pub async fn create_database(&self) -> anyhow::Result<String> {
        self.create_from("template0").await
    }

    /// Makes a copy of a database that nobody is connected to, and returns its URL.
    ///
    /// # Errors
    /// As [`create_database`](Self::create_database), or if somebody is connected.
    pub async fn copy_database(&self, url: &str) -> anyhow::Result<String> {
        self.create_from(database_of(url)?).await
    }

    /// Removes a database with whoever is still connected to it, and makes an empty one with its name.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached.
    pub async fn empty_database(&self, url: &str) -> anyhow::Result<()> {
        self.drop_database(url).await?;
        self.execute(&format!("CREATE DATABASE {} TEMPLATE template0", database_of(url)?)).await
    }

    /// Removes a database, and whoever is still connected to it.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached.
    pub async fn drop_database(&self, url: &str) -> anyhow::Result<()> {
        self.execute(&format!("DROP DATABASE {} WITH (FORCE)", database_of(url)?)).await
    }

    async fn create_from(&self, template: &str) -> anyhow::Result<String> {
        let name = format!("osallisuus_test_{}", ports::random_hex::<8>()?);
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        with_database(&self.url, &name)
    }

    async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await.context("connect to the test PostgreSQL")?;
        connection.execute_unprepared(sql).await?;
        Ok(connection.close().await?)
    }
}

impl Drop for Own {
    /// Ends PostgreSQL by its immediate shutdown, so that its workers are gone before their folder is.
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.end(Signal::QUIT, PATIENCE);
        }
    }
}

/// The name of the database in a URL.
fn database_of(url: &str) -> anyhow::Result<&str> {
    let address = url.split_once('?').map_or(url, |(address, _)| address);
    address.rsplit_once('/').map(|(_, name)| name).context("a URL without a database")
}

/// The URL `server` with `name` in the place of its database, options kept.
fn with_database(server: &str, name: &str) -> anyhow::Result<String> {
    let (address, options) = match server.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (server, String::new()),
    };
    let (scheme, rest) = address.split_once("://").with_context(|| format!("{URL_VARIABLE} is not a URL"))?;
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    Ok(format!("{scheme}://{host}/{name}{options}"))
}

/// A data folder ready to start a server on.
struct Installation {
    programs: PathBuf,
    folder: TempDir,
    password: String,
    /// The user and group to run as when we are root, which PostgreSQL refuses to run as.
    user: Option<(u32, u32)>,
    more: &'static str,
}

impl Installation {
    /// Tables go to `disk` if one is named.
    fn make(disk: Option<&Path>) -> anyhow::Result<Self> {
        let programs = binaries::postgres_folder()?;
        let folder = tempfile::Builder::new().prefix("osallisuus-pg-").tempdir()?;
        let user = if fs::metadata("/proc/self")?.uid() == 0 { Some(unprivileged_user()?) } else { None };
        let installation = Self { programs, folder, password: ports::random_hex::<16>()?, user, more: "" };
        let password_file = installation.path("password");
        fs::write(&password_file, &installation.password)?;
        if let Some((user, group)) = user {
            chown(installation.folder.path(), Some(user), Some(group))?;
            chown(&password_file, Some(user), Some(group))?;
        }
        if let Some(disk) = disk {
            let data = disk.join("postgres");
            fs::create_dir(&data)?;
            if let Some((user, group)) = user {
                chown(&data, Some(user), Some(group))?;
            }
            symlink(&data, installation.path("data"))?;
        }
        let initdb = installation
            .command("initdb")
            .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
            .arg("--no-sync")
            .arg("--pwfile")
            .arg(&password_file)
            .arg("--pgdata")
            .arg(installation.path("data"))
            .arg("--waldir")
            .arg(installation.path("wal"))
            .output()
            .context("run initdb")?;
        anyhow::ensure!(
            initdb.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&initdb.stderr)
        );
        Ok(installation)
    }

    /// Copies the files to where the server's user may read them, and lets clients in by theirs.
    fn secure(&mut self, tls: Tls<'_>) -> anyhow::Result<()> {
        for (name, from) in [("server.crt", tls.certificate), ("server.key", tls.key), ("root.crt", tls.ca)] {
            let to = self.path("data").join(name);
            // With its mode: PostgreSQL refuses a key that others may read.
            fs::copy(from, &to).with_context(|| format!("copy {}", from.display()))?;
            if let Some((user, group)) = self.user {
                chown(&to, Some(user), Some(group))?;
            }
        }
        let rules = "host all postgres 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 cert\n";
        fs::write(self.path("data/pg_hba.conf"), rules)?;
        self.more = "ssl = on\nssl_ca_file = 'root.crt'\nssl_min_protocol_version = 'TLSv1.3'\n";
        Ok(())
    }

    fn launch(&self, port: u16) -> anyhow::Result<Process> {
        let log = self.path("postgres.log");
        fs::write(self.path("data/postgresql.auto.conf"), format!("{SETTINGS}{}port = {port}\n", self.more))?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.path("data"));
        let mut process = Process::start(&mut command, self.folder.path(), &log)?;
        poll(PATIENCE, || {
            anyhow::ensure!(process.is_running(), "it ended");
            Ok((self.says_ready() && TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(()))
        })
        .with_context(|| format!("start PostgreSQL on port {port}; its log:\n{}", tail(&log)))?;
        Ok(process)
    }

    /// PostgreSQL keeps its state in the eighth line of its pid file.
    fn says_ready(&self) -> bool {
        let state = fs::read_to_string(self.path("data/postmaster.pid"));
        state.is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

/// The user and group `postgres`, else `nobody`.
fn unprivileged_user() -> anyhow::Result<(u32, u32)> {
    let users = fs::read_to_string(Path::new("/etc/passwd")).context("read the list of users")?;
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [user, _, uid, gid, ..] = fields[..] else { return None };
            if user != name {
                return None;
            }
            Some((uid.parse().ok()?, gid.parse().ok()?))
        })
    };
    find("postgres")
        .or_else(|| find("nobody"))
        .context("root cannot run PostgreSQL, and there is no user nobody")
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn a_database_takes_the_place_of_the_given_one() {
        let url = with_database("postgres://u:p@127.0.0.1:5432/postgres?sslmode=disable", "new").unwrap();
        assert_eq!(url, "postgres://u:p@127.0.0.1:5432/new?sslmode=disable");
        assert_eq!(with_database("postgres://u@host", "new").unwrap(), "postgres://u@host/new");
        assert!(with_database("host=/tmp", "new").is_err());
    }
}
