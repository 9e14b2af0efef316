//! The public result of an election.

use std::collections::BTreeMap;

use kernel::{Date, MunicipalityCode};
use proto::forums as pb;

use super::day;
use crate::domain::candidate::Candidate;
use crate::domain::election::{Constituency, Election, Phase};
use crate::domain::figures::{LotsProof, PublicFigures, basis_points};
use crate::domain::forum::Forum;
use crate::domain::lots::LotsSeed;
use crate::domain::tally::Tally;

/// Where a number on the ballot paper came, once confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number on the ballot paper.
    pub number: u32,
    /// Seat won.
    pub seat_no: Option<u32>,
    /// Order among the deputies.
    pub deputy_no: Option<u32>,
}

/// What a result is made of.
#[derive(Debug)]
pub struct ResultParts<'a> {
    /// The forum.
    pub forum: &'a Forum,
    /// The election.
    pub election: &'a Election,
    /// Seed of the lots, where lots are public; none where they are not.
    pub seed: Option<&'a LotsSeed>,
    /// Approvals and places by municipality.
    pub lines: &'a BTreeMap<MunicipalityCode, (Tally, Vec<Place>)>,
    /// Candidacies, for the names of those who agreed.
    pub candidates: &'a [Candidate],
}

/// The public result. Before the boxes close: who may vote and how many stand. From then on: ballots and turnout. The
/// rest when it is confirmed, and lots when they are drawn.
pub fn result(parts: &ResultParts<'_>, today: Date) -> pb::GetElectionResultResponse {
    let ResultParts { forum, election, .. } = parts;
    let total = forum.seats_total();
    let filled = election.forum_seats_filled.unwrap_or(forum.seats_filled);
    let contested = || election.contested().filter(|one| one.ballots.is_some());
    let ballots = contested().filter_map(|one| one.ballots).sum();
    let eligible = contested().filter_map(|one| one.eligible).sum();
    pb::GetElectionResultResponse {
        election: Some(super::election(election, today)),
        constituencies: election.constituencies.iter().map(|one| constituency(parts, one)).collect(),
        seats_filled: filled,
        seats_total: total,
        seats_filled_bp: basis_points(filled, total),
        turnout_bp: basis_points(ballots, eligible),
    }
}

fn constituency(parts: &ResultParts<'_>, one: &Constituency) -> pb::ConstituencyResult {
    let ResultParts { election, seed, lines, .. } = parts;
    let nothing = (Tally::empty(0), Vec::new());
    let (tally, places) = lines.get(&one.municipality).unwrap_or(&nothing);
    let public = PublicFigures::of(election, one, tally, *seed);
    let confirmed = one.confirmed.filter(|_| election.phase == Phase::Confirmed);
    let ballots = one.ballots.unwrap_or(0);
    let eligible = one.eligible.unwrap_or(0);
    let counted = |count: Option<u32>| count.unwrap_or(0);
    let mut deputies: Vec<(u32, u32)> =
        places.iter().filter_map(|place| Some((place.deputy_no?, place.number))).collect();
    deputies.sort_unstable();
    let deputy_numbers = deputies.into_iter().map(|(_, number)| number).collect();
    let elected_candidates =
        if confirmed.is_some() { elected(parts, one.municipality, places) } else { Vec::new() };
    pb::ConstituencyResult {
        municipality: one.municipality.to_string(),
        seats: one.seats,
        eligible,
        candidates: one.candidates,
        uncontested: one.uncontested,
        ballots,
        blank: public.blank,
        turnout_bp: basis_points(ballots, if one.ballots.is_some() { eligible } else { 0 }),
        elected: counted(confirmed.map(|result| result.elected)),
        deputies: counted(confirmed.map(|result| result.deputies)),
        vacant: counted(confirmed.map(|result| result.vacant)),
        supplementary_due_on: day(confirmed.and_then(|result| result.supplementary_due_on)),
        tally_suppressed: confirmed.is_some_and(|result| result.tally_suppressed),
        deputy_numbers: if public.tally.is_some() { deputy_numbers } else { Vec::new() },
        tally: public
            .tally
            .unwrap_or_default()
            .into_iter()
            .map(|(number, approvals)| pb::CandidateTally { number, approvals })
            .collect(),
        lots: public.lots.as_ref().map(|proof| lots(election, proof)),
        elected_candidates,
    }
}

fn elected(
    parts: &ResultParts<'_>,
    municipality: MunicipalityCode,
    places: &[Place],
) -> Vec<pb::ElectedCandidate> {
    let name = |number: u32| {
        let here = |one: &&Candidate| one.municipality == municipality && one.number == Some(number);
        let found = parts.candidates.iter().find(here).filter(|one| one.publish_name);
        found.map(|one| one.ballot_name.clone()).unwrap_or_default()
    };
    let mut elected: Vec<pb::ElectedCandidate> = places
        .iter()
        .filter_map(|place| {
            let seat_no = place.seat_no?;
            Some(pb::ElectedCandidate { seat_no, number: place.number, name: name(place.number) })
        })
        .collect();
    elected.sort_by_key(|one| one.seat_no);
    elected
}

/// The proof of drawn lots.
pub fn lots(election: &Election, proof: &LotsProof) -> pb::Lots {
    pb::Lots {
        municipality: proof.municipality.to_string(),
        commitment: election.lots_commitment.clone(),
        seed: proof.seed.clone(),
        witness_number: proof.witness.as_str().to_owned(),
        order: proof.order.clone(),
        seats_left: proof.seats_left,
    }
}
