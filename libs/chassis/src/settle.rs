//! Waiting until everything that was written has arrived everywhere in this process, for tests.

use std::time::Duration;

use kernel::Fault;
use tokio::time::{sleep, timeout};

use crate::running::Unit;
use crate::server::Units;

/// How long to wait.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look: what moves is told through several services, so there is nothing single to wait for.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until each log is published and each projection whose source runs here is at its source's head. What a
/// projection publishes itself is stored together with its cursor, so a look that finds nothing open twice in a row
/// leaves nothing on its way.
pub(crate) async fn settle(units: &Units) -> Result<(), Fault> {
    let mut open = Vec::new();
    let waited = timeout(PATIENCE, async {
        let mut settled = 0;
        while settled < 2 {
            open = unsettled(units).await?;
            settled = if open.is_empty() { settled + 1 } else { 0 };
            if settled < 2 {
                sleep(LOOK).await;
            }
        }
        Ok(())
    });
    let outcome: Result<Result<(), Fault>, _> = waited.await;
    outcome.unwrap_or_else(|_| {
        let text = format!("Not settled within {PATIENCE:?}: {}", open.join("; "));
        Err(Fault::unavailable("running.not_settled", text))
    })
}

/// What has not arrived, in words.
async fn unsettled(units: &Units) -> Result<Vec<String>, Fault> {
    let mut open = Vec::new();
    for unit in units.values() {
        let heads = messaging::log::heads(&unit.database).await.map_err(messaging::database_fault)?;
        let lanes = unit.pipeline.status().lanes();
        for head in heads {
            let (name, lane, seq) = (unit.name, &head.lane, head.seq);
            let state = lanes.get(lane);
            let published = state.map_or(0, |state| state.published).max(head.published_seq);
            if published < seq {
                let why = why(unit, state.and_then(|state| state.stopped.as_deref()));
                open.push(format!("{name}: lane {lane} is published up to {published} of {seq}{why}"));
            }
            open.extend(units.values().flat_map(|reader| behind(reader, name, lane, seq)));
        }
    }
    Ok(open)
}

/// The projections of `reader` that have not reached `seq` of a lane.
fn behind(reader: &Unit, source: &str, lane: &str, seq: u64) -> Vec<String> {
    let states = reader.pipeline.status().projections();
    let keys = reader.projections.iter().filter(|key| key.source == source);
    keys.filter_map(|key| {
        let state = states.get(&(key.clone(), lane.to_owned()));
        let at = state.map_or(0, |state| state.seq);
        let why = why(reader, state.and_then(|state| state.stopped.as_deref()));
        let (name, projection) = (reader.name, &key.projection);
        (at < seq).then(|| {
            format!("{name}: projection {projection} of {source} is at {at} of {seq} in {lane}{why}")
        })
    })
    .collect()
}

fn why(unit: &Unit, stopped: Option<&str>) -> String {
    match stopped {
        Some(stopped) => format!(" (stopped: {stopped})"),
        None => {
            let troubles: Vec<String> = unit.pipeline.status().troubles().into_values().collect();
            if troubles.is_empty() { String::new() } else { format!(" ({})", troubles.join(", ")) }
        }
    }
}
