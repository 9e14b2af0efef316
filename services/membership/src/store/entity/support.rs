//! Who helps whom.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "support")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant: String,
    pub(crate) member: Uuid,
    pub(crate) supporter: Uuid,
    pub(crate) state: String,
    pub(crate) of_county: bool,
    pub(crate) offered_on: TimeDate,
    pub(crate) trained_on: Option<TimeDate>,
    pub(crate) ended_on: Option<TimeDate>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
