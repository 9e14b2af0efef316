//! How far the directory's list of retired references was read; one row.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "retirement_cursor")]
pub(crate) struct Model {
    /// Always "membership".
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) name: String,
    /// Where to go on.
    pub(crate) cursor: i64,
    /// How often it was read.
    pub(crate) runs: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
