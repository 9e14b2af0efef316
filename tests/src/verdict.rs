//! Whether everything has arrived, and whether it is as it must be.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use proto::messaging::{GetStatusRequest, GetStatusResponse};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, Statement};
use standalone::client::{Account, Server};
use standalone::services::{READERS, SERVICES};
use tonic::Status;

use crate::load::Done;
use crate::place::Place;
use crate::scene::Scene;

/// How long everything may take to arrive on a loaded machine: redelivery alone takes half a minute.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(25);

/// Waits until every event is published and every projection is at the head of its source.
///
/// # Errors
/// What has not arrived after a minute and a half.
pub async fn drained(server: &Server, scene: &Scene) -> anyhow::Result<()> {
    let operator = server.resume(scene.administrator.clone());
    let mut last = "nothing was answered".to_owned();
    let arrived = async {
        let mut before = Vec::new();
        loop {
            match statuses(&operator).await {
                Ok(now) => {
                    let missing = missing(&now);
                    // Two equal looks: what one service publishes while another is asked is not overlooked.
                    if missing.is_none() && heads(&now) == before {
                        return;
                    }
                    before = heads(&now);
                    last = missing.unwrap_or_else(|| "events keep coming".to_owned());
                }
                Err(status) => last = status.to_string(),
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let arrived = tokio::time::timeout(PATIENCE, arrived).await;
    arrived.map_err(|_| anyhow::anyhow!("not everything has arrived within {PATIENCE:?}: {last}"))
}

async fn statuses(operator: &Account) -> Result<Vec<(&'static str, GetStatusResponse)>, Status> {
    let mut statuses = Vec::new();
    for service in SERVICES {
        let request = GetStatusRequest { service: service.name.to_owned() };
        statuses
            .push((service.name, operator.operator(service.name).get_status(request).await?.into_inner()));
    }
    Ok(statuses)
}

/// The first thing that has not arrived.
fn missing(statuses: &[(&'static str, GetStatusResponse)]) -> Option<String> {
    for (service, status) in statuses {
        for lane in &status.lanes {
            if lane.published_seq < lane.seq {
                return Some(format!(
                    "{service} has published {} of {} events of lane {}",
                    lane.published_seq, lane.seq, lane.lane
                ));
            }
            let is_reader = |reader: &str| READERS.contains(&(reader, *service));
            for (reader, at) in statuses.iter().filter(|(reader, _)| is_reader(reader)) {
                let taken = at.projections.iter().find(|one| one.source == *service && one.lane == lane.lane);
                let (seq, stopped) = taken.map_or((0, ""), |one| (one.seq, one.stopped.as_str()));
                if seq < lane.seq {
                    return Some(format!(
                        "{reader} is at event {seq} of {} of {service}, lane {} {stopped}",
                        lane.seq, lane.lane
                    ));
                }
            }
        }
    }
    None
}

fn heads(statuses: &[(&'static str, GetStatusResponse)]) -> Vec<u64> {
    statuses.iter().flat_map(|(_, status)| status.lanes.iter().map(|lane| lane.seq)).collect()
}

/// Judges a place whose processes have ended: `osallisuus ledger check` by what its clients noted, and then by name what
/// they remember. `flags` are the check's.
///
/// # Errors
/// What is not as it must be.
pub async fn judge(place: &Place, scene: &Scene, done: &Done, flags: &[&str]) -> anyhow::Result<()> {
    let told = place.check_ledger(flags).await?;
    let (acknowledged, boxes) = (told["looked"]["acknowledged"].as_u64(), told["looked"]["boxes"].as_u64());
    let did = done.commands();
    anyhow::ensure!(acknowledged >= Some(did), "{did} acts, and the ledger knows of {acknowledged:?}");
    let forums = connect(place, "forums").await?;
    let membership = connect(place, "membership").await?;
    once_each(&forums, "SELECT name FROM forum", &done.forums).await.context("forums")?;
    once_each(&membership, "SELECT name FROM service_unit", &done.units).await.context("service units")?;
    let proposals = connect(place, "proposals").await?;
    let receipts = "SELECT receipt_no FROM proposal WHERE receipt_no IS NOT NULL";
    once_each(&proposals, receipts, &done.proposals).await.context("proposals")?;
    proposals.close().await?;
    if !scene.election.is_empty() {
        anyhow::ensure!(boxes > Some(0), "the ledger has looked at no ballot box");
        let marks = texts(&forums, "SELECT channel FROM voter_mark").await?;
        let online = marks.iter().filter(|channel| *channel == "online").count() as u64;
        let paper = marks.len() as u64 - online;
        anyhow::ensure!(
            (online, paper) == (done.ballots, done.papers),
            "{online} ballots and {paper} papers are marked, {} and {} were acknowledged",
            done.ballots,
            done.papers
        );
    }
    forums.close().await?;
    membership.close().await?;
    Ok(())
}

/// Each name is there exactly once.
async fn once_each(connection: &DatabaseConnection, question: &str, names: &[String]) -> anyhow::Result<()> {
    let mut stored: BTreeMap<String, usize> = BTreeMap::new();
    for name in texts(connection, question).await? {
        *stored.entry(name).or_default() += 1;
    }
    for name in names {
        let found = stored.get(name).copied().unwrap_or(0);
        anyhow::ensure!(found == 1, "{name:?} was acknowledged and is there {found} times");
    }
    Ok(())
}

/// A connection to a service's database, past the service.
///
/// # Errors
/// If it cannot be had.
pub async fn connect(place: &Place, service: &str) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(place.database(service)?);
    options.max_connections(1).sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

/// The first column of an answer, as text.
///
/// # Errors
/// If the database refuses.
pub async fn texts(connection: &DatabaseConnection, question: &str) -> anyhow::Result<Vec<String>> {
    let question = Statement::from_string(connection.get_database_backend(), question);
    let rows = connection.query_all_raw(question).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index::<String>(0)?)).collect()
}
