//! What a candidate's number got; stays when the candidate is erased.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tally_line")]
pub(crate) struct Model {
    /// The election.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) election_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Number on the ballot paper.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) number: i64,
    /// Approvals.
    pub(crate) approvals: i64,
    /// Seat won, once confirmed.
    pub(crate) seat_no: Option<i64>,
    /// Order among the deputies, once confirmed.
    pub(crate) deputy_no: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
