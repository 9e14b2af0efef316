//! Starting relay and projectors of a service.

use std::fmt;
use std::sync::Arc;

use kernel::Ids;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::Broker;
use crate::database::Database;
use crate::feed::EventFeed;
use crate::projection::Projection;
use crate::projector::{Projector, ProjectorSettings};
use crate::relay::{Machinery, Relay, RelaySettings, Wake};
use crate::status::Status;
use crate::store::SqlStore;
use crate::telemetry::Metrics;
use crate::writer::Writer;

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
        let writer = parts.writer;
        let wake: Wake = Arc::new(move || {
            let writer = writer.clone();
            Box::pin(async move { writer.published().await })
        });
        tracker.spawn(Relay::new(machinery.clone(), parts.relay, wake).run(stop.clone()));
        for projection in &parts.projections {
            let (feed, settings) = (Arc::clone(&parts.feed), parts.projector.clone());
            let projector = Projector::new(machinery.clone(), feed, projection.key(), settings);
            tracker.spawn(projector.run(stop.clone()));
        }
        Self { store, status }
    }

    /// How relay and projectors are.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// For parked events.
    pub fn store(&self) -> &SqlStore {
        &self.store
    }
}
