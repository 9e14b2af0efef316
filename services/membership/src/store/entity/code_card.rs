//! A code card, with the slow hash of its code.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_card")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) number: String,
    pub(crate) participant: Uuid,
    pub(crate) code_hash: String,
    pub(crate) issued_by: Uuid,
    pub(crate) issued_for: Option<Uuid>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) tries: i64,
    pub(crate) state: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
