//! Events that could not be projected, and the later ones of the same thing (REL-43).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "parked_event")]
pub(crate) struct Model {
    /// Name of the projection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) projection: String,
    /// Service that published it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) source: String,
    /// The lane: county code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lane: String,
    /// Place in the lane.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seq: i64,
    /// Full name of the payload message.
    pub(crate) event_type: String,
    /// Kind of the thing it happened to.
    pub(crate) aggregate_type: String,
    /// Id of that thing.
    pub(crate) aggregate_id: String,
    /// The whole event as an Envelope.
    pub(crate) envelope: Vec<u8>,
    /// "poison" or "blocked".
    pub(crate) kind: String,
    /// What went wrong, without content; empty if blocked.
    pub(crate) error: String,
    /// How often it was tried.
    pub(crate) attempts: i32,
    /// "parked", "projected" or "dismissed".
    pub(crate) state: String,
    /// Why it was dismissed.
    pub(crate) reason: Option<String>,
    /// Real time of parking, microseconds.
    pub(crate) parked_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
