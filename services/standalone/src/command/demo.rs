//! `demo`: the election of the Oulunkaari client forum and what its clients propose, in a system of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use chassis::{Running, Signals, telemetry};
use kernel::TenantId;

use super::up;
use crate::cli::Installation;
use crate::client::{ClientTls, SavedSession, Server};
use crate::demo::{self, Play, Progress, Report, example};
use crate::exit::Failure;
use crate::screen::Screen;
use crate::services::SERVICES;

/// Where the demonstration listens if nobody is there yet.
const USUAL: &str = "127.0.0.1:7400";
/// The setting of what is logged.
const LOG_VARIABLE: &str = "OSALLISUUS_TELEMETRY__LOG";
/// The file in the data folder that keeps the administrator's session.
const SESSION_FILE: &str = "administrator.session";

/// How far the play goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    /// The command ends after the result.
    pub(super) once: bool,
    /// It goes on after the elections, with the clients' ideas.
    pub(super) ideas: bool,
}

pub(super) async fn run(
    course: Course,
    data: Option<PathBuf>,
    listen: Option<String>,
    screen: Screen,
) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    // Removed when the command ends; kept is only a folder that was asked for.
    let temporary = tempfile::Builder::new().prefix("osallisuus-demo-").tempdir()?;
    let folder = data.unwrap_or_else(|| temporary.path().join("data"));
    let installation = Installation { config: None, data: Some(folder.clone()) };
    let tenants = [TenantId::new(example::LEAD), TenantId::new(example::CO_TENANT)];
    let tenants: Vec<TenantId> = tenants.into_iter().flatten().collect();
    let made = super::init::make(&installation, &tenants).await?;
    let config = installation.load_for(SERVICES, settings(listen))?;
    let telemetry = telemetry::install(&config, "osallisuus")?;
    let mut signals = Signals::listen()?;
    let start = async {
        let running = chassis::start(SERVICES, config).await?;
        running.ready().await;
        Ok(running)
    };
    let running = tokio::select! {
        running = start => running,
        () = signals.asked_to_end() => Err(Failure::general("interrupted")),
    }?;
    screen.note(&format!(
        "A fresh system is ready after {:.1} s at http://{}. Now an election is played in it.\n",
        began.elapsed().as_secs_f64(),
        running.addr()
    ));
    let address = format!("http://{}", running.addr());
    let played = tokio::select! {
        played = play(&address, &made.setup_code, &folder, course, screen) => played,
        () = signals.asked_to_end() => Err(Failure::general("interrupted")),
    };
    let ended = match played {
        Ok(report) => {
            screen.note(&format!("\nPlayed in {:.1} s, start included.\n", began.elapsed().as_secs_f64()));
            screen.result(&report, || report.text(screen))?;
            if !course.once {
                screen.say(&next(&running, &folder, &report))?;
                let code = running.wait(signals).await;
                up::shut_down(telemetry).await;
                return Ok(code);
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => Err(failure),
    };
    running.stop().await;
    up::shut_down(telemetry).await;
    ended
}

/// What a demonstration has that differs from the defaults, by the environment variables of the settings.
fn settings(listen: Option<String>) -> [(&'static str, String); 6] {
    // Only what is wrong, unless somebody asks for more: the play tells what happens.
    let log = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| "warn".to_owned());
    [
        ("OSALLISUUS_DEMO", "true".to_owned()),
        // Whoever tries it out may also want to know how much it bears.
        ("OSALLISUUS_LOAD_TEST", "true".to_owned()),
        // Whoever tries it out has a gRPC client and no contracts.
        ("OSALLISUUS_LISTEN__REFLECTION", "true".to_owned()),
        ("OSALLISUUS_CLOCK__DEMO_START", example::CLOCK_STARTS.to_owned()),
        ("OSALLISUUS_LISTEN__GRPC", listen.unwrap_or_else(free_address)),
        (LOG_VARIABLE, log),
    ]
}

async fn play(
    address: &str,
    setup_code: &str,
    folder: &Path,
    course: Course,
    screen: Screen,
) -> Result<Report, Failure> {
    let mut play = Play::begin(Server::at(address)?, setup_code, Progress::on(screen)).await?;
    let mut report = demo::play(&mut play).await?;
    if course.ideas {
        report.ideas = Some(demo::propose(&play).await?);
    }
    if let Some(session) = play.administrator.session() {
        let saved = SavedSession {
            server: vec![address.to_owned()],
            session: session.to_owned(),
            tls: ClientTls::default(),
        };
        saved.save(&folder.join(SESSION_FILE))?;
    }
    Ok(report)
}

/// The usual address, or any free port if somebody has it.
fn free_address() -> String {
    if TcpListener::bind(USUAL).is_ok() { USUAL.to_owned() } else { "127.0.0.1:0".to_owned() }
}

/// What to try in the system that stays up.
fn next(running: &Running, folder: &Path, report: &Report) -> String {
    let address = running.addr();
    let session = folder.join(SESSION_FILE);
    // Not on the PATH of who has just built it.
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("osallisuus"));
    let program = program.display();
    let events = running.nats_url().map_or_else(String::new, |url| {
        format!("Its events, with any NATS client:\n\n  nats --server {url} stream view EVT_FORUMS\n\n")
    });
    let followed =
        report.ideas.as_ref().and_then(|ideas| ideas.timelines.get(demo::ideas::example::FOLLOWED));
    let timeline = followed.map_or_else(String::new, |timeline| {
        let id = &timeline.proposal_id;
        format!("\n  osallisuus.proposals.v1.AnswersService/GetTimeline {{\"proposal_id\": \"{id}\"}}")
    });
    format!(
        "
The system stays up at http://{address} until Ctrl-C. In another terminal, as its administrator:

  export OSALLISUUS_SESSION_FILE={}
  {program} status
  {program} clock get
  {program} parked list

{events}Anyone may read the result, with any gRPC client:

  osallisuus.forums.v1.ElectionsService/GetElectionResult {{\"election_id\": \"{}\"}}{timeline}",
        session.display(),
        report.first.election_id
    )
}
