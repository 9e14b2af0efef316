//! A death between two answers. The process stands still at its point until somebody outside has the answer, and is
//! killed then: had it died by itself, the answer would not have left.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use standalone::ledger::journal::{Operation, Outcome};
use standalone::services::SERVICES;
use testkit::program::Program;

use crate::place::Place;
use crate::verdict::{connect, texts};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until the process has said in `told` that it stands there, and until what it says is true: the client of its
/// first key has its answer; of the others', all stored as well, some have none to their last call.
///
/// # Errors
/// If that is not so within this time, or the process ends.
pub async fn until_seen(
    place: &Place,
    told: &Path,
    victim: &mut Program,
    within: Duration,
) -> anyhow::Result<()> {
    let seen = async {
        loop {
            anyhow::ensure!(victim.is_running(), "it ended by itself; its log:\n{}", victim.log());
            if let Ok(keys) = std::fs::read_to_string(told)
                && is_seen(place, &keys).await?
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let seen = tokio::time::timeout(within, seen).await;
    seen.context("no answer was seen to leave while others waited").flatten()?;
    let text = std::fs::read_to_string(told)?;
    let others: Vec<&str> = text.lines().skip(2).collect();
    let mut stored = Vec::new();
    for service in SERVICES {
        let connection = connect(place, service.name).await?;
        stored.extend(texts(&connection, "SELECT idem_key FROM command_log").await?);
        connection.close().await?;
    }
    let is_stored = |key: &&str| stored.iter().any(|stored| stored == key);
    anyhow::ensure!(others.iter().all(is_stored), "it answered before all of the batch was stored");
    Ok(())
}

async fn is_seen(place: &Place, text: &str) -> anyhow::Result<bool> {
    let noted = place.noted().await?;
    let last = |key: &str| last_call(&noted, key);
    let mut keys = text.lines().skip(1);
    let first = keys.next().context("a key")?;
    let is_answered = last(first).is_some_and(|call| call.outcome == Outcome::Ok);
    Ok(is_answered && keys.any(|key| last(key).is_some_and(|call| call.answered_us.is_none())))
}

/// The last call with a key.
fn last_call<'a>(noted: &'a [Operation], key: &str) -> Option<&'a Operation> {
    noted.iter().filter(|one| one.call.key == key).max_by_key(|one| one.invoked_us)
}
