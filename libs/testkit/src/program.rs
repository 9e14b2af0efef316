//! A program of the workspace in a process of its own, such as `osallisuus up`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context;
use rustix::process::Signal;

use crate::process::{Process, tail};

/// Enough for a loaded machine; a quiet one takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program that a test may kill, freeze and end. Ends when dropped, at the latest with the test process.
pub struct Program {
    process: Process,
    log: PathBuf,
}

impl Program {
    /// Starts `command`. What it prints goes to `log`, which begins anew; `folder` is removed should the test process
    /// die without a drop.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(command: &mut Command, folder: &Path, log: &Path) -> anyhow::Result<Self> {
        // The file may be missing.
        let _ = fs::remove_file(log);
        Ok(Self { process: Process::start(command, folder, log)?, log: log.to_owned() })
    }

    /// Waits for the line by which `osallisuus` says, with `--output json`, that it is ready.
    ///
    /// # Errors
    /// If it ends before, or has not said so after a minute; the message holds the end of its log.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let said = async {
            while !fs::read_to_string(&self.log)?.lines().any(|line| line.contains("\"ready\":true")) {
                anyhow::ensure!(self.process.is_running(), "it ended");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        };
        let said = tokio::time::timeout(PATIENCE, said).await;
        said.context("not in time")
            .flatten()
            .with_context(|| format!("wait until it is ready; its log:\n{}", tail(&self.log)))
    }

    /// Its number in the kernel's list of processes.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// True while it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Waits until it has ended by itself; false if it still runs after `within`.
    pub async fn ended(&mut self, within: Duration) -> bool {
        let ended = async {
            while self.process.is_running() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(within, ended).await.is_ok()
    }

    /// True if a signal that cannot be caught has ended it.
    pub fn was_killed(&mut self) -> bool {
        self.process.was_killed()
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// If it still runs after a minute.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.process.end(Signal::TERM, PATIENCE)
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(self) {
        drop(self);
    }

    /// Freezes it (SIGSTOP) and waits until no thread of it runs.
    ///
    /// # Errors
    /// If it is not running.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.process.freeze()
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// If it is not running.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// The end of what it printed.
    #[must_use]
    pub fn log(&self) -> String {
        tail(&self.log)
    }
}

/// The program called `name`, beside the running one in the target folder.
///
/// # Errors
/// If it has not been built.
pub fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let own = env::current_exe().context("find this program")?;
    // A test lies in target/debug/deps, a program in target/debug.
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{name} is missing: cargo build --workspace"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_ends_before_it_is_ready_is_told_with_its_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", "echo it cannot; exit 1"]);
        let log = folder.path().join("log");
        let mut program = Program::start(&mut command, folder.path(), &log).expect("it starts");
        let told = format!("{:#}", program.ready().await.expect_err("it ended"));
        assert!(told.contains("it ended") && told.contains("it cannot"), "{told}");
    }
}
