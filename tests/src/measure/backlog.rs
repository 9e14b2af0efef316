//! How fast relay and projectors catch up on events that waited while NATS was away.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::system::Store;

use super::say;
use super::subject::Subject;

/// Pause between two looks; looking costs the system a little.
const LOOK: Duration = Duration::from_millis(250);
/// A backlog that is not drained by then is stuck.
const PATIENCE: Duration = Duration::from_mins(10);

/// Lets `events` gather, lets NATS come back and prints how fast they reach the streams and the other service.
///
/// # Errors
/// If the system or the load does not run.
pub async fn report(events: u64) -> anyhow::Result<()> {
    say(&format!("\nA backlog of {events} events of one county while NATS is frozen, then drained"));
    for store in [Store::Sqlite, Store::Postgres] {
        on(store, events).await?;
    }
    Ok(())
}

async fn on(store: Store, events: u64) -> anyhow::Result<()> {
    let subject = Subject::start(store).await?;
    subject.place.nats.pause()?;
    loop {
        let waiting = Positions::read(&subject.status().await?);
        if waiting.logged >= events {
            break;
        }
        subject.load(&["--mix", "writing", "--rate", "1500", "--duration", "10"]).await?;
    }
    let before = Positions::read(&subject.status().await?);
    subject.place.nats.resume()?;
    // Counted from the first event that moves: until then it is the client that finds its way back.
    let (resumed, mut began) = (Instant::now(), None);
    let (mut published, mut projected) = (None, None);
    while published.is_none() || projected.is_none() {
        anyhow::ensure!(resumed.elapsed() < PATIENCE, "the backlog is not drained after {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
        let now = Positions::read(&subject.status().await?);
        if began.is_none() && now.published > before.published {
            began = Some((Instant::now(), now));
        }
        if let Some((since, first)) = began {
            let rate = |from: u64| per_second(now.logged.saturating_sub(from), since.elapsed());
            if now.published >= now.logged {
                published.get_or_insert(rate(first.published));
            }
            if now.projected >= now.logged {
                projected.get_or_insert(rate(first.projected));
            }
        }
    }
    let waited = before.logged - before.published;
    let (published, projected) = (published.unwrap_or_default(), projected.unwrap_or_default());
    say(&format!(
        "{store:?}: {waited} waited; into the streams at {published:.0}/s, into the other service's tables at {projected:.0}/s"
    ));
    subject.finish().await
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 events")]
fn per_second(events: u64, within: Duration) -> f64 {
    events as f64 / within.as_secs_f64()
}

/// How far the events of all services have come, added up.
#[derive(Clone, Copy)]
struct Positions {
    logged: u64,
    published: u64,
    projected: u64,
}

impl Positions {
    fn read(status: &Value) -> Self {
        let sum = |list: &str, name: &str| -> u64 {
            let services = status.as_array().into_iter().flatten();
            let rows = services.flat_map(|service| service[list].as_array().into_iter().flatten());
            rows.filter_map(|row| row[name].as_u64()).sum()
        };
        Self {
            logged: sum("lanes", "seq"),
            published: sum("lanes", "published"),
            projected: sum("projections", "seq"),
        }
    }
}
