//! A published ranking.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "round_ranking")]
pub(crate) struct Model {
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round_id: Uuid,
    /// What it is of: "all", or a municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) part: String,
    /// Which score it follows.
    pub(crate) basis: String,
    /// Whether more comparisons could turn it round.
    pub(crate) provisional: bool,
    /// Groups that no comparison links.
    pub(crate) groups: i64,
    /// Sessions in it; 0 for a municipality.
    pub(crate) sessions: i64,
    /// Comparisons in it; 0 for a municipality.
    pub(crate) comparisons: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
