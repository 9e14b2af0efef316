//! One form of a text of meetings.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "meeting_text")]
pub(crate) struct Model {
    /// Topic or meeting.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_id: Uuid,
    /// What text of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kind: String,
    /// Which form.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) language: String,
    /// Title.
    pub(crate) title: String,
    /// Text.
    pub(crate) body: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
