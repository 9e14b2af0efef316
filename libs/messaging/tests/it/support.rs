//! A database with a table to write to, a writer on it, and a way to make commands share a batch.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{Fault, Ids, SettableClock, TenantId, Timestamp};
use messaging::{
    Clocks, Command, Database, DatabaseKind, NewEvent, Tx, Writer, WriterSettings, database_fault,
    request_hash,
};
use proto::messaging::TypeCount;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement, TryGetable};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use tempfile::TempDir;
use testkit::postgres::Cluster;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Enough for a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Both engines; a failing test's output names the one it was at.
pub(crate) const ENGINES: [DatabaseKind; 2] = [DatabaseKind::Sqlite, DatabaseKind::Postgres];

/// Where a test's database is.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
    folder: Option<Arc<TempDir>>,
}

impl Place {
    pub(crate) async fn new(kind: DatabaseKind) -> Self {
        println!("engine: {kind:?}");
        match kind {
            DatabaseKind::Sqlite => {
                let folder = TempDir::new().unwrap();
                let url = format!("sqlite://{}", folder.path().join("notes.sqlite").display());
                Self { url, folder: Some(Arc::new(folder)) }
            }
            DatabaseKind::Postgres => {
                Self { url: Cluster::shared().create_database().await.unwrap(), folder: None }
            }
        }
    }

    /// The file of an SQLite database.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("notes.sqlite")
    }
}

/// A running writer and its database.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    /// The business clock: stands still until it is set.
    pub(crate) clock: Arc<SettableClock>,
    /// Real time, which in tests stands still too.
    pub(crate) real: Arc<SettableClock>,
    pub(crate) stop: CancellationToken,
    pub(crate) tracker: TaskTracker,
    _folder: Option<Arc<TempDir>>,
}

impl World {
    pub(crate) async fn open(place: &Place) -> Self {
        Self::open_with(place, |_| {}).await
    }

    pub(crate) async fn open_with(place: &Place, change: impl FnOnce(&mut WriterSettings)) -> Self {
        let database = Database::open(&place.url, "notes", migrations).await.unwrap();
        let mut settings = WriterSettings::for_kind(database.kind());
        // Tests say which acts share a batch; a slow machine must not.
        settings.max_batch_time = PATIENCE;
        change(&mut settings);
        let clock = Arc::new(SettableClock::stopped_at(noon()));
        let real = Arc::new(SettableClock::stopped_at(noon()));
        let clocks = Clocks { business: clock.clone(), real: real.clone() };
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let writer = Writer::start(&database, clocks, Ids::system(), settings, &tracker, stop.clone());
        Self { database, writer, clock, real, stop, tracker, _folder: place.folder.clone() }
    }

    /// Stops the writer and closes the database.
    pub(crate) async fn close(self) {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(PATIENCE, self.tracker.wait()).await.expect("the writer did not stop");
        self.database.close().await.unwrap();
    }

    /// Stores a note and publishes that it was.
    pub(crate) async fn add(&self, key: &str, note: Note) -> Result<TypeCount, Fault> {
        self.writer.run(&command(key, &note.id), note, |tx, note| add_note(tx, note).boxed()).await
    }

    /// One number from the database.
    pub(crate) async fn number(&self, question: &str) -> i64 {
        self.value(question).await
    }

    pub(crate) async fn value<T: TryGetable>(&self, question: &str) -> T {
        let connection = self.database.read();
        let statement = Statement::from_string(connection.get_database_backend(), question);
        connection.query_one_raw(statement).await.unwrap().expect("a row").try_get_by_index(0).unwrap()
    }

    /// Holds the writer inside of a batch until the gate is opened, so that what comes meanwhile shares the next one.
    pub(crate) async fn hold(&self) -> Gate {
        let gate = Gate::default();
        let (writer, inner) = (self.writer.clone(), gate.clone());
        tokio::spawn(async move {
            writer
                .internal("gate", inner, |_, gate| {
                    async move {
                        gate.entered.notify_one();
                        gate.opened.notified().await;
                        Ok(())
                    }
                    .boxed()
                })
                .await
        });
        tokio::time::timeout(PATIENCE, gate.entered.notified())
            .await
            .expect("the writer did not come to the gate");
        gate
    }

    /// Waits until so many acts are in the queue.
    pub(crate) async fn queued(&self, acts: usize) {
        testkit::eventually(PATIENCE, async || self.writer.queue_depth() >= acts).await;
    }
}

/// Holds the writer; see [`World::hold`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    entered: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.opened.notify_one();
    }
}

/// A row to write, and how often the act was run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) lane: &'static str,
    pub(crate) runs: Arc<AtomicU32>,
}

impl Note {
    pub(crate) fn new(id: impl ToString) -> Self {
        Self { id: id.to_string(), lane: "19", runs: Arc::default() }
    }

    pub(crate) fn in_lane(id: impl ToString, lane: &'static str) -> Self {
        Self { lane, ..Self::new(id) }
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

/// The act of [`World::add`]: a second note with the same id breaks a constraint.
pub(crate) async fn add_note(tx: &Tx, note: &Note) -> Result<TypeCount, Fault> {
    note.runs.fetch_add(1, Ordering::SeqCst);
    insert_note(tx, &note.id).await.map_err(database_fault)?;
    let answer = TypeCount { event_type: note.id.clone(), count: u64::from(note.runs()) };
    tx.publish(NewEvent::of(TenantId::new(note.lane).unwrap(), "note", &note.id, &answer));
    Ok(answer)
}

pub(crate) async fn insert_note(tx: &Tx, id: &str) -> Result<(), DbErr> {
    let backend = tx.conn().get_database_backend();
    let statement = match backend {
        DatabaseBackend::Postgres => {
            Statement::from_sql_and_values(backend, "INSERT INTO note (id) VALUES ($1)", [id.into()])
        }
        _ => Statement::from_sql_and_values(backend, "INSERT INTO note (id) VALUES (?)", [id.into()]),
    };
    tx.conn().execute_raw(statement).await.map(drop)
}

/// A command of one principal.
pub(crate) fn command(key: &str, request: &str) -> Command {
    Command {
        principal: "tester".to_owned(),
        key: key.to_owned(),
        rpc: "AddNote",
        request_hash: request_hash(request.as_bytes()),
        deadline: None,
        traceparent: None,
        correlation_id: format!("act-{key}"),
        audit: None,
    }
}

pub(crate) fn noon() -> Timestamp {
    "2026-04-20T12:00:00Z".parse().unwrap()
}

/// An act that refuses whoever asks.
pub(crate) fn refuse<'a>(_: &'a Tx, _: &'a ()) -> BoxFuture<'a, Result<TypeCount, Fault>> {
    async { Err(Fault::conflict("notes.closed", "No more notes are taken.")) }.boxed()
}

pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Notes)]
}

struct Notes;

impl MigrationName for Notes {
    fn name(&self) -> &'static str {
        "notes_0001"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Notes {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared("CREATE TABLE note (id text NOT NULL PRIMARY KEY)")
            .await
            .map(drop)
    }
}
