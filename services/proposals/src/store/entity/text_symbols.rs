//! The pictures that go with an owner's texts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "text_symbols")]
pub(crate) struct Model {
    /// Kind of owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_kind: String,
    /// The owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_id: Uuid,
    /// The owner's county.
    pub(crate) tenant: String,
    /// Codes in their order, with spaces between.
    pub(crate) codes: String,
    /// State.
    pub(crate) state: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
