//! Something in a text that may be personal data.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal_finding")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// Its number, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) finding_no: i64,
    /// What it may be.
    pub(crate) kind: String,
    /// The text it is in.
    pub(crate) place: String,
    /// Where it starts, in characters.
    pub(crate) starts_at: i64,
    /// How long it is, in characters.
    pub(crate) length: i64,
    /// What the human said of it.
    pub(crate) decision: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
