//! A municipality in an election.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "constituency")]
pub(crate) struct Model {
    /// The election.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) election_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Seats to fill.
    pub(crate) seats: i64,
    /// People on the roll, once known.
    pub(crate) eligible: Option<i64>,
    /// Accepted candidates.
    pub(crate) candidates: i64,
    /// No more candidates than seats.
    pub(crate) uncontested: bool,
    /// Ballots cast, once voting has closed.
    pub(crate) ballots: Option<i64>,
    /// Blank ones.
    pub(crate) blank: i64,
    /// Invalid ones.
    pub(crate) invalid: i64,
    /// Seats left for the tied at the last seat.
    pub(crate) tie_seats_left: Option<i64>,
    /// The witness's number.
    pub(crate) witness_number: Option<String>,
    /// Who gave it; erased after the appeal period.
    pub(crate) witness_ref: Option<Uuid>,
    /// Whether lots were drawn.
    pub(crate) lots_drawn: bool,
    /// Seats filled, once confirmed.
    pub(crate) elected: Option<i64>,
    /// Deputies.
    pub(crate) deputies: i64,
    /// Seats left empty.
    pub(crate) vacant: i64,
    /// Day by which a supplementary election is due.
    pub(crate) supplementary_due_on: Option<String>,
    /// Too few ballots to show approvals.
    pub(crate) tally_suppressed: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
