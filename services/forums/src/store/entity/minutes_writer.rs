//! Somebody who wrote minutes; goes when they are public.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "minutes_writer")]
pub(crate) struct Model {
    /// The meeting.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) meeting_id: Uuid,
    /// Who wrote.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) person: Uuid,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
