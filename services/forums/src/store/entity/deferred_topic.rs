//! That a meeting left a topic to another one: it stays in the minutes of the meeting that did.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deferred_topic")]
pub(crate) struct Model {
    /// The meeting.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) meeting_id: Uuid,
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) item_id: Uuid,
    /// Place on the meeting's agenda.
    pub(crate) position: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
