//! A frozen roll.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roll")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) election: Uuid,
    pub(crate) forum: Uuid,
    pub(crate) tenants: String,
    pub(crate) service_group: String,
    pub(crate) hash: Vec<u8>,
    pub(crate) over: bool,
    pub(crate) over_on: Option<TimeDate>,
    pub(crate) erased: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
