//! A recording in which a form of an owner's texts is read aloud.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "text_audio")]
pub(crate) struct Model {
    /// Kind of owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_kind: String,
    /// The owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_id: Uuid,
    /// The recording.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) attachment_id: Uuid,
    /// The owner's county.
    pub(crate) tenant: String,
    /// Its place among the recordings.
    pub(crate) position: i64,
    /// The form that is read.
    pub(crate) form: String,
    /// State.
    pub(crate) state: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
