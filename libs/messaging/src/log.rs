//! Reading a service's own log: for the relay, for the feed by which others repair gaps, and for rebuilding.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use uuid::Uuid;

use crate::database::Database;
use crate::entity::{event_head, event_log};
use crate::envelope::Envelope;

mod verify;

pub use proto::messaging::LaneHead;
pub(crate) use verify::verify_on;
pub use verify::{BreakKind, Broken, LaneCheck, Verdict, WholeLane, verify};

/// Most events of one page.
pub const PAGE: u64 = 256;

/// The ends of all lanes, by name.
///
/// # Errors
/// If the database is away.
pub async fn heads(database: &Database) -> Result<Vec<LaneHead>, DbErr> {
    heads_in(database.read()).await
}

/// The same in a [`view`](crate::view()) of a service's database.
///
/// # Errors
/// If the database is away.
pub async fn heads_in(connection: &impl ConnectionTrait) -> Result<Vec<LaneHead>, DbErr> {
    let heads = event_head::Entity::find().order_by_asc(event_head::Column::Lane).all(connection).await?;
    Ok(heads.into_iter().map(head).collect())
}

/// Events of a lane from `from_seq` on, at most `limit` of them and at most [`PAGE`]; dense and in order.
///
/// # Errors
/// If the database is away.
pub async fn events(
    database: &Database,
    lane: &str,
    from_seq: u64,
    limit: u64,
) -> Result<Vec<Envelope>, DbErr> {
    events_on(database.read(), database.service(), lane, from_seq, limit).await
}

async fn events_on(
    connection: &impl ConnectionTrait,
    service: &str,
    lane: &str,
    from_seq: u64,
    limit: u64,
) -> Result<Vec<Envelope>, DbErr> {
    let rows = event_log::Entity::find()
        .filter(event_log::Column::Lane.eq(lane))
        .filter(event_log::Column::Seq.gte(from_seq.cast_signed()))
        .order_by_asc(event_log::Column::Seq)
        .limit(limit.min(PAGE))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| envelope(service, row)).collect())
}

/// The epoch of the log: that of the highest lane, 1 for an empty log. A lane that is new after a restore from a backup
/// must not start in the epoch in which the lost lane of the same name was read by others.
pub(crate) async fn epoch(connection: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let highest: Option<Option<i64>> = event_head::Entity::find()
        .select_only()
        .column_as(event_head::Column::Epoch.max(), "epoch")
        .into_tuple()
        .one(connection)
        .await?;
    Ok(highest.flatten().unwrap_or(1))
}

/// The row that stores an envelope. The service's name is the database's and is not stored.
pub(crate) fn row(envelope: Envelope, event_id: Uuid) -> event_log::Model {
    event_log::Model {
        lane: envelope.lane,
        seq: envelope.seq.cast_signed(),
        epoch: envelope.epoch.cast_signed(),
        event_id,
        aggregate_type: envelope.aggregate_type,
        aggregate_id: envelope.aggregate_id,
        event_type: envelope.event_type,
        schema_version: envelope.schema_version.cast_signed(),
        payload: envelope.payload,
        causation_id: envelope.causation_id,
        correlation_id: envelope.correlation_id,
        traceparent: envelope.traceparent,
        co_tenants: envelope.co_tenants.join(","),
        occurred_at: envelope.occurred_at_us,
        prev_hash: envelope.prev_hash,
        hash: envelope.hash,
    }
}

/// The envelope a row stands for, field by field the one that was hashed.
fn envelope(service: &str, row: event_log::Model) -> Envelope {
    Envelope {
        service: service.to_owned(),
        lane: row.lane,
        epoch: row.epoch.cast_unsigned(),
        seq: row.seq.cast_unsigned(),
        event_id: row.event_id.to_string(),
        event_type: row.event_type,
        schema_version: row.schema_version.cast_unsigned(),
        aggregate_type: row.aggregate_type,
        aggregate_id: row.aggregate_id,
        occurred_at_us: row.occurred_at,
        causation_id: row.causation_id,
        correlation_id: row.correlation_id,
        traceparent: row.traceparent,
        co_tenants: row.co_tenants.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect(),
        payload: row.payload,
        prev_hash: row.prev_hash,
        hash: row.hash,
    }
}

/// The head a row stands for.
pub(crate) fn head(head: event_head::Model) -> LaneHead {
    let seq = (head.next_seq - 1).cast_unsigned();
    LaneHead {
        lane: head.lane,
        epoch: head.epoch.cast_unsigned(),
        seq,
        hash: if seq == 0 { Vec::new() } else { head.head_hash },
        published_seq: head.published_seq.cast_unsigned(),
    }
}
