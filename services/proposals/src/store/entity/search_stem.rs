//! How many proposals have a stem.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_stem")]
pub(crate) struct Model {
    /// The stem as a number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) stem: i64,
    /// Proposals that have it.
    pub(crate) proposals: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
