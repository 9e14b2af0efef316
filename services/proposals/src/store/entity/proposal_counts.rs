//! Kept counters of a proposal; each changes with the row that it counts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal_counts")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// People who support it.
    pub(crate) supports: i64,
    /// People who follow it.
    pub(crate) followers: i64,
    /// Comments that everyone can read.
    pub(crate) comments: i64,
    /// Comments ever written: the next one's place.
    pub(crate) comments_written: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
