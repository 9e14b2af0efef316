//! What forums publishes: seats and figures, never a person (SEC-31). The one place that decides it.

mod meeting;

use kernel::TenantId;
use messaging::NewEvent;
use proto::common::{MunicipalityCount, MunicipalitySeats};
use proto::forums as published;

use crate::domain::election::{Constituency, Election, ElectionEvent};
use crate::domain::forum::{Forum, ForumEvent, SeatQuota};
use crate::domain::seat::{Seat, SeatEvent, SeatOrigin};

pub use meeting::{decided, meeting, topic_raised};

/// What is told of a forum's event.
pub fn forum(forum: &Forum, event: &ForumEvent) -> NewEvent {
    let charter = &forum.charter;
    match event {
        ForumEvent::Founded => of_forum(
            forum,
            &published::ForumFounded {
                forum_id: forum.id.to_string(),
                r#type: charter.kind.as_str().to_owned(),
                level: charter.level.as_str().to_owned(),
                service_group: charter.service_group.clone(),
                term_starts_on: charter.term_starts_on.to_string(),
                term_ends_on: charter.term_ends_on.to_string(),
            },
        ),
        ForumEvent::SeatPlanApproved(quotas) => of_forum(
            forum,
            &published::SeatPlanApproved {
                forum_id: forum.id.to_string(),
                seats: quotas.iter().map(seats).collect(),
                total: quotas.iter().map(|quota| quota.seats).sum(),
            },
        ),
    }
}

/// What is told of an event of an election, which is the one after it. Nothing of the roll, which membership tells
/// itself, and nothing of the witness.
pub fn election(forum: &Forum, election: &Election, event: &ElectionEvent) -> Vec<NewEvent> {
    let election_id = election.id.to_string();
    match event {
        ElectionEvent::Announced => vec![announced(forum, election)],
        ElectionEvent::NominationsClosed => {
            let candidate_count = counts(election.constituencies.iter().map(|one| (one, one.candidates)));
            vec![of_election(forum, election, &published::NominationClosed { election_id, candidate_count })]
        }
        ElectionEvent::VotingOpened => {
            let eligible = counts(election.contested().map(|one| (one, one.eligible.unwrap_or(0))));
            vec![of_election(forum, election, &published::VotingOpened { election_id, eligible })]
        }
        ElectionEvent::VotingClosed(_) => {
            let closed = |one: &Constituency| published::VotingClosed {
                election_id: election_id.clone(),
                municipality: one.municipality.to_string(),
                ballots: one.ballots.unwrap_or(0),
                eligible: one.eligible.unwrap_or(0),
            };
            election.contested().map(|one| of_election(forum, election, &closed(one))).collect()
        }
        ElectionEvent::LotsDrawn(municipality) => {
            let municipality = municipality.to_string();
            vec![of_election(forum, election, &published::LotsDrawn { election_id, municipality })]
        }
        ElectionEvent::Confirmed { results, .. } => {
            let confirmed = published::ElectionConfirmed {
                election_id,
                forum_id: forum.id.to_string(),
                filled: results.iter().map(|(_, result)| result.elected).sum(),
                vacant: results.iter().map(|(_, result)| result.vacant).sum(),
            };
            vec![of_election(forum, election, &confirmed)]
        }
        ElectionEvent::Annulled => {
            let forum_id = forum.id.to_string();
            vec![of_election(forum, election, &published::ElectionAnnulled { election_id, forum_id })]
        }
        ElectionEvent::RollArrived { .. } | ElectionEvent::Counted(_) | ElectionEvent::Witnessed { .. } => {
            Vec::new()
        }
    }
}

/// What is told of a seat. `empty` is how many seats of the municipality are empty after it.
pub fn seat(forum: &Forum, seat: &Seat, event: &SeatEvent, empty: u32) -> NewEvent {
    let (forum_id, municipality) = (forum.id.to_string(), seat.municipality.to_string());
    let seat_no = seat.seat_no;
    match event {
        SeatEvent::Filled { origin, holder: _ } => {
            let deputy = *origin == SeatOrigin::Deputy;
            of_forum(forum, &published::SeatFilled { forum_id, municipality, seat_no, deputy })
        }
        SeatEvent::Vacated(reason) => {
            let reason_kind = reason.as_str().to_owned();
            of_forum(forum, &published::SeatVacated { forum_id, municipality, seat_no, reason_kind })
        }
        SeatEvent::SupplementaryCalled { due_on } => {
            let due_on = due_on.to_string();
            let called =
                published::SupplementaryElectionCalled { forum_id, municipality, seats: empty, due_on };
            of_forum(forum, &called)
        }
    }
}

fn announced(forum: &Forum, election: &Election) -> NewEvent {
    let schedule = election.schedule;
    let quota = |one: &Constituency| SeatQuota { municipality: one.municipality, seats: one.seats };
    let announced = published::ElectionAnnounced {
        election_id: election.id.to_string(),
        forum_id: forum.id.to_string(),
        service_group: forum.charter.service_group.clone(),
        seats: election.constituencies.iter().map(|one| seats(&quota(one))).collect(),
        supplementary: election.supplementary,
        nomination_opens_on: schedule.nomination_opens_on.to_string(),
        nomination_closes_on: schedule.nomination_closes_on.to_string(),
        voting_opens_on: schedule.voting_opens_on.to_string(),
        voting_closes_on: schedule.voting_closes_on.to_string(),
        lots_commitment: election.lots_commitment.clone(),
        board_public_key: election.board_key.as_bytes().to_vec(),
    };
    of_election(forum, election, &announced)
}

fn of_forum<M: prost::Message + prost::Name>(forum: &Forum, message: &M) -> NewEvent {
    NewEvent::of(forum.charter.tenant, "forum", forum.id, message).joint(co_tenants(forum))
}

fn of_election<M: prost::Message + prost::Name>(forum: &Forum, election: &Election, message: &M) -> NewEvent {
    NewEvent::of(forum.charter.tenant, "election", election.id, message).joint(co_tenants(forum))
}

fn co_tenants(forum: &Forum) -> Vec<TenantId> {
    forum.charter.co_tenants.clone()
}

fn seats(quota: &SeatQuota) -> MunicipalitySeats {
    MunicipalitySeats { municipality: quota.municipality.to_string(), seats: quota.seats }
}

fn counts<'a>(of: impl Iterator<Item = (&'a Constituency, u32)>) -> Vec<MunicipalityCount> {
    let count = |(one, count): (&Constituency, u32)| MunicipalityCount {
        municipality: one.municipality.to_string(),
        count,
    };
    of.map(count).collect()
}
