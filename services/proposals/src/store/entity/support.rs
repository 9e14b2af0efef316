//! That a person supports a proposal: one row a person.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "support")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) person: Uuid,
    /// The day.
    pub(crate) given_on: String,
    /// How the act came about.
    pub(crate) acting_mode: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
