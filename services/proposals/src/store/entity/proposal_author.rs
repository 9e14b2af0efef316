//! Who wrote a proposal; C2, never shown.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal_author")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// The person's reference at this service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) author_ref: Uuid,
    /// Author or co-author.
    pub(crate) kind: String,
    /// Since when.
    pub(crate) joined_on: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
