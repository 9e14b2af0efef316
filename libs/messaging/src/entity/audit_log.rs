//! Who did or read what: rows that are never changed.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub(crate) struct Model {
    /// Place in the log, dense from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seq: i64,
    /// Real time, microseconds.
    pub(crate) at: i64,
    /// County code, or empty.
    pub(crate) tenant: String,
    /// Reference of a person or name of a service, or empty.
    pub(crate) actor: String,
    /// What the actor is.
    pub(crate) actor_kind: String,
    /// How the act came about.
    pub(crate) mode: String,
    /// gRPC path.
    pub(crate) rpc: String,
    /// Ids of what it was about.
    pub(crate) resource: String,
    /// Why, or empty.
    pub(crate) purpose: String,
    /// Whether the access layer let the caller in.
    pub(crate) decision: String,
    /// What came of it.
    pub(crate) outcome: String,
    /// Code of a refusal, or empty.
    pub(crate) code: String,
    /// Id of the whole act.
    pub(crate) correlation_id: String,
    /// Id of the command, hashed, or empty.
    pub(crate) causation_id: String,
    /// Hash of the row before; 32 zeros for the first.
    pub(crate) prev_hash: Vec<u8>,
    /// Hash of this row.
    pub(crate) hash: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
