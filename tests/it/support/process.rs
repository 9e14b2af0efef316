//! The program `osallisuus` as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A running `osallisuus`; killed when dropped. What it logs is in a file beside its settings.
pub(crate) struct Process {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) address: String,
    /// Where its metrics are, if they are anywhere.
    pub(crate) metrics: Option<String>,
}

impl Process {
    /// Runs `osallisuus ARGUMENTS --config SETTINGS` with further environment variables until it says that it is ready.
    pub(crate) fn run(arguments: &[&str], settings: &Path, environment: &[(&str, &str)]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(log_of(settings)).expect("a log");
        let mut child = Command::new(program("osallisuus"))
            .args(arguments)
            .args(["--output", "json", "--config"])
            .arg(settings)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("its output");
        let line = BufReader::new(output).lines().next();
        let Some(Ok(line)) = line else {
            let log = std::fs::read_to_string(log_of(settings)).unwrap_or_default();
            panic!("it ended before it was ready: {:?}\n{log}", child.wait());
        };
        let ready: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(ready["ready"], true, "{line}");
        let address = ready["grpc"].as_str().expect("an address").to_owned();
        Self { child, address, metrics: ready["metrics"].as_str().map(str::to_owned) }
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn end(mut self) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("the signal is sent");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The log of the process with these settings.
pub(crate) fn log_of(settings: &Path) -> PathBuf {
    settings.with_extension("log")
}

/// A program of the workspace, beside this test in the target folder.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let folder = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let program = folder.join(name);
    assert!(program.is_file(), "{} is missing: cargo build --workspace", program.display());
    program
}
