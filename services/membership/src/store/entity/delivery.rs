//! A notice on its way out of the service.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) notice: Uuid,
    pub(crate) participant: Uuid,
    pub(crate) tenant: String,
    pub(crate) channel: String,
    pub(crate) state: String,
    pub(crate) made_on: TimeDate,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
