//! A server process in a temporary folder that never outlives the test process.
//!
//! Dropping the handle kills the server and removes the folder. That is not enough: a test that is killed drops
//! nothing, and a server kept in a `static` is never dropped at all. So beside every server runs a *leash*: a shell
//! that waits on a pipe which the kernel closes when this process ends, however it ends, and then does the same.

use std::{
    fs, io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// $1 is the server's process, $2 its temporary folder.
const LEASH: &str = r#"
read -r _
kill -QUIT "$1" && sleep 0.5
kill -KILL "$1"
rm -rf "$2"
"#;

/// A running server, killed on drop.
pub(crate) struct Process {
    child: Child,
    leash: Child,
}

impl Process {
    /// Starts `command` with its output in `log`; `folder` is removed should this process die without a drop.
    pub(crate) fn start(command: &mut Command, folder: &Path, log: &Path) -> anyhow::Result<Self> {
        let output = fs::File::options().create(true).append(true).open(log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        let leash = Command::new("sh")
            .args(["-c", LEASH, "leash", &child.id().to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: an interrupt from the keyboard or a test runner's kill ends the others, not it.
            .process_group(0)
            .spawn();
        match leash {
            Ok(leash) => Ok(Self { child, leash }),
            Err(error) => {
                let _ = child.kill();
                Err(error).context("start the leash (sh)")
            }
        }
    }

    /// True while the process has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// True if SIGKILL has ended it.
    pub(crate) fn was_killed(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(status)) if status.signal() == Some(Signal::KILL.as_raw()))
    }

    /// The process id, for messages and for outside tools.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(pid, signal).with_context(|| format!("send {signal:?} to process {}", self.child.id()))
    }

    /// Stops the process (SIGSTOP), and waits until none of its threads runs any more: the signal arrives when it
    /// arrives, and until then the process goes on.
    pub(crate) fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)?;
        let threads = format!("/proc/{}/task", self.id());
        poll(Duration::from_secs(10), || {
            for thread in fs::read_dir(&threads)? {
                // A thread may end while we look.
                let Ok(stat) = fs::read_to_string(thread?.path().join("stat")) else { return Ok(None) };
                // "1234 (name) T …"; the name may hold anything.
                let is_stopped = stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'));
                if !is_stopped {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    /// Sends `signal` and waits for the end.
    ///
    /// # Errors
    /// If the process still runs after `within`.
    pub(crate) fn end(&mut self, signal: Signal, within: Duration) -> anyhow::Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        self.signal(signal)?;
        poll(within, || Ok((!self.is_running()).then_some(())))
            .with_context(|| format!("process {} ignored {signal:?}", self.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The leash goes first: once the server is reaped, its number may belong to somebody else.
        let _ = self.leash.kill();
        let _ = self.leash.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks `ready` every 10 ms until it gives a value or an error.
///
/// # Errors
/// What `ready` says, or a time-out after `within`.
pub(crate) fn poll<T>(
    within: Duration,
    mut ready: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + within;
    loop {
        if let Some(value) = ready()? {
            return Ok(value);
        }
        anyhow::ensure!(Instant::now() < end, "not within {within:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The last lines of a server's log, for error messages.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error: io::Error| format!("(no log: {error})"));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
