//! The secret seed of an election's lots; read by the drawing and by results with lots, by nothing else.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lots_seed")]
pub(crate) struct Model {
    /// The election.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) election_id: Uuid,
    /// Sealed with the key of forums.
    pub(crate) sealed: Vec<u8>,
    /// As it is, once it is public.
    pub(crate) revealed: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
