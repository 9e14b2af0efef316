//! An idea in a published ranking.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ranked_idea")]
pub(crate) struct Model {
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round_id: Uuid,
    /// As in round_ranking.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) part: String,
    /// Number of the idea.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) idea: i64,
    /// Place within its group.
    pub(crate) rank: Option<i64>,
    /// Group of ideas that comparisons link; 0 for none.
    pub(crate) linked: i64,
    /// Wins; 0 for a municipality.
    pub(crate) wins: i64,
    /// Comparisons; 0 for a municipality.
    pub(crate) comparisons: i64,
    /// Bradley–Terry strength; none for a municipality.
    pub(crate) strength: Option<f64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
