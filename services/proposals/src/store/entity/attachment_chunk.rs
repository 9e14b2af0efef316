//! A piece of a file.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attachment_chunk")]
pub(crate) struct Model {
    /// The file.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) attachment_id: Uuid,
    /// As sent, or as kept.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) part: String,
    /// Its place, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) position: i64,
    /// At most 192 KiB.
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
