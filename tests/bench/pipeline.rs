//! From the log to other services: how fast relay and projector catch up on a backlog, and how long an event takes
//! from its commit to another service's tables.

use std::time::{Duration, Instant};

use chassis::{Context, Parts, Service, StartError};
use futures::FutureExt as _;
use hdrhistogram::Histogram;
use messaging::HandlerError;
use sea_orm::ConnectionTrait as _;
use sea_orm_migration::prelude::*;
use testkit::system::{Store, System};

use crate::Options;
use crate::commands::{found_one, load};
use crate::figures::{heading, line, milliseconds};

/// A service that projects every event of forums into one row: as little as a projection can do.
const METER: Service = Service { name: "meter", defaults: "", migrations, build };
/// The same once more: it finds the whole stream waiting.
const LATECOMER: Service = Service { name: "latecomer", defaults: "", migrations, build };

/// Measures and prints.
pub(crate) async fn report(options: &Options) -> anyhow::Result<()> {
    heading(&format!("A backlog of {} events on SQLite", options.backlog));
    for interval in ["2m", "always"] {
        backlog(interval, options).await?;
    }
    heading("Commit to projection on SQLite, one command at a time while 8 other clients write");
    latency(options).await
}

async fn backlog(sync_interval: &str, options: &Options) -> anyhow::Result<()> {
    let nats = testkit::nats::Server::start_with_sync_interval(sync_interval)?;
    let url = nats.url();
    let settings = [("nats.url", url.as_str()), ("telemetry.log", "error")];
    let mut system = System::start(&[forums::SERVICE, METER], Store::Sqlite, &settings).await?;
    nats.pause()?;
    while head(&system).await? < options.backlog {
        load(&system, options.clients, Duration::from_secs(1)).await?;
    }
    let last = head(&system).await?;
    nats.resume()?;
    let relay = catching_up(last, async || Ok(published(&system).await?)).await?;
    line(&format!("relay, sync_interval {sync_interval}"), relay, None, "");
    system.settle().await?;
    system.restart_as(&[forums::SERVICE, METER, LATECOMER]).await?;
    let projector = catching_up(last, async || Ok(projected(&system, LATECOMER.name).await?)).await?;
    line(&format!("projector, sync_interval {sync_interval}"), projector, None, "");
    system.finish().await
}

/// Events a second between the first and the last step that `position` shows.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52 events")]
async fn catching_up(last: u64, position: impl AsyncFn() -> anyhow::Result<u64>) -> anyhow::Result<f64> {
    let start = position().await?;
    let (mut first, mut began) = (start, Instant::now());
    loop {
        let now = position().await?;
        if first == start && now > start {
            (first, began) = (now, Instant::now());
        }
        if now >= last {
            return Ok((now - first) as f64 / began.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn latency(options: &Options) -> anyhow::Result<()> {
    let settings = [("telemetry.log", "error")];
    let system = System::start(&[forums::SERVICE, METER], Store::Sqlite, &settings).await?;
    let background = load(&system, 8, Duration::from_secs(options.seconds));
    let probes = async {
        let mut delays = Histogram::<u64>::new(3)?;
        let end = Instant::now() + Duration::from_secs(options.seconds);
        while Instant::now() < end {
            found_one(&system).await?;
            // From the acknowledgement on; what others commit until the head is read counts too, so this is an upper
            // bound.
            let committed_at = Instant::now();
            let committed = head(&system).await?;
            while projected(&system, METER.name).await? < committed {
                tokio::task::yield_now().await;
            }
            delays.record(committed_at.elapsed().as_micros().try_into()?)?;
        }
        anyhow::Ok(delays)
    };
    let (load, delays) = futures::future::try_join(background, probes).await?;
    let times = (milliseconds(&delays, 0.5), milliseconds(&delays, 0.99));
    line("commit to projection", load.per_second, Some(times), "the rate is that of the other clients");
    system.finish().await
}

async fn head(system: &System) -> anyhow::Result<u64> {
    Ok(system.status("forums").await?.lanes.iter().map(|lane| lane.seq).max().unwrap_or(0))
}

async fn published(system: &System) -> anyhow::Result<u64> {
    Ok(system.status("forums").await?.lanes.iter().map(|lane| lane.published_seq).max().unwrap_or(0))
}

async fn projected(system: &System, service: &str) -> anyhow::Result<u64> {
    let status = system.status(service).await?;
    Ok(status.projections.iter().map(|projection| projection.seq).max().unwrap_or(0))
}

fn build(_: &Context) -> Result<Parts, StartError> {
    Ok(Parts::default().consume("forums", |tx, _| {
        async move {
            let count = "INSERT INTO seen (id, number) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = seen.number + 1";
            tx.conn().execute_unprepared(count).await.map(|_| ()).map_err(|error| HandlerError::Transient(error.to_string()))
        }
        .boxed()
    }))
}

fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Seen)]
}

struct Seen;

impl MigrationName for Seen {
    fn name(&self) -> &'static str {
        "meter_0001_seen"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Seen {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "CREATE TABLE seen (id INTEGER PRIMARY KEY, number BIGINT NOT NULL)";
        manager.get_connection().execute_unprepared(table).await.map(|_| ())
    }
}
