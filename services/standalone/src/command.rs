//! The commands, one file each.

mod audit;
pub(crate) mod backup;
mod board_key;
mod clock;
mod config;
mod demo;
pub(crate) mod dev_ca;
mod doctor;
mod import;
mod init;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod log;
pub(crate) mod nats_config;
pub(crate) mod new_epoch;
mod parked;
pub(crate) mod projection;
mod provision;
pub(crate) mod restore;
mod serve;
mod sign_in;
mod status;
mod up;

use std::process::ExitCode;

use kernel::{Clock, SystemClock};

use crate::cli::{Cli, Command, Remote};
use crate::client::{Account, ClientTls, SavedSession, Server, default_session_file};
use crate::exit::{Exit, Failure};
use crate::screen::Screen;
pub(crate) use audit::AuditCommand;

/// Where a system listens that was started without further ado.
const USUAL_ADDRESS: &str = "http://127.0.0.1:7400";
/// Holds the secret of a session; used instead of a session file.
const SESSION_VARIABLE: &str = "OSALLISUUS_SESSION";

/// Does what the command line asks for.
///
/// # Errors
/// With the exit code and what to do.
pub(crate) async fn run(cli: Cli, screen: Screen) -> Result<ExitCode, Failure> {
    let exit = match cli.command {
        // These run services and end as those do.
        Command::Up { installation } => return up::run(&installation, screen).await,
        Command::Demo { once, ideas, data, listen } => {
            return demo::run(demo::Course { once, ideas }, data, listen, screen).await;
        }
        Command::Serve { service, installation } => return serve::run(&service, &installation, screen).await,
        Command::Init { installation, tenants, new_code } => {
            init::run(&installation, &tenants, new_code, screen).await
        }
        Command::Provision { installation } => provision::run(&installation, screen).await,
        Command::Doctor { installation } => doctor::run(&installation, screen).await,
        Command::Config(command) => config::run(&command, screen),
        Command::NatsConfig(options) => nats_config::run(options, screen).await,
        Command::DevCa(options) => dev_ca::run(options, screen),
        Command::BoardKey { file } => board_key::run(&file, screen),
        Command::SignIn { door, remote } => sign_in::sign_in(&door, &remote, screen).await,
        Command::SignOut { remote } => sign_in::sign_out(&remote, screen).await,
        Command::Status { remote } => status::run(&remote, screen).await,
        Command::Import { file, tenant, remote } => import::run(&file, tenant, &remote, screen).await,
        Command::Parked(command) => parked::run(command, screen).await,
        Command::Backup(args) => backup::run(&args, screen).await,
        Command::Restore(args) => restore::run(&args, screen).await,
        Command::NewEpoch(args) => new_epoch::run(&args, screen).await,
        Command::Resync { which, remote } => projection::resync(&which, &remote, screen).await,
        Command::Projection(command) => projection::run(command, screen).await,
        Command::Log(command) => log::run(command, screen).await,
        Command::Audit(command) => audit::run(command, screen).await,
        Command::Clock(command) => clock::run(command, screen).await,
        Command::Load(load) => load::run(load, screen).await,
        Command::Ledger(command) => ledger::run(command, screen).await,
    };
    exit.map(ExitCode::from)
}

impl Remote {
    /// The session that a sign-in left, if any.
    fn saved(&self) -> Result<Option<SavedSession>, Failure> {
        if let Ok(session) = std::env::var(SESSION_VARIABLE)
            && !session.is_empty()
        {
            return Ok(Some(SavedSession { server: Vec::new(), session, tls: ClientTls::default() }));
        }
        self.session_file().map_or(Ok(None), |file| SavedSession::load(&file))
    }

    fn session_file(&self) -> Option<std::path::PathBuf> {
        self.session_file.clone().or_else(default_session_file)
    }

    /// The addresses given, else those of the session, else the usual one.
    fn addresses(&self, saved: Option<&SavedSession>) -> Vec<String> {
        let of_session = saved.map(|saved| saved.server.clone()).unwrap_or_default();
        let given = [self.server.clone(), of_session].into_iter().find(|addresses| !addresses.is_empty());
        given.unwrap_or_else(|| vec![USUAL_ADDRESS.to_owned()])
    }

    fn server(&self) -> Result<Server, Failure> {
        let saved = self.saved()?;
        Server::from_arguments(&self.addresses(saved.as_ref()), &self.tls(saved.as_ref()))
    }

    /// The certificates given, else those of the session.
    fn tls(&self, saved: Option<&SavedSession>) -> ClientTls {
        let of_session = saved.map(|saved| saved.tls.clone()).unwrap_or_default();
        if self.tls.is_empty() { of_session } else { self.tls.clone() }
    }

    /// Whoever is signed in.
    fn account(&self) -> Result<Account, Failure> {
        let saved = self.saved()?.ok_or_else(|| {
            Failure::new(Exit::Refused, "nobody is signed in")
                .remedy("Sign in first: osallisuus sign-in --help")
        })?;
        let tls = self.tls(Some(&saved));
        Ok(Server::from_arguments(&self.addresses(Some(&saved)), &tls)?.resume(saved.session))
    }
}

/// Today in Finland.
fn today() -> kernel::Date {
    SystemClock.now().helsinki_date()
}
