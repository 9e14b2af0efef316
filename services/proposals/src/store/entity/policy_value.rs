//! A county's policy value, as membership published it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_value")]
pub(crate) struct Model {
    /// The county.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant: String,
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) key: String,
    /// First day on which it holds.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) valid_from: String,
    /// The value.
    pub(crate) value: i64,
    /// The rebuild that wrote it last.
    pub(crate) generation: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
