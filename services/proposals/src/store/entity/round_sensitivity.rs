//! How a published ranking changes without the visits that compared most.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "round_sensitivity")]
pub(crate) struct Model {
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round_id: Uuid,
    /// Visits left out.
    pub(crate) sessions_left_out: i64,
    /// Ideas that have another place without them.
    pub(crate) ideas_moved: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
