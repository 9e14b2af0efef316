//! An indicator before and after a change: sums and numbers, from which everything else is computed.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "impact_indicator")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// Id of the indicator.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) indicator_id: String,
    /// What it is.
    pub(crate) label: String,
    /// "mean" or "rate".
    pub(crate) kind: String,
    /// Sum of answers, or count, before.
    pub(crate) before_sum: i64,
    /// People or weeks before.
    pub(crate) before_n: i64,
    /// Sum of answers, or count, after.
    pub(crate) after_sum: Option<i64>,
    /// People or weeks after.
    pub(crate) after_n: Option<i64>,
    /// The value to be reached, in hundredths.
    pub(crate) target: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
