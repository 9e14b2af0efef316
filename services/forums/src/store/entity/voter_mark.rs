//! That a voter has voted. No time, no number, nothing of the ballot; `WITHOUT ROWID` on SQLite.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "voter_mark")]
pub(crate) struct Model {
    /// The election.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) election_id: Uuid,
    /// The voter.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) voter_ref: Uuid,
    /// The municipality.
    pub(crate) municipality: String,
    /// Online or paper.
    pub(crate) channel: String,
    /// Hash of the command's key.
    pub(crate) key_hash: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
