//! Watermarks: now and then an event that says where the lane stands and how many events of each type it holds, so that
//! a subscriber who listens to some types only can prove that it has missed none of them.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::TenantId;
use prost::{Message as _, Name as _};
use proto::messaging::{TypeCount, Watermark};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};

use super::append::Lane;
use super::task::Context;
use crate::entity::event_log;
use crate::event::{NewEvent, Origin};
use crate::tx::Published;

/// Whether so many events have come since the last watermark that it is time for another.
pub(super) fn is_due(lane: &Lane, every: u64) -> bool {
    (lane.last_seq() - lane.head.watermark_seq).cast_unsigned() >= every
}

/// Puts a watermark at the end of the lane.
pub(super) async fn add(
    context: &Context,
    transaction: &DatabaseTransaction,
    lane: &mut Lane,
) -> Result<event_log::Model, DbErr> {
    let mut counts = match lane.at_watermark.take() {
        Some(counts) => counts,
        None => stored(transaction, lane).await?,
    };
    for (event_type, count) in lane.added.drain() {
        *counts.entry(event_type).or_default() += count;
    }
    let mut listed: Vec<TypeCount> =
        counts.iter().map(|(name, count)| TypeCount { event_type: name.clone(), count: *count }).collect();
    listed.sort_by(|a, b| a.event_type.cmp(&b.event_type));
    let watermark =
        Watermark { seq: lane.last_seq().cast_unsigned(), hash: lane.head.head_hash.clone(), counts: listed };
    let tenant = TenantId::new(&lane.head.lane).map_err(|error| DbErr::Custom(error.to_string()))?;
    let published = Published {
        event: NewEvent::of(tenant, "lane", &lane.head.lane, &watermark),
        origin: Arc::new(Origin { causation_id: "watermark".to_owned(), ..Origin::default() }),
        occurred_at: context.clocks.business.now(),
    };
    let row = lane.add(context, published);
    lane.head.watermark_seq = lane.last_seq();
    lane.added.clear();
    *counts.entry(Watermark::full_name()).or_default() += 1;
    lane.at_watermark = Some(counts);
    Ok(row)
}

/// Counts of what the lane held when the batch began: those of the last watermark, and of the events after it.
async fn stored(transaction: &DatabaseTransaction, lane: &Lane) -> Result<HashMap<String, u64>, DbErr> {
    let mut counts = HashMap::new();
    let last = lane.head.watermark_seq;
    if last > 0 {
        let key = (lane.head.lane.clone(), last);
        let Some(row) = event_log::Entity::find_by_id(key).one(transaction).await? else {
            return Err(DbErr::Custom(format!("watermark {last} of lane {} is missing", lane.head.lane)));
        };
        let watermark =
            Watermark::decode(row.payload.as_slice()).map_err(|error| DbErr::Custom(error.to_string()))?;
        counts.extend(watermark.counts.into_iter().map(|count| (count.event_type, count.count)));
        *counts.entry(Watermark::full_name()).or_default() += 1;
    }
    let since: Vec<(String, i64)> = event_log::Entity::find()
        .select_only()
        .column(event_log::Column::EventType)
        .column_as(event_log::Column::Seq.count(), "events")
        .filter(event_log::Column::Lane.eq(lane.head.lane.as_str()))
        .filter(event_log::Column::Seq.gt(last))
        .group_by(event_log::Column::EventType)
        .into_tuple()
        .all(transaction)
        .await?;
    for (event_type, count) in since {
        *counts.entry(event_type).or_default() += count.cast_unsigned();
    }
    Ok(counts)
}
