//! Where each lane of this service ends.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_head")]
pub(crate) struct Model {
    /// The lane: county code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lane: String,
    /// Epoch of the log, from 1; rises when the database is restored from a backup.
    pub(crate) epoch: i64,
    /// Sequence number of the next event, from 1.
    pub(crate) next_seq: i64,
    /// Hash of the last event; 32 zeros before the first.
    pub(crate) head_hash: Vec<u8>,
    /// Sequence number of the last watermark; 0 before the first.
    pub(crate) watermark_seq: i64,
    /// Last sequence number known to be in the stream; may lag behind the truth.
    pub(crate) published_seq: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
