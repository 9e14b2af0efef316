//! How many compared in a municipality, by their own word.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "comparison_place")]
pub(crate) struct Model {
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round_id: Uuid,
    /// The municipality; empty for those who named none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) place: String,
    /// Sessions that compared at least once.
    pub(crate) sessions: i64,
    /// Comparisons.
    pub(crate) comparisons: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
