//! A system to measure: running, and signed in to.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::Value;
use standalone::services::SERVICES;
use testkit::free_port;
use testkit::program::{self, Program};
use testkit::system::Store;

use crate::place::{Place, Start};

/// A running system with an administrator signed in.
pub struct Subject {
    /// Its processes; dropped before what they stand on.
    pub programs: Vec<Program>,
    /// What it stands on.
    pub place: Place,
    /// Addresses for the commands, as `--server` takes them.
    servers: Vec<String>,
    session: PathBuf,
}

impl Subject {
    /// Everything in one process.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(store: Store) -> anyhow::Result<Self> {
        let place = Place::new(store).await?;
        let code = place.init()?;
        let program = place.run(&Start::default()).await?;
        let servers = vec![place.address()];
        Self::signed_in(place, vec![program], servers, &code)
    }

    /// Each service in a process of its own; the programs are in the order of the services.
    ///
    /// # Errors
    /// If one does not start.
    pub async fn start_apart(store: Store) -> anyhow::Result<Self> {
        let place = Place::new(store).await?;
        let code = place.init()?;
        let (mut programs, mut servers) = (Vec::new(), Vec::new());
        let mut membership = String::new();
        for service in SERVICES {
            let listen = format!("127.0.0.1:{}", free_port()?);
            if service.name == "membership" {
                membership.clone_from(&listen);
            }
            let mut program = place.serve(service.name, &listen, &membership)?;
            program.ready().await?;
            programs.push(program);
            servers.push(format!("{}=http://{listen}", service.name));
        }
        Self::signed_in(place, programs, servers, &code)
    }

    fn signed_in(
        place: Place,
        programs: Vec<Program>,
        servers: Vec<String>,
        code: &str,
    ) -> anyhow::Result<Self> {
        let session = place.folder().join("session.json");
        let subject = Self { programs, place, servers, session };
        let mut command = subject.command("sign-in")?;
        command.args(["--setup-code", "--name", "Aino Aalto", "--tenant", "19"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        child.stdin.take().context("its input")?.write_all(code.as_bytes())?;
        let output = child.wait_with_output()?;
        anyhow::ensure!(output.status.success(), "sign-in: {}", String::from_utf8_lossy(&output.stdout));
        Ok(subject)
    }

    /// Runs `osallisuus load` and gives its report.
    ///
    /// # Errors
    /// If it could not run; calls that failed are in the report.
    pub async fn load(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let mut command = self.command("load")?;
        command.args(arguments);
        let output = tokio::process::Command::from(command).output().await?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("osallisuus load: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What `osallisuus status` says.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn status(&self) -> anyhow::Result<Value> {
        let output = tokio::process::Command::from(self.command("status")?).output().await?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("osallisuus status: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Ends it and gives back what it stood on.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn finish(self) -> anyhow::Result<()> {
        for program in self.programs {
            program.stop()?;
        }
        self.place.remove().await
    }

    fn command(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(program::beside("osallisuus")?);
        command.args([name, "--output", "json", "--session-file"]).arg(&self.session);
        for server in &self.servers {
            command.args(["--server", server]);
        }
        Ok(command)
    }
}
