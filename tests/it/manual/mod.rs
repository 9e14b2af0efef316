//! docs/operations.md, command by command: what stands there is what is run here, and nothing of a section is left out.

mod configure;
mod scale;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::program;

/// The commands of a section, in its order: every line of its fenced blocks, without comments.
fn commands(title: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let text = std::fs::read_to_string(file).expect("the manual");
    let depth = title.bytes().take_while(|byte| *byte == b'#').count();
    let is_next = |line: &str| {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        (1..=depth).contains(&level) && line.as_bytes().get(level) == Some(&b' ')
    };
    let (mut fence, mut found) = (None, Vec::new());
    for line in text.lines().skip_while(|line| *line != title).skip(1) {
        match (fence, line.strip_prefix("```")) {
            (None, Some(kind)) => fence = Some(kind),
            (Some(_), Some(_)) => fence = None,
            (None, None) if is_next(line) => break,
            (Some(""), None) => found.push(line.split("  #").next().unwrap_or_default().trim().to_owned()),
            _ => {}
        }
    }
    assert!(!found.is_empty(), "the manual has no commands in {title:?}");
    found
}

/// A machine on which somebody follows a section of the manual.
struct Machine {
    home: TempDir,
    /// The commands of the section, and those that were not run yet.
    said: BTreeSet<String>,
    left: BTreeSet<String>,
    /// What stands in the manual, and what it is on this machine: folders, ports.
    here: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

/// How a command ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Machine {
    fn follows(title: &str) -> Self {
        let home = tempfile::Builder::new().prefix("osallisuus-manual-").tempdir().expect("a folder");
        let nats = testkit::nats::program().expect("a nats-server").display().to_string();
        let said: BTreeSet<String> = commands(title).into_iter().collect();
        let mut machine = Self {
            here: Vec::new(),
            left: said.clone(),
            said,
            environment: vec![
                ("OSALLISUUS_OUTPUT".into(), "json".into()),
                ("OSALLISUUS_NATS__SERVER".into(), nats),
            ],
            home,
        };
        for folder in ["srv", "etc/osallisuus"] {
            std::fs::create_dir_all(machine.path(folder)).expect("a folder");
            let there = machine.path(folder).display().to_string();
            machine.here.push((format!("/{folder}/"), format!("{there}/")));
        }
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    /// From now on a variable is this.
    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
    }

    /// A line of the manual, ready to be run by a shell.
    fn command(&mut self, line: &str) -> Command {
        assert!(self.said.contains(line), "the manual does not say {line:?} but {:#?}", self.said);
        self.left.remove(line);
        self.shell(line)
    }

    /// Any line.
    fn shell(&self, line: &str) -> Command {
        let mut line = line.to_owned();
        for (there, here) in &self.here {
            line = line.replace(there, here);
        }
        let exec = if line.starts_with("osallisuus ") { "exec " } else { "" };
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{exec}{line}"));
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("OSALLISUUS_") || name.starts_with("XDG_")) {
                command.env_remove(name);
            }
        }
        let folder = program("osallisuus").parent().expect("a folder").display().to_string();
        let programs = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{folder}:{programs}")).env("HOME", self.home.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.home.path());
        command
    }

    /// Runs a line of the manual to its end.
    fn run(&mut self, line: &str) -> Ended {
        self.run_with(line, "")
    }

    /// The same with this on standard input.
    fn run_with(&mut self, line: &str, input: &str) -> Ended {
        Ended::of(self.command(line), input)
    }

    /// Runs a line that goes on, until it says that it is ready.
    fn start(&mut self, line: &str) -> Going {
        let log = self.path("log");
        Going::start(self.command(line), &log)
    }

    /// That no command of the section is left.
    fn done(self) {
        assert_eq!(self.left, BTreeSet::new(), "commands of the manual that no test runs");
    }
}

impl Ended {
    fn of(mut command: Command, input: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("sh runs");
        // A command that fails before it reads has closed the pipe.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// That it ended so.
    #[track_caller]
    fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    /// What it printed, if it did what it was asked.
    #[track_caller]
    fn json(self) -> Value {
        let ended = self.with(0);
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
    }
}

/// A system that runs; killed when dropped.
struct Going {
    child: Child,
    address: String,
    /// Where its own nats-server is, if it has one.
    nats: Option<String>,
}

impl Going {
    fn start(mut command: Command, log: &Path) -> Self {
        let log_file = std::fs::File::options().create(true).append(true).open(log).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file);
        let mut child = command.spawn().expect("sh runs");
        let line = BufReader::new(child.stdout.take().expect("a pipe")).lines().next();
        let Some(Ok(line)) = line else {
            panic!("it ended before it was ready\n{}", std::fs::read_to_string(log).unwrap_or_default());
        };
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(ready["ready"], true, "{line}");
        let text = |name: &str| ready[name].as_str().map(str::to_owned);
        Self { child, address: text("grpc").expect("an address"), nats: text("nats") }
    }

    /// Asks it to end, and waits until it has.
    fn end(mut self) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("the signal is sent");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
