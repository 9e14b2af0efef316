//! Copies of databases that fit together, taken while everything runs, and putting them back.
//!
//! A backup of one service is of little use if another one has read events from it that the copy does not have: put
//! back together, the two would contradict each other. So a backup is a *cut*: a [`Snapshot`] of every database is
//! opened first, which takes no time and holds nobody up, then [`is_consistent`] compares what each has read with what
//! the others have written, and only then are the snapshots copied, however long that takes. If something was read
//! between two of the openings, the cut is taken again.
//!
//! A copy that cannot be put back is worth nothing, so every log is checked, event by event: at a backup in the copy of an
//! SQLite file and in the snapshot of a PostgreSQL database, at a restore before anything is changed where a copy can be
//! looked into, which is SQLite's, and at the end where it cannot.
//!
//! | file | what it does |
//! | --- | --- |
//! | `backup.rs` | snapshots, and whether they fit together |
//! | `backup/sqlite.rs` | copying a snapshot of SQLite into a file |
//! | `backup/postgres.rs` | `pg_dump`, `pg_restore` and `psql` |
//! | `backup/server.rs` | telling them which server |
//! | `backup/restore.rs` | putting a copy in the place of a database |

mod postgres;
mod restore;
mod server;
mod sqlite;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _, QueryOrder as _,
    Statement, TransactionTrait as _,
};

use crate::database::{DatabaseKind, OpenError, write_options};
use crate::entity::{event_head, projection_cursor};
use crate::exclusive::unfinished;
use crate::log::{self, LaneHead};

pub use postgres::Tools;
pub use restore::Staged;

/// Why a copy was not made or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It answered with an error.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// PostgreSQL's own programs are missing or failed.
    #[error("{0}")]
    Tool(String),
    /// What is or was to be copied is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// There is a database with something in it.
    #[error("the database of {0} is not empty")]
    NotEmpty(&'static str),
}

/// How far a service has read the events of another, in one lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Service that has read.
    pub service: &'static str,
    /// Whose events.
    pub source: String,
    /// Lane: county code.
    pub lane: String,
    /// Last event read.
    pub seq: u64,
}

/// A database as it was at a moment, although it is written to.
pub struct Snapshot {
    service: &'static str,
    url: String,
    kind: DatabaseKind,
    transaction: DatabaseTransaction,
    /// Name by which PostgreSQL lets others see the same.
    exported: Option<String>,
    heads: Vec<LaneHead>,
    reads: Vec<Read>,
    connection: DatabaseConnection,
}

impl Snapshot {
    /// Opens a snapshot of the database of `service`, to be copied to `file`, which must not exist.
    ///
    /// # Errors
    /// Unfinished if a restore was not; if the database cannot be read or the file not be made.
    pub async fn open(url: &str, service: &'static str, file: &Path) -> Result<Self, BackupError> {
        let kind = DatabaseKind::of(url)?;
        let mut options = write_options(url, service, kind);
        // It reads only, so it needs no share in writing.
        options.map_sqlx_postgres_pool_opts(|pool| pool.max_connections(1));
        options.map_sqlx_sqlite_opts(sqlite::reader);
        let connection = sea_orm::Database::connect(options).await?;
        unfinished::refuse(&connection, url, service).await?;
        match kind {
            DatabaseKind::Sqlite => sqlite::prepare(&connection, file).await?,
            DatabaseKind::Postgres => {
                connection.execute_unprepared("SET idle_in_transaction_session_timeout = 0").await?;
                // The alert on transactions that stand idle knows it by this name.
                let name = format!("SET application_name = '{service}-backup'");
                connection.execute_unprepared(&name).await?;
            }
        }
        let (transaction, exported, heads, reads) = begin(&connection, service, kind).await?;
        Ok(Self { service, url: url.to_owned(), kind, transaction, exported, heads, reads, connection })
    }

    /// Name of the service.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Its engine.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// The ends of the service's lanes in this snapshot.
    pub fn heads(&self) -> &[LaneHead] {
        &self.heads
    }

    /// Takes the snapshot again, now.
    ///
    /// # Errors
    /// Unfinished if a restore has begun meanwhile; if the database is away.
    pub async fn again(self) -> Result<Self, BackupError> {
        let Self { service, url, kind, transaction, connection, .. } = self;
        transaction.rollback().await?;
        unfinished::refuse(&connection, &url, service).await?;
        let (transaction, exported, heads, reads) = begin(&connection, service, kind).await?;
        Ok(Self { service, url, kind, transaction, exported, heads, reads, connection })
    }

    /// Copies the snapshot to the file named at its opening, whole and on the disk, and lets it go. `progress` hears how
    /// many events were checked: those of PostgreSQL, in the snapshot. A file of SQLite is checked afterwards
    /// ([`Copied::check`]), because a snapshot that lasts keeps SQLite's log growing.
    ///
    /// # Errors
    /// Damaged if the log is broken; if it cannot be read or written.
    pub async fn write(
        self,
        file: &Path,
        tools: &Tools,
        progress: impl FnMut(u64),
    ) -> Result<Copied, BackupError> {
        match &self.exported {
            None => {
                sqlite::copy(&self.transaction).await?;
                self.transaction.commit().await?;
                self.connection.close().await?;
                sqlite::finish(&self.url, file).await?;
            }
            Some(exported) => {
                judge(&self.transaction, self.service, &self.heads, progress).await?;
                let tools = tools.of_server(&self.transaction).await?;
                tools.dump(&self.url, exported, file).await?;
                tools.read(file).await?;
                self.transaction.rollback().await?;
                self.connection.close().await?;
            }
        }
        on_disk(file)?;
        Ok(Copied { service: self.service, kind: self.kind, heads: self.heads, file: file.to_owned() })
    }
}

/// A snapshot that was copied.
#[derive(Debug)]
pub struct Copied {
    service: &'static str,
    kind: DatabaseKind,
    heads: Vec<LaneHead>,
    file: PathBuf,
}

impl Copied {
    /// Checks the log of the copy, as far as that was not done before. `progress` hears how many events were checked.
    ///
    /// # Errors
    /// Damaged if the log is broken; if it cannot be read.
    pub async fn check(&self, progress: impl FnMut(u64)) -> Result<(), BackupError> {
        match self.kind {
            DatabaseKind::Sqlite => sqlite::judge(&self.file, self.service, &self.heads, progress).await,
            DatabaseKind::Postgres => Ok(()),
        }
    }
}

/// Whether nobody has read an event that the service which wrote it does not have. Services that are not among these
/// are not looked at.
pub fn is_consistent(snapshots: &[Snapshot]) -> bool {
    let heads: BTreeMap<(&str, &str), u64> = snapshots
        .iter()
        .flat_map(|one| one.heads.iter().map(|head| ((one.service, head.lane.as_str()), head.seq)))
        .collect();
    let is_there = |read: &Read| {
        let is_copied = snapshots.iter().any(|one| one.service == read.source);
        let head = heads.get(&(read.source.as_str(), read.lane.as_str())).copied().unwrap_or_default();
        !is_copied || read.seq <= head
    };
    snapshots.iter().all(|one| one.reads.iter().all(is_there))
}

type Begun = (DatabaseTransaction, Option<String>, Vec<LaneHead>, Vec<Read>);

/// Begins the transaction that holds the snapshot, and reads what it is compared by.
#[expect(
    clippy::disallowed_methods,
    reason = "a command of its own; no request is near that could be cancelled"
)]
async fn begin(
    connection: &DatabaseConnection,
    service: &'static str,
    kind: DatabaseKind,
) -> Result<Begun, BackupError> {
    let transaction = match kind {
        DatabaseKind::Sqlite => connection.begin().await?,
        DatabaseKind::Postgres => {
            let (isolation, access) =
                (sea_orm::IsolationLevel::RepeatableRead, sea_orm::AccessMode::ReadOnly);
            connection.begin_with_config(Some(isolation), Some(access)).await?
        }
    };
    // The first question is what fixes the snapshot.
    let heads = event_head::Entity::find().order_by_asc(event_head::Column::Lane).all(&transaction).await?;
    let cursors = projection_cursor::Entity::find().all(&transaction).await?;
    let reads = cursors.into_iter().map(|cursor| Read {
        service,
        source: cursor.source,
        lane: cursor.lane,
        seq: cursor.last_seq.cast_unsigned(),
    });
    let exported = match kind {
        DatabaseKind::Sqlite => None,
        DatabaseKind::Postgres => {
            let question =
                Statement::from_string(transaction.get_database_backend(), "SELECT pg_export_snapshot()");
            let answer = transaction.query_one_raw(question).await?;
            let name = answer.map(|row| row.try_get_by_index::<String>(0)).transpose()?;
            Some(name.ok_or_else(|| DbErr::Custom("no snapshot".to_owned()))?)
        }
    };
    let (heads, reads) = (heads.into_iter().map(log::head).collect(), reads.collect());
    Ok((transaction, exported, heads, reads))
}

/// That the log which a connection sees is whole, and ends here.
pub(crate) async fn judge(
    connection: &impl ConnectionTrait,
    service: &str,
    ends: &[LaneHead],
    progress: impl FnMut(u64),
) -> Result<(), BackupError> {
    let found = event_head::Entity::find().order_by_asc(event_head::Column::Lane).all(connection).await?;
    let place = |head: &LaneHead| (head.lane.clone(), head.epoch, head.seq, head.hash.clone());
    if !found.into_iter().map(|row| place(&log::head(row))).eq(ends.iter().map(place)) {
        return Err(BackupError::Damaged("it does not end where the manifest says".to_owned()));
    }
    let verdict = log::verify_on(connection, service, progress).await?;
    match verdict.broken.first() {
        None => Ok(()),
        Some(broken) => Err(BackupError::Damaged(format!("its log is broken: {broken}"))),
    }
}

/// Makes sure that a file outlives a power cut.
pub(crate) fn on_disk(file: &Path) -> Result<(), BackupError> {
    std::fs::File::open(file).and_then(|file| file.sync_all()).map_err(at(file))
}

/// The file of this name with something added to it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// An error of the operating system with the file it is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.display().to_string();
    move |source| BackupError::File { path, source }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("service", &self.service)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
