//! A vote: sums only.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "forum_vote")]
pub(crate) struct Model {
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) item_id: Uuid,
    /// The meeting.
    pub(crate) meeting_id: Uuid,
    /// How votes are given.
    pub(crate) method: String,
    /// Whether votes are taken.
    pub(crate) is_open: bool,
    /// Seats present when it was opened.
    pub(crate) present: i64,
    /// For.
    pub(crate) votes_for: i64,
    /// Against.
    pub(crate) votes_against: i64,
    /// Blank.
    pub(crate) votes_blank: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
