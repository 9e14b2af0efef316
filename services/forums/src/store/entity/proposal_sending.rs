//! That an event of proposals sent a proposal here, and which topic it is.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal_sending")]
pub(crate) struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) event_id: Uuid,
    /// Its lane.
    pub(crate) tenant: String,
    /// The topic.
    pub(crate) item_id: Uuid,
    /// Which rebuild wrote it last.
    pub(crate) generation: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
