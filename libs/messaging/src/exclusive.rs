//! A database that nobody else uses: for what must not be done to a running service, that is restoring it from a backup
//! and beginning a new epoch.
//!
//! Every process that can write holds something as long as it can: with SQLite the lock on a file beside the database,
//! with PostgreSQL a shared advisory lock, taken by the writer's connection itself whenever it connects. Who wants the
//! database alone takes the same lock for itself, and gets it only when nobody holds it; and nobody gets to write while
//! it is held. Both end with the process or the connection, so nothing is left behind by one that was killed.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;

use kernel::TenantId;
use sea_orm::{
    ActiveModelTrait as _, ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait as _, IntoActiveModel as _, QueryOrder as _, Statement, TransactionTrait as _, sqlx,
};
use serde::Serialize;

use crate::broker::wire::to_hex;
use crate::database::{DatabaseKind, OpenError, lock_file, sqlite_path, write_options};
use crate::entity::event_head;
use crate::envelope::NO_HASH;

/// Number of the advisory lock that a process holds which can write: "osalrun" in ASCII.
const RUNNING_LOCK: i64 = 0x006f_7361_6c72_756e;

/// A database held alone.
pub struct Exclusive {
    service: &'static str,
    url: String,
    kind: DatabaseKind,
    /// The session with the lock, on PostgreSQL. An SQLite file is opened only when something is asked of it.
    session: Option<DatabaseConnection>,
    _lock: Option<File>,
}

/// A lane before and after a new epoch began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Raised {
    /// Lane: county code.
    pub lane: String,
    /// Epoch before; 0 if the lane had no event yet.
    pub old_epoch: u64,
    /// Epoch of the events to come.
    pub new_epoch: u64,
    /// Sequence number of the last event.
    pub seq: u64,
    /// Hash of the last event, in hexadecimal digits; empty for an empty lane.
    pub hash: String,
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
                let session = sea_orm::Database::connect(plain_options(&held)).await?;
                let question = format!("SELECT pg_try_advisory_lock({RUNNING_LOCK})");
                let statement = Statement::from_string(session.get_database_backend(), question);
                let answer = session.query_one_raw(statement).await?;
                let is_alone = answer.map(|row| row.try_get_by_index::<bool>(0)).transpose()?;
                if is_alone != Some(true) {
                    return Err(OpenError::InUse(PathBuf::from(format!("the database of {service}"))));
                }
                Ok(Self { session: Some(session), ..held })
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
    pub(crate) async fn connection(&self) -> Result<DatabaseConnection, DbErr> {
        match &self.session {
            Some(session) => Ok(session.clone()),
            None => sea_orm::Database::connect(plain_options(self)).await,
        }
    }

    /// Begins a new epoch in every lane, and in those of `tenants` that have no event yet, so that a lane whose events
    /// were all lost does not begin again in the epoch in which others have read them. The new epoch is higher than any
    /// that is known here and at least `at_least`: with the time in it, it is also higher than those of a log that was
    /// restored before and is not known here any more.
    ///
    /// # Errors
    /// If the database is away or is not of this system.
    pub async fn raise_epoch(&self, tenants: &[TenantId], at_least: u64) -> Result<Vec<Raised>, DbErr> {
        let connection = self.connection().await?;
        let transaction = begin(&connection).await?;
        let raised = raise(&transaction, tenants, at_least).await?;
        transaction.commit().await?;
        if self.session.is_none() {
            connection.close().await?;
        }
        Ok(raised)
    }

    /// Gives the database back.
    ///
    /// # Errors
    /// If the engine reports one while closing.
    pub async fn release(self) -> Result<(), DbErr> {
        match self.session {
            Some(session) => session.close().await,
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

async fn raise(
    transaction: &DatabaseTransaction,
    tenants: &[TenantId],
    at_least: u64,
) -> Result<Vec<Raised>, DbErr> {
    let heads = event_head::Entity::find().order_by_asc(event_head::Column::Lane).all(transaction).await?;
    let highest = heads.iter().map(|head| head.epoch).max().unwrap_or_default();
    let epoch = (highest + 1).max(at_least.cast_signed());
    let mut raised = Vec::new();
    let missing =
        tenants.iter().map(ToString::to_string).filter(|lane| heads.iter().all(|head| head.lane != *lane));
    let missing: Vec<event_head::Model> = missing
        .map(|lane| event_head::Model {
            lane,
            epoch: 0,
            next_seq: 1,
            head_hash: NO_HASH.to_vec(),
            watermark_seq: 0,
            published_seq: 0,
        })
        .collect();
    for head in missing.iter().cloned() {
        let row = head.into_active_model().reset_all();
        event_head::Entity::insert(row).exec_without_returning(transaction).await?;
    }
    for head in heads.into_iter().chain(missing) {
        let seq = (head.next_seq - 1).cast_unsigned();
        raised.push(Raised {
            lane: head.lane.clone(),
            old_epoch: head.epoch.cast_unsigned(),
            new_epoch: epoch.cast_unsigned(),
            seq,
            hash: if seq == 0 { String::new() } else { to_hex(&head.head_hash) },
        });
        let head = event_head::Model { epoch, ..head };
        head.into_active_model().reset_all().update(transaction).await?;
    }
    raised.sort_by(|one, other| one.lane.cmp(&other.lane));
    Ok(raised)
}

/// As the writer connects, but without the shared lock, which would stand in the way of the other one.
fn plain_options(held: &Exclusive) -> ConnectOptions {
    let mut options = write_options(&held.url, held.service, held.kind);
    options.map_sqlx_postgres_pool_opts(|pool| pool.max_connections(1));
    options
}

/// Makes every connection of a writer's pool take the shared lock, and keep it as long as it lives.
pub(crate) fn share(options: &mut ConnectOptions) {
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            Box::pin(async move {
                let question = format!("SELECT pg_try_advisory_lock_shared({RUNNING_LOCK})");
                let may: bool =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_one(&mut *connection).await?;
                if may {
                    return Ok(());
                }
                let held = "somebody holds the database alone: a restore or a new epoch is under way";
                Err(sqlx::Error::Protocol(held.to_owned()))
            })
        })
    });
}
