//! `log`: whether the event logs are whole.

use clap::Subcommand;
use messaging::Database;
use messaging::log::{Verdict, verify};
use serde::Serialize;

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::databases;
use crate::screen::{Screen, table};

/// Checks the event logs of this machine's services.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Checks that no event is missing, doubled or changed, lane by lane.
    #[command(after_help = "Examples:
  osallisuus log verify
  osallisuus log verify --service forums --output json

The system may run meanwhile; nothing is changed. Checked are sequence numbers, the hash of every event and its link
to the one before, epochs, the counts in watermarks, and the heads. Exit code 1 if a lane is broken: the first place
is named.")]
    Verify {
        #[command(flatten)]
        installation: Installation,
        /// Only of this service; may be given several times.
        #[arg(long, value_name = "NAME")]
        service: Vec<String>,
    },
}

/// What was found in a service's log.
#[derive(Serialize)]
struct Checked {
    service: &'static str,
    #[serde(flatten)]
    verdict: Verdict,
}

pub(super) async fn run(command: LogCommand, screen: Screen) -> Result<Exit, Failure> {
    let LogCommand::Verify { installation, service } = command;
    let config = installation.load()?;
    let mut all = Vec::new();
    for (service, url) in databases(&config, &service)? {
        all.push(Checked { service: service.name, verdict: verdict(service.name, &url, screen).await? });
    }
    screen.result(&all, || text(&all))?;
    Ok(if all.iter().all(|checked| checked.verdict.is_whole()) { Exit::Done } else { Exit::Failure })
}

/// Checks one service's log.
///
/// # Errors
/// [`Exit::Unreachable`] if its database cannot be read.
async fn verdict(service: &'static str, url: &str, screen: Screen) -> Result<Verdict, Failure> {
    let away = |error: String| {
        Failure::new(Exit::Unreachable, format!("the database of {service} cannot be read: {error}"))
            .remedy("Is it there, and may this user read it? See: osallisuus doctor")
    };
    let database = Database::look(url, service).await.map_err(|error| away(error.to_string()))?;
    let verdict = verify(&database, counting(service, screen)).await;
    // Nothing was written, so there is nothing that closing could lose.
    let _ = database.close().await;
    verdict.map_err(|error| away(error.to_string()))
}

/// Tells how many events of a service were checked, now and then.
pub(super) fn counting(service: &str, screen: Screen) -> impl FnMut(u64) {
    const EVERY: u64 = 100_000;
    let mut checked = 0;
    move |events| {
        if checked / EVERY < (checked + events) / EVERY {
            screen.note(&format!("{service}: {} events checked", checked + events));
        }
        checked += events;
    }
}

fn text(all: &[Checked]) -> String {
    let row = |checked: &Checked, lane: &str, events: String, epoch: String, state: String| {
        [checked.service.to_owned(), lane.to_owned(), events, epoch, state]
    };
    let rows = all.iter().flat_map(|checked| {
        let whole = checked.verdict.whole.iter().map(move |lane| {
            row(checked, &lane.lane, lane.events.to_string(), lane.epoch.to_string(), "whole".to_owned())
        });
        let broken = checked.verdict.broken.iter().map(move |broken| {
            let state = format!("BROKEN at event {}: {}", broken.seq, broken.text);
            row(checked, &broken.lane, String::new(), String::new(), state)
        });
        whole.chain(broken)
    });
    let rows: Vec<[String; 5]> = rows.collect();
    if rows.is_empty() {
        return "The logs are empty.".to_owned();
    }
    table(["Service", "Lane", "Events", "Epoch", "State"], rows, &[2, 3])
}
