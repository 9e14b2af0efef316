//! How often a pair with an idea was skipped, and why.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "skip_sum")]
pub(crate) struct Model {
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round_id: Uuid,
    /// Number of the idea.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) idea: i64,
    /// Why.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) reason: String,
    /// How often.
    pub(crate) times: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
