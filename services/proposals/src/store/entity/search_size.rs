//! How many proposals of a county are in the index of words.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_size")]
pub(crate) struct Model {
    /// The county.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant: String,
    /// Its proposals in the index.
    pub(crate) proposals: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
