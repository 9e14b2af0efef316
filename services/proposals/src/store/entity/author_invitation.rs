//! A code that makes its holder a co-author, once.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "author_invitation")]
pub(crate) struct Model {
    /// Hash of the code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) code_hash: Vec<u8>,
    /// The proposal.
    pub(crate) proposal_id: Uuid,
    /// Last day on which it works.
    pub(crate) expires_on: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
