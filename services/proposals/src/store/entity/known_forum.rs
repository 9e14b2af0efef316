//! A forum, as forums published it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_forum")]
pub(crate) struct Model {
    /// The forum.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// Lead county.
    pub(crate) tenant: String,
    /// Other counties of a joint forum, separated by commas.
    pub(crate) co_tenants: String,
    /// The rebuild that wrote it last.
    pub(crate) generation: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
