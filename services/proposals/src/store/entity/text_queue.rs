//! An owner whose forms wait for somebody to write or review them.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "text_queue")]
pub(crate) struct Model {
    /// The owner's county.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant: String,
    /// The owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_id: Uuid,
    /// Kind of owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_kind: String,
    /// Since when it waits.
    pub(crate) queued_on: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
