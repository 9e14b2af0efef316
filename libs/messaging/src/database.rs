//! A service's database: one file or one PostgreSQL database that nobody else opens.
//!
//! Reads go through a pool that cannot write. Writes go through the [`Writer`](crate::Writer) alone, which has a
//! connection of its own; that is why nothing here hands out a transaction.

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};

use crate::exclusive::{self, unfinished};
use crate::rights;

mod error;

pub use error::{ErrorClass, RETRY_CODE, classify, database_fault};
pub(crate) use error::{RETRY, full};

/// Limits of time on PostgreSQL.
const PG_TIMEOUTS: [(&str, &str); 3] =
    [("statement_timeout", "5s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "10s")];
/// Number of the advisory lock under which copies of a service migrate one after the other: "osalmig" in ASCII.
const MIGRATION_LOCK: i64 = 0x006f_7361_6c6d_6967;
/// The oldest PostgreSQL that the migrations are written for, as it tells its version.
const OLDEST_POSTGRES: i64 = 150_000;
/// How long SQLite waits for another connection's lock.
const SQLITE_BUSY: Duration = Duration::from_secs(5);
/// Connections of the read pool.
const READERS: u32 = 8;
/// How long a read waits for a connection before it is refused.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long the writer tries to connect before what waits is refused: within a deadline.
const CONNECT: Duration = Duration::from_secs(2);

/// Which engine a database runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file on a local disk, used by one process.
    Sqlite,
    /// A PostgreSQL database, possibly shared by several copies of the service.
    Postgres,
}

impl DatabaseKind {
    /// The kind of an address.
    ///
    /// # Errors
    /// Address, if it is of neither.
    pub fn of(url: &str) -> Result<Self, OpenError> {
        match url {
            _ if url.starts_with("sqlite:") => Ok(Self::Sqlite),
            _ if url.starts_with("postgres:") || url.starts_with("postgresql:") => Ok(Self::Postgres),
            _ => Err(OpenError::Address),
        }
    }
}

/// An open, migrated database. Clones share everything.
#[derive(Clone, Debug)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    service: &'static str,
    /// May hold a password.
    url: String,
    kind: DatabaseKind,
    readers: DatabaseConnection,
    /// False for a database that was opened to be looked at.
    is_writable: bool,
    /// Held as long as the database is open: a second process must not write to the same file (REL-15).
    _lock: Option<File>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("service", &self.service)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is neither SQLite's nor PostgreSQL's.
    #[error("database address must start with sqlite: or postgres:, this one does not")]
    Address,
    /// Another process has it: with SQLite the file, with PostgreSQL a lock that this one needs.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A restore of it has begun and not ended.
    #[error("a restore of the database of {0} was begun and is not finished; run `osallisuus restore` again")]
    Unfinished(&'static str),
    /// The session that held it alone has ended.
    #[error("the session that held the database of {0} for this command alone has ended")]
    Lost(&'static str),
    /// The folder cannot be made or the lock file not be opened.
    #[error("cannot use {}: {source}", .path.display())]
    File {
        /// The file at fault.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A setting that protects the data does not hold, for example `fsync = off`.
    #[error("unsafe setting of the database: {0}")]
    Unsafe(String),
    /// The database answered with an error.
    #[error("database: {0}")]
    Database(#[from] DbErr),
}

/// Connections of a read pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readers {
    /// At work.
    pub used: u32,
    /// Open and waiting for work.
    pub idle: u32,
    /// The most there may be; further reads wait.
    pub most: u32,
}

impl Database {
    /// Opens the database of `service` at `sqlite:///path/file.sqlite` or `postgres://…`, creates a missing file, and
    /// applies this library's migrations and then those of the service.
    ///
    /// # Errors
    /// If it cannot be reached, is in use, was not restored to the end, is set up unsafely, or does not migrate.
    pub async fn open(
        url: &str,
        service: &'static str,
        migrations: fn() -> Vec<Box<dyn MigrationTrait>>,
    ) -> Result<Self, OpenError> {
        Self::open_owned(url, None, service, migrations).await
    }

    /// The same where another role owns the tables on PostgreSQL: with `owner`, an address like `url`, the migrations
    /// are applied and the role of `url` gets the rights that a running service needs, which are not those to change or
    /// delete a row of the logs (SEC-41). SQLite has no roles, and `owner` means nothing there.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_owned(
        url: &str,
        owner: Option<&str>,
        service: &'static str,
        migrations: fn() -> Vec<Box<dyn MigrationTrait>>,
    ) -> Result<Self, OpenError> {
        let kind = DatabaseKind::of(url)?;
        let lock = match kind {
            DatabaseKind::Sqlite => Some(lock_file(&sqlite_path(url))?),
            DatabaseKind::Postgres => None,
        };
        let owner = owner.filter(|_| kind == DatabaseKind::Postgres);
        let writer = exclusive::connect_shared(owner.unwrap_or(url), service, kind).await?;
        // Whoever restores has it alone: this does not change from here on.
        unfinished::refuse(&writer, url, service).await?;
        assert_durable(&writer, kind).await?;
        migrate(&writer, kind, migrations).await?;
        let readers = sea_orm::Database::connect(read_options(url, service, kind)).await?;
        if owner.is_some() {
            let role = rights::role(&readers).await?;
            // An owner cannot be kept from its own tables; doctor says so.
            if role != rights::role(&writer).await? {
                rights::grant(&writer, &role).await?;
            }
        }
        writer.close().await?;
        let inner = Inner { service, url: url.to_owned(), kind, readers, is_writable: true, _lock: lock };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens the database of `service` to look at it, whether the service runs or not. Nothing is created, migrated or
    /// locked, and nothing can be written.
    ///
    /// # Errors
    /// If it is not there or cannot be reached.
    pub async fn look(url: &str, service: &'static str) -> Result<Self, OpenError> {
        let kind = DatabaseKind::of(url)?;
        let readers = sea_orm::Database::connect(read_options(url, service, kind)).await?;
        let inner = Inner { service, url: url.to_owned(), kind, readers, is_writable: false, _lock: None };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Name of the service it belongs to.
    pub fn service(&self) -> &'static str {
        self.inner.service
    }

    /// Its engine.
    pub fn kind(&self) -> DatabaseKind {
        self.inner.kind
    }

    /// The read pool. A write through it fails.
    pub fn read(&self) -> &DatabaseConnection {
        &self.inner.readers
    }

    /// Whether the database answers, for the readiness check.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.inner.readers.ping().await
    }

    /// Connections of the read pool now.
    pub fn readers(&self) -> Readers {
        let (open, idle) = match self.inner.kind {
            DatabaseKind::Sqlite => {
                let pool = self.inner.readers.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
            DatabaseKind::Postgres => {
                let pool = self.inner.readers.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
        Readers { used: open - idle, idle, most: READERS }
    }

    /// How many sessions of this database have a transaction open and do nothing: each is a cancelled request that left
    /// something behind (REL-14). A backup's snapshot is none. Always 0 on SQLite, where nobody else opens the file.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn idle_in_transaction(&self) -> Result<u64, DbErr> {
        if self.inner.kind == DatabaseKind::Sqlite {
            return Ok(0);
        }
        // Those of this moment are between two statements; a second is long for that.
        let query = Statement::from_string(
            self.inner.readers.get_database_backend(),
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 second' \
             AND application_name NOT LIKE '%-backup'",
        );
        let row = self.inner.readers.query_one_raw(query).await?;
        let sessions = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?.unwrap_or_default();
        Ok(u64::try_from(sessions).unwrap_or_default())
    }

    /// Closes the read pool. Reads fail afterwards; the writer has a connection of its own and is stopped on its own.
    ///
    /// # Errors
    /// If the engine reports one while closing.
    pub async fn close(&self) -> Result<(), DbErr> {
        self.inner.readers.close_by_ref().await
    }

    /// A new connection for the writer; only one may be in use at a time.
    pub(crate) async fn connect_writer(&self) -> Result<DatabaseConnection, DbErr> {
        if !self.inner.is_writable {
            return Err(DbErr::Custom("the database was opened to be looked at only".to_owned()));
        }
        sea_orm::Database::connect(write_options(&self.inner.url, self.inner.service, self.inner.kind)).await
    }
}

pub(crate) fn write_options(url: &str, service: &str, kind: DatabaseKind) -> ConnectOptions {
    let mut options = options(url, service, kind, "writer", false);
    options
        .max_connections(1)
        .min_connections(0)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>);
    if kind == DatabaseKind::Postgres {
        crate::exclusive::share(&mut options);
    }
    options
}

fn read_options(url: &str, service: &str, kind: DatabaseKind) -> ConnectOptions {
    let mut options = options(url, service, kind, "reader", true);
    options.max_connections(READERS).min_connections(1);
    options
}

fn options(url: &str, service: &str, kind: DatabaseKind, use_: &str, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    // Statements hold people's data; neither logs nor spans may show them.
    let patience = if read_only { ACQUIRE } else { CONNECT };
    options.sqlx_logging(false).record_stmt_in_spans(false);
    options.connect_timeout(patience).acquire_timeout(patience);
    let yes_no = if read_only { "on" } else { "off" };
    match kind {
        DatabaseKind::Sqlite => {
            options.map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .create_if_missing(!read_only)
                    .foreign_keys(true)
                    .busy_timeout(SQLITE_BUSY)
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "FULL")
                    // What is erased, or rewritten as a ballot box is, must not stay in free pages.
                    .pragma("secure_delete", "ON")
                    .pragma("query_only", yes_no)
            });
        }
        DatabaseKind::Postgres => {
            let name = format!("{service}-{use_}");
            options.map_sqlx_postgres_opts(move |postgres| {
                postgres
                    .application_name(&name)
                    // The writer's are others for each number of rows.
                    .statement_cache_capacity(if read_only { 100 } else { 512 })
                    .options(PG_TIMEOUTS)
                    .options([("default_transaction_read_only", yes_no)])
            });
        }
    }
    options
}

/// Refuses a PostgreSQL that is too old for the migrations (REL-01), and settings under which an acknowledged write can
/// be lost (REL-15, REL-16).
async fn assert_durable(connection: &DatabaseConnection, kind: DatabaseKind) -> Result<(), OpenError> {
    if kind == DatabaseKind::Postgres {
        let question =
            sea_orm::Statement::from_string(connection.get_database_backend(), "SHOW server_version_num");
        let version = connection.query_one_raw(question).await?.map(|row| row.try_get_by_index::<String>(0));
        let version: i64 = version.transpose()?.and_then(|text| text.parse().ok()).unwrap_or_default();
        check_postgres_version(version)?;
    }
    let wanted: &[(&str, &[&str])] = match kind {
        DatabaseKind::Sqlite => &[("PRAGMA journal_mode", &["wal"]), ("PRAGMA synchronous", &["2", "3"])],
        DatabaseKind::Postgres => &[
            ("SHOW fsync", &["on"]),
            ("SHOW full_page_writes", &["on"]),
            ("SHOW synchronous_commit", &["on", "remote_apply", "remote_write"]),
        ],
    };
    for (question, answers) in wanted {
        let statement = sea_orm::Statement::from_string(connection.get_database_backend(), *question);
        let Some(row) = connection.query_one_raw(statement).await? else {
            return Err(OpenError::Unsafe(format!("{question} has no answer")));
        };
        let found = match row.try_get_by_index::<String>(0) {
            Ok(text) => text,
            Err(_) => row.try_get_by_index::<i32>(0)?.to_string(),
        };
        if !answers.contains(&found.as_str()) {
            return Err(OpenError::Unsafe(format!(
                "{question} is {found}, must be {}",
                answers.join(" or ")
            )));
        }
    }
    Ok(())
}

/// `version` as PostgreSQL tells it: 150018 is 15.18.
fn check_postgres_version(version: i64) -> Result<(), OpenError> {
    if version >= OLDEST_POSTGRES {
        return Ok(());
    }
    let (major, minor) = (version / 10_000, version % 10_000);
    Err(OpenError::Unsafe(format!("PostgreSQL {major}.{minor} is too old, use 15 or newer")))
}

struct Migrator(fn() -> Vec<Box<dyn MigrationTrait>>);

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        crate::migrations().into_iter().chain((self.0)()).collect()
    }
}

/// Migrates over the writer's single connection, so that the session lock holds for all of it.
async fn migrate(
    connection: &DatabaseConnection,
    kind: DatabaseKind,
    migrations: fn() -> Vec<Box<dyn MigrationTrait>>,
) -> Result<(), DbErr> {
    if kind == DatabaseKind::Postgres {
        // Another copy may take long to migrate, and so may this one.
        connection.execute_unprepared("SET lock_timeout = 0; SET statement_timeout = 0").await?;
        connection.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    }
    // The connection is closed afterwards, which gives the lock back.
    Migrator(migrations).up(connection, None).await
}

/// The file of an SQLite address.
pub(crate) fn sqlite_path(url: &str) -> PathBuf {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    PathBuf::from(path.split('?').next().unwrap_or(path))
}

/// Takes the lock that keeps a second process from an SQLite file (REL-15).
pub(crate) fn lock_file(database: &Path) -> Result<File, OpenError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let at_fault = |source| OpenError::File { path: path.clone(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(at_fault)?;
    }
    let file = File::options().create(true).append(true).open(&path).map_err(at_fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::check_postgres_version;

    #[test]
    fn rel_01_a_postgresql_that_is_too_old_is_refused_by_name() {
        assert!(check_postgres_version(150_018).is_ok());
        let refused = check_postgres_version(140_011).unwrap_err().to_string();
        assert!(refused.contains("PostgreSQL 14.11") && refused.contains("15"), "{refused}");
    }
}
