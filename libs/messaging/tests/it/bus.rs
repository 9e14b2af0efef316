//! Two services on a real nats-server: one writes events, the other projects them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{Ids, SystemClock, TenantId};
use messaging::broker::{NatsBroker, NatsSettings};
use messaging::feed::{EventFeed, FeedError};
use messaging::log::LaneHead;
use messaging::projector::ProjectorSettings;
use messaging::relay::RelaySettings;
use messaging::telemetry::Metrics;
use messaging::{
    Clocks, Database, DatabaseKind, Envelope, HandlerError, NewEvent, Pipeline, PipelineParts, Projection,
    Received, Tx, Writer, WriterSettings, log,
};
use proto::messaging::TypeCount;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::Place;

/// Enough for a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The service that writes.
pub(crate) const SOURCE: &str = "notes";
/// The service that projects, and its projection.
pub(crate) const SINK: &str = "board";

/// A service with its pipeline, which can be stopped and started.
pub(crate) struct Service {
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    pub(crate) pipeline: Option<Pipeline>,
    /// Ends the writer.
    end: CancellationToken,
    /// Ends relay and projectors.
    stop: CancellationToken,
    tracker: TaskTracker,
    place: Place,
}

impl Service {
    pub(crate) async fn open(name: &'static str, engine: DatabaseKind) -> Self {
        Self::open_at(name, Place::new(engine).await).await
    }

    /// Another copy of the service on the same PostgreSQL.
    pub(crate) async fn copy(&self) -> Self {
        let place = self.place.clone();
        Self::open_at(self.database.service(), place).await
    }

    async fn open_at(name: &'static str, place: Place) -> Self {
        let database = Database::open(&place.url, name, migrations).await.unwrap();
        let clocks = Clocks { business: Arc::new(SystemClock), real: Arc::new(SystemClock) };
        let (tracker, end) = (TaskTracker::new(), CancellationToken::new());
        let settings = WriterSettings::for_kind(database.kind());
        let writer = Writer::start(&database, clocks, Ids::system(), settings, &tracker, end.clone());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        Self { database, writer, pipeline: None, end, stop, tracker, place }
    }

    /// Ends relay and projectors; the database stays open.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(PATIENCE, self.tracker.wait()).await.expect("the pipeline did not stop");
        (self.stop, self.tracker, self.pipeline) = (CancellationToken::new(), TaskTracker::new(), None);
    }

    pub(crate) fn start(&mut self, broker: &Arc<NatsBroker>, projections: Vec<Projection>, feed: &Arc<Feed>) {
        let parts = PipelineParts {
            database: self.database.clone(),
            writer: self.writer.clone(),
            projections,
            broker: Arc::clone(broker) as _,
            feed: Arc::clone(feed) as _,
            ids: Ids::system(),
            metrics: Metrics::installed(),
            relay: RelaySettings { reconcile_every: Duration::from_secs(1), ..RelaySettings::default() },
            projector: ProjectorSettings { check_every: Duration::from_millis(300) },
        };
        self.pipeline = Some(Pipeline::start(parts, &self.tracker, &self.stop));
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        self.pipeline.as_ref().unwrap()
    }

    /// Commits events about a thing.
    pub(crate) async fn write(&self, lane: &'static str, thing: &str, events: usize) {
        let input = (thing.to_owned(), events);
        let act = self.writer.internal("test", input, move |tx, (thing, events)| {
            async move {
                for _ in 0..*events {
                    tx.publish(event(lane, thing));
                }
                Ok(())
            }
            .boxed()
        });
        act.await.unwrap();
    }

    pub(crate) async fn heads(&self) -> BTreeMap<String, u64> {
        log::heads(&self.database).await.unwrap().into_iter().map(|head| (head.lane, head.seq)).collect()
    }

    /// Waits until the pipeline's state is as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Pipeline) -> bool) {
        let pipeline = self.pipeline();
        let mut changed = pipeline.status().subscribe();
        let waited = tokio::time::timeout(PATIENCE, async {
            while !wanted(pipeline) {
                changed.changed().await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "{what}: {:#?}", pipeline.status());
    }

    /// Waits until everything that `source` has written is published.
    pub(crate) async fn until_published(&self) {
        let heads = self.heads().await;
        self.until("all is published", |pipeline| {
            let lanes = pipeline.status().lanes();
            heads.iter().all(|(lane, head)| lanes.get(lane).is_some_and(|lane| lane.published >= *head))
        })
        .await;
    }

    /// Waits until everything that `source` has written is taken.
    pub(crate) async fn until_taken(&self, source: &Service) {
        let heads = source.heads().await;
        self.until("all is taken", |pipeline| {
            let taken = pipeline.status().projections();
            let seq =
                |lane: &str| taken.iter().find(|((_, name), _)| name == lane).map_or(0, |(_, at)| at.seq);
            heads.iter().all(|(lane, head)| seq(lane) >= *head)
        })
        .await;
    }

    pub(crate) async fn number(&self, question: &str) -> i64 {
        let connection = self.database.read();
        let statement = Statement::from_string(connection.get_database_backend(), question);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    /// Changes rows behind the service's back.
    pub(crate) async fn write_sql(&self, statement: &'static str) {
        let act = self.writer.internal("sql", statement, |tx, statement| {
            async move {
                tx.conn().execute_unprepared(statement).await.map(drop).map_err(messaging::database_fault)
            }
            .boxed()
        });
        act.await.unwrap();
    }

    /// Checks that each event of the source took effect once: a second time would break a key and be parked.
    pub(crate) async fn assert_projected(&self, source: &Service) {
        let written = "SELECT count(*) FROM event_log WHERE event_type NOT LIKE '%.Watermark'";
        assert_eq!(self.number("SELECT count(*) FROM applied").await, source.number(written).await);
        assert_eq!(self.number("SELECT count(*) FROM parked_event").await, 0);
    }
}

/// An event about a thing.
pub(crate) fn event(lane: &str, thing: &str) -> NewEvent {
    let payload = TypeCount { event_type: thing.to_owned(), count: 1 };
    NewEvent::of(TenantId::new(lane).unwrap(), "note", thing, &payload)
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
        self.end.cancel();
    }
}

/// The handler of these tests: a row for each event. Things called "poison" fail until the antidote is there.
pub(crate) fn projection(antidote: &Arc<AtomicBool>) -> Projection {
    let antidote = Arc::clone(antidote);
    Projection::new(SINK, SOURCE, move |tx, received| {
        if received.envelope.aggregate_id.starts_with("poison") && !antidote.load(Ordering::SeqCst) {
            return async { Err(HandlerError::Permanent("no antidote".into())) }.boxed();
        }
        apply(tx, received)
    })
}

fn apply<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        received.decode::<TypeCount>()?;
        let envelope = &received.envelope;
        let backend = tx.conn().get_database_backend();
        let insert = match backend {
            DatabaseBackend::Postgres => "INSERT INTO applied (lane, seq) VALUES ($1, $2)",
            _ => "INSERT INTO applied (lane, seq) VALUES (?, ?)",
        };
        let values = [envelope.lane.clone().into(), envelope.seq.cast_signed().into()];
        tx.conn().execute_raw(Statement::from_sql_and_values(backend, insert, values)).await?;
        Ok(())
    }
    .boxed()
}

/// The logs of services in this process.
pub(crate) struct Feed {
    database: Database,
    pub(crate) away: AtomicBool,
}

impl Feed {
    pub(crate) fn of(service: &Service) -> Arc<Self> {
        Arc::new(Self { database: service.database.clone(), away: AtomicBool::new(false) })
    }

    fn answer<T>(&self, answer: Result<T, DbErr>) -> Result<T, FeedError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(FeedError("away".into()));
        }
        answer.map_err(|error| FeedError(error.to_string()))
    }
}

#[async_trait]
impl EventFeed for Feed {
    async fn heads(&self, _: &str) -> Result<Vec<LaneHead>, FeedError> {
        self.answer(log::heads(&self.database).await)
    }

    async fn read(&self, _: &str, lane: &str, from_seq: u64, limit: u32) -> Result<Vec<Envelope>, FeedError> {
        self.answer(log::events(&self.database, lane, from_seq, limit.into()).await)
    }
}

pub(crate) async fn broker(url: &str) -> Arc<NatsBroker> {
    Arc::new(NatsBroker::connect(NatsSettings::embedded(url)).await.unwrap())
}

fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Applied)]
}

struct Applied;

impl MigrationName for Applied {
    fn name(&self) -> &'static str {
        "board_0001"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Applied {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "CREATE TABLE applied (lane text NOT NULL, seq bigint NOT NULL, PRIMARY KEY (lane, seq))";
        manager.get_connection().execute_unprepared(table).await.map(drop)
    }
}
