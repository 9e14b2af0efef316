//! A database that nobody else uses: for what must not be done to a running service, that is restoring it from a backup
//! and beginning a new epoch.
//!
//! Every process that can write holds something as long as it can: with SQLite the lock on a file beside the database,
//! with PostgreSQL a shared advisory lock, taken by the writer's connection itself whenever it connects. Who wants the
//! database alone takes the same lock for itself, and gets it only when nobody holds it; and nobody gets to write while
//! it is held. Both end with the process or the connection, so nothing is left behind by one that was killed.

mod epoch;
pub(crate) mod unfinished;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;

use kernel::TenantId;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _,
    QueryOrder as _, Statement, TransactionTrait as _, sqlx,
};

use crate::backup::BackupError;
use crate::database::{DatabaseKind, OpenError, lock_file, sqlite_path, write_options};
use crate::entity::event_head;
use crate::log::{self, LaneHead};

pub use epoch::Raised;
pub(crate) use epoch::quoted;

/// Number of the advisory lock that a process holds which can write: "osalrun" in ASCII.
const RUNNING_LOCK: i64 = 0x006f_7361_6c72_756e;
/// A session's process in the server.
const BACKEND: &str = "SELECT pg_backend_pid()";

/// A database held alone.
pub struct Exclusive {
    service: &'static str,
    url: String,
    kind: DatabaseKind,
    /// The session with the lock, on PostgreSQL. An SQLite file is opened only when something is asked of it.
    session: Option<Session>,
    _lock: Option<File>,
}

/// The session that has the lock. A pool would begin another one when it ends, and that one would not have it.
struct Session {
    connection: DatabaseConnection,
    /// Its process in the server, by which it is known.
    backend: i32,
}

impl Exclusive {
    /// Takes the database of `service` alone. Nothing is created but the lock's file, nothing migrated or changed.
    ///
    /// # Errors
    /// InUse while anything runs that can write to it; otherwise as [`Database::open`](crate::Database::open).
    pub async fn lock(url: &str, service: &'static str) -> Result<Self, OpenError> {
        let kind = DatabaseKind::of(url)?;
        let held = Self { service, url: url.to_owned(), kind, session: None, _lock: None };
        match kind {
            DatabaseKind::Sqlite => Ok(Self { _lock: Some(lock_file(&held.path())?), ..held }),
            DatabaseKind::Postgres => {
                let connection = sea_orm::Database::connect(plain_options(url, service, kind)).await?;
                // It stands idle while a copy is put back, however long that takes.
                connection.execute_unprepared("SET idle_session_timeout = 0").await?;
                if !answer::<bool>(&connection, &format!("SELECT pg_try_advisory_lock({RUNNING_LOCK})"))
                    .await?
                {
                    return Err(in_use(service));
                }
                let backend = answer(&connection, BACKEND).await?;
                Ok(Self { session: Some(Session { connection, backend }), ..held })
            }
        }
    }

    /// Name of the service.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Its engine.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// Its address; may hold a password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file of an SQLite database.
    pub(crate) fn path(&self) -> PathBuf {
        sqlite_path(&self.url)
    }

    /// A connection that may write. On PostgreSQL it is the one with the lock.
    ///
    /// # Errors
    /// Lost if that one has ended.
    pub(crate) async fn connection(&self) -> Result<DatabaseConnection, OpenError> {
        let Some(session) = &self.session else {
            let options = plain_options(&self.url, self.service, self.kind);
            return Ok(sea_orm::Database::connect(options).await?);
        };
        self.expect_lock(&session.connection, session).await?;
        Ok(session.connection.clone())
    }

    /// A transaction that holds the lock as long as it lasts, because a transaction cannot change its connection.
    ///
    /// # Errors
    /// As [`connection`](Self::connection).
    pub(crate) async fn transaction(&self) -> Result<DatabaseTransaction, OpenError> {
        let connection = self.connection().await?;
        let transaction = begin(&connection).await?;
        if let Some(session) = &self.session {
            self.expect_lock(&transaction, session).await?;
        }
        Ok(transaction)
    }

    async fn expect_lock(
        &self,
        connection: &impl ConnectionTrait,
        session: &Session,
    ) -> Result<(), OpenError> {
        let backend: i32 = answer(connection, BACKEND).await?;
        if backend == session.backend { Ok(()) } else { Err(OpenError::Lost(self.service)) }
    }

    /// A question that is true in PostgreSQL as long as the lock is held, for a session that has not got it.
    pub(crate) fn is_held(&self) -> Option<String> {
        let backend = self.session.as_ref()?.backend;
        Some(format!(
            "EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND pid = {backend} \
             AND mode = 'ExclusiveLock' AND ((classid::bigint << 32) | objid::bigint) = {RUNNING_LOCK} \
             AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))"
        ))
    }

    /// The ends of the lanes of what is there now, by name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn heads(&self) -> Result<Vec<LaneHead>, BackupError> {
        let connection = self.connection().await?;
        let heads =
            event_head::Entity::find().order_by_asc(event_head::Column::Lane).all(&connection).await?;
        if self.session.is_none() {
            connection.close().await?;
        }
        Ok(heads.into_iter().map(log::head).collect())
    }

    /// Begins a new epoch in every lane, as [`Raised::all`] tells.
    ///
    /// # Errors
    /// Unfinished after a restore that was not finished; if the database is away or is not of this system.
    pub async fn raise_epoch(&self, tenants: &[TenantId], at_least: u64) -> Result<Vec<Raised>, BackupError> {
        if self.unfinished().await?.is_some() {
            return Err(OpenError::Unfinished(self.service).into());
        }
        let raised = Raised::all(&self.heads().await?, tenants, at_least);
        let transaction = self.transaction().await?;
        for lane in &raised {
            transaction.execute_unprepared(&lane.statement(self.kind)).await?;
        }
        transaction.commit().await?;
        Ok(raised)
    }

    /// Gives the database back.
    ///
    /// # Errors
    /// If the engine reports one while closing.
    pub async fn release(self) -> Result<(), DbErr> {
        match self.session {
            Some(session) => session.connection.close().await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Exclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive")
            .field("service", &self.service)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Begins a transaction of a command that has the database alone.
#[expect(clippy::disallowed_methods, reason = "no request is near that could be cancelled")]
pub(crate) async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    connection.begin().await
}

/// The one value that a question is answered with.
async fn answer<T: sea_orm::TryGetable>(
    connection: &impl ConnectionTrait,
    question: &str,
) -> Result<T, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), question);
    let row = connection.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(question.to_owned()))?.try_get_by_index(0)
}

fn in_use(service: &'static str) -> OpenError {
    OpenError::InUse(PathBuf::from(format!("the database of {service}")))
}

/// As the writer connects, but without the shared lock, which would stand in the way of the other one.
fn plain_options(url: &str, service: &str, kind: DatabaseKind) -> ConnectOptions {
    let mut options = write_options(url, service, kind);
    options.map_sqlx_postgres_pool_opts(|pool| pool.max_connections(1));
    options
}

/// Connects as the writer does.
///
/// # Errors
/// InUse while somebody has the database alone.
pub(crate) async fn connect_shared(
    url: &str,
    service: &'static str,
    kind: DatabaseKind,
) -> Result<DatabaseConnection, OpenError> {
    if kind == DatabaseKind::Postgres {
        // The pool would try until its time is up and then not say why.
        let plain = sea_orm::Database::connect(plain_options(url, service, kind)).await?;
        let refused = unfinished::refuse(&plain, url, service).await;
        plain.close().await?;
        refused?;
    }
    match sea_orm::Database::connect(write_options(url, service, kind)).await {
        Ok(connection) => Ok(connection),
        // The pool tries until its time is up and then does not say why.
        Err(_) if kind == DatabaseKind::Postgres && is_held(url, service, kind).await => Err(in_use(service)),
        Err(error) => Err(error.into()),
    }
}

/// Whether somebody has the database alone; not if nobody knows.
async fn is_held(url: &str, service: &str, kind: DatabaseKind) -> bool {
    let Ok(connection) = sea_orm::Database::connect(plain_options(url, service, kind)).await else {
        return false;
    };
    let question = format!("SELECT pg_try_advisory_lock_shared({RUNNING_LOCK})");
    let may_share = answer(&connection, &question).await;
    // The lock goes with the connection.
    let _ = connection.close().await;
    matches!(may_share, Ok(false))
}

/// Makes every connection of a writer's pool take the shared lock, and keep it as long as it lives.
pub(crate) fn share(options: &mut ConnectOptions) {
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            Box::pin(async move {
                let question = format!("SELECT pg_try_advisory_lock_shared({RUNNING_LOCK})");
                let may: bool =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_one(&mut *connection).await?;
                // A process that lost its connection may come back to a restore that has begun and not ended.
                let question = format!("SELECT to_regclass('{}') IS NULL", unfinished::TABLE);
                let whole: bool =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_one(&mut *connection).await?;
                if may && whole {
                    return Ok(());
                }
                let held = "a restore or a new epoch is under way, or a restore was not finished";
                Err(sqlx::Error::Protocol(held.to_owned()))
            })
        })
    });
}
