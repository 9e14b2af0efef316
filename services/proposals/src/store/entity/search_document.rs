//! A proposal in the index of words, with the stems it is found by.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_document")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// Its county.
    pub(crate) tenant: String,
    /// Its stems as numbers, with commas between: what has to go when it goes.
    pub(crate) stems: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
