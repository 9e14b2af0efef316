//! An election.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "election")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The forum.
    pub(crate) forum_id: Uuid,
    /// Whether it fills empty seats only.
    pub(crate) supplementary: bool,
    /// How far it has come.
    pub(crate) phase: String,
    /// First day of nominations.
    pub(crate) nomination_opens_on: String,
    /// Last day of nominations.
    pub(crate) nomination_closes_on: String,
    /// First day of voting.
    pub(crate) voting_opens_on: String,
    /// Last day of voting.
    pub(crate) voting_closes_on: String,
    /// Public key of the election board.
    pub(crate) board_public_key: Vec<u8>,
    /// Commitment to the seed of the lots.
    pub(crate) lots_commitment: String,
    /// Hash of the frozen roll.
    pub(crate) roll_hash: Option<Vec<u8>>,
    /// Seats of the forum filled when confirmed.
    pub(crate) forum_seats_filled: Option<i64>,
    /// Why it was annulled; empty unless it was.
    pub(crate) annul_reason: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
