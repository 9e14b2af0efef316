//! Forgetting rows whose time is over (TIHA-12), by whoever owns the tables.
//!
//! The first rows go, and in the same transaction a row is added at the end that says from where on rows are kept. So the
//! log itself tells that they were forgotten and not lost: a log that begins later than at row 1 is whole only if the
//! last such row names its first one. The hash of the last row that went is in the first that stayed, so a copy
//! outside still joins on.

use kernel::{ActingMode, Timestamp};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{ActorKind, Entry, Head, Outcome, Row, read};
use crate::database::{Database, DatabaseKind, OpenError, write_options};
use crate::entity::audit_log::{Column, Entity};
use crate::event::Origin;
use crate::exclusive::unfinished;
use crate::migration::audit_guards;

/// What stands in the place of an RPC in the row that says what was forgotten.
const FORGOTTEN: &str = "osallisuus audit prune";
/// What the row says it is about: the first row that was kept.
const KEPT_FROM: &str = "kept_from=";

/// What was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// How many rows.
    pub rows: u64,
    /// Number of the first row that is kept; 0 for an empty log.
    pub kept_from: u64,
}

/// Deletes the rows of a service's log that were written before this moment, up to the first that was not; the last row
/// of all stays. `url` is the address of the database with the role that owns its tables. May run beside the system,
/// whose commands wait meanwhile.
///
/// # Errors
/// If the database is away, a restore was not finished, or the role does not own the log.
pub async fn prune(
    url: &str,
    service: &'static str,
    before: Timestamp,
    now: Timestamp,
) -> Result<Pruned, OpenError> {
    let kind = DatabaseKind::of(url)?;
    let connection = sea_orm::Database::connect(write_options(url, service, kind)).await?;
    unfinished::refuse(&connection, url, service).await?;
    let transaction = crate::writer::begin(&connection, kind).await?;
    let pruned = forget(&transaction, service, kind, (before, now)).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(pruned)
}

async fn forget(
    transaction: &DatabaseTransaction,
    service: &str,
    kind: DatabaseKind,
    (before, now): (Timestamp, Timestamp),
) -> Result<Pruned, DbErr> {
    if kind == DatabaseKind::Postgres {
        // Years of rows take longer than a request may.
        transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    }
    let head = read::head(transaction, service).await?;
    let first = first(transaction, None).await?.map_or(head.seq, |row| row.seq.cast_unsigned());
    let kept = self::first(transaction, Some(before)).await?;
    let kept_from = kept.map_or(head.seq, |row| row.seq.cast_unsigned());
    if kept_from <= first {
        return Ok(Pruned { rows: 0, kept_from: first });
    }
    let (unguard, guard) = audit_guards(kind);
    transaction.execute_unprepared(unguard).await?;
    let old = Entity::delete_many().filter(Column::Seq.lt(kept_from.cast_signed()));
    let deleted = old.exec(transaction).await?;
    transaction.execute_unprepared(guard).await?;
    let entry = Entry {
        tenant: None,
        actor: String::new(),
        actor_kind: ActorKind::Operator,
        mode: ActingMode::Alone,
        rpc: FORGOTTEN,
        resource: format!("{KEPT_FROM}{kept_from}"),
        purpose: String::new(),
    };
    let row = Row::after(&head, service, now.as_micros(), (&entry, Outcome::Done, &Origin::default()));
    let row = row.into_model().into_active_model();
    Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(Pruned { rows: deleted.rows_affected, kept_from })
}

/// The first row, of all or of those written since.
async fn first(
    connection: &impl sea_orm::ConnectionTrait,
    since: Option<Timestamp>,
) -> Result<Option<crate::entity::audit_log::Model>, DbErr> {
    let mut query = Entity::find();
    if let Some(since) = since {
        query = query.filter(Column::At.gte(since.as_micros()));
    }
    query.order_by_asc(Column::Seq).limit(1).one(connection).await
}

/// Where the check of a whole log begins: before row 1, or before the first row that is kept, if the last row about
/// forgetting says so. Rows that are missing without that are found as missing.
///
/// # Errors
/// If the database is away.
pub async fn beginning(database: &Database) -> Result<Head, DbErr> {
    let Some(first) = first(database.read(), None).await? else { return Ok(Head::genesis()) };
    let told = Entity::find()
        .filter(Column::Rpc.eq(FORGOTTEN))
        .order_by_desc(Column::Seq)
        .limit(1)
        .one(database.read())
        .await?;
    let told = told.and_then(|row| row.resource.strip_prefix(KEPT_FROM)?.parse::<i64>().ok());
    let first_is_told = told == Some(first.seq);
    let first = Row::stored(database.service(), first);
    Ok(if first_is_told { Head::before(&first) } else { Head::genesis() })
}
