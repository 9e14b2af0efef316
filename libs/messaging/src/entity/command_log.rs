//! Answers of committed commands, so that a repeated command gets the same one (REL-20).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "command_log")]
pub(crate) struct Model {
    /// Who sent it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) principal: String,
    /// The idempotency key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) idem_key: String,
    /// Name of the RPC.
    pub(crate) rpc: String,
    /// SHA-256 of the request, to notice a key that is used for something else.
    pub(crate) request_hash: Vec<u8>,
    /// Protobuf bytes of the answer.
    pub(crate) response: Vec<u8>,
    /// Real time of the commit, microseconds.
    pub(crate) created_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
