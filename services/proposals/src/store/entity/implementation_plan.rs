//! The plan of a change.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "implementation_plan")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// The unit that makes the change.
    pub(crate) unit_id: Uuid,
    /// How far it has come.
    pub(crate) state: String,
    /// Its steps, as JSON: a list of pairs of text and whether it is done.
    pub(crate) steps: String,
    /// How much is done, 0 to 100.
    pub(crate) percent: i64,
    /// By which day it is to be done.
    pub(crate) due_on: String,
    /// Day it began.
    pub(crate) started_on: Option<String>,
    /// Day it ended.
    pub(crate) ended_on: Option<String>,
    /// Why it takes longer.
    pub(crate) delay_reason: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
