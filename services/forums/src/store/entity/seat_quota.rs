//! Seats of a municipality in a forum's approved plan.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seat_quota")]
pub(crate) struct Model {
    /// The forum.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) forum_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Its seats.
    pub(crate) seats: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
