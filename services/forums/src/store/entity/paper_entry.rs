//! One official's entry of a batch of paper ballots.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "paper_entry")]
pub(crate) struct Model {
    /// The election.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) election_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Label of the batch.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) batch: String,
    /// The official.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) official: Uuid,
    /// Ballots.
    pub(crate) ballots: i64,
    /// Blank ones.
    pub(crate) blank: i64,
    /// Invalid ones.
    pub(crate) invalid: i64,
    /// Approvals by number: four bytes each, most significant first.
    pub(crate) approvals: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
