//! Every conversion between the contracts and the domain: requests in, public state out.

pub mod meetings;
pub mod requests;
pub mod results;

use kernel::Date;
use proto::common::MunicipalitySeats;
use proto::forums as pb;

use crate::domain::candidate::{Candidate, CandidateState};
use crate::domain::election::{Constituency, Election, Phase};
use crate::domain::forum::{Forum, ForumLevel, ForumState, ForumType};
use crate::domain::paper::BatchState;
use crate::domain::seat::{Deputy, Seat, SeatOrigin, SeatState};

/// A forum.
pub fn forum(forum: &Forum) -> pb::Forum {
    let charter = &forum.charter;
    pb::Forum {
        forum_id: forum.id.to_string(),
        tenant: charter.tenant.to_string(),
        co_tenants: charter.co_tenants.iter().map(ToString::to_string).collect(),
        confirmed_co_tenants: forum.confirmed.iter().map(ToString::to_string).collect(),
        name: charter.name.clone(),
        purpose: charter.purpose.clone(),
        purpose_plain: charter.purpose_plain.clone(),
        r#type: match charter.kind {
            ForumType::ClientForum => pb::ForumType::ClientForum,
            ForumType::LocalGroup => pb::ForumType::LocalGroup,
        }
        .into(),
        level: match charter.level {
            ForumLevel::Local => pb::ForumLevel::Local,
            ForumLevel::Regional => pb::ForumLevel::Regional,
            ForumLevel::County => pb::ForumLevel::County,
        }
        .into(),
        service_group: charter.service_group.clone(),
        term_starts_on: charter.term_starts_on.to_string(),
        term_ends_on: charter.term_ends_on.to_string(),
        state: match forum.state {
            ForumState::Founded => pb::ForumState::Founded,
            ForumState::Active => pb::ForumState::Active,
            ForumState::Dissolved => pb::ForumState::Dissolved,
        }
        .into(),
        seat_plan: forum
            .plan
            .iter()
            .map(|quota| MunicipalitySeats {
                municipality: quota.municipality.to_string(),
                seats: quota.seats,
            })
            .collect(),
        seats_total: forum.seats_total(),
        seats_filled: forum.seats_filled,
        founding_decision: charter.founding_decision.clone(),
    }
}

/// A seat, without its holder.
pub fn seat(seat: &Seat) -> pb::Seat {
    let origin = match seat.origin {
        None => pb::SeatOrigin::Unspecified,
        Some(SeatOrigin::Vote) => pb::SeatOrigin::Vote,
        Some(SeatOrigin::Lots) => pb::SeatOrigin::Lots,
        Some(SeatOrigin::Uncontested) => pb::SeatOrigin::Uncontested,
        Some(SeatOrigin::Deputy) => pb::SeatOrigin::Deputy,
    };
    let state = match seat.state {
        SeatState::Vacant => pb::SeatState::Vacant,
        SeatState::Filled => pb::SeatState::Filled,
        SeatState::Vacated => pb::SeatState::Vacated,
    };
    pb::Seat {
        municipality: seat.municipality.to_string(),
        seat_no: seat.seat_no,
        state: state.into(),
        origin: origin.into(),
        election_id: seat.holder.as_ref().map(|holder| holder.election.to_string()).unwrap_or_default(),
        supplementary_due_on: day(seat.supplementary_due_on),
    }
}

/// A held seat, with its holder's reference; none for an empty one.
pub fn seat_holder(seat: &Seat) -> Option<pb::SeatHolder> {
    let holder = seat.holder.as_ref()?;
    Some(pb::SeatHolder {
        municipality: seat.municipality.to_string(),
        seat_no: seat.seat_no,
        holder_ref: holder.reference.to_string(),
        deputy: false,
        name_public: holder.name_public,
    })
}

/// A deputy; `order` is their order in the municipality, from 1.
pub fn deputy(deputy: &Deputy, order: u32) -> pb::SeatHolder {
    pb::SeatHolder {
        municipality: deputy.municipality.to_string(),
        seat_no: order,
        holder_ref: deputy.holder.reference.to_string(),
        deputy: true,
        name_public: deputy.holder.name_public,
    }
}

/// An election as it is on this day.
pub fn election(election: &Election, today: Date) -> pb::Election {
    let schedule = election.schedule;
    pb::Election {
        election_id: election.id.to_string(),
        forum_id: election.forum.to_string(),
        supplementary: election.supplementary,
        state: state(election, today).into(),
        nomination_opens_on: schedule.nomination_opens_on.to_string(),
        nomination_closes_on: schedule.nomination_closes_on.to_string(),
        voting_opens_on: schedule.voting_opens_on.to_string(),
        voting_closes_on: schedule.voting_closes_on.to_string(),
        constituencies: election.constituencies.iter().map(constituency).collect(),
        board_public_key: election.board_key.as_bytes().to_vec(),
        lots_commitment: election.lots_commitment.clone(),
        roll_hash: election.roll_hash.map(|hash| hash.to_vec()).unwrap_or_default(),
    }
}

fn state(election: &Election, today: Date) -> pb::ElectionState {
    match election.phase {
        Phase::Announced if today < election.schedule.nomination_opens_on => pb::ElectionState::Announced,
        Phase::Announced => pb::ElectionState::NominationOpen,
        Phase::NominationsClosed => pb::ElectionState::NominationClosed,
        Phase::Voting => pb::ElectionState::Voting,
        Phase::Counting => pb::ElectionState::Counting,
        Phase::TieByLot => pb::ElectionState::TieByLot,
        Phase::Counted => pb::ElectionState::Counted,
        Phase::Confirmed => pb::ElectionState::Confirmed,
        Phase::Annulled => pb::ElectionState::Annulled,
    }
}

fn constituency(one: &Constituency) -> pb::Constituency {
    pb::Constituency {
        municipality: one.municipality.to_string(),
        seats: one.seats,
        eligible: one.eligible.unwrap_or(0),
        candidates: one.candidates,
        uncontested: one.uncontested,
        tie_open: one.tie_open(),
        witnessed: one.witness_number.is_some(),
    }
}

/// Who witnessed the lots of a municipality; none where nobody has.
pub fn lots_witness(one: &Constituency) -> Option<pb::LotsWitness> {
    let number = one.witness_number.as_ref()?;
    Some(pb::LotsWitness {
        municipality: one.municipality.to_string(),
        number: number.as_str().to_owned(),
        witness_ref: one.witness.map(|witness| witness.to_string()).unwrap_or_default(),
    })
}

/// A candidacy as an answer to a command keeps it: no name, no picture, no person.
pub fn candidacy(candidate: &Candidate) -> pb::Candidate {
    let state = match candidate.state {
        CandidateState::Nominated => pb::CandidateState::Nominated,
        CandidateState::Accepted => pb::CandidateState::Accepted,
        CandidateState::Withdrawn => pb::CandidateState::Withdrawn,
    };
    pb::Candidate {
        candidate_id: candidate.id.to_string(),
        election_id: candidate.election.to_string(),
        municipality: candidate.municipality.to_string(),
        number: candidate.number.unwrap_or(0),
        state: state.into(),
        ..pb::Candidate::default()
    }
}

/// A candidacy with what is on the ballot paper, but for the bytes of the picture.
pub fn candidate(candidate: &Candidate) -> pb::Candidate {
    let picture = candidate.picture;
    pb::Candidate {
        ballot_name: candidate.ballot_name.clone(),
        picture_media_type: picture.map(|picture| picture.kind.as_str().to_owned()).unwrap_or_default(),
        picture_size: picture.map_or(0, |picture| picture.size),
        picture_sha256: picture.map(|picture| picture.sha256.to_vec()).unwrap_or_default(),
        picture_text: candidate.picture_text.clone(),
        ..candidacy(candidate)
    }
}

/// A candidacy for officers: with the person's reference.
pub fn candidate_for_officers(one: &Candidate) -> pb::Candidate {
    let candidate_ref = one.person.map(|person| person.to_string()).unwrap_or_default();
    pb::Candidate { candidate_ref, ..candidate(one) }
}

/// State of a batch.
pub fn batch_state(state: BatchState) -> pb::PaperBatchState {
    match state {
        BatchState::EnteredOnce => pb::PaperBatchState::EnteredOnce,
        BatchState::Reconciled => pb::PaperBatchState::Reconciled,
        BatchState::Disputed => pb::PaperBatchState::Disputed,
    }
}

/// A day, or empty.
pub(crate) fn day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
