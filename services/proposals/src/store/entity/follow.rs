//! That a person follows a proposal: one row a person.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) person: Uuid,
    /// The day.
    pub(crate) since: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
