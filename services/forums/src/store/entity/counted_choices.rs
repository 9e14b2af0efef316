//! What was in a box, sorted by content; erased after the appeal period.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "counted_choices")]
pub(crate) struct Model {
    /// The election.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) election_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Written ballots, sorted.
    pub(crate) choices: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
