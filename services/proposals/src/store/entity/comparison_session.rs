//! One visit. No time, no device, no person; the key is the hash of a token that is not kept.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "comparison_session")]
pub(crate) struct Model {
    /// First half of the SHA-256 of its token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The round.
    pub(crate) round_id: Uuid,
    /// Where the participant is from, by their own word; empty if not told.
    pub(crate) municipality: String,
    /// Comparisons.
    pub(crate) comparisons: i64,
    /// Whether the latest answer can be taken back, and how it was given.
    pub(crate) latest: String,
    /// Own ideas added.
    pub(crate) own_ideas: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
