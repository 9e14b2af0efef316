//! A forum.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "forum")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// Lead county.
    pub(crate) tenant: String,
    /// Joint controllers' agreement; empty unless joint.
    pub(crate) agreement_id: String,
    /// Name in Finnish.
    pub(crate) name: String,
    /// Purpose in standard Finnish.
    pub(crate) purpose: String,
    /// Purpose in plain Finnish.
    pub(crate) purpose_plain: String,
    /// Type.
    pub(crate) kind: String,
    /// Level.
    pub(crate) level: String,
    /// Whose clients elect it.
    pub(crate) service_group: String,
    /// First day of the term.
    pub(crate) term_starts_on: String,
    /// Last day of the term.
    pub(crate) term_ends_on: String,
    /// Reference of the founding decision.
    pub(crate) founding_decision: String,
    /// State.
    pub(crate) state: String,
    /// Seats filled now.
    pub(crate) seats_filled: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
