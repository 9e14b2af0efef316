//! That a proposal has a stem, and how much.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_term")]
pub(crate) struct Model {
    /// The stem as a number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) stem: i64,
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// How much of it, see the domain.
    pub(crate) weight: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
