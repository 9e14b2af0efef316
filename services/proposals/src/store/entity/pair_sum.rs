//! How often two ideas won over each other: kept with every answer, so that no ranking reads the answers.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pair_sum")]
pub(crate) struct Model {
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round_id: Uuid,
    /// A municipality; empty for all together.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) place: String,
    /// The idea with the lower number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lower: i64,
    /// The other one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) higher: i64,
    /// Wins of the first.
    pub(crate) wins_lower: i64,
    /// Wins of the second.
    pub(crate) wins_higher: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
