//! How far the telling of a proposal's people has come; gone when it is over.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "telling")]
pub(crate) struct Model {
    /// Key of the round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) key: String,
    /// The last person told.
    pub(crate) after: Uuid,
    /// How many were told.
    pub(crate) told: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
