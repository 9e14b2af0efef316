//! The published events: the truth, of which the stream is a copy.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_log")]
pub(crate) struct Model {
    /// The lane: county code of the lead county.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lane: String,
    /// Place in the lane, dense from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seq: i64,
    /// Epoch in which it was written.
    pub(crate) epoch: i64,
    /// Id of the event.
    pub(crate) event_id: Uuid,
    /// Kind of the thing it happened to.
    pub(crate) aggregate_type: String,
    /// Id of that thing.
    pub(crate) aggregate_id: String,
    /// Full name of the payload message.
    pub(crate) event_type: String,
    /// Version of the payload's meaning.
    pub(crate) schema_version: i32,
    /// Protobuf bytes.
    pub(crate) payload: Vec<u8>,
    /// Id of the cause.
    pub(crate) causation_id: String,
    /// Id of the whole act.
    pub(crate) correlation_id: String,
    /// W3C trace context, or empty.
    pub(crate) traceparent: String,
    /// Codes of the other counties, with commas between them.
    pub(crate) co_tenants: String,
    /// When it happened by the business clock, microseconds.
    pub(crate) occurred_at: i64,
    /// Hash of the event before; 32 zeros for the first.
    pub(crate) prev_hash: Vec<u8>,
    /// Hash of this event.
    pub(crate) hash: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
