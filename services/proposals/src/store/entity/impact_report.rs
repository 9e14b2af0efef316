//! What a change brought about.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "impact_report")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// How far it has come.
    pub(crate) state: String,
    /// Day of the baseline.
    pub(crate) baseline_on: Option<String>,
    /// Day of the measurement.
    pub(crate) measured_on: Option<String>,
    /// Day it was made public.
    pub(crate) published_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
