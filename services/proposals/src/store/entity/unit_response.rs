//! A request for an answer to a proposal (P3).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unit_response")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// Which request of the proposal, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round: i64,
    /// The county.
    pub(crate) tenant: String,
    /// The unit that leads the answer.
    pub(crate) unit_id: Uuid,
    /// The day from which the period runs.
    pub(crate) asked_on: String,
    /// Day of the reminder.
    pub(crate) remind_on: String,
    /// Last day on time.
    pub(crate) due_on: String,
    /// Day on which the manager is told.
    pub(crate) manager_on: String,
    /// Whether the due day was moved.
    pub(crate) extended: bool,
    /// Version of the days.
    pub(crate) version: i64,
    /// How far it has come.
    pub(crate) state: String,
    /// Whether there is an answer.
    pub(crate) answered: bool,
    /// Day of the first answer.
    pub(crate) given_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
