//! That something waits for a person.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) person: Uuid,
    pub(crate) tenant: Option<String>,
    pub(crate) service: String,
    pub(crate) template: String,
    pub(crate) dedupe_key: String,
    pub(crate) urgent: bool,
    pub(crate) created_at: i64,
    pub(crate) deliver_on: TimeDate,
    pub(crate) delivered_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
