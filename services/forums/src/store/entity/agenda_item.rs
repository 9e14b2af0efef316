//! A topic.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agenda_item")]
pub(crate) struct Model {
    /// Id; of a proposal's topic that of the event that raised it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The forum.
    pub(crate) forum_id: Uuid,
    /// Where it comes from.
    pub(crate) source: String,
    /// Which local group, unit or body.
    pub(crate) source_name: String,
    /// The proposal.
    pub(crate) proposal_id: Option<Uuid>,
    /// The member who raised it, or whoever did for a unit.
    pub(crate) raised_by: Option<Uuid>,
    /// When.
    pub(crate) raised_on: String,
    /// State.
    pub(crate) state: String,
    /// On whose agenda.
    pub(crate) meeting_id: Option<Uuid>,
    /// Place on it.
    pub(crate) position: i64,
    /// What was decided.
    pub(crate) decision: Option<String>,
    /// When.
    pub(crate) decided_on: Option<String>,
    /// Whether its proposal ended while the forum voted on it.
    pub(crate) proposal_ended: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
