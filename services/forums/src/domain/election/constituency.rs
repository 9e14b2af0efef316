//! A municipality in an election.

use kernel::{Date, MunicipalityCode, Subject};

use crate::domain::ballot::BallotPaper;
use crate::domain::forum::SeatQuota;
use crate::domain::lots::WitnessNumber;

/// A municipality in an election.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constituency {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Seats to fill.
    pub seats: u32,
    /// People on the frozen roll; none until it has arrived.
    pub eligible: Option<u32>,
    /// Accepted candidates.
    pub candidates: u32,
    /// No more candidates than seats; known when nominations have closed (F6).
    pub uncontested: bool,
    /// Ballots cast, paper included; known when voting has closed.
    pub ballots: Option<u32>,
    /// Blank ballots; known when counted.
    pub blank: u32,
    /// Invalid ballots; known when counted.
    pub invalid: u32,
    /// Seats left for the tied, if there is a tie at the last seat.
    pub tie_seats_left: Option<u32>,
    /// The witness's number, once given.
    pub witness_number: Option<WitnessNumber>,
    /// Who gave it, by their reference at forums; none once erased.
    pub witness: Option<Subject>,
    /// Whether lots were drawn.
    pub lots_drawn: bool,
    /// What was confirmed.
    pub confirmed: Option<ConfirmedResult>,
}

/// The confirmed result of a municipality, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedResult {
    /// Seats filled.
    pub elected: u32,
    /// Deputies.
    pub deputies: u32,
    /// Seats left empty.
    pub vacant: u32,
    /// Day by which a supplementary election is due, if seats are empty.
    pub supplementary_due_on: Option<Date>,
    /// Whether there are too few ballots to show approvals (F7).
    pub tally_suppressed: bool,
}

impl Constituency {
    /// A municipality with so many seats to fill.
    pub fn new(quota: SeatQuota) -> Self {
        Self {
            municipality: quota.municipality,
            seats: quota.seats,
            eligible: None,
            candidates: 0,
            uncontested: false,
            ballots: None,
            blank: 0,
            invalid: 0,
            tie_seats_left: None,
            witness_number: None,
            witness: None,
            lots_drawn: false,
            confirmed: None,
        }
    }

    /// The ballot paper, once nominations have closed.
    pub fn paper(&self) -> BallotPaper {
        BallotPaper { seats: self.seats, candidates: self.candidates }
    }

    /// Whether a tie waits for lots.
    pub fn tie_open(&self) -> bool {
        self.tie_seats_left.is_some() && !self.lots_drawn
    }
}
