//! `projection rebuild` and `resync`: reading the events of a projection again, with progress.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use proto::messaging::{GetProjectionProgressRequest, LaneProgress, RebuildProjectionRequest};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::Remote;
use crate::client::Account;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};

/// How often to ask how far it is.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps what services know of each other's events.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectionCommand {
    /// Reads a projection's events again from the first, and waits until it is done.
    #[command(after_help = "Examples:
  osallisuus projection rebuild --service forums --projection membership
  osallisuus projection rebuild --service forums --projection membership --lane 19 --output json

The system keeps running and what is there stays readable. With --output json there is a line of JSON for every look
at the progress, and the result in the last one. Exit code 1 if a lane stands still at the end.")]
    Rebuild {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Which lanes of which projection.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// Service in which the projection is.
    #[arg(long, value_name = "NAME")]
    pub(crate) service: String,
    /// Name of the projection, from `osallisuus status`.
    #[arg(long, value_name = "NAME")]
    pub(crate) projection: String,
    /// Only this lane: county code.
    #[arg(long, value_name = "CODE")]
    pub(crate) lane: Option<String>,
}

#[derive(Serialize)]
struct Lane {
    lane: String,
    seq: u64,
    target: u64,
    done: bool,
    stopped: String,
}

pub(super) async fn run(command: ProjectionCommand, screen: Screen) -> Result<Exit, Failure> {
    let ProjectionCommand::Rebuild { which, remote } = command;
    rebuild(&which, false, &remote, screen).await
}

/// Reads again the lanes that stand still, or the one that is named.
pub(super) async fn resync(which: &Which, remote: &Remote, screen: Screen) -> Result<Exit, Failure> {
    rebuild(which, true, remote, screen).await
}

async fn rebuild(
    which: &Which,
    stopped_only: bool,
    remote: &Remote,
    screen: Screen,
) -> Result<Exit, Failure> {
    let account = remote.account()?;
    let request = RebuildProjectionRequest {
        service: which.service.clone(),
        projection: which.projection.clone(),
        lane: which.lane.clone().unwrap_or_default(),
        stopped_only,
    };
    let begun = account.operator(&which.service).rebuild_projection(request).await?.into_inner();
    let targets: BTreeMap<String, u64> = begun.lanes.into_iter().map(|one| (one.lane, one.target)).collect();
    if targets.is_empty() {
        let none: [Lane; 0] = [];
        screen.result(&none, || "No lane stands still; nothing was done.".to_owned())?;
        return Ok(Exit::Done);
    }
    let lanes = follow(&account, which, &targets, screen).await?;
    if screen.is_json() {
        line(&lanes, screen)?;
    } else {
        screen.say(&told(&lanes))?;
    }
    Ok(if lanes.iter().all(|lane| lane.stopped.is_empty()) { Exit::Done } else { Exit::Failure })
}

/// Tells how far it is until no lane is being rebuilt any more.
async fn follow(
    account: &Account,
    which: &Which,
    targets: &BTreeMap<String, u64>,
    screen: Screen,
) -> Result<Vec<Lane>, Failure> {
    let bar = if screen.shows_progress() {
        ProgressBar::new(targets.values().sum())
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} events, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let request = GetProjectionProgressRequest {
            service: which.service.clone(),
            projection: which.projection.clone(),
        };
        let answer = account.operator(&which.service).get_projection_progress(request).await?.into_inner();
        let lanes: Vec<Lane> = answer.lanes.into_iter().filter_map(|lane| Lane::new(lane, targets)).collect();
        bar.set_position(lanes.iter().map(|lane| lane.seq.min(lane.target)).sum());
        if lanes.iter().all(|lane| lane.done || !lane.stopped.is_empty()) {
            bar.finish_and_clear();
            return Ok(lanes);
        }
        if screen.is_json() {
            line(&lanes, screen)?;
        }
    }
}

impl Lane {
    /// None for a lane that nobody asked for.
    fn new(lane: LaneProgress, targets: &BTreeMap<String, u64>) -> Option<Self> {
        let target = *targets.get(&lane.lane)?;
        let done = lane.rebuild_to == 0 && lane.stopped.is_empty();
        Some(Self { lane: lane.lane, seq: lane.seq, target, done, stopped: lane.stopped })
    }
}

fn line(lanes: &[Lane], screen: Screen) -> Result<(), Failure> {
    let text = serde_json::to_string(lanes).map_err(|error| Failure::general(error.to_string()))?;
    screen.line(&text)
}

fn told(lanes: &[Lane]) -> String {
    let rows = lanes.iter().map(|lane| {
        let state =
            if lane.stopped.is_empty() { "rebuilt".to_owned() } else { format!("stopped: {}", lane.stopped) };
        [lane.lane.clone(), lane.seq.to_string(), state]
    });
    table(["Lane", "Events", "State"], rows, &[1])
}
