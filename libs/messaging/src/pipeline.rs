//! Starting relay and projectors of a service.
//!
//! Where several copies of a service share a PostgreSQL, one of them runs the relay and one each projection, by lease.
//! Two at once would do no harm, only the same work twice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kernel::{Fault, Ids};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::Broker;
use crate::crash;
use crate::database::{Database, DatabaseKind};
use crate::feed::EventFeed;
use crate::lease::Leases;
use crate::projection::Projection;
use crate::projector::{Projector, ProjectorSettings};
use crate::relay::{Machinery, Relay, RelaySettings, Wake};
use crate::status::Status;
use crate::store::{Lanes, Rebuilding, SqlStore};
use crate::telemetry::Metrics;
use crate::writer::Writer;

/// How often is counted what only the database knows: parked events, idle transactions.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// What a service's pipeline is made of.
pub struct PipelineParts {
    /// The service's database.
    pub database: Database,
    /// Its writer.
    pub writer: Writer,
    /// What it does with events of others.
    pub projections: Vec<Projection>,
    /// NATS; may be shared by all services of a process.
    pub broker: Arc<dyn Broker>,
    /// The logs of the other services.
    pub feed: Arc<dyn EventFeed>,
    /// Randomness for pauses.
    pub ids: Ids,
    /// What is measured; [`Metrics::installed`] but in tests.
    pub metrics: Metrics,
    /// Times of the relay.
    pub relay: RelaySettings,
    /// Times of the projectors.
    pub projector: ProjectorSettings,
}

impl fmt::Debug for PipelineParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineParts").field("service", &self.database.service()).finish_non_exhaustive()
    }
}

/// The running pipeline of a service: how it is, and what an operator can do with it.
#[derive(Clone, Debug)]
pub struct Pipeline {
    store: SqlStore,
    status: Arc<Status>,
    feed: Feed,
}

/// The logs of the other services.
#[derive(Clone)]
struct Feed(Arc<dyn EventFeed>);

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}

impl Pipeline {
    /// Starts the relay and a projector for each projection on `tracker`; they end when `stop` is cancelled. Everything
    /// is safe without an orderly stop too.
    pub fn start(parts: PipelineParts, tracker: &TaskTracker, stop: &CancellationToken) -> Self {
        let store = SqlStore::new(parts.database.clone(), parts.writer.clone(), &parts.projections);
        let status = Arc::new(Status::default());
        let machinery = Machinery {
            service: parts.database.service().to_owned(),
            store: Arc::new(store.clone()),
            broker: parts.broker,
            clock: Arc::clone(&parts.writer.clocks().business),
            ids: parts.ids,
            status: Arc::clone(&status),
            metrics: parts.metrics,
        };
        let leases = match parts.database.kind() {
            // One process has the file.
            DatabaseKind::Sqlite => None,
            DatabaseKind::Postgres => {
                Some(Leases::new(parts.writer.clone(), machinery.ids.uuid().to_string()))
            }
        };
        let wake = wake(&parts.writer);
        let (with, settings) = (machinery.clone(), parts.relay);
        let relay = move |stop| -> BoxFuture<'static, ()> {
            Box::pin(Relay::new(with.clone(), settings.clone(), Arc::clone(&wake)).run(stop))
        };
        tracker.spawn(run_leased(leases.clone(), "relay".to_owned(), stop.clone(), relay));
        for projection in &parts.projections {
            let (with, feed) = (machinery.clone(), Arc::clone(&parts.feed));
            let (key, settings) = (projection.key(&machinery.service), parts.projector.clone());
            let name = format!("projection {} of {}", key.projection, key.source);
            let projector = move |stop| -> BoxFuture<'static, ()> {
                let feed = Arc::clone(&feed);
                let (status, ended) = (Arc::clone(&with.status), key.clone());
                let projector = Projector::new(with.clone(), feed, key.clone(), settings.clone());
                Box::pin(async move {
                    projector.run(stop).await;
                    // Another copy may go on: what was known here is of the past.
                    status.forget_projection(&ended);
                })
            };
            tracker.spawn(run_leased(leases.clone(), name, stop.clone(), projector));
        }
        let keys: Vec<_> = store.keys().cloned().collect();
        machinery.metrics.begin(&machinery.service, &keys);
        tracker.spawn(count(parts.database.clone(), store.clone(), machinery.metrics, stop.clone()));
        Self { store, status, feed: Feed(parts.feed) }
    }

    /// How relay and projectors are.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Begins to read lanes of a projection again from their first event (REL-44). The projector does it, in this
    /// process or in another copy of the service; the cursors tell how far it is.
    ///
    /// # Errors
    /// NotFound for a projection or lane that is not there; Unavailable if the source or the database is away.
    pub async fn rebuild(&self, projection: &str, lanes: Lanes<'_>) -> Result<Vec<Rebuilding>, Fault> {
        let key = self.store.projection(projection)?;
        let heads = self.feed.0.heads(&key.source).await.map_err(|error| {
            let message = format!("The log of {} cannot be read; try again when it runs.", key.source);
            Fault::unavailable("messaging.source_away", message).because(error)
        })?;
        let rebuilding = self.store.reset(&key, heads, lanes).await?;
        self.status.cursors_were_moved();
        Ok(rebuilding)
    }

    /// For parked events.
    pub fn store(&self) -> &SqlStore {
        &self.store
    }
}

fn wake(writer: &Writer) -> Wake {
    let writer = writer.clone();
    Arc::new(move || {
        let writer = writer.clone();
        Box::pin(async move { writer.published().await })
    })
}

/// Runs something while this copy holds the lease of that name, from the first time it gets it to the end.
async fn run_leased(
    leases: Option<Leases>,
    name: String,
    stop: CancellationToken,
    start: impl Fn(CancellationToken) -> BoxFuture<'static, ()>,
) {
    let Some(leases) = leases else { return start(stop).await };
    while !stop.is_cancelled() {
        if let Ok(Some(_)) = leases.hold(&name).await {
            crash::point("relay.lease_taken");
            let held = stop.child_token();
            tokio::join!(start(held.clone()), keep(&leases, &name, &held));
        } else {
            stop.run_until_cancelled(tokio::time::sleep(Leases::RENEW_EVERY)).await;
        }
    }
    // Another copy may go on at once; without this it would after some seconds.
    let _ = leases.give_back(&name).await;
}

/// Renews a lease until it is lost or the work has ended. While the database is away nobody else can take it.
async fn keep(leases: &Leases, name: &str, held: &CancellationToken) {
    while held.run_until_cancelled(tokio::time::sleep(Leases::RENEW_EVERY)).await.is_some() {
        if let Ok(None) = leases.hold(name).await {
            tracing::warn!(lease = name, "another copy has taken over");
            held.cancel();
        }
    }
}

/// Measures how many parked events wait, an alert and not a curiosity (REL-43), and transactions left open (REL-14).
async fn count(database: Database, store: SqlStore, metrics: Metrics, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(COUNT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Ok(sessions) = database.idle_in_transaction().await {
            metrics.idle_in_transaction(database.service(), sessions);
        }
        let Ok(counts) = store.parked_counts().await else { continue };
        let mut by_projection: BTreeMap<_, u64> = store.keys().map(|key| (key.clone(), 0)).collect();
        for (key, _, count) in counts {
            *by_projection.entry(key).or_default() += count;
        }
        for (key, count) in by_projection {
            metrics.parked(&key, count);
        }
    }
}
