//! The nats-server of a small deployment: a child of this process, on the loopback interface, with its store in the data
//! folder, started again whenever it ends.
//!
//! It never outlives its usefulness: it ends with us, and if we are killed, the next start finds it by its pid file and
//! ends it before starting its own. It listens to anybody on the machine; a deployment that shares its machine with
//! strangers uses a NATS of its own, with accounts.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use kernel::Ids;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::Nats;

/// The oldest server whose JetStream keeps the promises this project relies on.
const OLDEST: (u32, u32) = (2, 10);
/// How long a server may take to answer after it was started; JetStream recovers its store first.
const STARTS: Duration = Duration::from_secs(30);
/// How long it may take to end before it is killed.
const ENDS: Duration = Duration::from_secs(10);
/// Pauses before it is started again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How often to look for something that cannot be waited for: an answer, the end of somebody else's child.
const LOOK: Duration = Duration::from_millis(20);
/// Below the range from which Linux takes ports for outgoing connections: a client that dials the port while the server
/// is down cannot connect to itself there and keep the port.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// A running nats-server and the task that keeps it running.
#[derive(Debug)]
pub struct NatsChild {
    url: String,
    stop: CancellationToken,
    keeper: JoinHandle<()>,
}

/// What is needed to start it, again and again.
struct Plan {
    program: PathBuf,
    folder: PathBuf,
    name: String,
    port: u16,
    /// Held as long as we live: two processes must not take each other's server for an orphan.
    _lock: File,
}

impl NatsChild {
    /// Starts a server with these settings and waits for its answer. A server left over from a killed process is ended
    /// first.
    ///
    /// # Errors
    /// A sentence with its remedy: no program, too old, folder in use or not writable, no answer.
    pub async fn start(settings: &Nats, ids: &Ids) -> Result<Self, String> {
        check_version(&settings.server).await?;
        let folder = settings.store_dir.clone();
        let cannot_use =
            |error: std::io::Error| format!("cannot use the folder {}: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(cannot_use)?;
        let lock = lock(&folder)?;
        end_orphan(&folder).await;
        let port = if settings.port == 0 { free_port(ids).await? } else { settings.port };
        let name = format!("osallisuus-{}", ids.uuid().simple());
        let config = configuration(&folder, &name, port, &settings.sync_interval);
        std::fs::write(folder.join("nats.conf"), config).map_err(cannot_use)?;
        let plan = Plan { program: settings.server.clone(), folder, name, port, _lock: lock };
        let child = plan.launch().await?;
        let stop = CancellationToken::new();
        let url = format!("nats://127.0.0.1:{port}");
        tracing::info!(nats.url = url, nats.pid = child.id(), "nats-server started");
        let keeper = tokio::spawn(keep(plan, child, stop.clone()));
        Ok(Self { url, stop, keeper })
    }

    /// Where clients connect; the same before and after a restart.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server in order, or after ten seconds by force.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // A keeper that panicked has dropped its child, which kills it.
        let _ = (&mut self.keeper).await;
    }
}

impl Drop for NatsChild {
    /// Lets the keeper end the server on its own, where nobody waits for it.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn keep(plan: Plan, mut child: Child, stop: CancellationToken) {
    let mut pause = PAUSES.0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return plan.end(child).await,
            ended = child.wait() => {
                let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                tracing::warn!(nats.status = status, "nats-server ended by itself and is started again");
            }
        }
        child = loop {
            tokio::select! {
                () = stop.cancelled() => return plan.forget(),
                () = tokio::time::sleep(pause) => {}
            }
            match plan.launch().await {
                Ok(child) => break child,
                Err(error) => {
                    tracing::error!(error, "nats-server could not be started again");
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        };
        pause = PAUSES.0;
    }
}

impl Plan {
    async fn launch(&self) -> Result<Child, String> {
        let mut child = Command::new(&self.program)
            .arg("--config")
            .arg(self.folder.join("nats.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: Ctrl-C must reach us first.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", self.program.display()))?;
        if let Some(pid) = child.id()
            && let Err(error) = std::fs::write(pid_file(&self.folder), pid.to_string())
        {
            tracing::warn!(%error, "the pid of nats-server could not be written down");
        }
        let answers = async {
            while !self.answers().await {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            ended = child.wait() => {
                Err(format!("it ended at once ({ended:?}); its last words: {}", last_line(&self.log())))
            }
            answered = timeout(STARTS, answers) => match answered {
                Ok(()) => Ok(child),
                Err(_) => Err(format!("no answer within {STARTS:?}; see {}", self.log().display())),
            }
        }
    }

    /// True if the server greets on its port by the name we gave it.
    async fn answers(&self) -> bool {
        let greeting = async {
            let connection = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
            let mut line = String::new();
            BufReader::new(connection).read_line(&mut line).await.ok()?;
            Some(line.starts_with("INFO ") && line.contains(&self.name))
        };
        timeout(Duration::from_secs(1), greeting).await.ok().flatten().unwrap_or(false)
    }

    async fn end(&self, mut child: Child) {
        if let Some(pid) = child.id() {
            signal(pid, Signal::TERM);
        }
        if timeout(ENDS, child.wait()).await.is_err() {
            tracing::warn!("nats-server did not end and is killed");
            let _ = child.kill().await;
        }
        self.forget();
    }

    fn forget(&self) {
        // It may never have been written.
        let _ = std::fs::remove_file(pid_file(&self.folder));
    }

    fn log(&self) -> PathBuf {
        self.folder.join("nats.log")
    }
}

fn configuration(folder: &Path, name: &str, port: u16, sync_interval: &str) -> String {
    let log = folder.join("nats.log");
    let store = folder.join("store");
    format!(
        "# Written by osallisuus at each start.\n\
         server_name: {name:?}\nhost: \"127.0.0.1\"\nport: {port}\n\
         log_file: {:?}\nlogfile_size_limit: 10MB\nlogfile_max_num: 3\n\
         jetstream {{\n  store_dir: {:?}\n  sync_interval: {sync_interval:?}\n}}\n",
        log.display().to_string(),
        store.display().to_string(),
    )
}

async fn check_version(program: &Path) -> Result<(), String> {
    let remedy =
        "run infra/setup, or set nats.server to a nats-server of at least 2.10, or nats.url to a cluster";
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("cannot run {}: {error}; {remedy}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match version(&text) {
        Some(found) if found >= OLDEST => Ok(()),
        Some((major, minor)) => {
            Err(format!("{} is version {major}.{minor}, which is too old; {remedy}", program.display()))
        }
        None => Err(format!("{} does not tell its version; {remedy}", program.display())),
    }
}

/// Reads "nats-server: v2.15.1" as (2, 15).
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().rsplit_once('v')?.1.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn lock(folder: &Path) -> Result<File, String> {
    let path = folder.join("lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(format!("{} is in use by another process; end that, or set data_dir", folder.display()))
        }
        Err(TryLockError::Error(error)) => Err(format!("cannot lock {}: {error}", path.display())),
    }
}

/// Ends the server that a killed process left behind. The number alone proves nothing, it may be somebody else's by now:
/// the process must have been started with our configuration file.
async fn end_orphan(folder: &Path) {
    let Ok(text) = std::fs::read_to_string(pid_file(folder)) else { return };
    let Ok(pid) = text.trim().parse::<u32>() else { return };
    let config = folder.join("nats.conf").display().to_string();
    let is_ours = || {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).any(|argument| argument == config.as_bytes())
    };
    if !is_ours() {
        return;
    }
    tracing::warn!(nats.pid = pid, "a nats-server left over from a killed process is ended");
    signal(pid, Signal::TERM);
    let gone = timeout(ENDS, async {
        while is_ours() {
            tokio::time::sleep(LOOK).await;
        }
    });
    if gone.await.is_err() {
        signal(pid, Signal::KILL);
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may have ended a moment ago.
    let _ = pid.map(|pid| kill_process(pid, signal));
}

async fn free_port(ids: &Ids) -> Result<u16, String> {
    for _ in 0..100 {
        let port = PORTS.start + u16::from_be_bytes(ids.bytes::<2>()) % (PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return Ok(port);
        }
    }
    Err("no free port found on the loopback interface; set nats.port".to_owned())
}

fn pid_file(folder: &Path) -> PathBuf {
    folder.join("nats.pid")
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().last().unwrap_or("(no log)").to_owned()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert!(version("nats-server: v2.9.10") < Some((2, 10)));
        assert_eq!(version("something else"), None);
    }
}
