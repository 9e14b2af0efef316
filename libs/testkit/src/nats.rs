//! A real nats-server with JetStream, which a test may kill, restart, pause and stop.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    binaries, copy_folder,
    ports::{self, launch_on_free_port},
    process::{Process, poll, tail},
};

/// Enough for a loaded machine; a quiet one takes 50 ms.
const PATIENCE: Duration = Duration::from_secs(20);

/// The nats-server program that tests use.
///
/// # Errors
/// If none of at least 2.10 is found.
pub fn program() -> anyhow::Result<PathBuf> {
    binaries::nats_server()
}

/// A nats-server on a loopback port of its own, with its stream store in a temporary folder.
///
/// Its methods block for some ten milliseconds, which tests may do on an async thread.
pub struct Server {
    // Before `folder`: fields are dropped in this order, and the folder must outlive the process.
    process: Option<Process>,
    program: PathBuf,
    folder: TempDir,
    name: String,
    port: u16,
    sync_interval: Option<String>,
    /// Further lines of its configuration.
    more: String,
}

/// Three nats-servers that keep every stream together, as production has them.
pub struct Trio {
    servers: [Server; 3],
}

impl Trio {
    /// Starts three servers that know each other.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start() -> anyhow::Result<Self> {
        let ports = [ports::free_port()?, ports::free_port()?, ports::free_port()?];
        let routes = ports.map(|port| format!("\"nats://127.0.0.1:{port}\"")).join(", ");
        let start = |port: u16| {
            let mut server = Server::unstarted(None)?;
            server.more = format!(
                "cluster {{\n  name: test\n  listen: \"127.0.0.1:{port}\"\n  routes: [{routes}]\n}}\n"
            );
            server.started()
        };
        Ok(Self { servers: [start(ports[0])?, start(ports[1])?, start(ports[2])?] })
    }

    /// Where clients connect: all three, with commas.
    #[must_use]
    pub fn url(&self) -> String {
        self.servers.each_ref().map(Server::url).join(",")
    }

    /// The server that calls itself so, to harm.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(&mut self, name: &str) -> anyhow::Result<&mut Server> {
        self.servers
            .iter_mut()
            .find(|server| server.name == name)
            .with_context(|| format!("no server {name}"))
    }
}

impl Server {
    /// Starts a server that flushes its store as nats-server does by default, every two minutes.
    ///
    /// # Errors
    /// If no nats-server is found or it does not answer; the message holds its log.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(None)
    }

    /// Starts a server with JetStream's `sync_interval` set, for example `"always"`, as production has it.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with_sync_interval(interval: &str) -> anyhow::Result<Self> {
        Self::start_with(Some(interval.to_owned()))
    }

    /// Starts a server with more in its configuration: TLS, accounts.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_configured(more: &str) -> anyhow::Result<Self> {
        let mut server = Self::unstarted(None)?;
        server.more = format!("{more}\n");
        server.started()
    }

    /// Starts a server on a copy of the store of another, which must not be running or be paused.
    ///
    /// # Errors
    /// As [`Server::start`], or if the copy fails.
    pub fn start_on_copy(store: &Path) -> anyhow::Result<Self> {
        let server = Self::unstarted(None)?;
        copy_folder(store, &server.store())?;
        server.started()
    }

    fn start_with(sync_interval: Option<String>) -> anyhow::Result<Self> {
        Self::unstarted(sync_interval)?.started()
    }

    fn unstarted(sync_interval: Option<String>) -> anyhow::Result<Self> {
        Ok(Self {
            process: None,
            program: binaries::nats_server()?,
            folder: tempfile::Builder::new().prefix("osallisuus-nats-").tempdir()?,
            name: format!("test-{}", ports::random_hex::<8>()?),
            port: 0,
            sync_interval,
            more: String::new(),
        })
    }

    fn started(self) -> anyhow::Result<Self> {
        let mut server = self;
        launch_on_free_port(|port| {
            server.port = port;
            server.launch()
        })?;
        Ok(server)
    }

    /// Where clients connect: `nats://127.0.0.1:PORT`; the same before and after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The same for clients with certificates: `tls://127.0.0.1:PORT`.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("tls://127.0.0.1:{}", self.port)
    }

    /// The folder of its streams: to look into, copy or change while the server is not running or paused.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Ends the server at once (SIGKILL), as a power cut of the process would. Does nothing if it is not running.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Ends the server the orderly way (SIGTERM). Does nothing if it is not running.
    ///
    /// # Errors
    /// If it has not ended after 20 s; it is killed then.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        match self.process.take() {
            Some(mut process) => process.end(Signal::TERM, PATIENCE),
            None => Ok(()),
        }
    }

    /// Starts the server again on the same port and store, after killing it if it runs.
    ///
    /// # Errors
    /// If it does not answer; the message holds its log.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.launch()
    }

    /// Freezes the server (SIGSTOP): connections stay open and nothing is answered.
    ///
    /// # Errors
    /// If it is not running.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.running()?.freeze()
    }

    /// Lets a paused server go on (SIGCONT).
    ///
    /// # Errors
    /// If it is not running.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.running()?.signal(Signal::CONT)
    }

    fn running(&self) -> anyhow::Result<&Process> {
        self.process.as_ref().context("the nats-server is not running")
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let log = self.folder.path().join("nats.log");
        let config = self.folder.path().join("nats.conf");
        fs::write(&config, self.config())?;
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&config);
        let mut process = Process::start(&mut command, self.folder.path(), &log)?;
        poll(PATIENCE, || {
            anyhow::ensure!(process.is_running(), "it ended");
            Ok(self.answers().then_some(()))
        })
        .with_context(|| format!("start a nats-server on port {}; its log:\n{}", self.port, tail(&log)))?;
        self.process = Some(process);
        Ok(())
    }

    fn config(&self) -> String {
        let store = self.store();
        let sync = self.sync_interval.as_ref().map(|value| format!("sync_interval: {value:?}"));
        format!(
            "server_name: {:?}\nhost: 127.0.0.1\nport: {}\njetstream {{\n  store_dir: {:?}\n  {}\n}}\n{}",
            self.name,
            self.port,
            store.display().to_string(),
            sync.unwrap_or_default(),
            self.more,
        )
    }

    /// True if the server greets on its port, by its own name. nats-server listens after JetStream has recovered.
    fn answers(&self) -> bool {
        let Ok(connection) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        if connection.set_read_timeout(Some(PATIENCE)).is_err() {
            return false;
        }
        let mut greeting = String::new();
        let read = BufReader::new(connection).read_line(&mut greeting);
        read.is_ok() && greeting.starts_with("INFO ") && greeting.contains(&self.name)
    }
}
