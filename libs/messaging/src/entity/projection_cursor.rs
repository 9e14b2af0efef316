//! How far each projection has come in each lane of its source.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projection_cursor")]
pub(crate) struct Model {
    /// Name of the projection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) projection: String,
    /// Service whose events it reads.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) source: String,
    /// The lane: county code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lane: String,
    /// Epoch of the last event applied.
    pub(crate) epoch: i64,
    /// Sequence number of the last event applied.
    pub(crate) last_seq: i64,
    /// Hash of the last event applied.
    pub(crate) last_hash: Vec<u8>,
    /// Why the lane stands still and waits for a person; null while it runs.
    pub(crate) stopped: Option<String>,
    /// Real time of the last move, microseconds.
    pub(crate) updated_at: i64,
    /// How often the lane was rebuilt.
    pub(crate) generation: i64,
    /// Sequence number at which a rebuild under way is done; null if there is none.
    pub(crate) rebuild_to: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
