//! Reading the log: for auditors and people through a service, for operators beside it ([`Database::look`]).

use kernel::TenantId;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{Head, Row};
use crate::database::Database;
use crate::entity::audit_log::{Column, Entity};

/// Most rows of one page.
pub const PAGE: u64 = 1000;
/// Rows looked through for one page of somebody's own: nothing but the number is indexed, so that writing stays cheap.
const LOOKED_THROUGH: u64 = 50_000;

/// Whose rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    All,
    /// Those of one county.
    Tenant(TenantId),
    /// Those of one person: their own acts, and what others did with them. Every id by which the service's requests
    /// name them; the first is the one by which they act.
    Person(Vec<String>),
}

/// Rows after a number, in order, at most `limit` and at most [`PAGE`]; and the number to go on after, if there may be
/// more.
///
/// # Errors
/// If the database is away.
pub async fn page(
    database: &Database,
    whose: &Whose,
    after: u64,
    limit: u64,
) -> Result<(Vec<Row>, Option<u64>), DbErr> {
    select(database.read(), database.service(), whose, after, limit).await
}

async fn select(
    connection: &impl ConnectionTrait,
    service: &str,
    whose: &Whose,
    after: u64,
    limit: u64,
) -> Result<(Vec<Row>, Option<u64>), DbErr> {
    let limit = limit.clamp(1, PAGE);
    let mut query = Entity::find().filter(Column::Seq.gt(after.cast_signed()));
    let mut end = None;
    match whose {
        Whose::All => {}
        Whose::Tenant(tenant) => query = query.filter(Column::Tenant.eq(tenant.as_str())),
        Whose::Person(ids) => {
            let until = after.saturating_add(LOOKED_THROUGH);
            end = Some(until);
            let mut own = Condition::any();
            if let Some(acts_as) = ids.first() {
                own = own.add(Column::Actor.eq(acts_as.as_str()));
            }
            for id in ids {
                own = own.add(Column::Resource.contains(id.as_str()));
            }
            query = query.filter(Column::Seq.lte(until.cast_signed())).filter(own);
        }
    }
    let rows = query.order_by_asc(Column::Seq).limit(limit + 1).all(connection).await?;
    let mut rows: Vec<Row> = rows.into_iter().map(|row| Row::stored(service, row)).collect();
    let full = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = match (full, end) {
        (true, _) => rows.last().map(|row| row.seq),
        (false, Some(until)) if last(connection).await?.is_some_and(|last| last > until) => Some(until),
        (false, _) => None,
    };
    Ok((rows, next))
}

/// Number of the last row; None for an empty log.
async fn last(connection: &impl ConnectionTrait) -> Result<Option<u64>, DbErr> {
    let last: Option<Option<i64>> = Entity::find()
        .select_only()
        .column_as(Column::Seq.max(), "last")
        .into_tuple()
        .one(connection)
        .await?;
    Ok(last.flatten().map(i64::cast_unsigned))
}

/// Where the log stands, for whoever adds to it.
pub(crate) async fn head(connection: &impl ConnectionTrait, service: &str) -> Result<Head, DbErr> {
    let last = Entity::find().order_by_desc(Column::Seq).one(connection).await?;
    Ok(last.map_or_else(Head::genesis, |row| Row::stored(service, row).head()))
}
